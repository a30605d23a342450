"""Images that a model makes beside real ones that it never saw, every measure with its controls, in one report.

After the dental project (PAPERS 6: distances against the number of real images, with controls, and t-SNE) and Karras et
al. 2018 (sliced Wasserstein distance, MS-SSIM).
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from maquette.evaluation.images import measures, pyramid
from maquette.evaluation.images.features import Weights, find_weights, load_inception
from maquette.evaluation.images.nearest import small
from maquette.evaluation.images.page import ImageMeasureOptions, ImageReport, page, rows_of, write
from maquette.evaluation.images.plots import COLUMNS, GAUSSIAN, GENERATED, HELD_OUT, RADIAL, REAL
from maquette.evaluation.images.sets import (
    Make,
    Real,
    gaussian_noise,
    made_images,
    open_real,
    radial_noise,
    statistics,
    told,
)
from maquette.evaluation.images.ssim import scales
from maquette.evaluation.report import Measured
from maquette.events import Progress
from maquette.extras import require

NO_WEIGHTS = ("no Inception weights were named, so FID and KID are left out; with --inception FILE.safetensors they "
              "are measured too")


def evaluate_images(
    make: Make, shape: tuple[int, ...], path: str | Path, out: str | Path, *, model: str = "the model",
    inception: str = "", plan: ImageMeasureOptions | None = None, seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Compare the images that `make` gives with real ones.

    Args:
        shape: Of one image, (H, W) or (H, W, 3).
        path: A prepared dataset of images, or a plain folder (see `open_real`).
        out: Folder for `report.html`, `report.json` and `report.csv`.
        inception: Weights, see `find_weights`; empty: FID and KID are left out.

    Yields:
        Progress, then a table.

    Raises:
        UserError: For data and weights that do not fit.
    """
    plan, out = plan or ImageMeasureOptions(), Path(out)
    weights = find_weights(inception) if inception else None
    network = load_inception(weights) if weights else None
    real = open_real(path, shape)
    scales(*real.shape[:2])  # or they are too small
    count = min(plan.most, max(real.train_count + len(real.held_out), 64))
    made = yield from made_images(make, count, shape)
    known = statistics(real)
    sets = {
        GENERATED: made, REAL: real.some(plan.most, seed), HELD_OUT: real.some_held_out(plan.most, seed),
        GAUSSIAN: gaussian_noise(known, count, seed), RADIAL: radial_noise(known, count, seed + 1),
    }
    size = min(len(images) for images in sets.values())
    seen = yield from _look(sets, network, seed)
    values = yield from _distances(sets, seen, size, plan, seed)
    curve = yield from _curve(seen, plan, seed)
    near = yield from _near(sets, real)
    for name, column in ((GENERATED, GENERATED), (HELD_OUT, REAL), (GAUSSIAN, GAUSSIAN), (RADIAL, RADIAL)):
        beside = measures.beside_training(near[name], near[HELD_OUT], size, plan.repeats, seed)
        for measure, found in beside.items():
            values.setdefault(measure, {})[column] = found
    yield Progress("drawing the map", 0, 1)
    places, alike_in = _map(sets, seen, plan, seed)
    yield Progress("drawing the map", 1, 1)

    title = f"{count} images of {model} beside {len(real.held_out)} held out of {real.name}, {told(real.shape)}"
    found = ImageReport(title, _notes(real, sets, size, weights), real, sets, seen, size, values, curve, near, places,
                  alike_in)
    details = {
        "model": model, "data": real.name, "size": told(real.shape), "seed": seed, "plan": asdict(plan),
        "images": {name: len(images) for name, images in sets.items()} | {"training": real.train_count},
        "images_of_each_set": size, "inception_sha256": weights.sha256 if weights else None, **_numbers(found),
    }
    rows = rows_of(found)
    columns = ("", *COLUMNS)
    document = Measured(title, columns, rows, details, tuple(found.notes)).to_json()
    write(out, page(found, plan), document, _table(details))
    said = (*found.notes, *real.skipped, f"report: {out / 'report.html'}")
    yield Measured(title, columns, rows, details, said)


def _look(sets: dict[str, np.ndarray], network: object, seed: int):
    """`measures.look` of every set; yields progress."""
    total, before = sum(len(images) for images in sets.values()), 0
    doing = "looking at patches and spectra" + (", and through Inception" if network is not None else "")
    seen: dict[str, measures.ImageFeatures] = {}
    for name, images in sets.items():
        for done, whole in measures.look(images, seed, network):
            yield Progress(doing, before + done, total)
            if whole is not None:
                seen[name] = whole
        before += len(images)
    return seen


