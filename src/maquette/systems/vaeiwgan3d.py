"""3D-VAE-IWGAN: a view or a depth scan in, its shape out, through a Gaussian latent that a critic keeps plausible.

Smith, Meger, CoRL 2017 (arXiv 1707.09557), section 3.2 (from an image) and the section on depth completion (from a
scan). Three updates, y a view or a scan:

    critic     E[D(x^)] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    encoder    KL(q(z|y) || N(0, I)) + ||G(E(y)) - x||              on every batch
    generator  -E[D(x^)] + 100 ||G(E(y)) - x||                      on every fifth

with x^ = G(z). In the paper z ~ N(0, I) in one form and z = E(y) in another; these three updates draw it from N(0, I),
the joint form below takes both (`prior_fraction`). The encoder must be updated as often as the critic, or the system
does not converge: `_paper_phases` says how often each is. A scan is a partial grid of as many voxels as the shape,
filled where the camera saw a surface.

Differs from the paper, each behind a key of the config, the paper's value being the default:

- `encoder: residual` reads views of any size, grey or colour, with a narrow ResNet;
- `generator: subvoxel` makes the last two doublings in one step, four times as fast on a CPU;
- `joint: true` updates encoder and generator with one forward and backward pass on every batch (a third of the cost of
  the three phases), and then the critic on the very shapes that this pass made; the critic may enter later
  (`adversarial_start`) or not at all (`adversarial: 0`), which is the plain VAE that the critic is compared with;
- `prior: class` draws the critic's fakes from a Gaussian fitted to the latents of each class (`class_prior`), not from
  N(0, I);
- `aligned` (views) corrects a reconstruction by pixel-aligned features of the view (`maquette.nets.pixel_aligned`),
  `skips` (scans) by the scan itself, which lies in the same grid. The critic and the making of new shapes use G(z)
  alone;
- `reconstruction: bce-iou` is cross-entropy plus 1 - soft IoU in place of the L2 norm.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.keys import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveShare,
    Share,
    ViewSize,
    Widths,
)
from maquette.nets.image_encoder import PaperEncoder, ResidualEncoder
from maquette.nets.pixel_aligned import PixelAlignedDecoder, Poses
from maquette.nets.types import Images, Latent, Voxels
from maquette.nets.volume import GENERATORS, IWGANCritic, ScanEncoder, ScanSkipDecoder, SubvoxelGenerator, from_cells
from maquette.systems.base import CRITIC, ENCODER, GENERATOR, Batch, Nets, Phase, System, Terms, network
from maquette.systems.iwgan3d import IWGAN3DConfig, critic_terms
from maquette.systems.losses import (
    kl_to_standard_normal,
    reconstruction_bce,
    reconstruction_iou,
    reconstruction_l2,
    wasserstein_generator,
)

ALIGNED, SKIPS = "aligned", "skips"
"""The refiners: networks that correct a latent's shape by the view (aligned) or by the scan (skips)."""


