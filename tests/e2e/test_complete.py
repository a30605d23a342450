"""Depth scans as a user drives them: shapes with scans, a model that learns from them, `maquette complete`."""

import json

import numpy as np
import pytest
import trimesh
from command import call
from PIL import Image
from staged import CAMERA, FLOOR, METRES, SETTEE, depth_mm, intrinsics, write_png

from maquette import api
from maquette.errors import UserError
from maquette.models.networks import model_of
from maquette.recipe import load
from maquette.rendering import sheets as preview
from maquette.scans import scan
from maquette.systems import SYSTEMS


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of the tiny recipe on 13 pieces of furniture, made and trained through the command line, and resumed."""
    root = tmp_path_factory.mktemp("trained")
    data = str(root / "set")
    assert call("data", "prepare", "furniture", "--out", data, "--count", "13", "--resolution", "20", "--scans", "2",
                "--workers", "1") == 0
    options = ("--data.path", data, "--train.steps", "4", "--run", str(root / "run"))
    assert call("train", "vae-iwgan-scan-tiny", *options) == 0
    assert call("train", "--resume", str(root / "run"), "--train.steps", "6") == 0
    return root / "run"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A depth picture on a floor, its intrinsics, a partial grid, and a file that is no scan."""
    root = tmp_path_factory.mktemp("inputs")
    write_png(root / "depth.png", depth_mm(trimesh.util.concatenate([SETTEE, FLOOR])))
    np.save(root / "grid.npy", scan(SETTEE, CAMERA, 20))
    (root / "bad.ply").write_bytes(b"nothing")
    camera = intrinsics()
    matrix = [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]]
    (root / "camera.json").write_text(json.dumps({"K": matrix}))
    return root


def complete(trained, *words: str) -> int:
    """Completes with a threshold at which an untrained model still gives something solid."""
    return call("complete", *words, "--model", str(trained), "--threshold", "0.02")


def test_scans_become_watertight_meshes_beside_the_bad_ones(trained, inputs, tmp_path, capsys):
    words = (str(inputs), "--out", str(tmp_path), "--intrinsics", str(inputs / "camera.json"), "--azimuth-deg", "30",
             "--json")
    assert complete(trained, *words) == 1
    said = capsys.readouterr()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["depth.stl", "grid.stl"]
    bad, depth, grid = json.loads(said.out)
    assert "bad.ply cannot be read as ply" in bad["error"] and "bad.ply" in said.err
    for found, size in ((depth, None), (grid, 100)):
        mesh = trimesh.load(found["output"][0])
        assert mesh.is_volume and found["watertight"]
        assert mesh.extents.max() == pytest.approx(found["size_mm"], abs=1e-2)
        assert size is None or found["size_mm"] == size
    assert "1000 units of depth taken for a metre" in depth["notes"]
    assert depth["metric"] and depth["scan"]["plane"] and grid["scan"] == {} and not grid["metric"]
    assert depth["scan"]["unit"] == pytest.approx(METRES, rel=0.01)
    # its longest side is as many voxels of the grid as it is, in the scan's own millimetres
    shape = api.complete(inputs / "depth.png", str(trained), intrinsics=intrinsics(), azimuth_deg=30, threshold=0.02)
    longest = np.ptp(np.argwhere(shape.shape.voxels), axis=0).max() + 1
    assert depth["size_mm"] == pytest.approx(1000 * METRES * longest / 20, rel=0.1)


def test_the_preview_puts_the_scans_voxels_beside_the_mesh(trained, inputs, tmp_path, monkeypatch):
    sides = [np.full((320, 320, 3), 10 * k, np.uint8) for k in range(4)]
    monkeypatch.setattr(preview, "_shaded", lambda mesh, views, size_px: sides)
    assert complete(trained, str(inputs / "grid.npy"), "--out", str(tmp_path), "--preview") == 0
    voxels = preview.blocks(np.load(inputs / "grid.npy"), 320, *preview.SIDES["front"])
    assert voxels.std() > 5
    with Image.open(tmp_path / "grid.preview.png") as picture:
        page = np.asarray(picture)
    gap = 320 // 24
    cells = [page[gap : gap + 320, gap + k * (320 + gap) :][:, :320] for k in range(5)]
    for cell, expected in zip(cells, [voxels, *sides], strict=True):
        assert np.array_equal(cell, expected)


