"""Preparing, stopping, resuming, opening, showing and auditing, on tiny data."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from maquette.cli import commands as cli
from maquette.datasets import audit as looking
from maquette.datasets import prepare as preparing
from maquette.datasets.format import Info
from maquette.datasets.prepare import Finished, open_dataset, prepare
from maquette.errors import UserError
from maquette.events import Progress, Skipped
from maquette.geometry.voxelise import voxelise

TINY = {"resolution": 16, "views": 3, "view_size": 32, "workers": 1, "keep_names": True}


@pytest.fixture
def boxes(tmp_path) -> Path:
    """Six boxes of two classes, one for testing, and a file that is no mesh."""
    folder = tmp_path / "boxes"
    for number in range(5):
        file = folder / ("flat" if number % 2 else "tall") / "train" / f"box_{number}.stl"
        file.parent.mkdir(parents=True, exist_ok=True)
        trimesh.creation.box((1 + number, 2, 3)).export(file)
    (folder / "flat" / "test").mkdir(parents=True)
    trimesh.creation.box((9, 2, 3)).export(folder / "flat" / "test" / "box_9.stl")
    (folder / "flat" / "train" / "broken.stl").write_text("this is no mesh")
    return folder


def all_rows(path) -> list[tuple]:
    data = open_dataset(path)
    rows = range(len(data))
    return [(data.id(k), data.voxels([k]).tobytes(), data.views([k, k, k], [0, 1, 2]).tobytes()) for k in rows]


def test_a_folder_of_meshes_becomes_a_dataset_and_the_bad_file_is_named(boxes, tmp_path):
    out = tmp_path / "out"
    events = list(prepare(boxes, out, **TINY))
    assert [type(event) for event in events].count(Progress) == 6
    (skipped,) = [event for event in events if isinstance(event, Skipped)]
    assert skipped.id == "flat/train/broken" and "broken.stl" in skipped.reason
    assert events[-1] == Finished(out, 6, ((skipped.id, skipped.reason),))
    assert [event.done for event in events[:-1]] == list(range(1, 8))
    assert {event.total for event in events[:-1]} == {7}

    data = open_dataset(out)
    assert len(data) == 6 and data.views_per_shape == 3 and data.class_names == ("flat", "tall")
    assert data.split("train").tolist() == [0, 1, 2, 3, 4] and data.split("test").tolist() == [5]
    assert data.ids == [data.id(k) for k in range(6)]
    for row in range(6):
        number = int(data.id(row).rsplit("_", 1)[1])
        label = data.class_names[data.labels[row]]
        assert data.id(row).startswith(label)
        box = trimesh.creation.box((9 if number == 9 else 1 + number, 2, 3))
        assert np.array_equal(data.voxels([row])[0], voxelise(box, 16, normalise=True))
        assert data.view_count(row) == 3
        assert set(data.view_kinds(row)) <= {"photo", "pencil"} and len(data.view_kinds(row)) == 3
        cameras = data.cameras([row] * 3, range(3))
        assert cameras.shape == (3, 7) and (cameras[:, 0] < 360).all() and (cameras[:, 2] > 0).all()
    info = Info.load(out)
    assert (info.resolution, info.views, info.view_size, info.counts) == (16, 3, 32, {"train": 5, "test": 1})
    assert not (out / ".parts").exists()


def test_the_folder_opens_with_datasets(boxes, tmp_path):
    from datasets import load_from_disk

    list(prepare(boxes, tmp_path / "out", **TINY))
    rows = load_from_disk(str(tmp_path / "out"))
    assert {split: len(rows[split]) for split in rows} == {"train": 5, "test": 1}
    data = open_dataset(tmp_path / "out")
    for index, row in enumerate(rows["train"]):
        assert row["id"] == data.id(index) and row["resolution"] == 16
        assert rows["train"].features["label"].int2str(row["label"]) == data.class_names[data.labels[index]]
        voxels = np.unpackbits(np.frombuffer(row["voxels"], np.uint8)).astype(bool).reshape(16, 16, 16)
        assert np.array_equal(voxels, data.voxels([index])[0])
        views = np.frombuffer(row["views"], np.uint8).reshape(3, 32, 32)
        assert np.array_equal(views, data.views([index] * 3, range(3)))
        assert row["view_kinds"] == list(data.view_kinds(index))
        assert data.photos(index).tolist() == [kind == "photo" for kind in row["view_kinds"]]


def test_an_interrupted_run_goes_on_and_ends_the_same(boxes, tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "_GROUP", 2)
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    list(prepare(boxes, whole, **TINY))
    events = prepare(boxes, stopped, **TINY)
    for _ in range(5):
        next(events)
    events.close()
    with pytest.raises(UserError, match="is not a prepared dataset"):
        open_dataset(stopped)
    with pytest.raises(UserError, match="begun with other options, got views 3 there and 2 here"):
        next(prepare(boxes, stopped, **(TINY | {"views": 2})))
    made = []
    original = preparing.make_rows
    monkeypatch.setattr(preparing, "make_rows", lambda item, options: made.append(item.id) or original(item, options))
    events = list(prepare(boxes, stopped, **TINY))
    assert len(made) == 3  # of seven: two groups of two were whole
    assert events[0].done == 5
    assert len(events[-1].skipped) == 1
    assert all_rows(stopped) == all_rows(whole)

    assert list(prepare(boxes, stopped, **TINY)) == [events[-1]]  # nothing left to do
    with pytest.raises(UserError, match="prepared otherwise, got seed 0 there and 1 here"):
        next(prepare(boxes, stopped, seed=1, **TINY))


def test_meshes_with_y_up_are_turned_and_it_is_known_of_the_dataset(tmp_path, capsys):
    lying, upright = tmp_path / "lying" / "box", tmp_path / "upright" / "box"
    for folder, size in ((lying, (3, 4, 1)), (upright, (3, 1, 4))):
        folder.mkdir(parents=True)
        trimesh.creation.box(size).export(folder / "a.stl")
    command = ["data", "prepare", str(lying), "--out", str(tmp_path / "y"), "--resolution", "16", "--workers", "1"]

    def call(*more: str) -> int:
        with pytest.raises(SystemExit) as stopped:
            cli.main([*command, *more])
        return stopped.value.code

    assert call("--up", "y") == 0
    list(prepare(upright, tmp_path / "z", resolution=16, workers=1))
    made, same = open_dataset(tmp_path / "y").voxels([0]), open_dataset(tmp_path / "z").voxels([0])
    assert np.array_equal(made, same) and not np.array_equal(made, made.swapaxes(2, 3))
    assert (Info.load(tmp_path / "y").up, Info.load(tmp_path / "z").up) == ("y", "z")
    assert call() == 1 and "was prepared otherwise, got up y there and z here" in capsys.readouterr().err
    assert call("--up", "x") == 2


def test_datasets_of_the_time_before_there_was_an_up_axis_are_still_these(tmp_path):
    trimesh.creation.box((3, 4, 1)).export(tmp_path / "a.stl")
    list(prepare(tmp_path / "a.stl", tmp_path / "out", resolution=16, workers=1, keep_names=True))
    options = {"resolution": 16, "views": 0, "view_size": 128, "channels": 1, "kinds": ["photo", "pencil"],
               "backgrounds": None, "seed": 0, "frontal": 0.4}
    content = json.dumps([preparing.FORMAT, options, [["a", tmp_path.name, "train"]]])
    assert Info.load(tmp_path / "out").fingerprint == hashlib.sha256(content.encode()).hexdigest()[:16]


def test_an_interruption_while_the_parts_are_put_together(boxes, tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preparing, "terms_of", fail)
        with pytest.raises(KeyboardInterrupt):
            list(prepare(boxes, tmp_path / "out", **TINY))
    assert [type(event) for event in prepare(boxes, tmp_path / "out", **TINY)] == [Finished]
    assert len(open_dataset(tmp_path / "out")) == 6


def test_workers_make_what_one_process_makes(tmp_path):
    options = {"resolution": 16, "views": 2, "view_size": 32, "count": 3}
    list(prepare("furniture", tmp_path / "one", workers=1, **options))
    list(prepare("furniture", tmp_path / "two", workers=2, **options))
    one, two = open_dataset(tmp_path / "one"), open_dataset(tmp_path / "two")
    assert one.ids == two.ids == ["furniture-chair-000000", "furniture-table-000001", "furniture-desk-000002"]
    assert np.array_equal(one.voxels(range(3)), two.voxels(range(3)))
    assert np.array_equal(one.views(range(3), [1, 1, 1]), two.views(range(3), [1, 1, 1]))
    assert one.infos[0].terms == ("furniture: made by this package, no terms",)


def test_several_folders_open_as_one(boxes, tmp_path):
    list(prepare(boxes, tmp_path / "a", **TINY))
    list(prepare("furniture", tmp_path / "b", **(TINY | {"views": 2}), count=2))
    data = open_dataset([tmp_path / "a", tmp_path / "b"])
    assert len(data) == 8 and data.class_names == ("flat", "tall", "chair", "table") and data.views_per_shape == 3
    assert [data.class_names[k] for k in data.labels[6:]] == ["chair", "table"]
    assert np.array_equal(data.views([6], [2]), data.views([6], [0]))  # it has two: counted round
    list(prepare(boxes, tmp_path / "c", **(TINY | {"resolution": 20})))
    list(prepare(boxes, tmp_path / "d", **(TINY | {"view_size": 24})))
    list(prepare(boxes, tmp_path / "e", **(TINY | {"views": 0})))
    for other, message in (("c", "same resolution"), ("d", "one size"), ("e", "have views or none")):
        with pytest.raises(UserError, match=message):
            open_dataset([tmp_path / "a", tmp_path / other])
    with pytest.raises(UserError, match="no views"):
        open_dataset(tmp_path / "e").views([0], [0])


def test_colour_views_and_one_split(boxes, tmp_path):
    list(prepare(boxes, tmp_path / "out", **(TINY | {"channels": 3}), split="test"))
    data = open_dataset(tmp_path / "out")
    assert len(data) == 1 and data.views([0], [2]).shape == (1, 32, 32, 3)
    assert data.split("train").tolist() == [] and data.split("test").tolist() == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 2}, "resolution must be from 4 to 512, got 2"),
        ({"views": -1}, "views must be 0 or more, got -1"),
        ({"channels": 2}, "channels must be 1"),
        ({"count": 0}, "count must be 1 or more, got 0"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
        ({"kinds": ("oil",)}, "kinds must be among photo"),
        ({"backgrounds": "nowhere"}, "no folder nowhere"),
        ({"workers": 0}, "workers must be 1 or more"),
        ({"split": "all"}, "split must be 'train' or 'test'"),
    ],
)
def test_options_that_cannot_be(boxes, tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        next(prepare(boxes, tmp_path / "out", **(TINY | options)))
    assert not (tmp_path / "out").exists()


def test_sources_and_folders_that_cannot_be(boxes, tmp_path):
    with pytest.raises(UserError, match="no such source: nowhere; give a file, a folder, or one of furniture, solids"):
        next(prepare("nowhere", tmp_path / "out"))
    with pytest.raises(UserError, match="is not empty"):
        next(prepare("furniture", boxes))
    with pytest.raises(UserError, match="is a file"):
        next(prepare("furniture", boxes / "flat" / "train" / "broken.stl"))
    only_bad = tmp_path / "bad" / "thing"
    only_bad.mkdir(parents=True)
    (only_bad / "broken.off").write_text("OFF\n3 1 0\n0 0")
    with pytest.raises(UserError, match="no shape could be prepared, got thing/broken: .*broken.off"):
        list(prepare(only_bad.parent, tmp_path / "out", **TINY))


def test_a_damaged_dataset_is_one_clear_line(boxes, tmp_path):
    out = tmp_path / "out"
    list(prepare(boxes, out, **TINY))
    (file,) = (out / "train").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(UserError, match="cannot read the dataset"):
        open_dataset(out)
    (out / "maquette.json").write_text("{")
    with pytest.raises(UserError, match="cannot read .*maquette.json"):
        open_dataset(out)


def test_show_and_audit(boxes, tmp_path):
    from PIL import Image

    twin = boxes / "flat" / "test" / "twin_of_3.stl"
    trimesh.creation.box((8, 4, 6)).export(twin)
    cube = boxes / "tall" / "train" / "cube.stl"
    trimesh.creation.box().export(cube)
    crumbs = [trimesh.creation.box((0.2,) * 3, trimesh.transformations.translation_matrix((x, 0, 0))) for x in range(5)]
    trimesh.util.concatenate(crumbs).export(boxes / "tall" / "train" / "crumbs.stl")
    list(prepare(boxes, tmp_path / "out", **TINY))
    summary = looking.show(tmp_path / "out", tmp_path / "sheet.png", rows=2)
    assert summary.shapes == 9 and summary.counts == {"flat": {"train": 2, "test": 2}, "tall": {"train": 5, "test": 0}}
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (4 * 128, 2 * 128)
    found = looking.audit(tmp_path / "out")
    assert found.full == ["tall/train/cube"] and found.empty == []
    assert found.many_parts == [("tall/train/crumbs", 5)]
    assert found.duplicates == found.leaks == [["flat/train/box_3", "flat/test/twin_of_3"]]
    assert [id for id, _ in found.unreadable] == ["flat/train/broken"]
    assert found.blank_views == [] and not found.clean


def test_the_sidecar_says_what_is_needed_to_do_it_again(boxes, tmp_path):
    list(prepare(boxes, tmp_path / "out", seed=5, **TINY))
    content = json.loads((tmp_path / "out" / "maquette.json").read_text())
    assert content["seed"] == 5 and content["kinds"] == ["photo", "pencil"] and content["sources"] == ["shapes"]
    assert content["versions"]["trimesh"] == trimesh.__version__
    assert content["terms"] == ["shapes of the user's own: as their owner says"]


def test_a_prepared_dataset_is_a_source(boxes, tmp_path):
    """Its shapes as they are, rendered anew; names, classes, splits and terms stay."""
    list(prepare(boxes, tmp_path / "bare", resolution=16, workers=1))
    list(prepare(tmp_path / "bare", tmp_path / "seen", resolution=16, views=1, view_size=32, workers=1))
    bare, seen = open_dataset(tmp_path / "bare"), open_dataset(tmp_path / "seen")
    assert bare.ids == seen.ids and bare.class_names == seen.class_names and list(bare.splits) == list(seen.splits)
    assert np.array_equal(bare.voxels(range(len(bare))), seen.voxels(range(len(seen))))
    assert (bare.labels == seen.labels).all() and bare.views_per_shape == 0 and seen.views_per_shape == 1
    assert Info.load(tmp_path / "seen").terms == Info.load(tmp_path / "bare").terms
