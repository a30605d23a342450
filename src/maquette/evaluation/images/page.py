"""The report on the images of a model: one HTML page, the numbers as JSON and CSV."""

import csv
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from maquette.evaluation.images import measures, plots, spectrum
from maquette.evaluation.images.measures import ImageFeatures
from maquette.evaluation.images.nearest import NearestImages
from maquette.evaluation.images.options import ImageMeasureOptions
from maquette.evaluation.images.plots import COLUMNS, GAUSSIAN, GENERATED, HELD_OUT, RADIAL
from maquette.evaluation.images.sets import ImageSet, RealImages
from maquette.evaluation.report import Details
from maquette.io.atomic import atomic_path
from maquette.io.html import inline, page, png
from maquette.types import Pixels

SHOWN_PX = 256
"""Longest side of the images in the page."""


@dataclass(frozen=True)
class ImageReport:
    """All that was measured of a model's images."""

    title: str
    notes: list[str]
    """What a reader must know, one line each."""
    real: RealImages
    sets: Mapping[str, ImageSet]
    """The images that were compared, by the name of their set."""
    features: Mapping[str, ImageFeatures]
    """What the distances were computed from, by set."""
    size: int
    """Images of each random subset."""
    values: Mapping[str, Mapping[str, Sequence[float]]]
    """Measure to column to the value of each repeat."""
    curve: Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]
    """Measure to column to number of images to the value of each repeat."""
    near: Mapping[str, NearestImages]
    """The nearest training image of each image, for every set but the training images."""
    places: Mapping[str, Float[np.ndarray, "_ 2"]]
    """Points of the t-SNE map, by set."""
    alike_in: str
    """In what images whose points are near each other are alike."""


READING = """Each number is the mean ± deviation over {repeats} random subsets of {size} images. SWD (sliced
Wasserstein distance times 1000, by level and on average), FID, KID and the difference of the spectra are distances to
{size} held-out real images; MS-SSIM is between the images of one set; the nearest is looked for among all training
images. In the column real stand as many training images in the place of generated ones, which is what a perfect model
could hope for; for the nearest training image it has the held-out ones. Nearer than new: how often an image is nearer
to a training image than a held-out one is, 0.5 for an unseen real one, 1 for copies."""
SAMPLES = """The first generated images, not chosen; held-out real ones; and the two kinds of noise. Gaussian noise has
the mean and deviation of each pixel; radial noise those of the ring at its distance from the centre."""
LEVELS = """Left the finest detail, right the coarsest. Lower is nearer to the held-out images; real is the floor."""
CURVE = """Every point compares n images with n real ones, and both sets of real images are drawn from training and
held-out images together. All distances shrink with n, so read the curves beside each other, at one n. Where generated
images stay above real, more of them would not help."""
ALIKE = """MS-SSIM of random pairs of one set. Above real: the images are too much alike (collapse). Below: they have
more noise, or less in common, than real ones."""
SPECTRUM = """Mean power at each frequency; the band holds the middle half of the images. Blurred images fall below
real at the right, a checkerboard shows as peaks there."""
NEAREST = """The images that are most like one training image, each above that one. Correlations are of small copies
without brightness and contrast, and without the mean training image, which any image of the kind is like. Held-out
images show how near an unseen real image comes: copies lie to the right of all of them."""
MAP = """Up to {points} images of each set, near each other where their {alike_in} are alike. Only for looking: sizes
of groups and the gaps between them mean nothing."""


def table_rows(report: ImageReport) -> tuple[tuple[str, ...], ...]:
    """The rows of the table: a measure, and its value in each of `COLUMNS`."""
    return tuple((name, *(_cell(columns[column]) if column in columns else "" for column in COLUMNS))
                 for name, columns in report.values.items())


def report_page(report: ImageReport, options: ImageMeasureOptions) -> str:
    """The whole report as HTML; it loads nothing from anywhere."""
    head = "<tr>" + "".join(f"<th>{column}</th>" for column in ("", *COLUMNS)) + "</tr>"
    lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in table_rows(report)]
    reading = READING.format(repeats=options.repeats, size=report.size)
    parts = [
        f"<h1>{html.escape(report.title)}</h1>",
        _note("This page holds copies of real images: keep it as you keep the images. It loads nothing from anywhere."),
        "<ul>" + "".join(f"<li>{html.escape(note)}</li>" for note in report.notes) + "</ul>",
        "<h2>Numbers</h2>" + _note(reading),
        f'<table class="numbers">{head}' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>",
        *_sections(report, options),
    ]
    return page(report.title, "\n".join(parts))


