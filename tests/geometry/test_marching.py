"""Marching cubes: closed on any field, beside closed forms and scikit-image, and its table made anew."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import marching_cubes as by_skimage

from maquette.geometry import marching
from maquette.geometry.marching import marching_cubes
from maquette.geometry.plain import PlainMesh


def surface_of(field, level=0.5):
    return PlainMesh.of(as_mesh(*marching_cubes(field, level)))


def as_mesh(vertices, faces):
    return PlainMesh(np.asarray(vertices, np.float64), np.asarray(faces, np.int64))


def noise(seed, shape=(9, 12, 7), smooth=0.0):
    """Random values within an empty border."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape).astype(np.float32), smooth)
    for axis in range(3):
        np.moveaxis(field, axis, 0)[[0, -1]] = 0
    return field


@pytest.mark.parametrize("seed", range(8))
def test_any_field_has_a_closed_surface_that_faces_outwards(seed):
    for smooth, level in ((0, 0.5), (0, 0.2), (0.7, 0.5)):
        mesh = surface_of(noise(seed, smooth=smooth), level)
        assert mesh.is_watertight and mesh.volume > 0
        assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)


def test_a_ball_is_as_large_as_by_scikit_image():
    at = np.moveaxis(np.indices((60, 50, 55)), 0, -1)
    field = (20.0 - np.linalg.norm(at - (30.3, 24.6, 27.1), axis=3)).astype(np.float32)
    mesh, other = surface_of(field, 0.25), as_mesh(*by_skimage(field, 0.25, gradient_direction="ascent")[:2])
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 19.75**3, rel=2e-3)
    assert mesh.volume == pytest.approx(other.volume, rel=1e-5) and len(mesh.faces) == len(other.faces)
    own, theirs = (np.round(one.vertices, 3) for one in (mesh, other))
    assert np.allclose(own[np.lexsort(own.T)], theirs[np.lexsort(theirs.T)])


@pytest.mark.parametrize("seed", range(3))
def test_a_smooth_field_is_as_large_as_by_scikit_image(seed):
    field = noise(seed, (50, 48, 46), 2.5)
    level = float(np.quantile(field, 0.6))
    mesh, other = surface_of(field, level), as_mesh(*by_skimage(field, level, gradient_direction="ascent")[:2])
    assert mesh.volume == pytest.approx(other.volume, rel=2e-3) and mesh.area == pytest.approx(other.area, rel=2e-3)


def test_voxels_that_touch_at_an_edge_hang_together():
    field = np.zeros((5, 5, 5), np.float32)
    field[2, 2, 2] = field[3, 3, 2] = 1
    mesh = surface_of(field)
    assert mesh.is_watertight and mesh.surfaces[0] == 1


def test_nothing_above_the_level_has_no_faces():
    vertices, faces = marching_cubes(np.zeros((4, 4, 4), np.float32), 0.5)
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)


# the table, made anew

EDGES = [(corner, axis) for axis in range(3) for corner in range(8) if not corner >> (2 - axis) & 1]


def edge(a, b):
    return EDGES.index((min(a, b), {4: 0, 2: 1, 1: 2}[abs(a - b)]))


def squares():
    """The corners of the six faces of a cube, counter-clockwise seen from outside."""
    for axis in range(3):
        for side in (0, 1):
            loop = []
            for one, other in ((0, 0), (1, 0), (1, 1), (0, 1)):
                place = [0, 0, 0]
                place[axis], place[(axis + 1) % 3], place[(axis + 2) % 3] = side, one, other
                loop.append(4 * place[0] + 2 * place[1] + place[2])
            yield loop if side else loop[::-1]


def loops(case):
    """The outlines of the surface within a cube; empty corners across from each other on a face are kept apart."""
    after = {}
    for square in squares():
        full = [case >> corner & 1 for corner in square]
        for first in range(4):
            if full[first] and not full[(first + 1) % 4]:
                last = (first + 1) % 4
                while not full[(last + 1) % 4]:
                    last = (last + 1) % 4
                after[edge(square[last], square[(last + 1) % 4])] = edge(square[first], square[(first + 1) % 4])
    while after:
        first = next(iter(after))
        loop, at = [first], after.pop(first)
        while at != first:
            loop.append(at)
            at = after.pop(at)
        yield loop


def test_the_table_is_that_of_the_rules():
    on_faces = [{edge(square[k], square[(k + 1) % 4]) for k in range(4)} for square in squares()]
    for case, row in enumerate(marching._TRIANGLES.split("/")):
        triangles = [tuple(int(digit, 16) for digit in row[k : k + 3]) for k in range(0, len(row), 3)]
        sides = [(triangle[k], triangle[(k + 1) % 3]) for triangle in triangles for k in range(3)]
        outer = {side for side in sides if side[::-1] not in sides}
        assert len(sides) == len(set(sides))
        assert outer == {(loop[k - 1], loop[k]) for loop in loops(case) for k in range(len(loop))}, case
        inner = {side for side in sides if side not in outer}
        assert not [side for side in inner if any(set(side) <= face for face in on_faces)], case
