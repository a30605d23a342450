"""Shapes turned about the up axis: exact quarters, closed forms, ModelNet's own orientations, whole datasets."""


import numpy as np
import pytest
import trimesh
from scipy.io import savemat

from maquette.datasets import Item
from maquette.datasets import audit as looking
from maquette.datasets import prepare as preparing
from maquette.datasets.format import Info
from maquette.datasets.orientations import angles, shape_id, turned, turned_id, turned_mesh
from maquette.datasets.prepare import Finished, open_dataset, prepare
from maquette.datasets.rows import RowOptions, make_rows
from maquette.datasets.sources import generated, modelnet
from maquette.errors import UserError
from maquette.geometry.grids import turn_grid
from maquette.geometry.resample import resample
from maquette.geometry.voxelise import voxelise
from maquette.training.rows import shapes_in, split


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def wedge() -> np.ndarray:
    """A lopsided block with a leg that is one voxel thick; no two of its orientations are alike."""
    grid = np.zeros((30, 26, 28), bool)
    grid[5:22, 6:18, 8:12] = True
    grid[5:9, 6:9, 12:24] = True
    grid[20, 16, 2:8] = True
    return grid


def options(orientations: int, resolution: int = 32) -> RowOptions:
    return RowOptions(resolution, 0, 0, 1, (), None, 0, 0.4, 0, orientations)


def unpacked(row: dict) -> np.ndarray:
    return np.unpackbits(np.frombuffer(row["voxels"], np.uint8)).astype(bool).reshape((row["resolution"],) * 3)


def test_quarter_turns_are_exact_and_turns_compose():
    grid = wedge()
    for quarters in range(4):
        assert np.array_equal(turned(grid, 90 * quarters), np.rot90(grid, quarters, (0, 1)))
    for degrees in (30, 45, 60):
        once = turned(grid, degrees)
        for quarters in (1, 2, 3):
            assert np.array_equal(turned(grid, degrees + 90 * quarters), turn_grid(once, 90 * quarters))
    twice = resample(turned(turned(grid, 30), 30), 24)
    assert iou(twice, resample(turned(grid, 60), 24)) > 0.75 > 0.6 > iou(twice, resample(turned(grid, -60), 24))
    assert angles(12) == tuple(30 * k for k in range(12)) and angles(1) == (0,) and angles(3) == (0, 120, 240)
    with pytest.raises(UserError, match="there is no object in the grid"):
        turned(np.zeros((4, 4, 4)), 30)


def test_it_turns_from_x_towards_y():
    grid = np.zeros((40, 40, 10), bool)
    grid[18:38, 18:22, 2:6] = True  # a bar along +x, a knob at its end
    grid[34:38, 18:22, 6:9] = True
    found = turned(grid, 30)
    top = np.flatnonzero(found.any((0, 1)))[-2:]
    knob = found[:, :, top]
    across, along, _ = np.argwhere(knob).mean(0) - np.argwhere(found).mean(0)
    assert across > 0 and np.rad2deg(np.arctan2(along, across)) == pytest.approx(30, abs=4)


@pytest.mark.parametrize("degrees", [30, 60])
def test_a_box_and_a_cylinder_turn_as_geometry_says(degrees):
    """The turned box has the sides a cos + b sin and a sin + b cos, fitted to the longest; a cylinder stays."""
    box = np.zeros((50, 50, 50), bool)
    box[5:45, 15:35, 20:30] = True
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    sides = np.array([40 * cos + 20 * sin, 40 * sin + 20 * cos, 10])
    scale = 40 / sides.max()
    found = turned(box, degrees)
    assert np.ptp(np.argwhere(found), axis=0) + 1 == pytest.approx(sides * scale, abs=1.5)
    assert found.any(2).sum() == pytest.approx(40 * 20 * scale**2, rel=0.06)

    x, y = np.indices((40, 40)) - 19.5
    cylinder = np.repeat((np.hypot(x, y) < 18)[..., None], 20, axis=2)
    assert iou(resample(turned(cylinder, degrees), 36), resample(cylinder, 36)) > 0.95


@pytest.mark.parametrize("degrees", [30, 60])
def test_a_thin_leg_stays_whole(degrees):
    grid = wedge()
    found = turned(grid, degrees)
    foot = np.flatnonzero(found.any((0, 1)))[0]
    assert found[:, :, foot].sum() <= 6 and found.any((0, 1))[foot : foot + 6].all()
    voxels = resample(found, 32)
    assert voxels.any((1, 2)).sum() == 32 or voxels.any((0, 2)).sum() == 32 or voxels.any((0, 1)).sum() == 32
    from scipy import ndimage

    assert ndimage.label(voxels, np.ones((3, 3, 3)))[1] == 1


