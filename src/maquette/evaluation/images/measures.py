"""What is measured on sets of images, each number from equally many images of both sets, over random subsets.

A distance between few images is larger than between many even where both sets are of one kind, and FID is known for it
(Bińkowski et al. 2018; Chong, Forsyth 2020). So no number here is compared with one that was made with another number
of images, and each comes with its spread over random subsets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from maquette.evaluation.feature_distances import frechet_distance, kernel_distance
from maquette.evaluation.images import features as inception
from maquette.evaluation.images import pyramid, spectrum
from maquette.evaluation.images.features import FeatureNetwork
from maquette.evaluation.images.nearest import (
    NearestImages,
    Thumbnails,
    chance_nearer,
    mean_thumbnail,
    nearest_images,
)
from maquette.evaluation.images.pyramid import Patches
from maquette.evaluation.images.sets import ImageSet
from maquette.evaluation.images.ssim import mean_ms_ssim

SLICED, FID, KID, SPECTRUM = "SWD x1000", "FID", "KID x1000", "spectrum, dB"
SLICED_LEVEL = "SWD, "
"""Stands before the size of a level."""
MS_SSIM = "MS-SSIM"
LEVELS, CORRELATION = "nearest, levels", "nearest, corr."
NEARER, COPIES = "nearer than new", "pass for copies"
"""Short names, so that the table fits into a terminal; docs/evaluate-images.md explains each."""
CURVES = (SLICED, FID, KID, SPECTRUM)
"""The measures that are drawn against the number of real images."""
Repeats = dict[str, list[float]]
"""Measure to its value for each random subset."""


@dataclass(frozen=True)
class ImageFeatures:
    """What the distances need of a set of n images."""

    patches: tuple[Patches, ...]
    """From `pyramid.patches`, one array a level."""
    spectra: Float64[np.ndarray, "n rings"]
    features: Float64[np.ndarray, "n features"] | None = None
    """Inception's features; None where no weights were given."""

    def __len__(self) -> int:
        return len(self.spectra)

    def rows(self, rows: Int[np.ndarray, " m"]) -> "ImageFeatures":
        """The features of some of the images."""
        features = None if self.features is None else self.features[rows]
        return ImageFeatures(tuple(level[rows] for level in self.patches), self.spectra[rows], features)

    def joined(self, other: "ImageFeatures") -> "ImageFeatures":
        """The features of this set's images, then of the other's."""
        both = None
        if self.features is not None and other.features is not None:
            both = np.concatenate([self.features, other.features])
        levels = tuple(np.concatenate(pair) for pair in zip(self.patches, other.patches, strict=True))
        return ImageFeatures(levels, np.concatenate([self.spectra, other.spectra]), both)


def extract_features(
    images: ImageSet, seed: int, network: FeatureNetwork | None = None
) -> Iterator[tuple[int, ImageFeatures | None]]:
    """Compute what the distances need of a set of images.

    Args:
        images: The set.
        seed: Of the places of the patches.
        network: Inception; None: its features are left out.

    Yields:
        (images done, None) as it goes, and (all images, their features) at the end.
    """
    levels, spectra = pyramid.patches(images, seed), spectrum.spectra(images)
    parts = []
    if network is not None:
        done = 0
        for part in inception.inception_features(network, images):
            parts.append(part)
            done += len(part)
            yield done, None
    yield len(images), ImageFeatures(tuple(levels), spectra, np.concatenate(parts) if parts else None)


def set_distances(
    a: ImageFeatures, b: ImageFeatures, seed: int, sizes: list[tuple[int, int]] | None = None
) -> dict[str, float]:
    """Every distance between two sets of equally many images, by measure.

    Args:
        a: One set.
        b: The other set.
        seed: Of the directions of the sliced Wasserstein distance.
        sizes: (height, width) of the pyramid's levels, to have the distance of each level too; None: only their mean.

    Raises:
        ValueError: For sets of different size.
    """
    if len(a) != len(b):
        raise ValueError(f"both sets must have as many images, got {len(a)} and {len(b)}")
    levels = pyramid.level_distances(a.patches, b.patches, seed)
    found = {}
    if sizes is not None:
        found = {f"{SLICED_LEVEL}{w}x{h}": float(level) for (h, w), level in zip(sizes, levels, strict=True)}
    found[SLICED] = float(levels.mean())
    if a.features is not None and b.features is not None:
        found[FID] = frechet_distance(a.features, b.features)
        found[KID] = 1000 * kernel_distance(a.features, b.features)
    found[SPECTRUM] = spectrum.distance_db(a.spectra, b.spectra)
    return found


