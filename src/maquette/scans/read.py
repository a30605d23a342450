"""Reads scans: depth pictures, point clouds and partial grids, each file as if it came from a stranger."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from maquette.errors import UserError
from maquette.io import formats
from maquette.io.paths import usable
from maquette.io.replacing import keep
from maquette.io.trees import json_value
from maquette.scans.place import Placement, Standing, stand

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Float32, Shaped, UInt16

CLOUDS = (".ply", ".obj", ".stl", ".off")
"""Suffixes of files with points, or with meshes; of a mesh, points on its surface are taken."""
SUFFIXES = (".png", *CLOUDS, *formats.GRIDS)
"""Suffixes of all files that can be read as a scan."""
MAX_PIXELS = 50_000_000
"""The most pixels of a depth picture."""
SURFACE_POINTS = 200_000
"""Points that are taken of the surface of a mesh."""
_PNG = b"\x89PNG\r\n\x1a\n"


@runtime_checkable
class _Located(Protocol):
    """Meshes, point clouds and paths of trimesh, which have no common type with vertices."""

    @property
    def vertices(self) -> np.ndarray:
        """Places, `[N, 3]`."""


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera, in pixels whose centres are at whole numbers, as in OpenCV.

    Attributes:
        fx: Focal length along the rows.
        fy: Focal length along the columns.
        cx: Column of the principal point.
        cy: Row of the principal point.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not (0 < self.fx < math.inf and 0 < self.fy < math.inf):
            raise UserError("intrinsics fx and fy must be positive", f"{self.fx:g} and {self.fy:g}")
        if not (math.isfinite(self.cx) and math.isfinite(self.cy)):
            raise UserError("intrinsics cx and cy must be finite", f"{self.cx:g} and {self.cy:g}")


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan as networks read it.

    Attributes:
        voxels: The surface voxels that were seen, in the package's frame.
        placement: How the points were placed; None for a scan that was read as a grid, which is not changed.
        metric: Whether `placement.unit` is in metres.
        standing: The points, which `facing` turns; None for a scan that was read as a grid.
        assumed: What its numbers were taken for, where no file says so; empty for a grid.
    """

    voxels: Bool[np.ndarray, "r r r"]
    placement: Placement | None = None
    metric: bool = False
    standing: Standing | None = None
    assumed: str = ""

    def facing(self, azimuth_deg: float) -> Scan:
        """The same scan, taken to be seen from another side; one that was read as a grid stays as it is."""
        if self.standing is None:
            return self
        voxels, placement = self.standing.facing(azimuth_deg, len(self.voxels))
        return replace(self, voxels=voxels, placement=placement)

    @property
    def cube_mm(self) -> float | None:
        """The side of the cube in millimetres; None if the scan's unit is not known."""
        return 1000 * self.placement.unit if self.metric and self.placement else None


