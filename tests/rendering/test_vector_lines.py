"""Lines with the hidden ones removed, against solids whose visible edges are known in closed form."""

import numpy as np
import pytest
import trimesh

from maquette.errors import UserError
from maquette.rendering import Camera
from maquette.rendering import vector_lines as vector_module
from maquette.rendering.vector_lines import united, vector_lines

CAMERA = Camera(40, 30, 40, 1000)


def box(low, high) -> trimesh.Trimesh:
    low, high = np.array(low, float), np.array(high, float)
    made = trimesh.creation.box(high - low)
    made.apply_translation((low + high) / 2)
    return made


def segments(strokes) -> set[tuple]:
    """Each straight stroke as its two ends, rounded, in either order."""
    assert all(len(line) == 2 for line in strokes.lines)
    return {tuple(sorted(tuple(np.round(end, 4) + 0.0) for end in line)) for line in strokes.lines}


def on_screen(a, b, camera=CAMERA) -> tuple:
    ends = camera.project(np.array([a, b], float))[:, :2]
    return tuple(sorted(tuple(np.round(end, 4) + 0.0) for end in ends))


def visible_of_box(low, high, camera=CAMERA) -> set[tuple]:
    """The edges of a box of which at least one of the two faces is turned to the eye."""
    corners, found = np.array([low, high], float), set()
    eye = camera.position
    for axis in range(3):
        one, two = (other for other in range(3) if other != axis)
        for i in range(2):
            for j in range(2):
                seen = (eye[one] > corners[1, one]) if i else (eye[one] < corners[0, one])
                seen |= (eye[two] > corners[1, two]) if j else (eye[two] < corners[0, two])
                if seen:
                    ends = np.empty((2, 3))
                    ends[:, one], ends[:, two], ends[:, axis] = corners[i, one], corners[j, two], corners[:, axis]
                    found.add(on_screen(*ends, camera))
    return found


def test_a_cube_has_exactly_its_nine_visible_edges():
    strokes = vector_lines(box((-0.5,) * 3, (0.5,) * 3), CAMERA, turn_deg=1)
    expected = visible_of_box((-0.5,) * 3, (0.5,) * 3)
    assert len(expected) == 9 and segments(strokes) == expected
    assert (strokes.width, strokes.height) == (1000, 1000)
    joined = vector_lines(box((-0.5,) * 3, (0.5,) * 3), CAMERA)
    assert len(joined) < 5 and joined.length == pytest.approx(strokes.length)


def test_loose_triangles_give_the_same_lines():
    cube = box((-0.5,) * 3, (0.5,) * 3)
    loose = trimesh.Trimesh(cube.triangles.reshape(-1, 3), np.arange(36).reshape(-1, 3), process=False)
    turned = trimesh.Trimesh(cube.vertices, np.where(np.arange(12)[:, None] % 2, cube.faces, cube.faces[:, ::-1]),
                             process=False)
    for mesh in (loose, turned):
        assert segments(vector_lines(mesh, CAMERA, turn_deg=1)) == visible_of_box((-0.5,) * 3, (0.5,) * 3)


def test_a_box_behind_a_wall_ends_where_the_wall_begins():
    camera = Camera(0, 0, 40, 1000)  # from +y, level: a picture's right is the frame's -x
    wall, bar = ((-0.2, 0.2, -0.4), (0.2, 0.3, 0.4)), ((-0.5, -0.3, -0.05), (0.45, -0.2, 0.05))
    both = trimesh.util.concatenate([box(*wall), box(*bar)])
    strokes = vector_lines(both, camera, turn_deg=1)
    eye = camera.distance
    shadow = 0.2 * (eye - -0.2) / (eye - 0.3)  # how far to the side the wall's rim covers the bar's front face
    expected = {on_screen(*ends, camera) for ends in (
        ((-0.2, 0.3, -0.4), (0.2, 0.3, -0.4)), ((-0.2, 0.3, 0.4), (0.2, 0.3, 0.4)),
        ((-0.2, 0.3, -0.4), (-0.2, 0.3, 0.4)), ((0.2, 0.3, -0.4), (0.2, 0.3, 0.4)),
        ((-0.5, -0.2, 0.05), (-shadow, -0.2, 0.05)), ((-0.5, -0.2, -0.05), (-shadow, -0.2, -0.05)),
        ((0.45, -0.2, 0.05), (shadow, -0.2, 0.05)), ((0.45, -0.2, -0.05), (shadow, -0.2, -0.05)),
        ((-0.5, -0.2, -0.05), (-0.5, -0.2, 0.05)), ((0.45, -0.2, -0.05), (0.45, -0.2, 0.05)),
    )}
    assert segments(strokes) == expected


def test_bodies_that_cut_each_other_are_drawn_as_one():
    post, beam = box((-0.1, -0.1, -0.5), (0.1, 0.1, 0.5)), box((-0.4, -0.05, -0.05), (0.4, 0.05, 0.05))
    both = trimesh.util.concatenate([post, beam])
    one = united(both)
    assert one.volume == pytest.approx(0.04 + 0.6 * 0.01, rel=1e-5)
    strokes = vector_lines(both, CAMERA, turn_deg=1)
    for side in ((-0.1, 0.05), (0.1, 0.05)):  # where the beam leaves the post, a vertical line on its near side
        x = side[0]
        ends = on_screen((x, 0.05, -0.05), (x, 0.05, 0.05))
        near = CAMERA.position[0] * x > 0
        assert (ends in {tuple(sorted(tuple(np.round(p, 3)) for p in s)) for s in segments(strokes)} or
                any(np.allclose(ends, s, atol=1e-3) for s in segments(strokes))) == near


