"""What an object covers in a camera's picture, fast enough to try hundreds of cameras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.rendering.camera import CIRCUMSPHERE, Camera
from maquette.rendering.raycaster import RayCaster
from maquette.ways.outline import without_holes

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32

    from maquette.geometry.plain import Mesh

POSE = ("azimuth", "elevation", "roll", "scale", "right", "down", "nearness")
"""The seven values of a pose, as the networks estimate them: radians, the logarithm of the scale, the place of the
object's centre with the square from -1 to 1, and how strong the perspective is (`maquette.nets.pixel_aligned`)."""


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
    camera = pose.camera(2)
    local = points.astype(np.float32) @ camera.axes.T.astype(np.float32)
    factor = np.float32(np.exp(pose.scale)) / np.maximum(1 + np.float32(pose.nearness) * local[:, 2], 0.1)
    return np.stack([np.float32(pose.right) + factor * local[:, 0], np.float32(pose.down) + factor * local[:, 1],
                     local[:, 2]], axis=1)


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
    double = without_holes(coverage(project(points, pose), pose, 2 * side_px, voxel)).astype(np.uint8)
    thinner = cv2.erode(double, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    return cv2.resize(thinner * 255, (side_px, side_px), interpolation=cv2.INTER_AREA) > 127


def coverage(
    shown: Float[np.ndarray, "n 3"], pose: Pose, side_px: int, voxel: float
) -> Bool[np.ndarray, "{side_px} {side_px}"]:
    """As `silhouette`, of projected points, with its holes."""
    at = ((shown[:, :2] + 1) * (side_px / 2)).astype(np.int32)
    inside = ((at >= 0) & (at < side_px)).all(1)
    at = at[inside]
    mask = np.zeros((side_px, side_px), np.uint8)
    mask[at[:, 1], at[:, 0]] = 1
    across = float(np.exp(pose.scale)) * voxel * side_px / 2
    reach = 2 * int(np.ceil(across)) + 1
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8)) > 0


def framed(
    points: Float[np.ndarray, "n 3"], pose: Pose, box: tuple[float, float, float, float]
) -> Pose:
    """The pose with another scale and centre, so that the points' picture fills a box as well as it can.

    Args:
        points: Of the object.
        pose: Its angles and perspective are kept.
        box: Left, top, right and bottom, the square from -1 to 1.
    """
    shown = project(points, replace(pose, scale=0.0, right=0.0, down=0.0))[:, :2]
    low, high = shown.min(0), shown.max(0)
    size, wanted = high - low, np.array([box[2] - box[0], box[3] - box[1]])
    scale = float(np.sqrt((wanted[0] * wanted[1]) / max(float(size[0] * size[1]), 1e-6)))
    middle = (low + high) / 2 * scale
    return replace(pose, scale=float(np.log(max(scale, 1e-3))), right=float((box[0] + box[2]) / 2 - middle[0]),
                   down=float((box[1] + box[3]) / 2 - middle[1]))


def mesh_silhouette(mesh: Mesh, pose: Pose, side_px: int) -> Bool[np.ndarray, "{side_px} {side_px}"]:
    """What a mesh covers, filled, exactly: by a ray for each pixel.

    Args:
        mesh: In the package's frame.
        pose: Of the picture.
        side_px: Its pixels a side.
    """
    faces = np.asarray(mesh.faces)
    caster = RayCaster.of_triangles(np.asarray(mesh.vertices), faces, np.zeros((len(faces), 3, 3)))
    return without_holes(caster.blocked(*pose.camera(side_px).rays()).reshape(side_px, side_px))
