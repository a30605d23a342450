"""Adversarial losses, penalties and reconstruction terms: plain functions, each with its source.

Scores are a critic's unbounded outputs; logits are occupancies before the sigmoid. All means run over the batch.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from maquette.types import Latent, Scores, Voxels


def wasserstein_critic(real: Scores, fake: Scores) -> Tensor:
    """E[D(fake)] - E[D(real)], minimised by the critic (Arjovsky et al. 2017; Gulrajani et al. 2017, eq. 3)."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Scores) -> Tensor:
    """-E[D(fake)], minimised by the generator."""
    return -fake.mean()


def nonsaturating_discriminator(real: Scores, fake: Scores) -> Tensor:
    """-log D(real) - log(1 - D(fake)) with D the sigmoid of these logits (Goodfellow et al. 2014, eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def nonsaturating_generator(fake: Scores) -> Tensor:
    """-log D(fake), minimised by the generator (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def discriminator_accuracy(real: Scores, fake: Scores) -> Tensor:
    """The share of a batch, half real and half fake, that the sign of these logits tells right."""
    return ((real > 0).float().mean() + (fake < 0).float().mean()) / 2


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """E[(||grad D(x~)||_2 - 1)^2] on x~ = mix * real + (1 - mix) * fake (Gulrajani et al. 2017, eq. 3, without lambda).

    Args:
        real: Samples of one shape `[batch, ...]`.
        fake: See `real`.
        mix: `[batch]`, uniform on [0, 1]. The norm runs over the whole sample. Differs from the released 3D-IWGAN code,
            which sums over one axis only and so does not constrain the critic.
    """
    mix = mix.view(-1, *[1] * (real.dim() - 1))
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    scores = critic(between)
    (gradient,) = torch.autograd.grad(scores.float().sum(), between, create_graph=True)
    norms = gradient.float().flatten(1).norm(dim=1)
    return (norms - 1).square().mean()


def r1_penalty(scores: Scores, real: Tensor) -> Tensor:
    """E[||grad D(x)||^2] at real samples (Mescheder et al. 2018, equation 9, without gamma / 2).

    Args:
        scores: Of `real`, samples `[batch, ...]` that have a gradient; the graph is kept, so that it can be minimised.
    """
    (gradient,) = torch.autograd.grad(scores.float().sum(), real, create_graph=True)
    return gradient.float().flatten(1).square().sum(1).mean()


def kl_to_standard_normal(mean: Latent, log_variance: Latent) -> Tensor:
    """KL(N(mean, diag exp(log_variance)) || N(0, I)) in nats, summed over the latent, averaged over the batch."""
    return 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1).mean()


def reconstruction_l2(logits: Voxels, voxels: Voxels) -> Tensor:
    """||G(E(y)) - x||_2 of each sample's probabilities, averaged over the batch (Wu et al. 2016, eq. 3)."""
    return (logits.sigmoid() - voxels).flatten(1).norm(dim=1).mean()


def reconstruction_bce(logits: Voxels, voxels: Voxels, positive_weight: float = 1.0) -> Tensor:
    """Binary cross-entropy a voxel, in nats, with occupied voxels counted `positive_weight` times."""
    weight = logits.new_tensor(positive_weight)
    return F.binary_cross_entropy_with_logits(logits, voxels, pos_weight=weight)


def reconstruction_iou(logits: Voxels, voxels: Voxels) -> Tensor:
    """1 - soft intersection over union, averaged over the batch: what the IoU at a threshold is a hard form of."""
    probability = logits.sigmoid().flatten(1)
    truth = voxels.flatten(1)
    both = (probability * truth).sum(1)
    return (1 - (both + 1) / (probability.sum(1) + truth.sum(1) - both + 1)).mean()
