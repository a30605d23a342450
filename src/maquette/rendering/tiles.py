"""Small pictures of grids, for sheets of many."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Num, UInt8
from PIL import Image, ImageDraw, ImageFont

from maquette.errors import UserError
from maquette.geometry.filters import smoothed
from maquette.geometry.shape import Shape
from maquette.rendering.camera import Camera
from maquette.rendering.studio import shade

TILE = 104
"""Pixels a side of one picture."""
_PAPER, _QUIET = (255, 255, 255), (120, 126, 138)
CAMERA = Camera(azimuth_deg=35, elevation_deg=18, fov_deg=28, size_px=TILE, zoom=1.25)
_ROUGH = 12.0  # faces between filled and empty voxels, in squares of the grid's side, from which a shape is noise


def tile(
    occupancy: Num[np.ndarray, "r r r"] | Bool[np.ndarray, "r r r"], threshold: float = 0.5, size_px: int = TILE,
    zoom: float = 1.25,
) -> UInt8[np.ndarray, "{size_px} {size_px} 3"]:
    """The mesh of a grid from its front right; where there is none, a word: "empty", "full" or "not finite".

    The grid's cube has a fixed place in the picture, so that sizes can be compared.

    Args:
        occupancy: In [0, 1], axes x, y, z.
        threshold: The occupancy from which a voxel counts as filled.
        size_px: Width and height.
        zoom: Of the camera; up to 1.1 all of the cube is in the picture.
    """
    if not np.isfinite(occupancy).all():
        return _word("not finite", size_px)
    filled = occupancy >= threshold
    if not filled.any() or filled.all():
        return _word("full" if filled.any() else "empty", size_px)
    faces = sum(np.count_nonzero(np.diff(filled, axis=axis)) for axis in range(3))
    if faces > _ROUGH * len(filled) ** 2:  # an untrained network's noise: half a million triangles that show nothing
        occupancy = occupancy.astype(np.float32)
        for axis in range(3):
            occupancy = smoothed(occupancy, 2.0, axis)
    try:
        return shade(Shape(occupancy, threshold).surface(), replace(CAMERA, size_px=size_px, zoom=zoom), ground=False)
    except UserError:  # parts that vanish in smoothing
        return _word("empty", size_px)


def _word(word: str, size_px: int) -> UInt8[np.ndarray, "{size_px} {size_px} 3"]:
    page = Image.new("RGB", (size_px, size_px), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((size_px / 2, size_px / 2), word, font=ImageFont.load_default(13), fill=_QUIET, anchor="mm")
    return np.asarray(page)
