"""Photo-like views: a shape with random surfaces in a random room, lit, cluttered, cropped and photographed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from maquette.geometry.mesh import FACE_COLOURS
from maquette.rendering import clutter
from maquette.rendering.camera import Camera
from maquette.rendering.effects import develop, occlude
from maquette.rendering.framing import Frame, outline, photo_frame
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.room import random_room
from maquette.rendering.textures import Pictures, random_colour, random_material

STUDIO_SHARE = 0.15
"""Share of views on plain white or grey, without a room or clutter."""
OWN_COLOURS_SHARE = 0.5
"""Share of views in its own colours of a mesh that has any (`FACE_COLOURS`); the others have random surfaces."""


@dataclass(frozen=True)
class Set:
    """A shape together with one arrangement of loose things on it."""

    caster: RayCaster
    own_faces: int
    item: np.ndarray


class Stage:
    """All that photo views of one shape share: the bare shape, and the shape with things on it in a few ways."""

    def __init__(self, caster: RayCaster, rng: np.random.Generator, arrangements: int, found: Pictures | None = None):
        self.found = found
        self.low, self.high = caster.vertices.min(0), caster.vertices.max(0)
        self.outline = outline(caster)
        own = None if caster.mesh is None else caster.mesh.face_attributes.get(FACE_COLOURS)
        self.colours = None if own is None else (np.asarray(own, np.float32) / 255) ** np.float32(2.2)
        """Linear RGB of the shape's own faces, float32 [F, 3], or None."""
        faces = len(caster.faces)
        self.sets = [Set(caster, faces, np.zeros(0, np.int64))]
        self.patch = caster.patch
        self.patches = int(caster.patch.max(initial=0)) + 1
        places = clutter.shelves(caster, rng) if arrangements else []
        for _ in range(arrangements):
            things = clutter.furnish(places, rng, rng.uniform(0.3, 1.3))
            if things is None:
                continue
            both = RayCaster.of_triangles(
                np.concatenate([caster.vertices, things.vertices]),
                np.concatenate([caster.faces, things.faces + len(caster.vertices)]),
                np.concatenate([caster.corner_normals, things.normals]),
            )
            self.sets.append(Set(both, faces, things.item))


def photo(
    stage: Stage, rng: np.random.Generator, size_px: int, channels: int, frontal: float
) -> tuple[np.ndarray, Camera]:
    """One photo-like view: uint8 [S, S] or [S, S, 3], and its camera. frontal: see `random_viewpoint`."""
    clean = rng.random() < STUDIO_SHARE
    frame = photo_frame(stage.outline, rng, size_px, frontal)
    fine = int(round(size_px * (1.5 if rng.random() < 0.5 else 1.0)))
    camera = replace(frame.camera, size_px=fine)
    props = not clean and len(stage.sets) > 1 and rng.random() < 0.72
    stand = stage.sets[int(rng.integers(1, len(stage.sets)))] if props else stage.sets[0]
    linear = _expose(stage, stand, camera, frame, rng, channels, clean)
    if fine != size_px:
        linear = cv2.resize(linear, (size_px, size_px), interpolation=cv2.INTER_AREA).reshape(size_px, size_px, -1)
    if not clean and rng.random() < 0.25:
        occlude(linear, rng)
    image = develop(linear, rng, clean)
    image = frame.pad(image, rng)
    return (image[..., 0] if channels == 1 else image), frame.camera


def _expose(stage, stand, camera, frame: Frame, rng, channels, clean) -> np.ndarray:
    """The picture in linear light, float32 [S, S, C]; what lies outside the frame stays 0."""
    size = camera.size_px
    pixels = frame.inside(size)
    position = camera.position.astype(np.float32)
    directions = camera.rays()[1]
    if len(pixels) < size * size:
        directions = directions[pixels]
    origins = np.broadcast_to(position, directions.shape)
    caster = stand.caster
    distance, face, uv = caster.first(origins, directions)
    hit = np.flatnonzero(face >= 0)
    miss = np.flatnonzero(face < 0)

    room = None if clean and rng.random() < 0.5 else random_room(stage, camera, rng, channels, clean)
    picture = np.empty((len(pixels), channels), np.float32)
    light = _Light(camera, rng)
    if len(miss):
        picture[miss] = _surroundings(stage, caster, camera, room, pixels[miss], directions[miss], light, rng,
                                      channels, clean)
    if len(hit):
        face, along = face[hit], directions[hit]
        point = position + distance[hit, None] * along
        normal = caster.normals(face, uv[hit], along)
        albedo, gloss, sharp = _surface(stage, stand, face, point, normal, camera, rng, channels)
        picture[hit] = light.shade(caster, pixels[hit], point, normal, along, albedo, gloss, sharp)
    if room is not None and room.near is not None:  # things beside the object may stand before it
        near, near_face, _ = room.near.first(origins[hit], directions[hit])
        before = near < distance[hit]
        if before.any():
            picture[hit[before]] = room.near_colour(near_face[before], light)
    if len(pixels) == size * size:
        return picture.reshape(size, size, channels)
    full = np.zeros((size * size, channels), np.float32)
    full[pixels] = picture
    return full.reshape(size, size, channels)


