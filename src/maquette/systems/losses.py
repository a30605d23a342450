"""Adversarial losses, penalties and reconstruction terms: plain functions, each with its source.

Scores are a critic's unbounded outputs; logits are occupancies before the sigmoid. All means run over the batch.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from maquette.nets.types import Latent, Scores, Voxels

Scalar = Float[Tensor, ""]
"""One number: a loss, or a measure."""
Samples = Float[Tensor, "batch *sample"]
"""Shapes or images."""
Filled = Float[Tensor, "batch *places"]
"""Occupancy, or its logits, at the voxels of a grid or at points."""


def wasserstein_critic(real: Scores, fake: Scores) -> Scalar:
    """E[D(fake)] - E[D(real)], minimised by the critic (Arjovsky et al. 2017; Gulrajani et al. 2017, eq. 3)."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Scores) -> Scalar:
    """-E[D(fake)], minimised by the generator."""
    return -fake.mean()


def nonsaturating_discriminator(real: Scores, fake: Scores) -> Scalar:
    """-log D(real) - log(1 - D(fake)) with D the sigmoid of these logits (Goodfellow et al. 2014, eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def nonsaturating_generator(fake: Scores) -> Scalar:
    """-log D(fake), minimised by the generator (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def discriminator_accuracy(real: Scores, fake: Scores) -> Scalar:
    """The accuracy of the discriminator on a batch, half real and half fake: logits above 0 mean real."""
    return ((real > 0).float().mean() + (fake < 0).float().mean()) / 2


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Samples, fake: Samples, mix: Scores) -> Scalar:
    """E[(||grad D(x~)||_2 - 1)^2] on x~ = mix * real + (1 - mix) * fake (Gulrajani et al. 2017, eq. 3, without lambda).

    The norm is that of the whole sample. Differs from the released 3D-IWGAN code, which sums over one axis only and so
    does not constrain the critic.

    Args:
        critic: Samples to scores.
        real: Real samples.
        fake: Generated samples.
        mix: Uniform on [0, 1], one value for each sample.
    """
    mix = mix.view(-1, *[1] * (real.dim() - 1))
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    scores = critic(between)
    (gradient,) = torch.autograd.grad(scores.float().sum(), between, create_graph=True)
    norms = gradient.float().flatten(1).norm(dim=1)
    return (norms - 1).square().mean()


def lazy_weight(weight: float, interval: int, step: int) -> float:
    """The weight of a penalty that only every n-th step computes, with n times the weight; 0 on the other steps.

    Lazy regularisation (Karras et al., StyleGAN2, CVPR 2020, appendix B).

    Args:
        weight: Of the penalty on average.
        interval: n; 1 is a penalty on every step.
        step: The absolute step.
    """
    return weight * interval if step % interval == 0 else 0.0


def r1_penalty(scores: Scores, real: Samples) -> Scalar:
    """E[||grad D(x)||^2] at real samples (Mescheder et al. 2018, equation 9, without gamma / 2).

    Args:
        scores: Of `real`; the graph is kept, so that the penalty can be minimised.
        real: Real samples, which require a gradient.
    """
    (gradient,) = torch.autograd.grad(scores.float().sum(), real, create_graph=True)
    return gradient.float().flatten(1).square().sum(1).mean()


def kl_to_standard_normal(mean: Latent, log_variance: Latent) -> Scalar:
    """KL(N(mean, diag exp(log_variance)) || N(0, I)) in nats, summed over the latent, averaged over the batch."""
    return 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1).mean()


def reconstruction_l2(logits: Voxels, voxels: Voxels) -> Scalar:
    """||G(E(y)) - x||_2 of each sample's probabilities, averaged over the batch (Wu et al. 2016, eq. 3)."""
    return (logits.sigmoid() - voxels).flatten(1).norm(dim=1).mean()


def reconstruction_bce(logits: Filled, voxels: Filled, positive_weight: float = 1.0) -> Scalar:
    """Mean binary cross-entropy of a voxel, in nats; occupied voxels count `positive_weight` times."""
    weight = logits.new_tensor(positive_weight)
    return F.binary_cross_entropy_with_logits(logits, voxels, pos_weight=weight)


def reconstruction_iou(logits: Filled, voxels: Filled) -> Scalar:
    """1 - soft intersection over union, averaged over the batch: the IoU with probabilities instead of a threshold."""
    probability = logits.sigmoid().flatten(1)
    truth = voxels.flatten(1)
    both = (probability * truth).sum(1)
    return (1 - (both + 1) / (probability.sum(1) + truth.sum(1) - both + 1)).mean()
