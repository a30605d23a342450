"""The object in a picture as the networks expect it: in a square, as dark lead on white paper or as a photo.

Three kinds of picture are told apart (`line_art.line_art`): a *photo*; a clean *drawing* (scan, vector export); and
*paper*, a photograph or scan of pencil on paper with its light, tint, shadow, grain and perhaps the desk around it.
Drawings are flattened: a large closing leaves the paper, the picture is divided by it, and what is still dark is lead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.intake.background import PLAIN, object_on, plain_ground
from maquette.intake.lighting import even_out, paper_light
from maquette.intake.line_art import PageLook, disc, hues_of, line_art, resize, small_copy, straighten_sheet, to_grey
from maquette.intake.sheet_detection import find_sheet, straighten, to_page
from maquette.io.pictures import find_inputs, read_picture

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Float64, Num, UInt8

    Sheet: TypeAlias = tuple[UInt8[np.ndarray, "_ _ 3"], Float64[np.ndarray, "3 3"]]
    """A sheet of paper straightened, and the homography from its pixels to those of the picture."""

__all__ = ["Pickup", "find_inputs", "frame_object", "read_picture"]

Kind: TypeAlias = Literal["photo", "drawing", "paper"]
"""The kinds of pictures that are told apart."""
WORK_SIDE_PX = 768
"""The longest side of the copy on which a drawing is cleaned, in pixels."""
FAINT = 0.09
"""How much darker than its paper a drawing on a sheet must be, 0 to 1; a blank one has 0.08."""
LEAST_SHEET = 0.1
"""Share of a picture that a sheet covers at least: a smaller bright thing is a part of a room."""
MARGIN = 0.07
"""White margin around a drawing, as a share of the side of the square."""
PHOTO_MARGIN = 0.05
"""Margin around an object found on a plain background, as a share of its longer side."""


@dataclass(frozen=True)
class Pickup:
    """What was found in a picture.

    Attributes:
        image: The object in its square, in [0, 1]; drawings are dark lead on white, photos keep their light.
        kind: "photo", "drawing" (clean) or "paper" (pencil on paper through a camera or a scanner).
        box: (left, top, right, bottom) of the object, in pixels of the picture that was given.
        notes: What was done that a user may want to know, one short sentence each.
        lead: Of a drawing, what `frame_lead` frames at any size: the lead, and its box in it; None for a photo.
    """

    image: Float32[np.ndarray, "channels s s"]
    kind: Kind
    box: tuple[int, int, int, int]
    notes: tuple[str, ...] = ()
    lead: tuple[Float32[np.ndarray, "h w"], tuple[int, int, int, int]] | None = field(default=None, repr=False)


def frame_object(
    picture: Num[np.ndarray, " ..."],
    size_px: int = 128,
    channels: int = 1,
    name: str = "the picture",
    kind: Kind | None = None,
) -> Pickup:
    """Finds the object in a picture and frames it in a square.

    A drawing is cropped to its lines with a margin of 7 %; dust, the edge of the page and the desk are removed, and
    thin lines stay visible. A photo is padded to a square with the median colour of its border, never squashed; on a
    plain background it is cropped to the object first.

    Args:
        picture: Uint8 `[H, W, 3]` or `[H, W]`, upright.
        size_px: The side of the square in pixels.
        channels: 1 for grey (ITU-R BT.601) or 3 for RGB.
        name: What messages call the picture.
        kind: None to find out. "photo" skips the search for a drawing; "drawing" and "paper", which mean the same here,
            take everything dark for lead even if the picture looks like a photo.

    Raises:
        UserError: For a blank page, a photo of one even colour, a picture under 8 pixels, and wrong types.
    """
    if channels not in (1, 3):
        raise UserError("channels must be 1 or 3", got=channels)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
        raise UserError("a picture must be uint8 [H, W] or [H, W, 3]", got=f"{picture.dtype} {picture.shape}")
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    height, width = picture.shape[:2]
    if max(height, width) < 8 or min(height, width) < 2:
        raise UserError(f"{name} is too small to hold an object", got=f"{width}x{height} pixels")
    scale = min(1.0, WORK_SIDE_PX / max(height, width))
    work = resize(picture, max(2, round(width * scale)), max(2, round(height * scale)))

    if kind == "photo":
        return _frame_photo(picture, size_px, channels, name)
    to_work = np.eye(3)
    notes: list[str] = []
    grey = to_grey(work)
    look = line_art(grey, work)
    if not look.is_line_art:
        sheet = _drawn_sheet(_exact_sheet(work)) or _drawn_sheet(straighten_sheet(grey, work))
        inverse = line_art(255.0 - grey, None)
        if sheet is not None:
            page, to_work, look = sheet
            grey = to_grey(page)
            notes.append("cropped to the sheet of paper")
        elif inverse.is_line_art and inverse.contrast > 0.2 and np.median(grey) < 110:
            look, grey = inverse, 255.0 - grey
            notes.append("bright lines on a dark ground were inverted")
        elif kind is None:
            return _frame_photo(picture, size_px, channels, name)
    found = _clean_lead(grey, look.paper, edge=bool(notes))
    if kind is None and (found is None or look.contrast < 0.12):
        if np.median(np.abs(hues_of(small_copy(work))).max(axis=2)) > 25:
            return _frame_photo(picture, size_px, channels, name)  # a coloured surface, no page
    if found is None:
        raise UserError(f"no drawing found on the page in {name}", hint="draw darker or fill more of the picture")
    lead, box, more = found
    kind = "drawing" if look.clean and not notes else "paper"
    image, framed = frame_lead(lead, box, size_px), box
    corners = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]], dtype=np.float64)
    corners = cv2.perspectiveTransform(corners[None], to_work)[0] / scale
    low, high = np.floor(corners.min(0)), np.ceil(corners.max(0))
    box = (max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1])))
    return Pickup(np.repeat(image[None], channels, axis=0), kind, box, tuple(notes + more), (lead, framed))


def _exact_sheet(work: UInt8[np.ndarray, "h w 3"]) -> Sheet | None:
    """The sheet of paper that `find_sheet` finds, also half in a shadow, as even light would show it, and its place."""
    found = find_sheet(work)
    if found is None or not 0.5 < found.aspect < 2:
        return None
    page = straighten(work, found)
    if page.shape[0] * page.shape[1] < LEAST_SHEET * work.shape[0] * work.shape[1]:
        return None
    if found.paper:  # surely paper: the edge of a shadow on it is no line
        page = even_out(page, paper_light(page))
    return page, np.linalg.inv(to_page(found.corners, page.shape[1], page.shape[0]))


def _drawn_sheet(sheet: Sheet | None) -> tuple[UInt8[np.ndarray, "_ _ 3"], Float64[np.ndarray, "3 3"], PageLook] | None:
    """A straightened sheet and how it looks, if something is drawn on it."""
    if sheet is None:
        return None
    look = line_art(to_grey(sheet[0]), sheet[0])
    return (*sheet, look) if look.is_line_art and look.contrast > FAINT else None


def _clean_lead(
    grey: Float32[np.ndarray, "h w"], paper: Float32[np.ndarray, "_ _"], edge: bool
) -> tuple[Float32[np.ndarray, "h w"], tuple[int, int, int, int], list[str]] | None:
    """The darkness of the lead in [0, 1] without dust and page edges, its box, and notes; None on a blank page.

    Args:
        grey: The page, 0 to 255.
        paper: The brightness of the bare paper, on a small copy.
        edge: Whether the edge of the page may be in the picture.
    """
    height, width = grey.shape
    side = max(height, width)
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    dark = np.clip(1.0 - grey / paper, 0.0, 1.0)
    calm = cv2.GaussianBlur(dark, (0, 0), max(0.3, side / 900))
    grain = 1.4826 * float(np.median(np.abs(dark - np.median(dark)))) + 1e-6  # half of it is clipped: close enough
    grain = max(grain, float(np.median(dark)))
    threshold = float(np.clip(5 * grain, 0.07, 0.30))
    mask = (calm > threshold).astype(np.uint8)
    if edge:
        rim = max(2, round(0.012 * side))
        mask[:rim] = mask[-rim:] = 0
        mask[:, :rim] = mask[:, -rim:] = 0
    mask, dropped_edge = _drop_page_edges(mask)
    mask, dropped = _keep_object(mask, dark)
    ink = mask > 0
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows) or max(rows[-1] - rows[0], columns[-1] - columns[0]) < 0.04 * side or ink.sum() < 12:
        return None
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    near = cv2.dilate(mask, disc(max(3, round(side / 150))))
    strength = float(np.percentile(dark[ink], 85))
    low = min(2.0 * grain, 0.4 * threshold)
    lead = np.clip((dark - low) / max(strength - low, 0.05), 0.0, 1.0) * (near > 0)
    lead *= max(strength, 0.85)  # faint pencil becomes dark pencil; dark lines stay as they are
    notes = ["the edge of the page was removed"] * dropped_edge + ["marks away from the object were left out"] * dropped
    return lead.astype(np.float32), box, notes


def _drop_page_edges(mask: UInt8[np.ndarray, "h w"]) -> tuple[UInt8[np.ndarray, "h w"], bool]:
    """The mask without bands along its edges (scanner shadow, desk) and without a frame around the whole page.

    A frame with nothing in it is what was drawn.

    Returns:
        The mask, and whether anything was dropped.
    """
    height, width = mask.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    gone, frames = [], []
    for i in range(1, count):
        x, y, w, h, area = stats[i]
        at_edge = x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1
        band = at_edge and ((w < 0.04 * width and h > 0.35 * height) or (h < 0.04 * height and w > 0.35 * width))
        frame = False
        if w > 0.9 * width and h > 0.9 * height:
            rim = labels == i
            b_x, b_y = round(0.1 * width), round(0.1 * height)
            frame = int(rim[b_y:-b_y, b_x:-b_x].sum()) < 0.02 * area
        if band:
            gone.append(i)
        elif frame:
            frames.append(i)
    if len(gone) + len(frames) < count - 1:
        gone += frames
    if gone:
        mask = mask * ~np.isin(labels, gone)
    return mask.astype(np.uint8), bool(gone)


def _keep_object(
    mask: UInt8[np.ndarray, "h w"], dark: Float[np.ndarray, "h w"]
) -> tuple[UInt8[np.ndarray, "h w"], bool]:
    """The largest cluster of lead and what is near it.

    Returns:
        The mask, and whether more than dust was dropped.
    """
    height, width = mask.shape
    side = max(height, width)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    reach = max(stats[1:, cv2.CC_STAT_WIDTH].max(), stats[1:, cv2.CC_STAT_HEIGHT].max()) if count > 1 else 0
    if not reach:
        return mask, False
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    dust = (extent < max(2, 0.008 * side)) | ((extent < max(3, 0.02 * side)) & (extent < 0.05 * reach))
    dust[0] = True
    solid = (~dust)[labels].astype(np.uint8)
    gap = max(3, round(0.035 * side))
    joined = cv2.dilate(solid, np.ones((gap | 1, gap | 1), np.uint8))
    groups, group_of, group_stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if groups < 2:
        return solid, False
    ink = np.bincount(group_of.ravel(), weights=(solid * dark).ravel(), minlength=groups)
    ink[0] = 0
    span = np.hypot(group_stats[:, cv2.CC_STAT_WIDTH], group_stats[:, cv2.CC_STAT_HEIGHT])
    score = ink * span
    score[0] = 0
    main = int(np.argmax(score))
    x0, y0, w, h, _ = group_stats[main]
    keep = np.zeros(groups, bool)
    keep[main] = True
    for g in range(1, groups):
        x, y, wide, high, _ = group_stats[g]
        away = max(x0 - (x + wide), x - (x0 + w), y0 - (y + high), y - (y0 + h), 0)
        keep[g] |= away <= 0 or (away < 0.05 * side and ink[g] > 0.03 * ink[main]) or ink[g] > 0.5 * ink[main]
    far = bool((~keep[1:] & (ink[1:] > 0)).any())
    return (mask * (keep[group_of] & (mask > 0))).astype(np.uint8), far


def frame_lead(
    lead: Float32[np.ndarray, "h w"], box: tuple[int, int, int, int], size_px: int
) -> Float32[np.ndarray, "{size_px} {size_px}"]:
    """A square picture of a drawing with a white margin, its lines about a pixel wide or wider.

    Args:
        lead: 0 is paper and 1 is lead.
        box: (left, top, right, bottom) of the drawing.
        size_px: The side of the square.

    Returns:
        0 is lead and 1 is paper.
    """
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0) / (1 - 2 * MARGIN)
    shrink = side / size_px
    crop = lead[y0:y1, x0:x1]
    if shrink > 1.2:
        line = crop > 0.4 * float(crop.max())
        depth = cv2.distanceTransform(np.pad(line.astype(np.uint8), 1), cv2.DIST_L2, 3)
        width = max(1.0, 4 * float(depth[depth > 0].mean()) - 2) if line.any() else shrink
        grow = min(round(1.15 * shrink - width), round(shrink))
        if grow >= 1:  # a line thinner than a pixel of the result would fade: thicken it first
            pad = grow
            crop = cv2.dilate(np.pad(crop, pad), disc(grow + 1) if grow > 1 else np.ones((2, 2), np.uint8))
            x0, y0, x1, y1 = x0 - pad, y0 - pad, x1 + pad, y1 + pad
    inner_w, inner_h = max(1, round((x1 - x0) / shrink)), max(1, round((y1 - y0) / shrink))
    inner_w, inner_h = min(inner_w, size_px), min(inner_h, size_px)
    crop = np.clip(resize(np.ascontiguousarray(crop), inner_w, inner_h), 0, 1)
    strength = float(np.percentile(crop[crop > 0.15], 85)) if (crop > 0.15).any() else 1.0
    crop = np.clip(crop * max(1.0, 0.85 / max(strength, 0.05)), 0, 1)
    square = np.ones((size_px, size_px), np.float32)
    top, left = (size_px - inner_h) // 2, (size_px - inner_w) // 2
    square[top:top + inner_h, left:left + inner_w] = 1 - crop
    return square


def _frame_photo(picture: UInt8[np.ndarray, "h w 3"], size_px: int, channels: int, name: str) -> Pickup:
    """The object of a photo, padded to a square with the median colour of the border and resized."""
    height, width = picture.shape[:2]
    notes: list[str] = []
    ground, plain = plain_ground(picture)
    if float(to_grey(small_copy(picture)).std()) < 2.0:
        raise UserError(f"no drawing found on the page and no object in {name}", got="one even colour all over")
    box = (0, 0, width, height)
    if plain > PLAIN:
        found = object_on(picture, ground, PHOTO_MARGIN)
        if found is not None:
            box = found
            notes.append("cropped to the object on its plain background")
    x0, y0, x1, y1 = box
    crop = picture[y0:y1, x0:x1]
    side = max(x1 - x0, y1 - y0)
    scale = size_px / side
    inner = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    crop = resize(crop, *inner).astype(np.float32)
    square = np.broadcast_to(ground.astype(np.float32), (size_px, size_px, 3)).copy()
    top, left = (size_px - inner[1]) // 2, (size_px - inner[0]) // 2
    square[top:top + inner[1], left:left + inner[0]] = crop
    low, high = np.percentile(to_grey(crop), (0.5, 99.5))
    gain = float(np.clip(180.0 / max(high - low, 1.0), 1.0, 1.5))  # mild: only dull photos, at most half as much again
    middle, reach = (low + high) / 2, gain * (high - low) / 2
    target = middle if gain == 1.0 else np.clip(middle, reach, 255.0 - reach)
    square = np.clip((square - middle) * gain + target, 0, 255) / 255.0
    if channels == 1:
        image = to_grey(square)[None]
    else:
        image = square.transpose(2, 0, 1)
    return Pickup(np.ascontiguousarray(image, dtype=np.float32), "photo", box, tuple(notes))
