"""A shape out of a function of points, which is asked closely only where the shape has its surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float32

    Filled = Callable[[Float32[np.ndarray, "points 3"]], Float32[np.ndarray, " points"]]
    """Points of the frame to their occupancy in [0, 1]."""

UNDECIDED = 0.02
"""A coarse cell whose neighbours are all below this, or all above 1 - this, is not looked at more closely."""


def cell_centres(cells: int) -> Float32[np.ndarray, "points 3"]:
    """Centres of the `cells`^3 cells of the unit cube around 0, in the order of a grid's values."""
    line = (np.arange(cells, dtype=np.float32) + 0.5) / cells - 0.5
    grid = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=3)
    return grid.reshape(-1, 3).astype(np.float32)


def coarse_to_fine(filled: Filled, side: int) -> Float32[np.ndarray, "side side side"]:
    """The occupancy of a shape: at half the resolution first, then in full where that is not all empty or all full.

    Args:
        filled: The function.
        side: Voxels a side, an even number.
    """
    from maquette.geometry.filters import largest_near, least_near

    half = side // 2
    coarse = filled(cell_centres(half)).reshape(half, half, half)
    around = np.pad(coarse, 1)  # empty beyond the cube
    most, least = (near(around)[1:-1, 1:-1, 1:-1] for near in (largest_near, least_near))
    mixed = _doubled((most > UNDECIDED) & (least < 1 - UNDECIDED)).reshape(-1)
    fine = _doubled(coarse).reshape(-1)
    if mixed.any():
        fine[mixed] = filled(cell_centres(side)[mixed])
    return fine.reshape(side, side, side)


def _doubled(grid: np.ndarray) -> np.ndarray:
    """Each voxel as 2x2x2."""
    return grid.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
