"""interpolate, combine, project and suggest as a user drives them: files, pictures, JSON, exit codes and messages."""

import json

import numpy as np
import pytest
import trimesh
from command import call, lines, names
from PIL import Image
from tiny import tiny

from maquette import api
from maquette.datasets.prepare import prepare
from maquette.models import hub, prior
from maquette.outputs import latents as outputs_latent
from maquette.outputs import suggestions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tiny models as folders: one that reads pictures and one that does not."""
    root = tmp_path_factory.mktemp("models")
    for name in ("vae-iwgan-image", "iwgan"):
        model = tiny(name)
        hub.save(root / name, model.system, model.info, "# A card\n", model.latents)
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(outputs_latent, "CELL_PX", 48)
    monkeypatch.setattr(suggestions, "CELL_PX", 48)
    monkeypatch.setattr(outputs_latent, "PREVIEW_PX", 64)


@pytest.fixture
def picture(tmp_path):
    page = np.full((64, 64), 255, np.uint8)
    page[16:48, 20:44] = 60
    path = tmp_path / "box.png"
    Image.fromarray(page).save(path)
    return str(path)


def test_interpolate_writes_meshes_latents_a_sheet_and_a_gif(folder, picture, tmp_path, capsys):
    out, name = tmp_path / "out", str(folder / "vae-iwgan-image")
    code = call("interpolate", "chair:7", picture, "sofa:3", "--steps", "3", "--frames", "4", "--model", name, "--out",
                str(out), "--size-mm", "50", "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    steps = [f"step-{index:02d}" for index in range(5)]
    wanted = [f"{step}{ending}" for step in steps for ending in (".stl", ".latent.npy")]
    assert names(out) == sorted([*wanted, "sheet.png", "interpolation.gif"])
    assert trimesh.load(out / "step-02.stl").extents.max() == pytest.approx(50, abs=1e-3)
    model = api.load(name)
    latents = np.stack([np.load(out / f"{step}.latent.npy", allow_pickle=False) for step in steps])
    assert latents.dtype == np.float32
    assert np.array_equal(latents[0], prior.draw(model, 7, class_name="chair"))
    assert np.array_equal(latents[4], prior.draw(model, 3, class_name="sofa"))
    assert np.allclose(latents[1], (latents[0] + latents[2]) / 2, atol=1e-6)
    with Image.open(out / "interpolation.gif") as gif:
        assert gif.n_frames == 2 * (2 * 4) and gif.info["loop"] == 0 and gif.info["duration"] == 80
        assert gif.size == (48, 48)
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width == 4 + 5 * 52 and 52 < sheet.height < 80
    assert len(document) == 7 and document[0]["output"] == [str(out / "step-00.stl"), str(out / "step-00.latent.npy")]
    assert document[5]["operands"] == ["chair:7", picture, "sofa:3"] and document[6]["frames"] == 16


def test_a_saved_latent_is_an_operand_again(folder, tmp_path, capsys):
    out, name = tmp_path / "out", str(folder / "iwgan")
    first = ("interpolate", "1", "2", "--no-gif", "--model", name, "--out", str(out), "--steps", "2", "--format", "npz")
    assert call(*first) == 0
    assert names(out) == ["sheet.png", "step-00.latent.npy", "step-00.npz", "step-01.latent.npy", "step-01.npz"]
    said = capsys.readouterr().out
    assert f"step-00 -> {out / 'step-00.npz'}, {out / 'step-00.latent.npy'}" in said
    assert call("combine", f"{out / 'step-00.latent.npy'} - 1 + 2", "--model", name, "--out", str(tmp_path / "c")) == 0
    assert names(tmp_path / "c") == ["combined.latent.npy", "combined.stl", "sheet.png"]
    assert np.array_equal(np.load(tmp_path / "c" / "combined.latent.npy"), np.load(out / "step-01.latent.npy"))


def test_combine_takes_words_too_and_shows_the_sum(folder, tmp_path, capsys):
    out = tmp_path / "out"
    code = call("combine", "1", "-", "0.5*2", "+", "3", "--model", str(folder / "iwgan"), "--out", str(out), "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == 0 and document[0]["expression"] == "1 - 0.5*2 + 3" and document[1]["operands"] == ["1", "2", "3"]
    with Image.open(out / "sheet.png") as sheet:
        page = np.asarray(sheet)
    assert page.shape[1] > 4 + 4 * 52 + 3 * 8 and page.shape[0] == 2 * 4 + 48 + 15
    tiles = page[4:52, 4:52], page[4:52, -52:-4]
    assert all(tile.std() > 5 for tile in tiles) and not np.array_equal(*tiles)


def test_project_names_the_bad_and_does_the_good(folder, tmp_path, capsys):
    out, name = tmp_path / "out", str(folder / "iwgan")
    api.generate(api.load(name), 1, seed=5)[0].save(tmp_path / "made.npz")
    np.savez(tmp_path / "empty.npz", occupancy=np.zeros((8, 8, 8)))
    inputs = (str(tmp_path / "empty.npz"), str(tmp_path / "made.npz"), str(tmp_path / "gone.stl"))
    options = ("--steps", "10", "--starts", "2", "--draws", "8", "--preview", "--model", name, "--out", str(out))
    assert call("project", *inputs, *options, "--json") == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert names(out) == ["made-projected.latent.npy", "made-projected.preview.png", "made-projected.stl"]
    assert "empty.npz is empty" in document[0]["error"] and "gone.stl" in document[2]["error"]
    assert 0 < document[1]["iou_start"] <= 1 and 0 < document[1]["iou_end"] <= 1
    assert len([line for line in said.err.splitlines() if line.startswith("maquette: ")]) == 2
    assert "projecting: 10 of 10" in said.err
    with Image.open(out / "made-projected.preview.png") as preview:
        assert preview.width == 4 + 2 * 68
    assert call("project", inputs[1], *options, "--overwrite") == 0
    assert "IoU " in capsys.readouterr().out


def test_suggest_writes_a_sheet_and_meshes(folder, picture, tmp_path, capsys):
    shapes = tmp_path / "shapes"
    for number in range(3):
        (shapes / "box").mkdir(parents=True, exist_ok=True)
        trimesh.creation.box((1 + number, 2, 3)).export(shapes / "box" / f"{number}.stl")
    list(prepare(shapes, tmp_path / "set", resolution=16, views=1, view_size=32, workers=1))
    out, gone = tmp_path / "out", str(tmp_path / "gone.png")
    command = ("suggest", gone, picture, "--among", str(tmp_path / "set"), "--count", "2", "--cache",
               str(tmp_path / "cache"), "--meshes", "--model", str(folder / "vae-iwgan-image"), "--out", str(out))
    assert call(*command, "--json") == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert "gone.png does not exist" in document[0]["error"]
    nearest = document[1]["nearest"]
    assert len(nearest) == 2 and nearest[0]["similarity"] >= nearest[1]["similarity"]
    assert {one["label"] for one in nearest} == {"box"}
    files = [f"box-suggested-{rank}-{one['name'].replace('/', '-')}.stl" for rank, one in enumerate(nearest, 1)]
    assert names(out) == sorted([*files, "box-suggested.png"])
    with Image.open(out / "box-suggested.png") as sheet:
        assert sheet.width == 4 + 3 * 52
    assert "looking at known objects: 3 of 3" in said.err
    assert [max(one["extents_mm"]) for one in document[1]["meshes"]] == pytest.approx([100, 100])
    assert {(one["unit"], one["up"]) for one in document[1]["meshes"]} == {("mm", "z")}
    assert call(*command, "--size-mm", "900", "--overwrite") == 1
    said = capsys.readouterr()
    assert "looking" not in said.err, "the second time is quick"
    assert "meshes of 900 mm at their longest; z up; 900 mm long: beyond most printers" in said.out


@pytest.mark.parametrize(
    "command, code, says",
    [
        (("interpolate",), 2, "name two operands at least"),
        (("interpolate", "7"), 1, "from two to 64 operands are needed, got 1"),
        (("interpolate", "7", "dragon"), 1, "an operand is a seed (7)"),
        (("interpolate", "7", "8", "--steps", "1"), 1, "steps must be from 2 to 1000, got 1"),
        (("interpolate", "7", "8", "--frames", "0"), 1, "frames must be from 1 to 240, got 0"),
        (("interpolate", "7", "gone.stl"), 1, "cannot read gone.stl"),
        (("interpolate", "7", "dragon:3"), 1, "has no class of this name, got 'dragon'; it has no latents of classes"),
        (("combine",), 2, "write an expression"),
        (("combine", "7 +"), 1, "the expression cannot be read, got '7 +'"),
        (("combine", "7"), 1, "from two to 64 operands are needed, got 1"),
        (("project",), 2, "name at least one mesh or grid file"),
        (("project", "-", "--steps", "0"), 1, "steps must be from 1 to 100000, got 0"),
        (("suggest",), 2, "name at least one picture"),
        (("suggest", "-"), 1, "does not read pictures; use one trained with vae-iwgan-image"),
        (("suggest", "-", "--count", "0"), 1, "count must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_is_one_clear_line(folder, tmp_path, capsys, command, code, says):
    assert call(*command, "--model", str(folder / "iwgan"), "--out", str(tmp_path / "out")) == code
    (line,) = lines(capsys)
    assert says in line
    assert not (tmp_path / "out").exists()


def test_a_shape_without_a_mesh_still_has_its_latent(folder, tmp_path, capsys):
    empty = tmp_path / "model"
    model = tiny("iwgan")
    model.system.nets["generator"].layers[-1].bias.sub_(1000)
    hub.save(empty, model.system, model.info, "# A card\n", {})
    out = tmp_path / "out"
    assert call("combine", "1 + 2", "--model", str(empty), "--out", str(out)) == 1
    (line,) = lines(capsys)
    assert "combined: the shape is empty" in line and names(out) == ["combined.latent.npy", "sheet.png"]
