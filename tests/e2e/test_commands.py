"""The command line as a user drives it: every command on real files, bad input of every kind, exit codes and
messages.
"""

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib

import cv2
import numpy as np
import pytest
import trimesh
from command import call
from PIL import Image

from maquette import api
from maquette.cli import commands as cli
from maquette.errors import UserError
from maquette.models import hub


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run of the tiny image recipe, trained for a few steps through the command line."""
    root = tmp_path_factory.mktemp("trained")
    code = call("train", "vae-iwgan-image-tiny", "--run", str(root / "run"), "--data.cache", str(root / "cache"),
                "--data.furniture", "13", "--train.steps", "4")
    assert code == 0
    return root / "run"


@pytest.fixture
def sketch(tmp_path):
    """A clean drawing of a box."""
    page = np.full((300, 260), 255, np.uint8)
    for a, b in [((60, 90), (60, 230)), ((60, 230), (170, 250)), ((170, 250), (170, 110)), ((170, 110), (60, 90)),
                 ((60, 90), (110, 60)), ((110, 60), (215, 78)), ((215, 78), (170, 110)), ((215, 78), (215, 210)),
                 ((215, 210), (170, 250))]:
        cv2.line(page, a, b, 20, 3, cv2.LINE_AA)
    path = tmp_path / "box.png"
    Image.fromarray(page).save(path)
    return path


def low(*arguments: str) -> tuple[str, ...]:
    """Options with which an untrained model still gives something solid."""
    return (*arguments, "--threshold", "0.02")


def test_reconstruct_writes_a_watertight_stl_of_the_size_asked(trained, sketch, tmp_path, capsys):
    out = tmp_path / "out"
    assert call("reconstruct", *low(str(sketch), "--model", str(trained), "--out", str(out), "--size-mm", "80")) == 0
    mesh = trimesh.load(out / "box.stl")
    assert mesh.is_volume and mesh.extents.max() == pytest.approx(80, abs=1e-3)
    assert mesh.bounds[0][2] == pytest.approx(0, abs=1e-5)
    said = capsys.readouterr().out
    assert f"{sketch} -> {out / 'box.stl'}" in said and "watertight, 1 part" in said and "thinnest wall" in said


def test_the_good_inputs_are_done_beside_the_bad_ones(trained, sketch, tmp_path, capsys):
    out = tmp_path / "out"
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture at all")
    inputs = (str(bad), str(sketch), str(tmp_path / "gone.png"))
    code = call("reconstruct", *low(*inputs, "--model", str(trained), "--out", str(out)))
    said = capsys.readouterr()
    assert code == 1 and (out / "box.stl").is_file() and sorted(p.name for p in out.iterdir()) == ["box.stl"]
    lines = [line for line in said.err.splitlines() if line.startswith("maquette: ")]
    assert len(lines) == 2 and any("bad.jpg" in line for line in lines) and any("gone.png" in line for line in lines)


def test_json_is_one_document_and_nothing_else(trained, sketch, tmp_path, capsys):
    bad = tmp_path / "empty.png"
    bad.write_bytes(b"")
    inputs = (str(sketch), str(bad))
    assert call("reconstruct", *low(*inputs, "--model", str(trained), "--out", str(tmp_path), "--json")) == 1
    document = json.loads(capsys.readouterr().out)
    assert document[0]["watertight"] is True and document[0]["parts"] == 1 and document[0]["kind"] == "drawing"
    assert "empty.png is empty" in document[1]["error"]


@pytest.mark.parametrize("suffix", ["obj", "ply", "glb", "3mf", "off", "binvox", "npy", "npz", "mat"])
def test_every_format_can_be_asked_for(trained, sketch, tmp_path, suffix):
    out = tmp_path / f"result.{suffix}"
    assert call("reconstruct", *low(str(sketch), "--model", str(trained), "--out", str(out))) == 0
    assert out.stat().st_size > 100


def test_preview_and_folder_and_equal_names(trained, sketch, tmp_path):
    folder = tmp_path / "in"
    for name in ("a/box.png", "b/box.png"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(sketch.read_bytes())
    out = tmp_path / "out"
    inputs = (str(folder / "a"), str(folder / "b"))
    assert call("reconstruct", *low(*inputs, "--model", str(trained), "--out", str(out), "--preview")) == 0
    assert sorted(p.name for p in out.iterdir()) == ["box-2.preview.png", "box-2.stl", "box.preview.png", "box.stl"]
    with Image.open(out / "box.preview.png") as picture:
        assert picture.width > 4 * picture.height / 2 and np.asarray(picture).std() > 5


def test_standard_input(trained, sketch, tmp_path, monkeypatch):
    class Stdin:
        buffer = io.BytesIO(sketch.read_bytes())

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert call("reconstruct", *low("-", "--model", str(trained), "--out", str(tmp_path / "o"))) == 0
    assert (tmp_path / "o" / "stdin.stl").is_file()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)).save(file, "JPEG")
    return file.getvalue()


def blank() -> bytes:
    file = io.BytesIO()
    Image.new("L", (300, 200), 250).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "name, data, says",
    [
        ("empty.png", b"", "is empty"),
        ("truncated.jpg", jpeg()[:700], "truncated.jpg"),
        ("zero.png", png_header(0, 0), "zero.png"),
        ("wide.png", png_header(60000, 60000), "60000"),
        ("text.jpg", b"this is a text file\n", "text.jpg"),
        ("page.png", blank(), "page.png"),
    ],
)
def test_bad_pictures_are_one_clear_line_each(trained, tmp_path, capsys, name, data, says):
    path = tmp_path / name
    path.write_bytes(data)
    assert call("reconstruct", str(path), "--model", str(trained), "--out", str(tmp_path / "out")) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
    assert len(lines) == 1 and says in lines[0] and name in lines[0]
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_unknown_model_names_the_known(sketch, capsys):
    assert call("reconstruct", str(sketch), "--model", "no-such-model") == 1
    assert "no model or folder of this name, got 'no-such-model'" in capsys.readouterr().err


@pytest.mark.parametrize("blocked", ["file in the way", "full disk"])
def test_unwritable_output(trained, sketch, tmp_path, capsys, monkeypatch, blocked):
    out = tmp_path / "out"
    if blocked == "file in the way":
        out.write_text("a file")
    else:
        real = os.replace

        def full(source, target):
            if str(target).endswith(".stl"):
                raise OSError(28, "No space left on device")
            return real(source, target)

        monkeypatch.setattr(os, "replace", full)
    assert call("reconstruct", *low(str(sketch), "--model", str(trained), "--out", str(out))) == 1
    line = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
    assert len(line) == 1 and "cannot write" in line[0] and "box.stl" in line[0]
    assert blocked == "file in the way" or not any(out.iterdir()), "no half file is left"


def test_an_empty_result_says_what_to_do(trained, sketch, tmp_path, capsys):
    options = ("--model", str(trained), "--out", str(tmp_path), "--threshold", "0.999")
    assert call("reconstruct", str(sketch), *options) == 1
    assert "no voxel reaches the threshold 0.999" in capsys.readouterr().err


def test_generate_is_a_function_of_the_seed_and_the_place(trained, tmp_path, capsys):
    model = api.load(str(trained))
    few, many = api.generate(model, 2, seed=7), api.generate(model, 5, seed=7)
    assert all(np.allclose(a.occupancy, b.occupancy, atol=1e-6) for a, b in zip(few, many, strict=False))
    assert not np.allclose(few[0].occupancy, few[1].occupancy)
    assert not np.allclose(few[0].occupancy, api.generate(model, 1, seed=8)[0].occupancy)
    named = api.generate(model, 1, seed=7, class_name="chair")[0]
    assert not np.allclose(named.occupancy, few[0].occupancy)
    with pytest.raises(UserError, match="has no class of this name, got 'dragon'; it knows"):
        api.generate(model, 1, class_name="dragon")


def test_generate_writes_meshes_and_a_sheet(trained, tmp_path, monkeypatch):
    loaded = api.load(str(trained))
    easy = hub.Model(loaded.name, loaded.runtime, {**loaded.info, "threshold": 0.02}, loaded.latents)
    monkeypatch.setattr(api, "load", lambda name: easy)
    assert call("generate", "--count", "3", "--seed", "5", "--out", str(tmp_path), "--format", "ply") == 0
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["sample-5-000.ply", "sample-5-001.ply", "sample-5-002.ply", "sheet.png"]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM on Windows")
def test_sigterm_saves_the_step_and_says_how_to_go_on(trained, tmp_path):
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "maquette.cli.commands",
        "train",
        "vae-iwgan-image-tiny",
        "--run",
        str(run),
        "--data.cache",
        str(trained.parent / "cache"),
        "--data.furniture",
        "13",
        "--train.steps",
        "1000000",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("step 5/"):
            process.send_signal(signal.SIGTERM)
            break
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"go on with: maquette train --resume {run}" in out
    assert len(list((run / "checkpoints").iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM on Windows")
def test_a_stopped_preparation_goes_on_and_leaves_no_workers(tmp_path):
    out = tmp_path / "set"
    command = [
        sys.executable,
        "-m",
        "maquette.cli.commands",
        "data",
        "prepare",
        "furniture",
        "--out",
        str(out),
        "--count",
        "400",
        "--views",
        "2",
        "--view-size",
        "32",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    for line in process.stderr:
        if line.startswith("preparing"):
            process.send_signal(signal.SIGTERM)
            break
    process.communicate(timeout=60)
    assert process.returncode == 130
    with pytest.raises(ProcessLookupError):  # the whole group of processes is gone, after a moment
        for _ in range(100):
            os.killpg(process.pid, 0)
            time.sleep(0.1)
    done = len(list((out / ".parts").glob("*.arrow")))
    assert 0 <= done < 7 and not (out / "maquette.json").exists()


def test_train_resumes_and_refuses_to_run_over(trained, capsys):
    cache = str(trained.parent / "cache")
    again = ("train", "vae-iwgan-image-tiny", "--run", str(trained), "--data.cache", cache, "--data.furniture", "13")
    assert call(*again) == 1
    assert "already holds a run" in capsys.readouterr().err
    assert call("train", "--resume", str(trained), "--train.steps", "6") == 0
    assert "resumed from" in capsys.readouterr().err
    assert (trained / "checkpoints" / "step-0000006").is_dir()


def test_model_files_are_checked_when_loaded(trained, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    config = json.loads((trained / "model" / "config.json").read_text())
    weights = (trained / "model" / "model.safetensors").read_bytes()

    def problem() -> str:
        with pytest.raises(UserError) as caught:
            api.load(str(model))
        return str(caught.value)

    (model / "config.json").write_text(json.dumps({**config, "model": {**config["model"], "latent": 9}}))
    (model / "model.safetensors").write_bytes(weights)
    assert "has shape" in problem() and "config.json needs" in problem()
    (model / "config.json").write_text(json.dumps(config))
    (model / "model.safetensors").write_bytes(weights[:2000])
    assert "is damaged" in problem()
    (model / "model.safetensors").unlink()
    assert "is missing" in problem()
    (model / "config.json").write_text("{")
    assert "not a model's configuration" in problem()


def test_the_model_carries_its_card_and_recipe(trained, capsys):
    assert call("models", "show", str(trained)) == 0
    card = capsys.readouterr().out
    assert "furniture: made by this package" in card and "system: vae-iwgan-image" in card
    info = json.loads((trained / "model" / "config.json").read_text())
    assert str(trained.parent) not in card + json.dumps(info), "no place of this machine goes into a model"
    assert info["recipe"]["train"]["steps"] in (4, 6) and info["run"]["torch"] and info["class_names"]


def test_data_commands(tmp_path, capsys):
    out = tmp_path / "set"
    prepare = ("data", "prepare", "furniture", "--out", str(out), "--count", "13", "--resolution", "16", "--views", "1",
               "--view-size", "32", "--workers", "1")
    assert call(*prepare) == 0
    assert f"{out}: 13 shapes" in capsys.readouterr().out
    assert call("data", "show", str(out), "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["shapes"] == 13 and facts["resolution"] == 16 and len(facts["classes"]) == 13
    assert (out / "sheet.png").is_file()
    assert call("data", "audit", str(out)) == 0
    assert "nothing found" in capsys.readouterr().out
    render = ("data", "render", "furniture:cup:3", "--out", str(tmp_path / "r"), "--count", "2", "--size-px", "48")
    assert call(*render) == 0
    cameras = json.loads((tmp_path / "r" / "furniture-cup-3-cameras.json").read_text())
    assert len(cameras) == 2 and all((tmp_path / "r" / camera["file"]).is_file() for camera in cameras)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help_and_refuses_unknown_options(name, capsys):
    assert call(*name.split(), "--help") == 0
    assert len(capsys.readouterr().out) > 100
    assert call(*name.split(), "--no-such-option", "1") in (1, 2)


def test_help_is_quick_and_imports_nothing_heavy():
    code = "import sys; from maquette import cli; code = cli.run(['--help']); print(code, 'torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("0 False") and "reconstruct" in found.stdout


def test_no_arguments_and_unknown_commands(capsys):
    assert call() == 2
    assert call("recontruct") == 2
    assert "did you mean 'reconstruct'?" in capsys.readouterr().err
    assert call("reconstruct") == 2
