"""No command writes over its inputs, and none replaces an older result unless `--overwrite` says so."""

import contextlib
import json
import shutil

import numpy as np
import pytest
import torch
import trimesh
from command import call, lines
from PIL import Image

from maquette import recipe
from maquette.cli.commands import COMMANDS
from maquette.cli.parsing import options_of
from maquette.evaluation.reader_study.score import ANSWERS_FORMAT
from maquette.examples import FOLDER as EXAMPLES
from maquette.models import hub
from maquette.systems import SYSTEMS

OLDER = b"a result of yesterday"
SMALL = "--size-px 32"

WRITING = {
    "reconstruct": ("reconstruct line.png --out OUT --preview", ["line.stl", "line.preview.png"]),
    "complete": ("complete scan.ply --up z --azimuth-deg 0 --out OUT --preview", ["scan.stl", "scan.preview.png"]),
    "generate": ("generate --count 1 --seed 3 --out OUT", ["sample-3-000.stl", "sheet.png"]),
    "relief": ("relief ring.png --out OUT --preview", ["ring.stl", "ring.preview.png"]),
    "interpolate": ("interpolate chair:7 sofa:3 --steps 2 --frames 1 --out OUT",
                    ["step-00.stl", "step-01.latent.npy", "sheet.png", "interpolation.gif"]),
    "combine": ("combine chair:7 + chair:8 --out OUT", ["combined.stl", "combined.latent.npy", "sheet.png"]),
    "project": ("project box.stl --steps 1 --starts 1 --draws 1 --preview --out OUT",
                ["box-projected.stl", "box-projected.latent.npy", "box-projected.preview.png"]),
    "suggest": ("suggest line.png --among shapes --count 2 --workers 1 --cache cache --out OUT",
                ["line-suggested.png"]),
    "pickup": ("pickup page.png --out OUT/page.png", ["page.png", "page.found.png"]),
    "draw": ("draw box.stl --preview --out OUT", ["box.svg", "box.preview.png"]),
    "plot": ("plot lines.svg --page a4 --fit --preview --out OUT", ["lines.svg", "lines.preview.png"]),
    "evaluate": ("evaluate images --on pictures --limit 64 --json OUT/all.json --out OUT",
                 ["all.json", "report.html", "report.json", "report.csv"]),
    "evaluate study score": ("evaluate study score study/key.json answers.json --json OUT/scores.json",
                             ["scores.json"]),
    "data render": (f"data render box.stl --count 2 --kinds depth pencil {SMALL} --out OUT",
                    ["box-000-depth.png", "box-001-pencil.png", "box-cameras.json"]),
    "data show": ("data show set --out OUT/sheet.png", ["sheet.png"]),
    "data audit": ("data audit pictures --workers 1 --out OUT",
                   ["audit.html", "audit.csv", "../OUT.PRIVATE-names.csv"]),
    "runs show": ("runs show run --out OUT", ["curves.png"]),
    "demo": ("demo --out OUT", ["chair.stl", "demo.png"]),
    "studio": ("studio --export OUT", ["index.html"]),
}
"""A call of each command that writes results, with some of what it writes."""
TOO_LONG = ("demo", "evaluate")
"""Their refusal is tested; that they replace is not, since they take minutes."""
OWN_FOLDERS = {
    "train": "continues a run with --resume and refuses another's folder",
    "loop": "continues a loop with --resume and refuses what is in the way",
    "data prepare": "continues its own dataset and refuses a folder that holds anything else",
    "data prepare images": "the same",
    "data render images": "the same",
    "evaluate study make": "a study is never replaced: answers to it would fit no key",
    "models export": "replaces the graphs of its own model, and refuses a folder that is not empty",
    "runs pack": "refuses a folder that is not empty",
    "examples": "keeps what is there, and says so",
}
NOTHING_WRITTEN = ("doctor", "models list", "models show", "models push", "runs list")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Small inputs for every command."""
    folder = tmp_path_factory.mktemp("place")
    with contextlib.chdir(folder):
        shutil.copy(EXAMPLES / "chair.png", "line.png")
        shutil.copy(EXAMPLES / "drawings" / "page.jpg", "page.png")
        shutil.copy(EXAMPLES / "drawings" / "fish.png", "ring.png")
        box = trimesh.creation.box((0.6, 0.5, 1.0))
        box.export("box.stl")
        points = np.array(trimesh.sample.sample_surface(box, 3000, seed=0)[0])
        trimesh.PointCloud(points[points[:, 1] > 0.2]).export("scan.ply")
        for number in range(3):
            (folder / "shapes" / "boxes").mkdir(parents=True, exist_ok=True)
            trimesh.creation.box((0.4 + 0.1 * number, 0.5, 1.0)).export(f"shapes/boxes/box{number}.stl")
        assert call("draw", "box.stl", "--out", "lines.svg") == 0
        assert call("data", "prepare", "shapes", "--out", "set", "--resolution", "20", "--workers", "1") == 0
        rng = np.random.default_rng(0)
        (folder / "pictures").mkdir()
        for number in range(24):
            Image.fromarray(rng.integers(0, 255, (64, 128), np.uint8)).save(f"pictures/{number}.png")
        torch.manual_seed(0)
        made = recipe.load("wgan-gp-tiny")
        hub.save(folder / "images", SYSTEMS[made.system](made.model), {}, "not trained", {})
        assert call("evaluate", "study", "make", "images", "--real", "pictures", "--out", "study", "--count", "4") == 0
        key = json.loads((folder / "study" / "key.json").read_text())
        answers = {"format": ANSWERS_FORMAT, "study": key["study"], "reader": "anna",
                   "answers": [{"id": name, "answer": "real", "ms": 1200} for name in key["images"]]}
        (folder / "answers.json").write_text(json.dumps(answers))
        (folder / "run").mkdir()
        shutil.copy(recipe.reading.RECIPES / "iwgan-tiny.yaml", "run/recipe.yaml")
    return folder


def typed(words: str) -> list[str]:
    return words.split()


def test_every_command_is_one_that_writes_by_the_rule_or_has_a_reason():
    writing = {name for name, command in COMMANDS.items() if name != "train"
               and any(option.name == "--overwrite" for option in options_of(command))}
    assert writing == set(WRITING)
    assert writing | set(OWN_FOLDERS) | set(NOTHING_WRITTEN) == set(COMMANDS)


@pytest.mark.parametrize("command", WRITING)
def test_an_older_result_is_refused_before_the_work_and_stays(command, place, monkeypatch, capsys):
    words, results = WRITING[command]
    monkeypatch.chdir(place)
    folder = place / "refused"
    folder.mkdir(exist_ok=True)
    for name in results:
        older = folder / name.replace("OUT", "refused")
        older.write_bytes(OLDER)
        capsys.readouterr()
        assert call(*typed(words.replace("OUT", "refused"))) == 1
        said = lines(capsys)
        assert len(said) == 1 and "is there already; --overwrite replaces it" in said[0] and older.name in said[0]
        assert older.read_bytes() == OLDER and [path for path in folder.iterdir() if path != older] == []
        older.unlink()


@pytest.mark.parametrize("command", [name for name in WRITING if name not in TOO_LONG])
def test_it_is_replaced_if_asked_to(command, place, monkeypatch, capsys):
    words, results = WRITING[command]
    monkeypatch.chdir(place)
    folder = place / f"replaced-{command.replace(' ', '-')}"
    folder.mkdir()
    files = [folder / name.replace("OUT", folder.name) for name in results]
    for file in files:
        file.write_bytes(OLDER)
    assert call(*typed(words.replace("OUT", folder.name)), "--overwrite") == 0, capsys.readouterr().err
    for file in files:
        assert file.read_bytes() != OLDER, file


INPUTS = [
    ("pickup page.png", "page.png"),
    ("pickup new.found.png --out new.png", "new.found.png"),
    ("plot lines.svg --page a4 --fit --out .", "lines.svg"),
    ("plot lines.svg --page a4 --fit --out hard.svg", "lines.svg"),
    ("complete scan.ply --format ply --out .", "scan.ply"),
    ("complete scan.ply --format ply --out ./scan.ply", "scan.ply"),
    ("project box.stl box-projected.stl --steps 1 --starts 1 --draws 1 --out .", "box-projected.stl"),
    ("reconstruct line.png line.preview.png --preview --out .", "line.preview.png"),
    ("relief ring.png ring.preview.png --preview --out .", "ring.preview.png"),
    ("draw box.stl box.preview.png --preview --out .", "box.preview.png"),
    ("data render box.stl --kinds depth --count 1 --backgrounds . --out .", "box.stl"),
    ("suggest line.png line-suggested.png --among shapes --cache cache --out .", "line-suggested.png"),
    ("interpolate chair:7 step-00.latent.npy --out .", "step-00.latent.npy"),
    ("combine combined.latent.npy --out .", "combined.latent.npy"),
    ("evaluate study score study/key.json answers.json --json answers.json", "answers.json"),
    ("data show set --out set/maquette.json", "set/maquette.json"),
    ("data audit pictures --out pictures --workers 1", "pictures/0.png"),
    ("train recipe.yaml --run .", "recipe.yaml"),
]


@pytest.mark.parametrize("words, kept", INPUTS)
def test_no_command_writes_over_an_input_whatever_is_asked(words, kept, place, tmp_path, monkeypatch, capsys):
    shutil.copytree(place, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("replaced-*", "refused*"))
    monkeypatch.chdir(tmp_path)
    shutil.copy("line.png", "new.found.png")
    for name in ("line.preview.png", "ring.preview.png", "box.preview.png", "line-suggested.png"):
        shutil.copy("ring.png", name)
    shutil.copy("box.stl", "box-projected.stl")
    for name in ("step-00.latent.npy", "combined.latent.npy"):
        np.save(name, np.zeros(hub.load("maquette").system.config.latent, np.float32))
    shutil.copy(recipe.reading.RECIPES / "iwgan-tiny.yaml", "recipe.yaml")
    (tmp_path / "hard.svg").hardlink_to("lines.svg")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    extra = [] if words.startswith("train") else ["--overwrite"]
    call(*typed(words), *extra)
    changed = [path.name for path, data in before.items() if not path.is_file() or path.read_bytes() != data]
    changed = [name for name in changed if name != "contents.json"]  # what the cache remembers, the program's own
    assert changed == [], capsys.readouterr().err
    assert (tmp_path / kept).read_bytes() == before[tmp_path / kept]


def test_a_sheet_in_the_datasets_own_folder_is_drawn_anew_and_that_is_said(place, tmp_path, monkeypatch, capsys):
    shutil.copytree(place / "set", tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    assert call("data", "show", "set") == 0
    assert "replaced" not in capsys.readouterr().err
    assert call("data", "show", "set") == 0
    assert capsys.readouterr().err == "replaced set/sheet.png\n"


def test_a_loop_does_not_begin_where_a_sheet_of_another_lies(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sheet.png").write_bytes(OLDER)
    assert call("loop", place / "line.png", "--simulate", "--rounds", "1", "--out", ".") == 1
    assert lines(capsys) == ["maquette: sheet.png is there already; choose another folder"]
    assert (tmp_path / "sheet.png").read_bytes() == OLDER and len(list(tmp_path.iterdir())) == 1
