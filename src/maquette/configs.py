"""The keys of every system: one frozen dataclass each, and the rules that their values keep.

Here and not beside the networks, so that a recipe can be validated before PyTorch is imported. Each system's own file
in `maquette.systems` imports its config from here; `maquette.systems.SYSTEMS` says which belongs to which.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from maquette.errors import UserError

RESOLUTIONS = (20, 32, 64)


@dataclass(frozen=True)
class Rule:
    """What a value must be, in words that follow "must be" and as a test."""

    words: str
    holds: Callable[[Any], bool]


POSITIVE = Rule("positive", lambda value: 0 < value < math.inf)
NOT_NEGATIVE = Rule("0 or more", lambda value: 0 <= value < math.inf)
SHARE = Rule("from 0 to 1", lambda value: 0 <= value <= 1)
WIDTHS = Rule("positive numbers, one at least", lambda values: len(values) > 0 and min(values) > 0)
ORIENTATIONS = Rule("1, 2, 3, 4, 6 or 12", lambda count: count in (1, 2, 3, 4, 6, 12))
VIEW_SIZE = Rule("from 16 to 1024 pixels", lambda value: 16 <= value <= 1024)
IMAGE_SIDE = Rule("from 8 to 4096 pixels", lambda value: 8 <= value <= 4096)


def check(section: str, values: object, rules: Mapping[str, Rule]) -> None:
    """Raise UserError naming the first key of this section of a recipe whose value breaks its rule."""
    for key, rule in rules.items():
        value = getattr(values, key)
        if not rule.holds(value):
            raise UserError(f"{section}.{key} must be {rule.words}", value)


def check_resolution(resolution: int) -> None:
    """Raise UserError unless the volumetric networks exist at this many voxels a side."""
    if resolution not in RESOLUTIONS:
        nearest = min(RESOLUTIONS, key=lambda known: abs(known - resolution))
        raise UserError("model.resolution must be 20, 32 or 64 voxels a side", resolution, f"try {nearest}")


def _check_widths_at_20(resolution: int, channels: tuple[int, ...]) -> None:
    if resolution == 20 and len(channels) < 3:
        raise UserError("model.generator_channels must be 3 widths or more at 20 voxels", len(channels))


def _check_mirror(config: "GAN3DConfig | VAEGAN3DConfig") -> None:
    if config.resolution == 20:
        raise UserError("model.resolution must be 32 or 64 voxels a side for 3D-GAN's networks", 20, "try 32")
    check_resolution(config.resolution)
    check("model", config, {"latent": POSITIVE, "generator_channels": WIDTHS, "critic_channels": WIDTHS,
                            "accuracy_limit": SHARE})
    needed = {32: 3, 64: 4}[config.resolution]
    for key in ("generator_channels", "critic_channels"):
        if len(getattr(config, key)) < needed:
            raise UserError(f"model.{key} must be {needed} widths or more at {config.resolution} voxels",
                            len(getattr(config, key)))


@dataclass(frozen=True)
class Classifier3DConfig:
    """The network of the classifier whose features measure made shapes."""

    resolution: int = 32
    """Voxels a side: 20, 32 or 64."""
    channels: tuple[int, ...] = (16, 32, 64, 128)
    """Widths of the convolutions, each of which halves the grid; four at most, so that 2 voxels a side are left."""
    features: int = 128
    """Values of the layer before the last, in which the distances are measured."""
    classes: int = 10
    """Classes of the data."""
    dropout: float = 0.5
    """Share of the features that a training step leaves out."""

    def __post_init__(self):
        check_resolution(self.resolution)
        check("model", self, {"channels": WIDTHS, "features": POSITIVE, "classes": POSITIVE,
                              "dropout": Rule("in [0, 1)", lambda value: 0 <= value < 1)})
        if self.resolution >> len(self.channels) < 2 - (self.resolution == 20):
            raise UserError("model.channels are more than the grid can be halved", len(self.channels))


@dataclass(frozen=True)
class GAN3DConfig:
    """The networks of 3D-GAN; the defaults are the paper's."""

    resolution: int = 64
    """Voxels a side: 32 or 64."""
    latent: int = 200
    """Values of z, uniform on [0, 1]."""
    generator_channels: tuple[int, ...] = (512, 256, 128, 64)
    """Widths of the generator from 4 voxels up (paper); 32 voxels take the first three."""
    critic_channels: tuple[int, ...] = (64, 128, 256, 512)
    """Widths of the discriminator from full size down (paper); 32 voxels take the last three."""
    accuracy_limit: float = 0.8
    """The discriminator learns from a batch only if it tells at most this share of it right; 1: always."""

    def __post_init__(self):
        _check_mirror(self)


