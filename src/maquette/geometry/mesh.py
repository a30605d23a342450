"""Surfaces: from an occupancy grid to a watertight mesh, its largest part, its size in millimetres, and what a printer
needs.

Meshes are `trimesh.Trimesh`. Those in the package's frame have their grid's cube at [-0.5, 0.5]^3 (see
`maquette.types`); those for printing are in millimetres, z up, resting on z = 0.
"""

from dataclasses import dataclass

import numpy as np
import trimesh
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from maquette.errors import UserError
from maquette.geometry.print_mesh import PrintMesh

SMOOTH = 0.6
"""Default smoothing of surfaces, in voxels."""
_SHARPNESS = 2.0  # how steeply the solid share of a fine voxel follows the field: a slope of one over half a voxel
_DOUBLED_TO = 128  # voxels a side
_PASSES = 3  # after three the volume of a slab one voxel thick is right to 1 %, of a bar one voxel square to 12 %


@dataclass(frozen=True)
class Dropped:
    """What `keep_largest` left out: the number of parts, and their share of the whole volume, 0 to 1."""

    parts: int = 0
    share: float = 0.0

    def __bool__(self) -> bool:
        return self.parts > 0

    def line(self) -> str:
        """One line for the user; empty when nothing was dropped."""
        if not self:
            return ""
        parts = f"{self.parts} loose part{'s' if self.parts > 1 else ''}"
        return f"dropped {parts} ({100 * self.share:.2g} % of the volume)"


@dataclass(frozen=True)
class Printability:
    """What a printer needs to know of a mesh in millimetres, measured by `printability`."""

    watertight: bool
    """Closed, manifold and wound one way."""
    parts: int
    """Bodies that do not touch."""
    volume_mm3: float
    """Enclosed volume; nan when the mesh is not watertight."""
    thinnest_wall_mm: float
    """First percentile of the wall's thickness over the surface; nan when it could not be measured."""
    min_wall_mm: float
    """What the printer asks for."""

    @property
    def volume_cm3(self) -> float:
        return self.volume_mm3 / 1000

    @property
    def wall_ok(self) -> bool:
        """Whether the walls are as thick as asked for; within 1 %, the accuracy of the measurement."""
        return bool(self.thinnest_wall_mm >= 0.99 * self.min_wall_mm)

    @property
    def ok(self) -> bool:
        """Whether it can be printed as it is: watertight, in one part and thick enough."""
        return self.watertight and self.parts == 1 and self.wall_ok

    def line(self) -> str:
        """The report in one line: `watertight, 1 part, 12.3 cm3, thinnest wall 1.4 mm (>= 0.8 mm)`."""
        closed = "watertight" if self.watertight else "NOT watertight"
        parts = f"{self.parts} part{'' if self.parts == 1 else 's'}"
        volume = f"{self.volume_cm3:,.0f} cm3" if self.volume_cm3 >= 1000 else f"{self.volume_cm3:.3g} cm3"
        volume = "volume unknown" if np.isnan(self.volume_mm3) else volume
        if np.isnan(self.thinnest_wall_mm):
            wall = "thinnest wall unknown"
        else:
            wall = f"thinnest wall {self.thinnest_wall_mm:.2g} mm "
            wall += f"(>= {self.min_wall_mm:g} mm)" if self.wall_ok else f"(BELOW {self.min_wall_mm:g} mm)"
        return f"{closed}, {parts}, {volume}, {wall}"


