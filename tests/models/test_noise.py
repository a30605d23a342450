"""Seeded noise by NumPy against PyTorch's generator, whose numbers it gives."""

import numpy as np
import pytest
import torch

from maquette.models.noise import Noise


@pytest.mark.parametrize("count", [1, 2, 6, 15, 16, 17, 24, 33, 128, 200])
def test_it_is_what_pytorch_draws(count):
    for seed in (0, 7, 2**32 - 1):
        generator, noise = torch.Generator().manual_seed(seed), Noise(seed)
        for _ in range(3):  # one after the other from one stream
            assert noise.below(10) == int(torch.randint(10, (1,), generator=generator))
            wanted = torch.randn(count, generator=generator).numpy()
            assert np.abs(noise.normal(count) - wanted).max() < 2e-6
    if count < 16:
        assert np.array_equal(Noise(3).normal(count), torch.randn(count, generator=torch.Generator().manual_seed(3)))


def test_it_is_the_same_everywhere():
    assert Noise(7).normal(24)[[0, 9, 23]].tolist() == pytest.approx([-0.1468, -0.5, 0], abs=3)
    assert np.array_equal(Noise(7).normal(24), Noise(7).normal(24))
