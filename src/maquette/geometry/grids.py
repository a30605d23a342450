"""Occupancy grids as they are, without interpolation."""

import numpy as np
from jaxtyping import Shaped


def turn_grid(grid: Shaped[np.ndarray, "x y z"], degrees: int) -> Shaped[np.ndarray, "_ _ z"]:
    """The grid turned about z, counter-clockwise seen from above.

    Args:
        grid: Any values, axes x, y, z.
        degrees: A multiple of 90, of either sign.

    Raises:
        ValueError: For another angle.
    """
    if degrees % 90:
        raise ValueError(f"a grid turns by multiples of 90 degrees, got {degrees}")
    return np.ascontiguousarray(np.rot90(grid, degrees // 90, axes=(0, 1)))
