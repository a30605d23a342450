"""Measures of grids against closed forms and scikit-learn."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import metrics

from maquette.geometry.overlap import average_precision, iou, is_connected, largest_share, part_count


def _box(r, low, high):
    grid = np.zeros((r, r, r), bool)
    grid[low[0]:high[0], low[1]:high[1], low[2]:high[2]] = True
    return grid


def test_iou_of_two_boxes_is_the_closed_form():
    a, b = _box(8, (0, 0, 0), (4, 4, 4)), _box(8, (2, 0, 0), (6, 4, 4))
    assert iou(a, b) == pytest.approx(32 / 96)
    assert iou(a, a) == 1.0
    assert iou(a, ~a) == 0.0
    assert iou(np.zeros_like(a), np.zeros_like(a)) == 1.0


def test_iou_thresholds_strictly_and_runs_over_batches():
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 5, 5, 5)), rng.random((3, 5, 5, 5)) > 0.5
    got = iou(a, b, 0.3)
    assert got.shape == (3,)
    for i in range(3):
        hard = a[i] > 0.3
        assert got[i] == pytest.approx((hard & b[i]).sum() / (hard | b[i]).sum())
    assert iou(np.full((2, 2, 2), 0.5), np.ones((2, 2, 2), bool), 0.5) == 0.0
    assert iou(a, b[0], 0.3).shape == (3,)
    with pytest.raises(ValueError, match="one size"):
        iou(a, b[:, :4])


@pytest.mark.parametrize("levels", [None, 2, 5])
def test_average_precision_is_scikit_learns(levels):
    rng = np.random.default_rng(1)
    prob = rng.random((4, 6, 6, 6)).astype(np.float32)
    if levels:
        prob = np.round(prob * levels) / levels  # many ties
    truth = rng.random((4, 6, 6, 6)) < prob * 0.5
    got = average_precision(prob, truth)
    for i in range(4):
        assert got[i] == pytest.approx(metrics.average_precision_score(truth[i].ravel(), prob[i].ravel()), abs=1e-12)
        assert average_precision(prob[i], truth[i]) == got[i]


def test_average_precision_at_its_ends():
    truth = _box(4, (0, 0, 0), (2, 4, 4))
    assert average_precision(truth.astype(float), truth) == 1.0
    assert average_precision(np.zeros((4, 4, 4)), truth) == 0.5  # one tie: the precision of taking everything
    assert average_precision(truth.astype(float), np.zeros_like(truth)) == 0.0
    with pytest.raises(ValueError, match="NaN"):
        average_precision(np.full((4, 4, 4), np.nan), truth)


def test_parts_and_connectivity():
    two = _box(6, (0, 0, 0), (2, 2, 2)) | _box(6, (2, 2, 2), (3, 3, 3))  # 8 voxels and 1, touching at a corner
    assert is_connected(two) and part_count(two, connectivity=26) == 1
    assert not is_connected(two, connectivity=6) and part_count(two, connectivity=6) == 2
    assert largest_share(two, connectivity=6) == pytest.approx(8 / 9)
    assert largest_share(two) == 1.0
    assert largest_share(np.zeros((3, 3, 3))) == 0.0 and not is_connected(np.zeros((3, 3, 3)))
    with pytest.raises(ValueError, match="connectivity must be"):
        largest_share(two, connectivity=8)


@pytest.mark.parametrize("connectivity, steps", [(6, 1), (18, 2), (26, 3)])
@pytest.mark.parametrize("share", [0, 0.1, 0.4])
def test_parts_are_those_of_scipy(connectivity, steps, share):
    grid = np.random.default_rng(7).random((12, 12, 12)) < share
    labels, count = ndimage.label(grid, ndimage.generate_binary_structure(3, steps))
    assert part_count(grid, connectivity=connectivity) == count
    largest = np.bincount(labels.ravel())[1:].max(initial=0) / max(grid.sum(), 1)
    assert largest_share(grid, connectivity=connectivity) == pytest.approx(largest)
