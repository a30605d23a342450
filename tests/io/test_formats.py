"""Files: round trips that lose nothing, real files, and hostile ones."""

import io
import json
import re
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest
import trimesh

from maquette.errors import UserError
from maquette.io import formats


@pytest.fixture
def part() -> trimesh.Trimesh:
    """A lopsided mesh in millimetres, standing on z = 0."""
    box = trimesh.creation.box((40, 30, 20)).apply_translation((3, 5, 10))
    return trimesh.util.concatenate([box, trimesh.creation.icosphere(2, 10).apply_translation((60, 0, 10))])


@pytest.fixture
def grid() -> np.ndarray:
    return (np.random.default_rng(0).random((17, 17, 17)) < 0.3).astype(np.float32)


@pytest.mark.parametrize("suffix", [*formats.MESHES, ".STL"])
def test_meshes_come_back_as_they_were(part, tmp_path, suffix):
    path = tmp_path / f"part{suffix}"
    formats.write_mesh(path, part)
    again = formats.read_mesh(path)
    assert again.bounds == pytest.approx(part.bounds, abs=1e-4)
    assert again.volume == pytest.approx(part.volume, rel=1e-5)
    assert len(again.faces) == len(part.faces) and again.is_volume and again.body_count == 2
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_glb_is_in_metres_with_y_up_and_faces_z(tmp_path):
    mesh = trimesh.creation.box((10, 20, 30)).apply_translation((0, 100, 0))
    formats.write_mesh(tmp_path / "box.glb", mesh)
    raw = trimesh.load_scene(tmp_path / "box.glb")
    assert raw.extents == pytest.approx([0.010, 0.030, 0.020])
    assert raw.bounds.mean(0) == pytest.approx([0, 0, 0.1], abs=1e-7)  # our front, +y, is glTF's +z


def test_colours_of_vertices_are_kept_by_what_can_keep_them(part, tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (len(part.vertices), 3)).astype(np.uint8)
    for suffix in formats.MESHES:
        path = tmp_path / f"part{suffix}"
        formats.write_mesh(path, part, colours)
        back = formats.read_mesh(path)
        assert back.volume == pytest.approx(part.volume, rel=1e-4), suffix
        if suffix in (".ply", ".obj"):
            kept = trimesh.load(path, process=False, maintain_order=True)
            assert np.array_equal(kept.visual.vertex_colors[:, :3], colours), suffix
    scene = trimesh.load_scene(tmp_path / "part.glb", process=False)
    (kept,) = scene.geometry.values()
    shares = colours / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    stored = kept.visual.vertex_attributes["color"] if kept.visual.kind == "texture" else kept.visual.vertex_colors
    assert np.array_equal(stored[:, :3], np.round(255 * linear))
    data = (tmp_path / "part.glb").read_bytes()
    tree = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    assert tree["materials"][0]["extensions"] == {"KHR_materials_unlit": {}}
    assert tree["extensionsUsed"] == ["KHR_materials_unlit"] and tree["meshes"][0]["primitives"][0]["material"] == 0
    formats.write_mesh(tmp_path / "plain.glb", part)
    assert b"COLOR_0" in data and b"COLOR_0" not in (tmp_path / "plain.glb").read_bytes()


