"""IKEA photos with ground truth of 20 voxels a side: for measuring only, never for training.

The layout is that of Girdhar et al. 2016 ("Learning a predictable and generative vector representation for objects").
`Images/` holds the photos. Three lists have a line for each photo: `Lists/Images.txt` its file, `Lists/Model.txt` its
model (`IKEA_sofa_KLIPPAN/...`; the class is the second part), `Lists/ModelID.txt` the number of its shape, which is
`Voxels/NUMBER.mat`, key `grid`. The longest side of the object fills the grid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from maquette.datasets.item import Item
from maquette.errors import UserError
from maquette.io.formats import file_bytes, read_grid

TERMS = "IKEA 3D, Lim et al. 2013, processed by Girdhar et al. 2016: research, for measuring only"

MAX_LIST_BYTES = 16 << 20
"""The largest list that is read."""


@dataclass(frozen=True)
class Photo:
    """One line of the lists: a photo and the shape that it shows."""

    image: Path
    """The file of the photo."""
    label: str
    """The class: `sofa`."""
    model: str
    """The line of `Lists/Model.txt`."""
    model_id: int
    """The number of the shape."""
    voxels: Path
    """The file of the shape."""

    def grid(self) -> Bool[np.ndarray, "r r r"]:
        """The shape as it is stored, 20 voxels a side.

        Raises:
            UserError: If the file cannot be read.
        """
        return load_grid(self.voxels)


def is_ikea(folder: str | Path) -> bool:
    """Whether a folder has the layout of the IKEA set."""
    return (Path(folder) / "Lists" / "ModelID.txt").is_file()


def photos(folder: str | Path) -> list[Photo]:
    """Every photo of the lists, in their order.

    Raises:
        UserError: If a list is missing, of another length than the others, or cannot be understood.
    """
    folder = Path(folder)
    lists: dict[str, list[str]] = {}
    for name in ("Images", "Model", "ModelID"):
        file = folder / "Lists" / f"{name}.txt"
        if not file.is_file():
            raise UserError(f"no file {file}", hint="an IKEA folder has Images/, Lists/ and Voxels/")
        lists[name] = file_bytes(file, MAX_LIST_BYTES).decode(errors="replace").split()
    lengths = {name: len(lines) for name, lines in lists.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(f"the lists in {folder / 'Lists'} must have one line a photo each", lengths)
    result = []
    for image, model, number in zip(lists["Images"], lists["Model"], lists["ModelID"], strict=True):
        parts = model.split("/")[0].split("_")
        if len(parts) < 2 or not (number.isdecimal() and number.isascii() and len(number) < 10):
            raise UserError(f"cannot understand a line of the lists in {folder / 'Lists'}", f"{model} {number}")
        voxels = folder / "Voxels" / f"{int(number)}.mat"
        result.append(Photo(folder / "Images" / image, parts[1], model, int(number), voxels))
    return result


def read(folder: str | Path) -> Iterator[Item]:
    """The shapes of the set, each once, all in the split `test`; ids are `sofa/121`.

    Raises:
        UserError: As `photos`.
    """
    seen: set[int] = set()
    for photo in photos(folder):
        if photo.model_id not in seen:
            seen.add(photo.model_id)
            load = partial(load_grid, photo.voxels)
            yield Item(f"{photo.label}/{photo.model_id}", photo.label, "test", "ikea", load)


def load_grid(file: str | Path) -> Bool[np.ndarray, "r r r"]:
    """The grid of a `.mat` file.

    Raises:
        UserError: If the file holds no grid.
    """
    return read_grid(file) > 0
