"""Mesh files: stl, obj, ply, glb, 3mf and off."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from maquette.errors import UserError
from maquette.io.atomic import atomic_path
from maquette.io.formats.files import MESHES, file_bytes, guarded, kind
from maquette.io.formats.off import read_off
from maquette.io.formats.stl import stl_bytes
from maquette.io.formats.text import check_obj, plain_text
from maquette.io.formats.threemf import UNITS_MM, bodies, stored, threemf_bytes

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Float64, Int64, UInt8

COLOURED = (".obj", ".ply", ".glb")
"""Suffixes of mesh files that keep the colours of vertices."""
MAX_MESH_BYTES = 1 << 30
"""The largest mesh file that is read, unpacked."""
MAX_XML_BYTES = 1 << 28
"""The most that a 3mf file may unpack to; XML takes several times its size in memory."""
MAX_COORDINATE = 1e60
"""The largest coordinate that is read: products of three of them stay numbers."""
GLB_FROM_MM = np.array(((-1e-3, 0, 0, 0), (0, 0, 1e-3, 0), (0, 1e-3, 0, 0), (0, 0, 0, 1)))
"""glTF is in metres, y up, and its objects face +z: our x, y, z in millimetres are its -x, z, y in metres."""


@runtime_checkable
class TriangleMesh(Protocol):
    """Anything with vertices `[V, 3]` and faces `[F, 3]`, such as a `trimesh.Trimesh`."""

    @property
    def vertices(self) -> ArrayLike:
        """Positions `[V, 3]`."""
        ...

    @property
    def faces(self) -> ArrayLike:
        """Indices of the vertices at the corners of each triangle `[F, 3]`."""
        ...


def read_mesh(path: str | Path) -> trimesh.Trimesh:
    """The mesh in a file: all its objects as one, vertices at one place joined, coordinates as they are in the file.

    Two formats are converted to millimetres, z up: glb, which is in metres, y up, facing +z; and 3mf, which names its
    unit.

    Raises:
        UserError: Naming the file, when it is missing, damaged, too large or without faces.
    """
    path = Path(path)
    _require_mesh(path)
    suffix = path.suffix.lower()
    data = file_bytes(path, MAX_MESH_BYTES)
    mesh = guarded(read_off if suffix == ".off" else lambda data: _through_trimesh(data, suffix), data, path)
    if not len(mesh.faces):
        raise UserError(f"{path} has no faces", f"{len(mesh.vertices)} points")
    if not np.isfinite(mesh.vertices).all():
        raise UserError(f"{path} has coordinates that are not numbers")
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise UserError(f"{path} is damaged: a face names a point that is not there")
    furthest = float(np.abs(mesh.vertices).max())
    if furthest > MAX_COORDINATE:
        raise UserError(f"{path} has coordinates that are too large for any unit", f"{furthest:g}")
    _join(mesh, furthest)
    return mesh.apply_transform(np.linalg.inv(GLB_FROM_MM)) if suffix == ".glb" else mesh


def _join(mesh: trimesh.Trimesh, furthest: float) -> None:
    """Joins vertices at one place; of a mesh that is tiny or huge in its unit, in a unit that fits (a power of two).

    trimesh takes what is nearer than 1e-8 for one place, and coordinates above 9e10 for numbers that it cannot hold.
    """
    if 1e-3 <= furthest <= 1e9 or furthest == 0:
        mesh.merge_vertices()
        return
    unit = 2.0 ** np.floor(np.log2(furthest))
    mesh.vertices = mesh.vertices / unit
    mesh.merge_vertices()
    mesh.vertices = mesh.vertices * unit


def _require_mesh(path: Path) -> None:
    if kind(path) != "mesh":
        raise UserError(f"{path} is a grid file, not a mesh", hint=f"meshes: {' '.join(MESHES)}")


def _through_trimesh(data: bytes, suffix: str) -> trimesh.Trimesh:
    import trimesh

    scene = parse_scene(data, suffix)
    found = [g for g in scene.dump() if isinstance(g, trimesh.Trimesh) and len(g.faces)]
    points = sum(len(getattr(g, "vertices", ())) for g in scene.geometry.values())
    if not found:
        raise ValueError(f"it has no faces, only {points} points" if points else "it has no faces")
    one = trimesh.util.concatenate(found)
    assert isinstance(one, trimesh.Trimesh)
    unit = UNITS_MM.get(str(scene.units), 1.0) if suffix == ".3mf" else 1.0
    return trimesh.Trimesh(one.vertices * unit, one.faces, process=False)


def parse_scene(data: bytes, suffix: str) -> trimesh.Scene:
    """What a stranger's file holds, through trimesh: meshes, points and paths, every point with three coordinates.

    Args:
        data: The content of the file.
        suffix: `.stl`, `.obj`, `.ply`, `.glb` or `.3mf`.

    Raises:
        ValueError: Saying what is wrong; trimesh may raise anything else.
    """
    import trimesh

    if suffix == ".stl":
        data = _whole_stl(data)
    if suffix == ".ply":
        data = _plain_ply(data)
    if suffix == ".obj":
        data = plain_text(data)
        check_obj(data)
        scene = trimesh.load_scene(io.BytesIO(data), file_type="obj", process=False, skip_materials=True)
    elif suffix == ".3mf":
        scene = _scene_of_3mf(stored(data, MAX_XML_BYTES))
    else:
        scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], process=False)
    for geometry in scene.geometry.values():
        places = np.asarray(getattr(geometry, "vertices", np.zeros((0, 3))))
        if places.size and (places.ndim != 2 or places.shape[1] != 3 or places.dtype.kind not in "iuf"):
            raise ValueError("its points do not have three coordinates each")
    return scene


def _scene_of_3mf(data: bytes) -> trimesh.Scene:
    """The bodies of a 3MF file where they are built, and those that are not built; their unit is the file's."""
    import trimesh

    scene = trimesh.Scene(base_frame="world")
    found, unit = bodies(data)
    for number, body in enumerate(found):
        mesh = trimesh.Trimesh(body.vertices, body.faces, process=False)
        mesh.units = unit
        scene.geometry[str(number)] = mesh
        for copy, place in enumerate(body.places):
            scene.graph.update(f"{number}.{copy}", "world", matrix=place, geometry=str(number))
    return scene


