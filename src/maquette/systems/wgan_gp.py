"""WGAN-GP for images: Improved training of Wasserstein GANs, as a dental-radiograph project used it, and ours.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, NIPS 2017 (arXiv 1704.00028), algorithm 1 and section 4:

    critic     E[D(G(z))] - E[D(x)] + 10 E[(||grad D(x~)|| - 1)^2]    on every batch
    generator  -E[D(G(z))]                                            on every fifth (or third)

z: 100 values, standard normal. Images lie in [-1, 1]; the generator ends in a tanh. Adam 1e-4, betas (0, 0.9).

The networks are DCGAN's (Radford et al. 2016): the generator doubles its first grid with transposed convolutions 4x4,
batch norm and ReLU between; the critic halves the image with convolutions 4x4 of stride 2, affine instance norm (of
each image alone, so that the penalty is a matter of each image) and leaky ReLU 0.2. The paper has layer norm instead.

For any height and width: the first grid has the image's aspect, every later layer doubles it, and what is over is cut
off all round, by a crop that is exact. `kernels: dental` keeps the project's way to 508x287, a square grid and two odd
kernels; their sizes are known, the strides and padding here are ones that lead from 256x256 to 508x287.

Options beyond the paper, its value being the default: `up` resize (Odena et al. 2016) or blur (anti-aliased as in Zhang
2019 and StyleGAN2) against checkerboards; `padding` against frames; `equalised` learning rates and
`generator_norm: pixel` (Karras et al. 2018); `augment`, differentiable or adaptive (`maquette.nets.augment`);
`penalty_interval`; `checkpointing`. `fresh_noise: false` is the project's reuse of one batch of latents.
"""

import contextlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

from maquette.errors import UserError
from maquette.keys import ImageSide, NonNegativeFloat, NonNegativeInt, PositiveInt, Share
from maquette.nets.augment import DRAWS, augment
from maquette.systems.base import CRITIC, GENERATOR, Batch, Config, Nets, Phase, System, Terms
from maquette.systems.capabilities import Makes
from maquette.systems.iwgan3d import critic_terms
from maquette.systems.losses import wasserstein_generator

SHORTEST, LONGEST = 4, 9
"""Sides that the shorter side of a first grid may have; 4 is DCGAN's."""
ADAPT_EVERY = 4
"""Critic steps between two looks at the held-out images (ADA's interval)."""
REMEMBERED = 0.9
"""Share of the old in the running means that the adaptive probability follows."""


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
    """Width of the layers at half the image's size; every halving from there on doubles it."""
    most_features: PositiveInt = 512
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
    generator_slope: Share = 0.0
    """Of the generator's ReLU below 0; 0 is the paper's."""
    last_features: NonNegativeInt = 0
    """Width of one layer more at the image's full size, with a convolution 3x3 from there to the image; 0: the last
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
    """Vary real and made images alike before the critic sees them (light, place, a square cut out). diffaugment: all of
    them; adaptive: with a probability that follows how far the critic learns its images by heart."""
    augment_target: Share = 0.6
    """Where the adaptive probability settles: the share of the critic's gap between real and made images that it does
    not find between held-out and made ones."""
    augment_images: PositiveInt = 500000
    """Images over which the adaptive probability can move from 0 to 1."""
    checkpointing: bool = False
    """Compute the layers again in the backward pass instead of keeping what they gave: less memory, more arithmetic."""

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
        """The penalty's weight on this step: 0 where a lazy penalty (`penalty_interval`) is left out."""
        return self.penalty_weight * self.penalty_interval if step % self.penalty_interval == 0 else 0.0

    def generator_interval(self) -> int:
        """`critic_steps`."""
        return self.critic_steps

    def has_gradient_penalty(self) -> bool:
        """Yes."""
        return True

    def critic_key(self) -> str:
        """How often it moves."""
        return "critic_steps"


