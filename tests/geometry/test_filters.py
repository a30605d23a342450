"""Filters beside those of SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from maquette.geometry.filters import blurred, enlarged, largest_near, least_near

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