@dataclass(frozen=True)
class VAEGAN3DConfig:
    """The networks and losses of 3D-VAE-GAN; the defaults are the paper's."""

    resolution: int = 64
    """Voxels a side: 32 or 64."""
    latent: int = 200
    """Values of z; the encoder gives as many means and log-variances."""
    generator_channels: tuple[int, ...] = (512, 256, 128, 64)
    """Widths of the generator from 4 voxels up (paper); 32 voxels take the first three."""
    critic_channels: tuple[int, ...] = (64, 128, 256, 512)
    """Widths of the discriminator from full size down (paper); 32 voxels take the last three."""
    image_channels: Literal[1, 3] = 3
    """1: grey views; 3: colour (paper)."""
    view_size: Literal[256] = 256
    """Pixels a side of the views; the paper's encoder needs 256."""
    accuracy_limit: float = 0.8
    """The discriminator learns from a batch only if it tells at most this share of it right; 1: always."""
    kl_weight: float = 5.0
    """a1, weight of the KL term, in nats."""
    reconstruction_weight: float = 1e-4
    """a2, weight of the distance of reconstruction and truth."""

    def __post_init__(self):
        _check_mirror(self)
        check("model", self, {"kl_weight": NOT_NEGATIVE, "reconstruction_weight": NOT_NEGATIVE})


