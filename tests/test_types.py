"""The guard that enforces annotations in all other tests must itself be alive: wrong shapes and types are refused."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from maquette.geometry.grids import turn_grid
from maquette.geometry.points import surface_points
from maquette.systems.losses import kl_to_standard_normal, wasserstein_critic


def test_the_guard_refuses_wrong_shapes():
    with pytest.raises(TypeCheckError):
        wasserstein_critic(torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(TypeCheckError):
        kl_to_standard_normal(torch.zeros(4, 5), torch.zeros(4, 6))
    assert wasserstein_critic(torch.zeros(3), torch.ones(3)) == 1


def test_the_guard_covers_the_whole_package():
    with pytest.raises(TypeCheckError):
        surface_points("no mesh")
    with pytest.raises(TypeCheckError):
        turn_grid(np.zeros((4, 4), bool), 90)
