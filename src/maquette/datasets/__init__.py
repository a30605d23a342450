"""Data: one reader a source, each an iterator of items; `prepare` turns any of them into a folder for training."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Item:
    """One shape of a source, not yet read.

    Items travel to worker processes, so `load` is a plain function or a functools.partial of one.
    """

    id: str
    """Unique in its source, the same in every run; names the shape in messages."""
    label: str
    """The class: `chair`."""
    split: str
    """`train` or `test`."""
    source: str
    """The name of the source: `modelnet10`, `furniture`, a folder's name."""
    load: Callable[[], object] = field(repr=False)
    """Reads the shape: a grid (numpy array, 3 axes, > 0.5 is occupied) or a mesh (trimesh.Trimesh), both in the frame
    of the package except for size and place, which the user of the item sets right. Raises UserError for a bad file."""
    turned: Callable[[int], object] | None = field(default=None, repr=False)
    """Reads the shape as its source itself has it turned by 30 or 60 degrees about z, from x towards y, or returns None
    where the source does not have it; left out by sources that have every shape one way."""


def turn(grid: np.ndarray, degrees: int) -> np.ndarray:
    """The grid turned about z, counter-clockwise seen from above, by a multiple of 90 degrees."""
    if degrees % 90:
        raise ValueError(f"a grid turns by multiples of 90 degrees, got {degrees}")
    return np.ascontiguousarray(np.rot90(grid, degrees // 90, axes=(0, 1)))
