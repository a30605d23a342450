"""Augmentation: one affine function for real and generated images, with a gradient, by whole pixels."""

import pytest
import torch

from maquette.nets.augment import DRAWS, augment, cutout, translate


def draws_of(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_augmentation_is_one_affine_function_for_real_and_made_images(channels):
    a, b = (torch.rand(8, channels, 16, 24) * 2 - 1 for _ in "ab")
    draws, mix = draws_of(8), torch.rand(8, 1, 1, 1)
    varied = augment(a, draws)
    assert torch.equal(varied, augment(a.clone(), draws)) and not torch.allclose(varied, a, atol=0.1)
    assert torch.allclose(augment(mix * a + (1 - mix) * b, draws), mix * varied + (1 - mix) * augment(b, draws),
                          atol=1e-5)
    assert torch.allclose(augment(a, draws, 0.0), a, atol=1e-6)
    some = augment(a, draws, torch.tensor(0.5))
    assert 0 < sum(torch.allclose(x, y, atol=1e-6) for x, y in zip(some, a, strict=True)) < 8


def test_what_augmentation_does_can_be_learned_through():
    images = torch.zeros(3, 1, 8, 16, requires_grad=True)
    draws = draws_of(3)
    augment(images, draws).square().sum().backward()
    assert images.grad.abs().sum((1, 2, 3)).min() > 0
    picture = torch.arange(1.0, 129).view(1, 1, 8, 16)
    chosen = torch.tensor([True])
    right_down = translate(picture, torch.tensor([[0.99, 0.99]]), chosen)  # an eighth of the sides: 2 right, 1 down
    assert torch.equal(right_down[0, 0, 1:, 2:], picture[0, 0, :-1, :-2])
    assert torch.equal(right_down[0, 0, 0, 2:], picture[0, 0, 0, :-2])
    assert torch.equal(right_down[0, 0, 1:, :2], picture[0, 0, :-1, :2].flip(1))
    assert torch.equal(translate(picture, torch.tensor([[0.5, 0.5]]), chosen), picture)
    assert torch.equal(translate(picture, torch.tensor([[0.99, 0.0]]), ~chosen), picture)
    cut = cutout(picture, torch.tensor([[0.5, 0.25]]), chosen)[0, 0] == 0
    assert cut[0:4, 4:12].all() and cut.sum() == 32, "half of each side, about a place half across and a quarter down"
