"""The rows of a prepared dataset: from a shape of any source to its voxels, views and scans, turned as asked for."""

import zlib
from dataclasses import dataclass

import numpy as np

from maquette.datasets import Item, turn
from maquette.datasets.orientations import angles, turned, turned_id, turned_mesh
from maquette.errors import UserError
from maquette.geometry.resample import resample
from maquette.geometry.voxelise import voxelise


@dataclass(frozen=True)
class Options:
    """What decides the content of a row, besides the shape itself."""

    resolution: int
    views: int
    view_size: int
    channels: int
    kinds: tuple[str, ...]
    backgrounds: str | None
    seed: int
    frontal: float
    scans: int = 0
    orientations: int = 1
    up: str = "z"


def make_rows(item: Item, options: Options) -> list[dict]:
    """The rows of one shape, one for each orientation: its voxels, views and scans.

    Mesh or grid is turned by what is over a quarter turn, or taken as its source has it turned; the voxels then by
    quarters, which is exact.

    Raises:
        UserError: For a shape that is none.
    """
    shape = item.load()
    rows: dict[int, dict] = {}
    for degrees in angles(options.orientations):
        over = degrees % 90
        if over not in rows:
            own = item.turned(over) if item.turned and over else None
            rows[over] = _row(item, _turned(shape, over) if own is None else own, options)
    return [_on_by_quarters(rows[degrees % 90], degrees, options.resolution) for degrees in
            angles(options.orientations)]


def _turned(shape: object, degrees: int) -> object:
    if not degrees:
        return shape
    return turned(shape, degrees) if isinstance(shape, np.ndarray) else turned_mesh(shape, degrees)


def _on_by_quarters(row: dict, degrees: int, resolution: int) -> dict:
    if not degrees:
        return row
    bits = np.unpackbits(np.frombuffer(row["voxels"], np.uint8), count=resolution**3)
    voxels = turn(bits.reshape((resolution,) * 3), degrees - degrees % 90)
    return row | {"id": turned_id(row["id"], degrees), "voxels": np.packbits(voxels).tobytes()}


def _row(item: Item, shape: object, options: Options) -> dict:
    import trimesh

    if isinstance(shape, np.ndarray):
        voxels = resample(shape, options.resolution)
        mesh = None
    elif isinstance(shape, trimesh.Trimesh):
        mesh = framed(shape)
        voxels = voxelise(mesh, options.resolution)
    else:
        raise UserError(f"{item.id} is neither a mesh nor a grid", type(shape).__name__)
    if not voxels.any():
        raise UserError(f"{item.id} has no occupied voxel")
    row = {"id": item.id, "label": item.label, "source": item.source, "resolution": options.resolution,
           "voxels": np.packbits(voxels).tobytes(), "views": b"", "view_kinds": [], "cameras": []}
    own = int(np.random.SeedSequence([options.seed, zlib.crc32(item.id.encode())]).generate_state(1)[0])
    if (options.views or options.scans) and mesh is None:
        mesh = mesh_of(item.id, shape)
    if options.views:
        from maquette.rendering import render_views

        seen = render_views(mesh, count=options.views, size_px=options.view_size, seed=own, kinds=options.kinds,
                            channels=options.channels, backgrounds=options.backgrounds, frontal=options.frontal)
        row["views"] = np.ascontiguousarray(seen.images, np.uint8).tobytes()
        row["view_kinds"] = list(seen.kinds)
        row["cameras"] = [
            [c.azimuth_deg, c.elevation_deg, c.fov_deg, c.roll_deg, c.zoom, *c.shift] for c in seen.cameras
        ]
    if options.scans:
        from maquette.scans import scans

        made = scans(mesh, options.resolution, options.scans, own).reshape(options.scans, -1)
        row["scans"] = np.packbits(made, axis=1).tobytes()
    return row


def mesh_of(name: str, shape: object):
    """The mesh of a shape as an item loads it, grid or mesh, centred, its longest side 1.

    The surface of a grid is that of its voxels as they were stored: each change of resolution roughens slanted sides.

    Raises:
        UserError: Calling the shape by its name, for what is neither a grid nor a mesh, and for an empty one.
    """
    import trimesh

    if isinstance(shape, trimesh.Trimesh):
        return framed(shape)
    if not isinstance(shape, np.ndarray):
        raise UserError(f"{name} is neither a mesh nor a grid", type(shape).__name__)
    if not (shape > 0.5).any():
        raise UserError(f"{name} has no occupied voxel")
    from maquette.geometry.mesh import surface

    return framed(surface(_as_cube(shape).astype(np.float32)))


def _as_cube(grid: np.ndarray) -> np.ndarray:
    """The object of a grid in the smallest cube that holds it, its voxels as they are."""
    size = max(int(np.ptp(np.nonzero(grid > 0.5)[axis])) + 1 for axis in range(3))
    return resample(grid, size)


def framed(mesh):
    """A copy of the mesh, centred, its longest side 1."""
    used = np.asarray(mesh.vertices)[np.unique(mesh.faces)] if len(mesh.faces) else np.zeros((0, 3))
    if not len(used) or not np.isfinite(used).all() or not (used.max(0) - used.min(0)).max() > 0:
        raise UserError("the mesh has no faces, no size, or vertices that are not finite")
    low, high = used.min(0), used.max(0)
    mesh = mesh.copy()
    mesh.vertices = (np.asarray(mesh.vertices, np.float64) - (low + high) / 2) / (high - low).max()
    return mesh
