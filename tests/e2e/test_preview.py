"""`--preview`: a picture, or a picture and a page with the object to turn in it, beside each mesh."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
from command import call, lines, names

from maquette.examples import FOLDER
from maquette.io.formats import read_mesh

FISH, CHAIR, SCANS = FOLDER / "drawings" / "fish.png", FOLDER / "chair.png", FOLDER / "scans"
COMMANDS = {
    "reconstruct": ["reconstruct", CHAIR, "--by", "extrude"],
    "complete": ["complete", SCANS / "chair.png", "--intrinsics", SCANS / "camera.json"],
    "relief": ["relief", FISH],
}


def stored(page: str) -> dict:
    """What a page holds of its object."""
    found = json.loads(re.search(r'<script type="application/json" id="object">(.*?)</script>', page, re.S)[1])
    packed = {name: gzip.decompress(base64.b64decode(found[name])) for name in ("vertices", "faces")}
    return {"vertices": np.frombuffer(packed["vertices"], "<f4").reshape(-1, 3), "file": found["file"],
            "faces": np.frombuffer(packed["faces"], "<u4").reshape(-1, 3)}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_holds_the_mesh_that_lies_beside_it(name, tmp_path):
    out = tmp_path / "made.stl"
    assert call(*COMMANDS[name], "--out", out, "--preview", "html") == 0
    assert names(tmp_path) == ["made.preview.html", "made.preview.png", "made.stl"]
    page, mesh = (tmp_path / "made.preview.html").read_text(encoding="utf-8"), read_mesh(out)
    found = stored(page)
    assert len(found["faces"]) == len(mesh.faces) and found["file"] == "made.stl"
    assert np.allclose(np.ptp(found["vertices"], axis=0), mesh.extents, atol=1e-3)
    assert not re.search(r'(src|href)="(?!data:|#)[^"]*(http|//)', page), "nothing is loaded from elsewhere"
    assert page.startswith("<!doctype html>") and "default-src 'none'" in page


def test_alone_it_means_a_picture_wherever_it_stands(tmp_path):
    for number, words in enumerate((["--preview"], ["--preview", "png"], ["--preview=png"])):
        assert call("relief", FISH, "--out", tmp_path / str(number), *words) == 0
        assert names(tmp_path / str(number)) == ["fish.preview.png", "fish.stl"]
    for number, words in enumerate((["--no-preview"], ["--preview", "no"], []), 3):
        assert call("relief", FISH, *words, "--out", tmp_path / str(number)) == 0
        assert names(tmp_path / str(number)) == ["fish.stl"]


def test_another_word_is_refused_in_one_line(tmp_path, capsys):
    assert call("relief", "--preview=gif", FISH, "--out", tmp_path) == 2
    assert len(lines(capsys)) == 1 and not names(tmp_path)


def test_new_objects_have_pages_too(tmp_path):
    assert call("generate", "--count", "2", "--preview", "html", "--out", tmp_path) == 0
    assert names(tmp_path) == ["sample-0-000.preview.html", "sample-0-000.stl", "sample-0-001.preview.html",
                               "sample-0-001.stl", "sheet.png"]


def test_every_mesh_between_and_every_sum_has_a_page(tmp_path):
    way, added = tmp_path / "way", tmp_path / "sum"
    assert call("interpolate", "chair:7", "sofa:3", "--steps", "2", "--no-gif", "--preview", "html", "--out", way) == 0
    assert [name for name in names(way) if name.endswith(".html")] == ["step-00.preview.html", "step-01.preview.html"]
    assert call("combine", "chair:7 + sofa:3", "--preview", "html", "--out", added) == 0
    assert "combined.preview.html" in names(added)
    found = stored((added / "combined.preview.html").read_text(encoding="utf-8"))
    mesh = read_mesh(added / "combined.stl")
    assert len(found["faces"]) == len(mesh.faces) and np.ptp(found["vertices"], axis=0).max() == pytest.approx(100)
    held = (added / "combined.preview.html").read_bytes()
    for name in ("combined.stl", "combined.latent.npy", "sheet.png"):
        (added / name).unlink()
    assert call("combine", "chair:7 + sofa:3", "--preview", "html", "--out", added) == 1  # nothing is written over
    assert (added / "combined.preview.html").read_bytes() == held and names(added) == ["combined.preview.html"]


def test_each_round_of_a_loop_has_a_page(tmp_path):
    assert call("loop", CHAIR, "--simulate", "--rounds", "1", "--preview", "html", "--out", tmp_path / "loop") == 0
    folder = tmp_path / "loop" / "round-01"
    found = stored((folder / "object.html").read_text(encoding="utf-8"))
    assert np.allclose(np.ptp(found["vertices"], axis=0), read_mesh(folder / "mesh.stl").extents, atol=1e-3)
    assert call("loop", CHAIR, "--simulate", "--rounds", "2", "--resume", "--out", tmp_path / "loop") == 0
    assert "object.html" not in names(tmp_path / "loop" / "round-02")  # it was not asked for this time


def test_what_is_suggested_has_pages(tmp_path):
    out = tmp_path / "out"
    assert call("suggest", CHAIR, "--known", "2", "--count", "1", "--meshes", "--preview", "html", "--cache",
                tmp_path / "cache", "--out", out) == 0
    assert sorted(name.rpartition(".")[2] for name in names(out)) == ["html", "png", "stl"]
