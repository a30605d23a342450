"""Layers of image networks against closed forms: equalised learning rates, pixel norm, doubling convolutions."""

import math

import pytest
import torch
from torch import nn

from maquette.nets.image_layers import DoublingConv, PixelNorm, initialised


@pytest.mark.parametrize("layer, inputs", [
    (nn.Conv2d(24, 40, 4, 2, 1), 24 * 16), (nn.ConvTranspose2d(24, 40, 4, 2, 1), 24 * 4),
    (nn.ConvTranspose2d(24, 40, (4, 2), (1, 2), 2), 24 * 4), (nn.Linear(300, 40), 300),
])
def test_equalised_layers_keep_the_law(layer, inputs):
    """Used weights are the kept ones times sqrt(2 / inputs); unit inputs give a variance of 2; Adam moves by lr."""
    torch.manual_seed(0)
    layer = initialised(layer, equalised=True)
    kept = layer.parametrizations.weight.original
    assert kept.std().item() == pytest.approx(1, rel=0.05) and not layer.bias.any()
    assert torch.allclose(layer.weight, kept * math.sqrt(2 / inputs), rtol=1e-6)
    given = torch.randn(64, 300) if isinstance(layer, nn.Linear) else torch.randn(64, 24, 16, 16)
    made = layer(given)
    inside = made if made.dim() == 2 else made[:, :, 3:-3, 3:-3]
    assert inside.var().item() == pytest.approx(2, rel=0.1)
    before = layer.weight.detach().clone()
    optimiser = torch.optim.Adam(layer.parameters(), 0.01)
    layer.weight.sum().backward()
    optimiser.step()
    assert torch.allclose(layer.weight, before - 0.01 * math.sqrt(2 / inputs), atol=1e-6)
    plain = initialised(nn.Conv2d(24, 40, 4), equalised=False)
    assert plain.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_pixel_norm():
    x = torch.randn(2, 6, 5, 7)
    assert torch.allclose(PixelNorm()(x).square().mean(1), torch.ones(2, 5, 7), atol=1e-3)


@pytest.mark.parametrize("kind", ["resize", "blur"])
@pytest.mark.parametrize("replicate", [True, False])
def test_a_doubling_convolution_is_zeros_a_low_pass_and_a_convolution(kind, replicate):
    layer = DoublingConv(6, 4, kind, replicate, bias=True).double()
    x = torch.randn(2, 6, 5, 7, dtype=torch.float64)
    around = nn.functional.pad(x, (2, 2, 2, 2), mode="replicate" if replicate else "constant")  # more than is seen
    spread = x.new_zeros(2, 6, 18, 22)
    spread[:, :, ::2, ::2] = around
    low_pass = torch.tensor({"resize": [1, 1], "blur": [0.5, 1, 0.5]}[kind], dtype=torch.float64)
    kernel = torch.outer(low_pass, low_pass).expand(6, 1, -1, -1)
    doubled = nn.functional.conv2d(nn.functional.pad(spread, (1, 0, 1, 0)), kernel, groups=6)
    if kind == "resize":
        inside = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        assert torch.equal(doubled[:, :, 4:14, 4:18], inside)
    first = 3 if kind == "resize" else 2
    doubled = doubled[:, :, first : first + 12 + (kind == "blur"), first : first + 16 + (kind == "blur")]
    expected = nn.functional.conv2d(doubled, layer.weight, layer.bias)
    assert expected.shape == (2, 4, 10, 14) and torch.allclose(layer(x), expected, atol=1e-12)
    ours, theirs = (torch.autograd.grad(y.square().sum(), layer.weight)[0] for y in (layer(x), expected))
    assert torch.allclose(ours, theirs, atol=1e-9)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.float()(x.float()).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", ["resize", "blur"])
def test_a_doubling_makes_no_checkerboard(kind):
    """Of one value all over, whatever the weights are; a transposed convolution 4x4 makes one."""
    grid = torch.ones(1, 6, 5, 7)
    checks = (-1.0) ** torch.arange(10)[:, None] * (-1.0) ** torch.arange(14)
    layer, free = DoublingConv(6, 4, kind, True, bias=True), nn.ConvTranspose2d(6, 4, 4, 2, 1)
    made, checked = ((each(grid) * checks).mean((2, 3)).abs().max() for each in (layer, free))
    assert made < 1e-6 < 1e-3 < checked
