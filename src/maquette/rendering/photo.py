"""Photo-like views: a shape with random surfaces in a random room, with clutter, lights, a crop and a camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.clutter import furnish, shelves
from maquette.rendering.effects import add_occluder, develop
from maquette.rendering.framing import Frame, hull_corners, photo_frame
from maquette.rendering.lights import Highlights, Lights
from maquette.rendering.materials import FACE_COLOURS
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.room import Room, random_room
from maquette.rendering.textures import Pictures, random_colour, random_material

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

OWN_COLOURS_SHARE = 0.5
"""For a mesh with its own colours (`FACE_COLOURS`), the share of views that show them; others have random surfaces."""
STUDIO_SHARE = 0.15
"""Share of views on plain white or grey, without a room and clutter."""


@dataclass(frozen=True)
class Arrangement:
    """A shape with one arrangement of loose things on it."""

    caster: RayCaster
    """Of the shape and the things."""
    own_faces: int
    """The faces before this number are the shape's."""
    item: Int[np.ndarray, " f"]
    """The number of the thing that each face after them belongs to."""


class PhotoScene:
    """All that photo views of one shape share: the bare shape, and the shape with things on it in a few ways.

    Args:
        caster: Of the shape.
        rng: Source of the randomness.
        count: The number of arrangements of things.
        pictures: For walls and surfaces.
    """

    def __init__(self, caster: RayCaster, rng: np.random.Generator, count: int, pictures: Pictures | None = None):
        self.pictures = pictures
        self.low, self.high = caster.vertices.min(0), caster.vertices.max(0)
        self.corners = hull_corners(caster)
        own = getattr(caster.mesh, "face_attributes", {}).get(FACE_COLOURS)
        self.colours: Float[np.ndarray, "f 3"] | None = None
        """The shape's own colours, linear RGB; None for a shape without."""
        if own is not None:
            self.colours = (np.asarray(own, np.float32) / 255) ** np.float32(2.2)
        faces = len(caster.faces)
        self.arrangements = [Arrangement(caster, faces, np.zeros(0, np.int64))]
        self.patch = caster.patch
        self.patches = int(caster.patch.max(initial=0)) + 1
        places = shelves(caster, rng) if count else []
        for _ in range(count):
            things = furnish(places, rng, rng.uniform(0.3, 1.3))
            if things is None:
                continue
            both = RayCaster.of_triangles(
                np.concatenate([caster.vertices, things.vertices]),
                np.concatenate([caster.faces, things.faces + len(caster.vertices)]),
                np.concatenate([caster.corner_normals, things.normals]),
            )
            self.arrangements.append(Arrangement(both, faces, things.item))


def render_photo(
    scene: PhotoScene, rng: np.random.Generator, size_px: int, channels: int, frontal: float
) -> tuple[UInt8[np.ndarray, "s s"] | UInt8[np.ndarray, "s s 3"], Camera]:
    """One photo-like view, and its camera.

    Args:
        scene: The shape and its arrangements.
        rng: Source of the randomness.
        size_px: Width and height.
        channels: 1 for grey, 3 for RGB.
        frontal: Share of views from near the front; see `maquette.rendering.framing.random_viewpoint`.
    """
    clean = rng.random() < STUDIO_SHARE
    frame = photo_frame(scene.corners, rng, size_px, frontal)
    fine = int(round(size_px * (1.5 if rng.random() < 0.5 else 1.0)))
    camera = replace(frame.camera, size_px=fine)
    props = not clean and len(scene.arrangements) > 1 and rng.random() < 0.72
    arrangement = scene.arrangements[int(rng.integers(1, len(scene.arrangements)))] if props else scene.arrangements[0]
    linear = _render_linear(scene, arrangement, camera, frame, rng, channels, clean)
    if fine != size_px:
        linear = cv2.resize(linear, (size_px, size_px), interpolation=cv2.INTER_AREA).reshape(size_px, size_px, -1)
    if not clean and rng.random() < 0.25:
        add_occluder(linear, rng)
    image = develop(linear, rng, clean)
    image = frame.pad(image, rng)
    return (image[..., 0] if channels == 1 else image), frame.camera


