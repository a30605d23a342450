"""The lines that are drawn inside an outline, for grooves and ridges: as polygons, and what of the outline stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

HOLE_FROM = 0.1
"""Share of what is enclosed from which a closed line inside it is still a hole; a smaller one is a line."""
_LEAST = 0.02
"""Share of the drawing's longer side that a line is long, at least; shorter ones are dots of the pen."""


@dataclass(frozen=True, eq=False)
class InnerLines:
    """What is drawn inside an outline.

    Attributes:
        field: The outline's field (pixels inside the edge, negative outside) without its small holes.
        ink: What is drawn inside, 1 where a line is darkest.
        count: How many pieces these lines are.
        width_px: Width of a line, in pixels: the usual one.
    """

    field: Float[np.ndarray, "h w"]
    ink: Float[np.ndarray, "h w"]
    count: int
    width_px: float


def inner_lines(
    ink: Float[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"], field: Float[np.ndarray, "h w"], line_px: float,
    deep: float,
) -> InnerLines:
    """Find the lines inside an outline.

    Args:
        ink: 0 is paper and 1 is lead.
        mask: Where a thin line is, without specks.
        field: How deep inside the outline each pixel is, by the even-odd rule.
        line_px: Width of the outline's line, in pixels.
        deep: The field's limit, in pixels.
    """
    inside = field > 0
    holes = _enclosed(~inside)
    whole = inside | holes
    count, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8), connectivity=4)
    small = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < HOLE_FROM * np.count_nonzero(whole))
    filled = np.isin(labels, small[small > 0]) if count > 1 else np.zeros_like(holes)
    solid = inside | filled
    depth = cv2.distanceTransform(np.pad(solid, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    reach = 2 * int(np.ceil(deep)) + 1
    near = cv2.dilate(filled.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    closed = np.where(near & solid, np.maximum(field, np.clip(depth - 0.5, 0, deep)), field).astype(np.float32)
    lines = np.where(mask, ink, 0) * (depth > line_px + 1.5)
    lines = np.maximum(lines, filled & ~_ringed(filled, mask))
    drawn, count = _long_enough(lines, _LEAST * max(ink.shape))
    middle = cv2.distanceTransform((drawn > 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    width = max(1.0, 4 * float(middle[drawn > 0.5].mean()) - 2) if (drawn > 0.5).any() else 0.0
    return InnerLines(closed, drawn.astype(np.float32), count, width)


def _enclosed(paper: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The part of a region that does not reach the picture's border."""
    flooded = np.pad(paper, 1, constant_values=True).astype(np.uint8)
    cv2.floodFill(flooded, None, (0, 0), 2)
    return flooded[1:-1, 1:-1] == 1


def _ringed(filled: Bool[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The small holes that a thin line goes around: the line is the groove there, and not what it encloses."""
    count, labels = cv2.connectedComponents(filled.astype(np.uint8), connectivity=4)
    ringed = np.zeros_like(filled)
    for number in range(1, count):
        hole = labels == number
        around = (cv2.dilate(hole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~hole
        if mask[around].mean() > 0.3:
            ringed |= hole
    return ringed


def _long_enough(ink: Float[np.ndarray, "h w"], least: float) -> tuple[Float[np.ndarray, "h w"], int]:
    """The ink without pieces that are short, and how many pieces are left."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 0.5).astype(np.uint8), connectivity=8)
    extent = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    kept = [number for number in range(1, count) if extent[number] >= least]
    chosen = np.isin(labels, kept) if kept else np.zeros(ink.shape, bool)
    near = cv2.dilate(chosen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0  # with the soft edge of each line
    return np.where(near, ink, 0), len(kept)
