"""Looking at runs: what is listed, what is drawn, and that a run which has only just started works too."""

import json
import math
import os
import time

import numpy as np
import pytest
from command import call
from PIL import Image

from maquette import recipe as recipes
from maquette.cli import charts as show
from maquette.errors import UserError
from maquette.io.lock import locked
from maquette.training.monitor import runs
from maquette.training.monitor.log import Log


def begin(run, name="vae-iwgan-image-tiny"):
    """A run that has written its recipe (20 steps of 8) and nothing else."""
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text(recipes.dump(recipes.load(name)))
    return run


@pytest.fixture
def run(tmp_path):
    """A run at step 10 of 20."""
    run = begin(tmp_path / "runs" / "chairs")
    with Log(run, 8, 0, False) as log:
        for step in (5, 10):
            terms = {"critic/wasserstein": -10.0 / step, "critic/penalty": 0.5, "generator/adversarial": 1.0 * step}
            log.write_row("stepped", step, {**terms, "samples_per_second": 100.04})
            log.write_row("checked", step, {"iou": 0.9 - step / 25, "iou_photo": float("nan")})
            log.write_picture("samples", step, np.full((4, 4, 3), step, np.uint8))
    return run


def age(run, hours: float):
    """Make a run look as if it was written so long ago."""
    for path in run.rglob("*"):
        os.utime(path, (time.time() - 3600 * hours,) * 2)


def test_runs_are_listed_newest_first_with_what_they_measured(run, capsys):
    folder = run.parent
    begin(folder / "new", "iwgan-tiny")
    (folder / "no-run").mkdir()
    age(run, 1)
    first, second = runs.list_runs(folder)
    assert first == {
        "name": "new", "system": "iwgan", "step": 0, "steps": 20, "metric": None, "value": None, "state": "running?",
        "written": first["written"], "megabytes": 0.0,
    }
    assert (second["name"], second["step"], second["metric"], second["value"]) == ("chairs", 10, "iou", 0.5)
    assert second["state"] == "stopped" and second["written"] < first["written"]
    assert runs.list_runs(run) == [second], "a run itself is listed alone"
    assert call("runs", "list", str(folder)) == 0
    said = capsys.readouterr().out.splitlines()
    assert "not measured" in said[0] and "10/20" in said[1] and "iou 0.5 " in said[1]
    assert call("runs", "list", str(folder), "--json") == 0
    assert json.loads(capsys.readouterr().out) == [first, second]


def test_no_runs_and_no_folder(tmp_path, capsys):
    assert call("runs", "list", str(tmp_path)) == 0
    assert f"no runs in {tmp_path}" in capsys.readouterr().out
    assert call("runs", "list", str(tmp_path / "gone")) == 1
    assert "no folder of this name" in capsys.readouterr().err
    assert call("runs", "show", str(tmp_path)) == 1
    assert "is not a run" in capsys.readouterr().err


def test_states(run):
    def state() -> str:
        return runs.list_runs(run)[0]["state"]

    assert state() == "running?"
    age(run, 1)
    assert state() == "stopped"
    runs.write_curves(run, run / "curves.png")
    assert state() == "stopped", "looking at a run does not make it run"
    rows = (run / "metrics.jsonl").read_text()
    end = {"event": "diverged", "step": 11, "phase": "critic", "term": "penalty"}
    (run / "metrics.jsonl").write_text(rows + json.dumps(end) + "\n")
    assert state() == "diverged" and runs.describe(run)["facts"]["diverged"]["term"] == "penalty"
    (run / "metrics.jsonl").write_text(rows)
    (run / "checkpoints" / "step-0000020").mkdir(parents=True)
    (run / "model").mkdir()
    (run / "model" / "config.json").write_text("{}")
    assert state() == "finished" and runs.describe(run)["facts"]["checkpoints"] == [20]


def test_a_run_is_running_while_its_lock_is_held_whatever_the_clock_says(run):
    age(run, 1)
    with locked(run):
        assert runs.list_runs(run)[0]["state"] == "running"
    assert runs.list_runs(run)[0]["state"] == "stopped"
    age(run, -48)
    assert runs.list_runs(run)[0]["state"] == "stopped", "a date of the day after tomorrow is no sign of life"


