"""The sections of a recipe: every value out of range is refused by a message that names its key."""

import pytest

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.recipe import DataRecipe
from maquette.systems import SYSTEMS


def message(tree) -> str:
    with pytest.raises(UserError) as caught:
        recipes.from_tree(tree, "mine.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


def test_the_names_known_here_are_those_of_their_makers():
    from maquette.datasets import furniture, sources
    from maquette.rendering import views

    assert recipes.FURNITURE_CLASSES == furniture.KINDS and recipes.VIEW_KINDS == views.KINDS
    assert DataRecipe().path == (sources.FURNITURE,)
