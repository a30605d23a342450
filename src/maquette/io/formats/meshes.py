"""Mesh files: stl, obj, ply, glb, 3mf and off."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import UInt8

from maquette.errors import UserError
from maquette.io.atomic import atomic_path
from maquette.io.formats.files import MESHES, file_bytes, guarded, kind
from maquette.io.formats.off import read_off
from maquette.io.formats.threemf import UNITS_MM, threemf_bytes

COLOURED = (".obj", ".ply", ".glb")
"""Suffixes of mesh files that keep the colours of vertices."""
MAX_MESH_BYTES = 1 << 30
"""The largest mesh file that is read, unpacked."""
GLB_FROM_MM = np.array(((-1e-3, 0, 0, 0), (0, 0, 1e-3, 0), (0, 1e-3, 0, 0), (0, 0, 0, 1)))
"""glTF is in metres, y up, and its objects face +z: our x, y, z in millimetres are its -x, z, y in metres."""


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
    mesh.merge_vertices()
    return mesh.apply_transform(np.linalg.inv(GLB_FROM_MM)) if suffix == ".glb" else mesh


def _require_mesh(path: Path) -> None:
    if kind(path) != "mesh":
        raise UserError(f"{path} is a grid file, not a mesh", hint=f"meshes: {' '.join(MESHES)}")


def _through_trimesh(data: bytes, suffix: str) -> trimesh.Trimesh:
    if suffix == ".3mf":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > MAX_MESH_BYTES:
                raise ValueError(f"it unpacks to {unpacked >> 20} MB, at most {MAX_MESH_BYTES >> 20} MB are read")
    if suffix == ".stl":
        check_stl(data)
    if suffix == ".obj":
        scene = trimesh.load_scene(io.BytesIO(data), file_type="obj", process=False, skip_materials=True)
    else:
        scene = trimesh.load_scene(io.BytesIO(data), file_type=suffix[1:], process=False)
    found = [g for g in scene.dump() if isinstance(g, trimesh.Trimesh) and len(g.faces)]
    points = sum(len(getattr(g, "vertices", ())) for g in scene.geometry.values())
    if not found:
        raise ValueError(f"it has no faces, only {points} points" if points else "it has no faces")
    one = trimesh.util.concatenate(found)
    assert isinstance(one, trimesh.Trimesh)
    unit = UNITS_MM.get(str(scene.units), 1.0) if suffix == ".3mf" else 1.0
    return trimesh.Trimesh(one.vertices * unit, one.faces, process=False)


def check_stl(data: bytes) -> None:
    """Refuses what is neither a binary STL, as long as its header says, nor a text STL with facets.

    Raises:
        ValueError: Saying what is wrong.
    """
    text = data[:5].lower() == b"solid"
    faces = int.from_bytes(data[80:84], "little") if len(data) >= 84 else 0
    surplus = len(data) - 84 - 50 * faces
    if faces and (surplus == 0 or (surplus > 0 and not text)):
        return
    if not text or b"vertex" not in data:
        raise ValueError("it is neither a whole binary STL nor a text one with facets")
    if b"endsolid" not in data[-1000:].lower():
        raise ValueError("it ends early: there is no 'endsolid'")


def write_mesh(path: str | Path, mesh: trimesh.Trimesh, colours: UInt8[np.ndarray, "v 3"] | None = None) -> None:
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
    plain = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False, vertex_colors=kept)
    data = _encoded(plain, suffix, kept is not None)
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(data.encode() if isinstance(data, str) else data)


def _encoded(mesh: trimesh.Trimesh, suffix: str, coloured: bool) -> bytes | str:
    data: dict[Any, Any] | bytes | str
    if suffix == ".3mf":
        data = threemf_bytes(mesh)
    elif suffix == ".off":
        data = mesh.export(file_type="off", digits=9)
    elif suffix == ".obj":
        data = mesh.export(file_type="obj", digits=9, header="maquette, millimetres")
    elif suffix == ".glb":
        turned = mesh.apply_transform(GLB_FROM_MM)
        data = turned.export(file_type="glb", tree_postprocessor=_unlit) if coloured else turned.export(file_type="glb")
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
