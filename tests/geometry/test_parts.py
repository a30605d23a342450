"""Parts beside those of SciPy, number by number."""

import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from maquette.geometry.parts import connected, voxel_parts


@pytest.mark.parametrize("links", [0, 5, 60, 150, 2000])
def test_nodes_hang_together_as_in_scipy(links):
    rng = np.random.default_rng(links)
    pairs = rng.integers(0, 200, (links, 2))
    graph = sparse.coo_matrix((np.ones(links), tuple(pairs.T)), (200, 200))
    count, expected = csgraph.connected_components(graph, directed=False)
    found, part = connected(pairs, 200)
    assert found == count and np.array_equal(part, expected)


def test_a_long_chain_in_any_order_is_one_part():
    order = np.random.default_rng(0).permutation(10_000)
    count, part = connected(np.stack([order[:-1], order[1:]], axis=1), 10_000)
    assert count == 1 and not part.any()


@pytest.mark.parametrize("share", [0, 0.02, 0.1, 0.3, 0.5, 0.9, 1])
@pytest.mark.parametrize("shape", [(1, 1, 1), (9, 8, 7), (20, 30, 25)])
def test_voxels_hang_together_as_in_scipy(share, shape):
    filled = np.random.default_rng(1).random(shape) < share
    for corners, structure in ((True, np.ones((3, 3, 3))), (False, None)):
        expected, count = ndimage.label(filled, structure)
        found, part = voxel_parts(filled, corners)
        assert found == count and np.array_equal(part, expected)
