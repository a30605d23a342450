"""Names that no file can have are one line in every command; results named after long ones are shortened."""

import os
import shutil

import pytest
import trimesh
from command import call, names

from maquette.cli.commands import COMMANDS
from maquette.examples import FOLDER as EXAMPLES
from maquette.io.paths import NAME_BYTES, beside, fitted

LONG, NUL, DEEP = "x" * 300, "a\0b", "d/" + "x" * 300 + "/e"
EACH = {
    "reconstruct": "NAME.png", "complete": "NAME.ply", "generate": "--count 1 --out NAME", "relief": "NAME.png",
    "interpolate": "chair:7 NAME.npy", "combine": "NAME.npy", "project": "NAME.stl", "suggest": "NAME.png",
    "pickup": "NAME.png", "draw": "NAME.stl", "plot": "NAME.svg", "loop": "NAME.png --simulate", "train": "NAME.yaml",
    "doctor": "NAME", "evaluate": "NAME", "evaluate study make": "NAME --real r",
    "evaluate study score": "NAME.json a.json", "data prepare": "NAME --out o", "data prepare images": "NAME --out o",
    "data render": "NAME.stl", "data render images": "NAME --out o", "data show": "NAME", "data audit": "NAME",
    "models show": "NAME", "models push": "NAME a/b", "models export": "NAME", "runs list": "NAME", "runs show": "NAME",
    "runs pack": "NAME --out o", "demo": "--out NAME", "examples": "--out NAME", "studio": "--export NAME",
}


def test_every_command_that_reads_or_writes_is_tried():
    assert set(EACH) == set(COMMANDS) - {"models list"}


@pytest.mark.parametrize("name", [LONG, NUL, DEEP], ids=["long", "nul", "deep"])
@pytest.mark.parametrize("command", EACH)
def test_a_name_that_no_file_can_have_is_one_line(command, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = EACH[command].split()
    assert call(*command.split(), *[word.replace("NAME", name) for word in words]) == 1
    said = capsys.readouterr().err
    assert said.startswith("maquette: ") and said.count("\n") == 1 and "\0" not in said and not names(tmp_path)


@pytest.mark.parametrize("key", ["--run", "--data.path", "--data.backgrounds", "--data.cache", "--train.start"])
@pytest.mark.parametrize("name", [LONG, NUL], ids=["long", "nul"])
def test_the_same_for_what_a_recipe_names(key, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("train", "iwgan-tiny", *([] if key == "--run" else ["--run", "run"]), key, name) == 1
    said = capsys.readouterr().err
    assert "not the name of a file" in said and said.count("\n") == 1 and not names(tmp_path)


NEAR = {"accents": "é" * 121 + "chaise-ü", "emoji": "🪑" * 61 + "abcdefg", "plain": "c" * 251}
"""Stems of 251 or so bytes: with four letters of a suffix, the longest name that a file can have."""
NAMED_AFTER = {
    "reconstruct": (".png", "--preview", [".stl", ".preview.png"]),
    "relief": (".png", "--preview", [".stl", ".preview.png"]),
    "draw": (".stl", "--preview", [".svg", ".preview.png"]),
    "plot": (".svg", "--preview --format gcode", [".gcode", ".preview.png"]),
    "project": (".stl", "--steps 1 --starts 1 --draws 1 --preview", [".latent.npy", ".preview.png", ".stl"]),
    "data render": (".stl", "--count 1 --kinds depth --size-px 32", ["-000-depth.png", "-cameras.json"]),
}


@pytest.mark.parametrize("command, kind", [(command, kind) for command in NAMED_AFTER for kind in NEAR
                                           if kind == "emoji" or command in ("draw", "plot")])
def test_results_of_long_names_are_written_and_stay_apart(command, kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    suffix, options, endings = NAMED_AFTER[command]
    inputs = []
    for last in "12":  # two names that differ at their ends alone
        stem = NEAR[kind][:-1] + last
        assert 250 < len(os.fsencode(stem + suffix)) <= NAME_BYTES
        inputs.append(stem + suffix)
    if suffix == ".png":
        shutil.copy(EXAMPLES / ("chair.png" if command == "reconstruct" else "drawings/fish.png"), inputs[0])
    else:
        trimesh.creation.box((0.6, 0.5, 1.0)).export("box.stl")
        if suffix == ".svg":
            call("draw", "box.stl", "--out", "box.svg")
        shutil.move(f"box{suffix}", inputs[0])
    shutil.copy(inputs[0], inputs[1])
    assert call(*command.split(), *inputs, "--out", "out", *options.split()) == 0, capsys.readouterr().err
    made = names(tmp_path / "out")
    assert len(made) == 2 * len(endings) and all(len(os.fsencode(name)) <= NAME_BYTES for name in made)
    for ending in endings:
        assert len([name for name in made if name.endswith(ending)]) == 2
        assert len({name[:10] for name in made}) == 1 and made[0].startswith(NEAR[kind][:10])


def test_a_long_name_that_is_asked_for_has_its_preview_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trimesh.creation.box((0.6, 0.5, 1.0)).export("box.stl")
    asked = "é" * 125 + ".svg"
    assert call("draw", "box.stl", "--preview", "--out", asked) == 0
    assert len(names(tmp_path)) == 3 and asked in names(tmp_path)


def test_a_cleaned_copy_of_an_image_with_a_long_name_without_a_suffix(tmp_path):
    for number in range(3):
        (tmp_path / "in").mkdir(exist_ok=True)
        shutil.copy(EXAMPLES / "chair.png", tmp_path / "in" / f"{number}{'ö' * 127}")
    fixed = tmp_path / ("f" * 255)
    assert call("data", "audit", tmp_path / "in", "--keep-names", "--fix", fixed, "--out", tmp_path / "out",
                "--workers", "1") == 0
    assert len(names(fixed)) >= 1 and all(name.endswith(".png") and name[0] in "012" for name in names(fixed))


@pytest.mark.parametrize("stem", ["chair", "é" * 200, "🪑" * 100, "x" * 255, "a" * 254 + "é"])
def test_a_fitted_name_has_room_for_its_ending_and_is_no_other(stem):
    made = fitted(stem, ".preview.png")
    assert made.endswith(".preview.png") and len(os.fsencode(made)) <= NAME_BYTES
    assert (made == f"{stem}.preview.png") == (len(os.fsencode(stem)) <= NAME_BYTES - 12)
    assert made != fitted(stem + "2", ".preview.png") and made == fitted(stem, ".preview.png")
    assert beside(f"in/{stem}", ".preview.png") == beside(f"in/{stem}.stl", ".preview.png")
