"""A prepared dataset as a source of shapes for another one."""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from maquette.datasets.format import OWN_TERMS
from maquette.datasets.item import Item
from maquette.datasets.opened import OpenedData, open_dataset
from maquette.datasets.orientations import shape_id
from maquette.datasets.sources.meshes import OWN, is_hashed

_PUBLISHED = ("modelnet10", "ikea", "furniture", "solids")
"""Sources whose ids everybody may see."""
_DIGITS = 5
"""Of the number of a shape."""


def read(path: Path, *, keep_names: bool = False) -> Iterator[Item]:
    """The shapes of a prepared dataset, without its views, each under its own name.

    Datasets of earlier releases call the user's own shapes by the names of their files; such shapes are numbered.

    Args:
        path: The folder.
        keep_names: Takes those names over too.

    Raises:
        UserError: If the path is no prepared dataset.
    """
    data = open_dataset(path)
    own = any(OWN_TERMS in info.terms for info in data.infos) and not keep_names
    numbers: dict[str, int] = {}
    for index, id in enumerate(data.ids):
        label, source = data.class_names[data.labels[index]], data.source(index)
        if own and source not in _PUBLISHED and not is_hashed(id):
            shape = shape_id(id)
            number = numbers.setdefault(shape, len(numbers) + 1)
            id, source = f"{label}/{number:0{_DIGITS}d}{id.removeprefix(shape)}", OWN
        yield Item(id, label, str(data.splits[index]), source, partial(_load, path, index))


@lru_cache(maxsize=2)
def _opened(path: Path) -> OpenedData:
    return open_dataset(path)


def _load(path: Path, index: int) -> Bool[np.ndarray, "r r r"]:
    return _opened(path).voxels([index])[0]
