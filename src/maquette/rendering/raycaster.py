"""First hits of rays on a mesh, by Embree, or by NumPy where Embree is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from maquette.errors import UserError
from maquette.geometry.parts import connected
from maquette.rendering.camera import Camera

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Int, Int32

    from maquette.geometry.plain import Mesh

try:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene
except ImportError:  # no wheel for this platform: slower, same pictures
    EmbreeScene = None

CREASE_DEG = 35.0
"""Faces that meet at a sharper angle than this belong to different smooth patches."""


@dataclass(frozen=True)
class Buffers:
    """What a camera sees, pixel by pixel."""

    mask: Bool[np.ndarray, "s s"]
    """Where the mesh is."""
    depth: Float32[np.ndarray, "s s"]
    """Along the optical axis, inf where nothing was hit."""
    normal: Float32[np.ndarray, "s s 3"]
    """Unit normals towards the camera, smoothed within a patch; 0 where nothing was hit."""
    face: Int32[np.ndarray, "s s"]
    """The face that was hit, -1 for none."""
    point: Float32[np.ndarray, "s s 3"]
    """The hit, in the frame; 0 where there is none."""


class RayCaster:
    """Casts rays on one mesh; its search tree is built once and serves many views.

    Args:
        mesh: In the package's frame.
        crease_deg: Faces that meet at a sharper angle belong to different smooth patches.

    Raises:
        UserError: For a mesh without faces.
    """

    mesh: Mesh | None
    """The mesh; None for a caster of loose triangles."""
    vertices: Float32[np.ndarray, "v 3"]
    """Positions of the vertices."""
    faces: Int32[np.ndarray, "f 3"]
    """Vertices at the corners of each face."""
    patch: Int32[np.ndarray, " f"]
    """The smooth patch of each face."""
    face_normals: Float32[np.ndarray, "f 3"]
    """Unit normals of the faces."""
    corner_normals: Float32[np.ndarray, "f 3 3"]
    """Unit normals at the corners of the faces, averaged within a patch."""

    def __init__(self, mesh: Mesh, crease_deg: float = CREASE_DEG):
        if not len(mesh.faces):
            raise UserError("a mesh needs faces before it can be seen", "none")
        self.mesh = mesh
        self.vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float32)
        self.faces = np.ascontiguousarray(mesh.faces, dtype=np.int32)
        self.patch = smooth_patches(mesh, crease_deg)
        self.face_normals = np.asarray(mesh.face_normals, dtype=np.float32)
        self.corner_normals = corner_normals(mesh, self.patch)

    @cached_property
    def _scene(self) -> Any:
        """The search tree of the triangles, built when the first ray is shot; None without Embree."""
        if EmbreeScene is None:
            return None
        scene = EmbreeScene()
        self._geometry = TriangleMesh(scene, self.vertices, self.faces)
        return scene

    @classmethod
    def of_triangles(
        cls, vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], normals: Float[np.ndarray, "f 3 3"]
    ) -> RayCaster:
        """A caster of loose triangles, all in one patch.

        Args:
            vertices: Positions.
            faces: Vertices at the corners of each triangle.
            normals: Unit normals at the corners of each triangle.
        """
        caster = cls.__new__(cls)
        caster.mesh = None
        caster.vertices = np.ascontiguousarray(vertices, dtype=np.float32)
        caster.faces = np.ascontiguousarray(faces, dtype=np.int32)
        caster.corner_normals = np.ascontiguousarray(normals, dtype=np.float32)
        a, b, c = (caster.vertices[caster.faces[:, corner]] for corner in range(3))
        crossed = np.cross(b - a, c - a)
        caster.face_normals = crossed / (np.linalg.norm(crossed, axis=1, keepdims=True) + 1e-20)
        caster.patch = np.zeros(len(caster.faces), dtype=np.int32)
        return caster

    def first(
        self, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]
    ) -> tuple[Float32[np.ndarray, " n"], Int32[np.ndarray, " n"], Float32[np.ndarray, "n 2"]]:
        """First hits of rays.

        Args:
            origins: Where the rays begin.
            directions: Unit vectors.

        Returns:
            Distance, inf for none; face, -1 for none; and the weights of the face's second and third corner at the hit.
        """
        if self._scene is None:
            return self._first_slow(origins, directions)
        hits = self._scene.run(_rows(origins), _rows(directions), output=1)
        face = hits["primID"]
        distance = np.where(face >= 0, hits["tfar"], np.float32(np.inf))
        return distance, face, np.stack([hits["u"], hits["v"]], axis=1)

    def blocked(
        self, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"],
        reach: float | Float[np.ndarray, " n"] = 1e30,
    ) -> Bool[np.ndarray, " n"]:
        """Whether the mesh blocks each ray within a distance.

        Args:
            origins: Where the rays begin.
            directions: Vectors; the distance is in units of their length.
            reach: The distance, one for all rays or one for each.
        """
        if self._scene is None:
            return self._first_slow(origins, directions)[0] < reach
        limits = np.array(np.broadcast_to(np.float32(reach), len(origins)))
        return self._scene.run(_rows(origins), _rows(directions), dists=limits, query="OCCLUDED") == 0

    def _hits(
        self, camera: Camera, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]
    ) -> tuple[Float32[np.ndarray, " n"], Int32[np.ndarray, " n"], Float32[np.ndarray, "n 2"]]:
        """First hits of a camera's rays."""
        return self.first(origins, directions)

    def cast(self, camera: Camera) -> Buffers:
        """What a camera sees of the mesh."""
        origins, directions = camera.rays()
        distance, face, uv = self._hits(camera, origins, directions)
        size = camera.size_px
        hit = np.flatnonzero(face >= 0)
        along = directions[hit]
        depth = np.full(size * size, np.inf, dtype=np.float32)
        depth[hit] = distance[hit] * (along @ camera.axes[2].astype(np.float32))
        normal = np.zeros((size * size, 3), dtype=np.float32)
        normal[hit] = self.normals(face[hit], uv[hit], along)
        point = np.zeros((size * size, 3), dtype=np.float32)
        point[hit] = origins[hit] + distance[hit, None] * along
        return Buffers(
            (face >= 0).reshape(size, size),
            depth.reshape(size, size),
            normal.reshape(size, size, 3),
            face.reshape(size, size),
            point.reshape(size, size, 3),
        )

    def normals(
        self, face: Int[np.ndarray, " n"], uv: Float[np.ndarray, "n 2"], directions: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, "n 3"]:
        """Smoothed unit normals at hits, turned against the rays.

        Args:
            face: The faces that were hit.
            uv: Weights of their second and third corner, as from `first`.
            directions: Of the rays.
        """
        corners = self.corner_normals[face]
        u, v = uv[:, :1], uv[:, 1:]
        normal = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        normal /= np.sqrt(np.einsum("ij,ij->i", normal, normal))[:, None] + 1e-12
        away = np.einsum("ij,ij->i", self.face_normals[face], directions) > 0
        normal[away] *= -1
        return normal

    def _first_slow(
        self, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]
    ) -> tuple[Float32[np.ndarray, " n"], Int32[np.ndarray, " n"], Float32[np.ndarray, "n 2"]]:
        """`first` without Embree: every ray against every triangle (Moeller and Trumbore 1997), for small meshes."""
        origins, directions = _rows(origins), _rows(directions)
        corner = self.vertices[self.faces[:, 0]]
        along, across = self.vertices[self.faces[:, 1]] - corner, self.vertices[self.faces[:, 2]] - corner
        distance = np.full(len(origins), np.inf, dtype=np.float32)
        face = np.full(len(origins), -1, dtype=np.int32)
        uv = np.zeros((len(origins), 2), dtype=np.float32)
        block = max(1, 1_000_000 // max(len(self.faces), 1))
        for begin in range(0, len(origins), block):
            rays = slice(begin, begin + block)
            d, start = directions[rays, None], origins[rays, None] - corner  # [n, 1, 3], [n, F, 3]
            p = np.cross(d, across)
            with np.errstate(divide="ignore", invalid="ignore"):
                scale = 1 / np.einsum("nfi,fi->nf", p, along)
                u = np.einsum("nfi,nfi->nf", start, p) * scale
                q = np.cross(start, along)
                v = np.einsum("noi,nfi->nf", d, q) * scale
                reach = np.einsum("fi,nfi->nf", across, q) * scale
                reach = np.where((u >= 0) & (v >= 0) & (u + v <= 1) & (reach > 1e-6), reach, np.inf)
            best = np.argmin(reach, axis=1)
            row = np.arange(len(best))
            distance[rays] = reach[row, best]
            face[rays] = np.where(np.isfinite(distance[rays]), best, -1)
            uv[rays] = np.where(face[rays, None] >= 0, np.stack([u[row, best], v[row, best]], axis=1), 0)
        return distance, face, uv


def smooth_patches(mesh: Mesh, crease_deg: float) -> Int32[np.ndarray, " f"]:
    """The smooth patch of each face; patches meet only at creases sharper than `crease_deg`."""
    smooth = mesh.face_adjacency[mesh.face_adjacency_angles < np.radians(crease_deg)]
    _, patch = connected(smooth, len(mesh.faces))
    return patch.astype(np.int32)


def corner_normals(mesh: Mesh, patch: Int32[np.ndarray, " f"]) -> Float32[np.ndarray, "f 3 3"]:
    """Unit normals at the corners of each face, averaged over the faces of its own patch."""
    key = np.asarray(mesh.faces, dtype=np.int64) * (int(patch.max(initial=0)) + 1) + patch[:, None]
    _, index = np.unique(key, return_inverse=True)
    index = index.reshape(-1)
    weighted = np.repeat(np.asarray(mesh.face_normals) * mesh.area_faces[:, None], 3, axis=0)
    total = np.stack([np.bincount(index, weighted[:, axis]) for axis in range(3)], axis=1)
    total = total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-20)
    return total[index].reshape(-1, 3, 3).astype(np.float32)


def _rows(values: Float[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
    """The values as a writable contiguous array, copied when they are not: Embree takes nothing else."""
    return np.require(values, np.float32, ["C", "W"])
