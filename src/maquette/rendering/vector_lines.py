"""The lines of a mesh seen by a camera, hidden ones removed exactly, as strokes for a pen.

Drawn are contours (edges between a face turned to the eye and one turned away), creases (edges sharper than an angle)
and boundaries (edges of one face). Each is cut where it passes behind a contour or a boundary, the only places where
what hides it can change (Appel 1967), and each piece is kept or dropped by one test in double precision against the
triangles over its middle. `maquette.rendering.sketch_lines` draws quicker, for training, and in a hand's manner.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import trimesh
from scipy import ndimage

from maquette.errors import UserError
from maquette.geometry.mesh import components, is_closed
from maquette.geometry.strokes import Strokes
from maquette.rendering.camera import Camera
from maquette.rendering.occlusion import Edges, Screen, edges_of
from maquette.rendering.raycaster import RayCaster

CREASE_DEG = 30.0
"""Edges whose faces turn by more than this are drawn."""
MAX_FACES = 500_000
"""Triangles of a mesh that is drawn."""
DENSE = 1 / 40
"""Meshes whose edges are all alike and shorter than this, in units, are iso-surfaces: their lines are smoothed."""
_PASSES, _SIGMA = 40, 0.15


class Subject:
    """A mesh that is drawn, prepared once for many cameras.

    Args:
        mesh: In the package's frame (see `maquette.geometry.mesh.to_frame`); bodies that cut each other are made one.
        smooth: For meshes out of voxels, whose edges are rounded and jagged: creases are looked for between faces whose
            normals were evened out, lines are smoothed by about one edge of the mesh and the shortest are left out;
            None: where all edges are short.

    Raises:
        UserError: For a mesh without faces or with more than 500,000.
    """

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
            self._normals = _evened(self._normals, area, *self._edges.faces[self._edges.count == 2].T)

    @cached_property
    def caster(self) -> RayCaster:
        """Casts rays on the mesh, for hatching; where it is smooth, with the normals that were evened out."""
        if not self.smooth:
            return RayCaster(self.mesh)
        return RayCaster.of_triangles(self.mesh.vertices, self.mesh.faces, np.repeat(self._normals[:, None], 3, axis=1))

    def edge_px(self, camera: Camera) -> float:
        """Length of the mesh's usual edge in the picture, in pixels: how far off smoothed lines may be; else 0."""
        return self._grain * camera.focal_px / camera.distance if self.smooth else 0.0

    def lines(self, camera: Camera, crease_deg: float = CREASE_DEG, turn_deg: float = 180.0) -> Strokes:
        """The visible lines, on a page of the camera's size_px a side, in its pixels; see `vector_lines`."""
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

    def _creases(self, crease_deg: float) -> np.ndarray:
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
    """The visible lines of a mesh, on a page of the camera's size_px a side, in its pixels.

    Args:
        crease_deg: Creases are edges sharper than this.
        turn_deg: Lines that meet are joined where the pen turns by less than this. mesh, smooth, errors: see `Subject`.
    """
    return Subject(mesh, smooth).lines(camera, crease_deg, turn_deg)


def united(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The union of closed bodies that may cut each other, so that the lines where they meet are edges of the mesh.

    The mesh itself where it is one body, is not closed, or has more than 1,000.
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
    """Vertices at one place made one, and faces without an area left out."""
    if is_closed(mesh):
        return mesh
    clean = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    clean.merge_vertices()
    clean.update_faces(clean.nondegenerate_faces() & clean.unique_faces())
    if not len(clean.faces):
        raise UserError("the mesh has no faces with an area")
    return clean


def _outline(screen: Screen, edges: Edges) -> np.ndarray:
    """Edges that bound what a part of the mesh hides: contours, boundaries and those of three faces or more: [E].

    The two faces of a contour lie on one side of it on the screen, whichever way they are wound.
    """
    facing = np.where(screen.area >= 0, 1, -1)
    side = facing[edges.faces] * edges.along
    return (edges.count != 2) | (side[:, 0] == side[:, 1])


def _evened(normals: np.ndarray, area: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Normals averaged over like neighbours, which sharpens rounded edges (bilateral filter, Zheng et al. 2011)."""
    for _ in range(_PASSES):
        apart = normals[first] - normals[second]
        like = np.exp(-np.einsum("ij,ij->i", apart, apart) / (2 * _SIGMA**2))
        total = normals * area[:, None]
        for axis in range(3):
            total[:, axis] += np.bincount(first, like * area[second] * normals[second, axis], len(normals))
            total[:, axis] += np.bincount(second, like * area[first] * normals[first, axis], len(normals))
        normals = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-300)
    return normals


def _visible(screen: Screen, lines: np.ndarray, cuts: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """The visible pieces of edges [E, 2], cut at these places: two points [2, 2] each, in pixels."""
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


def _smoothed(line: np.ndarray, step: float) -> np.ndarray:
    """A line [N, 2] without the steps of a mesh whose edges are `step` long: Gaussian of 1.5 edges, ends kept."""
    legs = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    count = int(np.ceil(2 * along[-1] / step))
    if count < 4:
        return line
    even = np.linspace(0, along[-1], count + 1)
    dense = np.stack([np.interp(even, along, line[:, axis]) for axis in range(2)], axis=1)
    sigma = 3.0  # of half edges
    if np.abs(line[0] - line[-1]).max() < 1e-6 and count > 12:
        ring = ndimage.gaussian_filter1d(dense[:-1], sigma, axis=0, mode="wrap")
        return np.concatenate([ring, ring[:1]])
    reach = min(int(4 * sigma), count)
    before, after = 2 * dense[0] - dense[reach:0:-1], 2 * dense[-1] - dense[-2 : -2 - reach : -1]
    made = ndimage.gaussian_filter1d(np.concatenate([before, dense, after]), sigma, axis=0)[reach : reach + len(dense)]
    made[0], made[-1] = line[0], line[-1]
    return made
