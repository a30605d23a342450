"""Recipes: strict reading, messages that name the key and the nearest right one, and a lossless round trip."""

import pytest
import yaml

from maquette import recipe as recipes
from maquette.errors import UserError


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
    assert "data.validation must be between 0 and 1, got 2.0" in message(
        {"system": "iwgan", "model": {}, "data": {"validation": 2}}
    )
    assert "a mapping with the key 'system'" in message([1, 2])


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
