"""Loose things on, in and around a shape that are no part of it: books, boxes, cushions, other furniture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import trimesh

from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Int, Int32

    Vector = tuple[float, float, float] | Float[np.ndarray, " 3"]
    """Three numbers, along x, y and z."""
    Template = tuple[Float32[np.ndarray, "_ 3"], Int32[np.ndarray, "_ 3"], Float32[np.ndarray, "_ 3 3"]]
    """Vertices, faces and corner normals of a thing in the unit cube."""

COLUMNS = 22
"""Columns of downward rays along x and along y."""
LAYERS = 9
"""The most upward surfaces, one over the other, that are found under one column of rays."""
SAME_LEVEL = 0.012
"""Surfaces whose heights differ by less than this, in units, are one."""


@dataclass(frozen=True)
class Solids:
    """Triangles of loose objects."""

    vertices: Float32[np.ndarray, "v 3"]
    """Positions in the frame."""
    faces: Int32[np.ndarray, "f 3"]
    """Vertices at the corners of each triangle."""
    normals: Float32[np.ndarray, "f 3 3"]
    """Unit normals at the corners of each triangle."""
    item: Int[np.ndarray, " f"]
    """The number of each triangle's object."""


@dataclass
class _Things:
    """Boxes, cans and pillows that are collected one by one."""

    kinds: list[str] = field(default_factory=list)
    sizes: list[Vector] = field(default_factory=list)
    centres: list[Vector] = field(default_factory=list)
    turns_rad: list[float] = field(default_factory=list)
    tilts_rad: list[float] = field(default_factory=list)

    def add(self, kind: str, size: Vector, centre: Vector, turn_rad: float = 0.0, tilt_rad: float = 0.0) -> None:
        """Adds one; the arguments are those of `make_solids`."""
        self.kinds.append(kind)
        self.sizes.append(size)
        self.centres.append(centre)
        self.turns_rad.append(turn_rad)
        self.tilts_rad.append(tilt_rad)

    def solids(self) -> Solids:
        """All of them as triangles."""
        return make_solids(self.kinds, self.sizes, self.centres, self.turns_rad, self.tilts_rad)


def _template(mesh: trimesh.Trimesh, smooth: bool) -> Template:
    size = np.ptp(mesh.bounds, axis=0)
    mesh.apply_transform(np.diag([1 / size[0], 1 / size[1], 1 / size[2], 1]))
    flat = np.repeat(mesh.face_normals[:, None], 3, axis=1)
    normals = mesh.vertex_normals[mesh.faces] if smooth else flat
    return mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), normals.astype(np.float32)


@lru_cache(maxsize=1)
def _templates() -> dict[str, Template]:
    return {
        "box": _template(trimesh.creation.box(), False),
        "can": _template(trimesh.creation.cylinder(radius=0.5, height=1, sections=12), False),
        "pillow": _template(trimesh.creation.icosphere(subdivisions=2), True),
    }


def make_solids(
    kinds: Sequence[str], sizes: Sequence[Vector], centres: Sequence[Vector], turns_rad: Sequence[float],
    tilts_rad: Sequence[float],
) -> Solids:
    """Boxes, cans and pillows as one set of triangles.

    Args:
        kinds: "box", "can" or "pillow", N of them.
        sizes: N sizes along x, y and z before turning, in the frame.
        centres: N positions in the frame.
        turns_rad: N angles about z.
        tilts_rad: N angles about x, applied before the turn.
    """
    size, centre = np.asarray(sizes, np.float32).reshape(-1, 3), np.asarray(centres, np.float32).reshape(-1, 3)
    turns, tilts = np.asarray(turns_rad, np.float32), np.asarray(tilts_rad, np.float32)
    names = np.asarray(kinds)
    parts, start = [], 0
    for name, (vertices, faces, normals) in _templates().items():
        chosen = np.flatnonzero(names == name)
        if not len(chosen):
            continue
        c, s, p, q = np.cos(turns[chosen]), np.sin(turns[chosen]), np.cos(tilts[chosen]), np.sin(tilts[chosen])
        zero, one = np.zeros_like(c), np.ones_like(c)
        about_z = np.stack([c, -s, zero, s, c, zero, zero, zero, one], 1).reshape(-1, 3, 3)
        about_x = np.stack([one, zero, zero, zero, p, -q, zero, q, p], 1).reshape(-1, 3, 3)
        rotation = about_z @ about_x
        moved = np.einsum("nij,nvj->nvi", rotation, vertices * size[chosen, None]) + centre[chosen, None]
        scaled = normals.reshape(1, -1, 3) / size[chosen, None]
        scaled = scaled / np.linalg.norm(scaled, axis=2, keepdims=True)
        turned_normals = np.einsum("nij,nvj->nvi", rotation, scaled)
        count = len(vertices)
        index = faces[None] + (start + count * np.arange(len(chosen), dtype=np.int32))[:, None, None]
        start += count * len(chosen)
        parts.append((moved.reshape(-1, 3), index.reshape(-1, 3), turned_normals.reshape(-1, 3, 3),
                      np.repeat(chosen, len(faces))))
    return Solids(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True)
