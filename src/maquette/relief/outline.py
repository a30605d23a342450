"""From a drawing to the outline of a solid: what the drawn lines enclose, with holes, as polygons.

A thin line stands for an edge, and its middle is where the edge is; lines that touch are one line, and a solid is all
that it encloses. A closed line of its own inside another is a hole, one inside that is solid again: even and odd.
Ends of lines that hang free, inside or outside, are left out. What is filled in is solid as it is.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.intake.line_art import resize
from maquette.relief.gaps import Lines, close_gaps, widest_opening

WORK_SIDE_PX = 720
"""Longest side of what is drawn while it is looked at."""
CLOSED_TO = 0.12
"""The widest gap that is closed where nobody says, as a share of the drawing's longer side."""
_SPECK, _MOST_PIECES = 0.02, 120
_FULL = 0.3  # of its convex hull: a line that encloses less may have loops and be open all the same
_FILLED = 0.05  # of a piece's longer side: ink that holds discs of this radius is filled in, and no line
_DEEP = 4.0  # pixels: how far from its edge an outline's field still rises

Drawn = Literal["auto", "lines", "filled"]


@dataclass(frozen=True, eq=False)
class Outline:
    """What a drawing encloses.

    Attributes:
        rings: Closed polygons float64 [N, 2] each, the last point not repeated, x right and y up, in pixels; a point is
            inside where an odd number of them go around it.
        side_px: The longer side of all ink.
        gaps: Widths of the gaps that were closed, in pixels, the widest first.
        notes: What a user may want to know.
    """

    rings: tuple[np.ndarray, ...]
    side_px: float
    gaps: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


class Open(UserError):
    """Nothing is enclosed. gap: how far apart the ends of the longest line are, of the ink's longer side, or None."""

    def __init__(self, name: str, gap: float | None, hint: str):
        self.gap, self.name = gap, name
        got = None if gap is None else f"ends that are {100 * gap:.0f} % of the drawing's size apart"
        super().__init__(f"the outline in {name} is open", got, hint)


def find_outline(
    ink: np.ndarray, *, drawn: Drawn = "auto", closed_to: float = CLOSED_TO, name: str = "the drawing"
) -> Outline:
    """What is enclosed by the ink, float32 [H, W], 0 is paper and 1 is lead.

    Args:
        drawn: `lines` are edges, `filled` takes the ink itself for the solid, `auto` looks at each piece of it.
        closed_to: The widest gap that is closed, as a share of the ink's longer side.
        name: What an error calls the drawing.

    Raises:
        Open: Where the lines enclose nothing, and UserError where there is no ink.
    """
    return enclosed(framed(ink, name), drawn, closed_to, name)


