"""Ways between latents against closed forms."""

import math

import numpy as np
import pytest

from maquette.errors import UserError
from maquette.latents.paths import lerp, path_through, slerp


def vectors(count: int, length: int = 16) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((count, length), np.float32)


def angle(a, b) -> float:
    a, b = (np.float64(vector) / np.linalg.norm(np.float64(vector)) for vector in (a, b))
    return math.degrees(math.acos(np.clip(a @ b, -1, 1)))


@pytest.mark.parametrize("path", ["straight", "spherical"])
def test_the_ends_are_the_very_latents_and_the_count_is_as_said(path):
    ends = vectors(3)
    points = path_through(list(ends), 5, path)
    assert points.shape == (2 * 4 + 1, 16) and points.dtype == np.float32
    assert np.array_equal(points[::4], ends)


def test_the_straight_middle_is_the_mean():
    a, b = vectors(2)
    assert np.allclose(path_through([a, b], 3)[1], (a + b) / 2, atol=1e-7)
    quarters = path_through([a, b], 5)
    assert np.allclose(np.diff(quarters, axis=0), (b - a) / 4, atol=1e-6)


def test_the_spherical_middle_of_orthogonal_unit_vectors():
    a, b = np.eye(6, dtype=np.float32)[:2]
    point = path_through([a, b], 3, "spherical")[1]
    assert np.linalg.norm(point) == pytest.approx(1, abs=1e-6)
    assert angle(point, a) == pytest.approx(45, abs=1e-3) and angle(point, b) == pytest.approx(45, abs=1e-3)


def test_spherical_steps_have_even_angles_and_even_lengths():
    a, b = vectors(2)
    b = 3 * b
    points = path_through([a, b], 8, "spherical")
    steps = [angle(p, q) for p, q in zip(points, points[1:], strict=False)]
    assert max(steps) - min(steps) < 1e-3 and sum(steps) == pytest.approx(angle(a, b), abs=1e-2)
    assert np.allclose(np.linalg.norm(points, axis=1), np.linspace(np.linalg.norm(a), np.linalg.norm(b), 8), atol=1e-5)


def test_a_spherical_way_turns_about_the_middle_given():
    a, b = np.float32([1.0, 0.5]), np.float32([0.5, 1.0])
    point = slerp(a, b, 0.5, np.full(2, 0.5, np.float32))
    assert np.allclose(point, 0.5 + 0.5 / math.sqrt(2), atol=1e-6)


def test_vectors_of_one_direction_and_zero_go_straight():
    a = vectors(1)[0]
    zero = np.zeros(16, np.float32)
    for start, end in ((a, 2.5 * a), (a, a), (zero, a), (a, zero), (zero, zero)):
        for t in (0.25, 0.5):
            assert np.allclose(slerp(start, end, t), lerp(start, end, t), atol=1e-6)


def test_opposite_vectors_go_round_and_not_through_zero():
    a = np.float32([2.0, 0.0, 0.0])
    points = path_through([a, -a], 5, "spherical")
    assert np.allclose(np.linalg.norm(points, axis=1), 2.0, atol=1e-6)
    assert [round(angle(p, a)) for p in points] == [0, 45, 90, 135, 180]
    one = np.float32([1.0])
    assert slerp(one, -one, 0.5).tolist() == [0.0], "in one dimension there is no way round"


def test_what_is_no_way_is_said():
    a, b = vectors(2)
    with pytest.raises(UserError, match="steps must be from 2 to 1000, got 1"):
        path_through([a, b], 1)
    with pytest.raises(UserError, match="two operands are needed at least, got 1"):
        path_through([a], 3)
    with pytest.raises(UserError, match="path must be straight or spherical, got 'round'"):
        path_through([a, b], 3, "round")
