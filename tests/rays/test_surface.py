"""The search against spheres and boxes, samples, and colours put together against loops and finite differences."""

import math

import pytest
import torch
import torch.nn.functional as F

from maquette.rays import sampling as rays
from maquette.rays import surface


def some_rays(count: int = 300, seed: int = 0):
    """Rays in float64 from outside, most of which meet the cube, and their spans."""
    generator = torch.Generator().manual_seed(seed)
    origins = 1.5 * F.normalize(torch.randn(count, 3, generator=generator, dtype=torch.float64), dim=1)
    targets = 0.9 * (torch.rand(count, 3, generator=generator, dtype=torch.float64) - 0.5)
    directions = F.normalize(targets - origins, dim=1)
    return origins, directions, *rays.intersect_box(origins, directions)[:2]


def sphere_depth(origins, directions, radius):
    points_on_rays = (origins * directions).sum(1)
    under = points_on_rays.square() - origins.square().sum(1) + radius**2
    return -points_on_rays - under.clamp(min=0).sqrt(), under > 0


@pytest.mark.parametrize("power, accuracy", [(1, 1e-9), (6, 1e-5)])
def test_the_search_finds_a_sphere(power, accuracy):
    """Also where the function is bent, so that the plain secant would crawl from one side."""
    origins, directions, near, far = some_rays()

    def logits(x):
        return 0.3**power - x.norm(dim=-1) ** power

    depth, hit = surface.find_surface(logits, origins, directions, near, far, 64)
    known, meets = sphere_depth(origins, directions, 0.3)
    sure = ((origins - (origins * directions).sum(1, keepdim=True) * directions).norm(dim=1) - 0.3).abs() > 0.002
    assert torch.equal(hit[sure], meets[sure]) and 80 < int(hit.sum()) < 280
    assert (depth - known).abs()[hit & sure].max() < accuracy
    assert torch.allclose(depth[~hit], far[~hit], atol=1e-12)
    march_only = surface.find_surface(logits, origins, directions, near, far, 64, 0)[0]
    assert (march_only - known).abs()[hit & sure].max() < 2 / 64
    assert power == 1 or (march_only - known).abs()[hit & sure].max() > 1e-4


def test_the_search_finds_a_box_and_its_first_side():
    origins, directions, near, far = some_rays()
    half = torch.tensor([0.2, 0.35, 0.1], dtype=torch.float64)
    depth, hit = surface.find_surface(lambda x: 1 - (x / half).abs().amax(-1), origins, directions, near, far, 256)
    entered, left, meets = rays.intersect_box(origins / (2 * half), directions / (2 * half))  # scaled to the cube
    sure = (left - entered > 0.01) | ~meets
    assert torch.equal(hit[sure], meets[sure]) and (depth - entered).abs()[hit & sure].max() < 1e-6
    assert int((hit & sure).sum()) > 100


def test_a_ray_that_starts_inside_is_there_at_once():
    origins = torch.tensor([[0.0, 0.0, -0.1]])
    directions = torch.tensor([[0.0, 0.0, 1.0]])
    near, far, _ = rays.intersect_box(origins, directions)
    depth, hit = surface.find_surface(lambda x: 0.3 - x.norm(dim=-1), origins, directions, near, far, 8)
    assert hit.all() and depth.item() == 0
    missing = surface.find_surface(lambda x: 0.3 - x.norm(dim=-1), origins + 5, directions, near, near, 8)
    assert not missing[1].any()


def test_samples_lie_in_the_interval_and_before_it():
    near, far = torch.tensor([1.0, 1.0, 1.0]), torch.tensor([2.0, 2.0, 2.0])
    depth, hit = torch.tensor([1.5, 1.05, 2.0]), torch.tensor([True, True, False])
    middles = surface.sample_interval(depth, hit, near, far, 0.1, 4, 2)
    assert torch.allclose(middles[0], torch.tensor([1.1, 1.3, 1.425, 1.475, 1.525, 1.575]))
    assert torch.allclose(middles[1], torch.tensor([1.0, 1.0, 1.01875, 1.05625, 1.09375, 1.13125]))
    assert torch.allclose(middles[2], 1 + (torch.arange(6) + 0.5) / 6), "without a surface all along the ray"
    ends = [surface.sample_interval(depth, hit, near, far, 0.1, 4, 2, torch.full((3, 6), at)) for at in (0.0, 1.0)]
    assert torch.allclose(ends[0][:, 1:], ends[1][:, :-1])
    assert torch.equal(ends[0][:, 0], near) and torch.allclose(ends[1][:, -1], torch.tensor([1.6, 1.15, 2.0]))
    only = surface.sample_interval(depth, hit, near, far, torch.tensor(0.1), 4, 0)
    assert torch.allclose(only[0], middles[0, 2:])
    assert torch.allclose(surface.stratified(near, far, 4)[0], torch.tensor([1.125, 1.375, 1.625, 1.875]))
    jittered = surface.stratified(near, far, 4, torch.full((3, 4), 0.9))
    assert torch.allclose(jittered[0], torch.tensor([1.225, 1.475, 1.725, 1.975]))


def test_compositing_is_the_loop_over_samples():
    generator = torch.Generator().manual_seed(0)
    density = 9 * torch.rand(5, 7, generator=generator, dtype=torch.float64)
    depths = torch.rand(5, 7, generator=generator, dtype=torch.float64).sort(dim=1)[0]
    far, background = torch.full((5,), 1.2, dtype=torch.float64), torch.rand(5, 3, dtype=torch.float64)
    colours = torch.rand(5, 7, 3, generator=generator, dtype=torch.float64)
    occupancy = torch.rand(5, 7, generator=generator, dtype=torch.float64)
    occupancy[0, 3] = 1.0
    for weights, opaque in (
        (surface.occupancy_weights(occupancy), lambda ray, i: float(occupancy[ray, i])),
        (surface.density_weights(density, depths, far), lambda ray, i: 1 - math.exp(-float(
            density[ray, i] * ((depths[ray, i + 1] if i < 6 else far[ray]) - depths[ray, i])))),
    ):
        found, mask = surface.composite(weights, colours, background)
        for ray in range(5):
            left, colour = 1.0, torch.zeros(3, dtype=torch.float64)
            for i in range(7):
                colour += left * opaque(ray, i) * colours[ray, i]
                left *= 1 - opaque(ray, i)
            assert torch.allclose(found[ray], colour + left * background[ray], atol=1e-12)
            assert mask[ray].item() == pytest.approx(1 - left, abs=1e-12)
    assert surface.occupancy_weights(occupancy)[0, 4:].abs().max() == 0, "nothing is seen behind what is solid"


def test_gradients_of_compositing_are_the_finite_differences():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    colours = torch.rand(3, 5, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    depths = torch.rand(3, 5, generator=generator, dtype=torch.float64).sort(dim=1)[0]
    far = torch.ones(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda a, c: surface.composite(surface.occupancy_weights(a.sigmoid()), c, 1.0), (logits, colours))
    assert torch.autograd.gradcheck(
        lambda a, c: surface.composite(surface.density_weights(a.exp(), depths, far), c, 1.0), (logits, colours))
