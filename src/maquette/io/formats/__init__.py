"""Readers and writers by suffix: grids (binvox, npy, npz, mat) and meshes (stl, obj, ply, glb, 3mf, off).

Grids are float32 `[R, R, R]` in [0, 1], axes x, y, z. A grid that is not a cube is padded to one with empty voxels on
both sides. Meshes for printing are in millimetres, z up. Every file is treated as a stranger's: nothing is unpickled,
no file beside it is opened, and no size in a header is believed before it is checked.

Read `files` first (suffixes, limits, damaged files), then `grids` and `meshes`; `off`, `stl` and `threemf` are each one
format.
"""

from maquette.io.formats.files import GRIDS, MESHES, file_bytes, guarded, is_known, kind
from maquette.io.formats.grids import (
    MAX_RESOLUTION,
    checked_grid,
    npz_arrays,
    npz_names,
    parse_array,
    read_array,
    read_grid,
    write_grid,
)
from maquette.io.formats.meshes import MAX_COORDINATE, MAX_MESH_BYTES, check_stl, parse_scene, read_mesh, write_mesh
from maquette.io.formats.off import read_off

__all__ = [
    "GRIDS",
    "MAX_COORDINATE",
    "MAX_MESH_BYTES",
    "MAX_RESOLUTION",
    "MESHES",
    "check_stl",
    "checked_grid",
    "file_bytes",
    "guarded",
    "is_known",
    "kind",
    "npz_arrays",
    "npz_names",
    "parse_array",
    "parse_scene",
    "read_array",
    "read_grid",
    "read_mesh",
    "read_off",
    "write_grid",
    "write_mesh",
]
