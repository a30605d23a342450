"""The IKEA measure of 3D-GAN (Wu et al., NIPS 2016, section 4.4): voxel average precision after the best alignment.

For each photo the prediction, resized to 20 voxels a side, is compared with the true grid by average precision (AP), as
scikit-learn computes it, after the best alignment (`maquette.evaluation.shapes.alignment`). AP is averaged within each
class, then over classes.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from maquette.datasets.sources.ikea import Photo
from maquette.datasets.sources.ikea import photos as listed_photos
from maquette.errors import UserError
from maquette.evaluation.report import Cell, Measured
from maquette.evaluation.shapes.alignment import (
    RESOLUTION,
    Alignment,
    TurnedTruth,
    resize_grid,
    search_alignment,
    shifts,
)
from maquette.evaluation.shapes.table import ClassTable
from maquette.events import Progress
from maquette.geometry.overlap import average_precision
from maquette.io.pictures import read_picture

ReconstructPhotos = Callable[[Sequence[UInt8[np.ndarray, "_ _ 3"]]], Float[np.ndarray, "n r r r"]]
"""RGB photos of any size to occupancy in [0, 1], one grid for each photo."""


@dataclass(frozen=True)
class PhotoScore:
    """The score of one photo."""

    image: str
    """The photo's file name."""
    label: str
    """The class."""
    model_id: int
    """The number of the true shape."""
    ap: float
    """Average precision without alignment."""
    aligned: Alignment | None
    """The best alignment; None where none was searched."""


@dataclass(frozen=True)
class IkeaResult:
    """The scores of all photos, their means, and the time that they took."""

    rows: tuple[PhotoScore, ...]
    table: ClassTable
    """Means by class, in the columns "ap" and, after alignment, "ap_aligned"."""
    mean_ap: float
    """The paper's number: the mean of the class means, after alignment where there was one."""
    predict_seconds: float
    align_seconds: float

    @property
    def seconds(self) -> float:
        """Of prediction and alignment together."""
        return self.predict_seconds + self.align_seconds


