"""The measures of generators of views of objects, by hand and closed form."""

import numpy as np
import pytest
import torch
import trimesh
from tiny import tiny

from maquette.errors import UserError
from maquette.evaluation.feature_distances import frechet_distance
from maquette.evaluation.fields import measures
from maquette.evaluation.shapes.point_clouds import chamfer
from maquette.geometry.points import surface_points


def test_colours_are_compared_pair_by_pair_where_both_are_the_objects():
    images = np.zeros((2, 3, 2, 2, 3), np.uint8)
    masks = np.ones((2, 3, 2, 2), bool)
    images[0, 1], images[0, 2] = 30, 90  # apart by 30, 90 and 60
    assert measures.colour_change(images[:1], masks[:1]) == pytest.approx(60)
    assert measures.colour_change(images, masks) == pytest.approx(30), "the second row is all the same"
    masks[0, 2] = False
    assert measures.colour_change(images[:1], masks[:1]) == 30
    images[0, 1, 0] = 50
    masks[0, 0, 1] = False  # the rows of pixels that both have are the upper ones
    assert measures.colour_change(images[:1], masks[:1]) == 50
    assert np.isnan(measures.colour_change(images, np.zeros_like(masks)))
    assert measures.colour_change(images[..., 0], np.ones_like(masks)) > 0, "grey ones too"


def test_a_set_is_0_from_itself_and_as_far_from_another_as_its_mean_is_moved():
    features = np.random.default_rng(0).normal(size=(40, 6))
    assert measures.frechet_repeats(features, features, 40, 2) == pytest.approx([0, 0], abs=1e-9)
    assert measures.frechet_repeats(features, features + 2, 40, 1) == pytest.approx([6 * 4])
    few = measures.frechet_repeats(features, features, 10, 3)
    assert len(set(few)) == 3 and min(few) > 0
    other = measures.frechet_repeats(features[:10], features, 10, 1, 5)
    assert other == pytest.approx([frechet_distance(features[:10], _second(features, 5))])
    assert measures.spread(np.array([[0.0, 0], [2, 4], [4, 8]])) == pytest.approx(np.sqrt(4 + 16))
    assert measures.spread(features[:1]) == 0


def _second(features: np.ndarray, seed: int) -> np.ndarray:
    """The rows that are drawn of the second set."""
    rng = np.random.default_rng([seed, 0])
    rng.permutation(10)
    return features[rng.permutation(len(features))[:10]]


def test_features_are_what_the_encoder_reads_of_whole_images():
    model = tiny("vae-iwgan-image")
    grey = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    by_hand = model.system.encode(torch.from_numpy(grey[:, None]).float() / 255)
    found = measures.encoder_features(model, grey, batch=2)
    assert found.shape == (3, 6) and np.allclose(found, by_hand, atol=1e-4)
    colour = np.repeat(grey[..., None], 3, axis=3)
    assert np.allclose(measures.encoder_features(model, colour), found, atol=1e-3), "equal channels are grey"
    large = np.full((1, 64, 64, 3), 77, np.uint8)
    assert np.allclose(measures.encoder_features(model, large), measures.encoder_features(model, large[:, :32, :32]),
                       atol=1e-3), "resized to the model's size"
    with pytest.raises(UserError, match="model 'tiny iwgan' does not read pictures, so it has no features of them"):
        measures.encoder_features(tiny("iwgan"), grey)


def test_shapes_without_a_front_are_turned_to_the_true_ones():
    mesh = trimesh.util.concatenate([trimesh.creation.box((1.0, 0.2, 0.3)),
                                     trimesh.creation.box((0.2, 0.5, 0.6)).apply_translation((0.4, 0.2, 0.1))])
    true = [surface_points(mesh, 300, seed=number) for number in range(3)]
    made = [measures.rotated_about_z(surface_points(mesh, 300, seed=9), 90.0)]
    assert measures.rotated_about_z(np.array([[1.0, 0, 5]]), 90.0) == pytest.approx(np.array([[0.0, 1, 5]]))
    assert measures.best_rotation_deg(made, true, 8) == 270 and measures.best_rotation_deg(true[:1], true, 8) == 0
    assert chamfer(measures.rotated_about_z(made[0], 270.0), true[0]) < 0.01 < chamfer(made[0], true[0])


def test_half_of_the_true_shapes_beside_the_other():
    cubes = np.stack([surface_points(trimesh.creation.box((side,) * 3), 64, seed=0) for side in (0.2, 0.2, 0.9, 0.9)])
    found = measures.split_half_scores(cubes)
    assert (found.shapes, found.coverage, found.minimum_matching_distance) == (2, 1, 0)
    assert found.one_nearest_neighbour == 0, "each is nearest to its like in the other half"
    assert measures.split_half_scores(cubes[:3]) is None
