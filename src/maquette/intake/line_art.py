"""Tells line art on paper from photos; what the bare paper looks like; a sheet of paper on a darker desk.

Also the operations on pictures that the other files of this package share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Float64, Num, Shaped, UInt8

LOOK_SIDE_PX = 256
"""The longest side of the small copy on which the kind of picture is decided and the paper is estimated."""
_REC601 = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_LINEAR_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169],
                           [0.019334, 0.119193, 0.950227]], np.float32)
_LINEAR_TO_XYZ /= _LINEAR_TO_XYZ.sum(axis=1, keepdims=True)  # white is 1, 1, 1


@dataclass(frozen=True)
class PageLook:
    """Whether a grey picture is line art, and on which paper.

    Attributes:
        is_line_art: Whether it is lines on paper.
        paper: The brightness of the bare paper on a small copy, 0 to 255.
        clean: Whether the paper is even, white and without grain.
        contrast: How much darker than the paper the darkest lines are, 0 to 1.
    """

    is_line_art: bool
    paper: Float32[np.ndarray, "h w"]
    clean: bool
    contrast: float


def to_grey(picture: Num[np.ndarray, "*dims 3"]) -> Float32[np.ndarray, " *dims"]:
    """The luminance of RGB (ITU-R BT.601), in the same range."""
    return picture.astype(np.float32) @ _REC601


def resize(
    picture: Shaped[np.ndarray, "_ _ *channels"], width: int, height: int
) -> Shaped[np.ndarray, "{height} {width} *channels"]:
    """The picture at another size in pixels: averaged over areas if smaller, by cubic interpolation if larger."""
    if (picture.shape[1], picture.shape[0]) == (width, height):
        return picture
    smaller = width <= picture.shape[1] and height <= picture.shape[0]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def small_copy(picture: Shaped[np.ndarray, "_ _ *channels"]) -> Shaped[np.ndarray, "_ _ *channels"]:
    """The picture, reduced if its longest side is above LOOK_SIDE_PX."""
    height, width = picture.shape[:2]
    scale = min(1.0, LOOK_SIDE_PX / max(height, width))
    return resize(picture, max(2, round(width * scale)), max(2, round(height * scale)))


def disc(size: int) -> UInt8[np.ndarray, "d d"]:
    """A round structuring element, `size` pixels across, or one more if that is even."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size | 1, size | 1))


