"""Visible strokes against shapes whose lines are known."""

import cv2
import numpy as np
import pytest
import trimesh

from maquette.rendering import Camera, RayCaster
from maquette.rendering.sketch_lines import FeatureLines, split_at_corners, trace_bitmap

CUBE = trimesh.creation.box((1, 1, 1))


def corner(*signs):
    return np.array(signs) / 2


def test_a_cube_from_a_corner_has_exactly_its_nine_visible_edges():
    camera = Camera(40, 30, 40, 128)
    lines = FeatureLines(RayCaster(CUBE), step=0.005)
    assert lines.sharp
    strokes = lines.strokes(camera)
    assert len(strokes) == 9
    eye = camera.position
    front = {axis: np.sign(eye[axis]) for axis in range(3)}
    expected = []
    for axis in range(3):  # an edge is visible when one of its two faces is
        others = [other for other in range(3) if other != axis]
        for a in (-1, 1):
            for b in (-1, 1):
                if a == front[others[0]] or b == front[others[1]]:
                    ends = np.zeros((2, 3))
                    ends[:, others[0]], ends[:, others[1]], ends[:, axis] = a / 2, b / 2, (-0.5, 0.5)
                    expected.append(camera.project(ends)[:, :2])
    assert len(expected) == 9
    for ends in expected:
        distance = min(
            min(np.abs(stroke[[0, -1]] - ends).max(), np.abs(stroke[[-1, 0]] - ends).max()) for stroke in strokes
        )
        assert distance < 1.0


def test_what_stands_behind_is_not_drawn():
    near = trimesh.creation.box((1, 0.1, 1))
    hidden = trimesh.creation.box((0.3, 0.1, 0.3))
    hidden.apply_translation((0, -0.5, 0))
    both = trimesh.util.concatenate([near, hidden])
    camera = Camera(10, 10, 30, 128)
    alone, together = (FeatureLines(RayCaster(mesh)).strokes(camera) for mesh in (near, both))
    assert len(alone) == len(together) == 9
    from_behind = FeatureLines(RayCaster(both)).strokes(Camera(190, 10, 30, 128))
    assert len(from_behind) >= 17


def test_strokes_lie_on_the_edge_of_the_mask_or_inside():
    camera = Camera(130, 20, 45, 128)
    caster = RayCaster(trimesh.creation.icosphere(subdivisions=4, radius=0.5))
    strokes = FeatureLines(caster).strokes(camera)
    mask = caster.cast(camera).mask.astype(np.uint8)
    rim = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3), np.uint8))
    points = np.concatenate(strokes)
    cells = points.astype(int).clip(0, 127)
    assert rim[cells[:, 1], cells[:, 0]].mean() > 0.95  # a sphere has its outline and nothing else
    assert sum(np.linalg.norm(np.diff(s, axis=0), axis=1).sum() for s in strokes) == pytest.approx(
        2 * np.pi * camera.focal_px * np.tan(np.arcsin(0.5 / camera.distance)), rel=0.1
    )


def test_a_rounded_box_is_traced_with_its_inner_edges():
    grid = np.zeros((40, 40, 40))
    grid[8:32, 8:32, 8:32] = 1
    from scipy.ndimage import gaussian_filter
    from skimage.measure import marching_cubes

    vertices, faces, _, _ = marching_cubes(gaussian_filter(grid, 1.0), 0.5)
    mesh = trimesh.Trimesh((vertices - 19.5) / 24, faces)
    if mesh.volume < 0:
        mesh.invert()
    lines = FeatureLines(RayCaster(mesh))
    assert not lines.sharp
    camera = Camera(40, 30, 40, 128)
    strokes = lines.strokes(camera)
    middle = camera.project(np.array([[np.sign(camera.position[0]), 1, 1]]) * 0.47)[0, :2]
    nearest = min(np.linalg.norm(stroke - middle, axis=1).min() for stroke in strokes)
    assert nearest < 8  # the three inner edges meet near the front corner
    assert sum(np.linalg.norm(np.diff(s, axis=0), axis=1).sum() for s in strokes) > 300


def test_trace_follows_a_line_once_and_drops_specks():
    image = np.zeros((50, 50), np.uint8)
    image[10, 5:40] = 255
    image[30, 20] = 255
    strokes = trace_bitmap(image)
    assert len(strokes) == 1
    assert np.linalg.norm(np.diff(strokes[0], axis=0), axis=1).sum() == pytest.approx(34, abs=1)


def test_split_at_corners():
    leg = np.arange(20, dtype=np.float32)
    bent = np.concatenate([np.stack([leg, 0 * leg], 1), np.stack([0 * leg + 19, leg + 1], 1)])
    pieces = split_at_corners(bent, 5)
    assert len(pieces) == 2 and np.allclose(pieces[0][-1], pieces[1][0])
    assert len(split_at_corners(np.stack([leg, leg], 1), 5)) == 1


def test_an_empty_bitmap_has_no_lines():
    assert trace_bitmap(np.zeros((9, 9), np.uint8)) == []
