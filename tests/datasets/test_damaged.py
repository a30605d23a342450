"""Prepared datasets and archives that are damaged in a way that no checksum tells: one line each, and no other end."""

import json
import random

import numpy as np
import pytest

from maquette.datasets.images import open_images, prepare_images
from maquette.datasets.opened import open_dataset
from maquette.datasets.prepare import prepare
from maquette.datasets.sources import items_of
from maquette.errors import UserError
from maquette.events import Skipped


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    list(prepare("furniture", folder / "out", resolution=8, views=2, view_size=16, scans=2, count=4, workers=1))
    return folder / "out"


def copied(whole, tmp_path):
    import shutil

    return shutil.copytree(whole, tmp_path / "out")


@pytest.mark.parametrize("key, value", [
    ("resolution", "x"), ("resolution", -4), ("resolution", 10**9), ("resolution", None), ("resolution", [8]),
    ("views", -1), ("views", {}), ("view_size", 1e300), ("channels", 2), ("kinds", 3), ("label_names", [["a"]]),
    ("label_names", []), ("skipped", 7), ("skipped", [[1]]), ("counts", [1]), ("scans", "all"), ("orientations", 0),
    ("resolution", 9), ("view_size", 17),
])
def test_a_sidecar_with_a_wrong_value_is_one_line(whole, tmp_path, key, value):  # F14
    out = copied(whole, tmp_path)
    file = out / "maquette.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(UserError) as caught:
        open_dataset(out)
    assert "\n" not in str(caught.value) and "prepare" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "3", "[" * 100_000, "{", "null"])
def test_a_sidecar_that_is_none_is_one_line(whole, tmp_path, text):  # F14
    out = copied(whole, tmp_path)
    (out / "maquette.json").write_text(text)
    with pytest.raises(UserError, match="cannot read .*maquette.json, got .*; prepare the dataset again"):
        open_dataset(out)
    list(prepare_images_of(tmp_path))
    (tmp_path / "set" / "images.json").write_text(text)
    with pytest.raises(UserError, match="cannot read .*images.json, got .*; prepare the images again"):
        open_images(tmp_path / "set")


def prepare_images_of(tmp_path):
    from radiographs import fill

    return prepare_images(fill(tmp_path / "in", 4), tmp_path / "set", size="16x8", holdout=1, workers=1)


def test_any_byte_of_the_rows_may_be_wrong(whole, tmp_path):  # F14
    out = copied(whole, tmp_path)
    file = next((out / "train").glob("*.arrow"))
    good, rng, refused = file.read_bytes(), random.Random(7), 0
    for _ in range(300):
        place = rng.randrange(len(good) if rng.random() < 0.5 else 3000)
        file.write_bytes(good[:place] + bytes([rng.randrange(256)]) + good[place + 1 :])
        try:
            data = open_dataset(out)
            rows = range(len(data))
            data.voxels(rows), data.views(rows, rows), data.scans(rows, rows), data.ids
            data.cameras(rows, rows), [data.view_kinds(row) for row in rows]
        except UserError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json"])
def test_the_other_files_of_a_split(whole, tmp_path, name):  # F14
    out = copied(whole, tmp_path)
    for text in ("", "[]", '{"_data_files": 3}', '{"_data_files": [{}]}', "[" * 100_000):
        (out / "train" / name).write_text(text)
        try:
            open_dataset(out)
        except UserError as error:
            assert "\n" not in str(error)


def test_a_damaged_archive_is_named_and_the_others_are_read(tmp_path):  # F14
    (tmp_path / "in").mkdir()
    np.savez(tmp_path / "in" / "good.npz", occupancy=np.ones((4, 4, 4), np.uint8))
    data = (tmp_path / "in" / "good.npz").read_bytes()
    (tmp_path / "in" / "bad.npz").write_bytes(data[: len(data) // 2])
    events = list(prepare(tmp_path / "in", tmp_path / "out", resolution=8, workers=1, keep_names=True))
    assert [event.id for event in events if isinstance(event, Skipped)] == ["bad"] and events[-1].count == 1
    values = {f"{kind}_{split}": np.ones((2, 4, 4, 4), np.uint8) if kind == "X" else np.array([0, 5])
              for kind in "Xy" for split in ("train", "test")}
    np.savez(tmp_path / "labels.npz", classes=np.array(["chair"]), **values)
    with pytest.raises(UserError, match="y_train of labels.npz must name classes by their numbers"):
        items_of([tmp_path / "labels.npz"])


def test_a_note_of_an_unfinished_preparation_that_is_damaged(tmp_path):  # F14
    events = prepare("furniture", tmp_path / "out", resolution=8, count=70, workers=1)
    for event in events:
        if event.done == 66:
            break
    events.close()
    notes = sorted((tmp_path / "out" / ".parts").glob("train-*.json"))
    assert notes
    notes[0].write_text("[" * 100_000)
    *_, finished = prepare("furniture", tmp_path / "out", resolution=8, count=70, workers=1)
    assert finished.count == 70 and not finished.skipped