def test_twelve_orientations_of_a_mesh():
    """As much volume in each, at its own scale; number 4 is the quarter turn of number 1; no wall is cut off."""
    (item,) = generated("furniture:chair", 1)
    rows = make_rows(item, options(12, 48))
    grids = [unpacked(row) for row in rows]
    assert [row["id"] for row in rows] == [item.id, *(f"{item.id}@{degrees}" for degrees in angles(12)[1:])]
    assert np.array_equal(grids[0], voxelise(item.load(), 48, normalise=True))
    for first in range(3):
        for quarters in range(4):
            assert np.array_equal(grids[first + 3 * quarters], np.rot90(grids[first], quarters, (0, 1)))
    mesh = trimesh.creation.box((0.8, 0.6, 1.0))
    volumes = []
    for degrees, row in zip(angles(12), make_rows(
            Item("box", "box", "train", "", lambda: mesh), options(12, 64)), strict=True):
        longest = turned_mesh(mesh, degrees).extents.max()
        volumes.append(unpacked(row).sum() / 64**3 * longest**3)
        assert max(np.ptp(np.argwhere(unpacked(row)), axis=0)) + 1 == 64, "it fills the cube"
    assert volumes == pytest.approx([mesh.volume] * 12, rel=0.08)


@pytest.fixture
def grids(tmp_path):
    """Eight different blocks for training and one for testing, a copy of that one, and an empty grid."""
    folder = tmp_path / "things"
    for number in range(8):
        grid = wedge()
        grid[9 : 10 + number, 6:18, 12 : 15 + number] = True
        (folder / "block" / "train").mkdir(parents=True, exist_ok=True)
        np.save(folder / "block" / "train" / f"b_{number}.npy", grid)
    np.save(folder / "block" / "train" / "empty.npy", np.zeros((4, 4, 4)))
    (folder / "block" / "test").mkdir(parents=True)
    np.save(folder / "block" / "test" / "t_0.npy", wedge()[::-1])
    return folder


def test_a_dataset_in_twelve_orientations(grids, tmp_path):
    events = list(prepare(grids, tmp_path / "one", resolution=16, workers=1, keep_names=True))
    twelve = list(prepare(grids, tmp_path / "twelve", resolution=16, workers=1, orientations=12, keep_names=True))
    assert [event.total for event in twelve[:-1]] == [10] * 10 and len(twelve) == len(events), "shapes are counted"
    assert twelve[-1].count == 12 * events[-1].count == 108
    assert [id for id, _ in twelve[-1].skipped] == ["block/train/empty"]
    one, many = open_dataset(tmp_path / "one"), open_dataset(tmp_path / "twelve")
    assert Info.load(tmp_path / "twelve").orientations == 12 and Info.load(tmp_path / "one").orientations == 1
    assert many.ids == [turned_id(id, degrees) for id in one.ids for degrees in angles(12)]
    assert np.array_equal(many.voxels(range(0, 108, 12)), one.voxels(range(9)))
    source = np.load(grids / "block" / "train" / "b_3.npy")
    row = many.ids.index("block/train/b_3@240")
    assert np.array_equal(many.voxels([row])[0], turn_grid(resample(turned(source, 60), 16), 180))
    assert many.split("test").tolist() == list(range(96, 108))
    list(prepare(grids, tmp_path / "few", resolution=16, workers=1, orientations=4, count=2))
    assert len(open_dataset(tmp_path / "few")) == 8, "two shapes"
    assert looking.audit(tmp_path / "twelve").duplicates == []


def test_a_round_shape_is_no_duplicate_of_itself(tmp_path):
    folder = tmp_path / "round"
    folder.mkdir()
    grid = np.zeros((9, 9, 9), bool)
    grid[2:7, 2:7, 1:8] = True
    np.save(folder / "a.npy", grid)
    list(prepare(folder, tmp_path / "four", resolution=16, workers=1, orientations=4))
    assert looking.audit(tmp_path / "four").duplicates == []
    np.save(folder / "b.npy", grid)
    list(prepare(folder, tmp_path / "both", resolution=16, workers=1, orientations=4, keep_names=True))
    assert looking.audit(tmp_path / "both").duplicates == [["a", "b"]]


def test_an_interrupted_preparation_goes_on(grids, tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "_GROUP", 2)
    given = {"resolution": 16, "workers": 1, "orientations": 3}
    list(prepare(grids, tmp_path / "whole", **given))
    stopped = prepare(grids, tmp_path / "stopped", **given)
    for _ in range(5):
        next(stopped)
    stopped.close()
    with pytest.raises(UserError, match="begun with other options, got orientations 3 there and 6 here"):
        next(prepare(grids, tmp_path / "stopped", **(given | {"orientations": 6})))
    made = []
    original = preparing.make_rows
    monkeypatch.setattr(preparing, "make_rows", lambda item, asked: made.append(item.id) or original(item, asked))
    *_, last = prepare(grids, tmp_path / "stopped", **given)
    assert isinstance(last, Finished) and last.count == 27 and len(made) == 6
    whole, stopped = open_dataset(tmp_path / "whole"), open_dataset(tmp_path / "stopped")
    assert whole.ids == stopped.ids and np.array_equal(whole.voxels(range(27)), stopped.voxels(range(27)))
    assert list(prepare(grids, tmp_path / "whole", **given)) == [last.__class__(tmp_path / "whole", 27, last.skipped)]
    with pytest.raises(UserError, match="prepared otherwise, got orientations 3 there and 1 here; choose"):
        next(prepare(grids, tmp_path / "whole", resolution=16))


