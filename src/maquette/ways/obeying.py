"""An object mended by the drawn outline: bent to it, carved where it still goes beyond, grown where a part misses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.geometry.filters import enlarged
from maquette.geometry.parts import wholeness
from maquette.intake.line_art import disc
from maquette.ways.fitting import signed_distance
from maquette.ways.joining import tie_parts
from maquette.ways.outline import overlap, share_of, without_holes
from maquette.ways.silhouette import Pose, coverage, pixels_of, sampled, shown_centres, silhouette, surface_voxels
from maquette.ways.warping import warp

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32

FINE = 64
"""Voxels a side, at least, at which a shape is mended."""
OBEYS_FROM = 0.6
"""IoU of silhouette and outline from which the outline may mend the shape: below, they are two different things."""
SOFT_VOXELS = 1.0
"""Over so many voxels occupancy falls at the outline, so that the surface stays smooth there."""
LEAST_MISSING = 0.0015
"""Share of the square below which a missing piece is left: it is thinner than the lines."""
STICK, LEAST_STICK = 0.012, 0.006
"""How far to either side of a single line the object may go, and what grows there goes, as shares of the side."""
UPRIGHT = 2.0
"""How many times as high as wide a missing line is that stands upright."""
ROUND = 1.0
"""Depth of a grown part over its width in the picture: it is as thick as it is wide."""
WHOLE = 0.99
"""Share of the largest part from which an object is in one piece."""
FAINT = 1e-3
"""Occupancy up to which a voxel is left as it is: it is empty whatever the outline says."""


def refined(occupancy: Float[np.ndarray, "r r r"]) -> Float[np.ndarray, "n n n"]:
    """A shape at `FINE` voxels a side, or as it is where it has more."""
    return occupancy if len(occupancy) >= FINE else enlarged(occupancy, FINE)


@dataclass(frozen=True, eq=False)
class Obeyed:
    """A mended object.

    Attributes:
        occupancy: Like the one that was given.
        overlap: IoU of its silhouette and the outline.
        carved: Share of the silhouette before that lay beyond the outline.
        grown: Share of the outline that was added.
    """

    occupancy: Float32[np.ndarray, "r r r"]
    overlap: float
    carved: float
    grown: float


def obey(
    occupancy: Float[np.ndarray, "r r r"], threshold: float, mask: Bool[np.ndarray, "s s"], pose: Pose,
    single: Bool[np.ndarray, "s s"] | None = None,
) -> Obeyed:
    """Bend, carve and grow an object so that its silhouette is the outline.

    What is shown beside its place is moved there (`maquette.ways.warping`), so that a leg stays whole; what is left
    beyond the outline is carved, and what is still missing is grown. A grown part hangs at the surface nearest to it in
    the picture, as thick as it is wide there. Along a single line, whose width says nothing, the object keeps up to
    `STICK` to either side. Parts that stand a little apart are tied. An object that all this would tear is only bent,
    or left as it was.

    Args:
        occupancy: Probabilities.
        threshold: From which a voxel is filled.
        mask: The drawn outline.
        pose: Of the picture, found by `maquette.ways.fitting.fit_camera`.
        single: The lines of the drawing that enclose nothing.
    """
    voxel, side = 1 / occupancy.shape[0], mask.shape[0]
    lines = np.zeros_like(mask) if single is None else single
    wider, shown = mask | _widened(lines, STICK), shown_centres(occupancy.shape[0], pose)

    def covered(chosen: np.ndarray) -> np.ndarray:
        across, down, _ = shown[:, chosen.reshape(-1)]
        return without_holes(coverage(across, down, pose, side, voxel))

    filled = occupancy >= threshold
    seen = silhouette(surface_voxels(filled), pose, side, voxel)
    bent = warp(occupancy, seen, wider, pose)
    result = _carved(bent, threshold, wider, shown, pose)
    missing = np.zeros_like(mask)
    if (result >= threshold).any():
        near = _widened(lines, LEAST_STICK)
        missing = _without_slivers((mask | near) & ~covered(result >= threshold),
                                   0.5 * float(np.exp(pose.scale)) * voxel * side)
        if missing.any():
            solid = (result >= threshold).reshape(-1)
            grown = _grown(missing, near, shown, solid, pose, voxel, threshold)
            result = np.maximum(result, grown.reshape(result.shape))
    least, added = min(wholeness(filled), WHOLE), missing
    for whole in (result, bent):
        whole = tie_parts(whole, threshold)
        if wholeness(whole >= threshold) >= least:
            break
        added = np.zeros_like(mask)
    else:
        whole = occupancy
    after = silhouette(surface_voxels(whole >= threshold), pose, side, voxel)
    return Obeyed(whole.astype(np.float32), overlap(after, mask), share_of(seen & ~mask, seen),
                  share_of(added & after, mask))


def _carved(
    occupancy: Float32[np.ndarray, "r r r"], threshold: float, mask: Bool[np.ndarray, "s s"],
    shown: Float32[np.ndarray, "3 n"], pose: Pose,
) -> Float32[np.ndarray, "r r r"]:
    """The occupancy, which falls where the picture shows what is beyond the outline."""
    soft = SOFT_VOXELS / len(occupancy) * float(np.exp(pose.scale))
    carved = occupancy.reshape(-1).copy()
    some = np.flatnonzero(carved > FAINT)
    level = np.clip(sampled(signed_distance(mask), shown[:, some]) / (2 * soft) + 0.5, 0, 1)  # 0.5 at the outline
    limit = np.where(level < 0.5, level * 2 * threshold, threshold + (level - 0.5) * 2 * (1 - threshold))
    carved[some] = np.minimum(carved[some], limit.astype(np.float32))
    return carved.reshape(occupancy.shape)


def _widened(lines: Bool[np.ndarray, "s s"], by: float) -> Bool[np.ndarray, "s s"]:
    """Lines and what is near them, as a share of the side."""
    if not lines.any():
        return lines
    return cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5) <= by * len(lines)


def _without_slivers(missing: Bool[np.ndarray, "s s"], width: float) -> Bool[np.ndarray, "s s"]:
    """The missing parts that are wider than so many pixels somewhere, and not tiny."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=8)
    deep = cv2.distanceTransform(missing.astype(np.uint8), cv2.DIST_L2, 5)
    kept = np.zeros_like(missing)
    for number in range(1, count):
        part = labels == number
        if stats[number, cv2.CC_STAT_AREA] > LEAST_MISSING * missing.size and deep[part].max() > width:
            kept |= part
    return kept


