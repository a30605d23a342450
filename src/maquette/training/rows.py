"""Which rows of a dataset are learned from, and which are held out to watch."""

import hashlib
import json

import numpy as np
from jaxtyping import Int64

from maquette.datasets.images import OpenedImages
from maquette.datasets.opened import OpenedData
from maquette.datasets.orientations import shape_id
from maquette.errors import UserError

Data = OpenedData | OpenedImages
"""What a system learns from. Both kinds have rows with ids, in splits; the rest is asked of one kind only."""
_SIGNED = 64
"""Rows whose content counts in a signature."""
Rows = Int64[np.ndarray, " _"]
"""Numbers of rows of a dataset, each once."""


def split(data: Data, share: float) -> tuple[Rows, Rows]:
    """Divide the rows of the split `train` into those that are learned from and those held out for validation.

    A shape's id alone decides its part, so that it never changes sides; all its orientations are on the same one.

    Args:
        data: The dataset.
        share: The share of the shapes or images to hold out, in (0, 1). At least one is held out, and one is not.

    Raises:
        UserError: For fewer than two shapes or images.
    """
    rows = data.split("train")
    ids = [shape_id(id) for id in data.ids]
    shapes = len({ids[row] for row in rows})
    if shapes < 2:
        raise UserError(f"training needs at least 2 {data.what} in the train split", shapes)
    draws = [int(hashlib.sha256(f"validation {ids[row]}".encode()).hexdigest()[:8], 16) / 2**32 for row in rows]
    held_out = np.asarray(draws) < share
    if held_out.all() or not held_out.any():
        held_out = np.asarray(draws) == min(draws)
    return rows[~held_out], rows[held_out]


def signature(data: Data) -> str:
    """A checksum of what is learned from: names, splits and classes of all rows, and the content of some of them."""
    rows = np.unique(np.linspace(0, len(data) - 1, _SIGNED).astype(int))
    content = data.pixels(rows) if isinstance(data, OpenedImages) else np.packbits(data.voxels(rows))
    labels = [] if isinstance(data, OpenedImages) else np.asarray(data.labels).tolist()
    digest = hashlib.sha256(json.dumps([data.ids, data.splits.tolist(), list(data.class_names), labels]).encode())
    digest.update(np.ascontiguousarray(content).tobytes())
    return digest.hexdigest()


def classes_without(data: Data, rows: Rows) -> list[str]:
    """The classes of the data of which none of these rows is; images have no classes."""
    if isinstance(data, OpenedImages):
        return []
    labels = set(np.asarray(data.labels)[rows].tolist())
    return [name for number, name in enumerate(data.class_names) if number not in labels]


def shapes_in(data: Data, rows: Rows) -> int:
    """How many different shapes some rows show, in one or several orientations each; or how many images."""
    ids = data.ids
    return len({shape_id(ids[row]) for row in rows})
