"""The lines of a mesh that a camera sees, as strokes for a pen, with hidden lines removed exactly.

The lines are contours (edges between a face turned to the eye and one turned away), creases (edges sharper than an
angle) and boundaries (edges of one face). Each is cut where it passes behind a contour or a boundary: only there can
its visibility change (Appel 1967). Each piece is then kept or dropped by one test in double precision, of its middle
against the triangles over it. `maquette.rendering.sketch_lines` is quicker, and is used for training.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Float64, Int

from maquette.errors import UserError
from maquette.geometry import filters
from maquette.geometry.mesh import components, is_closed
from maquette.geometry.strokes import Strokes
from maquette.rendering.camera import Camera
from maquette.rendering.occlusion import Cuts, Edges, Screen, edges_of
from maquette.rendering.raycaster import RayCaster

CREASE_DEG = 30.0
"""Edges whose faces turn by more than this are drawn."""
MAX_FACES = 500_000
"""The most triangles of a mesh that is drawn."""
DENSE = 1 / 40
"""Meshes with edges of about one length, below this, in units, are taken for iso-surfaces: their lines are smoothed."""
_PASSES, _SIGMA = 40, 0.15


class Subject:
    """A mesh that is drawn, prepared once for many cameras.

    Args:
        mesh: In the package's frame (see `maquette.geometry.mesh.to_frame`); intersecting bodies are united.
        smooth: For meshes made from voxels, whose edges are rounded and jagged. Creases are then found by smoothed
            normals, lines are smoothed by about one edge of the mesh, and the shortest are left out. None decides by
            the lengths of the edges.

    Raises:
        UserError: For a mesh without faces or with more than 500,000.
    """

    mesh: trimesh.Trimesh
    """The mesh that is drawn, after bodies were united."""
    smooth: bool
    """Whether lines and normals are smoothed."""

    def __init__(self, mesh: trimesh.Trimesh, smooth: bool | None = None):
        if not len(mesh.faces):
            raise UserError("a mesh needs faces before it can be seen", "none")
        if len(mesh.faces) > MAX_FACES:
            raise UserError(f"a mesh that is drawn has at most {MAX_FACES} faces", len(mesh.faces), "reduce it first")
        self.mesh = united(_clean(mesh))
        self._edges = edges_of(np.asarray(self.mesh.faces))
        spans = np.linalg.norm(np.diff(self.mesh.vertices[self._edges.ends], axis=1)[:, 0], axis=1)
        self._grain = float(np.median(spans))
        uneven = float(np.percentile(spans, 99)) > 3 * self._grain
        self.smooth = self._grain < DENSE and not uneven if smooth is None else smooth
        corners = np.asarray(self.mesh.vertices, np.float64)[self.mesh.faces]
        doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area = np.linalg.norm(doubled, axis=1)
        self._normals = doubled / np.maximum(area, 1e-300)[:, None]
        if self.smooth:
            self._normals = _bilateral(self._normals, area, *self._edges.faces[self._edges.count == 2].T)

    @cached_property
    def caster(self) -> RayCaster:
        """Casts rays on the mesh, for hatching; with smoothed normals if `smooth`."""
        if not self.smooth:
            return RayCaster(self.mesh)
        return RayCaster.of_triangles(self.mesh.vertices, self.mesh.faces, np.repeat(self._normals[:, None], 3, axis=1))

    def edge_px(self, camera: Camera) -> float:
        """How far off smoothed lines may be: the mesh's median edge in the picture, in pixels; 0 unless `smooth`."""
        return self._grain * camera.focal_px / camera.distance if self.smooth else 0.0

    def lines(self, camera: Camera, crease_deg: float = CREASE_DEG, turn_deg: float = 180.0) -> Strokes:
        """The visible lines, on a page with the size of the camera's picture, in pixels.

        Args:
            camera: Sees the mesh.
            crease_deg: Edges sharper than this are creases, 0 to 180 degrees.
            turn_deg: Lines that meet are joined where the pen turns by less than this.

        Raises:
            UserError: For another crease angle.
        """
        if not 0 < crease_deg <= 180:
            raise UserError("crease_deg must lie between 0 and 180", crease_deg)
        screen = Screen(self.mesh, camera)
        outline = _outline(screen, self._edges)
        lines = self._edges.ends[outline | self._creases(crease_deg)]
        cuts = screen.crossings(lines, self._edges.ends[outline])
        if not is_closed(self.mesh):
            cuts += screen.piercings(lines)
        size = float(camera.size_px)
        found = Strokes(tuple(_visible(screen, lines, cuts)), size, size)
        if not self.smooth:
            return found.joined(1e-6, turn_deg).simplified(1e-6)  # points in the midst of a straight run go
        step = self.edge_px(camera)
        smoothed = [_smoothed(line, step) for line in found.joined(1e-6).joined(0.6 * step).lines]
        long = [line for line in smoothed if np.linalg.norm(np.diff(line, axis=0), axis=1).sum() > 3 * step]
        return Strokes(tuple(long), size, size).simplified(0.05 * step)

    def _creases(self, crease_deg: float) -> Bool[np.ndarray, " e"]:
        pair = self._edges.count == 2
        first, second = self._normals[self._edges.faces[pair]].transpose(1, 0, 2)
        wound = -self._edges.along[pair, 0] * self._edges.along[pair, 1]
        result = np.zeros(len(pair), bool)
        result[pair] = wound * np.einsum("ij,ij->i", first, second) < np.cos(np.radians(crease_deg))
        return result


