"""The sheet of paper in a photograph: its four corners, its aspect, and the page seen straight on.

Candidates for the four corners come from thresholds at many levels of several channels, as in OpenCV's squares sample,
and from long straight edges that meet. A candidate is judged by how much of its four sides is an edge from bright paper
to a darker surrounding. The corners of the best one are made exact by fitting a line to the edge of each side at full
resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.geometry.paper import SIZES_MM
from maquette.intake.line_art import disc, resize, to_grey, upright

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Float64, UInt8

    Quad: TypeAlias = Float[np.ndarray, "4 2"]
    """The corners of a quadrilateral, (column, row) each."""

SEARCH_SIDE_PX = 480
"""The longest side of the small copy on which a sheet is looked for, in pixels."""
LEVELS = 14
"""Thresholds for each channel."""
MOST_LINES = 12
"""How many of the longest straight edges may be sides of a sheet."""
PAGE_SIDE_PX = 2048
"""The largest longer side of a straightened page, in pixels."""
_GUESSED = {"A series": 2**-0.5, "letter": 8.5 / 11, "legal": 8.5 / 14}
_NEAR = 0.04  # in the logarithm of width over height: half the distance between letter and the A series
_FOCAL = 0.85  # focal length in longer sides of the picture, if the corners do not tell it: a phone's main camera


@dataclass(frozen=True, eq=False)
class DetectedSheet:
    """A sheet of paper in a picture.

    Attributes:
        corners: (column, row) of each, clockwise from the top left one of the page; pixel centres are whole numbers.
        aspect: Width over height of the page.
        measured: Width over height as measured, before it was changed to that of a known size of paper.
        paper: The name of that size, or empty.
    """

    corners: Float64[np.ndarray, "4 2"]
    aspect: float
    measured: float
    paper: str = ""

    def line(self) -> str:
        """What was found, as one line for the user."""
        kind = f"{self.paper} paper" if self.paper else f"a sheet of {self.aspect:.2f} to 1"
        return f"{kind}, {'upright' if self.aspect < 1 else 'lying'}, straightened"


def find_sheet(picture: UInt8[np.ndarray, "h w 3"], paper: str = "auto") -> DetectedSheet | None:
    """The sheet of paper in a picture; None if its four sides are not seen.

    Args:
        picture: The picture.
        paper: `auto` measures the aspect of the page from its perspective, and changes it to that of the A series, of
            letter or of legal if it is within 4 % of one. `as seen` keeps the measured aspect. A size in
            `maquette.geometry.paper.SIZES_MM` has its own.

    Raises:
        UserError: For any other `paper`.
    """
    if paper not in ("auto", "as seen", *SIZES_MM):
        raise UserError(f"paper must be auto, as seen, {', '.join(SIZES_MM)}", repr(paper))
    height, width = picture.shape[:2]
    if min(height, width) < 64:
        return None
    scale = min(1.0, SEARCH_SIDE_PX / max(height, width))
    small = resize(picture, round(width * scale), round(height * scale))
    quad = _search(small)
    if quad is None:
        return None
    factor = np.array([width / small.shape[1], height / small.shape[0]])
    corners = _exact(picture, (quad + 0.5) * factor - 0.5)
    measured = page_aspect(corners, width, height)
    aspect, name = measured, ""
    if paper in SIZES_MM:
        aspect, name = SIZES_MM[paper][0] / SIZES_MM[paper][1], paper.upper() if paper[0] == "a" else paper
        aspect = 1 / aspect if measured > 1 else aspect
    elif paper == "auto":
        tall = min(measured, 1 / measured)
        near = min(_GUESSED, key=lambda one: abs(np.log(tall / _GUESSED[one])))
        if abs(np.log(tall / _GUESSED[near])) < _NEAR:
            aspect, name = _GUESSED[near] if measured < 1 else 1 / _GUESSED[near], near
    return DetectedSheet(corners, aspect, measured, name)


def straighten(picture: UInt8[np.ndarray, "h w 3"], sheet: DetectedSheet) -> UInt8[np.ndarray, "_ _ 3"]:
    """The page seen straight on, at about the resolution that the picture has at the nearest side of the page."""
    sides = np.linalg.norm(np.roll(sheet.corners, -1, axis=0) - sheet.corners, axis=1)
    wide, high = max(sides[0], sides[2]), max(sides[1], sides[3])
    high = max(high, wide / sheet.aspect)
    wide = high * sheet.aspect
    shrink = min(1.0, PAGE_SIDE_PX / max(wide, high))
    wide, high = max(16, round(wide * shrink)), max(16, round(high * shrink))
    return cv2.warpPerspective(picture, to_page(sheet.corners, wide, high), (wide, high), flags=cv2.INTER_CUBIC,
                               borderMode=cv2.BORDER_REPLICATE)


def to_page(corners: Float[np.ndarray, "4 2"], width: int, height: int) -> Float64[np.ndarray, "3 3"]:
    """The homography from the pixels of a picture to those of a page of `width` by `height` pixels."""
    page = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    return cv2.getPerspectiveTransform(corners.astype(np.float32), page.astype(np.float32))


def page_aspect(corners: Float[np.ndarray, "4 2"], width: int, height: int) -> float:
    """Width over height of a rectangle seen in perspective.

    After Zhang and He 2003 ("Whiteboard scanning and image enhancement", section 4), for square pixels and a principal
    point in the middle of the picture. If the sides are too parallel to tell the focal length, that of a phone is used.

    Args:
        corners: (column, row) of the corners, clockwise from the top left one.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """
    middle, unit = np.array([width - 1, height - 1]) / 2, float(max(width, height))
    top_left, top_right, bottom_right, bottom_left = np.hstack([(corners - middle) / unit, np.ones((4, 1))])
    diagonal = np.cross(top_left, bottom_right)
    across = diagonal @ bottom_left / (np.cross(top_right, bottom_right) @ bottom_left) * top_right - top_left
    down = diagonal @ top_right / (np.cross(bottom_left, bottom_right) @ top_right) * bottom_left - top_left
    depth = across[2] * down[2]
    squared = -(across[0] * down[0] + across[1] * down[1]) / depth if abs(depth) > 1e-6 else np.inf
    steep = min(abs(across[2]), abs(down[2])) > 0.03
    focal = squared if steep and 0.5**2 < squared < 3.0**2 else _FOCAL**2
    wide, high = ((side[0] ** 2 + side[1] ** 2) / focal + side[2] ** 2 for side in (across, down))
    return float(np.sqrt(wide / high))


def _search(picture: UInt8[np.ndarray, "h w 3"]) -> Quad | None:
    """The best quadrilateral of a small picture; None if none has the four sides of a sheet."""
    height, width = picture.shape[:2]
    calm = cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.float32)
    kernel = disc(max(5, round(0.03 * max(height, width))))
    filled = cv2.morphologyEx(calm, cv2.MORPH_CLOSE, kernel)  # without the lines on the page
    colour = filled[..., 2] / (filled.sum(axis=2) + 8)  # the share of blue, which a shadow leaves as it is
    grey = to_grey(filled)
    channels = (grey, filled.min(axis=2), colour, grey * np.clip(3 * colour, 0, 1.2))
    bright = to_grey(calm)
    quads = _quads_of_lines(grey)
    for channel in channels:
        low, high = np.percentile(channel, (3, 97))
        if high - low >= 1e-3 * max(1.0, abs(high)):
            for level in np.linspace(low, high, LEVELS + 2)[1:-1]:
                quads += _quads(channel > level)
    best: Quad | None = None
    most = 0.0
    for quad in quads:
        support = _support(bright, quad)
        if support.min() > 0.6 and support.mean() > 0.8:
            area = cv2.contourArea(quad.astype(np.float32)) / (height * width)
            score = support.mean() + 0.5 * support.min() + 0.7 * area  # a shadow's edge makes a smaller one
            if score > most:
                best, most = quad, score
    return best


def _quads_of_lines(grey: Float32[np.ndarray, "h w"]) -> list[Quad]:
    """The quadrilaterals that the longest straight edges of a picture form.

    They find a page that lies partly in shadow and is darker there than the desk in the light.
    """
    height, width = grey.shape
    side = min(height, width)
    edges = cv2.Canny(np.clip(grey, 0, 255).astype(np.uint8), 12, 36)
    found = cv2.HoughLinesP(edges, 1, np.pi / 360, 40, minLineLength=0.12 * side, maxLineGap=0.03 * side)
    if found is None:
        return []
    lines: list[list[np.ndarray]] = []
    for segment in sorted(found.reshape(-1, 2, 2).astype(np.float64), key=_length, reverse=True)[:200]:
        for line in lines:  # pieces of one line
            start, along = line[0][0], (line[0][1] - line[0][0]) / _length(line[0])
            off = (segment - start) @ [-along[1], along[0]]
            if np.abs(off).max() < 0.012 * side + 1:
                line.append(segment)
                break
        else:
            lines.append([segment])
    lines = sorted(lines, key=lambda line: sum(map(_length, line)), reverse=True)[:MOST_LINES]
    ways, turns = [], []
    for line in lines:
        x, y, cx, cy = (float(value) for value in cv2.fitLine(np.concatenate(line).astype(np.float32), cv2.DIST_L2,
                                                              0, 0.01, 0.01).ravel())
        ways.append(np.cross([cx, cy, 1.0], [cx + x, cy + y, 1.0]))
        turns.append(np.arctan2(y, x))
    apart = np.abs((np.subtract.outer(turns, turns) + np.pi / 2) % np.pi - np.pi / 2)
    pairs = [(i, j) for i in range(len(ways)) for j in range(i) if apart[i, j] < np.radians(35)]
    quads = []
    for number, (a, b) in enumerate(pairs):
        for c, d in pairs[:number]:
            if min(apart[a, c], apart[a, d], apart[b, c], apart[b, d]) < np.radians(40):
                continue
            corners = np.array([np.cross(ways[m], ways[n]) for m, n in ((a, c), (c, b), (b, d), (d, a))])
            quad = corners[:, :2] / np.where(np.abs(corners[:, 2:]) < 1e-9, 1e-9, corners[:, 2:])
            if (quad < -2).any() or (quad > (width + 1, height + 1)).any():
                continue
            flat = quad.astype(np.float32)
            if cv2.isContourConvex(flat) and cv2.contourArea(flat) > 0.06 * height * width:
                quads.append(upright(quad))
    return quads


def _length(segment: Float[np.ndarray, "2 2"]) -> float:
    return float(np.linalg.norm(segment[1] - segment[0]))


def _quads(mask: Bool[np.ndarray, "h w"]) -> list[Quad]:
    """The quadrilaterals that approximate large parts of a mask, upright."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(7))
    found = []
    for outline in cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        area = cv2.contourArea(outline)
        if not 0.06 < area / mask.size < 0.98:
            continue
        hull = cv2.convexHull(outline)
        around, size = cv2.arcLength(hull, True), cv2.contourArea(hull)
        if area < 0.8 * size:
            continue
        for share in (0.02, 0.04, 0.07):
            quad = cv2.approxPolyDP(hull, share * around, True)[:, 0].astype(np.float64)
            if len(quad) == 4 and abs(cv2.contourArea(quad.astype(np.float32)) / size - 1) < 0.12:
                found.append(upright(quad))
                break
    return found


