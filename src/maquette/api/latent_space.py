"""Between and beside shapes: ways through latents, sums of latents, the closest shape that a model makes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.events import Progress
from maquette.geometry.shape import Shape
from maquette.intake.given import Picture, as_picture
from maquette.models.hub import DEFAULT_MODEL, ModelOrName, as_model
from maquette.models.predict import require_shapes

if TYPE_CHECKING:
    from maquette.latents import Combined, Fit, Interpolated, Projected, Suggested


def interpolate(
    operands: Sequence[str | Path | np.ndarray], model: ModelOrName = DEFAULT_MODEL, *, steps: int = 7,
    path: str = "straight", fit: "Fit | None" = None,
) -> "Iterator[Progress | Interpolated]":
    """Shapes evenly between two operands or more.

    Args:
        operands: Seeds, classes' seeds, pictures, shapes, saved latents, or latents (`maquette.latents.operands`).
        model: One that makes shapes, or its name or folder.
        steps: Shapes a pair, both ends among them.
        path: `straight` or `spherical`.
        fit: How shapes are projected.

    Yields:
        Progress, then one Interpolated.

    Raises:
        UserError: For a model that makes no shapes, and for an operand that is none.
    """
    from maquette import latents

    return latents.interpolate(require_shapes(as_model(model)), operands, steps, path, fit)


def combine(
    expression: str | Sequence[str], model: ModelOrName = DEFAULT_MODEL, *, fit: "Fit | None" = None
) -> "Iterator[Progress | Combined]":
    """The sum of latents that an expression describes.

    Args:
        expression: "A - B + 0.5*C", with operands as of `interpolate`; several strings are parts of one expression.
        model: One that makes shapes, or its name or folder.
        fit: How shapes are projected.

    Yields:
        Progress, then one Combined.

    Raises:
        UserError: For a model that makes no shapes, and for an expression that cannot be read.
    """
    from maquette import latents

    return latents.combine(require_shapes(as_model(model)), expression, fit)


def project(
    shape: str | Path | Shape | np.ndarray, model: ModelOrName = DEFAULT_MODEL, *, fit: "Fit | None" = None
) -> "Iterator[Progress | Projected]":
    """The latent whose shape is closest to a given one.

    Args:
        shape: A mesh or grid file, a Shape, or a grid `[R, R, R]` in [0, 1].
        model: One that makes shapes, or its name or folder.
        fit: How it is looked for.

    Yields:
        Progress, then one Projected.

    Raises:
        UserError: For a model that makes no shapes, and for a shape that is empty or cannot be read.
    """
    from maquette import latents

    return latents.project(require_shapes(as_model(model)), shape, fit)


def suggest(
    picture: Picture, among: str | Path = "furniture", model: ModelOrName = DEFAULT_MODEL, *, count: int = 8,
    known: int | None = None, cache: str | Path = "data-cache", workers: int | None = None,
) -> "Iterator[Progress | Suggested]":
    """The known objects that a picture is most like.

    Args:
        picture: A file, a file's bytes, pixels uint8 `[H, W]` or `[H, W, 3]`, or a PIL image.
        among: What is known: `furniture`, or anything that `prepare_data` takes.
        model: One that reads pictures, or its name or folder.
        count: How many are named.
        known: How many objects are looked at; None: all, or 1,000 pieces of furniture.
        cache: The folder where what is known of them is kept.
        workers: Processes that prepare them; None: all cores.

    Yields:
        Progress, then one Suggested.

    Raises:
        UserError: For a picture that cannot be read or holds nothing, and for a model that reads none.
    """
    from maquette import latents

    loaded = as_model(model)
    if not isinstance(picture, str | Path | np.ndarray):
        picture = as_picture(picture).pixels
    for event in latents.catalogue(loaded, among, cache, known, workers):
        yield event if isinstance(event, Progress) else latents.suggest(loaded, event, picture, count)
