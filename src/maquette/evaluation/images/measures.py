"""What is measured on sets of images, each number from equally many images of both sets, again and again.

A distance between few images is larger than between many even where both sets are of one kind, and FID is known for it
(Bińkowski et al. 2018; Chong, Forsyth 2020). So no number here is compared with one that was made with another number
of images, and each comes with its spread over random subsets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maquette.evaluation.images import features as inception
from maquette.evaluation.images import pyramid, spectrum
from maquette.evaluation.images.nearest import Nearest, Small, middle, nearer, nearest
from maquette.evaluation.images.ssim import likeness
from maquette.evaluation.shapes.generated import frechet

SLICED, FID, KID, SPECTRUM = "SWD x1000", "FID", "KID x1000", "spectrum, dB"
OF_LEVEL = "SWD, "
ALIKE = "MS-SSIM"
LEVELS, CORRELATION = "nearest, levels", "nearest, corr."
NEARER, COPIES = "nearer than new", "pass for copies"
"""Short names, so that the table fits into a terminal; docs/evaluate-images.md tells of each."""
CURVES = (SLICED, FID, KID, SPECTRUM)
"""The measures that are drawn against the number of real images."""


@dataclass(frozen=True)
class ImageFeatures:
    """What the distances need of a set of images.

    Attributes:
        patches: Of `pyramid.patches`, a level each.
        spectra: `[n, K]`.
        features: Of Inception `[n, 2048]`, or None.
    """

    patches: tuple[np.ndarray, ...]
    spectra: np.ndarray
    features: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.spectra)

    def at(self, rows: np.ndarray) -> "ImageFeatures":
        """The same of some of the images."""
        of_network = None if self.features is None else self.features[rows]
        return ImageFeatures(tuple(level[rows] for level in self.patches), self.spectra[rows], of_network)

    def and_also(self, other: "ImageFeatures") -> "ImageFeatures":
        """The same of both sets together."""
        both = None if self.features is None else np.concatenate([self.features, other.features])
        levels = tuple(np.concatenate(pair) for pair in zip(self.patches, other.patches, strict=True))
        return ImageFeatures(levels, np.concatenate([self.spectra, other.spectra]), both)


def look(images: np.ndarray, seed: int, network: object = None) -> Iterator[tuple[int, ImageFeatures | None]]:
    """Yields (images done, None) as it goes and at the end (all, Seen)."""
    levels, spectra = pyramid.patches(images, seed), spectrum.spectra(images)
    found = []
    if network is not None:
        done = 0
        for part in inception.features(network, images):
            found.append(part)
            done += len(part)
            yield done, None
    yield len(images), ImageFeatures(tuple(levels), spectra, np.concatenate(found) if found else None)


def between(
    a: ImageFeatures, b: ImageFeatures, seed: int, sizes: list[tuple[int, int]] | None = None
) -> dict[str, float]:
    """Every distance of two sets of as many images. sizes: of the levels, (height, width); None: only their mean."""
    if len(a) != len(b):
        raise ValueError(f"both sets must have as many images, got {len(a)} and {len(b)}")
    levels = pyramid.distance(a.patches, b.patches, seed)
    found = {}
    if sizes is not None:
        found = {f"{OF_LEVEL}{w}x{h}": float(level) for (h, w), level in zip(sizes, levels, strict=True)}
    found[SLICED] = float(levels.mean())
    if a.features is not None and b.features is not None:
        found[FID] = frechet(a.features, b.features)
        found[KID] = 1000 * inception.kernel_distance(a.features, b.features)
    found[SPECTRUM] = spectrum.difference(a.spectra, b.spectra)
    return found


Values = dict[str, list[float]]
"""The values of each measure over its repeats."""


def against_held_out(column: ImageFeatures, held_out: ImageFeatures, size: int, repeats: int, seed: int,
                     sizes: list[tuple[int, int]]) -> Values:
    """The distances of random subsets of a set to as many held-out images."""
    found: Values = {}
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        a, b = (seen.at(rng.permutation(len(seen))[:size]) for seen in (column, held_out))
        for name, value in between(a, b, repeat, sizes).items():
            found.setdefault(name, []).append(value)
    return found


def curve_sizes(real: int, made: int) -> list[int]:
    """Numbers of images for the curve: 10, 20, 40, ... up to 320 and to what there is; where that is fewer than 10, it.
    """
    most = max(real // 2, min(real, made))
    return [count for count in (10 * 2**k for k in range(6)) if count <= most] or [most]


def curve(
    columns: Mapping[str, ImageFeatures], real: ImageFeatures, repeats: int, seed: int
) -> Iterator[tuple[int, str, Values]]:
    """Yields (number of images n, column, values): n random images of each column beside n real ones, for each of
    `curve_sizes`. The column `real` has other real images, so it ends at half of them; every column ends where it has
    fewer than n.
    """
    for count in curve_sizes(len(real), max(map(len, columns.values()))):
        for name in (*columns, "real"):
            if (2 * count > len(real)) if name == "real" else (count > len(columns[name])):
                continue
            values: Values = {}
            for repeat in range(repeats):
                rng = np.random.default_rng([seed, count, repeat])
                rows = rng.permutation(len(real))
                if name == "real":
                    other = real.at(rows[count : 2 * count])
                else:
                    other = columns[name].at(rng.permutation(len(columns[name]))[:count])
                for measure, value in between(other, real.at(rows[:count]), repeat).items():
                    values.setdefault(measure, []).append(value)
            yield count, name, values


def alike(images: np.ndarray, size: int, repeats: int, pairs: int, seed: int) -> list[float]:
    """Mean MS-SSIM between the images of random subsets."""
    found = []
    for repeat in range(repeats):
        rows = np.random.default_rng([seed, repeat]).permutation(len(images))[:size]
        found.append(likeness(images[rows], pairs, repeat))
    return found


def beside_training(found: Nearest, unseen: Nearest, size: int, repeats: int, seed: int) -> Values:
    """What the nearest training images say of a set; unseen: of held-out real images."""
    count = len(found.levels)
    subsets = [np.random.default_rng([seed, repeat]).permutation(count)[:size]
               for repeat in range(repeats if size < count else 1)]
    return {
        LEVELS: [float(found.levels[rows].mean()) for rows in subsets],
        CORRELATION: [float(found.correlation[rows].mean()) for rows in subsets],
        NEARER: [nearer(1 - found.correlation, 1 - unseen.correlation)],
        COPIES: [float(found.copy.mean())],
    }


def neighbours(sets: Mapping[str, Small], training: Sequence[Small]) -> dict[str, Nearest]:
    """The nearest training image of every image of some sets. training: all of them, in parts."""
    mean, start = middle(training), 0
    found: dict[str, Nearest] = {}
    for part in training:
        for name, asked in sets.items():
            here = nearest(asked, part, mean).moved(start)
            found[name] = found[name].or_nearer(here) if name in found else here
        start += len(part)
    return found
