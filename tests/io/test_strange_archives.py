"""Archives that unpack to more than they say: 3mf, npz and MATLAB files, in little memory and one line."""

import io
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import trimesh

from maquette.datasets.images.true_shapes import TRUE_SHAPES, true_shapes
from maquette.datasets.sources import modelnet, textured_obj
from maquette.datasets.sources.sweethome import properties
from maquette.errors import UserError
from maquette.io import formats
from maquette.io.formats.threemf import stored


@contextmanager
def little_memory(most: float = 64e6):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def zeros(megabytes: int) -> bytes:
    """A raw deflate stream of so many megabytes of zeros, a thousandth as long."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * megabytes + packer.flush()


def claiming(data: bytes, name: str, size: int, packed: bytes) -> bytes:
    """An archive of which one entry is another deflate stream, and says that it unpacks to so many bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    made = central = b""
    for entry, content in entries:
        body, length = (packed, size) if entry == name else (zlib.compress(content)[2:-4], len(content))
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, zlib.crc32(content), len(body), length, len(entry), 0)
        central += b"PK\1\2\x14\0" + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(made)) + entry.encode()
        made += b"PK\3\4" + fields + entry.encode() + body
    return made + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(entries), len(entries), len(central),
                                        len(made), 0)


@pytest.mark.parametrize("claimed", [100, 1 << 20])
def test_a_3mf_entry_that_unpacks_to_more_than_it_says(tmp_path, claimed):
    path = tmp_path / "a.3mf"
    formats.write_mesh(path, trimesh.creation.box((1, 2, 3)))
    path.write_bytes(claiming(path.read_bytes(), "_rels/.rels", claimed, zeros(400)))
    with little_memory(), pytest.raises(UserError, match="a.3mf cannot be read as 3mf: Bad CRC-32"):
        formats.read_mesh(path)


def test_a_3mf_file_within_the_limit_is_the_same_unpacked(tmp_path):
    formats.write_mesh(tmp_path / "a.3mf", trimesh.creation.box((1, 2, 3)))
    data = (tmp_path / "a.3mf").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as one, zipfile.ZipFile(io.BytesIO(stored(data, 1 << 20))) as other:
        assert {n: one.read(n) for n in one.namelist()} == {n: other.read(n) for n in other.namelist()}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in other.infolist())
    with pytest.raises(ValueError, match="it unpacks to more than 0 MB"):
        stored(data, 100)


def header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def archive(path: Path, **arrays: np.ndarray | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, values in arrays.items():
            out = io.BytesIO()
            if not isinstance(values, bytes):
                np.save(out, values, allow_pickle=False)
            made.writestr(f"{name}.npy", values if isinstance(values, bytes) else out.getvalue())
    return path


@pytest.mark.parametrize("shape, descr", [
    ("(281474976710656,)", "<f8"), ("(99999999999999999999,)", "<f8"), ("(0, 99999999999999999999)", "<f8"),
    ("(-1, 4)", "<f8"), ("(4,)", "|O"), ("1" * 5000, "<f8"), ("(1,", "<f8"), ("(1,)", "<U99999999"),
])
def test_arrays_whose_headers_lie(tmp_path, shape, descr):
    path = archive(tmp_path / "a.npz", a=header(shape, descr))
    with little_memory(), pytest.raises(UserError) as caught:
        formats.npz_arrays(path, ("a",))
    assert str(caught.value).startswith(f"{path} cannot be read as npz: ") and len(str(caught.value)) < 500
    values = {"labels": np.array(["a"]), "points": np.zeros((1, 2048, 3), np.float32), "bend": np.ones(1),
              "voxels": np.zeros((1, 32768), np.uint8), "ids": header(shape, descr)}
    archive(tmp_path / TRUE_SHAPES, **values)
    with little_memory(), pytest.raises(UserError):
        true_shapes(tmp_path)
    grids = np.ones((1, 4, 4, 4), bool)
    archive(tmp_path / "m.npz", X_train=header(shape, descr), y_train=np.zeros(1, int), X_test=grids,
            y_test=np.zeros(1, int), classes=np.array(["chair"]))
    with little_memory(), pytest.raises(UserError):
        list(modelnet.read_npz(tmp_path / "m.npz"))


def test_arrays_of_all_kinds_are_read_by_name(tmp_path):
    wanted = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.zeros((0, 3)), "d": np.array(2.5)}
    path = archive(tmp_path / "a.npz", **wanted, more=np.ones(3))
    assert formats.npz_names(path) == {*wanted, "more"}
    found = formats.npz_arrays(path, wanted)
    assert all(found[name].dtype == values.dtype and np.array_equal(found[name], values)
               for name, values in wanted.items())
    letters = np.array(["x"]).view(np.uint32) + 0x110000
    out = io.BytesIO()
    np.save(out, letters.view("<U1"), allow_pickle=False)
    archive(tmp_path / "b.npz", a=out.getvalue())
    with pytest.raises(UserError, match="it holds letters that there are not"):
        formats.npz_arrays(tmp_path / "b.npz", ("a",))
    with pytest.raises(UserError, match="it has no array e"):
        formats.npz_arrays(path, ("e",))


def test_a_matlab_variable_that_unpacks_to_more_than_it_says(tmp_path):
    grid = np.ones((4, 4, 4))
    formats.write_grid(tmp_path / "a.mat", grid)
    data = (tmp_path / "a.mat").read_bytes()
    packed = b"\x78\x9c" + zeros(600)
    (tmp_path / "a.mat").write_bytes(data[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with little_memory(), pytest.raises(UserError, match="cannot be read as mat"):
        formats.read_grid(tmp_path / "a.mat")


@pytest.mark.parametrize("line", [b"\0", b"<a/>", b"a\\:"])
def test_a_catalogue_of_one_long_line_takes_little_memory(line):
    with little_memory(60e6):
        assert len(properties(line * (200_000 if b"\\" in line else 1_000_000))) == 1


def test_lines_without_number_of_an_obj_are_not_held_all_at_once():
    data = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" + b"\n" * 8_000_000
    with little_memory(30e6):
        assert len(textured_obj.read(data, lambda name: None).faces) == 1


def test_a_material_library_without_end_is_passed_over():
    data = b"mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl red\nf 1 2 3\n"
    red = b"newmtl red\nKd 1 0 0\n"
    assert textured_obj.read(data, lambda name: red).colours.tolist() == [[255, 0, 0]]
    assert textured_obj.read(data, lambda name: red + b"#" * (8 << 20)).colours.tolist() == [[204, 204, 204]]


def test_the_log_of_trimesh_reaches_no_terminal(tmp_path, capfd):  # F16
    text = trimesh.creation.box((1, 2, 3)).export(file_type="stl_ascii").replace("normal 0", "normal x", 1)
    (tmp_path / "a.stl").write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(formats.read_mesh(tmp_path / "a.stl").faces) == 12
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_limit_are_refused(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as made:
        made.writestr("a.npy", header("(1,)") + bytes(200 << 20))
    formats.write_mesh(tmp_path / "a.3mf", trimesh.creation.box((1, 2, 3)))
    with zipfile.ZipFile(tmp_path / "a.3mf", "a", method) as made:
        made.writestr("b.bin", bytes(200 << 20))
    for read in (lambda: formats.read_grid(tmp_path / "a.npz"), lambda: formats.read_mesh(tmp_path / "a.3mf"),
                 lambda: formats.npz_arrays(tmp_path / "a.npz", ("a",))):
        with little_memory(), pytest.raises(UserError, match="is packed by another method than deflate"):
            read()