def distances_to_held_out(
    features: ImageFeatures, held_out: ImageFeatures, size: int, repeats: int, seed: int,
    sizes: list[tuple[int, int]],
) -> Repeats:
    """The distances of random subsets of a set to equally many held-out images.

    Args:
        features: The set.
        held_out: All held-out images.
        size: Images of each subset.
        repeats: How many subsets.
        seed: Of the subsets.
        sizes: See `set_distances`.
    """
    found: Repeats = {}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        a, b = (side.rows(rng.permutation(len(side))[:size]) for side in (features, held_out))
        for name, value in set_distances(a, b, repeat, sizes).items():
            found.setdefault(name, []).append(value)
    return found


def curve_sizes(real: int, generated: int) -> list[int]:
    """Numbers of images for the curve: 10, 20, 40, ... up to 320, as far as the images go.

    Where fewer than 10 images can be compared, that number alone.
    """
    most = max(real // 2, min(real, generated))
    return [count for count in (10 * 2**k for k in range(6)) if count <= most] or [most]


def distance_curve(
    columns: Mapping[str, ImageFeatures], real: ImageFeatures, repeats: int, seed: int
) -> Iterator[tuple[int, str, Repeats]]:
    """Distances of n random images of each set to n real ones, for each n of `curve_sizes`.

    The column `real` compares real images with other real ones, so it ends at half of them. Every other column ends
    where it has fewer than n images.

    Args:
        columns: The sets but the real one, by name.
        real: All real images.
        repeats: Random subsets for each n.
        seed: Of the subsets.

    Yields:
        (n, name of the column, distances of each subset).
    """
    for count in curve_sizes(len(real), max(map(len, columns.values()))):
        for name in (*columns, "real"):
            if (2 * count > len(real)) if name == "real" else (count > len(columns[name])):
                continue
            values: Repeats = {}
            for repeat in range(repeats):
                rng = np.random.default_rng([seed, count, repeat])
                rows = rng.permutation(len(real))
                if name == "real":
                    other = real.rows(rows[count : 2 * count])
                else:
                    other = columns[name].rows(rng.permutation(len(columns[name]))[:count])
                for measure, value in set_distances(other, real.rows(rows[:count]), repeat).items():
                    values.setdefault(measure, []).append(value)
            yield count, name, values


def ms_ssim_repeats(images: ImageSet, size: int, repeats: int, pairs: int, seed: int) -> list[float]:
    """Mean MS-SSIM between the images of random subsets.

    Args:
        images: The set.
        size: Images of each subset.
        repeats: How many subsets.
        pairs: Pairs of each subset.
        seed: Of the subsets and pairs.
    """
    found = []
    for repeat in range(repeats):
        rows = np.random.default_rng([seed, repeat]).permutation(len(images))[:size]
        found.append(mean_ms_ssim(images[rows], pairs, repeat))
    return found


def nearest_measures(found: NearestImages, unseen: NearestImages, size: int, repeats: int, seed: int) -> Repeats:
    """What the nearest training images say of a set: how near they are, and how many images pass for copies.

    Args:
        found: The nearest training image of each image of the set.
        unseen: The same of the held-out real images.
        size: Images of each subset, for the means.
        repeats: How many subsets; one of all images where the set has no more than `size`.
        seed: Of the subsets.
    """
    count = len(found.levels)
    subsets = [np.random.default_rng([seed, repeat]).permutation(count)[:size]
               for repeat in range(repeats if size < count else 1)]
    return {
        LEVELS: [float(found.levels[rows].mean()) for rows in subsets],
        CORRELATION: [float(found.correlation[rows].mean()) for rows in subsets],
        NEARER: [chance_nearer(1 - found.correlation, 1 - unseen.correlation)],
        COPIES: [float(found.copy.mean())],
    }


def nearest_training_images(
    sets: Mapping[str, Thumbnails], training: Sequence[Thumbnails]
) -> dict[str, NearestImages]:
    """The nearest training image of every image of several sets; training: all training images, in parts."""
    mean, start = mean_thumbnail(training), 0
    found: dict[str, NearestImages] = {}
    for part in training:
        for name, asked in sets.items():
            here = nearest_images(asked, part, mean).offset(start)
            found[name] = found[name].merged(here) if name in found else here
        start += len(part)
    return found
