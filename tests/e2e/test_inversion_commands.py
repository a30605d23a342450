"""reconstruct with models that have a field and no encoder: coloured meshes, previews, JSON, formats, messages."""

import json
from functools import partial

import numpy as np
import pytest
import torch
import trimesh
from command import call
from PIL import Image

from maquette import api
from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.fields import inversion
from maquette.fields.inversion import Search
from maquette.io import formats
from maquette.models import hub
from maquette.outputs import inversion as outputs_inversion
from maquette.outputs.inversion import invert_files
from maquette.systems import SYSTEMS


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained 3dgen-tiny as a folder: a sphere."""
    folder = tmp_path_factory.mktemp("models") / "3dgen"
    torch.manual_seed(0)
    hub.save(folder, SYSTEMS["3dgen"](recipes.load("3dgen-tiny").model), {}, "# A card\n", {})
    return str(folder)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A disc cut out by its alpha channel, one on grey, and a picture of nothing."""
    folder = tmp_path_factory.mktemp("pictures")
    across, down = np.meshgrid(np.arange(60), np.arange(50))
    disc = np.hypot(across - 30, down - 20) < 15
    noise = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    Image.fromarray(np.dstack([noise, np.uint8(255 * disc)])).save(folder / "cut.png")
    Image.fromarray(np.where(disc[..., None], np.uint8([20, 90, 160]), np.uint8(190))).save(folder / "plain.png")
    Image.fromarray(np.full((50, 60, 3), 200, np.uint8)).save(folder / "nothing.png")
    return folder


@pytest.fixture
def brief(monkeypatch):
    """Searches with few tries, surfaces of few cells, small previews."""
    monkeypatch.setattr(inversion, "Search", partial(Search, azimuths=2, elevations=1, draws=1, starts=1, rays=64))
    monkeypatch.setattr(outputs_inversion, "RESOLUTION", 32)
    monkeypatch.setattr(outputs_inversion, "CELL_PX", 60)


def test_each_picture_becomes_a_coloured_mesh_in_millimetres(model, pictures, tmp_path, capsys, brief):
    out = tmp_path / "out"
    code = call("reconstruct", str(pictures), str(pictures / "gone.png"), "--model", model, "--out", str(out),
                "--format", "ply", "--preview", "--size-mm", "80", "--steps", "2", "--seed", "1", "--json")
    said = capsys.readouterr()
    assert code == 1 and "looking for the object: 2 of 2" in said.err
    by_name = {entry["input"].rsplit("/", 1)[1]: entry for entry in json.loads(said.out)}
    assert "gone.png does not exist" in by_name["gone.png"]["error"]
    assert "nothing.png shows no object on its plain background" in by_name["nothing.png"]["error"]
    assert sorted(path.name for path in out.iterdir()) == [
        "cut.ply", "cut.preview.png", "plain.ply", "plain.preview.png"]
    for name in ("cut", "plain"):
        entry, mesh = by_name[f"{name}.png"], trimesh.load(out / f"{name}.ply")
        assert entry["watertight"] and entry["parts"] == 1 and entry["steps"] == 2 and not entry["cut_by_time"]
        assert entry["outline_iou"] > 0.8, "a sphere is round"
        assert mesh.is_volume and mesh.extents.max() == pytest.approx(80, abs=1e-3)
        assert mesh.bounds[0][2] == pytest.approx(0, abs=1e-3) and mesh.visual.kind == "vertex"
        assert 0 <= entry["azimuth_deg"] < 360 and entry["began_at"].startswith("azimuth ")
        assert any(note.startswith("seen from azimuth") for note in entry["notes"])
        with Image.open(out / f"{name}.preview.png") as preview:
            assert 6 * 60 < preview.size[0] < 7 * 66, "picture, found, and four sides"


@pytest.mark.parametrize("suffix", ["glb", "stl", "3mf", "binvox", "npz"])
def test_every_kind_of_file_can_be_asked_for(model, pictures, tmp_path, brief, suffix):
    out = tmp_path / f"disc.{suffix}"
    assert call("reconstruct", str(pictures / "cut.png"), "--model", model, "--out", str(out), "--steps", "1") == 0
    if formats.kind(out) == "grid":
        filled = formats.read_grid(out)
        assert filled.shape == (64,) * 3 and filled.mean() == pytest.approx(np.pi / 6, rel=0.1), "a sphere fills a cube"
    else:
        assert formats.read_mesh(out).is_volume


def test_glb_is_the_default_and_time_is_told(model, pictures, tmp_path, capsys, brief):
    given = (str(pictures / "cut.png"), "--model", model, "--out", str(tmp_path))
    assert call("reconstruct", *given, "--seconds", "1e-9") == 0
    said = capsys.readouterr().out
    assert (tmp_path / "cut.glb").is_file()
    assert "the time ended after 0 of 200 steps; give more with --seconds" in said and "watertight, 1 part" in said


def test_a_result_without_a_surface_names_the_picture_where_that_is_the_likelier_cause(model, tmp_path, capsys, brief):
    busy = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(busy).save(tmp_path / "busy.png")
    given = ("--model", model, "--out", str(tmp_path / "out"), "--steps", "1", "--threshold", "0.999999999")
    assert call("reconstruct", str(tmp_path / "busy.png"), *given) == 1
    assert ("what was found for it has no surface; it has no plain background and no alpha channel: the whole picture "
            "was compared with an object on white; cut the object out (a PNG with alpha)") in capsys.readouterr().err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_bad_options_are_told_before_anything_is_looked_for(model, pictures, tmp_path, capsys):
    def says(line: str, *options: str) -> None:
        assert call("reconstruct", str(pictures / "cut.png"), "--model", model, "--out", str(tmp_path), *options) == 1
        assert line in capsys.readouterr().err

    says("steps must be from 1 to 100000, got 0", "--steps", "0")
    says("seconds must be above 0, got -1.0", "--seconds", "-1")
    says("threshold must lie between 0 and 1, got 1.0", "--threshold", "1")
    says("size_mm must be from 1 to 2000 mm, got 0.0", "--size-mm", "0")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="--out .*one.glb is one file, but there are 3 inputs; give a folder"):
        list(invert_files([str(pictures)], tmp_path / "one.glb", api.load(model)))
