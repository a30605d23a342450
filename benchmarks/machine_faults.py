"""Kills commands with SIGKILL at random moments and looks at what they left: `python benchmarks/machine_faults.py`.

Five kinds of work, each killed `--kills` times (20) and run to its end after the last kill: a training of two processes
(torchrun, gloo), `data prepare` with two workers, the simulated drawing loop, the export of a model, and `models push`
against a stand-in for the Hub that takes a commit whole or not at all, as the Hub does. For each the table says how
many kills hit, how many left something half written under a name that counts, how many processes outlived their
command, and whether the result is that of a command that nobody killed. Linux only (/proc).
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from maquette.datasets.format import is_prepared
from maquette.datasets.opened import open_dataset
from maquette.datasets.prepare import prepare
from maquette.drawing_loop import rounds as rounds_module
from maquette.errors import UserError
from maquette.io.lock import is_locked
from maquette.models import hub
from maquette.training import checkpoint

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / "helpers")]
import machine  # noqa: E402

FILES = {getattr(rounds_module, name) for name in
         ("PICTURE", "SEEN", "OBJECT", "MESH", "GRID", "SVG", "PROGRAM", "DRAWN_PNG", "MEASURES")}
"""The files of a round of the drawing loop."""
EXPORT = """
import sys, torch
from maquette.models import hub
system = hub.load(sys.argv[1]).system
turn = 0
while True:
    with torch.no_grad():
        for value in system.nets.parameters():
            value.fill_(float(turn % 2))
    hub.save(__import__("pathlib").Path(sys.argv[1]), system, {"threshold": 0.25 + 0.5 * (turn % 2)}, "card", {})
    turn += 1
"""
PUSH = """
import os, shutil, sys, time
from pathlib import Path
import huggingface_hub
remote = Path(sys.argv[2])
class Hub:
    def __init__(self, token=None): pass
    def create_repo(self, repo_id, **_): remote.mkdir(exist_ok=True); return "https://huggingface.co/" + repo_id
    def upload_folder(self, *, folder_path, allow_patterns, **_):
        staged = remote / f".staged-{os.getpid()}"
        staged.mkdir()
        for name in allow_patterns:
            if (Path(folder_path) / name).is_file():
                shutil.copyfile(Path(folder_path) / name, staged / name)
                time.sleep(0.05)
        staged.rename(remote / f"commit-{os.getpid()}")
huggingface_hub.HfApi = Hub
from maquette.models import hub
while True:
    hub.push(sys.argv[1], "someone/model")
