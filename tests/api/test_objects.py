"""The verbs on objects: what they take, and that Python writes the files that the command writes."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from command import call
from PIL import Image

import maquette
from maquette.io.formats import read_mesh
from maquette.outputs.pictures import EXAMPLES

CHAIR = EXAMPLES / "chair.png"
MESHES = ("stl", "obj", "ply", "glb", "3mf", "off")


@pytest.fixture(scope="module")
def model():
    return maquette.load("maquette")


@pytest.fixture(scope="module")
def made(model):
    return maquette.reconstruct(CHAIR, model, size_mm=80)


def as_it_stands(path: Path) -> np.ndarray:
    """The bounds of a file's coordinates, in the file's own unit and axes."""
    return trimesh.load_scene(path).bounds


@pytest.mark.parametrize("suffix", MESHES)
def test_python_writes_what_the_command_writes(made, tmp_path, suffix):
    command = tmp_path / f"command.{suffix}"
    assert call("reconstruct", CHAIR, "--size-mm", "80", "--out", command) == 0
    saved, exported = (tmp_path / f"{name}.{suffix}" for name in ("saved", "exported"))
    assert made.save(saved) == saved
    made.mesh.export(exported)
    assert saved.read_bytes() == command.read_bytes()
    assert np.allclose(as_it_stands(exported), as_it_stands(command), rtol=1e-6, atol=1e-6)
    assert np.allclose(read_mesh(exported).bounds, read_mesh(command).bounds, atol=1e-4)
    assert np.isclose(read_mesh(exported).extents.max(), 80, rtol=1e-5)
    assert len(read_mesh(exported).faces) == len(read_mesh(command).faces)


def test_glb_is_in_metres_and_y_up_however_it_is_exported(made, tmp_path):
    standing = np.array(made.mesh.extents) / 1000
    for mesh in (made.mesh, made.mesh.copy()):
        mesh.export(tmp_path / "a.glb")
        again = trimesh.load_scene(tmp_path / "a.glb")
        assert np.allclose(again.extents, standing[[0, 2, 1]], atol=1e-6)
        data = mesh.export(file_type="glb")
        assert isinstance(data, bytes) and np.allclose(
            trimesh.load_scene(trimesh.util.wrap_as_stream(data), file_type="glb").bounds, again.bounds)
    assert np.isclose(made.mesh.extents.max(), 80), "the mesh itself is not turned"


def test_grids_are_saved_too(made, tmp_path):
    made.save(tmp_path / "chair.npz")
    assert np.array_equal(maquette.Shape.load(tmp_path / "chair.npz").occupancy, made.shape.occupancy)


def test_a_picture_is_taken_in_any_form(model, made):
    for given in (str(CHAIR), CHAIR.read_bytes(), Image.open(CHAIR), np.asarray(Image.open(CHAIR).convert("RGB"))):
        again = maquette.reconstruct(given, model, size_mm=80)
        assert np.array_equal(again.shape.occupancy, made.shape.occupancy)
        assert np.array_equal(again.mesh.vertices, made.mesh.vertices)


def test_a_model_is_taken_as_a_name_a_path_or_itself(model):
    from maquette.models import hub

    first = maquette.generate(model, 1, seed=3, class_name="chair")[0]
    for given in ("maquette", hub.BUNDLED / "maquette", str(hub.BUNDLED / "maquette")):
        assert np.array_equal(maquette.generate(given, 1, seed=3, class_name="chair")[0].occupancy, first.occupancy)


def test_flat_drawings_take_a_picture_in_any_form(tmp_path):
    picture = np.full((90, 120), 255, np.uint8)
    picture[20:70, 30:100] = 20
    Image.fromarray(picture).save(tmp_path / "plate.png")
    options = maquette.ReliefOptions(size_mm=40)
    forms = (tmp_path / "plate.png", picture, Image.fromarray(picture))
    made = [maquette.make_relief(given, options) for given in forms]
    assert all(np.array_equal(one.mesh.vertices, made[0].mesh.vertices) for one in made)
    made[0].mesh.export(tmp_path / "plate.glb")
    assert np.allclose(read_mesh(tmp_path / "plate.glb").bounds, made[0].mesh.bounds, atol=1e-3)
    pages = [maquette.rectify_page(given).picture for given in (tmp_path / "plate.png", picture)]
    assert np.array_equal(*pages)
    lines = [maquette.draw(given).strokes.length for given in forms]
    assert lines[0] == lines[1] == lines[2] > 0
