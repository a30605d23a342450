"""Copies are found however they were changed, and images that are only like the mean are not taken for any."""

import numpy as np
import pytest
from radiographs import radiograph

from maquette.evaluation.images.nearest import chance_nearer, mean_thumbnail, nearest_images, thumbnails

TRAIN = np.stack([radiograph(number) for number in range(14)])


def changed(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels * 0.7 + 60, 0, 255).astype(np.uint8)


def test_planted_copies_are_found():
    asked = np.stack([TRAIN[3], changed(TRAIN[5]), TRAIN[7, :, ::-1], radiograph(50)])
    found = nearest_images(thumbnails(asked), thumbnails(TRAIN), mean_thumbnail([thumbnails(TRAIN)]))
    assert found.by_correlation.tolist()[:3] == [3, 5, 7] and found.by_levels[0] == 3 and found.by_levels[2] == 7
    assert (found.correlation[:3] > 0.99).all() and found.correlation[3] < 0.8
    assert found.levels[0] == 0 == found.levels[2] and found.levels[1] > 10
    assert found.mirrored.tolist()[:3] == [False, False, True]
    assert found.copy.tolist() == [True, True, False, False], "the rule of the audit finds no mirror images"


def test_it_is_the_nearest_by_both_measures():
    asked = np.stack([radiograph(number) for number in range(30, 36)])
    mean = mean_thumbnail([thumbnails(TRAIN)])
    found = nearest_images(thumbnails(asked), thumbnails(TRAIN), mean)
    both = np.concatenate([thumbnails(TRAIN).pixels, thumbnails(TRAIN).mirrored])
    for row, pixels in enumerate(thumbnails(asked).pixels):
        apart = np.sqrt(((both - pixels) ** 2).mean(1))
        assert found.levels[row] == pytest.approx(apart.min()) and found.by_levels[row] == apart.argmin() % 14

        def left(values: np.ndarray) -> np.ndarray:
            values = values - values.mean()
            return values / np.linalg.norm(values) - mean

        alike = [np.corrcoef(left(pixels), left(other))[0, 1] for other in both]
        assert found.correlation[row] == pytest.approx(max(alike), abs=1e-4)
        assert found.by_correlation[row] == np.argmax(alike) % 14 and found.mirrored[row] == (np.argmax(alike) >= 14)


def test_the_mean_image_is_like_all_of_them_and_no_copy():
    mean_image = TRAIN.mean(0).astype(np.uint8)[None]
    plain = nearest_images(thumbnails(mean_image), thumbnails(TRAIN))
    unseen = nearest_images(thumbnails(radiograph(50)[None]), thumbnails(TRAIN))
    assert plain.correlation[0] > unseen.correlation[0], "without taking the mean out it looks like a copy"
    taken_out = nearest_images(thumbnails(mean_image), thumbnails(TRAIN), mean_thumbnail([thumbnails(TRAIN)]))
    assert taken_out.correlation[0] < 0.6


def test_nearer_is_the_chance_to_be_nearer_than_an_unseen_one():
    assert chance_nearer(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.5
    assert chance_nearer(np.zeros(3), np.ones(4)) == 1 and chance_nearer(np.ones(3), np.zeros(4)) == 0
    assert chance_nearer(np.array([0.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx((1 + 1.5 / 4) / 2)