def vector_lines(
    mesh: trimesh.Trimesh,
    camera: Camera,
    *,
    crease_deg: float = CREASE_DEG,
    smooth: bool | None = None,
    turn_deg: float = 180.0,
) -> Strokes:
    """The visible lines of a mesh, on a page with the size of the camera's picture, in pixels.

    Args:
        mesh: As for `Subject`.
        camera: Sees the mesh.
        crease_deg: Edges sharper than this are creases, 0 to 180 degrees.
        smooth: As for `Subject`.
        turn_deg: Lines that meet are joined where the pen turns by less than this.

    Raises:
        UserError: For a mesh without faces or with more than 500,000, and for another crease angle.
    """
    return Subject(mesh, smooth).lines(camera, crease_deg, turn_deg)


def united(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The union of closed bodies that may intersect, so that the lines where they meet become edges of the mesh.

    The same mesh when it is one body, is not closed, or has more than 1,000 bodies.
    """
    if not is_closed(mesh):
        return mesh
    count, of_face = components(mesh)
    if not 1 < count <= 1000:
        return mesh
    import manifold3d

    bodies = []
    for part in range(count):
        used, faces = np.unique(mesh.faces[of_face == part], return_inverse=True)
        raw = manifold3d.Mesh(np.asarray(mesh.vertices[used], np.float32), faces.reshape(-1, 3).astype(np.uint32))
        body = manifold3d.Manifold(raw)
        if body.status() != manifold3d.Error.NoError or body.volume() <= 0:  # a cavity is no body of its own
            return mesh
        bodies.append(body)
    made = manifold3d.Manifold.batch_boolean(bodies, manifold3d.OpType.Add).to_mesh()
    return trimesh.Trimesh(made.vert_properties[:, :3].astype(np.float64), made.tri_verts, process=False)


def _clean(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh with vertices at one place joined, and without faces that have no area."""
    if is_closed(mesh):
        return mesh
    clean = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    clean.merge_vertices()
    clean.update_faces(clean.nondegenerate_faces() & clean.unique_faces())
    if not len(clean.faces):
        raise UserError("the mesh has no faces with an area")
    return clean


def _outline(screen: Screen, edges: Edges) -> Bool[np.ndarray, " e"]:
    """Edges at which a part of the mesh begins to hide others: contours, boundaries, and edges of three faces or more.

    The two faces of a contour lie on one side of it on the screen, whichever way they are wound.
    """
    facing = np.where(screen.area >= 0, 1, -1)
    side = facing[edges.faces] * edges.along
    return (edges.count != 2) | (side[:, 0] == side[:, 1])


def _bilateral(
    normals: Float[np.ndarray, "f 3"], area: Float[np.ndarray, " f"], first: Int[np.ndarray, " e"],
    second: Int[np.ndarray, " e"],
) -> Float[np.ndarray, "f 3"]:
    """Normals averaged over similar neighbours, which sharpens rounded edges (bilateral filter, Zheng et al. 2011).

    `first` and `second` are the faces on both sides of each edge.
    """
    for _ in range(_PASSES):
        apart = normals[first] - normals[second]
        like = np.exp(-np.einsum("ij,ij->i", apart, apart) / (2 * _SIGMA**2))
        total = normals * area[:, None]
        for axis in range(3):
            total[:, axis] += np.bincount(first, like * area[second] * normals[second, axis], len(normals))
            total[:, axis] += np.bincount(second, like * area[first] * normals[first, axis], len(normals))
        normals = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-300)
    return normals


