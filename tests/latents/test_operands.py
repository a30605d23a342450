"""What stands for a latent, sums of such, and the prior that they belong to."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import tiny

from maquette import api
from maquette.errors import UserError
from maquette.latents.operands import parse_expression, read_operand
from maquette.latents.projection import Fit, _unlikeliness
from maquette.models import prior


@pytest.fixture(scope="module")
def plain():
    return tiny("iwgan")


@pytest.fixture(scope="module")
def image():
    return tiny("vae-iwgan-image")


def last(events):
    """What a generator returns."""
    while True:
        try:
            next(events)
        except StopIteration as stopped:
            return stopped.value


def latent(model, word, fit=None) -> torch.Tensor:
    return last(read_operand(model, word, fit)).latent


def problem(model, word) -> str:
    with pytest.raises(UserError) as caught:
        latent(model, word)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["iwgan", "gan3d", "vae-iwgan-image"])
def test_a_seed_is_what_generate_makes_of_it(name):
    model = tiny(name)
    made = api.generate(model, 1, seed=7)[0].occupancy
    for word in ("7", "seed:7"):
        assert np.array_equal(prior.decode(model, latent(model, word)[None])[0], made)
    assert not np.array_equal(prior.decode(model, latent(model, "8")[None])[0], made)


def test_a_seed_of_a_class(image):
    made = api.generate(image, 1, seed=7, class_name="sofa")[0].occupancy
    assert np.array_equal(prior.decode(image, latent(image, "sofa:7")[None])[0], made)
    assert "no class of this name, got 'dragon'; it knows chair, sofa" in problem(image, "dragon:7")


def test_a_model_without_classes_says_so(plain):
    assert "no class of this name, got 'chair'; it has no latents of classes" in problem(plain, "chair:7")


def test_saved_latents_and_latents_themselves(plain, tmp_path):
    values = np.float32([0.5, -1, 2, 0])
    np.save(tmp_path / "a.npy", values)
    for word in (str(tmp_path / "a.npy"), tmp_path / "a.npy", values):
        assert latent(plain, word).tolist() == values.tolist()


@pytest.mark.parametrize(
    "values, says",
    [
        (np.zeros(5, np.float32), "a latent of model 'tiny iwgan' has 4 values, got shape (5,)"),
        (np.float32([0, np.nan, np.inf, 0]), "a latent's values must be finite, got 2 that are not"),
        (np.float64([1e300, 0, 0, 0]), "a latent's values must be finite, got 1 that are not"),
        (np.zeros((1, 4), np.float32), "holds neither a latent (1 axis) nor a grid (3 axes), got shape (1, 4)"),
        (np.zeros((20, 20, 20), np.float32), "is empty: no voxel reaches the threshold 0.5"),
        (np.full((4, 4, 4), 7.0), "occupancy must lie in [0, 1]"),
    ],
)
def test_a_saved_latent_that_does_not_fit(plain, tmp_path, values, says):
    np.save(tmp_path / "a.npy", values)
    line = problem(plain, str(tmp_path / "a.npy"))
    assert says in line and str(tmp_path / "a.npy") in line


def test_latents_of_a_uniform_prior_lie_between_0_and_1(tmp_path):
    model = tiny("gan3d")
    assert prior.bounds(model) == (0, 1) and prior.middle(model).tolist() == [0.5] * 6
    np.save(tmp_path / "a.npy", np.float32([0, 0, 1.25, 0, 0, 1]))
    assert "the latents of model 'tiny gan3d' lie in [0, 1], got values from 0 to 1.25" in problem(
        model, str(tmp_path / "a.npy")
    )


def test_nothing_is_unpickled_and_damage_is_said(plain, tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    assert "a.npy cannot be read as npy: it holds values of type object" in problem(plain, str(tmp_path / "a.npy"))
    (tmp_path / "b.npy").write_bytes(b"not an array")
    assert "b.npy cannot be read as npy" in problem(plain, str(tmp_path / "b.npy"))


def picture(path, size=64):
    page = np.full((size, size), 255, np.uint8)
    page[size // 4 : 3 * size // 4, size // 3 : 2 * size // 3] = 60
    Image.fromarray(page).save(path)
    return str(path)


def test_a_picture_is_encoded(image, plain, tmp_path):
    from maquette.intake.pickup import frame_object, read_picture

    path = picture(tmp_path / "box.png")
    seen = frame_object(read_picture(path), 32, 1).image
    with torch.no_grad():
        wanted = image.system.nets["encoder"](torch.from_numpy(seen)[None])[0][0]
    assert np.allclose(latent(image, path), wanted.numpy(), atol=1e-6)
    assert f"{path} is a picture, which model 'tiny iwgan' does not read" in problem(plain, path)


def test_a_grid_is_projected(plain, tmp_path):
    path = tmp_path / "made.npz"
    api.generate(plain, 1, seed=3)[0].save(path)
    few = Fit(steps=3, starts=1, draws=4)
    operand = last(read_operand(plain, str(path), few))
    found = list(api.project(path, plain, fit=few))[-1]
    assert np.array_equal(operand.latent, found.latent) and operand.note == f"projected, {found.line()}"
    np.save(tmp_path / "made.npy", api.generate(plain, 1, seed=3)[0].occupancy)
    assert np.array_equal(latent(plain, str(tmp_path / "made.npy"), few), found.latent), "3 axes: a grid"


@pytest.mark.parametrize("word", ["dragon", "seed:x", "-7", "7.5", "chair:", ""])
def test_an_unknown_operand_names_what_there_is(plain, word):
    line = problem(plain, word)
    assert f"got {word!r}" in line
    assert "a seed (7), a class's seed (chair:7), a picture, a mesh or grid file, or a saved latent (.npy)" in line


@pytest.mark.parametrize("name", ["gone.png", "gone.stl", "gone.npz", "gone.npy"])
def test_a_missing_file_is_named(image, tmp_path, name):
    line = problem(image, str(tmp_path / name))
    assert str(tmp_path / name) in line and ("does not exist" in line or "No such file" in line)


@pytest.mark.parametrize(
    "expression, terms",
    [
        ("A - B + C", [(1, "A"), (-1, "B"), (1, "C")]),
        ("- A + 0.5*chair:7", [(-1, "A"), (0.5, "chair:7")]),
        (["A", "-", ".25*B"], [(1, "A"), (-0.25, "B")]),
        (["A - B", "+", "2*C"], [(1, "A"), (-1, "B"), (2, "C")]),
        ("a-b.png + 7", [(1, "a-b.png"), (1, "7")]),
    ],
)
def test_expressions(expression, terms):
    assert parse_expression(expression) == terms


def test_a_file_with_spaces_is_one_operand(tmp_path):
    name = picture(tmp_path / "my chair - old.png")
    assert parse_expression([name, "-", "7"]) == [(1, name), (-1, "7")]


@pytest.mark.parametrize("expression", ["", "A B", "A +", "A + - B", "+", "- - A", "A -B", f"{'9' * 400}*A"])
def test_expressions_that_cannot_be_read(expression):
    with pytest.raises(UserError, match="the expression cannot be read, got .*; write it as \"A - B [+] C\""):
        parse_expression(expression)


def test_how_unlikely_a_latent_is(plain, image):
    """By NumPy and, for its gradients, by PyTorch."""
    latents = torch.randn(5, 4)
    wanted = latents.square().mean(1) / 2
    assert np.allclose(prior.unlikeliness(plain)(latents.numpy()), wanted)
    assert torch.allclose(_unlikeliness(plain)(latents), wanted)
    uniform = tiny("gan3d")
    assert prior.unlikeliness(uniform)(np.ones((3, 6), np.float32)).tolist() == [0, 0, 0]
    assert _unlikeliness(uniform)(torch.rand(3, 6)).tolist() == [0, 0, 0]
    means, factor, rest = (torch.from_numpy(image.latents[name]) for name in ("mean", "factor", "rest"))
    away = means[0] + torch.tensor([0.2, -0.1, 0.3, 0.0, 0.1, -0.2])
    whole = factor[0].T @ factor[0] + torch.diag(rest[0].square())
    other = factor[1].T @ factor[1] + torch.diag(rest[1].square())
    known = [torch.distributions.MultivariateNormal(means[k], c) for k, c in enumerate((whole, other))]
    points = torch.stack([means[0], away])
    wanted = -torch.stack([one.log_prob(points) for one in known]).logsumexp(0) / 6
    assert np.allclose(prior.unlikeliness(image)(points.numpy()), wanted.numpy(), atol=1e-4)
    assert torch.allclose(_unlikeliness(image)(points), wanted, atol=1e-4)


def test_a_negative_seed_is_refused(plain):
    with pytest.raises(UserError, match="seed must be 0 or more, got -1"):
        prior.draw(plain, -1)


def test_a_grid_in_a_stream_of_bytes_is_not_believed(plain, tmp_path):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    (tmp_path / "a.npy").write_bytes(head.getvalue())
    assert "its header claims an array of shape" in problem(plain, str(tmp_path / "a.npy"))