def _surroundings(stage, caster, camera, room, pixels, directions, light, rng, channels, clean):
    """Linear colours [N, C] of the pixels that miss the object."""
    position = camera.position.astype(np.float32)
    if room is None:
        return np.broadcast_to(np.full(channels, rng.choice([1.0, 1.0, rng.uniform(0.3, 1.0)]), np.float32),
                               (len(pixels), channels))
    distance, point, normal, colour, solid = room.cast(position, directions, pixels)
    if solid.any():
        at = np.flatnonzero(solid)
        shaded = light.shade(
            caster, pixels[at], point[at], normal[at], directions[at], colour[at], 0.0, 1.0, ground=True
        )
        colour[at] = shaded
    return colour


def _surface(stage, stand, face, point, normal, camera, rng, channels):
    """Albedo [N, C], gloss [N, 1] and its sharpness [N, 1] of the object and of the things on it."""
    pixel_size = camera.distance / camera.focal_px
    own = face < stand.own_faces
    zone = _zones(stage, face, point, normal, own, rng)
    albedo = np.empty((len(face), channels), np.float32)
    gloss = np.zeros((len(face), 1), np.float32)
    sharp = np.full((len(face), 1), 20, np.float32)
    surface_uv = box_uv(point, normal)
    for number in range(int(zone.max(initial=0)) + 1):
        material = random_material(rng, channels, stage.found, plain=0.55)
        chosen = np.flatnonzero(zone == number)
        albedo[chosen] = material.colour(surface_uv[chosen], pixel_size)
        gloss[chosen], sharp[chosen] = material.gloss, material.sharpness
    if stage.colours is not None and rng.random() < OWN_COLOURS_SHARE:
        colours = stage.colours[face[own]]
        albedo[own] = colours if channels == 3 else colours @ np.float32([[0.2126], [0.7152], [0.0722]])
    things = np.flatnonzero(~own)
    if len(things):
        item = stand.item[face[things] - stand.own_faces]
        shades = np.stack([random_colour(rng, channels) for _ in range(23)])
        albedo[things] = shades[(item * 7919) % 23] * rng.uniform(0.6, 1.2)
    return albedo, gloss, sharp


def _zones(stage, face, point, normal, own, rng) -> np.ndarray:
    """Which material each hit of the object has (-1 for things that stand on it): one, or split by part or height."""
    kind = rng.random()
    if kind < 0.5:
        zone = np.zeros(len(face), np.int64)
    elif kind < 0.7 and 2 <= stage.patches <= 3000:
        zone = rng.integers(0, int(rng.integers(2, 4)), stage.patches)[stage.patch[np.where(own, face, 0)]]
    elif kind < 0.85:
        cut = rng.uniform(stage.low[2], stage.high[2])
        zone = (point[:, 2] > cut).astype(np.int64)
    else:
        axis = int(rng.integers(3))
        zone = (np.abs(normal[:, axis]) > 0.7).astype(np.int64)
    return np.where(own, zone, -1)


def box_uv(point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Surface coordinates [N, 2] by projection along each normal's main axis."""
    size = np.abs(normal)
    level = size[:, 2] >= np.maximum(size[:, 0], size[:, 1])
    sideways = ~level & (size[:, 0] > size[:, 1])
    return np.stack([np.where(sideways, point[:, 1], point[:, 0]), np.where(level, point[:, 1], point[:, 2])], axis=1)


class _Light:
    """The lights of one view: an ambient sky, a key light that may cast shadows, and a weak fill light."""

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
        self.corners = rng.random() < 0.6
        self.rng = np.random.default_rng(rng.integers(1 << 32))

    def _even(self, values: np.ndarray, pixels: np.ndarray, reach: int) -> np.ndarray:
        """Averages values [N] over their neighbours in the picture: one ray a pixel is grainy."""
        sums = np.zeros((self.size * self.size, 2), np.float32)
        sums[pixels, 0], sums[pixels, 1] = values, 1
        sums = cv2.blur(sums.reshape(self.size, self.size, 2), (reach, reach)).reshape(-1, 2)[pixels]
        return sums[:, 0] / sums[:, 1]

    def shade(self, caster, pixels, point, normal, along, albedo, gloss, sharp, ground=False) -> np.ndarray:
        """Light [N, C] that leaves points, seen at pixels [N] of the picture, towards the camera."""
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
            direct *= self._even(open_, pixels, 5 if self.soft else 2)
        sky = 0.75 + 0.25 * normal[:, 2]
        if self.corners:
            scatter = self.rng.standard_normal((len(point), 3), dtype=np.float32)
            scatter *= 0.95 / np.sqrt(np.einsum("ij,ij->i", scatter, scatter))[:, None]
            shut = caster.blocked(start, normal + scatter, 0.45)
            sky *= self._even(np.where(shut, np.float32(0.45), np.float32(1.08)), pixels, 7)
        total = self.ambient * sky + self.strength * direct + self.weak * np.maximum(normal @ self.fill, 0)
        result = albedo * total[:, None]
        if not ground and np.any(gloss):
            half = self.key - along
            half /= np.sqrt(np.einsum("ij,ij->i", half, half))[:, None]
            spot = np.maximum(np.einsum("ij,ij->i", half, normal), 1e-3)[:, None] ** sharp
            result = result + gloss * self.strength * spot * (direct > 0)[:, None]
        return result


__all__ = ["STUDIO_SHARE", "Stage", "box_uv", "photo"]