def test_the_split_keeps_the_orientations_of_a_shape_together(grids, tmp_path):
    list(prepare(grids, tmp_path / "one", resolution=16, workers=1, keep_names=True))
    list(prepare(grids, tmp_path / "twelve", resolution=16, workers=1, orientations=12, keep_names=True))
    one, many = open_dataset(tmp_path / "one"), open_dataset(tmp_path / "twelve")
    plain, sides = split(one, 0.4), split(many, 0.4)
    for few, rows in zip(plain, sides, strict=True):
        assert len(few) and len(rows) == 12 * len(few) and shapes_in(many, rows) == len(few)
        assert {shape_id(many.ids[row]) for row in rows} == {one.ids[row] for row in few}, "as without orientations"
    list(prepare(grids, tmp_path / "single", resolution=16, workers=1, orientations=12, count=1, split="train"))
    with pytest.raises(UserError, match="at least 2 shapes in the train split, got 1"):
        split(open_dataset(tmp_path / "single"), 0.4)


def test_names():
    assert shape_id("chair@30") == "chair" and shape_id("a@2x") == "a@2x" and shape_id("a@45") == "a@45"
    assert all(shape_id(turned_id("a@b", degrees)) == "a@b" for degrees in angles(12))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"orientations": 5}, "orientations must be 1, 2, 3, 4, 6 or 12, got 5"),
        ({"orientations": 4, "views": 2}, "neither views nor scans.*, got 4 orientations, 2 views and 0 scans; leave"),
        ({"orientations": 4, "scans": 3}, "got 4 orientations, 0 views and 3 scans"),
    ],
)
def test_options_that_cannot_be(grids, tmp_path, given, message):
    with pytest.raises(UserError, match=message):
        next(prepare(grids, tmp_path / "out", resolution=16, **given))
    assert not (tmp_path / "out").exists()


def test_what_is_turned_already_is_not_turned_again(grids, tmp_path):
    list(prepare(grids, tmp_path / "two", resolution=16, workers=1, orientations=2, keep_names=True))
    with pytest.raises(UserError, match="named as one that was turned already, got block/train/b_0@180; prepare what"):
        next(prepare(tmp_path / "two", tmp_path / "four", resolution=16, orientations=2, keep_names=True))
    list(prepare(tmp_path / "two", tmp_path / "same", resolution=16, workers=1, keep_names=True))
    assert open_dataset(tmp_path / "same").ids == open_dataset(tmp_path / "two").ids


def test_files_that_are_turned_already_are_taken_as_they_are(tmp_path):
    """Number n of ModelNet's files is turned 30 (n - 1) degrees, clockwise once x and y are exchanged."""
    folder = tmp_path / "chair" / "30" / "train"
    folder.mkdir(parents=True)
    stored = [np.zeros((30, 30, 30), np.uint8) for _ in range(12)]
    for number, grid in enumerate(stored):
        grid[3:27, 3:20, 3:27], grid[3:27, 20, 3 : 4 + number] = 1, 1  # the number can be read off
        savemat(folder / f"chair_1_{number + 1}.mat", {"instance": grid})
    (item,) = modelnet.read_mat(tmp_path)
    rows = make_rows(item, options(12, 24))
    assert len(rows) == 12
    for degrees, number in ((0, 1), (30, 12), (60, 11)):
        front = turn_grid(stored[number - 1].transpose(1, 0, 2) > 0, modelnet.turn_of("chair"))
        assert np.array_equal(unpacked(rows[degrees // 30]), resample(front, 24))
    (folder / "chair_1_12.mat").unlink()
    assert np.array_equal(unpacked(make_rows(item, options(12, 24))[1]), resample(turned(item.load(), 30), 24))


def test_turned_grids_are_modelnets_own_orientations(shared):
    """80 chairs: the file number 1, turned by 30 and 60 degrees, against the files of these orientations."""
    items = list(modelnet.read_mat(shared / "modelnet10" / "volumetric_data"))
    scores, unturned = [], []
    for item in items:
        for degrees in (30, 60):
            truth = resample(item.turned(degrees), 32)
            scores.append(iou(resample(turned(item.load(), degrees), 32), truth))
            unturned.append(iou(resample(item.load(), 32), truth))
    quarter = [iou(item.turned(90), turn_grid(item.load(), 90)) for item in items]
    assert np.mean(scores) > 0.78 and min(scores) > 0.5 > 0.35 > np.mean(unturned)
    assert min(quarter) > 0.98