def test_3mf_says_millimetres_and_other_units_are_heeded(part, tmp_path):
    path = tmp_path / "part.3mf"
    formats.write_mesh(path, part)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert b'unit="millimeter"' in contents["3D/3dmodel.model"]
    with zipfile.ZipFile(tmp_path / "inch.3mf", "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data.replace(b'unit="millimeter"', b'unit="inch"'))
    assert formats.read_mesh(tmp_path / "inch.3mf").extents == pytest.approx(part.extents * 25.4)


@pytest.mark.parametrize("suffix", formats.GRIDS)
def test_grids_come_back_bit_for_bit(grid, tmp_path, suffix):
    formats.write_grid(tmp_path / f"grid{suffix}", grid)
    again = formats.read_grid(tmp_path / f"grid{suffix}")
    assert np.array_equal(again, grid) and again.dtype == np.float32


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
def test_probabilities_come_back_bit_for_bit(tmp_path, suffix):
    soft = np.random.default_rng(0).random((9, 9, 9), dtype=np.float32)
    formats.write_grid(tmp_path / f"soft{suffix}", soft)
    assert np.array_equal(formats.read_grid(tmp_path / f"soft{suffix}"), soft)


def test_binvox_holds_what_reaches_the_threshold_and_its_axes_are_x_z_y(tmp_path):
    soft = np.zeros((5, 5, 5), np.float32)
    soft[1, 2, 3], soft[4, 0, 0] = 0.6, 0.4
    formats.write_grid(tmp_path / "a.binvox", soft)
    assert np.argwhere(formats.read_grid(tmp_path / "a.binvox")).tolist() == [[1, 2, 3]]
    runs = (tmp_path / "a.binvox").read_bytes().partition(b"\ndata\n")[2]
    before = 1 * 25 + 3 * 5 + 2
    assert runs == bytes([0, before, 1, 1, 0, 125 - before - 1])
    formats.write_grid(tmp_path / "full.binvox", np.ones((20, 20, 20)))  # runs longer than 255
    assert formats.read_grid(tmp_path / "full.binvox").all()


def test_a_grid_that_is_no_cube_is_padded_in_the_middle(tmp_path):
    np.save(tmp_path / "flat.npy", np.ones((4, 8, 5), np.uint8))
    grid = formats.read_grid(tmp_path / "flat.npy")
    assert grid.shape == (8, 8, 8) and grid.sum() == 4 * 8 * 5 and grid[2:6, :, 1:6].all()


def test_a_batch_of_one_is_a_grid_and_fortran_order_is_heeded(grid, tmp_path):
    np.save(tmp_path / "one.npy", np.asfortranarray(grid[None, None].astype(np.float64)))
    assert np.array_equal(formats.read_grid(tmp_path / "one.npy"), grid)


def test_the_entries_of_npz_and_mat(grid, tmp_path):
    from scipy.io import savemat

    np.savez(tmp_path / "a.npz", voxels=grid, label=3)
    assert np.array_equal(formats.read_grid(tmp_path / "a.npz"), grid)
    savemat(tmp_path / "a.mat", {"shape_of_it": grid.astype(np.uint8), "name": "chair"})
    assert np.array_equal(formats.read_grid(tmp_path / "a.mat"), grid)
    np.savez(tmp_path / "b.npz", train=grid, test=grid)
    with pytest.raises(UserError, match="entries train, test; the grid must be called 'occupancy'"):
        formats.read_grid(tmp_path / "b.npz")


OFF = "4 4 6\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"


@pytest.mark.parametrize(
    "text",
    ["OFF\n" + OFF, "OFF" + OFF, "OFF " + OFF, "OFF\r\n" + OFF.replace("\n", "\r\n"), "# a chair\nOFF\n\n" + OFF,
     "OFF\n" + OFF.replace("3 0 2 1\n", "3 0 2 1 255 0 0\n")],
    ids=["lines", "glued", "space", "crlf", "comment", "colours"],
)
def test_off_in_all_its_spellings(tmp_path, text):
    (tmp_path / "a.off").write_bytes(text.encode())
    mesh = formats.read_mesh(tmp_path / "a.off")
    assert mesh.is_volume and mesh.volume == pytest.approx(1 / 6)


def test_off_polygons_are_split(tmp_path):
    (tmp_path / "a.off").write_text("OFF\n5 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n0 0 1\n4 0 1 2 3\n3 0 1 4\n")
    mesh = formats.read_mesh(tmp_path / "a.off")
    assert len(mesh.faces) == 3 and mesh.area == pytest.approx(1.5)


def test_real_meshes(shared):
    off = formats.read_mesh(shared / "meshes" / "toilet_0345.off")
    obj = formats.read_mesh(shared / "meshes" / "toilet_0345.obj")
    assert len(off.faces) == len(obj.faces) == 6116
    assert off.extents == pytest.approx([13.8, 22.1528, 17.5], abs=1e-3)
    assert obj.extents == pytest.approx(off.extents, abs=1e-3) and obj.area == pytest.approx(off.area, rel=1e-4)
    assert formats.read_mesh(shared / "meshes" / "chair.off").extents == pytest.approx([30.84, 30.93, 44.18], abs=0.01)


def test_the_real_binvox_lies_on_its_obj(shared):
    from scipy.spatial import cKDTree

    grid = formats.read_grid(shared / "meshes" / "toilet_0345_256.binvox") > 0.5
    mesh = formats.read_mesh(shared / "meshes" / "toilet_0345.obj")
    low, scale = np.array([-6.9, -11.0764, -8.75]), 22.1528  # translate and scale of its header
    surface = cKDTree((trimesh.sample.sample_surface(mesh, 60000, seed=0)[0] - low) / scale * 256)

    def away(voxels):
        inner = voxels.copy()
        inner[1:-1, 1:-1, 1:-1] &= voxels[:-2, 1:-1, 1:-1] & voxels[2:, 1:-1, 1:-1] & voxels[1:-1, :-2, 1:-1]
        inner[1:-1, 1:-1, 1:-1] &= voxels[1:-1, 2:, 1:-1] & voxels[1:-1, 1:-1, :-2] & voxels[1:-1, 1:-1, 2:]
        shell = np.argwhere(voxels & ~inner)[::20]
        return np.median(surface.query(shell + 0.5)[0])

    assert away(grid) < 1.6
    for turned in (grid.transpose(0, 2, 1), grid.transpose(1, 0, 2), grid[::-1], grid[:, ::-1], grid[:, :, ::-1]):
        assert away(turned) > 2.5


def test_real_mat_files(shared):
    for path, side in ((sorted((shared / "ikea" / "Voxels").glob("*.mat"))[0], 20),
                       (sorted((shared / "modelnet10" / "volumetric_data").rglob("*.mat"))[0], 30)):
        grid = formats.read_grid(path)
        assert grid.shape == (side,) * 3 and set(np.unique(grid)) == {0, 1}


def test_an_unknown_suffix_names_the_nearest():
    with pytest.raises(UserError, match=r"chair.stll: unknown format, got '.stll'; did you mean .stl\? known: .stl"):
        formats.kind("chair.stll")
    with pytest.raises(UserError, match="known: .stl .obj .ply .glb .3mf .off .binvox .npy .npz .mat"):
        formats.kind("chair")


def npy_header(text: str) -> bytes:
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def saved(values) -> bytes:
    out = io.BytesIO()
    np.save(out, values, allow_pickle=True)
    return out.getvalue()


def mat_bomb() -> bytes:
    """A MATLAB 5 file of one compressed entry of some kilobytes that unpacks to far more."""
    packer = zlib.compressobj(9)
    packed = packer.compress(struct.pack("<II", 14, 1 << 23) + bytes(1 << 23)) + packer.flush()
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    return header + struct.pack("<II", 15, len(packed)) + packed


HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000, 100000)}"
BINVOX = b"#binvox 1\ndim 2 2 2\ntranslate 0 0 0\nscale 1\ndata\n"
HOSTILE_GRIDS = {
    "empty.binvox": (b"", "is empty"),
    "garbage.binvox": (b"\x00\x01garbage" * 20, "no binvox header"),
    "huge.binvox": (BINVOX.replace(b"2 2 2", b"100000 100000 100000") + b"\x00\xff", "claims 100000x100000x100000"),
    "negative.binvox": (BINVOX.replace(b"2 2 2", b"-2 2 2") + b"\x00\x08", "no three sizes"),
    "zero.binvox": (BINVOX.replace(b"2 2 2", b"0 2 2") + b"\x00\x08", "claims 0x2x2"),
    "short.binvox": (BINVOX + b"\x01\x07", "its runs hold 7 voxels, the header says 8"),
    "long.binvox": (BINVOX + b"\x01\x04\x00\x05", "its runs hold 9 voxels, the header says 8"),
    "odd.binvox": (BINVOX + b"\x01\x08\x01", "ends in the middle of a run"),
    "cut.binvox": (BINVOX, "ends in the middle of a run"),
    "values.binvox": (BINVOX + b"\x07\x08", "voxels are 0 or 1, found 7"),
    "empty.npy": (b"", "is empty"),
    "garbage.npy": (b"not an array at all", "cannot be read as npy"),
    "pickled.npy": (saved(np.array([{"a": 1}], dtype=object)), "values of type object"),
    "text.npy": (saved(np.full((2, 2, 2), "a")), "values of type <U1"),
    "huge.npy": (npy_header(HUGE), r"claims an array of shape \(100000, 100000, 100000\)"),
    "cut.npy": (saved(np.ones((4, 4, 4)))[:-9], "ends before its last voxel"),
    "stack.npy": (saved(np.ones((3, 4, 4, 4))), "a grid has three axes"),
    "flat.npy": (saved(np.ones((4, 4))), "a grid has three axes"),
    "range.npy": (saved(np.full((4, 4, 4), 255, np.uint8)), r"must lie in \[0, 1\], got values from 255 to 255"),
    "nan.npy": (saved(np.full((4, 4, 4), np.nan)), r"must lie in \[0, 1\]"),
    "long.npy": (saved(np.zeros((1, 1, 600), np.uint8)), "may have 512 voxels a side"),
    "garbage.npz": (b"PK\x03\x04 not a zip", "cannot be read as npz"),
    "huge.npz": (zipped("occupancy.npy", npy_header(HUGE)), "claims an array of shape"),
    "bomb.npz": (zipped("occupancy.npy", npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1 << 62,)}")),
                 "cannot be read as npz"),
    "nothing.npz": (zipped("readme.txt", b"hello"), "cannot be read as npz"),
    "pickled.npz": (zipped("occupancy.npy", saved(np.array([None]))), "values of type object"),
    "garbage.mat": (b"garbage" * 40, "cannot be read as mat"),
    "cut.mat": (b"MATLAB 5.0 MAT-file", "cannot be read as mat"),
    "new.mat": (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512), "MATLAB 7.3 .HDF5. file; save it with '-v7'"),
}
HOSTILE_MESHES = {
    "empty.stl": (b"", "is empty"),
    "text.stl": (b"Dear printer, please print a chair. " * 10, "neither a whole binary STL nor a text one"),
    "solid.stl": (b"solid as a rock, but not a mesh. " * 10, "neither a whole binary STL nor a text one"),
    "cut.stl": (bytes(80) + struct.pack("<I", 100) + bytes(50 * 99), "neither a whole binary STL"),
    "huge.stl": (bytes(80) + struct.pack("<I", 2**32 - 1) + bytes(100), "neither a whole binary STL"),
    "half.stl": (b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n", "no 'endsolid'"),
    "none.stl": (bytes(84), "neither a whole binary STL"),
    "nan.stl": (bytes(80) + struct.pack("<I12fH", 1, *[np.nan] * 12, 0), "not numbers"),
    "garbage.obj": (b"\xff\xfe\x00garbage" * 30, "cannot be read as obj"),
    "points.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "cannot be read as obj: it has no faces"),
    "points.ply": (b"ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\n"
                   b"end_header\n0 0 0\n1 1 1\n", "no faces"),
    "huge.ply": (b"ply\nformat binary_little_endian 1.0\nelement vertex 99999999999\nproperty float x\n"
                 b"property float y\nproperty float z\nend_header\n0000", "cannot be read as ply"),
    "garbage.ply": (b"plyplyply" * 9, "cannot be read as ply"),
    "garbage.glb": (b"glTF\x02\x00\x00\x00\xff\xff\xff\x7f" + b"\xff" * 40, "cannot be read as glb"),
    "garbage.3mf": (b"PK\x03\x04 not a zip", "cannot be read as 3mf"),
    "other.3mf": (zipped("readme.txt", b"hello"), "cannot be read as 3mf"),
    "garbage.off": (b"\xff\x00\x80" * 50, "cannot be read as off"),
    "other.off": (b"hello 1 2 3", "does not start with OFF"),
    "binary.off": (b"OFF BINARY\n" + bytes(100), "it is binary, only text is read"),
    "word.off": (b"OFF", "cannot be read as off"),
    "cut.off": (b"OFF\n" + OFF.encode()[:40], "ends early: 4 points and 4 faces announced"),
    "huge.off": (b"OFF\n999999999999 999999999999 0\n0 0 0\n", "ends early"),
    "index.off": (b"OFF\n" + OFF.encode().replace(b"3 1 2 3", b"3 1 2 9"), "names a point that is not there"),
    "points.off": (b"OFF\n2 0 0\n0 0 0\n1 1 1\n", "has no faces, got 2 points"),
}


@pytest.mark.parametrize("name", [*HOSTILE_GRIDS, *HOSTILE_MESHES])
def test_hostile_files_are_one_line_naming_the_file(tmp_path, name):
    data, line = {**HOSTILE_GRIDS, **HOSTILE_MESHES}[name]
    path = tmp_path / name
    path.write_bytes(data)
    read = formats.read_grid if formats.kind(path) == "grid" else formats.read_mesh
    with warnings.catch_warnings(), pytest.raises(UserError) as error:
        warnings.simplefilter("error")
        read(path)
    told = str(error.value)
    assert "\n" not in told and len(told) < 400 and str(path) in told
    assert re.search(line, told), told


def test_a_mat_file_is_not_unpacked_further_than_a_grid_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(formats.grids, "MAX_RESOLUTION", 64)
    (tmp_path / "bomb.mat").write_bytes(mat_bomb())
    with pytest.raises(UserError, match="bomb.mat cannot be read as mat: it unpacks to more than 3 MB"):
        formats.read_grid(tmp_path / "bomb.mat")


def test_files_that_are_not_there_or_are_folders(tmp_path):
    with pytest.raises(UserError, match="cannot read .*no.stl: No such file"):
        formats.read_mesh(tmp_path / "no.stl")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(UserError, match="cannot read .*folder.npy"):
        formats.read_grid(tmp_path / "folder.npy")


def test_nothing_is_opened_beside_an_obj(tmp_path):
    (tmp_path / "a.obj").write_text("mtllib ../secret.mtl\nusemtl x\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert len(formats.read_mesh(tmp_path / "a.obj").faces) == 1


def test_grids_and_meshes_are_not_mixed_up(part, grid, tmp_path):
    with pytest.raises(UserError, match="a.stl is a mesh file, not a grid"):
        formats.write_grid(tmp_path / "a.stl", grid)
    with pytest.raises(UserError, match="a.npy is a grid file, not a mesh"):
        formats.write_mesh(tmp_path / "a.npy", part)


@pytest.mark.parametrize("make", [trimesh.creation.icosphere, trimesh.creation.box])
def test_an_stl_has_the_bytes_that_trimesh_writes(make, tmp_path):
    mesh = make()
    mesh.apply_transform(trimesh.transformations.rotation_matrix(0.3, (1, 2, 3)))
    mesh.faces = np.concatenate([mesh.faces, [[0, 1, 1]]])  # and one without an area
    formats.write_mesh(tmp_path / "own.stl", mesh)
    own, other = (tmp_path / "own.stl").read_bytes(), mesh.export(file_type="stl")
    kind = np.dtype([("normal", "<f4", 3), ("corners", "<f4", 9), ("attribute", "<u2")])
    own, other = (np.frombuffer(data, kind, offset=84) for data in (own, other))
    assert np.array_equal(own["corners"], other["corners"]) and not own["attribute"].any()
    assert np.allclose(own["normal"], other["normal"], atol=1e-6)
    assert (tmp_path / "own.stl").read_bytes()[:84] == mesh.export(file_type="stl")[:84]


def packed(**parts: str) -> bytes:
    """A 3MF archive of these parts of the folder 3D, with the core's namespace and that of the production extension."""
    out = io.BytesIO()
    head = ('<?xml version="1.0"?><model unit="centimeter" '
            'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" '
            'xmlns:p="http://schemas.microsoft.com/3dmanufacturing/production/2015/06">')
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(f"3D/{name}.model", f"{head}{text}</model>")
    return out.getvalue()


def block(number: int, side: float) -> str:
    """An object that is a box, in 3MF's XML."""
    box = trimesh.creation.box((side,) * 3)
    points = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in box.vertices)
    corners = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in box.faces)
    return (f'<object id="{number}"><mesh><vertices>{points}</vertices><triangles>{corners}</triangles></mesh>'
            '</object>')


