"""Bending an object to a drawn outline."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates, zoom

from maquette.geometry.parts import wholeness
from maquette.ways.obeying import obey
from maquette.ways.outline import overlap
from maquette.ways.silhouette import Pose, silhouette, surface_voxels
from maquette.ways.warping import shift_between, warp

FRONT = Pose(0.0, 0.0, nearness=0.05, scale=0.2)


def table(leg: int, wide: int = 4) -> np.ndarray:
    """A top on two legs; the left one begins at this voxel. The picture's right is the frame's -x."""
    grid = np.zeros((64, 64, 64), np.float32)
    grid[12:52, 24:40, 44:50] = 1.0
    grid[46:50, 30:34, 12:44] = 1.0
    grid[leg : leg + wide, 30:34, 12:44] = 1.0
    return grid


def seen(grid: np.ndarray) -> np.ndarray:
    return silhouette(surface_voxels(grid >= 0.5), FRONT, 128, 1 / 64)


def test_a_disc_is_brought_to_where_it_was_moved():
    down, right = np.mgrid[0:128, 0:128]
    disc, moved = ((right - x) ** 2 + (down - y) ** 2 < 30**2 for x, y in ((60, 64), (66, 61)))
    shift = shift_between(disc, moved)
    assert np.sign(shift[0, 32, 32]) == -1 and np.sign(shift[1, 32, 32]) == 1
    at = [zoom(part, 2, order=1) * 64 + place for part, place in zip(shift[::-1], (down, right), strict=True)]
    brought = map_coordinates(disc.astype(float), at, order=1) > 0.5
    assert overlap(disc, moved) < 0.82 and overlap(brought, moved) > 0.97
    assert np.abs(shift_between(disc, disc)).max() == 0


def test_a_leg_that_is_drawn_elsewhere_is_moved_and_stays_whole():
    """Carved and grown, it would be a sliver beside a new leg; moved, it is the leg that was drawn."""
    given, drawn = table(16), table(19)
    bent = warp(given, seen(given), seen(drawn), FRONT)
    assert overlap(seen(given), seen(drawn)) < 0.9 < 0.94 < overlap(seen(bent), seen(drawn))
    leg = np.argwhere(bent[10:30, :, 20:38] >= 0.5)[:, 0] + 10
    assert leg.mean() == pytest.approx(20.5, abs=0.6) and np.ptp(leg) <= 6
    assert np.argwhere(bent[40:, :, 20:38] >= 0.5)[:, 0].mean() + 40 == pytest.approx(47.5, abs=0.5)
    same = warp(given, seen(given), seen(given), FRONT)
    assert np.allclose(same, given, atol=1e-5)


def test_what_is_drawn_and_stands_apart_is_tied():
    """A leg that lies farther back than the top: in the picture they touch, in space they do not."""
    given = table(16)
    given[14:18, 30:34, 12:40], given[14:18, 46:50, 12:40] = 0.0, 1.0
    given[16:20, 30:34, 12:44] = 0.0
    assert wholeness(given >= 0.5) < 0.99
    drawn = table(14)
    found = obey(given, 0.5, seen(drawn), FRONT)
    assert wholeness(found.occupancy >= 0.5) > 0.999
    assert found.grown > 0.02


def test_what_cannot_be_drawn_in_one_piece_is_left():
    """A speck far from everything is not tied: the object stays as whole as it was."""
    given = table(16)
    far = seen(given).copy()
    far[4:14, 4:14] = True
    found = obey(given, 0.5, far, FRONT)
    assert wholeness(found.occupancy >= 0.5) >= 0.99
    assert found.grown == 0.0
