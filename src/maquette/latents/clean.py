"""Clean line drawings of the known objects that a rough drawing is most like, from the same side."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from maquette.datasets.sources import mesh_of
from maquette.datasets.sources.generated import maker_of
from maquette.errors import UserError
from maquette.latents.suggestion import VIEWS, Catalogue, Known, Suggested, cosine_similarities
from maquette.models import prior
from maquette.models.hub import Model
from maquette.models.views import views_of
from maquette.plotting import drawing as plotter
from maquette.plotting.settings import Paper, ViewOptions


def most_similar_view(model: Model, found: Catalogue, one: Known, seen: Float[np.ndarray, " latent"]) -> ViewOptions:
    """The view of a known object that is most like a picture.

    Of the object's rendered views it is the one whose latent has the highest cosine similarity with the picture's. If
    the dataset does not keep its cameras, it is the default view.

    Args:
        model: Has the encoder.
        found: The known objects.
        one: The object.
        seen: The picture's latent.
    """
    count = min(VIEWS, found.data.view_count(one.row))
    rows, which = np.full(count, one.row), np.arange(count)
    try:
        cameras = found.data.cameras(rows, which)
    except UserError:
        return ViewOptions()
    latents = prior.encode(model, views_of(found.data.views(rows, which)))
    best = cosine_similarities(found.features, latents, seen).argmax()
    azimuth, elevation, fov = (float(value) for value in cameras[best, :3])
    return ViewOptions(azimuth, elevation, fov)


def clean_drawing(
    model: Model, found: Catalogue, suggested: Suggested, one: Known, among: str | Path, sheet: Paper
) -> plotter.Drawing:
    """A known object as strokes on a sheet, hidden lines removed, seen from `most_similar_view`.

    Args:
        model: Has the encoder.
        found: The known objects.
        suggested: What was found for the picture.
        one: The object.
        among: Where the known objects are from. What a maker made is made anew, with its sharp edges; others are drawn
            by the surface of their voxels.
        sheet: The paper.

    Raises:
        UserError: For an object that is empty or too large to draw.
    """
    maker = maker_of(among)
    mesh = mesh_of(f"{maker}:{one.label}:{one.name.rsplit('-', 1)[1]}") if maker else one.shape.surface()
    strokes = plotter.mesh_strokes(mesh, most_similar_view(model, found, one, suggested.seen), sheet)
    return plotter.sorted_drawing(strokes, one.name, "shape")
