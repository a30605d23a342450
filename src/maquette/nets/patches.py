"""The patch discriminator: whether a square taken from an image, at any scale and position, is from a real image."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from maquette.nets.types import Images, Scores
from maquette.rays.sampling import pixel_places, sample_image


class PatchCritic(nn.Module):
    """Patches of K x K pixels to logits, K = 4 * 2 ** len(widths).

    With norms it is GRAF's discriminator (Schwarz et al. 2020, section 3.2 and its code): convolutions 4x4 of stride 2
    with spectral norm, instance norm from the second on, leaky ReLU 0.2, and one convolution that reads the last 4x4.
    Without norms, each has a convolution 3x3 after it, and the last one also reads the mean deviation over the batch
    (Karras et al. 2018, section 3): it tells blobs from objects within hundreds of steps.

    Args:
        channels: 1 (grey) or 3 (RGB).
        widths: Channels after each halving of the patch.
        norms: Whether it has GRAF's norms.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], norms: bool = True):
        super().__init__()
        self.side, self.norms = 4 << len(widths), norms
        pairs = list(zip((channels, *widths)[:-1], widths, strict=True))
        if norms:
            self.halving = nn.ModuleList(spectral_norm(nn.Conv2d(*pair, 4, 2, 1, bias=False)) for pair in pairs)
            self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 4, bias=False))
            return
        self.halving = nn.ModuleList(nn.Conv2d(*pair, 4, 2, 1) for pair in pairs)
        self.after = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for width in widths)
        self.last = nn.Conv2d(widths[-1] + 1, 1, 4)
        for layer in (*self.halving, *self.after, self.last):
            nn.init.kaiming_normal_(layer.weight, 0.2)
            nn.init.zeros_(layer.bias)

    def forward(self, images: Images) -> Scores:
        """Logits of patches, float32; images of another size than K x K are seen whole, at K x K points."""
        if images.shape[-2:] != (self.side, self.side):
            images = sample_image(images, pixel_places(self.side, images).expand(len(images), -1, -1))
        for number, convolution in enumerate(self.halving):
            images = convolution(images)
            if self.norms:
                images = F.leaky_relu(F.instance_norm(images) if number else images, 0.2)
            else:
                images = F.leaky_relu(self.after[number](F.leaky_relu(images, 0.2)), 0.2)
        if not self.norms:
            spread = (images.float().var(0, unbiased=False) + 1e-8).sqrt().mean()
            images = torch.cat([images, spread.to(images).expand(len(images), 1, 4, 4)], 1)
        return self.last(images).float().flatten()
