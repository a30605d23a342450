"""A misspelt name is told before PyTorch or a model is loaded."""

import json
import subprocess
import sys

import pytest
from command import call

_LOADED = """
import sys
from maquette.cli import commands
try:
    commands.main(sys.argv[1:])
except SystemExit as end:
    heavy = {"torch", "trimesh", "scipy"} & set(sys.modules)
    sys.exit(9 if heavy else end.code)
"""


@pytest.mark.parametrize("command", [
    "reconstruct", "complete", "relief", "project", "suggest", "draw", "loop", "data render",
])
def test_a_misspelt_name_is_told_at_once(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(*command.split(), "chiar.png") == 1
    said = capsys.readouterr()
    assert said.err == "maquette: chiar.png does not exist; check the name of the file\n" and said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_nothing_heavy_is_loaded_for_it(tmp_path):
    made = subprocess.run([sys.executable, "-c", _LOADED, "reconstruct", "chiar.png", "muug.jpg", "--json"],
                          cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 1, made.stderr
    assert [one["input"] for one in json.loads(made.stdout)] == ["chiar.png", "muug.jpg"]
