"""Readers and writers by suffix: grids (binvox, npy, npz, mat) and meshes (stl, obj, ply, glb, 3mf, off).

Grids are float32 `[R, R, R]` in [0, 1], axes x, y, z. A grid that is not a cube is padded with empty voxels on both
sides to one. Meshes for printing are in millimetres, z up. Every file is read as if it came from a stranger: nothing
is unpickled, no file beside it is opened, and no size that it claims is believed before it is checked.
"""

import difflib
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.io.atomic import atomic_path, write_bytes

GRIDS = (".binvox", ".npy", ".npz", ".mat")
"""Suffixes of grid files."""
MESHES = (".stl", ".obj", ".ply", ".glb", ".3mf", ".off")
"""Suffixes of mesh files."""
COLOURED = (".obj", ".ply", ".glb")
"""Suffixes of mesh files that keep the colours of vertices."""
MAX_RESOLUTION = 512
"""Voxels a side that are still read: a float32 grid of half a gigabyte."""
MAX_MESH_BYTES = 1 << 30
"""The largest mesh file that is read, unpacked."""

GLB_FROM_MM = np.array(((-1e-3, 0, 0, 0), (0, 0, 1e-3, 0), (0, 1e-3, 0, 0), (0, 0, 0, 1)))
"""glTF is in metres, y up, and its objects face +z: our x, y, z in millimetres are its -x, z, y in metres."""
_3MF_UNITS = {"micron": 1e-3, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1e3}
_KEYS = ("occupancy", "instance", "grid", "voxels")  # ours, ModelNet's, IKEA's, a common one


