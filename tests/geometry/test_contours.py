"""Lines along which a picture has a value, beside scikit-image's, point by point."""

import cv2
import numpy as np
import pytest
from skimage.measure import find_contours

from maquette.geometry.contours import level_rings


@pytest.mark.parametrize("level", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(12))
def test_they_are_those_of_scikit_image(seed, level):
    rng = np.random.default_rng(seed)
    field = rng.normal(size=rng.integers(2, 60, 2)).astype(np.float32)
    if seed % 2:
        field = cv2.GaussianBlur(field, (0, 0), 1.5)
    field = np.pad(field, 1, constant_values=-1)
    ours, theirs = level_rings(field, level), find_contours(field, level)
    assert len(ours) == len(theirs)
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_what_the_border_cuts_is_left_out():
    field = -np.ones((9, 9), np.float32)
    field[0:3, 2:4] = 1
    field[5:7, 5:7] = 1
    (ring,) = level_rings(field)
    assert np.array_equal(ring, [one for one in find_contours(field, 0) if (one[0] == one[-1]).all()][0])
    assert level_rings(-np.ones((4, 4))) == [] == level_rings(np.ones((4, 4)))
