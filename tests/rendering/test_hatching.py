"""Hatching: inside the outline, denser where the light is lower, nothing where it is full."""

import numpy as np
import pytest
import trimesh

from maquette.errors import UserError
from maquette.rendering import Camera, RayCaster
from maquette.rendering.hatching import AMBIENT, LIGHT, brightness, hatch

CAMERA = Camera(20, 25, 40, 400)
BALL = RayCaster(trimesh.creation.icosphere(subdivisions=4, radius=0.5))
RADIUS = CAMERA.focal_px * 0.5 / np.sqrt(CAMERA.distance**2 - 0.5**2)


def test_hatching_of_a_sphere_lies_inside_its_outline():
    strokes = hatch(BALL, CAMERA, spacing_px=8, tones=3)
    assert len(strokes) > 50
    shares = np.linspace(0, 1, 20)[:, None]
    points = np.concatenate([line[:1] + shares * (line[1:] - line[:1]) for line in strokes.lines])
    assert np.linalg.norm(points - 200, axis=1).max() <= RADIUS + 1e-3
    light = np.array(LIGHT[:2]) / np.linalg.norm(LIGHT[:2])
    assert ((points - 200) @ light).mean() < -0.2 * RADIUS  # on the side away from the light


def test_lines_run_at_the_angle_and_the_spacing_asked_for():
    strokes = hatch(BALL, CAMERA, spacing_px=10, tones=1, angle_deg=30)
    way = np.array([np.cos(np.radians(30)), -np.sin(np.radians(30))])
    across = np.array([-way[1], way[0]])
    for line in strokes.lines:
        assert abs((line[1] - line[0]) @ across) < 1e-9
    places = np.array([(line[0] - 200) @ across for line in strokes.lines])
    np.testing.assert_allclose(places / 10, np.round(places / 10), atol=1e-9)
    assert hatch(BALL, CAMERA, spacing_px=10, tones=4).length > 2 * strokes.length
    shorter = hatch(BALL, CAMERA, spacing_px=10, tones=1, angle_deg=30, inset_px=2)
    assert strokes.length - 4 * len(strokes) >= shorter.length > strokes.length - 4 * len(strokes) - 10


def test_a_face_is_as_bright_as_lamberts_law_says():
    cube = RayCaster(trimesh.creation.box((0.6, 0.6, 0.6)))
    camera = Camera(0, 0, 40, 400)
    light = np.array(LIGHT) / np.linalg.norm(LIGHT)
    expected = AMBIENT + (1 - AMBIENT) * -light[2]  # the face is turned to the eye
    np.testing.assert_allclose(brightness(cube, camera, np.array([[200.0, 200], [210, 190]])), expected, rtol=1e-5)
    assert np.isinf(brightness(cube, camera, np.array([[5.0, 5]])))[0]


def test_what_stands_in_the_light_throws_a_shadow():
    camera = Camera(0, 89.9, 40, 400)
    plate = trimesh.creation.box((0.9, 0.9, 0.02))
    post = trimesh.creation.box((0.1, 0.1, 0.4))
    post.apply_translation((0, 0, 0.2))
    caster = RayCaster(trimesh.util.concatenate([plate, post]))
    ways = np.array([[200.0, 200]]) - 60 * np.array(LIGHT[:2]) / np.linalg.norm(LIGHT[:2])
    assert brightness(caster, camera, ways)[0] == pytest.approx(AMBIENT)
    assert brightness(caster, camera, ways, shadows=False)[0] > 0.4
    assert brightness(caster, camera, 400 - ways)[0] > 0.4


@pytest.mark.parametrize("options, message", [
    ({"spacing_px": 8, "tones": 0}, "tones of hatching must be 1 to 4, got 0"),
    ({"spacing_px": 0.1}, "spacing of hatching must be 0.1 %"),
    ({"spacing_px": float("nan")}, "spacing of hatching must be 0.1 %"),
])
def test_bad_hatching_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        hatch(BALL, CAMERA, **options)
