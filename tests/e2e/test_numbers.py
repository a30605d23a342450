"""Numbers that cannot be: infinite, not a number, beyond every size; each is one line, before any work."""

import contextlib

import pytest
import trimesh
from command import call, names

from maquette.examples import FOLDER as EXAMPLES

CHAIR, FISH, SCAN = EXAMPLES / "chair.png", EXAMPLES / "drawings" / "fish.png", EXAMPLES / "scans" / "chair.png"
SIZED = {
    "reconstruct": ("reconstruct", CHAIR), "generate": ("generate", "--count", "2"), "relief": ("relief", FISH),
    "complete": ("complete", SCAN, "--intrinsics", EXAMPLES / "scans" / "camera.json"),
    "interpolate": ("interpolate", "chair:1", "sofa:2"), "combine": ("combine", "chair:1 + sofa:2"),
    "project": ("project", "box.stl"), "suggest": ("suggest", CHAIR, "--known", "3", "--meshes"),
    "loop": ("loop", CHAIR, "--simulate"),
}
WALLED = ("reconstruct", "complete", "relief")
OTHERS = [
    (("generate", "--spread", "inf"), "spread must be from 0 to 100, got inf"),
    (("generate", "--spread", "nan"), "spread must be from 0 to 100, got nan"),
    (("generate", "--spread", "-1"), "spread must be from 0 to 100, got -1.0"),
    (("generate", "--count", "9" * 30), "count must be at most 10,000, got " + "9" * 30),
    (("interpolate", "chair:1", "sofa:2", "--steps", "9" * 30), "steps must give at most 10,000 shapes"),
    (("data", "render", "furniture:chair:1", "--count", "0"), "count must be at least 1, got 0"),
    (("data", "render", "furniture:chair:1", "--count", "9" * 30), "count must be at most 10,000"),
    (("data", "render", "furniture:chair:1", "--size-px", "0"), "size_px must be from 8 to 4096 pixels, got 0"),
    (("data", "render", "furniture:chair:1", "--size-px", "9" * 30), "size_px must be from 8 to 4096 pixels"),
    (("data", "render", "furniture:chair:1", "--seed", "-1"), "seed must be 0 or more, got -1"),
    (("data", "prepare", "furniture", "--frontal", "nan"), "frontal must be from 0 to 1, got nan"),
    (("data", "prepare", "furniture", "--count", "9" * 30), "count must be at most 1,000,000"),
    (("data", "prepare", "furniture", "--view-size", "-1"), "view_size must be from 16 to 1024, got -1"),
    (("data", "render", "images", "furniture:chair", "--count", "9" * 30), "must be at most 1,000,000"),
    (("data", "render", "images", "furniture:chair", "--holdout", "9" * 30), "must be at most 1,000,000"),
    (("data", "prepare", "images", EXAMPLES, "--max-megapixels", "inf"), "must be above 0 and at most 10000, got inf"),
    (("data", "audit", EXAMPLES, "--max-megapixels", "nan"), "must be above 0 and at most 10000, got nan"),
    (("train", "iwgan-tiny", "--train.steps", "9" * 30), "train.steps must be below 2**63"),
]


def refused(words, line, folder, capsys) -> None:
    with contextlib.chdir(folder):
        trimesh.creation.box((0.6, 0.5, 1.0)).export("box.stl")
        assert call(*words) == (2 if words[0] == "train" else 1)
    said = capsys.readouterr()
    assert line in said.err and said.err.count("\n") == 1 and said.out == "" and names(folder) == ["box.stl"]


@pytest.mark.parametrize("size", ["1e30", "inf", "nan", "0", "-4", "2001", "0.5"])
@pytest.mark.parametrize("command", SIZED)
def test_a_size_that_no_object_has(command, size, tmp_path, capsys):
    refused((*SIZED[command], "--size-mm", size), f"size_mm must be from 1 to 2000 mm, got {float(size)}", tmp_path,
            capsys)


@pytest.mark.parametrize("wall", ["inf", "nan", "-1", "1e30"])
@pytest.mark.parametrize("command", WALLED)
def test_a_wall_that_no_printer_needs(command, wall, tmp_path, capsys):
    refused((*SIZED[command], "--min-wall-mm", wall), f"min_wall_mm must be from 0 to 100 mm, got {float(wall)}",
            tmp_path, capsys)


@pytest.mark.parametrize("words, line", OTHERS, ids=[" ".join(map(str, words))[:60] for words, _ in OTHERS])
def test_other_numbers(words, line, tmp_path, capsys):
    out = () if words[0] == "train" else ("--out", "out")
    refused((*words, *out), line, tmp_path, capsys)


RECIPES = {
    "date": "system: iwgan\nabout: 2020-13-45\n", "deep": "system: iwgan\nmodel: " + "[" * 20_000,
    "self": "&a\nsystem: iwgan\nmodel: *a\n", "digits": "system: iwgan\ntrain: {steps: " + "9" * 5000 + "}\n",
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
}


@pytest.mark.parametrize("kind", RECIPES)
def test_a_strange_recipe_is_one_line(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strange.yaml").write_text(RECIPES[kind])
    assert call("train", "strange.yaml", "--run", "run") == 1
    said = capsys.readouterr().err
    assert said.startswith("maquette: strange.yaml cannot be read as YAML, got ") and said.count("\n") == 1
    assert names(tmp_path) == ["strange.yaml"]


@pytest.mark.parametrize("kind", RECIPES)
def test_runs_with_a_strange_recipe_are_listed_beside_the_others(kind, tmp_path, capsys):
    for name, text in (("good", "system: iwgan\ntrain: {steps: 7}\n"), ("bad", RECIPES[kind])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").write_text(text)
    assert call("runs", "list", tmp_path) == 0
    said = capsys.readouterr().out
    assert "good  iwgan" in said and "bad   ?" in said and said.count("\n") == 2
