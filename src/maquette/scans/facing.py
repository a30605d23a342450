"""Which side of an object a scan shows, if nobody says: the side for which a model is surest of the whole.

A network that completes scans learned from objects that all face one way. An object that faces another way is strange
to it, and it leaves more voxels undecided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from maquette.scans.read import Scan

if TYPE_CHECKING:
    from jaxtyping import Float, Float32

STEP_DEG = 15
"""Degrees between the azimuths that are tried."""


def guess_facing(
    scan: Scan, complete: Callable[[Float32[np.ndarray, "b 1 r r r"]], Float[np.ndarray, "b r r r"]]
) -> tuple[Scan, Float[np.ndarray, "r r r"]]:
    """The scan turned to the likeliest azimuth, and its completion, occupancy in [0, 1].

    Args:
        scan: A scan; one that was read as a grid is not turned.
        complete: A model: takes scans of 0 and 1, and returns occupancy in [0, 1].
    """
    if scan.standing is None:
        return scan, complete(scan.voxels[None, None].astype(np.float32))[0]
    tried = [scan.facing(azimuth) for azimuth in range(0, 360, STEP_DEG)]
    made = complete(np.stack([each.voxels for each in tried])[:, None].astype(np.float32))
    best = int(np.argmin(doubt(made)))
    placement = tried[best].placement
    guessed = None if placement is None else replace(placement, guessed=True)
    return replace(tried[best], placement=guessed), made[best]


def doubt(occupancy: Float[np.ndarray, "b r r r"]) -> Float[np.ndarray, " b"]:
    """How undecided each completion is: the sum of the entropies of all its voxels, over the sum of their occupancy.

    In nats for each filled voxel; infinite for an empty completion.

    Args:
        occupancy: Completions, in [0, 1].
    """
    sure = np.clip(occupancy.reshape(len(occupancy), -1).astype(np.float64), 1e-7, 1 - 1e-7)
    entropy = -(sure * np.log(sure) + (1 - sure) * np.log1p(-sure)).sum(1)
    filled = occupancy.reshape(len(occupancy), -1).sum(1, dtype=np.float64)
    return np.divide(entropy, filled, out=np.full(len(filled), np.inf), where=filled > 0.5)
