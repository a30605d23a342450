"""Faults of the machine, in short: kills at random moments, full disks, two commands on one folder.

`benchmarks/machine_faults.py` has the long rounds.
"""

import contextlib
import importlib.util
import json
import os
import random
import time
from dataclasses import replace
from pathlib import Path

import machine
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maquette import recipe as recipes
from maquette.datasets.format import is_prepared
from maquette.datasets.opened import open_dataset
from maquette.datasets.prepare import prepare
from maquette.errors import UserError
from maquette.models import hub
from maquette.training import checkpoint
from maquette.training.run import train_recipe

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no SIGTERM on Windows: no /proc")


def boxes(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for size in range(count):
        grid = np.zeros((20, 20, 20), np.float32)
        grid[2 : 4 + size % 12, 2 : 5 + size % 7, 3:17] = 1
        np.save(folder / f"box-{size:03d}.npy", grid)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Boxes as a prepared dataset."""
    folder = boxes(tmp_path_factory.mktemp("machine") / "in", 12)
    list(prepare(folder, folder.parent / "set", resolution=20, workers=1))
    return folder.parent / "set"


def arguments(run: Path, data: Path, steps: int) -> list[str]:
    return ["train", "iwgan-tiny", "--run", str(run), "--data.path", str(data), "--train.steps", str(steps),
            "--train.save-steps", "2", "--train.sample-every", "0", "--train.no-tensorboard"]


@linux
@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
def test_a_training_of_two_processes_that_is_killed_goes_on_to_the_same_weights(tmp_path, data):
    run, steps = tmp_path / "run", 16
    never = machine.finished([*machine.TWO_PROCESSES, *arguments(tmp_path / "never", data, steps)])
    assert never.returncode == 0, never.stderr[-2000:]
    for whom, wait in ((machine.ALL, 0.03), (machine.FIRST, 0.0)):
        begun = len(checkpoint.list_checkpoints(run / "checkpoints"))
        at = max(map(checkpoint.step_of, checkpoint.list_checkpoints(run / "checkpoints")), default=0)
        words = ["train", "--resume", str(run)] if begun else arguments(run, data, steps)

        def newer(at=at):
            return any(checkpoint.step_of(path) > at for path in checkpoint.list_checkpoints(run / "checkpoints"))

        was_killed, left = machine.killed([*machine.TWO_PROCESSES, *words], newer, wait, whom)
        assert was_killed and not left, "a process outlived the others"
        assert not [path for path in checkpoint.list_checkpoints(run / "checkpoints") if checkpoint.damage(path)]
    done = machine.finished([*machine.TWO_PROCESSES, "train", "--resume", str(run)])
    assert done.returncode == 0, done.stderr[-2000:]
    one, other = (load_file(folder / "checkpoints" / f"step-{steps:07d}" / "weights.safetensors")
                  for folder in (run, tmp_path / "never"))
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    assert not [path for path in run.rglob(".*")], "what was left half written is gone"


@linux
def test_a_preparation_that_is_killed_leaves_no_process_and_goes_on_to_the_same_rows(tmp_path):
    source, out = boxes(tmp_path / "in", 300), tmp_path / "out"
    list(prepare(source, tmp_path / "never", resolution=20, workers=1))
    words = ["data", "prepare", str(source), "--out", str(out), "--resolution", "20", "--workers", "2"]
    for parts in (0, 1):
        def written(parts=parts):
            return len(list((out / ".parts").glob("*.arrow"))) > parts

        was_killed, left = machine.killed([*machine.MAQUETTE, *words], written, 0.0)
        assert was_killed and not left, "workers wait for a parent that was killed"
        assert not is_prepared(out)
    done = machine.finished([*machine.MAQUETTE, *words])
    assert done.returncode == 0, done.stderr
    assert {name: data for name, data in machine.contents(out).items() if name.endswith(".arrow")} == {
        name: data for name, data in machine.contents(tmp_path / "never").items() if name.endswith(".arrow")}
    assert not (out / ".parts").exists() and len(open_dataset(out)) == 300


def a_recipe(data: Path, steps: int):
    recipe = recipes.load("iwgan-tiny")
    return replace(recipe, data=replace(recipe.data, path=(str(data),)),
                   train=replace(recipe.train, steps=steps, tensorboard=False, sample_every=0, save_steps=1, keep=9))


def test_a_disk_that_is_full_at_any_write_of_a_training_is_one_line_and_costs_nothing(tmp_path, data):
    """A resumed run of one step more, for every eighth file that it opens for writing, or MAQUETTE_DISK_STRIDE=1."""
    list(train_recipe(a_recipe(data, 1), tmp_path / "before"))
    stride = int(os.environ.get("MAQUETTE_DISK_STRIDE", "8"))
    number, lines = 1 - stride, []
    while True:
        number += stride
        run = tmp_path / f"run-{number}"
        for name, content in machine.contents(tmp_path / "before").items():
            (run / name).parent.mkdir(parents=True, exist_ok=True)
            (run / name).write_bytes(content)
        older = {name: content for name, content in machine.contents(run).items() if "step-0000001" in name
                 or name.startswith("model")}
        with machine.full_at(number, run) as opened, contextlib.suppress(UserError):
            try:
                list(train_recipe(a_recipe(data, 2), run, resume=True))
            except UserError as error:
                lines.append(str(error))
                raise
        if len(opened) < number:
            break
        assert len(lines) == (number - 1) // stride + 1, f"no line where {opened[-1]} could not be written"
        assert "No space left on device" in lines[-1] and "\n" not in lines[-1], (opened[-1], lines[-1])
        now = machine.contents(run)
        hub.load(run)
        assert {name: now[name] for name in older if name.startswith("checkpoints")} == {
            name: content for name, content in older.items() if name.startswith("checkpoints")}
        assert not [name for name in now if "partial" in name or ".lock" in name]
        assert not [path for path in checkpoint.list_checkpoints(run / "checkpoints") if checkpoint.damage(path)]
        list(train_recipe(a_recipe(data, 2), run, resume=True))
        assert hub.load(run).info["recipe"]["train"]["steps"] == 2, "with space again it goes on"
    assert number > 12, opened


def test_a_disk_that_is_full_at_any_write_of_a_preparation_is_one_line_and_it_goes_on(tmp_path):
    source = boxes(tmp_path / "in", 3)
    list(prepare(source, tmp_path / "never", resolution=20, workers=1))
    number = 0
    while True:
        number += 1
        out = tmp_path / f"out-{number}"
        with machine.full_at(number, out) as opened:
            try:
                list(prepare(source, out, resolution=20, workers=1))
                line = ""
            except UserError as error:
                line = str(error)
        if len(opened) < number:
            break
        assert "No space left on device" in line and "\n" not in line, (opened[-1], line)
        assert not is_prepared(out)
        *_, whole = prepare(source, out, resolution=20, workers=1)
        assert whole.count == 3 and open_dataset(out).ids == open_dataset(tmp_path / "never").ids
    assert number > 4, opened


def test_a_clock_that_goes_back_changes_nothing(tmp_path, data, monkeypatch):
    """A year back in the middle of a run: the newest checkpoint is that of most steps, the weights are the same."""
    list(train_recipe(a_recipe(data, 3), tmp_path / "never"))
    asked = iter([False, True])
    list(train_recipe(a_recipe(data, 3), tmp_path / "run", stop=lambda: next(asked)))
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 365 * 86400)
    year_ago = now() - 365 * 86400
    for path in (tmp_path / "run").rglob("*"):
        os.utime(path, (now() + 3600, now() + 3600))  # written "later than now"
    os.utime(tmp_path / "run" / "checkpoints" / "step-0000002", (year_ago, year_ago))
    list(train_recipe(a_recipe(data, 3), tmp_path / "run", resume=True))
    one, other = (load_file(tmp_path / name / "checkpoints" / "step-0000003" / "weights.safetensors")
                  for name in ("run", "never"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    times = [json.loads(line)["time"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert times == sorted(times) and 0 <= hub.load(tmp_path / "run").info["run"]["seconds"] < 60


@linux
@pytest.mark.parametrize("work, kills, end", [
    ("export", 2, "one of the two"), ("push", 2, "whole commits"), ("drawing_loop", 1, "the same table"),
])
def test_what_is_killed_leaves_nothing_half_that_counts(tmp_path, work, kills, end):
    """The rounds of the benchmark, in short."""
    path = machine.ROOT / "benchmarks" / "machine_faults.py"
    spec = importlib.util.spec_from_file_location("machine_faults", path)
    faults = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(faults)
    told = getattr(faults, work)(tmp_path, kills, random.Random(5))
    assert (told.kills, told.half, told.outlived, told.same) == (kills, 0, 0, end)