def check_stl(data: bytes) -> None:
    """Refuses what is neither a binary STL, as long as its header says, nor a text STL with facets.

    Raises:
        ValueError: Saying what is wrong.
    """
    _whole_stl(data)


def _whole_stl(data: bytes) -> bytes:
    """A binary STL without what programs write behind its last face, or a text one in small letters.

    Raises:
        ValueError: If it is neither.
    """
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:5].lower() == b"solid"
    faces = int.from_bytes(data[80:84], "little") if len(data) >= 84 else 0
    surplus = len(data) - 84 - 50 * faces
    if faces and (surplus == 0 or (surplus > 0 and not (text and b"facet" in data[:2000].lower()))):
        return data[: 84 + 50 * faces]
    if not text or b"vertex" not in data.lower():
        raise ValueError("it is neither a whole binary STL nor a text one with facets")
    if b"endsolid" not in data[-1000:].lower():
        raise ValueError("it ends early: there is no 'endsolid'")
    data = plain_text(data).lstrip()
    return data if b"vertex" in data else data.lower()


def _plain_ply(data: bytes) -> bytes:
    """A PLY file whose header is ASCII: comments and names may be in any encoding."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    end = data.find(b"end_header")
    if end < 0 or data[:end].isascii():
        return data
    return bytes(byte if byte < 128 else 63 for byte in data[:end]) + data[end:]


def write_mesh(path: str | Path, mesh: TriangleMesh, colours: UInt8[np.ndarray, "v 3"] | None = None) -> None:
    """Write a mesh in millimetres, z up, in the format of the suffix; STL and PLY are binary.

    glb is in metres, y up, facing +z by its specification: the mesh is converted, and `read_mesh` converts it back.

    Args:
        path: The file; it is written whole or not at all.
        mesh: In millimetres, z up.
        colours: sRGB of the vertices. obj, ply and glb keep them, the others leave them out. A glb has them in linear
            light and with a material that needs no lamp.

    Raises:
        UserError: For an unknown suffix, and when the file cannot be written.
    """
    path = Path(path)
    _require_mesh(path)
    suffix = path.suffix.lower()
    kept = colours if suffix in COLOURED else None
    if kept is not None and suffix == ".glb":
        kept = _linear(kept)
    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    data = (stl_bytes(vertices, faces) if suffix == ".stl" else threemf_bytes(vertices, faces) if suffix == ".3mf" else
            _through_library(vertices, faces, suffix, kept))
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(data.encode() if isinstance(data, str) else data)


def _through_library(
    vertices: Float64[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], suffix: str,
    colours: UInt8[np.ndarray, "v 3"] | None,
) -> bytes | str:
    """The content of a file that trimesh writes."""
    import trimesh

    data: dict[Any, Any] | bytes | str
    mesh = trimesh.Trimesh(vertices, faces, process=False, vertex_colors=colours)
    if suffix == ".off":
        data = mesh.export(file_type="off", digits=9)
    elif suffix == ".obj":
        data = mesh.export(file_type="obj", digits=9, header="maquette, millimetres")
    elif suffix == ".glb":
        turned = mesh.apply_transform(GLB_FROM_MM)
        data = turned.export(file_type="glb", tree_postprocessor=None if colours is None else _unlit)
    else:
        data = mesh.export(file_type=suffix[1:])
    assert not isinstance(data, dict)
    return data


def _linear(colours: UInt8[np.ndarray, "v 3"]) -> UInt8[np.ndarray, "v 3"]:
    """Colours in sRGB converted to linear light (IEC 61966-2-1)."""
    shares = colours / 255.0
    shares = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return np.round(255 * shares).astype(np.uint8)


def _unlit(tree: dict[str, Any]) -> None:
    """Gives a glTF's meshes a material that shows vertex colours without light; viewers that lack it show a matt one.

    Extension KHR_materials_unlit. `tree` is the glTF's JSON; trimesh calls this before it is written.
    """
    tree["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 1},
                          "extensions": {"KHR_materials_unlit": {}}}]
    tree["extensionsUsed"] = [*tree.get("extensionsUsed", []), "KHR_materials_unlit"]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0
