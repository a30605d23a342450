"""Reconstruction of a test split, ModelNet10's or that of any other data: IoU by class and by kind of view.

The split is the data's own: `prepare` writes training and test rows to different folders, training reads only
`train`, and every number here comes from `test`.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from maquette.datasets.format import open_dataset
from maquette.datasets.prepare import FORMAT, prepare
from maquette.datasets.sources.modelnet import is_modelnet10
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.table import Table
from maquette.events import Progress
from maquette.geometry.overlap import average_precision, iou

KINDS = ("photo", "pencil")


def evaluate_modelnet(
    predict: Callable[[np.ndarray], np.ndarray],
    path: str | Path,
    cache: str | Path,
    *,
    resolution: int,
    view_size: int,
    channels: int,
    threshold: float,
    views: int = 4,
    limit: int | None = None,
    seed: int = 0,
    backgrounds: str | None = None,
) -> Iterator[Progress | Measured]:
    """Render `views` views of each test shape (half photo, half pencil, any azimuth) and measure the reconstructions.

    Args:
        predict: Images float32 `[B, C, S, S]` in [0, 1] to occupancy `[B, R, R, R]`.
        cache: Folder for the rendered views.
    """
    if views < 2 or views % 2:
        raise UserError("views must be even, half photo and half pencil", views)
    scores: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    precision = {kind: [] for kind in KINDS}
    labels = None
    for kind in KINDS:
        options = {"resolution": resolution, "views": views // 2, "view_size": view_size, "channels": channels,
                   "kinds": (kind,), "seed": seed, "split": "test", "frontal": 0.0, "count": limit,
                   "backgrounds": backgrounds}
        key = hashlib.sha256(f"{FORMAT} {Path(path).resolve()} {options}".encode()).hexdigest()[:8]
        folder = Path(cache) / f"test-{Path(path).stem}-{kind}-{key}"
        for event in prepare(path, folder, **options):
            if isinstance(event, Progress):
                yield Progress(f"rendering {kind} views", event.done, event.total)
        data = open_dataset(folder)
        rows = data.split("test")
        labels = [data.class_names[data.labels[row]] for row in rows]
        for start in range(0, len(rows), 32):
            part = rows[start : start + 32]
            truth = data.voxels(part)
            for view in range(views // 2):
                pixels = data.views(part, np.full(len(part), view))
                images = pixels.astype(np.float32) / 255
                images = images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1)
                found = predict(np.ascontiguousarray(images))
                scores[kind].append((start, iou(found, truth, threshold)))
                precision[kind].append((start, average_precision(found, truth)))
            yield Progress(f"reconstructing {kind} views", start + len(part), len(rows))
    yield _measured(split_of(path), labels, scores, precision, threshold, views, seed)


def split_of(path: str | Path) -> str:
    """What is measured on, for a title: ModelNet10's test split, or that of the file or folder by its name."""
    return "ModelNet10 test split" if is_modelnet10(path) else f"Test split of {Path(path).resolve().name}"


def _measured(what: str, labels, scores, precision, threshold: float, views: int, seed: int) -> Measured:
    columns: dict[str, list[float]] = {}
    for kind in KINDS:
        columns[f"IoU {kind}"] = _by_shape(scores[kind], len(labels))
    columns["IoU"] = list(np.mean([columns[f"IoU {kind}"] for kind in KINDS], axis=0))
    columns["AP"] = list(np.mean([_by_shape(precision[kind], len(labels)) for kind in KINDS], axis=0))
    table = Table.of(labels, **columns)
    rows = [(name, count, *means) for name, (count, means) in table.rows.items()]
    rows.append(("all shapes", len(labels), *table.mean))
    title = f"{what}, {views} views a shape, threshold {threshold:g}"
    error = float(np.std(columns["IoU"]) / len(labels) ** 0.5)
    details = {"mean_iou": table.mean[2], "standard_error": error, "threshold": threshold, "seed": seed}
    details |= table.as_dict()
    return Measured(title, ("class", "shapes", *table.columns), tuple(rows), details)


def _by_shape(parts: list[tuple[int, np.ndarray]], count: int) -> list[float]:
    """The mean over its views of each shape's score."""
    sums, seen = np.zeros(count), np.zeros(count)
    for start, values in parts:
        sums[start : start + len(values)] += values
        seen[start : start + len(values)] += 1
    return list(sums / seen)
