"""From a drawing to the outline of a solid: what the drawn lines enclose, with holes, as polygons.

A thin line is an edge of the solid, and the edge runs along the middle of the line. Lines that touch are one line, and
all that it encloses is solid. A closed line inside another one is a hole, a closed line in that hole is solid again
(even-odd rule). Line ends that hang free are left out. Ink that is filled in is solid itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.geometry.contours import level_rings
from maquette.geometry.strokes import simplified
from maquette.intake.line_art import resize
from maquette.relief.gaps import Lines, close_gaps, widest_opening
from maquette.relief.inner_lines import inner_lines

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

WORK_SIDE_PX = 720
"""Longest side at which a drawing is analysed."""
CLOSED_TO = 0.12
"""The widest gap that is closed by default, as a share of the drawing's longer side."""
_SPECK, _MOST_PIECES = 0.02, 120  # smaller pieces, as a share of the largest, are specks; so many pieces are kept
_FULL = 0.3  # share of its convex hull: a line that encloses less may have loops and still be open
_FILLED = 0.05  # share of a piece's longer side: ink that holds discs of this radius is filled in, and not a line
_DEEP = 4.0  # pixels: how far from its edge an outline's field still rises

InkKind = Literal["auto", "lines", "filled"]
"""Whether ink is taken for the edges of the solid or for the solid itself."""


@dataclass(frozen=True, eq=False)
class Outline:
    """What a drawing encloses.

    Attributes:
        rings: Closed polygons, the first point not repeated at the end, x right and y up, in pixels. A point is inside
            where an odd number of them go around it.
        side_px: The longer side of all ink, in pixels.
        gaps: Widths of the gaps that were closed, in pixels, the widest first.
        notes: What a user may want to know, a sentence each.
        inner: The lines that are drawn inside, as `rings`, where they were asked for.
        inner_px: The usual width of these lines, in pixels.
    """

    rings: tuple[Float[np.ndarray, "_ 2"], ...]
    side_px: float
    gaps: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    inner: tuple[Float[np.ndarray, "_ 2"], ...] = ()
    inner_px: float = 0.0


class OpenOutline(UserError):
    """The drawn lines enclose nothing.

    Args:
        name: What the drawing is called.
        gap: Distance between the ends of the longest line, as a share of the ink's longer side; None if unknown.
        hint: What to do about it.
    """

    def __init__(self, name: str, gap: float | None, hint: str) -> None:
        self.gap, self.name = gap, name
        got = None if gap is None else f"ends that are {100 * gap:.0f} % of the drawing's size apart"
        super().__init__(f"the outline in {name} is open", got, hint)


def find_outline(
    ink: Float[np.ndarray, "h w"],
    *,
    drawn: InkKind = "auto",
    closed_to: float = CLOSED_TO,
    name: str = "the drawing",
    inner: bool = False,
) -> Outline:
    """Find what the ink of a drawing encloses.

    Args:
        ink: 0 is paper and 1 is lead.
        drawn: `lines` takes all ink for edges, `filled` takes the ink itself for the solid, `auto` decides for each
            connected piece of ink.
        closed_to: The widest gap that is closed, as a share of the ink's longer side.
        name: What an error calls the drawing.
        inner: Find the lines inside too. Small closed lines are such lines then, and no holes
            (`maquette.relief.inner_lines`).

    Raises:
        OpenOutline: If the lines enclose nothing.
        UserError: If there is no ink, or what is enclosed is too thin.
    """
    return outline_of_ink(crop_to_ink(ink, name), drawn, closed_to, name, inner)


