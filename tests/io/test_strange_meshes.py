"""Mesh files as other programs write them are read, damaged ones are one line; by every reader of meshes."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from maquette.datasets.rows import RowOptions, make_rows
from maquette.datasets.sources import items_of, mesh_of
from maquette.errors import UserError
from maquette.geometry.shape import Shape
from maquette.io import formats
from maquette.io.formats.text import check_obj
from maquette.scans import read_intrinsics, read_scan

FAULTS = Path(__file__).parents[1] / "data" / "faults"
OPTIONS = RowOptions(16, 0, 0, 1, (), None, 0, 0.4)
READERS = {
    "mesh": formats.read_mesh, "surface": mesh_of, "shape": Shape.load,
    "row": lambda path: make_rows(items_of([path])[0], OPTIONS),
    "scan": lambda path: read_scan(path, 32, up="z"),
}


@pytest.mark.parametrize("name, faces, extents, volume", [  # F11
    ("cad.stl", 12, (30, 20, 10), 6000), ("trailing.stl", 12, (30, 20, 10), 6000),
    ("crlf-upper.stl", 12, (10, 10, 10), 1000), ("crlf-bom.off", 6, (2, 2, 2), 8 / 3),
    ("coloured.off", 6, (2, 2, 2), 8 / 3),
])
def test_files_of_other_programs_are_read(name, faces, extents, volume):
    mesh = formats.read_mesh(FAULTS / name)
    assert len(mesh.faces) == faces and mesh.is_volume and mesh.extents.tolist() == list(extents)
    assert abs(mesh.volume) == pytest.approx(volume)
    for read in READERS.values():
        read(FAULTS / name)


@pytest.mark.parametrize("suffix, change", [
    (suffix, change) for suffix in (".obj", ".off", ".stl", ".ply") for change in ("bom", "crlf", "cr", "latin-1")
    if suffix != ".ply" or change not in ("crlf", "cr")  # the PLY format has one sort of line end
])
def test_text_of_any_kind_is_read(tmp_path, suffix, change):  # F11
    box = trimesh.creation.box((1, 2, 3))
    kind = {".stl": "stl_ascii"}.get(suffix, suffix[1:])
    data = box.export(file_type=kind, **({"encoding": "ascii"} if suffix == ".ply" else {}))
    data = data.encode() if isinstance(data, str) else data
    if change == "bom":
        data = b"\xef\xbb\xbf" + data
    elif change != "latin-1":
        data = data.replace(b"\n", {"crlf": b"\r\n", "cr": b"\r"}[change])
    elif suffix == ".ply":
        data = data.replace(b"end_header", b"comment Schr\xe4nkchen\nend_header")
    elif suffix == ".stl":
        data = data.replace(b"solid ", b"solid Schr\xe4nkchen", 1)
    else:
        data = data.replace(b"\n", b"\n# Schr\xe4nkchen\n", 1)
    (tmp_path / f"a{suffix}").write_bytes(data)
    mesh = formats.read_mesh(tmp_path / f"a{suffix}")
    assert mesh.is_volume and np.allclose(sorted(mesh.extents), (1, 2, 3)) and mesh.volume == pytest.approx(6)


@pytest.mark.parametrize("name", ["e-30.obj", "e30.obj"])
@pytest.mark.filterwarnings("error")
def test_no_unit_is_too_small_or_too_large(name):  # F14
    size = 1e-30 if "-" in name else 1e30
    mesh = formats.read_mesh(FAULTS / name)
    assert mesh.is_volume and np.allclose(mesh.extents / size, 1)
    assert Shape.load(FAULTS / name, 8).voxels.all()
    for read in READERS.values():
        read(FAULTS / name)


@pytest.mark.parametrize("name, line", [
    ("ragged.obj", "line 6: a point has fewer than three coordinates: v 15.000000000"),
    ("missing-coordinate.obj", "line 3: a point has fewer than three coordinates: v 0 0"),
    ("zero.obj", "line 5: a face names point 0, the first is 1: f 0"),
])
@pytest.mark.parametrize("reader", READERS)
def test_damaged_objs_are_one_line_in_every_reader(reader, name, line):  # F14, F16
    with pytest.raises(UserError) as caught:
        READERS[reader](FAULTS / name)
    assert str(caught.value) == f"{FAULTS / name} cannot be read as obj: {line}"


@pytest.mark.parametrize("text", ["v 1 2 3\nf 1/0/0 10 20/3\n", "v 1 2 3 4\nv 0 0 0 1 1 1\nvt 0\nf -1 -2 -30\n"])
def test_a_good_obj_passes(text):
    check_obj(text.encode())


@pytest.mark.parametrize("text", ["f 1 2 0\n", "f 1//2 0//3 2\n", "f 0/1 2 3", "  f 3 -0 1\n", "v 1 2\n", "v 1"])
def test_a_bad_obj_does_not(text):
    with pytest.raises(ValueError):
        check_obj(text.encode())


def test_whole_numbers_are_in_the_sensors_unit_in_every_file():  # F6
    camera = read_intrinsics("300,300,160,120")
    picture = read_scan(FAULTS / "millimetres.png", 32, intrinsics=camera, depth_scale=1000)
    array = read_scan(FAULTS / "raw-millimetres.npy", 32, intrinsics=camera, depth_scale=1000)
    values = read_scan(np.load(FAULTS / "raw-millimetres.npy"), 32, intrinsics=camera)
    assert picture.cube_mm == array.cube_mm == values.cube_mm == pytest.approx(358.2, abs=0.1)
    assert np.array_equal(picture.voxels, array.voxels) and np.array_equal(array.voxels, values.voxels)
    metres = np.load(FAULTS / "raw-millimetres.npy") / np.float32(1000)
    assert read_scan(metres, 32, intrinsics=camera).cube_mm == pytest.approx(picture.cube_mm)
    with pytest.raises(UserError, match="depth_scale must be positive"):
        read_scan(FAULTS / "raw-millimetres.npy", 32, intrinsics=camera, depth_scale=0)