def test_one_file_of_a_size_and_a_format(trained, inputs, tmp_path, capsys):
    out = tmp_path / "a.ply"
    assert complete(trained, str(inputs / "depth.png"), "--out", str(out), "--size-mm", "60", "--elevation-deg", "30",
                    "--intrinsics", f"{CAMERA.focal_px},{CAMERA.focal_px},199.5,199.5") == 0
    assert trimesh.load(out).extents.max() == pytest.approx(60, abs=1e-3)
    said = capsys.readouterr().out
    assert "floor left out" in said and "camera 30 degrees above the horizon" in said and f"-> {out}" in said
    assert "taken to be seen from" in said, "no azimuth was given"
    assert complete(trained, str(inputs), "--out", str(out)) == 1
    assert "is one file, but there are 3 inputs; give a folder" in capsys.readouterr().err


def test_what_cannot_be_is_one_clear_line(trained, inputs, tmp_path, capsys):
    def said(*words: str) -> str:
        assert complete(trained, *words, "--out", str(tmp_path)) == 1
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
        return line

    depth = str(inputs / "depth.png")
    assert "the camera's intrinsics are missing" in said(depth)
    assert "intrinsics are fx,fy,cx,cy in pixels" in said(depth, "--intrinsics", "1,2")
    assert "gone.npy does not exist" in said(str(tmp_path / "gone.npy"))
    assert call("complete", "--model", str(trained)) == 2
    assert "name at least one scan" in capsys.readouterr().err
    system = SYSTEMS["iwgan"](SYSTEMS["iwgan"].Config(resolution=20, latent=4))
    other = model_of("other", system, {}, {})
    with pytest.raises(UserError, match="'other' does not read scans; use 'scan' or one trained with vae-iwgan-scan"):
        api.complete(inputs / "grid.npy", other)
    with pytest.raises(UserError, match="does not read scans"):
        next(api.evaluate(other, "scans", str(inputs)))
    with pytest.raises(UserError, match="does not read pictures; it reads scans: maquette complete"):
        api.reconstruct(depth, str(trained))
    pictures = model_of("pictures", SYSTEMS["vae-iwgan-image"](load("vae-iwgan-image-tiny").model), {}, {})
    with pytest.raises(UserError, match="nothing of this name to measure on, got 'moon'; it knows modelnet10"):
        next(api.evaluate(pictures, "moon", str(inputs)))


def test_what_the_run_says_of_itself(trained, capsys):
    card = (trained / "model" / "README.md").read_text()
    assert "maquette complete chair.ply" in card and "| iou |" in card and "image-to-3d" not in card
    info = json.loads((trained / "model" / "config.json").read_text())
    assert set(info["validation"]) == {"iou", "threshold"} and len(api.load(str(trained)).latents["mean"]) == 13
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert "encoder/kl_nats" in next(row for row in rows if row["event"] == "probed")
    with Image.open(trained / "samples" / "samples-0000006.png") as sheet:
        assert np.asarray(sheet).std() > 5
    call("doctor", str(trained))
    assert "networks: step-0000006, on 2 batches" in capsys.readouterr().out
    assert api.generate(str(trained), 1, seed=3)[0].resolution == 20


def test_shapes_without_scans_are_named(trained, tmp_path, capsys):
    data = str(tmp_path / "set")
    assert call("data", "prepare", "furniture", "--out", data, "--count", "3", "--resolution", "20", "--workers",
                "1") == 0
    assert call("train", "vae-iwgan-scan-tiny", "--data.path", data, "--run", str(tmp_path / "run")) == 1
    line = "has no scans, which a vae-iwgan-scan model learns from; prepare it again with --scans 15"
    assert line in capsys.readouterr().err


def test_evaluate_on_scans(trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cube = np.zeros((1, 30, 30, 30), np.uint8)
    cube[:, 3:27, 3:27, 3:27] = 1
    np.savez("tiny.npz", X_train=cube * 0, y_train=np.zeros(1, int), X_test=cube, y_test=np.zeros(1, int),
             classes=np.array(["table"]))
    options = ("--on", "scans", "--data.path", "tiny.npz", "--views", "2", "--json", "-")
    assert call("evaluate", str(trained), *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["table"][-1]["class"] == "all shapes" and 0 < found["mean_iou_of_scans"] < 0.2
    assert found["title"].startswith("Test split of tiny.npz, completed from 2 scans a shape")
