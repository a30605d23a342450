"""Surfaces: the watertight mesh of an occupancy grid, where it stands, and whether it is closed.

Meshes are `trimesh.Trimesh`, or `maquette.geometry.plain.PlainMesh` on the way from voxels to a file; what is made of a
mesh is of its kind. In the package's frame the grid's cube is [-0.5, 0.5]^3 (see `maquette.types`). Meshes for printing
are in millimetres, z up, resting on z = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from maquette.errors import UserError
from maquette.geometry.filters import blurred, largest_near, least_near
from maquette.geometry.marching import marching_cubes
from maquette.geometry.plain import PlainMesh, like

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Bool, Float, Float32, Int, Num

    from maquette.geometry.plain import Mesh, SameKind

    Occupancy = Num[np.ndarray, "r r r"] | Bool[np.ndarray, "r r r"]
    """A grid of numbers in [0, 1] or of booleans, axes x, y, z."""

SMOOTH = 0.6
"""Default smoothing of surfaces, in voxels."""
_SHARPNESS = 2.0  # how steeply the solid share of a fine voxel follows the field: a slope of one over half a voxel
_DOUBLED_TO = 48  # the most voxels a side of a grid whose resolution is doubled
_PASSES = 3  # after three the volume of a slab one voxel thick is right to 1 %, of a bar one voxel square to 12 %


def surface(occupancy: Occupancy, threshold: float = 0.5, smooth: float = SMOOTH) -> trimesh.Trimesh:
    """As `plain_surface`, as a trimesh.

    Args:
        occupancy: `[R, R, R]` in [0, 1].
        threshold: The occupancy at the surface, between 0 and 1.
        smooth: Standard deviation of the Gaussian, in voxels; 0 does not smooth.

    Raises:
        UserError: As `plain_surface` does.
    """
    return plain_surface(occupancy, threshold, smooth).trimesh()


def plain_surface(occupancy: Occupancy, threshold: float = 0.5, smooth: float = SMOOTH) -> PlainMesh:
    """The smooth iso-surface of an occupancy grid, in the package's frame, with normals pointing outwards.

    The grid is padded, so that shapes which touch its border are closed. It is smoothed by a Gaussian and doubled in
    resolution by quadratic B-splines. What smoothing took from thin parts is then given back, so that the volume stays
    right: within 2 % for most furniture; a bar one voxel square keeps 88 %. Marching cubes makes the surface, and its
    remaining stairs are smoothed. Grids of more than 48 voxels a side are neither doubled nor freed of stairs: their
    edges stay edges, and their files small.

    Args:
        occupancy: `[R, R, R]` in [0, 1].
        threshold: The occupancy at the surface, between 0 and 1.
        smooth: Standard deviation of the Gaussian, in voxels; 0 does not smooth.

    Raises:
        UserError: When no voxel reaches the threshold, and when the shape is too thin for the smoothing.
    """
    grid = np.asarray(occupancy, dtype=np.float32)
    if not 0 < threshold < 1:
        raise UserError("threshold must lie between 0 and 1", threshold)
    if smooth < 0:
        raise UserError("smooth must be 0 or more voxels", smooth)
    highest = float(grid.max(initial=0))
    if highest < threshold:
        raise UserError(
            f"the shape is empty: no voxel reaches the threshold {threshold:g}, the highest is {highest:.2g}",
            hint="lower --threshold" if highest > 0 else "nothing was recognised; try another image or model",
        )
    resolution = grid.shape[0]
    low, high = _bounding_box(grid, threshold, margin=2)
    pad = 3  # voxels of empty space around: more than the smoothing reaches at its default
    field = np.pad(grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], pad)
    field = _level_at_half(field, threshold)
    fineness = 2 if resolution <= _DOUBLED_TO else 1
    field = _smooth_field(field, smooth, fineness)
    if field.max() <= 0.5:
        raise UserError(f"the shape is too thin for smoothing by {smooth:g} voxels", hint=f"use at most {SMOOTH:g}")
    # Values exactly at the level would put several vertices at one place, and so make faces without an area.
    field[np.abs(field - 0.5) < 1e-3] = 0.5 + 1e-3
    for axis in range(3):  # however wide the smoothing, the border stays empty and the surface closed
        np.moveaxis(field, axis, 0)[[0, -1]] = 0
    vertices, faces = marching_cubes(field, 0.5)
    vertices = ((vertices + 0.5) / fineness - pad + low) / resolution - 0.5
    vertices = _without_stairs(vertices, faces, round(17 * smooth) if fineness == 2 else 0, 0.35 / resolution)
    return PlainMesh(vertices.astype(np.float64), faces)


def _bounding_box(
    grid: Float32[np.ndarray, "r r r"], threshold: float, margin: int
) -> tuple[Int[np.ndarray, " 3"], Int[np.ndarray, " 3"]]:
    """The box around the voxels at or above the threshold, `margin` voxels wider: [low, high) on each axis."""
    full = grid >= threshold
    low, high = np.zeros(3, int), np.zeros(3, int)
    for axis in range(3):
        hit = np.flatnonzero(full.any(axis=tuple(a for a in range(3) if a != axis)))
        low[axis], high[axis] = hit[0], hit[-1] + 1
    return np.maximum(low - margin, 0), np.minimum(high + margin, grid.shape)


def _level_at_half(field: Float32[np.ndarray, "x y z"], threshold: float) -> Float32[np.ndarray, "x y z"]:
    """Occupancy mapped piecewise linearly, so that 0, the threshold and 1 become 0, 0.5 and 1."""
    if threshold == 0.5:
        return field
    return np.interp(field, (0, threshold, 1), (0, 0.5, 1)).astype(np.float32)


def _smooth_field(field: Float32[np.ndarray, "x y z"], smooth: float, fineness: int) -> Float32[np.ndarray, "_ _ _"]:
    """A smooth field, `fineness` (1 or 2) times as fine, whose solid part (above 0.5) has the same volume."""

    def finer(values: np.ndarray) -> np.ndarray:
        return _double(values) if fineness == 2 else values

    def filled(values: np.ndarray) -> np.ndarray:  # how much of each fine voxel is solid, near enough
        return np.clip(_SHARPNESS * (values - 0.5) + 0.5, 0, 1)

    # Where a probability falls within a voxel it is a share of the voxel; a wide haze of low ones is no volume.
    contrast = largest_near(field) - least_near(field)
    solid = np.clip((field - 0.5) / np.maximum(contrast, 0.1) + 0.5, 0, 1)
    coarse = blurred(field, smooth)
    if smooth:  # parts and gaps thinner than three voxels; without smoothing everything is put right below
        thin = largest_near(least_near(largest_near(solid)) - largest_near(least_near(solid)))
    else:
        thin = np.ones(1, np.float32)
    for _ in range(_PASSES):
        share = filled(finer(coarse))
        lost = solid - (_halve(share) if fineness == 2 else share)
        coarse = coarse + thin * blurred(lost, min(smooth, 0.5))
    fine = finer(coarse)
    if smooth:  # everywhere else the level makes up for what the smoothing took, the same for all
        thick = finer(1 - thin)
        share = filled(fine)
        edge = _SHARPNESS * thick[(share > 0) & (share < 1)].sum(dtype=np.float64)
        missing = np.vdot(1 - thin, solid) * fineness**3 - np.vdot(thick, share)
        fine += np.float32(np.clip(missing / max(edge, 1), -0.1, 0.1)) * thick
    return fine


def _double(field: np.ndarray) -> np.ndarray:
    """Twice the resolution on each axis, by quadratic B-spline subdivision (weights 3/4 and 1/4); zero outside."""
    for axis in range(3):
        shape = list(field.shape)
        shape[axis] *= 2
        fine = np.empty(shape, np.float32)
        values, even, odd = (np.moveaxis(a, axis, 0) for a in (field, fine, fine))
        even[0::2] = 0.75 * values
        odd[1::2] = even[0::2]
        even[2::2] += 0.25 * values[:-1]
        odd[1:-1:2] += 0.25 * values[1:]
        field = fine
    return field


def _halve(field: np.ndarray) -> np.ndarray:
    """Half the resolution: the mean of each 2x2x2 block."""
    field = field[0::2] + field[1::2]
    field = field[:, 0::2] + field[:, 1::2]
    return (field[:, :, 0::2] + field[:, :, 1::2]) / 8


def _without_stairs(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], passes: int, furthest: float
) -> Float[np.ndarray, "v 3"]:
    """The vertices of a closed surface after smoothing (Taubin 1995) that keeps the volume of thin parts.

    Each vertex moves by `furthest` at most. Where a whole neighbourhood moved inwards, that motion is undone: stairs
    go, legs stay.
    """
    if not passes:
        return vertices
    order, mean = _means_of_neighbours(faces, len(vertices))
    before = vertices[order].astype(np.float32)
    after = before
    for _ in range(passes):
        for step in (np.float32(0.5), np.float32(-0.505)):
            after = after + step * (mean(after) - after)
    moved = np.empty_like(before)
    moved[order] = after - before
    before = vertices.astype(np.float32)
    a, b, c = (before[faces[:, corner]] for corner in range(3))
    crossed = np.cross(b - a, c - a)
    normals = np.stack([np.bincount(faces.ravel(), np.repeat(crossed[:, axis], 3), len(vertices)) for axis in range(3)],
                       axis=1).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20
    outwards = np.einsum("ij,ij->i", moved, normals)[order]
    for _ in range(12):
        outwards = mean(outwards)
    moved[order] -= outwards[:, None] * normals[order]
    far = np.linalg.norm(moved, axis=1, keepdims=True)
    return vertices + moved * np.minimum(1, furthest / np.maximum(far, 1e-12))


def _means_of_neighbours(
    faces: Int[np.ndarray, "f 3"], count: int
) -> tuple[Int[np.ndarray, " v"], Callable[[np.ndarray], np.ndarray]]:
    """A function that averages the values of each vertex's neighbours; and the order of the vertices that it takes.

    Vertices with more neighbours come first, so that those with a first, a second, ... neighbour are a slice each.

    Args:
        faces: Of a closed surface: each edge is met in both directions.
        count: Number of vertices.
    """
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    degree = np.bincount(start, minlength=count)
    order = np.argsort(-degree.astype(np.int16), kind="stable")
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    ends = np.sort(place[start] * count + place[end]) % max(count, 1)  # by their starts
    degree = degree[order]
    firsts = np.cumsum(degree) - degree
    having = np.searchsorted(-degree, -np.arange(int(degree.max(initial=0))))  # vertices with a neighbour number k
    beside = [ends[firsts[:some] + number] for number, some in enumerate(having)]
    share = (1 / np.maximum(degree, 1)).astype(np.float32)

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.zeros_like(values)
        for which in beside:
            total[: len(which)] += values.take(which, axis=0)
        return total * (share[:, None] if values.ndim == 2 else share)

    return order, mean


def to_frame(mesh: SameKind) -> SameKind:
    """The mesh in the package's frame: its bounding box centred at the origin, its longest side exactly 1.

    Raises:
        UserError: For a mesh without a size: a point, or coordinates that are not finite.
    """
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    low, high = mesh.vertices[used].min(0), mesh.vertices[used].max(0)
    longest = float((high - low).max())
    if not (np.isfinite(longest) and longest > 0):
        raise UserError("the mesh has no size", f"longest side {longest:g}")
    vertices = (mesh.vertices - (low + high) / 2) / longest
    framed: Any = mesh.moved(vertices) if isinstance(mesh, PlainMesh) else like(mesh, vertices, mesh.faces)
    return framed


def to_print(mesh: SameKind, size_mm: float = 100.0) -> SameKind:
    """The mesh in millimetres: longest side `size_mm`, centred on x and y, resting on z = 0.

    Of a trimesh it is a `maquette.geometry.print_mesh.PrintMesh`.

    Raises:
        UserError: When `size_mm` is not positive, and for a mesh without a size.
    """
    if not (np.isfinite(size_mm) and size_mm > 0):
        raise UserError("size_mm must be positive", size_mm)
    framed: Any = to_frame(mesh)
    vertices = framed.vertices * size_mm
    vertices[:, 2] -= vertices[:, 2].min()
    if isinstance(mesh, PlainMesh):
        return framed.moved(vertices)
    from maquette.geometry.print_mesh import PrintMesh

    made: Any = PrintMesh(vertices, framed.faces, process=False)
    return made


def is_closed(mesh: Mesh) -> bool:
    """Whether the mesh is watertight and consistently wound: each edge joins two faces that run along it both ways."""
    return PlainMesh.of(mesh).is_watertight


def signed_volume(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float[np.ndarray, " f"]:
    """Signed volume of the tetrahedron between each face and the vertices' centre; their sum is a closed mesh's."""
    a, b, c = ((vertices - vertices.mean(0))[faces[:, corner]] for corner in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6


def components(mesh: Mesh) -> tuple[int, Int[np.ndarray, " f"]]:
    """The number of connected surfaces, and for each face the number of its surface, from 0."""
    return PlainMesh.of(mesh).surfaces
