"""Random viewpoints, and which part of the camera's picture is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Int, UInt8


@dataclass(frozen=True)
class Frame:
    """A square picture, and the box in it that was photographed."""

    camera: Camera
    """Takes the whole square."""
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, right and bottom of the photographed box, in shares of the square's side."""
    pad_to: str = "scene"
    """What is outside the box: "scene", the scene itself; "white", "grey" or "black"; or "border", the median colour of
    the box's border."""

    def _bounds(self, size: int) -> tuple[int, int, int, int]:
        left, top, right, bottom = (int(round(value * size)) for value in self.box)
        return max(left, 0), max(top, 0), max(min(right, size), left + 1), max(min(bottom, size), top + 1)

    def inside(self, size: int) -> Int[np.ndarray, " n"]:
        """Flat indices of the pixels that show the scene, in a picture of `size` x `size` pixels."""
        if self.pad_to == "scene":
            return np.arange(size * size)
        left, top, right, bottom = self._bounds(size)
        rows = np.arange(top, bottom)[:, None] * size
        return (rows + np.arange(left, right)[None, :]).reshape(-1)

    def pad(self, image: UInt8[np.ndarray, "s s c"], rng: np.random.Generator) -> UInt8[np.ndarray, "s s c"]:
        """The picture with a plain colour outside the box, unless the scene goes on there."""
        if self.pad_to == "scene":
            return image
        size = image.shape[0]
        left, top, right, bottom = self._bounds(size)
        crop = image[top:bottom, left:right]
        if self.pad_to == "border":
            rim = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
            value = np.median(rim, axis=0)
        else:
            value = np.array({"white": 255, "grey": int(rng.integers(90, 240)), "black": 0}[self.pad_to])
        padded = np.empty_like(image)
        padded[:] = value
        padded[top:bottom, left:right] = crop
        return padded


def hull_corners(caster: RayCaster) -> Float32[np.ndarray, "n 3"]:
    """The corners of the mesh's convex hull, or all of a flat shape's; they bound the shape in every picture."""
    import manifold3d

    hull = manifold3d.Manifold.hull_points(np.unique(caster.vertices, axis=0).astype(np.float64))
    return np.asarray(hull.to_mesh().vert_properties[:, :3], np.float32) if hull.volume() > 0 else caster.vertices


def extent(points: Float[np.ndarray, "n 3"], camera: Camera) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of points in a camera's picture, in pixels."""
    where = camera.project(points)[:, :2]
    (left, top), (right, bottom) = where.min(0), where.max(0)
    return left, top, right, bottom


def random_viewpoint(rng: np.random.Generator, size_px: int, frontal: float = 0.0) -> Camera:
    """A random camera: any azimuth, elevation -10 to 45 degrees, field of view 25 to 60, at times a small roll.

    Args:
        rng: Source of the randomness.
        size_px: Width and height of the picture.
        frontal: Share of views from near the front: their azimuth has a standard deviation of 35 degrees. 0 to 1.
    """
    azimuth = rng.uniform(0, 360)
    if rng.random() < frontal:
        azimuth = rng.normal(0, 35) % 360
    elevation = np.clip(rng.normal(16, 13), -10, 45) if rng.random() < 0.6 else rng.uniform(-10, 45)
    roll = rng.normal(0, 3) if rng.random() < 0.3 else 0.0
    return Camera(float(azimuth), float(elevation), float(rng.uniform(25, 60)), size_px, float(roll))


def photo_frame(
    points: Float[np.ndarray, "n 3"], rng: np.random.Generator, size_px: int, frontal: float
) -> Frame:
    """A viewpoint and a crop for a photo: mostly tight around the object, sometimes cutting it, sometimes wide.

    Args:
        points: The corners of the object's hull.
        rng: Source of the randomness.
        size_px: Width and height of the picture.
        frontal: See `random_viewpoint`.
    """
    camera = random_viewpoint(rng, size_px, frontal)
    left, top, right, bottom = extent(points, camera)
    width, height = right - left, bottom - top
    low, high = (-0.08, 0.15) if rng.random() < 0.8 else (0.05, 0.5)
    sides = rng.triangular(low, max(low, 0.02), high, 4)
    if rng.random() < 0.08:  # cut by the edge of the photo
        sides[int(rng.integers(4))] = rng.uniform(-0.3, -0.08)
    left, right = left - sides[0] * width, right + sides[1] * width
    top, bottom = top - sides[2] * height, bottom + sides[3] * height
    return _square(camera, left, top, right, bottom, rng, scene=0.5)


def page_frame(points: Float[np.ndarray, "n 3"], rng: np.random.Generator, size_px: int) -> Frame:
    """A viewpoint and a margin for a drawing: the whole object, with paper around it."""
    camera = random_viewpoint(rng, size_px)
    left, top, right, bottom = extent(points, camera)
    margin = rng.uniform(0.03, 0.18) * max(right - left, bottom - top)
    return _square(camera, left - margin, top - margin, right + margin, bottom + margin, rng, scene=1.0)


def whole_frame(points: Float[np.ndarray, "n 3"], rng: np.random.Generator, size_px: int) -> Frame:
    """A viewpoint and a margin for a depth map or a silhouette: the whole object."""
    return page_frame(points, rng, size_px)


def _square(
    camera: Camera, left: float, top: float, right: float, bottom: float, rng: np.random.Generator, scene: float
) -> Frame:
    """The square around a box in pixels; `scene` is the chance that the scene goes on outside the box."""
    side = max(right - left, bottom - top)
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    box = ((left - x) / side, (top - y) / side, (right - x) / side, (bottom - y) / side)
    pad = "scene" if rng.random() < scene else str(rng.choice(["white", "grey", "border", "border", "border"]))
    return Frame(camera.framing(x, y, side), box, pad)
