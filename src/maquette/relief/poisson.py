"""Systems of five-point differences on a grid, solved by conjugate gradients with a multigrid cycle before each step.

Coarser grids join 2 x 2 cells into one, as if these had one value; what they correct is taken 1.9 times (Braess 1995,
Towards algebraic multigrid for elliptic problems of second order). Memory and, nearly, time grow as the cells do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64

_ACCURACY = 1e-12  # what is left of the right side, as a share of it
_MOST_STEPS = 1000
_CORRECTED, _DAMPED, _SWEEPS = 1.9, 0.7, 2
_COARSEST = 3  # cells a side


@dataclass(frozen=True, eq=False)
class _Grid:
    """A symmetric system: each cell's own factor, less the links to its neighbours.

    Attributes:
        own: The factor of each cell, 0 where there is no cell.
        right: The links between a cell and the one on its right.
        below: The links between a cell and the one below it.
        damped: The inverse of `own`, damped; 0 where there is no cell.
    """

    own: Float64[np.ndarray, "h w"]
    right: Float64[np.ndarray, "h v"]
    below: Float64[np.ndarray, "g w"]
    damped: Float64[np.ndarray, "h w"]

    @classmethod
    def of(
        cls, own: Float64[np.ndarray, "h w"], right: Float64[np.ndarray, "h v"], below: Float64[np.ndarray, "g w"]
    ) -> _Grid:
        real = own > 1e-12
        return cls(own, right, below, np.where(real, _DAMPED / np.where(real, own, 1), 0))

    def times(self, u: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
        """The left side for some values."""
        left = self.own * u
        left[:, :-1] -= self.right * u[:, 1:]
        left[:, 1:] -= self.right * u[:, :-1]
        left[:-1] -= self.below * u[1:]
        left[1:] -= self.below * u[:-1]
        return left

    def coarser(self) -> _Grid:
        """The system of 2 x 2 cells as one each."""
        high, wide = self.own.shape
        odd = ((0, high % 2), (0, wide % 2))
        own, right, below = (np.pad(values, odd) for values in (self.own, self.right, self.below))
        own = _sums(own) - 2 * (right[0::2, 0::2] + right[1::2, 0::2] + below[0::2, 0::2] + below[0::2, 1::2])
        return _Grid.of(own, right[0::2, 1::2] + right[1::2, 1::2], below[1::2, 0::2] + below[1::2, 1::2])


def solve(inside: Bool[np.ndarray, "h w"], own: Float64[np.ndarray, "h w"], value: float) -> Float64[np.ndarray, "h w"]:
    """Values u with own * u - (the u of the neighbours inside) = value in each cell inside.

    Args:
        inside: The cells that have a value; what they hang together by are their sides.
        own: Factors, each at least the number of neighbours inside, and more in some cell of each part.
        value: The right side.

    Returns:
        The values, 0 outside.
    """
    grids = [_Grid.of(np.where(inside, own, 0.0), (inside[:, 1:] & inside[:, :-1]).astype(np.float64),
                      (inside[1:] & inside[:-1]).astype(np.float64))]
    while max(grids[-1].own.shape) > _COARSEST:
        grids.append(grids[-1].coarser())
    u, rest = np.zeros(inside.shape), np.where(inside, value, 0.0)
    enough = _ACCURACY**2 * np.vdot(rest, rest)
    step, before = np.zeros(inside.shape), 1.0
    for _ in range(_MOST_STEPS):
        if np.vdot(rest, rest) <= enough:
            break
        better = _cycle(grids, rest)
        now = np.vdot(rest, better)
        step = better + now / before * step
        left = grids[0].times(step)
        share = now / np.vdot(step, left)
        u += share * step
        rest -= share * left
        before = now
    return np.where(inside, u, 0.0)


def _cycle(grids: list[_Grid], rest: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "h w"]:
    """About the solution for a right side: damped Jacobi steps here, before and after those on coarser grids."""
    grid = grids[0]
    u = grid.damped * rest
    for _ in range(_SWEEPS - 1 if len(grids) > 1 else 5 * _SWEEPS):
        u += grid.damped * (rest - grid.times(u))
    if len(grids) == 1:
        return u
    high, wide = rest.shape
    left = np.pad(rest - grid.times(u), ((0, high % 2), (0, wide % 2)))
    u += _CORRECTED * _cycle(grids[1:], _sums(left)).repeat(2, 0).repeat(2, 1)[:high, :wide]
    for _ in range(_SWEEPS):
        u += grid.damped * (rest - grid.times(u))
    return u


def _sums(values: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "_ _"]:
    """The sum of each 2 x 2 cells."""
    return values[0::2, 0::2] + values[0::2, 1::2] + values[1::2, 0::2] + values[1::2, 1::2]
