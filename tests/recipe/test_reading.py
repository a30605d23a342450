"""Strict reading, messages with the nearest known key, a lossless round trip, no heavy import before a recipe fits."""

import subprocess
import sys

import pytest
import yaml

from maquette import recipe as recipes
from maquette.cli import commands as cli
from maquette.errors import UserError
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


def test_a_key_in_the_wrong_place_is_sent_to_the_right_one():
    assert "unknown key 'lr'; did you mean 'optim.lr'?" in message({"system": "iwgan", "model": {}, "lr": 1})
    assert "unknown key 'train.views'; did you mean 'data.views'?" in message(
        {"system": "iwgan", "model": {}, "train": {"views": 3}}
    )
    line = message({"system": "iwgan", "model": {"joint": True}})
    assert "known: resolution, latent" in line and "kl_weight" not in line, "only the keys of this system"
    assert recipes.from_tree({"system": "iwgan"}, "mine.yaml").model == SYSTEMS["iwgan"].Config(), "all defaults"
    assert "got 'chiar'; did you mean 'chair'?" in message(
        {"system": "iwgan", "model": {}, "data": {"furniture_classes": ["chiar"]}}
    )


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
