"""The lines that a person would draw of a shape, without hidden ones, as polylines.

There are two ways, since there are two sorts of meshes. Clean meshes with sharp edges give exact lines: creases and
contour edges, tested for visibility along their length. Rounded meshes (iso-surfaces of voxel grids) have hardly any
edges, and open ones (raw CAD) too many: there, lines are traced in a picture, where depth or normal changes abruptly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Float32, Int, UInt8

SHARP_LENGTH = 3.0
"""A mesh has clean edges when its creases beyond 60 degrees are longer than this, in units, and most of all creases."""
STEP = 0.015
"""Distance between the points whose visibility is tested, in units."""
LIFT = 0.004
"""How far such a point is moved off the surface, in units."""
TRACE_PX = 160
"""Side of the picture in which lines are traced."""
WEAK, STRONG = 6.0, 11.0
"""Change of the unit normal over one unit of the picture that continues, and that starts, a traced line."""


@dataclass(frozen=True)
class _Chains:
    """Polylines in space, resampled."""

    point: Float32[np.ndarray, "p 3"]
    """Points on the surface."""
    lifted: Float32[np.ndarray, "p 3"]
    """The same points, moved off the surface."""
    number: Int[np.ndarray, " p"]
    """The polyline that each is on."""


class FeatureLines:
    """The feature lines of one mesh, for many cameras.

    Args:
        caster: Made from a mesh, not from loose triangles.
        step: Distance between visibility tests, in units; smaller is finer and slower (0.004 suits a plotter).
        trace_px: Side of the picture in which lines are traced (640 suits a plotter).
    """

    sharp: bool
    """Whether the mesh has clean edges, so that exact lines are the better ones."""

    def __init__(self, caster: RayCaster, step: float = STEP, trace_px: int = TRACE_PX):
        self.caster, self.step, self.trace_px = caster, step, trace_px
        mesh = caster.mesh
        assert mesh is not None, "feature lines need a mesh, not loose triangles"
        pairs, edges = mesh.face_adjacency, mesh.face_adjacency_edges
        crease = (caster.patch[pairs[:, 0]] != caster.patch[pairs[:, 1]]) & (
            np.asarray(mesh.face_adjacency_angles) > np.radians(25)
        )
        self._pairs, self._edges = pairs[~crease], edges[~crease]
        self._faces_at = np.asarray(mesh.vertices, np.float32)[mesh.faces[:, 0]]
        ends = caster.vertices[edges[crease]]
        length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        keen = float(length[mesh.face_adjacency_angles[crease] > np.radians(60)].sum())
        self.sharp = bool(mesh.is_watertight) and keen > max(SHARP_LENGTH, 0.5 * float(length.sum()))
        self._creased = edges[crease], pairs[crease]

    def strokes(
        self, camera: Camera, method: Literal["auto", "exact", "traced"] = "auto"
    ) -> list[Float32[np.ndarray, "_ 2"]]:
        """The visible lines as polylines, split at corners.

        Args:
            camera: Sees the mesh.
            method: "auto" takes exact lines for meshes with clean edges, traced ones for others.

        Returns:
            Points (column, row), in pixels.
        """
        exact = self.sharp if method == "auto" else method == "exact"
        return self._exact(camera) if exact else self._traced(camera)

    # exact lines

    @cached_property
    def _creases(self) -> _Chains:
        return self._resample(*self._creased)

    def _resample(self, edges: Int[np.ndarray, "e 2"], pairs: Int[np.ndarray, "e 2"]) -> _Chains:
        """Joins edges into polylines and puts points along them; `pairs` are the faces at each edge."""
        if not len(edges):
            return _Chains(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
        vertices = self.caster.vertices
        outward = self.caster.face_normals[pairs].sum(1)
        chains = _chain(edges, vertices)
        edge, a, b = np.array([step for chain in chains for step in chain]).T
        number = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
        start, along = vertices[a], vertices[b] - vertices[a]
        parts = np.maximum(np.ceil(np.linalg.norm(along, axis=1) / self.step), 1).astype(np.int64)
        of = np.repeat(np.arange(len(edge)), parts + 1)
        local = np.arange(len(of)) - np.repeat(np.cumsum(parts + 1) - (parts + 1), parts + 1)
        share = np.where(local == parts[of], 1.0, local * (1 / parts)[of]).astype(np.float32)[:, None]
        point, lift = start[of] + share * along[of], outward[edge[of]]
        lift = lift / (np.linalg.norm(lift, axis=1, keepdims=True) + 1e-9)
        return _Chains(point, point + LIFT * lift, number[of])

    def _exact(self, camera: Camera) -> list[Float32[np.ndarray, "_ 2"]]:
        eye = camera.position.astype(np.float32)
        front = np.einsum("ij,ij->i", self.caster.face_normals, eye - self._faces_at) > 0
        contour = front[self._pairs[:, 0]] != front[self._pairs[:, 1]]
        outlines = self._resample(self._edges[contour], self._pairs[contour])
        result: list[np.ndarray] = []
        for chains in (self._creases, outlines):
            if len(chains.point):
                result += self._visible(chains, camera, eye)
        return result

    def _visible(
        self, chains: _Chains, camera: Camera, eye: Float32[np.ndarray, " 3"]
    ) -> list[Float32[np.ndarray, "_ 2"]]:
        towards = chains.lifted - eye
        distance = np.sqrt(np.einsum("ij,ij->i", towards, towards))
        blocked = self.caster.blocked(
            np.broadcast_to(eye, towards.shape), towards / distance[:, None], distance - 0.5 * LIFT
        )
        where = camera.project(chains.point)[:, :2].astype(np.float32)
        breaks = np.flatnonzero((np.diff(chains.number) != 0) | (np.diff(blocked.astype(np.int8)) != 0)) + 1
        parts = np.split(np.arange(len(where)), breaks)
        return [where[part] for part in parts if not blocked[part[0]] and len(part) > 1]

    # traced lines

    def _traced(self, camera: Camera) -> list[Float32[np.ndarray, "_ 2"]]:
        size = self.trace_px
        seen = self.caster.cast(replace(camera, size_px=size))
        unit = camera.distance / (camera.focal_px * size / camera.size_px)
        local = seen.normal @ camera.axes.T.astype(np.float32)
        local[~seen.mask] = (0, 0, 1)
        depth = np.where(seen.mask, seen.depth, camera.distance + 1.2)
        field = np.dstack([local, (depth * 2.5).astype(np.float32)])
        blur = max(0.012 / unit, 0.8)
        field = cv2.GaussianBlur(field, (0, 0), blur)
        dx = cv2.Sobel(field, cv2.CV_32F, 1, 0, scale=1 / 8)
        dy = cv2.Sobel(field, cv2.CV_32F, 0, 1, scale=1 / 8)
        best = np.argmax(dx * dx + dy * dy, axis=2)[..., None]
        scale = 600.0
        dx, dy = (np.take_along_axis(d, best, 2)[..., 0] * scale for d in (dx, dy))
        edges = cv2.Canny(
            np.clip(dx, -32000, 32000).astype(np.int16), np.clip(dy, -32000, 32000).astype(np.int16),
            WEAK * unit * scale, STRONG * unit * scale, L2gradient=True,
        )
        strokes = trace_bitmap(edges, shortest=max(0.05 / unit, 4))
        return [(stroke + 0.5) * (camera.size_px / size) for stroke in strokes]


def trace_bitmap(edges: UInt8[np.ndarray, "h w"], shortest: float = 5.0) -> list[Float32[np.ndarray, "_ 2"]]:
    """The thin lines in a bitmap as smooth polylines, split at corners.

    Args:
        edges: A line is where the value is not 0.
        shortest: Lines with fewer pixels are left out.

    Returns:
        Points (column, row), in pixels.
    """
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    points = np.concatenate(contours)[:, 0]
    number = np.repeat(np.arange(len(contours)), [len(contour) for contour in contours])
    order = np.arange(len(points))
    _, first = np.unique(points[:, 1].astype(np.int64) * edges.shape[1] + points[:, 0], return_index=True)
    fresh = np.zeros(len(points), bool)
    fresh[first] = True
    breaks = np.flatnonzero((np.diff(number) != 0) | (np.diff(fresh.astype(np.int8)) != 0)) + 1
    runs = [part for part in np.split(order, breaks) if fresh[part[0]] and len(part) >= shortest]
    taken = np.zeros((edges.shape[0] + 2, edges.shape[1] + 2), bool)
    result: list[np.ndarray] = []
    for part in sorted(runs, key=len, reverse=True):  # a line two pixels thick would be drawn twice
        column, row = points[part].T
        if taken[row + 1, column + 1].mean() > 0.6:
            continue
        for dy in range(3):
            for dx in range(3):
                taken[row + dy, column + dx] = True
        line = points[part].astype(np.float32)
        if np.abs(line[0] - line[-1]).max() <= 2 and len(line) > 12:
            line = np.concatenate([line, line[:1]])
        result += split_at_corners(_smooth(line), shortest / 2)
    return result


def _smooth(line: Float32[np.ndarray, "n 2"], reach: int = 2) -> Float32[np.ndarray, "n 2"]:
    """A polyline's running mean over `2 * reach + 1` points; the ends stay in place."""
    if len(line) < 2 * reach + 2:
        return line
    padded = np.concatenate([np.repeat(line[:1], reach, 0), line, np.repeat(line[-1:], reach, 0)])
    total = np.cumsum(np.concatenate([np.zeros((1, 2), np.float32), padded]), axis=0, dtype=np.float64)
    width = 2 * reach + 1
    mean = ((total[width:] - total[:-width]) / width).astype(np.float32)
    mean[0], mean[-1] = line[0], line[-1]
    return mean


