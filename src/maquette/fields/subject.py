"""The object of a picture, cut out and framed, to be compared with what a generator of views shows."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Num, UInt8

from maquette.datasets.images.crop import ImageOptions, fit, fit_masked
from maquette.errors import UserError
from maquette.intake.background import PLAIN, plain_ground
from maquette.intake.line_art import resize

FILL = 0.7
"""Share of the frame's side that the object's longer side takes."""
DIFFERS = 22
"""Levels in one channel by which a pixel of the object differs from a plain background, as in `object_on`."""
WORK_SIDE_PX = 512
"""Longest side at which the object is separated from its background."""
WHOLE = ("no plain background and no alpha channel: the whole picture was compared with an object on white; cut the "
         "object out (a PNG with alpha)")
"""The note for a picture whose object has no known outline."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a picture shows.

    Attributes:
        pixels: The object on white.
        mask: 1 on the object, in [0, 1]. The object's box is in the middle, its longer side FILL of the frame's. None
            if the object's outline is not known; then the frame is the picture's middle.
        notes: What a user may want to know, a sentence each.
    """

    pixels: UInt8[np.ndarray, "s s"] | UInt8[np.ndarray, "s s 3"]
    mask: Float32[np.ndarray, "s s"] | None
    notes: tuple[str, ...] = ()


def find_subject(picture: np.ndarray, side: int, channels: int, name: str = "the picture") -> Subject:
    """The object in a picture, by its alpha channel or else on its plain background.

    Args:
        picture: Uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`, upright.
        side: Side of the result, in pixels.
        channels: 1 grey or 3.
        name: What an error calls the picture.

    Raises:
        UserError: For a picture under 8 pixels, an alpha channel without an object, and a picture of one colour.
    """
    if picture.dtype != np.uint8 or picture.shape[2:] not in ((), (3,), (4,)) or picture.ndim < 2:
        raise UserError("a picture must be uint8 [H, W], [H, W, 3] or [H, W, 4]", f"{picture.dtype} {picture.shape}")
    height, width = picture.shape[:2]
    if min(height, width) < 8:
        raise UserError(f"{name} is too small to hold an object", f"{width}x{height} pixels")
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    scale = min(1.0, WORK_SIDE_PX / max(height, width))
    work = resize(picture, max(8, round(width * scale)), max(8, round(height * scale)))
    colours, mask = work[..., :3], None
    if work.shape[2] == 4 and work[..., 3].min() < 128:
        mask = work[..., 3]
        if (mask > 127).sum() < 4:
            raise UserError(f"{name} shows no object: its alpha channel is empty")
    else:
        ground, share = plain_ground(colours)
        if share > PLAIN:
            found = _on_plain(colours, ground)
            if found is None:
                raise UserError(f"{name} shows no object on its plain background")
            colours, mask = found
    grey = channels == 1
    if mask is None:
        options = ImageOptions(side, side, grey, "centre", 0, 0)
        return Subject(fit(np.ascontiguousarray(colours), options), None, (WHOLE,))
    options = ImageOptions(side, side, grey, "object", 0, 0, "alpha", "white", (1 / FILL - 1) / 2)
    pixels, alpha = fit_masked(np.ascontiguousarray(colours), mask, options)
    return Subject(pixels, (alpha / 255).astype(np.float32))


def _on_plain(
    picture: UInt8[np.ndarray, "h w 3"], ground: Num[np.ndarray, " 3"]
) -> tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w"]] | None:
    """What differs from a plain ground, without specks: its colours and its mask; None if nothing does.

    A pixel at the edge belongs to the object by as much as it differs from the ground, compared with its neighbours;
    the ground's share is taken out of its colour.
    """
    differs = np.abs(picture.astype(np.float32) - ground).max(axis=2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((differs > DIFFERS).astype(np.uint8), connectivity=8)
    area = stats[1:, cv2.CC_STAT_AREA]
    solid = 1 + np.flatnonzero(area >= max(4, 0.02 * area.max(initial=0)))
    if not len(solid):
        return None
    mask, around = np.isin(labels, solid).astype(np.uint8), np.ones((3, 3), np.uint8)
    beside = differs / np.maximum(cv2.dilate(differs, around), 1)
    share = mask * np.where(cv2.erode(mask, around, borderValue=1) > 0, 1, beside)
    colours = ground + (picture - ground) / np.maximum(share, 0.1)[..., None]
    colours = np.where(mask[..., None] > 0, np.clip(np.rint(colours), 0, 255), picture)
    return colours.astype(np.uint8), np.rint(255 * share).astype(np.uint8)
