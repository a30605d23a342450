"""Which side of an object a scan shows, where nobody says: the one from which a model is surest of the whole.

A network that completes scans learned from objects that face one way. What is turned otherwise looks to it like nothing
that it knows, and it leaves more voxels undecided.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from maquette.scans.read import Scan

STEP_DEG = 15
"""Between the azimuths that are tried."""


def guess_facing(scan: Scan, complete: Callable[[np.ndarray], np.ndarray]) -> tuple[Scan, np.ndarray]:
    """The scan turned to the azimuth that is likeliest, and its completion `[R, R, R]`.

    Args:
        scan: Of points; a grid has one way to face.
        complete: Scans float32 `[B, 1, R, R, R]` of 0 and 1 to occupancy `[B, R, R, R]` in [0, 1].
    """
    if scan.standing is None:
        return scan, complete(scan.voxels[None, None].astype(np.float32))[0]
    tried = [scan.facing(azimuth) for azimuth in range(0, 360, STEP_DEG)]
    made = complete(np.stack([each.voxels for each in tried])[:, None].astype(np.float32))
    best = int(np.argmin(doubt(made)))
    return replace(tried[best], placement=replace(tried[best].placement, guessed=True)), made[best]


def doubt(occupancy: np.ndarray) -> np.ndarray:
    """How undecided completions `[B, R, R, R]` are, `[B]`: the entropy of all voxels, in nats, a filled voxel.

    Infinite for an empty one.
    """
    sure = np.clip(occupancy.reshape(len(occupancy), -1).astype(np.float64), 1e-7, 1 - 1e-7)
    entropy = -(sure * np.log(sure) + (1 - sure) * np.log1p(-sure)).sum(1)
    filled = occupancy.reshape(len(occupancy), -1).sum(1, dtype=np.float64)
    return np.divide(entropy, filled, out=np.full(len(filled), np.inf), where=filled > 0.5)
