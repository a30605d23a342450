"""The shapes of one split at one resolution, prepared once and kept in a cache folder."""

import hashlib
from collections.abc import Generator
from pathlib import Path

from maquette.datasets.format import OpenedData, open_dataset
from maquette.datasets.prepare import FORMAT, prepare
from maquette.events import Progress


def shapes_of(
    path: str | Path, cache: str | Path, split: str, resolution: int, limit: int | None = None,
    orientations: int = 1,
) -> Generator[Progress, None, OpenedData]:
    """Prepares the shapes of a split without views, or finds them in the cache.

    Yields progress; the generator's return value is the opened dataset.

    Args:
        path: An archive or folder that `maquette data prepare` reads. Training shapes that are copies of a test shape
            are left out, as everywhere.
        cache: The folder that holds the prepared datasets, one folder for each set of options.
        split: `train` or `test`.
        resolution: Voxels a side.
        limit: The most shapes, spread evenly over the split; None for all.
        orientations: Rows of each shape, one after the other, each turned further about z.

    Raises:
        UserError: For whatever `maquette.datasets.prepare.prepare` refuses.
    """
    options: dict[str, int | str | None] = {"resolution": resolution, "views": 0, "split": split, "count": limit}
    if orientations > 1:
        options["orientations"] = orientations
    key = hashlib.sha256(f"{FORMAT} {Path(path).resolve()} {options}".encode()).hexdigest()[:8]
    turned = f" in {orientations} orientations" if orientations > 1 else ""
    folder = Path(cache) / f"{split}-{Path(path).stem}-{resolution}-{key}"
    for event in prepare(path, folder, resolution=resolution, split=split, count=limit, orientations=orientations):
        if isinstance(event, Progress):
            yield Progress(f"reading the {split} shapes{turned}", event.done, event.total)
    return open_dataset(folder)
