"""The drawing on a photographed page: the page is found, straightened and evenly lit, its ruling is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.intake import lighting, ruling
from maquette.intake.background import plain_ground
from maquette.intake.line_art import resize
from maquette.intake.pickup import frame_lead
from maquette.intake.ruling import Ruling
from maquette.intake.sheet_detection import DetectedSheet, find_sheet, straighten

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Num, UInt8

MARGIN = 0.04
"""White margin that a crop keeps around the drawing, as a share of its longer side."""
LOW_PX = (4, 1024)
"""The smallest and the largest side of a picture of low resolution, in pixels."""
_RIM = 0.012  # of the longer side of a sheet: its edge and the shadow of the edge are no part of the drawing


@dataclass(frozen=True, eq=False)
class Captured:
    """The drawing on a page, and what was found on the way to it.

    Attributes:
        picture: Dark lead on white: the page, the crop to the drawing, or the square of low resolution.
        ink: The whole page; 0 is paper and 1 is lead.
        box: (left, top, right, bottom) of the drawing, in pixels of the page.
        sheet: The sheet in the photograph, or None.
        straight: The page as the camera saw it, straightened.
        ruling: What was printed on the paper, or None if it was not looked for.
        notes: What a user may want to know.
    """

    picture: UInt8[np.ndarray, "_ _"]
    ink: Float32[np.ndarray, "h w"]
    box: tuple[int, int, int, int]
    sheet: DetectedSheet | None
    straight: UInt8[np.ndarray, "h w 3"]
    ruling: Ruling | None
    notes: tuple[str, ...]


def rectify_page(
    photo: Num[np.ndarray, " ..."],
    *,
    squared: bool = False,
    low: int | None = None,
    whole_page: bool = False,
    paper: str = "auto",
    name: str = "the picture",
) -> Captured:
    """The drawing on a photographed page.

    If no sheet is seen the whole picture is taken for the page; a note says so unless the picture is white all round.

    Args:
        photo: RGB `[H, W, 3]`, upright.
        squared: Removes the printed lines of squared or lined paper.
        low: The side in pixels of a square picture of low resolution, in which thin lines stay visible. None for the
            resolution of the page.
        whole_page: Does not crop to the drawing.
        paper: As for `maquette.intake.sheet_detection.find_sheet`; `none` does not look for a sheet.
        name: What messages call the picture.

    Raises:
        UserError: For an unusable picture, an unknown paper, and a page on which nothing is drawn.
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise UserError("a photo of a page must be uint8 [H, W, 3]", f"{photo.dtype} {photo.shape}")
    if min(photo.shape[:2]) < 16:
        raise UserError(f"{name} is too small to hold a page", f"{photo.shape[1]}x{photo.shape[0]} pixels")
    if low is not None and not LOW_PX[0] <= low <= LOW_PX[1]:
        raise UserError(f"a picture of low resolution has {LOW_PX[0]} to {LOW_PX[1]} pixels a side", low)
    notes: list[str] = []
    ground, plain = plain_ground(photo)
    sheet = None
    if paper != "none" and not (plain > 0.97 and ground.min() > 235):  # white all round: a file, or a scan
        sheet = find_sheet(photo, paper)
        if sheet is not None:
            notes.append(sheet.line())
    if sheet is None and plain > 0.97 and ground.mean() < 80:
        photo = 255 - photo
        notes.append("bright lines on a dark ground were inverted")
        ground = 255 - ground
    if sheet is None and paper != "none" and not (plain > 0.97 and ground.min() > 235):
        notes.append("no sheet of paper was found; the whole picture is taken for the page")
    page = photo if sheet is None else straighten(photo, sheet)
    dark = lighting.darkness(page, lighting.paper_light(page))
    printed = None
    if squared:
        dark, printed = ruling.remove_ruling(dark, lighting.grain_of(dark))
        notes.append(printed.line())
    lead = lighting.separate(dark, _RIM if sheet is not None else 0.0)
    if lead is None:
        raise UserError(f"no drawing found on the page in {name}", hint="draw darker or fill more of the picture")
    picture = _picture(lead, low, whole_page)
    return Captured(picture, lead.ink, lead.box, sheet, page, printed, tuple(notes))


def _picture(lead: lighting.Ink, low: int | None, whole_page: bool) -> UInt8[np.ndarray, "_ _"]:
    height, width = lead.ink.shape
    left, top, right, bottom = (0, 0, width, height) if whole_page else lead.box
    if low is not None:
        return _bytes(1 - frame_lead(lead.ink, (left, top, right, bottom), low))
    around = 0 if whole_page else max(2, round(MARGIN * max(right - left, bottom - top)))
    left, top = max(0, left - around), max(0, top - around)
    return _bytes(lead.ink[top : bottom + around, left : right + around])


def _bytes(ink: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Dark lead on white paper."""
    return np.rint(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)


def stages(
    photo: UInt8[np.ndarray, "h w 3"], captured: Captured, side_px: int = 640
) -> list[tuple[str, UInt8[np.ndarray, "_ _"] | UInt8[np.ndarray, "_ _ 3"]]]:
    """Four pictures of what was found, each with its caption.

    They are the photograph with the outline of the sheet, the straightened page, the drawing with its box, and the
    result.

    Args:
        photo: The photograph.
        captured: What `rectify_page` made of it.
        side_px: The longest side of each picture.
    """

    def fitted(picture: np.ndarray) -> tuple[np.ndarray, float]:
        """The picture at its new size, and the scale."""
        scale = min(1.0, side_px / max(picture.shape[:2]))
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        return np.ascontiguousarray(resize(picture, *size)), scale

    seen, scale = fitted(photo)
    caption = "no sheet found"
    if captured.sheet is not None:
        outline = np.rint(((captured.sheet.corners + 0.5) * scale - 0.5) * 16).astype(np.int32)
        cv2.polylines(seen, [outline[:, None]], True, (230, 60, 40), 2, cv2.LINE_AA, 4)
        caption = "the sheet"
    straight, _ = fitted(captured.straight)
    drawn, scale = fitted(np.repeat(_bytes(captured.ink)[..., None], 3, axis=2))
    left, top, right, bottom = (round(value * scale) for value in captured.box)
    cv2.rectangle(drawn, (left - 2, top - 2), (right + 1, bottom + 1), (60, 120, 220), 1)
    result = captured.picture
    if max(result.shape) < side_px // 2:  # pixels that can be seen
        result = np.repeat(np.repeat(result, side_px // max(result.shape), 0), side_px // max(result.shape), 1)
    size = f"{captured.picture.shape[1]}x{captured.picture.shape[0]}"
    return [(caption, seen), ("straightened", straight), ("drawn", drawn), (size, result)]
