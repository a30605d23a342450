"""Loose parts joined where the occupancy between them is a little too low: a leg that hangs by a thread is kept."""

import numpy as np
from jaxtyping import Float, Float32
from scipy import ndimage

REACH = 3
"""Voxels from both parts within which a bridge may lie."""
LOWEST = 0.4
"""Share of the threshold down to which a bridge is looked for."""
LEAST = 0.002
"""Share of the volume from which a part is worth a bridge."""
_TOUCHING = np.ones((3, 3, 3), bool)


def join_parts(occupancy: Float[np.ndarray, "r r r"], threshold: float) -> Float32[np.ndarray, "r r r"]:
    """The occupancy with bridges between its parts, as far as a lower threshold connects them.

    Args:
        occupancy: Probabilities.
        threshold: From which a voxel is filled.
    """
    filled = occupancy >= threshold
    labels, count = ndimage.label(filled, _TOUCHING)
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
        near_body = ndimage.binary_dilation(body, _TOUCHING, iterations=REACH)
        for number in list(parts):
            part = labels == number
            bridge = lower & near_body & ndimage.binary_dilation(part, _TOUCHING, iterations=REACH)
            joined, _ = ndimage.label(bridge | part | body, _TOUCHING)
            if joined[part][0] == joined[body][0]:
                body |= part | bridge
                parts.remove(number)
    result[body] = np.maximum(result[body], threshold)
    return result
