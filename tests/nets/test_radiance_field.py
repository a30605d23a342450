"""GRAF's field: its parameters counted by hand, and what its density depends on."""

import torch
import torch.nn.functional as F

from maquette.nets.radiance_field import RadianceField


def test_grafs_network_has_the_parameters_of_its_layers():
    """By hand: 63 values of a position and 128 of the code at the first and the sixth layer, 27 of a direction."""
    field = RadianceField(128, 128, 256, 8, 10, 4, 3)
    layers = (63 + 128 + 1) * 256 + 6 * 257 * 256 + (256 + 63 + 128 + 1) * 256
    heads = 257 + 257 * 256 + (256 + 27 + 128 + 1) * 128 + 129 * 3
    assert sum(p.numel() for p in field.parameters()) == layers + heads


def test_density_is_of_position_and_shape_alone():
    field = RadianceField(4, 5, 16, 4, 3, 2, 3)
    points, directions = torch.rand(2, 9, 3) - 0.5, F.normalize(torch.randn(2, 9, 3), dim=2)
    shape, appearance = torch.randn(2, 4), torch.randn(2, 5)
    density, colour = field(points, directions, shape, appearance)
    for others in ((-directions, shape, appearance), (directions, shape, appearance + 1)):
        again, other = field(points, *others)
        assert torch.equal(density, again) and not torch.allclose(colour, other, atol=1e-5)
    assert not torch.allclose(density, field(points, directions, shape + 1, appearance)[0], atol=1e-4)
    assert colour.abs().max() <= 1
