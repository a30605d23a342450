"""What an object covers in a camera's picture, fast enough to try hundreds of cameras."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.geometry.plain import PlainMesh
from maquette.rendering.camera import CIRCUMSPHERE, Camera
from maquette.rendering.rasteriser import covered
from maquette.ways.outline import without_holes

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Int32

    from maquette.geometry.plain import Mesh

POSE = ("azimuth", "elevation", "roll", "scale", "right", "down", "nearness")
"""The seven values of a pose, as the networks estimate them: radians, the logarithm of the scale, the place of the
object's centre with the square from -1 to 1, and how strong the perspective is (`maquette.nets.pixel_aligned`)."""

_ROW = 1024  # values in a row of what OpenCV looks up
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class Pose:
    """From where a square picture shows the frame's cube; angles in radians."""

    azimuth: float
    """0 is on the +y side; it grows counter-clockwise seen from above."""
    elevation: float
    """Above the horizon."""
    roll: float = 0.0
    """About the optical axis."""
    scale: float = -0.1
    """The logarithm of the picture's half sides that a unit of the frame takes at the object's centre."""
    right: float = 0.0
    """Where the object's centre is shown, in half sides of the picture."""
    down: float = 0.0
    """The same, downwards."""
    nearness: float = 0.42
    """0 for a camera far away; the cube's nearest corner is shown 1 / (1 - 0.866 nearness) times as large."""

    @cached_property
    def axes(self) -> Float32[np.ndarray, "3 3"]:
        """The picture's right, its down, and forward, as rows, as those of `camera`."""
        (s, c), (t, d), (r, e) = ((math.sin(angle), math.cos(angle)) for angle in
                                  (self.azimuth, self.elevation, self.roll))
        right, down, back = np.array([-c, -s, 0.0]), np.array([-s * t, c * t, -d]), np.array([-s * d, c * d, t])
        return np.stack([e * right - r * down, r * right + e * down, -back]).astype(np.float32)

    @classmethod
    def of(cls, values: Float[np.ndarray, " 7"]) -> Pose:
        """From the values of `POSE`."""
        return cls(*(float(value) for value in values))

    def camera(self, size_px: int) -> Camera:
        """The same as a camera of the renderer, whose picture has so many pixels a side."""
        sine = float(np.clip(self.nearness * CIRCUMSPHERE, 0.02, 0.95))
        half = np.arcsin(sine)
        return Camera(
            float(np.degrees(self.azimuth)) % 360, float(np.degrees(self.elevation)), float(np.degrees(2 * half)),
            size_px, float(np.degrees(self.roll)), float(np.exp(self.scale) * CIRCUMSPHERE / np.cos(half)),
            (self.right / 2, self.down / 2),
        )


def project(points: Float[np.ndarray, "n 3"], pose: Pose) -> Float32[np.ndarray, "n 3"]:
    """Where the picture shows points of the frame: right and down from -1 to 1, and depth behind the centre."""
    across, down, depth = plain_view(np.ascontiguousarray(points.T, np.float32), pose)
    return np.stack([*placed(across, down, pose), depth], axis=1)


def plain_view(
    points: Float32[np.ndarray, "3 n"], pose: Pose
) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """Points as the pose's angles and perspective show them, at scale 0 in the middle: right, down, and depth."""
    across, down, depth = pose.axes @ points
    factor = 1 / np.maximum(1 + np.float32(pose.nearness) * depth, np.float32(0.1))
    return factor * across, factor * down, depth


def placed(
    across: Float32[np.ndarray, " n"], down: Float32[np.ndarray, " n"], pose: Pose
) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """What `plain_view` gives, right and down, at the pose's scale and place."""
    scale = np.float32(np.exp(pose.scale))
    return np.float32(pose.right) + scale * across, np.float32(pose.down) + scale * down


def shown_centres(resolution: int, pose: Pose) -> Float32[np.ndarray, "3 n"]:
    """Where the picture shows the centres of all voxels of a cube, as `project` gives it, as rows."""
    line = ((np.arange(resolution) + 0.5) / resolution - 0.5).astype(np.float32)
    along = pose.axes[:, :, None] * line
    local = along[:, 0, :, None, None] + along[:, 1, None, :, None] + along[:, 2, None, None, :]
    factor = unit_at(local[2], pose)
    shown = np.stack([np.float32(pose.right) + factor * local[0], np.float32(pose.down) + factor * local[1], local[2]])
    return shown.reshape(3, -1)


def unit_at(depth: Float32[np.ndarray, "*n"], pose: Pose) -> Float32[np.ndarray, "*n"]:
    """How large a unit of the frame is shown at depths behind the centre, in half sides of the picture."""
    return np.float32(np.exp(pose.scale)) / np.maximum(1 + np.float32(pose.nearness) * depth, np.float32(0.1))


def sampled(values: Float[np.ndarray, "s s"], shown: Float[np.ndarray, "d n"]) -> Float32[np.ndarray, " n"]:
    """The values of a picture where points are shown, interpolated; beyond it those of its border."""
    side = values.shape[0]
    return looked_up(values, (shown[0] + 1) * (side / 2) - 0.5, (shown[1] + 1) * (side / 2) - 0.5)


