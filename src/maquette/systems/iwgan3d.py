"""3D-IWGAN: Improved adversarial systems for 3D object generation and reconstruction.

Smith, Meger, CoRL 2017 (arXiv 1707.09557), sections 3.1 and 4.1. A Wasserstein GAN with gradient penalty on voxels:

    critic     E[D(G(z))] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    generator  -E[D(G(z))]                                            on every fifth

z: 200 values, standard normal. Adam 1e-4, betas (0.5, 0.9), batch 256.
Differs from the released code: the norm in the penalty runs over the whole sample, not over one axis; the output is a
sigmoid in [0, 1], not a tanh. Options beyond the paper, its value being the default: `generator: subvoxel` makes the
last two doublings in one step; `penalty_interval` computes the penalty on every n-th batch only.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from maquette.configs import IWGAN3DConfig
from maquette.nets.volume import GENERATORS, IWGANCritic
from maquette.systems.base import Batch, Nets, Phase, System, Terms
from maquette.systems.losses import gradient_penalty, wasserstein_critic, wasserstein_generator


def critic_terms(
    critic: nn.Module, real: Tensor, fake: Tensor, batch: Batch, weight: float,
    penalised: Callable[[Tensor], Tensor] | None = None,
) -> Terms:
    """The critic's Wasserstein loss, one pass over real and fake together, with `weight` times the gradient penalty.

    Args:
        real: Shapes or images `[B, ...]`, fake without a graph. weight 0 leaves the penalty out (for lazy penalties).
        fake: See `real`.
        penalised: The critic as the penalty calls it, where that is another way.
    """
    scores = critic(torch.cat([real, fake]))
    score_real, score_fake = scores[: len(real)], scores[len(real) :]
    minimised = {"wasserstein": wasserstein_critic(score_real, score_fake)}
    watched = {"score_real": score_real.mean(), "score_fake": score_fake.mean()}
    if weight > 0:
        penalty = gradient_penalty(penalised or critic, real, fake, batch.uniform(len(real)))
        minimised["penalty"] = weight * penalty
        watched["gradient_penalty"] = penalty
    return Terms(minimised, {name: value.detach() for name, value in watched.items()})


class IWGAN3D(System):
    """Latents in, shapes out (arXiv 1707.09557, section 3.1)."""

    name = "iwgan"
    Config = IWGAN3DConfig

    def __init__(self, config: IWGAN3DConfig):
        self.config = config
        self.nets = nn.ModuleDict(
            {
                "generator": GENERATORS[config.generator](config.resolution, config.latent, config.generator_channels),
                "critic": IWGANCritic(config.resolution, config.critic_channels),
            }
        )

    def phases(self) -> tuple[Phase, ...]:
        """Critic on every batch, generator on every fifth."""
        return (
            Phase("critic", ("critic",), self.critic_loss),
            Phase("generator", ("generator",), self.generator_loss, every=self.config.critic_steps),
        )

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Eq. 1 with the penalty of Gulrajani et al.; the fakes carry no graph."""
        with torch.no_grad():
            fake = nets["generator"](batch.normal(len(batch), self.config.latent)).sigmoid()
        lazy = self.config.penalty_interval
        weight = self.config.penalty_weight * lazy if step % lazy == 0 else 0.0
        return critic_terms(nets["critic"], batch.voxels, fake, batch, weight)

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))]."""
        fake = nets["generator"](batch.normal(len(batch), self.config.latent)).sigmoid()
        return Terms({"adversarial": wasserstein_generator(nets["critic"](fake))})