def _support(bright: Float32[np.ndarray, "h w"], quad: Quad) -> Float[np.ndarray, " 4"]:
    """The share of each side of a quadrilateral along which it is brighter inside than outside."""
    height, width = bright.shape
    shares = np.linspace(0.04, 0.96, 40)[:, None]
    result = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        along = end - start
        outward = np.array([along[1], -along[0]]) / (np.linalg.norm(along) + 1e-9)  # clockwise on the screen
        points = start + shares * along

        def mean(steps: tuple[int, ...], points: np.ndarray = points, outward: np.ndarray = outward) -> np.ndarray:
            at = np.rint(points[None] + np.array(steps)[:, None, None] * outward).astype(int)
            inside = ((at >= 0) & (at < (width, height))).all(axis=2)
            column, row = np.clip(at[..., 0], 0, width - 1), np.clip(at[..., 1], 0, height - 1)
            return np.where(inside.all(axis=0), bright[row, column].mean(axis=0), np.nan)

        within, without = mean((-3, -4, -5)), mean((3, 4, 5))
        result.append(float((within - without > np.maximum(5, 0.06 * within)).mean()))  # nan counts for nothing
    return np.array(result)


def _exact(picture: UInt8[np.ndarray, "h w 3"], quad: Quad) -> Quad:
    """The corners where the lines fitted to the edges of the sides meet; a side without a clear edge is not moved."""
    longest = max(picture.shape[:2])
    grey = cv2.GaussianBlur(to_grey(picture), (0, 0), max(0.8, longest / 1600))
    for reach in (0.012 * longest, 0.005 * longest):
        lines = [_edge_line(grey, a, b, max(4.0, reach)) for a, b in zip(quad, np.roll(quad, -1, axis=0), strict=True)]
        meet = [np.cross(lines[side - 1], lines[side]) for side in range(4)]  # corner k ends side k-1 and begins side k
        if any(abs(point[2]) < 1e-9 for point in meet):
            return quad
        moved = np.array([point[:2] / point[2] for point in meet])
        if np.linalg.norm(moved - quad, axis=1).max() > 0.05 * longest:
            return quad
        quad = moved
    return quad


