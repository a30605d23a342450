"""What may stand for a latent: a seed, a class's seed, a picture, a shape or a saved latent; and sums of these."""

import math
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from maquette.capabilities import Makes, Reads
from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.shape import Shape
from maquette.intake.pickup import frame_object
from maquette.io import formats
from maquette.io.pictures import SUFFIXES, read_picture
from maquette.io.replacing import keep
from maquette.latents.projection import Fit, project
from maquette.models import prior
from maquette.models.hub import Model

KINDS = "a seed (7), a class's seed (chair:7), a picture, a mesh or grid file, or a saved latent (.npy)"
"""What an operand may be, for messages."""
_SEED = re.compile(r"(?:seed:)?(\d{1,18})")
_CLASS_SEED = re.compile(r"([^\W\d][\w-]*):(\d{1,18})")
_TERM = re.compile(r"(?:(\d+(?:\.\d*)?|\.\d+)\*)?(.+)", re.DOTALL)
_SIGNS = {"+": 1.0, "-": -1.0}


@dataclass(frozen=True, eq=False)
class Operand:
    """Something that stands for a latent.

    Attributes:
        word: As the user wrote it.
        latent: The latent.
        note: How the latent was found; empty if it was given.
    """

    word: str
    latent: Float32[np.ndarray, " latent"]
    note: str = ""


def read_operand(
    model: Model, word: str | Path | np.ndarray, fit: Fit | None = None
) -> Generator[Progress, None, Operand]:
    """Find the latent that a word stands for.

    Args:
        model: Whose latent.
        word: `7` or `seed:7`, the latent of `maquette generate --seed 7 --count 1`; `chair:7`, a draw from a class; a
            picture, which is encoded; a mesh or grid, which is projected; a `.npy` file that holds a latent (one axis)
            or a grid (three axes); or the latent itself.
        fit: How a shape is projected.

    Yields:
        Progress while a shape is projected.

    Returns:
        The operand.

    Raises:
        UserError: For anything else, and for what cannot be read.
    """
    if not isinstance(word, str | Path):
        return Operand("latent", prior.checked(model, word, "the latent"))
    word = str(word)
    keep(word)
    if found := _SEED.fullmatch(word):
        return Operand(word, prior.draw(model, int(found[1])))
    if (found := _CLASS_SEED.fullmatch(word)) and found[1] != "seed":
        return Operand(word, prior.draw(model, int(found[2]), class_name=found[1]))
    suffix = Path(word).suffix.lower()
    if suffix == ".npy":
        values = formats.read_array(word)
        if values.ndim == 1:
            return Operand(word, prior.checked(model, values, word))
        if values.ndim < 3:
            raise UserError(f"{word} holds neither a latent (1 axis) nor a grid (3 axes)", f"shape {values.shape}")
        return (yield from _projected(model, word, Shape(formats.checked_grid(values, word), model.threshold), fit))
    if formats.is_known(word):
        return (yield from _projected(model, word, word, fit))
    if suffix in SUFFIXES or is_file(word):
        return _encoded(model, word)
    raise UserError(f"an operand is {KINDS}", repr(word), "there is no such file")


def parse_expression(expression: str | Sequence[str]) -> list[tuple[float, str]]:
    """Split `A - B + 0.5*C` into terms; the signs stand alone between spaces.

    Args:
        expression: Several strings are parts of one expression. A part that is the name of a file is one operand,
            spaces included.

    Returns:
        Factor and operand of each term.

    Raises:
        UserError: If it cannot be read.
    """
    parts = [expression] if isinstance(expression, str) else list(expression)
    words = [word for part in parts for word in ([part] if is_file(part) else part.split())]
    wrong = UserError("the expression cannot be read", repr(" ".join(parts)),
                      'write it as "A - B + C", with spaces around + and -; 0.5*A is half of A')
    terms: list[tuple[float, str]] = []
    sign: float | None = 1.0
    for place, word in enumerate(words):
        if word in _SIGNS:
            if place and sign is not None:
                raise wrong
            sign = _SIGNS[word]
        elif sign is None:
            raise wrong
        else:
            found = _TERM.fullmatch(word)
            if found is None:
                raise wrong
            number, operand = found.groups()
            if number is None and "*" in operand and not is_file(operand):
                raise UserError("what stands before * is a number", repr(operand), "0.5*chair:7 is half of chair:7")
            factor = sign * float(number or 1)
            if not math.isfinite(factor):
                raise wrong
            terms.append((factor, operand))
            sign = None
    if not terms or sign is not None:
        raise wrong
    return terms


def is_file(word: str) -> bool:
    """Whether a file of this name exists; False also for a name that no file can have."""
    try:
        return Path(word).is_file()
    except (OSError, ValueError):
        return False


def _projected(model: Model, word: str, shape: Shape | str, fit: Fit | None) -> Generator[Progress, None, Operand]:
    """The latent of a shape."""
    if model.facts.makes is not Makes.SHAPES:
        raise UserError(f"{word} is a shape, of which model '{model.name}' has no latent", hint="give seeds or latents")
    try:
        for event in project(model, shape, fit):
            if isinstance(event, Progress):
                yield event
            else:
                return Operand(word, event.latent, f"projected, {event.line()}")
    except UserError as error:
        raise error if word in str(error) else UserError(f"{word}: {error}") from None
    raise AssertionError("a projection ends in its result")


def _encoded(model: Model, word: str) -> Operand:
    """The latent of a picture."""
    if model.facts.reads is not Reads.VIEWS:
        raise UserError(f"{word} is a picture, which model '{model.name}' does not read",
                        hint="use one trained with vae-iwgan-image, or give seeds, shapes or latents")
    facts = model.facts
    image = frame_object(read_picture(word), facts.view_size, facts.image_channels, word).image
    return Operand(word, prior.encode(model, image[None])[0])
