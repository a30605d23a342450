"""One training at a time in a run, which is left as it is when it is finished; and its times are summed."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.datasets.cache import fill
from maquette.datasets.images.prepare import prepare_images
from maquette.datasets.prepare import prepare
from maquette.events import Note
from maquette.io.lock import InUse, is_locked, locked
from maquette.models import hub
from maquette.training import checkpoint
from maquette.training.news import Exported, Started, Stopped
from maquette.training.run import train_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for size in range(8):
        grid = np.zeros((20, 20, 20), np.float32)
        grid[2 : 5 + size, 2:9, 3:17] = 1
        np.save(folder / f"box-{size}.npy", grid)
    list(prepare(folder, folder / "set", resolution=20, workers=1))
    return folder


def a_recipe(data, steps, **train):
    recipe = recipes.load("iwgan-tiny")
    return replace(recipe, data=replace(recipe.data, path=(str(data / "set"),)),
                   train=replace(recipe.train, steps=steps, tensorboard=False, sample_every=0, **train))


def contents(folder):
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_second_training_into_a_run_is_refused_and_the_first_goes_on(tmp_path, data):
    run = tmp_path / "run"
    first = train_recipe(a_recipe(data, 4), run)
    assert any(isinstance(event, Started) for event in iter(lambda: next(first), None)), "it has begun"
    assert is_locked(run)
    for resume in (False, True):
        with pytest.raises(InUse) as refused:
            list(train_recipe(a_recipe(data, 4), run, resume=resume))
        assert str(refused.value) == f"another training works on {run} now; wait for it, or choose another --run"
    assert isinstance(list(first)[-1], Exported) and not is_locked(run)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if row["event"] == "stepped"]
    assert steps == sorted(set(steps)), "nothing twice"


def test_a_training_that_cannot_begin_leaves_no_folder(tmp_path, data):
    recipe = a_recipe(data, 4)
    with pytest.raises(Exception, match="model.resolution is 32"):
        list(train_recipe(replace(recipe, model=replace(recipe.model, resolution=32)), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_finished_run_that_is_resumed_is_left_as_it_is(tmp_path, data):
    list(train_recipe(a_recipe(data, 3), tmp_path))
    before = contents(tmp_path)
    *_, note, exported = train_recipe(a_recipe(data, 3), tmp_path, resume=True)
    assert exported == Exported(tmp_path / "model") and contents(tmp_path) == before
    assert note.text == f"{tmp_path} is finished, all 3 steps are done; go further with --train.steps 6"
    assert isinstance(list(train_recipe(a_recipe(data, 2), tmp_path, resume=True))[-1], Exported)
    assert contents(tmp_path) == before, "fewer steps than are done neither"
    list(train_recipe(a_recipe(data, 4), tmp_path, resume=True))
    assert checkpoint.list_checkpoints(tmp_path / "checkpoints")[-1].name == "step-0000004"


def test_a_model_that_is_missing_or_older_than_the_run_is_exported(tmp_path, data):
    list(train_recipe(a_recipe(data, 2), tmp_path))
    asked = iter([False, True])
    stopped = list(train_recipe(a_recipe(data, 9), tmp_path, resume=True, stop=lambda: next(asked)))[-1]
    assert stopped == Stopped(4)
    assert hub.load(tmp_path).info["recipe"]["train"]["steps"] == 2
    list(train_recipe(a_recipe(data, 4), tmp_path, resume=True))
    assert hub.load(tmp_path).info["recipe"]["train"]["steps"] == 4
    (tmp_path / "model" / "config.json").unlink()
    list(train_recipe(a_recipe(data, 4), tmp_path, resume=True))
    assert hub.load(tmp_path).info["recipe"]["train"]["steps"] == 4


def test_the_card_of_a_resumed_run_tells_the_sum_of_its_times(tmp_path, data):
    asked = iter([True])
    assert isinstance(list(train_recipe(a_recipe(data, 3), tmp_path, stop=lambda: next(asked)))[-1], Stopped)
    path = tmp_path / "checkpoints" / "step-0000001" / "state.json"
    state = json.loads(path.read_text())
    assert 0 < state["seconds"] < 60
    path.write_text(json.dumps({**state, "seconds": 3600.0}))
    list(train_recipe(a_recipe(data, 3), tmp_path, resume=True))
    assert 3600 < hub.load(tmp_path).info["run"]["seconds"] < 3660
    assert "| time | 1 h" in (tmp_path / "model" / "README.md").read_text()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["time"] > 3600
    (tmp_path / "model" / "config.json").unlink()
    list(train_recipe(a_recipe(data, 3), tmp_path, resume=True))
    assert 3600 < hub.load(tmp_path).info["run"]["seconds"] < 3660, "exported again, with the time that it took"


def test_two_preparations_into_one_folder(tmp_path, data):
    first = prepare(data, tmp_path / "out", resolution=20, workers=1)
    next(first)
    with pytest.raises(InUse, match=f"another command prepares {tmp_path / 'out'} now; wait for it, or choose another"):
        next(prepare(data, tmp_path / "out", resolution=20, workers=1))
    first.close()
    *_, whole = prepare(data, tmp_path / "out", resolution=20, workers=1)
    assert whole.count == 8 and sorted(p.name for p in whole.path.iterdir()) == sorted(
        p.name for p in (data / "set").iterdir()), "nothing of the locks is left"


def test_two_preparations_of_images_into_one_folder(tmp_path):
    from PIL import Image

    (tmp_path / "in").mkdir()
    for number in range(4):
        Image.new("L", (20, 20), 40 * number).save(tmp_path / "in" / f"{number}.png")
    first = prepare_images(tmp_path / "in", tmp_path / "out", size="16x16", grey=True, holdout=1, workers=1)
    next(first)
    with pytest.raises(InUse):
        list(prepare_images(tmp_path / "in", tmp_path / "out", size="16x16", grey=True, holdout=1, workers=1))
    assert list(first)[-1].count == 4


def test_what_another_command_prepares_for_the_cache_is_waited_for(tmp_path, data, monkeypatch):
    options = {"resolution": 20, "workers": 1}
    first = prepare(data, tmp_path / "out", **options)
    next(first)
    waiting = fill(data, tmp_path / "out", options)
    note, turn = next(waiting), next(waiting)
    assert isinstance(note, Note) and "another command prepares" in note.text and turn.done == 0
    list(first)
    monkeypatch.setattr("maquette.datasets.cache._PAUSE_S", 0.0)
    assert not list(waiting), "it was prepared by then"


def test_a_model_is_written_and_pushed_by_one_command_at_a_time(tmp_path, data):
    list(train_recipe(a_recipe(data, 1), tmp_path))
    with locked(tmp_path / "model"):
        with pytest.raises(InUse, match="another command works on .*model now"):
            hub.push(tmp_path, "someone/boxes")
        system = hub.load(tmp_path).system
        with pytest.raises(InUse):
            hub.save(tmp_path / "model", system, {}, "card", {})


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
def test_the_processes_of_one_torchrun_are_one_training_and_another_is_refused(tmp_path, data):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [*torchrun, "-m", "--", "maquette", "train", "iwgan-tiny", "--run", str(tmp_path / "run"),
             "--data.path", str(data / "set"), "--train.steps", "3", "--train.sample-every", "0",
             "--train.no-tensorboard", "--train.precision", "fp32"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with locked(tmp_path / "run"):
        refused = subprocess.run(words, capture_output=True, text=True, timeout=200, env=environment)
        assert refused.returncode != 0
        assert f"maquette: another training works on {tmp_path / 'run'} now" in refused.stderr
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert hub.load(tmp_path / "run").info["run"]["processes"] == 2
