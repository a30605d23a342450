"""Any folder of meshes or grids as a source.

Two layouts are understood: ModelNet's `class/train|test/name.off`, and `class/name.obj` where the class is the name of
the folder that the file lies in. Meshes and grids may be mixed.
"""

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


def read(path: str | Path, *, turns: Mapping[str, int] | None = None, up: str = "z") -> Iterator[Item]:
    """Every mesh and grid in a folder and its subfolders, in the order of their paths; the ids are these paths.

    Args:
        path: The folder, or one file.
        turns: Degrees about z that bring the front of each class to +y; 0 for classes that are not named.
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
        label, split = _label(file, root)
        name = inner.with_suffix("").as_posix()
        if stems[name] > 1:  # toilet.off beside toilet.obj
            name = inner.as_posix()
        degrees = (turns or {}).get(label, 0)
        yield Item(name, label, split, root.resolve().name or "folder", partial(_load, file, degrees, up))


def _files(folder: Path) -> Iterator[Path]:
    """The meshes and grids of a folder and its subfolders; hidden ones are left out."""
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.suffix.lower() in MESHES + GRIDS and not hidden and file.is_file():
            yield file


def _label(file: Path, root: Path) -> tuple[str, str]:
    """The class and the split of a file, from the names of its folders."""
    split = "train"
    names = [root.resolve().name, *file.parent.relative_to(root).parts]
    while names:
        name = names.pop()
        if name.lower() in SPLITS:
            split = SPLITS[name.lower()]
        elif not name.isdigit():
            return name, split
    return "object", split


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
