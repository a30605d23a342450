"""Images that a model makes beside real ones that it never saw, every measure with its controls, in one report.

After the dental project (PAPERS 6: distances against the number of real images, with controls, and t-SNE) and Karras et
al. 2018 (sliced Wasserstein distance, MS-SSIM).
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

import numpy as np
from jaxtyping import Float

from maquette.evaluation.images import measures, pyramid
from maquette.evaluation.images.features import FeatureNetwork, InceptionWeights, find_weights, load_inception
from maquette.evaluation.images.measures import ImageFeatures, Repeats
from maquette.evaluation.images.nearest import NearestImages, thumbnails
from maquette.evaluation.images.options import ImageMeasureOptions
from maquette.evaluation.images.page import REPORTS, ImageReport, report_page, table_rows, write_report
from maquette.evaluation.images.plots import COLUMNS, GAUSSIAN, GENERATED, HELD_OUT, RADIAL, REAL
from maquette.evaluation.images.sets import (
    GenerateImages,
    ImageSet,
    RealImages,
    gaussian_noise,
    generated_images,
    open_real_images,
    pixel_statistics,
    radial_noise,
    size_text,
)
from maquette.evaluation.images.ssim import scale_count
from maquette.evaluation.report import Details, Measured
from maquette.events import Progress
from maquette.extras import require
from maquette.io.replacing import check_free

NO_WEIGHTS = ("no Inception weights were named, so FID and KID are left out; with --inception FILE.safetensors they "
              "are measured too")

Curve = dict[str, dict[str, dict[int, list[float]]]]
"""Measure to column to number of images to the value of each repeat."""


class Summary(TypedDict):
    """The repeats of one measure as one line of the report's numbers."""

    mean: float
    deviation: float
    repeats: int
    images: int


def evaluate_images(
    generate: GenerateImages, shape: tuple[int, ...], path: str | Path, out: str | Path, *, model: str = "the model",
    inception: str = "", options: ImageMeasureOptions | None = None, seed: int = 0,
) -> Iterator[Progress | Measured]:
    """Compare generated images with real ones.

    Args:
        generate: The model.
        shape: (H, W) or (H, W, 3) of one image.
        path: A prepared dataset of images, or a plain folder, see `open_real_images`.
        out: Folder for `report.html`, `report.json` and `report.csv`.
        model: The model's name, for the report.
        inception: Inception's weights, see `find_weights`; empty: FID and KID are left out.
        options: How much is measured; None for the defaults.
        seed: Of all choices.

    Yields:
        Progress, then a table.

    Raises:
        UserError: For images or weights that do not fit.
    """
    options, out = options or ImageMeasureOptions(), Path(out)
    check_free(*(out / name for name in REPORTS))
    weights = find_weights(inception) if inception else None
    network = load_inception(weights) if weights else None
    real = open_real_images(path, shape)
    scale_count(*real.shape[:2])  # or they are too small
    count = min(options.most, max(real.train_count + len(real.held_out), 64))
    generated = yield from generated_images(generate, count, shape)
    known = pixel_statistics(real)
    sets = {
        GENERATED: generated, REAL: real.some(options.most, seed), HELD_OUT: real.some_held_out(options.most, seed),
        GAUSSIAN: gaussian_noise(known, count, seed), RADIAL: radial_noise(known, count, seed + 1),
    }
    size = min(len(images) for images in sets.values())
    features = yield from _all_features(sets, network, seed)
    values = yield from _distances(sets, features, size, options, seed)
    curve = yield from _curve(features, options, seed)
    near = yield from _nearest(sets, real)
    for name, column in ((GENERATED, GENERATED), (HELD_OUT, REAL), (GAUSSIAN, GAUSSIAN), (RADIAL, RADIAL)):
        nearest = measures.nearest_measures(near[name], near[HELD_OUT], size, options.repeats, seed)
        for measure, repeats in nearest.items():
            values.setdefault(measure, {})[column] = repeats
    yield Progress("drawing the map", 0, 1)
    places, alike_in = _map(sets, features, options, seed)
    yield Progress("drawing the map", 1, 1)

    title = f"{count} images of {model} beside {len(real.held_out)} held out of {real.name}, {size_text(real.shape)}"
    report = ImageReport(title, _notes(real, sets, size, weights), real, sets, features, size, values, curve, near,
                         places, alike_in)
    numbers, curve_numbers = _summaries(values, size), _curve_summaries(curve)
    details = {
        "model": model, "data": real.name, "size": size_text(real.shape), "seed": seed, "plan": asdict(options),
        "images": {name: len(images) for name, images in sets.items()} | {"training": real.train_count},
        "images_of_each_set": size, "inception_sha256": weights.sha256 if weights else None, "measures": numbers,
        "curve": curve_numbers, "nearest": _nearest_details(near[GENERATED]),
    }
    rows = table_rows(report)
    columns = ("", *COLUMNS)
    document = Measured(title, columns, rows, details, tuple(report.notes)).to_json()
    write_report(out, report_page(report, options), document, _csv_rows(numbers, curve_numbers))
    notes = (*report.notes, *real.skipped, f"report: {out / 'report.html'}")
    yield Measured(title, columns, rows, details, notes)


def _all_features(
    sets: Mapping[str, ImageSet], network: FeatureNetwork | None, seed: int
) -> Generator[Progress, None, dict[str, ImageFeatures]]:
    """`measures.extract_features` of every set; yields progress."""
    total, before = sum(len(images) for images in sets.values()), 0
    doing = "looking at patches and spectra" + (", and through Inception" if network is not None else "")
    found: dict[str, ImageFeatures] = {}
    for name, images in sets.items():
        for done, features in measures.extract_features(images, seed, network):
            yield Progress(doing, before + done, total)
            if features is not None:
                found[name] = features
        before += len(images)
    return found


