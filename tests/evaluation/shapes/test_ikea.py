"""The IKEA measure on three photos of the real layout: known predictions, choices and errors; and its report."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.alignment import TURNS, turned
from maquette.evaluation.shapes.ikea import evaluate_ikea, score_photos
from maquette.events import Progress

IKEA = Path(__file__).parents[4] / "shared" / "data" / "ikea"


@pytest.fixture
def tiny_ikea(tmp_path):
    """Three photos of a chair, a table and a table, in the real layout."""
    rng = np.random.default_rng(6)
    for folder in ("Images", "Lists", "Voxels"):
        (tmp_path / folder).mkdir()
    truths = {}
    for model_id in (7, 9):
        grid = np.zeros((20, 20, 20), np.uint8)
        grid[2:14, 4:18, 3:9] = rng.random((12, 14, 6)) < 0.5
        truths[model_id] = grid > 0
        savemat(tmp_path / "Voxels" / f"{model_id}.mat", {"grid": grid})
    ids = [7, 9, 9]
    for i, brightness in enumerate(ids):
        Image.new("RGB", (40, 30), (brightness, brightness, brightness)).save(tmp_path / "Images" / f"{i}.png")
    (tmp_path / "Lists" / "Images.txt").write_text("".join(f"{i}.png\n" for i in range(3)))
    (tmp_path / "Lists" / "Model.txt").write_text("IKEA_chair_A/x\nIKEA_table_B/y\nIKEA_table_B/y\n")
    (tmp_path / "Lists" / "ModelID.txt").write_text("7\n9\n9\n")
    return tmp_path, truths


def test_a_whole_run(tiny_ikea):
    folder, truths = tiny_ikea

    def predict(pictures):
        assert all(p.shape == (30, 40, 3) and p.dtype == np.uint8 for p in pictures)
        turns = [turned(truths[int(p[0, 0, 0])], TURNS[13]) for p in pictures]
        return np.stack([np.kron(t, np.ones((2, 2, 2))) for t in turns]).astype(np.float32)  # at 40 voxels a side

    steps = []
    result = score_photos(predict, folder, batch=2, progress=lambda done, total: steps.append((done, total)))
    assert [row.label for row in result.rows] == ["chair", "table", "table"]
    assert [row.aligned.ap for row in result.rows] == [1.0, 1.0, 1.0] and result.mean_ap == 1.0
    assert all(row.ap < 0.9 for row in result.rows)
    assert result.table.rows["table"][0] == 2 and result.table.columns == ("ap", "ap_aligned")
    assert steps == [(2, 6), (3, 6), (4, 6), (5, 6), (6, 6)] and result.seconds > 0

    tables = score_photos(predict, folder, align=False, kind="table")
    assert [row.image for row in tables.rows] == ["1.png", "2.png"] and list(tables.table.rows) == ["table"]
    with pytest.raises(UserError, match="has no photos of this class, got 'sofa'; it has chair, table"):
        score_photos(predict, folder, kind="sofa")
    plain = score_photos(predict, folder, align=False, limit=1)
    assert len(plain.rows) == 1 and plain.rows[0].aligned is None and plain.table.columns == ("ap",)
    assert plain.mean_ap == plain.rows[0].ap
    with pytest.raises(UserError, match=r"predictions must be \[n, R, R, R\]"):
        score_photos(lambda pictures: np.zeros((1, 20, 20)), folder)
    with pytest.raises(UserError, match="limit must be at least 1"):
        score_photos(predict, folder, limit=0)
    with pytest.raises(UserError, match="IKEA folder"):
        score_photos(predict, folder / "Images")


@pytest.mark.skipif(not IKEA.is_dir(), reason="no real IKEA set in ../shared/data")
def test_the_real_set_is_read():
    result = score_photos(lambda pictures: np.full((len(pictures), 20, 20, 20), 0.5), IKEA, align=False, limit=40)
    assert len(result.rows) == 40 and set(result.table.rows) >= {"bookcase", "chair", "sofa", "table"}
    assert 0.02 < result.mean_ap < 0.5  # one tie: the share of filled voxels


def test_the_report_yields_its_progress_and_ends_with_the_table(tiny_ikea):
    folder, truths = tiny_ikea

    def predict(pictures):
        return np.stack([truths[int(picture[0, 0, 0])] for picture in pictures]).astype(np.float32)

    *progress, found = evaluate_ikea(predict, folder)
    assert [(event.done, event.total) for event in progress] == [(3, 6), (4, 6), (5, 6), (6, 6)]
    assert all(isinstance(event, Progress) for event in progress) and isinstance(found, Measured)
    assert found.columns == ("class", "photos", "ap", "ap_aligned")
    assert found.rows == (("chair", 1, 1.0, 1.0), ("table", 2, 1.0, 1.0), ("mean of classes", 3, 1.0, 1.0))
    assert found.details["photos"][0] == {"image": "0.png", "class": "chair", "model": 7, "ap": 1.0, "ap_aligned": 1.0}
    with pytest.raises(UserError, match="has no photos of this class, got 'sofa'"):
        list(evaluate_ikea(predict, folder, kind="sofa"))
