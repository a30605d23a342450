"""What is measured on generators of views of objects, beside what every set of images is measured by.

Distances of sets of images in the features of a model's encoder; whether the appearance code leaves the outline alone;
and true shapes beside each other, which is what generated meshes could hope for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.evaluation.shapes.generated import (
    coverage,
    distances,
    frechet,
    minimum_matching_distance,
    one_nearest_neighbour_accuracy,
)
from maquette.intake.line_art import to_grey
from maquette.models.hub import Model
from maquette.models.prior import encode
from maquette.systems.capabilities import Reads

TURNS = 24
"""Turns about the up axis that are tried to bring generated shapes to the true shapes' front."""
_POINTS, _SHAPES = 256, 12  # of a cloud, and clouds of each set, for finding that turn


def encoder_features(model: Model, images: np.ndarray, batch: int = 64) -> np.ndarray:
    """What a model that reads pictures takes out of images: the mean of its posterior, float64 `[n, latent]`.

    Args:
        images: Uint8 `[n, H, W]` or `[n, H, W, 3]`, any size; whole images are resized to the model's, without a crop,
            and turned grey where it reads grey.

    Raises:
        UserError: For a model that reads no pictures.
    """
    import torch

    if model.system.reads is not Reads.VIEWS:
        raise UserError(f"model '{model.name}' does not read pictures, so it has no features of them")
    config, found = model.system.config, []
    for start in range(0, len(images), batch):
        part = [_read(image, config.view_size, config.image_channels) for image in images[start : start + batch]]
        found.append(encode(model, torch.from_numpy(np.stack(part))).double().numpy())
    return np.concatenate(found)


def _read(image: np.ndarray, side: int, channels: int) -> np.ndarray:
    """An image as a network reads it: float32 `[channels, side, side]` in [0, 1]."""
    colour = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    smaller = side <= min(colour.shape[:2])
    colour = cv2.resize(colour, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    planes = to_grey(colour)[None] if channels == 1 else np.moveaxis(colour, -1, 0)
    return np.ascontiguousarray(planes, np.float32) / 255


def frechet_repeats(a: np.ndarray, b: np.ndarray, size: int, repeats: int, seed: int = 0) -> list[float]:
    """Fréchet distances of random subsets of `size` rows of two sets of features: a distance shrinks with the number
    of images, so only those of one size are compared.
    """
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        rows = [rng.permutation(len(features))[:size] for features in (a, b)]
        found.append(frechet(a[rows[0]], b[rows[1]]))
    return found


def spread(features: np.ndarray) -> float:
    """How much a set varies: the root of the summed variances of its features `[n, F]`."""
    return float(np.sqrt(np.var(features, axis=0, ddof=1).sum())) if len(features) > 1 else 0.0


def colour_change(images: np.ndarray, masks: np.ndarray) -> float:
    """How much colours differ between the pictures of a row, in levels of 255: the mean over the pairs of a row, and
    over the pixels that are the object's in both and their channels.

    Args:
        images: Uint8 `[rows, n, H, W]` or `[rows, n, H, W, 3]`.
        masks: Bool `[rows, n, H, W]`. nan where no pair has such pixels.
    """
    means = []
    for pictures, solid in zip(images.astype(np.float32), np.asarray(masks, bool), strict=True):
        for first in range(len(pictures)):
            for second in range(first + 1, len(pictures)):
                both = solid[first] & solid[second]
                if both.any():
                    means.append(np.abs(pictures[first] - pictures[second])[both].mean())
    return float(np.mean(means)) if means else float("nan")


@dataclass(frozen=True)
class Halves:
    """One half of the true shapes measured as if it were generated, beside the other half."""

    shapes: int
    coverage: float
    minimum_matching_distance: float
    one_nearest_neighbour: float


def halves(true_points: np.ndarray) -> Halves | None:
    """What true shapes, points `[n, N, 3]`, would score: every second of them beside the others. None for under 4."""
    count = len(true_points) // 2
    if count < 2:
        return None
    one, other = true_points[0 : 2 * count : 2], true_points[1 : 2 * count : 2]
    across = distances(one, other)
    return Halves(count, coverage(across), minimum_matching_distance(across),
                  one_nearest_neighbour_accuracy(distances(one, one), across, distances(other, other)))


def best_turn(made: Sequence[np.ndarray], true: Sequence[np.ndarray], turns: int = TURNS) -> float:
    """The angle in degrees about z by which made shapes are nearest to true ones, of `turns` around; 0 first.

    A generator that was never told a camera knows no front: all its shapes may be turned alike. By the minimum matching
    distance of a few clouds, `[N, 3]` each, of a few points.
    """
    few, targets = ([np.asarray(cloud)[:_POINTS] for cloud in clouds[:_SHAPES]] for clouds in (made, true))
    angles = 360 / turns * np.arange(turns)
    costs = [minimum_matching_distance(distances([turned(cloud, angle) for cloud in few], targets)) for angle in angles]
    return float(angles[int(np.argmin(costs))])


def turned(points: np.ndarray, angle_deg: float) -> np.ndarray:
    """Points `[N, 3]` turned about z, counter-clockwise seen from above."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.asarray(points) @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