@dataclass(frozen=True)
class IWGAN3DConfig:
    """The networks and losses of 3D-IWGAN; the defaults are the paper's and its code's."""

    resolution: int = 32
    """Voxels a side: 20, 32 or 64."""
    latent: int = 200
    """Values of z, standard normal."""
    generator: Literal["paper", "subvoxel"] = "paper"
    """paper: transposed convolutions up to full size; subvoxel: up to a quarter, then 4x4x4 voxels a cell at once."""
    generator_channels: tuple[int, ...] = (256, 128, 64, 32)
    """Widths of the generator from 2 voxels up (code)."""
    critic_channels: tuple[int, ...] = (32, 64, 128, 256)
    """Widths of the critic from full size down (code)."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty."""
    penalty_interval: int = 1
    """The penalty is computed on every n-th critic step with n times the weight (lazy); 1 is the paper's."""
    critic_steps: int = 5
    """The generator is updated on every n-th batch, the critic on all."""

    def __post_init__(self):
        check_resolution(self.resolution)
        check("model", self, {"latent": POSITIVE, "generator_channels": WIDTHS, "critic_channels": WIDTHS,
                              "penalty_weight": NOT_NEGATIVE, "penalty_interval": POSITIVE, "critic_steps": POSITIVE})
        if self.generator == "paper":
            _check_widths_at_20(self.resolution, self.generator_channels)


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
    view_size: int = 256
    """Pixels a side of the views; the paper's encoder needs 256."""
    encoder_widths: tuple[int, ...] = (24, 48, 96, 192, 256)
    """Stages of the residual encoder."""
    encoder_blocks: tuple[int, ...] = (2, 2, 2, 2, 1)
    """Residual blocks a stage."""
    standardise: bool = False
    """Bring each view to one mean and deviation before the residual encoder: light and contrast are no shape."""
    aligned: bool = False
    """Correct a reconstruction by the view's features at each cell's place in the view, with the camera read from the
    view (joint form, residual encoder and subvoxel generator)."""
    pose_weight: float = 0.1
    """Weight of the camera's distance from the true one, where `aligned` is set."""
    true_pose_until: int = 0
    """Step until which a share of the batch, falling from all to none, is looked up with the true camera."""
    latent_weight: float = 1.0
    """Weight of the reconstruction from the latent alone in the joint form; the corrected one weighs 1."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty."""
    penalty_interval: int = 1
    """Lazy penalty: computed on every n-th critic step with n times the weight; 1 is the paper's."""
    critic_steps: int = 5
    """The generator phase runs on every n-th batch, critic and encoder on all (paper's form only)."""
    kl_weight: float = 1.0
    """Weight of the KL term, in nats."""
    reconstruction: Literal["l2", "bce-iou"] = "l2"
    """l2: norm of the difference of a sample (paper); bce-iou: cross-entropy a voxel + 1 - soft IoU."""
    positive_weight: float = 1.0
    """Weight of occupied voxels in the cross-entropy."""
    reconstruction_weight: float = 100.0
    """Weight of the reconstruction in the generator phase (100 paper, 5 code)."""
    joint: bool = False
    """Encoder and generator move together in one pass, on every batch."""
    adversarial: float = 1.0
    """Weight of the critic's verdict in the joint form; 0: no critic at all."""
    adversarial_start: int = 0
    """The step at which the generator begins to listen to the critic (joint form)."""
    critic_start: int = 0
    """The step at which the critic begins to learn (joint form); some hundred before `adversarial_start`."""
    critic_fraction: float = 1.0
    """Made shapes that the critic sees a batch, and as many real ones, as a share of the batch (joint form)."""
    prior_fraction: float = 0.5
    """Share of the critic's fakes decoded from the prior, the rest from views (joint form). 1: what a view shows is
    left to the reconstruction alone, and the critic teaches what lies between the views' latents."""
    prior: Literal["normal", "class"] = "normal"
    """What new shapes are drawn from: N(0, I), or a Gaussian through each class's latents (joint form)."""

    def __post_init__(self):
        check_resolution(self.resolution)
        check(
            "model",
            self,
            {
                "latent": POSITIVE,
                "generator_channels": WIDTHS,
                "critic_channels": WIDTHS,
                "view_size": VIEW_SIZE,
                "encoder_widths": WIDTHS,
                "encoder_blocks": WIDTHS,
                "penalty_weight": NOT_NEGATIVE,
                "penalty_interval": POSITIVE,
                "critic_steps": POSITIVE,
                "kl_weight": NOT_NEGATIVE,
                "positive_weight": POSITIVE,
                "reconstruction_weight": NOT_NEGATIVE,
                "adversarial": NOT_NEGATIVE,
                "adversarial_start": NOT_NEGATIVE,
                "critic_start": NOT_NEGATIVE,
                "pose_weight": NOT_NEGATIVE,
                "true_pose_until": NOT_NEGATIVE,
                "latent_weight": NOT_NEGATIVE,
            },
        )
        if self.aligned and not (self.joint and self.encoder == "residual" and self.generator == "subvoxel"):
            raise UserError("model.aligned needs the joint form, the residual encoder and the subvoxel generator",
                            hint="set model.joint true, model.encoder residual, model.generator subvoxel")
        if self.encoder == "paper" and self.view_size != 256:
            raise UserError("model.encoder 'paper' reads views of 256x256", self.view_size, "set model.view-size 256")
        if len(self.encoder_widths) != len(self.encoder_blocks):
            raise UserError(
                "model.encoder_widths and model.encoder_blocks must be equally long",
                f"{len(self.encoder_widths)} and {len(self.encoder_blocks)}",
            )
        _check_vae_iwgan(self)


