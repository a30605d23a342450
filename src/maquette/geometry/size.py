"""What a printer can make, as a line for the user: a size in the wrong unit shows in the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError

if TYPE_CHECKING:
    from jaxtyping import Float

LARGEST_MM, SMALLEST_MM = 500.0, 5.0
"""The longest side of what the printers of most people can make, and of what is worth printing."""
SIDE_MM = (1.0, 2000.0)
"""The shortest and the longest side that can be asked for."""
MOST_WALL_MM = 100.0
"""The most that can be asked for as the thinnest wall."""


def check_side(size_mm: float, name: str = "size_mm") -> float:
    """The size, where an object of that longest side can be asked for.

    Args:
        size_mm: From 1 to 2,000 mm.
        name: What the message calls it.

    Raises:
        UserError: For any other number.
    """
    if not SIDE_MM[0] <= size_mm <= SIDE_MM[1]:  # nor is it nan
        raise UserError(f"{name} must be from {SIDE_MM[0]:g} to {SIDE_MM[1]:g} mm", size_mm)
    return size_mm


def check_wall(min_wall_mm: float) -> float:
    """The thinnest wall that a printer can make, where it is one: from 0 to 100 mm.

    Raises:
        UserError: For any other number.
    """
    if not 0 <= min_wall_mm <= MOST_WALL_MM:  # nor is it nan
        raise UserError(f"min_wall_mm must be from 0 to {MOST_WALL_MM:g} mm", min_wall_mm)
    return min_wall_mm


def size_line(extents_mm: Float[np.ndarray, " 3"]) -> str:
    """What is to be said of a size that no printer makes: "1200 mm long: beyond most printers ..."; empty for others.

    Args:
        extents_mm: Along x, y and z.
    """
    longest = float(np.max(extents_mm))
    if longest > LARGEST_MM:
        return f"{longest:,.0f} mm long: beyond most printers, which make {LARGEST_MM:g} mm; give --size-mm"
    if longest < SMALLEST_MM:
        return f"{longest:.3g} mm long: too small to print; give --size-mm"
    return ""
