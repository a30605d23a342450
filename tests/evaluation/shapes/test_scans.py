"""Completion of scans on a small archive of ModelNet10's layout: test rows alone, and known answers."""

import numpy as np
import pytest

from maquette.datasets.opened import open_dataset
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.scans import evaluate_scans
from maquette.events import Progress
from maquette.geometry.overlap import iou


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The test split has a table (a cube) and a chair (a bar)."""
    path = tmp_path_factory.mktemp("modelnet") / "tiny.npz"
    cube, bar = np.zeros((2, 30, 30, 30), np.uint8)
    cube[3:27, 3:27, 3:27] = 1
    bar[12:18, 12:18, 3:27] = 1
    half = cube * (np.arange(30) < 15)
    np.savez(path, X_train=half[None], y_train=np.array([1]), X_test=np.stack([bar, cube]), y_test=np.array([0, 1]),
             classes=np.array(["chair", "table"]))
    return path


def run(archive, cache, predict, scans=4):
    asked = []
    events = list(evaluate_scans(lambda seen: asked.append(seen) or predict(seen), archive, cache, resolution=20,
                                 threshold=0.5, scans=scans))
    assert all(isinstance(event, Progress) for event in events[:-1]) and isinstance(events[-1], Measured)
    return events[-1], np.concatenate(asked)


def test_the_numbers_of_known_predictions(archive, tmp_path):
    same, asked = run(archive, tmp_path, lambda seen: seen[:, 0])
    assert asked.shape == (2 * 4, 1, 20, 20, 20) and asked.dtype == np.float32 and set(np.unique(asked)) == {0, 1}
    data = open_dataset(next(tmp_path.glob("tiny-*")))
    truth = data.voxels([0, 1])
    by_hand = [np.mean([iou(data.scans([row], [k])[0], truth[row]) for k in range(4)]) for row in (0, 1)]
    tree = same.to_json()
    for kind, value in zip(("chair", "table"), by_hand, strict=True):
        assert tree["classes"][kind]["IoU"] == tree["classes"][kind]["IoU scan"] == pytest.approx(value)
    assert tree["mean_iou_of_scans"] == pytest.approx(np.mean(by_hand)) and by_hand[0] != by_hand[1]
    full, again = run(archive, tmp_path, lambda seen: np.ones((len(seen), 20, 20, 20), np.float32))
    assert np.array_equal(asked, again), "kept from the first time"
    assert full.rows[-1][:2] == ("all shapes", 2) and full.columns == ("class", "shapes", "IoU scan", "IoU")
    assert full.to_json()["mean_iou"] == pytest.approx(truth.mean())


def test_no_scans_are_refused(archive, tmp_path):
    with pytest.raises(UserError, match="scans of each shape must be 1 or more, got 0"):
        run(archive, tmp_path, lambda seen: seen, scans=0)
