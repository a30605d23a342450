"""A library of an extra that is not installed: one line that says which extra to install, and no traceback."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maquette
import maquette.api.learning  # here the guard of shapes imports also what only annotations name
from maquette.errors import UserError
from maquette.extras import require
from maquette.models import hub


class Absent:
    """Finds that a library is not there, as Python does where it is not installed."""

    def __init__(self, name: str):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.fixture
def absent(monkeypatch):
    """Takes a library away for the time of a test."""

    def take(name: str) -> None:
        for known in [known for known in sys.modules if known.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, known)
        monkeypatch.setattr(sys, "meta_path", [Absent(name), *sys.meta_path])

    return take


def line(call, *arguments, **options) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_the_line_names_the_extra(absent):
    absent("vpype")
    assert line(require, "vpype", "plotter") == "vpype is not installed; pip install 'maquette[plotter]'"
    assert require("json", "plotter").__name__ == "json"


def test_a_library_that_is_there_but_broken_is_no_missing_extra(absent, tmp_path, monkeypatch):
    (tmp_path / "halfway.py").write_text("import not_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_to_be_found"):
        require("halfway", "train")


def test_a_drawing_needs_the_plotter(absent):
    absent("vpype")
    said = line(maquette.draw, "furniture:cup:1")
    assert said == "vpype is not installed; pip install 'maquette[plotter]'"


def test_sending_to_a_plotter_needs_its_port(absent):
    from maquette.plotting import grbl

    absent("serial")
    assert line(grbl._open_port, "nowhere", 115200) == "serial is not installed; pip install 'maquette[plotter]'"


def test_a_dicom_file_needs_its_reader(absent, tmp_path):
    from maquette.io.dicom import read_dicom

    path = tmp_path / "one.dcm"
    path.write_bytes(bytes(128) + b"DICM")
    absent("pydicom")
    assert line(read_dicom, path, "one.dcm", max_pixels=10**6) == (
        "pydicom is not installed; pip install 'maquette[dicom]'")


def test_training_and_preparing_need_theirs(absent, tmp_path):
    absent("lightning_fabric")
    said = line(lambda: list(maquette.train("iwgan-tiny", tmp_path / "run")))
    assert said == "lightning_fabric is not installed; pip install 'maquette[train]'"
    assert not (tmp_path / "run").exists()


def test_preparing_needs_its_tables(absent, tmp_path):
    absent("datasets")
    said = line(lambda: list(maquette.prepare_data("furniture:cup", tmp_path / "set", count=2, resolution=16,
                                                   workers=1)))
    assert said == "datasets is not installed; pip install 'maquette[train]'"


def test_models_of_the_hub_need_its_client(absent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    absent("huggingface_hub")
    assert line(maquette.load, "some/model") == "huggingface_hub is not installed; pip install 'maquette[hub]'"
    assert line(hub.push, "scan", "some/model") == "huggingface_hub is not installed; pip install 'maquette[hub]'"


@pytest.mark.parametrize("name", ["vpype", "serial", "pydicom", "datasets", "matplotlib", "sklearn", "torchmetrics",
                                  "tensorboard", "plotext", "lightning_fabric", "huggingface_hub", "lxml", "networkx",
                                  "scipy", "skimage"])
def test_without_extras_pictures_still_become_objects(absent, name, tmp_path):
    absent(name)
    picture = np.full((64, 64), 255, np.uint8)
    picture[16:48, 16:48] = 0
    Image.fromarray(picture).save(tmp_path / "square.png")
    made = maquette.make_relief(tmp_path / "square.png")
    assert made.mesh.is_watertight


def test_the_extras_are_those_of_the_package():
    import tomllib

    facts = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = facts["optional-dependencies"]
    assert set(extras) == {"train", "hub", "plotter", "dicom", "studio", "dev"}
    assert not [need for need in facts["dependencies"] if "beartype" in need]


def test_a_library_does_not_set_up_the_log_of_the_program():
    """vpype does when it is imported; lines of other libraries would then reach the terminal."""
    import subprocess

    code = ("import logging, numpy as np; from maquette.geometry.strokes import Strokes; "
            "from maquette.plotting.ordering import shortest_travel; "
            "lines = tuple(np.array([[n, 1.0], [n, 2.0]]) for n in (5.0, 3.0, 9.0)); "
            "shortest_travel(Strokes(lines, 20.0, 20.0, (1, 1, 1))); "
            "assert not logging.root.handlers, logging.root.handlers")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
