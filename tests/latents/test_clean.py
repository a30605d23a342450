"""Clean drawings of known objects: the side that a picture shows, and lines within the page."""

import numpy as np
import pytest
import trimesh
from tiny import tiny

from maquette.datasets.furniture import make
from maquette.datasets.prepare import prepare
from maquette.errors import UserError
from maquette.geometry.shape import Shape
from maquette.intake.pickup import Pickup
from maquette.latents import Known, Suggested, catalogue
from maquette.latents.clean import clean_drawing, most_similar_view
from maquette.models.prior import encode
from maquette.models.views import views_of
from maquette.plotting import drawing as plotter
from maquette.plotting.settings import Paper, ViewOptions


@pytest.fixture(scope="module")
def model():
    return tiny("vae-iwgan-image")


@pytest.fixture(scope="module")
def found(model, tmp_path_factory):
    """Three boxes with four views each, as the model sees them."""
    folder = tmp_path_factory.mktemp("boxes")
    for number, sides in enumerate([(1, 1, 4), (4, 4, 1), (3, 1, 2)]):
        (folder / "box").mkdir(exist_ok=True)
        trimesh.creation.box(sides).export(folder / "box" / f"{number}.stl")
    list(prepare(folder, folder / "set", resolution=16, views=4, view_size=32, workers=1))
    *_, catalog = catalogue(model, folder / "set", folder / "cache", workers=1)
    return catalog


@pytest.mark.parametrize("row, view", [(0, 0), (1, 2), (2, 3)])
def test_the_side_is_that_of_the_view_that_looks_most_alike(model, found, row, view):
    seen = encode(model, views_of(found.data.views([row], [view])))[0]
    one = Known("box", "box", 1.0, Shape(np.ones((4, 4, 4))), row)
    camera = found.data.cameras([row], [view])[0]
    look = most_similar_view(model, found, one, seen)
    assert (look.azimuth_deg, look.elevation_deg, look.fov_deg) == pytest.approx(tuple(camera[:3]))


def test_a_dataset_without_cameras_is_drawn_from_the_usual_side(model, found, monkeypatch):
    def none(*_):
        raise UserError("no cameras")

    monkeypatch.setattr(type(found.data), "cameras", none)
    one = Known("box", "box", 1.0, Shape(np.ones((4, 4, 4))))
    assert most_similar_view(model, found, one, np.zeros(6)) == ViewOptions()


def test_furniture_is_drawn_with_its_own_edges_and_others_by_their_voxels(model, found):
    seen = encode(model, views_of(found.data.views([1], [0])))[0]
    one = Known("furniture-table-000004", "table", 1.0, Shape(np.ones((8, 8, 8))), 1)
    pickup = Pickup(np.zeros((1, 32, 32), np.float32), "photo", (0, 0, 32, 32))
    suggested, sheet = Suggested(pickup, (one,), seen), Paper(100, 80, 10)
    look = most_similar_view(model, found, one, seen)
    drawing = clean_drawing(model, found, suggested, one, "furniture", sheet)
    wanted = plotter.mesh_strokes(make("table", 4), look, sheet)
    assert drawing.name == one.name and drawing.strokes.length == pytest.approx(wanted.length)
    cube = clean_drawing(model, found, suggested, one, "elsewhere", sheet).strokes
    assert cube.bounds[0] >= 10 and cube.bounds[3] <= 70 and len(cube) < 20 and cube.length > 150
