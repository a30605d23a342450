"""Paths between the two codes of models with a field: in shape, in appearance, and in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from maquette.errors import UserError
from maquette.events import Progress
from maquette.fields.extract import require_field
from maquette.latents import Operand, paths
from maquette.latents.arithmetic import check_operand_count, read_operands
from maquette.models.hub import Model

MOVED = ("both", "shape", "appearance")
"""What a path can change."""


@dataclass(frozen=True, eq=False)
class Between:
    """A path through latents.

    Attributes:
        operands: What the path goes through.
        latents: The operands' latents, and evenly spaced ones between them. A code that does not change is the first
            operand's.
    """

    operands: tuple[Operand, ...]
    latents: Float[Tensor, "n latent"]


def between(
    model: Model,
    operands: Sequence[str | Path | np.ndarray],
    steps: int = 7,
    path: str = "straight",
    what: str = "both",
) -> Iterator[Progress | Between]:
    """Latents evenly between the latents of a model with a field.

    Args:
        model: A model of 3DGEN or GRAF.
        operands: Seeds or saved latents, two or more (`maquette.latents.operands`).
        steps: Latents for each pair of operands, both ends included.
        path: `straight` or `spherical`.
        what: Which codes change; see `field_path`.

    Yields:
        Progress, then one Between.

    Raises:
        UserError: For a model without a field, fewer than two operands or steps, and an operand that cannot be read.
    """
    require_field(model)
    check_operand_count(operands)
    read = yield from read_operands(model, operands, None)
    yield Between(tuple(read), field_path(model, [operand.latent for operand in read], steps, path, what))


def field_path(
    model: Model, ends: Sequence[Float32[np.ndarray, " latent"]], steps: int, path: str = "straight", what: str = "both"
) -> Float[Tensor, "n latent"]:
    """Latents on a path through all ends, `maquette.latents.paths.path_through` for each code by itself.

    Args:
        model: A model of 3DGEN or GRAF.
        ends: Two latents or more.
        steps: Latents for each pair, both its ends included.
        path: `straight` or `spherical`.
        what: `shape`, `appearance` or `both`; the other code, and the values that decide a camera, stay those of the
            first end.

    Raises:
        UserError: For fewer than two ends or steps, and for another path or code.
    """
    if what not in MOVED:
        raise UserError(f"what must be {', '.join(MOVED[:-1])} or {MOVED[-1]}", repr(what))
    config = model.system.config
    border = config.shape_code
    codes = {"shape": slice(0, border), "appearance": slice(border, border + config.appearance_code)}
    moved = {name: paths.path_through([end[part] for end in ends], steps, path) for name, part in codes.items()
             if what in (name, "both")}
    latents = np.tile(ends[0], ((len(ends) - 1) * (steps - 1) + 1, 1))
    for name, values in moved.items():
        latents[:, codes[name]] = values
    return torch.from_numpy(latents)