@dataclass(frozen=True)
class VAEIWGAN3DScanConfig:
    """The networks and losses of the 3D-VAE-IWGAN from a depth scan; the defaults are the paper's and its code's."""

    aligned: ClassVar[bool] = False  # what the image form has and this one does not

    resolution: int = 32
    """Voxels a side, of scans and shapes: 20, 32 or 64."""
    latent: int = 200
    """Values of z; the encoder gives as many means and log-variances."""
    generator: Literal["paper", "subvoxel"] = "paper"
    """paper: transposed convolutions up to full size; subvoxel: up to a quarter, then 4x4x4 voxels a cell at once."""
    generator_channels: tuple[int, ...] = (256, 128, 64, 32)
    """Widths of the generator from 2 voxels up (code)."""
    critic_channels: tuple[int, ...] = (32, 64, 128, 256)
    """Widths of the critic from full size down (code)."""
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256)
    """Widths of the encoder from full size down (code)."""
    skips: bool = False
    """Correct a completion by the scan itself at each cell (joint form and subvoxel generator)."""
    latent_weight: float = 1.0
    """Weight of the reconstruction from the latent alone in the joint form; the corrected one weighs 1."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty."""
    penalty_interval: int = 1
    """Lazy penalty: computed on every n-th critic step with n times the weight; 1 is the paper's."""
    critic_steps: int = 5
    """The generator phase runs on every n-th batch, critic and encoder on all (paper's form only)."""
    kl_weight: float = 1.0
    """Weight of the KL term, in nats."""
    reconstruction: Literal["l2", "bce-iou"] = "l2"
    """l2: norm of the difference of a sample (paper); bce-iou: cross-entropy a voxel + 1 - soft IoU."""
    positive_weight: float = 1.0
    """Weight of occupied voxels in the cross-entropy."""
    reconstruction_weight: float = 100.0
    """Weight of the reconstruction in the generator phase (100 paper, 5 code)."""
    joint: bool = False
    """Encoder and generator move together in one pass, on every batch."""
    adversarial: float = 1.0
    """Weight of the critic's verdict in the joint form; 0: no critic at all."""
    adversarial_start: int = 0
    """The step at which the generator begins to listen to the critic (joint form)."""
    critic_start: int = 0
    """The step at which the critic begins to learn (joint form); some hundred before `adversarial_start`."""
    critic_fraction: float = 1.0
    """Made shapes that the critic sees a batch, and as many real ones, as a share of the batch (joint form)."""
    prior_fraction: float = 0.5
    """Share of the critic's fakes decoded from the prior, the rest from scans (joint form)."""
    prior: Literal["normal", "class"] = "normal"
    """What new shapes are drawn from: N(0, I), or a Gaussian through each class's latents (joint form)."""

    def __post_init__(self):
        check_resolution(self.resolution)
        check(
            "model",
            self,
            {
                "latent": POSITIVE,
                "generator_channels": WIDTHS,
                "critic_channels": WIDTHS,
                "encoder_channels": WIDTHS,
                "penalty_weight": NOT_NEGATIVE,
                "penalty_interval": POSITIVE,
                "critic_steps": POSITIVE,
                "kl_weight": NOT_NEGATIVE,
                "positive_weight": POSITIVE,
                "reconstruction_weight": NOT_NEGATIVE,
                "adversarial": NOT_NEGATIVE,
                "adversarial_start": NOT_NEGATIVE,
                "critic_start": NOT_NEGATIVE,
                "latent_weight": NOT_NEGATIVE,
            },
        )
        if len(self.encoder_channels) < 3:
            raise UserError("model.encoder_channels must be 3 widths or more", len(self.encoder_channels))
        if self.skips and not (self.joint and self.generator == "subvoxel"):
            raise UserError("model.skips needs the joint form and the subvoxel generator",
                            hint="set model.joint true, model.generator subvoxel")
        _check_vae_iwgan(self)


