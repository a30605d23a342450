"""Rays through a field: the search for its surface, samples about it, and volume rendering.

UNISURF: Oechsle, Peng, Geiger, ICCV 2021 (arXiv 2104.10078), sections 3.1 and 3.2; the density form is NeRF's and
GRAF's (Mildenhall et al. 2020, equation 3). Depths are distances along unit directions, in units of the frame.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LogitsAt = Callable[[Tensor], Tensor]
"""Positions `[..., 3]` to occupancy logits `[...]`: above 0 inside."""
Vectors = Float[Tensor, "*rays 3"]
"""Origins or unit directions of rays."""
Depths = Float[Tensor, "*rays"]
"""One depth, or another value, for each ray."""
Hits = Bool[Tensor, "*rays"]
"""Whether each ray meets a surface."""
Samples = Float[Tensor, "*rays samples"]
"""A value for each sample of each ray."""


class Bracket(NamedTuple):
    """The step of each ray within which it crosses a surface.

    Attributes:
        low: Depth at the step's start, outside of the surface.
        high: Depth at its end, inside.
        at_low: Logit at `low`.
        at_high: Logit at `high`.
        hit: Whether there is such a step.
    """

    low: Depths
    high: Depths
    at_low: Depths
    at_high: Depths
    hit: Hits


@torch.no_grad()
def march(
    logits: LogitsAt, origins: Vectors, directions: Vectors, near: Depths, far: Depths, steps: int
) -> Bracket:
    """The first step of each ray that goes from outside to inside.

    A ray that starts inside is a hit at its start (low = high). Where nothing is crossed, both ends are far.

    Args:
        logits: Called once, for the `steps` + 1 equally spaced depths of all rays.
        origins: Of the rays.
        directions: Of the rays, unit vectors.
        near: Where the search starts.
        far: Where it ends.
        steps: How many there are between the two.
    """
    depths = near[..., None] + (far - near)[..., None] * torch.linspace(0, 1, steps + 1).to(near)
    values = logits(points_on_rays(origins, directions, depths))
    inside = values > 0
    crossed = inside[..., 1:] & ~inside[..., :-1]
    first = crossed.float().argmax(-1, keepdim=True)
    starts, hit = inside[..., 0], crossed.any(-1) & (far > near)

    def pick(table: Tensor, place: Tensor) -> Tensor:
        return table.gather(-1, place).squeeze(-1)

    zero, last = torch.zeros_like(first), torch.full_like(first, steps)
    low = torch.where(starts[..., None], zero, torch.where(hit[..., None], first, last))
    high = torch.where(starts[..., None], zero, torch.where(hit[..., None], first + 1, last))
    return Bracket(pick(depths, low), pick(depths, high), pick(values, low), pick(values, high),
                   (starts & (far > near)) | hit)


@torch.no_grad()
def secant(
    logits: LogitsAt, origins: Vectors, directions: Vectors, bracket: Bracket, steps: int
) -> tuple[Depths, Hits]:
    """The crossing within the step that `march` found, by the secant method: depth and hit.

    Every step keeps one end outside and one inside (regula falsi). The value at an end that did not move is halved for
    the next step (Illinois): where a function is curved, that end would otherwise never move.

    Args:
        logits: Called once for each step.
        origins: Of the rays.
        directions: Of the rays, unit vectors.
        bracket: What `march` found.
        steps: Of the secant method.
    """
    low, high, at_low, at_high, hit = bracket
    depth = _root(low, high, at_low, at_high)
    last = torch.zeros_like(depth)
    for _ in range(steps):
        value = logits(points_on_rays(origins, directions, depth[..., None])).squeeze(-1)
        inside = value > 0
        side = torch.where(inside, 1.0, -1.0).to(depth)
        again = side == last
        at_low = torch.where(inside & again, at_low / 2, at_low)
        at_high = torch.where(~inside & again, at_high / 2, at_high)
        low, at_low = torch.where(inside, low, depth), torch.where(inside, at_low, value)
        high, at_high = torch.where(inside, depth, high), torch.where(inside, value, at_high)
        last, depth = side, _root(low, high, at_low, at_high)
    return torch.where(hit, depth, bracket.high), hit


def find_surface(
    logits: LogitsAt, origins: Vectors, directions: Vectors, near: Depths, far: Depths, steps: int,
    refinements: int = 8,
) -> tuple[Depths, Hits]:
    """Where rays first cross occupancy 0.5: depth (far where nothing is hit) and hit, without gradients.

    `march` and `secant` (UNISURF, section 3.2).

    Args:
        logits: Of occupancy, at positions.
        origins: Of the rays.
        directions: Of the rays, unit vectors.
        near: Where the search starts.
        far: Where it ends.
        steps: Of `march`.
        refinements: Steps of `secant`.
    """
    bracket = march(logits, origins, directions, near, far, steps)
    return secant(logits, origins, directions, bracket, refinements)


def sample_interval(
    depth: Depths, hit: Hits, near: Depths, far: Depths, half_width: Float[Tensor, ""] | float, inner: int, outer: int,
    jitter: Samples | None = None,
) -> Samples:
    """Depths of a ray's samples in rising order, `outer` + `inner` of them (UNISURF, section 3.2 and equation 8).

    Args:
        depth: Of the surface.
        hit: Whether a ray has one; if not, its samples lie between near and far.
        near: Where the ray enters the cube.
        far: Where it leaves it.
        half_width: Half the length of the interval about the surface, in units of the frame; cut to the cube.
        inner: Samples in the interval.
        outer: Samples in the free space before the interval.
        jitter: Uniform on [0, 1): the position of each sample in its own equal part of the interval or of the free
            space. None: the middle.
    """
    low = torch.where(hit, torch.maximum(depth - half_width, near), near)
    high = torch.where(hit, torch.minimum(depth + half_width, far), far)
    share = outer / (outer + inner)
    low = torch.where(hit, low, near + share * (far - near))
    place = 0.5 if jitter is None else jitter
    parts = torch.cat([(torch.arange(count) + torch.zeros(count)) / count for count in (outer, inner) if count])
    sizes = torch.cat([torch.full((count,), 1 / count) for count in (outer, inner) if count])
    places = parts.to(near) + sizes.to(near) * place  # [..., N] in [0, 1) of the stretch
    outside = (torch.arange(outer + inner, device=near.device) < outer)
    start = torch.where(outside, near[..., None], low[..., None])
    end = torch.where(outside, low[..., None], high[..., None])
    return start + (end - start) * places


def stratified(near: Depths, far: Depths, count: int, jitter: Samples | None = None) -> Samples:
    """Depths of samples, one in each of `count` equal parts of near to far (NeRF, equation 2).

    Args:
        near: Where rays enter the cube.
        far: Where they leave it.
        count: Samples of a ray.
        jitter: Uniform on [0, 1): the position of each sample in its part. None: the middle.
    """
    places = (torch.arange(count, device=near.device, dtype=near.dtype) + (0.5 if jitter is None else jitter)) / count
    return near[..., None] + (far - near)[..., None] * places


def points_on_rays(origins: Vectors, directions: Vectors, depths: Samples) -> Float[Tensor, "*rays samples 3"]:
    """The positions of samples at these depths of their rays."""
    return origins[..., None, :] + depths[..., None] * directions[..., None, :]


def occupancy_weights(occupancy: Samples) -> Samples:
    """The weight of each sample in its ray's colour: o_i prod_{j<i} (1 - o_j) (UNISURF, equation 4)."""
    through = torch.cumprod(1 - occupancy, -1)
    before = torch.cat([torch.ones_like(through[..., :1]), through[..., :-1]], -1)
    return occupancy * before