"""


@dataclass
class Told:
    """What the kills of one kind of work left."""

    kills: int = 0
    half: int = 0
    """Things that count and are not whole."""
    outlived: int = 0
    refused: int = 0
    """Found damaged by the program itself, and refused in one line."""
    same: str = "-"


def kill_often(told: Told, kills: int, words: Callable[[], list[str]], ready: Callable[[], Callable[[], bool]],
               most_s: float, look: Callable[[], None], chance: random.Random, workers: bool = False) -> None:
    """Kill a command so many times, or until it ends first; look at what is there after each."""
    for number in range(kills):
        whom = chance.choice([machine.ALL, machine.FIRST, machine.LAST]) if workers and number % 2 else machine.ALL
        hit, left = machine.killed(words(), ready(), chance.uniform(0, most_s), whom)
        told.kills += hit
        told.outlived += len(left)
        look()
        if not hit:
            return


def at_once() -> bool:
    return True


def training(folder: Path, kills: int, chance: random.Random) -> Told:
    """A training of two processes: its weights are those of one that nobody killed."""
    told, steps = Told(), 40 * kills
    for size in range(12):
        grid = np.zeros((20, 20, 20), np.float32)
        grid[2 : 4 + size, 2:9, 3:17] = 1
        (folder / "in").mkdir(exist_ok=True)
        np.save(folder / "in" / f"box-{size}.npy", grid)
    list(prepare(folder / "in", folder / "set", resolution=20, workers=1))

    def fresh(run: Path) -> list[str]:
        return [*machine.TWO_PROCESSES, "train", "iwgan-tiny", "--run", str(run), "--data.path", str(folder / "set"),
                "--train.steps", str(steps), "--train.save-steps", "2", "--train.sample-every", "0",
                "--train.no-tensorboard"]

    run = folder / "run"

    def saved() -> list[Path]:
        return checkpoint.list_checkpoints(run / "checkpoints")

    def words() -> list[str]:
        return [*machine.TWO_PROCESSES, "train", "--resume", str(run)] if saved() else fresh(run)

    def ready() -> Callable[[], bool]:
        before = max(map(checkpoint.step_of, saved()), default=0)
        return lambda: any(checkpoint.step_of(path) > before for path in saved())

    def look() -> None:
        told.half += sum(checkpoint.damage(path) is not None for path in saved())

    kill_often(told, kills, words, ready, 0.3, look, chance, workers=True)
    ends = [machine.finished(words()), machine.finished(fresh(folder / "never"))]
    if any(end.returncode for end in ends):
        told.same = f"NO: {ends[0].stderr[-200:]}"
        return told
    one, other = (load_file(place / "checkpoints" / f"step-{steps:07d}" / "weights.safetensors")
                  for place in (run, folder / "never"))
    told.same = "bitwise" if all(torch.equal(one[key], other[key]) for key in one) else "NO"
    return told


def preparation(folder: Path, kills: int, chance: random.Random) -> Told:
    """`data prepare` with two workers: its rows are those of one that nobody killed."""
    told, out = Told(), folder / "out"
    (folder / "in").mkdir()
    for size in range(64 * (kills + 4)):
        grid = np.zeros((20, 20, 20), np.float32)
        grid[2 : 4 + size % 12, 2 : 5 + size % 7, 3:17] = 1
        np.save(folder / "in" / f"box-{size:05d}.npy", grid)
    words = [*machine.MAQUETTE, "data", "prepare", str(folder / "in"), "--resolution", "20", "--workers", "2", "--out"]

    def groups() -> int:
        return len(list((out / ".parts").glob("*.arrow")))

    def ready() -> Callable[[], bool]:
        before = groups()
        return lambda: groups() > before

    def look() -> None:
        if is_prepared(out):
            told.half += len(open_dataset(out)) != 64 * (kills + 4)

    kill_often(told, kills, lambda: [*words, str(out)], ready, 0.05, look, chance)
    ends = [machine.finished([*words, str(place)]) for place in (out, folder / "never")]
    one, other = ({name: data for name, data in machine.contents(place).items() if name.endswith(".arrow")}
                  for place in (out, folder / "never"))
    told.same = "bitwise" if one == other and not any(end.returncode for end in ends) else "NO"
    return told


def drawing_loop(folder: Path, kills: int, chance: random.Random) -> Told:
    """The simulated drawing loop: its table of measures is that of one that nobody killed."""
    told, out = Told(), folder / "out"
    picture = Path(hub.__file__).parents[1] / "examples" / "sofa.png"
    words = [*machine.MAQUETTE, "loop", str(picture), "--simulate", "--rounds", str(4 * kills + 3),
             "--seed", "3", "--out"]

    def rounds() -> int:
        return len(list(out.glob("round-*")))

    def ready() -> Callable[[], bool]:
        before, first = rounds(), chance.random() < 0.3
        return at_once if first else lambda: rounds() > before

    def look() -> None:
        for path in out.glob("round-*"):
            told.half += {file.name for file in path.iterdir()} != FILES

    kill_often(told, kills, lambda: [*words, str(out), *(["--resume"] if rounds() else [])], ready, 0.5, look, chance)
    ends = [machine.finished([*words, str(out), *(["--resume"] if rounds() else [])]),
            machine.finished([*words, str(folder / "never")])]
    if any(end.returncode for end in ends):
        told.same = f"NO: {ends[0].stderr[-200:]}"
        return told
    tables = [[{name: value for name, value in row.items() if name != "seconds"}
               for row in json.loads((place / rounds_module.TABLE).read_text())["rounds"]]
              for place in (out, folder / "never")]
    told.same = "the same table" if tables[0] == tables[1] else "NO"
    return told


def export(folder: Path, kills: int, chance: random.Random) -> Told:
    """Writing a model over another: each time one of the two is there, or the mixture is refused."""
    told, model = Told(), folder / "model"
    shutil.copytree(hub.BUNDLED / "scan", model)

    def look() -> None:
        try:
            found = hub.load(model)
        except UserError:
            told.refused += 1
            shutil.rmtree(model)
            shutil.copytree(hub.BUNDLED / "scan", model)
            return
        values = {float(value.flatten()[0]) for name in found.system.saved_networks()
                  for value in found.system.nets[name].parameters()}
        if "recipe" not in found.info:
            told.half += values != {float(found.threshold > 0.5)}

    kill_often(told, kills, lambda: [sys.executable, "-c", EXPORT, str(model)],
               lambda: lambda: "recipe" not in json.loads((model / hub.CONFIG).read_text()), 1.0, look, chance)
    told.same = "one of the two" if not told.half else "NO"
    return told


def push(folder: Path, kills: int, chance: random.Random) -> Told:
    """`models push`: the model stays as it is, and every commit of the stand-in is whole."""
    told, model, remote = Told(), folder / "model", folder / "remote"
    shutil.copytree(hub.BUNDLED / "scan", model)
    before = machine.contents(model)

    def look() -> None:
        now = {name: data for name, data in machine.contents(model).items() if not name.startswith(".")}
        told.half += now != before or is_locked(model)
        for commit in remote.glob("commit-*"):
            told.half += machine.contents(commit) != before
            shutil.rmtree(commit)

    def ready() -> Callable[[], bool]:
        known = {path.name for path in remote.glob(".staged-*")}
        return lambda: bool({path.name for path in remote.glob(".staged-*")} - known)

    kill_often(told, kills, lambda: [sys.executable, "-c", PUSH, str(model), str(remote)], ready, 0.4, look, chance)
    told.same = "whole commits" if not told.half else "NO"
    return told


WORK = {"train, 2 processes": training, "data prepare, 2 workers": preparation, "loop --simulate": drawing_loop,
        "export of a model": export, "models push": push}


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--kills", type=int, default=20)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--only", default="", help="the beginning of one kind of work")
    chosen = words.parse_args()
    print("| work | kills | half written | refused | processes left | at the end |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, work in WORK.items():
        if name.startswith(chosen.only):
            with tempfile.TemporaryDirectory() as folder:
                told = work(Path(folder), chosen.kills, random.Random(chosen.seed))
            row = (name, told.kills, told.half, told.refused, told.outlived, told.same)
            print("|", " | ".join(map(str, row)), "|", flush=True)


if __name__ == "__main__":
    main()