def _distances(
    sets: dict[str, np.ndarray],
    seen: dict[str, measures.ImageFeatures],
    size: int,
    plan: ImageMeasureOptions,
    seed: int,
):
    """The values of each measure by column; yields progress."""
    sizes = pyramid.level_sizes(*sets[REAL].shape[1:3])
    values: dict[str, measures.Values] = {}
    for number, column in enumerate(COLUMNS):
        found = measures.against_held_out(seen[column], seen[HELD_OUT], size, plan.repeats, seed, sizes)
        found[measures.ALIKE] = measures.alike(sets[column], size, plan.repeats, plan.pairs, seed)
        for name, of_column in found.items():
            values.setdefault(name, {})[column] = of_column
        yield Progress("measuring distances", number + 1, len(COLUMNS))
    return values


def _curve(seen: dict[str, measures.ImageFeatures], plan: ImageMeasureOptions, seed: int):
    """The values of each measure by column and number of images; yields progress."""
    every = seen[REAL].and_also(seen[HELD_OUT])
    columns = {name: seen[name] for name in COLUMNS if name != REAL}
    steps = len(measures.curve_sizes(len(every), len(seen[GENERATED]))) * len(COLUMNS)
    curve: dict[str, dict[str, dict[int, list[float]]]] = {}
    for step, (count, column, found) in enumerate(measures.curve(columns, every, plan.curve_repeats, seed)):
        for name in measures.CURVES:
            if name in found:
                curve.setdefault(name, {}).setdefault(column, {})[count] = found[name]
        yield Progress("distances against the number of real images", step + 1, steps)
    return curve


def _near(sets: dict[str, np.ndarray], real: Real):
    """The nearest training image of every image of the sets that are no training images; yields progress."""
    asked = {name: small(images) for name, images in sets.items() if name != REAL}
    parts, done = [], 0
    for images in real.chunks():
        parts.append(small(images))
        done += len(images)
        yield Progress("looking for the nearest training images", done, real.train_count)
    return measures.neighbours(asked, parts)


def _map(sets: dict[str, np.ndarray], seen: dict[str, measures.ImageFeatures], plan: ImageMeasureOptions, seed: int):
    """(points of t-SNE `[n, 2]` by set, in what those near each other are alike)."""
    require("sklearn", "train")
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    chosen = {name: images[: plan.points] for name, images in sets.items()}
    of_network = all(found.features is not None for found in seen.values())
    rows = np.concatenate([seen[name].features[: plan.points] if of_network else small(images).pixels
                           for name, images in chosen.items()])
    rows = PCA(min(50, *rows.shape), random_state=seed).fit_transform(rows.astype(np.float64))
    perplexity = min(30.0, (len(rows) - 1) / 4)
    rows = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)
    ends = np.cumsum([len(images) for images in chosen.values()])[:-1]
    what = "features of Inception" if of_network else "grey levels of small copies (64 pixels)"
    return dict(zip(chosen, np.split(rows, ends), strict=True)), what


def _notes(real: Real, sets: dict[str, np.ndarray], size: int, weights: Weights | None) -> list[str]:
    notes = [*real.notes]
    if len(sets[REAL]) < real.train_count:
        notes.append(f"{len(sets[REAL])} of {real.train_count} training images, chosen at random, stand for all, but "
                     "not where the nearest is looked for")
    if size < 50:
        notes.append(f"only {size} images of each set are compared: differences smaller than the spread mean nothing")
    notes.append(f"Inception weights: SHA-256 {weights.sha256}" if weights else NO_WEIGHTS)
    if weights and size < 2048:
        notes.append(f"FID of {size} images is far above that of many: compare it with the column real only, not with "
                     "the literature; KID has no such bias")
    return notes


def _numbers(found: ImageReport) -> dict:
    """All that was measured, as plain values."""
    near = found.near[GENERATED]
    return {
        "measures": {name: {column: _summary(values, found.size) for column, values in columns.items()}
                     for name, columns in found.values.items()},
        "curve": {name: {column: {count: _summary(values, count) for count, values in by_count.items()}
                         for column, by_count in columns.items()} for name, columns in found.curve.items()},
        "nearest": [{"sample": row, "training_row": int(near.by_correlation[row]),
                     "correlation": float(near.correlation[row]), "mirrored": bool(near.mirrored[row]),
                     "copy": bool(near.copy[row])} for row in range(len(near.copy))],
    }


def _summary(values: list[float], images: int) -> dict[str, float | int]:
    return {"mean": float(np.mean(values)), "deviation": float(np.std(values)), "repeats": len(values),
            "images": images}


def _table(details: dict) -> list[dict]:
    """The rows of the CSV."""
    rows = [{"part": "table", "measure": name, "set": column, **found}
            for name, columns in details["measures"].items() for column, found in columns.items()]
    return rows + [{"part": "curve", "measure": name, "set": column, **found}
                   for name, columns in details["curve"].items() for column, by_count in columns.items()
                   for found in by_count.values()]
