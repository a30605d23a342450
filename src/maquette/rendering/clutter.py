"""Things that stand on, in and around a shape and are no part of it: books, boxes, cushions, other furniture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from maquette.rendering.raycaster import RayCaster

GRID = 22
"""Columns of downward rays along x and along y."""
LAYERS = 9
LEVEL = 0.012
"""Surface heights within this are one surface."""


@dataclass(frozen=True)
class Solids:
    """Triangles of loose objects: vertices [V, 3], faces [F, 3], unit corner normals [F, 3, 3], object number [F]."""

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    item: np.ndarray


def _template(mesh: trimesh.Trimesh, smooth: bool):
    mesh.apply_transform(np.diag([1 / mesh.extents[0], 1 / mesh.extents[1], 1 / mesh.extents[2], 1]))
    flat = np.repeat(mesh.face_normals[:, None], 3, axis=1)
    normals = mesh.vertex_normals[mesh.faces] if smooth else flat
    return mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), normals.astype(np.float32)


_TEMPLATES = {
    "box": _template(trimesh.creation.box(), False),
    "can": _template(trimesh.creation.cylinder(radius=0.5, height=1, sections=12), False),
    "pillow": _template(trimesh.creation.icosphere(subdivisions=2), True),
}


def place(kinds, sizes, centres, turns_rad, tilt_rad=None) -> Solids:
    """Boxes, cans and pillows as one set of triangles.

    Args:
        kinds: Names, N of them. sizes and centres: [N, 3] in the frame.
        turns_rad: [N] about z.
        tilt_rad: [N] about x, before the turn.
    """
    sizes, centres = np.asarray(sizes, np.float32).reshape(-1, 3), np.asarray(centres, np.float32).reshape(-1, 3)
    turns = np.asarray(turns_rad, np.float32)
    tilts = np.zeros_like(turns) if tilt_rad is None else np.asarray(tilt_rad, np.float32)
    kinds = np.asarray(kinds)
    parts, start = [], 0
    for name, (vertices, faces, normals) in _TEMPLATES.items():
        chosen = np.flatnonzero(kinds == name)
        if not len(chosen):
            continue
        c, s, p, q = np.cos(turns[chosen]), np.sin(turns[chosen]), np.cos(tilts[chosen]), np.sin(tilts[chosen])
        zero, one = np.zeros_like(c), np.ones_like(c)
        about_z = np.stack([c, -s, zero, s, c, zero, zero, zero, one], 1).reshape(-1, 3, 3)
        about_x = np.stack([one, zero, zero, zero, p, -q, zero, q, p], 1).reshape(-1, 3, 3)
        rotation = about_z @ about_x
        moved = np.einsum("nij,nvj->nvi", rotation, vertices * sizes[chosen, None]) + centres[chosen, None]
        bent = normals.reshape(1, -1, 3) / sizes[chosen, None]
        bent = np.einsum("nij,nvj->nvi", rotation, bent / np.linalg.norm(bent, axis=2, keepdims=True))
        count = len(vertices)
        index = faces[None] + (start + count * np.arange(len(chosen), dtype=np.int32))[:, None, None]
        start += count * len(chosen)
        parts.append((moved.reshape(-1, 3), index.reshape(-1, 3), bent.reshape(-1, 3, 3),
                      np.repeat(chosen, len(faces))))
    return Solids(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True)
class Shelf:
    """A place where things can stand: x0, x1, y0, y1, its height z, and the headroom above it (inf for open sky)."""

    x0: float
    x1: float
    y0: float
    y1: float
    z: float
    headroom: float


def shelves(caster: RayCaster, rng: np.random.Generator, most: int = 40) -> list[Shelf]:
    """Upward surfaces of a mesh with room above them, found by rays down from above and then to the four sides."""
    low, high = caster.vertices.min(0), caster.vertices.max(0)
    step = (high - low)[:2] / GRID
    x = low[0] + step[0] * (np.arange(GRID, dtype=np.float32) + 0.5)
    y = low[1] + step[1] * (np.arange(GRID, dtype=np.float32) + 0.5)
    spots = np.stack([*(axis.reshape(-1) for axis in np.meshgrid(x, y, indexing="ij")),
                      np.full(GRID * GRID, high[2] + 0.1, np.float32)], axis=1)
    down = np.broadcast_to(np.float32([0, 0, -1]), spots.shape)
    height = np.full((LAYERS, GRID * GRID), np.nan, np.float32)
    room = np.zeros((LAYERS, GRID * GRID), np.float32)
    live, start, ceiling = np.arange(GRID * GRID), spots.copy(), np.full(GRID * GRID, np.inf, np.float32)
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
    cells = height.reshape(LAYERS, GRID, GRID)
    result: list[Shelf] = []
    for layer, spot in found:
        if len(result) >= most:
            break
        if taken[layer, spot]:
            continue
        z, headroom = float(height[layer, spot]), float(room[layer, spot])
        same = np.abs(cells - z).min(axis=0, initial=np.inf, where=~np.isnan(cells)) < LEVEL
        i, j = divmod(int(spot), GRID)
        i0, i1, j0, j1 = _run(same[:, j], i), _run(same[::-1, j], GRID - 1 - i), _run(same[i], j), \
            _run(same[i, ::-1], GRID - 1 - j)
        centre = np.float32([x[i], y[j], z + min(0.35 * headroom, 0.06)])
        sides = np.float32([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]])
        reach = caster.first(np.broadcast_to(centre, (4, 3)), sides)[0] - 0.01
        box = (x[i] - min(reach[0], (i0 + 0.4) * step[0]), x[i] + min(reach[1], (i1 + 0.4) * step[0]),
               y[j] - min(reach[2], (j0 + 0.4) * step[1]), y[j] + min(reach[3], (j1 + 0.4) * step[1]))
        inside = (spots[:, 0] >= box[0]) & (spots[:, 0] <= box[1]) & (spots[:, 1] >= box[2]) & (spots[:, 1] <= box[3])
        taken |= (np.abs(height - z) < LEVEL) & inside
        if box[1] - box[0] > 0.05 and box[3] - box[2] > 0.05:
            result.append(Shelf(*map(float, box), z, headroom))
    return result


def _run(line: np.ndarray, index: int) -> int:
    """How many cells before `index` hold without a gap."""
    before = line[:index][::-1]
    gap = np.flatnonzero(~before)
    return int(gap[0]) if len(gap) else len(before)


def furnish(places: list[Shelf], rng: np.random.Generator, density: float) -> Solids | None:
    """Random things on the shelves: rows of books where there is a ceiling, loose things where there is none.

    Args:
        density: The chance that a shelf gets anything. None when nothing was placed.
    """
    kinds, sizes, centres, turns, tilts = [], [], [], [], []

    def put(kind, size, centre, turn=0.0, tilt=0.0):
        kinds.append(kind), sizes.append(size), centres.append(centre), turns.append(turn), tilts.append(tilt)

    for place_ in places:
        if rng.random() > density:
            continue
        width, depth = place_.x1 - place_.x0, place_.y1 - place_.y0
        if place_.headroom < 0.6 and rng.random() < 0.75:
            left = place_.x0 + (rng.uniform(0, 0.5) * width if rng.random() < 0.25 else 0)
            right = place_.x1 - (rng.uniform(0, 0.5) * width if rng.random() < 0.25 else 0)
            tall = min(place_.headroom, 0.35) * rng.uniform(0.6, 0.95)
            deep = depth * rng.uniform(0.45, 0.9)
            front = rng.uniform(0, depth - deep)
            thin = rng.uniform(0.012, 0.05)
            while left < right and len(kinds) < 500:
                wide = thin * rng.uniform(0.6, 1.6)
                high = tall * rng.uniform(0.75, 1)
                if left + wide > right:
                    break
                put("box", (wide * 0.97, deep * rng.uniform(0.8, 1), high),
                    (left + wide / 2, place_.y1 - front - deep / 2, place_.z + high / 2))
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
            size[2] = min(size[2], 0.85 * place_.headroom)
            margin = np.hypot(size[0], size[1]) / 2
            x = rng.uniform(*sorted((place_.x0 + margin, place_.x1 - margin)))
            y = rng.uniform(*sorted((place_.y0 + margin, place_.y1 - margin)))
            if kind == "pillow" and place_.headroom > 0.3 and rng.random() < 0.6:  # a cushion that leans
                wide = rng.uniform(0.12, 0.3)
                put(kind, (wide, 0.07, wide * 0.9), (x, y, place_.z + wide * 0.42), rng.normal(0, 0.4), -0.3)
            else:
                put(kind, size, (x, y, place_.z + size[2] / 2), rng.uniform(0, np.pi))
    return place(kinds, sizes, centres, turns, tilts) if kinds else None


def neighbours(rng: np.random.Generator, heading: np.ndarray, right: np.ndarray, floor: float, reach: float) -> Solids:
    """Other furniture as boxes, behind the object as the camera sees it, some beside it.

    heading and right: horizontal unit vectors [3] of the camera.

    Args:
        floor: Z of the ground.
        reach: The object's radius.
    """
    kinds, sizes, centres, turns = [], [], [], []
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
                kinds.append("box"), turns.append(turn), sizes.append((0.05, 0.05, size[2]))
                centres.append((spot[0] + side * size[0] * np.cos(turn), spot[1] + side * size[0] * np.sin(turn), lift))
            lift, size = floor + size[2], np.array([size[0], size[1], 0.05])
        kinds.append(str(rng.choice(["box", "box", "box", "can", "pillow"]))), sizes.append(size), turns.append(turn)
        centres.append((spot[0], spot[1], lift))
    return place(kinds, sizes, centres, turns)
