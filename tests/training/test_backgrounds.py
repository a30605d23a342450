"""Images of objects laid on plain backgrounds of any colour by their masks, for models that draw theirs so."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.datasets.images import open_images
from maquette.datasets.images.render import render_images
from maquette.errors import UserError
from maquette.systems import SYSTEMS
from maquette.training.data import open_image_data
from maquette.training.image_batches import ImageBatches


@pytest.fixture(scope="module")
def white(tmp_path_factory):
    """Six cups on white, 16x16, with masks."""
    out = tmp_path_factory.mktemp("cups") / "white"
    list(render_images("furniture:cup", out, size=16, views=1, count=6, holdout=0, workers=1))
    return out


def recipe_of(path, background: str = "random") -> recipes.Recipe:
    recipe = recipes.load("graf-tiny")
    return dataclasses.replace(
        recipe, data=dataclasses.replace(recipe.data, path=(str(path),)),
        model=dataclasses.replace(recipe.model, height=16, width=16, background=background))


def batches_of(path, background: str = "random", part: tuple[int, int] = (0, 1)):
    recipe = recipe_of(path, background)
    system = SYSTEMS[recipe.system](recipe.model)
    return ImageBatches(open_image_data(recipe), np.arange(6), np.arange(2), recipe, system, part)


def test_objects_are_laid_on_new_backgrounds_by_their_masks(white):
    plain, random = batches_of(white, "white"), batches_of(white)
    assert torch.equal(random.background, torch.ones(3, 1, 1)) and plain.background is None
    before, after = plain.at(3).images, random.at(3).images
    covered = torch.from_numpy(open_images(white).masks(plain.rows(3))).float()[:, None] / 255
    inside, outside = (covered == 1).expand_as(before), (covered == 0).expand_as(before)
    assert inside.sum() > 20 and torch.equal(after[inside], before[inside])
    colours = after[:, :, :1, :1]  # the corner is background
    assert torch.allclose(after[outside], colours.expand_as(after)[outside], atol=1e-6)
    assert torch.allclose(after, before + (1 - covered) * (colours - 1), atol=1e-6)
    assert colours.flatten(1).std(0).min() > 0.1 and after.abs().max() <= 1 + 1e-6
    assert torch.equal(after, batches_of(white).at(3).images)
    assert not torch.equal(colours, random.at(4).images[:, :, :1, :1])
    halves = [batches_of(white, part=(which, 2)).at(3).images for which in range(2)]
    assert torch.equal(torch.cat(halves), after), "whatever the number of processes"


def test_backgrounds_that_differ_already_stay(white, tmp_path):
    list(render_images("furniture:cup", tmp_path / "any", size=16, views=1, count=6, holdout=0, workers=1,
                       background="random"))
    batches = batches_of(tmp_path / "any")
    assert batches.background is None
    assert torch.equal(batches.at(0).images, batches_of(tmp_path / "any", "white").at(0).images)


def test_without_masks_there_is_no_way(white):
    file = white / "images.json"
    kept = file.read_text()
    try:
        file.write_text(json.dumps({**json.loads(kept), "masks": False}))
        assert open_image_data(recipe_of(white, "white")).info.masks is False
        with pytest.raises(UserError) as caught:
            open_image_data(recipe_of(white))
    finally:
        file.write_text(kept)
    assert str(caught.value) == (
        f"the recipe has random backgrounds, the images of {white} have all the same, and no masks to change it by; "
        "set model.background white, or prepare the images again with --masks")
