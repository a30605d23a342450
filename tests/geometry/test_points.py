"""Points on surfaces."""

import numpy as np
import trimesh

from maquette.geometry.points import surface_points


def test_points_lie_on_the_surface_and_follow_their_seed():
    box = trimesh.creation.box((1, 1, 1))
    points = surface_points(box, 600, seed=3)
    assert points.shape == (600, 3) and np.allclose(np.abs(points).max(1), 0.5)
    assert np.array_equal(points, surface_points(box, 600, seed=3))
    assert np.allclose(points.mean(0), 0, atol=0.06)
