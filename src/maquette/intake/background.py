"""The one colour that a picture's background has, and the object on it."""

import cv2
import numpy as np

from maquette.intake.line_art import rim_pixels, small_copy

PLAIN = 0.9
"""Share of a picture's rim that is within 16 levels of its median colour, above which the background is plain."""


def plain_ground(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The median colour of the rim of a picture, uint8 [H, W, 3], and the share of the rim that is close to it.

    The rim is 1.5 % of the longer side wide, a pixel at least. Close is within 16 levels in each channel.
    """
    border = rim_pixels(picture, max(1, round(0.015 * max(picture.shape[:2]))))
    ground = np.median(border, axis=0)
    return ground, float((np.abs(border - ground).max(axis=1) < 16).mean())


def object_on(picture: np.ndarray, ground: np.ndarray, margin: float) -> tuple[int, int, int, int] | None:
    """Box (left, top, right, bottom) of what differs from a plain ground in a picture, uint8 [H, W, 3], in pixels.

    Args:
        margin: About it, as a share of its longer side, as far as the picture goes. None where there is nothing, or it
            is less than 2 % of the picture.
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
