"""Image encoders: views in, a Gaussian over latents out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from maquette.nets.layers import bounded

FAINTEST = 0.05
"""Deviation of a view's values below which standardising amplifies it no further: what is left is noise."""


class PaperEncoder(nn.Module):
    """View `[B, C, 256, 256]` to the mean and log-variance of the latent, each `[B, latent]`.

    arXiv 1610.07584 and 1707.09557: five convolutions, kernels 11-5-5-5-8, channels 64-128-256-512-2*latent, norm and
    activation between.

    Args:
        strides: 4-2-2-2-1 in 3D-VAE-GAN, 4-4-2-2-1 in the released 3D-VAE-IWGAN, where 4x4 places are left for the last
            kernel, which is cut to that.
        slope: Of the leaky ReLU (0: ReLU).
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
        self.image_size = 256

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """`[B, C, 256, 256]` in [0, 1] to (mean, log_variance), each `[B, latent]`, float32."""
        if image.shape[-1] != self.image_size:
            image = F.interpolate(image, size=(self.image_size,) * 2, mode="bilinear", antialias=True)
        features = self.last(self.layers(image * 2 - 1)).float().mean((2, 3))
        mean, log_variance = features.chunk(2, dim=1)
        return mean, bounded(log_variance)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a shortcut (He et al. 2016)."""

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

    def forward(self, x: Tensor) -> Tensor:
        """`[B, inward, H, W]` to `[B, width, H/stride, W/stride]`."""
        inner = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(inner + self.shortcut(x))


class ResidualEncoder(nn.Module):
    """View of any square size to the mean and log-variance of the latent: a narrow ResNet that keeps where things are.

    Args:
        widths: One stage each, every stage after the first at half the size;.
        blocks: How many residual blocks a stage. The last map is squeezed to `squeeze` channels on a 4x4 grid and read
            by one linear layer: an average over places would throw away the drawing's layout, which is what tells a
            tall object from a wide one.
        standardise: Bring each view to mean 0 and deviation 0.5 first, instead of to [-1, 1].
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

    def forward(self, image: Tensor, maps: bool = False) -> tuple:
        """`[B, C, S, S]` in [0, 1] to (mean, log_variance), each `[B, latent]`, float32.

        Args:
            maps: Two more, the map `[B, width, H, W]` at the end of each stage, the finest first, and the last layer's
                features `[B, squeeze * 16]`.
        """
        if self.standardise:
            deviation, mean = torch.std_mean(image, dim=(1, 2, 3), keepdim=True)
            image = (image - mean) / (2 * (deviation + FAINTEST))
        else:
            image = image * 2 - 1
        kept = []
        for number, layer in enumerate(self.layers):
            image = layer(image)
            if number in self.ends:
                kept.append(image)
        features = image.flatten(1)
        mean, log_variance = self.linear(features).float().chunk(2, dim=1)
        latent = mean, bounded(log_variance)
        return (*latent, kept, features) if maps else latent
