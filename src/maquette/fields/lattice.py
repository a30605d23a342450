"""A field at the corners of a fine grid, evaluated only where its surface is: coarse to fine, and along the surface.

The surface is where a value goes from above 0 (inside) to 0 or below. The grid has equal cells in the cube
[-0.5, 0.5]^3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from maquette.errors import UserError
from maquette.geometry.filters import largest_near

COARSEST = 32
"""The first grid has this many cells a side, or up to twice as many, and is evaluated as a whole."""
STEP, FINEST = 16, 512
"""The cells a side must be a multiple of the first and at most the second."""
_HALF_DIAGONAL = np.float32(np.sqrt(3) / 2)  # from a cell's nearest corner to its farthest point, in cells

FieldFunction = Callable[[np.ndarray], np.ndarray]
"""Positions float32 `[N, 3]` to values float32 `[N]`, above 0 inside."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Values at the corners of R^3 cells, axes x, y, z.

    A cell whose corners are not all on one side has the field's own values; elsewhere only the sign is right.

    Attributes:
        values: At R + 1 corners along each axis.
        evaluations: How many positions the field was evaluated at.
    """

    values: Float32[np.ndarray, "n n n"]
    evaluations: int

    @property
    def resolution(self) -> int:
        """Cells a side, R."""
        return len(self.values) - 1

    @property
    def inside(self) -> Bool[np.ndarray, "n n n"]:
        """Which corners are inside."""
        return self.values > 0


def check_resolution(resolution: int) -> None:
    """Raise UserError for a number of cells a side that cannot be."""
    if not STEP <= resolution <= FINEST or resolution % STEP:
        raise UserError(f"resolution must be a multiple of {STEP} from {STEP} to {FINEST}", resolution)


def sample_near_surface(field: FieldFunction, resolution: int) -> Lattice:
    """Evaluate a field near its surface.

    The first grid, of 32 to 63 cells a side or as many as are asked for, is evaluated at every corner. Each next one
    has twice the cells a side. It is evaluated in those cells of the one before which the surface crosses, or could
    cross: where the value at the nearest corner is no more than the field's change over half a cell's diagonal, at its
    greatest rate between corners in the cell and its neighbours. Then the surface is followed: where it leaves the
    cells that were evaluated, those beside are evaluated too, until it is closed.

    So a surface that any evaluated cell meets is found as a whole, and is the one that evaluating every corner finds.
    What is missed is a piece apart from all others, or a hollow, that fits between the corners of the first grid (1/32
    of the cube's side for 128), if the field's values there give no hint of it.

    Args:
        field: The field.
        resolution: Cells a side, a multiple of 16 up to 512.

    Raises:
        UserError: For another resolution, and for values that are not finite.
    """
    check_resolution(resolution)
    side = resolution
    while side % 2 == 0 and side // 2 >= COARSEST:
        side //= 2
    known = np.ones((side + 1,) * 3, bool)
    values = _evaluate(field, known, side).reshape(known.shape)
    count, active = values.size, np.ones((side,) * 3, bool)
    while side < resolution:
        active = _subdivided(active & (_crossed(values) | _may_be_crossed(values, active)))
        side *= 2
        lower = np.arange(side + 1) // 2
        values = values[np.ix_(lower, lower, lower)]  # where nothing is evaluated a coarse cell's side holds for all
        finer = np.zeros(values.shape, bool)
        finer[::2, ::2, ::2] = known
        known = finer
        while True:
            new = _corners_of(active) & ~known
            values[new] = _evaluate(field, new, side)
            known |= new
            count += int(np.count_nonzero(new))
            left = _crossed(values) & ~active
            if not left.any():
                break
            active |= left
    return Lattice(values, count)


def _evaluate(field: FieldFunction, corners: Bool[np.ndarray, "n n n"], side: int) -> Float32[np.ndarray, " k"]:
    """The field at the chosen corners, in the order in which NumPy counts them."""
    positions = (np.argwhere(corners) / side - 0.5).astype(np.float32)
    values = np.asarray(field(positions), np.float32) if len(positions) else np.empty(0, np.float32)
    if not np.isfinite(values).all():
        raise UserError("the field has values that are not finite", hint="the model's training diverged")
    return values


def _corner_views(table: Shaped[np.ndarray, "_ _ _"]) -> list[Shaped[np.ndarray, "_ _ _"]]:
    """For each of the eight corners of a cell a view of a table of corners, one shorter along each axis."""
    ends = (slice(None, -1), slice(1, None))
    return [table[x, y, z] for x in ends for y in ends for z in ends]


def _crossed(values: Float32[np.ndarray, "_ _ _"]) -> Bool[np.ndarray, "n n n"]:
    """Cells with corners on both sides."""
    inside = values > 0
    corners = _corner_views(inside)
    some, every = corners[0].copy(), corners[0].copy()
    for corner in corners[1:]:
        some |= corner
        every &= corner
    return some & ~every


def _may_be_crossed(
    values: Float32[np.ndarray, "_ _ _"], active: Bool[np.ndarray, "n n n"]
) -> Bool[np.ndarray, "n n n"]:
    """Cells that a surface could cross by the steepest change in them and in their neighbours."""
    square = np.zeros(active.shape, np.float32)
    for axis in range(3):
        change = np.abs(np.diff(values, axis=axis))
        ends = [(slice(None),) if a == axis else (slice(None, -1), slice(1, None)) for a in range(3)]
        edges = [change[x, y, z] for x in ends[0] for y in ends[1] for z in ends[2]]
        square += np.maximum.reduce(edges) ** 2
    steepest = largest_near(np.where(active, np.sqrt(square), np.float32(0)))
    least = np.minimum.reduce([np.abs(corner) for corner in _corner_views(values)])
    return least <= _HALF_DIAGONAL * steepest


def _subdivided(cells: Bool[np.ndarray, "n n n"]) -> Bool[np.ndarray, "m m m"]:
    """Each cell as its eight halves."""
    return cells.repeat(2, 0).repeat(2, 1).repeat(2, 2)


def _corners_of(cells: Bool[np.ndarray, "n n n"]) -> Bool[np.ndarray, "m m m"]:
    """The corners of the chosen cells, one more along each axis."""
    corners = np.zeros(tuple(length + 1 for length in cells.shape), bool)
    for view in _corner_views(corners):
        view |= cells
    return corners
