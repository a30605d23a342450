"""Ways between latents against closed forms."""

import math

import pytest
import torch

from maquette.errors import UserError
from maquette.latents.paths import lerp, path_through, slerp


def vectors(count: int, length: int = 16) -> torch.Tensor:
    return torch.randn(count, length, generator=torch.Generator().manual_seed(5))


def angle(a, b) -> float:
    return math.degrees(math.acos(float(torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=0))))


@pytest.mark.parametrize("path", ["straight", "spherical"])
def test_the_ends_are_the_very_latents_and_the_count_is_as_said(path):
    ends = vectors(3)
    points = path_through(list(ends), 5, path)
    assert points.shape == (2 * 4 + 1, 16) and points.dtype == torch.float32
    assert torch.equal(points[::4], ends)


def test_the_straight_middle_is_the_mean():
    a, b = vectors(2)
    assert torch.allclose(path_through([a, b], 3)[1], (a + b) / 2, atol=1e-7)
    quarters = path_through([a, b], 5)
    assert torch.allclose(quarters.diff(dim=0), ((b - a) / 4).expand(4, -1), atol=1e-6)


def test_the_spherical_middle_of_orthogonal_unit_vectors():
    a, b = torch.eye(6)[:2]
    point = path_through([a, b], 3, "spherical")[1]
    assert point.norm().item() == pytest.approx(1, abs=1e-6)
    assert angle(point, a) == pytest.approx(45, abs=1e-3) and angle(point, b) == pytest.approx(45, abs=1e-3)


def test_spherical_steps_have_even_angles_and_even_lengths():
    a, b = vectors(2)
    b = 3 * b
    points = path_through([a, b], 8, "spherical")
    steps = [angle(p, q) for p, q in zip(points, points[1:], strict=False)]
    assert max(steps) - min(steps) < 1e-3 and sum(steps) == pytest.approx(angle(a, b), abs=1e-2)
    assert torch.allclose(points.norm(dim=1), torch.linspace(float(a.norm()), float(b.norm()), 8), atol=1e-5)


def test_a_spherical_way_turns_about_the_middle_given():
    a, b = torch.tensor([1.0, 0.5]), torch.tensor([0.5, 1.0])
    point = slerp(a, b, 0.5, torch.full((2,), 0.5))
    assert torch.allclose(point, torch.full((2,), 0.5 + 0.5 / math.sqrt(2)), atol=1e-6)


def test_vectors_of_one_direction_and_zero_go_straight():
    a = vectors(1)[0]
    zero = torch.zeros(16)
    for start, end in ((a, 2.5 * a), (a, a), (zero, a), (a, zero), (zero, zero)):
        for t in (0.25, 0.5):
            assert torch.allclose(slerp(start, end, t), lerp(start, end, t), atol=1e-6)


def test_opposite_vectors_go_round_and_not_through_zero():
    a = torch.tensor([2.0, 0.0, 0.0])
    points = path_through([a, -a], 5, "spherical")
    assert torch.allclose(points.norm(dim=1), torch.full((5,), 2.0), atol=1e-6)
    assert [round(angle(p, a)) for p in points] == [0, 45, 90, 135, 180]
    one = torch.tensor([1.0])
    assert slerp(one, -one, 0.5).tolist() == [0.0], "in one dimension there is no way round"


def test_what_is_no_way_is_said():
    a, b = vectors(2)
    with pytest.raises(UserError, match="steps must be from 2 to 1000, got 1"):
        path_through([a, b], 1)
    with pytest.raises(UserError, match="two operands are needed at least, got 1"):
        path_through([a], 3)
    with pytest.raises(UserError, match="path must be straight or spherical, got 'round'"):
        path_through([a, b], 3, "round")
