"""The discriminator of patches: does a small square cut from an image, at any scale and place, come from a real one?"""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from maquette.nets.rays import look_up, pixel_places


class PatchCritic(nn.Module):
    """Patches `[B, C, K, K]` to logits `[B]`: GRAF's discriminator (Schwarz et al. 2020, section 3.2 and its code).

    Convolutions 4x4 of stride 2 with spectral norm, instance norm from the second on, leaky ReLU 0.2, and one that
    reads the last 4x4. widths: of those that halve the patch, so K = 4 * 2 ** len(widths). Images of another size are
    seen whole, at K x K places.
    """

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        self.side = 4 << len(widths)
        wide = (channels, *widths)
        self.halving = nn.ModuleList(
            spectral_norm(nn.Conv2d(*pair, 4, 2, 1, bias=False)) for pair in zip(wide[:-1], widths, strict=True))
        self.last = spectral_norm(nn.Conv2d(widths[-1], 1, 4, bias=False))

    def forward(self, images: Tensor) -> Tensor:
        """`[B, C, K, K]`, or images of any size, to `[B]`, float32."""
        if images.shape[-2:] != (self.side, self.side):
            images = look_up(images, pixel_places(self.side, images).expand(len(images), -1, -1))
        for number, convolution in enumerate(self.halving):
            images = convolution(images)
            images = F.leaky_relu(F.instance_norm(images) if number else images, 0.2)
        return self.last(images).float().flatten()
