"""The bending of meshes against closed forms: spheres, cubes, planes."""

import numpy as np
import pytest
import trimesh

from maquette.geometry.curvature import edge_angle_deg, mean_curvature


def sphere(radius: float, subdivisions: int = 3) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)


def cube(side: float) -> trimesh.Trimesh:
    return trimesh.creation.box(extents=(side,) * 3)


def test_a_cube_bends_by_90_degrees_at_twelve_edges_and_not_at_six_diagonals():
    for side in (1.0, 0.25):
        assert edge_angle_deg(cube(side)) == pytest.approx(12 * 90 / (12 + 6 * np.sqrt(2)))
        assert mean_curvature(cube(side)) == pytest.approx(np.pi / side)


def test_a_sphere_bends_by_two_over_its_radius_whatever_the_size_of_its_faces():
    for radius in (0.5, 0.2):
        assert mean_curvature(sphere(radius, 3)) == pytest.approx(2 / radius, rel=0.01)
        assert mean_curvature(sphere(radius, 4)) == pytest.approx(2 / radius, rel=0.003)
    coarse, fine = edge_angle_deg(sphere(1, 3)), edge_angle_deg(sphere(1, 4))
    assert fine == pytest.approx(coarse / 2, rel=0.01), "half as long edges turn half as much"
    flat = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    assert edge_angle_deg(flat) == 0 and mean_curvature(flat) == 0
    one = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 1, 2]], process=False)
    assert np.isnan(edge_angle_deg(one)) and mean_curvature(one) == 0
    rough = sphere(0.5)
    rough.vertices *= 1 + 0.03 * np.random.default_rng(0).standard_normal((len(rough.vertices), 1))
    assert mean_curvature(rough) > 1.5 * mean_curvature(sphere(0.5)), "roughness adds"
