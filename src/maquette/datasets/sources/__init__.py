"""What a source is called and which reader it needs: `furniture`, a file or a folder."""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import trimesh

from maquette.datasets import Item
from maquette.datasets.format import Info, OpenedData, is_prepared, open_dataset
from maquette.datasets.sources import ikea, meshes, modelnet, sweethome
from maquette.errors import UserError
from maquette.geometry.shape import read_surface

FURNITURE = "furniture"
"""The source that needs no files: the furniture maker; `furniture:chair,chair,lamp` makes two chairs for each lamp."""


def is_furniture(source: str | Path) -> bool:
    """Whether a source is the furniture maker and not a file or folder of that name."""
    return str(source).split(":")[0] == FURNITURE and not Path(source).exists()


def read(
    source: str | Path, *, count: int | None = None, seed: int = 0, split: str | None = None, up: str = "z"
) -> Iterator[Item]:
    """The items of one source, whatever its form.

    Args:
        count: For furniture how many are made (1,000 unless said); the other sources have what they have.
        up: The axis that points up in a folder of meshes (`maquette.datasets.sources.meshes.read`).

    Raises:
        UserError: Where there is no such source, and for another `up` than z where the source says how it stands.
    """
    items = _of_known_form(source, count, seed, split)
    if items is None:
        path = Path(source)
        return meshes.read(path, turns=modelnet.ROTATIONS if _is_modelnet_meshes(path) else None, up=up)
    if up != "z":
        raise UserError(f"up is for folders of meshes, and {source} is none", repr(up), "leave it at z")
    return items


def _of_known_form(source: str | Path, count: int | None, seed: int, split: str | None) -> Iterator[Item] | None:
    """The items of a source that says itself what it is; None for meshes and grids."""
    path = Path(source)
    if is_furniture(source):
        kinds = [kind for kind in str(source).partition(":")[2].split(",") if kind]
        return furniture(count or 1000, seed=seed, split=split or "train", kinds=kinds)
    if not path.exists():
        raise UserError(f"no such source: {source}", hint=f"give a file, a folder, or '{FURNITURE}'")
    if modelnet.is_npz(path):
        return modelnet.read_npz(path)
    if is_prepared(path):
        return _read_prepared(path)
    if sweethome.is_sweethome(path):
        return sweethome.read(path)
    if path.is_dir():
        if ikea.is_ikea(path):
            return ikea.read(path)
        archives = [file for file in sorted(path.glob("*.npz")) if modelnet.is_npz(file)]
        if archives:
            return modelnet.read_npz(archives[0])
        if next(path.glob("*/30/*/*_1.mat"), None):
            return modelnet.read_mat(path)
    return None


def _read_prepared(path: Path) -> Iterator[Item]:
    """The shapes of a prepared dataset, without its views, each under its own name."""
    data = open_dataset(path)
    for index, name in enumerate(data.ids):
        label = data.class_names[data.labels[index]]
        yield Item(name, label, str(data.splits[index]), data.source(index), partial(_row, path, index))


@lru_cache(maxsize=2)
def _opened(path: Path) -> OpenedData:
    return open_dataset(path)


def _row(path: Path, index: int) -> np.ndarray:
    return _opened(path).voxels([index])[0]


def furniture(
    count: int, *, seed: int = 0, split: str = "train", kinds: Sequence[str] | None = None
) -> Iterator[Item]:
    """Pieces from the furniture maker, one kind after the other in turn; ids are `furniture-chair-000123`.

    Args:
        seed: Another one gives other pieces.
        split: Those of `test` are never among those of `train`, whatever the seed.
        kinds: All unless said; made in turn, a kind named twice twice as often.
    """
    from maquette.datasets.furniture import KINDS, make

    kinds = tuple(kinds or KINDS)
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise UserError(f"furniture kinds must be among {', '.join(KINDS)}", ", ".join(unknown))
    base = seed * 2_000_000 + (1_000_000 if split == "test" else 0)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        name = f"furniture-{kind}-{number:06d}" if split == "train" else f"furniture-{split}-{kind}-{number:06d}"
        yield Item(name, kind, split, FURNITURE, partial(make, kind, base + number))


def items_of(
    sources: Sequence[str | Path], *, count: int | None = None, seed: int = 0, split: str | None = None, up: str = "z"
) -> list[Item]:
    """The items of all sources, at most `count` of each, spread evenly over it. up: as for `read`.

    Raises:
        UserError: Where there are none, and where two items have one id.
    """
    result: list[Item] = []
    for source in sources:
        found = read(source, count=count, seed=seed, split=split, up=up)
        items = [item for item in found if split in (None, item.split)]
        if count is not None and len(items) > count:
            items = [items[k * len(items) // count] for k in range(count)]
        if not items:
            raise UserError(f"{source} has no shapes in the split '{split}'" if split else f"{source} has no shapes")
        result += items
    seen: set[str] = set()
    for item in result:
        if item.id in seen:
            raise UserError("two shapes of the sources have the same id", item.id, "prepare the sources one by one")
        seen.add(item.id)
    return result


def terms_of(sources: Sequence[str | Path]) -> tuple[str, ...]:
    """The terms of use of the sources, as far as they are known here."""
    terms = []
    for source in sources:
        path = Path(source)
        if is_furniture(source):
            terms.append("furniture: made by this package, no terms")
        elif is_prepared(path):
            terms += Info.load(path).terms
        elif path.is_dir() and ikea.is_ikea(path):
            terms.append(ikea.TERMS)
        elif sweethome.is_sweethome(path):
            terms += sweethome.terms(path)
        elif modelnet.is_npz(path) or next(path.glob("*/30/*/*_1.mat"), None) or _is_modelnet_meshes(path) or any(
            modelnet.is_npz(file) for file in path.glob("*.npz")
        ):
            terms.append(modelnet.TERMS)
        else:
            terms.append(f"{path.name}: as its owner says")
    return tuple(dict.fromkeys(terms))


def _is_modelnet_meshes(path: Path) -> bool:
    """Whether a folder is ModelNet10's tree of meshes: chair/train/chair_0001.off, for one of its classes at least."""
    return path.is_dir() and any(next(path.glob(f"{name}/train/{name}_*.off"), None) for name in modelnet.ROTATIONS)


def mesh_of(source: str | Path) -> trimesh.Trimesh:
    """A mesh in the package's frame, out of a mesh or grid file or the furniture maker (`furniture:KIND:SEED`)."""
    if not is_furniture(source):
        return read_surface(source)
    from maquette.datasets.furniture import make

    _, kind, number = ([*str(source).split(":"), "", "0"])[:3]
    if not number.isdigit():
        raise UserError("furniture is asked for as furniture:KIND:SEED", repr(source), "furniture:chair:7")
    return make(kind, int(number))
