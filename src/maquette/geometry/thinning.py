"""The centre lines of what is drawn, and the shortest way along them."""

from __future__ import annotations

import heapq
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Int, Int64

_EXCEPTIONS = {
    0: (48, 129),
    1: (3, 6, 11, 12, 14, 131, 134, 161, 194, 198),
    2: (24, 26, 56, 96, 104, 108, 176, 192, 224),
    3: (10, 40, 130, 160),
}
"""Neighbourhoods of slanted lines two pixels wide, which by the rule alone would vanish or keep the corners of their
steps, by the passes that take their pixel away: the first is 1, the second 2."""


def skeleton_of(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The centre lines of a mask, one pixel wide (Zhang and Suen 1984); what hangs together still does.

    Two passes take turns, one from the south and the east and one from the north and the west, until none takes a pixel
    away. A pixel goes that has two to six neighbours, all in one run around it. The lines are those of scikit-image's
    `skeletonize`.

    Args:
        mask: What is drawn; outside of it is paper.
    """
    left = np.pad(mask, 1).astype(np.uint8)
    wide = left.shape[1]
    around = np.array([-wide - 1, -wide, -wide + 1, 1, wide + 1, wide, wide - 1, -1])  # clockwise from the upper left
    edge = np.flatnonzero(cv2.erode(left, np.ones((3, 3), np.uint8)) < left)
    flat = left.reshape(-1)
    stamp = np.zeros(flat.size, np.int32)
    touched = [edge, edge]  # pixels beside those that went in the last two passes; no other can go now
    turn = 0
    while any(map(len, touched)):
        spots = np.concatenate(touched)
        order = np.arange(len(spots), dtype=np.int32)
        stamp[spots] = order
        spots = spots[(stamp[spots] == order) & (flat[spots] > 0)]
        number = flat[spots + around[0]]
        for bit in range(1, 8):
            number = number | flat[spots + around[bit]] << np.uint8(bit)
        gone = spots[_goes()[turn % 2][number]]
        flat[gone] = 0
        touched = [touched[1], (gone[:, None] + around).ravel()]
        turn += 1
    return left[1:-1, 1:-1] > 0


def shortest_way(
    lines: Bool[np.ndarray, "h w"], first: Int[np.ndarray, " 2"], last: Int[np.ndarray, " 2"]
) -> Int64[np.ndarray, "n 2"]:
    """The shortest way along thin lines, from pixel to pixel beside it or across from it (Dijkstra 1959).

    Args:
        lines: What is drawn.
        first: Where it begins (row, column), on a line.
        last: Where it ends.

    Returns:
        The pixels (row, column), both ends included.

    Raises:
        ValueError: If no line leads there.
    """
    drawn = np.pad(lines, 1)
    wide = drawn.shape[1]
    flat = drawn.ravel().tolist()
    steps = [(dy * wide + dx, 2**0.5 if dy and dx else 1.0) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    start, goal = (int(row + 1) * wide + int(column + 1) for row, column in (first, last))
    length, before = {start: 0.0}, {start: start}
    ahead = [(0.0, start)]
    while ahead:
        far, place = heapq.heappop(ahead)
        if place == goal:
            break
        if far > length[place]:
            continue
        for step, cost in steps:
            if flat[place + step] and far + cost < length.get(place + step, np.inf):
                length[place + step], before[place + step] = far + cost, place
                heapq.heappush(ahead, (far + cost, place + step))
    else:
        raise ValueError("no line leads from the first pixel to the last")
    way = [goal]
    while way[-1] != start:
        way.append(before[way[-1]])
    return np.stack(np.divmod(np.array(way[::-1]), wide), axis=1) - 1


@cache
def _goes() -> Bool[np.ndarray, "2 256"]:
    """For each pass, whether a pixel goes, by the number of its neighbourhood: a bit for each neighbour, clockwise."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1  # from the upper left
    runs = ((bits == 0) & (np.roll(bits, -1, 1) == 1)).sum(1)
    north, east, south, west = bits[:, 1::2].T
    plain = (bits.sum(1) >= 2) & (bits.sum(1) <= 6) & (runs == 1)
    goes = np.stack([plain & (east * south * (north + west) == 0), plain & (north * west * (east + south) == 0)])
    for passes, numbers in _EXCEPTIONS.items():
        goes[:, numbers] = [[passes in (1, 3)], [passes in (2, 3)]]
    return goes
