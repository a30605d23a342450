"""The two volumetric forms of ModelNet10: tiny copies of their layouts, and the real ones where they are."""

from pathlib import Path

import numpy as np
import pytest
from command import call
from scipy.io import savemat

from maquette.datasets import sources
from maquette.datasets.audit import audit
from maquette.datasets.sources import modelnet
from maquette.errors import UserError
from maquette.evaluation.shapes.modelnet import split_name
from maquette.geometry.grids import turn_grid
from maquette.geometry.resample import resample


def chair(back: str) -> np.ndarray:
    """A 30-voxel chair with its back at +y or +x, one armrest: on the side of lower x if the back is at +y."""
    grid = np.zeros((30, 30, 30), bool)
    grid[8:22, 8:22, 12:14] = True
    grid[8:22, 20:22, 3:27] = True
    grid[8:10, 8:10, 3:12] = grid[20:22, 8:10, 3:12] = True
    grid[8:10, 8:20, 18:20] = True
    return grid if back == "+y" else turn_grid(grid, 270)


def archive(path: Path, leak: bool = False) -> Path:
    train = np.stack([chair("+y"), chair("+x"), np.zeros((30,) * 3)]).astype(np.uint8)
    test = np.stack([chair("+y") & (np.arange(30) < 20)]).astype(np.uint8)  # a stool
    if leak:
        test[0] = train[0]
    np.savez(path, X_train=train, y_train=np.array([0, 1, 0]), X_test=test, y_test=np.array([0]),
             classes=np.array(["chair", "sofa"]))
    return path


def test_turn_is_counter_clockwise_seen_from_above():
    grid = np.zeros((4, 4, 4), bool)
    grid[3, 1, 2] = True  # on +x
    assert np.argwhere(turn_grid(grid, 90)).tolist() == [[2, 3, 2]]  # now on +y
    assert np.array_equal(turn_grid(turn_grid(grid, 270), 90), grid)
    with pytest.raises(ValueError):
        turn_grid(grid, 30)


def test_the_archive_gives_every_class_facing_the_front(tmp_path):
    items = list(modelnet.read(archive(tmp_path / "m.npz")))
    assert [(item.id, item.label, item.split) for item in items] == [
        ("chair-train-00000", "chair", "train"), ("sofa-train-00001", "sofa", "train"),
        ("chair-train-00002", "chair", "train"), ("chair-test-00000", "chair", "test"),
    ]
    front = turn_grid(chair("+y"), 180)
    assert np.flatnonzero(front.any((0, 2)))[0] == 8 and front[:, 8:10].sum() > front[:, 20:22].sum()  # its back at -y
    assert np.array_equal(items[0].load(), front)
    assert np.array_equal(items[1].load(), front)
    assert np.array_equal(items[3].load(), front & (np.arange(30) < 20))
    with pytest.raises(UserError, match="chair-train-00002 is an empty grid in m.npz"):
        items[2].load()
    raw = next(modelnet.read_npz(tmp_path / "m.npz", raw=True)).load()
    assert np.array_equal(raw, chair("+y"))


def test_a_training_shape_that_is_in_the_test_split_too_is_left_out(tmp_path):
    path = archive(tmp_path / "m.npz", leak=True)
    items = {item.id: item for item in modelnet.read(path)}
    with pytest.raises(UserError, match="chair-train-00000 is left out: .* the same shape, chair-test-00000"):
        items["chair-train-00000"].load()
    assert items["chair-test-00000"].load().any() and items["sofa-train-00001"].load().any()
    assert next(modelnet.read_npz(path, copies=True)).load().any()


def test_the_tree_gives_one_orientation_a_shape_unless_asked(tmp_path):
    folder = tmp_path / "chair" / "30" / "train"
    folder.mkdir(parents=True)
    stored = chair("+y").transpose(1, 0, 2)  # mirrored, as the files are
    for number in range(1, 13):
        savemat(folder / f"chair_0001_{number}.mat", {"instance": stored.astype(np.int8)})
    (one,) = modelnet.read(tmp_path)
    assert (one.id, one.label, one.split) == ("chair/chair_0001_1", "chair", "train")
    assert np.array_equal(one.load(), turn_grid(chair("+y"), 180))
    every = list(modelnet.read_mat(tmp_path, orientations=tuple(range(1, modelnet.ORIENTATIONS + 1)), raw=True))
    assert len(every) == 12 and np.array_equal(every[5].load(), stored)
    assert [item.id for item in sources.read(tmp_path)] == [one.id]


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(UserError, match="no ModelNet tree in"):
        list(modelnet.read_mat(tmp_path))
    with pytest.raises(UserError, match="no file .*missing.npz"):
        list(modelnet.read_npz(tmp_path / "missing.npz"))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="other.npz is not a ModelNet archive, got no array X_test"):
        list(modelnet.read_npz(tmp_path / "other.npz"))
    (tmp_path / "bad.npz").write_bytes(b"PK nonsense")
    with pytest.raises(UserError, match="bad.npz cannot be read as npz: File is not a zip file"):
        list(modelnet.read_npz(tmp_path / "bad.npz"))
    folder = tmp_path / "chair" / "30" / "test"
    folder.mkdir(parents=True)
    (folder / "chair_1_1.mat").write_bytes(b"nothing")
    savemat(folder / "chair_2_1.mat", {"other": np.ones((3, 3))})
    broken, other = modelnet.read_mat(tmp_path)
    with pytest.raises(UserError, match="chair_1_1.mat cannot be read as mat"):
        broken.load()
    with pytest.raises(UserError, match="chair_2_1.mat: a grid has three axes"):
        other.load()


