"""Clean line drawings of the known objects that a rough drawing is most like, from the side that it shows."""

from pathlib import Path

import numpy as np

from maquette.datasets.sources import is_furniture
from maquette.errors import UserError
from maquette.latents.suggestion import VIEWS, Catalogue, Known, Suggested, cosines
from maquette.models import prior
from maquette.models.hub import Model
from maquette.models.pixels import as_images
from maquette.plotting import drawing as plotter
from maquette.plotting.settings import Paper, ViewOptions


def side_of(model: Model, found: Catalogue, one: Known, seen: np.ndarray) -> ViewOptions:
    """From where a known object looks most like what the encoder saw in a picture, `seen` [latent]: of its rendered
    views the one whose latent has the highest cosine; the usual side where the dataset does not keep its cameras.
    """
    count = min(VIEWS, found.data.view_count(one.row))
    rows, which = np.full(count, one.row), np.arange(count)
    try:
        cameras = found.data.cameras(rows, which)
    except UserError:
        return ViewOptions()
    latents = prior.encode(model, as_images(found.data.views(rows, which))).numpy()
    azimuth, elevation, fov = (float(value) for value in cameras[cosines(found.features, latents, seen).argmax(), :3])
    return ViewOptions(azimuth, elevation, fov)


def clean_drawing(
    model: Model, found: Catalogue, suggested: Suggested, one: Known, among: str | Path, sheet: Paper
) -> plotter.Drawing:
    """A known object as strokes on a sheet, hidden lines removed, seen from `side_of`.

    Args:
        among: Where the known objects are from; furniture is made anew, with its sharp edges, others are drawn by the
            surface of their voxels.

    Raises:
        UserError: For an object that is empty or too large to draw.
    """
    mesh = one.shape.surface() if not is_furniture(among) else _made(one)
    strokes = plotter.mesh_strokes(mesh, side_of(model, found, one, suggested.seen), sheet)
    return plotter.sorted_drawing(strokes, one.name, "shape")


def _made(one: Known):
    from maquette.datasets.furniture import make

    return make(one.label, int(one.name.rsplit("-", 1)[1]))
