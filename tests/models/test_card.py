"""The model card: a head that the Hub reads, and every fact of the run once."""

import ast
import dataclasses
import re

import pytest
import yaml

import maquette
from maquette import recipe as recipes
from maquette.models.card import duration, write_card

TERMS = ("ModelNet: academic use only", "furniture: made by this package, no terms")
FACTS = {"seconds": 4321.4, "commit": "abc123+changes", "torch": "2.9.1", "processor": "A | B", "gpu": ""}


def card(name: str = "vae-iwgan-image-tiny", **changes) -> str:
    options = {"labels": ("chair", "lamp"), "terms": TERMS, "shapes": 321, "metrics": {"iou": 0.47123},
               "facts": FACTS, "picture": "samples.png"}
    return write_card(recipes.load(name), **{**options, **changes})


def test_the_head_is_what_the_hub_reads():
    _, head, body = card().split("---\n", 2)
    fields = yaml.safe_load(head)
    assert fields["license"] == "other" and fields["library_name"] == "maquette"
    assert fields["pipeline_tag"] == "image-to-3d" and "vae-iwgan-image" in fields["tags"]
    assert body.startswith("\n# A vae-iwgan-image model of maquette\n")
    assert "pipeline_tag" not in yaml.safe_load(card("iwgan-tiny").split("---\n")[1])


def test_every_fact_is_there():
    text = card()
    about = recipes.load("vae-iwgan-image-tiny").about
    for fact in (about, *TERMS, "321 shapes of 2 classes: chair, lamp.", "![What the model makes](samples.png)",
                 "20 steps of 8", "| iou | 0.471 |", "| time | 1 h 12 min |", "| commit | abc123+changes |",
                 "| torch | 2.9.1 |", "| seed | 0 |", "| processor | A \\| B |"):
        assert fact in text, fact
    assert "gpu" not in text, "what is empty is left out"
    assert "samples.png" not in card(picture=None) and "Nothing." in card(metrics={})


def test_what_training_started_from_is_said():
    recipe = recipes.load("iwgan-tiny")
    assert "started from" not in card("iwgan-tiny")
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, start="someone/chairs"))
    text = write_card(recipe, ("chair",), TERMS, 9, {}, {})
    assert "Training started from the weights of `someone/chairs`, so the terms of its data are among these." in text


def test_the_whole_recipe_can_be_read_back():
    recipe = recipes.load("iwgan-tiny")
    recipe = dataclasses.replace(recipe, about="two\nlines: of 'it'")
    text = write_card(recipe, ("chair",), TERMS, 9, {}, {})
    found = re.search(r"```yaml\n(.*)```", text, re.S)[1]
    assert recipes.from_tree(yaml.safe_load(found), "card") == recipe


@pytest.mark.parametrize("name", ["vae-iwgan-image-tiny", "iwgan-tiny"])
def test_the_python_of_the_card_uses_public_names(name):
    text = card(name)
    tree = ast.parse(re.search(r"```python\n(.*?)```", text, re.S)[1])
    used = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name) and node.value.id == "maquette"]
    assert len(used) == 2 and set(used) <= set(maquette.__all__)
    assert ("maquette reconstruct" in text) == (name == "vae-iwgan-image-tiny")


def test_durations():
    assert [duration(s) for s in (20.4, 184, 4321)] == ["20 s", "3 min 4 s", "1 h 12 min"]
