"""Several views of one object: their answers brought to one frame and joined, each mending what is there so far.

Each view is read alone, in its own frame: the up axis is known, the angle about it may be wrong. A view is turned to
where it agrees best with the object so far, and the two are joined by the mean of their log-odds, as independent
witnesses are. (Delanoy et al., I3D 2018, learn a network that mends; this needs no other network than the one view's.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Float32

SIDES = {"front": 0.0, "left": 90.0, "back": 180.0, "right": 270.0}
"""From where a picture was taken, by name: degrees counter-clockwise seen from above, 0 at the object's front."""
SEARCH = 32
"""Voxels a side at which angles are compared."""
ROUNDS = ((10.0, 18), (3.0, 3), (1.0, 2))
"""Step in degrees, and steps to either side, of each round of the search for an angle."""
CERTAIN = 0.02
"""Probabilities are kept this far from 0 and 1: no view alone decides."""


def turned(grid: Float[np.ndarray, "r r r"], degrees: float) -> Float32[np.ndarray, "r r r"]:
    """A grid turned about z, from x towards y; what leaves the cube is lost."""
    quarters = degrees / 90
    if abs(quarters - round(quarters)) < 1e-6:
        return np.ascontiguousarray(np.rot90(grid, round(quarters), (0, 1))).astype(np.float32)
    side = len(grid)
    middle = (side - 1) / 2
    x, y = (np.arange(side) - middle)[:, None], (np.arange(side) - middle)[None]
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    from_x, from_y = cosine * x + sine * y + middle, cosine * y - sine * x + middle
    low_x, low_y = (np.clip(place.astype(np.int64), 0, max(side - 2, 0)) for place in (from_x, from_y))
    share_x, share_y = from_x - low_x, from_y - low_y
    inside = (from_x >= 0) & (from_x <= side - 1) & (from_y >= 0) & (from_y <= side - 1)
    columns = grid.astype(np.float32).reshape(side * side, side)
    found = np.zeros((side * side, side), np.float32)
    for step_x in (0, 1):
        for step_y in (0, 1):
            weight = np.abs(1 - step_x - share_x) * np.abs(1 - step_y - share_y) * inside
            which = np.minimum(low_x + step_x, side - 1) * side + np.minimum(low_y + step_y, side - 1)
            found += weight.astype(np.float32).reshape(-1, 1) * columns[which.ravel()]
    return found.reshape(grid.shape).clip(0, 1)


def agreement(a: Float[np.ndarray, "r r r"], b: Float[np.ndarray, "r r r"]) -> float:
    """The soft IoU of two grids of probabilities."""
    both = float((a * b).sum())
    return both / max(float(a.sum() + b.sum()) - both, 1e-9)


def angle_between(
    reference: Float[np.ndarray, "r r r"], other: Float[np.ndarray, "r r r"], around: float | None = None
) -> float:
    """By how many degrees about z the other object must be turned to agree best with the reference.

    Args:
        reference: Probabilities.
        other: Probabilities.
        around: An angle that is known to be near; None looks all around.
    """
    small = [_reduced(grid, SEARCH) for grid in (reference, other)]
    best = around or 0.0
    for number, (step, reach) in enumerate(ROUNDS):
        if number == 0 and around is not None:
            step, reach = 5.0, 4
        steps = [best + step * k for k in range(-reach, reach + 1)]
        best = max(steps, key=lambda degrees: agreement(small[0], turned(small[1], degrees)))
    return (best + 180) % 360 - 180


def join(grids: Sequence[Float[np.ndarray, "r r r"]], weights: Sequence[float]) -> Float32[np.ndarray, "r r r"]:
    """Probabilities of one object from several views, by the weighted mean of their log-odds.

    Args:
        grids: In one frame.
        weights: Of each, 0 or more.
    """
    share = np.asarray(weights, np.float32) / max(float(np.sum(weights)), 1e-9)
    total = np.zeros(grids[0].shape, np.float32)
    for grid, weight in zip(grids, share, strict=True):
        kept = grid.clip(CERTAIN, 1 - CERTAIN).astype(np.float32)
        total += weight * np.log(kept / (1 - kept))
    return 1 / (1 + np.exp(-total))


def _reduced(grid: Float[np.ndarray, "r r r"], side: int) -> Float32[np.ndarray, "_ _ _"]:
    """A grid at about so many voxels a side, by means of whole voxels; itself where it has no more."""
    factor = max(grid.shape[0] // side, 1)
    rest = grid.shape[0] // factor
    cut = grid[: rest * factor, : rest * factor, : rest * factor].astype(np.float32)
    return cut.reshape(rest, factor, rest, factor, rest, factor).mean((1, 3, 5))
