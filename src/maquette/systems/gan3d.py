"""3D-GAN: shapes from latents, by a generator and a discriminator that are mirrors of each other.

Wu, Zhang, Xue, Freeman, Tenenbaum, NIPS 2016 (arXiv 1610.07584), section 3. Two updates on every batch:

    critic     -log D(x) - log(1 - D(G(z)))    only while it is right on at most 80 % of this very batch
    generator  -log D(G(z))

z is uniform on [0, 1]. The discriminator is called `critic` here as in every system; it gives logits.

Differs from the paper: the generator minimises -log D(G(z)), the form that its reference Goodfellow et al. 2014 trains
with, since log(1 - D(G(z))) has hardly any gradient where D is certain; the 80 % rule goes by the accuracy of the
present pass, not of the last one (a stored accuracy above the limit would stop the critic for good).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.keys import PositiveInt, Share, Widths
from maquette.nets.types import Voxels
from maquette.nets.volume import GAN3DDiscriminator, GAN3DGenerator
from maquette.systems.base import CRITIC, GENERATOR, Batch, Config, Nets, Phase, System, Terms
from maquette.systems.losses import discriminator_accuracy, nonsaturating_discriminator, nonsaturating_generator


@dataclass(frozen=True)
class GAN3DConfig(Config):
    """The networks of 3D-GAN and the 80 % rule; the defaults are the paper's."""

    resolution: Literal[32, 64] = 64
    """Voxels a side: 32 or 64."""
    latent: PositiveInt = 200
    """Values of z."""
    generator_channels: Widths = (512, 256, 128, 64)
    """Widths of the generator from 4 voxels up (paper); 32 voxels take the first three."""
    critic_channels: Widths = (64, 128, 256, 512)
    """Widths of the discriminator from full size down (paper); 32 voxels take the last three."""
    accuracy_limit: Share = 0.8
    """The discriminator learns from a batch only where its accuracy on it is at most this; 1: always."""

    def __post_init__(self) -> None:
        if self.resolution == 20:
            raise UserError("model.resolution must be 32 or 64 voxels a side for 3D-GAN's networks", 20, "try 32")
        super().__post_init__()
        needed = {32: 3, 64: 4}[self.resolution]
        for key, widths in (("generator_channels", self.generator_channels), ("critic_channels", self.critic_channels)):
            if len(widths) < needed:
                raise UserError(f"model.{key} must be {needed} widths or more at {self.resolution} voxels", len(widths))

    def critic_key(self) -> str:
        """The 80 % rule."""
        return "accuracy_limit"


def paper_networks(config: GAN3DConfig) -> dict[str, nn.Module]:
    """The paper's generator and discriminator, weights drawn from N(0, 0.02) (Radford et al. 2016)."""
    nets: dict[str, nn.Module] = {
        GENERATOR: GAN3DGenerator(config.resolution, config.latent, config.generator_channels),
        CRITIC: GAN3DDiscriminator(config.resolution, config.critic_channels),
    }
    for net in nets.values():
        net.apply(_initialise)
    return nets


def discriminator_terms(critic: nn.Module, real: Voxels, fake: Voxels) -> Terms:
    """The discriminator's loss and its accuracy.

    Real and fake samples are passed separately: in one pass its batch norm would mix them.

    Args:
        critic: The discriminator.
        real: Real samples.
        fake: Generated samples.
    """
    real_logits, fake_logits = critic(real), critic(fake)
    return Terms(
        {"discriminator": nonsaturating_discriminator(real_logits, fake_logits)},
        {"accuracy": discriminator_accuracy(real_logits, fake_logits).detach(),
         "score_real": real_logits.mean().detach(), "score_fake": fake_logits.mean().detach()},
    )


def accuracy_at_most(limit: float) -> Callable[[Terms], bool]:
    """The 80 % rule: whether the discriminator learns from a pass, by the accuracy among the terms of this pass."""
    return lambda terms: bool(terms.watched["accuracy"] <= limit)


class GAN3D(System[GAN3DConfig]):
    """Latents in, shapes out (arXiv 1610.07584, section 3)."""

    name = "gan3d"
    Config = GAN3DConfig

    def make_networks(self) -> dict[str, nn.Module]:
        """Generator and discriminator."""
        return paper_networks(self.config)

    def phases(self) -> tuple[Phase, ...]:
        """Discriminator under the 80 % rule, generator on every batch."""
        rule = accuracy_at_most(self.config.accuracy_limit)
        return (
            Phase("critic", (CRITIC,), self.critic_loss, step_if=rule, adversary=True),
            Phase("generator", (GENERATOR,), self.generator_loss),
        )

    def from_normal(self, noise: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch latent"]:
        """Standard normal noise to latents from the prior, uniform on [0, 1]: the normal's distribution function."""
        return torch.special.ndtr(noise)

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(x) - log(1 - D(G(z))), without a gradient for the generator."""
        with torch.no_grad():
            fake = nets[GENERATOR](batch.uniform(len(batch), self.config.latent)).sigmoid()
        return discriminator_terms(nets[CRITIC], batch.real, fake)

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(G(z))."""
        fake = nets[GENERATOR](batch.uniform(len(batch), self.config.latent)).sigmoid()
        return Terms({"adversarial": nonsaturating_generator(nets[CRITIC](fake))})


def _initialise(module: nn.Module) -> None:
    """Draw the weights of one layer."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm3d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
