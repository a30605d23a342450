"""Parts beside those of SciPy, number by number."""

import networkx as nx
import numpy as np
import pytest
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from maquette.geometry.parts import bridges, connected, pairs_within, rings, voxel_parts


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


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.6, 1])
def test_voxels_hang_together_by_faces_edges_or_corners(steps, share):
    filled = np.random.default_rng(2).random((14, 11, 13)) < share
    expected, count = ndimage.label(filled, ndimage.generate_binary_structure(3, steps))
    found, part = voxel_parts(filled, steps=steps)
    assert found == count and np.array_equal(part, expected)


@pytest.mark.parametrize("links", [0, 1, 20, 45, 90])
def test_bridges_are_those_of_networkx(links):
    pairs = np.unique(np.sort(np.random.default_rng(links).integers(0, 40, (links, 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    graph = nx.Graph(pairs.tolist())
    expected = {tuple(sorted(pair)) for pair in nx.bridges(graph)} if len(graph) else set()
    assert {tuple(pair) for pair in pairs[bridges(pairs, 40)].tolist()} == expected


@pytest.mark.parametrize("reach", [0, 1e-9, 0.02, 0.3])
def test_pairs_nearby_are_those_of_scipy(reach):
    points = np.random.default_rng(0).random((300, 2))
    points[::7] = points[3]  # several at one place
    expected = cKDTree(points).query_pairs(reach, output_type="ndarray")
    assert np.array_equal(pairs_within(points, reach), expected[np.lexsort(expected.T[::-1])])
    assert pairs_within(points[:0], 1.0).shape == (0, 2)


def test_pairs_exactly_so_far_apart_count():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0 + 1e-9]])
    assert pairs_within(points, 5.0).tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize("seed", range(5))
def test_rings_use_each_link_once_and_are_all_where_nodes_have_two(seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(60)
    lengths = (3, 4, 5, 12, 36)
    wanted = np.split(order, np.cumsum(lengths)[:-1])
    links = np.concatenate([np.stack([ring, np.roll(ring, -1)], axis=1) for ring in wanted])
    found = rings(rng.permutation(links))
    assert sorted(map(sorted, found)) == sorted(sorted(ring.tolist()) for ring in wanted)
    crossing = np.array([[0, 1], [1, 2], [2, 0], [2, 3], [3, 4], [4, 2], [4, 5]])  # two that touch, and a loose end
    assert sorted(map(sorted, rings(crossing))) == [[0, 1, 2], [2, 3, 4]]
