"""What the processes that tests start have in common: a data set made of nothing, and a run on it."""

import dataclasses

import numpy as np
import torch

from maquette import recipe as recipes
from maquette.datasets.opened import OpenedData
from maquette.systems import SYSTEMS
from maquette.training.batches import Batches


class Boxes(OpenedData):
    """Stands in for OpenedData: boxes whose width is their row's number."""

    views_per_shape = 3
    scans_per_shape = 3
    labels = np.arange(29) % 4

    def __init__(self):
        """Nothing is opened."""

    def voxels(self, rows):
        grids = np.zeros((len(rows), 20, 20, 20), bool)
        for grid, row in zip(grids, rows, strict=True):
            grid[2 : 4 + row % 10, 5:15, 3:12] = True
        return grids

    def scans(self, rows, which):
        """One side of each box: its left, its right or its top, by the number of the scan."""
        grids = np.zeros((len(rows), 20, 20, 20), bool)
        for grid, row, side in zip(grids, rows, which, strict=True):
            right = 3 + row % 10
            place = [(2, slice(5, 15), slice(3, 12)), (right, slice(5, 15), slice(3, 12)),
                     (slice(2, right + 1), slice(5, 15), 11)][side]
            grid[place] = True
        return grids

    def views(self, rows, which):
        seeds = [np.random.default_rng([row, view]) for row, view in zip(rows, which, strict=True)]
        return np.stack([seed.integers(0, 256, (32, 32), np.uint8) for seed in seeds])


def job(steps: int, name: str = "vae-iwgan-image-tiny", part=(0, 1), **train):
    """(system, recipe, batches) of a tiny run on boxes."""
    recipe = recipes.load(name)
    train = {"steps": steps, "save_minutes": 60.0, "tensorboard": False, **train}
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **train))
    torch.manual_seed(recipe.train.seed)
    system = SYSTEMS[recipe.system](recipe.model)
    return system, recipe, Batches(Boxes(), np.arange(29), recipe, system, part)