def read_scan(
    source: str | Path | Shaped[np.ndarray, " ..."],
    resolution: int,
    *,
    intrinsics: Intrinsics | None = None,
    depth_scale: float = 1000.0,
    azimuth_deg: float = 0.0,
    elevation_deg: float | None = None,
    up: str | None = None,
) -> Scan:
    """A scan out of a file or an array.

    Args:
        source: A 16-bit depth PNG; a point cloud or mesh (PLY, OBJ, STL, OFF); a .npy or array of points `[N, 3]`, of
            depths `[H, W]` (whole numbers in units of `depth_scale`, others in metres), or a partial grid `[R, R, R]`;
            a grid file (npz, binvox, mat).
        resolution: Voxels a side of the result. A grid must have it already.
        intrinsics: Of the camera that took a depth picture.
        depth_scale: How many units of a depth picture, or of an array of whole numbers, make a metre.
        azimuth_deg: The side that the camera saw, see `maquette.scans.place.stand`; without meaning for grids.
        elevation_deg: Of the camera above the horizon, see `stand`; without meaning for grids.
        up: "z" for points that stand upright, see `stand`; without meaning for grids.

    Raises:
        UserError: If the source cannot be read or holds no object; the message names the file.
    """
    name = "the scan" if isinstance(source, np.ndarray) else str(source)
    if not 0 < depth_scale < math.inf:
        raise UserError("depth_scale must be positive: the picture's units a metre", depth_scale)
    values = source if isinstance(source, np.ndarray) else _read_values(usable(source), depth_scale)
    if values.ndim < 2 or values.dtype.kind not in "biuf":
        raise UserError(f"{name}: a scan is points [N, 3], depths [H, W] or a grid [R, R, R]",
                        f"{values.dtype} {values.shape}")
    if values.ndim > 2:
        grid = formats.checked_grid(values, name) >= 0.5
        if len(grid) != resolution:
            raise UserError(f"{name} must have the model's {resolution} voxels a side", len(grid))
        if not grid.any():
            raise UserError(f"{name} holds no filled voxel")
        return Scan(grid)
    metric = values.shape[1] != 3
    assumed = "the file names no unit"
    if metric:
        if intrinsics is None:
            raise UserError(f"{name} is a depth picture: the camera's intrinsics are missing",
                            hint="give --intrinsics fx,fy,cx,cy or a JSON file")
        if up is not None:
            raise UserError(f"{name} is a depth picture, which is never upright", hint="leave out --up")
        whole = values.dtype.kind in "iu" or (isinstance(source, str | Path) and Path(source).suffix.lower() == ".png")
        assumed = f"{depth_scale:g} units of depth taken for a metre" if whole else "depths taken for metres"
        if values.dtype.kind in "iu":  # a sensor's own units, as in a 16-bit picture
            values = _metres(values, depth_scale)
        values = depth_points(values, intrinsics)
    standing = stand(values, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, up=up, name=name)
    return Scan(*standing.facing(azimuth_deg, resolution), metric, standing, assumed)


def read_intrinsics(source: str | Path) -> Intrinsics:
    """The intrinsics that a text or a file gives.

    Args:
        source: `fx,fy,cx,cy` in pixels, or a JSON file with these keys or with a 3x3 matrix `K`.

    Raises:
        UserError: For anything else.
    """
    if not usable(source).is_file():
        try:
            return Intrinsics(*(float(word) for word in str(source).split(",")))
        except (ValueError, TypeError):
            raise UserError("intrinsics are fx,fy,cx,cy in pixels or a JSON file", repr(str(source))) from None
    return formats.guarded(_from_json, formats.file_bytes(Path(source), 1 << 20), Path(source))


def read_depth(path: str | Path, depth_scale: float = 1000.0) -> Float32[np.ndarray, "h w"]:
    """The depths of a 16-bit PNG along the optical axis, in metres; NaN where the picture has 0.

    Args:
        path: The file.
        depth_scale: How many units of the picture make a metre.

    Raises:
        UserError: If the file is missing, cut short, too large, or not grey with 16 bits; the message names it.
    """
    path = Path(path)
    if not 0 < depth_scale < math.inf:
        raise UserError("depth_scale must be positive: the picture's units a metre", depth_scale)
    data = formats.file_bytes(path, 4 * MAX_PIXELS)
    _check_png(data, path)
    return _metres(formats.guarded(_pixels, data, path), depth_scale)


def _metres(values: Shaped[np.ndarray, "h w"], depth_scale: float) -> Float32[np.ndarray, "h w"]:
    """Whole units of a sensor in metres; NaN for 0."""
    depth = values.astype(np.float32) / np.float32(depth_scale)
    depth[depth == 0] = np.nan
    return depth


def depth_points(depth: Shaped[np.ndarray, "h w"], intrinsics: Intrinsics) -> Float[np.ndarray, "n 3"]:
    """The points of a depth picture: x right, y down, z forward, in the unit of the depths.

    Args:
        depth: Along the optical axis. Pixels that are 0, negative or not finite give no point; those that lie beyond
            all numbers give one that is not finite.
        intrinsics: Of the camera.
    """
    rows, columns = np.nonzero(np.isfinite(depth) & (depth > 0))
    z = depth[rows, columns].astype(np.float64)
    with np.errstate(over="ignore"):
        x = (columns - intrinsics.cx) * z / intrinsics.fx
        y = (rows - intrinsics.cy) * z / intrinsics.fy
    return np.stack([x, y, z], axis=1)


