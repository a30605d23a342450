"""Poisson's equation in closed form."""

import numpy as np

from maquette.relief.inflate import cell_coverage, solve_poisson


def test_poisson_over_a_disc_is_a_paraboloid():
    ring = 50 * np.column_stack([np.cos(a := np.linspace(0, 2 * np.pi, 400, endpoint=False)), np.sin(a)])
    covered, cell, origin = cell_coverage([ring], 80)
    u = solve_poisson(covered) * cell**2
    y, x = np.mgrid[0 : covered.shape[0], 0 : covered.shape[1]]
    squared = 50**2 - (origin[0] + x * cell) ** 2 - (origin[1] + y * cell) ** 2
    inside = covered > 0.5
    assert np.abs(u - squared)[inside].max() < 0.006 * 50**2
    assert u[~inside].max() < 0
