"""The page's mesher against Python's, on the bundled examples."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from maquette.geometry.mesh import is_closed, surface
from maquette.intake.pickup import frame_object, read_picture

EXAMPLES = Path(__file__).parents[2] / "src" / "maquette" / "examples"
MESH = """async ([grid, side, threshold]) => {
    const { surface } = await import('/js/mesher/surface.js');
    const { vertices, faces } = surface(Float32Array.from(grid), side, { threshold });
    return [[...vertices], [...faces]];
}"""
VIEW = """async ([name, channels]) => {
    const { pictureOf } = await import('/js/intake/picture.js');
    const bitmap = await createImageBitmap(await (await fetch(name)).blob());
    const found = pictureOf(bitmap, 96, 160, channels);
    return [found.photo, [...found.view]];
}"""
PICTURES = sorted(path for path in EXAMPLES.glob("*.png"))


@pytest.fixture(scope="module")
def grids():
    from maquette.models import hub, predict

    model = hub.load("maquette")
    facts = model.facts
    views = [frame_object(read_picture(path), facts.view_size, facts.image_channels).image for path in PICTURES]
    return predict.occupancy(model, np.stack(views)), model.threshold


def test_meshes_are_closed_and_as_large_as_pythons(opened, grids):
    page = opened()
    for grid, path in zip(grids[0], PICTURES, strict=True):
        vertices, faces = page.evaluate(MESH, [grid.ravel().tolist(), len(grid), grids[1]])
        made = trimesh.Trimesh(np.reshape(vertices, (-1, 3)), np.reshape(faces, (-1, 3)), process=False)
        expected = surface(grid, grids[1])
        assert is_closed(made), path.name
        assert made.volume == pytest.approx(expected.volume, rel=0.01), path.name
        assert np.allclose(made.bounds, expected.bounds, atol=0.004), path.name


def test_random_fields_are_closed(opened):
    page, random = opened(), np.random.default_rng(0)
    for side in (9, 16):
        grid = random.random((side,) * 3).astype(np.float32)
        vertices, faces = page.evaluate(MESH, [grid.ravel().tolist(), side, 0.5])
        assert is_closed(trimesh.Trimesh(np.reshape(vertices, (-1, 3)), np.reshape(faces, (-1, 3)), process=False))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_are_framed_as_python_frames_them(opened, server, site, path, channels):
    page = opened()
    (site / "given.png").write_bytes(path.read_bytes())
    photo, view = page.evaluate(VIEW, [server.url + "given.png", channels])
    found = frame_object(read_picture(path), 96, channels)
    assert photo == (found.kind == "photo")
    apart = np.abs(np.reshape(view, (-1, 96, 96)) - found.image).mean()  # a drawing is grey
    assert apart < 0.06, f"{apart:.3f}"
