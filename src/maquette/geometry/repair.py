"""Meshes that a printer accepts: watertight, in one part, with fewer faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError
from maquette.geometry.mesh import is_closed, surface, to_frame
from maquette.geometry.parts import connected, rings
from maquette.geometry.plain import PlainMesh, like
from maquette.geometry.voxelise import voxelise

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Bool, Int64

    from maquette.geometry.plain import SameKind


@dataclass(frozen=True)
class Dropped:
    """What `keep_largest` left out; false when that is nothing."""

    parts: int = 0
    """Number of parts."""
    share: float = 0.0
    """Their share of the whole volume, 0 to 1."""

    def __bool__(self) -> bool:
        return self.parts > 0

    def line(self) -> str:
        """One line for the user; empty when nothing was dropped."""
        if not self:
            return ""
        parts = f"{self.parts} loose part{'s' if self.parts > 1 else ''}"
        return f"dropped {parts} ({100 * self.share:.2g} % of the volume)"


def keep_largest(mesh: SameKind) -> tuple[SameKind, Dropped]:
    """The part with the largest volume, with the cavities inside it, and what was dropped.

    Args:
        mesh: A closed mesh. A surface with a negative volume is a cavity, not a part.

    Returns:
        The mesh (the same object when nothing was dropped), and what was dropped.
    """
    plain = PlainMesh.of(mesh)
    count, of_face = plain.surfaces
    if count < 2:
        return mesh, Dropped()
    volumes = np.bincount(of_face, plain.face_volumes, count)
    largest = int(np.argmax(volumes))
    parts = np.flatnonzero(volumes > 0)
    body = plain.part(of_face == largest)
    cavities = [c for c in np.flatnonzero(volumes < 0) if _is_inside(body, plain, of_face == c)]
    chosen = np.array([largest, *cavities])
    kept = np.isin(of_face, chosen)
    total = volumes.sum()
    share = float(np.clip(1 - volumes[chosen].sum() / total, 0, 1)) if total > 0 else 0.0
    dropped = Dropped(max(len(parts) - 1, 0), share if len(parts) > 1 else 0.0)
    if kept.all():
        return mesh, dropped
    rest = plain.part(kept)
    return like(mesh, rest.vertices, rest.faces), dropped


def _is_inside(body: PlainMesh, mesh: PlainMesh, cavity: Bool[np.ndarray, " f"]) -> bool:
    """Whether the first vertex of a cavity lies inside the body: the body's faces fill a solid angle of 4 pi there."""
    point = mesh.vertices[mesh.faces[cavity][0, 0]]
    low, high = body.bounds
    if (point < low).any() or (point > high).any():
        return False
    a, b, c = ((body.vertices - point)[body.faces[:, corner]] for corner in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    dots = [np.einsum("ij,ij->i", u, v) for u, v in ((a, b), (b, c), (c, a))]
    below = la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb
    angle = 2 * np.arctan2(np.einsum("ij,ij->i", a, np.cross(b, c)), below)  # van Oosterom and Strackee 1983
    return bool(abs(angle.sum()) > 2 * np.pi)


def repair(mesh: SameKind, resolution: int = 128) -> SameKind:
    """A watertight mesh, consistently wound, with normals pointing outwards; the same object when it already is one.

    Four ways are tried in turn: joining vertices; manifold3d; filling holes and turning faces; and, for a mesh that
    encloses no volume, filling it with voxels and taking their surface.

    Args:
        mesh: Any mesh.
        resolution: Voxels a side for the last way.

    Raises:
        UserError: For a mesh without faces, and when no way gives a watertight mesh.
    """
    if is_closed(mesh):
        return _outwards(mesh)
    if not len(mesh.faces):
        raise UserError("the mesh has no faces")
    import trimesh

    fixed = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    fixed.merge_vertices()
    fixed.update_faces(fixed.nondegenerate_faces() & fixed.unique_faces())
    fixed.remove_unreferenced_vertices()
    for attempt in (lambda m: m, _through_manifold, _rewound, lambda m: _through_voxels(m, resolution)):
        result = attempt(fixed)
        if result is not None and is_closed(result):
            whole = _outwards(result)
            return like(mesh, whole.vertices, whole.faces)
    raise UserError("the mesh could not be made watertight", f"{len(mesh.faces)} faces")


def _outwards(mesh: SameKind) -> SameKind:
    return like(mesh, mesh.vertices, mesh.faces[:, ::-1]) if PlainMesh.of(mesh).volume < 0 else mesh


def _rewound(mesh: trimesh.Trimesh) -> trimesh.Trimesh | None:
    if not len(mesh.faces):
        return None
    faces = np.asarray(mesh.faces, np.int64)
    faces = _turned(np.concatenate([faces, _caps(faces)]))
    plain = PlainMesh(np.asarray(mesh.vertices, np.float64), faces)
    count, of_face = connected(plain.face_adjacency, len(faces))
    inside_out = np.bincount(of_face, plain.face_volumes, count) < 0
    return like(mesh, plain.vertices, np.where(inside_out[of_face, None], faces[:, ::-1], faces))


def _caps(faces: Int64[np.ndarray, "f 3"]) -> Int64[np.ndarray, "_ 3"]:
    """Faces for the holes with three or four edges, wound as those around them are."""
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    _, which, times = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True, return_counts=True)
    border = sides[times[which.ravel()] == 1]
    follows = {(int(start), int(end)) for start, end in border}
    caps = []
    for hole in rings(border):
        if (hole[0], hole[1]) in follows:  # a cap runs along its hole the other way
            hole = hole[::-1]
        caps += [[hole[0], hole[k], hole[k + 1]] for k in range(1, len(hole) - 1)] if len(hole) < 5 else []
    return np.array(caps, np.int64).reshape(-1, 3)


