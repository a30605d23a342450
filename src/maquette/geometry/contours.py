"""The closed lines along which a picture has a value: marching cubes (Lorensen and Cline 1987) in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Float64

_WAYS = {1: (0, 3), 2: (1, 0), 3: (1, 3), 4: (3, 2), 5: (0, 2), 7: (1, 2), 8: (2, 1), 10: (2, 0), 11: (2, 3),
         12: (3, 1), 13: (0, 1), 14: (3, 0)}
"""From which side of a square to which its line runs, by which corners are above the level.

Corners count 1, 2, 4 and 8: above on the left and on the right, below on the left and on the right. Sides: 0 above, 1
right, 2 below, 3 left. Where only two corners across from each other are above the level, each has a line of its own.
"""
_SADDLES = {6: ((1, 0), (3, 2)), 9: ((0, 3), (2, 1))}


def level_rings(field: Float[np.ndarray, "h w"], level: float = 0.0) -> list[Float64[np.ndarray, "_ 2"]]:
    """The closed lines where a field has a value, linear between pixels; those that the border cuts are left out.

    As scikit-image's `find_contours`: lines are in the order of their first squares, and each begins behind its last
    one, both counted row by row. What is above the level lies on the
    right of a line that is seen with its rows downwards.

    Args:
        field: Values, none of which is exactly the level.
        level: The value.

    Returns:
        Points (row, column) in pixels, the first repeated at the end.
    """
    values = field.astype(np.float64)
    high, wide = values.shape
    above = (values > level).astype(np.uint8)
    case = above[:-1, :-1] | above[:-1, 1:] << 1 | above[1:, :-1] << 2 | above[1:, 1:] << 3
    squares = np.flatnonzero((case > 0) & (case < 15))
    kinds = case.ravel()[squares]
    rows, columns = squares // (wide - 1), squares % (wide - 1)
    across, down = rows * wide + columns, high * wide + rows * wide + columns  # numbers of the sides above and left
    sides = np.stack([across, down + 1, across + wide, down])
    table = np.zeros((2, 16, 2), np.int64)
    for kind, way in _WAYS.items():
        table[0, kind] = way
    for kind, both in _SADDLES.items():
        table[:, kind] = both
    number = np.arange(len(squares))
    twice = np.flatnonzero((kinds == 6) | (kinds == 9))
    ways = np.concatenate([table[0, kinds], table[1, kinds[twice]]])
    square = np.concatenate([number, twice])
    order = np.argsort(square, kind="stable")
    square, ways = square[order], ways[order]
    start, end = sides[ways[:, 0], square], sides[ways[:, 1], square]
    follows = np.full(2 * high * wide, -1)
    follows[start] = np.arange(len(start))  # the line that begins on a side; no side begins two
    after = follows[end].tolist()
    rings = []
    seen = [False] * len(start)
    for first in range(len(start)):
        if seen[first]:
            continue
        chain = [first]
        seen[first] = True
        while (one := after[chain[-1]]) >= 0 and not seen[one]:
            seen[one] = True
            chain.append(one)
        if one != first:  # it ends at the border, or runs into a part of itself that was found before
            continue
        last = chain.index(max(chain))
        rings.append(start[[*chain[last + 1 :], *chain[: last + 1], after[chain[last]]]])
    return [_points(values, level, ring) for ring in rings]


def _points(values: Float64[np.ndarray, "h w"], level: float, sides: np.ndarray) -> Float64[np.ndarray, "_ 2"]:
    """Where the level is on sides of squares, (row, column)."""
    high, wide = values.shape
    down, at = np.divmod(sides, high * wide)
    here, there = values.ravel()[at], values.ravel()[at + np.where(down, wide, 1)]
    share = (level - here) / (there - here)
    return np.column_stack([at // wide + down * share, at % wide + (1 - down) * share])
