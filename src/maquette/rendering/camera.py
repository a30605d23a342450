"""A pinhole camera that looks at the frame's origin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Float64

CIRCUMSPHERE = float(np.sqrt(3) / 2)
"""Radius of the sphere around the unit cube. At zoom 1 it just fits into the picture, and so every shape does."""


@dataclass(frozen=True)
class Camera:
    """A square pinhole camera aimed at the origin.

    Zoom and shift leave the viewpoint alone: together they give any square crop of the same photograph.
    """

    azimuth_deg: float = 30.0
    """0 is on the +y side, where the camera sees the object's front; it grows counter-clockwise seen from above."""
    elevation_deg: float = 20.0
    """Above the horizon, -90 to 90."""
    fov_deg: float = 40.0
    """Vertical field of view at zoom 1, 0 to 180."""
    size_px: int = 128
    """Width and height of the picture."""
    roll_deg: float = 0.0
    """Turns the camera about its optical axis; the picture turns clockwise."""
    zoom: float = 1.0
    """Magnifies about the principal point."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Moves the picture's content right and down, in picture widths."""

    @property
    def distance(self) -> float:
        """From the camera to the origin, in the frame's unit."""
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
    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """The picture's right, its down, and forward, as rows: unit vectors in the frame."""
        azimuth, elevation, roll = np.radians([self.azimuth_deg, self.elevation_deg, self.roll_deg])
        back = np.array([-np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
        right = np.array([-np.cos(azimuth), -np.sin(azimuth), 0.0])
        down = np.cross(-back, right)
        c, s = np.cos(roll), np.sin(roll)
        return np.stack([c * right - s * down, s * right + c * down, -back])

    @property
    def position(self) -> Float64[np.ndarray, " 3"]:
        """Where the camera is, in the frame."""
        return -self.distance * self.axes[2]

    def rays(self) -> tuple[Float32[np.ndarray, "pixels 3"], Float[np.ndarray, "pixels 3"]]:
        """Origins and unit directions of the rays through the pixels' centres, row by row from the top left.

        Directions are float32, or float64 for a camera whose zoom and shift are NumPy's doubles, as from `framing`.
        """
        u = (np.arange(self.size_px, dtype=np.float32) + 0.5 - self.centre_px[0]) / self.focal_px
        v = (np.arange(self.size_px, dtype=np.float32) + 0.5 - self.centre_px[1]) / self.focal_px
        axes = self.axes.astype(np.float32)
        directions = (u[None, :, None] * axes[0] + v[:, None, None] * axes[1] + axes[2]).reshape(-1, 3)
        directions *= 1.0 / np.sqrt(np.einsum("ij,ij->i", directions, directions))[:, None]
        return np.broadcast_to(self.position.astype(np.float32), directions.shape), directions

    def project(self, points: Float[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """Points in the frame, projected: pixel column, pixel row (centres are at .5), and depth along the axis."""
        local = (np.asarray(points, dtype=np.float64) - self.position) @ self.axes.T
        depth = np.maximum(local[:, 2], 1e-6)
        u = self.centre_px[0] + self.focal_px * local[:, 0] / depth
        v = self.centre_px[1] + self.focal_px * local[:, 1] / depth
        return np.stack([u, v, local[:, 2]], axis=1)

    def framing(self, left: float, top: float, side: float) -> Camera:
        """The same viewpoint, with a square of this picture filling the new one.

        Args:
            left: Left edge of the square, in pixels.
            top: Its top edge, in pixels.
            side: Its side, in pixels.
        """
        zoom = self.zoom * self.size_px / side
        u, v = self.centre_px
        return replace(self, zoom=zoom, shift=((u - left) / side - 0.5, (v - top) / side - 0.5))
