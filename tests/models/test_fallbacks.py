"""Nothing wrong in silence: what is done otherwise than asked is said, and what cannot be had is one plain line."""

import json
import warnings
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from command import call, lines

import maquette
from maquette import recipe
from maquette.errors import PlainWarning
from maquette.models import hub
from maquette.systems import SYSTEMS


def saved(folder: Path, name: str = "vae-iwgan-image-tiny", **kept) -> Path:
    torch.manual_seed(0)
    made = recipe.load(name)
    return hub.save(folder, SYSTEMS[made.system](made.model), kept, "a card", {})


@pytest.mark.parametrize("name", ["runs/gone", "here/gone", "here/gone/", "a/b/c", "../gone", "gone/", "r n/x"])
def test_what_looks_like_a_folder_does_not_go_to_the_hub(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for asking in ("model_info", "snapshot_download"):
        monkeypatch.setattr(huggingface_hub, asking, lambda *_, **__: pytest.fail("the Hub was asked"))
    assert call("generate", "--model", name) == 1
    said = lines(capsys)
    assert len(said) == 1 and said[0].startswith("maquette: no model or folder of this name, got ")


def offline(*_, local_files_only=False, **__):
    raise ConnectionError("[Errno -2] Name or service not known\nConnectError at 0x7f")


def test_a_hub_that_is_not_reached_is_one_line_without_the_clients_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "model_info", offline)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    assert call("generate", "--model", "owner/gone") == 1
    assert lines(capsys) == ["maquette: there is no folder 'owner/gone', and the Hugging Face Hub cannot be reached; "
                             "check the name of the folder, or the network"]


def test_a_model_out_of_the_cache_is_said_to_be_one(tmp_path, monkeypatch, capsys):
    kept = saved(tmp_path / "0123456789abcdef")

    def download(*_, local_files_only=False, **__):
        return str(kept) if local_files_only else offline()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "model_info", offline)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.warns(PlainWarning, match="gives no answer for owner/name .*; the copy that was downloaded earlier"):
        assert hub.locate("owner/name") == kept
    assert call("models", "show", "owner/name") == 0
    said = lines(capsys)
    assert len(said) == 1 and "gives no answer for owner/name" in said[0]


def test_a_damaged_model_does_not_hide_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hub, "BUNDLED", tmp_path)
    saved(tmp_path / "good")
    for name, text in (("bad", "{"), ("deep", "[" * 100_000), ("old", json.dumps({"system": "none"}))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(text)
    assert call("models", "list") == 0
    said = capsys.readouterr()
    assert said.out.startswith("good ") and said.out.count("\n") == 2
    assert said.err.count("left out: ") == 3 and said.err.count("\n") == 3


def test_what_python_takes(tmp_path, monkeypatch):
    from PIL import Image

    saved(tmp_path / "m")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shape = maquette.generate(Path(tmp_path / "m"), 1)[0]
        assert shape.occupancy.shape[0] == recipe.load("vae-iwgan-image-tiny").model.resolution
    ring = np.full((80, 80), 255, np.uint8)
    ring[20:60, 20:60] = 0
    made = maquette.make_relief(Image.fromarray(ring))
    assert made.save(tmp_path / "ring.stl").is_file() and made.save(tmp_path / "ring.npz").is_file()
    assert maquette.Shape.load(tmp_path / "ring.npz").resolution == 64


@pytest.mark.parametrize("term", ["2x*chair:7", "x*chair:7", "*chair:7"])
def test_a_factor_that_is_no_number_is_told(term, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("combine", f"chair:1 + {term}") == 1
    assert lines(capsys) == [f"maquette: what stands before * is a number, got '{term}'; 0.5*chair:7 is half of "
                             "chair:7"]


def test_a_shape_that_fills_its_cube_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "m", "iwgan-tiny", threshold=0.001)
    assert call("generate", "--model", "m", "--count", "1", "--out", "out") == 0
    said = capsys.readouterr().out
    assert "it fills 100 % of its cube: is the model trained, and the input of the kind it knows?" in said
    half = np.zeros((8, 8, 8), np.float32)
    half[:4] = 1
    assert maquette.Shape(half).remark == "" and "fills 100 %" in maquette.Shape(np.ones((8, 8, 8), np.float32)).remark


@pytest.mark.parametrize("suffix, told", [("stl", "100 mm, z up"), ("glb", "100 mm, stored in metres with y up"),
                                          ("obj", "100 mm, z up"), ("npz", "")])
def test_size_unit_and_axes_are_said(suffix, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("generate", "--model", "modelnet", "--count", "1", "--out", "out", "--format", suffix) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert (told in line) if told else " up" not in line
