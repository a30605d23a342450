"""The rows of a prepared dataset: the voxels, views and scans of a shape, in the orientations that were asked for."""

import zlib
from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Bool, Shaped

from maquette.datasets.item import Item, SourceShape
from maquette.datasets.orientations import angles, turned, turned_id, turned_mesh
from maquette.datasets.resumable import Row
from maquette.errors import UserError
from maquette.geometry.grids import turn_grid
from maquette.geometry.resample import resample
from maquette.geometry.voxelise import voxelise


@dataclass(frozen=True)
class RowOptions:
    """What decides the content of a row, besides the shape itself."""

    resolution: int
    """Voxels a side."""
    views: int
    """Views of the shape."""
    view_size: int
    """Pixels a side of a view."""
    channels: int
    """Of a view: 1 grey, 3 RGB."""
    kinds: tuple[str, ...]
    """The kinds of views that are drawn from, see `maquette.rendering.views.KINDS`."""
    backgrounds: str | None
    """A folder of pictures for the backgrounds of photo views."""
    seed: int
    """Of the views and the scans, with the shape's id."""
    frontal: float
    """The share of photo views from near the front, 0 to 1."""
    scans: int = 0
    """Scans of the shape."""
    orientations: int = 1
    """Rows of the shape, see `maquette.datasets.orientations`."""
    up: str = "z"
    """The axis that points up in the source's meshes."""


def make_rows(item: Item, options: RowOptions) -> list[Row]:
    """The rows of one shape, one for each orientation.

    The shape is turned by less than a quarter turn first, or taken as its source has it turned; its voxels are then
    turned by quarters, which is exact.

    Raises:
        UserError: If the item holds no shape.
    """
    shape = item.load()
    rows: dict[int, Row] = {}
    for degrees in angles(options.orientations):
        rest = degrees % 90
        if rest not in rows:
            own = item.turned(rest) if item.turned and rest else None
            rows[rest] = _row(item, _turned(shape, rest) if own is None else own, options)
    return [_quarters_on(rows[degrees % 90], degrees, options.resolution) for degrees in angles(options.orientations)]


def mesh_of(name: str, shape: SourceShape) -> trimesh.Trimesh:
    """The mesh of a shape, grid or mesh, centred and with its longest side 1.

    The surface of a grid is taken at the resolution that it is stored in: each change of resolution roughens slanted
    sides.

    Args:
        name: What messages call the shape.
        shape: As `Item.load` returns it.

    Raises:
        UserError: If it is neither a grid nor a mesh, or is empty.
    """
    if isinstance(shape, trimesh.Trimesh):
        return framed(shape)
    if not isinstance(shape, np.ndarray):
        raise UserError(f"{name} is neither a mesh nor a grid", type(shape).__name__)
    if not (shape > 0.5).any():
        raise UserError(f"{name} has no occupied voxel")
    from maquette.geometry.mesh import surface

    return framed(surface(_as_cube(shape).astype(np.float32)))


def framed(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """A copy of the mesh, centred and with its longest side 1.

    Raises:
        UserError: If it has no faces, no extent, or vertices that are not finite.
    """
    used = np.asarray(mesh.vertices)[np.unique(mesh.faces)] if len(mesh.faces) else np.zeros((0, 3))
    if not len(used) or not np.isfinite(used).all() or not (used.max(0) - used.min(0)).max() > 0:
        raise UserError("the mesh has no faces, no size, or vertices that are not finite")
    low, high = used.min(0), used.max(0)
    mesh = mesh.copy()
    mesh.vertices = (np.asarray(mesh.vertices, np.float64) - (low + high) / 2) / (high - low).max()
    return mesh


def _turned(shape: SourceShape, degrees: int) -> SourceShape:
    if not degrees:
        return shape
    return turned(shape, degrees) if isinstance(shape, np.ndarray) else turned_mesh(shape, degrees)


def _quarters_on(row: Row, degrees: int, resolution: int) -> Row:
    """The row of a shape at an angle, from that at the rest of the angle over a multiple of 90 degrees."""
    if not degrees:
        return row
    bits = np.unpackbits(np.frombuffer(row["voxels"], np.uint8), count=resolution**3)
    voxels = turn_grid(bits.reshape((resolution,) * 3), degrees - degrees % 90)
    return row | {"id": turned_id(row["id"], degrees), "voxels": np.packbits(voxels).tobytes()}


def _row(item: Item, shape: SourceShape, options: RowOptions) -> Row:
    mesh: trimesh.Trimesh | None = None
    if isinstance(shape, np.ndarray):
        voxels = resample(shape, options.resolution)
    elif isinstance(shape, trimesh.Trimesh):
        mesh = framed(shape)
        voxels = voxelise(mesh, options.resolution)
    else:
        raise UserError(f"{item.id} is neither a mesh nor a grid", type(shape).__name__)
    if not voxels.any():
        raise UserError(f"{item.id} has no occupied voxel")
    row: Row = {"id": item.id, "label": item.label, "source": item.source, "resolution": options.resolution,
                "voxels": np.packbits(voxels).tobytes(), "views": b"", "view_kinds": [], "cameras": []}
    if not (options.views or options.scans):
        return row
    seed = int(np.random.SeedSequence([options.seed, zlib.crc32(item.id.encode())]).generate_state(1)[0])
    if mesh is None:
        mesh = mesh_of(item.id, shape)
    if options.views:
        from maquette.rendering import render_views

        rendered = render_views(mesh, count=options.views, size_px=options.view_size, seed=seed, kinds=options.kinds,
                                channels=options.channels, backgrounds=options.backgrounds, frontal=options.frontal)
        row["views"] = np.ascontiguousarray(rendered.images, np.uint8).tobytes()
        row["view_kinds"] = list(rendered.kinds)
        row["cameras"] = [
            [c.azimuth_deg, c.elevation_deg, c.fov_deg, c.roll_deg, c.zoom, *c.shift] for c in rendered.cameras
        ]
    if options.scans:
        from maquette.scans import scans

        made = scans(mesh, options.resolution, options.scans, seed).reshape(options.scans, -1)
        row["scans"] = np.packbits(made, axis=1).tobytes()
    return row


def _as_cube(grid: Shaped[np.ndarray, "a b c"]) -> Bool[np.ndarray, "n n n"]:
    """The object of a grid in the smallest cube that holds it, without a change of resolution."""
    size = max(int(np.ptp(np.nonzero(grid > 0.5)[axis])) + 1 for axis in range(3))
    return resample(grid, size)