@dataclass(frozen=True)
class VAEIWGAN3DConfig(IWGAN3DConfig):
    """3D-IWGAN's keys, and those that both forms share; the defaults are the paper's and its code's.

    `critic_steps` is used by the paper's three phases only: the joint form updates everything on every batch.
    """

    latent_weight: NonNegativeFloat = 1.0
    """Weight of the reconstruction from the latent alone in the joint form; the corrected one weighs 1."""
    kl_weight: NonNegativeFloat = 1.0
    """Weight of the KL term, in nats."""
    reconstruction: Literal["l2", "bce-iou"] = "l2"
    """l2: norm of the difference of a sample (paper); bce-iou: cross-entropy a voxel + 1 - soft IoU."""
    positive_weight: PositiveFloat = 1.0
    """Weight of occupied voxels in the cross-entropy."""
    reconstruction_weight: NonNegativeFloat = 100.0
    """Weight of the reconstruction in the generator phase (100 paper, 5 code)."""
    joint: bool = False
    """Encoder and generator move together in one pass, on every batch."""
    adversarial: NonNegativeFloat = 1.0
    """Weight of the adversarial term in the joint form; 0: no critic at all."""
    adversarial_start: NonNegativeInt = 0
    """The step from which on the generator is trained by the critic (joint form)."""
    critic_start: NonNegativeInt = 0
    """The step at which the critic begins to learn (joint form); some hundred before `adversarial_start`."""
    critic_fraction: PositiveShare = 1.0
    """Generated shapes that the critic sees in a batch, and as many real ones, as a share of the batch, at least one
    (joint form)."""
    prior_fraction: Share = 0.5
    """Share of the critic's fakes that are decoded from the prior, the others from views or scans (joint form). 1: the
    reconstruction alone trains on views or scans, and the critic on the latents between theirs."""
    prior: Literal["normal", "class"] = "normal"
    """What new shapes are drawn from: N(0, I), or a Gaussian fitted to each class's latents (joint form)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prior == "class" and not self.joint:
            raise UserError("model.prior 'class' needs the joint form", "model.joint false", "set model.joint true")
        if self.adversarial and self.critic_start > self.adversarial_start:
            raise UserError("model.critic_start must not come after model.adversarial_start",
                            f"{self.critic_start} and {self.adversarial_start}")

    def generator_interval(self) -> int:
        """`critic_steps`; 1 in the joint form."""
        return 1 if self.joint else self.critic_steps

    def occupancy_key(self) -> str:
        """The weight of filled voxels in the cross-entropy."""
        return "positive_weight" if self.reconstruction == "bce-iou" else ""

    def alike_keys(self) -> tuple[str, ...]:
        """In the joint form: the weights of the adversarial term, where there is one, and of the KL term."""
        if not self.joint:
            return ()
        return ("adversarial", "kl_weight") if self.adversarial else ("kl_weight",)


@dataclass(frozen=True)
class VAEIWGAN3DImageConfig(VAEIWGAN3DConfig):
    """The keys of the form that reads views."""

    encoder: Literal["paper", "residual"] = "paper"
    """paper: five convolutions on 256x256; residual: a narrow ResNet on any size."""
    image_channels: Literal[1, 3] = 3
    """1: grey views; 3: colour."""
    view_size: ViewSize = 256
    """Pixels a side of the views; the paper's encoder needs 256."""
    encoder_widths: Widths = (24, 48, 96, 192, 256)
    """Stages of the residual encoder."""
    encoder_blocks: Widths = (2, 2, 2, 2, 1)
    """Residual blocks a stage."""
    standardise: bool = False
    """Bring each view to one mean and deviation before the residual encoder, since light and contrast say nothing about
    the shape."""
    aligned: bool = False
    """Correct a reconstruction by pixel-aligned features of the view, with the camera estimated from the view (joint
    form, residual encoder and subvoxel generator)."""
    pose_weight: NonNegativeFloat = 0.1
    """Weight of the camera's distance from the true one, where `aligned` is set."""
    true_pose_until: NonNegativeInt = 0
    """Step until which a share of the batch, falling from all to none, uses the true camera."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.aligned and not (self.joint and self.encoder == "residual" and self.generator == "subvoxel"):
            raise UserError("model.aligned needs the joint form, the residual encoder and the subvoxel generator",
                            hint="set model.joint true, model.encoder residual, model.generator subvoxel")
        if self.encoder == "paper" and self.view_size != 256:
            raise UserError("model.encoder 'paper' reads views of 256x256", self.view_size, "set model.view-size 256")
        if len(self.encoder_widths) != len(self.encoder_blocks):
            raise UserError("model.encoder_widths and model.encoder_blocks must be equally long",
                            f"{len(self.encoder_widths)} and {len(self.encoder_blocks)}")


@dataclass(frozen=True)
class VAEIWGAN3DScanConfig(VAEIWGAN3DConfig):
    """The keys of the form that reads depth scans."""

    encoder_channels: Widths = (32, 64, 128, 256)
    """Widths of the encoder from full size down (code)."""
    skips: bool = False
    """Correct a completion by the scan itself at each cell (joint form and subvoxel generator)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.encoder_channels) < 3:
            raise UserError("model.encoder_channels must be 3 widths or more", len(self.encoder_channels))
        if self.skips and not (self.joint and self.generator == "subvoxel"):
            raise UserError("model.skips needs the joint form and the subvoxel generator",
                            hint="set model.joint true, model.generator subvoxel")


