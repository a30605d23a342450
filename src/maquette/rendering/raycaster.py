"""First hits of rays on a mesh, by Embree where it is installed and by plain NumPy where it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.rendering.camera import Camera

try:
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene
except ImportError:  # no wheel for this platform: slower, same pictures
    EmbreeScene = None

CREASE_DEG = 35.0
"""Faces that meet at a sharper angle than this belong to different smooth patches."""


@dataclass(frozen=True)
class Buffers:
    """What a camera sees, pixel by pixel, for a picture of S x S pixels.

    Attributes:
        mask: Bool [S, S].
        depth: Float32 [S, S], along the optical axis, inf where nothing was hit.
        normal: Float32 [S, S, 3], unit, smoothed within a patch, towards the camera.
        face: Int32 [S, S], -1 for none.
        point: Float32 [S, S, 3], the hit, 0 where there is none.
    """

    mask: np.ndarray
    depth: np.ndarray
    normal: np.ndarray
    face: np.ndarray
    point: np.ndarray


class RayCaster:
    """Casts rays on one mesh; builds its search tree once and is then used for many views.

    Raises:
        UserError: For a mesh without faces.
    """

    def __init__(self, mesh: trimesh.Trimesh, crease_deg: float = CREASE_DEG):
        if not len(mesh.faces):
            raise UserError("a mesh needs faces before it can be seen", "none")
        self.mesh = mesh
        self.vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float32)
        self.faces = np.ascontiguousarray(mesh.faces, dtype=np.int32)
        self.patch = smooth_patches(mesh, crease_deg)
        self.face_normals = np.asarray(mesh.face_normals, dtype=np.float32)
        self.corner_normals = corner_normals(mesh, self.patch)
        self._open()

    def _open(self) -> None:
        """Builds the search tree of the triangles."""
        self._scene = EmbreeScene() if EmbreeScene is not None else None
        if self._scene is not None:
            self._geometry = TriangleMesh(self._scene, self.vertices, self.faces)

    @classmethod
    def of_triangles(cls, vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray) -> RayCaster:
        """A caster of loose triangles: vertices [V, 3], faces [F, 3], unit corner normals [F, 3, 3]."""
        caster = cls.__new__(cls)
        caster.mesh = None
        caster.vertices = np.ascontiguousarray(vertices, dtype=np.float32)
        caster.faces = np.ascontiguousarray(faces, dtype=np.int32)
        caster.corner_normals = np.ascontiguousarray(normals, dtype=np.float32)
        a, b, c = (caster.vertices[caster.faces[:, corner]] for corner in range(3))
        crossed = np.cross(b - a, c - a)
        caster.face_normals = crossed / (np.linalg.norm(crossed, axis=1, keepdims=True) + 1e-20)
        caster.patch = np.zeros(len(caster.faces), dtype=np.int32)
        caster._open()
        return caster

    def first(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First hits of rays [N, 3]: distance float32 [N] (inf for none), face int32 [N] (-1), barycentric u, v [N, 2].

        u and v weigh the second and third corner of the face.
        """
        if self._scene is None:
            return self._first_slow(origins, directions)
        hits = self._scene.run(_rows(origins), _rows(directions), output=1)
        face = hits["primID"]
        distance = np.where(face >= 0, hits["tfar"], np.float32(np.inf))
        return distance, face, np.stack([hits["u"], hits["v"]], axis=1)

    def blocked(self, origins: np.ndarray, directions: np.ndarray, reach: float | np.ndarray = 1e30) -> np.ndarray:
        """Whether anything stands within `reach` (one for all, or [N]) along each ray [N, 3]: bool [N]."""
        if self._scene is None:
            return self._first_slow(origins, directions)[0] < reach
        limits = np.array(np.broadcast_to(np.float32(reach), len(origins)))
        return self._scene.run(_rows(origins), _rows(directions), dists=limits, query="OCCLUDED") == 0

    def cast(self, camera: Camera) -> Buffers:
        """The buffers of one camera."""
        origins, directions = camera.rays()
        distance, face, uv = self.first(origins, directions)
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

    def normals(self, face: np.ndarray, uv: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Smoothed unit normals [N, 3] at hits, turned against the rays' directions."""
        corners = self.corner_normals[face]
        u, v = uv[:, :1], uv[:, 1:]
        normal = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        normal /= np.sqrt(np.einsum("ij,ij->i", normal, normal))[:, None] + 1e-12
        away = np.einsum("ij,ij->i", self.face_normals[face], directions) > 0
        normal[away] *= -1
        return normal

    def _first_slow(self, origins, directions):
        """`first` without Embree: every ray against every triangle (Moeller and Trumbore 1997), for small jobs."""
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


def smooth_patches(mesh: trimesh.Trimesh, crease_deg: float) -> np.ndarray:
    """int32 [F]: which smooth patch each face belongs to; patches meet only at creases sharper than `crease_deg`."""
    smooth = mesh.face_adjacency[mesh.face_adjacency_angles < np.radians(crease_deg)]
    labels = trimesh.graph.connected_component_labels(smooth, node_count=len(mesh.faces))
    return labels.astype(np.int32)


def corner_normals(mesh: trimesh.Trimesh, patch: np.ndarray) -> np.ndarray:
    """float32 [F, 3, 3]: unit normals at the corners of each face, averaged over the faces of its own patch only."""
    key = np.asarray(mesh.faces, dtype=np.int64) * (int(patch.max(initial=0)) + 1) + patch[:, None]
    _, index = np.unique(key, return_inverse=True)
    index = index.reshape(-1)
    weighted = np.repeat(np.asarray(mesh.face_normals) * mesh.area_faces[:, None], 3, axis=0)
    total = np.stack([np.bincount(index, weighted[:, axis]) for axis in range(3)], axis=1)
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-20
    return total[index].reshape(-1, 3, 3).astype(np.float32)


def _rows(values: np.ndarray) -> np.ndarray:
    """A writable contiguous copy where `values` is not that already: Embree takes nothing else."""
    return np.require(values, np.float32, ["C", "W"])