class Shelf:
    """A place where things can stand, a rectangle on a surface, in the frame."""

    x0: float
    x1: float
    y0: float
    y1: float
    z: float
    """Its height."""
    headroom: float
    """Free height above it, inf for open sky."""


def shelves(caster: RayCaster, rng: np.random.Generator, most: int = 40) -> list[Shelf]:
    """Upward surfaces of a mesh with room above them.

    They are found by rays from above, and measured by rays to the four sides.

    Args:
        caster: Of the mesh.
        rng: Decides which of many are returned.
        most: The most that are returned.
    """
    low, high = caster.vertices.min(0), caster.vertices.max(0)
    step = (high - low)[:2] / COLUMNS
    x = low[0] + step[0] * (np.arange(COLUMNS, dtype=np.float32) + 0.5)
    y = low[1] + step[1] * (np.arange(COLUMNS, dtype=np.float32) + 0.5)
    spots = np.stack([*(axis.reshape(-1) for axis in np.meshgrid(x, y, indexing="ij")),
                      np.full(COLUMNS * COLUMNS, high[2] + 0.1, np.float32)], axis=1)
    down = np.broadcast_to(np.array([0, 0, -1], np.float32), spots.shape)
    height = np.full((LAYERS, COLUMNS * COLUMNS), np.nan, np.float32)
    room = np.zeros((LAYERS, COLUMNS * COLUMNS), np.float32)
    live, start, ceiling = np.arange(COLUMNS * COLUMNS), spots.copy(), np.full(COLUMNS * COLUMNS, np.inf, np.float32)
    layer = 0
    for _ in range(3 * LAYERS):
        distance, face, _ = caster.first(start[live], down[live])
        hit = face >= 0
        live, z, upward = live[hit], start[live[hit], 2] - distance[hit], caster.face_normals[face[hit], 2]
        if not len(live) or layer >= LAYERS:
            break
        top = upward > 0.93
        if top.any():
            height[layer, live[top]], room[layer, live[top]] = z[top], ceiling[live[top]] - z[top]
            layer += 1
        under = upward < 0
        ceiling[live[under]] = z[under]
        start[live, 2] = z - 1e-3
    found = np.argwhere(room > 0.06)
    rng.shuffle(found)
    taken = np.zeros(height.shape, bool)
    cells = height.reshape(LAYERS, COLUMNS, COLUMNS)
    result: list[Shelf] = []
    for layer, spot in found:
        if len(result) >= most:
            break
        if taken[layer, spot]:
            continue
        z, headroom = float(height[layer, spot]), float(room[layer, spot])
        same = np.abs(cells - z).min(axis=0, initial=np.inf, where=~np.isnan(cells)) < SAME_LEVEL
        i, j = divmod(int(spot), COLUMNS)
        i0, i1 = _cells_before_gap(same[:, j], i), _cells_before_gap(same[::-1, j], COLUMNS - 1 - i)
        j0, j1 = _cells_before_gap(same[i], j), _cells_before_gap(same[i, ::-1], COLUMNS - 1 - j)
        centre = np.array([x[i], y[j], z + min(0.35 * headroom, 0.06)], np.float32)
        sides = np.array([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]], np.float32)
        reach = caster.first(np.broadcast_to(centre, (4, 3)), sides)[0] - 0.01
        box = (x[i] - min(reach[0], (i0 + 0.4) * step[0]), x[i] + min(reach[1], (i1 + 0.4) * step[0]),
               y[j] - min(reach[2], (j0 + 0.4) * step[1]), y[j] + min(reach[3], (j1 + 0.4) * step[1]))
        inside = (spots[:, 0] >= box[0]) & (spots[:, 0] <= box[1]) & (spots[:, 1] >= box[2]) & (spots[:, 1] <= box[3])
        taken |= (np.abs(height - z) < SAME_LEVEL) & inside
        if box[1] - box[0] > 0.05 and box[3] - box[2] > 0.05:
            x0, x1, y0, y1 = map(float, box)
            result.append(Shelf(x0, x1, y0, y1, z, headroom))
    return result


def _cells_before_gap(line: Bool[np.ndarray, " n"], index: int) -> int:
    """How many cells just before `index` are true without a gap."""
    before = line[:index][::-1]
    gap = np.flatnonzero(~before)
    return int(gap[0]) if len(gap) else len(before)


