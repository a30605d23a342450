"""Paths from one latent to another: straight, and on a sphere."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.errors import UserError

PATHS = ("straight", "spherical")
"""The kinds of path."""
MAX_STEPS = 1000
"""The most latents for each pair."""
_PARALLEL = 1e-7  # sine of an angle that float32 cannot tell from 0 or 180 degrees


def lerp(start: Float[Tensor, " latent"], end: Float[Tensor, " latent"], t: float) -> Float[Tensor, " latent"]:
    """Linear interpolation, (1 - t) start + t end."""
    return ((1 - t) * start.double() + t * end.double()).to(start.dtype)


def slerp(
    start: Float[Tensor, " latent"],
    end: Float[Tensor, " latent"],
    t: float,
    middle: Float[Tensor, " latent"] | float = 0.0,
) -> Float[Tensor, " latent"]:
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
    centre = torch.as_tensor(middle, dtype=torch.float64)
    u, v = start.double() - centre, end.double() - centre
    lengths = u.norm(), v.norm()
    if not (lengths[0] > 0 and lengths[1] > 0):
        return lerp(start, end, t)
    u, v = u / lengths[0], v / lengths[1]
    cosine = u @ v
    across = v - cosine * u
    sine = across.norm()
    if sine < _PARALLEL:
        if cosine > 0 or len(u) < 2:
            return lerp(start, end, t)
        axis = int(u.abs().argmin())
        across = -u[axis] * u
        across[axis] += 1
    across = across / across.norm()
    angle = t * torch.atan2(sine, cosine)
    length = (1 - t) * lengths[0] + t * lengths[1]
    return (centre + length * (angle.cos() * u + angle.sin() * across)).to(start.dtype)


def path_through(
    ends: Sequence[Float[Tensor, " latent"]] | Float[Tensor, "k latent"],
    steps: int,
    path: str = "straight",
    middle: Float[Tensor, " latent"] | float = 0.0,
) -> Float[Tensor, "n latent"]:
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
    return torch.stack(points)
