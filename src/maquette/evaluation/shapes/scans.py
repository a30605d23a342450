"""Completion of scans of a test split, ModelNet10's or another's: IoU by class, beside that of the scans themselves.

After Smith and Meger, CoRL 2017 (arXiv 1707.09557), section on depth completion. As in
`maquette.evaluation.shapes.modelnet` every number comes from the data's own test split, which training never reads.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from maquette.datasets.cache import cached
from maquette.errors import UserError
from maquette.evaluation.report import Cell, Measured
from maquette.evaluation.shapes.modelnet import split_name
from maquette.evaluation.shapes.table import ClassTable
from maquette.events import Progress
from maquette.geometry.overlap import iou

Complete = Callable[[Float[np.ndarray, "b 1 r r r"]], Float[np.ndarray, "b r r r"]]
"""Scans, voxels of 0 and 1, to occupancy in [0, 1]."""


def evaluate_scans(
    complete: Complete,
    path: str | Path,
    cache: str | Path,
    *,
    resolution: int,
    threshold: float,
    scans: int = 4,
    limit: int | None = None,
    seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Scan each test shape from cameras all round it and measure the completions against the whole shapes.

    Args:
        complete: The model: float32 scans to grids of the same resolution.
        path: The data: an archive or folder that `maquette data prepare` reads.
        cache: Folder for the scans, which are used again.
        resolution: Voxels a side.
        threshold: Occupancy above which a completed voxel counts as filled.
        scans: Scans of each shape, 1 or more; a shape's IoU is the mean over its scans.
        limit: Test shapes at most; None for all.
        seed: Of the cameras.

    Yields:
        Progress, then a table: IoU of the scans and of their completions, by class and over all shapes.

    Raises:
        UserError: For fewer than one scan and for data that cannot be prepared.
    """
    if scans < 1:
        raise UserError("scans of each shape must be 1 or more", scans)
    options = {"resolution": resolution, "scans": scans, "seed": seed, "split": "test", "count": limit}
    data = yield from cached(path, cache, "scanning", options)
    rows = data.split("test")
    scan_iou, completed_iou = np.zeros(len(rows)), np.zeros(len(rows))
    for start in range(0, len(rows), 32):
        part = slice(start, start + 32)
        truth = data.voxels(rows[part])
        for number in range(scans):
            scanned = data.scans(rows[part], np.full(len(truth), number))
            scan_iou[part] += iou(scanned, truth) / scans
            completed_iou[part] += iou(complete(scanned[:, None].astype(np.float32)), truth, threshold) / scans
        yield Progress("completing", start + len(truth), len(rows))
    labels = [data.class_names[data.labels[row]] for row in rows]
    table = ClassTable.from_samples(labels, {"IoU scan": scan_iou, "IoU": completed_iou})
    lines: list[tuple[Cell, ...]] = [*table.lines(), ("all shapes", len(rows), *table.mean)]
    title = f"{split_name(path)}, completed from {scans} scans a shape, threshold {threshold:g}"
    details = {"mean_iou": table.mean[1], "mean_iou_of_scans": table.mean[0],
               "standard_error": float(np.std(completed_iou) / len(rows) ** 0.5), "threshold": threshold, "seed": seed}
    yield Measured(title, ("class", "shapes", *table.columns), tuple(lines), details | table.as_dict())