def _distances(
    sets: Mapping[str, ImageSet], features: Mapping[str, ImageFeatures], size: int, options: ImageMeasureOptions,
    seed: int,
) -> Generator[Progress, None, dict[str, Repeats]]:
    """Measure to column to the value of each repeat; yields progress."""
    sizes = pyramid.level_sizes(*sets[REAL].shape[1:3])
    values: dict[str, Repeats] = {}
    for number, column in enumerate(COLUMNS):
        found = measures.distances_to_held_out(features[column], features[HELD_OUT], size, options.repeats, seed, sizes)
        found[measures.MS_SSIM] = measures.ms_ssim_repeats(sets[column], size, options.repeats, options.pairs, seed)
        for name, repeats in found.items():
            values.setdefault(name, {})[column] = repeats
        yield Progress("measuring distances", number + 1, len(COLUMNS))
    return values


def _curve(
    features: Mapping[str, ImageFeatures], options: ImageMeasureOptions, seed: int
) -> Generator[Progress, None, Curve]:
    """The distances against the number of real images; yields progress."""
    every = features[REAL].joined(features[HELD_OUT])
    columns = {name: features[name] for name in COLUMNS if name != REAL}
    steps = len(measures.curve_sizes(len(every), len(features[GENERATED]))) * len(COLUMNS)
    curve: Curve = {}
    for step, (count, column, found) in enumerate(
            measures.distance_curve(columns, every, options.curve_repeats, seed)):
        for name in measures.CURVES:
            if name in found:
                curve.setdefault(name, {}).setdefault(column, {})[count] = found[name]
        yield Progress("distances against the number of real images", step + 1, steps)
    return curve


def _nearest(
    sets: Mapping[str, ImageSet], real: RealImages
) -> Generator[Progress, None, dict[str, NearestImages]]:
    """The nearest training image of every image of every set but the training images; yields progress."""
    asked = {name: thumbnails(images) for name, images in sets.items() if name != REAL}
    parts, done = [], 0
    for images in real.chunks():
        parts.append(thumbnails(images))
        done += len(images)
        yield Progress("looking for the nearest training images", done, real.train_count)
    return measures.nearest_training_images(asked, parts)


def _map(
    sets: Mapping[str, ImageSet], features: Mapping[str, ImageFeatures], options: ImageMeasureOptions, seed: int
) -> tuple[dict[str, Float[np.ndarray, "_ 2"]], str]:
    """Points of t-SNE by set, and in what images whose points are near each other are alike."""
    require("sklearn", "train")
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    chosen = {name: images[: options.points] for name, images in sets.items()}
    network_features = [features[name].features for name in chosen]
    known = [own[: options.points] for own in network_features if own is not None]
    if len(known) == len(chosen):
        what = "features of Inception"
    else:
        what = "grey levels of small copies (64 pixels)"
        known = [thumbnails(images).pixels for images in chosen.values()]
    rows = np.concatenate(known)
    rows = PCA(min(50, *rows.shape), random_state=seed).fit_transform(rows.astype(np.float64))
    perplexity = min(30.0, (len(rows) - 1) / 4)
    rows = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)
    ends = np.cumsum([len(images) for images in chosen.values()])[:-1]
    return dict(zip(chosen, np.split(rows, ends), strict=True)), what


def _notes(
    real: RealImages, sets: Mapping[str, ImageSet], size: int, weights: InceptionWeights | None
) -> list[str]:
    """What a reader of the report must know, one line each."""
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


def _summary(repeats: Sequence[float], images: int) -> Summary:
    """Mean and deviation of a measure; images: of each of its subsets."""
    return {"mean": float(np.mean(repeats)), "deviation": float(np.std(repeats)), "repeats": len(repeats),
            "images": images}


def _summaries(values: Mapping[str, Repeats], images: int) -> dict[str, dict[str, Summary]]:
    """Measure to column to its summary."""
    return {name: {column: _summary(repeats, images) for column, repeats in columns.items()}
            for name, columns in values.items()}


def _curve_summaries(curve: Curve) -> dict[str, dict[str, dict[int, Summary]]]:
    """Measure to column to number of images to its summary."""
    return {name: {column: {count: _summary(repeats, count) for count, repeats in by_count.items()}
                   for column, by_count in columns.items()} for name, columns in curve.items()}


def _nearest_details(near: NearestImages) -> list[Details]:
    """The nearest training image of each generated image, as plain values."""
    return [{"sample": row, "training_row": int(near.by_correlation[row]),
             "correlation": float(near.correlation[row]), "mirrored": bool(near.mirrored[row]),
             "copy": bool(near.copy[row])} for row in range(len(near.copy))]


def _csv_rows(
    numbers: Mapping[str, Mapping[str, Summary]], curve: Mapping[str, Mapping[str, Mapping[int, Summary]]]
) -> list[Details]:
    """The rows of the CSV: the table's numbers, then the curve's."""
    rows: list[Details] = [{"part": "table", "measure": name, "set": column, **summary}
                           for name, columns in numbers.items() for column, summary in columns.items()]
    return rows + [{"part": "curve", "measure": name, "set": column, **summary}
                   for name, columns in curve.items() for column, by_count in columns.items()
                   for summary in by_count.values()]