def _edge_line(
    grey: Float32[np.ndarray, "h w"], start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"], reach: float
) -> Float[np.ndarray, " 3"]:
    """The line a x + b y + c = 0 along which brightness falls most, going outwards across a side.

    Args:
        grey: The picture.
        start: One end of the side.
        end: The next corner, clockwise.
        reach: How far from the side the edge is looked for, in pixels.
    """
    along = end - start
    length = float(np.linalg.norm(along))
    along = along / max(length, 1e-9)
    outward = np.array([along[1], -along[0]])
    places = np.linspace(0.05, 0.95, 96) * length
    offsets = np.arange(-reach, reach + 0.25, 0.5)
    at = start + places[:, None, None] * along + offsets[None, :, None] * outward
    profile = cv2.remap(grey, at[..., 0].astype(np.float32), at[..., 1].astype(np.float32), cv2.INTER_LINEAR,
                        borderMode=cv2.BORDER_REPLICATE)
    fall = -cv2.GaussianBlur(np.gradient(profile, axis=1), (0, 0), sigmaX=2.0, sigmaY=0.01)
    peak = fall.argmax(axis=1)
    rows, strength = np.arange(len(places)), fall.max(axis=1)
    good = (peak > 0) & (peak < len(offsets) - 1) & (strength > 0.4 * np.median(strength)) & (strength > 0.2)
    if good.sum() < 12:
        return np.cross([*start, 1.0], [*end, 1.0])
    rows, peak = rows[good], peak[good]
    before, here, after = fall[rows, peak - 1], fall[rows, peak], fall[rows, peak + 1]
    bend = before - 2 * here + after
    shift = np.where(np.abs(bend) > 1e-9, 0.5 * (before - after) / np.where(np.abs(bend) > 1e-9, bend, 1), 0)
    across, down = offsets[peak] + 0.5 * np.clip(shift, -1, 1), places[rows]
    keep = np.ones(len(rows), bool)
    for _ in range(4):  # least squares, each time without what lies far off
        slope, level = np.polyfit(down[keep], across[keep], 1)
        off = np.abs(across - slope * down - level)
        keep = off <= max(0.6, 2.5 * float(np.median(off)))
    a, b = (start + place * along + (slope * place + level) * outward for place in (0.0, length))
    return np.cross([*a, 1.0], [*b, 1.0])
