"""Surfaces against closed forms: volumes, extents and places that are known."""

import numpy as np
import pytest
import trimesh
from grids import R, ball, block, centres
from scipy import sparse

from maquette.errors import UserError
from maquette.geometry.mesh import _means_of_neighbours, is_closed, surface, to_frame, to_print


@pytest.mark.parametrize("smooth", [0, 0.6, 1.0])
def test_a_ball_is_one_volume_of_the_right_size(smooth):
    mesh = surface(ball(0.4), smooth=smooth)
    assert mesh.is_volume and mesh.body_count == 1
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.005)
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 0.4).max() * R < 0.15  # in voxels
    assert mesh.extents == pytest.approx([0.8] * 3, abs=0.005)


def test_it_lies_where_its_voxels_lie():
    low, high = (4, 9, 20), (10, 27, 30)
    mesh = surface(block(low, high))
    assert mesh.bounds[0] == pytest.approx(np.array(low) / R - 0.5, abs=0.3 / R)
    assert mesh.bounds[1] == pytest.approx(np.array(high) / R - 0.5, abs=0.3 / R)
    assert mesh.volume * R**3 == pytest.approx(6 * 18 * 10, rel=0.02)


def test_what_touches_the_border_is_closed():
    mesh = surface(np.ones((8, 8, 8), np.float32))
    assert mesh.is_volume and mesh.volume == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("smooth", [0, 0.6, 1.0, 2.0])
def test_thin_parts_do_not_vanish(smooth):
    slab, bar = block((15, 4, 4), (16, 28, 28)), block((15, 15, 4), (16, 16, 28))
    assert surface(slab, smooth=smooth).volume * R**3 == pytest.approx(slab.sum(), rel=0.06)
    assert surface(bar, smooth=smooth).volume * R**3 == pytest.approx(bar.sum(), rel=0.15)
    assert surface(bar, smooth=smooth).body_count == 1


def test_stairs_are_smoothed_away():
    x, _, z = centres()
    slope = ((np.abs(centres()) < 0.4).all(0) & (z < 0.3 * x)).astype(np.float32)

    def roughness(mesh):
        on_slope = (np.abs(mesh.triangles_center[:, 0]) < 0.25) & (np.abs(mesh.triangles_center[:, 1]) < 0.25)
        on_slope &= np.abs(mesh.triangles_center[:, 2]) < 0.2
        plane = np.array([-0.3, 0, 1]) / np.hypot(0.3, 1)
        return np.degrees(np.arccos(np.clip(mesh.face_normals[on_slope] @ plane, -1, 1))).mean()

    assert roughness(surface(slope)) < 0.6 * roughness(surface(slope, smooth=0))


def test_the_threshold_moves_the_surface():
    soft = np.clip(0.9 - np.linalg.norm(centres(), axis=0) / 0.5, 0, 1)
    for threshold in (0.2, 0.5, 0.7):
        radius = (0.9 - threshold) * 0.5
        volume = surface(soft, threshold).volume
        assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.12), threshold


def test_large_grids_are_meshed_at_their_own_resolution():
    mesh = surface(ball(0.2, resolution=160))
    assert mesh.is_volume and mesh.volume == pytest.approx(4 / 3 * np.pi * 0.2**3, rel=0.005)


def test_an_empty_shape_says_what_was_found():
    with pytest.raises(UserError, match=r"no voxel reaches the threshold 0.5, the highest is 0.12; lower --threshold"):
        surface(np.full((8, 8, 8), 0.12))
    with pytest.raises(UserError, match="the highest is 0; nothing was recognised"):
        surface(np.zeros((8, 8, 8)))
    with pytest.raises(UserError, match="threshold must lie between 0 and 1, got 1"):
        surface(np.ones((8, 8, 8)), threshold=1)


def test_the_quick_check_agrees_with_trimesh():
    box = trimesh.creation.box()
    opened = trimesh.Trimesh(box.vertices, box.faces[1:], process=False)
    turned = trimesh.Trimesh(box.vertices, np.vstack([box.faces[:1, ::-1], box.faces[1:]]), process=False)
    assert is_closed(box) and box.is_volume
    assert not is_closed(opened) and not opened.is_watertight
    assert not is_closed(turned) and not turned.is_winding_consistent
    assert not is_closed(trimesh.Trimesh())


@pytest.mark.parametrize("size_mm", [100, 37.5])
def test_to_print_stands_on_the_table_in_exact_millimetres(size_mm):
    mesh = to_print(surface(block((4, 9, 20), (10, 27, 30))), size_mm)
    assert mesh.extents.max() == pytest.approx(size_mm, rel=1e-12)
    assert mesh.bounds[0, 2] == 0
    assert mesh.bounds[:, :2].sum(0) == pytest.approx([0, 0], abs=1e-9)
    assert mesh.is_volume


@pytest.mark.parametrize("size_mm", [0, -1, np.nan, np.inf])
def test_a_size_must_be_one(size_mm):
    with pytest.raises(UserError, match="size_mm must be positive"):
        to_print(trimesh.creation.box(), size_mm)


def test_the_frame():
    mesh = to_frame(trimesh.creation.box((2, 4, 1)).apply_translation((7, 8, 9)))
    assert mesh.bounds == pytest.approx(np.array([[-0.25, -0.5, -0.125], [0.25, 0.5, 0.125]]))
    with pytest.raises(UserError, match="no size"):
        to_frame(trimesh.Trimesh(np.ones((3, 3)), [[0, 1, 2]], process=False))


def test_real_grids_keep_their_volume(shared):
    grids = np.load(shared / "modelnet10" / "modelnet10_30.npz")["X_test"][::75]
    meshes = [surface(grid) for grid in grids]
    assert all(is_closed(mesh) for mesh in meshes)
    ratios = np.array([mesh.volume for mesh in meshes]) / grids.mean(axis=(1, 2, 3))
    assert np.median(ratios) == pytest.approx(1, abs=0.01)
    assert np.abs(ratios - 1).max() < 0.08  # bars of one voxel lose most


@pytest.mark.parametrize("mesh", [trimesh.creation.icosphere(3), trimesh.creation.cylinder(1, 2, sections=50)])
def test_means_of_neighbours_are_a_sparse_matrix(mesh):
    faces, count = np.asarray(mesh.faces), len(mesh.vertices) + 2  # two vertices have no neighbours
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    matrix = sparse.csr_matrix((np.ones(len(start), np.float32), (start, end)), (count, count))
    matrix.data /= np.repeat(np.diff(matrix.indptr), np.diff(matrix.indptr))
    order, mean = _means_of_neighbours(faces, count)
    for shape in ((count,), (count, 3)):
        values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        assert np.allclose(mean(values[order]), (matrix @ values)[order], atol=1e-6)
