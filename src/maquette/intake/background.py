"""A plain background, that is one of a single colour, and the object on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.intake.line_art import rim_pixels, small_copy

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

PLAIN = 0.9
"""The background is plain if more than this share of the rim of the picture is close to its median colour."""


def plain_ground(picture: UInt8[np.ndarray, "h w 3"]) -> tuple[Float[np.ndarray, " 3"], float]:
    """The median colour of the rim of a picture, 0 to 255, and the share of the rim that is close to it.

    The rim is 1.5 % of the longer side wide, but at least a pixel. Close means within 16 levels in each channel.
    """
    border = rim_pixels(picture, max(1, round(0.015 * max(picture.shape[:2]))))
    ground = np.median(border, axis=0)
    return ground, float((np.abs(border - ground).max(axis=1) < 16).mean())


def object_on(
    picture: UInt8[np.ndarray, "h w 3"], ground: Float[np.ndarray, " 3"], margin: float
) -> tuple[int, int, int, int] | None:
    """The box of the object on a plain background: of everything that differs from the background's colour.

    Args:
        picture: The picture.
        ground: The colour of the background, 0 to 255.
        margin: Added on each side as far as the picture goes, as a share of the longer side of the object.

    Returns:
        (left, top, right, bottom) in pixels; None if nothing differs, or less than 2 % of the picture.
    """
    small = small_copy(picture).astype(np.float32)
    height, width = small.shape[:2]
    differs = (np.abs(small - ground).max(axis=2) > 22).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(differs, connectivity=8)
    if count < 2:
        return None
    area = stats[1:, cv2.CC_STAT_AREA]
    solid = 1 + np.flatnonzero(area > max(9, 0.02 * area.max()))
    x, y, w, h = cv2.boundingRect(np.isin(labels, solid).astype(np.uint8))
    if w * h < 0.02 * height * width:
        return None
    about = margin * max(w, h)
    fx, fy = picture.shape[1] / width, picture.shape[0] / height
    left, top = max(0, int((x - about) * fx)), max(0, int((y - about) * fy))
    right, bottom = int(np.ceil((x + w + about) * fx)), int(np.ceil((y + h + about) * fy))
    return left, top, min(picture.shape[1], right), min(picture.shape[0], bottom)
