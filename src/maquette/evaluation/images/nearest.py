"""The real training image that each image is nearest to: whether a generator copies what it was shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int, UInt8

from maquette.datasets.images.compare import SAME_BITS, SAME_CORRELATION, standardised
from maquette.datasets.images.measure import perceptual_hash, to_grey

SIDE_PX = 64
"""Longest side of the thumbnails that are compared."""


@dataclass(frozen=True)
class Thumbnails:
    """Small grey copies of a set of images, and their hashes."""

    pixels: Float64[np.ndarray, "n pixels"]
    """Whole grey levels, 0 to 255."""
    bits: Float32[np.ndarray, "n 256"]
    """-1 and 1: the perceptual hash."""
    mirrored: Float64[np.ndarray, "n pixels"]
    """The pixels of the mirror images (left and right swapped)."""

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True)
class NearestImages:
    """The nearest of a set of images to each of another; a mirror image counts as much as the image itself."""

    levels: Float[np.ndarray, " n"]
    """The smallest root mean square difference, in grey levels."""
    by_levels: Int[np.ndarray, " n"]
    """The row of the image with that difference."""
    correlation: Float[np.ndarray, " n"]
    """The largest correlation of what is left without the mean image; brightness and contrast do not change it."""
    by_correlation: Int[np.ndarray, " n"]
    """The row of the image with that correlation."""
    mirrored: Bool[np.ndarray, " n"]
    """Whether that image is nearer as a mirror image."""
    copy: Bool[np.ndarray, " n"]
    """Whether the image passes for a copy of any by the rule of `maquette data audit` (hash and correlation), which
    finds no mirror images."""

    def offset(self, first: int) -> "NearestImages":
        """The same where the set's first row has another number."""
        return replace(self, by_levels=self.by_levels + first, by_correlation=self.by_correlation + first)

    def merged(self, other: "NearestImages") -> "NearestImages":
        """The nearer one of two sets' nearest images, this set's where both are equally near."""
        nearer, more_alike = other.levels < self.levels, other.correlation > self.correlation
        return NearestImages(
            np.where(nearer, other.levels, self.levels), np.where(nearer, other.by_levels, self.by_levels),
            np.where(more_alike, other.correlation, self.correlation),
            np.where(more_alike, other.by_correlation, self.by_correlation),
            np.where(more_alike, other.mirrored, self.mirrored), self.copy | other.copy,
        )


def thumbnails(images: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]) -> Thumbnails:
    """Grey copies with a longest side of 64 pixels, or of the images' own size where that is smaller."""
    height, width = images.shape[1:3]
    scale = min(1.0, SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    greys = [to_grey(image) for image in images]
    copies = np.stack([cv2.resize(grey, size, interpolation=cv2.INTER_AREA) for grey in greys]).astype(np.float64)
    hashes = np.stack([np.frombuffer(perceptual_hash(grey), np.uint8) for grey in greys])
    bits = np.unpackbits(hashes, axis=1).astype(np.float32) * 2 - 1
    flat = (len(images), -1)
    return Thumbnails(copies.reshape(flat), bits, np.ascontiguousarray(copies[..., ::-1]).reshape(flat))


def mean_thumbnail(parts: Sequence[Thumbnails]) -> Float64[np.ndarray, " pixels"]:
    """The mean of all thumbnails of a set, each standardised to mean 0 and length 1 first; parts: one or more."""
    sums = [standardised(part.pixels).sum(0, dtype=np.float64) for part in parts]
    return sum(sums[1:], start=sums[0]) / sum(map(len, parts))


def nearest_images(
    asked: Thumbnails, known: Thumbnails, mean: Float64[np.ndarray, " pixels"] | float = 0.0
) -> NearestImages:
    """The nearest of `known` to each of `asked`.

    Args:
        asked: The images that are looked up.
        known: The images among which the nearest is looked for.
        mean: The `mean_thumbnail` of all known images. It is subtracted before correlations: a blurred image that is
            like the mean is like every image, and is no copy.
    """
    count, length = asked.pixels.shape
    plain, every = standardised(asked.pixels), np.arange(count)
    own = standardised(plain - mean)
    different_bits = (asked.bits.shape[1] - asked.bits @ known.bits.T) / 2
    copy = (different_bits <= SAME_BITS) & (plain @ standardised(known.pixels).T >= SAME_CORRELATION)
    both_levels, both_correlations = [], []  # as they are, and mirrored
    for pixels in (known.pixels, known.mirrored):
        squares = (asked.pixels**2).sum(1)[:, None] + (pixels**2).sum(1)[None] - 2 * asked.pixels @ pixels.T
        both_levels.append(np.sqrt(np.maximum(squares, 0) / length))  # whole numbers below 2^53: exact
        both_correlations.append(np.clip(own @ standardised(standardised(pixels) - mean).T, -1, 1))
    levels, correlation = np.minimum(*both_levels), np.maximum(*both_correlations)
    by_levels, by_correlation = levels.argmin(1), correlation.argmax(1)
    mirrored = both_correlations[1][every, by_correlation] > both_correlations[0][every, by_correlation]
    return NearestImages(levels[every, by_levels], by_levels, correlation[every, by_correlation], by_correlation,
                         mirrored, copy.any(1))


def chance_nearer(asked: Float[np.ndarray, " n"], unseen: Float[np.ndarray, " m"]) -> float:
    """How often an image is nearer to the training images than an unseen real one is; ties count half.

    Args:
        asked: The distance of each image to its nearest training image.
        unseen: The same of real images that were not trained on.

    Returns:
        0.5: as near as unseen real images; 1: always nearer, as copies are.
    """
    below = (asked[:, None] < unseen[None]).mean()
    return float(below + (asked[:, None] == unseen[None]).mean() / 2)
