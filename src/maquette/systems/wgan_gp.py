"""WGAN-GP for images: Improved training of Wasserstein GANs, as a dental-radiograph project used it, and ours.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, NIPS 2017 (arXiv 1704.00028), algorithm 1 and section 4:

    critic     E[D(G(z))] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    generator  -E[D(G(z))]                                            on every fifth (or third)

z: 100 values, standard normal. Images lie in [-1, 1]; the generator ends in a tanh. Adam 1e-4, betas (0, 0.9).

The networks are DCGAN's (Radford et al. 2016): the generator doubles its first grid with transposed convolutions 4x4,
batch norm and ReLU between; the critic halves the image with convolutions 4x4 of stride 2, affine instance norm (which
treats each image alone, as the penalty does) and leaky ReLU 0.2. The paper has layer norm instead.

For any height and width: the first grid has the image's aspect ratio, every later layer doubles it, and the centre of
the last grid is cropped to the image's size. `kernels: dental` keeps the project's way to 508x287, with a square grid
and two odd kernels; their sizes are known, the strides and padding here are chosen to lead from 256x256 to 508x287.

Options beyond the paper, its value being the default: `up` resize (Odena et al. 2016) or blur (anti-aliased as in Zhang
2019 and StyleGAN2) against checkerboards; `padding` against frames; `equalised` learning rates and
`generator_norm: pixel` (Karras et al. 2018); `augment`, differentiable or adaptive (`maquette.nets.augment`);
`penalty_interval`; `checkpointing`. `fresh_noise: false` is the project's reuse of one batch of latents.

Adaptive augmentation: ADA has two measures of overfitting. Its default, the sign of the critic's scores, means nothing
here, since the zero of a Wasserstein critic is arbitrary. Used is the other one (Karras et al. 2020, equation 1, left),
which depends neither on offset nor on scale: (E[D(x)] - E[D(held out)]) / (E[D(x)] - E[D(G(z))]). It is 0 where the
critic scores held-out images like its own, 1 where it scores them like generated ones.
"""

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from maquette.capabilities import Makes
from maquette.errors import UserError
from maquette.keys import ImageSide, NonNegativeFloat, NonNegativeInt, PositiveInt, Share
from maquette.nets.augment import DRAWS, augment
from maquette.nets.image_layers import GAIN, DoublingConv, Layer, PixelNorm, apply_stages, initialised
from maquette.nets.types import Images, Latent, Scores
from maquette.systems.base import CRITIC, GENERATOR, Batch, Config, Nets, Phase, System, Terms, network
from maquette.systems.iwgan3d import critic_terms
from maquette.systems.losses import lazy_weight, wasserstein_generator

SHORTEST, LONGEST = 4, 9
"""Least and greatest length of the shorter side of a first grid; 4 is DCGAN's."""
ADAPT_EVERY = 4
"""Critic steps between two changes of the adaptive probability (ADA's interval)."""
DECAY = 0.9
"""Decay of the running means by which the adaptive probability changes."""
Kernel = tuple[int, tuple[int, int], tuple[int, int], int]
"""Width, size, stride and padding of a convolution."""


