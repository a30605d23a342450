"""MATLAB files: the same numbers as SciPy reads, and no file ends the process."""

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from maquette.datasets.prepare import prepare
from maquette.errors import UserError
from maquette.events import Skipped
from maquette.io import formats
from maquette.io.formats import mat

FAULTS = Path(__file__).parents[1] / "data" / "faults"
MOST = 1 << 24


def saved(values: dict, **options) -> bytes:
    stream = io.BytesIO()
    savemat(stream, values, **options)
    return stream.getvalue()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "?", ">f8"])
def test_the_numbers_are_those_that_scipy_reads(dtype, packed):
    values = (np.random.default_rng(1).random((3, 4, 5)) * 100).astype(dtype)
    data = saved({"instance": values, "a_longer_name": values[:1, :1, :1], "x": 3}, do_compression=packed)
    found = {entry.name: entry.values() for entry in mat.entries(data, MOST)}
    theirs = loadmat(io.BytesIO(data))
    assert list(found) == ["instance", "a_longer_name", "x"]
    for name, array in found.items():
        assert array.dtype == theirs[name].dtype or dtype == "?"
        assert np.array_equal(array, theirs[name]), name


def test_what_is_no_array_of_numbers_is_said():
    data = saved({"a": "chair", "b": {"c": 1}, "d": np.array([1, "x"], dtype=object)})
    assert [(entry.name, entry.kind) for entry in mat.entries(data, MOST)] == [
        ("a", "char"), ("b", "struct"), ("d", "cell")]
    with pytest.raises(ValueError, match="'b' is a struct, not a grid of numbers"):
        mat.entries(data, MOST)[1].values()


def test_a_type_that_ends_scipys_process_is_one_line():  # F7
    with pytest.raises(UserError, match="tag8000.mat cannot be read as mat: 'instance' holds values of an unknown typ"):
        formats.read_grid(FAULTS / "tag8000.mat")


def test_every_single_byte_may_be_wrong():
    data = bytearray(saved({"instance": np.ones((2, 2, 2))}))
    for place in range(128, len(data)):
        for value in (0, 1, 64, 128, 255):
            wrong = bytes(data[:place]) + bytes([value]) + bytes(data[place + 1 :])
            try:
                for entry in mat.entries(wrong, MOST):
                    entry.values()
            except ValueError:
                pass


def test_a_folder_with_such_a_file_is_prepared_without_it(tmp_path):  # F7
    (tmp_path / "in").mkdir()
    for number in range(3):
        np.save(tmp_path / "in" / f"{number}.npy", np.ones((4, 4, 4), np.uint8))
    (tmp_path / "in" / "tag8000.mat").write_bytes((FAULTS / "tag8000.mat").read_bytes())
    events = list(prepare(tmp_path / "in", tmp_path / "out", resolution=8, workers=1, keep_names=True))
    assert [event.id for event in events if isinstance(event, Skipped)] == ["tag8000"] and events[-1].count == 3


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 5), (16, 16, 16), (2, 3)])
def test_what_is_written_scipy_reads_and_we_do(dtype, shape):
    values = (np.random.default_rng(3).random(shape) * 9).astype(dtype)
    data = mat.mat_bytes("instance", values)
    read = loadmat(io.BytesIO(data))["instance"]
    assert read.dtype == values.dtype and np.array_equal(read, values)
    (entry,) = mat.entries(data, MOST)
    assert entry.name == "instance" and np.array_equal(entry.values(), values)
    (theirs,) = mat.entries(saved({"instance": values}, do_compression=True), MOST)
    assert bytes(theirs.content) == bytes(entry.content) or values.nbytes <= 4  # SciPy packs four bytes closer
