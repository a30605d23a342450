"""What is around the object in a photo: a floor, walls with windows, other furniture, or a flat picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from maquette.rendering import clutter
from maquette.rendering.camera import Camera
from maquette.rendering.effects import window
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.textures import Material, patterns, random_colour, random_material


@dataclass(frozen=True)
class Plane:
    """A floor or a wall: the points p with normal @ p = offset; `across` and `up` are its surface coordinates."""

    normal: np.ndarray
    offset: float
    across: np.ndarray
    up: np.ndarray
    material: Material
    patches: tuple[tuple[float, float, float, float, np.ndarray], ...] = ()


@dataclass
class Room:
    """Planes, neighbours and a flat picture behind it all, for one camera."""

    planes: list[Plane]
    far: np.ndarray
    pixel_size: float
    near: RayCaster | None = None
    item: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    shades: np.ndarray = field(default_factory=lambda: np.zeros((1, 1), np.float32))
    cloth: Material | None = None

    def cast(self, position, directions, pixels):
        """What rays that miss the object see.

        Returns:
            Distance [N], point [N, 3], normal [N, 3], albedo [N, C] and whether it is lit by the scene [N] (the flat
                picture behind everything is not).
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
        return nearest, point, normal, colour, which != -1

    def near_colour(self, face: np.ndarray, light) -> np.ndarray:
        """Lit colours [N, C] of neighbours that stand before the object."""
        shade = light.ambient + light.strength * np.maximum(self.near.face_normals[face] @ light.key, 0)
        return self.shades[self.item[face] % len(self.shades)] * shade[:, None]

    def _plane_colour(self, plane: Plane, point: np.ndarray) -> np.ndarray:
        uv = np.stack([point @ plane.across, point @ plane.up], axis=1)
        colour = plane.material.colour(uv, 1.5 * self.pixel_size)
        if plane.patches:
            colour = np.array(colour)
            for left, bottom, right, top, paint in plane.patches:
                inside = (uv[:, 0] > left) & (uv[:, 0] < right) & (uv[:, 1] > bottom) & (uv[:, 1] < top)
                colour[inside] = paint
        return colour


def random_room(stage, camera: Camera, rng: np.random.Generator, channels: int, clean: bool) -> Room:
    """A random room for one camera: studio ground when `clean`, else planes and furniture, or a flat picture."""
    floor = float(stage.low[2]) - 0.002
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
        planes.append(Plane(z, floor, x, y, random_material(rng, channels, stage.found, plain=0.3)))
    if kind < 0.65:
        reach = float(np.hypot(*np.maximum(np.abs(stage.low), np.abs(stage.high))[:2]))
        material = random_material(rng, channels, stage.found, plain=0.6)
        if np.cos(np.radians(camera.azimuth_deg)) > 0.3 and rng.random() < 0.4:  # its back to the wall
            normal, gap = np.array([0.0, 1.0, 0.0]), -float(stage.low[1]) + rng.uniform(0.005, 0.06)
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
        backdrop(camera.size_px, rng, channels, stage.found).reshape(-1, channels)
    room = Room(planes, far, pixel_size)
    if rng.random() < (0.6 if kind < 0.65 else 0.25):
        reach = float(np.linalg.norm(stage.high[:2]))
        things = clutter.neighbours(rng, ahead, right, floor, reach)
        room.near = RayCaster.of_triangles(things.vertices, things.faces, things.normals)
        room.item = things.item
        room.shades = np.stack([random_colour(rng, channels) for _ in range(7)])
        if rng.random() < 0.6:
            only = "books" if rng.random() < 0.5 else ""
            room.cloth = random_material(rng, channels, stage.found, plain=0.0, only=only)
            room.shades = np.maximum(room.shades, 0.3)
    return room


def _wall(normal, gap, floor, material, rng, channels) -> Plane:
    """A wall with, at random, a skirting line, windows, pictures and a door on it."""
    across = np.array([-normal[1], normal[0], 0.0])
    patches = []
    for _ in range(int(rng.integers(0, 4))):
        wide, tall = rng.uniform(0.1, 0.9, 2)
        left, bottom = rng.uniform(-1.5, 1.2), floor + rng.uniform(0, 1.2)
        paint = random_colour(rng, channels)
        if rng.random() < 0.4:
            paint = paint * 0 + rng.uniform(0.8, 2.5)
        rim = rng.uniform(0.01, 0.05)
        patches.append((left - rim, bottom - rim, left + wide + rim, bottom + tall + rim, random_colour(rng, channels)))
        patches.append((left, bottom, left + wide, bottom + tall, paint))
        if rng.random() < 0.4:
            patches.append((left + wide / 2 - 0.01, bottom, left + wide / 2 + 0.01, bottom + tall,
                            random_colour(rng, channels)))
    if rng.random() < 0.5:
        patches.append((-99, floor, 99, floor + rng.uniform(0.02, 0.1), random_colour(rng, channels)))
    return Plane(normal.astype(np.float32), -gap, across.astype(np.float32), np.float32([0, 0, 1]), material,
                 tuple(patches))


def backdrop(size: int, rng: np.random.Generator, channels: int, found=None) -> np.ndarray:
    """A flat background in linear light, float32 [S, S, C]: a real picture if there are any, else made of shapes."""
    kind = rng.random()
    if found is not None and kind < 0.45:
        scene = found.scenes[int(rng.integers(len(found.scenes)))]
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
            cv2.fillPoly(canvas, [np.int32(points * 16)], colour, cv2.LINE_AA, 4)
        elif shape < 0.75:
            cv2.ellipse(canvas, np.int32(centre).tolist(), np.int32(reach / 2 + 1).tolist(), float(rng.uniform(0, 180)),
                        0, 360, colour, -1, cv2.LINE_AA)
        else:
            end = rng.uniform(0, 1, 2) * size
            cv2.line(canvas, np.int32(centre).tolist(), np.int32(end).tolist(), colour, int(rng.integers(1, 6)),
                     cv2.LINE_AA)
    image = canvas.reshape(size, size, channels).astype(np.float32) / 255
    if rng.random() < 0.5:
        image = image * np.maximum(1 + 0.2 * window(rng, size, channels), 0.1)
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 3)).reshape(size, size, channels)
    return image


_LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)

__all__ = ["Plane", "Room", "backdrop", "random_room"]
