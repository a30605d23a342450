"""Squares of a grid that triangles cover: the sums that rasterising and voxelising share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_CHUNK = 1_000_000
"""Candidate cells that are tested together; this bounds the memory."""


def cells_within(
    low: Int[np.ndarray, "m 2"], high: Int[np.ndarray, "m 2"]
) -> Iterator[tuple[Int[np.ndarray, " _"], Int[np.ndarray, "_ 2"]]]:
    """Yields the integer cells of many rectangles in chunks, as (index of the rectangle, cell).

    Args:
        low: First cell of each rectangle on both axes.
        high: Last cell, inclusive; a rectangle is empty where `high < low`.
    """
    size = np.maximum(high - low + 1, 0)
    count = size[:, 0] * size[:, 1]
    rows = np.flatnonzero(count)
    ends = np.cumsum(count[rows])
    start = 0
    while start < len(rows):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _CHUNK, "right")))
        part = rows[start:stop]
        index = np.repeat(part, count[part])
        local = np.arange(len(index)) - np.repeat(np.cumsum(count[part]) - count[part], count[part])
        width = size[index, 1]
        yield index, low[index] + np.stack([local // width, local % width], 1)
        start = stop


def edge_tests(flat: Float[np.ndarray, "m 3 2"]) -> tuple[Float[np.ndarray, "m 3 2"], Float[np.ndarray, "m 3"]]:
    """Inward normals n and offsets d of the edges of 2D triangles: a point p is inside where n . p + d >= 0."""
    edge = np.roll(flat, -1, 1) - flat
    area = edge[:, 0, 0] * edge[:, 1, 1] - edge[:, 0, 1] * edge[:, 1, 0]
    sign = np.where(area < 0, -1.0, 1.0)[:, None]
    normal = np.stack([-edge[..., 1] * sign, edge[..., 0] * sign], -1)
    return normal, -(normal * flat).sum(-1)