def first_grid(height: int, width: int) -> tuple[int, int, int]:
    """Rows and columns of the first grid, and how many doublings take it to the image or just beyond.

    Of the grids whose shorter side is 4 to 9 the one of which least is cut off, of equals the smallest: 4x4 six times
    for 256x256, 9x16 five times for 287x508, 9x15 seven times for 1080x1920.
    """
    grids = []
    for doublings in range(1, 12):
        rows, columns = (-(-side // 2**doublings) for side in (height, width))
        if SHORTEST <= min(rows, columns) <= LONGEST:
            grids.append((rows * columns * 4**doublings, -doublings, rows, columns))
    _, doublings, rows, columns = min(grids)
    return rows, columns, -doublings


def plan(config: WGANGPConfig) -> tuple[int, int, tuple[int, ...]]:
    """Rows and columns of the first grid, and the widths of its layers and of those after each doubling but the last.

    The dental kernels start from a square of 4x4, doubled to 256x256, where it still has `features`.
    """
    rows, columns, doublings = first_grid(256, 256) if config.kernels == "dental" else first_grid(
        config.height, config.width)
    halvings = range(doublings if config.kernels == "dental" else doublings - 1, -1, -1)
    return rows, columns, tuple(min(config.most_features, config.features * 2**n) for n in halvings)


class Scale(nn.Module):
    """A layer's weights times a constant, each time that they are used."""

    def __init__(self, by: float):
        super().__init__()
        self.by = by

    def forward(self, weight: Tensor) -> Tensor:
        """The same shape."""
        return weight * self.by


def prepared(layer: nn.Module, equalised: bool, gain: float = math.sqrt(2)) -> nn.Module:
    """A layer with fresh weights: N(0, 0.02) (Radford et al. 2016), or with its learning rate equalised.

    Equalised (Karras et al. 2018, section 4.1): weights N(0, 1), times gain / sqrt(inputs of one output) when used.
    Adam moves all weights by steps of one size, and so each layer by the same share of its own.
    """
    nn.init.normal_(layer.weight, 0.0, 1.0 if equalised else 0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if equalised:
        inputs = layer.weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):
            inputs = len(layer.weight) * math.prod(layer.kernel_size) / math.prod(layer.stride)
        parametrize.register_parametrization(layer, "weight", Scale(gain / math.sqrt(inputs)))
    return layer


class PixelNorm(nn.Module):
    """Each pixel's features divided by their root mean square (Karras et al. 2018, section 4.2)."""

    def forward(self, x: Tensor) -> Tensor:
        """`[B, C, H, W]` to the same; also latents `[B, L]`."""
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32)
        return x * (math.sqrt(x.shape[1]) / (length + 1e-4)).to(x.dtype)


class DoublingConv(nn.Conv2d):
    """A grid of twice the height and width: zeros put in between, a fixed low pass along both axes, then a convolution.

    resize: the low pass is (1, 1), so each value comes four times, the convolution 3x3 (Odena et al. 2016). blur: it is
    (1, 2, 1) / 2, which interpolates linearly, the convolution 4x4. Neither can make a checkerboard of single pixels:
    both low passes leave nothing of that frequency.

    All of it is linear, so it is one transposed convolution of stride 2, whose kernel (4x4 or 6x6) is the learned one
    spread by the low pass: the wide grid between, where the arithmetic and the memory would go, is never made.
    """

    KINDS = {"resize": ((1.0, 1.0), 3), "blur": ((0.5, 1.0, 0.5), 4)}

    def __init__(self, wide: int, narrow: int, kind: str, replicate: bool, bias: bool):
        taps, side = self.KINDS[kind]
        super().__init__(wide, narrow, side, bias=bias)
        self.replicate = replicate
        spread = torch.zeros(len(taps) + side - 1, side)  # [t, m]: how the kernel's tap m comes into the other's tap t
        for tap, share in enumerate(taps):
            for m in range(side):
                spread[tap + side - 1 - m, m] = share
        self.register_buffer("spread", spread, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, wide, H, W]` to `[B, narrow, 2H, 2W]`; beyond its edges the grid is 0, or as at the edge (replicate)."""
        with torch.autocast(x.device.type, enabled=False):
            weight = torch.einsum("tm,oimn,sn->iots", self.spread, self.weight, self.spread)
        cut = len(self.spread) // 2 - 1
        if self.replicate:
            x, cut = F.pad(x, (1, 1, 1, 1), mode="replicate"), cut + 2
        return F.conv_transpose2d(x, weight, self.bias, stride=2, padding=cut)


class Generator(nn.Module):
    """Latents `[B, latent]` to images `[B, C, H, W]` in [-1, 1]."""

    def __init__(self, config: WGANGPConfig):
        super().__init__()
        self.config = config
        rows, columns, widths = plan(config)
        self.grid = (widths[0], rows, columns)
        plain = config.generator_norm != "batch"  # batch norm has its own shift
        self.linear = prepared(nn.Linear(config.latent, math.prod(self.grid), bias=plain), config.equalised)
        self.first = nn.Sequential(*self._norm(widths[0]), self._activation())
        self.stages = nn.ModuleList()
        full = (config.last_features,) if config.last_features else ()
        for wide, narrow in pairwise((*widths, *full)):
            up = self._up(wide, narrow, plain)
            self.stages.append(nn.Sequential(*up, *self._norm(narrow), self._activation()))
        if config.kernels == "dental":
            wide = widths[-1]
            odd = self._prepared(nn.ConvTranspose2d(wide, wide, (4, 2), (1, 2), 2, bias=plain))  # to 255x508
            self.stages.append(nn.Sequential(odd, *self._norm(wide), self._activation()))
            self.stages.append(self._prepared(nn.ConvTranspose2d(wide, config.channels, (33, 1)), gain=1))  # to 287x508
        elif full:
            pad = dict(padding=1, padding_mode=config.padding)
            self.stages.append(self._prepared(nn.Conv2d(*full, config.channels, 3, **pad), gain=1))
        else:
            self.stages.append(nn.Sequential(*self._up(widths[-1], config.channels, True, gain=1)))

    def _prepared(self, layer: nn.Module, gain: float = math.sqrt(2)) -> nn.Module:
        return prepared(layer, self.config.equalised, gain)

    def _activation(self) -> nn.Module:
        slope = self.config.generator_slope
        return nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)

    def _norm(self, width: int) -> list[nn.Module]:
        return {"batch": [nn.BatchNorm2d(width)], "pixel": [PixelNorm()], "none": []}[self.config.generator_norm]

    def _up(self, wide: int, narrow: int, bias: bool, gain: float = math.sqrt(2)) -> list[nn.Module]:
        if self.config.up == "transposed":
            return [self._prepared(nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=bias), gain)]
        replicate = self.config.padding == "replicate"
        return [self._prepared(DoublingConv(wide, narrow, self.config.up, replicate, bias), gain)]

    def forward(self, latent: Tensor) -> Tensor:
        """`[B, latent]` to `[B, C, H, W]` in [-1, 1], float32."""
        if self.config.generator_norm == "pixel":
            latent = PixelNorm()(latent)
        grid = self.first(self.linear(latent).view(-1, *self.grid))
        images = run(self.stages, grid, self.config.checkpointing)
        height, width = self.config.height, self.config.width
        top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
        return images[:, :, top : top + height, left : left + width].float().tanh()


class Critic(nn.Module):
    """Images `[B, C, H, W]` to scores `[B]`."""

    def __init__(self, config: WGANGPConfig):
        super().__init__()
        self.config = config
        rows, columns, widths = plan(config)
        inward, stages = config.channels, []
        kernels: list[tuple] = [(width, 4, 2, 1) for width in reversed(widths)]
        height, width = config.height, config.width
        if config.kernels == "dental":  # the generator's two, mirrored: to 255x508, to 256x256
            kernels = [(widths[-1], (33, 1), 1, 0), (widths[-1], (4, 2), (1, 2), 2), *kernels[1:]]
            height, width = 512, 512  # of which the doublings of the even kernels below leave the first grid
        for number, (outward, *shape) in enumerate(kernels):
            norm = number > 0 and config.critic_norm == "instance"
            conv = prepared(nn.Conv2d(inward, outward, *shape, bias=not norm), config.equalised)
            norms = [nn.InstanceNorm2d(outward, affine=True)] if norm else []
            stages.append(nn.Sequential(conv, *norms, nn.LeakyReLU(0.2, inplace=True)))
            inward = outward
        self.stages = nn.ModuleList(stages)
        last = inward * (height >> len(widths)) * (width >> len(widths))
        self.linear = prepared(nn.Linear(last, 1), config.equalised, gain=1)
        if config.augment == "adaptive":  # the probability; running means of D(x) - D(held out) and D(x) - D(G(z))
            self.register_buffer("adaptive", torch.zeros(3))

    def forward(self, images: Tensor, keep: bool = False) -> Tensor:
        """`[B, C, H, W]` to `[B]`, float32. keep: without checkpointing, see `critic_loss`."""
        features = run(self.stages, images, self.config.checkpointing and not keep).flatten(1)
        with torch.autocast(images.device.type, enabled=False):  # differences of scores are small beside the scores
            return self.linear(features.float()).squeeze(1)


def run(stages: Iterable[nn.Module], x: Tensor, checkpointing: bool) -> Tensor:
    """The stages one after the other; checkpointing: each keeps its input only, and is computed again going back."""
    for stage in stages:
        if checkpointing and torch.is_grad_enabled():
            x = checkpoint(stage, x, use_reentrant=False, preserve_rng_state=False,
                           context_fn=lambda stage=stage: (contextlib.nullcontext(), _Uncounted(stage)))
        else:
            x = stage(x)
    return x


class _Uncounted(contextlib.AbstractContextManager):
    """Within it batch norm leaves its running statistics as they are: a batch that is computed twice counts once."""

    def __init__(self, stage: nn.Module):
        self.norms = [module for module in stage.modules() if isinstance(module, nn.BatchNorm2d)]

    def __enter__(self) -> None:
        self.kept = [(norm.momentum, norm.num_batches_tracked.clone()) for norm in self.norms]
        for norm in self.norms:
            norm.momentum = 0.0

    def __exit__(self, *_: object) -> None:
        for norm, (momentum, count) in zip(self.norms, self.kept, strict=True):
            norm.momentum = momentum
            norm.num_batches_tracked.copy_(count)


class WGANGP(System[WGANGPConfig]):
    """Latents in, images out (arXiv 1704.00028)."""

    name = "wgan-gp"
    Config = WGANGPConfig
    makes = Makes.IMAGES

    def __init__(self, config: WGANGPConfig):
        self.config = config
        self.nets = nn.ModuleDict({GENERATOR: Generator(config), CRITIC: Critic(config)})

    def phases(self) -> tuple[Phase, ...]:
        """Critic on every batch, generator on every fifth."""
        return (
            Phase("critic", (CRITIC,), self.critic_loss, adversary=True),
            Phase("generator", (GENERATOR,), self.generator_loss, every=self.config.critic_steps),
        )

    def generate(self, latent: Tensor) -> Tensor:
        """Latents `[B, latent]` to images `[B, C, H, W]` in [-1, 1]."""
        return self.generator(latent)

    def wants_held_out(self, step: int) -> bool:
        """Now and then for adaptive augmentation."""
        return self.config.augment == "adaptive" and step % ADAPT_EVERY == 0

    def _latents(self, batch: Batch, step: int) -> Tensor:
        """`[B, latent]`: fresh ones, or those of all critic steps since the generator's last one and of its next."""
        if self.config.fresh_noise:
            return batch.normal(len(batch), self.config.latent)
        return batch.shared_normal(-(-step // self.config.critic_steps), len(batch), self.config.latent)

    def _varied(self, nets: Nets, batch: Batch, *images: Tensor) -> list[Tensor]:
        """Several batches of images for the critic, varied by the same draws."""
        if self.config.augment == "none":
            return list(images)
        draws = batch.uniform(len(batch), DRAWS)
        probability = nets[CRITIC].adaptive[0] if self.config.augment == "adaptive" else 1.0
        return [augment(each, draws, probability) for each in images]

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """Algorithm 1, lines 4 to 7; the fakes carry no graph, and real and fake pass the critic together.

        The penalty is computed without checkpointing: the graph of its gradient holds every layer's input, so what is
        computed again would lie there twice.
        """
        with torch.no_grad():
            fake = nets[GENERATOR](self._latents(batch, step))
        real, fake = self._varied(nets, batch, batch.real, fake)
        weight = self.config.penalty_at(step)
        penalised = partial(nets[CRITIC], keep=True) if self.config.checkpointing else None
        terms = critic_terms(nets[CRITIC], real, fake, batch, weight, penalised)
        if batch.held_out is None:
            return terms
        return Terms(terms.minimised, terms.watched | self._adapt(nets, batch, terms.watched))

    @torch.no_grad()
    def _adapt(self, nets: Nets, batch: Batch, scores: dict[str, Tensor]) -> dict[str, Tensor]:
        """Move the probability of the adaptive augmentation; its state is a buffer of the critic, saved with it.

        ADA has two measures of overfitting. The sign of the critic's scores, its default, means nothing here: a
        Wasserstein critic's zero is anywhere. Taken is the other one (Karras et al. 2020, eq. 1, left), which is free
        of offset and scale: (E[D(x)] - E[D(held out)]) / (E[D(x)] - E[D(G(z))]), 0 where the critic knows held-out
        images as it knows its own, 1 where it takes them for made ones.
        """
        (held_out,) = self._varied(nets, batch, batch.held_out)
        score = nets[CRITIC](held_out).mean()
        state, real = nets[CRITIC].adaptive, scores["score_real"]
        state[1:].lerp_(torch.stack([real - score, real - scores["score_fake"]]).float(), 1 - REMEMBERED)
        too_sure = (state[2] > 0) & (state[1] > self.config.augment_target * state[2])
        by = ADAPT_EVERY * len(batch) / self.config.augment_images
        state[0].add_(torch.where(too_sure, by, -by)).clamp_(0, 1)
        return dict(zip(("augment_probability", "over_held_out", "over_made"), state.clone(), strict=True))

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-E[D(G(z))]."""
        (fake,) = self._varied(nets, batch, nets[GENERATOR](self._latents(batch, step)))
        return Terms({"adversarial": wasserstein_generator(nets[CRITIC](fake))})
