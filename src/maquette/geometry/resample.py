"""Occupancy grids at another resolution."""

import numpy as np
from jaxtyping import Bool, Num

from maquette.errors import UserError

Cells = Num[np.ndarray, "a b c"] | Bool[np.ndarray, "a b c"]
"""A grid of any three sizes, boolean or 0 and 1."""


def cropped(grid: Cells) -> Bool[np.ndarray, "_ _ _"]:
    """The object in a grid, cut to its bounding box.

    Args:
        grid: `[A, B, C]`; voxels above one half are occupied.

    Raises:
        UserError: For an empty grid.
    """
    filled = np.asarray(grid) > 0.5
    if filled.ndim != 3 or not filled.any():
        raise UserError("there is no object in the grid: it must have three axes and an occupied voxel", filled.shape)
    for axis in range(3):
        used = np.flatnonzero(filled.any(tuple({0, 1, 2} - {axis})))
        filled = filled.take(np.arange(used[0], used[-1] + 1), axis)
    return filled


def resample(grid: Cells, resolution: int) -> Bool[np.ndarray, "r r r"]:
    """The object in a grid, at another resolution and in the package's frame.

    The object is cropped to its bounding box; its longest side fills the cube, and each axis is centred. Values are
    interpolated linearly and cut at one half, which keeps the volume. Parts that are only one voxel thick (legs, slats)
    follow their nearest voxels instead, so that they survive whole.

    Args:
        grid: `[A, B, C]`, any size and any margin; voxels above one half are occupied.
        resolution: Voxels a side of the result.

    Raises:
        UserError: For an empty grid.
    """
    grid = cropped(grid)
    scale = resolution / max(grid.shape)
    if scale == 1:
        before = [(resolution - n) // 2 for n in grid.shape]
        return np.pad(grid, [(b, resolution - n - b) for b, n in zip(before, grid.shape, strict=True)])

    # Source coordinate (in source voxels, 0.5 is the centre of the first) of the centre of each target voxel.
    at = [(np.arange(resolution) + 0.5 - resolution / 2) / scale + n / 2 for n in grid.shape]
    field = np.pad(grid, 1).astype(np.float32)
    for axis, places in enumerate(at):
        place = np.clip(places + 0.5, 0, field.shape[axis] - 1)  # centre of padded voxel k is k
        low = np.minimum(place.astype(np.int64), field.shape[axis] - 2)
        part = (place - low).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
        field = field.take(low, axis) * (1 - part) + field.take(low + 1, axis) * part
    result = field > 0.5

    thin = grid & ~in_blocks(grid)
    if scale > 1:
        near = [np.floor(places).astype(np.int64) for places in at]
        valid = [(k >= 0) & (k < n) for k, n in zip(near, grid.shape, strict=True)]
        result[np.ix_(*valid)] |= thin[np.ix_(*(k[v] for k, v in zip(near, valid, strict=True)))]
    else:
        places = (np.argwhere(thin) + 0.5 - np.array(grid.shape) / 2) * scale + resolution / 2
        result[tuple(np.clip(np.floor(places).astype(np.int64), 0, resolution - 1).T)] = True
    return result


def in_blocks(grid: Bool[np.ndarray, "a b c"]) -> Bool[np.ndarray, "a b c"]:
    """The occupied voxels that lie in a cube of 2 x 2 x 2 occupied ones."""
    ends = (slice(None, -1), slice(1, None))
    corners = [(x, y, z) for x in ends for y in ends for z in ends]
    whole = np.logical_and.reduce([grid[corner] for corner in corners])
    found = np.zeros(grid.shape, bool)
    for corner in corners:
        found[corner] |= whole
    return found