def surface(occupancy: np.ndarray, threshold: float = 0.5, smooth: float = SMOOTH) -> trimesh.Trimesh:
    """The smooth iso-surface of an occupancy grid `[R, R, R]` in [0, 1], in the package's frame, wound outwards.

    The grid is padded, so that shapes which touch its border are closed. It is smoothed by a Gaussian of `smooth`
    voxels and doubled in resolution by quadratic B-splines; what the smoothing took from thin parts is given back, so
    that the volume stays right (within 2 % for most furniture; a bar of one voxel square keeps 88 %). Then the stairs
    that are left are polished down. Grids of more than 128 voxels a side are neither doubled nor polished.

    Raises:
        UserError: When no voxel reaches the threshold.
    """
    occupancy = np.asarray(occupancy, dtype=np.float32)
    if not 0 < threshold < 1:
        raise UserError("threshold must lie between 0 and 1", threshold)
    if smooth < 0:
        raise UserError("smooth must be 0 or more voxels", smooth)
    highest = float(occupancy.max(initial=0))
    if highest < threshold:
        raise UserError(
            f"the shape is empty: no voxel reaches the threshold {threshold:g}, the highest is {highest:.2g}",
            hint="lower --threshold" if highest > 0 else "nothing was recognised; try another image or model",
        )
    from skimage.measure import marching_cubes

    resolution = occupancy.shape[0]
    low, high = _occupied(occupancy, threshold, margin=2)
    pad = 3  # voxels of empty space around: more than the smoothing reaches at its default
    field = np.pad(occupancy[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], pad)
    field = _centred(field, threshold)
    fineness = 2 if resolution <= _DOUBLED_TO else 1
    field = _smoothed(field, smooth, fineness)
    if field.max() <= 0.5:
        raise UserError(f"the shape is too thin for smoothing by {smooth:g} voxels", hint=f"use at most {SMOOTH:g}")
    # Values exactly at the level would put several vertices at one place, and so make faces without an area.
    field[np.abs(field - 0.5) < 1e-3] = 0.5 + 1e-3
    for axis in range(3):  # whatever the smoothing, the border stays empty and the surface closed
        np.moveaxis(field, axis, 0)[[0, -1]] = 0
    vertices, faces, _, _ = marching_cubes(field, 0.5, gradient_direction="ascent")
    vertices = ((vertices + 0.5) / fineness - pad + low) / resolution - 0.5
    vertices = _polished(vertices, faces, round(17 * smooth) if fineness == 2 else 0, 0.35 / resolution)
    return trimesh.Trimesh(vertices, faces, process=False)


