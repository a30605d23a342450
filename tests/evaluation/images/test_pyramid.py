"""The Laplacian pyramid and the sliced Wasserstein distance on it: exact where they can be, else against slow ones."""

from math import gamma, pi, sqrt

import numpy as np
import pytest
from scipy.ndimage import convolve1d

from maquette.evaluation.images import pyramid

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(33, 57), (64, 128), (47, 61, 3), (287, 508)])
def test_the_levels_rebuild_the_image(shape):
    image = RNG.uniform(0, 255, shape)
    levels = pyramid.laplacian(image)
    assert [level.shape[:2] for level in levels] == pyramid.level_sizes(*shape[:2]) and len(levels) > 1
    np.testing.assert_allclose(pyramid.rebuild(levels), image, atol=1e-10)


def test_levels_go_down_to_16_pixels_whatever_the_aspect():
    assert pyramid.level_sizes(256, 512) == [(256, 512), (128, 256), (64, 128), (32, 64), (16, 32)]
    assert pyramid.level_sizes(287, 508) == [(287, 508), (144, 254), (72, 127), (36, 64), (18, 32)]
    assert pyramid.level_sizes(16, 16) == [(16, 16)] and pyramid.level_sizes(16, 300) == [(16, 300)]


def test_a_level_is_what_the_binomial_filter_takes_away():
    image = RNG.uniform(0, 255, (32, 48))
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    smaller = convolve1d(convolve1d(image, kernel, 0, mode="mirror"), kernel, 1, mode="mirror")[::2, ::2]
    np.testing.assert_allclose(pyramid.laplacian(image)[1], smaller, atol=1e-9)
    assert np.abs(pyramid.laplacian(np.full((32, 32), 77.0))[0]).max() < 1e-12


def test_patches_are_windows_of_the_image():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)  # every value tells its place
    (found,) = pyramid.patches(image[None], seed=3)
    assert found.shape == (1, 128, 1, 49) and found.dtype == np.float32
    corners = set()
    for values in found[0, :, 0]:
        row, column = divmod(int(values[0]), 16)
        np.testing.assert_array_equal(values.reshape(7, 7), image[row : row + 7, column : column + 7])
        corners.add((row, column))
    assert len(corners) > 60 and max(row for row, _ in corners) == 9, "all over the image, to its very edge"
    np.testing.assert_array_equal(found, pyramid.patches(image[None], seed=3)[0])
    assert (found != pyramid.patches(image[None], seed=4)[0]).any()


def test_channels_are_normalised_each_over_the_set():
    found = RNG.normal([5, -3, 0], [2, 9, 0], (20, 10, 49, 3)).swapaxes(2, 3)
    rows = pyramid.normalised(found).reshape(-1, 3, 49)
    np.testing.assert_allclose(rows.mean((0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(rows.std((0, 2)), [1, 1, 0], atol=1e-4)


def test_the_distance_is_that_of_sorted_projections():
    a, b = RNG.normal(size=(40, 9)).astype(np.float32), RNG.uniform(-1, 2, (40, 9)).astype(np.float32)
    lines = np.random.default_rng(5).normal(size=(12, 9)).astype(np.float32)
    total = 0.0
    for line in lines:
        line = [float(x) / sqrt(sum(float(y) ** 2 for y in line)) for x in line]
        along = [sorted(sum(p * float(q) for p, q in zip(line, row, strict=True)) for row in rows) for rows in (a, b)]
        total += sum(abs(p - q) for p, q in zip(*along, strict=True)) / 40
    assert pyramid.sliced_wasserstein(a, b, 5, 12) == pytest.approx(total / 12, rel=1e-5)
    assert pyramid.sliced_wasserstein(a, a[::-1].copy(), 5) == 0
    with pytest.raises(ValueError, match="as many rows"):
        pyramid.sliced_wasserstein(a, b[:39])


def test_a_shifted_set_is_as_far_as_the_mean_projection_of_the_shift():
    a = RNG.normal(size=(30, 49)).astype(np.float32)
    shift = np.zeros(49, np.float32)
    shift[7] = 3
    expected = 3 * gamma(49 / 2) / (sqrt(pi) * gamma(50 / 2))  # E |d_1| of a random direction
    assert pyramid.sliced_wasserstein(a, a + shift, 0, 4096) == pytest.approx(expected, rel=0.04)


def test_equal_sets_have_no_distance_and_others_have_at_the_level_where_they_differ():
    images = RNG.integers(0, 256, (6, 64, 64), np.uint8)
    own = pyramid.patches(images)
    assert (pyramid.level_distances(own, pyramid.patches(images)) == 0).all()
    plain = (images // 4 + 20).astype(np.uint8)
    stripes = (images // 4 + 40 * (np.arange(64) % 2)).astype(np.uint8)  # the same on average
    finest, *_, coarsest = pyramid.level_distances(pyramid.patches(plain), pyramid.patches(stripes))
    assert finest > 5 * coarsest
