"""Depth maps and silhouettes of a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, UInt8, UInt16

NOTHING = 0
"""The value of 16-bit depth maps where there is no object."""


def metric_depth(caster: RayCaster, camera: Camera) -> Float32[np.ndarray, "s s"]:
    """Depth along the optical axis in the frame's unit, inf where there is nothing."""
    return caster.cast(camera).depth


def depth_uint16(depth: Float[np.ndarray, "h w"], unit: float = 1e-4) -> UInt16[np.ndarray, "h w"]:
    """A depth map in whole steps of `unit`, 0 where there is nothing; 10,000 steps are 1 unit of the frame."""
    steps = np.where(np.isfinite(depth), depth / unit, NOTHING)
    return np.clip(np.round(steps), 0, 65535).astype(np.uint16)


def depth_picture(depth: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """A depth map for the eye: the nearest point is 255, the farthest 55, and 0 is where there is nothing."""
    found = np.isfinite(depth)
    if not found.any():
        return np.zeros(depth.shape, np.uint8)
    near, far = float(depth[found].min()), float(depth[found].max())
    share = (np.where(found, depth, far) - near) / max(far - near, 1e-6)
    return np.where(found, np.round(255 - 200 * share), 0).astype(np.uint8)


def silhouette_picture(mask: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """A mask as a picture: the object black on white."""
    return np.where(mask, 0, 255).astype(np.uint8)
