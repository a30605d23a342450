"""What hangs together: nodes by their links, faces by their vertices, voxels by their neighbours."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Int64


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


def rings(links: Int[np.ndarray, "n 2"]) -> list[list[int]]:
    """Closed ways along links: no link is in two of them, and no node twice in one.

    Args:
        links: Pairs of nodes.
    """
    beside: dict[int, list[int]] = {}
    for one, other in links.tolist():
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    found = []
    for start in beside:
        way, place = [start], {start: 0}
        while way:
            ahead = beside[way[-1]]
            if not ahead:  # a dead end, or all is used
                place.pop(way.pop())
                continue
            further = ahead.pop()
            beside[further].remove(way[-1])
            if further in place:
                ring = way[place[further] :]
                found.append(ring)
                for node in ring[1:]:
                    place.pop(node)
                del way[place[further] + 1 :]
            else:
                place[further] = len(way)
                way.append(further)
    return found


def pairs_within(points: Float[np.ndarray, "n 2"], reach: float) -> Int64[np.ndarray, "k 2"]:
    """All pairs of points that are no farther apart than this: the lower number first, in the order of the numbers."""
    import shapely

    places = shapely.points(points)
    first, second = shapely.STRtree(places).query(places, predicate="dwithin", distance=reach)
    pairs = np.stack([first, second], axis=1)[first < second].astype(np.int64)
    return pairs[np.lexsort(pairs.T[::-1])]


def bridges(links: Int[np.ndarray, "n 2"], count: int) -> Bool[np.ndarray, " n"]:
    """Which links hold two parts together: without one of them there is one part more.

    Each is left out in turn, which suits some hundred links.

    Args:
        links: Pairs of nodes.
        count: Number of nodes.
    """
    parts = connected(links, count)[0]
    return np.array([connected(np.delete(links, number, 0), count)[0] > parts for number in range(len(links))], bool)


def voxel_parts(
    filled: Bool[np.ndarray, "x y z"], corners: bool = True, steps: Literal[1, 2, 3] | None = None
) -> tuple[int, Int64[np.ndarray, "x y z"]]:
    """How many parts filled voxels form, and for each voxel the number of its part from 1 on, 0 for an empty one.

    Parts are numbered in the order of their first voxels.

    Args:
        filled: The voxels.
        corners: Whether voxels that share an edge or a corner hang together too, not only those that share a face.
        steps: Instead of that: voxels hang together that share a face (1), or also an edge (2), or also a corner (3).
    """
    most = steps or (3 if corners else 1)
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
        if any(step[:2]) and sum(map(abs, step)) <= most:
            beside = run.ravel()[first + strides @ step]
            links.append(np.stack([nodes[beside > 0], beside[beside > 0] - 1], axis=1))
    count, part = connected(np.concatenate(links), len(first))
    return count, np.append(0, part + 1)[run[1:-1, 1:-1, 1:-1]]


def wholeness(filled: Bool[np.ndarray, "x y z"]) -> float:
    """The share of the filled voxels that the largest part has, corners included; 0 where none is filled."""
    sizes = np.bincount(voxel_parts(filled)[1].ravel())[1:]
    return float(sizes.max() / sizes.sum()) if len(sizes) else 0.0