def find_scans(paths: Iterable[str | Path]) -> list[Path]:
    """The files among paths, each once: a folder is replaced by the scans in it, sorted by name.

    Raises:
        UserError: For a folder that holds no scan, or cannot be read.
    """
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        inside = [path]
        try:
            folder = usable(path).is_dir()
        except UserError:  # reported when it is read, so that the other inputs are still done
            folder = False
        if folder:
            try:
                inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
            except OSError as error:
                raise UserError(f"the folder {path} cannot be read", error.strerror) from None
            inside = [file for file in inside if not file.name.startswith(".")]
            if not inside:
                raise UserError(f"no scan in the folder {path}", hint=f"known endings: {' '.join(SUFFIXES)}")
        found.update((str(file), file) for file in inside)
    keep(*found.values())
    return list(found.values())


def _read_values(path: Path, depth_scale: float) -> Shaped[np.ndarray, " ..."]:
    """Points `[N, 3]`, depths `[H, W]` in metres or a grid, whichever the file holds."""
    suffix = path.suffix.lower()
    if suffix == ".png":
        return read_depth(path, depth_scale)
    if suffix == ".npy":
        data = formats.file_bytes(path, formats.MAX_RESOLUTION**3 * 8 + (1 << 16))
        return formats.guarded(lambda data: formats.parse_array(io.BytesIO(data)), data, path)
    if suffix in formats.GRIDS:
        return formats.read_grid(path)
    if suffix not in CLOUDS:
        raise UserError(f"{path}: not a scan that can be read", repr(suffix), f"known: {' '.join(SUFFIXES)}")
    data = formats.file_bytes(path, formats.MAX_MESH_BYTES)
    points = formats.guarded(lambda data: _cloud(data, suffix), data, path)
    if not len(points):
        raise UserError(f"{path} has no points")
    return points


def _cloud(data: bytes, suffix: str) -> Float[np.ndarray, "n 3"]:
    """The points of a file; of a mesh, points sampled uniformly from its surface."""
    import trimesh

    found: list[trimesh.parent.Geometry]
    if suffix == ".off":
        found = [formats.read_off(data)]
    else:
        found = list(formats.parse_scene(data, suffix).geometry.values())
    meshes = [one for one in found if isinstance(one, trimesh.Trimesh) and len(one.faces)]
    if meshes:
        whole = trimesh.util.concatenate(meshes)
        if not isinstance(whole, trimesh.Trimesh):
            raise ValueError("its parts are no meshes")
        if whole.faces.min() < 0 or whole.faces.max() >= len(whole.vertices):
            raise ValueError("a face names a point that is not there")
        if np.isfinite(whole.area) and whole.area > 0:
            return np.asarray(trimesh.sample.sample_surface(whole, SURFACE_POINTS, seed=0)[0])
    places = [np.asarray(one.vertices).reshape(-1, 3) for one in found if isinstance(one, _Located)]
    return np.concatenate([np.zeros((0, 3)), *places])


def _from_json(data: bytes) -> Intrinsics:
    """The intrinsics in a JSON file."""
    tree = json_value(data)
    if isinstance(tree, dict) and {"fx", "fy", "cx", "cy"} <= set(tree):
        return Intrinsics(*(float(tree[key]) for key in ("fx", "fy", "cx", "cy")))
    matrix = np.asarray(tree.get("K", ()) if isinstance(tree, dict) else (), dtype=np.float64)
    if matrix.size != 9:
        raise ValueError("it has neither fx, fy, cx and cy nor a 3x3 matrix K")
    (fx, _, cx), (_, fy, cy), _ = matrix.reshape(3, 3).tolist()
    return Intrinsics(fx, fy, cx, cy)


def _check_png(data: bytes, path: Path) -> None:
    """Refuses, by its header, a file that is no grey PNG with 16 bits or that is too large."""
    if data[:8] != _PNG:
        raise UserError(f"{path} is not a PNG", f"a file that begins with {data[:8]!r}")
    if len(data) < 26:
        raise UserError(f"{path} ends within its header")
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    if not 0 < width * height <= MAX_PIXELS:
        raise UserError(f"{path} must have from 1 to {MAX_PIXELS} pixels", f"{width}x{height}")
    if bits != 16 or colour != 0:
        kind = "grey" if colour == 0 else "colour"
        raise UserError(f"{path} is no depth picture: it must be grey with 16 bits a pixel", f"{kind} with {bits}",
                        "save the depths as the sensor gives them")


def _pixels(data: bytes) -> UInt16[np.ndarray, "h w"]:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
        return np.array(picture)