def test_pad_to():
    grid = modelnet.pad_to(chair("+y"))
    assert grid.shape == (32, 32, 32) and np.array_equal(grid[1:31, 1:31, 1:31], chair("+y"))
    with pytest.raises(UserError, match="cannot be padded"):
        modelnet.pad_to(grid, 30)


def test_the_real_archive_faces_the_front(shared):
    path = shared / "modelnet10" / "modelnet10_30.npz"
    items = list(modelnet.read(path))
    assert len(items) == 3991 + 908 and len({item.id for item in items}) == len(items)
    copies = modelnet.copies_of_test(path)
    assert {"-train-" in name and "-test-" in twin for name, twin in copies.items()} == {True}
    assert copies["bathtub-train-00067"] == "bathtub-test-00037"
    means, empty = {}, 0
    for item in items[::7]:
        try:
            grid = item.load()
        except UserError:
            empty += 1
            continue
        total, count = means.get(item.label, (0, 0))
        means[item.label] = (total + grid, count + 1)
    assert set(means) == set(modelnet.ROTATIONS)
    for label, (total, count) in means.items():
        mean = total / count
        back, front = mean[:, 3:7].sum(), mean[:, 23:27].sum()
        if label in ("chair", "bed", "toilet"):  # a back, a headboard and a cistern stand higher than the rest
            high = mean[:, :, 16:]
            assert high[:, :13].sum() > 1.3 * high[:, 17:].sum(), label
        elif label == "sofa":
            high = mean[:, :, 15:]
            assert high[:, :15].sum() > 1.5 * high[:, 15:].sum()
        else:  # long from side to side, not from front to back
            assert back + front < mean[3:7].sum() + mean[23:27].sum(), label
    desks = means["desk"][0] / means["desk"][1]
    middle = desks[12:18, :, 10:14]  # where the knees go
    assert middle[:, :15].sum() > middle[:, 15:].sum()


def test_real_files_of_both_forms_agree(shared):
    """A lopsided chair of the tree looks like one of the archive, and its mirror image does not."""
    tree = shared / "modelnet10" / "volumetric_data"
    (item,) = (item for item in modelnet.read(tree) if item.id == "chair/chair_000000308_1")
    ours = resample(item.load(), 24)
    best = {}
    items = modelnet.read_npz(shared / "modelnet10" / "modelnet10_30.npz", copies=True)
    chairs = [other for other in items if other.label == "chair" and other.split == "train"]
    for flip in (False, True):
        grid = ours[::-1] if flip else ours
        best[flip] = 0.0
        for other in chairs:
            theirs = other.load()[3:27, 3:27, 3:27]
            best[flip] = max(best[flip], (grid & theirs).sum() / (grid | theirs).sum())
    assert best[False] > 0.7 > 0.5 > best[True]


def test_modelnet10_is_known_by_its_classes_and_the_size_of_its_test_split(tmp_path, shared):
    def archive(name, classes, tested):
        path = tmp_path / name
        np.savez(path, X_train=[], y_train=[], classes=np.array(classes), y_test=np.zeros(tested, int))
        return path

    kinds = sorted(modelnet.ROTATIONS)
    assert modelnet.is_modelnet10(archive("a.npz", kinds, 908)) and modelnet.is_modelnet10(tmp_path)
    assert not modelnet.is_modelnet10(archive("b.npz", kinds, 907))
    assert not modelnet.is_modelnet10(archive("c.npz", kinds[1:], 908))
    assert modelnet.is_modelnet10(shared / "modelnet10" / "modelnet10_30.npz")
    assert split_name(tmp_path / "a.npz") == "ModelNet10 test split"
    assert split_name(tmp_path / "b.npz") == "Test split of b.npz"
    tree = tmp_path / "tree"
    for number in range(908):
        file = tree / kinds[number % 10] / "30" / "test" / f"x_{number}_1.mat"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert modelnet.is_modelnet10(tree)
    file.unlink()
    assert not modelnet.is_modelnet10(tree) and split_name(tree) == "Test split of tree"


def test_what_is_left_out_on_purpose_is_no_failure(tmp_path, capsys):  # A12
    path = archive(tmp_path / "m.npz", leak=True)
    assert call("data", "prepare", path, "--out", tmp_path / "a", "--resolution", 8, "--workers", 1) == 1
    assert "2 shapes, 1 skipped, 1 left out on purpose" in capsys.readouterr().out, "the empty grid is a failure"
    with np.load(path) as whole:
        arrays = dict(whole)
    arrays["X_train"], arrays["y_train"] = arrays["X_train"][:2], arrays["y_train"][:2]
    np.savez(tmp_path / "n.npz", **arrays)
    prepare = ("data", "prepare", tmp_path / "n.npz", "--out", tmp_path / "b", "--resolution", 8, "--workers", 1)
    for _ in range(2):
        assert call(*prepare) == 0
        assert capsys.readouterr().out == f"{tmp_path / 'b'}: 2 shapes, 1 left out on purpose\n"
    assert not audit(tmp_path / "b").unreadable
