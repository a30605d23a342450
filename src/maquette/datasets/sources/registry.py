"""Which reader a source needs: a maker, a file or a folder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import trimesh

from maquette.datasets.format import OWN_TERMS, Info, is_prepared
from maquette.datasets.item import Item
from maquette.datasets.sources import ikea, meshes, modelnet, prepared, sweethome
from maquette.datasets.sources.generated import MAKERS, generated, is_generated, kinds_of, make, maker_of
from maquette.errors import UserError
from maquette.geometry.shape import read_surface


def read(
    source: str | Path, *, count: int | None = None, seed: int = 0, split: str | None = None, up: str = "z",
    keep_names: bool = False, name: str = "",
) -> Iterator[Item]:
    """The items of one source, whatever its form.

    Args:
        source: `furniture` or `solids`, or a path: a ModelNet archive or tree, an IKEA folder, a prepared dataset, a
            furniture library, or a folder of meshes and grids.
        count: For a maker, how many are made, 1,000 by default; the other sources yield all that they have.
        seed: For a maker: another seed gives other objects.
        split: For a maker, the split that the objects are made for, `train` by default.
        up: The axis that points up in a folder of meshes, `z` or `y` (`maquette.datasets.sources.meshes.read`).
        keep_names: The ids of the user's own shapes are the names of their files; otherwise they are hashes.
        name: The class of shapes that lie in no folder of a class.

    Raises:
        UserError: If there is no such source, and if `up` is not z for a source whose own form says what is up.
    """
    items = _of_known_form(source, count, seed, split, keep_names)
    if items is None:
        path = Path(source)
        turns = modelnet.ROTATIONS if _is_modelnet_meshes(path) else None
        return _numbered(meshes.read(path, turns=turns, up=up, keep_names=keep_names, name=name), set())
    if up != "z":
        raise UserError(f"up is for folders of meshes, and {source} is none", repr(up), "leave it at z")
    return items


def _numbered(items: Iterator[Item], taken: set[str]) -> Iterator[Item]:
    """The items, those of the user's own files that are copies of one before with a number after the id."""
    for item in items:
        id, copies = item.id, 1
        while item.file is not None and id in taken:
            copies += 1
            id = f"{item.id}-{copies}"
        taken.add(id)
        yield item if id == item.id else replace(item, id=id)


def _of_known_form(
    source: str | Path, count: int | None, seed: int, split: str | None, keep_names: bool
) -> Iterator[Item] | None:
    """The items of a source that has a form of its own; None for meshes and grids."""
    path = Path(source)
    if is_generated(source):
        return generated(source, count or 1000, seed=seed, split=split or "train")
    if not path.exists():
        raise UserError(f"no such source: {source}", hint=f"give a file, a folder, or one of {', '.join(MAKERS)}")
    if modelnet.is_npz(path):
        return modelnet.read_npz(path)
    if is_prepared(path):
        return prepared.read(path, keep_names=keep_names)
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


def items_of(
    sources: Sequence[str | Path], *, count: int | None = None, seed: int = 0, split: str | None = None, up: str = "z",
    keep_names: bool = False, name: str = "",
) -> list[Item]:
    """The items of several sources, one source after the other.

    Args:
        sources: Each as `read` takes it.
        count: The most items of each source, spread evenly over it; None for all.
        seed: As for `read`.
        split: Only the items of `train` or of `test`; None for both.
        up: As for `read`.
        keep_names: As for `read`.
        name: As for `read`.

    Raises:
        UserError: If a source has no items, and if two items have the same id.
    """
    result: list[Item] = []
    taken: set[str] = set()
    for source in sources:
        read_items = read(source, count=count, seed=seed, split=split, up=up, keep_names=keep_names, name=name)
        found = _numbered(read_items, taken)
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


def terms_of(sources: Sequence[str | Path], name: str = "") -> tuple[str, ...]:
    """The terms of use of the sources, as far as they are known; they name no folder, since they go into models.

    Args:
        sources: As for `items_of`.
        name: What shapes of the user's own are called.
    """
    terms: list[str] = []
    for source in sources:
        path = Path(source)
        if maker := maker_of(source):
            terms.append(f"{maker}: made by this package, no terms")
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
            terms.append(f"{name}: as their owner says" if name else OWN_TERMS)
    return tuple(dict.fromkeys(terms))


def _is_modelnet_meshes(path: Path) -> bool:
    """Whether a folder is ModelNet10's tree of meshes: `chair/train/chair_0001.off`, one of its classes at least."""
    return path.is_dir() and any(next(path.glob(f"{name}/train/{name}_*.off"), None) for name in modelnet.ROTATIONS)


def mesh_of(source: str | Path) -> trimesh.Trimesh:
    """One mesh in the package's frame.

    Args:
        source: A mesh file, a grid file, or an object of a maker as `furniture:KIND:SEED` or `solids:KIND:SEED`.

    Raises:
        UserError: If it cannot be read, or if the maker has no such kind.
    """
    if not is_generated(source):
        return read_surface(source)
    name, kind, number = ([*str(source).split(":"), "", "0"])[:3]
    if not number.isdigit():
        raise UserError(f"{name} is asked for as {name}:KIND:SEED", repr(source), f"{name}:{kinds_of(name)[0]}:7")
    return make(name, kind, int(number))
