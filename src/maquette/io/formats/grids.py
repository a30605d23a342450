"""Grid files: binvox, npy, npz and mat (MATLAB 5)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from maquette.errors import UserError
from maquette.io.archives import opened_entry
from maquette.io.atomic import write_bytes
from maquette.io.formats import mat
from maquette.io.formats.files import GRIDS, file_bytes, guarded, kind
from maquette.io.paths import usable

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32, Num, UInt8

MAX_RESOLUTION = 512
"""The most voxels a side that are read: a float32 grid of half a gigabyte."""
_KEYS = ("occupancy", "instance", "grid", "voxels")  # ours, ModelNet's, IKEA's, a common one


@runtime_checkable
class ByteStream(Protocol):
    """An open binary file that is only read."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, or all that are left."""
        ...


def read_grid(path: str | Path) -> Float32[np.ndarray, "r r r"]:
    """The occupancy grid in a file, in [0, 1], axes x, y, z.

    Raises:
        UserError: Naming the file, when it is missing, damaged, too large or no grid.
    """
    path = Path(path)
    _require_grid(path)
    data = file_bytes(path, MAX_RESOLUTION**3 * 8 + (1 << 16))
    readers = {".binvox": _read_binvox, ".npy": _read_npy, ".npz": _read_npz, ".mat": _read_mat}
    return checked_grid(guarded(readers[path.suffix.lower()], data, path), str(path))


def read_array(path: str | Path) -> Num[np.ndarray, " ..."] | Bool[np.ndarray, " ..."]:
    """The numbers in a `.npy` file, of any shape.

    Raises:
        UserError: Naming the file, when it is missing, damaged or too large.
    """
    path = Path(path)
    return guarded(_read_npy, file_bytes(path, MAX_RESOLUTION**3 * 8 + (1 << 16)), path)


def write_grid(path: str | Path, occupancy: ArrayLike, threshold: float = 0.5) -> None:
    """Write a grid in the format of the suffix.

    A binvox file holds only which voxels are filled; the others hold the values, under the key `occupancy` (npz) or
    `instance` (mat). Grids of 0 and 1 alone are stored as uint8.

    Args:
        path: The file.
        occupancy: `[R, R, R]` in [0, 1]; see `checked_grid`.
        threshold: The occupancy from which a voxel counts as filled.

    Raises:
        UserError: For an unknown suffix, for values that are no grid, and when the file cannot be written.
    """
    path = Path(path)
    _require_grid(path)
    grid = checked_grid(occupancy, "occupancy")
    filled = grid >= threshold
    values = filled.astype(np.uint8) if np.array_equal(filled, grid) else grid
    suffix = path.suffix.lower()
    if suffix == ".binvox":
        write_bytes(path, binvox_bytes(filled))
        return
    out = io.BytesIO()
    if suffix == ".npy":
        np.save(out, values, allow_pickle=False)
    elif suffix == ".npz":
        np.savez_compressed(out, occupancy=values, allow_pickle=False)
    else:
        out.write(mat.mat_bytes("instance", values))
    write_bytes(path, out.getvalue())


def _require_grid(path: Path) -> None:
    if kind(path) != "grid":
        raise UserError(f"{path} is a mesh file, not a grid", hint=f"grids: {' '.join(GRIDS)}")


