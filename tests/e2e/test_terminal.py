"""What is seen in a terminal of 40 columns, and what stays on standard output; old names, told in a plain line."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import warnings
from pathlib import Path

import pytest
from command import call, names

from maquette.cli import commands as cli
from maquette.cli import console
from maquette.cli.show import show_training
from maquette.datasets.resumable import Finished
from maquette.errors import RenamedWarning
from maquette.events import Note, Progress, Skipped
from maquette.training.news import Exported

COMMAND = [sys.executable, "-c", "from maquette.cli import main; main()"]


def in_terminal(*words, cwd, columns: int = 40, out=None, program: str = COMMAND[2]) -> tuple[int, str]:
    """The exit code of a command in a terminal of so many columns, and all that it showed there, without colours.

    out: where standard output goes in place of the terminal. program: what Python runs.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    process = subprocess.Popen([sys.executable, "-c", program, *map(str, words)], cwd=cwd, stdin=theirs,
                               stdout=out or theirs, stderr=theirs, env={**environment, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(), re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r\n", "\n")


def test_training_says_lines_that_can_be_copied_and_the_time_that_is_left(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    run = "a-folder-with-a-long-name/and-another-one/run-of-today"
    prepare = ("data", "prepare", "furniture", "--out", "set", "--count", "6", "--resolution", "20", "--workers", "1")
    assert call(*prepare) == 0
    capsys.readouterr()
    assert call("train", "iwgan-tiny", "--data.path", "set", "--run", run, "--train.steps", "5") == 0
    told = capsys.readouterr()
    assert told.out == f"model: {run}/model\n"
    assert any(line.endswith(f"go on with: maquette train --resume {run}") for line in told.err.splitlines())
    assert re.search(r"^training: 2 of 5, \S+ s a step, \d+ s left$", told.err, re.M), "from the second step on"
    assert call("runs", "pack", run, "--out", "packed-copy-of-the-run-of-today") == 0
    assert capsys.readouterr().out.endswith("with: maquette train --resume packed-copy-of-the-run-of-today\n")


def test_a_dataset_that_is_prepared_for_a_run_is_not_called_its_model(tmp_path, capsys):
    events = [Finished(Path("data-cache/x"), 3, ()), Exported(Path("run/model"))]
    assert show_training(events, tmp_path) == 0
    assert capsys.readouterr().out == "model: run/model\n"


def test_a_bar_shows_the_time_left_and_what_the_work_says_of_itself(tmp_path):
    code = ("import time\nfrom dataclasses import dataclass\nfrom maquette.events import Progress\n"
            "from maquette.cli.console import follow\n"
            "class Step(Progress):\n    detail = '0.5 s a step'\n    seconds_left = 125.0\n"
            "for _ in follow([Step('training', 2, 30), 'a result']):\n    time.sleep(0.2); print(_)")
    status, shown = in_terminal(cwd=tmp_path, columns=100, program=code)
    assert status == 0 and re.search(r"training .* 2/30 .* 2 min 5 s left 0.5 s a step", shown)
    assert "a result" in re.split(r"[\r\n]+", shown), "alone on its line"


def test_results_go_to_standard_output_where_that_is_a_file(tmp_path):
    with open(tmp_path / "found.txt", "w") as file:
        code, shown = in_terminal("draw", "furniture:table:1", cwd=tmp_path, out=file)
    assert code == 0 and "->" not in shown and "drawing" in shown
    assert (tmp_path / "found.txt").read_text().startswith("furniture:table:1 -> out/furniture-table-1.svg\n  ")


def test_results_and_mistakes_are_whole_lines_in_a_narrow_terminal(tmp_path):
    code, shown = in_terminal("draw", "furniture:table:1", "gone-with-a-long-name-of-its-own.stl", cwd=tmp_path)
    lines = re.split(r"[\r\n]+", shown)
    assert code == 1 and "furniture:table:1 -> out/furniture-table-1.svg" in lines
    assert "maquette: cannot read gone-with-a-long-name-of-its-own.stl: No such file or directory" in lines


def test_what_the_follower_says_without_a_terminal(capsys, monkeypatch):
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    events = [Note("a note on furniture:chair:7 [bold] and nothing else, longer than terminals are wide, to be copied"),
              *(Progress("rendering", done, 20) for done in range(1, 21)), Skipped("furniture:cup:1", "no [red] faces"),
              3, "a result"]
    assert list(console.follow(events)) == ["a result"]
    told = capsys.readouterr()
    assert told.out == "" and told.err.splitlines() == [
        events[0].text, "rendering: 2 of 20, 54 s left", *(f"rendering: {done} of 20, {60 - 3 * done} s left"
                                                           for done in range(4, 20, 2)),
        "rendering: 20 of 20", "skipped furniture:cup:1: no [red] faces"]


def test_old_names_still_work_and_are_told_in_one_plain_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("generate", "--kind", "dragon") == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "maquette: --kind is called --class now" and "got 'dragon'" in told[1] and len(told) == 2
    assert call("train", "iwgan-tiny", "--model.penalty-every=4", "--model.penalty_every", "x") == 2
    told = capsys.readouterr().err.splitlines()
    assert told == ["maquette: --model.penalty-every is called --model.penalty-interval now",
                    "maquette: --model.penalty_every is called --model.penalty-interval now",
                    "maquette: --model.penalty-interval must be a whole number, got 'x'"]
    (tmp_path / "old.yaml").write_text("{system: iwgan, model: {penalty_every: 4}, data: {path: [gone.npz]}}")
    found = subprocess.run([*COMMAND, "train", "old.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 1 and found.stderr.splitlines()[0] == (
        "maquette: old.yaml: model.penalty_every is called model.penalty_interval now")
    assert "Warning" not in found.stderr and ".py" not in found.stderr and found.stderr.count("\n") == 2


def test_other_warnings_are_left_as_they_are():
    with pytest.warns(UserWarning, match="something else"), cli.renamings_in_a_line():
        warnings.warn("something else", stacklevel=1)
    with pytest.warns(RenamedWarning):
        warnings.warn(RenamedWarning("a is called b now"), stacklevel=1)


def test_the_examples_are_copied_and_nothing_is_written_over(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("examples") == 0
    assert capsys.readouterr().out == "examples\n  13 files copied\n"
    assert {"chair.png", "photo-desk.png", "drawings", "scans"} <= set(names(tmp_path / "examples"))
    mine = tmp_path / "examples" / "mug.png"
    mine.write_bytes(b"my own")
    (tmp_path / "examples" / "sofa.png").unlink()
    assert call("examples") == 0
    told = capsys.readouterr()
    assert told.out == "examples\n  1 file copied, 11 were there already\n" and mine.read_bytes() == b"my own"
    assert told.err == "kept examples/mug.png: a file of this name is there already and was not written over\n"
