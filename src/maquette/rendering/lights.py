"""The lights of photo-like views, and how surfaces look in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Int


@dataclass(frozen=True)
class Highlights:
    """Gloss at points of surfaces (Blinn 1977)."""

    gloss: Float[np.ndarray, "n 1"]
    """Strength of the highlight, 0 for matt."""
    sharpness: Float[np.ndarray, "n 1"]
    """Its exponent."""


class Lights:
    """The random lights of one view: an ambient sky, a key light that may cast shadows, and a weak fill light.

    Args:
        camera: The view.
        rng: Source of the randomness.
    """

    def __init__(self, camera: Camera, rng: np.random.Generator):
        self.size = camera.size_px
        right, down, forward = camera.axes
        side, up, front = rng.normal(0, 0.9), abs(rng.normal(0.8, 0.5)) + 0.15, rng.normal(0.4, 0.8)
        key = side * right + up * np.array([0, 0, 1]) - front * forward
        fill = rng.normal(0, 1, 3) - forward
        self.key = (key / np.linalg.norm(key)).astype(np.float32)
        self.fill = (fill / np.linalg.norm(fill)).astype(np.float32)
        self.ambient = rng.uniform(0.18, 0.65)
        self.strength = rng.uniform(0.4, 1.5)
        self.weak = rng.uniform(0, 0.4)
        self.shadows = rng.random() < 0.6
        self.soft = rng.choice([0.0, 0.1, 0.25])
        self.crevices = rng.random() < 0.6
        self.rng = np.random.default_rng(rng.integers(1 << 32))

    def _averaged(
        self, values: Float[np.ndarray, " n"], pixels: Int[np.ndarray, " n"], reach: int
    ) -> Float32[np.ndarray, " n"]:
        """Values averaged over `reach` x `reach` pixels of the picture, since one ray for each pixel is grainy."""
        sums = np.zeros((self.size * self.size, 2), np.float32)
        sums[pixels, 0], sums[pixels, 1] = values, 1
        sums = cv2.blur(sums.reshape(self.size, self.size, 2), (reach, reach)).reshape(-1, 2)[pixels]
        return sums[:, 0] / sums[:, 1]

    def shade(
        self,
        caster: RayCaster,
        pixels: Int[np.ndarray, " n"],
        point: Float[np.ndarray, "n 3"],
        normal: Float[np.ndarray, "n 3"],
        along: Float[np.ndarray, "n 3"],
        albedo: Float[np.ndarray, "n c"],
        highlights: Highlights | None = None,
    ) -> Float[np.ndarray, "n c"]:
        """Light that leaves points of surfaces towards the camera.

        Args:
            caster: Of all that casts shadows.
            pixels: Flat indices of the pixels that see the points.
            point: The points, in the frame.
            normal: Unit normals there.
            along: Unit directions of the rays from the camera.
            albedo: Linear colours there.
            highlights: Gloss there; None for matt surfaces.
        """
        facing = normal @ self.key
        start = point + 3e-3 * normal
        direct = np.maximum(facing, 0)
        if self.shadows:
            lit = np.flatnonzero(direct > 0)
            towards = np.broadcast_to(self.key, (len(lit), 3))
            if self.soft:
                towards = towards + self.soft * self.rng.standard_normal((len(lit), 3), dtype=np.float32)
            open_ = np.ones(len(point), np.float32)
            open_[lit[caster.blocked(start[lit], towards, 3.0)]] = 0.12
            direct *= self._averaged(open_, pixels, 5 if self.soft else 2)
        sky = 0.75 + 0.25 * normal[:, 2]
        if self.crevices:
            scatter = self.rng.standard_normal((len(point), 3), dtype=np.float32)
            scatter *= 0.95 / np.sqrt(np.einsum("ij,ij->i", scatter, scatter))[:, None]
            shut = caster.blocked(start, normal + scatter, 0.45)
            sky *= self._averaged(np.where(shut, np.float32(0.45), np.float32(1.08)), pixels, 7)
        total = self.ambient * sky + self.strength * direct + self.weak * np.maximum(normal @ self.fill, 0)
        result = albedo * total[:, None]
        if highlights is not None and np.any(highlights.gloss):
            half = self.key - along
            half /= np.sqrt(np.einsum("ij,ij->i", half, half))[:, None]
            spot = np.maximum(np.einsum("ij,ij->i", half, normal), 1e-3)[:, None] ** highlights.sharpness
            result = result + highlights.gloss * self.strength * spot * (direct > 0)[:, None]
        return result