def split_at_corners(
    line: Float32[np.ndarray, "n 2"], shortest: float, turn_deg: float = 40.0
) -> list[Float32[np.ndarray, "_ 2"]]:
    """The pieces of a polyline between its sharp turns.

    Args:
        line: Points (column, row), in pixels.
        shortest: Pieces with fewer points stay joined to a neighbour.
        turn_deg: A turn by more than this is sharp.
    """
    corners = cv2.approxPolyDP(line[:, None], 2.0, False)[:, 0]
    if len(corners) < 3:
        return [line]
    legs = np.diff(corners, axis=0)
    angle = np.arctan2(legs[:, 1], legs[:, 0])
    turn = np.abs((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi)
    cuts: list[int] = []
    for corner in corners[1:-1][turn > np.radians(turn_deg)]:
        index = int(np.argmin(np.abs(line - corner).sum(1)))
        if index - (cuts[-1] if cuts else 0) >= shortest and len(line) - 1 - index >= shortest:
            cuts.append(index)
    bounds = [0, *cuts, len(line) - 1]
    return [line[a : b + 1] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def _chain(
    edges: Int[np.ndarray, "e 2"], vertices: Float32[np.ndarray, "v 3"], turn_deg: float = 35.0
) -> list[list[tuple[int, int, int]]]:
    """Joins edges that continue one another nearly straight; each chain is a list of (edge, from vertex, to vertex)."""
    at: dict[int, list[int]] = {}
    for number, (a, b) in enumerate(edges.tolist()):
        at.setdefault(a, []).append(number)
        at.setdefault(b, []).append(number)
    vectors = vertices[edges[:, 1]] - vertices[edges[:, 0]]
    vectors = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12)
    limit = np.cos(np.radians(turn_deg))
    ends = edges.tolist()
    follows: dict[tuple[int, int], int] = {}  # (edge, vertex) -> next edge
    for vertex, here in at.items():
        if len(here) < 2:
            continue
        away = np.stack([vectors[e] if ends[e][0] == vertex else -vectors[e] for e in here])
        straight = -(away @ away.T)
        free = set(range(len(here)))
        flat = np.argsort(-straight, axis=None)
        for i, j in zip(*np.unravel_index(flat, straight.shape), strict=True):
            if straight[i, j] < limit:
                break
            if i < j and i in free and j in free:
                free -= {i, j}
                follows[here[i], vertex], follows[here[j], vertex] = here[j], here[i]
    used = np.zeros(len(ends), bool)
    chains = []
    for seed in range(len(ends)):
        if used[seed]:
            continue
        edge, vertex = seed, ends[seed][0]
        seen = {seed}
        while (edge, vertex) in follows and follows[edge, vertex] not in seen:  # back to the beginning
            edge = follows[edge, vertex]
            seen.add(edge)
            vertex = ends[edge][0] if ends[edge][1] == vertex else ends[edge][1]
        chain = []
        while not used[edge]:
            used[edge] = True
            other = ends[edge][1] if ends[edge][0] == vertex else ends[edge][0]
            chain.append((edge, vertex, other))
            if (edge, other) not in follows:
                break
            edge, vertex = follows[edge, other], other
        chains.append(chain)
    return chains
