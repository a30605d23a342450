"""Completion of scans of a test split, ModelNet10's or another's: IoU by class, beside that of the scans themselves.

After Smith and Meger, CoRL 2017 (arXiv 1707.09557), section on depth completion. As in
`maquette.evaluation.shapes.modelnet` every number comes from the data's own test split, which training never reads.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from maquette.datasets.format import open_dataset
from maquette.datasets.prepare import FORMAT, prepare
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.modelnet import split_of
from maquette.evaluation.shapes.table import Table
from maquette.events import Progress
from maquette.geometry.overlap import iou


def evaluate_scans(
    predict: Callable[[np.ndarray], np.ndarray],
    path: str | Path,
    cache: str | Path,
    *,
    resolution: int,
    threshold: float,
    scans: int = 4,
    limit: int | None = None,
    seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Scan each test shape from `scans` cameras all round it and measure the completions against the whole shapes.

    Args:
        predict: Scans float32 `[B, 1, R, R, R]` of 0 and 1 to occupancy `[B, R, R, R]`.
        cache: Folder for the scans. A shape's number is the mean over its scans.

    Raises:
        UserError: For fewer than one scan.
    """
    if scans < 1:
        raise UserError("scans of each shape must be 1 or more", scans)
    options = {"resolution": resolution, "scans": scans, "seed": seed, "split": "test", "count": limit}
    key = hashlib.sha256(f"{FORMAT} {Path(path).resolve()} {options}".encode()).hexdigest()[:8]
    folder = Path(cache) / f"test-{Path(path).stem}-scans-{key}"
    for event in prepare(path, folder, **options):
        if isinstance(event, Progress):
            yield Progress("scanning", event.done, event.total)
    data = open_dataset(folder)
    rows = data.split("test")
    of_scans, completed = np.zeros(len(rows)), np.zeros(len(rows))
    for start in range(0, len(rows), 32):
        part = slice(start, start + 32)
        truth = data.voxels(rows[part])
        for which in range(scans):
            seen = data.scans(rows[part], np.full(len(truth), which))
            of_scans[part] += iou(seen, truth) / scans
            completed[part] += iou(predict(seen[:, None].astype(np.float32)), truth, threshold) / scans
        yield Progress("completing", start + len(truth), len(rows))
    labels = [data.class_names[data.labels[row]] for row in rows]
    table = Table.of(labels, **{"IoU scan": of_scans, "IoU": completed})
    lines = [(name, count, *means) for name, (count, means) in table.rows.items()]
    lines.append(("all shapes", len(rows), *table.mean))
    title = f"{split_of(path)}, completed from {scans} scans a shape, threshold {threshold:g}"
    details = {"mean_iou": table.mean[1], "mean_iou_of_scans": table.mean[0],
               "standard_error": float(np.std(completed) / len(rows) ** 0.5), "threshold": threshold, "seed": seed}
    yield Measured(title, ("class", "shapes", *table.columns), tuple(lines), details | table.as_dict())
