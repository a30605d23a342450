"""Ways between latents and sums of latents, as shapes."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.shape import Shape
from maquette.latents import paths
from maquette.latents.operands import Operand, parse, read_operand
from maquette.latents.projection import Fit
from maquette.models import prior
from maquette.models.hub import Model

MAX_OPERANDS = 64
"""Operands that are still taken at once."""


@dataclass(frozen=True, eq=False)
class Interpolated:
    """A way through latents. operands: what it goes through. latents: `[N, latent]`, its ends and what lies evenly
    between them. shapes: what the model makes of each.
    """

    operands: tuple[Operand, ...]
    latents: Tensor
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, eq=False)
class Combined:
    """A sum of latents. terms: (factor, operand) of each. latent: the sum, `[latent]`. shape: what the model makes of
    it.
    """

    terms: tuple[tuple[float, Operand], ...]
    latent: Tensor
    shape: Shape


def way(model: Model, ends: Sequence[Tensor], steps: int, path: str = "straight") -> Tensor:
    """`paths.along` within the bounds of the model's prior; a spherical way turns about the prior's middle."""
    low, high = prior.bounds(model.system)
    return paths.along(ends, steps, path, prior.middle(model.system)).clamp(low, high)


def interpolate(
    model: Model, operands: Sequence[str | Path | np.ndarray | Tensor], steps: int = 7, path: str = "straight",
    fit: Fit | None = None,
) -> Iterator[Progress | Interpolated]:
    """Shapes evenly between operands (`operands.read_operand` says what they may be); the last event is Interpolated.

    Args:
        steps: Shapes a pair, both ends among them.
        path: `straight` or `spherical`.

    Raises:
        UserError: For fewer than two operands or steps, and for an operand that is none.
    """
    check_count(operands)
    if not 2 <= steps <= paths.MAX_STEPS:  # before anything is projected
        raise UserError(f"steps must be from 2 to {paths.MAX_STEPS}", steps)
    read = yield from read_all(model, operands, fit)
    latents = way(model, [operand.latent for operand in read], steps, path)
    shapes = tuple(Shape(grid, model.threshold) for grid in prior.decode(model, latents))
    yield Interpolated(tuple(read), latents, shapes)


def combine(model: Model, expression: str | Sequence[str], fit: Fit | None = None) -> Iterator[Progress | Combined]:
    """The sum that an expression such as `A - B + 0.5*C` describes (`operands.parse`); the last event is Combined.

    Latent arithmetic as in Wu et al. 2016 (3D-GAN), section 4.1. The sum is kept within the bounds of the prior.

    Raises:
        UserError: For an expression that cannot be read, fewer than two operands, or one that is none.
    """
    terms = parse(expression)
    check_count(terms)
    read = yield from read_all(model, [word for _, word in terms], fit)
    factors = [factor for factor, _ in terms]
    total = sum(factor * operand.latent.double() for factor, operand in zip(factors, read, strict=True))
    latent = total.clamp(*prior.bounds(model.system)).float()
    if not torch.isfinite(latent).all():
        raise UserError("the sum of these latents is not finite", hint="use smaller factors")
    shape = Shape(prior.decode(model, latent[None])[0], model.threshold)
    yield Combined(tuple(zip(factors, read, strict=True)), latent, shape)


def check_count(operands: Sequence) -> None:
    """Raise UserError for fewer than two operands, and for too many."""
    if not 2 <= len(operands) <= MAX_OPERANDS:
        raise UserError(f"from two to {MAX_OPERANDS} operands are needed", len(operands))


def read_all(model: Model, words: Sequence, fit: Fit | None) -> Generator[Progress, None, list[Operand]]:
    """The operands; one that is named twice is read once."""
    known: dict[str, Operand] = {}
    result = []
    for word in words:
        key = str(word) if isinstance(word, str | Path) else f"latent {len(result)}"
        if key not in known:
            known[key] = yield from read_operand(model, word, fit)
        result.append(known[key])
    return result
