"""Camera and ray caster against closed forms."""

import numpy as np
import pytest
import trimesh

from maquette.rendering import Camera, RayCaster

SPHERE = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
CUBE = trimesh.creation.box((1, 1, 1))


def views():
    return [Camera(az, el, fov, 64, roll, zoom, shift) for az, el, fov, roll, zoom, shift in [
        (0, 0, 40, 0, 1, (0, 0)), (70, 30, 25, 5, 1.5, (0.1, -0.05)), (200, -10, 60, -8, 0.7, (-0.2, 0.3)),
    ]]


@pytest.mark.parametrize("camera", views())
def test_projection_undoes_the_rays(camera):
    origins, directions = camera.rays()
    points = origins + 2.3 * directions
    where = camera.project(points)
    rows, columns = np.divmod(np.arange(64 * 64), 64)
    assert np.abs(where[:, 0] - (columns + 0.5)).max() < 1e-3
    assert np.abs(where[:, 1] - (rows + 0.5)).max() < 1e-3
    assert np.allclose(where[:, 2], 2.3 * directions @ camera.axes[2], atol=1e-5)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-6)


def test_azimuth_is_counter_clockwise_from_the_front():
    for azimuth, normal in [(0, (0, 1, 0)), (90, (-1, 0, 0)), (180, (0, -1, 0)), (270, (1, 0, 0))]:
        camera = Camera(azimuth, 0, 40, 33)
        assert np.allclose(camera.position, camera.distance * np.array(normal), atol=1e-9)
        assert np.allclose(RayCaster(CUBE).cast(camera).normal[16, 16], normal, atol=1e-6)


def test_up_is_up_and_right_is_right():
    camera = Camera(0, 0, 40, 64)
    up, right = camera.project(np.array([[0, 0, 0.4], [-0.4, 0, 0]]))
    assert up[1] < 32 and abs(up[0] - 32) < 1e-9
    assert right[0] > 32 and abs(right[1] - 32) < 1e-9  # facing the front, the object's +x is on the left


@pytest.mark.parametrize("azimuth", [0, 33, 250])
def test_depth_of_a_sphere_at_its_centre(azimuth):
    camera = Camera(azimuth, 20, 35, 65)
    seen = RayCaster(SPHERE).cast(camera)
    assert seen.depth[32, 32] == pytest.approx(camera.distance - 0.5, abs=1e-3)
    assert np.isinf(seen.depth[0, 0]) and not seen.mask[0, 0] and seen.face[0, 0] == -1


def test_sphere_fills_the_disc_that_perspective_gives():
    camera = Camera(10, 5, 40, 256)
    seen = RayCaster(SPHERE).cast(camera)
    radius = camera.focal_px * np.tan(np.arcsin(0.5 / camera.distance))
    assert seen.mask.sum() == pytest.approx(np.pi * radius**2, rel=0.01)
    outward = seen.point[seen.mask] / np.linalg.norm(seen.point[seen.mask], axis=1, keepdims=True)
    assert np.abs(seen.normal[seen.mask] - outward).max() < 0.01  # smoothed normals are the sphere's own


def test_cube_fits_the_frame_from_everywhere_and_face_normals_are_flat():
    caster = RayCaster(CUBE)
    for azimuth in range(0, 360, 45):
        camera = Camera(azimuth, 30, 50, 48)
        where = camera.project(CUBE.vertices)[:, :2]
        assert where.min() >= 0 and where.max() <= 48
        seen = caster.cast(camera)
        assert np.allclose(np.abs(seen.normal[seen.mask]).max(axis=1), 1, atol=1e-6)


def test_framing_is_a_crop_of_the_same_picture():
    camera = Camera(25, 15, 45, 128, roll_deg=4)
    crop = camera.framing(30, 40, 64)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3))
    a, b = camera.project(points), crop.project(points)
    assert np.allclose((a[:, :2] - [30, 40]) * 2, b[:, :2], atol=1e-9)


def test_blocked_within_reach():
    caster = RayCaster(CUBE)
    start, towards = np.array([[0, 3.0, 0]] * 2), np.array([[0, -1.0, 0], [0, 1.0, 0]])
    assert caster.blocked(start, towards).tolist() == [True, False]
    assert caster.blocked(start, towards, reach=2.4).tolist() == [False, False]
    assert caster.blocked(start, towards, reach=np.array([2.6, 2.6])).tolist() == [True, False]


def test_without_embree_the_same_hits(monkeypatch):
    camera = Camera(40, 30, 40, 24)
    fast = RayCaster(CUBE).cast(camera)
    monkeypatch.setattr("maquette.rendering.raycaster.EmbreeScene", None)
    slow = RayCaster(CUBE).cast(camera)
    assert (fast.mask == slow.mask).mean() > 0.99
    both = fast.mask & slow.mask
    assert np.allclose(fast.depth[both], slow.depth[both], atol=1e-4)
    assert np.allclose(fast.normal[both], slow.normal[both], atol=1e-4)
