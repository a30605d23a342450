"""Layers of image generators and critics: equalised weights, pixel norm, doubling convolutions, checkpointing."""

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import ClassVar, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

GAIN = math.sqrt(2)
"""Gain of a layer before a ReLU (He et al. 2015)."""


class ScaledWeight(nn.Module):
    """A parametrisation: the weights of a layer times a constant, whenever they are used.

    Args:
        factor: The constant.
    """

    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, weight: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The scaled weights."""
        return weight * self.factor


Layer = TypeVar("Layer", nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def initialised(layer: Layer, equalised: bool, gain: float = GAIN) -> Layer:
    """The layer with new weights: N(0, 0.02) (Radford et al. 2016), or with an equalised learning rate.

    Equalised (Karras et al. 2018, section 4.1): weights N(0, 1), multiplied by gain / sqrt(inputs of one output) when
    they are used. Adam changes all weights by steps of one size, and so all layers by the same proportion.

    Args:
        layer: Linear or convolutional.
        equalised: Whether its learning rate is equalised.
        gain: Of the equalised layer.
    """
    nn.init.normal_(layer.weight, 0.0, 1.0 if equalised else 0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if equalised:
        inputs: float = layer.weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):
            inputs = len(layer.weight) * math.prod(layer.kernel_size) / math.prod(layer.stride)
        parametrize.register_parametrization(layer, "weight", ScaledWeight(gain / math.sqrt(inputs)))
    return layer


class PixelNorm(nn.Module):
    """Each pixel's features divided by their root mean square (Karras et al. 2018, section 4.2)."""

    def forward(self, x: Float[Tensor, "batch features *grid"]) -> Float[Tensor, "batch features *grid"]:
        """The features of a grid, or latents, normalised."""
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32)
        return x * (math.sqrt(x.shape[1]) / (length + 1e-4)).to(x.dtype)


class DoublingConv(nn.Conv2d):
    """Doubles height and width: zeros are put between the values, then a fixed low-pass filter and a convolution.

    resize: the filter is (1, 1), which repeats each value four times, the convolution 3x3 (Odena et al. 2016). blur:
    it is (1, 2, 1) / 2, which interpolates linearly, the convolution 4x4. Neither can make a checkerboard of single
    pixels, since both filters remove that frequency.

    All of this is linear, so it is computed as one transposed convolution of stride 2, whose kernel (4x4 or 6x6) is the
    convolution of the learned kernel with the filter. The doubled grid before the learned convolution, which would take
    most of the arithmetic and memory, is never computed.

    Args:
        wide: Channels that go in.
        narrow: Channels that come out.
        kind: resize or blur.
        replicate: What is beyond the grid's edges: its edge, instead of zeros.
        bias: Whether there is a bias.
    """

    KINDS: ClassVar[dict[str, tuple[tuple[float, ...], int]]] = {
        "resize": ((1.0, 1.0), 3),
        "blur": ((0.5, 1.0, 0.5), 4),
    }
    """The filter and the side of the learned kernel."""
    spread: Tensor

    def __init__(self, wide: int, narrow: int, kind: str, replicate: bool, bias: bool):
        taps, side = self.KINDS[kind]
        super().__init__(wide, narrow, side, bias=bias)
        self.replicate = replicate
        spread = torch.zeros(len(taps) + side - 1, side)  # [t, m]: weight of the kernel's tap m in the other's tap t
        for tap, share in enumerate(taps):
            for m in range(side):
                spread[tap + side - 1 - m, m] = share
        self.register_buffer("spread", spread, persistent=False)

    def forward(self, x: Float[Tensor, "batch wide h w"]) -> Float[Tensor, "batch narrow 2*h 2*w"]:
        """The grid with doubled height and width."""
        with torch.autocast(x.device.type, enabled=False):
            weight = torch.einsum("tm,oimn,sn->iots", self.spread, self.weight, self.spread)
        cut = len(self.spread) // 2 - 1
        if self.replicate:
            x, cut = F.pad(x, (1, 1, 1, 1), mode="replicate"), cut + 2
        return F.conv_transpose2d(x, weight, self.bias, stride=2, padding=cut)


def apply_stages(
    stages: Iterable[nn.Module], x: Float[Tensor, "batch _ _ _"], checkpointing: bool
) -> Float[Tensor, "batch _ _ _"]:
    """The output of stages that follow each other.

    Args:
        stages: Each takes the output of the one before it.
        x: Input of the first stage.
        checkpointing: Keep only each stage's input, and compute the stage again in the backward pass.
    """
    for stage in stages:
        if checkpointing and torch.is_grad_enabled():
            x = checkpoint(stage, x, use_reentrant=False, preserve_rng_state=False,
                           context_fn=partial(_recomputation, stage))
        else:
            x = stage(x)
    return x


def _recomputation(stage: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """The contexts of a checkpointed stage's first and second computation."""
    return nullcontext(), _FrozenStatistics(stage)


class _FrozenStatistics(AbstractContextManager[None]):
    """Within it batch norm does not update its running statistics: a batch that is computed twice counts once.

    A class, since a stage can be computed again more than once, in the backward passes of a penalty.

    Args:
        stage: With the batch norms.
    """

    def __init__(self, stage: nn.Module):
        self.norms = [module for module in stage.modules() if isinstance(module, nn.BatchNorm2d)]

    def __enter__(self) -> None:
        self.saved = [(norm.momentum, _batch_count(norm).clone()) for norm in self.norms]
        for norm in self.norms:
            norm.momentum = 0.0

    def __exit__(self, *_: object) -> None:
        for norm, (momentum, count) in zip(self.norms, self.saved, strict=True):
            norm.momentum = momentum
            _batch_count(norm).copy_(count)


def _batch_count(norm: nn.BatchNorm2d) -> Tensor:
    """The counter of a batch norm that tracks statistics, as all of them here do."""
    if norm.num_batches_tracked is None:
        raise TypeError("this batch norm tracks no statistics")
    return norm.num_batches_tracked
