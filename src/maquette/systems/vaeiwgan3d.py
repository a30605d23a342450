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
  (`adversarial_start`) or not at all (`adversarial: 0`), which is the plain VAE that the critic is measured against;
- `prior: class` draws the critic's fakes from a Gaussian through the latents of each class (see `class_prior`), not
N(0, I);
- `aligned` corrects what a latent gives by what the view shows at each place (`maquette.nets.pixel_aligned`): what the
  critic judges and what new shapes are made with stays G(z) alone;
- `reconstruction: bce-iou` is cross-entropy plus 1 - soft IoU in place of the L2 norm.
"""

import torch
from torch import Tensor, nn

from maquette.configs import VAEIWGAN3DConfig
from maquette.nets.image_encoder import PaperEncoder, ResidualEncoder
from maquette.nets.pixel_aligned import PixelAlignedDecoder
from maquette.nets.volume import GENERATORS, IWGANCritic, from_cells
from maquette.systems.base import Batch, Nets, Phase, System, Terms
from maquette.systems.capabilities import Reads
from maquette.systems.iwgan3d import critic_terms
from maquette.systems.losses import (
    kl_to_standard_normal,
    reconstruction_bce,
    reconstruction_iou,
    reconstruction_l2,
    wasserstein_generator,
)


def class_prior(latent: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
    """For each latent a draw from the Gaussian through the batch's latents of its class.

    Args:
        latent: `[B, L]`.
        labels: `[B]`.
        noise: `[B, B]`, standard normal. A draw is the class's mean plus its members' deviations weighed by noise, so
            its covariance is theirs; a class of one member gives that member. This is the training-time form of fitting
            a density to the latents of a trained autoencoder (Ghosh et al., ICLR 2020).
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
    reads = Reads.VIEWS

    def __init__(self, config: VAEIWGAN3DConfig):
        self.config = config
        encoder = self._encoder(config)
        self.nets = nn.ModuleDict(
            {
                "encoder": encoder,
                "generator": GENERATORS[config.generator](config.resolution, config.latent, config.generator_channels),
            }
        )
        if self.refiner:
            self.nets[self.refiner] = self._corrections(config, encoder)
        if not config.joint or config.adversarial:
            self.nets["critic"] = IWGANCritic(config.resolution, config.critic_channels)

    def _encoder(self, config: VAEIWGAN3DConfig) -> nn.Module:
        if config.encoder == "paper":
            return PaperEncoder(config.image_channels, config.latent, strides=(4, 4, 2, 2, 1), slope=0.2)
        return ResidualEncoder(
            config.image_channels, config.latent, config.encoder_widths, config.encoder_blocks, config.standardise
        )

    @property
    def refiner(self) -> str:
        """The network that corrects what a latent gives by what was seen, or nothing."""
        return "aligned" if self.config.aligned else ""

    def _corrections(self, config: VAEIWGAN3DConfig, encoder: nn.Module) -> nn.Module:
        return PixelAlignedDecoder(
            config.resolution, self.nets["generator"].cell_channels, config.encoder_widths, encoder.features
        )

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
        both = Phase("autoencoder", self.averaged(), self.autoencoder_loss)
        if not self.config.adversarial:
            return (both,)
        return both, Phase("critic", ("critic",), self.kept_critic_loss, start=self.config.critic_start)

    def needs_poses(self) -> bool:
        """Whether training needs to know where each view was taken from."""
        return bool(self.config.aligned)

    def averaged(self) -> tuple[str, ...]:
        """The networks that are used after training."""
        return ("encoder", "generator", self.refiner) if self.refiner else ("encoder", "generator")

    def reconstruct(self, images: Tensor) -> Tensor:
        """Views `[B, C, S, S]` in [0, 1] to the occupancy `[B, 1, R, R, R]` of what they show."""
        if not self.config.aligned:
            return super().reconstruct(images)
        mean, _, maps, features = self.nets["encoder"](images, maps=True)
        logits, cells = self.nets["generator"](mean, cells=True)
        return (logits + from_cells(self.nets["aligned"](cells, maps, features)[0])).sigmoid()

    def _latent(self, mean: Tensor, log_variance: Tensor, batch: Batch, n_prior: int) -> Tensor:
        """A sample from each view's posterior, then `n_prior` from the prior, `[B + n_prior, latent]`.

        For one pass of the generator, so that its batch norm sees the mixture that it is used on.
        """
        latent = mean + (0.5 * log_variance).exp() * batch.normal(*mean.shape)
        if n_prior and self.config.prior == "class":
            drawn = class_prior(latent.detach().float(), batch.labels, batch.normal(len(batch), len(batch)))[:n_prior]
        else:
            drawn = batch.normal(n_prior, self.config.latent)
        return torch.cat([latent, drawn])

    def _decode(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of a sample from each view's posterior, and the KL of the posteriors."""
        mean, log_variance = nets["encoder"](batch.seen)
        return nets["generator"](self._latent(mean, log_variance, batch, 0)), kl_to_standard_normal(mean, log_variance)

    def _reconstruction(self, logits: Tensor, voxels: Tensor) -> Tensor:
        if self.config.reconstruction == "l2":
            return reconstruction_l2(logits, voxels)
        bce = reconstruction_bce(logits, voxels, self.config.positive_weight)
        return bce + reconstruction_iou(logits, voxels)

    def _penalty_weight(self, step: int) -> float:
        lazy = self.config.penalty_interval
        return self.config.penalty_weight * lazy if step % lazy == 0 else 0.0

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Eq. 1 on x^ = G(z) with z ~ N(0, I); the fakes carry no graph."""
        with torch.no_grad():
            fake = nets["generator"](batch.normal(len(batch), self.config.latent)).sigmoid()
        return critic_terms(nets["critic"], batch.voxels, fake, batch, self._penalty_weight(step))

    def encoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """KL + reconstruction."""
        logits, kl = self._decode(nets, batch)
        return Terms({"kl": self.config.kl_weight * kl, "reconstruction": self._reconstruction(logits, batch.voxels)})

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))] + delta * reconstruction; the encoder is held still."""
        logits, _ = self._decode(nets, batch)
        fake = nets["generator"](batch.normal(len(batch), self.config.latent)).sigmoid()
        return Terms(
            {
                "adversarial": wasserstein_generator(nets["critic"](fake)),
                "reconstruction": self.config.reconstruction_weight * self._reconstruction(logits, batch.voxels),
            }
        )

    def autoencoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Joint form: KL + reconstruction and, from `adversarial_start` on, -E[D(x^)] on shapes from views and
        prior."""
        critic_fraction = self.config.adversarial > 0 and step >= self.config.critic_start
        n_judged = round(self.config.critic_fraction * len(batch)) if critic_fraction else 0
        n_prior = round(self.config.prior_fraction * n_judged)
        count = len(batch)
        mean, log_variance, logits, minimised = self._autoencode(nets, batch, n_prior, step)
        kl = kl_to_standard_normal(mean, log_variance)
        reconstruction = self.config.latent_weight * self._reconstruction(logits[:count], batch.voxels)
        minimised |= {"kl": self.config.kl_weight * kl, "reconstruction": reconstruction}
        if critic_fraction:
            fake = logits[len(logits) - n_judged :].sigmoid()  # the prior's are the last, views' before them
            batch.carry["fake"] = fake.detach()
            if step >= self.config.adversarial_start:
                minimised["adversarial"] = self.config.adversarial * wasserstein_generator(nets["critic"](fake))
        return Terms(minimised, {"kl_nats": kl.detach()})

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        """Mean, log-variance, logits of latents alone (`n_prior` draws last), and the terms of the corrections."""
        if not self.refiner:
            mean, log_variance = nets["encoder"](batch.seen)
            return mean, log_variance, nets["generator"](self._latent(mean, log_variance, batch, n_prior)), {}
        count = len(batch)
        mean, log_variance, maps, features = nets["encoder"](batch.images, maps=True)
        logits, cells = nets["generator"](self._latent(mean, log_variance, batch, n_prior), cells=True)
        known = max(0.0, 1 - step / self.config.true_pose_until) if self.config.true_pose_until else 0.0
        more, head_output = nets["aligned"](cells[:count], maps, features, batch.poses, known)
        seen = self._reconstruction(logits[:count] + from_cells(more), batch.voxels)
        pose = nets["aligned"].pose_head.loss(head_output, batch.poses)
        return mean, log_variance, logits, {"aligned": seen, "pose": self.config.pose_weight * pose}

    def kept_critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Joint form: the critic's loss on the shapes that the autoencoder phase has just made."""
        fake = batch.carry["fake"]
        return critic_terms(nets["critic"], batch.voxels[: len(fake)], fake, batch, self._penalty_weight(step))
