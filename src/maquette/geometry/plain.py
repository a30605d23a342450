"""A mesh as two arrays, with what the way from voxels to a file asks of it; no library of meshes is loaded for it.

Its attributes are called as those of `trimesh.Trimesh` are, and mean the same; functions that take the one take the
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from maquette.geometry.parts import connected

if TYPE_CHECKING:
    from typing import TypeVar

    import trimesh
    from jaxtyping import Bool, Float, Float64, Int, Int64


@dataclass(frozen=True, eq=False)
class PlainMesh:
    """A triangle mesh that does not change.

    Attributes:
        vertices: Positions.
        faces: Vertices at the corners of each face, counter-clockwise seen from outside.
    """

    vertices: Float64[np.ndarray, "v 3"]
    faces: Int64[np.ndarray, "f 3"]

    @classmethod
    def of(cls, mesh: trimesh.Trimesh | PlainMesh) -> PlainMesh:
        """The mesh itself, or a trimesh's vertices and faces."""
        if isinstance(mesh, PlainMesh):
            return mesh
        return cls(np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64))

    def moved(self, vertices: Float[np.ndarray, "v 3"]) -> PlainMesh:
        """The same faces between other places; what is known of how they join is kept."""
        new = PlainMesh(np.asarray(vertices, np.float64), self.faces)
        new.__dict__.update({name: value for name, value in self.__dict__.items() if name in _JOINTS})
        return new

    def part(self, chosen: Bool[np.ndarray, " f"]) -> PlainMesh:
        """Some of the faces, with the vertices at their corners."""
        faces = self.faces[chosen]
        used = np.zeros(len(self.vertices), bool)
        used[faces] = True
        return PlainMesh(self.vertices[used], (np.cumsum(used) - 1)[faces])

    def trimesh(self) -> trimesh.Trimesh:
        """A copy as a `trimesh.Trimesh`."""
        import trimesh

        return trimesh.Trimesh(self.vertices.copy(), self.faces.copy(), process=False)

    @cached_property
    def bounds(self) -> Float64[np.ndarray, "2 3"]:
        """The least and the greatest coordinates of the vertices."""
        return np.stack([self.vertices.min(0), self.vertices.max(0)])

    @property
    def extents(self) -> Float64[np.ndarray, " 3"]:
        """Sides of the box around it."""
        return self.bounds[1] - self.bounds[0]

    @cached_property
    def triangles(self) -> Float64[np.ndarray, "f 3 3"]:
        """The corners of each face."""
        return self.vertices[self.faces]

    @cached_property
    def crossed(self) -> Float64[np.ndarray, "f 3"]:
        """The normal of each face, as long as twice its area."""
        corners = self.triangles
        return _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    @cached_property
    def area_faces(self) -> Float64[np.ndarray, " f"]:
        """The area of each face."""
        return np.sqrt(np.einsum("ij,ij->i", self.crossed, self.crossed)) / 2

    @property
    def area(self) -> float:
        """The area of all faces."""
        return float(self.area_faces.sum())

    @cached_property
    def face_normals(self) -> Float64[np.ndarray, "f 3"]:
        """The unit normal of each face; 0 for one without an area."""
        return self.crossed / np.maximum(2 * self.area_faces, 1e-300)[:, None]

    @cached_property
    def face_volumes(self) -> Float64[np.ndarray, " f"]:
        """Signed volume of the tetrahedron between each face and the vertices' centre."""
        apex = self.triangles[:, 0] - self.vertices.mean(0)
        return np.einsum("ij,ij->i", apex, self.crossed) / 6

    @property
    def volume(self) -> float:
        """The volume that a closed mesh encloses."""
        return float(self.face_volumes.sum())

    @cached_property
    def surfaces(self) -> tuple[int, Int64[np.ndarray, " f"]]:
        """The number of connected surfaces, and for each face the number of its surface, from 0."""
        _, of_vertex = connected(self.faces[:, [0, 1, 1, 2]].reshape(-1, 2), len(self.vertices))
        used = np.zeros(len(self.vertices), bool)
        used[of_vertex[self.faces[:, 0]]] = True  # vertices of no face are no surfaces
        return int(used.sum()), (np.cumsum(used) - 1)[of_vertex[self.faces[:, 0]]]

    @cached_property
    def is_watertight(self) -> bool:
        """Whether it is closed and consistently wound: each edge joins two faces that run along it both ways."""
        order, same = self._sides
        if not len(order) or len(order) % 2 or not same[0::2].all() or same[1::2].any():
            return False
        start, end = self.faces.ravel()[order], np.roll(self.faces, -1, axis=1).ravel()[order]
        return bool((start != end).all() and (start[0::2] == end[1::2]).all())

    @cached_property
    def _sides(self) -> tuple[Int64[np.ndarray, " s"], Bool[np.ndarray, " _"]]:
        """The sides of all faces in an order that brings those of one edge together; and which are as the next is."""
        start, end = self.faces.ravel(), np.roll(self.faces, -1, axis=1).ravel()
        key = np.minimum(start, end) * (int(self.faces.max(initial=0)) + 1) + np.maximum(start, end)
        bits = len(key).bit_length()
        if int(key.max(initial=0)).bit_length() + bits > 62:
            order = np.argsort(key, kind="stable")
            return order, key[order[1:]] == key[order[:-1]]
        packed = np.sort(key << bits | np.arange(len(key)))  # numbers are sorted faster than their order is found
        key = packed >> bits
        return packed & ((1 << bits) - 1), key[1:] == key[:-1]

    @cached_property
    def _pairs(self) -> Int64[np.ndarray, "e 2"]:
        """The two sides of each edge that joins exactly two faces."""
        order, same = self._sides
        two = same & ~np.append(False, same[:-1]) & ~np.append(same[1:], False)
        at = np.flatnonzero(two)
        return np.stack([order[at], order[at + 1]], axis=1)

    @cached_property
    def face_adjacency(self) -> Int64[np.ndarray, "e 2"]:
        """The faces at each edge that joins exactly two."""
        return self._pairs // 3

    @cached_property
    def face_adjacency_fits(self) -> Bool[np.ndarray, " e"]:
        """Whether these faces run along the edge in opposite directions, as those of an orderly mesh do."""
        start = self.faces.ravel()[self._pairs]
        return start[:, 0] != start[:, 1]

    @cached_property
    def face_adjacency_edges(self) -> Int64[np.ndarray, "e 2"]:
        """The vertices at the ends of these edges, the lower number first."""
        side = self._pairs[:, 0]
        ends = np.stack([self.faces.ravel()[side], np.roll(self.faces, -1, axis=1).ravel()[side]], axis=1)
        return np.sort(ends, axis=1)

    @cached_property
    def face_adjacency_angles(self) -> Float64[np.ndarray, " e"]:
        """The angles between the normals of these faces, in radians."""
        one, other = self.face_adjacency.T
        return np.arccos(np.einsum("ij,ij->i", self.face_normals[one], self.face_normals[other]).clip(-1, 1))


_JOINTS = ("surfaces", "is_watertight", "_sides", "_pairs", "face_adjacency", "face_adjacency_fits",
           "face_adjacency_edges")

if TYPE_CHECKING:
    Mesh = trimesh.Trimesh | PlainMesh
    """Either kind of mesh."""
    SameKind = TypeVar("SameKind", bound=trimesh.Trimesh | PlainMesh)
    """A mesh of the kind that was given."""


def like(mesh: SameKind, vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> SameKind:
    """A mesh of the kind of another one.

    Args:
        mesh: Says the kind.
        vertices: Positions.
        faces: Vertices at the corners of each face.
    """
    made: Any
    if isinstance(mesh, PlainMesh):
        made = PlainMesh(np.asarray(vertices, np.float64), np.asarray(faces, np.int64))
    else:
        import trimesh

        made = trimesh.Trimesh(vertices, faces, process=False)
    return made


def _cross(a: Float64[np.ndarray, "n 3"], b: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """The cross products of rows, twice as fast as NumPy's own."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
