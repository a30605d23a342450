"""What is said before a run that is far too large for this machine: from counting, and a speed that tests replace."""

import dataclasses

import pytest
import torch

from maquette import recipe as recipes
from maquette.capabilities import Makes
from maquette.systems import SYSTEMS
from maquette.training.monitor import estimate
from maquette.training.monitor.estimate import Estimate, free_memory, matrix_speed, smaller_recipe, warning
from maquette.training.monitor.memory import count_step

CPU = torch.device("cpu")
MEASURED = {"gan3d": 9291.9, "vae-gan-image": 13760.3, "vae-iwgan-scan": 316.2, "iwgan-cpu": 29.5, "classifier": 12.4}
"""GFLOP a step that benchmarks/train_step.py counted in real steps (RESULTS.md, "Seconds a step")."""


def with_train(name: str, **values) -> recipes.Recipe:
    recipe = recipes.load(name)
    return dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **values))


@pytest.fixture
def speed(monkeypatch):
    """This machine multiplies 400 GFLOP a second and has 100 GB."""
    monkeypatch.setattr(estimate, "matrix_speed", lambda *_: 400e9)
    monkeypatch.setattr(estimate, "free_memory", lambda _: 100e9)


@pytest.mark.parametrize("name", MEASURED)
def test_a_step_is_counted_as_real_steps_are(name):
    counted = count_step(recipes.load(name))
    assert sum(counted.operations.values()) / 1e9 == pytest.approx(MEASURED[name], rel=5e-3)
    assert set(counted.phases) == set(counted.operations) and 0 < counted.kept < counted.most


@pytest.mark.parametrize("name", [name for name in recipes.names() if name.endswith("-tiny")])
def test_every_system_can_be_counted_and_no_random_state_moves(name):
    state = torch.get_rng_state()
    counted = count_step(recipes.load(name), late=True)
    assert sum(counted.operations.values()) > 0 and torch.equal(torch.get_rng_state(), state)


def test_a_paper_recipe_on_a_cpu_warns(speed):
    assert warning(recipes.load("gan3d"), CPU, 10**7) == (
        "about 46 s a step here, 11 days for 20,000 steps, and 3.8 GB; smaller: maquette train gan3d-cpu")
    assert warning(recipes.load("gan3d-cpu"), CPU, 10**7) == ""


def test_shorter_runs_and_faster_machines_say_nothing(speed, monkeypatch):
    assert warning(with_train("gan3d", steps=5000), CPU, 10**7) == ""
    assert "5 days" in warning(recipes.load("gan3d"), CPU, 10**7, processes=2)
    monkeypatch.setattr(estimate, "matrix_speed", lambda *_: 400e12)
    assert warning(recipes.load("gan3d"), CPU, 10**7) == ""


def test_more_memory_than_is_free_warns_however_short_the_run(speed, monkeypatch):
    monkeypatch.setattr(estimate, "free_memory", lambda _: 2e9)
    assert warning(with_train("gan3d", steps=2), CPU, 10**7) == (
        "about 46 s a step here, 1 hour for 2 steps, and 3.8 GB where 2 GB are free; "
        "smaller: maquette train gan3d-cpu")
    monkeypatch.setattr(estimate, "free_memory", lambda _: None)
    assert warning(with_train("gan3d", steps=2), CPU, 10**7) == ""


@pytest.mark.parametrize("name", [name for name in recipes.names() if name.endswith("-tiny")
                                  and name != "vae-gan-image-tiny"])  # its encoder is the paper's
def test_a_tiny_recipe_is_neither_counted_nor_measured(name, monkeypatch):
    monkeypatch.setattr(estimate, "estimate", lambda *_: pytest.fail("it was counted"))
    recipe = recipes.load(name)
    with torch.device("meta"):
        nets = SYSTEMS[recipe.system](recipe.model).nets
    assert warning(recipe, CPU, sum(p.numel() for p in nets.parameters())) == ""


def test_a_system_that_cannot_be_counted_says_nothing(speed, monkeypatch):
    def dynamic(*_, **__):
        raise RuntimeError("a shape that depends on values")

    monkeypatch.setattr(estimate, "count_step", dynamic)
    assert estimate.estimate(recipes.load("gan3d"), CPU) is None
    assert warning(recipes.load("gan3d"), CPU, 10**7) == ""


def test_the_smaller_recipe_is_the_most_alike_one_of_the_same_system():
    found = {name: smaller_recipe(recipes.load(name)) for name in ("gan3d", "wgan-gp", "wgan-gp-plus", "graf", "3dgen")}
    assert found == {name: f"{name}-cpu" for name in found}
    assert smaller_recipe(recipes.load("gan3d-cpu")) == smaller_recipe(recipes.load("vae-iwgan-scan")) == ""


def test_speed_is_measured_once_and_leaves_random_states_and_threads_alone():
    estimate._measured_speed.cache_clear()
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first = matrix_speed(CPU, torch.float32)
    assert first > 1e8 and matrix_speed(CPU, torch.float32) == first
    assert estimate._measured_speed.cache_info().misses == 1
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def test_an_estimate_uses_what_the_kind_of_system_reaches(speed):
    recipe = recipes.load("gan3d-cpu")
    found, counted = estimate.estimate(recipe, CPU), count_step(recipe, late=True)
    seconds = sum(counted.operations.values()) / (400e9 * estimate.EFFICIENCY[Makes.SHAPES])
    assert found == Estimate(seconds, seconds * recipe.train.steps, counted.most + estimate.LIBRARIES)
    assert set(estimate.EFFICIENCY) == set(Makes)


def test_free_memory_is_a_number_of_bytes_or_unknown():
    free = free_memory(CPU)
    assert free is None or 1e7 < free < 1e15
