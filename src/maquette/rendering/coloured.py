"""A coloured object in a light that is fixed to it: the plain pictures from which generators of 3D objects learn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Num, UInt8

SAMPLES = 3
"""Rays along each side of a pixel."""
GAMMA = 2.2
"""Of sRGB, near enough."""
AMBIENT, SKY, KEY, FILL = 0.46, 0.14, 0.40, 0.12
"""Shares of the light: from everywhere, more from above, and two lamps far away."""
KEY_FROM = np.array([0.35, 0.70, 0.62], np.float32) / np.float32(np.sqrt(0.35**2 + 0.70**2 + 0.62**2))
FILL_FROM = np.array([-0.80, 0.10, 0.59], np.float32) / np.float32(np.sqrt(0.80**2 + 0.10**2 + 0.59**2))
"""Unit vectors towards the lamps, in the frame of the object, which faces +y."""


def light(normal: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """How much light leaves a matt white surface with these unit normals.

    Lambert's cosine for each lamp, and no shadows: a surface has the same colour from every side.
    """
    key, fill = np.maximum(normal @ KEY_FROM, 0), np.maximum(normal @ FILL_FROM, 0)
    return AMBIENT + SKY * normal[:, 2] + KEY * key + FILL * fill


def coloured(
    caster: RayCaster, camera: Camera, albedo: Float[np.ndarray, "f 3"],
    background: Num[np.ndarray, " 3"] | tuple[int, int, int] = (255, 255, 255),
) -> tuple[UInt8[np.ndarray, "s s 3"], UInt8[np.ndarray, "s s"]]:
    """A coloured object and its mask, antialiased.

    A pixel is the mean, in linear light, of SAMPLES x SAMPLES rays. The mask is the share of them that hit the object,
    255 for all. Where the mask is 0 the picture is exactly the background.

    Args:
        caster: Of the object.
        camera: Takes the picture.
        albedo: Linear RGB of each face, in [0, 1].
        background: One colour, sRGB, 0 to 255.
    """
    size, fine = camera.size_px, replace(camera, size_px=SAMPLES * camera.size_px)
    seen = caster.cast(fine)
    hit = seen.mask.reshape(-1)
    values = np.empty((len(hit), 3), np.float32)
    values[:] = (np.asarray(background, np.float32) / 255) ** GAMMA
    values[hit] = albedo[seen.face.reshape(-1)[hit]] * light(seen.normal.reshape(-1, 3)[hit])[:, None]
    values = _means(np.clip(values, 0, 1).reshape(fine.size_px, fine.size_px, 3))
    picture = np.round(255 * values ** (1 / GAMMA)).astype(np.uint8)
    mask = np.round(255 * _means(seen.mask[..., None].astype(np.float32))[..., 0]).astype(np.uint8)
    picture[mask == 0] = background
    return picture.reshape(size, size, 3), mask


def render_vertex_colours(
    caster: RayCaster, camera: Camera, colours: UInt8[np.ndarray, "v 3"]
) -> UInt8[np.ndarray, "s s 3"]:
    """A mesh in the colours of its vertices, without any light, on white, antialiased."""
    fine = replace(camera, size_px=SAMPLES * camera.size_px)
    _, face, uv = caster.first(*fine.rays())
    hit = np.flatnonzero(face >= 0)
    weights = np.stack([1 - uv[hit].sum(1), uv[hit, 0], uv[hit, 1]], 1)
    values = np.full((len(face), 3), 255, np.float32)
    values[hit] = np.einsum("nk,nkc->nc", weights, colours[caster.faces[face[hit]]].astype(np.float32))
    values = _means(np.clip(values, 0, 255).reshape(fine.size_px, fine.size_px, 3))
    return np.round(values).astype(np.uint8).reshape(camera.size_px, camera.size_px, 3)


def _means(values: Float32[np.ndarray, "h h c"]) -> Float32[np.ndarray, "s s c"]:
    """Means over blocks of SAMPLES x SAMPLES pixels."""
    size = len(values) // SAMPLES
    return values.reshape(size, SAMPLES, size, SAMPLES, -1).mean(axis=(1, 3))
