"""Sliced Wasserstein distance between patches of a Laplacian pyramid (Karras et al., ICLR 2018, section 5).

Every level of the pyramid is a band of detail. The distance is small where the patches of two sets of images are alike
in that band, in looks and in variety. The paper has 2^14 images of each set; with few, compare only distances that were
made with equally many images.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

PATCH = 7
"""Pixels a side of a patch."""
PATCHES = 128
"""Patches of each image and level."""
DIRECTIONS = 512
"""Directions on which patches are projected: 4 times 128."""
COARSEST = 16
"""Levels are added while the shorter side keeps this many pixels, as in the paper."""

Level = Float[np.ndarray, "_ _"] | Float[np.ndarray, "_ _ 3"]
"""One image, or one level of its pyramid."""
Patches = Float32[np.ndarray, "_ _ _ 49"]
"""The patches of one level of a set: images, patches of each, channels, 7 x 7 pixels."""


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of each level of an image's pyramid, the finest first."""
    sizes = [(height, width)]
    while min((side + 1) // 2 for side in sizes[-1]) >= COARSEST:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


def laplacian(image: Level) -> list[Level]:
    """The levels of an image, the finest first (Burt, Adelson 1983; filter 1 4 6 4 1).

    Each level is the image at its size less the next smaller one, enlarged; the last is the smallest image itself.
    Sides may be odd.
    """
    levels, sizes = [], level_sizes(*image.shape[:2])
    for height, width in sizes[1:]:
        smaller = cv2.pyrDown(image, dstsize=(width, height))
        levels.append(image - cv2.pyrUp(smaller, dstsize=image.shape[1::-1]))
        image = smaller
    return [*levels, image]


def rebuild(levels: Sequence[Level]) -> Level:
    """The image that the levels were made of: the inverse of `laplacian`."""
    image = levels[-1]
    for level in levels[-2::-1]:
        image = level + cv2.pyrUp(image, dstsize=level.shape[1::-1])
    return image


def patches(
    images: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"], seed: int = 0, count: int = PATCHES
) -> list[Patches]:
    """Random patches of every level, the finest first.

    Where the patches of an image lie depends on the seed and on the image's row alone: the same set gives the same
    patches.

    Args:
        images: 0 to 255, sides of 8 pixels or more.
        seed: Of the places.
        count: Patches of each image and level.
    """
    sizes = level_sizes(*images.shape[1:3])
    channels = images.shape[3] if images.ndim == 4 else 1
    found = [np.empty((len(images), count, channels, PATCH**2), np.float32) for _ in sizes]
    for row, image in enumerate(images):
        rng = np.random.default_rng([seed, row])
        for level, into in zip(laplacian(image.astype(np.float32)), found, strict=True):
            level = level.reshape(*level.shape[:2], channels)
            views = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(0, 1))  # [h, w, C, 7, 7]
            rows, columns = rng.integers(views.shape[:2], size=(count, 2)).T
            into[row] = views[rows, columns].reshape(count, channels, PATCH**2)
    return found


def normalised(found: Float[np.ndarray, "n p c pixels"]) -> Float32[np.ndarray, "rows values"]:
    """The patches of one level of a set as rows, each channel scaled to mean 0 and deviation 1 over the set.

    A channel that is the same everywhere becomes 0. One row holds all channels of one patch.
    """
    rows = found.reshape(-1, *found.shape[2:]).astype(np.float32)  # [n p, c, pixels]
    rows = rows - rows.mean(axis=(0, 2), keepdims=True)
    rows /= np.maximum(rows.std(axis=(0, 2), keepdims=True), 1e-6)
    return rows.reshape(len(rows), -1)


def sliced_wasserstein(
    a: Float32[np.ndarray, "_ _"], b: Float32[np.ndarray, "_ _"], seed: int = 0, directions: int = DIRECTIONS
) -> float:
    """Mean Wasserstein-1 distance of two sets of vectors, projected on random directions (Rabin et al. 2011).

    In one dimension the distance is the mean difference of the sorted values, so both sets need equally many vectors.

    Args:
        a: One vector a row.
        b: The other set, of the same shape.
        seed: Of the directions.
        directions: How many.

    Raises:
        ValueError: For sets of different shape.
    """
    if a.shape != b.shape:
        raise ValueError(f"both sets need as many rows of one length, got {a.shape} and {b.shape}")
    lines = np.random.default_rng(seed).normal(size=(directions, a.shape[1])).astype(np.float32)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    total = 0.0
    for part in np.array_split(lines, max(1, directions // 128)):
        along_a, along_b = np.sort(part @ a.T, axis=1), np.sort(part @ b.T, axis=1)  # [128, rows]
        total += float(np.abs(along_a - along_b).mean(axis=1, dtype=np.float64).sum())
    return total / directions


def level_distances(a: Sequence[Patches], b: Sequence[Patches], seed: int = 0) -> Float64[np.ndarray, " levels"]:
    """The sliced Wasserstein distance, times 1000, at each level of two sets of equally many images.

    Args:
        a: What `patches` gives of one set.
        b: The same of the other set.
        seed: Of the directions.
    """
    return np.array([1000 * sliced_wasserstein(normalised(x), normalised(y), seed) for x, y in zip(a, b, strict=True)])