@dataclass(frozen=True)
class WGANGPConfig:
    """The networks and losses of the image WGAN-GP; the defaults are the paper's, the sizes the dental project's."""

    section_defaults: ClassVar[dict[str, dict]] = {"data": {"flip": False}}  # radiographs have sides

    height: int = 256
    """Rows of an image, from 8 to 4096."""
    width: int = 256
    """Columns of an image, from 8 to 4096; the longer side is at most 8 times the shorter."""
    channels: Literal[1, 3] = 1
    """1: grey; 3: colour."""
    latent: int = 100
    """Values of z, standard normal."""
    features: int = 64
    """Width of the layers at half the image's size; every halving from there on doubles it."""
    most_features: int = 512
    """No layer is wider than this."""
    kernels: Literal["even", "dental"] = "even"
    """even: the first grid has the image's aspect, each later layer doubles it, the last crop is exact; dental: the
    dental project's way to 508x287, a square of 256 and kernels of 4x2 and 33x1."""
    up: Literal["transposed", "resize", "blur"] = "transposed"
    """How the generator doubles a grid. transposed: convolutions 4x4 of stride 2 (paper); resize: nearest neighbours,
    then a convolution 3x3; blur: the same with a low pass (1, 3, 3, 1) after the doubling."""
    padding: Literal["zeros", "replicate"] = "zeros"
    """What the convolutions 3x3 see beyond the edges of a grid: zeros, which can show as a frame, or its edge."""
    generator_norm: Literal["batch", "pixel", "none"] = "batch"
    """batch: batch norm (paper); pixel: each pixel's features to one length; none."""
    generator_slope: float = 0.0
    """Of the generator's ReLU below 0; 0 is the paper's."""
    last_features: int = 0
    """Width of one layer more at the image's full size, with a convolution 3x3 from there to the image; 0: the last
    doubling makes the image (paper)."""
    critic_norm: Literal["instance", "none"] = "instance"
    """instance: affine instance norm (dental project); none."""
    equalised: bool = False
    """Equalise the learning rates of all layers: weights are kept at deviation 1 and scaled as they are used."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty."""
    penalty_interval: int = 1
    """The penalty is computed on every n-th critic step with n times the weight (lazy); 1 is the paper's."""
    critic_steps: int = 5
    """The generator is updated on every n-th batch, the critic on all."""
    fresh_noise: bool = True
    """Draw new latents for every update (paper); false: one batch of latents for all critic updates between two of the
    generator and for that one (dental project)."""
    augment: Literal["none", "diffaugment", "adaptive"] = "none"
    """Vary real and made images alike before the critic sees them (light, place, a square cut out). diffaugment: all of
    them; adaptive: with a probability that follows how far the critic learns its images by heart."""
    augment_target: float = 0.6
    """Where the adaptive probability settles: the share of the critic's gap between real and made images that it does
    not find between held-out and made ones."""
    augment_images: int = 500000
    """Images over which the adaptive probability can move from 0 to 1."""
    checkpointing: bool = False
    """Compute the layers again in the backward pass instead of keeping what they gave: less memory, more arithmetic."""

    def __post_init__(self):
        check("model", self, {"height": IMAGE_SIDE, "width": IMAGE_SIDE, "latent": POSITIVE, "features": POSITIVE,
                              "most_features": POSITIVE, "penalty_weight": NOT_NEGATIVE, "penalty_interval": POSITIVE,
                              "critic_steps": POSITIVE, "generator_slope": SHARE, "augment_target": SHARE,
                              "augment_images": POSITIVE, "last_features": NOT_NEGATIVE})
        size = f"{self.width}x{self.height}"
        if max(self.height, self.width) > 8 * min(self.height, self.width):
            raise UserError("the longer of model.width and model.height must be at most 8 times the shorter", size)
        if self.kernels == "dental" and ((self.width, self.height) != (508, 287) or self.up != "transposed"):
            raise UserError("model.kernels 'dental' makes 508x287 with model.up transposed", f"{size} and {self.up}",
                            "set model.kernels even")
        if self.last_features and self.kernels == "dental":
            raise UserError("model.last_features needs grids that double", "model.kernels dental",
                            "set model.kernels even")
        if self.padding != "zeros" and self.up == "transposed":
            raise UserError("model.padding 'replicate' is not for transposed convolutions", "model.up transposed",
                            "set model.up blur, or resize")


def _check_vae_iwgan(config: VAEIWGAN3DConfig | VAEIWGAN3DScanConfig) -> None:
    """What both forms of the 3D-VAE-IWGAN ask of several keys together."""
    if config.generator == "paper":
        _check_widths_at_20(config.resolution, config.generator_channels)
    if not (0 < config.critic_fraction <= 1 and 0 <= config.prior_fraction <= 1):
        raise UserError(
            "model.critic_fraction must be above 0, model.prior_fraction at least 0, and neither above 1",
            f"{config.critic_fraction:g} and {config.prior_fraction:g}",
        )
    if config.prior == "class" and not config.joint:
        raise UserError("model.prior 'class' needs the joint form", "model.joint false", "set model.joint true")
    if config.adversarial and config.critic_start > config.adversarial_start:
        raise UserError(
            "model.critic_start must not come after model.adversarial_start",
            f"{config.critic_start} and {config.adversarial_start}",
        )
