"""Evidence on images as a user asks for it: the commands, what they print, their errors and exit codes."""

import json

import numpy as np
import pytest
import torch
from command import call
from radiographs import fill

from maquette.datasets.images import prepare_images
from maquette.models import hub
from maquette.systems import SYSTEMS
from maquette.systems.wgan_gp import WGANGPConfig


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    list(prepare_images(fill(folder / "in", 16), folder / "set", size="32x16", grey=True, holdout=6, workers=1))
    return folder / "set"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a model that makes images of 32x16 and was never trained."""
    torch.manual_seed(0)
    system = SYSTEMS["wgan-gp"](WGANGPConfig(height=16, width=32, latent=4, features=4, most_features=8))
    folder = tmp_path_factory.mktemp("models") / "noise"
    hub.save(folder, system, {"class_names": []}, "an untrained model", {})
    return str(folder)


def test_evaluate_on_images_prints_the_table_and_writes_the_report(model, dataset, tmp_path, capsys):
    out, document = tmp_path / "out", tmp_path / "result.json"
    assert call("evaluate", model, "--on", str(dataset), "--out", str(out), "--limit", "8", "--json",
                str(document)) == 0
    said = capsys.readouterr()
    assert "8 images of noise beside 6 held out of real images, 32x16, grey" in said.out and "SWD x1000" in said.out
    assert "no Inception weights were named, so FID and KID are left out" in said.out
    assert f"report: {out / 'report.html'}" in said.out and "measuring distances: 4 of 4" in said.err
    assert sorted(path.name for path in out.iterdir()) == ["report.csv", "report.html", "report.json"]
    found = json.loads(document.read_text())
    assert found["images"]["generated"] == 8 and found["images_of_each_set"] == 6 and found["plan"]["most"] == 8


def test_a_plain_folder_says_how_it_was_cut(model, dataset, tmp_path, capsys):
    folder = fill(tmp_path / "plain", 9)
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    assert call("evaluate", model, "--on", str(folder), "--out", str(tmp_path / "out"), "--limit", "8") == 0
    said = capsys.readouterr().out
    assert "a plain folder: each image was brought to 32x16, grey, and 0 of 9 were cut about their centre" in said
    assert "left out: torn.png" in said, "the terminal names it"
    assert "torn.png" not in (tmp_path / "out" / "report.html").read_text(), "the report does not"


def test_what_cannot_be_evaluated_is_one_clear_line(model, dataset, tmp_path, capsys):
    def says(text: str, *arguments: str) -> None:
        assert call("evaluate", model, *arguments) == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
        assert len(lines) == 1 and text in lines[0]

    says(f"model '{model}' makes images, which are not measured on modelnet10; name real images with --on DIR")
    says("nothing of this name to measure on, got 'gone'; it knows modelnet10, ikea, scans", "--on", "gone")
    says("limit must be 8 images or more, got 3", "--on", str(dataset), "--limit", "3")
    says("no file of Inception weights of this name", "--on", str(dataset), "--inception", "gone.safetensors")
    (tmp_path / "empty").mkdir()
    says("no image in the folder", "--on", str(tmp_path / "empty"))
    (tmp_path / "out").write_text("a file")
    says("cannot write", "--on", str(dataset), "--limit", "8", "--out", str(tmp_path / "out"))
    assert call("evaluate", "maquette", "--on", str(dataset)) == 1
    assert "model 'maquette' makes no images: it is a vae-iwgan-view" in capsys.readouterr().err


def test_a_study_is_made_answered_and_scored(model, dataset, tmp_path, capsys):
    out, make = tmp_path / "study", ("evaluate", "study", "make", model, "--real", str(dataset))
    assert call(*make, "--out", str(out), "--count", "8") == 0
    said = capsys.readouterr().out
    assert f"{out / 'study.html'}: 8 real and 8 synthetic images, 32x16, grey; for the readers" in said
    assert "2 of the 8 real images were among those to train on" in said
    assert f"maquette evaluate study score {out / 'key.json'} ANSWERS..." in said
    key = json.loads((out / "key.json").read_text())
    files = []
    for reader, chance in (("A", 0.9), ("B", 0.6)):
        rng = np.random.default_rng(len(files))
        given = [{"id": name, "answer": facts["kind"] if rng.random() < chance else "real"}
                 for name, facts in key["images"].items()]
        files.append(tmp_path / f"{reader}.json")
        files[-1].write_text(json.dumps({"format": "maquette-study-answers-1", "study": key["study"], "reader": reader,
                                         "answers": given}))
    assert call("evaluate", "study", "score", str(out / "key.json"), *map(str, files), "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["readers"]) == {"A", "B"} and found["pooled"]["answers"] == 32 and -1 <= found["kappa"] <= 1
    assert call("evaluate", "study", "score", str(out / "key.json"), str(files[0])) == 0
    assert "chance: accuracy 0.5, d' 0" in capsys.readouterr().out
    assert call(*make, "--out", str(tmp_path / "j"), "--count", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["trained_on"] == 0


def test_studies_that_cannot_be_made_or_scored_are_one_clear_line(model, dataset, tmp_path, capsys):
    def says(text: str, *arguments: str) -> None:
        assert call("evaluate", "study", *arguments) == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
        assert len(lines) == 1 and text in lines[0]

    (tmp_path / "x.json").write_text("{}")
    says("x.json is not the key of a study", "score", str(tmp_path / "x.json"), str(tmp_path / "x.json"))
    make = ("make", model, "--real", str(dataset), "--out", str(tmp_path / "s"))
    says("17 real images were asked for, got 16", *make, "--count", "17")
    says("makes no images", "make", "maquette", *make[2:])


def test_the_commands_under_evaluate_do_not_hide_it(capsys):
    assert call("evaluate", "--help") == 0
    assert "--on" in capsys.readouterr().out
    assert call("evaluate", "study") == 2
    said = capsys.readouterr().out
    assert "evaluate study make" in said and "evaluate study score" in said and "evaluate  " not in said
    assert call("evaluate", "study", "--help") == 0
    capsys.readouterr()
    assert call("evaluate", "study", "mak") == 2
    assert "did you mean 'evaluate study make'?" in capsys.readouterr().err
    assert call("evaluate", "study", "score", "--help") == 0
    assert "ANSWERS..." in capsys.readouterr().out
