"""A share of the photos is partly hidden by a piece of another photo, and nothing else changes."""

import dataclasses

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.capabilities import Reads
from maquette.datasets.opened import OpenedData
from maquette.errors import UserError
from maquette.systems.base import System
from maquette.training.augment import occlude
from maquette.training.batches import Batches


class Plain(OpenedData):
    """Views of one grey: photos darker than drawings, each row another one; every row has two of each."""

    views_per_shape = 4
    labels = np.zeros(60, int)

    def __init__(self):
        """Nothing is opened."""

    def voxels(self, rows):
        return np.zeros((len(rows), 20, 20, 20), bool)

    def photos(self, row):
        return np.array([True, False, False, True])

    def views(self, rows, which):
        greys = [row if self.photos(row)[view] else 200 for row, view in zip(rows, which, strict=True)]
        return np.repeat(np.array(greys, np.uint8), 32 * 32).reshape(-1, 32, 32)


class ReadsViews(System):
    reads = Reads.VIEWS

    def __init__(self):
        """No networks."""

    def needs_poses(self):
        return False


def batches(occluded: float, part=(0, 1)) -> Batches:
    recipe = recipes.load("vae-iwgan-image-tiny")
    data = dataclasses.replace(recipe.data, occluded=occluded, jitter=False, flip=False)
    recipe = dataclasses.replace(recipe, data=data, train=dataclasses.replace(recipe.train, batch=60))
    return Batches(Plain(), np.arange(60), recipe, ReadsViews(), part)


def test_a_share_of_the_photos_and_no_drawing_is_hidden_in_part():
    hidden = photos = 0
    for step in range(20):
        before, after = (batches(share).at(step).images for share in (0.0, 0.5))
        drawings = (before == 200 / 255).flatten(1).all(1)
        assert torch.equal(before[drawings], after[drawings])
        changed = (before != after).flatten(1).float().mean(1)[~drawings]
        assert changed.max() < 0.8
        hidden, photos = hidden + int((changed > 0).sum()), photos + len(changed)
        assert after[~drawings].max() < 60 / 255, "what lies over a photo is a photo, and between the two at the rim"
    assert photos > 400 and abs(hidden / photos - 0.5) < 0.1


def test_what_is_hidden_does_not_depend_on_the_number_of_processes():
    halves = [batches(0.7, (part, 2)).at(5).images for part in (0, 1)]
    assert torch.equal(batches(0.7).at(5).images, torch.cat(halves))


def test_a_piece_leaves_the_rest_as_it_is():
    for seed in range(50):
        image, other = torch.full((1, 40, 40), 0.25), torch.rand(1, 40, 40) / 2 + 0.5
        occlude(image, other, np.random.default_rng(seed))
        inside, outside = image == other, image == 0.25
        assert inside.sum() > 10 and outside.sum() > 400
        rim = ~(inside | outside)
        assert ((image > 0.25) & (image < other))[rim].all() and rim.float().mean() < 0.25


def test_a_share_above_one_is_refused():
    with pytest.raises(UserError, match="data.occluded must be from 0 to 1, got 1.5"):
        batches(1.5)
