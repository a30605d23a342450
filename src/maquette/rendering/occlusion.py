"""What hides what, computed on the screen in double precision and not by pixels.

A point of space is (column, row, 1 / depth) here. These coordinates keep straight lines straight and planes flat (they
are a projective map of space), so that a crossing, a piercing and "in front of" are linear problems, with no sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from maquette.rendering.camera import Camera

CHUNK = 20_000
"""Edges or points that are looked at together."""
EPS = 1e-9
"""Share of an edge within which a crossing is at its end."""
SKIN = 1e-5
"""How far one thing must be in front of another to hide it, in units of the frame."""


@dataclass(frozen=True)
class Edges:
    """The edges of a mesh. ends: vertices [E, 2]. faces: the first two faces at each [E, 2], -1 for none.
    along: +1 where that face runs from the first end to the second, else -1 [E, 2]. count: faces at each [E].
    """

    ends: np.ndarray
    faces: np.ndarray
    along: np.ndarray
    count: np.ndarray


def edges_of(faces: np.ndarray) -> Edges:
    """The edges of triangles [F, 3], each once."""
    half = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    forth = half[:, 0] < half[:, 1]
    key = half.min(axis=1) * (int(faces.max()) + 1) + half.max(axis=1)
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    count = np.diff(first, append=len(key))
    found = np.full((len(first), 2), -1, np.int64)
    along = np.ones((len(first), 2), np.int64)
    for side in range(2):
        there = count > side
        half_edge = order[first[there] + side]
        found[there, side] = half_edge // 3
        along[there, side] = np.where(forth[half_edge], 1, -1)
    chosen = half[order[first]]
    return Edges(np.sort(chosen, axis=1), found, along, count)


class Screen:
    """The triangles of a mesh as a camera sees them, all of it before the camera.

    points: float64 [V, 3], (column, row, 1 / depth) of the vertices. area: twice the signed area of the triangles [F].
    """

    def __init__(self, mesh: trimesh.Trimesh, camera: Camera):
        import shapely

        seen = camera.project(mesh.vertices)
        self.points = np.column_stack([seen[:, :2], 1 / seen[:, 2]])
        self.faces = np.asarray(mesh.faces, dtype=np.int64)
        corners = self.points[self.faces]
        self._base = corners[:, 0]
        self._side, self._other = corners[:, 1] - self._base, corners[:, 2] - self._base
        self.area = _cross(self._side, self._other)
        low, high = corners[..., :2].min(axis=1), corners[..., :2].max(axis=1)
        boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
        self._tree = shapely.STRtree(boxes)

    def crossings(self, lines: np.ndarray, others: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Where edges pass behind other edges: pairs of (number of the edge, share of its way in 0 to 1).

        lines [E, 2], others [S, 2]: vertices at the ends. Edges that share a vertex do not cross. Edges on one line
        give the places where the other begins and ends.
        """
        import shapely

        if not len(lines) or not len(others):
            return []
        tree = shapely.STRtree(shapely.linestrings(self.points[others, :2]))
        found = []
        for begin in range(0, len(lines), CHUNK // 10):
            part = lines[begin : begin + CHUNK // 10]
            first, second = tree.query(shapely.linestrings(self.points[part, :2]))
            mine, its = part[first], others[second]
            apart = (mine[:, :, None] != its[:, None, :]).all(axis=(1, 2))
            first, mine, its = first[apart] + begin, mine[apart], its[apart]
            p, q = self.points[mine[:, 0]], self.points[its[:, 0]]
            r, s = self.points[mine[:, 1]] - p, self.points[its[:, 1]] - q
            scale = np.linalg.norm(r[:, :2], axis=1) * np.linalg.norm(s[:, :2], axis=1)
            below = _cross(r, s)
            slanted = np.abs(below) > 1e-10 * scale
            with np.errstate(divide="ignore", invalid="ignore"):
                t, k = _cross(q - p, s) / below, _cross(q - p, r) / below
                hit = slanted & (t > EPS) & (t < 1 - EPS) & (k > -EPS) & (k < 1 + EPS)
                hit &= (q + k[:, None] * s)[:, 2] > (p + t[:, None] * r)[:, 2]
                found.append((first[hit], t[hit]))
                length = np.einsum("ij,ij->i", r[:, :2], r[:, :2])
                beside = np.abs(_cross(q - p, r)) / np.sqrt(length) < 1e-7
                for end in (q, q + s):
                    t = np.einsum("ij,ij->i", (end - p)[:, :2], r[:, :2]) / length
                    hit = ~slanted & beside & (t > EPS) & (t < 1 - EPS)
                    found.append((first[hit], t[hit]))
        return found

    def piercings(self, lines: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Where edges [E, 2] go through triangles, as of `crossings`: only meshes that cut themselves have such."""
        import shapely

        found = []
        for begin in range(0, len(lines), CHUNK // 10):
            part = lines[begin : begin + CHUNK // 10]
            first, face = self._tree.query(shapely.linestrings(self.points[part, :2]))
            apart = (part[first][:, :, None] != self.faces[face][:, None, :]).all(axis=(1, 2))
            first, face = first[apart], face[apart]
            p = self.points[part[first, 0]]
            r = self.points[part[first, 1]] - p
            normal = np.cross(self._side[face], self._other[face])
            with np.errstate(divide="ignore", invalid="ignore"):
                t = np.einsum("ij,ij->i", normal, self._base[face] - p) / np.einsum("ij,ij->i", normal, r)
                inside = self._weights(p + t[:, None] * r, face)[0]
            hit = inside & (t > EPS) & (t < 1 - EPS)
            found.append((first[hit] + begin, t[hit]))
        return found

    def hidden(self, points: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Whether a triangle stands before each point: bool [N].

        points [N, 3]: on the screen, with 1 / depth. ends [N, 2]: vertices of the edge that each is on; the triangles
        at that edge do not hide it.
        """
        import shapely

        result = np.zeros(len(points), bool)
        for begin in range(0, len(points), CHUNK):
            part = points[begin : begin + CHUNK]
            number, face = self._tree.query(shapely.points(part[:, :2]))
            inside, nearness = self._weights(part[number], face)
            before = inside & (nearness > part[number, 2] + SKIN * part[number, 2] ** 2)
            number, face = number[before], face[before]
            edge = ends[begin + number]
            own = (self.faces[face][:, :, None] == edge[:, None, :]).any(axis=1).all(axis=1)
            result[begin + number[~own]] = True
        return result

    def _weights(self, points: np.ndarray, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether points [N, 3] lie in triangles on the screen, and 1 / depth of the triangles there."""
        away, area = points - self._base[face], self.area[face]
        with np.errstate(divide="ignore", invalid="ignore"):
            u = _cross(away, self._other[face]) / area
            v = _cross(self._side[face], away) / area
            inside = (area != 0) & (u > -EPS) & (v > -EPS) & (u + v < 1 + EPS)
            return inside, self._base[face, 2] + u * self._side[face, 2] + v * self._other[face, 2]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Z of the cross product of vectors' first two numbers: [N]."""
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
