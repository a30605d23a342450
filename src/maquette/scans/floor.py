"""The floor or table under things in a scan: the largest plane that can be one, found by RANSAC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

_TRIES, _TRIED_ON = 2000, 3000
"""Planes that are tried, each through three random points, and the random points that they are tried on."""
_NEAR = 0.004
"""How far a point may lie from a plane that it is on, as a share of the diagonal of the scan."""
_LEAST_ON, _LEAST_ABOVE, _MOST_BELOW = 0.08, 0.02, 0.05
"""Shares of the points that lie on a floor at least, above it at least, and below it at most."""
_ELEVATION_DEG, _ROLL_DEG, _DEVIATION_DEG = (-15.0, 75.0), 30.0, 12.0
"""How a camera may see a floor: the range of its elevation above the horizon, its largest roll; and how far a floor may
be from a known horizon."""


@dataclass(frozen=True)
class Plane:
    """The plane of the points p with p @ normal + offset = 0.

    Attributes:
        normal: Of unit length, upwards.
        offset: In the unit of the points.
        margin: Half of its thickness: how far from it points may lie that still belong to it.
    """

    normal: Float[np.ndarray, " 3"]
    offset: float
    margin: float

    def height(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """The signed distances of points from the plane, positive above it."""
        return points @ self.normal + self.offset


def find_plane(
    points: Float[np.ndarray, "n 3"], upwards: Float[np.ndarray, " 3"] | None = None, seed: int = 0
) -> Plane | None:
    """The floor or table under things: the plane with the most points on it that can be one, or None.

    Random planes are tried (RANSAC, Fischler and Bolles 1981) and the best is fitted to its points by least squares.

    Args:
        points: Finite, in any unit.
        upwards: The direction up, where it is known. Otherwise the points are in the axes of a camera, and only planes
            count that a camera may see with an elevation and a roll in the usual range.
        seed: Of the random planes.
    """
    rng = np.random.default_rng(seed)
    near = _NEAR * float(np.linalg.norm(np.ptp(np.quantile(points, (0.05, 0.95), axis=0), axis=0)))
    some = points[rng.choice(len(points), min(len(points), _TRIED_ON), replace=False)]
    a, b, c = some[rng.integers(len(some), size=(3, _TRIES))]
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    real = length > near * near
    normals, a = normals[real] / length[real, None], a[real]
    offsets = -np.einsum("ij,ij->i", normals, a)
    turned = np.where((offsets if upwards is None else normals @ upwards) < 0, -1.0, 1.0)
    normals, offsets = normals * turned[:, None], offsets * turned
    likely = _may_be_floor(normals, upwards)
    normals, offsets = normals[likely], offsets[likely]
    if not len(normals):
        return None
    heights = normals @ some.T + offsets[:, None]  # [planes, points]
    on = (np.abs(heights) < near).mean(1)
    good = (on >= _LEAST_ON) & ((heights > 2 * near).mean(1) >= _LEAST_ABOVE)
    good &= (heights < -2 * near).mean(1) <= _MOST_BELOW
    if not good.any():
        return None
    best = int(np.argmax(np.where(good, on, 0)))
    normal, offset = normals[best], float(offsets[best])
    for _ in range(3):
        mine = points[np.abs(points @ normal + offset) < near]
        if len(mine) < 3:  # what was tried on some points has none of all
            return None
        middle = mine.mean(0)
        fitted = np.linalg.eigh(np.cov((mine - middle).T))[1][:, 0]
        normal = fitted * np.sign(fitted @ normal)
        offset = -float(normal @ middle)
    away = np.abs(points @ normal + offset)
    spread = float(np.median(away[away < near]))
    return Plane(normal, offset, float(np.clip(6 * spread, 0.25 * near, 1.5 * near)))


def _may_be_floor(
    normals: Float[np.ndarray, "k 3"], upwards: Float[np.ndarray, " 3"] | None
) -> Bool[np.ndarray, " k"]:
    """Which unit normals a floor may have."""
    if upwards is not None:
        return normals @ upwards > np.cos(np.radians(_DEVIATION_DEG))
    elevation = np.degrees(np.arcsin(np.clip(-normals[:, 2], -1, 1)))
    roll = np.degrees(np.arctan2(np.abs(normals[:, 0]), -normals[:, 1]))
    low, high = _ELEVATION_DEG
    return (elevation > low) & (elevation < high) & (roll < _ROLL_DEG)
