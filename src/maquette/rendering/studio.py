"""Clean studio pictures of a mesh, for previews and documents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import Buffers, RayCaster

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Float, UInt8

CLAY = (0.66, 0.37, 0.23)
"""A warm material, linear RGB."""
STEEL = (0.27, 0.37, 0.50)
"""A cool material, linear RGB."""


def shade(
    mesh: trimesh.Trimesh,
    camera: Camera,
    *,
    colour: tuple[float, float, float] = CLAY,
    ground: bool = True,
    caster: RayCaster | None = None,
) -> UInt8[np.ndarray, "s s 3"]:
    """A studio picture: soft light, ambient occlusion, a shadow on the ground, antialiased.

    Args:
        mesh: In the package's frame.
        camera: Takes the picture.
        colour: The material, linear RGB in [0, 1]: `CLAY`, `STEEL` or any other.
        ground: Show the object's shadow on the ground under it.
        caster: A ray caster of the same mesh; one serves several pictures.

    Raises:
        UserError: For a mesh without faces.
    """
    caster = caster or RayCaster(mesh)
    fine = replace(camera, size_px=2 * camera.size_px)
    size = fine.size_px
    rng = np.random.default_rng(0)
    seen = caster.cast(fine)
    rows = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    tint = np.array([0.99, 1.0, 1.01], np.float32)
    backdrop: np.ndarray = np.broadcast_to((0.90 - 0.10 * rows) * tint, (size, size, 3)).copy()

    origins, directions = fine.rays()
    if ground:
        floor = float(caster.vertices[:, 2].min()) - 1e-3
        with np.errstate(divide="ignore"):
            reach = (floor - origins[:, 2]) / directions[:, 2]
        on_floor = np.flatnonzero((reach > 0) & (reach < 1e3) & ~seen.mask.reshape(-1))
        spot = origins[on_floor] + reach[on_floor, None] * directions[on_floor]
        near = np.hypot(spot[:, 0], spot[:, 1]) < 1.6
        on_floor, spot = on_floor[near], spot[near]
        up = np.broadcast_to(np.array([0, 0, 1], np.float32), spot.shape)
        lit, open_sky = _light(caster, spot, up, camera, rng)
        dim = (1 - (0.5 + 0.5 * lit) * (0.5 + 0.5 * open_sky)) * _fade(np.hypot(spot[:, 0], spot[:, 1]))
        weight: np.ndarray = np.zeros((size * size, 2), np.float32)  # of the floor alone, so that it stays dark below
        weight[on_floor, 0], weight[on_floor, 1] = dim, 1
        weight = cv2.GaussianBlur(weight.reshape(size, size, 2), (0, 0), size / 130)
        dim = weight[..., 0] / np.maximum(weight[..., 1], 1e-3)
        backdrop *= 1 - np.where(weight[..., 1] > 0.02, dim, 0)[..., None]

    hit = np.flatnonzero(seen.mask.reshape(-1))
    normal, point = seen.normal.reshape(-1, 3)[hit], seen.point.reshape(-1, 3)[hit]
    lit, open_sky = _light(caster, point, normal, camera, rng)
    key, fill, rim = _lights(camera)
    diffuse = np.maximum(normal @ key, 0) * (0.25 + 0.75 * lit) * 0.62 + np.maximum(normal @ fill, 0) * 0.20
    ambient = (0.28 + 0.14 * normal[:, 2]) * open_sky
    half = key - directions[hit]
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gloss = 0.10 * np.maximum(np.einsum("ij,ij->i", normal, half), 0) ** 24 * lit
    edge = 0.10 * np.maximum(normal @ rim, 0) ** 3
    picture: np.ndarray = np.zeros((size * size, 3), dtype=np.float32)
    picture[hit] = np.array(colour, np.float32) * (diffuse + ambient)[:, None] * 1.15 + (gloss + edge)[:, None]
    picture = _denoise(picture.reshape(size, size, 3), seen)
    picture = np.clip(picture, 0, 1) ** (1 / 1.8)
    picture = np.where(seen.mask[..., None], picture, backdrop)
    picture = cv2.resize(picture, (camera.size_px, camera.size_px), interpolation=cv2.INTER_AREA)
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def _lights(camera: Camera) -> Float[np.ndarray, "3 3"]:
    """Unit directions towards the key, the fill and the rim light, which are fixed to the camera's azimuth."""
    right, down, forward = replace(camera, elevation_deg=0.0, roll_deg=0.0).axes
    lights = np.stack([-0.55 * right - 1.0 * down - 0.7 * forward, right - 0.2 * down - 0.8 * forward,
                       0.6 * right - 0.5 * down + forward])
    return (lights / np.linalg.norm(lights, axis=1, keepdims=True)).astype(np.float32)


def _light(
    caster: RayCaster, point: Float[np.ndarray, "n 3"], normal: Float[np.ndarray, "n 3"], camera: Camera,
    rng: np.random.Generator, *, rays: int = 12,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Share of the key light, and of the open sky, that each point of a surface sees, by random rays."""
    lit = np.zeros(len(point), dtype=np.float32)
    sky = np.zeros(len(point), dtype=np.float32)
    start = point + 2e-3 * normal
    key = _lights(camera)[0]
    for _ in range(rays):
        jitter = rng.standard_normal((len(point), 3), dtype=np.float32)
        jitter /= np.sqrt(np.einsum("ij,ij->i", jitter, jitter))[:, None]
        lit += ~caster.blocked(start, key + 0.16 * jitter)
        upward = normal + 0.98 * jitter
        upward /= np.sqrt(np.einsum("ij,ij->i", upward, upward))[:, None]
        sky += ~caster.blocked(start, upward, reach=0.7)
    return lit / rays, sky / rays


def _fade(radius: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """1 near the object, 0 far away, smoothly."""
    t = np.clip((1.6 - radius) / 0.8, 0, 1)
    return t * t * (3 - 2 * t)


def _denoise(picture: Float[np.ndarray, "s s 3"], seen: Buffers) -> Float[np.ndarray, "s s 3"]:
    """The picture without the grain of the few shadow rays; averages stay within the object and along its surfaces."""
    filled = np.where(seen.mask[..., None], picture, 0)
    guide = np.where(seen.mask[..., None], seen.normal, 0)
    total = np.zeros_like(filled)
    weight = np.zeros(filled.shape[:2] + (1,), dtype=np.float32)
    depth = np.where(seen.mask, seen.depth, 0)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            shifted = np.roll(filled, (dy, dx), (0, 1))
            alike = np.einsum("ijk,ijk->ij", guide, np.roll(guide, (dy, dx), (0, 1))) > 0.93
            alike &= np.abs(depth - np.roll(depth, (dy, dx), (0, 1))) < 0.03
            total += shifted * alike[..., None]
            weight += alike[..., None]
    return total / np.maximum(weight, 1)
