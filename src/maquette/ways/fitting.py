"""The camera from which an object's silhouette agrees best with a drawn outline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.ways.outline import overlap
from maquette.ways.silhouette import Pose, filling, placed, plain_view, solid_silhouette

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32

SEARCH_PX = 64
"""Pixels a side of the pictures in which cameras are compared."""
FEW = 3000
"""Points at the surface that the search looks at; more are thinned out to about so many cells that hold any."""
STEPS = (np.radians(12), np.radians(5), np.radians(2))
"""How far the angles are changed in each round of the search."""
ROLL_LIMIT, ELEVATION_LIMITS = np.radians(15), (np.radians(-25), np.radians(75))
PERSPECTIVES = (0.1, 0.6)
"""The weakest and the strongest perspective that is tried."""


@dataclass(frozen=True)
class Fit:
    """The camera that was found, and the overlap (IoU) of silhouette and outline from there."""

    pose: Pose
    overlap: float


def fit_camera(
    points: Float32[np.ndarray, "n 3"], voxel: float, mask: Bool[np.ndarray, "s s"], starts: Sequence[Pose],
    turning: bool = True,
) -> Fit:
    """Search for the camera, from several starts, by steps that grow smaller.

    For each viewpoint scale and place follow from the outline's box; they are refined at the end.

    Args:
        points: Centres of the voxels at the object's surface.
        voxel: Side of a voxel.
        mask: The drawn outline.
        starts: Poses to begin from; the first is what the model read.
        turning: Whether the angles and the perspective are searched for too, or known: those of the first pose.
    """
    small = cv2.resize(mask.astype(np.float32), (SEARCH_PX, SEARCH_PX), interpolation=cv2.INTER_AREA) > 0.5
    box = box_of(small)
    if box is None:
        return Fit(starts[0], 0.0)

    few, cell = thinned(points, voxel)
    few, many = (np.ascontiguousarray(chosen.T, np.float32) for chosen in (few, points))

    def score(view: tuple[np.ndarray, ...], pose: Pose, side: float) -> float:
        return overlap(solid_silhouette(*placed(view[0], view[1], pose), pose, SEARCH_PX, side), small)

    def tried(pose: Pose) -> tuple[float, Pose]:
        view = plain_view(few, pose)
        pose = filling(view[0], view[1], pose, box)
        return score(view, pose, cell), pose

    if not turning:
        view = plain_view(many, starts[0])
        pose = filling(view[0], view[1], starts[0], box)
        value, pose = _settle((score(view, pose, voxel), pose), lambda pose: score(view, pose, voxel))
        return Fit(pose, value)
    first = sorted((tried(start) for start in starts), key=lambda found: -found[0])
    best = max((_descend(found, tried) for found in first[:2]), key=lambda found: found[0])
    best = max(best, (score(plain_view(few, starts[0]), starts[0], cell), starts[0]), key=lambda found: found[0])
    whole = plain_view(many, best[1])  # scale and place alone are refined
    value, pose = _settle((score(whole, best[1], voxel), best[1]), lambda pose: score(whole, pose, voxel))
    return Fit(pose, value)


def thinned(points: Float32[np.ndarray, "n 3"], voxel: float) -> tuple[Float32[np.ndarray, "m 3"], float]:
    """The centres of larger cells that hold surface, and the side of these: twice, four times that of the voxels."""
    while len(points) > FEW:
        voxel *= 2
        cells = np.floor(points / voxel).astype(np.int32)
        base = cells.min(0)
        size = cells.max(0) - base + 1
        full = np.zeros(size, bool)
        full[tuple((cells - base).T)] = True
        points = ((np.argwhere(full) + base + 0.5) * voxel).astype(np.float32)
    return points, voxel


def box_of(mask: Bool[np.ndarray, "s s"]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of a region, the square from -1 to 1; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    side = mask.shape[0] / 2
    return (columns[0] / side - 1, rows[0] / side - 1, (columns[-1] + 1) / side - 1, (rows[-1] + 1) / side - 1)


def turned_starts(pose: Pose, count: int = 4) -> list[Pose]:
    """The pose itself, and the same seen from other sides, evenly about the up axis."""
    return [replace(pose, azimuth=pose.azimuth + 2 * np.pi * k / count) for k in range(count)]


def _descend(found: tuple[float, Pose], tried: Callable[[Pose], tuple[float, Pose]]) -> tuple[float, Pose]:
    """Change one angle or the perspective at a time as long as that helps, in smaller and smaller steps."""
    for step in STEPS:
        moved = True
        while moved:
            moved = False
            for change in _changes(found[1], step):
                new = tried(change)
                if new[0] > found[0] + 1e-4:
                    found, moved = new, True
    return found


def _changes(pose: Pose, step: float) -> list[Pose]:
    """The neighbours of a pose that are within the limits."""
    found = []
    for sign in (-1, 1):
        found.append(replace(pose, azimuth=pose.azimuth + sign * step))
        elevation = pose.elevation + sign * step
        if ELEVATION_LIMITS[0] <= elevation <= ELEVATION_LIMITS[1]:
            found.append(replace(pose, elevation=elevation))
        if abs(pose.roll + sign * step / 3) <= ROLL_LIMIT:
            found.append(replace(pose, roll=pose.roll + sign * step / 3))
        nearness = pose.nearness + sign * step / 2
        if PERSPECTIVES[0] <= nearness <= PERSPECTIVES[1]:
            found.append(replace(pose, nearness=nearness))
    return found


def _settle(found: tuple[float, Pose], score: Callable[[Pose], float]) -> tuple[float, Pose]:
    """Refine scale and place."""
    value, pose = found
    for step in (0.04, 0.015):
        for name in ("scale", "right", "down", "scale", "right", "down"):
            for sign in (-1, 1):
                change = replace(pose, **{name: getattr(pose, name) + sign * step})
                new = score(change)
                if new > value:
                    value, pose = new, change
    return value, pose


def signed_distance(mask: Bool[np.ndarray, "s s"]) -> Float[np.ndarray, "s s"]:
    """Distance to the outline in half sides of the square, positive inside."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask.astype(np.uint8), cv2.DIST_L2, 5)
    return (np.where(mask, inside - 0.5, 0.5 - outside) / (mask.shape[0] / 2)).astype(np.float32)
