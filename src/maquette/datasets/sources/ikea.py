"""IKEA photos with 20-voxel ground truth, in the layout of Girdhar et al. 2016: for measuring only, never for training.

`Images/`, and line by line `Lists/Images.txt` (file), `Lists/Model.txt` (`IKEA_sofa_KLIPPAN/...`, the class is the
second part) and `Lists/ModelID.txt` (number of `Voxels/ID.mat`, key `grid`, longest side fills the grid).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from maquette.datasets import Item
from maquette.errors import UserError
from maquette.io.formats import read_grid

TERMS = "IKEA 3D, Lim et al. 2013, processed by Girdhar et al. 2016: research, for measuring only"


@dataclass(frozen=True)
class Photo:
    """One line of the lists: a photo and the shape that it shows."""

    image: Path
    label: str
    model: str
    model_id: int
    voxels: Path

    def grid(self) -> np.ndarray:
        """The shape as bool `[20, 20, 20]`, as it is stored.

        Raises:
            UserError: For a file that cannot be read.
        """
        return load_grid(self.voxels)


def is_ikea(folder: str | Path) -> bool:
    """Whether a folder has the layout of the IKEA set."""
    return (Path(folder) / "Lists" / "ModelID.txt").is_file()


def photos(folder: str | Path) -> list[Photo]:
    """Every photo of the lists, in their order.

    Raises:
        UserError: Where a list is missing or too short.
    """
    folder = Path(folder)
    lists = {}
    for name in ("Images", "Model", "ModelID"):
        file = folder / "Lists" / f"{name}.txt"
        if not file.is_file():
            raise UserError(f"no file {file}", hint="an IKEA folder has Images/, Lists/ and Voxels/")
        lists[name] = file.read_text(encoding="utf-8").split()
    lengths = {name: len(lines) for name, lines in lists.items()}
    if len(set(lengths.values())) != 1:
        raise UserError(f"the lists in {folder / 'Lists'} must have one line a photo each", lengths)
    result = []
    for image, model, number in zip(lists["Images"], lists["Model"], lists["ModelID"], strict=True):
        parts = model.split("/")[0].split("_")
        if len(parts) < 2 or not number.isdigit():
            raise UserError(f"cannot understand a line of the lists in {folder / 'Lists'}", f"{model} {number}")
        voxels = folder / "Voxels" / f"{int(number)}.mat"
        result.append(Photo(folder / "Images" / image, parts[1], model, int(number), voxels))
    return result


def read(folder: str | Path) -> Iterator[Item]:
    """The different shapes of the set, all in the split `test`; ids are `sofa/121`."""
    seen = set()
    for photo in photos(folder):
        if photo.model_id not in seen:
            seen.add(photo.model_id)
            load = partial(load_grid, photo.voxels)
            yield Item(f"{photo.label}/{photo.model_id}", photo.label, "test", "ikea", load)


def load_grid(file: str | Path) -> np.ndarray:
    """The grid of a `.mat` file as bool `[r, r, r]`.

    Raises:
        UserError: For a file that has none.
    """
    return read_grid(file) > 0
