"""Images as networks have them, and as files have them: uint8 to floats and back."""

import numpy as np
import torch
from torch import Tensor


def as_images(pixels: np.ndarray) -> Tensor:
    """uint8 `[B, S, S]` or `[B, S, S, 3]` to float `[B, C, S, S]` in [0, 1]."""
    images = torch.from_numpy(pixels)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.float() / 255


def as_pixels(images: Tensor) -> np.ndarray:
    """Images `[B, C, H, W]` in [-1, 1] to uint8 `[B, H, W]`, or `[B, H, W, 3]` where C is 3."""
    pixels = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def from_pixels(pixels: np.ndarray) -> Tensor:
    """The inverse of `as_pixels`, float32."""
    images = torch.from_numpy(pixels)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.float() / 127.5 - 1
