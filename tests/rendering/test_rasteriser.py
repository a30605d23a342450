"""Faces drawn where they are, beside rays."""

import numpy as np
import pytest
import trimesh

from maquette.geometry.plain import PlainMesh
from maquette.rendering import rasteriser
from maquette.rendering.camera import Camera
from maquette.rendering.rasteriser import Rasteriser, covered
from maquette.rendering.raycaster import RayCaster

CAMERAS = (Camera(size_px=96), Camera(200, -10, 5, 130, 10, 0.9, (0.1, 0.05)), Camera(10, 80, 60, 64, zoom=2.5),
           Camera(0, 0, 20, 48, shift=(0.8, 0.0)))


def ring():
    mesh = trimesh.creation.torus(0.35, 0.12, major_sections=60, minor_sections=30)
    return PlainMesh.of(mesh.apply_transform(trimesh.transformations.rotation_matrix(1.1, (1, 2, 0))))


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("mesh", [ring(), PlainMesh.of(trimesh.creation.box((0.5, 0.9, 0.3)))])
def test_it_sees_what_rays_hit(mesh, camera):
    drawn, hit = Rasteriser(mesh).cast(camera), RayCaster(mesh).cast(camera)
    both = drawn.mask & hit.mask
    assert np.count_nonzero(drawn.mask != hit.mask) <= 2 and np.array_equal(covered(mesh, camera), drawn.mask)
    assert np.count_nonzero(drawn.face[both] != hit.face[both]) <= 1e-3 * max(both.sum(), 2000)
    same = both & (drawn.face == hit.face)
    for name in ("depth", "normal", "point"):
        assert np.allclose(getattr(drawn, name)[same], getattr(hit, name)[same], atol=2e-4), name


def test_where_faces_are_large_rays_are_shot(monkeypatch):
    mesh, camera = ring(), CAMERAS[0]
    drawn, shown = Rasteriser(mesh).cast(camera), covered(mesh, camera)
    monkeypatch.setattr(rasteriser, "MANY", 0)
    assert np.array_equal(Rasteriser(mesh).cast(camera).face, RayCaster(mesh).cast(camera).face)
    assert np.count_nonzero(covered(mesh, camera) != shown) <= 2 and drawn.mask.any()
