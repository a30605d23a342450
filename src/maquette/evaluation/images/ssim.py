"""MS-SSIM between the images of one set: how alike they are (Odena et al., ICML 2017, after Wang et al. 2003).

A generator that has collapsed makes images that are more alike than real ones. The measure is torchmetrics'.
"""

import numpy as np
from jaxtyping import Float64, Int, UInt8

from maquette.errors import UserError
from maquette.extras import require

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The weights of the scales, the finest first (Wang et al. 2003, section 3.2)."""
WINDOW = 11
"""Pixels a side of the Gaussian window; its deviation is 1.5 pixels."""


def scale_count(height: int, width: int) -> int:
    """How many of the five scales an image is large enough for: 5 from 176 pixels on, 4 from 99, 3 from 44.

    The bounds are torchmetrics', which asks for a little more than a window that fits.

    Raises:
        UserError: For an image smaller than the window.
    """
    short = min(height, width)
    fitting = [k for k in range(1, 6) if short // max(2 ** (k - 1), (k - 1) ** 2) >= WINDOW]
    if not fitting:
        raise UserError(f"MS-SSIM needs images of {WINDOW} pixels a side or more", f"{width}x{height}")
    return fitting[-1]


def ms_ssim(
    a: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"],
    b: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"],
    batch: int = 20,
) -> Float64[np.ndarray, " n"]:
    """MS-SSIM of pairs of images: 1 for equal ones, about 0 for unrelated noise.

    Images too small for five scales get fewer, with weights that are scaled to sum to 1. A scale at which the contrasts
    of a pair are opposed counts as 0.

    Args:
        a: The first image of each pair, 0 to 255.
        b: The second image of each pair.
        batch: Pairs at once.
    """
    import torch

    require("torchmetrics", "train")
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as measure

    used = WEIGHTS[: scale_count(*a.shape[1:3])]
    betas = tuple(weight / sum(used) for weight in used)
    found = []
    for start in range(0, len(a), batch):
        x, y = (torch.from_numpy(np.ascontiguousarray(side[start : start + batch])).float() for side in (a, b))
        x, y = (side.unsqueeze(1) if side.dim() == 3 else side.movedim(-1, 1) for side in (x, y))  # [n, C, H, W]
        with torch.inference_mode():
            found.append(measure(x, y, data_range=255.0, betas=betas, normalize="relu", reduction="none").numpy())
    return np.concatenate(found).astype(np.float64)


def random_pairs(
    count: int, most: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """The rows of at most `most` different pairs out of `count` images."""
    first, second = np.triu_indices(count, 1)
    chosen = rng.permutation(len(first))[:most]
    return first[chosen], second[chosen]


def mean_ms_ssim(
    images: UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"], pairs: int = 20, seed: int = 0
) -> float:
    """Mean MS-SSIM over random pairs of a set's images, at most `pairs`.

    Raises:
        UserError: For fewer than two images.
    """
    if len(images) < 2:
        raise UserError("MS-SSIM between samples needs two images", len(images))
    first, second = random_pairs(len(images), pairs, np.random.default_rng(seed))
    return float(ms_ssim(images[first], images[second]).mean())