def _visible(screen: Screen, lines: Int[np.ndarray, "e 2"], cuts: list[Cuts]) -> list[Float64[np.ndarray, "2 2"]]:
    """The visible pieces of edges that are cut at these places, in pixels."""
    number = np.concatenate([np.tile(np.arange(len(lines)), 2), *(cut[0] for cut in cuts)])
    share = np.concatenate([np.zeros(len(lines)), np.ones(len(lines)), *(cut[1] for cut in cuts)])
    order = np.lexsort((share, number))
    number, share = number[order], share[order]
    piece = np.flatnonzero((np.diff(number) == 0) & (np.diff(share) > 1e-12))
    edge, begin, end = number[piece], share[piece], share[piece + 1]
    start = screen.points[lines[edge, 0]]
    way = screen.points[lines[edge, 1]] - start
    seen = ~screen.hidden(start + (0.5 * (begin + end))[:, None] * way, lines[edge])
    edge, begin, end, start, way = edge[seen], begin[seen], end[seen], start[seen], way[seen]
    fresh = np.ones(len(edge), bool)  # pieces of one edge that touch become one again
    fresh[1:] = (np.diff(edge) != 0) | (np.abs(begin[1:] - end[:-1]) > 1e-12)
    head = np.flatnonzero(fresh)
    if not len(head):
        return []
    last = np.append(head[1:], len(edge)) - 1
    a = start[head] + begin[head, None] * way[head]
    b = start[head] + end[last, None] * way[head]
    long = np.linalg.norm((b - a)[:, :2], axis=1) > 1e-6
    return list(np.stack([a, b], axis=1)[long, :, :2])


def _smoothed(line: Float64[np.ndarray, "n 2"], step: float) -> Float64[np.ndarray, "m 2"]:
    """A line without the steps of a mesh whose edges are `step` long, by a Gaussian of 1.5 edges; the ends stay."""
    legs = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    count = int(np.ceil(2 * along[-1] / step))
    if count < 4:
        return line
    even = np.linspace(0, along[-1], count + 1)
    dense = np.stack([np.interp(even, along, line[:, axis]) for axis in range(2)], axis=1)
    sigma = 3.0  # of half edges
    if np.abs(line[0] - line[-1]).max() < 1e-6 and count > 12:
        ring = filters.smoothed(dense[:-1], sigma, beyond="wrap")
        return np.concatenate([ring, ring[:1]])
    reach = min(int(4 * sigma), count)
    before, after = 2 * dense[0] - dense[reach:0:-1], 2 * dense[-1] - dense[-2 : -2 - reach : -1]
    made = filters.smoothed(np.concatenate([before, dense, after]), sigma)[reach : reach + len(dense)]
    made[0], made[-1] = line[0], line[-1]
    return made
