"""A field near its surface is what evaluating every corner finds."""

import numpy as np
import pytest
import torch
from forms import ball, either

from maquette.fields.lattice import sample_near_surface

FORMS = {
    "ball": ball(0.3),
    "rod that leaves the first grid's cells": lambda at: 500 * (0.012 - at[:, :2].norm(dim=1)),
    "sheet thinner than a cell": lambda at: 500 * (0.011 - (at[:, 2] - 0.012).abs()),
    "ball with a thin needle": either(ball(0.2), lambda at: 300 * torch.minimum(
        0.01 - (at[:, :2] - 0.016).norm(dim=1), 0.45 - at[:, 2].abs())),
    "waves": lambda at: (30 * at).sin().sum(1) - 1.5,
}


@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_surface_that_evaluating_every_corner_finds(form):
    def asked(positions: np.ndarray) -> np.ndarray:
        return FORMS[form](torch.from_numpy(positions)).numpy()

    lattice = sample_near_surface(asked, 64)
    places = np.stack(np.meshgrid(*[np.arange(65)] * 3, indexing="ij"), -1).reshape(-1, 3)
    every = asked((places / 64 - 0.5).astype(np.float32)).reshape(65, 65, 65)
    assert np.array_equal(lattice.inside, every > 0)
    ends = (slice(None, -1), slice(1, None))
    corners = [(x, y, z) for x in ends for y in ends for z in ends]
    inside = np.stack([every[c] > 0 for c in corners])
    crossed = inside.any(0) & ~inside.all(0)
    for corner in corners:
        assert np.array_equal(lattice.values[corner][crossed], every[corner][crossed])
    assert crossed.any() and (form == "waves" or lattice.evaluations < 0.6 * every.size)
