"""Poisson's equation in closed form."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from maquette.relief import poisson
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


@pytest.mark.parametrize("shape, share", [((3, 3), 1.0), ((40, 57), 0.97), ((60, 60), 0.6), ((9, 120), 1.0)])
def test_the_solution_is_that_of_a_direct_solver(shape, share):
    """Regions with holes and islands; the factors as where the edge lies close to some cells."""
    rng = np.random.default_rng(1)
    inside = np.pad(rng.random(shape) < share, 1)
    number = np.where(inside, np.cumsum(inside).reshape(inside.shape) - 1, -1)
    own, rows, columns = np.zeros(inside.shape), [], []
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        beside = np.roll(number, step, axis)
        linked = inside & (beside >= 0)
        own += np.where(linked, 1, rng.uniform(1, 20, inside.shape))
        rows.append(number[linked])
        columns.append(beside[linked])
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    matrix = sparse.diags(own[inside]) - sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), (inside.sum(),) * 2)
    expected = spsolve(matrix.tocsc(), np.full(inside.sum(), 4.0))
    u = poisson.solve(inside, own, 4.0)
    assert np.abs(u[inside] - expected).max() < 1e-9 * expected.max() and not u[~inside].any()


def test_no_cells_have_no_values():
    assert not poisson.solve(np.zeros((5, 8), bool), np.zeros((5, 8)), 4.0).any()
