"""A mesh cut at a height, beside manifold3d."""

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, Mesh64

from maquette.geometry.cutting import cut_above
from maquette.geometry.plain import PlainMesh


def ring(turn: float):
    mesh = trimesh.creation.torus(1.0, 0.3, major_sections=40, minor_sections=17)
    return mesh.apply_transform(trimesh.transformations.rotation_matrix(turn, (1, 2, 0)))


HOLLOW = trimesh.util.concatenate([trimesh.creation.icosphere(3, 1.0), trimesh.creation.icosphere(3, 0.6)])
HOLLOW.faces[len(HOLLOW.faces) // 2 :] = HOLLOW.faces[len(HOLLOW.faces) // 2 :, ::-1]
SHAPES = {"upright": ring(np.pi / 2), "lying": ring(0), "tilted": ring(0.4), "hollow": HOLLOW,
          "box": trimesh.creation.box((2, 1, 2))}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("share", [-0.1, 0.0, 0.2, 0.5, 0.77, 1.0, 1.2])
def test_it_is_closed_and_as_large_as_by_manifold(name, share):
    mesh = PlainMesh.of(SHAPES[name])
    height = float(mesh.bounds[0, 2] + share * mesh.extents[2])
    above = cut_above(mesh, height)
    solid = Manifold(Mesh64(mesh.vertices, mesh.faces.astype(np.uint64))).trim_by_plane((0.0, 0.0, 1.0), height)
    volume = above.volume if len(above.faces) else 0.0
    assert volume == pytest.approx(solid.volume(), abs=1e-5)
    if volume > 1e-4:
        assert above.is_watertight and above.bounds[0, 2] >= height - 1e-12
        assert above.bounds[1, 2] == pytest.approx(mesh.bounds[1, 2])


def test_a_cut_through_vertices_is_made_a_hair_higher():
    box = PlainMesh.of(trimesh.creation.box((2, 1, 2)).subdivide())
    above = cut_above(box, 0.0)
    assert above.is_watertight and above.volume == pytest.approx(2, rel=1e-6)
    assert 0 < above.bounds[0, 2] < 1e-6
