"""The prior of a model whose latents are uniform, beside SciPy's normal distribution."""

from types import SimpleNamespace

import numpy as np
from scipy.special import ndtr

from maquette.models import prior


def test_a_uniform_prior_is_the_normal_distribution_of_its_noise(monkeypatch):
    noise = np.concatenate([np.random.default_rng(0).normal(size=200), [-40, -8, 0, 8, 40]]).astype(np.float32)
    facts = SimpleNamespace(facts=SimpleNamespace(uniform=True))
    from_normal = getattr(prior.from_normal, "__wrapped__", prior.from_normal)  # no model is needed for it
    found = from_normal(facts, noise.reshape(5, 41))
    assert found.dtype == np.float32 and np.allclose(found.ravel(), ndtr(noise.astype(np.float64)), rtol=1e-6, atol=0)
