"""ModelNet10 in its two volumetric forms: the official tree of `.mat` files and one `.npz` of all shapes.

Both hold grids of 30 voxels a side: the object, its longest side 24 voxels, and a margin of 3 (Wu et al. 2015,
"3D ShapeNets"). The classes face different ways; ROTATIONS turns them all to +y, the front of the package's frame.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NoReturn

import numpy as np
from jaxtyping import Bool, Shaped

from maquette.datasets.item import LEFT_OUT, Item
from maquette.errors import UserError
from maquette.geometry.grids import turn_grid
from maquette.io.formats import npz_arrays, npz_names, read_grid

TERMS = "ModelNet, Princeton University: academic use only, cite Wu et al. 2015 (3D ShapeNets)"

ROTATIONS = {
    "bathtub": 270,
    "bed": 180,
    "chair": 180,
    "desk": 270,
    "dresser": 270,
    "monitor": 270,
    "night_stand": 270,
    "sofa": 270,
    "table": 270,
    "toilet": 180,
}
"""Degrees about z, counter-clockwise from above, that bring the front of each class to +y. As stored, chairs, beds and
toilets have their backs at +y; desks, drawers of dressers, screens and sofas open towards -x; tables and bathtubs lie
along y."""

TEST_SHAPES = 908
"""Shapes of ModelNet10's test split."""

ORIENTATIONS = 12
"""Files of one shape in the `.mat` tree, each turned 30 degrees further."""


MOST_BYTES = 8 << 30
"""The most that one array of an archive may take: 300,000 grids of 30 voxels a side."""


def turn_of(label: str) -> int:
    """Degrees that bring the front of a class to +y; 0 for a class that ModelNet10 does not have."""
    return ROTATIONS.get(label.lower(), 0)


def read(path: str | Path) -> Iterator[Item]:
    """The items of a ModelNet path: a `.npz` file, a folder with one in it, or a tree of `.mat` files.

    Raises:
        UserError: If the path holds no ModelNet.
    """
    path = Path(path)
    if path.is_dir():
        archives = sorted(path.glob("*.npz"))
        if archives and "X_train" in npz_names(archives[0]):
            return read_npz(archives[0])
        return read_mat(path)
    return read_npz(path)


def is_npz(path: str | Path) -> bool:
    """Whether a file is an archive of ModelNet's shapes (it has `X_train` and `classes`)."""
    path = Path(path)
    if path.suffix != ".npz" or not path.is_file():
        return False
    try:
        return {"X_train", "y_train", "classes"} <= npz_names(path)
    except UserError:  # damaged: whoever reads it as a grid names it, and the others of its folder go on
        return False


def is_modelnet10(path: str | Path) -> bool:
    """Whether a path is ModelNet10 itself, by its classes and the size of its test split.

    Args:
        path: An archive, a folder with one in it, or a tree of volumes or meshes.
    """
    path = Path(path)
    if path.is_dir():
        trees = ("{0}/30/test/*_1.mat", "{0}/test/{0}_*.off")
        if any(sum(1 for kind in ROTATIONS for _ in path.glob(tree.format(kind))) == TEST_SHAPES for tree in trees):
            return True
        path = next((file for file in sorted(path.glob("*.npz")) if is_npz(file)), path)
    if not is_npz(path) or "y_test" not in npz_names(path):
        return False
    found = npz_arrays(path, ("classes", "y_test"))
    return set(found["classes"].ravel().tolist()) == set(ROTATIONS) and found["y_test"].shape == (TEST_SHAPES,)


def read_npz(path: str | Path, *, raw: bool = False, copies: bool = False) -> Iterator[Item]:
    """Every shape of the archive, train first; ids are `chair-train-00012`, the number is the row in the archive.

    Empty grids are items too, and so are left-out copies: loading one raises UserError, so that the reader can name and
    skip it.

    Args:
        path: The archive.
        raw: Keeps each grid as it is stored, not turned to the common front.
        copies: Keeps the training shapes that are copies of a test shape, see `copies_of_test`.

    Raises:
        UserError: If the file is no such archive.
    """
    path = Path(path)
    shapes = _shapes(path)
    left_out = {} if copies else copies_of_test(path)
    classes = shapes["classes"]
    for split in ("train", "test"):
        for index, label in enumerate(classes[shapes[f"y_{split}"]]):
            label = str(label)
            degrees = 0 if raw else turn_of(label)
            name = f"{label}-{split}-{index:05d}"
            load: Callable[[], np.ndarray]
            if name in left_out:
                reason = f"the test split has the same shape, {left_out[name]}"
                load = partial(_refuse, LEFT_OUT.format(id=name, reason=reason))
            else:
                load = partial(_load_npz, path, split, index, degrees, name)
            yield Item(name, label, split, "modelnet10", load)


@lru_cache(maxsize=2)
def copies_of_test(path: str | Path) -> dict[str, str]:
    """The test id of each training id whose voxels are those of the test shape, bit for bit.

    ModelNet10 has such pairs: the same model under two names, one in each split.
    """
    shapes = _shapes(Path(path))
    names = {
        split: [f"{shapes['classes'][label]}-{split}-{k:05d}" for k, label in enumerate(shapes[f"y_{split}"])]
        for split in ("train", "test")
    }
    tested = {bits.tobytes(): name for bits, name in zip(shapes["X_test"], names["test"], strict=True) if bits.any()}
    pairs = ((name, tested.get(bits.tobytes())) for bits, name in zip(shapes["X_train"], names["train"], strict=True))
    return {name: twin for name, twin in pairs if twin is not None}


