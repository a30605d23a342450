"""Several views of one object."""

import numpy as np
import pytest
from scipy import ndimage

from maquette.datasets.sources import mesh_of
from maquette.geometry.voxelise import voxelise
from maquette.ways.views import agreement, angle_between, join, turned


@pytest.fixture(scope="module")
def chair() -> np.ndarray:
    return voxelise(mesh_of("furniture:chair:3"), 32).astype(np.float32)


def test_turns_by_quarters_are_exact_and_go_from_x_to_y():
    grid = np.zeros((8, 8, 8), np.float32)
    grid[6, 4, 4] = 1  # near +x
    assert turned(grid, 90)[3, 6, 4] == 1  # near +y
    around = grid
    for _ in range(4):
        around = turned(around, 90)
    assert np.array_equal(around, grid)
    assert np.argmax(turned(grid, 89.0)) == np.argmax(turned(grid, 90.0))


@pytest.mark.parametrize("degrees", [0, 40, -70, 180])
def test_the_angle_between_two_views_of_a_chair_is_found(chair, degrees):
    assert (angle_between(chair, turned(chair, -degrees)) - degrees + 180) % 360 - 180 == pytest.approx(0, abs=3)
    assert angle_between(chair, turned(chair, -degrees), degrees + 8) % 360 == pytest.approx(degrees % 360, abs=3)


def test_views_that_err_apart_are_better_together(chair):
    """The mean of log-odds of witnesses with independent errors: a closed form, and a gain on a chair."""
    a, b = np.full((2, 2, 2), 0.9), np.full((2, 2, 2), 0.3)
    odds = np.sqrt(9.0 * (3 / 7))
    assert np.allclose(join([a, b], [1, 1]), odds / (1 + odds))
    assert np.allclose(join([a, b], [1, 0]), a)
    rng = np.random.default_rng(0)
    views = [np.clip(chair + rng.normal(0, 0.45, chair.shape), 0, 1) for _ in range(3)]
    alone = np.mean([agreement((view > 0.5).astype(float), chair) for view in views])
    assert agreement((join(views, [1, 1, 1]) > 0.5).astype(float), chair) > alone + 0.1


@pytest.mark.parametrize("degrees", [0.5, 33.0, -127.3, 45.0, 271.0])
@pytest.mark.parametrize("side", [1, 2, 15, 16])
def test_a_turn_is_that_of_scipy(degrees, side):
    grid = np.pad(np.random.default_rng(side).random((side, side, side)), 1).astype(np.float32)
    expected = ndimage.rotate(grid, degrees, (1, 0), reshape=False, order=1).clip(0, 1)
    assert np.allclose(turned(grid, degrees), expected, atol=1e-6)
