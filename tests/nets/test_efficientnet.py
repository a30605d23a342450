"""EfficientNet-Lite0: its sizes, and folded norms against convolutions with batch norms."""

import pytest
import torch
import torch.nn.functional as F

from maquette.nets.efficientnet import MAPS, STAGES, STEM, EfficientNetLite0, fold


def unfolded(seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights under the names of the package's file."""
    noise = torch.Generator().manual_seed(seed)

    def conv(name: str, out: int, inward: int, kernel: int, norm: str) -> dict[str, torch.Tensor]:
        return {
            f"{name}.weight": torch.randn(out, inward, kernel, kernel, generator=noise) * (inward * kernel**2) ** -0.5,
            f"{norm}.weight": torch.rand(out, generator=noise) + 0.5, f"{norm}.bias": torch.randn(out, generator=noise),
            f"{norm}.running_mean": torch.randn(out, generator=noise) * 0.1,
            f"{norm}.running_var": torch.rand(out, generator=noise) + 0.5,
        }

    tensors, inward, number = conv("_conv_stem", STEM, 3, 3, "_bn0"), STEM, 0
    for repeats, kernel, _, expansion, out in STAGES:
        for _ in range(repeats):
            name, wide = f"_blocks.{number}", inward * expansion
            if expansion > 1:
                tensors |= conv(f"{name}._expand_conv", wide, inward, 1, f"{name}._bn0")
            tensors |= conv(f"{name}._depthwise_conv", wide, 1, kernel, f"{name}._bn1")
            tensors |= conv(f"{name}._project_conv", out, wide, 1, f"{name}._bn2")
            inward, number = out, number + 1
    return tensors


def reference(tensors: dict[str, torch.Tensor], x: torch.Tensor) -> list[torch.Tensor]:
    """The network by functions alone, with its batch norms."""

    def layer(x, conv, norm, stride=1, groups=1):
        weight = tensors[f"{conv}.weight"]
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, groups=groups)
        values = [tensors[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *values, False, 0.0, 1e-3)

    x, number, kept = F.relu6(layer((x - 0.498) / 0.502, "_conv_stem", "_bn0", 2)), 0, []
    for repeats, _, stride, expansion, _ in STAGES:
        for again in range(repeats):
            name, inner = f"_blocks.{number}", x
            if expansion > 1:
                inner = F.relu6(layer(inner, f"{name}._expand_conv", f"{name}._bn0"))
            inner = F.relu6(layer(inner, f"{name}._depthwise_conv", f"{name}._bn1", 1 if again else stride,
                                  inner.shape[1]))
            inner = layer(inner, f"{name}._project_conv", f"{name}._bn2")
            x = x + inner if again and inner.shape == x.shape else inner
            number += 1
            kept += [x] if number - 1 in (0, 2, 4, 10, 15) else []
    return kept


def test_folded_norms_give_what_norms_give():
    tensors, net = unfolded(), EfficientNetLite0()
    fold(net, tensors)
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found, wanted = net(x), reference(tensors, x)
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()))


def test_maps_halve_and_frozen_blocks_have_no_gradient():
    net = EfficientNetLite0(frozen=5)
    kept = net(torch.rand(1, 1, 64, 64))
    assert [map.shape[1] for map in kept] == list(MAPS) and [map.shape[2] for map in kept] == [32, 16, 8, 4, 2]
    kept[-1].sum().backward()
    grads = [all(weight.grad is None for weight in block.parameters()) for block in net.blocks]
    assert grads == [True] * 5 + [False] * 11 and net.stem.weight.grad is None
    assert sum(weight.numel() for weight in net.parameters()) == pytest.approx(2.94e6, rel=0.01)
