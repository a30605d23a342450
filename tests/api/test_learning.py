"""Recipes by name with some keys changed, as the command line changes them."""

from dataclasses import replace

import pytest

import maquette
from maquette import recipe as recipes
from maquette.errors import RenamedWarning, UserError


def problem(overrides) -> str:
    with pytest.raises(UserError) as caught:
        maquette.load_recipe("iwgan-tiny", overrides)
    return str(caught.value)


def test_a_recipe_is_taken_as_a_name_a_file_or_itself(tmp_path):
    plain = recipes.load("iwgan-tiny")
    (tmp_path / "own.yaml").write_text(recipes.dump(plain))
    assert maquette.load_recipe("iwgan-tiny") == maquette.load_recipe(tmp_path / "own.yaml") == plain
    assert maquette.load_recipe(plain) is plain


def test_keys_are_changed_and_checked():
    plain = recipes.load("iwgan-tiny")
    changed = maquette.load_recipe("iwgan-tiny", {"train.steps": 20, "data.path": ["furniture:chair"], "about": "mine"})
    assert changed == replace(plain, about="mine", train=replace(plain.train, steps=20),
                              data=replace(plain.data, path=("furniture:chair",)))
    assert problem({"train.stepz": 20}) == "iwgan-tiny: unknown key 'train.stepz'; did you mean 'train.steps'?"
    assert problem({"lr": 20}) == "iwgan-tiny: unknown key 'lr'; did you mean 'optim.lr'?"
    assert "iwgan-tiny: " in problem({"train.steps": 0}) and "train.steps" in problem({"train.steps": 0})
    assert "train.steps" in problem({"train.steps": "many"})
    assert "train.steps" in problem({"train.steps": True})


def test_keys_of_the_first_release_are_taken_with_a_word():
    with pytest.warns(RenamedWarning, match="model.penalty is called model.penalty_weight now"):
        changed = maquette.load_recipe("iwgan-tiny", {"model.penalty": 5.0})
    assert changed.model.penalty_weight == 5.0


def test_three_lines_train(tmp_path):
    few = {"train.steps": 2, "train.sample_every": 0, "data.furniture": 13, "data.cache": str(tmp_path / "cache")}
    events = list(maquette.train("iwgan-tiny", tmp_path / "run", few))
    assert events and (tmp_path / "run" / "model" / "config.json").is_file()
    assert len(maquette.generate(tmp_path / "run", 1)) == 1
