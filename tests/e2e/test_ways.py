"""`reconstruct` by its ways: one picture, several candidates, several pictures of one object."""

import json

import cv2
import numpy as np
import pytest
import trimesh
from command import call, lines, names
from PIL import Image

from maquette.datasets.sources import mesh_of
from maquette.rendering import render_views


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """A vase from the side, a plate of four corners, and three views of a chair."""
    folder = tmp_path_factory.mktemp("drawings")
    rows = np.arange(60, 341, 4)
    wide = 70 + 45 * np.sin(rows / 32.0)
    vase = np.concatenate([np.column_stack([200 - wide, rows]), np.column_stack([200 + wide, rows])[::-1]])
    plate = np.array([(60, 90), (340, 90), (340, 290), (60, 290)])
    for name, points in (("vase", vase), ("plate", plate)):
        page = np.full((400, 400), 255, np.uint8)
        cv2.polylines(page, [points.astype(np.int32)], True, 0, 4, cv2.LINE_AA)
        Image.fromarray(page).save(folder / f"{name}.png")
    views = render_views(mesh_of("furniture:chair:7"), count=3, size_px=200, seed=4, kinds=("pencil",))
    for number, image in enumerate(views.images):
        Image.fromarray(image).save(folder / f"chair-{number}.png")
    return folder


def document(capsys) -> list[dict]:
    return json.loads(capsys.readouterr().out)


def test_a_profile_is_turned_and_a_plate_extruded(drawings, tmp_path, capsys):
    assert call("reconstruct", drawings / "vase.png", "--by", "revolve", "--out", tmp_path, "--json") == 0
    (vase,) = document(capsys)
    mesh = trimesh.load_mesh(tmp_path / "vase.stl")
    assert mesh.extents[0] == pytest.approx(mesh.extents[1], rel=0.01) and mesh.extents[2] == pytest.approx(100)
    assert (vase["by"], vase["stands"], vase["printable"]) == ("revolve", True, True) and vase["outline"] > 0.95
    assert call("reconstruct", drawings / "plate.png", "--by", "extrude", "--out", tmp_path) == 0
    plate = trimesh.load_mesh(tmp_path / "plate.stl")
    assert np.allclose(plate.extents, (100, 20, 100 * 200 / 280), atol=1.5)
    assert plate.volume == pytest.approx(np.prod(plate.extents), rel=0.03)


def test_several_candidates_come_with_a_sheet(drawings, tmp_path, capsys):
    assert call("reconstruct", drawings / "vase.png", "--candidates", "3", "--out", tmp_path) == 0
    written = names(tmp_path)
    assert len(written) == 4 and "vase.candidates.png" in written
    assert {name.split("-")[2].split(".")[0] for name in written if name.endswith(".stl")} <= {
        "model", "revolve", "inflate", "extrude"}
    with Image.open(tmp_path / "vase.candidates.png") as sheet:
        assert sheet.width > 4 * 200
    assert call("reconstruct", drawings / "vase.png", "--candidates", "9", "--out", tmp_path) != 0
    assert "candidates must be from 1 to 5, got 9" in lines(capsys)[-1]


def test_three_pictures_make_one_chair(drawings, tmp_path, capsys):
    pictures = [drawings / f"chair-{number}.png" for number in range(3)]
    assert call("reconstruct", "--one", *pictures, "--out", tmp_path, "--json") == 0
    (made,) = document(capsys)
    assert names(tmp_path) == ["chair-0.stl"] and made["pictures"] == [str(path) for path in pictures]
    assert sum("agrees to" in note for note in made["notes"]) == 2
    assert trimesh.load_mesh(tmp_path / "chair-0.stl").is_watertight


@pytest.mark.parametrize(("options", "message"), [
    (["--sides", "front"], "--sides is for several pictures of one object; add --one"),
    (["--one", "--by", "model"], "--one is by the model; leave out --by, --candidates and --class"),
    (["--candidates", "2", "--as-read"], "--candidates tries all ways; leave out --by, --as-read and --class"),
])
def test_options_that_do_not_go_together_are_refused(drawings, tmp_path, capsys, options, message):
    assert call("reconstruct", drawings / "vase.png", *options, "--out", tmp_path / "out") == 2
    assert message in lines(capsys)[-1] and not (tmp_path / "out").exists()


def test_one_picture_is_not_several_and_sides_are_known_words(drawings, tmp_path, capsys):
    assert call("reconstruct", "--one", drawings / "vase.png", "--out", tmp_path) == 1
    assert "one object is made of 2 to 8 pictures, got 1" in lines(capsys)[-1]
    both = [drawings / "chair-0.png", drawings / "chair-1.png"]
    assert call("reconstruct", "--one", *both, "--sides", "front", "top", "--out", tmp_path) == 1
    assert "a side must be front, left, back, right or degrees, got 'top'" in lines(capsys)[-1]
    assert call("reconstruct", both[0], "--class", "chair", "--model", "modelnet", "--out", tmp_path) == 1
    assert "does not take a class with a picture" in lines(capsys)[-1]
