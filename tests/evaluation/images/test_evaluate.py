"""The whole measurement of a maker of images: its table, its controls, its report; and its errors."""

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from radiographs import fill, radiograph

from maquette.datasets.images import ImageOptions, fit, open_images, prepare_images
from maquette.errors import UserError
from maquette.evaluation.images import evaluate, features, measures
from maquette.evaluation.images.evaluate import NO_WEIGHTS, evaluate_images
from maquette.evaluation.images.options import ImageMeasureOptions
from maquette.evaluation.report import Measured
from maquette.events import Progress

PLAN = ImageMeasureOptions(most=32, repeats=3, curve_repeats=2, pairs=4, shown=3, points=8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Thirty made-up radiographs, 88x44, eight of them held out."""
    folder = tmp_path_factory.mktemp("images")
    list(prepare_images(fill(folder / "patients", 30), folder / "set", size="88x44", grey=True, holdout=8, workers=1))
    return folder / "set"


def in_batches(make):
    """The images of a function, five at a time, as a model gives them."""
    return lambda count: iter(np.array_split(make(count), range(5, count, 5)))


def measured(make, dataset, out, **options) -> Measured:
    shape = make(1).shape[1:]
    *progress, found = evaluate_images(in_batches(make), shape, dataset, out, **({"options": PLAN} | options))
    assert isinstance(found, Measured) and all(isinstance(event, Progress) for event in progress)
    assert all(0 <= event.done <= event.total for event in progress)
    return found


def like_real(count: int) -> np.ndarray:
    """A perfect generator: other radiographs, brought to the size as the real ones were."""
    options = ImageOptions(88, 44, True, "centre", 10**6, 0)
    return np.stack([fit(radiograph(1000 + number), options) for number in range(count)])


def copying(dataset):
    """A generator that gives the training images back."""
    data = open_images(dataset)
    train = data.pixels(data.split("train"))
    return lambda count: train[np.arange(count) % len(train)]


@pytest.fixture(scope="module")
def report(dataset, tmp_path_factory):
    """The measurement of a perfect generator and the folder of its report."""
    out = tmp_path_factory.mktemp("report")
    return measured(like_real, dataset, out, model="perfect"), out


def test_a_perfect_generator_is_as_near_as_real_images_and_noise_is_not(report):
    found, _ = report
    table = {row[0]: row[1:] for row in found.rows}
    mean = {name: {column: of["mean"] for column, of in columns.items()}
            for name, columns in found.details["measures"].items()}
    for name in (measures.SLICED, measures.SPECTRUM):
        assert mean[name]["generated"] < 1.5 * mean[name]["real"], name
        assert mean[name]["Gaussian noise"] > 1.8 * mean[name]["real"], name
        assert mean[name]["radial noise"] > 1.8 * mean[name]["real"], name
    assert mean[measures.MS_SSIM]["generated"] == pytest.approx(mean[measures.MS_SSIM]["real"], abs=0.1)
    assert mean[measures.NEARER]["real"] == 0.5 and 0.2 < mean[measures.NEARER]["generated"] < 0.8
    assert mean[measures.COPIES]["generated"] == 0
    assert found.columns == ("", "generated", "real", "Gaussian noise", "radial noise")
    assert re.fullmatch(r"\d+\.\d+ ± \d+\.\d+", table[measures.SLICED][0])
    assert found.title == "32 images of perfect beside 8 held out of real images, 88x44, grey"
    assert NO_WEIGHTS in found.notes and "only 8 images of each set are compared" in " ".join(found.notes)
    assert not any(name.startswith(("FID", "KID")) for name in table), "nothing stands for what was not measured"


def test_every_number_says_how_many_images_it_is_of(report):
    found, _ = report
    for name, columns in found.details["measures"].items():
        assert {of["images"] for of in columns.values()} == {8}, name
        if name not in (measures.NEARER, measures.COPIES, measures.LEVELS, measures.CORRELATION):
            assert {of["repeats"] for of in columns.values()} == {3}, name
    curve = found.details["curve"][measures.SLICED]
    assert {name: sorted(counts) for name, counts in curve.items()} == {
        "generated": [10, 20], "Gaussian noise": [10, 20], "radial noise": [10, 20], "real": [10]}
    assert all(of["images"] == n and of["repeats"] == 2 for counts in curve.values() for n, of in counts.items())


class Page(HTMLParser):
    """What a page has: its tags with their attributes, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_report_is_one_page_that_loads_nothing_and_names_no_file(report, dataset):
    found, out = report
    text = (out / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 6 + (3 + 3 + 3 + 3) + 2 * (3 + 3), "plots, samples of four sets, pairs of two"
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert not [tag for tag, attributes in page.tags if tag in ("script", "link", "iframe", "object")]
    assert "default-src 'none'" in text and "http:" not in text and "https:" not in text
    data = open_images(dataset)
    assert not [name for name in data.ids if name in text or name in (out / "report.json").read_text()]
    assert "patients" not in text and str(out) not in text
    for row in found.rows:
        assert all(str(cell) in page.text for cell in row)
    assert all(note in page.text for note in found.notes[:-1]) and found.notes[-1] == f"report: {out / 'report.html'}"


def test_the_numbers_are_in_json_and_csv_too(report):
    found, out = report
    document = json.loads((out / "report.json").read_text())
    assert document["title"] == found.title and document["measures"] == found.details["measures"]
    assert document["images"] == {"generated": 32, "real": 22, "held-out": 8, "Gaussian noise": 32, "radial noise": 32,
                                  "training": 22}
    with (out / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(row for row in rows if row["part"] == "table" and row["measure"] == measures.SLICED)
    assert float(first["mean"]) == document["measures"][measures.SLICED]["generated"]["mean"]
    ten = [row for row in rows if row["part"] == "curve" and row["images"] == "10" and row["set"] == "real"]
    assert {row["measure"] for row in ten} == {measures.SLICED, measures.SPECTRUM}
    assert sorted(path.name for path in out.iterdir()) == ["report.csv", "report.html", "report.json"]


def test_a_generator_that_copies_is_found_out_and_inception_is_used_where_it_is(dataset, tmp_path, monkeypatch):
    lines = np.random.default_rng(0).normal(size=(44 * 88, 12)) / 5000
    monkeypatch.setattr(evaluate, "find_weights", lambda named: features.InceptionWeights(tmp_path / named, "ab" * 32))
    monkeypatch.setattr(evaluate, "load_inception", lambda weights: torch.nn.Identity())
    monkeypatch.setattr(features, "inception_features",
                        lambda network, pixels: iter([pixels.reshape(len(pixels), -1) @ lines]))
    found = measured(copying(dataset), dataset, tmp_path / "out", inception="w.safetensors", seed=1)
    of = found.details["measures"]
    copies = {name: columns["generated"]["mean"] for name, columns in of.items()}
    assert copies[measures.COPIES] == 1 and copies[measures.NEARER] == 1 and copies[measures.LEVELS] == 0
    nearest = found.details["nearest"]
    assert [entry["training_row"] for entry in nearest[:22]] == list(range(22)) and nearest[0]["copy"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "passes for a copy" in page and "features of Inception are alike" in page
    for name in (measures.FID, measures.KID):
        assert {column: values["repeats"] for column, values in of[name].items()} == {
            "generated": 3, "real": 3, "Gaussian noise": 3, "radial noise": 3}
        assert name in found.details["curve"]
        assert of[name]["radial noise"]["mean"] > of[name]["generated"]["mean"]
    assert f"Inception weights: SHA-256 {'ab' * 32}" in found.notes and NO_WEIGHTS not in found.notes
    assert found.details["inception_sha256"] == "ab" * 32


def test_colour_images_and_a_collapsed_generator(tmp_path):
    fill(tmp_path / "in", 14)
    list(prepare_images(tmp_path / "in", tmp_path / "set", size="32x16", holdout=5, workers=1))
    one = np.full((1, 16, 32, 3), 90, np.uint8)
    found = measured(
        lambda count: np.repeat(one, count, 0),
        tmp_path / "set",
        tmp_path / "out",
        options=ImageMeasureOptions(most=10, repeats=2, curve_repeats=1, pairs=2, shown=1, points=5),
    )
    of = {name: columns["generated"]["mean"] for name, columns in found.details["measures"].items()}
    assert of[measures.MS_SSIM] == pytest.approx(1, abs=1e-4)
    assert all(np.isfinite(value) for value in of.values())
    assert found.details["images"]["generated"] == 10 and "5 held out of real images, 32x16, colour" in found.title


def test_what_cannot_be_measured_is_one_clear_line(dataset, tmp_path):
    def says(text: str, make=like_real, path=dataset, **options) -> None:
        with pytest.raises(UserError, match=text):
            list(evaluate_images(in_batches(make), make(1).shape[1:], path, tmp_path / "out", **options))

    says("must be as the model's, 20x20, grey, got 88x44, grey", lambda count: np.zeros((count, 20, 20), np.uint8))
    says("no folder .*gone", path=tmp_path / "gone")
    says("no file of Inception weights of this name", inception="nowhere.safetensors")
    tiny = tmp_path / "tiny"
    list(prepare_images(fill(tmp_path / "in", 9), tiny, size="16x8", grey=True, holdout=4, workers=1))
    says("MS-SSIM needs images of 11 pixels a side or more, got 16x8", lambda count: np.zeros((count, 8, 16), np.uint8),
         tiny)
    for name, text in (("most", "most must be 8 or more, got 1"), ("repeats", "repeats must be 2 or more, got 1")):
        with pytest.raises(UserError, match=text):
            ImageMeasureOptions(**{name: 1})
    assert not (tmp_path / "out").exists()
    for wrong, text in ((lambda count: [np.zeros((1, 44, 88), np.uint8)], "38 images were asked for, got 1"),
                        (lambda count: [np.zeros((count, 4, 8), np.uint8)], r"of \(44, 88\) were asked for, got u"),
                        (lambda count: [np.zeros((99, 44, 88), np.uint8)], "38 images uint8 of"),
                        (lambda count: [np.zeros((count, 44, 88))], "got float64")):
        with pytest.raises(ValueError, match=text):
            list(evaluate_images(wrong, (44, 88), dataset, tmp_path / "out", options=ImageMeasureOptions(most=38)))
