"""An object mended by the drawn outline: carved where it goes beyond, grown where a part is missing, both softly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.intake.line_art import disc
from maquette.ways.fitting import signed_distance
from maquette.ways.outline import overlap, share_of, without_holes
from maquette.ways.silhouette import Pose, coverage, pixels_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32

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
FAINT = 1e-3
"""Occupancy up to which a voxel is left as it is: it is empty whatever the outline says."""
_ROW = 1024  # values in a row of what OpenCV looks up


@dataclass(frozen=True, eq=False)
class Obeyed:
    """A mended object.

    Attributes:
        occupancy: Like the one that was given.
        overlap: IoU of its silhouette and the outline.
        carved: Share of the silhouette that was taken away.
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
    """Carve and grow an object so that its silhouette is the outline.

    A grown part hangs at the surface nearest to it in the picture, as thick as it is wide there. Along a single line,
    whose width says nothing, the object keeps up to `STICK` to either side.

    Args:
        occupancy: Probabilities.
        threshold: From which a voxel is filled.
        mask: The drawn outline.
        pose: Of the picture, found by `maquette.ways.fitting.fit_camera`.
        single: The lines of the drawing that enclose nothing.
    """
    shown = _shown(occupancy.shape[0], pose)
    filled = (occupancy >= threshold).reshape(-1)
    voxel = 1 / occupancy.shape[0]
    soft = SOFT_VOXELS * voxel * float(np.exp(pose.scale))
    lines = np.zeros_like(mask) if single is None else single
    carved = occupancy.reshape(-1).astype(np.float32)
    some = np.flatnonzero(carved > FAINT)
    distance = _at(signed_distance(mask | _widened(lines, STICK)), shown[:, some])
    level = np.clip(distance / (2 * soft) + 0.5, 0, 1)  # 0.5 at the outline
    limit = np.where(level < 0.5, level * 2 * threshold, threshold + (level - 0.5) * 2 * (1 - threshold))
    carved[some] = np.minimum(carved[some], limit.astype(np.float32))
    side = mask.shape[0]

    def covered(chosen: np.ndarray) -> np.ndarray:
        across, down, _ = shown[:, chosen]
        return coverage(across, down, pose, side, voxel)

    before, left = without_holes(covered(filled)), covered(carved >= threshold)
    missing = (mask | _widened(lines, LEAST_STICK)) & ~without_holes(left)
    missing = _without_slivers(missing, 0.5 * float(np.exp(pose.scale)) * voxel * side)
    grown = np.zeros_like(carved)
    if missing.any() and left.any():
        near = _widened(lines, LEAST_STICK)
        grown = _grown(missing, near, shown, carved >= threshold, pose, voxel, threshold)
    result = np.maximum(carved, grown).reshape(occupancy.shape).astype(np.float32)
    after = without_holes(covered((result >= threshold).reshape(-1)))
    return Obeyed(result, overlap(after, mask), share_of(before & ~mask, before), share_of(missing, mask))


def _widened(lines: Bool[np.ndarray, "s s"], by: float) -> Bool[np.ndarray, "s s"]:
    """Lines and what is near them, as a share of the side."""
    if not lines.any():
        return lines
    return cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5) <= by * len(lines)


def _shown(resolution: int, pose: Pose) -> Float32[np.ndarray, "3 n"]:
    """Where the picture shows the centres of all voxels, as `project` gives it, as rows."""
    line = ((np.arange(resolution) + 0.5) / resolution - 0.5).astype(np.float32)
    along = pose.axes[:, :, None] * line
    local = along[:, 0, :, None, None] + along[:, 1, None, :, None] + along[:, 2, None, None, :]
    depth = local[2]
    factor = np.float32(np.exp(pose.scale)) / np.maximum(1 + np.float32(pose.nearness) * depth, np.float32(0.1))
    shown = np.stack([np.float32(pose.right) + factor * local[0], np.float32(pose.down) + factor * local[1], depth])
    return shown.reshape(3, -1)


def _at(values: Float[np.ndarray, "s s"], shown: Float[np.ndarray, "3 n"]) -> Float32[np.ndarray, " n"]:
    """The values of a picture where points are shown, interpolated; beyond it those of its border."""
    side, count = values.shape[0], shown.shape[1]
    at = np.zeros((2, -(-count // _ROW) * _ROW), np.float32)
    at[:, :count] = (shown[:2] + 1) * (side / 2) - 0.5
    return cv2.remap(values.astype(np.float32), at[0].reshape(-1, _ROW), at[1].reshape(-1, _ROW),
                     cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1)[:count]


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
    _, labels = cv2.distanceTransformWithLabels((~known).astype(np.uint8), cv2.DIST_L2, 5,
                                                labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.float32)
    nearest[labels[known]] = front[known]
    ridge = cv2.dilate(np.where(missing, half, 0).astype(np.float32), np.ones((9, 9), np.uint8))
    width = np.maximum(ridge, half) / (side / 2) / scale  # in the frame: half the width of the part
    middle = cv2.blur(nearest[labels], (5, 5)) + width
    _hang(middle, missing, lines, np.where(known, front, np.nan), width, pose)
    thick = np.maximum(ROUND * width, voxel)
    grown = np.zeros(shown.shape[1], np.float32)
    inside = np.flatnonzero(_at(np.where(missing, half, -1).astype(np.float32), shown) > -0.25)
    shown = shown[:, inside]
    level = _at(thick, shown) - np.abs(shown[2] - _at(middle, shown))
    grown[inside] = np.clip(threshold + (1 - threshold) * level / (2 * SOFT_VOXELS * voxel), 0, 1)
    return grown


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