@dataclass(frozen=True)
class WGANGPConfig(Config):
    """The networks and losses of the image WGAN-GP; the defaults are the paper's, the sizes the dental project's."""

    section_defaults = {"data": {"flip": False}}  # radiographs have sides

    height: ImageSide = 256
    """Rows of an image, from 8 to 4096."""
    width: ImageSide = 256
    """Columns of an image, from 8 to 4096; the longer side is at most 8 times the shorter."""
    channels: Literal[1, 3] = 1
    """1: grey; 3: colour."""
    latent: PositiveInt = 100
    """Values of z, standard normal."""
    features: PositiveInt = 64
    """Width of the layers at half the image's size; every further halving of the grid doubles it."""
    most_features: PositiveInt = 512
    """The largest width of a layer."""
    kernels: Literal["even", "dental"] = "even"
    """even: the first grid has the image's aspect ratio, each later layer doubles it; dental: the dental project's way
    to 508x287, a square of 256 and kernels of 4x2 and 33x1."""
    up: Literal["transposed", "resize", "blur"] = "transposed"
    """How the generator doubles a grid. transposed: convolutions 4x4 of stride 2 (paper); resize: nearest neighbours,
    then a convolution 3x3; blur: the same with a low pass (1, 3, 3, 1) after the doubling."""
    padding: Literal["zeros", "replicate"] = "zeros"
    """What the convolutions 3x3 see beyond the edges of a grid: zeros, which can show as a frame, or its edge."""
    generator_norm: Literal["batch", "pixel", "none"] = "batch"
    """batch: batch norm (paper); pixel: each pixel's features are scaled to one length; none."""
    generator_slope: Share = 0.0
    """Slope of the generator's ReLU below 0; 0 is the paper's."""
    last_features: NonNegativeInt = 0
    """Width of one more layer at the image's full size, before a convolution 3x3 that makes the image; 0: the last
    doubling makes the image (paper)."""
    critic_norm: Literal["instance", "none"] = "instance"
    """instance: affine instance norm (dental project); none."""
    equalised: bool = False
    """Equalise the learning rates of all layers: weights are kept at deviation 1 and scaled as they are used."""
    penalty_weight: NonNegativeFloat = 10.0
    """Weight of the gradient penalty."""
    penalty_interval: PositiveInt = 1
    """The penalty is computed on every n-th critic step with n times the weight (lazy); 1 is the paper's."""
    critic_steps: PositiveInt = 5
    """The generator is updated on every n-th batch, the critic on all."""
    fresh_noise: bool = True
    """Draw new latents for every update (paper); false: one batch of latents for all critic updates between two of the
    generator and for that one (dental project)."""
    augment: Literal["none", "diffaugment", "adaptive"] = "none"
    """Vary real and generated images alike before the critic sees them (colour, translation, cutout). diffaugment: all
    of them; adaptive: with a probability that rises as the critic overfits its images."""
    augment_target: Share = 0.6
    """The measure of overfitting, from 0 to 1, at which the adaptive probability stays as it is."""
    augment_images: PositiveInt = 500000
    """Images over which the adaptive probability can move from 0 to 1."""
    checkpointing: bool = False
    """Compute the layers again in the backward pass instead of storing their outputs: less memory, more arithmetic."""

    def __post_init__(self) -> None:
        super().__post_init__()
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