def _occupied(occupancy: np.ndarray, threshold: float, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """The box of voxels at or above the threshold, `margin` wider: [low, high) on each axis."""
    full = occupancy >= threshold
    low, high = np.zeros(3, int), np.zeros(3, int)
    for axis in range(3):
        hit = np.flatnonzero(full.any(axis=tuple(a for a in range(3) if a != axis)))
        low[axis], high[axis] = hit[0], hit[-1] + 1
    return np.maximum(low - margin, 0), np.minimum(high + margin, occupancy.shape)


def _centred(field: np.ndarray, threshold: float) -> np.ndarray:
    """Occupancy mapped piecewise linearly, so that 0, threshold and 1 become 0, 0.5 and 1."""
    if threshold == 0.5:
        return field
    return np.interp(field, (0, threshold, 1), (0, 0.5, 1)).astype(np.float32)


def _smoothed(field: np.ndarray, smooth: float, fineness: int) -> np.ndarray:
    """A smooth field, `fineness` (1 or 2) times finer, whose solid (above 0.5) has the volume that `field` says."""

    def finer(values: np.ndarray) -> np.ndarray:
        return _double(values) if fineness == 2 else values

    def filled(values: np.ndarray) -> np.ndarray:  # how much of each fine voxel is solid, near enough
        return np.clip(_SHARPNESS * (values - 0.5) + 0.5, 0, 1)

    def blur(values: np.ndarray, sigma: float) -> np.ndarray:
        return ndimage.gaussian_filter(values, sigma, truncate=2.5, mode="constant") if sigma else values

    # Where a probability falls within a voxel it is a share of the voxel; a wide haze of low ones is no volume.
    contrast = ndimage.maximum_filter(field, 3) - ndimage.minimum_filter(field, 3)
    solid = np.clip((field - 0.5) / np.maximum(contrast, 0.1) + 0.5, 0, 1)
    coarse = blur(field, smooth)
    if smooth:  # parts and gaps thinner than three voxels; without smoothing everything is put right below
        thin = ndimage.grey_closing(solid, (3, 3, 3)) - ndimage.grey_opening(solid, (3, 3, 3))
        thin = ndimage.maximum_filter(thin, 3)
    else:
        thin = 1.0
    for _ in range(_PASSES):
        share = filled(finer(coarse))
        lost = solid - (_halve(share) if fineness == 2 else share)
        coarse = coarse + thin * blur(lost, min(smooth, 0.5))
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


def _polished(vertices: np.ndarray, faces: np.ndarray, passes: int, furthest: float) -> np.ndarray:
    """The vertices `[V, 3]` of a closed surface after smoothing (Taubin 1995) that keeps the volume of thin parts.

    Each vertex moves `furthest` at most. What a whole neighbourhood moved inwards is taken back: stairs go, legs stay.
    """
    if not passes:
        return vertices
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    mean = sparse.csr_matrix((np.ones(len(start), np.float32), (start, end)), shape=(len(vertices),) * 2)
    mean.data /= np.repeat(np.diff(mean.indptr), np.diff(mean.indptr))  # each row averages a vertex's neighbours
    before = vertices.astype(np.float32)
    after = before
    for _ in range(passes):
        for step in (np.float32(0.5), np.float32(-0.505)):
            after = after + step * (mean @ after - after)
    moved = after - before
    a, b, c = (before[faces[:, corner]] for corner in range(3))
    around = sparse.csr_matrix(
        (np.ones(faces.size, np.float32), faces.ravel(), np.arange(0, faces.size + 1, 3)), (len(faces), len(vertices))
    )
    normals = around.T @ np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20
    outwards = np.einsum("ij,ij->i", moved, normals)
    for _ in range(12):
        outwards = mean @ outwards
    moved -= outwards[:, None] * normals
    far = np.linalg.norm(moved, axis=1, keepdims=True)
    return vertices + moved * np.minimum(1, furthest / np.maximum(far, 1e-12))


def is_closed(mesh: trimesh.Trimesh) -> bool:
    """Whether each edge joins exactly two faces that run along it in opposite ways: watertight and wound one way."""
    faces = np.asarray(mesh.faces, dtype=np.int64)
    if not len(faces):
        return False
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = int(faces.max()) + 1
    forth, back = np.sort(start * count + end), np.sort(end * count + start)
    return bool((start != end).all() and (forth[1:] != forth[:-1]).all() and np.array_equal(forth, back))


def signed_volume(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Signed volume of the tetrahedra between the faces and the vertices' centre `[F]`: a closed mesh's in sum."""
    a, b, c = ((vertices - vertices.mean(0))[faces[:, corner]] for corner in range(3))
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6


def components(mesh: trimesh.Trimesh) -> tuple[int, np.ndarray]:
    """The number of connected surfaces and, for each face, the number of the one that it is on `[F]`."""
    faces = np.asarray(mesh.faces)
    start, end = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    graph = sparse.coo_matrix((np.ones(len(start), bool), (start, end)), shape=(len(mesh.vertices),) * 2)
    _, of_vertex = csgraph.connected_components(graph, directed=False)
    used, of_face = np.unique(of_vertex[faces[:, 0]], return_inverse=True)
    return len(used), of_face


def keep_largest(mesh: trimesh.Trimesh) -> tuple[trimesh.Trimesh, Dropped]:
    """The part of the largest volume with the cavities inside it, and what was dropped. Expects a closed mesh.

    A surface of negative volume is a cavity; it is no part of its own.
    """
    count, of_face = components(mesh)
    if count < 2:
        return mesh, Dropped()
    volumes = np.bincount(of_face, signed_volume(mesh.vertices, mesh.faces), count)
    largest = int(np.argmax(volumes))
    parts = np.flatnonzero(volumes > 0)
    body = _faces_of(mesh, of_face == largest)
    cavities = [c for c in np.flatnonzero(volumes < 0) if _is_inside(body, mesh, of_face == c)]
    kept = np.isin(of_face, [largest, *cavities])
    total = volumes.sum()
    share = float(np.clip(1 - volumes[[largest, *cavities]].sum() / total, 0, 1)) if total > 0 else 0.0
    dropped = Dropped(max(len(parts) - 1, 0), share if len(parts) > 1 else 0.0)
    return (mesh if kept.all() else _faces_of(mesh, kept)), dropped


def _faces_of(mesh: trimesh.Trimesh, chosen: np.ndarray) -> trimesh.Trimesh:
    used, faces = np.unique(mesh.faces[chosen], return_inverse=True)
    return trimesh.Trimesh(mesh.vertices[used], faces.reshape(-1, 3), process=False)


def _is_inside(body: trimesh.Trimesh, mesh: trimesh.Trimesh, cavity: np.ndarray) -> bool:
    """Whether the first vertex of a cavity lies inside the body: the solid angle of the body's faces there is 4 pi."""
    point = mesh.vertices[mesh.faces[cavity][0, 0]]
    if (point < body.bounds[0]).any() or (point > body.bounds[1]).any():
        return False
    a, b, c = ((body.vertices - point)[body.faces[:, corner]] for corner in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    dots = [np.einsum("ij,ij->i", u, v) for u, v in ((a, b), (b, c), (c, a))]
    below = la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb
    angle = 2 * np.arctan2(np.einsum("ij,ij->i", a, np.cross(b, c)), below)  # van Oosterom and Strackee 1983
    return abs(angle.sum()) > 2 * np.pi


def repair(mesh: trimesh.Trimesh, resolution: int = 128) -> trimesh.Trimesh:
    """A watertight mesh, consistently wound, facing outwards; the same object when it already is.

    Tried in turn: joining vertices; manifold3d; filling holes and turning faces; and, where the mesh does not enclose a
    volume at all, its solid voxels of `resolution` and their surface.

    Raises:
        UserError: When nothing is left of it.
    """
    if is_closed(mesh):
        return _outwards(mesh)
    if not len(mesh.faces):
        raise UserError("the mesh has no faces")
    fixed = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    fixed.merge_vertices()
    fixed.update_faces(fixed.nondegenerate_faces() & fixed.unique_faces())
    fixed.remove_unreferenced_vertices()
    for attempt in (lambda m: m, _through_manifold, _rewound, lambda m: _through_voxels(m, resolution)):
        result = attempt(fixed)
        if result is not None and is_closed(result):
            return _outwards(result)
    raise UserError("the mesh could not be made watertight", f"{len(mesh.faces)} faces")


def _outwards(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    if signed_volume(mesh.vertices, mesh.faces).sum() < 0:
        return trimesh.Trimesh(mesh.vertices, mesh.faces[:, ::-1], process=False)
    return mesh


def _rewound(mesh: trimesh.Trimesh) -> trimesh.Trimesh | None:
    if not len(mesh.faces):
        return None
    fixed = mesh.copy()
    trimesh.repair.fill_holes(fixed)
    trimesh.repair.fix_normals(fixed, multibody=True)
    return fixed


def _through_manifold(mesh: trimesh.Trimesh) -> trimesh.Trimesh | None:
    import manifold3d

    raw = manifold3d.Mesh(np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.uint32))
    raw.merge()
    solid = manifold3d.Manifold(raw)
    if solid.status() != manifold3d.Error.NoError or solid.is_empty():
        return None
    out = solid.to_mesh()
    return trimesh.Trimesh(out.vert_properties[:, :3], out.tri_verts, process=False)


def _through_voxels(mesh: trimesh.Trimesh, resolution: int) -> trimesh.Trimesh | None:
    from maquette.geometry.voxelise import voxelise

    scale, centre = float(mesh.extents.max()), mesh.bounds.mean(0)
    solid = voxelise(to_frame(mesh), resolution)
    if not solid.any():
        return None
    result = surface(solid)
    result.vertices = result.vertices * scale + centre
    return result


def decimate(mesh: trimesh.Trimesh, faces: int) -> trimesh.Trimesh:
    """The mesh with about this many faces (quadric collapse), still watertight; unchanged if it has no more."""
    if faces < 4:
        raise UserError("faces must be at least 4", faces)
    if len(mesh.faces) <= faces:
        return mesh
    import fast_simplification

    points, triangles = fast_simplification.simplify(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), target_count=faces
    )
    return repair(trimesh.Trimesh(points, triangles, process=False))


def to_frame(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh in the package's frame: its bounding box centred at the origin, its longest side exactly 1."""
    used = mesh.vertices[np.unique(mesh.faces)]
    low, high = used.min(0), used.max(0)
    longest = float((high - low).max())
    if not (np.isfinite(longest) and longest > 0):
        raise UserError("the mesh has no size", f"longest side {longest:g}")
    return trimesh.Trimesh((mesh.vertices - (low + high) / 2) / longest, mesh.faces, process=False)


def to_print(mesh: trimesh.Trimesh, size_mm: float = 100.0) -> trimesh.Trimesh:
    """The mesh in millimetres: longest side `size_mm`, centred on x and y, resting on z = 0."""
    if not (np.isfinite(size_mm) and size_mm > 0):
        raise UserError("size_mm must be positive", size_mm)
    framed = to_frame(mesh)
    vertices = framed.vertices * size_mm
    vertices[:, 2] -= vertices[:, 2].min()
    return PrintMesh(vertices, framed.faces, process=False)


def printability(mesh_mm: trimesh.Trimesh, min_wall_mm: float = 0.8, rays: int = 500) -> Printability:
    """Watertightness, parts, volume and thinnest wall of a mesh in millimetres.

    The wall is measured along `rays` rays, shot inwards from points spread evenly over the surface (the same ones every
    time) to the far side; its first percentile is reported, so that a single odd ray does not count.
    """
    watertight = is_closed(mesh_mm)
    count, of_face = components(mesh_mm)
    parts, volume = count, float("nan")
    if watertight:
        volumes = np.bincount(of_face, signed_volume(mesh_mm.vertices, mesh_mm.faces), count)
        parts, volume = int((volumes > 0).sum()), float(volumes.sum())
    walls = wall_thickness(mesh_mm, rays)
    thinnest = float(np.percentile(walls, 1)) if len(walls) else float("nan")
    return Printability(watertight, parts, volume, thinnest, float(min_wall_mm))


def wall_thickness(mesh: trimesh.Trimesh, rays: int = 500) -> np.ndarray:
    """Thickness of the wall in the mesh's own unit along inward rays from points spread evenly over its surface, `[<=
    rays]`.

    Rays that leave through a hole measure nothing and are left out; without Embree the result is empty.
    """
    try:
        from trimesh.ray.ray_pyembree import RayMeshIntersector
    except ImportError:  # no wheel of embreex for this machine
        return np.empty(0)
    triangles = np.asarray(mesh.triangles, dtype=np.float64)
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    doubled = np.linalg.norm(normals, axis=1)
    if not doubled.sum() > 0:
        return np.empty(0)
    rng = np.random.default_rng(0)
    total = np.cumsum(doubled)
    faces = np.searchsorted(total, (np.arange(rays) + rng.random(rays)) / rays * total[-1])
    faces = np.minimum(faces, len(triangles) - 1)
    u, v = rng.random((2, rays))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u)[:, None], np.where(flip, 1 - v, v)[:, None]
    corner = triangles[faces]
    points = corner[:, 0] * (1 - u - v) + corner[:, 1] * u + corner[:, 2] * v
    inwards = -normals[faces] / doubled[faces, None]
    skin = 1e-4 * float(np.ptp(triangles.reshape(-1, 3), axis=0).max())  # Embree computes in single precision
    hit = RayMeshIntersector(mesh).intersects_first(points + skin * inwards, inwards)
    struck = np.flatnonzero(hit >= 0)
    far = hit[struck]
    along = np.einsum("ij,ij->i", normals[far], inwards[struck])
    leaves = along > 1e-3 * doubled[far]  # it left the solid there, and not at a grazing angle
    struck, far, along = struck[leaves], far[leaves], along[leaves]
    reach = np.einsum("ij,ij->i", normals[far], triangles[far, 0] - points[struck])
    return reach / along