def read_mat(folder: str | Path, *, orientations: tuple[int, ...] = (1,), raw: bool = False) -> Iterator[Item]:
    """Shapes of the official tree `class/30/train/*.mat`; ids are `chair/chair_000000200_1`.

    The class is the name of the folder, not of the file: the chairs hold a file that is called night_stand.

    Args:
        folder: The root of the tree.
        orientations: Which of the 12 files of each shape, from 1. Number n is turned 30 (n - 1) degrees about z, from
            the first axis of the file to its second, which is clockwise once x and y are exchanged.
        raw: Keeps each grid as it is stored. Otherwise x and y are exchanged, since the files are mirror images of the
            other forms of the dataset, and the shape is turned so that orientation 1 faces +y.

    Raises:
        UserError: If the folder is no such tree.
    """
    folder = Path(folder)
    wanted = {str(number) for number in orientations}
    found = False
    for file in sorted(folder.rglob("*.mat")):
        split, label = file.parent.name, file.parent.parent.parent.name
        if split not in ("train", "test") or not file.parent.parent.name.isdigit():
            continue
        found = True
        if file.stem.rsplit("_", 1)[-1] in wanted:
            load = partial(_load_mat, file, None if raw else turn_of(label))
            turned = None if raw else partial(_load_turned, file, turn_of(label))
            yield Item(f"{label}/{file.stem}", label, split, "modelnet10", load, turned)
    if not found:
        raise UserError(f"no ModelNet tree in {folder}", hint="expected files like chair/30/train/chair_0001_1.mat")


def pad_to(grid: Shaped[np.ndarray, "a b c"], resolution: int = 32) -> Shaped[np.ndarray, "r r r"]:
    """A grid in the middle of a larger empty one: papers train on 30 voxels in a cube of 32.

    Raises:
        UserError: If the grid is larger than that.
    """
    if resolution < max(grid.shape):
        raise UserError(f"a grid of {max(grid.shape)} voxels cannot be padded to a smaller one", resolution)
    before = [(resolution - n) // 2 for n in grid.shape]
    return np.pad(grid, [(b, resolution - n - b) for b, n in zip(before, grid.shape, strict=True)])


@lru_cache(maxsize=2)
def _shapes(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the archive, each grid packed to bits (an eighth of the memory); read once in each process."""
    if not path.is_file():
        raise UserError(f"no file {path}")
    missing = {"X_train", "X_test", "y_train", "y_test", "classes"} - npz_names(path)
    if missing:
        raise UserError(f"{path.name} is not a ModelNet archive", f"no array {', '.join(sorted(missing))}")
    result = npz_arrays(path, ("y_train", "y_test", "classes"))
    if result["classes"].ndim != 1 or result["classes"].dtype.kind != "U":
        raise UserError(f"the classes of {path.name} must be names", result["classes"].dtype)
    for split in ("train", "test"):
        labels = result[f"y_{split}"]
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or (
            len(labels) and not 0 <= labels.min() <= labels.max() < len(result["classes"])
        ):
            raise UserError(f"y_{split} of {path.name} must name classes by their numbers", labels.dtype)
        grids = npz_arrays(path, (f"X_{split}",), MOST_BYTES)[f"X_{split}"]
        if grids.ndim != 4 or len(grids) != len(labels) or grids.dtype.kind not in "biuf":
            raise UserError(f"X_{split} of {path.name} must be [n, r, r, r] with a y for each", grids.shape)
        result[f"size_{split}"] = np.array(grids.shape[1:])
        result[f"X_{split}"] = np.packbits(grids.reshape(len(grids), -1) > 0, axis=1)
    return result


def _load_npz(path: Path, split: str, index: int, degrees: int, name: str) -> Bool[np.ndarray, "a b c"]:
    shapes = _shapes(path)
    size = shapes[f"size_{split}"]
    grid = np.unpackbits(shapes[f"X_{split}"][index], count=int(np.prod(size))).reshape(size).astype(bool)
    if not grid.any():
        raise UserError(f"{name} is an empty grid in {path.name}")
    return turn_grid(grid, degrees)


def _refuse(reason: str) -> NoReturn:
    raise UserError(reason)


def _load_mat(file: Path, degrees: int | None) -> Bool[np.ndarray, "a b c"]:
    grid = read_grid(file) > 0
    if not grid.any():
        raise UserError(f"{file.name} is an empty grid")
    return grid if degrees is None else turn_grid(grid.transpose(1, 0, 2), degrees)


def _load_turned(file: Path, front: int, degrees: int) -> Bool[np.ndarray, "a b c"] | None:
    """The file of the same shape that is turned further counter-clockwise; None where it is not there."""
    stem, _, number = file.stem.rpartition("_")
    further = file.with_name(f"{stem}_{(int(number) - 1 - degrees // 30) % ORIENTATIONS + 1}{file.suffix}")
    return _load_mat(further, front) if further.is_file() else None
