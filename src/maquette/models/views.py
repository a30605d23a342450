"""Pictures as files have them, uint8, and as models take and give them, float32; `pixels` does it for tensors."""

import numpy as np
from jaxtyping import Float32, UInt8

PixelBatch = UInt8[np.ndarray, "batch height width"] | UInt8[np.ndarray, "batch height width 3"]
"""Images as files have them: grey or RGB, 0 to 255."""


def views_of(pixels: PixelBatch) -> Float32[np.ndarray, "batch channel height width"]:
    """Pixels as views in [0, 1]."""
    images = pixels[:, None] if pixels.ndim == 3 else np.moveaxis(pixels, 3, 1)
    return images.astype(np.float32) / np.float32(255)


def pixels_of(images: Float32[np.ndarray, "batch channel height width"]) -> PixelBatch:
    """Images in [-1, 1] as pixels; RGB where there are three channels."""
    values = np.rint((images + np.float32(1)) * np.float32(127.5)).clip(0, 255).astype(np.uint8)
    return values[:, 0] if values.shape[1] == 1 else np.ascontiguousarray(np.moveaxis(values, 1, 3))
