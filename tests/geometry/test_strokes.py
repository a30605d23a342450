"""Strokes: lengths in closed form, joins that lose nothing, pictures whose ink is what was drawn."""

import numpy as np
import pytest
from skimage.measure import approximate_polygon
from typed import refused

from maquette.errors import UserError
from maquette.geometry.strokes import Strokes, simplified


def line(*points) -> np.ndarray:
    return np.array(points, dtype=float)


def test_length_and_travel_are_those_of_the_paper():
    strokes = Strokes((line((0, 0), (3, 4)), line((3, 0), (3, 2), (5, 2)), line((5, 5), (6, 5))), 10, 10)
    assert strokes.length == 5 + 4 + 1 and strokes.points == 7 and len(strokes) == 3
    assert strokes.travel() == 4 + 3
    assert strokes.travel(home=(0, 0)) == 4 + 3 + np.hypot(6, 5)
    assert strokes.layers == (1, 1, 1) and strokes.bounds == (0, 0, 6, 5)
    nothing = Strokes((), 10, 10)
    assert nothing.length == nothing.travel() == nothing.travel((0, 0)) == 0 and nothing.bounds is None


@pytest.mark.parametrize("arguments, message", [
    (((np.zeros((1, 2)),), 1, 1), "two points"),
    (((np.zeros((2, 3)),), 1, 1), "two points"),
    (((line((0, np.nan), (1, 1)),), 1, 1), "not finite"),
    (((), 0, 1), "a width and a height"),
    (((), 1, float("inf")), "a width and a height"),
    (((np.eye(2),), 1, 1, (1, 2)), "2 pens for 1 strokes"),
    (((np.eye(2),), 1, 1, (0,)), "numbered from 1"),
])
def test_bad_strokes_are_refused(arguments, message):
    with refused(message):
        Strokes(*arguments)


def test_a_drawing_is_fitted_between_the_margins():
    strokes = Strokes((line((2, 3), (6, 3), (6, 5)),), 100, 100)
    fitted = strokes.fitted(210, 297, 5)
    assert fitted.bounds == pytest.approx((5, 98.5, 205, 198.5)) and (fitted.width, fitted.height) == (210, 297)
    whole = strokes.fitted(200, 300, 10, whole_page=True)
    assert whole.bounds == pytest.approx((10 + 2 * 1.8, 60 + 3 * 1.8, 10 + 6 * 1.8, 60 + 5 * 1.8))
    upright = Strokes((line((5, 1), (5, 9)),), 10, 10).fitted(100, 100, 10)
    assert upright.bounds == pytest.approx((50, 10, 50, 90))
    with pytest.raises(UserError, match="margins leave no room"):
        strokes.fitted(20, 20, 10)
    assert strokes.scaled(2).length == 2 * strokes.length
    with pytest.raises(UserError, match="scale must be positive"):
        strokes.scaled(0)


def test_lines_are_joined_straight_on_and_closed_where_they_meet():
    cross = Strokes((line((0, 0), (1, 0)), line((1, 0), (2, 0)), line((1, 1), (1, 0)), line((1, 0), (1, -1))), 3, 3)
    joined = cross.joined(1e-6)
    assert sorted(np.ptp(made, axis=0).tolist() for made in joined.lines) == [[0, 2], [2, 0]]
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=float)
    sides = [square[i : i + 2][:: 1 if i % 2 else -1] for i in range(4)]
    ring = Strokes(tuple(sides), 3, 3).joined(1e-6)
    assert len(ring) == 1 and ring.length == 4 and (ring.lines[0][0] == ring.lines[0][-1]).all()
    assert len(ring.joined(1e-6)) == 1 and ring.joined(1e-6).length == 4
    assert len(Strokes(tuple(sides), 3, 3).joined(1e-6, turn_deg=80)) == 4
    assert len(Strokes(tuple(sides), 3, 3, (1, 1, 2, 2)).joined(1e-6)) == 2
    apart = Strokes((line((0, 0), (1, 0)), line((1.3, 0), (2, 0))), 3, 3)
    assert len(apart.joined(0.2)) == 2 and apart.joined(0.4).length == 2


def test_many_pieces_of_one_line_become_one():
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.uniform(0.1, 1, (60, 2)), axis=0)
    order = rng.permutation(59)
    pieces = tuple(points[[i, i + 1]][:: rng.choice([-1, 1])] for i in order)
    joined = Strokes(pieces, 100, 100).joined(1e-6)
    assert len(joined) == 1
    made = joined.lines[0] if joined.lines[0][0, 0] == points[0, 0] else joined.lines[0][::-1]
    np.testing.assert_array_equal(made, points)


def test_pictures_have_the_ink_that_was_drawn():
    page = Strokes((line((10, 10), (30, 10)), line((20, 20), (20, 35))), 40, 50)
    picture = page.to_picture(4, 1.0)
    assert picture.shape == (200, 160) and picture.dtype == np.uint8
    ink = (255 - picture.astype(float)) / 255
    assert ink.sum() == pytest.approx(35 * 16 + 2 * np.pi * 2**2, rel=0.06)  # two round caps at each line
    rows, columns = np.nonzero(ink[:60] > 0.5)
    assert (rows + 0.5).mean() == pytest.approx(40, abs=0.2) and (columns + 0.5).mean() == pytest.approx(80, abs=0.3)
    assert (Strokes((), 4, 4).to_picture(2, 1) == 255).all()
    with pytest.raises(UserError, match="8192 pixels"):
        page.to_picture(1000, 1)


def test_simplified_lines_stay_within_the_tolerance():
    angle = np.linspace(0, np.pi, 500)
    arc = np.stack([50 + 40 * np.cos(angle), 60 - 40 * np.sin(angle)], axis=1)
    simple = Strokes((arc,), 100, 100).simplified(0.1)
    assert simple.points < 60
    chord = np.linalg.norm(np.diff(simple.lines[0], axis=0), axis=1).max()
    assert 40 - np.sqrt(40**2 - (chord / 2) ** 2) <= 0.1 + 1e-9  # the sagitta of the longest chord


@pytest.mark.parametrize("seed", range(8))
def test_lines_with_fewer_points_are_those_of_scikit_image(seed):
    rng = np.random.default_rng(seed)
    lines = [np.cumsum(rng.normal(size=(rng.integers(2, 200), 2)), axis=0) for _ in range(20)]
    lines += [np.concatenate([line, line[:1]]) for line in lines]  # closed ones
    for tolerance in (0, 0.05, 0.8, 5.0):
        for own, line in zip(simplified(lines, tolerance), lines, strict=True):
            assert np.array_equal(own, approximate_polygon(line, tolerance))


def test_a_line_whose_points_are_all_at_one_place_keeps_its_ends():
    lines = [np.ones((5, 2)), line((0, 0), (1, 1)), line((0, 0), (1, 0), (2, 0), (2, 0))]
    for own, one in zip(simplified(lines, 0.1), lines, strict=True):
        assert np.array_equal(own, approximate_polygon(one, 0.1))
    assert simplified([], 0.1) == []
