"""The measures of sets of images: equal sizes, sizes of the curve, and neighbours that do not depend on the parts."""

import numpy as np
import pytest
from radiographs import radiograph

from maquette.evaluation.images import measures
from maquette.evaluation.images.measures import nearest_training_images
from maquette.evaluation.images.nearest import thumbnails

TRAIN = np.stack([radiograph(number) for number in range(14)])


def test_distances_of_sets_of_different_size_are_refused():
    seen = measures.ImageFeatures((np.zeros((4, 2, 1, 49), np.float32),), np.zeros((4, 5)))
    with pytest.raises(ValueError, match="both sets must have as many images, got 4 and 3"):
        measures.set_distances(seen, seen.rows(np.arange(3)), 0)


def test_the_curve_goes_as_far_as_the_images():
    assert measures.curve_sizes(700, 500) == [10, 20, 40, 80, 160, 320] and measures.curve_sizes(80, 80)[-1] == 80
    assert measures.curve_sizes(16, 8) == [8] and measures.curve_sizes(8, 64) == [8]


def test_parts_give_what_the_whole_gives():
    asked = {"a": thumbnails(np.stack([radiograph(number) for number in (2, 31, 12)]))}
    whole = nearest_training_images(asked, [thumbnails(TRAIN)])["a"]
    parts = nearest_training_images(asked, [thumbnails(TRAIN[:5]), thumbnails(TRAIN[5:6]), thumbnails(TRAIN[6:])])["a"]
    for name in ("levels", "by_levels", "correlation", "by_correlation", "mirrored", "copy"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-5)
    assert whole.by_levels.tolist()[0] == 2 and whole.by_levels.tolist()[2] == 12