def _turned(faces: Int64[np.ndarray, "f 3"]) -> Int64[np.ndarray, "f 3"]:
    """The faces with those turned over that do not run along an edge the other way than their neighbour does.

    Each face is taken as it is and turned over; the two hang together with those of its neighbours that fit. A surface
    with one side alone stays as it is.
    """
    count = len(faces)
    plain = PlainMesh(np.zeros((int(faces.max(initial=-1)) + 1, 3)), faces)
    one, other = plain.face_adjacency.T
    fits = plain.face_adjacency_fits
    links = np.concatenate([np.stack([one, np.where(fits, other, other + count)], axis=1),
                            np.stack([one + count, np.where(fits, other + count, other)], axis=1)])
    _, part = connected(links, 2 * count)
    turn = part[count:] < part[:count]
    return np.where(turn[:, None], faces[:, ::-1], faces)


def _through_manifold(mesh: trimesh.Trimesh) -> trimesh.Trimesh | None:
    import manifold3d

    raw = manifold3d.Mesh(np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.uint32))
    raw.merge()
    solid = manifold3d.Manifold(raw)
    if solid.status() != manifold3d.Error.NoError or solid.is_empty():
        return None
    out = solid.to_mesh()
    return like(mesh, out.vert_properties[:, :3], out.tri_verts)


def _through_voxels(mesh: trimesh.Trimesh, resolution: int) -> trimesh.Trimesh | None:
    scale, centre = float(mesh.extents.max()), mesh.bounds.mean(0)
    solid = voxelise(to_frame(mesh), resolution)
    if not solid.any():
        return None
    result = surface(solid)
    result.vertices = result.vertices * scale + centre
    return result


def decimate(mesh: SameKind, faces: int) -> SameKind:
    """The mesh with about this many faces, still watertight; unchanged when it has no more.

    Quadric edge collapse (Garland and Heckbert 1997) by fast_simplification.

    Raises:
        UserError: For fewer than 4 faces.
    """
    if faces < 4:
        raise UserError("faces must be at least 4", faces)
    if len(mesh.faces) <= faces:
        return mesh
    import fast_simplification

    points, triangles = fast_simplification.simplify(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), target_count=faces
    )
    return repair(like(mesh, points, triangles))
