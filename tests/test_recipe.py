"""Recipes: strict reading, messages that name the key and the nearest right one, a lossless round trip, and no import
of anything heavy before a recipe is known to be right.
"""

import dataclasses
import subprocess
import sys

import pytest
import yaml

from maquette import recipe as recipes
from maquette.cli import commands as cli
from maquette.errors import UserError
from maquette.recipe import DataRecipe
from maquette.systems import SYSTEMS

HEAVY = "{'torch', 'datasets', 'trimesh', 'numpy', 'cv2', 'lightning_fabric'}"


def message(tree) -> str:
    with pytest.raises(UserError) as caught:
        recipes.from_tree(tree, "mine.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_unknown_keys_name_the_nearest_right_one():
    assert "unknown key 'model.resolutoin'; did you mean 'resolution'?" in message(
        {"system": "iwgan", "model": {"resolutoin": 32}}
    )
    assert "unknown key 'trian'; did you mean 'train'?" in message({"system": "iwgan", "model": {}, "trian": {}})
    assert "unknown key 'train.stepz'; did you mean 'steps'?" in message(
        {"system": "iwgan", "model": {}, "train": {"stepz": 3}}
    )


def test_wrong_types_and_ranges_name_the_key():
    assert "train.steps" in message({"system": "iwgan", "model": {}, "train": {"steps": "many"}})
    assert "train.steps must be positive, got 0" in message({"system": "iwgan", "model": {}, "train": {"steps": 0}})
    assert "data.validation must be above 0 and below 1, got 2" in message(
        {"system": "iwgan", "model": {}, "data": {"validation": 2}}
    )
    assert "a mapping with the key 'system'" in message([1, 2])


IMAGE = {"encoder": "residual", "view_size": 64}


@pytest.mark.parametrize(
    "section, key, value",
    [
        ("optim", "lr", 0.0),
        ("optim", "lr", float("inf")),
        ("optim", "lr", float("nan")),
        ("optim", "critic_lr", -1),
        ("optim", "betas", [0.5, 1.0]),
        ("optim", "critic_betas", [-0.1, 0.9]),
        ("optim", "weight_decay", -0.1),
        ("optim", "warmup", -1),
        ("optim", "decay", -1),
        ("optim", "floor", 1.5),
        ("optim", "clip", -1.0),
        ("train", "steps", 0),
        ("train", "batch", 1),
        ("train", "seed", -1),
        ("train", "average", 1.0),
        ("train", "device", "gpu"),
        ("train", "devices", -1),
        ("train", "nodes", 0),
        ("train", "accumulate", 0),
        ("train", "threads", -1),
        ("train", "log_every", 0),
        ("train", "check_every", 0),
        ("train", "sample_every", -1),
        ("train", "save_minutes", -1),
        ("train", "save_steps", -1),
        ("train", "keep", 0),
        ("data", "furniture", 0),
        ("data", "views", 0),
        ("data", "scans", 0),
        ("data", "validation", 1.0),
        ("data", "small_size", 15),
        ("data", "small_until", -1),
        ("data", "path", []),
        ("data", "kinds", []),
        ("data", "kinds", ["pencl"]),
        ("data", "orientations", 5),
        ("data", "orientations", 0),
        ("data", "furniture_classes", ["chiar"]),
        ("model", "resolution", 33),
        ("model", "latent", 0),
        ("model", "generator_channels", []),
        ("model", "critic_channels", [8, 0]),
        ("model", "penalty_weight", -1),
        ("model", "penalty_interval", 0),
        ("model", "critic_steps", 0),
        ("model", "kl_weight", -1),
        ("model", "view_size", 8),
        ("model", "encoder_widths", [0]),
        ("model", "encoder_blocks", []),
        ("model", "positive_weight", 0),
        ("model", "reconstruction_weight", -1),
        ("model", "adversarial", -1),
        ("model", "adversarial_start", -1),
        ("model", "critic_start", -1),
        ("model", "critic_fraction", 0),
        ("model", "prior_fraction", 1.5),
        ("model", "encoder", "papr"),
        ("model", "joint", "maybe"),
    ],
)
def test_every_value_out_of_range_names_its_key(section, key, value):
    tree = {"system": "vae-iwgan-image", "model": dict(IMAGE)}
    tree.setdefault(section, {})[key] = value
    line = message(tree)
    assert line.startswith("mine.yaml: ") and f"{section}.{key}" in line


def test_what_only_two_keys_together_get_wrong_names_both():
    line = message({"system": "iwgan", "model": {}, "train": {"batch": 64, "accumulate": 3}})
    assert "train.batch must be a multiple of train.accumulate" in line and "got 64 and 3" in line
    assert "2 samples or more" in message({"system": "iwgan", "model": {}, "train": {"batch": 4, "accumulate": 4}})
    line = message({"system": "iwgan", "model": {"resolution": 20, "generator_channels": [8, 8]}})
    assert "generator_channels must be 3 widths or more at 20 voxels, got 2" in line


def test_the_resolution_is_refused_with_the_nearest_one():
    sides = {"gan3d": "32 or 64", "vae-gan-image": "32 or 64"}
    for name in (name for name, system in SYSTEMS.items() if not system.makes.images):
        assert message({"system": name, "model": {"resolution": 33}}) == (
            f"mine.yaml: model.resolution must be {sides.get(name, '20, 32 or 64')}, got 33; try 32")


def test_true_is_no_number():
    tree = {"system": "iwgan", "model": {}, "train": {"steps": True}}
    assert message(tree) == "mine.yaml: train.steps must be a whole number, got True"
    assert "optim.betas.1" in message({"system": "iwgan", "model": {}, "optim": {"betas": [0.5, False]}})
    assert recipes.from_tree({"system": "iwgan", "model": {}, "data": {"flip": False}}, "x").data.flip is False


def test_a_key_in_the_wrong_place_is_sent_to_the_right_one():
    assert "unknown key 'lr'; did you mean 'optim.lr'?" in message({"system": "iwgan", "model": {}, "lr": 1})
    assert "unknown key 'train.views'; did you mean 'data.views'?" in message(
        {"system": "iwgan", "model": {}, "train": {"views": 3}}
    )
    line = message({"system": "iwgan", "model": {"joint": True}})
    assert "known: resolution, latent" in line and "kl_weight" not in line, "only the keys of this system"
    made = recipes.from_tree({"system": "iwgan"}, "mine.yaml")
    assert made.model == SYSTEMS["iwgan"].Config(), "all of it is default"
    assert "got 'chiar'; did you mean 'chair'?" in message(
        {"system": "iwgan", "model": {}, "data": {"furniture_classes": ["chiar"]}}
    )


def test_the_names_known_here_are_those_of_their_makers():
    from maquette.datasets import furniture, sources
    from maquette.rendering import views

    assert recipes.FURNITURE_CLASSES == furniture.KINDS and recipes.VIEW_KINDS == views.KINDS
    assert DataRecipe().path == (sources.FURNITURE,)


def test_the_list_of_systems_is_true():
    assert len(SYSTEMS) == len(set(SYSTEMS)) >= 2
    for name, system in SYSTEMS.items():
        assert system.name == name and system.Config is SYSTEMS[name].Config


def with_data(**data) -> recipes.Recipe:
    recipe = recipes.load("iwgan-tiny")
    return dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, **data))


