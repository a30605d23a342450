"""Weights in half precision, as models and packed checkpoints keep them."""

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor

from maquette.errors import PlainWarning

LARGEST = torch.finfo(torch.half).max
"""The largest number of half precision, 65504."""


def in_half_precision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in half precision; integers stay as they are.

    Floating-point tensors with finite values beyond LARGEST stay as they are too: half precision would make infinity of
    them. A PlainWarning names them.

    Args:
        tensors: By name.
    """
    too_large = [name for name, value in tensors.items()
                 if value.is_floating_point() and bool((value.abs() > LARGEST).logical_and(value.isfinite()).any())]
    if too_large:
        more = f" and {len(too_large) - 1} more tensors" if len(too_large) > 1 else ""
        warnings.warn(PlainWarning(f"{too_large[0]}{more} kept in full precision: of values beyond {LARGEST:.0f} half "
                                   "precision would make infinity"), stacklevel=3)
    return {name: value.half() if value.is_floating_point() and name not in too_large else value
            for name, value in tensors.items()}
