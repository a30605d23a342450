"""Power spectra of what has known ones: waves, white noise, nothing."""

import numpy as np
import pytest

from maquette.evaluation.images.spectrum import ROUNDING, distance_db, frequencies, spectra

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(64, 64), (32, 64), (64, 33)])
def test_rings_reach_from_the_longest_wave_to_the_finest(shape):
    found = frequencies(*shape)
    assert found[0] == 1 / min(shape) and found[-1] == pytest.approx(0.5, abs=0.02) and len(found) == min(shape) // 2
    assert spectra(np.zeros((2, *shape), np.uint8)).shape == (2, len(found))


WAVES = [((64, 64), 16, 1), ((64, 64), 5, 0), ((32, 64), 16, 1), ((32, 64), 8, 0)]


@pytest.mark.parametrize("shape, cycles, axis", WAVES)
def test_a_wave_peaks_at_its_frequency(shape, cycles, axis):
    phase = 2 * np.pi * cycles * np.arange(shape[axis]) / shape[axis]
    wave = 128 + 100 * np.sin(phase + 0.3)
    image = np.broadcast_to(wave[:, None] if axis == 0 else wave, shape)
    power = spectra(np.rint(image).astype(np.uint8)[None])[0]
    assert frequencies(*shape)[power.argmax()] == pytest.approx(cycles / shape[axis])
    beside = np.abs(np.arange(len(power)) - power.argmax()) > 2
    assert power[beside].max() < power.max() / 1000


@pytest.mark.parametrize("shape", [(64, 64), (48, 90), (45, 64)])
def test_white_noise_is_flat_at_its_variance(shape):
    images = np.clip(np.rint(RNG.normal(128, 20, (150, *shape))), 0, 255).astype(np.uint8)
    mean = spectra(images).mean(0)
    np.testing.assert_allclose(mean[2:], 400 + ROUNDING, rtol=0.12)
    assert mean[2:].mean() == pytest.approx(400 + ROUNDING, rel=0.01)


def test_grey_pictures_stored_in_colour_have_the_same_spectrum():
    grey = RNG.integers(0, 256, (3, 32, 48), np.uint8)
    np.testing.assert_array_equal(spectra(grey), spectra(np.repeat(grey[..., None], 3, 3)))


def test_twice_the_amplitude_is_6_decibels_and_nothing_is_finite():
    power = RNG.uniform(1e6, 1e7, (5, 20))
    assert distance_db(4 * power, power) == pytest.approx(6.0206, abs=1e-3) == distance_db(power, 4 * power)
    assert distance_db(power, power[::-1]) == pytest.approx(0, abs=1e-12)
    assert distance_db(np.zeros((5, 20)), np.full((5, 20), ROUNDING)) == pytest.approx(3.0103, abs=1e-3)
