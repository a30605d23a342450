"""Ways between the two codes of models with a field: in shape, in appearance, and in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from maquette.errors import UserError
from maquette.events import Progress
from maquette.fields.extract import require_field
from maquette.latents import Operand, paths
from maquette.latents.arithmetic import check_operand_count, read_operands
from maquette.models.hub import Model

MOVED = ("both", "shape", "appearance")
"""What a way can change."""


@dataclass(frozen=True, eq=False)
class Between:
    """A way through latents. operands: what it goes through. latents: `[N, latent]`, its ends and what lies evenly
    between them, with the first operand's code where that is not moved.
    """

    operands: tuple[Operand, ...]
    latents: Tensor


def between(
    model: Model, operands: Sequence[str | Path | np.ndarray | Tensor], steps: int = 7, path: str = "straight",
    what: str = "both",
) -> Iterator[Progress | Between]:
    """Latents evenly between seeds or saved latents (`latent.operands`) of a model with a field; Between comes last.

    Args:
        steps: As of `latent.interpolate`.
        path: See `steps`.
        what: See `way`.

    Raises:
        UserError: For a model without a field, fewer than two operands or steps, and an operand that is none.
    """
    require_field(model)
    check_operand_count(operands)
    read = yield from read_operands(model, operands, None)
    yield Between(tuple(read), way(model, [operand.latent for operand in read], steps, path, what))


def way(model: Model, ends: Sequence[Tensor], steps: int, path: str = "straight", what: str = "both") -> Tensor:
    """Latents `[(K - 1) (steps - 1) + 1, latent]` through K ends: `paths.along` for each code that moves by itself.

    Args:
        what: `shape`, `appearance` or `both`; the other code, and the values that decide a camera, stay the first
            end's.
    """
    if what not in MOVED:
        raise UserError(f"what must be {', '.join(MOVED[:-1])} or {MOVED[-1]}", repr(what))
    config = model.system.config
    border = config.shape_code
    codes = {"shape": slice(0, border), "appearance": slice(border, border + config.appearance_code)}
    moved = {name: paths.path_through([end[part] for end in ends], steps, path) for name, part in codes.items()
             if what in (name, "both")}
    latents = ends[0].repeat((len(ends) - 1) * (steps - 1) + 1, 1)
    for name, values in moved.items():
        latents[:, codes[name]] = values
    return latents
