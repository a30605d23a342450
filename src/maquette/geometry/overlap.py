"""How much occupancy grids overlap, and how many connected parts they have."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy.typing import ArrayLike

from maquette.geometry.parts import voxel_parts

Values = Float64[np.ndarray, "..."] | np.float64
"""One number for each pair of grids; a scalar for a single pair."""
_STEPS: dict[int, Literal[1, 2, 3]] = {6: 1, 18: 2, 26: 3}  # how many axes a step to a neighbour may lead along


def iou(a: ArrayLike, b: ArrayLike, threshold: float = 0.5) -> Values:
    """Intersection over union of grids; 1 where both are empty.

    Args:
        a: `[..., R, R, R]`, an array or a CPU tensor. Boolean grids are used directly; in others a voxel is occupied
            when its value is greater than `threshold`.
        b: The other grids, of one size with `a`; the batch axes of both are broadcast.
        threshold: For grids that are not boolean.

    Raises:
        ValueError: For grids of two sizes.
    """
    first, second = _occupied(a, threshold), _occupied(b, threshold)
    if first.shape[-3:] != second.shape[-3:]:
        raise ValueError(f"grids must have one size, got {first.shape[-3:]} and {second.shape[-3:]}")
    both = np.count_nonzero(first & second, axis=(-3, -2, -1))
    either = np.count_nonzero(first | second, axis=(-3, -2, -1))
    return np.where(either == 0, 1.0, both / np.maximum(either, 1))[()]


def average_precision(prob: ArrayLike, truth: ArrayLike) -> Values:
    """Area under the precision-recall curve of voxels, as scikit-learn's `average_precision_score`.

    It is the sum, over the distinct scores, of the recall gained times the precision there. Voxels with equal scores
    count together, whatever their order.

    Args:
        prob: Scores `[..., R, R, R]`, any real range.
        truth: 0 or 1, or boolean, of the same shape.

    Returns:
        One number for each grid; 0 where the truth is empty.

    Raises:
        ValueError: For two shapes, and for NaN scores.
    """
    scores, true = np.asarray(prob), np.asarray(truth) > 0
    if scores.shape != true.shape or scores.ndim < 3:
        raise ValueError(f"scores and truth must be [..., R, R, R] of one shape, got {scores.shape} and {true.shape}")
    if np.isnan(scores).any():
        raise ValueError("scores must be numbers, got NaN")
    batch = scores.shape[:-3]
    scores, true = scores.reshape(-1, int(np.prod(scores.shape[-3:]))), true.reshape(-1, int(np.prod(true.shape[-3:])))
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    hits = np.cumsum(np.take_along_axis(true, order, axis=1), axis=1, dtype=np.int64)  # [batch, voxels]
    last = np.ones(ranked.shape, dtype=bool)  # the last voxel of each run of equal scores
    last[:, :-1] = ranked[:, 1:] != ranked[:, :-1]
    values = np.zeros(len(scores))
    for i in range(len(scores)):
        at = np.flatnonzero(last[i])
        found = hits[i, at]
        if found[-1]:
            values[i] = np.dot(np.diff(found, prepend=0), found / (at + 1.0)) / found[-1]
    return values.reshape(batch)[()]


def largest_share(grid: ArrayLike, threshold: float = 0.5, connectivity: int = 26) -> float:
    """Share of the occupied voxels that belong to the largest connected part; 0 for an empty grid.

    Args:
        grid: `[R, R, R]`, as in `iou`.
        threshold: For a grid that is not boolean.
        connectivity: 6 connects voxels that share a face, 18 also those that share an edge, 26 also a corner.

    Raises:
        ValueError: For another connectivity or number of axes.
    """
    sizes = _parts(grid, threshold, connectivity)
    return float(sizes.max() / sizes.sum()) if len(sizes) else 0.0


def part_count(grid: ArrayLike, threshold: float = 0.5, connectivity: int = 26) -> int:
    """Number of connected parts in a grid; the arguments are those of `largest_share`."""
    return len(_parts(grid, threshold, connectivity))


def is_connected(grid: ArrayLike, threshold: float = 0.5, connectivity: int = 26) -> bool:
    """Whether a grid has exactly one connected part; an empty grid has none. Arguments as in `largest_share`."""
    return part_count(grid, threshold, connectivity) == 1


def _occupied(grid: ArrayLike, threshold: float) -> Bool[np.ndarray, "..."]:
    values = np.asarray(grid)
    return values if values.dtype == bool else values > threshold


def _parts(grid: ArrayLike, threshold: float, connectivity: int) -> Int[np.ndarray, " parts"]:
    """The number of voxels in each part."""
    if connectivity not in _STEPS:
        raise ValueError(f"connectivity must be 6, 18 or 26, got {connectivity}")
    filled = _occupied(grid, threshold)
    if filled.ndim != 3:
        raise ValueError(f"a grid must be [R, R, R], got {filled.shape}")
    count, labels = voxel_parts(filled, steps=_STEPS[connectivity])
    return np.bincount(labels.ravel(), minlength=count + 1)[1:]