def outline_of_ink(
    ink: Float[np.ndarray, "h w"], drawn: InkKind, closed_to: float, name: str, inner: bool = False
) -> Outline:
    """`find_outline` for ink that `crop_to_ink` has cropped; x counts its columns, and y its rows upwards."""
    mask, labels, stats = ink_pieces(ink)
    if not mask.any():
        raise UserError(f"nothing is drawn in {name}")
    side = _side(mask)
    numbers = [int(number) for number in np.unique(labels) if number]
    largest = max(numbers, key=lambda number: stats[number, 2:4].max())
    ordinary = 0.0  # what is no wider than the lines of the largest piece is a line too
    if drawn == "auto" and len(numbers) > 1 and not _is_filled(labels, stats, largest, 0.0):
        ordinary = float(_depth(labels, stats, largest)[1:-1, 1:-1].max())
    thick = [number for number in numbers
             if drawn == "filled" or (drawn == "auto" and _is_filled(labels, stats, number, ordinary))]
    solid = np.isin(labels, thick)
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
        raise OpenOutline(name, None if opening is None else opening / side,
                   "draw a closed line, or let wider gaps be closed with --close-mm")
    width_px = lines.width_px if line.any() else 1.0
    lines_inside = inner_lines(ink, line, field, width_px, _DEEP) if inner else None
    rings = _rings(field if lines_inside is None else lines_inside.field, side)
    if not rings:
        raise UserError(f"what is enclosed in {name} is too thin for a solid", hint="draw it larger")
    notes = []
    if left_out and not inner:
        notes.append(f"{left_out} open line{'s' if left_out > 1 else ''} that enclose{'s' * (left_out == 1)} nothing "
                     f"{'were' if left_out > 1 else 'was'} left out")
    if lines_inside is None or not lines_inside.count:
        return Outline(tuple(rings), side, tuple(gaps), tuple(notes))
    drawn_inside = _rings(2 * _DEEP * (lines_inside.ink - 0.5), 0.0)
    return Outline(tuple(rings), side, tuple(gaps), tuple(notes), tuple(drawn_inside), lines_inside.width_px)


def crop_to_ink(ink: Float[np.ndarray, "_ _"], name: str) -> Float[np.ndarray, "h w"]:
    """Crop a drawing to its ink, and scale and normalise it.

    Returns:
        Float32 ink with some paper around, at most `WORK_SIDE_PX` and that paper long, 1 where it is darkest.

    Raises:
        UserError: If nothing is drawn.
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


def ink_pieces(
    ink: Float[np.ndarray, "h w"],
) -> tuple[Bool[np.ndarray, "h w"], Int[np.ndarray, "h w"], Int[np.ndarray, "n 5"]]:
    """The connected pieces of ink, without specks.

    Returns:
        Which pixels are ink, the number of the piece at each pixel (0 for paper), and OpenCV's statistics.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.5).astype(np.uint8), connectivity=8)
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    extent[0] = 0
    kept = np.argsort(-extent, kind="stable")[:_MOST_PIECES]
    kept = kept[extent[kept] >= max(3, _SPECK * extent.max(initial=0))]
    mask = np.isin(labels, kept)
    return mask, np.where(mask, labels, 0), stats


def _side(mask: Bool[np.ndarray, "h w"]) -> float:
    """The longer side of what is set in a mask, in pixels."""
    return float(max(int(np.ptp(np.flatnonzero(mask.any(axis)))) + 1 for axis in (0, 1)))