def class_prior(latent: Latent, labels: Int64[Tensor, " batch"], noise: Float[Tensor, "batch batch"]) -> Latent:
    """For each latent a sample from the Gaussian fitted to the batch's latents of its class.

    A sample is the mean of the class plus the deviations of its members weighted by noise, so that its covariance is
    theirs; a class of one member gives that member. This does during training what Ghosh et al. (ICLR 2020) do after
    it: fit a density to the latents of an autoencoder.

    Args:
        latent: Of the batch.
        labels: The class of each.
        noise: Standard normal.
    """
    same = (labels[:, None] == labels[None, :]).float()  # [B, B]
    members = same.sum(1, keepdim=True)
    mean = same @ latent / members
    weights = same * noise / (members - 1).clamp(min=1).sqrt()
    # sum_j w_ij (z_j - m_i): all j with a weight are of i's class, so m_i is theirs
    return mean + weights @ latent - weights.sum(1, keepdim=True) * mean


ConfigT = TypeVar("ConfigT", bound=VAEIWGAN3DConfig, covariant=True)


class VAEIWGAN3D(System[ConfigT]):
    """What both forms share: the phases and their losses. Each form makes its encoder and its refiner."""

    def make_networks(self) -> dict[str, nn.Module]:
        """Encoder, generator, the refiner and the critic where the config has them."""
        config = self.config
        encoder = self.make_encoder()
        generator = GENERATORS[config.generator](config.resolution, config.latent, config.generator_channels)
        nets = {ENCODER: encoder, GENERATOR: generator, **self.make_refiner(encoder, generator)}
        if not config.joint or config.adversarial:
            nets[CRITIC] = IWGANCritic(config.resolution, config.critic_channels)
        return nets

    def make_encoder(self) -> nn.Module:
        """The network from views or scans to means and log-variances of latents."""
        raise NotImplementedError

    def make_refiner(self, encoder: nn.Module, generator: nn.Module) -> dict[str, nn.Module]:
        """The refiner by its name, for this encoder and generator; empty where there is none."""
        raise NotImplementedError

    @property
    def refiner(self) -> str:
        """The name of the refiner; empty where there is none."""
        return next((name for name in (ALIGNED, SKIPS) if name in self.nets), "")

    def phases(self) -> tuple[Phase, ...]:
        """The paper's three updates, or the joint form's two."""
        return self._joint_phases() if self.config.joint else self._paper_phases()

    def _paper_phases(self) -> tuple[Phase, ...]:
        return (
            Phase("critic", (CRITIC,), self.critic_loss, adversary=True),
            Phase("encoder", (ENCODER,), self.encoder_loss),
            Phase("generator", (GENERATOR,), self.generator_loss, every=self.config.critic_steps),
        )

    def _joint_phases(self) -> tuple[Phase, ...]:
        both = Phase("autoencoder", self.averaged(), self.autoencoder_loss)
        if not self.config.adversarial:
            return (both,)
        start = self.config.critic_start
        return both, Phase("critic", (CRITIC,), self.carried_critic_loss, start=start, adversary=True)

    def draws_by_class(self) -> bool:
        """Whether `prior` is `class`."""
        return self.config.prior == "class"

    def averaged(self) -> tuple[str, ...]:
        """Encoder, generator and refiner."""
        return (ENCODER, GENERATOR, self.refiner) if self.refiner else (ENCODER, GENERATOR)

    def _latent(self, mean: Tensor, log_variance: Tensor, batch: Batch, n_prior: int) -> Tensor:
        """A sample from each posterior, then `n_prior` from the prior, `[B + n_prior, latent]`.

        The generator takes them in one pass, so that its batch norm sees both kinds, as it does in use.
        """
        latent = mean + (0.5 * log_variance).exp() * batch.normal(*mean.shape)
        if n_prior and self.config.prior == "class":
            noise = batch.normal(len(batch), len(batch))
            drawn = class_prior(latent.detach().float(), batch.need("labels"), noise)[:n_prior]
        else:
            drawn = batch.normal(n_prior, self.config.latent)
        return torch.cat([latent, drawn])

    def _decode(self, nets: Nets, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of a sample from each posterior, and the KL of the posteriors."""
        mean, log_variance = nets[ENCODER](batch.seen)
        return nets[GENERATOR](self._latent(mean, log_variance, batch, 0)), kl_to_standard_normal(mean, log_variance)

    def _reconstruction(self, logits: Tensor, voxels: Tensor) -> Tensor:
        if self.config.reconstruction == "l2":
            return reconstruction_l2(logits, voxels)
        bce = reconstruction_bce(logits, voxels, self.config.positive_weight)
        return bce + reconstruction_iou(logits, voxels)

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Eq. 1 on x^ = G(z) with z ~ N(0, I), without a gradient for the generator."""
        with torch.no_grad():
            fake = nets[GENERATOR](batch.normal(len(batch), self.config.latent)).sigmoid()
        return critic_terms(nets[CRITIC], batch.real, fake, batch, self.config.penalty_at(step))

    def encoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """KL + reconstruction."""
        logits, kl = self._decode(nets, batch)
        return Terms({"kl": self.config.kl_weight * kl, "reconstruction": self._reconstruction(logits, batch.real)})

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))] + `reconstruction_weight` * reconstruction, without a gradient for the encoder."""
        logits, _ = self._decode(nets, batch)
        fake = nets[GENERATOR](batch.normal(len(batch), self.config.latent)).sigmoid()
        return Terms({
            "adversarial": wasserstein_generator(nets[CRITIC](fake)),
            "reconstruction": self.config.reconstruction_weight * self._reconstruction(logits, batch.real),
        })

    def autoencoder_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Joint form: KL + reconstruction, and from `adversarial_start` on -E[D(x^)].

        x^ are shapes decoded from the batch's views or scans, and shapes decoded from the prior.
        """
        with_critic = self.config.adversarial > 0 and step >= self.config.critic_start
        n_fake = max(1, round(self.config.critic_fraction * len(batch))) if with_critic else 0
        n_prior = round(self.config.prior_fraction * n_fake)
        count = len(batch)
        mean, log_variance, logits, minimised = self._autoencode(nets, batch, n_prior, step)
        kl = kl_to_standard_normal(mean, log_variance)
        reconstruction = self.config.latent_weight * self._latent_loss(logits[:count], batch)
        minimised |= {"kl": self.config.kl_weight * kl, "reconstruction": reconstruction}
        if with_critic:
            fake = logits[len(logits) - n_fake :].sigmoid()  # those from the prior are the last
            batch.carry["fake"] = fake.detach()
            if step >= self.config.adversarial_start:
                minimised["adversarial"] = self.config.adversarial * wasserstein_generator(nets[CRITIC](fake))
        return Terms(minimised, {"kl_nats": kl.detach()})

    def _latent_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The reconstruction term of the shapes that latents alone make."""
        return self._reconstruction(logits, batch.real)

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        """Mean, log-variance, logits without corrections (`n_prior` samples last), and the terms of the refiner."""
        mean, log_variance = nets[ENCODER](batch.seen)
        return mean, log_variance, nets[GENERATOR](self._latent(mean, log_variance, batch, n_prior)), {}

    def carried_critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Joint form: the critic's loss on the shapes that the autoencoder phase has just made."""
        fake = batch.carry["fake"]
        return critic_terms(nets[CRITIC], batch.real[: len(fake)], fake, batch, self.config.penalty_at(step))


