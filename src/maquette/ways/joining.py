"""Loose parts joined where the occupancy between them is a little too low: a leg that hangs by a thread is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maquette.geometry.filters import largest_near
from maquette.geometry.parts import voxel_parts

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32

REACH = 3
"""Voxels from both parts within which a bridge may lie."""
LOWEST = 0.4
"""Share of the threshold down to which a bridge is looked for."""
LEAST = 0.002
"""Share of the volume from which a part is worth a bridge."""


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


def _near(part: Bool[np.ndarray, "r r r"]) -> Bool[np.ndarray, "r r r"]:
    """Where a bridge to a part may lie."""
    return largest_near(part.astype(np.uint8), REACH) > 0
