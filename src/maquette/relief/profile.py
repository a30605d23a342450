"""A drawn profile and its axis, made ready to be revolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.geometry.strokes import simplified
from maquette.geometry.thinning import shortest_way, skeleton_of
from maquette.relief.outline import InkKind, OpenOutline, crop_to_ink, ink_pieces, outline_of_ink

if TYPE_CHECKING:
    from jaxtyping import Float

Axis = Literal["auto", "left", "right", "middle"]
"""Where the axis of a solid of revolution lies."""
_STRAIGHT = 0.012  # share of the drawing's height: how far an axis' pixels may lie off a straight line
_LEAN_DEG = 8.0  # how far an axis may lean
_LONG = 0.45  # share of the drawing's height: a shorter line is not an axis
_ONTO_AXIS = 0.025  # share of the radius: an edge this near to the axis is moved onto it
_MIRROR_PX, _MIRROR_IOU = 256, 0.8  # longer side of the mask that is mirrored, and the overlap that it must have
_MIRROR_SLACK = 0.004  # share of the width: edges whose waviness differs by less are alike


@dataclass(frozen=True, eq=False)
class Profile:
    """The cross-section of a solid of revolution.

    Attributes:
        rings: Closed polygons (even-odd rule); x is the distance from the axis, negative on its other side, and y goes
            up, in pixels.
        side_px: The longer side of all ink, in pixels.
        gaps: Widths of the gaps that were closed, in pixels, the widest first.
        notes: What a user may want to know, a sentence each.
    """

    rings: tuple[Float[np.ndarray, "_ 2"], ...]
    side_px: float
    gaps: tuple[float, ...]
    notes: tuple[str, ...]


def find_profile(
    ink: Float[np.ndarray, "_ _"], *, axis: Axis, drawn: InkKind, closed_to: float, name: str
) -> Profile:
    """Find the profile in a drawing, and its axis.

    Most of the profile comes to lie at positive x. An open profile beside a drawn axis has its ends joined to the axis.

    Args:
        ink: 0 is paper and 1 is lead.
        axis: `auto` takes a straight, upright line of its own beside the profile (a leaning one is turned upright);
            without one the middle of a drawing that is symmetric, and the left edge of one that is not. `left`, `right`
            and `middle` are those of the profile.
        drawn: As in `maquette.relief.outline.find_outline`.
        closed_to: The widest gap that is closed, as a share of the ink's longer side.
        name: What an error calls the drawing.

    Raises:
        UserError: If there is no profile, or an open one without an axis.
    """
    ink, place, notes = crop_to_ink(ink, name), None, []
    if axis == "auto":
        ink, place = _take_axis(ink)
        if place is not None:
            notes.append("turned about the straight line beside the profile")
    try:
        found = outline_of_ink(ink, drawn, closed_to, name)
        rings, side, gaps = list(found.rings), found.side_px, found.gaps
        notes += found.notes
    except OpenOutline:
        if place is None:
            raise UserError(f"the profile in {name} is open and beside no axis",
                            hint="close it, or draw the axis as a straight upright line beside it") from None
        rings, gaps = [_to_axis(ink, place)], ()
        side = float(np.ptp(rings[0], axis=0).max())
        notes.append("the profile's ends were joined to the axis")
    points = np.concatenate(rings)
    low, high = float(points[:, 0].min()), float(points[:, 0].max())
    if place is None and axis == "auto" and _is_symmetric(rings):
        axis = "middle"
        notes.append("symmetric, and turned about its middle; --axis left turns it about its left edge")
    if place is None:
        place = {"auto": low, "left": low, "right": high, "middle": (low + high) / 2}[axis]
    radius = max(high - place, place - low)
    sign = 1.0 if high - place >= place - low else -1.0
    turned = []
    for ring in rings:
        x = sign * (ring[:, 0] - place)
        turned.append(np.column_stack([np.where(np.abs(x) < _ONTO_AXIS * radius, 0.0, x), ring[:, 1]]))
    return Profile(tuple(turned), side, tuple(gaps), tuple(notes))


def _is_symmetric(rings: list[Float[np.ndarray, "_ 2"]]) -> bool:
    """Whether a drawing is its own mirror image, about an upright line through its middle.

    Half of a vase is not, however straight the vase: its left edge is straighter than the line midway between its
    edges.
    """
    points = np.concatenate(rings)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _MIRROR_PX / float((high - low).max())
    size = np.maximum(1, np.rint((high - low) * scale)).astype(int)
    mask = np.zeros((size[1] + 1, size[0] + 1), np.uint8)
    cv2.fillPoly(mask, [np.rint((ring - low) * scale).astype(np.int32) for ring in rings], 1)
    filled, mirrored = mask > 0, mask[:, ::-1] > 0
    if (filled & mirrored).sum() < _MIRROR_IOU * (filled | mirrored).sum():
        return False
    rows = np.flatnonzero(filled.any(axis=1))
    left = filled[rows].argmax(axis=1)
    right = filled.shape[1] - 1 - mirrored[rows].argmax(axis=1)
    wavy = [float(np.abs(edge - np.median(edge)).mean()) for edge in ((left + right) / 2, left)]
    return wavy[0] <= wavy[1] + _MIRROR_SLACK * filled.shape[1]


def _take_axis(ink: Float[np.ndarray, "_ _"]) -> tuple[Float[np.ndarray, "_ _"], float | None]:
    """Separate a drawn axis from the profile.

    Returns:
        The ink without the axis, turned so that the axis was upright, and the axis' column. Without an axis: the ink
        unchanged, and None.
    """
    mask, labels, stats = ink_pieces(ink)
    numbers = [number for number in np.unique(labels) if number]
    if len(numbers) < 2:
        return ink, None
    tall = np.ptp(np.flatnonzero(mask.any(1))) + 1
    middle = mask.shape[1] / 2
    best, furthest, lean = None, -1.0, 0.0
    for number in numbers:
        if stats[number, cv2.CC_STAT_HEIGHT] < _LONG * tall:
            continue
        rows, columns = np.nonzero(labels == number)
        slope, start = np.polyfit(rows, columns, 1)
        off = np.abs(columns - slope * rows - start)
        width = len(rows) / stats[number, cv2.CC_STAT_HEIGHT]
        if off.max() > width + 1 + _STRAIGHT * tall or abs(np.degrees(np.arctan(slope))) > _LEAN_DEG:
            continue
        away = abs(slope * mask.shape[0] / 2 + start - middle)
        if away > furthest:
            best, furthest, lean = number, away, float(slope)
    if best is None:
        return ink, None
    rest = np.where(cv2.dilate((labels == best).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0, 0, ink)
    rows, columns = np.nonzero(labels == best)
    centre = float(columns.mean()), float(rows.mean())
    turn = cv2.getRotationMatrix2D(centre, -float(np.degrees(np.arctan(lean))), 1.0)
    pad = 40
    rest = np.pad(rest.astype(np.float32), pad)
    turn = np.column_stack([turn[:, :2], turn[:, 2] + (pad - turn[:, :2] @ [pad, pad])])
    return cv2.warpAffine(rest, turn, rest.shape[::-1], flags=cv2.INTER_LINEAR), centre[0] + pad


def _to_axis(ink: Float[np.ndarray, "_ _"], place: float) -> Float[np.ndarray, "n 2"]:
    """The centre line of the tallest piece from its upper to its lower end, and back along the axis; y goes up."""
    _, labels, stats = ink_pieces(ink)
    numbers = [number for number in np.unique(labels) if number]
    tallest = max(numbers, key=lambda number: stats[number, cv2.CC_STAT_HEIGHT])
    middle = skeleton_of(labels == tallest)
    neighbours = cv2.filter2D(np.pad(middle, 1).astype(np.uint8), -1, np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    ends = np.argwhere(middle & (neighbours == 2))
    ends = ends if len(ends) > 1 else np.argwhere(middle)
    first, last = ends[ends[:, 0].argmin()], ends[ends[:, 0].argmax()]
    path = shortest_way(middle, first, last)[:, ::-1] * [1.0, -1.0]
    if len(path) > 12:
        path[3:-3] = cv2.blur(path, (1, 7), borderType=cv2.BORDER_REPLICATE)[3:-3]
    (path,) = simplified([path], 0.3)  # without the steps of the pixels
    return np.vstack([[place, path[0, 1]], path, [place, path[-1, 1]]])
