"""Sliced Wasserstein distance between patches of a Laplacian pyramid (Karras et al., ICLR 2018, section 5).

Every level of the pyramid is a band of detail. The distance is small where the patches of two sets of images are alike
in that band, in looks and in variety. The paper has 2^14 images of each set; with few, compare only distances that were
made with as many images.
"""

from collections.abc import Sequence

import cv2
import numpy as np

PATCH = 7
"""Pixels a side of a patch."""
PATCHES = 128
"""Patches of each image and level."""
DIRECTIONS = 512
"""Directions on which patches are projected: 4 times 128."""
COARSEST = 16
"""Levels are added while the shorter side keeps so many pixels, as in the paper."""


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of each level, the finest first; the last is what is left of the image."""
    sizes = [(height, width)]
    while min((side + 1) // 2 for side in sizes[-1]) >= COARSEST:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


def laplacian(image: np.ndarray) -> list[np.ndarray]:
    """The levels of an image, float [H, W] or [H, W, 3] (Burt, Adelson 1983; filter 1 4 6 4 1): each what the next one,
    enlarged, lacks; the last is the image at that size. Any sizes, odd ones too.
    """
    levels, sizes = [], level_sizes(*image.shape[:2])
    for size in sizes[1:]:
        smaller = cv2.pyrDown(image, dstsize=size[::-1])
        levels.append(image - cv2.pyrUp(smaller, dstsize=image.shape[1::-1]))
        image = smaller
    return [*levels, image]


def rebuild(levels: Sequence[np.ndarray]) -> np.ndarray:
    """The image of its levels: `laplacian` undone."""
    image = levels[-1]
    for level in levels[-2::-1]:
        image = level + cv2.pyrUp(image, dstsize=level.shape[1::-1])
    return image


def patches(images: np.ndarray, seed: int = 0, count: int = PATCHES) -> list[np.ndarray]:
    """Random patches of every level: float32 `[n, count, C, 49]` a level.

    Args:
        images: Uint8 `[n, H, W]` or `[n, H, W, 3]`, sides of 8 pixels or more. Where the patches of an image lie is a
            function of the seed and the image's place in the set: the same set twice gives the same patches.
    """
    sizes = level_sizes(*images.shape[1:3])
    channels = images.shape[3] if images.ndim == 4 else 1
    found = [np.empty((len(images), count, channels, PATCH**2), np.float32) for _ in sizes]
    for place, image in enumerate(images):
        rng = np.random.default_rng([seed, place])
        for level, into in zip(laplacian(image.astype(np.float32)), found, strict=True):
            level = level.reshape(*level.shape[:2], channels)
            views = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), axis=(0, 1))  # [h, w, C, 7, 7]
            rows, columns = rng.integers(views.shape[:2], size=(count, 2)).T
            into[place] = views[rows, columns].reshape(count, channels, PATCH**2)
    return found


def normalised(found: np.ndarray) -> np.ndarray:
    """The patches of one level of a set `[n, P, C, 49]` as rows `[n P, C 49]`, each channel of mean 0 and deviation 1
    over the set. A channel that is the same everywhere becomes 0.
    """
    rows = found.reshape(-1, *found.shape[2:]).astype(np.float32)  # [n P, C, 49]
    rows = rows - rows.mean(axis=(0, 2), keepdims=True)
    rows /= np.maximum(rows.std(axis=(0, 2), keepdims=True), 1e-6)
    return rows.reshape(len(rows), -1)


def sliced_wasserstein(a: np.ndarray, b: np.ndarray, seed: int = 0, directions: int = DIRECTIONS) -> float:
    """Mean Wasserstein-1 distance of two sets of rows `[M, F]`, projected on random directions (Rabin et al. 2011).

    In one dimension the distance is the mean difference of the sorted values, so both sets need equally many rows.
    """
    if a.shape != b.shape:
        raise ValueError(f"both sets need as many rows of one length, got {a.shape} and {b.shape}")
    lines = np.random.default_rng(seed).normal(size=(directions, a.shape[1])).astype(np.float32)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    total = 0.0
    for part in np.array_split(lines, max(1, directions // 128)):
        along_a, along_b = np.sort(part @ a.T, axis=1), np.sort(part @ b.T, axis=1)  # [128, M]
        total += float(np.abs(along_a - along_b).mean(axis=1, dtype=np.float64).sum())
    return total / directions


def distance(a: Sequence[np.ndarray], b: Sequence[np.ndarray], seed: int = 0) -> np.ndarray:
    """The sliced Wasserstein distance, times 1000, at each level of two sets of as many images; a, b: of `patches`."""
    return np.array([1000 * sliced_wasserstein(normalised(x), normalised(y), seed) for x, y in zip(a, b, strict=True)])