def kind(path: str | Path) -> str:
    """"grid" or "mesh", by the suffix; UserError naming the nearest for an unknown one."""
    suffix = Path(path).suffix.lower()
    if suffix in GRIDS:
        return "grid"
    if suffix in MESHES:
        return "mesh"
    known = MESHES + GRIDS
    close = difflib.get_close_matches(suffix, known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UserError(f"{path}: unknown format", repr(suffix), f"{hint}known: {' '.join(known)}")


def read_grid(path: str | Path) -> np.ndarray:
    """The occupancy grid in a file, float32 `[R, R, R]`.

    Raises:
        UserError: Naming the file where it cannot be read.
    """
    path = Path(path)
    if kind(path) != "grid":
        raise UserError(f"{path} is a mesh file, not a grid", hint=f"grids: {' '.join(GRIDS)}")
    data = file_bytes(path, MAX_RESOLUTION**3 * 8 + (1 << 16))
    readers = {".binvox": _read_binvox, ".npy": _read_npy, ".npz": _read_npz, ".mat": _read_mat}
    return checked_grid(guarded(readers[path.suffix.lower()], data, path), str(path))


def read_array(path: str | Path) -> np.ndarray:
    """The numbers in a `.npy` file, of any shape.

    Raises:
        UserError: Naming the file where it cannot be read.
    """
    path = Path(path)
    return guarded(_read_npy, file_bytes(path, MAX_RESOLUTION**3 * 8 + (1 << 16)), path)


def write_grid(path: str | Path, occupancy: np.ndarray, threshold: float = 0.5) -> None:
    """Write a grid; binvox holds only which voxels are at or above the threshold, the others hold the values.

    npz has the key `occupancy`, mat has `instance`. Grids of 0 and 1 alone are stored as uint8.
    """
    path = Path(path)
    if kind(path) != "grid":
        raise UserError(f"{path} is a mesh file, not a grid", hint=f"grids: {' '.join(GRIDS)}")
    occupancy = checked_grid(occupancy, "occupancy")
    filled = occupancy >= threshold
    values = filled.astype(np.uint8) if np.array_equal(filled, occupancy) else occupancy
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
        from scipy.io import savemat

        savemat(out, {"instance": values}, do_compression=True)
    write_bytes(path, out.getvalue())


def checked_grid(values: np.ndarray, where: str) -> np.ndarray:
    """Float32 `[R, R, R]` in [0, 1] out of numbers or booleans; UserError starting with `where` for anything else.

    Axes of length 1 in front are taken off, and what is not a cube is padded on both sides to one.
    """
    values = np.asarray(values)
    while values.ndim > 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != 3 or values.size == 0:
        raise UserError(f"{where}: a grid has three axes", f"shape {values.shape}")
    if max(values.shape) > MAX_RESOLUTION:
        raise UserError(f"{where}: a grid may have {MAX_RESOLUTION} voxels a side", f"shape {values.shape}")
    if values.dtype.kind not in "biuf":
        raise UserError(f"{where}: a grid holds numbers", f"values of type {values.dtype}")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):
        raise UserError(f"{where}: occupancy must lie in [0, 1]", f"values from {low:g} to {high:g}")
    values = values.astype(np.float32)
    side = max(values.shape)
    missing = [side - length for length in values.shape]
    return np.pad(values, [(gap // 2, gap - gap // 2) for gap in missing]) if any(missing) else values


def _read_binvox(data: bytes) -> np.ndarray:
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


def binvox_bytes(filled: np.ndarray) -> bytes:
    """A binvox file of a boolean cube `[R, R, R]`, axes x, y, z; its header says [-0.5, 0.5]^3."""
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


def parse_array(stream: io.BufferedIOBase) -> np.ndarray:
    """One array in NumPy's format whose header says a size that we read; never a pickled one."""
    if np.lib.format.read_magic(stream) != (1, 0):  # later versions are for field names and have headers of any length
        raise ValueError("its NumPy format is not version 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ValueError(f"it holds values of type {dtype}, not numbers")
    count = 1
    for length in shape:
        count *= int(length)
    if not 0 < count <= MAX_RESOLUTION**3:
        raise ValueError(f"its header claims an array of shape {shape}, at most {MAX_RESOLUTION} a side are read")
    content = stream.read(count * dtype.itemsize)
    if len(content) != count * dtype.itemsize:
        raise ValueError("it ends before its last voxel")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _read_npz(data: bytes) -> np.ndarray:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        with archive.open(names[_choose(list(names))]) as stream:
            return parse_array(stream)


def _read_mat(data: bytes) -> np.ndarray:
    from scipy.io import loadmat, whosmat

    if data[:8] == b"\x89HDF\r\n\x1a\n" or data[:19] == b"MATLAB 7.3 MAT-file":
        raise ValueError("it is a MATLAB 7.3 (HDF5) file; save it with '-v7'")
    _check_mat_size(data)
    entries = {name: (shape, code) for name, shape, code in whosmat(io.BytesIO(data))}
    grids = [name for name, (shape, _) in entries.items() if len(shape) == 3]
    name = _choose(grids if len(grids) == 1 and not set(_KEYS) & set(entries) else list(entries))
    shape, code = entries[name]
    if not 0 < np.prod([float(length) for length in shape]) <= MAX_RESOLUTION**3:
        raise ValueError(f"'{name}' has the shape {shape}, at most {MAX_RESOLUTION} voxels a side are read")
    if code in ("cell", "struct", "object", "char", "function", "opaque", "sparse", "unknown"):
        raise ValueError(f"'{name}' is a {code}, not a grid of numbers")
    return loadmat(io.BytesIO(data), variable_names=[name])[name]


def _check_mat_size(data: bytes) -> None:
    """Refuse a MATLAB 5 file whose compressed entries unpack to more than a grid needs."""
    order = "little" if data[126:128] == b"IM" else "big"
    at, unpacked = 128, 0
    while at + 8 <= len(data):
        code, length = (int.from_bytes(data[at + n : at + n + 4], order) for n in (0, 4))
        if code == 15:  # miCOMPRESSED
            stream, rest = zlib.decompressobj(), data[at + 8 : at + 8 + length]
            while rest and not stream.eof:
                unpacked += len(stream.decompress(rest, 1 << 20))
                rest = stream.unconsumed_tail
                if unpacked > MAX_RESOLUTION**3 * 8 + (1 << 20):
                    raise ValueError(f"it unpacks to more than {unpacked >> 20} MB")
        at += 8 + length


def _choose(names: list[str]) -> str:
    """The entry that is the grid: one of the known names, or the only one."""
    for key in _KEYS:
        if key in names:
            return key
    if len(names) != 1:
        raise ValueError(f"it has the entries {', '.join(names[:8]) or '(none)'}; the grid must be called '{_KEYS[0]}'")
    return names[0]


def read_mesh(path: str | Path) -> trimesh.Trimesh:
    """The mesh in a file, all its objects as one, vertices at one place joined; coordinates as they stand in the file.

    Differs for glb, which is in metres, y up, and is turned to millimetres, z up, facing +y; and for 3mf, which says
    its unit and is turned to millimetres.

    Raises:
        UserError: Naming the file where it is missing, damaged, too large, or without faces.
    """
    path = Path(path)
    if kind(path) != "mesh":
        raise UserError(f"{path} is a grid file, not a mesh", hint=f"meshes: {' '.join(MESHES)}")
    suffix = path.suffix.lower()
    data = file_bytes(path, MAX_MESH_BYTES)
    mesh = guarded(read_off if suffix == ".off" else _through_trimesh(suffix), data, path)
    if not len(mesh.faces):
        raise UserError(f"{path} has no faces", f"{len(mesh.vertices)} points")
    if not np.isfinite(mesh.vertices).all():
        raise UserError(f"{path} has coordinates that are not numbers")
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise UserError(f"{path} is damaged: a face names a point that is not there")
    mesh.merge_vertices()
    return mesh.apply_transform(np.linalg.inv(GLB_FROM_MM)) if suffix == ".glb" else mesh


def _through_trimesh(suffix: str) -> Callable[[bytes], trimesh.Trimesh]:
    def read(data: bytes) -> trimesh.Trimesh:
        if suffix == ".3mf":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
                if unpacked > MAX_MESH_BYTES:
                    raise ValueError(f"it unpacks to {unpacked >> 20} MB, at most {MAX_MESH_BYTES >> 20} MB are read")
        if suffix == ".stl":
            check_stl(data)
        options = {"skip_materials": True} if suffix == ".obj" else {}
        scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], process=False, **options)
        found = [g for g in scene.dump() if isinstance(g, trimesh.Trimesh) and len(g.faces)]
        points = sum(len(getattr(g, "vertices", ())) for g in scene.geometry.values())
        if not found:
            raise ValueError(f"it has no faces, only {points} points" if points else "it has no faces")
        one = trimesh.util.concatenate(found)
        unit = _3MF_UNITS.get(str(scene.units), 1.0) if suffix == ".3mf" else 1.0
        return trimesh.Trimesh(one.vertices * unit, one.faces, process=False)

    return read


def check_stl(data: bytes) -> None:
    """Refuse what is neither a binary STL of the length that it says nor text with facets."""
    text = data[:5].lower() == b"solid"
    faces = int.from_bytes(data[80:84], "little") if len(data) >= 84 else 0
    surplus = len(data) - 84 - 50 * faces
    if faces and (surplus == 0 or (surplus > 0 and not text)):
        return
    if not text or b"vertex" not in data:
        raise ValueError("it is neither a whole binary STL nor a text one with facets")
    if b"endsolid" not in data[-1000:].lower():
        raise ValueError("it ends early: there is no 'endsolid'")


def read_off(data: bytes) -> trimesh.Trimesh:
    """OFF, with or without a line break after the word (ModelNet has both), polygons split into triangles."""
    text = re.sub(r"#[^\n]*", "", data.decode("ascii"))
    match = re.match(r"\s*(?:ST|C|N)*OFF", text)
    if not match:
        raise ValueError("it does not start with OFF")
    if match.group().strip() != "OFF":
        raise ValueError(f"it is of the kind {match.group().strip()}, only plain OFF is read")
    words = text[match.end() :].split()
    n_points, n_faces = int(words[0]), int(words[1])
    if n_points > 0 and n_faces > 0 and len(words) == 3 + 3 * n_points + 4 * n_faces:
        numbers = np.array(words[3:], dtype=np.float64)
        corners = numbers[3 * n_points :].reshape(-1, 4)
        if (corners[:, 0] == 3).all():  # points and triangles alone, as nearly always
            points = numbers[: 3 * n_points].reshape(-1, 3)
            return trimesh.Trimesh(points, corners[:, 1:].astype(np.int64), process=False)
    lines = text[match.end() :].split("\n")
    start = next(n for n, line in enumerate(lines) if line.strip())
    rows = [line for line in lines[start + 1 :] if line.strip()]
    if n_points < 0 or n_faces < 0 or len(rows) < n_points + n_faces:
        raise ValueError(f"it ends early: {n_points} points and {n_faces} faces announced, {len(rows)} lines follow")
    points = np.array([row.split()[:3] for row in rows[:n_points]], dtype=np.float64).reshape(-1, 3)
    faces = []
    for row in rows[n_points : n_points + n_faces]:
        words = row.split()
        corners = [int(word) for word in words[1 : 1 + int(words[0])]]
        if len(corners) != int(words[0]):
            raise ValueError(f"a face is not whole: {row[:40]}")
        faces.extend((corners[0], b, c) for b, c in zip(corners[1:], corners[2:], strict=False))
    return trimesh.Trimesh(points, np.array(faces, dtype=np.int64).reshape(-1, 3), process=False)


def write_mesh(path: str | Path, mesh: trimesh.Trimesh, colours: np.ndarray | None = None) -> None:
    """Write a mesh in millimetres; STL and PLY binary.

    Written whole or not at all.

    Args:
        colours: Of the vertices, uint8 `[V, 3]`, sRGB; obj, ply and glb keep them (glb in linear light, to be shown
            without any other, by its specification), stl, off and 3mf leave them out. 3mf says its unit, millimetre.
            glb is in metres, y up, facing +z by its specification, and is turned so; `read_mesh` turns it back.

    Raises:
        UserError: Where the file cannot be written.
    """
    path = Path(path)
    if kind(path) != "mesh":
        raise UserError(f"{path} is a grid file, not a mesh", hint=f"meshes: {' '.join(MESHES)}")
    suffix = path.suffix.lower()
    kept = {}
    if colours is not None and suffix in COLOURED:
        kept["vertex_colors"] = _linear(colours) if suffix == ".glb" else colours
    plain = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False, **kept)
    if suffix == ".3mf":
        data = _3mf_bytes(plain)
    else:
        if suffix == ".glb":
            plain.apply_transform(GLB_FROM_MM)
        options = {".off": {"digits": 9}, ".obj": {"digits": 9, "header": "maquette, millimetres"}}.get(suffix, {})
        if kept and suffix == ".glb":
            options = {"tree_postprocessor": _unlit}
        data = plain.export(file_type=suffix[1:], **options)
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(data.encode() if isinstance(data, str) else data)


def _linear(colours: np.ndarray) -> np.ndarray:
    """SRGB to linear light, uint8 both (IEC 61966-2-1)."""
    shares = colours / 255.0
    shares = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return np.round(255 * shares).astype(np.uint8)


def _unlit(tree: dict) -> None:
    """Give a glTF's meshes a material that shows vertex colours as they are, matt where a viewer knows no such."""
    tree["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 1},
                          "extensions": {"KHR_materials_unlit": {}}}]
    tree["extensionsUsed"] = [*tree.get("extensionsUsed", []), "KHR_materials_unlit"]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0


