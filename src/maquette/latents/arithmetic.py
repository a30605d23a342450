"""Paths between latents and sums of latents, as shapes."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.shape import Shape
from maquette.latents import paths
from maquette.latents.operands import Operand, parse_expression, read_operand
from maquette.latents.projection import Fit
from maquette.models import prior
from maquette.models.hub import Model

MAX_OPERANDS = 64
"""The most operands at once."""


@dataclass(frozen=True, eq=False)
class Interpolated:
    """A path through latents.

    Attributes:
        operands: What the path goes through.
        latents: The operands' latents, and evenly spaced ones between them.
        shapes: What the model makes of each latent.
    """

    operands: tuple[Operand, ...]
    latents: Float32[np.ndarray, "n latent"]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, eq=False)
class Combined:
    """A sum of latents.

    Attributes:
        terms: Factor and operand of each term.
        latent: The sum.
        shape: What the model makes of it.
    """

    terms: tuple[tuple[float, Operand], ...]
    latent: Float32[np.ndarray, " latent"]
    shape: Shape


def latent_path(
    model: Model, ends: Sequence[Float32[np.ndarray, " latent"]], steps: int, path: str = "straight"
) -> Float32[np.ndarray, "n latent"]:
    """`maquette.latents.paths.path_through` within the bounds of the model's prior.

    A spherical path turns about the middle of the prior.
    """
    return paths.path_through(ends, steps, path, prior.middle(model)).clip(*prior.bounds(model))


def interpolate(
    model: Model,
    operands: Sequence[str | Path | np.ndarray],
    steps: int = 7,
    path: str = "straight",
    fit: Fit | None = None,
) -> Iterator[Progress | Interpolated]:
    """Shapes evenly between operands.

    Args:
        model: Makes the shapes.
        operands: Two or more (`maquette.latents.operands.read_operand` says what they may be).
        steps: Shapes for each pair of operands, both ends included.
        path: `straight` or `spherical`.
        fit: How the latent of a shape is found.

    Yields:
        Progress, then one Interpolated.

    Raises:
        UserError: For fewer than two operands or steps, and for an operand that cannot be read.
    """
    check_operand_count(operands)
    if not 2 <= steps <= paths.MAX_STEPS:  # before anything is projected
        raise UserError(f"steps must be from 2 to {paths.MAX_STEPS}", steps)
    read = yield from read_operands(model, operands, fit)
    latents = latent_path(model, [operand.latent for operand in read], steps, path)
    shapes = tuple(Shape(grid, model.threshold) for grid in prior.decode(model, latents))
    yield Interpolated(tuple(read), latents, shapes)


def combine(model: Model, expression: str | Sequence[str], fit: Fit | None = None) -> Iterator[Progress | Combined]:
    """The sum that an expression such as `A - B + 0.5*C` describes.

    Latent arithmetic as in Wu et al. 2016 (3D-GAN), section 4.1. The sum is kept within the bounds of the prior.

    Args:
        model: Makes the shape.
        expression: See `maquette.latents.operands.parse_expression`.
        fit: How the latent of a shape is found.

    Yields:
        Progress, then one Combined.

    Raises:
        UserError: For an expression or an operand that cannot be read, and for fewer than two operands.
    """
    terms = parse_expression(expression)
    check_operand_count(terms)
    read = yield from read_operands(model, [word for _, word in terms], fit)
    factors = [factor for factor, _ in terms]
    parts = [factor * operand.latent.astype(np.float64) for factor, operand in zip(factors, read, strict=True)]
    total = sum(parts, start=np.zeros(model.facts.latent))
    with np.errstate(over="ignore"):
        latent = total.clip(*prior.bounds(model)).astype(np.float32)
    if not np.isfinite(latent).all():
        raise UserError("the sum of these latents is not finite", hint="use smaller factors")
    shape = Shape(prior.decode(model, latent[None])[0], model.threshold)
    yield Combined(tuple(zip(factors, read, strict=True)), latent, shape)


def check_operand_count(operands: Sequence[object]) -> None:
    """Raise UserError for fewer than two operands, and for too many."""
    if not 2 <= len(operands) <= MAX_OPERANDS:
        raise UserError(f"from two to {MAX_OPERANDS} operands are needed", len(operands))


def read_operands(
    model: Model, words: Sequence[str | Path | np.ndarray], fit: Fit | None
) -> Generator[Progress, None, list[Operand]]:
    """Read operands; one that is named twice is read once."""
    known: dict[str, Operand] = {}
    result: list[Operand] = []
    for word in words:
        key = str(word) if isinstance(word, str | Path) else f"latent {len(result)}"
        if key not in known:
            known[key] = yield from read_operand(model, word, fit)
        result.append(known[key])
    return result