def density_weights(density: Samples, depths: Samples, far: Depths) -> Samples:
    """The weight of each sample in its ray's colour, from densities (NeRF, equation 3).

    A part of a ray has the occupancy 1 - exp(-density * length). A sample's part reaches to the next sample, the last
    one's to far.

    Args:
        density: In 1 / units of the frame.
        depths: Of the samples, in rising order.
        far: Where the rays leave the cube.
    """
    lengths = torch.cat([depths[..., 1:], far[..., None]], -1) - depths
    return occupancy_weights(-torch.expm1(-density * lengths))


def composite(
    weights: Samples, colours: Float[Tensor, "*rays samples channels"], background: Float[Tensor, "..."] | float
) -> tuple[Float[Tensor, "*rays channels"], Depths]:
    """The colour of each ray over a background, and the mask: the fraction of its light that comes from the object.

    Args:
        weights: Of the samples.
        colours: Of the samples.
        background: One value, or a shape that broadcasts with `[..., channels]`.
    """
    mask = weights.sum(-1)
    return (weights[..., None] * colours).sum(-2) + (1 - mask)[..., None] * background, mask


def _root(low: Depths, high: Depths, at_low: Depths, at_high: Depths) -> Depths:
    """The depth at which the line through both ends is 0; the middle where the line is level."""
    rise = at_high - at_low
    share = torch.where(rise.abs() < 1e-12, torch.full_like(rise, 0.5), -at_low / torch.where(rise == 0, 1.0, rise))
    return low + (high - low) * share.clamp(0, 1)
