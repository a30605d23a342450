"""The IKEA measure of 3D-GAN (Wu et al., NIPS 2016, section 4.4): voxel average precision after the best alignment.

For each photo the prediction, brought to 20 voxels a side, is compared with the true grid by average precision (AP), as
scikit-learn computes it. Since the papers' models and the truth agree on no frame, the best AP counts over all axis
permutations and flips (48) and all shifts of up to 10 % along each axis (-2 to 2 voxels, 125): 6,000 candidates. AP is
averaged within each class, then over classes.

What moves: the *truth* is permuted and flipped, the *prediction* is shifted. Cells that a shift uncovers have the score
0, predicted voxels that leave the grid are dropped, and the truth is always whole: no true voxel is ever cut away. The
search is exact: every candidate is scored, except that permuted truths that are equal (a table has many) are scored
once. The papers do not say what becomes of voxels at the edge, and no code of theirs for it was found.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import numpy as np

from maquette.datasets.sources.ikea import photos
from maquette.errors import UserError
from maquette.evaluation.report import Measured
from maquette.evaluation.shapes.table import Table
from maquette.events import Progress
from maquette.geometry.overlap import average_precision
from maquette.io.pictures import read_picture

RESOLUTION = 20
"""Voxels a side at which the papers compare."""
SHIFT = 0.1
"""Largest shift, as a share of the side."""

Turn = tuple[tuple[int, int, int], tuple[bool, bool, bool]]
"""A permutation of the axes, then flips: the truth compared is `truth.transpose(axes)` flipped where True."""
TURNS: tuple[Turn, ...] = tuple(product(permutations(range(3)), product((False, True), repeat=3)))
"""All 48, the identity first."""


@dataclass(frozen=True)
class Alignment:
    """The best candidate: its AP, how the truth was turned and by how many voxels the prediction was shifted."""

    ap: float
    turn: Turn
    shift: tuple[int, int, int]


@dataclass(frozen=True)
class IkeaRow:
    """One photo: file name, class, number of its model, AP as it is, and the best alignment (None if not asked for)."""

    image: str
    label: str
    model_id: int
    ap: float
    aligned: Alignment | None


@dataclass(frozen=True)
class IkeaResult:
    """All photos, the table by class (columns "ap" and, if asked, "ap_aligned"), and where the time went.

    Attributes:
        mean_ap: The paper's number, the mean of the class means, aligned if alignment was asked.
    """

    rows: tuple[IkeaRow, ...]
    table: Table
    mean_ap: float
    predict_seconds: float
    align_seconds: float

    @property
    def seconds(self) -> float:
        return self.predict_seconds + self.align_seconds


def evaluate_ikea(
    predict: Callable[[list[np.ndarray]], np.ndarray],
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
    """Measure a model on the IKEA photos.

    Args:
        predict: Pictures (RGB uint8 [H, W, 3], the photos as they are) to occupancy float [n, R, R, R] in [0, 1].
        data_dir: A folder with Images/, Lists/ and Voxels/.
        limit: Only so many photos, spread evenly over the lists.
        kind: Only the photos of one class.
        batch: Pictures a call.
        resize: See `resize_grid`.
        threads: For the search, all cores if None.
        progress: Called with (done, total) steps; a photo is one step when predicted and one when aligned.

    Raises:
        UserError: For a folder that is not laid out so and for predictions of another shape or range.
    """
    entries = photos(data_dir)
    if kind:
        known = sorted({entry.label for entry in entries})
        if kind not in known:
            raise UserError(f"{data_dir} has no photos of this class", repr(kind), f"it has {', '.join(known)}")
        entries = [entry for entry in entries if entry.label == kind]
    if limit is not None:
        if limit < 1:
            raise UserError("limit must be at least 1 photo", got=limit)
        chosen = np.linspace(0, len(entries) - 1, min(limit, len(entries))).astype(int)
        entries = [entries[i] for i in np.unique(chosen)]
    if not entries:
        raise UserError(f"the lists in {data_dir} name no photo")
    truths = {entry.model_id: entry.grid() for entry in entries}
    for model_id, truth in truths.items():
        if truth.shape != (RESOLUTION,) * 3 or not truth.any():
            raise UserError(f"model {model_id} must be a filled grid of {RESOLUTION} voxels a side", got=truth.shape)
    report = progress or (lambda done, total: None)
    total = len(entries) * (2 if align else 1)

    start = time.perf_counter()
    grids = np.empty((len(entries), *(RESOLUTION,) * 3), dtype=np.float32)
    for first in range(0, len(entries), batch):
        chosen = entries[first:first + batch]
        guess = np.asarray(predict([read_picture(entry.image) for entry in chosen]), dtype=np.float32)
        if guess.ndim != 4 or guess.shape[0] != len(chosen) or len(set(guess.shape[1:])) != 1:
            raise UserError("predictions must be [n, R, R, R], one grid a picture", got=guess.shape)
        grids[first:first + len(chosen)] = [resize_grid(grid, how=resize) for grid in guess]
        report(first + len(chosen), total)
    predicted = time.perf_counter()

    plain = average_precision(grids, np.stack([truths[entry.model_id] for entry in entries]))
    aligned: list[Alignment | None] = [None] * len(entries)
    if align:
        pairs = [(grids[i], entries[i].model_id) for i in range(len(entries))]
        for done, (i, found) in enumerate(_align_all(pairs, truths, threads), start=1):
            aligned[i] = found
            report(len(entries) + done, total)
    rows = tuple(
        IkeaRow(entry.image.name, entry.label, entry.model_id, float(ap), best)
        for entry, ap, best in zip(entries, plain, aligned, strict=True)
    )
    columns = {"ap": [row.ap for row in rows]} | (
        {"ap_aligned": [row.aligned.ap for row in rows if row.aligned is not None]} if align else {})
    table = Table.of([row.label for row in rows], **columns)
    return IkeaResult(rows, table, table.class_mean[-1], predicted - start, time.perf_counter() - predicted)


def resize_grid(grid: np.ndarray, resolution: int = RESOLUTION, how: Literal["mean", "max"] = "mean") -> np.ndarray:
    """A grid at another resolution, both filling the same cube.

    Args:
        grid: [R, R, R] in [0, 1].

    Returns:
        Float32 [resolution]^3. "mean": the exact average over each new cell, old cells weighed by their overlap; so a
            value is the share of the cell expected to be filled, total volume is kept, and the order of scores, which
            is all that AP sees, tells a full cell from a grazed one. "max": the largest old value that overlaps the new
            cell; thin legs keep their score but everything grows by up to a cell.

    Raises:
        UserError: For a grid that is not cubic or not in [0, 1].
    """
    grid = np.asarray(grid, dtype=np.float32)
    if grid.ndim != 3 or len(set(grid.shape)) != 1:
        raise UserError("a grid must be [R, R, R]", got=grid.shape)
    if not (grid.min() >= 0 and grid.max() <= 1):  # also false for NaN
        raise UserError("occupancy must be in [0, 1]", got=f"{grid.min()} to {grid.max()}")
    size = grid.shape[0]
    if size == resolution:
        return grid
    old, new = np.arange(size + 1) / size, np.arange(resolution + 1) / resolution
    overlap = np.minimum(new[1:, None], old[None, 1:]) - np.maximum(new[:-1, None], old[None, :-1])
    overlap = np.clip(overlap * resolution, 0, 1)  # [resolution, size], rows sum to 1
    for axis in range(3):
        moved = np.moveaxis(grid, axis, 0)  # [size, ., .]
        if how == "mean":
            moved = np.tensordot(overlap, moved, axes=1)
        elif how == "max":
            moved = np.stack([moved[row > 1e-9].max(axis=0) for row in overlap])
        else:
            raise UserError("how must be mean or max", got=how)
        grid = np.moveaxis(moved, 0, axis)
    return np.clip(grid, 0, 1).astype(np.float32)  # rounding may leave 1 by an ulp


def turned(truth: np.ndarray, turn: Turn) -> np.ndarray:
    """The truth with its axes permuted, then flipped."""
    axes, flips = turn
    return np.flip(truth.transpose(axes), [axis for axis in range(3) if flips[axis]])


def shifted(prob: np.ndarray, shift: tuple[int, int, int]) -> np.ndarray:
    """The prediction moved by whole voxels: what leaves the grid is dropped, what enters is 0."""
    result = np.zeros_like(prob)
    size = prob.shape[0]
    to = tuple(slice(max(0, s), size + min(0, s)) for s in shift)
    source = tuple(slice(max(0, -s), size - max(0, s)) for s in shift)
    result[to] = prob[source]
    return result


def best_alignment(prob: np.ndarray, truth: np.ndarray, shift: float = SHIFT) -> Alignment:
    """The best of all turns of the truth and shifts of the prediction by AP (see the head of this file).

    Args:
        prob: [R, R, R] in [0, 1].
        truth: Bool [R, R, R], not empty.
        shift: Largest, as a share of R, whole voxels. The earliest candidate wins a tie, so that the identity is kept
            where it is as good as any.
    """
    return _search(np.asarray(prob, dtype=np.float32), _Truth(np.asarray(truth) > 0), _shifts(prob.shape[0], shift))


def _shifts(size: int, share: float) -> list[tuple[int, int, int]]:
    """All shifts, the nearest first."""
    reach = int(size * share + 1e-9)
    return sorted(product(range(-reach, reach + 1), repeat=3), key=lambda s: (sum(map(abs, s)), s))


class _Truth:
    """The different turns of one true grid, ready for gathering: `columns` uint8 [voxels, turns]."""

    def __init__(self, truth: np.ndarray):
        if not truth.any():
            raise ValueError("the truth is empty")
        different: dict[bytes, Turn] = {}
        for turn in TURNS:
            different.setdefault(np.packbits(turned(truth, turn)).tobytes(), turn)
        self.truth = truth
        self.turns = list(different.values())
        self.columns = np.ascontiguousarray(np.stack([turned(truth, t).ravel() for t in self.turns], axis=1), np.uint8)
        self.count = int(truth.sum())


def _search(prob: np.ndarray, truth: _Truth, shifts: list[tuple[int, int, int]]) -> Alignment:
    """Score all candidates in single precision, then those within rounding of the best exactly."""
    size = prob.shape[0]
    scores = np.empty((len(shifts), len(truth.turns)))
    order = np.argsort(-prob.ravel(), kind="stable")
    order = order[: np.count_nonzero(prob > 0)]  # zeros rank last, together with the cells that a shift uncovers
    values = prob.ravel()[order]
    places = np.stack(np.unravel_index(order, prob.shape))  # [3, scored]
    flat = np.array([size * size, size, 1])
    for i, shift in enumerate(shifts):
        to = places + np.array(shift)[:, None]
        inside = ((to >= 0) & (to < size)).all(axis=0)
        scores[i] = _scores(values[inside], truth.columns[flat @ to[:, inside]], truth.count, size**3)
    close = np.flatnonzero(scores >= scores.max() - 1e-5)  # single precision is good to about 1e-6 here
    close = np.sort(close[np.argsort(-scores.ravel()[close], kind="stable")][:64])
    best: Alignment | None = None
    for i, k in np.stack(np.unravel_index(close, scores.shape), axis=1):
        ap = float(average_precision(shifted(prob, shifts[i]), turned(truth.truth, truth.turns[k])))
        if best is None or ap > best.ap:
            best = Alignment(ap, truth.turns[k], shifts[i])
    return best


def _scores(values: np.ndarray, hits: np.ndarray, positives: int, voxels: int) -> np.ndarray:
    """AP of one ranking against many truths.

    Args:
        values: [n] scores above 0, falling.
        hits: Uint8 [n, turns], the truth at these voxels. All voxels not ranked share the score 0 and come last
            together.

    Returns:
        Float [turns].
    """
    if not len(values):
        return np.full(hits.shape[1], positives / voxels)
    found = np.cumsum(hits, axis=0, dtype=np.float32)  # [n, turns], exact: counts below 2^24
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    gained = hits
    if len(ends) < len(values):  # equal scores are taken together
        found = found[ends]
        gained = np.diff(found, axis=0, prepend=np.float32(0))
    area = np.float32(1) / (ends + 1).astype(np.float32) @ (found * gained)
    tail = (positives - found[-1]) * (positives / voxels)
    return (area + tail) / positives


def _align_all(pairs: list[tuple[np.ndarray, int]], truths: dict[int, np.ndarray],
               threads: int | None) -> Iterator[tuple[int, Alignment]]:
    """Best alignment of each (prediction, model), in order, on several threads (numpy lets go of the lock)."""
    prepared = {model_id: _Truth(truth) for model_id, truth in truths.items()}
    shifts = _shifts(RESOLUTION, SHIFT)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        yield from enumerate(pool.map(lambda pair: _search(pair[0], prepared[pair[1]], shifts), pairs))


def measure_ikea(
    predict: Callable[[list[np.ndarray]], np.ndarray], data_dir: str | Path, *, limit: int | None = None, kind: str = ""
) -> Iterator[Progress | Measured]:
    """`evaluate_ikea`, run in a thread of its own so that its progress can be yielded, and its table as a report."""
    events: SimpleQueue[Progress | None] = SimpleQueue()

    def work() -> IkeaResult:
        try:
            return evaluate_ikea(
                predict, data_dir, limit=limit, kind=kind,
                progress=lambda done, total: events.put(Progress("predicting and aligning", done, total)),
            )
        finally:
            events.put(None)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        while (event := events.get()) is not None:
            yield event
        result = future.result()
    rows = [(name, count, *means) for name, (count, means) in result.table.rows.items()]
    rows.append(("mean of classes", len(result.rows), *result.table.class_mean))
    photos_ = [
        {"image": row.image, "class": row.label, "model": row.model_id, "ap": row.ap,
         "ap_aligned": row.aligned.ap if row.aligned else None}
        for row in result.rows
    ]
    details = {"mean_class_ap": result.mean_ap, "predict_seconds": result.predict_seconds,
               "align_seconds": result.align_seconds, **result.table.as_dict(), "photos": photos_}
    title = f"IKEA photos, voxel AP at {RESOLUTION} voxels, after the best of 48 turns and 125 shifts (ap_aligned)"
    yield Measured(title, ("class", "photos", *result.table.columns), tuple(rows), details)
