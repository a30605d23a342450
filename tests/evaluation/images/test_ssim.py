"""MS-SSIM against a slow one, and what likeness says of a collapsed set."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from maquette.errors import UserError
from maquette.evaluation.images.ssim import WEIGHTS, mean_ms_ssim, ms_ssim, random_pairs, scale_count

RNG = np.random.default_rng(0)


def slow(a: np.ndarray, b: np.ndarray, weights: tuple[float, ...]) -> float:
    """MS-SSIM of two grey images, by its definition."""
    a, b, result = a.astype(np.float64), b.astype(np.float64), 1.0
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def smooth(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, 1.5, truncate=3.5, mode="mirror")

    for number, weight in enumerate(weights):
        ma, mb = smooth(a), smooth(b)
        va, vb, ab = smooth(a * a) - ma**2, smooth(b * b) - mb**2, smooth(a * b) - ma * mb
        contrast = (2 * ab + c2) / (va + vb + c2)
        if number == len(weights) - 1:  # the library takes this mean with the edges, the others without
            value = (contrast * (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)).mean()
        else:
            value = contrast[5:-5, 5:-5].mean()
        result *= max(value, 0) ** (weight / sum(weights))
        a, b = halved(a), halved(b)
    return result


def halved(image: np.ndarray) -> np.ndarray:
    down, across = image.shape[0] // 2, image.shape[1] // 2
    return image[: 2 * down, : 2 * across].reshape(down, 2, across, 2).mean((1, 3))


def blobs(count: int, height: int, width: int) -> np.ndarray:
    noise = RNG.normal(size=(count, height, width))
    smooth = gaussian_filter(noise, (0, 3, 3)) * 300
    return np.clip(128 + smooth + 6 * noise, 0, 255).astype(np.uint8)


def test_it_is_the_measure_that_it_should_be():
    a = blobs(4, 100, 120)
    b = np.clip(a * 0.8 + RNG.normal(0, 12, a.shape) + 10, 0, 255).astype(np.uint8)
    b[3] = blobs(1, 100, 120)[0]
    found = ms_ssim(a, b, batch=3)
    assert scale_count(100, 120) == 4 and found.shape == (4,)
    np.testing.assert_allclose(found, [slow(x, y, WEIGHTS[:4]) for x, y in zip(a, b, strict=True)], atol=2e-4)
    assert found[:3].min() > 0.7 and found[3] < 0.4
    np.testing.assert_allclose(ms_ssim(b, a), found, atol=1e-6)


def test_equal_images_have_1_and_inverted_ones_0():
    grey, colour = blobs(2, 44, 50), RNG.integers(0, 256, (2, 44, 50, 3), np.uint8)
    np.testing.assert_allclose(ms_ssim(grey, grey), 1, atol=1e-5)
    np.testing.assert_allclose(ms_ssim(colour, colour), 1, atol=1e-5)
    assert (ms_ssim(grey, 255 - grey) == 0).all()


def test_small_images_get_fewer_scales():
    sides = {176: 5, 175: 4, 99: 4, 98: 3, 44: 3, 43: 2, 22: 2, 21: 1, 11: 1}
    assert {side: scale_count(side, 500) for side in sides} == sides == {side: scale_count(500, side) for side in sides}
    for side in (22, 21, 11):
        assert ms_ssim(blobs(1, side, side), blobs(1, side, side)).shape == (1,)
    with pytest.raises(UserError, match="MS-SSIM needs images of 11 pixels a side or more, got 40x10"):
        scale_count(10, 40)


def test_a_collapsed_set_is_alike_and_needs_two_images():
    images = blobs(8, 44, 50)
    assert mean_ms_ssim(np.repeat(images[:1], 8, 0), 5) == pytest.approx(1, abs=1e-5)
    first, second = random_pairs(8, 100, np.random.default_rng(0))
    assert len(first) == 28 and len({*zip(first, second, strict=True)}) == 28 and (first < second).all()
    assert mean_ms_ssim(images, 100) == pytest.approx(ms_ssim(images[first], images[second]).mean())
    with pytest.raises(UserError, match="MS-SSIM between samples needs two images, got 1"):
        mean_ms_ssim(images[:1])
