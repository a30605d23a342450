"""Ways from one latent to another: straight, and on a sphere."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from maquette.errors import UserError

PATHS = ("straight", "spherical")
MAX_STEPS = 1000
"""Latents a pair that are still computed."""
_PARALLEL = 1e-7  # sine of an angle that float32 cannot tell from 0 or 180 degrees


def straight(start: Tensor, end: Tensor, t: float) -> Tensor:
    """(1 - t) start + t end, `[L]`."""
    return ((1 - t) * start.double() + t * end.double()).to(start.dtype)


def spherical(start: Tensor, end: Tensor, t: float, middle: Tensor | float = 0.0) -> Tensor:
    """The point `[L]` at which the angle about `middle` and the distance from it are both t of the way.

    Draws from a high-dimensional Gaussian lie near a sphere, which a straight way cuts through (Shoemake, SIGGRAPH
    1985; White, arXiv 1609.04468). Where the two have one direction, or one of them none, the way is straight; where
    their directions are opposite it turns towards the axis that they have least of.
    """
    centre = torch.as_tensor(middle, dtype=torch.float64)
    u, v = start.double() - centre, end.double() - centre
    lengths = u.norm(), v.norm()
    if not (lengths[0] > 0 and lengths[1] > 0):
        return straight(start, end, t)
    u, v = u / lengths[0], v / lengths[1]
    cosine = u @ v
    across = v - cosine * u
    sine = across.norm()
    if sine < _PARALLEL:
        if cosine > 0 or len(u) < 2:
            return straight(start, end, t)
        axis = int(u.abs().argmin())
        across = -u[axis] * u
        across[axis] += 1
    across = across / across.norm()
    angle = t * torch.atan2(sine, cosine)
    length = (1 - t) * lengths[0] + t * lengths[1]
    return (centre + length * (angle.cos() * u + angle.sin() * across)).to(start.dtype)


def along(
    ends: Sequence[Tensor] | Tensor, steps: int, path: str = "straight", middle: Tensor | float = 0.0
) -> Tensor:
    """Latents evenly on the way through all ends, K of `[L]`: `[(K - 1) (steps - 1) + 1, L]`.

    Args:
        steps: Latents a pair, both its ends among them, which are the very ones given.
        middle: What a spherical way turns about.

    Raises:
        UserError: For fewer than two ends or steps.
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
            points.append(straight(start, end, t) if path == "straight" else spherical(start, end, t, middle))
        points.append(end)
    return torch.stack(points)