def test_paths_that_are_missing_are_named_with_the_nearest(tmp_path):
    (tmp_path / "modelnet10").mkdir()
    (tmp_path / "modelnet10" / "shapes.npz").write_bytes(b"")
    (tmp_path / "textures").mkdir()
    (tmp_path / "texturez.txt").write_bytes(b"")

    def problem(**data) -> str:
        with pytest.raises(UserError) as caught:
            recipes.check_paths(with_data(**data))
        return str(caught.value)

    there = tmp_path / "modelnet10" / "shapes.npz"
    recipes.check_paths(with_data(path=("furniture", "furniture:chair,lamp", str(there)),
                                  backgrounds=str(tmp_path / "textures")))
    line = problem(path=("furniture", str(tmp_path / "modelnet10" / "shape.npz")))
    assert "data.path names data that are not there" in line and f"did you mean '{there}'?" in line
    line = problem(path=(str(tmp_path / "modlnet10" / "shapes.npz"),))
    assert f"did you mean '{tmp_path / 'modelnet10'}'?" in line
    assert "did you mean 'furniture'?" in problem(path=("furnitur",))
    assert "got 'chiar'; did you mean 'chair'?" in problem(path=("furniture:lamp,chiar",))
    assert "give a file, a folder, or 'furniture'" in problem(path=(str(tmp_path / "zzzz"),))
    assert "give a file" in problem(path=("",))
    line = problem(backgrounds=str(tmp_path / "texture"))
    assert "data.backgrounds" in line and f"did you mean '{tmp_path / 'textures'}'?" in line, "a folder, not the file"