def test_open_sheets_that_cut_each_other_end_at_the_cut():
    """A square standing on end pierces a level one: what is below is hidden up to the line where they meet."""
    level = np.array([(-0.5, -0.5, 0), (0.5, -0.5, 0), (0.5, 0.5, 0), (-0.5, 0.5, 0)], float)
    upright = np.array([(0, -0.2, -0.1), (0, 0.2, -0.1), (0, 0.2, 0.4), (0, -0.2, 0.4)], float)
    quads = np.array([(0, 1, 2), (0, 2, 3)])
    mesh = trimesh.Trimesh(np.vstack([level, upright]), np.vstack([quads, quads + 4]), process=False)
    found = segments(vector_lines(mesh, CAMERA, turn_deg=1))
    assert on_screen((0, 0.2, 0), (0, 0.2, 0.4)) in found and on_screen((0, -0.2, 0), (0, -0.2, 0.4)) in found
    assert on_screen((0, -0.2, 0.4), (0, 0.2, 0.4)) in found
    assert on_screen((0, -0.2, -0.1), (0, 0.2, -0.1)) not in found
    rim = {on_screen(level[i], level[(i + 1) % 4]) for i in range(4)}
    assert len(rim & found) >= 2 and len(found) <= 3 + 4 + 2


def test_the_outline_of_a_sphere_is_a_circle_of_the_right_radius():
    camera = Camera(25, 35, 40, 1000)
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
    strokes = vector_lines(ball, camera)
    radius = camera.focal_px * 0.5 / np.sqrt(camera.distance**2 - 0.5**2)  # of the cone that touches the sphere
    assert len(strokes) == 1
    away = np.linalg.norm(strokes.lines[0] - 500, axis=1)
    np.testing.assert_allclose(away, radius, rtol=3e-3)
    assert strokes.length == pytest.approx(2 * np.pi * radius, rel=3e-3)
    assert (strokes.lines[0][0] == strokes.lines[0][-1]).all()
    polygon = vector_lines(ball, camera, smooth=False)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(polygon.lines) - 500, axis=1), radius, rtol=3e-3)


def test_every_visible_point_is_seen_by_a_ray_and_no_hidden_one():
    """An independent check: rays against triangles (Moeller and Trumbore) at points along the drawn lines."""
    from maquette.datasets.furniture import make

    mesh = make("chair", 3)
    camera = Camera(35, 25, 40, 1000)
    strokes = vector_lines(mesh, camera)
    assert strokes.length > 1000
    corner = mesh.triangles[:, 0]
    along, across = mesh.triangles[:, 1] - corner, mesh.triangles[:, 2] - corner
    points = np.concatenate([line[:-1] + 0.37 * np.diff(line, axis=0) for line in strokes.lines])[::3]
    local = (points - np.array(camera.centre_px)) / camera.focal_px
    away = local[:, :1] * camera.axes[0] + local[:, 1:] * camera.axes[1] + camera.axes[2]
    near = 0  # a drawn line lies on the rim of something: moved a hair to one side or the other, depth or face changes
    for direction in away:
        faces = []
        for turn in np.linspace(0, 2 * np.pi, 8, endpoint=False):
            d = direction + 2e-3 * (np.cos(turn) * camera.axes[0] + np.sin(turn) * camera.axes[1])
            p = np.cross(d, across)
            scale = 1 / np.einsum("fi,fi->f", p, along)
            start = camera.position - corner
            u, q = np.einsum("fi,fi->f", start, p) * scale, np.cross(start, along)
            v, reach = np.einsum("i,fi->f", d, q) * scale, np.einsum("fi,fi->f", across, q) * scale
            hit = np.where((u >= 0) & (v >= 0) & (u + v <= 1) & (reach > 0), reach, np.inf)
            face = int(np.argmin(hit))
            faces.append(tuple(np.round(mesh.face_normals[face], 3)) + (round(float(hit[face]), 1),)
                         if np.isfinite(hit[face]) else None)
        near += len(set(faces)) > 1
    assert near == len(points)


def test_meshes_that_cannot_be_drawn_are_refused(monkeypatch):
    with pytest.raises(UserError, match="needs faces"):
        vector_lines(trimesh.Trimesh(), CAMERA)
    with pytest.raises(UserError, match="crease_deg"):
        vector_lines(box((0, 0, 0), (1, 1, 1)), CAMERA, crease_deg=0)
    flat = trimesh.Trimesh(np.zeros((3, 3)), [[0, 1, 2]], process=False)
    with pytest.raises(UserError, match="no faces with an area"):
        vector_lines(flat, CAMERA)
    monkeypatch.setattr(vector_module, "MAX_FACES", 11)
    with pytest.raises(UserError, match="a mesh that is drawn has at most 11 faces, got 12"):
        vector_lines(box((0, 0, 0), (1, 1, 1)), CAMERA)
