"""Loose parts joined: where the occupancy between them is a little too low, and by bars where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maquette.geometry.filters import largest_near
from maquette.geometry.parts import voxel_parts

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Float64, Int64

REACH = 3
"""Voxels from both parts within which a bridge may lie."""
LOWEST = 0.4
"""Share of the threshold down to which a bridge is looked for."""
LEAST = 0.002
"""Share of the volume from which a part is worth a bridge."""
TIE, TIE_RADIUS = 0.16, 0.03
"""How wide a gap is closed by a bar, and the bar's radius, as shares of the cube's side."""
SLOPE = 4
"""Voxels by which a part is lengthened farther than where it is nearest, so that all of it meets the other."""
RISE = 0.35
"""How far a loose part is lengthened upwards to meet another, as a share of the cube's side."""


def join_parts(occupancy: Float[np.ndarray, "r r r"], threshold: float) -> Float32[np.ndarray, "r r r"]:
    """The occupancy with bridges between its parts, as far as a lower threshold connects them.

    Args:
        occupancy: Probabilities.
        threshold: From which a voxel is filled.
    """
    filled = occupancy >= threshold
    count, labels = voxel_parts(filled)
    result = occupancy.astype(np.float32)
    if count < 2:
        return result
    sizes = np.bincount(labels.ravel())[1:]
    main = 1 + int(sizes.argmax())
    body = labels == main
    parts = [number for number in range(1, count + 1)
             if number != main and sizes[number - 1] >= LEAST * sizes.sum()]
    for share in (0.85, 0.7, 0.55, LOWEST):
        lower = occupancy >= share * threshold
        near_body = _near(body)
        for number in list(parts):
            part = labels == number
            bridge = lower & near_body & _near(part)
            _, joined = voxel_parts(bridge | part | body)
            if joined[part][0] == joined[body][0]:
                body |= part | bridge
                parts.remove(number)
    result[body] = np.maximum(result[body], threshold)
    return result


def tie_parts(occupancy: Float[np.ndarray, "r r r"], threshold: float) -> Float32[np.ndarray, "r r r"]:
    """The occupancy with each loose part tied to another: lengthened upwards, as a leg is, or by a round bar.

    A drawing that is one region shows one thing: its parts touch in the picture, and stand apart only in depth. What
    stands below another part and would have to be bridged half as far sideways at most is lengthened.

    Args:
        occupancy: Probabilities.
        threshold: From which a voxel is filled.
    """
    result, side = occupancy.astype(np.float32), len(occupancy)
    count, labels = voxel_parts(result >= threshold)
    sizes = np.bincount(labels.ravel())[1:]
    if count < 2:
        return result
    body = labels == 1 + int(sizes.argmax())
    loose = [1 + int(number) for number in np.argsort(-sizes)[1:] if sizes[number] >= LEAST * sizes.sum()]
    while loose:
        gaps = {number: _gap(np.argwhere(body), np.argwhere(labels == number)) for number in loose}
        number = min(loose, key=lambda one: gaps[one][0])
        length, start, end = gaps[number]
        height, between = _rise(body, labels == number)
        if height <= min(RISE * side, 2 * length):
            result[between] = np.maximum(result[between], (1 + threshold) / 2)
            body |= between
        elif length <= TIE * side:
            bar, centres = _bar(start, end, TIE_RADIUS * side, side)
            level = threshold + (1 - threshold) * (TIE_RADIUS * side - bar) / 2
            result[tuple(centres.T)] = np.maximum(result[tuple(centres.T)], level.clip(0, 1))
        loose.remove(number)
        body |= (labels == number) & (height <= min(RISE * side, 2 * length) or length <= TIE * side)
    return result


def _rise(
    body: Bool[np.ndarray, "r r r"], part: Bool[np.ndarray, "r r r"]
) -> tuple[float, Bool[np.ndarray, "r r r"]]:
    """How many voxels up from a part another begins, infinite where none does; and the voxels between."""
    side, height = len(part), np.arange(len(part))
    top = np.where(part.any(2), side - 1 - part[:, :, ::-1].argmax(2), side)
    above = body & (height > top[:, :, None])
    low = np.where(above.any(2), above.argmax(2), 2 * side)
    gap = np.where(low < side, low - top - 1.0, np.inf)
    least = float(gap.min())
    near = gap <= least + SLOPE
    return least, near[:, :, None] & (height > top[:, :, None]) & (height < low[:, :, None])


def _gap(
    body: Int64[np.ndarray, "n 3"], part: Int64[np.ndarray, "m 3"]
) -> tuple[float, Int64[np.ndarray, " 3"], Int64[np.ndarray, " 3"]]:
    """The shortest way between two parts, nearly: its length, and where it starts and ends.

    From a voxel to the nearest of the other part and back, until that is no shorter; from several voxels.
    """
    best = (np.inf, body[0], part[0])
    for start in part[:: max(1, len(part) // 8)]:
        length, end = np.inf, start
        while True:
            other = body[((body - start) ** 2).sum(1).argmin()]
            back = part[((part - other) ** 2).sum(1).argmin()]
            now = float(np.linalg.norm(back - other))
            if now >= length:
                break
            length, start, end = now, back, other
        if length < best[0]:
            best = (length, end, start)
    return best


def _bar(
    start: Int64[np.ndarray, " 3"], end: Int64[np.ndarray, " 3"], radius: float, side: int
) -> tuple[Float64[np.ndarray, " n"], Int64[np.ndarray, "n 3"]]:
    """The voxels about a line: how far each is from it, and where it is."""
    wide = int(np.ceil(radius)) + 2
    low, high = (np.minimum(start, end) - wide).clip(0), (np.maximum(start, end) + wide + 1).clip(None, side)
    at = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), axis=3).reshape(-1, 3)
    along = (end - start).astype(np.float64)
    share = ((at - start) @ along / max(float(along @ along), 1e-9)).clip(0, 1)
    return np.linalg.norm(at - start - share[:, None] * along, axis=1), at


def _near(part: Bool[np.ndarray, "r r r"]) -> Bool[np.ndarray, "r r r"]:
    """Where a bridge to a part may lie."""
    return largest_near(part.astype(np.uint8), REACH) > 0
