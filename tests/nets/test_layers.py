"""Layers on codes beside values, as linear layers on both; the positional encoding in closed form."""

import math

import torch
import torch.nn.functional as F

from maquette.nets.layers import ConditionedLinear, ViewConditionedLinear, bounded, encoding_dim, positional_encoding


def test_a_log_variance_is_bounded_but_its_gradient_is_not():
    beyond = torch.tensor([-40.0, 0.5, 40.0], requires_grad=True)
    bounded(beyond).sum().backward()
    assert torch.equal(bounded(beyond), torch.tensor([-12.0, 0.5, 8.0])) and beyond.grad.tolist() == [1, 1, 1]


def test_the_encoding_in_closed_form():
    values = torch.tensor([[0.25, -0.5, 1.0]])
    found = positional_encoding(values, 2)
    turns = [[math.pi * value for value in values[0].tolist()], [2 * math.pi * value for value in values[0].tolist()]]
    expected = values[0].tolist()
    for row in turns:
        expected += [math.sin(turn) for turn in row] + [math.cos(turn) for turn in row]
    assert torch.allclose(found[0], torch.tensor(expected), atol=1e-6) and found.shape[1] == encoding_dim(2) == 15
    assert torch.equal(positional_encoding(values, 0), values) and (encoding_dim(10), encoding_dim(4)) == (63, 27)


def test_a_code_beside_values_is_a_linear_layer_on_both():
    layer, values, code = ConditionedLinear(5, 3, 7), torch.randn(2, 4, 5), torch.randn(2, 3)
    both = torch.cat([values, code[:, None].expand(-1, 4, -1)], 2)
    assert torch.allclose(layer(values, code), F.linear(both, layer.weight, layer.bias), atol=1e-5)


def test_a_rays_values_count_once_for_each_of_its_points():
    """The layer is one on points', rays' and images' values side by side."""
    layer = ViewConditionedLinear(3, 2, 4, 5)
    values, of_ray, code = torch.randn(1, 12, 3), torch.randn(1, 6, 2), torch.randn(3, 4)
    image_index = torch.tensor([0, 2, 1, 1, 0, 2])
    rays_of = torch.arange(6).repeat_interleave(2)
    whole = torch.cat([values[0], of_ray[0, rays_of], code[image_index[rays_of]]], 1)
    weight = torch.cat([layer.point.weight, layer.weight], 1)
    assert torch.allclose(layer(values, of_ray, code, image_index)[0], F.linear(whole, weight, layer.bias), atol=1e-6)
