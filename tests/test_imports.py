"""What is loaded: PyTorch by what learns alone, optional libraries by nobody, and by a command only what it needs."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import maquette
from maquette.examples import FOLDER as EXAMPLES

LEARNS = ("training", "systems", "nets", "rays", "fields", "latents", "models", "evaluation", "recipe")
"""Packages that may import PyTorch when they are imported."""
OPTIONAL = ("datasets", "huggingface_hub", "matplotlib", "plotext", "pydicom", "serial", "skimage", "sklearn",
            "starlette", "tensorboard", "torchmetrics", "uvicorn", "vpype")
CODE = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
    found = [heavy for heavy in sys.argv[1].split(",") if heavy in sys.modules]
    if found:
        sys.exit(f"{name} imports {found[0]}")
"""


def modules() -> list[str]:
    return [found.name for found in pkgutil.walk_packages(maquette.__path__, "maquette.")
            if not found.name.endswith("__main__")]


def fault(heavy: str, names: list[str]) -> str:
    """The first of the modules, imported one after the other in a new Python, that loads one of these libraries."""
    done = subprocess.run([sys.executable, "-c", CODE, heavy, *names], capture_output=True, text=True)
    return done.stderr.strip()


def test_only_what_learns_imports_pytorch():
    others = [name for name in modules() if name.split(".")[1] not in LEARNS]
    assert len(others) > 100
    assert fault("torch", others) == ""


def test_what_comes_in_extras_is_imported_where_it_is_used():
    wholly = ("maquette.studio.server.app",)  # is itself imported where it is used, by `serve`
    others = [name for name in modules() if name.split(".")[1] not in ("training", "evaluation") and name not in wholly]
    assert fault(",".join((*OPTIONAL, "lightning_fabric", "beartype")), others) == ""


def test_the_guard_can_fail():
    assert fault("torch", ["maquette.events", "maquette.nets.layers"]) == "maquette.nets.layers imports torch"


SLOW = ("torch", "scipy", "trimesh", "networkx", "skimage", "shapely", "lxml", "tyro", "rich", "jaxtyping", "pydantic",
        "huggingface_hub", "yaml")
"""Libraries that take longer to load than a picture takes to become a mesh, or nearly so."""
RUN = """
import sys
from maquette.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    assert not stopped.code
print("loaded", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded(folder: Path, *words: str) -> set[str]:
    """The libraries that a command has loaded when it is done."""
    source = str(Path(maquette.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", RUN, *words], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": source})
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("words", [
    "reconstruct chair.png --out chair.stl",
    "reconstruct photo-chair.png --out chair.3mf --size-mm 80",
    "reconstruct sofa.png --out sofa.npz",
])
def test_a_picture_becomes_a_mesh_without_slow_libraries(words, tmp_path):
    words = [str(EXAMPLES / word) if word.endswith(".png") else word for word in words.split()]
    found = loaded(tmp_path, *words)
    assert {"numpy", "cv2", "onnxruntime"} <= found and not found & set(SLOW)


def test_what_asks_for_a_slow_library_loads_it(tmp_path):
    assert "trimesh" in loaded(tmp_path, "reconstruct", str(EXAMPLES / "chair.png"), "--out", "chair.glb")
