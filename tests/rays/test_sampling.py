"""Cameras, rays, patches and schedules: against the renderer's camera, by hand and in closed form."""

import math

import numpy as np
import pytest
import torch

from maquette.rays import sampling as rays
from maquette.rays import schedules
from maquette.rendering import Camera


@pytest.mark.parametrize("azimuth, elevation, fov, zoom", [(0, 0, 40, 1.0), (123, 35, 10, 1.3), (-70, -20, 60, 0.8)])
def test_views_are_those_of_the_renderers_camera(azimuth, elevation, fov, zoom):
    camera = Camera(azimuth, elevation, fov, 7, zoom=zoom)
    seen = math.degrees(2 * math.atan(math.tan(math.radians(fov) / 2) / zoom))  # by the zoomed picture
    values = (torch.tensor([float(x)], dtype=torch.float64) for x in (azimuth, elevation, camera.distance))
    view = rays.views(*values, seen)
    origins, directions = view.rays(rays.pixel_places(7, view.positions)[None])
    expected = camera.rays()
    for found, known in zip((origins, directions), expected, strict=True):
        assert found.shape == (1, 49, 3) and np.allclose(found[0].numpy(), known, atol=2e-6)


def test_cameras_are_drawn_between_the_bounds():
    draws = torch.tensor([[0.0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5]], dtype=torch.float64)
    found = rays.sample_cameras(draws, (10, 200), (-10, 60), (2, 4), 30)
    middle = math.degrees(math.asin((math.sin(math.radians(-10)) + math.sin(math.radians(60))) / 2))
    known = [(10, -10, 2), (200, 60, 4), (105, middle, 3)]
    expected = rays.views(*torch.tensor(known, dtype=torch.float64).unbind(1), 30)
    for name in ("positions", "axes", "focal"):
        assert torch.allclose(getattr(found, name), getattr(expected, name), atol=1e-12)
    many = rays.sample_cameras(torch.rand(4000, 3), (0, 360), (-90, 90), (3, 3), 30).positions
    assert many.mean(0).norm() < 0.05 * many[0].norm(), "uniform on the sphere"
    assert len(found[1:]) == 2 and torch.equal(found[1:].focal, found.focal[1:])


def test_patches_lie_inside_at_every_scale_and_offset():
    draws = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    draws[0], draws[1] = 0, torch.tensor([0, 1.0, 1.0])
    for smallest in (0.25, 0.8):
        places = rays.patch_places(draws, smallest, 8).view(500, 8, 8, 2)
        step = places[:, 0, 1, 0] - places[:, 0, 0, 0]
        scale = 8 * step
        assert torch.allclose(scale, smallest + (1 - smallest) * draws[:, 0], atol=1e-5)
        edges = places.flatten(1, 2).amin(1) - step[:, None] / 2, places.flatten(1, 2).amax(1) + step[:, None] / 2
        assert edges[0].min() >= -1e-5 and edges[1].max() <= 1 + 1e-5
        assert torch.allclose(edges[0][0], torch.zeros(2), atol=1e-6) and torch.allclose(edges[1][1], torch.ones(2))
        offset = edges[0] / (1 - scale[:, None]).clamp(min=1e-6)
        assert torch.allclose(offset[10:], draws[10:, 1:], atol=1e-3)
    whole = rays.patch_places(draws, 1.0, 8)
    assert torch.allclose(whole, rays.pixel_places(8, draws).expand_as(whole))


def test_what_is_looked_up_is_what_is_there():
    images = torch.rand(3, 2, 8, 8)
    assert torch.allclose(rays.sample_image(images, rays.pixel_places(8, images).expand(3, -1, -1)), images, atol=1e-6)
    middles = rays.pixel_places(16, images).view(16, 16, 2)
    ramps = middles.permute(2, 0, 1)[None]  # right, down
    places = rays.patch_places(torch.tensor([[0.0, 0.3, 0.6]]), 0.5, 4)
    assert torch.allclose(rays.sample_image(ramps, places)[0].flatten(1).T, places[0], atol=1e-6)


def test_rays_enter_and_leave_the_cube():
    generator = torch.Generator().manual_seed(0)
    origins = torch.nn.functional.normalize(torch.randn(400, 3, generator=generator), dim=1) * 2
    targets = 0.8 * (torch.rand(400, 3, generator=generator) * 2 - 1)
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    directions[0], origins[0] = torch.tensor([0.0, 1, 0]), torch.tensor([0.1, -2.0, 0.3])
    near, far, hits_box = rays.intersect_box(origins, directions)
    assert hits_box[0] and near[0].item() == pytest.approx(1.5) and far[0].item() == pytest.approx(2.5)
    for depth in (near, far):
        reached = (origins + depth[:, None] * directions).abs().amax(1)
        assert torch.allclose(reached[hits_box], torch.full_like(reached[hits_box], 0.5), atol=1e-5)
    steps = torch.linspace(0, 4, 2001)
    inside = ((origins[:, None] + steps[:, None] * directions[:, None]).abs().amax(2) < 0.499).any(1)
    assert (
        not inside[~hits_box].any()
        and 0.4 < hits_box.float().mean() < 0.9
        and torch.equal(near[~hits_box], far[~hits_box])
    )
    inner = rays.intersect_box(torch.zeros(1, 3), torch.tensor([[0.0, 0, 1]]))
    assert [float(value) for value in inner] == [0, 0.5, 1]


def test_schedules_in_closed_form():
    assert [schedules.interval_half_width(k, 0.5, 0.1, 0.1) for k in (0, 10, 10**6)] == [
        0.5, 0.5 * math.exp(-1), 0.1]
    assert [schedules.smallest_scale(k, 0.0025, 0.25) for k in (0, 100, 10**5)] == [1, math.exp(-0.25), 0.25]
    assert [schedules.linear_decay(k, 2.0, 10) for k in (0, 5, 10, 11)] == [2, 1, 0, 0]
    assert schedules.linear_decay(0, 2.0, 0) == 0
