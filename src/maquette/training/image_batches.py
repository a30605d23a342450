"""Training batches of images, for a system that makes them."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from maquette.datasets.images import OpenedImages
from maquette.models.pixels import from_pixels
from maquette.recipe import Recipe
from maquette.systems.base import Batch, System
from maquette.training.batches import SeededBatches

BACKGROUNDS_CHECKED = 64
"""Images whose backgrounds are compared."""
SAME_COLOUR = 6
"""Levels of 255 up to which backgrounds count as one colour."""
Images = Float[Tensor, "batch channel height width"]
"""Images in [-1, 1]."""
Colours = Float[Tensor, "batch channel 1 1"]
"""A colour in [-1, 1] for each image."""


class ImageBatches(SeededBatches):
    """Training batches of a dataset of images.

    Args:
        data: The images, and their masks where backgrounds are to change.
        indices: The rows that belong to training.
        held_out: The rows that are not learned from; some systems want a batch of them on some steps.
        recipe: The batch's size, and whether images are mirrored.
        system: Which steps want held-out images.
        part: (which, of how many) processes this one is; see `SeededBatches`.
    """

    def __init__(
        self, data: OpenedImages, indices: Int[np.ndarray, " n"], held_out: Int[np.ndarray, " m"], recipe: Recipe,
        system: System, part: tuple[int, int] = (0, 1),
    ):
        super().__init__(indices, recipe, part)
        self.data = data
        self.held_out, self.wants_held_out = np.asarray(held_out), system.wants_held_out
        self.background = one_background(data) if wants_random_backgrounds(recipe) and data.info.masks else None

    def at(self, step: int) -> Batch:
        """This process's part of the batch of this absolute step, on the CPU."""
        seed = self.recipe.train.seed
        rng = np.random.default_rng([seed, 2, step])
        rows = self.rows(step)
        count, own = len(rows), self.own(len(rows))
        noise_seed = int(rng.integers(2**62))
        images = self._read(rows[own], rng.random(count)[own], self._colours(rng, count, own))
        held_out = None
        if self.wants_held_out(step):
            chosen = rng.choice(self.held_out, count)[own]
            held_out = self._read(chosen, rng.random(count)[own], self._colours(rng, count, own))
        return Batch(None, images, noise_seed, part=self.part, held_out=held_out, run=seed,
                     processes=self.part[1])

    def _colours(self, rng: np.random.Generator, count: int, own: slice) -> Colours | None:
        """Backgrounds in place of the images' own; None where they stay."""
        if self.background is None:
            return None
        return torch.from_numpy(2 * rng.random((count, self.data.channels, 1, 1), np.float32) - 1)[own]

    def _read(
        self, rows: Int[np.ndarray, " batch"], draws: Float[np.ndarray, " batch"], colours: Colours | None
    ) -> Images:
        """Images of these rows.

        Args:
            rows: Rows of the dataset.
            draws: In [0, 1); with `data.flip` an image whose number is below a half is mirrored left to right.
            colours: Of the backgrounds, on which the objects are laid by their masks; None: the images' own.
        """
        images = from_pixels(self.data.pixels(rows))
        if colours is not None and self.background is not None:
            uncovered = 1 - torch.from_numpy(self.data.masks(rows)).float().div(255)[:, None]
            images = images + uncovered * (colours - self.background)
        if not self.recipe.data.flip:
            return images
        return torch.where(torch.from_numpy(draws < 0.5).view(-1, 1, 1, 1), images.flip(3), images)


def wants_random_backgrounds(recipe: Recipe) -> bool:
    """Whether the model draws its objects on plain backgrounds of any colour."""
    return bool(recipe.model.random_backgrounds())


def one_background(data: OpenedImages) -> Float[Tensor, "channel 1 1"] | None:
    """The colour in [-1, 1] that all images have as background; None where it differs.

    It is the median of the pixels along the images' edges, over up to BACKGROUNDS_CHECKED images.
    """
    rows = np.unique(np.linspace(0, len(data) - 1, BACKGROUNDS_CHECKED).astype(int))
    pixels = data.pixels(rows).reshape(len(rows), data.height, data.width, data.channels)
    edges = np.concatenate([pixels[:, [0, -1]].reshape(len(rows), -1, data.channels),
                           pixels[:, :, [0, -1]].reshape(len(rows), -1, data.channels)], 1)
    colours = np.median(edges, axis=1)  # [n, C]
    usual = np.median(colours, axis=0)
    if np.mean(np.abs(colours - usual).max(axis=1) <= SAME_COLOUR) < 0.9:
        return None
    return torch.from_numpy(usual).float().div(127.5).sub(1).view(-1, 1, 1)
