"""A prepared dataset as a source of shapes for another one."""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from maquette.datasets.format import OpenedData, open_dataset
from maquette.datasets.item import Item


def read(path: Path) -> Iterator[Item]:
    """The shapes of a prepared dataset, without its views, each under its own name.

    Raises:
        UserError: If the path is no prepared dataset.
    """
    data = open_dataset(path)
    for index, name in enumerate(data.ids):
        label = data.class_names[data.labels[index]]
        yield Item(name, label, str(data.splits[index]), data.source(index), partial(_load, path, index))


@lru_cache(maxsize=2)
def _opened(path: Path) -> OpenedData:
    return open_dataset(path)


def _load(path: Path, index: int) -> Bool[np.ndarray, "r r r"]:
    return _opened(path).voxels([index])[0]
