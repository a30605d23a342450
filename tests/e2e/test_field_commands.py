"""generate --mesh and interpolate with models that learned objects from images: files, pictures, JSON, messages."""

import base64
import dataclasses
import gzip
import json
import re

import numpy as np
import pytest
import torch
import trimesh
from command import call, lines, names
from PIL import Image
from radiographs import dataset
from tiny import tiny

from maquette import api
from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.models import hub
from maquette.outputs import fields as outputs_fields
from maquette.systems import SYSTEMS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of 3dgen-tiny, trained for two steps; an untrained graf-tiny and a model of voxels as folders."""
    root = tmp_path_factory.mktemp("models")
    data = dataset(root / "data", size="16x16", grey=False)
    assert call("train", "3dgen-tiny", "--data.path", str(data), "--run", str(root / "3dgen"), "--train.steps", "2",
                "--train.batch", "2", "--train.no-tensorboard") == 0
    torch.manual_seed(0)
    recipe = recipes.load("graf-tiny")
    hub.save(root / "graf", SYSTEMS["graf"](dataclasses.replace(recipe.model)), {}, "# A card\n", {})
    voxels = tiny("iwgan")
    hub.save(root / "iwgan", voxels.system, voxels.info, "# A card\n", {})
    return root


def test_generate_writes_coloured_meshes_a_sheet_and_turntables(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(outputs_fields, "TURN_FRAMES", 5)
    out, name = tmp_path / "out", str(folder / "3dgen")
    code = call("generate", "--model", name, "--mesh", "--resolution", "32", "--count", "2", "--seed", "7", "--format",
                "ply", "--size-mm", "50", "--turntable", "--preview", "html", "--out", str(out), "--json")
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert code == 0 and len(document) == 3
    samples = ["sample-7-000", "sample-7-001"]
    assert names(out) == sorted([*(f"{sample}{end}" for sample in samples for end in (".gif", ".ply", ".preview.html")),
                                  "sheet.png"])
    for index, sample in enumerate(samples):
        made = api.generate_mesh(name, 7, index, resolution=32)
        found = trimesh.load(out / f"{sample}.ply", process=False)
        assert found.is_watertight and found.extents.max() == pytest.approx(50, abs=1e-3)
        assert found.bounds[0, 2] == pytest.approx(0, abs=1e-5)
        assert np.array_equal(found.visual.vertex_colors[:, :3], made.colours) and made.colours.std() > 0
        page = (out / f"{sample}.preview.html").read_text(encoding="utf-8")
        packed = re.search('"colours": "([^"]+)"', page)[1]
        assert gzip.decompress(base64.b64decode(packed)) == made.colours.tobytes()
        assert document[index]["evaluations"] == made.evaluations == 33**3
        mean = "#" + "".join(f"{round(value):02x}" for value in made.colours.mean(0))
        assert document[index]["mean_colour"] == mean
        with Image.open(out / f"{sample}.gif") as gif:
            assert gif.n_frames == 5 and gif.size == (16, 16) and gif.info["loop"] == 0
    assert "turning sample-7-001: 5 of 5" in said.err and "generating: 2 of 2" in said.err
    with Image.open(out / "sheet.png") as sheet:
        middle = np.asarray(sheet)[60:100, 60:100].reshape(-1, 3)
    front = api.generate_mesh(name, 7, 0, resolution=32)
    shown = front.colours[(front.mesh.vertices[:, 1] > 0) & (front.mesh.vertices[:, 2] > -0.1)]
    assert (middle >= shown.min(0) - 1).all() and (middle <= shown.max(0) + 1).all()


def test_generate_writes_glb_unless_told_and_images_without_mesh(folder, tmp_path):
    options = ("generate", "--model", str(folder / "3dgen"), "--count", "1", "--resolution", "16")
    assert call(*options, "--out", str(tmp_path / "meshes"), "--mesh") == 0
    assert names(tmp_path / "meshes") == ["sample-0-000.glb", "sheet.png"]
    assert call(*options, "--out", str(tmp_path / "images")) == 0
    assert names(tmp_path / "images") == ["sample-0-000.png", "sheet.png"]


def test_a_sample_without_a_surface_is_named_and_the_others_are_done(folder, tmp_path, capsys, monkeypatch):
    options = ("generate", "--mesh", "--count", "2", "--resolution", "16")
    assert call(*options, "--model", str(folder / "graf"), "--out", str(tmp_path / "none")) == 1
    found = lines(capsys)
    assert len(found) == 2 and not (tmp_path / "none").exists()
    assert found[1].startswith("maquette: sample-0-001: the sample has no surface: its density reaches 5.55 nowhere")
    whole = api.generate_mesh

    def without_the_first(model, seed, index, **keys):
        if not index:
            raise UserError("the sample has no surface")
        return whole(model, seed, index, **keys)

    monkeypatch.setattr(outputs_fields, "generate_mesh", without_the_first)
    assert call(*options, "--model", str(folder / "3dgen"), "--format", "stl", "--out", str(tmp_path / "one")) == 1
    assert lines(capsys) == ["maquette: sample-0-000: the sample has no surface"]
    assert names(tmp_path / "one") == ["sample-0-001.stl", "sheet.png"]


@pytest.mark.parametrize("what", ["shape", "appearance", "both"])
def test_interpolate_in_shape_in_appearance_and_in_both(folder, tmp_path, capsys, what):
    out = tmp_path / "out"
    code = call("interpolate", "1", "2", "--model", str(folder / "3dgen"), "--what", what, "--steps", "3", "--frames",
                "4", "--resolution", "16", "--format", "ply", "--out", str(out), "--json")
    document = json.loads(capsys.readouterr().out)
    steps = [f"step-{index:02d}" for index in range(3)]
    assert code == 0 and len(document) == 5 and document[3]["operands"] == ["1", "2"] and document[4]["frames"] == 8
    assert names(out) == sorted(["interpolation.gif", "sheet.png",
                                 *(f"{step}{end}" for step in steps for end in (".latent.npy", ".ply"))])
    latents = np.stack([np.load(out / f"{step}.latent.npy") for step in steps])
    moved = {name: not (latents[:, part] == latents[0, part]).all()
             for name, part in (("shape", slice(0, 6)), ("appearance", slice(6, 11)), ("camera", slice(11, 14)))}
    assert moved == {"shape": what != "appearance", "appearance": what != "shape", "camera": False}
    first, last = (trimesh.load(out / f"{step}.ply", process=False) for step in (steps[0], steps[-1]))
    assert np.array_equal(first.vertices, last.vertices) == (what == "appearance")
    if what == "appearance":
        assert not np.array_equal(first.visual.vertex_colors, last.visual.vertex_colors)
    with Image.open(out / "interpolation.gif") as gif:
        assert gif.size == (16, 16) and gif.info["duration"] == 80
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width == 8 + 3 * 208


def test_a_saved_latent_is_an_operand_and_a_step_without_a_surface_has_a_picture(folder, tmp_path, capsys):
    np.save(tmp_path / "one.npy", np.linspace(-1, 1, 14, dtype=np.float32))
    out = tmp_path / "out"
    assert call("interpolate", str(tmp_path / "one.npy"), "2", "--model", str(folder / "graf"), "--steps", "2",
                "--no-gif", "--resolution", "16", "--out", str(out)) == 1
    found = lines(capsys)
    assert len(found) == 2 and found[1].startswith("maquette: step-01: the sample has no surface")
    assert names(out) == ["sheet.png", "step-00.latent.npy", "step-01.latent.npy"]
    assert np.array_equal(np.load(out / "step-00.latent.npy"), np.load(tmp_path / "one.npy"))


@pytest.mark.parametrize("model, command, says", [
    ("iwgan", ("generate", "--mesh"), "has no field to take meshes of: it is a iwgan; it makes meshes without --mesh"),
    ("3dgen", ("generate", "--turntable"), "--turntable goes with --mesh"),
    ("3dgen", ("generate", "--mesh", "--class", "chair"), "knows no classes, got --class chair"),
    ("3dgen", ("generate", "--mesh", "--count", "0"), "count must be at least 1, got 0"),
    ("3dgen", ("generate", "--mesh", "--format", "npz"),
     "meshes of a field are written as stl, obj, ply, glb, 3mf, off, got npz"),
    ("3dgen", ("generate", "--mesh", "--resolution", "100"),
     "resolution must be a multiple of 16 from 16 to 512, got 100"),
    ("3dgen", ("generate", "--mesh", "--level", "1"), "level must lie between 0 and 1, got 1.0"),
    ("3dgen", ("interpolate", "1"), "from two to 64 operands are needed, got 1"),
    ("3dgen", ("interpolate", "1", "2", "--steps", "1"), "steps must be from 2 to 1000, got 1"),
    ("3dgen", ("interpolate", "1", "2", "--frames", "0"), "frames must be from 1 to 240, got 0"),
    ("3dgen", ("interpolate", "1", "2", "--format", "mat"), "meshes of a field are written as"),
    ("3dgen", ("interpolate", "1", "chair.stl"),
     "chair.stl is a shape, of which model 'MODEL' has no latent; give seeds or latents"),
    ("3dgen", ("combine", "1 + 2"), "model 'MODEL' makes no shapes: it is a 3dgen"),
    ("iwgan", ("interpolate", "1", "2", "--what", "shape"),
     "has no shape code of its own: it is a iwgan, got --what shape"),
])
def test_what_cannot_be_is_one_clear_line(folder, tmp_path, capsys, model, command, says):
    name = str(folder / model)
    assert call(*command, "--model", name, "--out", str(tmp_path / "out")) == 1
    (line,) = lines(capsys)
    assert says.replace("MODEL", name) in line and not (tmp_path / "out").exists()