def _depth(labels: Int[np.ndarray, "h w"], stats: Int[np.ndarray, "n 5"], number: int) -> Float[np.ndarray, "_ _"]:
    """How far each pixel of a piece is from paper, in the piece's box and one pixel around it."""
    x, y, wide, high, _ = stats[number]
    one = np.pad((labels[y : y + high, x : x + wide] == number).astype(np.uint8), 1)
    return cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _is_filled(labels: Int[np.ndarray, "h w"], stats: Int[np.ndarray, "n 5"], number: int, ordinary: float) -> bool:
    """Whether a piece is filled in: most of it lies within discs too large for a line.

    Args:
        ordinary: Half the width of an ordinary line of this drawing, in pixels; the discs must be larger.
    """
    depth = _depth(labels, stats, number)
    radius = max(2.0, _FILLED * stats[number, 2:4].max(), ordinary)
    inner = depth > radius
    if not inner.any():
        return False
    grown = cv2.distanceTransform((~inner).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    return bool((grown & (depth > 0)).sum() > 0.5 * stats[number, cv2.CC_STAT_AREA])


def _lines(mask: Bool[np.ndarray, "h w"]) -> Lines:
    """The pieces of thin ink, and what each encloses; a sliver no wider than the line itself does not count."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    width = max(1.0, 4 * float(depth[mask].mean()) - 2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    closed, fills_hull = [False], [False]
    footprint: list[np.ndarray | None] = [None]
    for number in range(1, count):
        x, y, wide, high, _ = stats[number]
        box = slice(y, y + high), slice(x, x + wide)
        piece = labels[box] == number
        inside = _inside(piece, width)
        closed.append(inside is not None)
        if inside is None:
            fills_hull.append(False)
            footprint.append(None)
            continue
        hull = cv2.convexHull(np.argwhere(piece)[:, None].astype(np.int32))
        fills_hull.append(bool((inside | piece).sum() > _FULL * cv2.contourArea(hull)))
        whole = np.zeros(mask.shape, bool)
        whole[box] = inside | piece
        footprint.append(whole)
    return Lines(labels, closed, fills_hull, footprint, width)


def _inside(piece: Bool[np.ndarray, "h w"], width: float) -> Bool[np.ndarray, "h w"] | None:
    """What a piece of ink encloses, without slivers; None if that is nothing."""
    flooded = np.pad(piece.astype(np.uint8), 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    inside = flooded[1:-1, 1:-1] == 0
    if not inside.any():
        return None
    count, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deepest = np.zeros(count)
    np.maximum.at(deepest, labels.ravel(), depth.ravel())
    wide = deepest > max(1.5, 0.75 * width)
    wide[0] = False
    return wide[labels] if wide.any() else None


def _edge_field(lines: Lines, number: int) -> tuple[tuple[slice, slice], Float[np.ndarray, "_ _"]]:
    """The box of a closed line, and how deep inside its middle each pixel of the box is.

    In pixels, negative outside, limited to `_DEEP` either way.
    """
    piece = lines.labels == number
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    box = slice(max(0, rows[0] - 6), rows[-1] + 7), slice(max(0, columns[0] - 6), columns[-1] + 7)
    inside = _inside(piece[box], lines.width_px)
    if inside is None:
        raise ValueError(f"line {number} encloses nothing")
    flooded = np.pad(piece[box].astype(np.uint8), 1)
    cv2.floodFill(flooded, None, (0, 0), 2)
    outside = flooded[1:-1, 1:-1] == 2
    to_inside, to_outside = (
        cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for part in (inside, outside)
    )
    return box, np.clip((to_outside - to_inside) / 2, -_DEEP, _DEEP).astype(np.float32)


def _combine(field: Float[np.ndarray, "_ _"], box: tuple[slice, slice], one: Float[np.ndarray, "_ _"]) -> None:
    """Combine two fields by the even-odd rule, in place: inside is what is inside exactly one of them."""
    here = field[box]
    field[box] = np.maximum(np.minimum(here, -one), np.minimum(-here, one))


def _rings(field: Float[np.ndarray, "h w"], side: float) -> list[Float[np.ndarray, "_ 2"]]:
    """The zero level of a field as polygons, without the smallest ones."""
    field = cv2.GaussianBlur(np.pad(field, 2, constant_values=-_DEEP), (0, 0), 0.8)
    field = np.where(np.abs(field) < 1e-3, 1e-3, field)
    rings = []
    for ring in simplified(level_rings(field), 0.12):
        ring = ring[:-1]
        if len(ring) < 3 or abs(signed_area(ring)) < max(6.0, (0.008 * side) ** 2):
            continue
        rings.append(np.column_stack([ring[:, 1] - 2, 2 - ring[:, 0]]))  # without the border added above
    return rings


def signed_area(ring: Float[np.ndarray, "n 2"]) -> float:
    """The area of a polygon; negative if it goes clockwise, with x to the right and y up."""
    after = np.roll(ring, -1, axis=0)
    return 0.5 * float((ring[:, 0] * after[:, 1] - ring[:, 1] * after[:, 0]).sum())
