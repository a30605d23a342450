"""The surroundings of the object in a photo: a floor, walls with windows, other furniture, or a flat picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.clutter import neighbours
from maquette.rendering.effects import noise_window
from maquette.rendering.lights import Lights
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.textures import Material, Pictures, patterns, random_colour, random_material

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

_LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)  # sRGB to linear light, near enough


@dataclass(frozen=True)
class Patch:
    """A rectangle of one colour on a plane, in its surface coordinates: a window, a picture, a skirting line."""

    left: float
    bottom: float
    right: float
    top: float
    colour: Float[np.ndarray, " c"]
    """In linear light."""


@dataclass(frozen=True)
class Plane:
    """A floor or a wall: the points p with normal @ p = offset."""

    normal: Float[np.ndarray, " 3"]
    """Unit vector."""
    offset: float
    across: Float[np.ndarray, " 3"]
    """Direction of the first surface coordinate."""
    up: Float[np.ndarray, " 3"]
    """Direction of the second."""
    material: Material
    patches: tuple[Patch, ...] = ()
    """Later ones cover earlier ones."""


@dataclass
class Room:
    """Planes, other furniture, and a flat picture behind it all, for one camera."""

    planes: list[Plane]
    far: Float[np.ndarray, "pixels c"]
    """The flat picture, in linear light, row by row."""
    pixel_size: float
    """What a pixel covers at the object's distance, in units of the frame."""
    near: RayCaster | None = None
    """The other furniture."""
    item: Int[np.ndarray, " f"] = field(default_factory=lambda: np.zeros(0, np.int64))
    """The number of the thing that each of its faces belongs to."""
    shades: Float[np.ndarray, "k c"] = field(default_factory=lambda: np.zeros((1, 1), np.float32))
    """Colours of the things, in turn."""
    cloth: Material | None = None
    """On the upright sides of the things."""

    def cast(
        self, position: Float[np.ndarray, " 3"], directions: Float[np.ndarray, "n 3"], pixels: Int[np.ndarray, " n"]
    ) -> tuple[
        Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"], Float[np.ndarray, "n c"], Bool[np.ndarray, " n"]
    ]:
        """What rays that miss the object see.

        Args:
            position: Of the camera.
            directions: Unit vectors.
            pixels: Flat indices of their pixels.

        Returns:
            The point, its normal, its albedo, and whether the lights fall on it: on the flat picture they do not.
        """
        count = len(directions)
        nearest = np.full(count, 30.0, np.float32)
        which = np.full(count, -1, np.int64)
        for number, plane in enumerate(self.planes):
            with np.errstate(divide="ignore", invalid="ignore"):
                distance = (plane.offset - plane.normal @ position) / (directions @ plane.normal)
            closer = (distance > 0) & (distance < nearest)
            nearest[closer], which[closer] = distance[closer], number
        normal = np.zeros((count, 3), np.float32)
        colour = self.far[pixels].astype(np.float32)
        closer = np.zeros(0, np.int64)
        if self.near is not None:
            distance, face, uv = self.near.first(np.broadcast_to(position, directions.shape), directions)
            closer = np.flatnonzero(distance < nearest)
            nearest[closer], which[closer] = distance[closer], -2
        point = position + nearest[:, None] * directions
        for number, plane in enumerate(self.planes):
            at = np.flatnonzero(which == number)
            if len(at):
                normal[at] = plane.normal
                colour[at] = self._plane_colour(plane, point[at])
        if self.near is not None and len(closer):
            normal[closer] = self.near.normals(face[closer], uv[closer], directions[closer])
            colour[closer] = self.shades[self.item[face[closer]] % len(self.shades)]
            if self.cloth is not None:
                tall = np.flatnonzero(np.abs(normal[closer, 2]) < 0.5)
                p = point[closer[tall]]
                colour[closer[tall]] *= self.cloth.colour(np.stack([p[:, 0] + p[:, 1], -p[:, 2]], 1), self.pixel_size)
        return point, normal, colour, which != -1

    def near_colour(self, face: Int[np.ndarray, " n"], lights: Lights) -> Float[np.ndarray, "n c"]:
        """Colours, in the lights, of faces of the other furniture that stand before the object."""
        assert self.near is not None
        shade = lights.ambient + lights.strength * np.maximum(self.near.face_normals[face] @ lights.key, 0)
        return self.shades[self.item[face] % len(self.shades)] * shade[:, None]

    def _plane_colour(self, plane: Plane, point: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n c"]:
        uv = np.stack([point @ plane.across, point @ plane.up], axis=1)
        colour = plane.material.colour(uv, 1.5 * self.pixel_size)
        if plane.patches:
            colour = np.array(colour)
            for patch in plane.patches:
                inside = (uv[:, 0] > patch.left) & (uv[:, 0] < patch.right)
                inside &= (uv[:, 1] > patch.bottom) & (uv[:, 1] < patch.top)
                colour[inside] = patch.colour
        return colour


def random_room(
    low: Float[np.ndarray, " 3"],
    high: Float[np.ndarray, " 3"],
    pictures: Pictures | None,
    camera: Camera,
    rng: np.random.Generator,
    channels: int,
    clean: bool,
) -> Room:
    """A random room for one camera: walls and furniture, or a flat picture.

    Args:
        low: Lower corner of the object's bounding box.
        high: Its upper corner.
        pictures: For walls and surfaces.
        camera: Takes the photo.
        rng: Source of the randomness.
        channels: 1 for grey, 3 for RGB.
        clean: Studio ground and backdrop instead of a room.
    """
    floor = float(low[2]) - 0.002
    position, (_, _, forward) = camera.position, camera.axes
    pixel_size = camera.distance / camera.focal_px
    ahead = np.array([forward[0], forward[1], 0.0])
    ahead /= np.linalg.norm(ahead) + 1e-9
    right = np.array([ahead[1], -ahead[0], 0.0])
    x, y, z = np.eye(3, dtype=np.float32)
    above = position[2] > floor + 0.05
    if clean:
        tone = np.full(channels, rng.uniform(0.5, 1.0), np.float32)
        flat = Material(tone, tone, None, 1.0, np.eye(2, dtype=np.float32), np.zeros(2, np.float32), 0.0, 1.0)
        far = np.broadcast_to(tone * rng.uniform(0.6, 1.2), (camera.size_px**2, channels))
        return Room([Plane(z, floor, x, y, flat)] if above else [], far, pixel_size)

    kind = rng.random()
    planes: list[Plane] = []
    if above and (kind < 0.65 or rng.random() < 0.4):
        planes.append(Plane(z, floor, x, y, random_material(rng, channels, pictures, plain=0.3)))
    if kind < 0.65:
        reach = float(np.hypot(*np.maximum(np.abs(low), np.abs(high))[:2]))
        material = random_material(rng, channels, pictures, plain=0.6)
        if np.cos(np.radians(camera.azimuth_deg)) > 0.3 and rng.random() < 0.4:  # its back to the wall
            normal, gap = np.array([0.0, 1.0, 0.0]), -float(low[1]) + rng.uniform(0.005, 0.06)
        else:
            turn = rng.uniform(-0.8, 0.8)
            normal = -(np.cos(turn) * ahead + np.sin(turn) * right)
            gap = reach + np.exp(rng.uniform(np.log(0.02), np.log(2)))
        planes.append(_wall(normal, gap, floor, material, rng, channels))
        if rng.random() < 0.4:
            side = np.array([normal[1], -normal[0], 0.0]) * rng.choice([-1, 1])
            if side @ position > 0:
                planes.append(_wall(side, reach + rng.uniform(0.1, 1.5), floor, material, rng, channels))
    far = np.zeros((camera.size_px**2, channels), np.float32) if kind < 0.65 and above else \
        backdrop(camera.size_px, rng, channels, pictures).reshape(-1, channels)
    room = Room(planes, far, pixel_size)
    if rng.random() < (0.6 if kind < 0.65 else 0.25):
        reach = float(np.linalg.norm(high[:2]))
        things = neighbours(rng, ahead, right, floor, reach)
        room.near = RayCaster.of_triangles(things.vertices, things.faces, things.normals)
        room.item = things.item
        room.shades = np.stack([random_colour(rng, channels) for _ in range(7)])
        if rng.random() < 0.6:
            only = "books" if rng.random() < 0.5 else ""
            room.cloth = random_material(rng, channels, pictures, plain=0.0, only=only)
            room.shades = np.maximum(room.shades, 0.3)
    return room


def _wall(
    normal: Float[np.ndarray, " 3"], gap: float, floor: float, material: Material, rng: np.random.Generator,
    channels: int,
) -> Plane:
    """A wall with, at random, a skirting line, windows, pictures and a door on it.

    It is `gap` units behind the origin, and `normal` points from it to the origin.
    """
    across = np.array([-normal[1], normal[0], 0.0])
    patches: list[Patch] = []
    for _ in range(int(rng.integers(0, 4))):
        wide, tall = rng.uniform(0.1, 0.9, 2)
        left, bottom = rng.uniform(-1.5, 1.2), floor + rng.uniform(0, 1.2)
        paint = random_colour(rng, channels)
        if rng.random() < 0.4:
            paint = paint * 0 + rng.uniform(0.8, 2.5)
        rim = rng.uniform(0.01, 0.05)
        frame = random_colour(rng, channels)
        patches.append(Patch(left - rim, bottom - rim, left + wide + rim, bottom + tall + rim, frame))
        patches.append(Patch(left, bottom, left + wide, bottom + tall, paint))
        if rng.random() < 0.4:
            middle = left + wide / 2
            patches.append(Patch(middle - 0.01, bottom, middle + 0.01, bottom + tall, random_colour(rng, channels)))
    if rng.random() < 0.5:
        patches.append(Patch(-99, floor, 99, floor + rng.uniform(0.02, 0.1), random_colour(rng, channels)))
    up = np.array([0, 0, 1], np.float32)
    return Plane(normal.astype(np.float32), -gap, across.astype(np.float32), up, material, tuple(patches))


def backdrop(
    size: int, rng: np.random.Generator, channels: int, pictures: Pictures | None = None
) -> Float[np.ndarray, "{size} {size} {channels}"]:
    """A random flat background in linear light: part of a picture, a colour ramp, a pattern or a collage."""
    kind = rng.random()
    if pictures is not None and kind < 0.45:
        scene = pictures.scenes[int(rng.integers(len(pictures.scenes)))]
        side = int(min(scene.shape[:2]) * rng.uniform(0.35, 1.0))
        top, left = (int(rng.integers(0, extent - side + 1)) for extent in scene.shape[:2])
        crop = cv2.resize(scene[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_LINEAR)
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        return _LINEAR[crop].reshape(size, size, channels)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    blend = 0.5 + 0.5 * (np.cos(angle) * (ramp[None] - 0.5) + np.sin(angle) * (ramp[:, None] - 0.5))
    image = random_colour(rng, channels) * blend[..., None] + random_colour(rng, channels) * (1 - blend[..., None])
    if kind < 0.6:
        return image
    if kind < 0.75:
        choices = patterns()
        tile = choices[int(rng.integers(len(choices)))].levels[int(rng.integers(0, 2))]
        tile = cv2.resize(tile, (size, size), interpolation=cv2.INTER_LINEAR)
        return image * (0.3 + tile.reshape(size, size, -1))
    canvas = np.ascontiguousarray(np.clip(image * 255, 0, 255).astype(np.uint8))
    for _ in range(int(rng.integers(3, 26))):  # a collage of things
        colour = (random_colour(rng, channels) * 255).tolist()
        centre = rng.uniform(-0.1, 1.1, 2) * size
        reach = np.exp(rng.uniform(np.log(0.03), np.log(0.5), 2)) * size
        shape = rng.random()
        if shape < 0.5:
            turn = rng.choice([0.0, rng.uniform(0, 90)])
            points = cv2.boxPoints((centre.tolist(), reach.tolist(), float(turn)))
            cv2.fillPoly(canvas, [(points * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
        elif shape < 0.75:
            axes = (reach / 2 + 1).astype(np.int32).tolist()
            cv2.ellipse(canvas, centre.astype(np.int32).tolist(), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1,
                        cv2.LINE_AA)
        else:
            end = rng.uniform(0, 1, 2) * size
            cv2.line(canvas, centre.astype(np.int32).tolist(), end.astype(np.int32).tolist(), colour,
                     int(rng.integers(1, 6)), cv2.LINE_AA)
    image = canvas.reshape(size, size, channels).astype(np.float32) / 255
    if rng.random() < 0.5:
        image = image * np.maximum(1 + 0.2 * noise_window(rng, size, channels), 0.1)
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 3)).reshape(size, size, channels)
    return image
