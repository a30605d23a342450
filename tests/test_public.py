"""The public names: all there, few enough for one screen, and imported only when they are used."""

import subprocess
import sys

import pytest

import maquette


def test_every_public_name_is_there():
    assert len(maquette.__all__) <= 15
    for name in maquette.__all__:
        assert getattr(maquette, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'chair'"):
        maquette.chair  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, maquette; print(sorted({'torch', 'trimesh', 'datasets', 'cv2'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_loading_a_model_imports_no_compiler():
    """PyTorch's compiler, and the symbolic algebra that comes with it, cost as much time as all else of a command."""
    code = "import sys, maquette; maquette.load(); print(sorted({'torch._dynamo', 'sympy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
