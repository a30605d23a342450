"""pickup, relief and suggest --draw as a user drives them: files, pictures, JSON, exit codes and messages."""

import json

import cv2
import numpy as np
import pytest
import trimesh
from command import call, lines, names
from pages import corners_of, paper, photographed, sketch
from PIL import Image
from tiny import tiny

from maquette.datasets.prepare import prepare
from maquette.geometry.shape import SOLID_VOXELS
from maquette.io import formats
from maquette.models import hub
from maquette.outputs import drawings as outputs_drawing
from maquette.outputs import suggestions
from maquette.plotting import svg


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(outputs_drawing, "PREVIEW_PX", 64)
    monkeypatch.setattr(outputs_drawing, "STEP_PX", 100)
    monkeypatch.setattr(suggestions, "CELL_PX", 48)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A photograph of a page on a desk, and where its corners are."""
    corners = corners_of(210, 297, tilt_deg=30, lean_deg=8, turn_deg=5)
    path = tmp_path_factory.mktemp("photo") / "desk.png"
    Image.fromarray(photographed(paper(sketch()), corners, shadow=0.3)).save(path)
    return path, corners


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """A clean drawing of a ring with a small gap in its outer line."""
    page = np.full((240, 240), 255, np.uint8)
    cv2.ellipse(page, (120, 120), (100, 100), 0, 3, 357, 0, 3, cv2.LINE_AA)
    cv2.circle(page, (120, 120), 50, 0, 3, cv2.LINE_AA)
    path = tmp_path_factory.mktemp("drawn") / "ring.png"
    Image.fromarray(page).save(path)
    return path


def test_pickup_writes_the_drawing_and_what_was_found(photo, tmp_path, capsys):
    path, corners = photo
    assert call("pickup", path, "--out", tmp_path / "page.png", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert names(tmp_path) == ["page.found.png", "page.png"]
    longest = np.linalg.norm(corners[2] - corners[1])
    assert np.abs(np.array(told["corners"]) - corners).max() < 0.01 * longest
    assert told["paper"] == "A series" and told["aspect"] == pytest.approx(2**-0.5, abs=1e-4)
    assert told["ruling_px"] is None and told["notes"] == ["A series paper, upright, straightened"]
    with Image.open(tmp_path / "page.png") as page:
        assert page.mode == "L" and list(page.size) == told["size"]
        assert 0.02 < (np.asarray(page) < 100).mean() < 0.3 and np.median(page) == 255
    with Image.open(tmp_path / "page.found.png") as found:
        assert found.width > 4 * 100


def test_pickup_of_low_resolution_alone(photo, tmp_path, capsys):
    assert call("pickup", photo[0], "--out", tmp_path / "low.png", "--low", 32, "--squared", "--no-found") == 0
    assert names(tmp_path) == ["low.png"]
    said = capsys.readouterr().out
    assert "32x32 pixels; A series paper, upright, straightened; no ruling was found on the paper" in said
    with Image.open(tmp_path / "low.png") as low:
        assert low.size == (32, 32)


def test_pickup_from_a_folder(photo, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "scan.png").write_bytes(photo[0].read_bytes())
    assert call("pickup", tmp_path / "in", "--out", tmp_path / "page.png", "--paper", "none", "--whole-page") == 0
    said = capsys.readouterr().out
    assert "scan.png" in said and "1200x900 pixels" in said


def test_relief_does_the_good_beside_the_bad(ring, tmp_path, capsys):
    blank, out = tmp_path / "blank.png", tmp_path / "out"
    Image.new("L", (80, 80), 255).save(blank)
    code = call("relief", blank, ring, tmp_path / "gone.png", "--out", out, "--size-mm", 50, "--thickness-mm", 4,
                "--ring-hole-mm", 4, "--preview", "--json")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert code == 1 and names(out) == ["ring.preview.png", "ring.stl"]
    assert f"no drawing found on the page in {blank}" in told[0]["error"]
    assert "gone.png does not exist" in told[2]["error"]
    assert told[1]["watertight"] and told[1]["parts"] == 1 and told[1]["way"] == "extrude"
    assert told[1]["size_mm"] == pytest.approx([50, 56, 4], abs=0.2)
    assert told[1]["notes"][0].startswith("closed a gap of")
    mesh = trimesh.load(out / "ring.stl")
    assert mesh.is_volume and mesh.volume > 4 * np.pi * (25**2 - 12.5**2) and mesh.euler_number == -2
    with Image.open(out / "ring.preview.png") as picture:
        assert picture.width > 4 * 64


@pytest.mark.parametrize("suffix", formats.MESHES + formats.GRIDS)
def test_relief_in_every_format(ring, tmp_path, suffix):
    out = tmp_path / f"ring{suffix}"
    assert call("relief", ring, "--out", out, "--size-mm", 40) == 0
    if suffix in formats.MESHES:
        assert formats.read_mesh(out).extents == pytest.approx([40, 40, 5], abs=0.1)
    else:
        grid = formats.read_grid(out)
        assert grid.shape == (SOLID_VOXELS,) * 3 and grid.any() and not grid[32, 32].any()


@pytest.mark.parametrize("options, size", [
    (("--inflate", "--thickness-mm", 6), [30, 30, 6]),
    (("--revolve", "--axis", "middle"), [30, 30, 30]),
    (("--lithophane", "--detail-px", 240), [30, 30, 3]),
    (("--base-mm", 2), [34, 34, 7]),
])
def test_relief_in_every_way(ring, tmp_path, options, size):
    assert call("relief", ring, "--out", tmp_path / "a.stl", "--size-mm", 30, *options) == 0
    mesh = trimesh.load(tmp_path / "a.stl")
    assert mesh.is_volume and mesh.extents == pytest.approx(size, rel=0.01)


@pytest.mark.parametrize("command, code, says", [
    (("relief",), 2, "name at least one picture"),
    (("relief", "RING", "--inflate", "--revolve"), 1, "made in one way, got --inflate and --revolve; leave one out"),
    (("relief", "RING", "--size-mm", "0"), 1, "size_mm must be from 1 to 2000 mm, got 0"),
    (("relief", "RING", "b.png", "--out", "one.stl"), 1, "--out one.stl is one file, but there are 2 inputs"),
    (("relief", "RING", "--close-mm", "0.5", "--size-mm", "200"), 1, "the outline in RING is open, got ends that are"),
    (("pickup", "gone.png"), 1, "gone.png does not exist"),
    (("pickup", "RING", "--out", "page.tiff"), 1, "--out names a PNG file, got page.tiff; page.png"),
    (("pickup", "RING", "--low", "2"), 1, "a picture of low resolution has 4 to 1024 pixels a side, got 2"),
    (("pickup", "camera:none"), 1, "a camera is called camera:0"),
])
def test_what_cannot_be_is_one_clear_line(ring, tmp_path, capsys, monkeypatch, command, code, says):
    monkeypatch.chdir(tmp_path)
    if "--close-mm" in command:  # without the inner ring, which is closed
        page = np.full((240, 240), 255, np.uint8)
        cv2.ellipse(page, (120, 120), (100, 100), 0, 3, 357, 0, 3, cv2.LINE_AA)
        ring = tmp_path / "open.png"
        Image.fromarray(page).save(ring)
    assert call(*(str(ring) if word == "RING" else word for word in command)) == code
    (line,) = lines(capsys)
    assert says.replace("RING", str(ring)) in line
    assert not (tmp_path / "out").exists() and not (tmp_path / "page.png").exists()


def test_suggest_answers_with_clean_drawings_for_the_plotter(ring, tmp_path, capsys):
    model = tiny("vae-iwgan-image")
    hub.save(tmp_path / "model", model.system, model.info, "# A card\n", model.latents)
    for number in range(3):
        (tmp_path / "shapes" / "box").mkdir(parents=True, exist_ok=True)
        trimesh.creation.box((1 + number, 2, 3)).export(tmp_path / "shapes" / "box" / f"{number}.stl")
    list(prepare(tmp_path / "shapes", tmp_path / "set", resolution=16, views=2, view_size=32, workers=1))
    out = tmp_path / "out"
    assert call("suggest", ring, "--draw", "--page", "a6", "--among", tmp_path / "set", "--count", 2, "--model",
                tmp_path / "model", "--cache", tmp_path / "cache", "--out", out, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    found = [one["name"].replace("/", "-") for one in told["nearest"]]
    drawn = [f"ring-suggested-{rank}-{name}.svg" for rank, name in enumerate(found, 1)]
    assert names(out) == sorted([*drawn, "ring-suggested-drawn.png", "ring-suggested.png"])
    assert told["output"] == [str(out / name) for name in ("ring-suggested.png", *drawn, "ring-suggested-drawn.png")]
    for name in drawn:
        strokes = svg.read_svg(out / name)
        left, top, right, bottom = strokes.bounds
        margin = 0.07 * 105
        assert (strokes.width, strokes.height) == pytest.approx((105, 148), abs=0.1) and strokes.length > 200
        assert min(left, top, 105 - right, 148 - bottom) == pytest.approx(margin, abs=0.1)
    with Image.open(out / "ring-suggested-drawn.png") as sheet:
        assert sheet.width == 4 + 3 * 52
    assert call("suggest", ring, "--draw", "--page", "napkin", "--model", tmp_path / "model") == 1
    assert "unknown page, got 'napkin'" in lines(capsys)[0]
