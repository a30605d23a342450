"""The order of strokes: nothing is lost, and the pen travels less."""

from itertools import permutations, product

import numpy as np
import pytest
from strokes import same_lines, some

from maquette.geometry.strokes import Strokes
from maquette.plotting.ordering import shortest_travel


@pytest.mark.parametrize("count", [80, 500])
def test_travel_is_shortened_and_nothing_is_lost(count):
    strokes = some(count)
    made = shortest_travel(strokes)
    assert same_lines(made, strokes) and made.length == pytest.approx(strokes.length)
    assert made.travel((0, 0)) < 0.35 * strokes.travel((0, 0))


def test_travel_of_few_lines_is_close_to_the_best_there_is():
    for seed in range(5):
        strokes, home = some(5, seed=seed), (0.0, 0.0)
        best = min(
            Strokes(tuple(strokes.lines[i][::-1] if back else strokes.lines[i]
                          for i, back in zip(order, turned, strict=True)), 210, 297).travel(home)
            for order in permutations(range(5)) for turned in product((False, True), repeat=5)
        )
        assert best - 1e-9 <= shortest_travel(strokes).travel(home) <= 1.25 * best


def test_pens_are_not_mixed_and_a_good_order_is_kept():
    strokes = some(20, pens=3)
    assert list(shortest_travel(strokes).layers) == sorted(strokes.layers)
    row = Strokes(tuple(np.array([(x, 10.0), (x + 1, 10)]) for x in range(0, 50, 2)), 100, 100)
    assert [line.tolist() for line in shortest_travel(row).lines] == [line.tolist() for line in row.lines]
    assert len(shortest_travel(Strokes((), 10, 10))) == 0
