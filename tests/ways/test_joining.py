"""Joining loose parts."""

import numpy as np
from scipy import ndimage

from maquette.ways.joining import join_parts, tie_parts


def legged(gap: float) -> np.ndarray:
    grid = np.zeros((20, 20, 20), np.float32)
    grid[4:16, 4:16, 12:16] = 0.9
    grid[5:8, 5:8, 0:10] = 0.9
    grid[5:8, 5:8, 10:12] = gap
    return grid


def parts(grid):
    return ndimage.label(grid >= 0.5, np.ones((3, 3, 3)))[1]


def test_a_leg_that_hangs_by_a_thread_is_joined_and_nothing_else_changes():
    grid = legged(0.3)
    joined = join_parts(grid, 0.5)
    assert parts(grid) == 2 and parts(joined) == 1
    assert np.argwhere(joined != grid).tolist() == [[x, y, z] for x in (5, 6, 7) for y in (5, 6, 7) for z in (10, 11)]


def test_a_part_with_nothing_between_stays_loose():
    assert parts(join_parts(legged(0.05), 0.5)) == 2


def test_a_narrow_gap_is_closed_by_a_bar_and_a_wide_one_is_not():
    grid = np.zeros((64, 64, 64), np.float32)
    grid[10:30, 20:40, 30:50] = 0.9
    grid[36:40, 28:32, 8:56] = 0.9  # a post six voxels beside a block
    tied = tie_parts(grid, 0.5)
    assert parts(grid) == 2 and parts(tied) == 1
    new = np.argwhere((tied >= 0.5) & (grid < 0.5))
    assert set(range(30, 36)) <= set(new[:, 0].tolist()) <= set(range(28, 38))
    assert np.ptp(new[:, 1:], axis=0).max() <= 4  # a bar, no wall
    moved = np.roll(grid[33:], 8, axis=0)
    assert parts(tie_parts(np.concatenate([grid[:33], moved]), 0.5)) == 2  # 14 voxels beside it


def test_a_leg_is_lengthened_up_to_what_stands_over_it():
    grid = np.zeros((64, 64, 64), np.float32)
    grid[10:50, 20:40, 40:50] = 0.9
    grid[20:24, 28:32, 8:22] = 0.9  # ends 18 voxels below
    tied = tie_parts(grid, 0.5)
    assert parts(grid) == 2 and parts(tied) == 1
    new = np.argwhere((tied >= 0.5) & (grid < 0.5))
    assert new.min(0).tolist() == [20, 28, 22] and new.max(0).tolist() == [23, 31, 39]
    assert len(new) == 4 * 4 * 18 and np.array_equal(tied[grid > 0], grid[grid > 0])
    grid[20:24, 28:32, 16:22] = 0.0  # 24 voxels: it is another thing
    assert parts(tie_parts(grid, 0.5)) == 2


def test_where_nothing_is_loose_nothing_changes():
    grid = legged(0.9)
    assert np.array_equal(tie_parts(grid, 0.5), grid)
