"""3D-VAE-IWGAN from an image: a view in, its shape out, through a Gaussian latent that a critic keeps plausible.

Smith, Meger, CoRL 2017 (arXiv 1707.09557), section 3.2. Three updates:

    critic     E[D(x^)] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    encoder    KL(q(z|y) || N(0, I)) + ||G(E(y)) - x||              on every batch
    generator  -E[D(x^)] + 100 ||G(E(y)) - x||                      on every fifth

with x^ = G(z), z ~ N(0, I) or z = E(y). The encoder must be updated as often as the critic, or the system does not
converge: `_paper_phases` is the one place that says how often.

Differs from the paper, each behind a key of the config, the paper's value being the default:
- `encoder: residual` reads views of any size, grey or colour, with a narrow ResNet;
- `generator: subvoxel` makes the last two doublings in one step, four times as fast on a CPU;
- `joint: true` moves encoder and generator with one forward and backward pass on every batch (a third of the cost of
  the three phases), the critic after them on the very shapes that this pass made; the critic may enter later
  (`adversarial_from`) or not at all (`adversarial: 0`), which is the plain VAE that the critic is measured against;
- `prior: class` draws the critic's fakes from a Gaussian through the latents of each class (see `class_prior`), not
N(0, I);
- `reconstruction: bce-iou` is cross-entropy plus 1 - soft IoU in place of the L2 norm.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.losses import (
    kl_to_standard_normal,
    reconstruction_bce,
    reconstruction_iou,
    reconstruction_l2,
    wasserstein_generator,
)
from maquette.nets.image import PaperEncoder, ResidualEncoder
from maquette.nets.volume import SubvoxelGenerator, VolumeCritic, VolumeGenerator
from maquette.systems.base import Batch, Nets, Phase, System, Terms
from maquette.systems.iwgan3d import critic_terms


@dataclass(frozen=True)
class VAEIWGAN3DConfig:
    """The networks and losses of the image 3D-VAE-IWGAN; the defaults are the paper's and its code's."""

    resolution: int = 32
    """Voxels a side: 20, 32 or 64."""
    latent: int = 200
    """Values of z; the encoder gives as many means and log-variances."""
    generator: Literal["paper", "subvoxel"] = "paper"
    """paper: transposed convolutions up to full size; subvoxel: up to a quarter, then 4x4x4 voxels a cell at once."""
    generator_channels: tuple[int, ...] = (256, 128, 64, 32)
    """Widths of the generator from 2 voxels up (code)."""
    critic_channels: tuple[int, ...] = (32, 64, 128, 256)
    """Widths of the critic from full size down (code)."""
    encoder: Literal["paper", "residual"] = "paper"
    """paper: five convolutions on 256x256; residual: a narrow ResNet on any size."""
    image_channels: Literal[1, 3] = 3
    """1: grey views; 3: colour."""
    image_size: int = 256
    """Pixels a side of the views; the paper's encoder needs 256."""
    encoder_widths: tuple[int, ...] = (24, 48, 96, 192, 256)
    """Stages of the residual encoder."""
    encoder_blocks: tuple[int, ...] = (2, 2, 2, 2, 1)
    """Residual blocks a stage."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    penalty_every: int = 1
    """Lazy penalty: computed on every n-th critic step with n times the weight; 1 is the paper's."""
    critic_steps: int = 5
    """The generator phase runs on every n-th batch, critic and encoder on all (paper's form only)."""
    kl: float = 1.0
    """Weight of the KL term, in nats."""
    reconstruction: Literal["l2", "bce-iou"] = "l2"
    """l2: norm of the difference of a sample (paper); bce-iou: cross-entropy a voxel + 1 - soft IoU."""
    positive_weight: float = 1.0
    """Weight of occupied voxels in the cross-entropy."""
    delta: float = 100.0
    """Weight of the reconstruction in the generator phase (100 paper, 5 code)."""
    joint: bool = False
    """Encoder and generator move together in one pass, on every batch."""
    adversarial: float = 1.0
    """Weight of the critic's verdict in the joint form; 0: no critic at all."""
    adversarial_from: int = 0
    """The step at which the generator begins to listen to the critic (joint form)."""
    critic_from: int = 0
    """The step at which the critic begins to learn (joint form); some hundred before `adversarial_from`."""
    judged: float = 1.0
    """Made shapes that the critic sees a batch, and as many real ones, as a share of the batch (joint form)."""
    prior_share: float = 0.5
    """Share of the critic's fakes decoded from the prior, the rest from views (joint form). 1: what a view shows is
    left to the reconstruction alone, and the critic teaches what lies between the views' latents."""
    prior: Literal["normal", "class"] = "normal"
    """What new shapes are drawn from: N(0, I), or a Gaussian through each class's latents (joint form)."""

    def __post_init__(self):
        if self.encoder == "paper" and self.image_size != 256:
            raise UserError("model.encoder 'paper' reads views of 256x256", self.image_size, "set model.image-size 256")
        if len(self.encoder_widths) != len(self.encoder_blocks):
            raise UserError(
                "model.encoder_widths and model.encoder_blocks must be equally long",
                f"{len(self.encoder_widths)} and {len(self.encoder_blocks)}",
            )
        if not (0 < self.judged <= 1 and 0 <= self.prior_share <= 1):
            raise UserError(
                "model.judged must be above 0, model.prior_share at least 0, and neither above 1",
                f"{self.judged:g} and {self.prior_share:g}",
            )
        if self.prior == "class" and not self.joint:
            raise UserError("model.prior 'class' needs the joint form", "model.joint false", "set model.joint true")
        if self.adversarial and self.critic_from > self.adversarial_from:
            raise UserError(
                "model.critic_from must not come after model.adversarial_from",
                f"{self.critic_from} and {self.adversarial_from}",
            )


