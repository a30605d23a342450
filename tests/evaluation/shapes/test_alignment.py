"""The alignment search against brute force with scikit-learn, and the resize against closed forms."""

from itertools import permutations, product

import numpy as np
import pytest
import sklearn.metrics

from maquette.errors import UserError
from maquette.evaluation.shapes.alignment import TURNS, best_alignment, resize_grid, shifted, turned
from maquette.geometry.overlap import average_precision


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
    found = best_alignment(prob, truth, max_shift=0.2)
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
