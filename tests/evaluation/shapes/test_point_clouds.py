"""Measures of sets of shapes against values worked out by hand, and against SciPy."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from maquette.errors import UserError
from maquette.evaluation.shapes import point_clouds

LINE = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])


def test_distances_of_clouds_by_hand():
    lifted = LINE + [0, 3, 0]
    assert point_clouds.chamfer(LINE, lifted) == pytest.approx(9 + 9)
    assert point_clouds.chamfer(LINE, LINE[:1]) == pytest.approx((0 + 1 + 4) / 3 + 0)
    assert point_clouds.earth_movers(LINE, lifted[::-1]) == pytest.approx(3)
    assert point_clouds.earth_movers(LINE, LINE + [1, 0, 0]) == pytest.approx(1), "moved along, not nearest to nearest"
    with pytest.raises(UserError, match="equal size, got 3 and 1"):
        point_clouds.earth_movers(LINE, LINE[:1])


def test_f_score_by_hand():
    other = np.array([[0.0, 0.1, 0], [9, 0, 0]])  # one of three is near, one of two is
    assert point_clouds.f_score(LINE, other, 0.2) == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    assert point_clouds.f_score(LINE, LINE + 50, 0.2) == 0 and point_clouds.f_score(LINE, LINE, 0.0) == 1


def test_sets_by_hand():
    made_to_real = np.array([[1.0, 5.0, 9.0], [2.0, 4.0, 9.0]])  # both made shapes are nearest to the first real one
    assert point_clouds.minimum_matching_distance(made_to_real) == pytest.approx((1 + 4 + 9) / 3)
    assert point_clouds.coverage(made_to_real) == pytest.approx(1 / 3)
    assert point_clouds.novelty(made_to_real).tolist() == [1.0, 2.0]


def test_one_nearest_neighbour_tells_apart_same_and_copied():
    def accuracy(made, real):
        made, real = ([np.array([[x, 0.0, 0.0]]) for x in side] for side in (made, real))
        pairs = (point_clouds.pairwise_distances(a, b) for a, b in ((made, made), (made, real), (real, real)))
        return point_clouds.one_nearest_neighbour_accuracy(*pairs)

    assert accuracy([0, 1, 2], [100, 101, 102]) == 1
    assert accuracy([0.1, 10.1, 20.1], [0, 10, 20]) == 0
    assert accuracy([0, 1, 20], [10, 11, 21]) == pytest.approx(4 / 6)


def test_jensen_shannon_is_scipys_square_and_1_for_strangers():  # A15: papers have base 2
    noise = np.random.default_rng(0)
    a, b = [noise.uniform(-0.5, 0.5, (400, 3)) for _ in range(2)], [noise.uniform(-0.5, 0.2, (400, 3))]
    p, q = (point_clouds._histogram(np.concatenate(side), 4) for side in (a, b))
    assert point_clouds.jensen_shannon(a, b, 4) == pytest.approx(jensenshannon(p, q, 2) ** 2)
    assert point_clouds.jensen_shannon([LINE * 0 - 0.4], [LINE * 0 + 0.4]) == pytest.approx(1)
    assert point_clouds.jensen_shannon(a, a) == pytest.approx(0, abs=1e-12)
