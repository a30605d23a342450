"""Centre lines and ways along them beside scikit-image's."""

import cv2
import numpy as np
import pytest
from skimage.graph import route_through_array
from skimage.morphology import skeletonize

from maquette.geometry.thinning import shortest_way, skeleton_of


@pytest.mark.parametrize("seed", range(12))
def test_centre_lines_are_those_of_scikit_image(seed):
    rng = np.random.default_rng(seed)
    blobs = cv2.GaussianBlur(rng.random((70, 90)).astype(np.float32), (0, 0), rng.uniform(0.3, 4))
    mask = blobs > np.quantile(blobs, rng.uniform(0.1, 0.9))
    assert np.array_equal(skeleton_of(mask), skeletonize(mask))


def test_every_neighbourhood_is_thinned_as_there():
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    for number in range(256):
        mask = np.zeros((5, 5), bool)
        mask[2, 2] = True
        for bit, (row, column) in enumerate(around):
            mask[1 + row, 1 + column] = number >> bit & 1
        assert np.array_equal(skeleton_of(mask), skeletonize(mask)), number


@pytest.mark.parametrize("mask", [np.zeros((4, 5), bool), np.ones((6, 6), bool), np.ones((1, 7), bool),
                                  np.ones((1, 1), bool)])
def test_nothing_all_and_a_single_row(mask):
    assert np.array_equal(skeleton_of(mask), skeletonize(mask))


@pytest.mark.parametrize("seed", range(6))
def test_the_shortest_way_is_as_long_as_that_of_scikit_image(seed):
    rng = np.random.default_rng(seed)
    canvas = np.zeros((60, 80), np.uint8)
    points = rng.integers(5, 55, (9, 1, 2)).astype(np.int32)
    cv2.polylines(canvas, [points], False, 1, 3)
    lines = skeleton_of(canvas > 0)
    first, last = np.argwhere(lines)[[0, -1]]
    way = shortest_way(lines, first, last)
    theirs, _ = route_through_array(np.where(lines, 1.0, 1000.0), first, last, geometric=True)
    assert lines[tuple(way.T)].all() and (way[0] == first).all() and (way[-1] == last).all()
    assert np.abs(np.diff(way, axis=0)).max() == 1
    own, other = (np.linalg.norm(np.diff(np.array(path), axis=0), axis=1).sum() for path in (way, theirs))
    assert own == pytest.approx(other, abs=1e-9)


def test_a_way_to_itself_and_none():
    lines = np.zeros((4, 9), bool)
    lines[1, [1, 2, 6]] = True
    assert shortest_way(lines, np.array([1, 1]), np.array([1, 1])).tolist() == [[1, 1]]
    with pytest.raises(ValueError, match="no line leads"):
        shortest_way(lines, np.array([1, 1]), np.array([1, 6]))
