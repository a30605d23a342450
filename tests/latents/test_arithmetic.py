"""Ways and sums of latents as shapes."""

import numpy as np
import pytest
from tiny import tiny

from maquette import api
from maquette.errors import UserError
from maquette.models import prior


@pytest.fixture(scope="module", params=["iwgan", "gan3d", "vae-iwgan-image"])
def model(request):
    return tiny(request.param)


def result(events):
    return list(events)[-1]


def test_interpolation_begins_and_ends_with_its_operands(model):
    made = result(api.interpolate(["7", "8", "9"], model, steps=4))
    assert len(made.shapes) == len(made.latents) == 7
    for place, seed in ((0, 7), (3, 8), (6, 9)):
        assert np.array_equal(made.latents[place], prior.draw(model, seed))
        shape = api.generate(model, 1, seed=seed)[0]
        assert np.allclose(made.shapes[place].occupancy, shape.occupancy, atol=1e-4)
        assert made.shapes[place].threshold == model.threshold
    assert np.allclose(made.latents[1], (2 * made.latents[0] + made.latents[3]) / 3, atol=1e-4)


def test_a_uniform_prior_is_not_left():
    model = tiny("gan3d")
    corners = [np.float32([1, 1, 1, 0, 0, 0]), np.float32([1, 1, 0, 1, 0, 0]), np.float32([0, 0, 0, 0, 0, 0])]
    made = result(api.interpolate(corners, model, steps=9, path="spherical")).latents
    assert made.min() >= 0 and made.max() <= 1
    assert np.array_equal(made[::8], np.stack(corners))
    summed = result(api.combine(["7", "+", "8", "+", "9"], model)).latent
    whole = sum(prior.draw(model, seed) for seed in (7, 8, 9))
    assert whole.max() > 1 and np.allclose(summed, whole.clip(0, 1), atol=1e-4)


def test_a_sum_by_hand_and_what_cancels(model, tmp_path):
    a, b, c = (prior.draw(model, seed) for seed in (1, 2, 3))
    same = result(api.combine("1 - 2 + 2", model))
    assert np.array_equal(same.latent, a)
    assert np.allclose(same.shape.occupancy, api.generate(model, 1, seed=1)[0].occupancy, atol=1e-4)
    np.save(tmp_path / "c.npy", c)
    made = result(api.combine(f"0.5*1 - 0.25*2 + {tmp_path / 'c.npy'}", model))
    wanted = (0.5 * a - 0.25 * b + c).clip(*prior.bounds(model))
    assert np.allclose(made.latent, wanted, atol=1e-4)
    assert [factor for factor, _ in made.terms] == [0.5, -0.25, 1]


def test_what_cannot_be_done_is_said():
    model = tiny("iwgan")
    for words in ([], ["7"], ["7"] * 65):
        with pytest.raises(UserError, match=f"from two to 64 operands are needed, got {len(words)}"):
            result(api.interpolate(words, model))
    with pytest.raises(UserError, match="from two to 64 operands are needed, got 1"):
        result(api.combine("0.5*7", model))
    for steps in (1, 1001):
        with pytest.raises(UserError, match=f"steps must be from 2 to 1000, got {steps}"):
            result(api.interpolate(["7", "8"], model, steps=steps))
    with pytest.raises(UserError, match="path must be straight or spherical, got 'round'"):
        result(api.interpolate(["7", "8"], model, path="round"))
    with pytest.raises(UserError, match="the sum of these latents is not finite; use smaller factors"):
        result(api.combine(f"{'9' * 60}*7 + 8", model))
