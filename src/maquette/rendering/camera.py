"""A pinhole camera that looks at the origin of the frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

CIRCUMSPHERE = float(np.sqrt(3) / 2)
"""Radius of the sphere around the unit cube: at zoom 1 it just fits the picture, so that every shape does."""


@dataclass(frozen=True)
class Camera:
    """A square pinhole camera aimed at the origin.

    Attributes:
        azimuth_deg: 0 is on the +y side (it sees the object's front), growing counter-clockwise seen from above.
        elevation_deg: Above the horizon, -90 to 90.
        fov_deg: Vertical field of view at zoom 1.
        size_px: Width and height of the picture.
        roll_deg: Turns the camera about its axis (the picture turns clockwise).
        zoom: Magnifies about the principal point.
        shift: Moves the picture's content right and down, in picture widths. Zoom and shift leave the viewpoint alone,
            so together they are any square crop of the same photograph.
    """

    azimuth_deg: float = 30.0
    elevation_deg: float = 20.0
    fov_deg: float = 40.0
    size_px: int = 128
    roll_deg: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def distance(self) -> float:
        """From the camera to the origin, in units of the frame."""
        return CIRCUMSPHERE / float(np.sin(np.radians(self.fov_deg) / 2))

    @property
    def focal_px(self) -> float:
        """Focal length in pixels, zoom included."""
        return self.zoom * 0.5 * self.size_px / float(np.tan(np.radians(self.fov_deg) / 2))

    @property
    def centre_px(self) -> tuple[float, float]:
        """Where the optical axis meets the picture, in pixels."""
        return (self.size_px * (0.5 + self.shift[0]), self.size_px * (0.5 + self.shift[1]))

    @cached_property
    def axes(self) -> np.ndarray:
        """float64 [3, 3]: rows are the picture's right, its down, and forward, in the frame."""
        azimuth, elevation, roll = np.radians([self.azimuth_deg, self.elevation_deg, self.roll_deg])
        back = np.array([-np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
        right = np.array([-np.cos(azimuth), -np.sin(azimuth), 0.0])
        down = np.cross(-back, right)
        c, s = np.cos(roll), np.sin(roll)
        return np.stack([c * right - s * down, s * right + c * down, -back])

    @property
    def position(self) -> np.ndarray:
        """float64 [3] in the frame."""
        return -self.distance * self.axes[2]

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        """Origins and unit directions of the pixels' rays: float32 [S * S, 3] each, row by row from the top left."""
        u = (np.arange(self.size_px, dtype=np.float32) + 0.5 - self.centre_px[0]) / self.focal_px
        v = (np.arange(self.size_px, dtype=np.float32) + 0.5 - self.centre_px[1]) / self.focal_px
        axes = self.axes.astype(np.float32)
        directions = (u[None, :, None] * axes[0] + v[:, None, None] * axes[1] + axes[2]).reshape(-1, 3)
        directions *= 1.0 / np.sqrt(np.einsum("ij,ij->i", directions, directions))[:, None]
        return np.broadcast_to(self.position.astype(np.float32), directions.shape), directions

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points [N, 3] in the frame to [N, 3]: pixel column, pixel row (centres at .5) and depth along the axis."""
        local = (np.asarray(points, dtype=np.float64) - self.position) @ self.axes.T
        depth = np.maximum(local[:, 2], 1e-6)
        u = self.centre_px[0] + self.focal_px * local[:, 0] / depth
        v = self.centre_px[1] + self.focal_px * local[:, 1] / depth
        return np.stack([u, v, local[:, 2]], axis=1)

    def framing(self, left: float, top: float, side: float) -> Camera:
        """The same viewpoint with the square (left, top, side), in this picture's pixels, filling the frame."""
        zoom = self.zoom * self.size_px / side
        u, v = self.centre_px
        return replace(self, zoom=zoom, shift=((u - left) / side - 0.5, (v - top) / side - 0.5))