def _3mf_bytes(mesh: trimesh.Trimesh) -> bytes:
    """A 3MF package with one object, unit millimetre (3MF core specification 1.3)."""
    types = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
    )
    relations = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rel0" Target="/3D/3dmodel.model" '
        'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    )
    points = "".join(f'<vertex x="{x:.6f}" y="{y:.6f}" z="{z:.6f}"/>\n' for x, y, z in mesh.vertices.tolist())
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>\n' for a, b, c in mesh.faces.tolist())
    model = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<model unit="millimeter" xml:lang="en-US" '
        'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">'
        '<resources><object id="1" type="model"><mesh>\n'
        f'<vertices>\n{points}</vertices>\n<triangles>\n{faces}</triangles>\n</mesh></object></resources>'
        '<build><item objectid="1"/></build></model>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("[Content_Types].xml", types), ("_rels/.rels", relations), ("3D/3dmodel.model", model)):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def file_bytes(path: Path, limit: int) -> bytes:
    """A whole file, at most `limit` bytes; UserError naming it where it is missing, empty or larger."""
    try:
        if path.is_file() and path.stat().st_size > limit:
            size = path.stat().st_size >> 20
            raise UserError(f"{path} is too large", f"{size} MB", f"at most {limit >> 20} MB are read")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    if not data:
        raise UserError(f"{path} is empty")
    return data


def guarded(read: Callable, data: bytes, path: Path):
    """What `read` makes of a stranger's bytes; whatever it stumbles over is the file's fault, told in one line."""
    try:
        return read(data)
    except UserError:
        raise
    except Exception as error:  # parsers of damaged files raise anything: ValueError, KeyError, BadZipFile, ...
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(f"{path} cannot be read as {path.suffix[1:].lower()}: {reason}") from None
