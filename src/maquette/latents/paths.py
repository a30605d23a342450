"""Paths from one latent to another: straight, and on a sphere."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float32

from maquette.errors import UserError

PATHS = ("straight", "spherical")
"""The kinds of path."""
MAX_STEPS = 1000
"""The most latents for each pair."""
_PARALLEL = 1e-7  # sine of an angle that float32 cannot tell from 0 or 180 degrees


def lerp(
    start: Float32[np.ndarray, " latent"], end: Float32[np.ndarray, " latent"], t: float
) -> Float32[np.ndarray, " latent"]:
    """Linear interpolation, (1 - t) start + t end."""
    return ((1 - t) * start.astype(np.float64) + t * end.astype(np.float64)).astype(start.dtype)


def slerp(
    start: Float32[np.ndarray, " latent"],
    end: Float32[np.ndarray, " latent"],
    t: float,
    middle: Float32[np.ndarray, " latent"] | float = 0.0,
) -> Float32[np.ndarray, " latent"]:
    """Spherical linear interpolation: the angle about `middle` and the distance from it both go the share t of the way.

    Draws from a high-dimensional Gaussian lie near a sphere, which a straight path cuts through (Shoemake, SIGGRAPH
    1985; White, arXiv 1609.04468). The path is straight if both ends have the same direction from `middle`, or if one
    of them is `middle`. If the directions are opposite, the path turns towards the axis along which they are shortest.

    Args:
        start: One end.
        end: The other end.
        t: 0 at the start, 1 at the end.
        middle: The centre of the sphere.
    """
    centre = np.asarray(middle, np.float64)
    u, v = start.astype(np.float64) - centre, end.astype(np.float64) - centre
    lengths = np.linalg.norm(u), np.linalg.norm(v)
    if not (lengths[0] > 0 and lengths[1] > 0):
        return lerp(start, end, t)
    u, v = u / lengths[0], v / lengths[1]
    cosine = u @ v
    across = v - cosine * u
    sine = np.linalg.norm(across)
    if sine < _PARALLEL:
        if cosine > 0 or len(u) < 2:
            return lerp(start, end, t)
        axis = int(np.abs(u).argmin())
        across = -u[axis] * u
        across[axis] += 1
    across = across / np.linalg.norm(across)
    angle = t * np.arctan2(sine, cosine)
    length = (1 - t) * lengths[0] + t * lengths[1]
    return (centre + length * (np.cos(angle) * u + np.sin(angle) * across)).astype(start.dtype)


def path_through(
    ends: Sequence[Float32[np.ndarray, " latent"]] | Float32[np.ndarray, "k latent"],
    steps: int,
    path: str = "straight",
    middle: Float32[np.ndarray, " latent"] | float = 0.0,
) -> Float32[np.ndarray, "n latent"]:
    """Latents evenly on the path through all ends: (K - 1) (steps - 1) + 1 of them for K ends.

    Args:
        ends: Two latents or more.
        steps: Latents for each pair, both its ends included; these are exactly the given ones. 2 to 1000.
        path: `straight` or `spherical`.
        middle: The centre of a spherical path.

    Raises:
        UserError: For fewer than two ends or steps, or another path.
    """
    if path not in PATHS:
        raise UserError(f"path must be {' or '.join(PATHS)}", repr(path))
    if not 2 <= steps <= MAX_STEPS:
        raise UserError(f"steps must be from 2 to {MAX_STEPS}", steps)
    if len(ends) < 2:
        raise UserError("two operands are needed at least", len(ends))
    points = [ends[0]]
    for start, end in pairwise(ends):
        for step in range(1, steps - 1):
            t = step / (steps - 1)
            points.append(lerp(start, end, t) if path == "straight" else slerp(start, end, t, middle))
        points.append(end)
    return np.stack(points)