def furnish(places: list[Shelf], rng: np.random.Generator, density: float) -> Solids | None:
    """Random things on shelves: rows of books under a ceiling, loose things in the open.

    Args:
        places: The shelves.
        rng: Source of the randomness.
        density: Chance that a shelf gets anything; 1 and above is certain.

    Returns:
        The things, or None when nothing was placed.
    """
    things = _Things()
    for shelf in places:
        if rng.random() > density:
            continue
        width, depth = shelf.x1 - shelf.x0, shelf.y1 - shelf.y0
        if shelf.headroom < 0.6 and rng.random() < 0.75:
            left = shelf.x0 + (rng.uniform(0, 0.5) * width if rng.random() < 0.25 else 0)
            right = shelf.x1 - (rng.uniform(0, 0.5) * width if rng.random() < 0.25 else 0)
            tall = min(shelf.headroom, 0.35) * rng.uniform(0.6, 0.95)
            deep = depth * rng.uniform(0.45, 0.9)
            front = rng.uniform(0, depth - deep)
            thin = rng.uniform(0.012, 0.05)
            while left < right and len(things.kinds) < 500:
                wide = thin * rng.uniform(0.6, 1.6)
                high = tall * rng.uniform(0.75, 1)
                if left + wide > right:
                    break
                things.add("box", (wide * 0.97, deep * rng.uniform(0.8, 1), high),
                           (left + wide / 2, shelf.y1 - front - deep / 2, shelf.z + high / 2))
                left += wide if rng.random() < 0.96 else wide + rng.uniform(0, 0.1)
            continue
        for _ in range(int(rng.integers(1, 6 if width * depth > 0.1 else 3))):
            kind = str(rng.choice(["box", "box", "can", "pillow"]))
            size = rng.uniform(0.03, 0.28, 3) * [1, 1, 0.8]
            if kind == "box" and rng.random() < 0.4:
                size[2] = rng.uniform(0.008, 0.03)
            if kind == "can":
                size[:2] = size[0] * 0.6
            size[0], size[1] = min(size[0], 0.7 * width), min(size[1], 0.7 * depth)
            size[2] = min(size[2], 0.85 * shelf.headroom)
            margin = np.hypot(size[0], size[1]) / 2
            x = rng.uniform(*sorted((shelf.x0 + margin, shelf.x1 - margin)))
            y = rng.uniform(*sorted((shelf.y0 + margin, shelf.y1 - margin)))
            if kind == "pillow" and shelf.headroom > 0.3 and rng.random() < 0.6:  # a cushion that leans
                wide = rng.uniform(0.12, 0.3)
                things.add(kind, (wide, 0.07, wide * 0.9), (x, y, shelf.z + wide * 0.42), rng.normal(0, 0.4), -0.3)
            else:
                things.add(kind, size, (x, y, shelf.z + size[2] / 2), rng.uniform(0, np.pi))
    return things.solids() if things.kinds else None


def neighbours(
    rng: np.random.Generator, heading: Float[np.ndarray, " 3"], right: Float[np.ndarray, " 3"], floor: float,
    reach: float,
) -> Solids:
    """Other furniture as boxes: behind the object as the camera sees it, some beside it.

    Args:
        rng: Source of the randomness.
        heading: The camera's direction, a horizontal unit vector.
        right: The camera's right, a horizontal unit vector.
        floor: Height of the ground.
        reach: The object's radius.
    """
    things = _Things()
    for _ in range(int(rng.integers(2, 11))):
        size = np.exp(rng.uniform(np.log(0.15), np.log(1.3), 3))
        behind = rng.uniform(0.1, 1.6) + reach + size.max() / 2
        aside = rng.normal(0, 0.9)
        if rng.random() < 0.15:
            behind, aside = rng.uniform(-0.4, 0.6), (reach + size.max() * 0.7) * rng.choice([-1, 1])
        spot = behind * heading + aside * right
        turn = rng.choice([0, rng.uniform(0, np.pi)])
        lift = floor + size[2] / 2
        if rng.random() < 0.35:  # a table: a thin top on two legs
            for side in (-0.45, 0.45):
                leg = (spot[0] + side * size[0] * np.cos(turn), spot[1] + side * size[0] * np.sin(turn), lift)
                things.add("box", (0.05, 0.05, size[2]), leg, turn)
            lift, size = floor + size[2], np.array([size[0], size[1], 0.05])
        things.add(str(rng.choice(["box", "box", "box", "can", "pillow"])), size, (spot[0], spot[1], lift), turn)
    return things.solids()
