"""How much occupancy grids overlap, and how many parts they fall into."""

import numpy as np
from scipy import ndimage


def iou(a, b, threshold: float = 0.5) -> np.ndarray:
    """Intersection over union of grids; 1 where both are empty.

    Args:
        a: [..., R, R, R] numpy arrays or CPU tensors, batch axes broadcast. Boolean grids are taken as they are, others
            are occupied where the value is greater than `threshold`.
        b: See `a`.

    Returns:
        Float64 [...], a number for a single pair.
    """
    a, b = _occupied(a, threshold), _occupied(b, threshold)
    if a.shape[-3:] != b.shape[-3:]:
        raise ValueError(f"grids must have one size, got {a.shape[-3:]} and {b.shape[-3:]}")
    both = np.count_nonzero(a & b, axis=(-3, -2, -1))
    either = np.count_nonzero(a | b, axis=(-3, -2, -1))
    return np.where(either == 0, 1.0, both / np.maximum(either, 1))[()]


def average_precision(prob, truth) -> np.ndarray:
    """Area under the precision-recall curve of voxels, as scikit-learn's `average_precision_score`.

    Args:
        prob: [..., R, R, R] scores, any real range.
        truth: [..., R, R, R] 0 or 1 (or bool), same shape. The sum over distinct scores of (recall gained) x (precision
            there): voxels of equal score are taken together, whatever their order.

    Returns:
        Float64 [...], a number for a single pair; 0 where the truth is empty.

    Raises:
        ValueError: For NaN scores.
    """
    prob, truth = np.asarray(prob), np.asarray(truth) > 0
    if prob.shape != truth.shape or prob.ndim < 3:
        raise ValueError(f"scores and truth must be [..., R, R, R] of one shape, got {prob.shape} and {truth.shape}")
    if np.isnan(prob).any():
        raise ValueError("scores must be numbers, got NaN")
    batch = prob.shape[:-3]
    prob, truth = prob.reshape(-1, int(np.prod(prob.shape[-3:]))), truth.reshape(-1, int(np.prod(truth.shape[-3:])))
    order = np.argsort(-prob, axis=1, kind="stable")
    ranked = np.take_along_axis(prob, order, axis=1)
    hits = np.cumsum(np.take_along_axis(truth, order, axis=1), axis=1, dtype=np.int64)  # [batch, voxels]
    last = np.ones(ranked.shape, dtype=bool)  # the last voxel of each run of equal scores
    last[:, :-1] = ranked[:, 1:] != ranked[:, :-1]
    values = np.zeros(len(prob))
    for i in range(len(prob)):
        at = np.flatnonzero(last[i])
        found = hits[i, at]
        if found[-1]:
            values[i] = np.dot(np.diff(found, prepend=0), found / (at + 1.0)) / found[-1]
    return values.reshape(batch)[()]


def largest_share(grid, threshold: float = 0.5, connectivity: int = 26) -> float:
    """Share of the occupied voxels that the largest part holds, 0 for an empty grid.

    Args:
        grid: [R, R, R].
        connectivity: 6 joins voxels by faces, 18 by edges as well, 26 by corners too.
    """
    _, sizes = _parts(grid, threshold, connectivity)
    return float(sizes.max() / sizes.sum()) if len(sizes) else 0.0


def part_count(grid, threshold: float = 0.5, connectivity: int = 26) -> int:
    """How many parts a grid falls into (see `largest_share` for the connectivity)."""
    return len(_parts(grid, threshold, connectivity)[1])


def is_connected(grid, threshold: float = 0.5, connectivity: int = 26) -> bool:
    """Whether a grid holds exactly one part; an empty grid does not."""
    return part_count(grid, threshold, connectivity) == 1


def _occupied(grid, threshold: float) -> np.ndarray:
    grid = np.asarray(grid)
    return grid if grid.dtype == bool else grid > threshold


def _parts(grid, threshold: float, connectivity: int) -> tuple[np.ndarray, np.ndarray]:
    """Part numbers [R, R, R], 0 for empty, and the voxels in each part from 1 on."""
    steps = {6: 1, 18: 2, 26: 3}.get(connectivity)
    if steps is None:
        raise ValueError(f"connectivity must be 6, 18 or 26, got {connectivity}")
    grid = _occupied(grid, threshold)
    if grid.ndim != 3:
        raise ValueError(f"a grid must be [R, R, R], got {grid.shape}")
    labels, count = ndimage.label(grid, structure=ndimage.generate_binary_structure(3, steps))
    return labels, np.bincount(labels.ravel(), minlength=count + 1)[1:]
