"""Power spectra of images, averaged over directions: how much there is of coarse and of fine detail.

Networks that enlarge with transposed convolutions leave peaks at high frequencies, blurred images lack them (Durall et
al., CVPR 2020).
"""

import numpy as np

from maquette.datasets.images.measure import to_grey

ROUNDING = 1 / 12
"""Power of the rounding to whole grey levels, below which nothing can be told."""


def frequencies(height: int, width: int) -> np.ndarray:
    """The middle of each ring, in cycles per pixel, from 1 / shorter side to 0.5."""
    short = min(height, width)
    return np.arange(1, short // 2 + 1) / short


def spectra(images: np.ndarray) -> np.ndarray:
    """The power of each image at `frequencies`, float64 `[n, K]`: white noise of variance v has v everywhere.

    Args:
        images: Uint8 `[n, H, W]` or `[n, H, W, 3]`, of which the grey levels are taken. The mean is removed and a Hann
            window applied, else the difference of opposite edges would show as a cross. Rings are in cycles per pixel,
            so that images of any aspect are treated alike; the corners beyond 0.5 are left out.
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
    for place, image in enumerate(images):
        grey = to_grey(image).astype(np.float64)
        power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2 / np.sum(window**2)
        found[place] = np.bincount(ring.ravel(), (power * weight).ravel(), last + 1)[1:] / amount
    return found


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the mean spectra of two sets `[n, K]`, in decibels; 3 is a factor of two at every frequency."""
    ratio = (a.mean(axis=0) + ROUNDING) / (b.mean(axis=0) + ROUNDING)
    return float(np.abs(10 * np.log10(ratio)).mean())
