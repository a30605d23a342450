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

    Args:
        filled: The voxels.
        corners: Whether voxels that share an edge or a corner hang together too, not only those that share a face.
    """
    number = np.zeros(filled.shape, np.int64)
    number[filled] = np.arange(1, np.count_nonzero(filled) + 1)
    links = [np.zeros((0, 2), np.int64)]
    for step in product((-1, 0, 1), repeat=3):
        if step > (0, 0, 0) and (corners or sum(map(abs, step)) == 1):  # each pair of neighbours once
            here = number[tuple(slice(max(-by, 0), -by if by > 0 else None) for by in step)]
            there = number[tuple(slice(max(by, 0), by if by < 0 else None) for by in step)]
            both = (here > 0) & (there > 0)
            links.append(np.stack([here[both], there[both]], axis=1) - 1)
    count, part = connected(np.concatenate(links), int(number.max(initial=0)))
    number[filled] = part + 1
    return count, number
