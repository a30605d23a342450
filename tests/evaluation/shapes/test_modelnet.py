"""The ModelNet10 measure on a small archive of the real layout: test rows alone, half of each kind, closed forms."""

import numpy as np
import pytest

from maquette.datasets import prepare as preparing
from maquette.datasets import rows
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.modelnet import evaluate_modelnet


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Cubes and bars of 24 of 30 voxels: the test split has two tables (cubes) and one chair (a bar)."""
    path = tmp_path_factory.mktemp("modelnet") / "tiny.npz"
    cube = np.zeros((30, 30, 30), np.uint8)
    cube[3:27, 3:27, 3:27] = 1
    other = cube.copy()
    other[3:27, 3:27, 20:27] = 0
    bar = np.zeros((30, 30, 30), np.uint8)
    bar[12:18, 12:18, 3:27] = 1
    np.savez(path, X_train=np.stack([other]), y_train=np.array([1]), X_test=np.stack([bar, cube, cube[::-1]]),
             y_test=np.array([0, 1, 1]), classes=np.array(["chair", "table"]))
    return path


def run(archive, cache, predict, views=2):
    asked = []

    def watched(images):
        asked.append(images)
        return predict(images)

    events = list(evaluate_modelnet(watched, archive, cache, resolution=20, view_size=32, channels=1, threshold=0.5,
                                    views=views))
    return events[-1], asked


def test_scores_of_a_full_prediction_are_the_filled_shares(archive, tmp_path):
    full, asked = run(archive, tmp_path, lambda images: np.ones((len(images), 20, 20, 20), np.float32))
    assert isinstance(full, Measured)
    assert full.title == "Test split of tiny.npz, 2 views a shape, threshold 0.5"
    assert sum(len(images) for images in asked) == 3 * 2, "3 test shapes, 2 views each, no training shape"
    assert all(images.shape[1:] == (1, 32, 32) and images.max() <= 1 for images in asked)
    classes = full.to_json()["classes"]
    share = classes["chair"]["IoU"]
    assert 0.03 < share < 0.12, "a bar of 6x6x24 of 24^3 fills a sixteenth"
    assert classes["chair"]["AP"] == pytest.approx(share), "all voxels tie: the precision is the filled share"
    assert classes["table"]["IoU"] > 0.95
    assert full.to_json()["mean_iou"] == pytest.approx((share + 2 * classes["table"]["IoU"]) / 3)


def test_odd_numbers_of_views_are_refused(archive, tmp_path):
    with pytest.raises(UserError, match="views must be even"):
        run(archive, tmp_path, lambda images: images, views=3)


def test_shapes_are_joined_by_their_names_where_one_kind_of_view_skips_some(archive, tmp_path, monkeypatch):  # A13
    whole, _ = run(archive, tmp_path / "whole", lambda images: np.ones((len(images), 20, 20, 20), np.float32))
    real = rows.make_rows

    def choosy(item, options):
        if options.kinds == ("pencil",) and item.id == "chair-test-00000":
            raise UserError("no pencil today")
        return real(item, options)

    monkeypatch.setattr(preparing, "make_rows", choosy)
    monkeypatch.setattr(preparing, "_cores", lambda: 1)
    part, _ = run(archive, tmp_path / "part", lambda images: np.ones((len(images), 20, 20, 20), np.float32))
    assert part.to_json()["classes"] == {"table": whole.to_json()["classes"]["table"]}
    assert part.notes == ("left out: 1 of which one kind of view could not be rendered",) and whole.notes == ()
