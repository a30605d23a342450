"""An object bent in the picture's plane so that its silhouette is the drawn outline, without tearing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.ways.fitting import signed_distance
from maquette.ways.silhouette import Pose, looked_up, sampled, shown_centres, unit_at

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32

SIDE = 64
"""Cells a side in which the shift is known."""
SMOOTH = (6.0, 3.0, 1.5)
"""How smooth the shift is at first, later, and in the end: standard deviations in cells."""
STEPS = 6
"""Steps at each smoothness."""
FAR = 8.0
"""Cells beyond which a distance to an outline is not told apart."""
REACH = 0.07
"""Share of the picture's side up to which the object is bent: a part that is drawn farther from it is another part."""
_STEADY = 1e-3


def shift_between(
    seen: Bool[np.ndarray, "s s"], mask: Bool[np.ndarray, "s s"]
) -> Float32[np.ndarray, "2 64 64"]:
    """A smooth field that brings one region onto another: demons (Thirion, 1998) on their signed distances.

    Args:
        seen: The region that moves.
        mask: Where it should lie.

    Returns:
        For each place of `mask` how far to the right and down the place of `seen` lies that belongs there, in half
        sides of the picture.
    """
    fixed, moving = (_levels(region) for region in (mask, seen))
    down, right = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    shift = np.zeros((2, SIDE, SIDE), np.float32)
    for smooth in SMOOTH:
        for _ in range(STEPS):
            moved = cv2.remap(moving, right + shift[0], down + shift[1], cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)
            wrong = fixed - moved
            slope = [cv2.Sobel(moved, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))]
            steep = slope[0] ** 2 + slope[1] ** 2 + wrong**2 / 16 + np.float32(_STEADY)
            for axis in range(2):
                shift[axis] = cv2.GaussianBlur(shift[axis] + wrong * slope[axis] / steep, (0, 0), smooth)
    return shift / (SIDE / 2)


def _levels(region: Bool[np.ndarray, "s s"]) -> Float32[np.ndarray, "64 64"]:
    """The signed distance in cells, up to `FAR`."""
    small = cv2.resize(signed_distance(region), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.clip(small * (SIDE / 2), -FAR, FAR).astype(np.float32)


def warp(
    occupancy: Float[np.ndarray, "r r r"], seen: Bool[np.ndarray, "s s"], mask: Bool[np.ndarray, "s s"], pose: Pose
) -> Float32[np.ndarray, "r r r"]:
    """Move what the picture shows to where it is drawn, at each depth alike.

    Args:
        occupancy: Probabilities.
        seen: The object's silhouette.
        mask: The drawn outline.
        pose: Of the picture.
    """
    resolution = len(occupancy)
    shown = shown_centres(resolution, pose)
    shift = shift_between(_near(seen, mask), _near(mask, seen))
    unit = unit_at(shown[2], pose)
    right, down = (sampled(part, shown) / unit for part in shift)
    at = np.indices(occupancy.shape, np.float32).reshape(3, -1)
    at += np.float32(resolution) * (pose.axes[0][:, None] * right + pose.axes[1][:, None] * down)
    return of_volume(occupancy, at).reshape(occupancy.shape)


def _near(region: Bool[np.ndarray, "s s"], other: Bool[np.ndarray, "s s"]) -> Bool[np.ndarray, "s s"]:
    """A region without its parts that reach farther than `REACH` from another."""
    more = region & ~other
    _, labels = cv2.connectedComponents(more.astype(np.uint8), connectivity=8)
    far = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5) > REACH * len(region)
    parts = np.unique(labels[more & far])
    return region & ~np.isin(labels, parts[parts > 0])


def of_volume(volume: Float[np.ndarray, "r r r"], at: Float32[np.ndarray, "3 n"]) -> Float32[np.ndarray, " n"]:
    """The values of a volume at places between its cells, linear; 0 beyond it."""
    side = len(volume)
    beyond = (np.abs(at - (side - 1) / 2) > side / 2).any(0)
    at = at.clip(0, side - 1)
    low = np.floor(at[0]).clip(0, side - 2)
    slices = volume.reshape(side * side, side)
    first, second = (looked_up(slices, at[2], at[1] + step * side) for step in (low, low + 1))
    return np.where(beyond, np.float32(0), first + (second - first) * (at[0] - low))
