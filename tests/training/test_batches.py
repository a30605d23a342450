"""Where a view was taken from stays true while the view is varied."""

import dataclasses

import numpy as np
import torch

from maquette import recipe as recipes
from maquette.capabilities import Reads
from maquette.datasets.opened import OpenedData
from maquette.nets.pixel_aligned import project
from maquette.rendering.camera import Camera
from maquette.systems.base import System
from maquette.training.batches import Batches

VOXEL = (13, 6, 11)  # of 20 a side, off every middle


class Dots(OpenedData):
    """One voxel, seen as a bright dot by a camera that is different in every view."""

    views_per_shape = 8
    labels = np.zeros(40, int)

    def __init__(self):
        """Nothing is opened."""

    def voxels(self, rows):
        grids = np.zeros((len(rows), 20, 20, 20), bool)
        grids[(slice(None), *VOXEL)] = True
        return grids

    def camera(self, row, view):
        rng = np.random.default_rng([row, view])
        shift = tuple(rng.uniform(-0.05, 0.05, 2))
        return Camera(rng.uniform(0, 360), rng.uniform(-10, 45), rng.uniform(25, 60), 96, rng.normal(0, 3), 1.2, shift)

    def cameras(self, rows, which):
        table = [self.camera(row, view) for row, view in zip(rows, which, strict=True)]
        return np.array([[c.azimuth_deg, c.elevation_deg, c.fov_deg, c.roll_deg, c.zoom, *c.shift] for c in table],
                        np.float32)

    def views(self, rows, which):
        point = (np.array([VOXEL]) + 0.5) / 20 - 0.5
        pixels = np.full((len(rows), 96, 96), 20, np.uint8)
        at = np.arange(96) + 0.5
        for image, row, view in zip(pixels, rows, which, strict=True):
            right, down, _ = self.camera(row, view).project(point)[0]
            near = np.exp(-((at[None] - right) ** 2 + (at[:, None] - down) ** 2) / 8)
            image += (230 * near).astype(np.uint8)
        return pixels


class Posed(System):
    reads = Reads.VIEWS

    def __init__(self):
        """No networks."""

    def needs_poses(self):
        return True


def test_poses_follow_the_mirror_and_the_jitter_of_their_views():
    recipe = recipes.load("vae-iwgan-image-tiny")
    recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, batch=40))
    batch = Batches(Dots(), np.arange(40), recipe, Posed()).at(3)
    mirrored = 0
    distances = []
    for image, grid, pose in zip(batch.images, batch.voxels, batch.poses, strict=True):
        voxel = grid[0].nonzero()[0]
        mirrored += int(voxel[0] != VOXEL[0])
        assert voxel.tolist() in ([*VOXEL], [19 - VOXEL[0], *VOXEL[1:]])
        seen = (project(((voxel + 0.5) / 20 - 0.5)[None], pose[None])[0, 0, :2] + 1) * 48
        weights = (image[0] - image[0].median()).clamp(min=0) ** 4  # the dot, not the noise
        at = torch.arange(96) + 0.5
        dot = torch.stack([(weights.sum(0) * at).sum(), (weights.sum(1) * at).sum()]) / weights.sum()
        distances.append(float((dot - seen).norm()))
    assert 8 < mirrored < 32
    assert np.median(distances) < 0.5, "pixels; a patch may lie over a few of the dots"
    whole = Batches(Dots(), np.arange(40), recipe, Posed()).at(3).poses
    halves = [Batches(Dots(), np.arange(40), recipe, Posed(), (part, 2)).at(3).poses for part in (0, 1)]
    assert torch.equal(whole, torch.cat(halves))
