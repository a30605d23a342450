"""The alignment search against brute force with scikit-learn, the resize against closed forms, and a whole tiny run."""

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from PIL import Image
from scipy.io import savemat

from maquette.errors import UserError
from maquette.evaluation.shapes.ikea import TURNS, best_alignment, evaluate_ikea, resize_grid, shifted, turned
from maquette.geometry.overlap import average_precision

IKEA = Path(__file__).parents[4] / "shared" / "data" / "ikea"


def _brute_force(prob, truth, reach):
    """The definition, literally: every turn of the truth, every shift of the prediction, scikit-learn's AP."""
    score = sklearn.metrics.average_precision_score
    size, best = prob.shape[0], 0.0
    for shift in product(range(-reach, reach + 1), repeat=3):
        moved = np.zeros_like(prob)
        for cell in product(range(size), repeat=3):
            source = tuple(c - s for c, s in zip(cell, shift, strict=True))
            if all(0 <= c < size for c in source):
                moved[cell] = prob[source]
        for axes, steps in product(permutations(range(3)), product((1, -1), repeat=3)):
            answer = truth.transpose(axes)[:: steps[0], :: steps[1], :: steps[2]]
            best = max(best, score(answer.ravel(), moved.ravel()))
    return best


@pytest.mark.parametrize("kind", ["distinct", "ties", "zeros", "symmetric"])
def test_search_is_brute_force(kind):
    rng = np.random.default_rng(3)
    prob = rng.random((6, 6, 6)).astype(np.float32)
    truth = rng.random((6, 6, 6)) < 0.2
    if kind == "ties":
        prob = np.round(prob * 4) / 4
    elif kind == "zeros":
        prob[prob < 0.5] = 0
    elif kind == "symmetric":
        truth = np.zeros((6, 6, 6), bool)
        truth[1:5, 1:5, 2] = truth[2, 2, :] = True
    found = best_alignment(prob, truth, shift=0.2)
    assert found.ap == pytest.approx(_brute_force(prob, truth, 1), abs=1e-9)
    again = average_precision(shifted(prob, found.shift), turned(truth, found.turn))
    assert again == found.ap  # the alignment reported is the one scored


def test_a_turned_and_shifted_answer_is_found():
    rng = np.random.default_rng(4)
    truth = np.zeros((20, 20, 20), bool)
    truth[3:16, 5:12, 4:14] = rng.random((13, 7, 10)) < 0.4
    prob = shifted(turned(truth, TURNS[29]).astype(np.float32), (2, -2, 1)) * 0.8 + 0.1
    found = best_alignment(prob, truth)
    assert found.ap == 1.0 and found.turn == TURNS[29] and found.shift == (-2, 2, -1)
    assert average_precision(prob, truth) < 0.5


def test_truth_is_never_cut():
    truth = np.zeros((20, 20, 20), bool)
    truth[0] = truth[-1] = True  # two walls: a shift that pushed one out of the grid must not be rewarded
    prob = np.zeros((20, 20, 20), np.float32)
    prob[0] = 1
    assert best_alignment(prob, truth).ap == pytest.approx(0.5 + 0.5 * 0.1)


def test_identity_wins_ties_and_an_empty_prediction_scores_the_share_filled():
    truth = np.zeros((20, 20, 20), bool)
    truth[5:15, 5:15, 5:15] = True
    found = best_alignment(np.zeros((20, 20, 20), np.float32), truth)
    assert found.ap == pytest.approx(1000 / 8000) and found.turn == TURNS[0] and found.shift == (0, 0, 0)
    assert best_alignment(truth.astype(np.float32), truth).shift == (0, 0, 0)
    assert len(set(TURNS)) == 48


@pytest.mark.parametrize("size", [10, 20, 32, 64])
def test_resize_by_mean_keeps_the_volume_and_a_ramp(size):
    rng = np.random.default_rng(5)
    grid = rng.random((size, size, size)).astype(np.float32)
    small = resize_grid(grid)
    assert small.shape == (20, 20, 20) and small.dtype == np.float32
    assert small.mean() == pytest.approx(grid.mean(), abs=1e-6)
    half = np.zeros((size, size, size), np.float32)
    half[: size // 2] = 1  # the half space stays the half space, to the cell
    expected = np.zeros((20, 20, 20))
    expected[:10] = 1
    assert np.allclose(resize_grid(half), expected, atol=1e-6)
    assert np.allclose(resize_grid(half, how="max"), expected)


def test_resize_weighs_by_overlap():
    grid = np.zeros((3, 3, 3), np.float32)
    grid[0] = 1
    assert np.allclose(resize_grid(grid, 2)[:, 0, 0], [2 / 3, 0])  # the first cell spans old 0 and half of old 1
    assert np.allclose(resize_grid(grid, 2, "max")[:, 0, 0], [1, 0])
    with pytest.raises(UserError, match="occupancy must be in"):
        resize_grid(grid - 0.1)
    with pytest.raises(UserError, match="occupancy must be in"):
        resize_grid(np.full((4, 4, 4), np.nan))


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
    result = evaluate_ikea(predict, folder, batch=2, progress=lambda done, total: steps.append((done, total)))
    assert [row.label for row in result.rows] == ["chair", "table", "table"]
    assert [row.aligned.ap for row in result.rows] == [1.0, 1.0, 1.0] and result.mean_ap == 1.0
    assert all(row.ap < 0.9 for row in result.rows)
    assert result.table.rows["table"][0] == 2 and result.table.columns == ("ap", "ap_aligned")
    assert steps == [(2, 6), (3, 6), (4, 6), (5, 6), (6, 6)] and result.seconds > 0

    tables = evaluate_ikea(predict, folder, align=False, kind="table")
    assert [row.image for row in tables.rows] == ["1.png", "2.png"] and list(tables.table.rows) == ["table"]
    with pytest.raises(UserError, match="has no photos of this class, got 'sofa'; it has chair, table"):
        evaluate_ikea(predict, folder, kind="sofa")
    plain = evaluate_ikea(predict, folder, align=False, limit=1)
    assert len(plain.rows) == 1 and plain.rows[0].aligned is None and plain.table.columns == ("ap",)
    assert plain.mean_ap == plain.rows[0].ap
    with pytest.raises(UserError, match=r"predictions must be \[n, R, R, R\]"):
        evaluate_ikea(lambda pictures: np.zeros((1, 20, 20)), folder)
    with pytest.raises(UserError, match="limit must be at least 1"):
        evaluate_ikea(predict, folder, limit=0)
    with pytest.raises(UserError, match="IKEA folder"):
        evaluate_ikea(predict, folder / "Images")


@pytest.mark.skipif(not IKEA.is_dir(), reason="no real IKEA set in ../shared/data")
def test_the_real_set_is_read():
    result = evaluate_ikea(lambda pictures: np.full((len(pictures), 20, 20, 20), 0.5), IKEA, align=False, limit=40)
    assert len(result.rows) == 40 and set(result.table.rows) >= {"bookcase", "chair", "sofa", "table"}
    assert 0.02 < result.mean_ap < 0.5  # one tie: the share of filled voxels
