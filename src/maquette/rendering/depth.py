"""Depth maps and silhouettes of a shape."""

from __future__ import annotations

import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

NOTHING = 0
"""What depth maps in whole numbers hold where there is no object."""


def metric_depth(caster: RayCaster, camera: Camera) -> np.ndarray:
    """Depth along the optical axis in units of the frame, float32 [S, S], inf where there is nothing."""
    return caster.cast(camera).depth


def depth_uint16(depth: np.ndarray, unit: float = 1e-4) -> np.ndarray:
    """A metric depth map [S, S] in whole steps of `unit` (10,000 to 1 unit of the frame), 0 where there is nothing."""
    steps = np.where(np.isfinite(depth), depth / unit, NOTHING)
    return np.clip(np.round(steps), 0, 65535).astype(np.uint16)


def depth_picture(depth: np.ndarray) -> np.ndarray:
    """A depth map [S, S] to look at: uint8, the nearest point 255, the farthest 55, 0 where there is nothing."""
    found = np.isfinite(depth)
    if not found.any():
        return np.zeros(depth.shape, np.uint8)
    near, far = float(depth[found].min()), float(depth[found].max())
    share = (np.where(found, depth, far) - near) / max(far - near, 1e-6)
    return np.where(found, np.round(255 - 200 * share), 0).astype(np.uint8)


def silhouette_picture(mask: np.ndarray) -> np.ndarray:
    """A mask [S, S] as a picture: uint8, the object black on white."""
    return np.where(mask, 0, 255).astype(np.uint8)
