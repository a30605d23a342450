"""What hangs together: nodes by their links, faces by their vertices, voxels by their neighbours."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Int, Int64


def connected(links: Int[np.ndarray, "n 2"], count: int) -> tuple[int, Int64[np.ndarray, " {count}"]]:
    """How many parts nodes form by their links, and for each node the number of its part, in the order of their firsts.

    Each round joins every part to the least one that it is linked to, so that there are half as many at most.

    Args:
        links: Pairs of nodes.
        count: Number of nodes.
    """
    first = np.arange(count)  # the least node of the part, as far as that is known
    start, end = links[:, 0], links[:, 1]
    while len(start):
        low, high = np.minimum(first[start], first[end]), np.maximum(first[start], first[end])
        open_ = low != high
        start, end, low, high = start[open_], end[open_], low[open_], high[open_]
        np.minimum.at(first, high, low)
        while not np.array_equal(first, further := first[first]):
            first = further
    leads = first == np.arange(count)
    return int(leads.sum()), (np.cumsum(leads) - 1)[first]


def voxel_parts(filled: Bool[np.ndarray, "x y z"], corners: bool = True) -> tuple[int, Int64[np.ndarray, "x y z"]]:
    """How many parts filled voxels form, and for each voxel the number of its part from 1 on, 0 for an empty one.

    Parts are numbered in the order of their first voxels.

    Args:
        filled: The voxels.
        corners: Whether voxels that share an edge or a corner hang together too, not only those that share a face.
    """
    padded = np.pad(filled, 1)
    starts = padded[:, :, 1:] & ~padded[:, :, :-1]
    run = np.zeros(padded.shape, np.int32)  # of each filled voxel: runs along z are the nodes
    run[:, :, 1:] = np.cumsum(starts, dtype=np.int32).reshape(starts.shape)
    run *= padded
    first = np.flatnonzero(np.pad(starts, ((0, 0), (0, 0), (1, 0))))
    nodes = np.arange(len(first))
    strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    links = [np.zeros((0, 2), np.int64)]
    for step in product((-1, 0, 1), repeat=3):  # of two runs that touch, one starts beside the other
        if any(step[:2]) and (corners or sum(map(abs, step)) == 1):
            beside = run.ravel()[first + strides @ step]
            links.append(np.stack([nodes[beside > 0], beside[beside > 0] - 1], axis=1))
    count, part = connected(np.concatenate(links), len(first))
    return count, np.append(0, part + 1)[run[1:-1, 1:-1, 1:-1]]


def wholeness(filled: Bool[np.ndarray, "x y z"]) -> float:
    """The share of the filled voxels that the largest part has, corners included; 0 where none is filled."""
    sizes = np.bincount(voxel_parts(filled)[1].ravel())[1:]
    return float(sizes.max() / sizes.sum()) if len(sizes) else 0.0
