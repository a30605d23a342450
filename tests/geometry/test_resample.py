"""Grids at another resolution: extents, volume and thin parts stay."""

import numpy as np
import pytest
from grids import extent
from scipy import ndimage

from maquette.errors import UserError
from maquette.geometry.resample import in_blocks, resample


def test_resample_keeps_extents_volume_and_thin_parts():
    table = np.zeros((30, 30, 30), bool)
    table[3:27, 6:24, 14:18] = True
    for x in (4, 25):
        for y in (7, 22):
            table[x, y, 4:14] = True
    for resolution in (20, 32, 48, 64):
        grid = resample(table, resolution)
        assert extent(grid)[0] == (0, resolution - 1)
        assert ndimage.label(grid, np.ones((3, 3, 3)))[1] == 1
        low = grid[:, :, extent(grid)[2][0] + 1]
        assert ndimage.label(low)[1] == 4
        assert grid.sum() / resolution**3 == pytest.approx(table.sum() / 24**3, rel=0.2)
    same = resample(table, 24)
    assert same.sum() == table.sum() and np.array_equal(same, resample(same, 24))
    with pytest.raises(UserError, match="no object"):
        resample(np.zeros((8, 8, 8)), 32)


@pytest.mark.parametrize("share", [0, 0.5, 0.9, 1])
@pytest.mark.parametrize("shape", [(1, 5, 6), (12, 9, 14)])
def test_blocks_are_those_of_an_opening(share, shape):
    grid = np.random.default_rng(6).random(shape) < share
    expected = ndimage.binary_opening(np.pad(grid, 1), np.ones((2, 2, 2)))[1:-1, 1:-1, 1:-1]
    assert np.array_equal(in_blocks(grid), expected)
