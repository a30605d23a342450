"""Rays through a field: the search for its surface, samples about it, and colours put together along a ray.

UNISURF: Oechsle, Peng, Geiger, ICCV 2021 (arXiv 2104.10078), sections 3.1 and 3.2; the density form is NeRF's and
GRAF's (Mildenhall et al. 2020, equation 3). Depths are distances along unit directions, in units of the frame. Leading
axes `...` are any number of rays.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Logits = Callable[[Tensor], Tensor]
"""Positions `[..., 3]` to occupancy logits `[...]`: above 0 inside."""


@torch.no_grad()
def march(logits: Logits, origins: Tensor, directions: Tensor, near: Tensor, far: Tensor, steps: int) -> tuple:
    """The first step of a ray that goes from outside to inside: the depths and logits of its two ends, and `hit`.

    logits is asked once, for all `steps` + 1 equally spaced depths of all rays. A ray that starts inside is a hit at
    its start (low = high). Without a crossing both ends are far.

    Returns:
        (low, high, at low, at high, hit), `[...]` each.
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
    return (pick(depths, low), pick(depths, high), pick(values, low), pick(values, high), (starts & (far > near)) | hit)


@torch.no_grad()
def secant(logits: Logits, origins: Tensor, directions: Tensor, found: tuple, steps: int) -> tuple[Tensor, Tensor]:
    """The crossing between the two ends that `march` found, by the secant method: depth and hit, `[...]` each.

    Each of the `steps` keeps the two signs apart (regula falsi). An end that stayed where it was counts half in the
    next step (Illinois), without which a bent function leaves it there for ever.
    """
    low, high, at_low, at_high, hit = found
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
    return torch.where(hit, depth, found[1]), hit


def find_surface(
    logits: Logits, origins: Tensor, directions: Tensor, near: Tensor, far: Tensor, steps: int, refinements: int = 8
) -> tuple[Tensor, Tensor]:
    """Where rays `[..., 3]` first cross occupancy 0.5: depth and hit, `[...]` each; no gradient passes.

    `march` and `secant` (UNISURF, section 3.2). depth is far where nothing is hit.
    """
    found = march(logits, origins, directions, near, far, steps)
    return secant(logits, origins, directions, found, refinements)


def sample_interval(
    depth: Tensor, hit: Tensor, near: Tensor, far: Tensor, half_width: Tensor | float, inner: int, outer: int,
    jitter: Tensor | None = None,
) -> Tensor:
    """Depths of a ray's samples, rising, `[..., outer + inner]` (UNISURF, section 3.2 and equation 8).

    `inner` of them lie in depth - half_width to depth + half_width, `outer` in the free space before, both cut to the
    cube; a ray that hits nothing has all of them between near and far.

    Args:
        jitter: Uniform on [0, 1), of the result's shape, moves each sample within its equal part of the stretch; the
            middle of it without.
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


def stratified(near: Tensor, far: Tensor, count: int, jitter: Tensor | None = None) -> Tensor:
    """Depths `[..., count]` in the middles of equal parts of near to far, or anywhere in each by `jitter` (NeRF)."""
    places = (torch.arange(count, device=near.device, dtype=near.dtype) + (0.5 if jitter is None else jitter)) / count
    return near[..., None] + (far - near)[..., None] * places


def points_on_rays(origins: Tensor, directions: Tensor, depths: Tensor) -> Tensor:
    """Positions `[..., N, 3]` at depths `[..., N]` of rays `[..., 3]`."""
    return origins[..., None, :] + depths[..., None] * directions[..., None, :]


def occupancy_weights(occupancy: Tensor) -> Tensor:
    """What each sample gives to its ray: o_i prod_{j<i} (1 - o_j), `[..., N]` (UNISURF, equation 4)."""
    through = torch.cumprod(1 - occupancy, -1)
    before = torch.cat([torch.ones_like(through[..., :1]), through[..., :-1]], -1)
    return occupancy * before


def density_weights(density: Tensor, depths: Tensor, far: Tensor) -> Tensor:
    """The same for a density `[..., N]` in 1 / units of the frame: the occupancy of a part is 1 - exp(-density length).

    A sample's part reaches to the next one, the last one's to far (NeRF, equation 3).
    """
    lengths = torch.cat([depths[..., 1:], far[..., None]], -1) - depths
    return occupancy_weights(-torch.expm1(-density * lengths))


def composite(weights: Tensor, colours: Tensor, background: Tensor | float) -> tuple[Tensor, Tensor]:
    """Colours `[..., N, C]` by weights `[..., N]` over a background: colour `[..., C]` and the foreground's mask.

    The mask, `[...]`, is the share of a ray that ends on the object.

    Args:
        background: One value, or of a shape that goes with `[..., C]`.
    """
    mask = weights.sum(-1)
    return (weights[..., None] * colours).sum(-2) + (1 - mask)[..., None] * background, mask


def _root(low: Tensor, high: Tensor, at_low: Tensor, at_high: Tensor) -> Tensor:
    """Where the line through both ends is 0; the middle where it is level."""
    rise = at_high - at_low
    share = torch.where(rise.abs() < 1e-12, torch.full_like(rise, 0.5), -at_low / torch.where(rise == 0, 1.0, rise))
    return low + (high - low) * share.clamp(0, 1)