def test_a_slow_run_may_be_silent_for_as_long_as_it_usually_is(run):
    rows = [{"event": "stepped", "step": step, "time": 3600.0 * step} for step in (1, 2)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    age(run, 3.9)
    assert runs.list_runs(run)[0]["state"] == "running?"
    age(run, 4.1)
    assert runs.list_runs(run)[0]["state"] == "stopped"


def test_the_facts_and_curves_of_a_run(run):
    found = runs.describe(run)
    assert found["curves"]["critic/wasserstein"] == ([5, 10], [-2.0, -1.0])
    steps, values = found["curves"]["validation/iou_photo"]
    assert steps == [5, 10] and all(math.isnan(value) for value in values)
    assert found["facts"]["best"] == {"metric": "iou", "value": 0.7, "step": 5}
    assert found["facts"]["samples"] == 80 and found["facts"]["samples_per_second"] == 100.0
    assert found["recipe"]["batch"] == 8 and found["recipe"]["lr"] == 1e-4
    assert runs.in_order(list(found["curves"])) == [
        "validation/iou", "validation/iou_photo", "critic/wasserstein", "critic/penalty", "generator/adversarial",
        "samples_per_second",
    ]


def test_where_lower_is_better_the_lowest_is_the_best(run):
    (run / "recipe.yaml").write_text("train: {best: -iou, steps: 20}")
    assert runs.describe(run)["facts"]["best"]["step"] == 10
    (run / "recipe.yaml").write_text("[: not yaml")
    assert runs.list_runs(run)[0]["system"] == "?"


def test_a_wasserstein_critic_is_shown_by_its_estimate_of_the_distance():
    assert runs.as_shown("critic/wasserstein", [-2.0, 1.0]) == (
        "critic: estimated distance (-wasserstein)", [2.0, -1.0]
    )
    assert runs.as_shown("critic/penalty", [0.5]) == ("critic: penalty", [0.5])
    assert runs.as_shown("samples_per_second", [9.0])[0] == "run: samples_per_second"


def test_curves_are_a_panel_a_term_four_across(run, tmp_path):
    def size(path) -> tuple[int, int]:
        with Image.open(path) as picture:
            picture.load()
            return picture.size

    five = runs.write_curves(run, tmp_path / "five.png")  # validation, two of the critic, the generator's, the speed
    new = runs.write_curves(begin(tmp_path / "new"), tmp_path / "new.png")
    assert size(five) == (1364, 528) and size(new) == (1364, 291)  # two rows, and the room of one
    titles = [title for title, _ in runs._panels(runs.describe(run)["curves"])]
    assert titles == ["validation", "critic: estimated distance (-wasserstein)", "critic: penalty",
                      "generator: adversarial", "run: samples_per_second"]
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UserError, match="cannot write .*folder.png"):
        runs.write_curves(run, tmp_path / "folder.png")


def test_smoothing_keeps_lines_and_passes_over_what_is_not_finite():
    line = np.arange(400.0)
    assert np.allclose(runs._smooth(line)[10:-10], line[10:-10])
    holes = np.where(np.arange(400) % 7, 3.0, np.nan)
    assert np.allclose(runs._smooth(holes), 3.0) and np.isnan(runs._smooth(np.full(9, np.nan))).all()


def test_a_new_run_is_shown_and_says_so(tmp_path, capsys):
    new = begin(tmp_path / "new")
    assert runs.write_samples(new, tmp_path / "samples.png") is None and not (tmp_path / "samples.png").exists()
    assert call("runs", "show", str(new)) == 0
    said = capsys.readouterr().out
    assert "no metrics yet: the run has just started" in said and f"written to {new / 'curves.png'}" in said
    assert sorted(path.name for path in new.iterdir()) == ["curves.png", "recipe.yaml"]


def test_show_prints_the_curves_and_writes_both_pictures(run, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert call("runs", "show", str(run), "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "critic: estimated distance (-wasserstein)  █▁" in said and "2 -> 1" in said
    assert sorted(path.name for path in out.iterdir()) == ["curves.png", "samples.png"]
    assert (out / "samples.png").read_bytes() == (run / "samples" / "samples-0000010.png").read_bytes()
    assert call("runs", "show", str(run), "--out", str(out), "--overwrite", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["curves"]["validation/iou_photo"] == [[5, 10], ["nan", "nan"]]
    assert document["pictures"] == [str(out / "curves.png"), str(out / "samples.png")]


def test_curves_are_plotted_in_a_terminal(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(show, "_can_draw", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    assert call("runs", "show", str(run), "--out", str(tmp_path)) == 0
    said = capsys.readouterr().out.splitlines()
    top = next(number for number, line in enumerate(said) if "validation: iou" in line)
    assert "critic: estimated distance (-wasserstein)" in said[top], "two plots side by side"
    assert said[top + 1].count("┌") == said[top + 1].count("┐") == 2
    plot = show._plot("t", [(1, 5.0), (20000, 7.0)], 48)
    assert len(plot) == 11 and {len(line) for line in plot} == {48}
    assert plot[2].startswith("7") and plot[-1].split() == ["1", "20k"]


def test_sparks_go_from_the_lowest_to_the_highest_bar():
    assert show.spark([0.0, 1.0, 2.0], "abc") == "abc" and show.spark([], "abc") == ""
    assert show.spark([4.0, 4.0], "abc") == "aa"
    long = show.spark([float(value) for value in range(320)], "".join(chr(97 + i) for i in range(26)))
    assert len(long) == 32 and long[0] == "a" and long[-1] == "z" and list(long) == sorted(long)