class VAEIWGAN3DImage(VAEIWGAN3D[VAEIWGAN3DImageConfig]):
    """Views in, shapes out; latents in, shapes out (section 3.2)."""

    name = "vae-iwgan-image"
    Config = VAEIWGAN3DImageConfig
    reads = Reads.VIEWS

    def make_encoder(self) -> nn.Module:
        """Five convolutions (paper), or a narrow ResNet."""
        config = self.config
        if config.encoder == "paper":
            return PaperEncoder(config.image_channels, config.latent, strides=(4, 4, 2, 2, 1), slope=0.2)
        return ResidualEncoder(config.image_channels, config.latent, config.encoder_widths, config.encoder_blocks,
                               config.standardise)

    def make_refiner(self, encoder: nn.Module, generator: nn.Module) -> dict[str, nn.Module]:
        """The decoder of pixel-aligned features, if `aligned`."""
        if not (isinstance(encoder, ResidualEncoder) and isinstance(generator, SubvoxelGenerator)
                and self.config.aligned):  # the config allows it for these two only
            return {}
        return {ALIGNED: PixelAlignedDecoder(self.config.resolution, generator.cell_channels,
                                             self.config.encoder_widths, encoder.features)}

    def needs_poses(self) -> bool:
        """Whether the camera is estimated, which is learned from the true ones (`aligned`)."""
        return self.config.aligned

    def reconstruct(self, seen: Images) -> Voxels:
        """The occupancy in [0, 1] of the shapes that views in [0, 1] show."""
        return self.look(seen)[0]

    def look(self, seen: Images, label: int | None = None) -> tuple[Voxels, Poses | None]:
        """The occupancy in [0, 1] of the shapes that views show, and the cameras where these are estimated."""
        if not self.refiner:
            return super().reconstruct(seen), None
        mean, _, maps, features = self.nets[ENCODER](seen, maps=True)
        logits, cells = self.generator(mean, cells=True)
        decoder = network(self.nets, ALIGNED, PixelAlignedDecoder)
        corrections, head_output = decoder(cells, maps, features)
        return (logits + from_cells(corrections)).sigmoid(), decoder.pose_head.pose(head_output)

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        if not self.refiner:
            return super()._autoencode(nets, batch, n_prior, step)
        count, poses = len(batch), batch.need("poses")
        mean, log_variance, maps, features = nets[ENCODER](batch.seen, maps=True)
        logits, cells = nets[GENERATOR](self._latent(mean, log_variance, batch, n_prior), cells=True)
        known = max(0.0, 1 - step / self.config.true_pose_until) if self.config.true_pose_until else 0.0
        decoder = network(nets, ALIGNED, PixelAlignedDecoder)
        more, head_output = decoder(cells[:count], maps, features, poses, known)
        refined = self._reconstruction(logits[:count] + from_cells(more), batch.real)
        pose = decoder.pose_head.loss(head_output, poses)
        return mean, log_variance, logits, {ALIGNED: refined, "pose": self.config.pose_weight * pose}


