"""Closed forms of the losses."""

import pytest
import torch
from jaxtyping import TypeCheckError

from maquette.systems import losses


def test_shapes_are_enforced():
    """The canary: without the import hook of conftest.py this call would pass."""
    with pytest.raises(TypeCheckError):
        losses.wasserstein_critic(torch.zeros(3, 2), torch.zeros(3, 2))


def test_wasserstein_losses_are_differences_of_means():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([5.0, 7.0])
    assert losses.wasserstein_critic(real, fake).item() == 4.0
    assert losses.wasserstein_generator(fake).item() == -6.0


@pytest.mark.parametrize("norm", [0.5, 1.0, 32.0])
def test_penalty_of_a_linear_critic_is_its_norm_less_one_squared(norm):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(1, 4, 4, 4, generator=generator)
    weight = weight * norm / weight.norm()
    real, fake = (torch.rand(6, 1, 4, 4, 4, generator=generator) for _ in range(2))
    penalty = losses.gradient_penalty(
        lambda x: (x * weight).flatten(1).sum(1), real, fake, torch.rand(6, generator=generator)
    )
    assert penalty.item() == pytest.approx((norm - 1) ** 2, rel=1e-4, abs=1e-6)


def test_penalty_norm_runs_over_the_whole_sample_not_one_axis():
    """The released 3D-IWGAN code sums over one axis: there this critic of norm 8 would look like norm 1 a line."""
    real, fake = torch.zeros(2, 1, 4, 4, 4), torch.ones(2, 1, 4, 4, 4)
    penalty = losses.gradient_penalty(lambda x: x.flatten(1).sum(1), real, fake, torch.full((2,), 0.5))
    assert penalty.item() == pytest.approx((64**0.5 - 1) ** 2, rel=1e-6)


def test_penalty_is_taken_between_real_and_fake():
    """D(x) = |x|^2 / 2 has gradient x, so at the middle of 0 and 2 ones the norm is that of ones."""
    real, fake = torch.zeros(1, 1, 2, 2, 2), torch.full((1, 1, 2, 2, 2), 2.0)
    penalty = losses.gradient_penalty(lambda x: x.square().flatten(1).sum(1) / 2, real, fake, torch.tensor([0.5]))
    assert penalty.item() == pytest.approx((8**0.5 - 1) ** 2, rel=1e-6)


def test_kl_closed_forms():
    zeros = torch.zeros(3, 5)
    assert losses.kl_to_standard_normal(zeros, zeros).item() == 0
    assert losses.kl_to_standard_normal(zeros + 2, zeros).item() == pytest.approx(5 * 2.0)
    independent = torch.distributions.kl_divergence(
        torch.distributions.Normal(torch.full((3, 5), 0.3), 0.7), torch.distributions.Normal(0.0, 1.0)
    )
    log_variance = torch.full((3, 5), 2 * torch.tensor(0.7).log().item())
    found = losses.kl_to_standard_normal(zeros + 0.3, log_variance).item()
    assert found == pytest.approx(independent.sum(1).mean().item())


def test_reconstructions():
    truth = torch.zeros(1, 1, 2, 2, 2)
    truth[..., 0] = 1
    sure = (truth * 2 - 1) * 50
    assert losses.reconstruction_iou(sure, truth).item() == pytest.approx(0, abs=1e-6)
    assert losses.reconstruction_bce(sure, truth).item() == pytest.approx(0, abs=1e-6)
    assert losses.reconstruction_l2(sure, truth).item() == pytest.approx(0, abs=1e-6)
    unsure = torch.zeros_like(truth)
    assert losses.reconstruction_l2(unsure, truth).item() == pytest.approx((8 * 0.25) ** 0.5)
    assert losses.reconstruction_bce(unsure, truth).item() == pytest.approx(torch.tensor(2.0).log().item())
    assert losses.reconstruction_bce(unsure, truth, 3.0).item() == pytest.approx(2 * torch.tensor(2.0).log().item())
    # probability 0.5 everywhere: both 2, either 4 + 4 - 2
    assert losses.reconstruction_iou(unsure, truth).item() == pytest.approx(1 - 3 / 7)
