"""Measures of generators of views of objects, in addition to those of every set of images.

Distances of sets of images in the features of a model's encoder; the change of colours with the appearance code; and
what true shapes score beside each other, which perfect generated meshes could match.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.evaluation.feature_distances import frechet_distance
from maquette.evaluation.images.sets import ImageSet
from maquette.evaluation.shapes.point_clouds import (
    Cloud,
    coverage,
    minimum_matching_distance,
    one_nearest_neighbour_accuracy,
    pairwise_distances,
)
from maquette.intake.line_art import to_grey
from maquette.models.hub import Model
from maquette.models.prior import encode
from maquette.types import Pixels

TURNS = 24
"""Turns about the up axis that are tried to bring generated shapes to the true shapes' front."""
_POINTS, _SHAPES = 256, 12  # points of a cloud and clouds of each set, for finding that turn


def encoder_features(model: Model, images: ImageSet, batch: int = 64) -> Float64[np.ndarray, "n latent"]:
    """What the encoder of a model extracts from images: the mean of its posterior.

    Args:
        model: A model that reads pictures.
        images: 0 to 255, any size; whole images are resized to the model's size without a crop, and turned grey where
            the model reads grey.
        batch: Images at once.

    Raises:
        UserError: For a model that reads no pictures.
    """
    if model.system.reads is not Reads.VIEWS:
        raise UserError(f"model '{model.name}' does not read pictures, so it has no features of them")
    config, found = model.system.config, []
    for start in range(0, len(images), batch):
        part = [_network_input(image, config.view_size, config.image_channels)
                for image in images[start : start + batch]]
        found.append(encode(model, np.stack(part)).astype(np.float64))
    return np.concatenate(found)


def _network_input(image: Pixels, side: int, channels: int) -> Float32[np.ndarray, "channels side side"]:
    """An image as a network reads it, in [0, 1]."""
    colour = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    smaller = side <= min(colour.shape[:2])
    colour = cv2.resize(colour, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    planes = to_grey(colour)[None] if channels == 1 else np.moveaxis(colour, -1, 0)
    return np.ascontiguousarray(planes, np.float32) / 255


def frechet_repeats(
    a: Float[np.ndarray, "n features"], b: Float[np.ndarray, "m features"], size: int, repeats: int, seed: int = 0
) -> list[float]:
    """Fréchet distances of random subsets of two sets of features.

    A distance shrinks with the number of images, so only distances between subsets of one size can be compared.

    Args:
        a: One set, a row an image.
        b: The other set.
        size: Rows of each subset.
        repeats: How many pairs of subsets.
        seed: Of the subsets.
    """
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        rows = [rng.permutation(len(features))[:size] for features in (a, b)]
        found.append(frechet_distance(a[rows[0]], b[rows[1]]))
    return found


def spread(features: Float[np.ndarray, "n features"]) -> float:
    """How much a set varies: the root of the summed variances of its features; 0 for a single one."""
    return float(np.sqrt(np.var(features, axis=0, ddof=1).sum())) if len(features) > 1 else 0.0


def colour_change(
    images: UInt8[np.ndarray, "rows n h w"] | UInt8[np.ndarray, "rows n h w 3"], masks: Bool[np.ndarray, "rows n h w"]
) -> float:
    """How much colours differ between the pictures of a row, in levels of 255.

    Args:
        images: Rows of pictures that are compared with each other.
        masks: The pixels that belong to the object.

    Returns:
        The mean absolute difference over the pairs of each row, and over the channels of the pixels that belong to the
        object in both pictures; nan where no pair has such pixels.
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
class SplitHalfScores:
    """One half of the true shapes, measured as if it were generated, beside the other half."""

    shapes: int
    """Shapes of each half."""
    coverage: float
    minimum_matching_distance: float
    one_nearest_neighbour: float
    """The 1-NN accuracy; 0.5 is best."""


def split_half_scores(true_points: Float[np.ndarray, "n points 3"]) -> SplitHalfScores | None:
    """What true shapes would score: every second one beside the others; None for fewer than 4 shapes."""
    count = len(true_points) // 2
    if count < 2:
        return None
    one, other = list(true_points[0 : 2 * count : 2]), list(true_points[1 : 2 * count : 2])
    across = pairwise_distances(one, other)
    return SplitHalfScores(count, coverage(across), minimum_matching_distance(across), one_nearest_neighbour_accuracy(
        pairwise_distances(one, one), across, pairwise_distances(other, other)))


def best_rotation_deg(generated: Sequence[Cloud], true: Sequence[Cloud], turns: int = TURNS) -> float:
    """The angle about z by which generated shapes come nearest to true ones, by the minimum matching distance.

    A generator that was never given a camera knows no front: all its shapes may be rotated alike. A few points of a few
    clouds decide.

    Args:
        generated: Points of the generated shapes.
        true: Points of the true shapes.
        turns: How many angles are tried, evenly all round.

    Returns:
        Degrees; the smallest of equally good angles.
    """
    few, targets = ([np.asarray(cloud)[:_POINTS] for cloud in clouds[:_SHAPES]] for clouds in (generated, true))
    angles = 360 / turns * np.arange(turns)
    costs = [minimum_matching_distance(pairwise_distances([rotated_about_z(cloud, float(angle)) for cloud in few],
                                                          targets)) for angle in angles]
    return float(angles[int(np.argmin(costs))])


def rotated_about_z(points: Float[np.ndarray, "n 3"], angle_deg: float) -> Float[np.ndarray, "n 3"]:
    """Points rotated about z, counter-clockwise seen from above."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.asarray(points) @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