def _bytes(grey: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    return np.clip(grey, 0, 255).astype(np.uint8)


def _paper_of(grey: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """The brightness of the bare paper of a small grey drawing: a closing wider than any line, then smoothed."""
    side = max(grey.shape)
    size = max(5, round(side * 0.09)) | 1
    calm = cv2.medianBlur(_bytes(grey), 3 if side < 200 else 5)  # or grain would lift the paper
    pad = size
    calm = cv2.copyMakeBorder(calm, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(calm, cv2.MORPH_CLOSE, disc(size)).astype(np.float32)
    paper = cv2.GaussianBlur(closed, (0, 0), size / 5)
    return np.maximum(paper[pad:-pad, pad:-pad], 1.0)


def line_art(grey: Float32[np.ndarray, "h w"], colour: UInt8[np.ndarray, "h w 3"] | None) -> PageLook:
    """Decides whether a picture is lines on paper.

    Lines are thinner than the closing by which the paper is estimated. So on line art the paper is smooth (`rough`),
    has one tint (`off_tint`) and goes on to the frame (`border`). A pixel is either paper, or near a line that is
    clearly darker; few lie between (`mid`), while surfaces with shading and texture have many. The thresholds were set
    by eye on drawn and photo-like views of furniture, on simulated sheets and on textures, and checked on real photos.

    Args:
        grey: The picture, 0 to 255.
        colour: The same picture in RGB; None to decide without its colours.
    """
    small = small_copy(grey)
    side = max(small.shape)
    paper = _paper_of(small)
    log = np.log(paper)
    step_x, step_y = cv2.Sobel(log, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(log, cv2.CV_32F, 0, 1, scale=0.125)
    step = np.hypot(step_x, step_y) * (side / LOOK_SIDE_PX)
    rough, edges = float((step > 0.02).mean()), float((step > 0.04).mean())  # steps above 2 % and 4 % a pixel
    ratio = small / paper
    calm = cv2.GaussianBlur(ratio, (0, 0), 0.7 * max(1.0, side / 180))
    contrast = max(0.08, 1.0 - float(np.percentile(calm, 1.5)))
    darkness = (1.0 - calm) / contrast
    away = cv2.dilate((darkness > 0.5).astype(np.uint8), disc(max(3, round(side * 0.02)))) == 0
    mid = float(((darkness > 0.25) & away).mean())
    shade = (calm < 0.93).astype(np.uint8)
    wide = float(cv2.morphologyEx(shade, cv2.MORPH_OPEN, disc(max(5, round(side * 0.045)))).mean())
    border = float((rim_pixels(calm, max(2, round(0.03 * side))) > 0.93).mean())
    off_tint, hues = 0.0, 0.0
    if colour is not None:
        hue = hues_of(small_copy(colour))
        off = cv2.GaussianBlur(np.abs(hue - np.median(hue.reshape(-1, 2), axis=0)).max(axis=2), (0, 0), 1)
        off_tint = float(((off > 10) & away).mean())
        lines = hue[darkness > 0.5]  # one or two pencils, not the many colours of things
        hues = float(lines.std(axis=0).max()) if len(lines) else 0.0
    dimmest, median, brightest = np.percentile(paper, (2, 50, 98))
    white = float((rim_pixels(small, 1) > 250).mean()) > 0.9
    studio = white and dimmest < 0.85 * brightest  # shading inside a burnt-out white is an object's
    smooth = edges < 0.003 and not studio
    framed = border > 0.92 and hues < 18 and float((ratio < 0.75).mean()) < 0.3
    is_line_art = framed and (
        (mid < 0.025 and rough < 0.015 and off_tint < 0.03 and smooth)
        or (mid < 0.006 and rough < 0.010 and off_tint < 0.20 and smooth)  # a page whose tint drifts
        or (mid < 0.070 and rough < 0.005 and off_tint < 0.02 and smooth and median > 170)  # soft or faint pencil
        or (mid < 0.012 and rough < 0.120 and off_tint < 0.03 and not studio and wide < 0.02)  # a shadow's edge
        or (mid < 0.014 and contrast > 0.7 and off_tint < 0.05 and white)  # bold lines on pure white
    )
    grain = float(np.median(np.abs(ratio - cv2.medianBlur(ratio, 3)))) if min(small.shape) > 3 else 0.0
    clean = brightest - dimmest < 8 and median > 235 and grain < 0.004
    return PageLook(bool(is_line_art), paper, bool(clean), contrast)


def hues_of(picture: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 2"]:
    """The a and b of CIE L*a*b* (D65) of sRGB, in whole steps: 0 for grey, reddish and yellowish above.

    OpenCV's own takes a tenth of a second to get ready.
    """
    if (picture == picture[..., :1]).all():
        return np.zeros((*picture.shape[:2], 2), np.float32)
    levels = np.arange(256, dtype=np.float32) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)
    share = linear[picture] @ _LINEAR_TO_XYZ.T
    root = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.round(np.stack([500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])], axis=2))


def rim_pixels(
    picture: Shaped[np.ndarray, "_ _ *channels"], width: int
) -> Shaped[np.ndarray, " pixels *channels"]:
    """The pixels within `width` of an edge of the picture; those in the corners come twice."""
    parts = picture[:width], picture[-width:], picture[:, :width], picture[:, -width:]
    return np.concatenate([part.reshape(-1, *picture.shape[2:]) for part in parts])


def straighten_sheet(
    grey: Float32[np.ndarray, "h w"], colour: UInt8[np.ndarray, "h w 3"]
) -> tuple[UInt8[np.ndarray, "_ _ 3"], Float64[np.ndarray, "3 3"]] | None:
    """The sheet of paper on a darker desk, straightened; for small pictures (`sheet_detection` is exact, and slower).

    Args:
        grey: The picture, 0 to 255.
        colour: The same picture in RGB.

    Returns:
        The sheet, and the homography from its pixels to those of the picture; None if no sheet is seen.
    """
    small = cv2.GaussianBlur(small_copy(grey), (0, 0), 1.0)
    height, width = small.shape
    closed = cv2.morphologyEx(_bytes(small), cv2.MORPH_CLOSE, disc(round(max(small.shape) * 0.05)))
    level, _ = cv2.threshold(closed, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = cv2.morphologyEx((closed > level).astype(np.uint8), cv2.MORPH_OPEN, disc(7))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    if count < 2:
        return None
    biggest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if not 0.2 < stats[biggest, cv2.CC_STAT_AREA] / small.size < 0.98 or min(colour.shape[:2]) < 96:
        return None
    sheet = (labels == biggest).astype(np.uint8)
    outline = max(cv2.findContours(sheet, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    if cv2.contourArea(outline) < 0.93 * cv2.contourArea(hull):
        return None
    quad = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True)[:, 0].astype(np.float64)
    factor = np.array([colour.shape[1] / width, colour.shape[0] / height])
    if len(quad) != 4 or abs(cv2.contourArea(quad.astype(np.float32)) / cv2.contourArea(hull) - 1) > 0.06:
        return _mask_sheet(hull, colour, factor)
    quad = quad + 0.5
    quad = upright(quad) * factor - 0.5
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    wide, high = max(8, round((sides[0] + sides[2]) / 2)), max(8, round((sides[1] + sides[3]) / 2))
    inset = 0.015 * max(wide, high)
    flat = np.array([[-inset, -inset], [wide + inset, -inset], [wide + inset, high + inset], [-inset, high + inset]])
    to_page = cv2.getPerspectiveTransform(quad.astype(np.float32), flat.astype(np.float32))
    page = cv2.warpPerspective(colour, to_page, (wide, high), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return page, np.linalg.inv(to_page)


def upright(quad: Float[np.ndarray, "4 2"]) -> Float[np.ndarray, "4 2"]:
    """The corners clockwise on the screen from the top left one, so that the page is turned by less than 45 degrees."""
    centre = quad.mean(axis=0)
    quad = quad[np.argsort(np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0]))]
    edges = np.roll(quad, -1, axis=0) - quad
    first = int(np.argmax(edges[:, 0] / (np.linalg.norm(edges, axis=1) + 1e-9)))  # points most to the right
    return np.roll(quad, -first, axis=0)


def _mask_sheet(
    hull: Shaped[np.ndarray, "n 1 2"], colour: UInt8[np.ndarray, "h w 3"], factor: Float[np.ndarray, " 2"]
) -> tuple[UInt8[np.ndarray, "_ _ 3"], Float64[np.ndarray, "3 3"]]:
    """A sheet that the frame cuts: the picture is cropped to it, and the desk gets the paper's own colour.

    Args:
        hull: The convex outline of the sheet on a small copy.
        colour: The picture.
        factor: From the small copy to the picture, along x and y.

    Returns:
        As `straighten_sheet`.
    """
    corners = np.rint((hull[:, 0] + 0.5) * factor - 0.5).astype(np.int32)
    filled = np.zeros(colour.shape[:2], np.uint8)
    cv2.fillConvexPoly(filled, corners, 1)
    inset = max(3, round(0.07 * max(colour.shape)))  # more than the closing bridged between sheet and frame
    inside = cv2.erode(filled, disc(inset))
    x, y, wide, high = cv2.boundingRect(inside)
    page, inside = colour[y:y + high, x:x + wide], inside[y:y + high, x:x + wide]
    known = small_copy(inside.astype(np.float32))[..., None]
    reach = max(known.shape) / 16  # normalised convolution: beyond the sheet its own light goes on
    spread = cv2.GaussianBlur(small_copy(page).astype(np.float32) * (known > 0.99), (0, 0), reach)
    weight = cv2.GaussianBlur((known > 0.99).astype(np.float32), (0, 0), reach)[..., None]
    average = page[inside > 0].mean(axis=0) if inside.any() else np.full(3, 255.0)
    beyond = (spread + 1e-3 * average) / (weight + 1e-3)
    beyond = cv2.resize(beyond, (wide, high), interpolation=cv2.INTER_LINEAR)
    page = np.where(inside[..., None] > 0, page, np.clip(beyond, 0, 255)).astype(np.uint8)
    return page, np.array([[1.0, 0, x], [0, 1.0, y], [0, 0, 1.0]])


