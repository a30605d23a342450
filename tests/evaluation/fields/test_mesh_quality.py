"""Measures of generated meshes against closed forms: cubes, silhouettes counted by hand."""

import numpy as np
import pytest
import trimesh

from maquette.errors import UserError
from maquette.evaluation.fields.mesh_quality import is_one_piece, mesh_quality, silhouette_iou
from maquette.geometry.curvature import mean_curvature
from maquette.geometry.points import surface_points


def sphere(radius: float, subdivisions: int = 3) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)


def cube(side: float) -> trimesh.Trimesh:
    return trimesh.creation.box(extents=(side,) * 3)


def test_one_piece_is_closed_and_one_body_with_whatever_cavities():
    hollow = trimesh.util.concatenate([sphere(0.5), trimesh.Trimesh(sphere(0.3).vertices, sphere(0.3).faces[:, ::-1])])
    two = trimesh.util.concatenate([cube(0.2), cube(0.2).apply_translation([0.5, 0, 0])])
    open_box = trimesh.Trimesh(cube(1).vertices, cube(1).faces[:-1], process=False)
    assert [is_one_piece(mesh) for mesh in (cube(1), hollow, two, open_box)] == [True, True, False, False]


def test_silhouettes_are_compared_pair_by_pair():
    masks = np.zeros((2, 3, 4, 4), bool)
    masks[0, :, :2] = True  # the same for all codes
    masks[1, 0, :1], masks[1, 1, :2], masks[1, 2, :4] = True, True, True  # 4, 8 and 16 pixels, one in the other
    assert silhouette_iou(masks[:1]) == 1
    assert silhouette_iou(masks[1:]) == pytest.approx((1 / 2 + 1 / 4 + 1 / 2) / 3)
    assert silhouette_iou(masks) == pytest.approx((3 + 1.25) / 6)
    masks[0, 0] = False  # empty against two full ones: 0, 0, 1
    assert silhouette_iou(masks[:1]) == pytest.approx(1 / 3)
    assert np.isnan(silhouette_iou(np.zeros((1, 2, 4, 4), bool)))
    with pytest.raises(UserError, match=r"silhouettes are compared by bool \[shapes, codes, height, width\], with 2 "
                                        r"codes or more, got \(1, 1, 4, 4\)"):
        silhouette_iou(masks[:1, :1])


def test_a_set_beside_true_shapes():
    true = np.stack([surface_points(mesh, 256, seed=9) for mesh in (sphere(0.5), cube(1.0), cube(0.5))])
    empty = trimesh.Trimesh()
    open_cube = trimesh.Trimesh(cube(1).vertices, cube(1).faces[:-1], process=False)
    found = mesh_quality([sphere(0.5), sphere(0.5, 2), open_cube, empty], true)
    assert (found.meshes, found.empty, found.points) == (3, 1, 256)
    assert found.watertight_one_piece == 0.5
    assert found.coverage == pytest.approx(2 / 3), "nothing is near the small cube"
    assert found.mean_curvature == pytest.approx(
        np.mean([mean_curvature(sphere(0.5)), mean_curvature(sphere(0.5, 2)), mean_curvature(open_cube)])
    )
    assert 0 < found.minimum_matching_distance < 0.1 and 0 <= found.one_nearest_neighbour <= 1
    apart = mesh_quality([cube(0.1), cube(0.11), cube(0.12)], true)
    assert apart.one_nearest_neighbour > 0.8 and apart.minimum_matching_distance > found.minimum_matching_distance
    with pytest.raises(UserError, match="no generated mesh has faces, got 1 meshes"):
        mesh_quality([empty], true)
    with pytest.raises(UserError, match="there is no true shape to compare with; hold out more with --holdout"):
        mesh_quality([cube(1)], true[:0])
