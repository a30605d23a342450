"""Cold time of `maquette reconstruct chair.png` beside `python -c "import torch"`, by stage, and the disk it needs.

python benchmarks/cold.py [TIMES]

The commands take turns, so that what else the machine does is in both. Seconds are of the clock and of the processor.
All modules are compiled by the first turn, which does not count: so pip leaves those that it installs.
The base environment is what `pip install maquette` brings: the sizes of the installed files of it and of all that it
needs, without the extras.
"""

import importlib.metadata as installed
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from maquette.examples import FOLDER

COMPILED = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
STAGES = """
import json, os, sys, time
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does
laps = [("interpreter", time.process_time())]
def lap(name):
    laps.append((name, time.process_time()))
import numpy
lap("numpy")
from maquette.cli import commands, parsing
words = parsing.parsed(commands.COMMANDS["reconstruct"], [sys.argv[1], "--out", sys.argv[2]], "reconstruct")
lap("command line")
import cv2
from PIL import Image
lap("OpenCV and Pillow")
import onnxruntime
lap("onnxruntime")
from maquette import api
api.reconstruct
from maquette.outputs import pictures
lap("the package")
model = api.load()
lap("model")
view = numpy.zeros((1, model.facts.image_channels, model.facts.view_size, model.facts.view_size), numpy.float32)
model.runtime.look(view)
lap("graph and first answer")
list(pictures.reconstruct_files([sys.argv[1]], sys.argv[2], model))
lap("picture, answers, ways, mesh, file")
print(json.dumps(laps))
print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)), file=sys.stderr)
"""


def main(times: int = 5) -> None:
    """Print the medians of both commands, the stages of one run, and the disk."""
    picture = str(FOLDER / "chair.png")
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "chair.stl")
        ours = [sys.executable, "-m", "maquette", "reconstruct", picture, "--out", out, "--overwrite"]
        theirs = [sys.executable, "-c", "import torch"]
        spent: dict[str, list[tuple[float, float]]] = {"maquette reconstruct": [], "import torch": []}
        for number in range(times + 1):  # the first pair warms up the disk
            for name, command in zip(spent, (ours, theirs), strict=True):
                seconds = _spent(command)
                if number:
                    spent[name].append(seconds)
        for name, found in spent.items():
            wall, cpu = np.median(found, axis=0)
            print(f"{name}: {wall:.2f} s, {cpu:.2f} s of processor (medians of {times})")
        share = np.median([own[1] / other[1] for own, other in zip(*spent.values(), strict=True)])
        print(f"share of import torch, by processor: {share:.2f}")
        done = subprocess.run([sys.executable, "-c", STAGES, picture, str(Path(folder) / "split.stl")],
                              capture_output=True, text=True, check=True, env=COMPILED)
        before = 0.0
        for name, at in json.loads(done.stdout.splitlines()[-1]):
            print(f"  {name}: {1000 * (at - before):.0f} ms")
            before = at
        print("loaded:", done.stderr.splitlines()[-1])
    print(f"base environment: {_megabytes(_needs('maquette')):.0f} MB; with the extra train: "
          f"{_megabytes(_needs('maquette', ('train',))):.0f} MB")


def _spent(command: list[str]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=COMPILED)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _needs(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """The distribution and all that it needs, those of which are installed."""
    from packaging.requirements import Requirement

    found, to_do = set[str](), [(name, extras)]
    while to_do:
        name, extras = to_do.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        try:
            lines = _requirements(key) or []
        except installed.PackageNotFoundError:
            continue
        known = key in found
        found.add(key)
        for line in lines:
            need = Requirement(line)
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (extras or ("",)))
            if wanted and not (known and not extras):
                if re.sub(r"[-_.]+", "-", need.name).lower() not in found:
                    to_do.append((need.name, tuple(need.extras)))
    return found


def _requirements(name: str) -> list[str]:
    """What a distribution needs; of this one what pyproject.toml says, which an editable install may be older than."""
    if name != "maquette":
        return installed.requires(name) or []
    import tomllib

    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = [f"{line.split(';')[0].strip()}; extra == 'train'" for line in project["optional-dependencies"]["train"]]
    return [*project["dependencies"], *extra]


def _megabytes(names: set[str]) -> float:
    """The size of the installed files of these distributions; of this package what is in its folder."""
    package = Path(FOLDER).parent
    total = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    for name in names - {"maquette"}:
        for file in installed.files(name) or []:
            path = Path(str(file.locate()))
            total += path.stat().st_size if path.is_file() else 0
    return total / 1e6


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