def _grown(
    missing: Bool[np.ndarray, "s s"], lines: Bool[np.ndarray, "s s"], shown: Float[np.ndarray, "3 n"],
    filled: Bool[np.ndarray, " n"], pose: Pose, voxel: float, threshold: float,
) -> Float32[np.ndarray, " n"]:
    """The occupancy of what is missing."""
    side, scale = len(missing), float(np.exp(pose.scale))
    front = _front(shown[:, filled], side)
    half = cv2.distanceTransform(np.pad(missing.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    known = np.isfinite(front)
    ridge = cv2.dilate(np.where(missing, half, 0).astype(np.float32), np.ones((9, 9), np.uint8))
    width = np.maximum(ridge, half) / (side / 2) / scale  # in the frame: half the width of the part
    middle = _spread(np.where(known, front, 0), known) + width
    _hang(middle, missing, lines, np.where(known, front, np.nan), width, pose)
    thick = np.maximum(ROUND * width, voxel)
    grown = np.zeros(shown.shape[1], np.float32)
    inside = np.flatnonzero(sampled(np.where(missing, half, -1).astype(np.float32), shown) > -0.25)
    shown = shown[:, inside]
    level = sampled(thick, shown) - np.abs(shown[2] - sampled(middle, shown))
    grown[inside] = np.clip(threshold + (1 - threshold) * level / (2 * SOFT_VOXELS * voxel), 0, 1)
    return grown


def _spread(values: Float[np.ndarray, "s s"], known: Bool[np.ndarray, "s s"]) -> Float32[np.ndarray, "s s"]:
    """Known values kept, and those between them as smooth as a pyramid of ever smaller pictures makes them."""
    weights, side = known.astype(np.float32), len(values)
    if side < 2:
        return values.astype(np.float32)
    half = (side // 2, side // 2)
    many = cv2.resize(weights, half, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(values.astype(np.float32) * weights, half, interpolation=cv2.INTER_AREA)
    smaller = _spread(sums / np.maximum(many, 1e-6), many > 0)
    return np.where(known, values, cv2.resize(smaller, (side, side), interpolation=cv2.INTER_LINEAR))


def _hang(
    middle: Float32[np.ndarray, "s s"], missing: Bool[np.ndarray, "s s"], lines: Bool[np.ndarray, "s s"],
    front: Float[np.ndarray, "s s"], width: Float[np.ndarray, "s s"], pose: Pose,
) -> None:
    """Put single lines that hang down from the object upright, in place, as legs are: depth grows on the way down."""
    side, fall = len(missing), float(np.tan(pose.elevation) / np.exp(pose.scale))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=8)
    down = ((np.arange(side) + 0.5) * 2 / side - 1)[:, None]
    for number in range(1, count):
        part = labels == number
        if stats[number, cv2.CC_STAT_HEIGHT] < UPRIGHT * stats[number, cv2.CC_STAT_WIDTH] or (
                np.count_nonzero(part & lines) < 0.5 * np.count_nonzero(part)):
            continue
        around = cv2.dilate(part.astype(np.uint8), disc(7)) > 0
        touched = around & np.isfinite(front)
        rows = np.flatnonzero(touched.any(1))
        if not len(rows) or rows.mean() > np.flatnonzero(part.any(1)).mean():
            continue
        depth = float(np.median(front[touched])) + float(np.median(width[part]))
        upright = depth + fall * (down - float(down[rows].mean()))
        middle[around] = np.broadcast_to(upright, middle.shape)[around]


def _front(shown: Float[np.ndarray, "3 n"], side: int) -> Float32[np.ndarray, "s s"]:
    """The least depth of projected points in each pixel, infinite where there is none."""
    column, row = pixels_of(shown[0], side), pixels_of(shown[1], side)
    inside = (column >= 0) & (column < side) & (row >= 0) & (row < side)
    front = np.full(side * side, np.inf, np.float32)
    np.minimum.at(front, row[inside] * side + column[inside], shown[2, inside])
    return front.reshape(side, side)