def looked_up(
    values: Float[np.ndarray, "h w"], column: Float[np.ndarray, " n"], row: Float[np.ndarray, " n"]
) -> Float32[np.ndarray, " n"]:
    """The values of a grid at places between its cells, linear; beyond it those of its border."""
    count = len(column)
    at = np.zeros((2, max(-(-count // _ROW), 1) * _ROW), np.float32)
    at[0, :count], at[1, :count] = column, row
    return cv2.remap(values.astype(np.float32), at[0].reshape(-1, _ROW), at[1].reshape(-1, _ROW),
                     cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1)[:count]


def surface_voxels(voxels: Bool[np.ndarray, "r r r"]) -> Float32[np.ndarray, "n 3"]:
    """The centres of the filled voxels that have an empty neighbour."""
    padded = np.pad(voxels, 1)
    inner = np.ones(voxels.shape, bool)
    for axis in range(3):
        for step in (-1, 1):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    at = np.argwhere(voxels & ~inner)
    return ((at + 0.5) / voxels.shape[0] - 0.5).astype(np.float32)


def silhouette(
    points: Float[np.ndarray, "n 3"], pose: Pose, side_px: int, voxel: float
) -> Bool[np.ndarray, "{side_px} {side_px}"]:
    """What an object covers, filled, by the voxels at its surface.

    A voxel is filled where the surface only touches it (`maquette.geometry.voxelise`), so half a voxel is taken off all
    around.

    Args:
        points: Centres of the voxels.
        pose: Of the picture.
        side_px: Its pixels a side.
        voxel: Side of a voxel in the frame.
    """
    shown = project(points, pose)
    return solid_silhouette(shown[:, 0], shown[:, 1], pose, side_px, voxel)


def solid_silhouette(
    across: Float[np.ndarray, " n"], down: Float[np.ndarray, " n"], pose: Pose, side_px: int, voxel: float
) -> Bool[np.ndarray, "{side_px} {side_px}"]:
    """As `silhouette`, of projected points."""
    double = without_holes(coverage(across, down, pose, 2 * side_px, voxel)).view(np.uint8)
    thinner = cv2.erode(double, _CROSS)
    return cv2.resize(thinner * np.uint8(255), (side_px, side_px), interpolation=cv2.INTER_AREA) > 127


def coverage(
    across: Float[np.ndarray, " n"], down: Float[np.ndarray, " n"], pose: Pose, side_px: int, voxel: float
) -> Bool[np.ndarray, "{side_px} {side_px}"]:
    """As `silhouette`, of projected points, with its holes."""
    column, row = pixels_of(across, side_px), pixels_of(down, side_px)
    inside = (column.view(np.uint32) < side_px) & (row.view(np.uint32) < side_px)
    mask = np.zeros((side_px, side_px), np.uint8)
    mask[row[inside], column[inside]] = 1
    wide = float(np.exp(pose.scale)) * voxel * side_px / 2
    reach = 2 * int(np.ceil(wide)) + 1
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8)) > 0


def pixels_of(place: Float[np.ndarray, " n"], side_px: int) -> Int32[np.ndarray, " n"]:
    """The pixels in which places from -1 to 1 lie; places outside have numbers below 0 or from `side_px` on."""
    return ((place + 1) * (side_px / 2)).clip(-2, side_px).astype(np.int32)


def framed(
    points: Float[np.ndarray, "n 3"], pose: Pose, box: tuple[float, float, float, float]
) -> Pose:
    """The pose with another scale and centre, so that the points' picture fills a box as well as it can.

    Args:
        points: Of the object.
        pose: Its angles and perspective are kept.
        box: Left, top, right and bottom, the square from -1 to 1.
    """
    across, down, _ = plain_view(np.ascontiguousarray(points.T, np.float32), pose)
    return filling(across, down, pose, box)


def filling(
    across: Float32[np.ndarray, " n"], down: Float32[np.ndarray, " n"], pose: Pose,
    box: tuple[float, float, float, float],
) -> Pose:
    """As `framed`, of what `plain_view` gives."""
    left, right, top, bottom = (float(edge) for edge in (across.min(), across.max(), down.min(), down.max()))
    area = (box[2] - box[0]) * (box[3] - box[1]) / max((right - left) * (bottom - top), 1e-6)
    scale = max(math.sqrt(area), 1e-3)
    return replace(pose, scale=math.log(scale), right=(box[0] + box[2]) / 2 - (left + right) / 2 * scale,
                   down=(box[1] + box[3]) / 2 - (top + bottom) / 2 * scale)


def mesh_silhouette(mesh: Mesh, pose: Pose, side_px: int) -> Bool[np.ndarray, "{side_px} {side_px}"]:
    """What a mesh covers, filled, exactly: the pixels whose middles it covers.

    Args:
        mesh: Closed, in the package's frame.
        pose: Of the picture.
        side_px: Its pixels a side.
    """
    return without_holes(covered(PlainMesh.of(mesh), pose.camera(side_px)))