def first_grid(height: int, width: int) -> tuple[int, int, int]:
    """Rows and columns of the first grid, and the number of doublings to the image's size or just beyond it.

    Of the grids whose shorter side is 4 to 9 the one that needs the smallest crop, and of several such the smallest:
    4x4 and six doublings for 256x256, 9x16 and five for 287x508, 9x15 and seven for 1080x1920.

    Args:
        height: Rows of the image.
        width: Columns of the image.
    """
    grids = []
    for doublings in range(1, 12):
        rows, columns = (-(-side // 2**doublings) for side in (height, width))
        if SHORTEST <= min(rows, columns) <= LONGEST:
            grids.append((rows * columns * 4**doublings, -doublings, rows, columns))
    _, doublings, rows, columns = min(grids)
    return rows, columns, -doublings


def grid_and_widths(config: WGANGPConfig) -> tuple[int, int, tuple[int, ...]]:
    """Rows and columns of the first grid, and the widths of the layer on it and of those after each doubling.

    The last doubling makes the image and has no width here. The dental kernels start from a square of 4x4, doubled to
    256x256, whose width is still `features`.
    """
    rows, columns, doublings = first_grid(256, 256) if config.kernels == "dental" else first_grid(
        config.height, config.width)
    halvings = range(doublings if config.kernels == "dental" else doublings - 1, -1, -1)
    return rows, columns, tuple(min(config.most_features, config.features * 2**n) for n in halvings)


class Generator(nn.Module):
    """Latents to images in [-1, 1].

    Args:
        config: The keys of WGAN-GP.
    """

    def __init__(self, config: WGANGPConfig):
        super().__init__()
        self.config = config
        rows, columns, widths = grid_and_widths(config)
        self.grid = (widths[0], rows, columns)
        plain = config.generator_norm != "batch"  # batch norm has its own shift
        self.linear = initialised(nn.Linear(config.latent, math.prod(self.grid), bias=plain), config.equalised)
        self.first = nn.Sequential(*self._norm(widths[0]), self._activation())
        self.stages = nn.ModuleList()
        full = (config.last_features,) if config.last_features else ()
        for wide, narrow in pairwise((*widths, *full)):
            up = self._up(wide, narrow, plain)
            self.stages.append(nn.Sequential(up, *self._norm(narrow), self._activation()))
        if config.kernels == "dental":
            wide = widths[-1]
            odd = self._initialised(nn.ConvTranspose2d(wide, wide, (4, 2), (1, 2), 2, bias=plain))  # to 255x508
            self.stages.append(nn.Sequential(odd, *self._norm(wide), self._activation()))
            last = nn.ConvTranspose2d(wide, config.channels, (33, 1))  # to 287x508
            self.stages.append(self._initialised(last, gain=1))
        elif full:
            to_image = nn.Conv2d(config.last_features, config.channels, 3, padding=1, padding_mode=config.padding)
            self.stages.append(self._initialised(to_image, gain=1))
        else:
            self.stages.append(nn.Sequential(self._up(widths[-1], config.channels, True, gain=1)))

    def _initialised(self, layer: Layer, gain: float = GAIN) -> Layer:
        """A layer of this generator with new weights."""
        return initialised(layer, self.config.equalised, gain)

    def _activation(self) -> nn.Module:
        """The activation after a hidden layer."""
        slope = self.config.generator_slope
        return nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)

    def _norm(self, width: int) -> list[nn.Module]:
        """The norm after a hidden layer, if there is one."""
        norms: dict[str, list[nn.Module]] = {"batch": [nn.BatchNorm2d(width)], "pixel": [PixelNorm()], "none": []}
        return norms[self.config.generator_norm]

    def _up(self, wide: int, narrow: int, bias: bool, gain: float = GAIN) -> nn.Module:
        """The layer that doubles a grid."""
        if self.config.up == "transposed":
            return self._initialised(nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=bias), gain)
        replicate = self.config.padding == "replicate"
        return self._initialised(DoublingConv(wide, narrow, self.config.up, replicate, bias), gain)

    def forward(self, latent: Latent) -> Images:
        """Images in [-1, 1], float32."""
        if self.config.generator_norm == "pixel":
            latent = PixelNorm()(latent)
        grid = self.first(self.linear(latent).view(-1, *self.grid))
        images = apply_stages(self.stages, grid, self.config.checkpointing)
        height, width = self.config.height, self.config.width
        top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
        return images[:, :, top : top + height, left : left + width].float().tanh()


class Critic(nn.Module):
    """Images to scores.

    Args:
        config: The keys of WGAN-GP.

    Attributes:
        adaptive: With adaptive augmentation, a buffer: its probability, and the running means of D(x) - D(held out) and
            of D(x) - D(G(z)).
    """

    adaptive: Tensor

    def __init__(self, config: WGANGPConfig):
        super().__init__()
        self.config = config
        _, _, widths = grid_and_widths(config)
        inward: int = config.channels
        stages = []
        kernels: list[Kernel] = [(width, (4, 4), (2, 2), 1) for width in reversed(widths)]
        height, width = config.height, config.width
        if config.kernels == "dental":  # the generator's two, mirrored: to 255x508, to 256x256
            kernels = [(widths[-1], (33, 1), (1, 1), 0), (widths[-1], (4, 2), (1, 2), 2), *kernels[1:]]
            height, width = 512, 512  # the halvings below reduce these to the first grid
        for number, (outward, size, stride, padding) in enumerate(kernels):
            norm = number > 0 and config.critic_norm == "instance"
            conv = initialised(nn.Conv2d(inward, outward, size, stride, padding, bias=not norm), config.equalised)
            norms = [nn.InstanceNorm2d(outward, affine=True)] if norm else []
            stages.append(nn.Sequential(conv, *norms, nn.LeakyReLU(0.2, inplace=True)))
            inward = outward
        self.stages = nn.ModuleList(stages)
        last = inward * (height >> len(widths)) * (width >> len(widths))
        self.linear = initialised(nn.Linear(last, 1), config.equalised, gain=1)
        if config.augment == "adaptive":
            self.register_buffer("adaptive", torch.zeros(3))

    def forward(self, images: Images, keep: bool = False) -> Scores:
        """Unbounded scores, float32.

        Args:
            images: In [-1, 1].
            keep: Keep the layers' outputs also where the config asks for checkpointing.
        """
        features = apply_stages(self.stages, images, self.config.checkpointing and not keep).flatten(1)
        with torch.autocast(images.device.type, enabled=False):  # differences of scores are small beside the scores
            return self.linear(features.float()).squeeze(1)


