"""The base install: what only uses models runs where PyTorch, the systems, SciPy and others cannot be imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import maquette
from maquette.examples import FOLDER as EXAMPLES

LIBRARIES = ("torch", "onnx", "onnxscript", "onnx_ir", "lightning_fabric", "torchmetrics")
OWN = ("maquette.systems", "maquette.nets", "maquette.training")
CODE = """
import sys

from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        barred = any(f"{name}.".startswith(f"{one}.") for one in sys.argv[1].split(","))
        return None if barred else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder):] = [Without]
""" + (RUN_ALL := """
from maquette.cli import commands
for line in sys.stdin.read().splitlines():
    try:
        commands.main(line.split("\\t"))
    except SystemExit as stopped:
        code = stopped.code
    print("code", code, line, file=sys.stderr)
""")
COMMANDS = """
reconstruct CHAIR --out made.stl
complete SCAN --intrinsics CAMERA --out whole.stl
generate --count 1 --out new
generate --count 1 --class chair --out chairs
relief FISH --out fish.stl
pickup PAGE --out page.png
draw furniture:cup:1 --out cup.svg
plot cup.svg --out plotted.svg
loop CHAIR --simulate --rounds 1 --out loop
interpolate 7 chair:8 --steps 2 --frames 1 --out between
combine chair:7 - 8 --out sum
models list
models show scan
suggest CHAIR --known 3 --cache kept --workers 1 --out alike
reconstruct CHAIR --model modelnet --candidates 2 --out two
""".strip().splitlines()
NOT_OURS = """
import builtins, importlib, sys

barred, load, look_up = sys.argv[1].split(","), builtins.__import__, importlib.import_module

def check(name, asking):
    if asking.partition(".")[0] in ("maquette", "trimesh") and name.partition(".")[0] in barred:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def imported(name, globals=None, locals=None, fromlist=(), level=0):
    if not level:
        check(name, (globals or {}).get("__name__") or "")
    return load(name, globals, locals, fromlist, level)

def import_module(name, package=None):
    check(name, sys._getframe(1).f_globals.get("__name__", ""))
    return look_up(name, package)

builtins.__import__, importlib.import_module = imported, import_module
"""
"""Bars libraries to the package and to trimesh alone: those of extras, as vpype and datasets, bring some of them."""
HEAVY = ("scipy", "skimage", "networkx", "lxml", "huggingface_hub", "imageio", "tifffile")
WITHOUT_HEAVY = """
reconstruct CHAIR --out made.stl
reconstruct CHAIR --candidates 2 --out two
reconstruct CHAIR --by model --out made.obj
reconstruct CHAIR --by model --out made.ply
reconstruct CHAIR --by model --out made.glb
reconstruct CHAIR --by model --out made.3mf
reconstruct CHAIR --by model --out made.off
reconstruct CHAIR --by model --out made.binvox
reconstruct CHAIR --by model --out made.mat
complete SCAN --intrinsics CAMERA --out whole.stl
generate --count 1 --out new
suggest CHAIR --known 3 --cache kept --workers 1 --out alike
relief FISH --engrave-mm 1 --out fish.stl
relief FISH --inflate --out round.stl
relief VASE --revolve --out vase.stl
relief CHAIR --lithophane --detail-px 60 --out plate.stl
pickup PAGE --squared --out page.png
draw furniture:cup:1 --hatch 3 --preview --out cup.svg
draw made.3mf --out chair.svg
draw made.mat --out grid.svg
draw made.glb --out glb.svg
draw FISH --out fish.svg
plot cup.svg --preview --out plotted.svg
loop CHAIR --simulate --rounds 1 --out loop
interpolate 7 chair:8 --steps 2 --frames 1 --out between
combine chair:7 - 8 --out sum
studio --export site
""".strip().splitlines()
NEED_HEAVY = {"models show some/model": "hub", "models push scan some/model": "hub",
              "draw solids:cat:1 --out cat.svg": "train", "evaluate study score key.json a.json": "train"}
NEED = ["project made.stl --steps 1 --out near", "train iwgan-tiny --run run", "models export scan --out graphs"]


def ran(lines: list[str], folder: Path, barred: tuple[str, ...], code: str = CODE) -> str:
    """What the commands say on the way of errors, in one new Python that lacks what is barred."""
    places = {"CHAIR": "chair.png", "SCAN": "scans/chair.png", "CAMERA": "scans/camera.json",
              "FISH": "drawings/fish.png", "PAGE": "drawings/page.jpg", "VASE": "drawings/vase.png"}
    words = ["\t".join(str(EXAMPLES / places[word]) if word in places else word for word in line.split())
             for line in lines]
    source = str(Path(maquette.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code, ",".join(barred)], input="\n".join(words), text=True, cwd=folder,
                          capture_output=True, env={**os.environ, "PYTHONPATH": source})
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_the_base_commands_run(tmp_path):
    said = ran(COMMANDS, tmp_path, (*LIBRARIES, *OWN))
    assert said.count("code 0 ") == len(COMMANDS), said


def test_what_learns_says_what_to_install(tmp_path):
    said = ran([COMMANDS[0], *NEED], tmp_path, LIBRARIES)
    lines = [line for line in said.splitlines() if line.startswith("maquette: ")]
    assert len(lines) == len(NEED), said
    for line in lines:
        assert "is not installed; pip install 'maquette[train]'" in line, line


def test_the_base_commands_run_without_what_training_brings(tmp_path):
    said = ran([*WITHOUT_HEAVY, *NEED_HEAVY], tmp_path, HEAVY, NOT_OURS + RUN_ALL)
    assert said.count("code 0 ") == len(WITHOUT_HEAVY), said
    lines = [line for line in said.splitlines() if line.startswith("maquette: ")]
    for line, extra in zip(lines, NEED_HEAVY.values(), strict=True):
        assert f"is not installed; pip install 'maquette[{extra}]'" in line, line


def test_nothing_is_told_to_anybody_and_nothing_is_left_at_home(tmp_path):
    """ONNX Runtime's own builds keep an identifier of the machine and events to send below the home folder."""
    variables = {key: value for key, value in os.environ.items()
                 if key not in ("CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")}
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    words = ["reconstruct", str(EXAMPLES / "chair.png"), "--by", "model", "--out", "chair.stl"]
    done = subprocess.run([sys.executable, "-m", "maquette", *words], cwd=work, capture_output=True, text=True,
                          env={**variables, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")})
    assert done.returncode == 0, done.stderr
    assert not list(home.rglob("*")) and {path.name for path in work.iterdir()} >= {"chair.stl"}
    assert not [path for path in work.rglob(".*")]


def test_the_bars_can_fail():
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([sys.executable, "-c", f"{NOT_OURS}\nimport maquette.evaluation.feature_distances", *HEAVY[:1]],
                       check=True, capture_output=True)
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([sys.executable, "-c", f"{CODE}\nimport maquette.nets.layers", "torch"], input="", text=True,
                       check=True, capture_output=True)
