"""The real training image that each image is nearest to: whether a generator copies what it was shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from maquette.datasets.images.compare import SAME_BITS, SAME_CORRELATION, standardised
from maquette.datasets.images.measure import perceptual_hash, to_grey

SIDE_PX = 64
"""Longest side of the small copies that are compared."""


@dataclass(frozen=True)
class Small:
    """Small grey copies of a set of images, and their hashes."""

    pixels: np.ndarray
    """float64 [n, P], whole grey levels."""
    bits: np.ndarray
    """float32 [n, 256] of -1 and 1: the perceptual hash."""
    mirrored: np.ndarray
    """float64 [n, P]: the pixels of the mirror images."""

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True)
class Nearest:
    """The nearest of a set of images to each of another, a mirror image being as near as the image itself.

    Attributes:
        levels: Root mean square difference in grey levels, `[n]`, and the row of that nearest image.
        by_levels: See `levels`.
        correlation: The largest correlation, which brightness and contrast do not change, and its row; of what is left
            when the mean image is taken out.
        by_correlation: See `correlation`.
        mirrored: Whether that one is nearer as a mirror image.
        copy: Whether it passes for a copy of some image by the rule of `maquette data audit` (hash and correlation),
            which finds no mirror images.
    """

    levels: np.ndarray
    by_levels: np.ndarray
    correlation: np.ndarray
    by_correlation: np.ndarray
    mirrored: np.ndarray
    copy: np.ndarray

    def moved(self, by: int) -> "Nearest":
        """The same where the rows are counted from further on."""
        return replace(self, by_levels=self.by_levels + by, by_correlation=self.by_correlation + by)

    def or_nearer(self, other: "Nearest") -> "Nearest":
        """Of each image the nearer of two neighbours, this one where they are as near."""
        first, alike = other.levels < self.levels, other.correlation > self.correlation
        return Nearest(
            np.where(first, other.levels, self.levels), np.where(first, other.by_levels, self.by_levels),
            np.where(alike, other.correlation, self.correlation),
            np.where(alike, other.by_correlation, self.by_correlation),
            np.where(alike, other.mirrored, self.mirrored), self.copy | other.copy,
        )


def small(images: np.ndarray) -> Small:
    """Copies with a longest side of 64 pixels. images: uint8 `[n, H, W]` or `[n, H, W, 3]`."""
    height, width = images.shape[1:3]
    scale = min(1.0, SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    greys = [to_grey(image) for image in images]
    copies = np.stack([cv2.resize(grey, size, interpolation=cv2.INTER_AREA) for grey in greys]).astype(np.float64)
    hashes = np.stack([np.frombuffer(perceptual_hash(grey), np.uint8) for grey in greys])
    bits = np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1
    flat = (len(images), -1)
    return Small(copies.reshape(flat), bits, np.ascontiguousarray(copies[..., ::-1]).reshape(flat))


def middle(parts: Sequence[Small]) -> np.ndarray:
    """The mean of images, each of mean 0 and length 1, `[P]`."""
    return sum(standardised(part.pixels).sum(0, dtype=np.float64) for part in parts) / sum(map(len, parts))


def nearest(asked: Small, known: Small, mean: np.ndarray | float = 0.0) -> Nearest:
    """The nearest of `known` to each of `asked`.

    Args:
        mean: Of all known images, from `middle`, which is taken out before correlations: a blurred image that is like
            the mean is like every image, and no copy.
    """
    count, length = asked.pixels.shape
    plain, every = standardised(asked.pixels), np.arange(count)
    own = standardised(plain - mean)
    different = (asked.bits.shape[1] - asked.bits @ known.bits.T) / 2  # bits of the hashes
    copy = (different <= SAME_BITS) & (plain @ standardised(known.pixels).T >= SAME_CORRELATION)
    of_levels, of_correlation = [], []
    for pixels in (known.pixels, known.mirrored):
        squares = (asked.pixels**2).sum(1)[:, None] + (pixels**2).sum(1)[None] - 2 * asked.pixels @ pixels.T
        of_levels.append(np.sqrt(np.maximum(squares, 0) / length))  # whole numbers below 2^53: exact
        of_correlation.append(np.clip(own @ standardised(standardised(pixels) - mean).T, -1, 1))
    levels, correlation = np.minimum(*of_levels), np.maximum(*of_correlation)
    by_levels, by_correlation = levels.argmin(1), correlation.argmax(1)
    mirrored = of_correlation[1][every, by_correlation] > of_correlation[0][every, by_correlation]
    return Nearest(levels[every, by_levels], by_levels, correlation[every, by_correlation], by_correlation, mirrored,
                   copy.any(1))


def nearer(asked: np.ndarray, unseen: np.ndarray) -> float:
    """How often an image is nearer to the training images than an unseen real one is, ties counting half.

    Args:
        asked: Distances `[n]` and `[m]`. 0.5: as near as unseen real images; 1: always nearer, as copies are.
        unseen: See `asked`.
    """
    below = (asked[:, None] < unseen[None]).mean()
    return float(below + (asked[:, None] == unseen[None]).mean() / 2)