def class_prior(latent: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
    """For each latent a draw from the Gaussian through the batch's latents of its class.

    latent: `[B, L]`. labels: `[B]`. noise: `[B, B]`, standard normal. A draw is the class's mean plus its members'
    deviations weighed by noise, so its covariance is theirs; a class of one member gives that member. This is the
    training-time form of fitting a density to the latents of a trained autoencoder (Ghosh et al., ICLR 2020).
    """
    same = (labels[:, None] == labels[None, :]).float()  # [B, B]
    members = same.sum(1, keepdim=True)
    mean = same @ latent / members
    weights = same * noise / (members - 1).clamp(min=1).sqrt()
    # sum_j w_ij (z_j - m_i): all j with a weight are of i's class, so m_i is theirs
    return mean + weights @ latent - weights.sum(1, keepdim=True) * mean


class VAEIWGAN3D(System):
    """Views in, shapes out; latents in, shapes out (arXiv 1707.09557, section 3.2)."""

    name = "vae-iwgan-image"
    Config = VAEIWGAN3DConfig
    reads_images = True

    def __init__(self, config: VAEIWGAN3DConfig):
        self.config = config
        if config.encoder == "paper":
            encoder: nn.Module = PaperEncoder(config.image_channels, config.latent, strides=(4, 4, 2, 2, 1), slope=0.2)
        else:
            encoder = ResidualEncoder(
                config.image_channels, config.latent, config.encoder_widths, config.encoder_blocks
            )
        decoder = SubvoxelGenerator if config.generator == "subvoxel" else VolumeGenerator
        self.nets = nn.ModuleDict(
            {
                "encoder": encoder,
                "generator": decoder(config.resolution, config.latent, config.generator_channels),
            }
        )
        if not config.joint or config.adversarial:
            self.nets["critic"] = VolumeCritic(config.resolution, config.critic_channels)

    def phases(self) -> tuple[Phase, ...]:
        """The paper's three updates, or the joint form's two."""
        return self._joint_phases() if self.config.joint else self._paper_phases()

    def _paper_phases(self) -> tuple[Phase, ...]:
        return (
            Phase("critic", ("critic",), self.critic_loss),
            Phase("encoder", ("encoder",), self.encoder_loss),
            Phase("generator", ("generator",), self.generator_loss, every=self.config.critic_steps),
        )

    def _joint_phases(self) -> tuple[Phase, ...]:
        both = Phase("autoencoder", ("encoder", "generator"), self.autoencoder_loss)
        if not self.config.adversarial:
            return (both,)
        return both, Phase("critic", ("critic",), self.kept_critic_loss, start=self.config.critic_from)

    def averaged(self) -> tuple[str, ...]:
        """Encoder and generator: both are used after training."""
        return "encoder", "generator"

    def encode(self, images: Tensor) -> Tensor:
        """`[B, C, S, S]` in [0, 1] to the posterior's mean, `[B, latent]`."""
        return self.nets["encoder"](images)[0]

    def generate(self, latent: Tensor) -> Tensor:
        """`[B, latent]` to occupancy `[B, 1, R, R, R]` in [0, 1]."""
        return self.nets["generator"](latent).sigmoid()

    def _decode(self, nets: Nets, batch: Batch, n_prior: int = 0) -> tuple[Tensor, Tensor]:
        """Logits of a sample from each view's posterior, then of `n_prior` from the prior; the KL of the posteriors.

        One pass for both, so that the generator's batch norm sees the mixture that it is used on.
        """
        mean, log_variance = nets["encoder"](batch.images)
        latent = mean + (0.5 * log_variance).exp() * batch.normal(*mean.shape)
        if n_prior and self.config.prior == "class":
            drawn = class_prior(latent.detach().float(), batch.labels, batch.normal(len(batch), len(batch)))[:n_prior]
        else:
            drawn = batch.normal(n_prior, self.config.latent)
        latent = torch.cat([latent, drawn])
        return nets["generator"](latent), kl_to_standard_normal(mean, log_variance)

    def _reconstruction(self, logits: Tensor, voxels: Tensor) -> Tensor:
        if self.config.reconstruction == "l2":
            return reconstruction_l2(logits, voxels)
        bce = reconstruction_bce(logits, voxels, self.config.positive_weight)
        return bce + reconstruction_iou(logits, voxels)

    def _penalty_weight(self, step: int) -> float:
        lazy = self.config.penalty_every
        return self.config.penalty * lazy if step % lazy == 0 else 0.0

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Eq. 1 on x^ = G(z) with z ~ N(0, I); the fakes carry no graph."""
        with torch.no_grad():
            fake = nets["generator"](batch.normal(len(batch), self.config.latent)).sigmoid()
        return critic_terms(nets["critic"], batch.voxels, fake, batch, self._penalty_weight(step))

    def encoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """KL + reconstruction."""
        logits, kl = self._decode(nets, batch)
        return Terms({"kl": self.config.kl * kl, "reconstruction": self._reconstruction(logits, batch.voxels)})

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))] + delta * reconstruction; the encoder is held still."""
        logits, _ = self._decode(nets, batch)
        fake = nets["generator"](batch.normal(len(batch), self.config.latent)).sigmoid()
        return Terms(
            {
                "adversarial": wasserstein_generator(nets["critic"](fake)),
                "reconstruction": self.config.delta * self._reconstruction(logits, batch.voxels),
            }
        )

    def autoencoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Joint form: KL + reconstruction and, from `adversarial_from` on, -E[D(x^)] on shapes from views and prior."""
        judged = self.config.adversarial > 0 and step >= self.config.critic_from
        n_judged = round(self.config.judged * len(batch)) if judged else 0
        n_prior = round(self.config.prior_share * n_judged)
        logits, kl = self._decode(nets, batch, n_prior)
        reconstruction = self._reconstruction(logits[: len(batch)], batch.voxels)
        minimised = {"kl": self.config.kl * kl, "reconstruction": reconstruction}
        watched = {"kl_nats": kl.detach()}
        if judged:
            fake = logits[len(logits) - n_judged :].sigmoid()  # the prior's are the last, views' before them
            batch.kept["fake"] = fake.detach()
            if step >= self.config.adversarial_from:
                minimised["adversarial"] = self.config.adversarial * wasserstein_generator(nets["critic"](fake))
        return Terms(minimised, watched)

    def kept_critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Joint form: the critic's loss on the shapes that the autoencoder phase has just made."""
        fake = batch.kept["fake"]
        return critic_terms(nets["critic"], batch.voxels[: len(fake)], fake, batch, self._penalty_weight(step))
