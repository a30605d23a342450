"""Image encoders: views in, a Gaussian over latents out."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from maquette.nets.efficientnet import MAPS, EfficientNetLite0
from maquette.nets.layers import bounded
from maquette.nets.types import Images, Latent

DEVIATION_FLOOR = 0.05
"""Added to the standard deviation of a view before dividing by it: in a view with less contrast there is only noise."""


class PaperEncoder(nn.Module):
    """Views of 256x256 pixels to the mean and log-variance of the latent.

    arXiv 1610.07584 and 1707.09557: five convolutions, kernels 11-5-5-5-8, channels 64-128-256-512-2*latent, norm and
    activation between.

    Args:
        channels: 1 (grey) or 3 (RGB).
        latent: Values of a latent.
        strides: 4-2-2-2-1 in 3D-VAE-GAN, 4-4-2-2-1 in the released 3D-VAE-IWGAN, where the last map has 4x4 pixels and
            the last kernel is as small.
        slope: Negative slope of the leaky ReLU (0: ReLU).
    """

    def __init__(self, channels: int, latent: int, strides: tuple[int, ...] = (4, 2, 2, 2, 1), slope: float = 0.0):
        super().__init__()
        widths = (64, 128, 256, 512)
        kernels = (11, 5, 5, 5)
        layers: list[nn.Module] = []
        inward = channels
        for width, kernel, stride in zip(widths, kernels, strides[:4], strict=True):
            layers += [
                nn.Conv2d(inward, width, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(slope),
            ]
            inward = width
        side = 256
        for stride in strides[:4]:
            side = -(-side // stride)
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(inward, 2 * latent, min(8, side), strides[4])
        self.view_size = 256

    def forward(self, image: Images) -> tuple[Latent, Latent]:
        """Mean and log-variance of each view's latent, float32.

        Args:
            image: Views in [0, 1]; those of another size are resized to 256x256.
        """
        if image.shape[-1] != self.view_size:
            image = F.interpolate(image, size=(self.view_size,) * 2, mode="bilinear", antialias=True)
        features = self.last(self.layers(image * 2 - 1)).float().mean((2, 3))
        mean, log_variance = features.chunk(2, dim=1)
        return mean, bounded(log_variance)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a shortcut (He et al. 2016).

    Args:
        inward: Channels that go in.
        width: Channels that come out.
        stride: Of the first convolution and the shortcut.
    """

    def __init__(self, inward: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inward, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = (
            nn.Identity()
            if inward == width and stride == 1
            else nn.Sequential(nn.Conv2d(inward, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        )

    def forward(self, x: Float[Tensor, "batch _ _ _"]) -> Float[Tensor, "batch _ _ _"]:
        """`[B, inward, H, W]` to `[B, width, H/stride, W/stride]`."""
        inner = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(inner + self.shortcut(x))


class ResidualEncoder(nn.Module):
    """Square views of any size to the mean and log-variance of the latent: a narrow ResNet that keeps the layout.

    The last map, reduced to `squeeze` channels on a 4x4 grid, is read by one linear layer. An average over the map
    would lose the drawing's layout, by which a tall object differs from a wide one.

    Args:
        channels: 1 (grey) or 3 (RGB).
        latent: Values of a latent.
        widths: Channels of each stage; every stage after the first halves the map.
        blocks: Residual blocks of each stage.
        standardise: Bring each view to mean 0 and deviation 0.5 first, instead of to [-1, 1].
        squeeze: Channels of the last map.
    """

    def __init__(
        self,
        channels: int,
        latent: int,
        widths: tuple[int, ...],
        blocks: tuple[int, ...],
        standardise: bool = False,
        squeeze: int = 64,
    ):
        super().__init__()
        self.standardise = standardise
        first = widths[0]
        layers: list[nn.Module] = [
            nn.Conv2d(channels, first, 5, 2, 2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        ]
        inward = first
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                layers.append(ResidualBlock(inward, width, 2 if stage and not block else 1))
                inward = width
        self.ends = {4 + sum(blocks[: stage + 1]) - 1 for stage in range(len(blocks))}
        layers += [nn.Conv2d(inward, squeeze, 1, bias=False), nn.BatchNorm2d(squeeze), nn.ReLU()]
        layers.append(nn.AdaptiveAvgPool2d(4))
        self.layers = nn.Sequential(*layers)
        self.features = squeeze * 16
        self.linear = nn.Linear(self.features, 2 * latent)

    def forward(
        self, image: Float[Tensor, "batch channels side side"], maps: bool = False
    ) -> tuple[Latent, Latent] | tuple[Latent, Latent, list[Float[Tensor, "batch _ _ _"]], Float[Tensor, "batch _"]]:
        """Mean and log-variance of each view's latent, float32.

        Args:
            image: Views in [0, 1].
            maps: Return two values more: the maps `[B, width, H, W]` at the end of each stage, the finest first, and
                the features `[B, squeeze * 16]` that the last layer reads.
        """
        if self.standardise:
            deviation, mean = torch.std_mean(image, dim=(1, 2, 3), keepdim=True)
            image = (image - mean) / (2 * (deviation + DEVIATION_FLOOR))
        else:
            image = image * 2 - 1
        kept = []
        for number, layer in enumerate(self.layers):
            image = layer(image)
            if number in self.ends:
                kept.append(image)
        features = image.flatten(1)
        mean, log_variance = self.linear(features).float().chunk(2, dim=1)
        log_variance = bounded(log_variance)
        return (mean, log_variance, kept, features) if maps else (mean, log_variance)


class ImageNetEncoder(nn.Module):
    """Square views to the mean and log-variance of the latent: EfficientNet-Lite0, then one linear layer.

    Args:
        latent: Values of a latent.
        side: Pixels a side of the views, a multiple of 32.
        frozen: Blocks that keep their weights in training, see `EfficientNetLite0`.
        classes: Classes that may be given with a view; their number, or a larger one.
        squeeze: Channels of the last map.
    """

    origin = "efficientnet-lite0, trained on ImageNet, from which the encoder starts: Apache License 2.0"

    def __init__(self, latent: int, side: int, frozen: int, classes: int, squeeze: int = 64):
        super().__init__()
        self.given = nn.Parameter(torch.zeros(classes, MAPS[-1]))
        self.body = EfficientNetLite0(frozen)
        self.squeeze = nn.Conv2d(MAPS[-1], squeeze, 1)
        self.features = squeeze * (side // 32) ** 2
        self.linear = nn.Linear(self.features, 2 * latent)

    def pretrained(self) -> Iterator[nn.Parameter]:
        """The weights that start from ImageNet's."""
        return self.body.parameters()

    def forward(
        self, image: Float[Tensor, "batch channels side side"], maps: bool = False,
        label: Int64[Tensor, " batch"] | None = None,
    ) -> tuple[Latent, Latent] | tuple[Latent, Latent, list[Float[Tensor, "batch _ _ _"]], Float[Tensor, "batch _"]]:
        """Mean and log-variance of each view's latent, float32.

        Args:
            image: Views in [0, 1].
            maps: Return two values more: the maps of `MAPS`, the finest first, and the features that the last layer
                reads.
            label: The class of each view where that is known, -1 where it is not; None: of none.
        """
        kept = self.body(image)
        if label is not None:
            known = torch.where(label[:, None] >= 0, self.given[label.clamp(min=0)], 0.0)
            kept[-1] = kept[-1] + known[:, :, None, None].to(kept[-1].dtype)
        features = F.relu(self.squeeze(kept[-1])).flatten(1)
        mean, log_variance = self.linear(features).float().chunk(2, dim=1)
        log_variance = bounded(log_variance)
        return (mean, log_variance, kept, features) if maps else (mean, log_variance)
