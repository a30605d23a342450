"""Occupancy fields: the sphere before training, what each code decides, normals, and parameters counted by hand."""

import pytest
import torch
import torch.nn.functional as F

from maquette.nets.occupancy_fields import ColourField, OccupancyMLP, OccupancyPlanes

MLPS = {"paper": (128, 256, 8, 6, 256), "narrow": (6, 64, 4, 2, 8)}


def mlp(size: str, radius: float = 0.3) -> OccupancyMLP:
    torch.manual_seed(0)
    return OccupancyMLP(*MLPS[size], radius=radius)


def planes(radius: float = 0.3, **keys) -> OccupancyPlanes:
    torch.manual_seed(0)
    keys = {"code": 6, "side": 8, "plane_features": 3, "plane_width": 8, "width": 16, "depth": 2, "features": 4, **keys}
    return OccupancyPlanes(radius=radius, **keys)


def trained_a_little(field, by: float = 0.05):
    """Its weights moved, so that every input counts."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.add_(by * torch.randn_like(parameter))
    return field


@pytest.mark.parametrize("radius", [0.2, 0.35])
@pytest.mark.parametrize("name", [*MLPS, "planes"])
def test_before_training_every_code_is_a_sphere_to_5_percent(name, radius):
    """And, by narrow networks, which have too few features for it, to 12."""
    within = 0.12 if name == "narrow" else 0.05
    field = planes(radius) if name == "planes" else mlp(name, radius)
    codes = 3 * torch.randn(2, 6 if name == "planes" else field.code)
    directions = F.normalize(torch.randn(300, 3), dim=1)
    points = torch.cat([torch.rand(1500, 3) - 0.5, (1 - within) * radius * directions,
                        (1 + within) * radius * directions])
    distance = points.norm(dim=1)
    with torch.no_grad():
        logits, features = field.occupancy(points.expand(2, -1, -1), field.precompute(codes))
    assert features.shape == (2, 2100, field.features)
    for found in logits:
        assert (found[distance <= (1.0001 - within) * radius] > 0).all()
        assert (found[distance >= (0.9999 + within) * radius] < 0).all()


@pytest.mark.parametrize("name", ["narrow", "planes"])
def test_the_shape_code_decides_the_geometry(name):
    field = trained_a_little(planes() if name == "planes" else mlp(name))
    points, codes = torch.rand(2, 50, 3) - 0.5, torch.randn(2, 6)
    logits = [field.occupancy(points, field.precompute(given))[0] for given in (codes, codes + 1)]
    assert (logits[0] - logits[1]).abs().amax(1).min() > 1e-3
    alone = field.occupancy(points[1:], field.precompute(codes[1:]))[0]
    assert torch.allclose(alone, logits[0][1:], atol=1e-4), "each image by its own code"


@pytest.mark.parametrize("name", ["narrow", "planes"])
def test_normals_are_the_finite_differences(name):
    field = (planes() if name == "planes" else trained_a_little(mlp(name), 0.01)).double()
    points = 0.4 * (torch.rand(1, 40, 3, dtype=torch.float64) - 0.5)
    shape = field.precompute(torch.randn(1, 6, dtype=torch.float64))
    logits, features, normals = field.with_normals(points, shape)
    plain = field.occupancy(points, shape)
    assert torch.allclose(logits, plain[0]) and torch.allclose(features, plain[1])
    slope = torch.zeros_like(points)
    for axis in range(3):
        reach = 1e-5 * torch.eye(3, dtype=torch.float64)[axis]
        above, below = (field.occupancy(points + way, shape)[0] for way in (reach, -reach))
        slope[..., axis] = (above - below) / 2e-5
    known = -slope / slope.norm(dim=-1, keepdim=True)
    far_out = points.norm(dim=-1) > 0.15  # the sphere's middle has no normal, and a tetrahedron is half a cell large
    assert torch.allclose(normals.norm(dim=-1), torch.ones(1, 40, dtype=torch.float64), atol=1e-6)
    assert (normals - known).norm(dim=-1)[far_out].max() < (0.15 if name == "planes" else 1e-4)
    assert normals.requires_grad
    with torch.no_grad():
        assert torch.allclose(field.with_normals(points, shape)[2], normals) and far_out.sum() > 10
        assert not field.with_normals(points, shape)[2].requires_grad


def test_each_plane_is_blind_to_one_axis_and_the_march_goes_by_corners():
    field = trained_a_little(planes())
    shape, read = field.precompute(torch.randn(1, 6)), []
    field.layers[0].register_forward_hook(lambda _, inputs, __: read.append(inputs[0][0, :, :9].view(-1, 3, 3)))
    point = torch.rand(1, 1, 3) - 0.5
    moved = point + 0.3 * torch.eye(3)[None]  # along x, y, z
    field.occupancy(torch.cat([point, moved], 1), shape)
    same = (read[0][1:] == read[0][:1]).all(2)  # [axis, plane]
    assert same.tolist() == [[False, False, True], [False, True, False], [True, False, False]]
    corners = torch.tensor([[[-0.5, 0.25, 0.5], [0.125, 0, -0.375], [0.5, 0.5, 0.5]]])
    with torch.no_grad():
        assert torch.allclose(field.search(shape)(corners, None), field.occupancy(corners, shape)[0], atol=1e-5)


@pytest.mark.parametrize("name", ["narrow", "planes"])
def test_points_of_all_images_in_one_row_read_their_own(name):
    """Also on and beyond the border of the planes, where a neighbour's values lie."""
    field = trained_a_little(planes() if name == "planes" else mlp(name))
    codes = torch.randn(3, 6)
    points = torch.cat([1.2 * torch.rand(3, 40, 3) - 0.6, torch.full((3, 1, 3), 0.5), torch.full((3, 1, 3), -0.5)], 1)
    shape = field.precompute(codes)
    image_index = torch.arange(3).repeat_interleave(42)
    for found, known in zip(
        field.with_normals(points.view(1, -1, 3), shape, image_index), field.with_normals(points, shape), strict=True
    ):
        assert torch.allclose(found.reshape(known.shape), known, atol=1e-4)
    found = field.search(shape)(points.view(1, -1, 3), image_index)
    assert torch.allclose(found.view(3, 42), field.search(shape)(points, None), atol=1e-4)
    apart = field.occupancy(points, shape)[0]
    assert (apart[0] - apart[1]).abs().max() > 1e-2


def test_the_papers_networks_have_the_parameters_of_their_layers():
    """By hand: 39 values of a position and 128 of the code at the first and the fifth layer, 27 of a direction."""
    occupancy = OccupancyMLP(128, 256, 8, 6, 256, 0.3)
    assert sum(p.numel() for p in occupancy.parameters()) == (
        (39 + 128 + 1) * 256 + 6 * 257 * 256 + (256 + 39 + 128 + 1) * 256 + 257 * 257)
    colour = ColourField(256, 128, 256, 4, 4, 3, normal_per_ray=False)
    assert sum(p.numel() for p in colour.parameters()) == (6 + 27 + 256 + 128 + 1) * 256 + 3 * 257 * 256 + 257 * 3