PLACED = {"3dmodel": (
    f'<resources>{block(1, 2)}{block(2, 1)}{block(7, 3)}'
    '<object id="3"><components><component objectid="1"/>'
    '<component objectid="2" transform="0 1 0 -1 0 0 0 0 2 5 0 0"/></components></object>'
    '<object id="4"><components><component objectid="3" transform="1 0 0 0 1 0 0 0 1 0 0 9"/></components></object>'
    '</resources><build><item objectid="3"/><item objectid="4" transform="1 0 0 0 1 0 0 0 1 20 0 0"/>'
    '<item objectid="1" transform="1 0 0 0 1 0 0 0 1 0 30 0"/></build>')}
"""Boxes that are placed once and more, in others and turned; and one that is not built."""


def test_objects_of_a_3mf_are_where_trimesh_puts_them(tmp_path):
    data = packed(**PLACED)
    (tmp_path / "a.3mf").write_bytes(data)
    made = formats.read_mesh(tmp_path / "a.3mf")
    scene = trimesh.load_scene(io.BytesIO(data), file_type="3mf", process=False)
    theirs = trimesh.util.concatenate(scene.dump())
    assert made.bounds == pytest.approx(10 * theirs.bounds) and len(made.faces) == len(theirs.faces) == 5 * 12
    assert made.volume == pytest.approx(1000 * theirs.volume)
    ours = formats.parse_scene(data, ".3mf")
    assert sorted(map(len, (one.faces for one in ours.geometry.values()))) == [12, 12, 12]
    assert sorted(one.volume for one in ours.geometry.values()) == pytest.approx([1, 8, 27])


