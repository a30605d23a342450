"""Reconstruction of a test split, ModelNet10's or that of any other data: IoU by class and by kind of view.

The split is the data's own: `prepare` writes training and test rows to different folders, training reads only
`train`, and every number here comes from `test`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from maquette.datasets.cache import cached
from maquette.datasets.sources.modelnet import is_modelnet10
from maquette.errors import UserError
from maquette.evaluation.report import Cell, Measured
from maquette.evaluation.shapes.table import ClassTable
from maquette.events import Progress
from maquette.geometry.overlap import average_precision, iou

VIEW_KINDS = ("photo", "pencil")

Reconstruct = Callable[[Float[np.ndarray, "b c s s"]], Float[np.ndarray, "b r r r"]]
"""Views in [0, 1] to occupancy in [0, 1]."""
_ScoredRows = list[tuple[int, np.ndarray]]
"""(first row, scores of this row and the ones after it), an entry for each batch and view."""


def evaluate_modelnet(
    reconstruct: Reconstruct,
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
    """Render views of each test shape, half photo and half pencil, and measure their reconstructions.

    Args:
        reconstruct: The model: float32 views of `view_size` pixels a side to grids of `resolution` voxels a side.
        path: The data: an archive or folder that `maquette data prepare` reads.
        cache: Folder for the rendered views, which are used again.
        resolution: Voxels a side.
        view_size: Pixels a side of a view.
        channels: 1 for grey views, 3 for colour.
        threshold: Occupancy above which a reconstructed voxel counts as filled.
        views: Views of each shape, an even number, from any azimuth.
        limit: Test shapes at most; None for all.
        seed: Of the views.
        backgrounds: A folder of pictures to put behind the photo views; None for none.

    Yields:
        Progress, then a table: IoU by kind of view, IoU and average precision, by class and over all shapes.

    Raises:
        UserError: For an odd number of views, fewer than 2, or data that cannot be prepared.
    """
    if views < 2 or views % 2:
        raise UserError("views must be even, half photo and half pencil", views)
    scores: dict[str, _ScoredRows] = {kind: [] for kind in VIEW_KINDS}
    precision: dict[str, _ScoredRows] = {kind: [] for kind in VIEW_KINDS}
    labels: dict[str, str] = {}
    ids: dict[str, list[str]] = {}
    for kind in VIEW_KINDS:
        options = {"resolution": resolution, "views": views // 2, "view_size": view_size, "channels": channels,
                   "kinds": (kind,), "seed": seed, "split": "test", "frontal": 0.0, "count": limit,
                   "backgrounds": backgrounds}
        data = yield from cached(path, cache, f"rendering {kind} views", options)
        rows = data.split("test")
        ids[kind] = [data.id(row) for row in rows]
        labels |= {name: data.class_names[data.labels[row]] for name, row in zip(ids[kind], rows, strict=True)}
        for start in range(0, len(rows), 32):
            part = rows[start : start + 32]
            truth = data.voxels(part)
            for view in range(views // 2):
                pixels = data.views(part, np.full(len(part), view))
                images = pixels.astype(np.float32) / 255
                images = images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1)  # [b, C, S, S]
                predicted = reconstruct(np.ascontiguousarray(images))
                scores[kind].append((start, np.atleast_1d(iou(predicted, truth, threshold))))
                precision[kind].append((start, np.atleast_1d(average_precision(predicted, truth))))
            yield Progress(f"reconstructing {kind} views", start + len(part), len(rows))
    yield _table(split_name(path), labels, ids, scores, precision, threshold, views, seed)


def split_name(path: str | Path) -> str:
    """The test split's name for a title: ModelNet10's, or that of the file or folder."""
    return "ModelNet10 test split" if is_modelnet10(path) else f"Test split of {Path(path).resolve().name}"


def _table(
    name: str, class_of: Mapping[str, str], ids: Mapping[str, Sequence[str]], scores: dict[str, _ScoredRows],
    precision: dict[str, _ScoredRows], threshold: float, views: int, seed: int,
) -> Measured:
    """The report of all scores by kind of view, over the shapes of which there are views of every kind.

    Args:
        name: Of the split.
        class_of: The class of each shape, by its id.
        ids: The shape of each row, by kind of view.
        scores: IoU by kind of view.
        precision: Average precision by kind of view.
        threshold: Occupancy above which a voxel counted as filled.
        views: Views of each shape.
        seed: Of the views.
    """
    places = {kind: {shape: place for place, shape in enumerate(of_kind)} for kind, of_kind in ids.items()}
    shared = [shape for shape in ids[VIEW_KINDS[0]] if all(shape in of_kind for of_kind in places.values())]
    if not shared:
        raise UserError("no shape has views of every kind", hint="see what was skipped when they were rendered")

    def joined(found: _ScoredRows, kind: str) -> np.ndarray:
        return _mean_by_shape(found, len(ids[kind]))[[places[kind][shape] for shape in shared]]

    labels = [class_of[shape] for shape in shared]
    columns = {f"IoU {kind}": joined(scores[kind], kind) for kind in VIEW_KINDS}
    columns["IoU"] = np.mean([columns[f"IoU {kind}"] for kind in VIEW_KINDS], axis=0)
    columns["AP"] = np.mean([joined(precision[kind], kind) for kind in VIEW_KINDS], axis=0)
    table = ClassTable.from_samples(labels, columns)
    rows: list[tuple[Cell, ...]] = [*table.lines(), ("all shapes", len(labels), *table.mean)]
    lost = len(class_of) - len(shared)
    notes = (f"left out: {lost} of which one kind of view could not be rendered",) if lost else ()
    title = f"{name}, {views} views a shape, threshold {threshold:g}"
    error = float(np.std(columns["IoU"]) / len(labels) ** 0.5)
    details = {"mean_iou": table.mean[2], "standard_error": error, "threshold": threshold, "seed": seed}
    return Measured(title, ("class", "shapes", *table.columns), tuple(rows), details | table.as_dict(), notes)


def _mean_by_shape(parts: _ScoredRows, count: int) -> np.ndarray:
    """The mean over its views of each of `count` shapes' scores, `[count]`."""
    sums, views = np.zeros(count), np.zeros(count)
    for start, values in parts:
        sums[start : start + len(values)] += values
        views[start : start + len(values)] += 1
    return sums / views
