"""What a critic has learned: its responses by hand, and shapes told apart by them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from maquette.datasets.cache import shapes_of
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.recognition import _responses_to_all, critic_responses, evaluate_recognition
from maquette.nets.volume import GAN3DDiscriminator, IWGANCritic


def test_responses_are_the_papers_pooled_with_8_4_and_2_at_64_voxels():
    torch.manual_seed(0)
    critic = GAN3DDiscriminator(64, (2, 3, 4, 5)).eval()
    voxels = torch.rand(2, 1, 64, 64, 64)
    found = critic_responses(critic, voxels)
    layers = critic.layers
    one = layers[1](layers[0](voxels))
    two, three = layers[2:5](one), layers[2:8](one)
    four = layers[8:11](three)
    pooled = [F.max_pool3d(x, kernel).flatten(1) for x, kernel in ((two, 8), (three, 4), (four, 2))]
    assert found.shape == (2, (3 + 4 + 5) * 8)
    torch.testing.assert_close(found, torch.cat(pooled, dim=1))


def test_an_iwgan_critic_gives_as_many_responses_at_32_voxels():
    assert critic_responses(IWGANCritic(32, (2, 3, 4, 5)), torch.rand(1, 1, 32, 32, 32)).shape == (1, (3 + 4 + 5) * 8)


@pytest.fixture
def archive(tmp_path):
    """Two classes that an untrained critic tells apart: bars along x or along z, of many lengths and places."""
    rng = np.random.default_rng(0)

    def grids(count):
        shapes = np.zeros((2 * count, 16, 16, 16), np.uint8)
        for k, grid in enumerate(shapes):
            a, length = rng.integers(2, 8, 2) + [0, 6]
            part = (slice(2, 2 + length), slice(a, a + 2), slice(a, a + 2))
            grid[part if k % 2 else part[::-1]] = 1
        return shapes, np.arange(2 * count) % 2

    (x_train, y_train), (x_test, y_test) = grids(20), grids(6)
    path = tmp_path / "bars.npz"
    np.savez(path, X_train=x_train, y_train=y_train, X_test=x_test, y_test=y_test, classes=np.array(["tall", "long"]))
    return path


def test_two_kinds_of_bars_are_told_apart_and_shuffled_labels_are_not(archive, tmp_path):
    torch.manual_seed(0)
    critic = IWGANCritic(32, (4, 8, 8, 8)).eval()
    *_, measured = evaluate_recognition(critic, archive, tmp_path / "cache", resolution=32, turns=2)
    assert isinstance(measured, Measured) and measured.details["accuracy"] == 1.0
    assert [row[0] for row in measured.rows] == ["long", "tall", "all shapes"] and measured.rows[-1][1] == 12
    assert measured.details["features"] == (8 + 8 + 8) * 8

    with np.load(archive) as whole:
        arrays = dict(whole)
    arrays["y_train"] = np.random.default_rng(1).permutation(arrays["y_train"])
    np.savez(tmp_path / "shuffled.npz", **arrays)
    *_, measured = evaluate_recognition(critic, tmp_path / "shuffled.npz", tmp_path / "cache", resolution=32, turns=1)
    assert measured.details["accuracy"] < 0.9


def test_every_orientation_is_a_sample_of_its_own_shape(archive, tmp_path):
    torch.manual_seed(0)
    critic = IWGANCritic(20, (2, 4, 4, 4)).eval()
    events = list(evaluate_recognition(critic, archive, tmp_path / "cache", resolution=20, turns=12))
    measured = events[-1]
    assert measured.details["accuracy"] == 1.0 and measured.details["turns"] == 12
    assert measured.details["training_shapes"] == 38 and measured.rows[-1][1] == 12, "shapes; two are copies"
    said = {event.doing for event in events[:-1]}
    length = measured.details["features"]
    assert f"training the SVM on 456 samples of {length} responses (0.0 GB)" in said
    assert "reading the train shapes in 12 orientations" in said
    whole = {}
    for turns in (1, 4):
        data = _whole(shapes_of(archive, tmp_path / "cache", "test", 20, orientations=turns))
        whole[turns] = _whole(_responses_to_all(critic, data, turns, ""))
    assert whole[4].shape == (12, 4, length) and np.allclose(whole[4][:, 0], whole[1][:, 0], atol=1e-6)


def _whole(steps):
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def test_turns_that_cannot_be_are_refused(archive, tmp_path):
    with pytest.raises(UserError, match="turns must be 1, 2, 3, 4, 6 or 12, got 5"):
        next(evaluate_recognition(IWGANCritic(32, (2, 2, 2, 2)), archive, tmp_path, resolution=32, turns=5))
