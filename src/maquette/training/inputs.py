"""What a system's encoder reads of the shapes of a dataset: views, scans, or nothing."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from maquette.capabilities import Reads
from maquette.datasets.opened import OpenedData
from maquette.models.pixels import as_images
from maquette.recipe import DataRecipe
from maquette.systems.base import System

EncoderInput = Float[Tensor, "batch channel size size"] | Float[Tensor, "batch 1 r r r"]
"""Views in [0, 1], or scans of 0 and 1."""


def inputs_per_shape(system: System | type[System], data: OpenedData) -> int:
    """How many views or scans a shape has at most, whichever the system reads; 0 for a system without an encoder."""
    if system.reads is Reads.VIEWS:
        return data.views_per_shape
    return data.scans_per_shape if system.reads is Reads.SCANS else 0


def encoder_input(
    system: System, data: OpenedData, rows: Int[np.ndarray, " batch"], which: Int[np.ndarray, " batch"]
) -> EncoderInput:
    """One view or scan of each of some rows, as the encoder reads it, on the CPU.

    Args:
        system: Whether it reads views or scans.
        data: The dataset.
        rows: Its rows.
        which: The number of the view or scan of each row.
    """
    if system.reads is Reads.VIEWS:
        return as_images(data.views(rows, which))
    return torch.from_numpy(data.scans(rows, which)).unsqueeze(1).float()


def at_training_size(
    seen: EncoderInput, data: DataRecipe, step: int
) -> Float[Tensor, "batch channel small small"] | Float[Tensor, "batch 1 r r r"]:
    """Views at the size that training uses at this step: before `data.small_until` shrunk to `data.small_size` pixels.

    Scans keep their size.
    """
    small = data.small_size
    if seen.dim() != 4 or not small or step >= data.small_until or small >= seen.shape[-1]:
        return seen
    return F.interpolate(seen, size=(small, small), mode="bilinear", antialias=True).clamp(0, 1)
