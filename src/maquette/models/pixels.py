"""Images as networks have them, and as files have them: uint8 to floats and back (`views` does it for arrays)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from maquette.models.views import PixelBatch


def as_images(pixels: PixelBatch) -> Float[Tensor, "batch channel height width"]:
    """Pixels as views: float32 in [0, 1]."""
    images = torch.from_numpy(pixels)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.float() / 255


def as_pixels(images: Float[Tensor, "batch channel height width"]) -> PixelBatch:
    """Images in [-1, 1] as pixels; RGB where there are three channels."""
    pixels = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def from_pixels(pixels: PixelBatch) -> Float[Tensor, "batch channel height width"]:
    """The inverse of `as_pixels`: float32 in [-1, 1]."""
    images = torch.from_numpy(pixels)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.float() / 127.5 - 1
