"""Any folder of meshes or grids as a source.

Two layouts are understood: ModelNet's `class/train|test/name.off`, and `class/name.obj` where the class is the name of
the folder that the file lies in. Meshes and grids may be mixed.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from maquette.datasets import Item, turn
from maquette.errors import UserError

MESHES = (".off", ".obj", ".stl", ".ply", ".glb", ".3mf")
GRIDS = (".binvox", ".npy", ".npz", ".mat")
SPLITS = {"train": "train", "test": "test", "val": "train", "valid": "train", "validation": "train"}
"""Folder names that are splits and not classes. The validation part is chosen when a model is trained."""


def read(path: str | Path, *, turns: Mapping[str, int] | None = None, up: str = "z") -> Iterator[Item]:
    """Every mesh and grid under a folder (or the one file), in the order of their paths; ids are the paths below it.

    Args:
        turns: Degrees about z from the front of each class to +y; 0 for classes that are not named.
        up: `z` or `y`, the axis that points up in the meshes; y is turned to z, and what faces -z then faces +y. Grids
            are always taken with z up, and so is GLB, which is y up by its standard and was turned when it was read.

    Raises:
        UserError: Where there is no such folder or nothing to read in it.
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
        label, split = _label(file, root)
        name = inner.with_suffix("").as_posix()
        if stems[name] > 1:  # toilet.off beside toilet.obj
            name = inner.as_posix()
        degrees = (turns or {}).get(label, 0)
        yield Item(name, label, split, root.resolve().name or "folder", partial(_load, file, degrees, up))


def _files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix.lower() in MESHES + GRIDS and not hidden and file.is_file():
            yield file


def _label(file: Path, root: Path) -> tuple[str, str]:
    """(class, split) of a file from the folders that it lies in."""
    split = "train"
    names = [root.resolve().name, *file.parent.relative_to(root).parts]
    while names:
        name = names.pop()
        if name.lower() in SPLITS:
            split = SPLITS[name.lower()]
        elif not name.isdigit():
            return name, split
    return "object", split


def _load(file: Path, degrees: int, up: str):
    from maquette.io.formats import read_grid, read_mesh

    if file.suffix.lower() in GRIDS:
        return turn(read_grid(file) > 0.5, degrees)
    mesh = read_mesh(file)
    lying = up == "y" and file.suffix.lower() != ".glb"
    if degrees or lying:
        from trimesh.transformations import rotation_matrix

        mesh = mesh.copy()
        if lying:
            mesh.apply_transform(rotation_matrix(1.5707963267948966, [1, 0, 0]))
        mesh.apply_transform(rotation_matrix(degrees * 3.141592653589793 / 180, [0, 0, 1]))
    return mesh
