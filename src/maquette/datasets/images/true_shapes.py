"""The true shapes of the test split of an image set, kept beside it: generated meshes are measured against them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Bool, Float32, Float64

from maquette.datasets.item import Item
from maquette.errors import UserError
from maquette.io.atomic import atomic_path
from maquette.io.formats import npz_arrays

TRUE_SHAPES = "test-shapes.npz"
"""The file, in the folder of the image set."""
POINTS = 2048
"""Points sampled uniformly from each surface."""
RESOLUTION = 64
"""Voxels a side."""
MOST = 100_000
"""The most true shapes of one image set."""


@dataclass(frozen=True)
class TrueShapes:
    """Shapes in the package's frame.

    Attributes:
        ids: Their names.
        labels: Their classes.
        points: Sampled uniformly from their surfaces, POINTS of each.
        voxels: Their occupancy, RESOLUTION voxels a side.
        mean_curvature: As `maquette.geometry.curvature.mean_curvature` measures it, in 1 / length.
    """

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    points: Float32[np.ndarray, "n points 3"]
    voxels: Bool[np.ndarray, "n r r r"]
    mean_curvature: Float64[np.ndarray, " n"]


def shape_part(parts: Path, item: Item) -> Path:
    """The file that holds the true shape of an item until the set is whole."""
    return parts / f"shape-{hashlib.sha256(item.id.encode()).hexdigest()[:24]}.npz"


def keep_shape(path: Path, mesh: trimesh.Trimesh) -> None:
    """Writes one true shape, whole or not at all.

    Args:
        path: The file, see `shape_part`.
        mesh: The shape, in the package's frame.

    Raises:
        UserError: If the file cannot be written.
    """
    from maquette.geometry.curvature import mean_curvature
    from maquette.geometry.points import surface_points
    from maquette.geometry.voxelise import voxelise

    points, voxels = surface_points(mesh, POINTS), voxelise(mesh, RESOLUTION)
    with atomic_path(path) as unfinished:
        np.savez(
            unfinished,
            points=points.astype(np.float32),
            voxels=np.packbits(voxels),
            bend=mean_curvature(mesh),
        )


def write_shapes(path: Path, items: Sequence[Item], parts: Path) -> None:
    """Writes the true shapes of all items into one file.

    Args:
        path: The file to write.
        items: The items, in the order of the file.
        parts: The folder with the shape of each, see `shape_part`.

    Raises:
        UserError: If the file cannot be written.
    """
    size = RESOLUTION**3 // 8
    points = np.empty((len(items), POINTS, 3), np.float32)
    voxels, mean_curvature = np.empty((len(items), size), np.uint8), np.empty(len(items))
    for place, item in enumerate(items):
        with np.load(shape_part(parts, item), allow_pickle=False) as one:
            points[place], voxels[place], mean_curvature[place] = one["points"], one["voxels"], one["bend"]
    with atomic_path(path) as unfinished:
        np.savez_compressed(
            unfinished,
            ids=np.array([item.id for item in items], dtype=np.str_),
            points=points,
            labels=np.array([item.label for item in items], dtype=np.str_),
            voxels=voxels,
            bend=mean_curvature,
        )


def true_shapes(folder: str | Path) -> TrueShapes:
    """The true shapes of the test split of an image set.

    Args:
        folder: The folder of the image set.

    Raises:
        UserError: If it has none, and if their file is damaged.
    """
    path = Path(folder) / TRUE_SHAPES
    if not path.is_file():
        raise UserError(f"{folder} has no true shapes: it has no {TRUE_SHAPES}",
                        hint="make an image set of shapes with: maquette data render images SOURCE --out DIR")
    try:
        found = npz_arrays(path, ("ids", "labels", "points", "voxels", "bend"), MOST * POINTS * 3 * 8)
    except UserError as error:
        raise UserError(f"cannot read {path}", str(error), "make the image set again") from None
    ids, labels, points, voxels, mean_curvature = found.values()
    whole = (ids.size, POINTS, 3), (ids.size, RESOLUTION**3 // 8), (ids.size,), (ids.size,), (ids.size,)
    kinds = tuple(array.dtype.kind for array in found.values())
    if (points.shape, voxels.shape, mean_curvature.shape, labels.shape, ids.shape) != whole or ids.size > MOST or (
        kinds != ("U", "U", "f", "u", "f") or voxels.dtype != np.uint8
    ):
        raise UserError(f"{path} holds no true shapes: points of shape {points.shape} for {ids.size} shapes",
                        hint="make the image set again")
    voxels = np.unpackbits(voxels, axis=1).astype(bool).reshape(ids.size, *(RESOLUTION,) * 3)
    points, mean_curvature = points.astype(np.float32), mean_curvature.astype(np.float64)
    return TrueShapes(tuple(ids.tolist()), tuple(labels.tolist()), points, voxels, mean_curvature)
