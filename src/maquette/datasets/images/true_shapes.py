"""The true shapes of an image set's test split, kept beside it, for generated meshes to be measured against."""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from maquette.datasets import Item
from maquette.errors import UserError
from maquette.io.atomic import atomic_path

TRUE_SHAPES = "test-shapes.npz"
POINTS = 2048
"""Points drawn evenly over each surface."""
RESOLUTION = 64
"""Voxels a side."""
MOST = 100_000
"""True shapes of one image set at most."""


@dataclass(frozen=True)
class TrueShapes:
    """Shapes in the package's frame.

    Attributes:
        ids: Names [n].
        labels: Classes [n].
        points: Drawn evenly over the surfaces, float32 [n, POINTS, 3].
        voxels: Bool [n, R, R, R]. bend: `maquette.geometry.curvature.mean_curvature` of each, float64 [n].
    """

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    points: np.ndarray
    voxels: np.ndarray
    mean_curvature: np.ndarray


def shape_part(parts: Path, item: Item) -> Path:
    """Where the true shape of an item waits until the set is whole."""
    return parts / f"shape-{hashlib.sha256(item.id.encode()).hexdigest()[:24]}.npz"


def keep_shape(path: Path, mesh: trimesh.Trimesh) -> None:
    """Writes one true shape, whole or not at all. mesh: in the frame."""
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
    """Writes the true shapes of all items into one file."""
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

    Raises:
        UserError: Where it has none, and for a damaged file.
    """
    path = Path(folder) / TRUE_SHAPES
    if not path.is_file():
        raise UserError(f"{folder} has no true shapes: it has no {TRUE_SHAPES}",
                        hint="make an image set of shapes with: maquette data render images SOURCE --out DIR")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            ids, labels = archive["ids"], archive["labels"]
            if len(ids) > MOST:
                raise ValueError(f"{len(ids)} shapes")
            points, voxels, mean_curvature = archive["points"], archive["voxels"], archive["bend"]
        whole = (len(ids), POINTS, 3), (len(ids), RESOLUTION**3 // 8), (len(ids),), (len(ids),)
        if (points.shape, voxels.shape, mean_curvature.shape, labels.shape) != whole:
            raise ValueError(f"points of shape {points.shape} for {len(ids)} shapes")
        voxels = np.unpackbits(voxels, axis=1).astype(bool).reshape(len(ids), *(RESOLUTION,) * 3)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"cannot read {path}", error, "make the image set again") from error
    return TrueShapes(tuple(ids.tolist()), tuple(labels.tolist()), points, voxels, mean_curvature)
