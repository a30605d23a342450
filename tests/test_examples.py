"""The numbered examples run as they stand, each under 40 lines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    assert len(path.read_text().splitlines()) < 40
    arguments = [str(tmp_path / "out")] if "[PICTURE]" not in path.read_text() else []
    done = subprocess.run([sys.executable, str(path), *arguments], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "2"}, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() and any(tmp_path.rglob("*"))