def _render_linear(
    scene: PhotoScene, arrangement: Arrangement, camera: Camera, frame: Frame, rng: np.random.Generator, channels: int,
    clean: bool,
) -> Float[np.ndarray, "s s c"]:
    """The picture in linear light; it is 0 outside the frame."""
    size = camera.size_px
    pixels = frame.inside(size)
    position = camera.position.astype(np.float32)
    directions = camera.rays()[1]
    if len(pixels) < size * size:
        directions = directions[pixels]
    origins = np.broadcast_to(position, directions.shape)
    caster = arrangement.caster
    distance, face, uv = caster.first(origins, directions)
    hit = np.flatnonzero(face >= 0)
    miss = np.flatnonzero(face < 0)

    room = None
    if not (clean and rng.random() < 0.5):
        room = random_room(scene.low, scene.high, scene.pictures, camera, rng, channels, clean)
    picture = np.empty((len(pixels), channels), np.float32)
    lights = Lights(camera, rng)
    if len(miss):
        picture[miss] = _surroundings(caster, camera, room, pixels[miss], directions[miss], lights, rng, channels)
    if len(hit):
        face, along = face[hit], directions[hit]
        point = position + distance[hit, None] * along
        normal = caster.normals(face, uv[hit], along)
        albedo, highlights = _surface(scene, arrangement, face, point, normal, camera, rng, channels)
        picture[hit] = lights.shade(caster, pixels[hit], point, normal, along, albedo, highlights)
    if room is not None and room.near is not None:  # things beside the object may stand before it
        near, near_face, _ = room.near.first(origins[hit], directions[hit])
        before = near < distance[hit]
        if before.any():
            picture[hit[before]] = room.near_colour(near_face[before], lights)
    if len(pixels) == size * size:
        return picture.reshape(size, size, channels)
    full = np.zeros((size * size, channels), np.float32)
    full[pixels] = picture
    return full.reshape(size, size, channels)


def _surroundings(
    caster: RayCaster, camera: Camera, room: Room | None, pixels: Int[np.ndarray, " n"],
    directions: Float[np.ndarray, "n 3"], lights: Lights, rng: np.random.Generator, channels: int,
) -> Float[np.ndarray, "n c"]:
    """Colours in linear light of the pixels that miss the object."""
    position = camera.position.astype(np.float32)
    if room is None:
        return np.broadcast_to(np.full(channels, rng.choice([1.0, 1.0, rng.uniform(0.3, 1.0)]), np.float32),
                               (len(pixels), channels))
    point, normal, colour, solid = room.cast(position, directions, pixels)
    if solid.any():
        at = np.flatnonzero(solid)
        colour[at] = lights.shade(caster, pixels[at], point[at], normal[at], directions[at], colour[at])
    return colour


def _surface(
    scene: PhotoScene, arrangement: Arrangement, face: Int[np.ndarray, " n"], point: Float[np.ndarray, "n 3"],
    normal: Float[np.ndarray, "n 3"], camera: Camera, rng: np.random.Generator, channels: int,
) -> tuple[Float[np.ndarray, "n c"], Highlights]:
    """Albedo and gloss of the object, and of the things on it, where rays hit them."""
    pixel_size = camera.distance / camera.focal_px
    own = face < arrangement.own_faces
    zone = _zones(scene, face, point, normal, own, rng)
    albedo = np.empty((len(face), channels), np.float32)
    gloss = np.zeros((len(face), 1), np.float32)
    sharp = np.full((len(face), 1), 20, np.float32)
    surface_uv = box_uv(point, normal)
    for number in range(int(zone.max(initial=0)) + 1):
        material = random_material(rng, channels, scene.pictures, plain=0.55)
        chosen = np.flatnonzero(zone == number)
        albedo[chosen] = material.colour(surface_uv[chosen], pixel_size)
        gloss[chosen], sharp[chosen] = material.gloss, material.sharpness
    if scene.colours is not None and rng.random() < OWN_COLOURS_SHARE:
        colours = scene.colours[face[own]]
        albedo[own] = colours if channels == 3 else colours @ np.array([[0.2126], [0.7152], [0.0722]], np.float32)
    things = np.flatnonzero(~own)
    if len(things):
        item = arrangement.item[face[things] - arrangement.own_faces]
        shades = np.stack([random_colour(rng, channels) for _ in range(23)])
        albedo[things] = shades[(item * 7919) % 23] * rng.uniform(0.6, 1.2)
    return albedo, Highlights(gloss, sharp)


def _zones(
    scene: PhotoScene, face: Int[np.ndarray, " n"], point: Float[np.ndarray, "n 3"],
    normal: Float[np.ndarray, "n 3"], own: Bool[np.ndarray, " n"], rng: np.random.Generator,
) -> Int[np.ndarray, " n"]:
    """The number of the material at each hit: one for all, or split by part, height or direction; -1 for things."""
    kind = rng.random()
    if kind < 0.5:
        zone = np.zeros(len(face), np.int64)
    elif kind < 0.7 and 2 <= scene.patches <= 3000:
        zone = rng.integers(0, int(rng.integers(2, 4)), scene.patches)[scene.patch[np.where(own, face, 0)]]
    elif kind < 0.85:
        cut = rng.uniform(scene.low[2], scene.high[2])
        zone = (point[:, 2] > cut).astype(np.int64)
    else:
        axis = int(rng.integers(3))
        zone = (np.abs(normal[:, axis]) > 0.7).astype(np.int64)
    return np.where(own, zone, -1)


def box_uv(point: Float[np.ndarray, "n 3"], normal: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"]:
    """Surface coordinates by projection along the main axis of each normal."""
    size = np.abs(normal)
    level = size[:, 2] >= np.maximum(size[:, 0], size[:, 1])
    sideways = ~level & (size[:, 0] > size[:, 1])
    return np.stack([np.where(sideways, point[:, 1], point[:, 0]), np.where(level, point[:, 1], point[:, 2])], axis=1)
