"""Scans in prepared datasets: there where they were asked for, and nothing else changed by them."""

import hashlib
import json

import numpy as np
import pytest
from boxes import Boxes
from scipy import ndimage

from maquette import api
from maquette.datasets.format import Info
from maquette.datasets.prepare import FORMAT, open_dataset, prepare
from maquette.errors import UserError

TINY = {"resolution": 16, "workers": 1, "count": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two pieces of furniture with three scans each."""
    out = tmp_path_factory.mktemp("scans") / "set"
    list(prepare("furniture", out, scans=3, **TINY))
    return out


def test_scans_are_parts_of_their_shapes(folder):
    data = open_dataset(folder)
    assert data.scans_per_shape == data.infos[0].scans == 3 and data.views_per_shape == 0
    for row in range(2):
        seen = data.scans([row] * 3, [0, 1, 2])
        assert seen.shape == (3, 16, 16, 16) and seen.dtype == bool and seen.any((1, 2, 3)).all()
        assert not (seen & ~data.voxels([row])).any()
        assert not np.array_equal(seen[0], seen[1])
    mixed = data.scans([1, 0, 1], [2, 0, 4])
    assert np.array_equal(mixed[0], data.scans([1], [2])[0])
    assert np.array_equal(mixed[2], data.scans([1], [1])[0]), "counted round"


def test_the_column_opens_with_datasets(folder):
    from datasets import load_from_disk

    row = load_from_disk(str(folder))["train"][1]
    bits = np.unpackbits(np.frombuffer(row["scans"], np.uint8).reshape(3, 512), axis=1)
    assert np.array_equal(bits.reshape(3, 16, 16, 16), open_dataset(folder).scans([1] * 3, [0, 1, 2]))


def test_without_scans_a_dataset_is_what_it_was(tmp_path):
    from datasets import load_from_disk

    list(prepare("furniture", tmp_path / "set", **TINY))
    assert "scans" not in load_from_disk(str(tmp_path / "set"))["train"].column_names
    options = {"resolution": 16, "views": 0, "view_size": 128, "channels": 1, "kinds": ["photo", "pencil"],
               "backgrounds": None, "seed": 0, "frontal": 0.4}
    names = [[f"furniture-{kind}-{number:06d}", kind, "train"] for number, kind in enumerate(("chair", "table"))]
    before = hashlib.sha256(json.dumps([FORMAT, options, names]).encode()).hexdigest()[:16]
    assert Info.load(tmp_path / "set").fingerprint == before
    sidecar = tmp_path / "set" / "maquette.json"
    content = json.loads(sidecar.read_text())
    del content["scans"]  # as older versions wrote it
    sidecar.write_text(json.dumps(content))
    data = open_dataset(tmp_path / "set")
    assert data.scans_per_shape == 0 and data.voxels([0]).any()
    with pytest.raises(UserError, match="the dataset has no scans; prepare it again with --scans 15"):
        data.scans([0], [0])
    with pytest.raises(UserError, match="scans 0 there and 3 here"):
        next(prepare("furniture", tmp_path / "set", scans=3, **TINY))
    with pytest.raises(UserError, match="scans must be 0 or more, got -1"):
        next(prepare("furniture", tmp_path / "other", scans=-1, **TINY))


def test_scans_of_grids_lie_on_their_surface(tmp_path):
    (tmp_path / "box").mkdir()
    np.save(tmp_path / "box" / "a.npy", Boxes().voxels([6])[0])
    list(prepare(tmp_path / "box", tmp_path / "set", resolution=20, scans=2, workers=1))
    data = open_dataset(tmp_path / "set")
    voxels, seen = data.voxels([0])[0], data.scans([0, 0], [0, 1])
    near = ndimage.binary_dilation(voxels) & ~ndimage.binary_erosion(voxels, iterations=2)
    assert seen.any((1, 2, 3)).all() and not (seen & ~near).any()


def test_show_says_how_many(folder, tmp_path):
    facts = api.show_data(str(folder), str(tmp_path / "sheet.png"))
    assert facts["scans"] == 3 and facts["views"] == "none"
