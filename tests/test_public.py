"""The public names: the stub says what there is and what each takes, and all of it is imported only when it is used."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import maquette
from maquette import api

ROOT = Path(__file__).parents[1]
STUBS = {maquette: "maquette", api: "maquette.api"}


def listed(package) -> dict[str, tuple[str, str]]:
    """The names of a package's stub: the module that each is in, and its name there."""
    tree = ast.parse((Path(package.__file__).with_name("__init__.pyi")).read_text(encoding="utf-8"))
    return {alias.asname: (f"{package.__name__}.{node.module}", alias.name)
            for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}


@pytest.mark.parametrize("package", STUBS, ids=STUBS.values())
def test_the_stub_and_what_runs_agree(package):
    names = listed(package)
    assert sorted(names) == sorted(package.__all__) == sorted(dir(package))
    for public, (module, name) in names.items():
        there = getattr(importlib.import_module(module), name)
        assert public == name and getattr(package, public) is there, public
        if inspect.isfunction(there):
            assert inspect.signature(getattr(package, public)) == inspect.signature(there)
    with pytest.raises(AttributeError, match="chair"):
        package.chair  # noqa: B018


@pytest.mark.parametrize("package", STUBS, ids=STUBS.values())
def test_each_verb_says_what_it_takes_gives_and_means(package):
    for name in package.__all__:
        found = getattr(package, name)
        if inspect.isfunction(found) and found.__module__.startswith("maquette.api"):
            for parameter in inspect.signature(found).parameters.values():
                assert parameter.annotation is not parameter.empty, f"{name}({parameter.name})"
                assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL), f"{name}: **options"
            assert inspect.signature(found).return_annotation is not inspect.Signature.empty, name
            assert found.__doc__ and found.__doc__.splitlines()[0].endswith((".", "?")), name


def test_what_the_examples_use_is_public():
    """So that a reader of the examples needs nothing from deeper in the package for the verbs."""
    for path in (ROOT / "examples").glob("*.py"):
        used = set(re.findall(r"maquette\.(\w+)\(", path.read_text(encoding="utf-8")))
        assert used <= set(maquette.__all__), path.name


def fresh(code: str) -> str:
    """What a new Python prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"torch", "trimesh", "datasets", "cv2", "numpy", "pydantic"}
    assert fresh(f"import sys, maquette, maquette.api; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_loading_a_model_imports_no_compiler():
    """PyTorch's compiler, and the symbolic algebra that comes with it, cost as much time as all else of a command."""
    code = "import sys, maquette; maquette.load(); print(sorted({'torch._dynamo', 'sympy'} & set(sys.modules)))"
    assert fresh(code) == "[]"


def test_the_version_is_said_once_and_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "maquette", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == f"maquette {maquette.__version__}\n"
    assert (Path(maquette.__file__).with_name("py.typed")).is_file()
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {maquette.__version__}" in text
