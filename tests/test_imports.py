"""What is loaded when a module is imported: PyTorch by what learns alone, optional libraries by nobody."""

import pkgutil
import subprocess
import sys

import maquette

LEARNS = ("training", "systems", "nets", "rays", "fields", "latents", "models", "evaluation", "recipe")
"""Packages that may import PyTorch when they are imported."""
OPTIONAL = ("datasets", "matplotlib", "plotext", "pydicom", "serial", "sklearn", "starlette", "tensorboard",
            "torchmetrics", "uvicorn", "vpype")
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
    others = [name for name in modules() if name.split(".")[1] not in ("training", "evaluation")]
    assert fault(",".join((*OPTIONAL, "lightning_fabric", "beartype")), others) == ""


def test_the_guard_can_fail():
    assert fault("torch", ["maquette.events", "maquette.nets.layers"]) == "maquette.nets.layers imports torch"
