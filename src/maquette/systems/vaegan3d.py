"""3D-VAE-GAN: 3D-GAN with an image encoder, so that a view gives a shape.

Wu, Zhang, Xue, Freeman, Tenenbaum, NIPS 2016 (arXiv 1610.07584), section 3.3. Three updates on every batch:

    critic     -log D(x) - log(1 - D(G(z)))                 under the 80 % rule of 3D-GAN, z ~ N(0, I)
    encoder    a1 KL(q(z|y) || N(0, I)) + a2 ||G(E(y)) - x||_2
    generator  -log D(G(z)) + a2 ||G(E(y)) - x||_2

a1 = 5, a2 = 1e-4. Differs from the paper as the file of 3D-GAN (`gan3d`) says. With the paper's a2 the encoder learns
almost nothing about the shape: `model.kl_weight` and `model.reconstruction_weight` are keys of the recipe.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from maquette.capabilities import Reads
from maquette.keys import NonNegativeFloat
from maquette.nets.image_encoder import PaperEncoder
from maquette.systems.base import CRITIC, ENCODER, GENERATOR, Batch, Nets, Phase, System, Terms
from maquette.systems.gan3d import GAN3DConfig, accuracy_at_most, discriminator_terms, paper_networks
from maquette.systems.losses import kl_to_standard_normal, nonsaturating_generator, reconstruction_l2


@dataclass(frozen=True)
class VAEGAN3DConfig(GAN3DConfig):
    """3D-GAN's keys, and those of the encoder; the defaults are the paper's."""

    image_channels: Literal[1, 3] = 3
    """1: grey views; 3: colour (paper)."""
    view_size: Literal[256] = 256
    """Pixels a side of the views; the paper's encoder needs 256."""
    kl_weight: NonNegativeFloat = 5.0
    """a1, weight of the KL term, in nats."""
    reconstruction_weight: NonNegativeFloat = 1e-4
    """a2, weight of the distance of reconstruction and truth."""


class VAEGAN3D(System[VAEGAN3DConfig]):
    """Views in, shapes out; latents in, shapes out (arXiv 1610.07584, section 3.3)."""

    name = "vae-gan-image"
    Config = VAEGAN3DConfig
    reads = Reads.VIEWS

    def make_networks(self) -> dict[str, nn.Module]:
        """Encoder, generator and discriminator."""
        encoder = PaperEncoder(self.config.image_channels, self.config.latent)
        return {ENCODER: encoder, **paper_networks(self.config)}

    def phases(self) -> tuple[Phase, ...]:
        """The three updates, each on every batch."""
        rule = accuracy_at_most(self.config.accuracy_limit)
        return (
            Phase("critic", (CRITIC,), self.critic_loss, step_if=rule, adversary=True),
            Phase("encoder", (ENCODER,), self.encoder_loss),
            Phase("generator", (GENERATOR,), self.generator_loss),
        )

    def _reconstruct(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor]:
        """(||G(E(y)) - x||_2, KL), with one sample of each view's posterior."""
        mean, log_variance = nets[ENCODER](batch.need("images"))
        latent = mean + (0.5 * log_variance).exp() * batch.normal(*mean.shape)
        distance = reconstruction_l2(nets[GENERATOR](latent), batch.real)
        return distance, kl_to_standard_normal(mean, log_variance)

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(x) - log(1 - D(G(z))), without a gradient for the generator."""
        with torch.no_grad():
            fake = nets[GENERATOR](batch.normal(len(batch), self.config.latent)).sigmoid()
        return discriminator_terms(nets[CRITIC], batch.real, fake)

    def encoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """a1 KL + a2 reconstruction."""
        distance, kl = self._reconstruct(nets, batch)
        weighted = {"kl": self.config.kl_weight * kl, "reconstruction": self.config.reconstruction_weight * distance}
        return Terms(weighted, {"kl_nats": kl.detach(), "distance": distance.detach()})

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(G(z)) + a2 reconstruction, without a gradient for the encoder."""
        distance, _ = self._reconstruct(nets, batch)
        fake = nets[GENERATOR](batch.normal(len(batch), self.config.latent)).sigmoid()
        return Terms(
            {
                "adversarial": nonsaturating_generator(nets[CRITIC](fake)),
                "reconstruction": self.config.reconstruction_weight * distance,
            }
        )