class WGANGP(System[WGANGPConfig]):
    """Latents in, images out (arXiv 1704.00028)."""

    name = "wgan-gp"
    Config = WGANGPConfig
    makes = Makes.IMAGES

    def make_networks(self) -> dict[str, nn.Module]:
        """Generator and critic."""
        return {GENERATOR: Generator(self.config), CRITIC: Critic(self.config)}

    def phases(self) -> tuple[Phase, ...]:
        """Critic on every batch, generator on every fifth."""
        return (
            Phase("critic", (CRITIC,), self.critic_loss, adversary=True),
            Phase("generator", (GENERATOR,), self.generator_loss, every=self.config.critic_steps),
        )

    def generate(self, latent: Latent) -> Images:
        """The images of latents, in [-1, 1]."""
        return self.generator(latent)

    def wants_held_out(self, step: int) -> bool:
        """Every ADAPT_EVERY steps for adaptive augmentation."""
        return self.config.augment == "adaptive" and step % ADAPT_EVERY == 0

    def _latents(self, batch: Batch, step: int) -> Tensor:
        """New latents; without `fresh_noise` one batch for the critic steps before a generator step, and for that."""
        if self.config.fresh_noise:
            return batch.normal(len(batch), self.config.latent)
        return batch.shared_normal(-(-step // self.config.critic_steps), len(batch), self.config.latent)

    def _augmented(self, nets: Nets, batch: Batch, *images: Tensor) -> list[Tensor]:
        """Several batches of images for the critic, varied by the same draws."""
        if self.config.augment == "none":
            return list(images)
        draws = batch.uniform(len(batch), DRAWS)
        probability = network(nets, CRITIC, Critic).adaptive[0] if self.config.augment == "adaptive" else 1.0
        return [augment(each, draws, probability) for each in images]

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Algorithm 1, lines 4 to 7, without a gradient for the generator; real and fake images in one pass.

        The penalty is computed without checkpointing: the graph of its gradient keeps every layer's input anyway, and
        layers computed again would be kept twice.
        """
        with torch.no_grad():
            fake = nets[GENERATOR](self._latents(batch, step))
        real, fake = self._augmented(nets, batch, batch.real, fake)
        weight = self.config.penalty_at(step)
        penalised = partial(nets[CRITIC], keep=True) if self.config.checkpointing else None
        terms = critic_terms(nets[CRITIC], real, fake, batch, weight, penalised)
        if batch.held_out is None:
            return terms
        return Terms(terms.minimised, terms.watched | self._adapt(nets, batch, terms.watched))

    @torch.no_grad()
    def _adapt(self, nets: Nets, batch: Batch, scores: dict[str, Tensor]) -> dict[str, Tensor]:
        """Change the probability of the adaptive augmentation, and return its state to be watched.

        Each process decides by its own samples whether it rises or falls, and moves it by the share of all processes'
        images; the mean over the processes, which training takes of every buffer, is the change.
        """
        critic = network(nets, CRITIC, Critic)
        (held_out,) = self._augmented(nets, batch, batch.need("held_out"))
        score = critic(held_out).mean()
        state, real = critic.adaptive, scores["score_real"]
        state[1:].lerp_(torch.stack([real - score, real - scores["score_fake"]]).float(), 1 - DECAY)
        too_sure = (state[2] > 0) & (state[1] > self.config.augment_target * state[2])
        by = ADAPT_EVERY * len(batch) * batch.processes / self.config.augment_images
        state[0].add_(torch.where(too_sure, by, -by)).clamp_(0, 1)
        return dict(zip(("augment_probability", "over_held_out", "over_made"), state.clone(), strict=True))

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))]."""
        (fake,) = self._augmented(nets, batch, nets[GENERATOR](self._latents(batch, step)))
        return Terms({"adversarial": wasserstein_generator(nets[CRITIC](fake))})