def _sections(report: ImageReport, options: ImageMeasureOptions) -> list[str]:
    """The sections below the table, each with pictures and how to read them."""
    sets, near, shown = report.sets, report.near, options.shown
    rows = [f"<h3>{name}</h3>" + _grid([_figure(image) for image in sets[name][:count]]) for name, count in
            ((GENERATED, shown), (HELD_OUT, shown), (GAUSSIAN, min(4, shown)), (RADIAL, min(4, shown)))]
    levels = {name.removeprefix(measures.SLICED_LEVEL): columns for name, columns in report.values.items()
              if name.startswith(measures.SLICED_LEVEL)}
    power = {name: features.spectra for name, features in report.features.items()}
    correlations = {name: found.correlation for name, found in near.items()}
    pairs = [f"<h3>{name}</h3>" + _nearest_pairs(sets[name], near[name], report.real, count)
             for name, count in ((GENERATED, shown), (HELD_OUT, min(6, shown)))]
    return [
        _section("Samples", SAMPLES, *rows),
        _section("Sliced Wasserstein distance by level", LEVELS, plots.plot_repeats(levels, measures.SLICED)),
        _section("Distance against the number of real images", CURVE, plots.plot_curves(report.curve)),
        _section("Likeness between samples", ALIKE,
                 plots.plot_repeats({"": report.values[measures.MS_SSIM]}, "MS-SSIM", log=False)),
        _section("Spectrum", SPECTRUM, plots.plot_spectra(spectrum.frequencies(*report.real.shape[:2]), power)),
        _section("Nearest training images", NEAREST, plots.plot_correlations(correlations), *pairs),
        _section("Map (t-SNE)", MAP.format(points=options.points, alike_in=report.alike_in),
                 plots.plot_map(report.places)),
    ]


def _section(title: str, text: str, *content: str | bytes) -> str:
    """A heading, how to read what follows, and that content: HTML, or PNG as bytes."""
    parts = [f'<p><img class="wide" alt="{title}" src="{inline(part, "png")}"></p>' if isinstance(part, bytes) else part
             for part in content]
    return f"<h2>{title}</h2>{_note(text)}{''.join(parts)}"


def _note(text: str) -> str:
    """A paragraph of explanation; text: plain text."""
    return f'<p class="note">{html.escape(text)}</p>'


def _grid(figures: Sequence[str]) -> str:
    """Figures side by side."""
    return f'<div class="grid">{"".join(figures)}</div>'


def _figure(image: Pixels, caption: str = "", other: Pixels | None = None) -> str:
    """An image, or two of them one above the other, with a caption."""
    pictures = "".join(f'<span class="picture"><img alt="" src="{inline(png(_reduced(shown)), "png")}"></span>'
                       for shown in (image, other) if shown is not None)
    return f"<figure>{pictures}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _reduced(image: Pixels) -> Pixels:
    """An image with a longest side of 256 pixels at most."""
    height, width = image.shape[:2]
    scale = SHOWN_PX / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _nearest_pairs(images: ImageSet, near: NearestImages, real: RealImages, count: int) -> str:
    """Images, those most like a training image first, each above that training image."""
    figures = []
    for row in np.argsort(-near.correlation, kind="stable")[:count]:
        other = real.train(near.by_correlation[row : row + 1])[0]
        other = np.ascontiguousarray(other[:, ::-1]) if near.mirrored[row] else other
        caption = f"correlation {near.correlation[row]:.3f}" + (", mirrored" if near.mirrored[row] else "")
        figures.append(_figure(images[row], caption + ("; passes for a copy" if near.copy[row] else ""), other))
    return _grid(figures)


def _cell(values: Sequence[float]) -> str:
    """Mean and deviation as text: `0.123 ± 0.004`."""
    mean = float(np.mean(values))
    digits = 1 if abs(mean) >= 100 else 2 if abs(mean) >= 1 else 3
    return f"{mean:.{digits}f}" + (f" ± {np.std(values):.{digits}f}" if len(values) > 1 else "")


REPORTS = ("report.html", "report.json", "report.csv")
"""What `write_report` writes."""


def write_report(out: Path, text: str, document: Details, numbers: Sequence[Details]) -> None:
    """Write `report.html`, `report.json` and `report.csv`.

    Args:
        out: The folder.
        text: The page.
        document: The JSON document.
        numbers: The rows of the CSV, all with the same keys.
    """
    page, plain, table = (out / name for name in REPORTS)
    with atomic_path(page) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    with atomic_path(plain) as unfinished:
        unfinished.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    with atomic_path(table) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, list(numbers[0]))
        rows.writeheader()
        rows.writerows(numbers)
