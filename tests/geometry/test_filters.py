"""Filters beside those of SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from maquette.geometry.filters import (
    blurred,
    enlarged,
    largest_near,
    least_near,
    medians,
    sampled,
    smoothed,
    spread,
    within,
)

FIELD = np.random.default_rng(0).random((11, 17, 14)).astype(np.float32)


@pytest.mark.parametrize("deviation", [0, 0.3, 0.5, 0.6, 1.7])
def test_a_gaussian(deviation):
    expected = ndimage.gaussian_filter(FIELD, deviation, truncate=2.5, mode="constant") if deviation else FIELD
    assert np.allclose(blurred(FIELD, deviation), expected, atol=1e-6)


@pytest.mark.parametrize("reach", [1, 3])
def test_the_largest_and_the_least_nearby(reach):
    assert np.array_equal(largest_near(FIELD, reach), ndimage.maximum_filter(FIELD, 2 * reach + 1))
    assert np.array_equal(least_near(FIELD, reach), ndimage.minimum_filter(FIELD, 2 * reach + 1))
    marks = (FIELD > 0.9).astype(np.uint8)
    wider = ndimage.binary_dilation(marks, np.ones((3, 3, 3)), iterations=reach)
    assert np.array_equal(largest_near(marks, reach) > 0, wider)


@pytest.mark.parametrize("side", [13, 24, 32, 64])
def test_another_resolution(side):
    field = FIELD[:11, :11, :11]
    expected = ndimage.zoom(field, side / 11, order=1, grid_mode=True, mode="nearest")
    assert np.allclose(enlarged(field, side), expected, atol=1e-6)


def test_one_voxel_is_the_same_everywhere():
    assert (enlarged(np.full((1, 1, 1), 0.25, np.float32), 4) == 0.25).all()


@pytest.mark.parametrize("beyond, mode", [("symmetric", "reflect"), ("edge", "nearest"), ("wrap", "wrap")])
@pytest.mark.parametrize("count", [1, 2, 9, 200])  # also fewer than the Gaussian reaches
def test_a_gaussian_along_lines(count, beyond, mode):
    lines = np.random.default_rng(count).normal(size=(count, 2))
    for deviation in (0.7, 2.0, 3.0):
        expected = ndimage.gaussian_filter1d(lines, deviation, axis=0, mode=mode)
        assert np.allclose(smoothed(lines, deviation, beyond=beyond), expected, rtol=0, atol=1e-14)
    across = ndimage.gaussian_filter1d(FIELD, 1.5, axis=2)
    assert np.allclose(smoothed(FIELD, 1.5, axis=2), across, atol=1e-6) and across.dtype == np.float32


@pytest.mark.parametrize("height, width", [(1, 17), (3, 5), (1, 1)])
@pytest.mark.parametrize("shape", [(24, 90), (3, 4)])
def test_medians(height, width, shape):
    values = np.random.default_rng(2).random(shape)
    assert np.array_equal(medians(values, height, width), ndimage.median_filter(values, (height, width)))


def test_values_between_pixels():
    rng = np.random.default_rng(3)
    picture = rng.random((13, 19))
    rows, columns = rng.uniform(-2, 15, (2, 40, 30))
    rows[0, :4], columns[0, :4] = (0, 12, 12, 5), (0, 18, 0, 18)  # corners and borders
    expected = ndimage.map_coordinates(picture, [rows, columns], order=1, mode="constant")
    assert np.allclose(sampled(picture, rows, columns), expected, atol=1e-12)
    assert sampled(picture[:1], np.zeros(3), np.array([0, 1.5, 18.0])) == pytest.approx(
        ndimage.map_coordinates(picture[:1], [np.zeros(3), [0, 1.5, 18.0]], order=1))


@pytest.mark.parametrize("share", [0, 0.03, 0.5, 0.97, 1])
def test_voxels_spread_through_faces_and_lie_within(share):
    filled = np.random.default_rng(4).random((9, 12, 10)) < share
    for steps in (1, 3):
        assert np.array_equal(spread(filled, steps), ndimage.binary_dilation(filled, iterations=steps))
    assert np.array_equal(spread(filled, 0), filled)
    assert np.array_equal(within(filled), ndimage.binary_erosion(filled))