class VAEIWGAN3DScan(VAEIWGAN3D[VAEIWGAN3DScanConfig]):
    """Scans in, shapes out; latents in, shapes out (section on depth completion)."""

    name = "vae-iwgan-scan"
    Config = VAEIWGAN3DScanConfig
    reads = Reads.SCANS

    def make_encoder(self) -> nn.Module:
        """Convolutions 4x4x4 of stride 2 (code)."""
        return ScanEncoder(self.config.resolution, self.config.latent, self.config.encoder_channels)

    def make_refiner(self, encoder: nn.Module, generator: nn.Module) -> dict[str, nn.Module]:
        """The decoder of the scan's own voxels, if `skips`."""
        if not (self.config.skips and isinstance(generator, SubvoxelGenerator)):  # the config allows no other
            return {}
        return {SKIPS: ScanSkipDecoder(generator.cell_channels, self.config.encoder_channels[1])}

    def reconstruct(self, seen: Voxels) -> Voxels:
        """The occupancy in [0, 1] of the whole objects, from scans of 0 and 1."""
        if not self.refiner:
            return super().reconstruct(seen)
        mean, _, maps = self.nets[ENCODER](seen, maps=True)
        logits, cells = self.generator(mean, cells=True)
        return (logits + self.nets[SKIPS](cells, maps, seen)).sigmoid()

    def _autoencode(
        self, nets: Nets, batch: Batch, n_prior: int, step: int
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        if not self.refiner:
            return super()._autoencode(nets, batch, n_prior, step)
        count = len(batch)
        mean, log_variance, maps = nets[ENCODER](batch.seen, maps=True)
        logits, cells = nets[GENERATOR](self._latent(mean, log_variance, batch, n_prior), cells=True)
        refined = logits[:count] + nets[SKIPS](cells[:count], maps, batch.seen)
        return mean, log_variance, logits, {SKIPS: self._reconstruction(refined, batch.real)}
