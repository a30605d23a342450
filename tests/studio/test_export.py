"""`maquette studio --export`: whole, small, nobody's files replaced, nothing that may not be handed on."""

import hashlib
import json
import re

import pytest
from command import call, lines, names

from maquette.errors import UserError
from maquette.studio.export import MODEL, MODELS, MOST_BYTES, PAGE, model_files

CSP = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
       "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'")
OWN = [path for path in PAGE.rglob("*") if path.is_file() and "vendor" not in path.parts]


def test_the_folder_is_whole_and_small(site):
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    assert sum(path.stat().st_size for path in files.values()) <= MOST_BYTES
    kept = json.loads(files["files.json"].read_text())["files"]
    assert set(kept) <= set(files) and {"js/main.js", "model/model.safetensors", "vendor/three.js"} <= set(kept)
    model = json.loads(files["model/model.json"].read_text())
    read = [f"model/{name}" for name in (model["weights"], *model["graphs"].values())]
    assert set(model["graphs"]) >= {"picture"}
    read.append("vendor/ort-wasm-simd-threaded.wasm.gz")
    assert model["bytes"] == sum(files[name].stat().st_size for name in read)
    told = files["model/credits.txt"].read_text(encoding="utf-8")
    config = json.loads((MODELS / MODEL / "config.json").read_text(encoding="utf-8"))
    assert all(line in told for line in config["data"]) and "model/credits.txt" in kept
    assert b"unversioned" not in files["sw.js"].read_bytes()
    assert not any("package" in name for name in files)


def test_the_page_may_do_nothing_but_what_it_needs(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    assert re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1] == CSP
    assert "style=" not in page and not re.search(r"<script(?![^>]* src=)", page) and " on" + "click=" not in page
    for path in OWN:
        if path.suffix in (".js", ".css", ".html"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"https?://(?!www\.w3\.org|schemas\.)", text), path.name
            assert not re.search(r"\beval\(|new Function|innerHTML", text), path.name


def test_no_source_file_is_long():
    assert [path.name for path in OWN if path.suffix in (".js", ".css", ".html")
            and len(path.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_what_is_taken_from_others_is_what_was_taken():
    vendor = PAGE / "vendor"
    for line in (vendor / "SHA256SUMS").read_text().splitlines():
        known, name = line.split()
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == known
    licences = (vendor / "LICENSES.txt").read_text(encoding="utf-8")
    for name in json.loads((vendor / "package.json").read_text())["devDependencies"]:
        assert name == "esbuild" or name in licences


def test_both_languages_have_the_same_words():
    keys = {name: set(re.findall(r"^ +(\w+):|, (\w+): \"", (PAGE / "js" / "words" / f"{name}.js").read_text("utf-8"),
                                 re.MULTILINE)) for name in ("en", "de")}
    assert keys["en"] == keys["de"] and len(keys["en"]) > 50


def test_a_model_bound_by_terms_is_not_handed_on():
    with pytest.raises(UserError, match="cannot be handed on with the page: ModelNet"):
        model_files(MODELS / "modelnet")


@pytest.mark.parametrize("line, free", [
    ("solids: made by this package, no terms", True), ("Blend Swap CC-0: Public domain; models by Xy", True),
    ("Scopia: Creative Commons Attribution 3.0 Unported license © X", True),
    ("efficientnet-lite0, from which the encoder starts: Apache License 2.0", True),
    ("Kator: Creative Commons Attribution-NonCommercial 3.0", False),
    ("X: Creative Commons Attribution-ShareAlike 4.0", False),
    ("Y: Creative Commons Attribution 4.0, non-commercial", False), ("public domain? as its owner says", False),
    ("ModelNet: academic use only", False), ("mine: as its owner says", False),
])
def test_what_may_be_handed_on(line, free, tmp_path):
    """Public domain, attribution, and what this package made; nothing that binds whoever takes it on."""
    for name in ("picture.onnx", "model.safetensors"):
        (tmp_path / name).write_bytes(b"x")
    config = json.loads((MODELS / MODEL / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "data": [config["data"][0], line]}), encoding="utf-8")
    if free:
        assert line.encode() in model_files(tmp_path)["credits.txt"]
    else:
        with pytest.raises(UserError, match="cannot be handed on"):
            model_files(tmp_path)


def test_files_of_the_user_stay(site, tmp_path, capsys):
    (tmp_path / "index.html").write_text("mine")
    (tmp_path / "holiday.txt").write_text("mine")
    assert call("studio", "--export", tmp_path) == 1
    assert "index.html is there already" in lines(capsys)[0]
    assert names(tmp_path) == ["holiday.txt", "index.html"]
    assert call("studio", "--export", tmp_path, "--overwrite", "--json") == 0
    told = json.loads(capsys.readouterr().out)[0]
    assert told["bytes"] == sum(told["bytes_by_part"].values()) <= MOST_BYTES
    assert (tmp_path / "holiday.txt").read_text() == "mine"
    assert (tmp_path / "README.md").read_text("utf-8").startswith("---\ntitle: Maquette\n")
