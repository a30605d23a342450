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
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.keys import NonNegativeFloat, PositiveInt, Resolution, Widths
from maquette.nets.volume import GENERATORS, IWGANCritic
from maquette.systems.base import CRITIC, GENERATOR, Batch, Config, Nets, Phase, System, Terms
from maquette.systems.losses import (
    Samples,
    gradient_penalty,
    lazy_weight,
    wasserstein_critic,
    wasserstein_generator,
)


@dataclass(frozen=True)
class IWGAN3DConfig(Config):
    """The networks and losses of 3D-IWGAN; the defaults are the paper's and its code's."""

    resolution: Resolution = 32
    """Voxels a side: 20, 32 or 64."""
    latent: PositiveInt = 200
    """Values of z, standard normal."""
    generator: Literal["paper", "subvoxel"] = "paper"
    """paper: transposed convolutions up to full size; subvoxel: up to a quarter, then 4x4x4 voxels a cell at once."""
    generator_channels: Widths = (256, 128, 64, 32)
    """Widths of the generator from 2 voxels up (code)."""
    critic_channels: Widths = (32, 64, 128, 256)
    """Widths of the critic from full size down (code)."""
    penalty_weight: NonNegativeFloat = 10.0
    """Weight of the gradient penalty."""
    penalty_interval: PositiveInt = 1
    """The penalty is computed on every n-th critic step with n times the weight (lazy); 1 is the paper's."""
    critic_steps: PositiveInt = 5
    """The generator is updated on every n-th batch, the critic on all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.generator == "paper" and self.resolution == 20 and len(self.generator_channels) < 3:
            raise UserError("model.generator_channels must be 3 widths or more at 20 voxels",
                            len(self.generator_channels))

    def penalty_at(self, step: int) -> float:
        """The penalty's weight on this step: 0 where `penalty_interval` leaves it out."""
        return lazy_weight(self.penalty_weight, self.penalty_interval, step)

    def generator_interval(self) -> int:
        """`critic_steps`."""
        return self.critic_steps

    def has_gradient_penalty(self) -> bool:
        """Yes."""
        return True

    def critic_key(self) -> str:
        """`critic_steps`: how often it is updated for each update of the generator."""
        return "critic_steps"


def critic_terms(
    critic: nn.Module, real: Samples, fake: Samples, batch: Batch, weight: float,
    penalised: Callable[[Tensor], Tensor] | None = None,
) -> Terms:
    """The critic's Wasserstein loss, in one pass over real and fake samples, and the gradient penalty.

    Args:
        critic: Samples to scores.
        real: Shapes or images.
        fake: Generated ones, without a gradient for the generator.
        batch: Gives the noise of the penalty.
        weight: Of the penalty; 0 leaves it out.
        penalised: What the penalty calls in place of the critic.
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


class IWGAN3D(System[IWGAN3DConfig]):
    """Latents in, shapes out (arXiv 1707.09557, section 3.1)."""

    name = "iwgan"
    Config = IWGAN3DConfig

    def make_networks(self) -> dict[str, nn.Module]:
        """Generator and critic."""
        config = self.config
        return {
            GENERATOR: GENERATORS[config.generator](config.resolution, config.latent, config.generator_channels),
            CRITIC: IWGANCritic(config.resolution, config.critic_channels),
        }

    def phases(self) -> tuple[Phase, ...]:
        """Critic on every batch, generator on every fifth."""
        return (
            Phase("critic", (CRITIC,), self.critic_loss, adversary=True),
            Phase("generator", (GENERATOR,), self.generator_loss, every=self.config.critic_steps),
        )

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Eq. 1 with the penalty of Gulrajani et al., without a gradient for the generator."""
        with torch.no_grad():
            fake = nets[GENERATOR](batch.normal(len(batch), self.config.latent)).sigmoid()
        return critic_terms(nets[CRITIC], batch.real, fake, batch, self.config.penalty_at(step))

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))]."""
        fake = nets[GENERATOR](batch.normal(len(batch), self.config.latent)).sigmoid()
        return Terms({"adversarial": wasserstein_generator(nets[CRITIC](fake))})
