"""Any folder of meshes or grids as a source.

Two layouts are understood: ModelNet's `class/train|test/name.off`, and `class/name.obj` where the class is the name of
the folder that the file lies in. Meshes and grids may be mixed.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from maquette.datasets.item import Item, SourceShape
from maquette.errors import UserError
from maquette.geometry.grids import turn_grid

MESHES = (".off", ".obj", ".stl", ".ply", ".glb", ".3mf")
"""Suffixes of the mesh files that are read."""
GRIDS = (".binvox", ".npy", ".npz", ".mat")
"""Suffixes of the grid files that are read."""
SPLITS = {"train": "train", "test": "test", "val": "train", "valid": "train", "validation": "train"}
"""The split that a folder of this name stands for; such names are no classes. Validation shapes count as training
shapes, since training chooses its own."""


OWN = "shapes"
"""The source of shapes of the user's own, whatever their folder is called."""
NO_CLASS = "object"
"""The class of shapes that lie in no folder of a class."""
_ID_DIGITS = 12
"""Of the hash of a file's content that is its id, in hexadecimal."""


def read(
    path: str | Path, *, turns: Mapping[str, int] | None = None, up: str = "z", keep_names: bool = False,
    name: str = "",
) -> Iterator[Item]:
    """Every mesh and grid in a folder and its subfolders, in the order of their paths.

    The name of a file may be a person's. So an id is the class and a hash of the file's content: `chair/3f0a91c2b7de`,
    and copies of a file are numbered. Files of ModelNet (`chair_0001.off`) keep their names.

    Args:
        path: The folder, or one file.
        turns: Degrees about z that bring the front of each class to +y; 0 for classes that are not named.
        keep_names: The ids are the paths of the files in the folder.
        name: The class of the files that lie in no folder of a class; `NO_CLASS` if empty. The folder that is given is
            none, unless names are kept.
        up: The axis that points up in the meshes, `z` or `y`. With y, meshes are turned so that y becomes z and their
            -z becomes +y. Grids always have z up, and so have GLB files, which are turned when they are read.

    Raises:
        UserError: If there is no such folder or no mesh or grid in it, and for another `up`.
    """
    path = Path(path)
    if up not in ("y", "z"):
        raise UserError("up must be 'y' or 'z'", repr(up))
    if not path.exists():
        raise UserError(f"no file or folder {path}")
    files = [path] if path.is_file() else sorted(_files(path))
    if not files:
        raise UserError(f"no mesh or grid in {path}", hint="known are " + " ".join((*MESHES, *GRIDS)))
    root = path.parent if path.is_file() else path
    stems: dict[str, int] = {}
    for file in files:
        stem = file.relative_to(root).with_suffix("").as_posix()
        stems[stem] = stems.get(stem, 0) + 1
    for file in files:
        inner = file.relative_to(root)
        label, split = _label(file, root, keep_names, name)
        degrees = (turns or {}).get(label, 0)
        load = partial(_load, file, degrees, up)
        published = label in (turns or {}) and re.fullmatch(rf"{re.escape(label)}_\d+", file.stem)
        if not keep_names and not published:
            yield Item(f"{label}/{_hash(file)}", label, split, OWN, load, file=file)
            continue
        id = inner.with_suffix("").as_posix()
        if stems[id] > 1:  # toilet.off beside toilet.obj
            id = inner.as_posix()
        yield Item(id, label, split, root.resolve().name or "folder" if keep_names else "modelnet10", load)


def is_hashed(id: str) -> bool:
    """Whether an id says nothing of a file's name: it is a class and a hash."""
    return re.search(rf"/[0-9a-f]{{{_ID_DIGITS}}}(-\d+)?(@\d+)?$", id) is not None


def _hash(file: Path) -> str:
    """A hash of what is in a file; zeros for one that cannot be opened, which is told when it is loaded."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()[:_ID_DIGITS]
    except OSError:
        return "0" * _ID_DIGITS


def _files(folder: Path) -> Iterator[Path]:
    """The meshes and grids of a folder and its subfolders; hidden ones are left out."""
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix.lower() in MESHES + GRIDS and not hidden and file.is_file():
            yield file


def _label(file: Path, root: Path, keep_names: bool, otherwise: str) -> tuple[str, str]:
    """The class and the split of a file, from the names of its folders."""
    split = "train"
    names = [*[root.resolve().name] * keep_names, *file.parent.relative_to(root).parts]
    while names:
        name = names.pop()
        if name.lower() in SPLITS:
            split = SPLITS[name.lower()]
        elif not name.isdigit():
            return name, split
    return otherwise or NO_CLASS, split


def _load(file: Path, degrees: int, up: str) -> SourceShape:
    from maquette.io.formats import read_grid, read_mesh

    if file.suffix.lower() in GRIDS:
        return turn_grid(read_grid(file) > 0.5, degrees)
    mesh = read_mesh(file)
    lying = up == "y" and file.suffix.lower() != ".glb"
    if degrees or lying:
        from trimesh.transformations import rotation_matrix

        mesh = mesh.copy()
        if lying:
            mesh.apply_transform(rotation_matrix(1.5707963267948966, [1, 0, 0]))
        mesh.apply_transform(rotation_matrix(degrees * 3.141592653589793 / 180, [0, 0, 1]))
    return mesh
