"""Drawings: taken off their page, made solid, drawn by a plotter, and the loop of seeing and drawing."""

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import trimesh
from jaxtyping import Float
from PIL import Image

from maquette.api.objects import shape_of
from maquette.datasets import sources
from maquette.drawing_loop import loop as loops
from maquette.drawing_loop.loop import (
    Drawn,
    Ended,
    LoopSettings,
    PageCamera,
    Plotter,
    Reconstructor,
    Resume,
    Round,
    Waiting,
)
from maquette.events import Progress
from maquette.geometry.print_mesh import PrintMesh
from maquette.geometry.shape import Shape
from maquette.intake import page_capture
from maquette.intake.given import Picture, as_picture
from maquette.intake.page_capture import Captured
from maquette.intake.sources import Frame
from maquette.models.hub import DEFAULT_MODEL, ModelOrName, as_model
from maquette.models.predict import answer, require_pictures
from maquette.plotting import drawing as drawings
from maquette.plotting.drawing import Drawing, plot
from maquette.plotting.settings import Machine, Paper, ViewOptions
from maquette.relief import relief as reliefs
from maquette.relief.options import ReliefOptions
from maquette.relief.relief import Relief

if TYPE_CHECKING:
    from maquette.latents import Fit

__all__ = ["Drawing", "draw", "loop", "make_relief", "plot", "rectify_page"]


def rectify_page(
    picture: Picture, *, squared: bool = False, low: int | None = None, whole_page: bool = False, paper: str = "auto"
) -> Captured:
    """The drawing on a page, straightened, evenly lit and cropped.

    Args:
        picture: A file, a file's bytes, pixels uint8 `[H, W]` or `[H, W, 3]`, or a PIL image.
        squared: Take away the printed lines of squared or lined paper.
        low: The side in pixels of a square picture of low resolution; None keeps the page's own.
        whole_page: Do not crop to what is drawn.
        paper: The sheet's size, as `maquette.intake.sheet.find_sheet` knows it; `none` does not look for a sheet.

    Raises:
        UserError: For an unusable picture, an unknown paper, and a page on which nothing is drawn.
    """
    given = as_picture(picture)
    return page_capture.rectify_page(_in_colour(given.pixels), squared=squared, low=low, whole_page=whole_page,
                                     paper=paper, name=given.name)


def make_relief(picture: Picture, options: ReliefOptions | None = None, *, min_wall_mm: float = 0.8) -> Relief:
    """The solid out of a flat drawing, in millimetres; no network is asked.

    Args:
        picture: A file, a file's bytes, pixels uint8 `[H, W]` or `[H, W, 3]`, or a PIL image.
        options: How it is made; None: extruded, 60 mm long and 5 mm thick.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Raises:
        UserError: Where nothing is drawn, or an outline is open by more than is to be closed.
    """
    given = as_picture(picture)
    made = reliefs.relief(_in_colour(given.pixels), options, min_wall_mm=min_wall_mm, name=given.name)
    return replace(made, mesh=PrintMesh(made.mesh.vertices, made.mesh.faces, process=False))


def draw(
    source: Picture | Shape | trimesh.Trimesh,
    look: ViewOptions = ViewOptions(),
    sheet: Paper = Paper(),
    machine: Machine = Machine(),
    name: str = "",
) -> Drawing:
    """A drawing for a plotter: objects as their visible lines, pictures as their centre lines.

    Args:
        source: A shape, a mesh, a picture, a file of one of them, or `furniture:KIND:SEED` or `solids:KIND:SEED`.
        look: From where an object is seen, and how it is hatched.
        sheet: The paper.
        machine: The plotter, for the time that it takes.
        name: What messages call it; empty: its file, or what it is.

    Raises:
        UserError: For what cannot be read, or holds nothing to draw.
    """
    if isinstance(source, str) and sources.is_generated(source):
        return drawings.make_drawing(sources.mesh_of(source), look, sheet, machine, name or source)
    if isinstance(source, bytes | Image.Image):
        given = as_picture(source)
        return drawings.make_drawing(given.pixels, look, sheet, machine, name or given.name)
    return drawings.make_drawing(source, look, sheet, machine, name)


def loop(
    start: Picture | Frame | None,
    model: ModelOrName = DEFAULT_MODEL,
    settings: LoopSettings | None = None,
    *,
    pen: Plotter | None = None,
    eye: PageCamera | None = None,
    threshold: float | None = None,
    fit: "Fit | None" = None,
    past: Resume | None = None,
) -> Generator[Progress | Waiting | Round | Drawn | Ended, None, None]:
    """The drawing loop: a picture to an object, its drawing from the next angle, a picture of that, and so on.

    Args:
        start: A picture, or a `Frame`; None where there is a past.
        model: One that reads pictures, or its name or folder.
        settings: How many rounds, and how each is drawn.
        pen: What draws; without it, or without an eye, a simulated page.
        eye: What looks at the page.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        fit: Bring each object to the closest that the model makes.
        past: What was done before, to go on from there.

    Yields:
        The events of `maquette.drawing_loop.loop.run_loop`.

    Raises:
        UserError: For a model that reads no pictures, and where the first round fails.
    """
    loaded = require_pictures(as_model(model))
    settings = settings or LoopSettings()
    if start is not None and not isinstance(start, Frame):
        given = as_picture(start)
        start = Frame(given.pixels, "the picture" if given.name == "picture" else given.name)
    if pen is None or eye is None:
        from maquette.drawing_loop.simulation import SimulatedPage

        page = SimulatedPage(pencil_mm=settings.sheet.pen)
        pen, eye = pen or page, eye or page

    def made_of(image: Float[np.ndarray, "channel size size"]) -> Shape:
        made = shape_of(loaded, image, threshold)
        return made if fit is None else _fitted(made, fit)

    def _fitted(made: Shape, fit: "Fit") -> Shape:
        from maquette.latents import project

        *_, found = project(loaded, made, fit)
        assert not isinstance(found, Progress), "a projection ends in its result"
        return Shape(found.shape.occupancy, made.threshold)

    def azimuth_of(image: Float[np.ndarray, "channel size size"]) -> float | None:
        pose = answer(loaded, image).pose
        return None if pose is None else float(np.degrees(pose[0]))

    facts = loaded.facts
    imagination = Reconstructor(facts.view_size, facts.image_channels, made_of, azimuth_of)
    yield from loops.run_loop(start, imagination, pen, eye, settings, past)


def _in_colour(pixels: np.ndarray) -> np.ndarray:
    """Grey pixels `[H, W]` as `[H, W, 3]`; anything else as it is, to be checked by who uses it."""
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
