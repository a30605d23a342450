"""Which parts of a mesh hide which, computed exactly on the screen, in double precision and without sampling.

A point in space is (column, row, 1 / depth) here. This projective map keeps straight lines straight and planes flat, so
that crossings, piercings and "in front of" are linear problems.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Float64, Int

from maquette.rendering.camera import Camera

CHUNK = 20_000
"""Edges or points that are processed together."""
EPS = 1e-9
"""A crossing within this share of an edge's length from its end is at the end."""
SKIN = 1e-5
"""How far one surface must be in front of another to hide it, in units of the frame."""

Cuts = tuple[Int[np.ndarray, " _"], Float64[np.ndarray, " _"]]
"""Places on edges: the edge's index, and the share of the way from its first end to its second, 0 to 1."""


@dataclass(frozen=True)
class Edges:
    """The edges of a mesh."""

    ends: Int[np.ndarray, "e 2"]
    """The vertices at the ends."""
    faces: Int[np.ndarray, "e 2"]
    """The first two faces at each edge, -1 for none."""
    along: Int[np.ndarray, "e 2"]
    """+1 where that face runs from the first end to the second, else -1."""
    count: Int[np.ndarray, " e"]
    """Number of faces at each edge."""


def edges_of(faces: Int[np.ndarray, "f 3"]) -> Edges:
    """The edges of triangles, each once."""
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
    """The triangles of a mesh as a camera sees them.

    Args:
        mesh: All of it before the camera.
        camera: Sees the mesh.
    """

    points: Float64[np.ndarray, "v 3"]
    """Column, row and 1 / depth of the vertices."""
    faces: Int[np.ndarray, "f 3"]
    """Vertices at the corners of the triangles."""
    area: Float64[np.ndarray, " f"]
    """Twice the signed area of the triangles on the screen."""

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

    def crossings(self, lines: Int[np.ndarray, "e 2"], others: Int[np.ndarray, "s 2"]) -> list[Cuts]:
        """Where edges pass behind other edges.

        Edges that share a vertex do not cross. Edges on one line are cut where the other begins and ends.

        Args:
            lines: Vertices at the ends of the edges.
            others: Vertices at the ends of the edges before them.
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

    def piercings(self, lines: Int[np.ndarray, "e 2"]) -> list[Cuts]:
        """Where edges go through triangles, which happens only in meshes that intersect themselves.

        Args:
            lines: Vertices at the ends of the edges.
        """
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

    def hidden(self, points: Float[np.ndarray, "n 3"], ends: Int[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
        """Whether a triangle hides each point.

        Args:
            points: Column, row and 1 / depth.
            ends: Vertices of the edge that each point is on; the triangles at that edge do not hide it.
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

    def _weights(
        self, points: Float[np.ndarray, "n 3"], face: Int[np.ndarray, " n"]
    ) -> tuple[Bool[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Whether points lie in triangles on the screen, and 1 / depth of the triangles there."""
        away, area = points - self._base[face], self.area[face]
        with np.errstate(divide="ignore", invalid="ignore"):
            u = _cross(away, self._other[face]) / area
            v = _cross(self._side[face], away) / area
            inside = (area != 0) & (u > -EPS) & (v > -EPS) & (u + v < 1 + EPS)
            return inside, self._base[face, 2] + u * self._side[face, 2] + v * self._other[face, 2]


def _cross(a: Float[np.ndarray, "n _"], b: Float[np.ndarray, "n _"]) -> Float[np.ndarray, " n"]:
    """Cross product of the vectors on the screen, whose columns and rows come first."""
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