def test_objects_in_other_parts_of_a_3mf_are_read(tmp_path):
    main = ('<resources><object id="1"><components><component p:path="/3D/other.model" objectid="5"/></components>'
            '</object></resources><build><item objectid="1" transform="1 0 0 0 1 0 0 0 1 7 0 0"/></build>')
    (tmp_path / "a.3mf").write_bytes(packed(**{"3dmodel": main, "other": f"<resources>{block(5, 2)}</resources>"}))
    made = formats.read_mesh(tmp_path / "a.3mf")
    assert made.volume == pytest.approx(8000) and made.bounds[0] == pytest.approx((60, -10, -10))


@pytest.mark.parametrize("parts, said", [
    ({"3dmodel": '<resources><object id="1"><components><component objectid="1"/></components></object></resources>'
                 '<build><item objectid="1"/></build>'}, "object 1 is a part of itself"),
    ({"3dmodel": "<resources>" + block(1, 1) + "".join(
        f'<object id="{n}"><components>' + 10 * f'<component objectid="{n - 1}"/>' + "</components></object>"
        for n in range(2, 9)) + '</resources><build><item objectid="8"/></build>'}, "places more than 10000 bodies"),
    ({"3dmodel": '<build><item objectid="9"/></build>'}, "it has no faces"),
    ({"other": block(1, 1)}, "it has no 3D/3dmodel.model"),
])
def test_a_3mf_of_loops_of_millions_or_of_nothing_is_one_line(parts, said, tmp_path):
    (tmp_path / "a.3mf").write_bytes(packed(**parts))
    with pytest.raises(UserError, match=said):
        formats.read_mesh(tmp_path / "a.3mf")


def test_entities_in_a_3mf_are_refused(tmp_path):
    text = '<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">]><model>&a;</model>'
    with zipfile.ZipFile(tmp_path / "a.3mf", "w") as archive:
        archive.writestr("3D/3dmodel.model", text)
    with pytest.raises(UserError, match="document type"):
        formats.read_mesh(tmp_path / "a.3mf")