def score_photos(
    reconstruct: ReconstructPhotos,
    data_dir: str | Path,
    *,
    align: bool = True,
    limit: int | None = None,
    kind: str = "",
    batch: int = 32,
    resize: Literal["mean", "max"] = "mean",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> IkeaResult:
    """Score a model on the IKEA photos.

    Args:
        reconstruct: The model.
        data_dir: A folder with Images/, Lists/ and Voxels/.
        align: Whether to search the best alignment.
        limit: Photos at most, spread evenly over the lists; None for all.
        kind: Only the photos of one class; empty for all.
        batch: Photos that are given to the model at once.
        resize: How predictions are resized, see `resize_grid`.
        threads: For the search; None for one a core.
        progress: Called with (done, total) steps; a photo is one step when predicted and one when aligned.

    Raises:
        UserError: For a folder without this layout, an unknown class, a limit below 1, and predictions of another shape
            or range.
    """
    photos = _chosen_photos(data_dir, kind, limit)
    truths = _truths(photos)
    report = progress or (lambda done, total: None)
    total = len(photos) * (2 if align else 1)

    start = time.perf_counter()
    grids = np.empty((len(photos), *(RESOLUTION,) * 3), dtype=np.float32)
    for first in range(0, len(photos), batch):
        part = photos[first:first + batch]
        predicted = np.asarray(reconstruct([read_picture(photo.image) for photo in part]), dtype=np.float32)
        if predicted.ndim != 4 or predicted.shape[0] != len(part) or len(set(predicted.shape[1:])) != 1:
            raise UserError("predictions must be [n, R, R, R], one grid a picture", got=predicted.shape)
        grids[first:first + len(part)] = [resize_grid(grid, how=resize) for grid in predicted]
        report(first + len(part), total)
    predicted_at = time.perf_counter()

    plain = np.atleast_1d(average_precision(grids, np.stack([truths[photo.model_id] for photo in photos])))
    aligned: list[Alignment | None] = [None] * len(photos)
    if align:
        for i, best in _align_all(grids, [photo.model_id for photo in photos], truths, threads):
            aligned[i] = best
            report(len(photos) + i + 1, total)
    rows = tuple(
        PhotoScore(photo.image.name, photo.label, photo.model_id, float(ap), best)
        for photo, ap, best in zip(photos, plain, aligned, strict=True)
    )
    columns = {"ap": [row.ap for row in rows]} | (
        {"ap_aligned": [row.aligned.ap for row in rows if row.aligned is not None]} if align else {})
    table = ClassTable.from_samples([row.label for row in rows], columns)
    return IkeaResult(rows, table, table.class_mean[-1], predicted_at - start, time.perf_counter() - predicted_at)


def evaluate_ikea(
    reconstruct: ReconstructPhotos, data_dir: str | Path, *, limit: int | None = None, kind: str = ""
) -> Iterator[Progress | Measured]:
    """Score a model on the IKEA photos as a measurement that reports its progress.

    `score_photos` runs in a thread of its own, so that its progress can be yielded.

    Args:
        reconstruct: The model.
        data_dir: A folder with Images/, Lists/ and Voxels/.
        limit: Photos at most; None for all.
        kind: Only the photos of one class; empty for all.

    Yields:
        Progress, then a table: AP without and with alignment, by class.

    Raises:
        UserError: As `score_photos` does.
    """
    events: SimpleQueue[Progress | None] = SimpleQueue()

    def work() -> IkeaResult:
        try:
            return score_photos(
                reconstruct, data_dir, limit=limit, kind=kind,
                progress=lambda done, total: events.put(Progress("predicting and aligning", done, total)),
            )
        finally:
            events.put(None)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        while (event := events.get()) is not None:
            yield event
        result = future.result()
    rows: list[tuple[Cell, ...]] = [
        *result.table.lines(), ("mean of classes", len(result.rows), *result.table.class_mean)]
    photos = [
        {"image": row.image, "class": row.label, "model": row.model_id, "ap": row.ap,
         "ap_aligned": row.aligned.ap if row.aligned else None}
        for row in result.rows
    ]
    details = {"mean_class_ap": result.mean_ap, "predict_seconds": result.predict_seconds,
               "align_seconds": result.align_seconds, **result.table.as_dict(), "photos": photos}
    title = f"IKEA photos, voxel AP at {RESOLUTION} voxels, after the best of 48 turns and 125 shifts (ap_aligned)"
    yield Measured(title, ("class", "photos", *result.table.columns), tuple(rows), details)


def _chosen_photos(data_dir: str | Path, kind: str, limit: int | None) -> list[Photo]:
    """The photos of one class or of all, at most `limit`, spread evenly over the lists."""
    photos = listed_photos(data_dir)
    if kind:
        known = sorted({photo.label for photo in photos})
        if kind not in known:
            raise UserError(f"{data_dir} has no photos of this class", repr(kind), f"it has {', '.join(known)}")
        photos = [photo for photo in photos if photo.label == kind]
    if limit is not None:
        if limit < 1:
            raise UserError("limit must be at least 1 photo", got=limit)
        chosen = np.linspace(0, len(photos) - 1, min(limit, len(photos))).astype(int)
        photos = [photos[i] for i in np.unique(chosen)]
    if not photos:
        raise UserError(f"the lists in {data_dir} name no photo")
    return photos


def _truths(photos: Sequence[Photo]) -> dict[int, Bool[np.ndarray, "r r r"]]:
    """The true grids of photos by the number of their model, each filled and of the benchmark's resolution."""
    truths = {photo.model_id: photo.grid() for photo in photos}
    for model_id, truth in truths.items():
        if truth.shape != (RESOLUTION,) * 3 or not truth.any():
            raise UserError(f"model {model_id} must be a filled grid of {RESOLUTION} voxels a side", got=truth.shape)
    return truths


def _align_all(
    grids: Float32[np.ndarray, "n r r r"], model_ids: Sequence[int], truths: dict[int, np.ndarray],
    threads: int | None,
) -> Iterator[tuple[int, Alignment]]:
    """The best alignment of each grid with its truth, in order, on several threads (numpy releases the lock)."""
    prepared = {model_id: TurnedTruth(truth) for model_id, truth in truths.items()}
    candidates = shifts(RESOLUTION)
    pairs = zip(grids, model_ids, strict=True)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        yield from enumerate(pool.map(lambda pair: search_alignment(pair[0], prepared[pair[1]], candidates), pairs))
