"""Power spectra of images, averaged over directions: how much coarse and how much fine detail they have.

Networks that enlarge with transposed convolutions leave peaks at high frequencies, blurred images lack them (Durall et
al., CVPR 2020).
"""

import numpy as np
from jaxtyping import Float, Float64, UInt8

from maquette.datasets.images.measure import to_grey

ROUNDING = 1 / 12
"""Power of the rounding to whole grey levels; nothing can be told apart below it."""


def frequencies(height: int, width: int) -> Float64[np.ndarray, " rings"]:
    """The middle of each ring of frequencies, in cycles per pixel, from 1 / shorter side to 0.5."""
    short = min(height, width)
    return np.arange(1, short // 2 + 1) / short


def spectra(images: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]) -> Float64[np.ndarray, "n rings"]:
    """The power of each image at `frequencies`, in squared grey levels: white noise of variance v has v everywhere.

    The mean is removed and a Hann window applied, or the difference of opposite edges would show as a cross. Rings are
    in cycles per pixel, so that images of any aspect are treated alike; the corners beyond 0.5 are left out.

    Args:
        images: 0 to 255; of colour images the grey levels are taken.
    """
    height, width = images.shape[1:3]
    short = min(height, width)
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    ring = np.rint(radius * short).astype(int)  # 0: the mean
    last = short // 2
    weight = np.full(radius.shape, 2.0)  # all but two columns stand for themselves and their mirror image
    weight[:, 0] = 1
    if width % 2 == 0:
        weight[:, -1] = 1
    weight[(ring < 1) | (ring > last)] = 0
    ring = np.minimum(ring, last)
    amount = np.bincount(ring.ravel(), weight.ravel(), last + 1)[1:]
    found = np.empty((len(images), last))
    for row, image in enumerate(images):
        grey = to_grey(image).astype(np.float64)
        power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2 / np.sum(window**2)
        found[row] = np.bincount(ring.ravel(), (power * weight).ravel(), last + 1)[1:] / amount
    return found


def distance_db(a: Float[np.ndarray, "n rings"], b: Float[np.ndarray, "m rings"]) -> float:
    """Mean absolute difference of the mean spectra of two sets, in decibels; 3 is a factor of two everywhere."""
    ratio = (a.mean(axis=0) + ROUNDING) / (b.mean(axis=0) + ROUNDING)
    return float(np.abs(10 * np.log10(ratio)).mean())
