"""Points placed in the frame."""

import numpy as np
import pytest
import trimesh
from staged import FLOOR, SETTEE, near_enough

from maquette.errors import UserError
from maquette.geometry.grids import turn_grid
from maquette.scans import place


def test_upright_clouds_keep_their_axes_and_turn_by_the_azimuth():
    points = trimesh.sample.sample_surface(SETTEE, 40_000, seed=0)[0]
    points = points[points[:, 2] > -0.399]  # its underside would be taken for a floor
    cells = np.clip(np.floor((points + 0.5) * 32), 0, 31).astype(int)
    expected = np.zeros((32, 32, 32), bool)
    expected[tuple(cells.T)] = True
    grid, placement = place(3 * points + 5, 32, up="z")
    assert near_enough(grid, expected) and placement.unit == pytest.approx(3, rel=0.01)
    assert placement.elevation_deg is None and not placement.plane and placement.kept == len(points)
    turned, _ = place(3 * points + 5, 32, up="z", azimuth_deg=90)
    assert np.count_nonzero(turned != turn_grid(grid, 90)) <= 4
    half, _ = place(points, 32, up="z", fill=0.5)
    used = np.argwhere(half)
    assert (np.ptp(used, axis=0) + 1 <= 17).all() and (np.ptp(used, axis=0) + 1).max() >= 16
    floor = trimesh.sample.sample_surface(FLOOR, 60_000, seed=0)[0]
    on_floor, found = place(np.concatenate([points, floor[floor[:, 2] > -0.4001]]), 32, up="z")
    assert found.plane and near_enough(on_floor[..., 3:], expected[..., 3:])
    assert 0.97 * len(points) < found.kept < len(points), "what is lowest is taken for the floor"


CLOUD = np.random.default_rng(0).uniform(-1, 1, (100, 3))
FLAT = np.concatenate([CLOUD.repeat(10, 0) * [1, 1, 0] + CLOUD[:10].repeat(100, 0) * [0.3, 0.2, 0],
                       CLOUD[:30] * 0.1 + [0, 0, 0.5]])
DUST = 3.0 * np.argwhere(np.ones((5, 5, 5))) + np.random.default_rng(0).uniform(-0.4, 0.4, (125, 3))


@pytest.mark.parametrize(
    "points, options, says",
    [
        (CLOUD - [0, 0, 0.5], {}, "most points lie behind the camera; a camera's axes are x right, y down, z forward"),
        (CLOUD[:, :2], {"up": "z"}, "points are numbers [N, 3], got float64 (100, 2)"),
        (np.full((100, 3), np.nan), {"up": "z"}, "has too few points, got 0"),
        (CLOUD, {"up": "y"}, "up must be 'z' or left out, got 'y'"),
        (CLOUD, {"up": "z", "elevation_deg": 20}, "have no elevation, got up 'z' and 20 degrees"),
        (CLOUD, {"elevation_deg": 91}, "elevation_deg must be from -90 to 90, got 91"),
        (CLOUD, {"up": "z", "azimuth_deg": np.inf}, "azimuth_deg must be a number of degrees, got inf"),
        (CLOUD, {"up": "z", "fill": 0}, "fill must be above 0 and at most 1, got 0"),
        (np.ones((60, 3)), {"up": "z"}, "all points lie in one place"),
        (DUST, {"up": "z"}, "too few points in one place, got"),
        (FLAT, {"up": "z"}, "too few points on the floor, got 30; at least 50 are needed"),
    ],
)
def test_points_that_cannot_be_placed(points, options, says):
    with pytest.raises(UserError) as caught:
        place(points, 20, **options)
    assert says in str(caught.value)


def test_a_camera_that_looks_straight_down_has_the_top_of_its_picture_ahead():
    """A tall block near the top of the picture stands at the back of the scan, as its front is where the camera is."""
    low, high = CLOUD * [0.5, 0.5, 0.01] + [0, 0, 2], CLOUD * [0.1, 0.1, 0.2] + [0, -0.4, 1.8]
    grid, _ = place(np.concatenate([low, high]).repeat(4, 0), 20, elevation_deg=90)
    tall = np.argwhere(grid)
    assert tall[tall[:, 2] > tall[:, 2].min() + 4][:, 1].max() < 10