def test_a_recipe_whose_data_are_elsewhere_can_still_be_read():
    recipe = with_data(path=("gone.npz",), backgrounds="gone")
    assert recipes.from_tree(recipes.to_tree(recipe), "x") == recipe


@pytest.mark.parametrize(
    "arguments, code, says",
    [
        (["bundled", "--model.latnt", "3"], 2, "unknown option '--model.latnt'; did you mean '--model.latent'?"),
        (["bad.yaml"], 1, "bad.yaml: train.steps must be positive, got -1"),
        (["bundled", "--data.path", "furnitur"], 1, "did you mean 'furniture'?"),
    ],
)
def test_what_is_wrong_is_said_before_anything_heavy_is_imported(tmp_path, arguments, code, says):
    (tmp_path / "bad.yaml").write_text("{system: iwgan, model: {}, train: {steps: -1}}")
    program = ("import sys; from maquette import cli\ntry: cli.main(['train', *sys.argv[1:]])\n"
               f"finally: print(sorted({HEAVY} & set(sys.modules)))")
    found = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == code and set(eval(found.stdout)) <= {"numpy", "torch"}, "papers import PyTorch, no more"
    assert found.stderr.count("\n") == 1 and found.stderr.startswith("maquette: ") and says in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"], "no run is begun"


@pytest.mark.parametrize(
    "arguments, says",
    [
        ("--model.latent=x", "--model.latent must be a whole number, got 'x'"),
        ("--steps 4", "unknown option '--steps'; did you mean '--train.steps'?"),
        ("--data.smal_size=4", "unknown option '--data.smal_size'; did you mean '--data.small-size'?"),
        ("--qqq", "unknown option '--qqq'; see maquette train bundled --help"),
        ("other", "maquette train takes one recipe, then --key value, got 'other'"),
        ("--model.encoder papr", "got 'papr'; did you mean 'paper'?"),
        ("--optim.lr -1", "optim.lr must be positive, got -1.0"),
        ("--model.latent", "--model.latent needs a value"),
    ],
)
def test_options_that_do_not_fit_are_one_line(capsys, arguments, says):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["train", "bundled", *arguments.split()])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.startswith("maquette: ") and said.count("\n") == 1 and says in said


def test_unknown_system_and_recipe_name_the_nearest():
    assert "got 'iwgam'; did you mean 'iwgan'?" in message({"system": "iwgam", "model": {}})
    with pytest.raises(UserError, match="did you mean 'iwgan-tiny'"):
        recipes.load("iwgan-tinny")


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("a: [1,")
    with pytest.raises(UserError, match="bad.yaml cannot be read as YAML"):
        recipes.load(str(path))
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(UserError, match="cannot be read as YAML"):
        recipes.load(str(path))


@pytest.mark.parametrize("name", recipes.names())
def test_dump_is_lossless(name):
    recipe = recipes.load(name)
    assert recipes.from_tree(yaml.safe_load(recipes.dump(recipe)), name) == recipe
