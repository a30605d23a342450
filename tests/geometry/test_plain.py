"""A mesh of two arrays beside trimesh."""

import numpy as np
import pytest
import trimesh

from maquette.geometry.mesh import is_closed, surface, to_frame, to_print
from maquette.geometry.plain import PlainMesh, like
from maquette.geometry.repair import keep_largest, repair
from maquette.geometry.standing import level_feet


def knot():
    mesh = trimesh.creation.torus(1.0, 0.3, major_sections=40, minor_sections=17)
    mesh.apply_transform(trimesh.transformations.rotation_matrix(0.7, (1, 2, 3)))
    return mesh


SHAPES = {"box": trimesh.creation.box((1, 2, 3)), "torus": knot(), "ball": trimesh.creation.icosphere(3),
          "two": trimesh.util.concatenate([trimesh.creation.box(), knot().apply_translation((3, 0, 0))])}


def pairs(mesh):
    """The adjacent faces with their edge and angle, in one order."""
    faces = np.sort(np.asarray(mesh.face_adjacency), axis=1)
    order = np.lexsort(faces.T)
    return faces[order], np.asarray(mesh.face_adjacency_edges)[order], np.asarray(mesh.face_adjacency_angles)[order]


@pytest.mark.parametrize("name", SHAPES)
def test_it_measures_as_trimesh_does(name):
    mesh = SHAPES[name]
    plain = PlainMesh.of(mesh)
    assert plain.is_watertight and plain.surfaces[0] == mesh.body_count
    assert plain.volume == pytest.approx(mesh.volume) and plain.area == pytest.approx(mesh.area)
    assert np.allclose(plain.bounds, mesh.bounds) and np.allclose(plain.extents, mesh.extents)
    assert np.allclose(plain.face_normals, mesh.face_normals) and np.allclose(plain.area_faces, mesh.area_faces)
    for own, other in zip(pairs(plain), pairs(mesh), strict=True):
        assert np.allclose(own, other, atol=1e-6)


def test_it_is_closed_only_where_each_edge_joins_two_faces_that_agree():
    ball = SHAPES["ball"]
    turned = ball.faces.copy()
    turned[5] = turned[5, ::-1]
    for faces in (ball.faces[1:], np.concatenate([ball.faces, ball.faces[:1]]), turned, ball.faces[:0]):
        assert not PlainMesh(ball.vertices, np.asarray(faces)).is_watertight
    assert not is_closed(trimesh.Trimesh(ball.vertices, turned, process=False))


def test_moved_keeps_what_is_known_of_the_faces_and_nothing_of_the_places():
    plain = PlainMesh.of(SHAPES["two"])
    assert plain.is_watertight and plain.volume > 0 and plain.surfaces[0] == 2
    larger = plain.moved(2 * plain.vertices)
    assert larger.volume == pytest.approx(8 * plain.volume) and larger.surfaces is plain.surfaces
    assert larger.extents == pytest.approx(2 * plain.extents)


def test_a_part_has_its_own_vertices():
    plain = PlainMesh.of(SHAPES["two"])
    part = plain.part(plain.surfaces[1] == 0)
    assert part.is_watertight and part.volume == pytest.approx(1) and len(part.vertices) == 8


def test_what_is_made_of_a_mesh_is_of_its_kind_and_the_same():
    mesh = SHAPES["two"]
    plain = PlainMesh.of(mesh)
    for make in (to_frame, to_print, repair, lambda one: keep_largest(one)[0], level_feet):
        own, other = make(plain), make(mesh)
        assert isinstance(own, PlainMesh) and isinstance(other, trimesh.Trimesh)
        assert np.allclose(own.vertices, other.vertices) and np.array_equal(own.faces, other.faces)
    assert isinstance(like(plain, mesh.vertices, mesh.faces), PlainMesh)
    assert isinstance(surface(np.ones((8, 8, 8), np.float32)), trimesh.Trimesh)
    copy = plain.trimesh()
    copy.apply_translation((1, 0, 0))
    assert plain.bounds == pytest.approx(mesh.bounds), "the copy has its own places"
