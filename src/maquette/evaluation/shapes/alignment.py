"""Alignment of a predicted grid with the true one: the search of the IKEA benchmark.

Since the papers' models and the truth agree on no frame, the best average precision (AP) counts over all axis
permutations and flips (48) and all shifts of up to 10 % along each axis (-2 to 2 voxels at 20, 125 shifts): 6,000
candidates.

The *truth* is permuted and flipped; the *prediction* is shifted. Cells that a shift uncovers score 0, predicted voxels
that leave the grid are dropped, and the truth is always whole: no true voxel is ever cut away. The search is exact:
every candidate is scored, except that permuted truths that are equal (a table has many) are scored once. The papers do
not say what happens to voxels at the edge, and no code of theirs for it was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped, UInt8

from maquette.errors import UserError
from maquette.geometry.overlap import average_precision

RESOLUTION = 20
"""Voxels a side at which the papers compare."""
MAX_SHIFT = 0.1
"""The largest shift along an axis, as a share of the side."""

Shift = tuple[int, int, int]
"""Voxels along x, y and z."""
Turn = tuple[tuple[int, int, int], tuple[bool, bool, bool]]
"""A permutation of the axes, then flips: the truth compared is `truth.transpose(axes)` flipped where True."""
TURNS: tuple[Turn, ...] = tuple(
    ((x, y, z), (flip_x, flip_y, flip_z))
    for (x, y, z), (flip_x, flip_y, flip_z) in product(permutations(range(3)), product((False, True), repeat=3)))
"""All 48, the identity first."""


@dataclass(frozen=True)
class Alignment:
    """The best candidate of a search."""

    ap: float
    """Its average precision."""
    turn: Turn
    """How the truth was turned."""
    shift: Shift
    """By how many voxels the prediction was shifted."""


class TurnedTruth:
    """The different turns of one true grid, ready to be scored against many predictions.

    Args:
        truth: Filled voxels, at least one.

    Raises:
        ValueError: For an empty grid.
    """

    def __init__(self, truth: Bool[np.ndarray, "r r r"]):
        if not truth.any():
            raise ValueError("the truth is empty")
        different: dict[bytes, Turn] = {}
        for turn in TURNS:
            different.setdefault(np.packbits(turned(truth, turn)).tobytes(), turn)
        self.truth = truth
        self.turns = list(different.values())
        """Those that give different grids."""
        self.columns = np.ascontiguousarray(np.stack([turned(truth, t).ravel() for t in self.turns], axis=1), np.uint8)
        """The turned grids, uint8 `[r^3, turns]`."""
        self.count = int(truth.sum())
        """Filled voxels."""


def resize_grid(
    grid: Float[np.ndarray, "..."], resolution: int = RESOLUTION, how: Literal["mean", "max"] = "mean"
) -> Float32[np.ndarray, "new new new"]:
    """A grid at another resolution; old and new cells fill the same cube.

    Args:
        grid: Occupancy `[r, r, r]` in [0, 1].
        resolution: Voxels a side of the result.
        how: "mean": the exact average over each new cell, old cells weighted by their overlap. A value is then the
            share of the cell expected to be filled, the total volume is kept, and AP, which sees the order of scores
            alone, can tell a full cell from one that is barely touched. "max": the largest old value that overlaps the
            new cell; thin legs keep their score, but everything grows by up to a cell.

    Raises:
        UserError: For a grid that is not cubic or not in [0, 1].
    """
    grid = np.asarray(grid, dtype=np.float32)
    if grid.ndim != 3 or len(set(grid.shape)) != 1:
        raise UserError("a grid must be [R, R, R]", got=grid.shape)
    if not (grid.min() >= 0 and grid.max() <= 1):  # also false for NaN
        raise UserError("occupancy must be in [0, 1]", got=f"{grid.min()} to {grid.max()}")
    size = grid.shape[0]
    if size == resolution:
        return grid
    old, new = np.arange(size + 1) / size, np.arange(resolution + 1) / resolution
    overlap = np.minimum(new[1:, None], old[None, 1:]) - np.maximum(new[:-1, None], old[None, :-1])
    overlap = np.clip(overlap * resolution, 0, 1)  # [resolution, size], rows sum to 1
    for axis in range(3):
        moved = np.moveaxis(grid, axis, 0)  # [size, ., .]
        if how == "mean":
            moved = np.tensordot(overlap, moved, axes=1)
        elif how == "max":
            moved = np.stack([moved[row > 1e-9].max(axis=0) for row in overlap])
        else:
            raise UserError("how must be mean or max", got=how)
        grid = np.moveaxis(moved, 0, axis)
    return np.clip(grid, 0, 1).astype(np.float32)  # rounding may leave 1 by an ulp


def turned(truth: Shaped[np.ndarray, "r r r"], turn: Turn) -> Shaped[np.ndarray, "r r r"]:
    """The truth with its axes permuted, then flipped."""
    axes, flips = turn
    return np.flip(truth.transpose(axes), tuple(axis for axis in range(3) if flips[axis]))


def shifted(predicted: Float[np.ndarray, "r r r"], shift: Shift) -> Float[np.ndarray, "r r r"]:
    """The prediction moved by whole voxels: what leaves the grid is dropped, what enters is 0."""
    result = np.zeros_like(predicted)
    size = predicted.shape[0]
    to = tuple(slice(max(0, s), size + min(0, s)) for s in shift)
    source = tuple(slice(max(0, -s), size - max(0, s)) for s in shift)
    result[to] = predicted[source]
    return result


def best_alignment(
    predicted: Float[np.ndarray, "r r r"], truth: Shaped[np.ndarray, "r r r"], max_shift: float = MAX_SHIFT
) -> Alignment:
    """The best of all turns of the truth and shifts of the prediction by average precision.

    Args:
        predicted: Occupancy in [0, 1].
        truth: Filled where above 0; not empty.
        max_shift: The largest shift along an axis, as a share of the side; whole voxels are tried. The earliest of
            equal candidates wins, so that the identity is kept where it is as good as any.

    Raises:
        ValueError: For an empty truth.
    """
    candidates = shifts(predicted.shape[0], max_shift)
    return search_alignment(np.asarray(predicted, dtype=np.float32), TurnedTruth(np.asarray(truth) > 0), candidates)


def shifts(size: int, max_shift: float = MAX_SHIFT) -> list[Shift]:
    """All shifts of a grid of `size` voxels a side by up to a share of it, the shortest first."""
    reach = int(size * max_shift + 1e-9)
    steps = range(-reach, reach + 1)
    return sorted(((x, y, z) for x, y, z in product(steps, steps, steps)), key=lambda s: (sum(map(abs, s)), s))


def search_alignment(
    predicted: Float32[np.ndarray, "r r r"], truth: TurnedTruth, candidates: Sequence[Shift]
) -> Alignment:
    """The best of a truth's turns and the candidate shifts, see `best_alignment`.

    All are scored in single precision, then those within rounding of the best exactly.
    """
    size = predicted.shape[0]
    scores = np.empty((len(candidates), len(truth.turns)))
    order = np.argsort(-predicted.ravel(), kind="stable")
    order = order[: np.count_nonzero(predicted > 0)]  # zeros rank last, together with the cells that a shift uncovers
    values = predicted.ravel()[order]
    places = np.stack(np.unravel_index(order, predicted.shape))  # [3, scored]
    flat = np.array([size * size, size, 1])
    for i, shift in enumerate(candidates):
        to = places + np.array(shift)[:, None]
        inside = ((to >= 0) & (to < size)).all(axis=0)
        scores[i] = _scores(values[inside], truth.columns[flat @ to[:, inside]], truth.count, size**3)
    close = np.flatnonzero(scores >= scores.max() - 1e-5)  # single precision is good to about 1e-6 here
    close = np.sort(close[np.argsort(-scores.ravel()[close], kind="stable")][:64])
    exact = [Alignment(float(average_precision(shifted(predicted, candidates[i]), turned(truth.truth, truth.turns[k]))),
                       truth.turns[k], candidates[i])
             for i, k in np.stack(np.unravel_index(close, scores.shape), axis=1)]
    return max(exact, key=lambda found: found.ap)  # the first of equal ones


def _scores(
    values: Float32[np.ndarray, " ranked"], hits: UInt8[np.ndarray, "ranked turns"], positives: int, voxels: int
) -> Float[np.ndarray, " turns"]:
    """Average precision of one ranking against many truths.

    Args:
        values: Scores above 0, falling.
        hits: The truths at these voxels, 0 or 1.
        positives: Filled voxels of each truth.
        voxels: Voxels of a grid; those that are not ranked share the score 0 and come last, together.
    """
    if not len(values):
        return np.full(hits.shape[1], positives / voxels)
    found = np.cumsum(hits, axis=0, dtype=np.float32)  # [n, turns], exact: counts below 2^24
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    gained = hits
    if len(ends) < len(values):  # equal scores are taken together
        found = found[ends]
        gained = np.diff(found, axis=0, prepend=np.float32(0))
    area = np.float32(1) / (ends + 1).astype(np.float32) @ (found * gained)
    tail = (positives - found[-1]) * (positives / voxels)
    return (area + tail) / positives