def checked_grid(values: ArrayLike, where: str) -> Float32[np.ndarray, "r r r"]:
    """An occupancy grid in [0, 1] from an array of numbers or booleans.

    Leading axes of length 1 are removed. A grid that is not a cube is padded to one with empty voxels on both sides.

    Args:
        values: `[X, Y, Z]` or `[1, ..., X, Y, Z]`, at most `MAX_RESOLUTION` a side, 0 to 1.
        where: What error lines begin with: a file or an argument.

    Raises:
        UserError: For another number of axes, a size that is too large, and values that are not numbers in [0, 1].
    """
    grid = np.asarray(values)
    while grid.ndim > 3 and grid.shape[0] == 1:
        grid = grid[0]
    if grid.ndim != 3 or grid.size == 0:
        raise UserError(f"{where}: a grid has three axes", f"shape {grid.shape}")
    if max(grid.shape) > MAX_RESOLUTION:
        raise UserError(f"{where}: a grid may have {MAX_RESOLUTION} voxels a side", f"shape {grid.shape}")
    if grid.dtype.kind not in "biuf":
        raise UserError(f"{where}: a grid holds numbers", f"values of type {grid.dtype}")
    low, high = grid.min(), grid.max()
    if not (low >= 0 and high <= 1):
        raise UserError(f"{where}: occupancy must lie in [0, 1]", f"values from {low:g} to {high:g}")
    grid = grid.astype(np.float32)
    side = max(grid.shape)
    missing = [side - length for length in grid.shape]
    return np.pad(grid, [(gap // 2, gap - gap // 2) for gap in missing]) if any(missing) else grid


def _read_binvox(data: bytes) -> UInt8[np.ndarray, "x y z"]:
    head, found, body = data[:2000].partition(b"\ndata\n")
    lines = [line.split() for line in head.decode("latin-1").splitlines()]
    if not found or not lines or lines[0][:1] != ["#binvox"]:
        raise ValueError("it has no binvox header")
    dims = next((line[1:] for line in lines if line[:1] == ["dim"]), [])
    if len(dims) != 3 or not all(dim.isdecimal() and len(dim) < 10 for dim in dims):
        raise ValueError("its header has no three sizes after 'dim'")
    shape = tuple(int(dim) for dim in dims)
    if not 0 < min(shape) <= max(shape) <= MAX_RESOLUTION:
        raise ValueError(f"its header claims {'x'.join(dims)} voxels, at most {MAX_RESOLUTION} a side are read")
    runs = np.frombuffer(data, np.uint8, offset=len(head) + len(found))
    if len(runs) % 2 or not len(body):
        raise ValueError("it ends in the middle of a run")
    filled, lengths = runs[0::2], runs[1::2]
    total = int(lengths.sum(dtype=np.int64))
    if total != np.prod(shape):
        raise ValueError(f"its runs hold {total} voxels, the header says {np.prod(shape)}")
    if filled.max() > 1:
        raise ValueError(f"its voxels are 0 or 1, found {filled.max()}")
    x, z, y = shape  # the fastest axis is y
    return np.repeat(filled, lengths).reshape(x, z, y).transpose(0, 2, 1)


def binvox_bytes(filled: Bool[np.ndarray, "r r r"]) -> bytes:
    """The content of a binvox file for a grid, axes x, y, z; its header places the cube at [-0.5, 0.5]^3."""
    side = filled.shape[0]
    flat = filled.transpose(0, 2, 1).ravel().astype(np.uint8)
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    lengths = np.diff(np.append(starts, flat.size))
    pieces = -(-lengths // 255)  # a run is at most 255 long
    runs = np.full((pieces.sum(), 2), 255, np.uint8)
    runs[:, 0] = np.repeat(flat[starts], pieces)
    runs[np.cumsum(pieces) - 1, 1] = lengths - 255 * (pieces - 1)
    header = f"#binvox 1\ndim {side} {side} {side}\ntranslate -0.5 -0.5 -0.5\nscale 1\ndata\n"
    return header.encode() + runs.tobytes()


def _read_npy(data: bytes) -> np.ndarray:
    return parse_array(io.BytesIO(data))


def parse_array(stream: ByteStream) -> Num[np.ndarray, " ..."] | Bool[np.ndarray, " ..."]:
    """One array in NumPy's format 1.0; its header is checked before its values are read.

    Raises:
        ValueError: For another version, for values that are not numbers (pickled ones above all) or wider than double
            precision, for more than `MAX_RESOLUTION`^3 values, and for a stream that ends early.
    """
    return _array(stream, "biuf", 1, MAX_RESOLUTION**3, MAX_RESOLUTION**3 * 8)


def _array(stream: ByteStream, kinds: str, least: int, most: int, most_bytes: int) -> np.ndarray:
    """One array of values of these kinds, from `least` to `most` of them."""
    if np.lib.format.read_magic(stream) != (1, 0):  # later versions are for field names and have headers of any length
        raise ValueError("its NumPy format is not version 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or dtype.kind not in kinds:
        raise ValueError(f"it holds values of type {dtype}, not numbers")
    if dtype.kind == "f" and dtype.itemsize > 8:  # processors have forms of their own, and bytes that are no number
        raise ValueError(f"it holds values of type {dtype}, of more than double precision")
    count = 1
    for length in shape:
        if length < 0:
            raise ValueError(f"its header claims an array of shape {shape}")
        count *= int(length)
    if not least <= count <= most or count * dtype.itemsize > most_bytes:
        raise ValueError(f"its header claims an array of shape {shape}, at most {MAX_RESOLUTION} a side are read"
                         if most == MAX_RESOLUTION**3 else f"its header claims an array of shape {shape}")
    content = stream.read(count * dtype.itemsize)
    if len(content) != count * dtype.itemsize:
        raise ValueError("it ends before its last voxel")
    if dtype.kind == "U" and (np.frombuffer(content, dtype.str[0] + "u4") > 0x10FFFF).any():
        raise ValueError("it holds letters that there are not")  # the end of CPython, not of a text
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def npz_names(path: str | Path) -> set[str]:
    """The names of the arrays in a `.npz` file; none of them is read.

    Raises:
        UserError: Naming the file, when it is missing or no archive.
    """
    path = Path(path)

    def names(_: bytes) -> set[str]:
        with zipfile.ZipFile(usable(path)) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}

    return guarded(names, b"", path)


def npz_arrays(
    path: str | Path, names: Iterable[str], most_bytes: int = MAX_RESOLUTION**3 * 8
) -> dict[str, np.ndarray]:
    """Some arrays of a `.npz` file, of any shape, by name: numbers or texts.

    Args:
        path: The file.
        names: The arrays; all must be there.
        most_bytes: The most that each of them may take.

    Raises:
        UserError: Naming the file, when it is missing or damaged, and for an array that is missing or too large.
    """
    path = Path(path)

    def arrays(_: bytes) -> dict[str, np.ndarray]:
        found = {}
        with zipfile.ZipFile(usable(path)) as archive:
            for name in names:
                if f"{name}.npy" not in archive.NameToInfo:
                    raise ValueError(f"it has no array {name}")
                with opened_entry(archive, f"{name}.npy") as stream:
                    found[name] = _array(stream, "biufU", 0, most_bytes, most_bytes)
        return found

    return guarded(arrays, b"", path)


def _read_npz(data: bytes) -> np.ndarray:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        with opened_entry(archive, names[_choose(list(names))]) as stream:
            return parse_array(stream)


def _read_mat(data: bytes) -> np.ndarray:
    found = {entry.name: entry for entry in mat.entries(data, MAX_RESOLUTION**3 * 8 + (1 << 20))}
    grids = [name for name, entry in found.items() if len(entry.shape) == 3]
    name = _choose(grids if len(grids) == 1 and not set(_KEYS) & set(found) else list(found))
    shape = found[name].shape
    if found[name].kind == "number" and not 0 < np.prod([float(length) for length in shape]) <= MAX_RESOLUTION**3:
        raise ValueError(f"'{name}' has the shape {shape}, at most {MAX_RESOLUTION} voxels a side are read")
    return found[name].values()


def _choose(names: list[str]) -> str:
    """The entry that is the grid: one of the known names, or the only one."""
    for key in _KEYS:
        if key in names:
            return key
    if len(names) != 1:
        raise ValueError(f"it has the entries {', '.join(names[:8]) or '(none)'}; the grid must be called '{_KEYS[0]}'")
    return names[0]