def enclosed(ink: np.ndarray, drawn: Drawn, closed_to: float, name: str) -> Outline:
    """`find_outline` of ink that is `framed` already; x is its columns and y its rows, upwards."""
    mask, label, stats = pieces(ink)
    if not mask.any():
        raise UserError(f"nothing is drawn in {name}")
    side = _side(mask)
    numbers = [int(number) for number in np.unique(label) if number]
    largest = max(numbers, key=lambda number: stats[number, 2:4].max())
    ordinary = 0.0  # what is no wider than the lines of the largest piece is a line too
    if drawn == "auto" and len(numbers) > 1 and not _is_filled(label, stats, largest, 0.0):
        ordinary = float(_depth(label, stats, largest)[1:-1, 1:-1].max())
    thick = [number for number in numbers
             if drawn == "filled" or (drawn == "auto" and _is_filled(label, stats, number, ordinary))]
    solid = np.isin(label, thick)
    line = mask & ~solid
    gaps: list[float] = []
    if line.any():
        lines = _lines(line)
        joined, gaps = close_gaps(lines, closed_to * side)
        if gaps:
            lines = _lines(joined & ~solid)
    field = np.full(ink.shape, -_DEEP, np.float32)
    left_out = 0
    if line.any():
        for number in range(1, len(lines.closed)):
            if lines.closed[number]:
                _combine(field, *_edge_field(lines, number))
            else:
                left_out += 1
    if solid.any():
        near = cv2.dilate(solid.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        rise = np.where(near & ~line, _DEEP * np.clip(2 * ink - 1, -1, 1), -_DEEP).astype(np.float32)
        _combine(field, (slice(None), slice(None)), rise)
    if not (field > 0).any():
        opening = widest_opening(lines)
        raise Open(name, None if opening is None else opening / side,
                   "draw a closed line, or let wider gaps be closed with --close-mm")
    rings = _rings(field, side)
    if not rings:
        raise UserError(f"what is enclosed in {name} is too thin for a solid", hint="draw it larger")
    notes = []
    if left_out:
        notes.append(f"{left_out} open line{'s' if left_out > 1 else ''} that enclose{'s' * (left_out == 1)} nothing "
                     f"{'were' if left_out > 1 else 'was'} left out")
    return Outline(tuple(rings), side, tuple(gaps), tuple(notes))


def framed(ink: np.ndarray, name: str) -> np.ndarray:
    """The ink about its box, at most `WORK_SIDE_PX` long, its darkest at 1, with some paper around: float32 [h, w].

    Raises:
        UserError: Where nothing is drawn.
    """
    drawn = ink > 0.25
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    if not len(rows):
        raise UserError(f"nothing is drawn in {name}")
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    crop = ink[max(0, top - 3) : bottom + 3, max(0, left - 3) : right + 3]
    scale = min(1.0, WORK_SIDE_PX / max(crop.shape))
    crop = resize(np.ascontiguousarray(crop, dtype=np.float32), *(max(1, round(n * scale)) for n in crop.shape[::-1]))
    strength = float(np.percentile(crop[crop > 0.2], 80)) if (crop > 0.2).any() else 1.0
    return np.pad(np.clip(crop / max(strength, 0.2), 0, 1), 8)


def pieces(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ink without specks, bool [H, W]; the number of the piece at each pixel; OpenCV's statistics of the pieces."""
    _, label, stats, _ = cv2.connectedComponentsWithStats((ink > 0.5).astype(np.uint8), connectivity=8)
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    extent[0] = 0
    kept = np.argsort(-extent, kind="stable")[:_MOST_PIECES]
    kept = kept[extent[kept] >= max(3, _SPECK * extent.max(initial=0))]
    mask = np.isin(label, kept)
    return mask, np.where(mask, label, 0), stats


def _side(mask: np.ndarray) -> float:
    return float(max(np.ptp(np.flatnonzero(mask.any(axis))) + 1 for axis in (0, 1)))


def _depth(label: np.ndarray, stats: np.ndarray, number: int) -> np.ndarray:
    """How far each pixel of a piece is from paper, in its box and a pixel more around."""
    x, y, wide, high, _ = stats[number]
    one = np.pad((label[y : y + high, x : x + wide] == number).astype(np.uint8), 1)
    return cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _is_filled(label: np.ndarray, stats: np.ndarray, number: int, ordinary: float) -> bool:
    """Whether most of a piece lies within discs that are too large for a line, and larger than an `ordinary` one's."""
    depth = _depth(label, stats, number)
    radius = max(2.0, _FILLED * stats[number, 2:4].max(), ordinary)
    inner = depth > radius
    if not inner.any():
        return False
    grown = cv2.distanceTransform((~inner).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    return bool((grown & (depth > 0)).sum() > 0.5 * stats[number, cv2.CC_STAT_AREA])


def _lines(mask: np.ndarray) -> Lines:
    """The pieces of thin ink, and what each encloses; slivers no wider than the line itself are no inside."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    width = max(1.0, 4 * float(depth[mask].mean()) - 2)
    count, label, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    closed, full, around = [False], [False], [None]
    for number in range(1, count):
        x, y, wide, high, _ = stats[number]
        box = slice(y, y + high), slice(x, x + wide)
        piece = label[box] == number
        inside = _inside(piece, width)
        closed.append(inside is not None)
        if inside is None:
            full.append(False)
            around.append(None)
            continue
        hull = cv2.convexHull(np.argwhere(piece)[:, None].astype(np.int32))
        full.append(bool((inside | piece).sum() > _FULL * cv2.contourArea(hull)))
        around.append(np.zeros(mask.shape, bool))
        around[-1][box] = inside | piece
    return Lines(label, closed, full, around, width)


def _inside(piece: np.ndarray, width: float) -> np.ndarray | None:
    """What a piece of ink encloses, without slivers; None where that is nothing."""
    flooded = np.pad(piece.astype(np.uint8), 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    inside = flooded[1:-1, 1:-1] == 0
    if not inside.any():
        return None
    count, label = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deepest = np.zeros(count)
    np.maximum.at(deepest, label.ravel(), depth.ravel())
    wide = deepest > max(1.5, 0.75 * width)
    wide[0] = False
    return wide[label] if wide.any() else None


def _edge_field(lines: Lines, number: int) -> tuple[tuple[slice, slice], np.ndarray]:
    """How deep inside the middle of a closed line each pixel is, negative outside, in pixels up to `_DEEP`; its box."""
    piece = lines.label == number
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    box = slice(max(0, rows[0] - 6), rows[-1] + 7), slice(max(0, columns[0] - 6), columns[-1] + 7)
    inside = _inside(piece[box], lines.width_px)
    flooded = np.pad(piece[box].astype(np.uint8), 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    outside = flooded[1:-1, 1:-1] == 2
    to_inside, to_outside = (
        cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for part in (inside, outside)
    )
    return box, np.clip((to_outside - to_inside) / 2, -_DEEP, _DEEP).astype(np.float32)


def _combine(field: np.ndarray, box: tuple[slice, slice], one: np.ndarray) -> None:
    """Even and odd: what is inside one of the two and not the other, in place."""
    here = field[box]
    field[box] = np.maximum(np.minimum(here, -one), np.minimum(-here, one))


def _rings(field: np.ndarray, side: float) -> list[np.ndarray]:
    from skimage.measure import approximate_polygon, find_contours

    field = cv2.GaussianBlur(np.pad(field, 2, constant_values=-_DEEP), (0, 0), 0.8)
    field = np.where(np.abs(field) < 1e-3, 1e-3, field)
    rings = []
    for ring in find_contours(field, 0.0):
        ring = approximate_polygon(ring, 0.12)[:-1]
        if len(ring) < 3 or abs(_area(ring)) < max(6.0, (0.008 * side) ** 2):
            continue
        rings.append(np.column_stack([ring[:, 1] - 2, 2 - ring[:, 0]]))  # without the border added above
    return rings


def _area(ring: np.ndarray) -> float:
    after = np.roll(ring, -1, axis=0)
    return 0.5 * float((ring[:, 0] * after[:, 1] - ring[:, 1] * after[:, 0]).sum())
