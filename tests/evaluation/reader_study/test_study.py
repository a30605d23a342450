"""A reader study: a page that gives nothing away, and scores by closed forms."""

import base64
import hashlib
import io
import json
import re
import struct
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from radiographs import fill
from scipy.stats import beta, norm

from maquette.datasets.images import open_images, prepare_images
from maquette.errors import UserError
from maquette.evaluation.reader_study.page import ANSWERS_FORMAT, study_page
from maquette.evaluation.reader_study.score import Answers, ReaderScore, agreement, read_key, score_study
from maquette.evaluation.reader_study.study import StudyMade, make_study


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Fourteen made-up radiographs, 32x16, six of them held out."""
    folder = tmp_path_factory.mktemp("study")
    list(prepare_images(fill(folder / "patients", 14), folder / "set", size="32x16", grey=True, holdout=6, workers=1))
    return folder / "set"


def make(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 16, 32), np.uint8)


def made(dataset, out, **options) -> StudyMade:
    options = {"count": 8, "seed": 3, "model": "runs-secret"} | options
    *_, found = make_study(lambda count: [make(count)], (16, 32), dataset, out, **options)
    return found


@pytest.fixture(scope="module")
def study(dataset, tmp_path_factory):
    """A study of eight images of each kind, its page and its key."""
    found = made(dataset, tmp_path_factory.mktemp("made"))
    return found, found.page.read_text(encoding="utf-8"), json.loads(found.key.read_text())


class Items(HTMLParser):
    """The images of a page: all that is said of each, in order."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[dict] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "img":
            self.found.append(dict(attributes))


def chunks(data: bytes) -> list[tuple[bytes, int]]:
    """Kind and length of every part of a PNG."""
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, length))
        at += 12 + length
    return found


def test_the_page_holds_no_key(study):
    _, text, key = study
    items = Items(text).found
    assert [item["id"] for item in items] == list(key["images"]) and len(items) == 16
    assert all(set(item) == {"class", "id", "alt", "src"} and item["class"] == "item" and item["alt"] == ""
               for item in items), "nothing else is said of an image"
    assert all(re.fullmatch("[0-9a-f]{10}", item["id"]) for item in items)
    bare = re.sub(r'<img class="item"[^>]*>', "", text)
    assert not [item["id"] for item in items if item["id"] in bare], "no list of names anywhere else"
    for word in ("runs-secret", "patients", key["data"] + "<", '"kind"', "train", "test", "sample", '"row"'):
        assert word not in bare, word
    blank = study_page(key["study"], [(name, b"") for name in key["images"]], 32, 16)
    assert bare == re.sub(r'<img class="item"[^>]*>', "", blank), "all else is a function of the names alone"


def test_real_and_synthetic_images_are_written_alike(study, dataset):
    _, text, key = study
    data, generated = open_images(dataset), make(8)
    seen: dict[str, list] = {"real": [], "synthetic": []}
    for item in Items(text).found:
        assert item["src"].startswith("data:image/png;base64,")
        png = base64.b64decode(item["src"].partition(",")[2])
        facts = key["images"][item["id"]]
        with Image.open(io.BytesIO(png)) as picture:
            assert picture.mode == "L" and picture.info == {}
            pixels = np.asarray(picture)
        expected = generated[facts["sample"]] if facts["kind"] == "synthetic" else data.pixels(
            data.split(facts["split"])[[facts["row"]]])[0]
        np.testing.assert_array_equal(pixels, expected)
        parts = chunks(png)
        assert [kind for kind, _ in parts] == [b"IHDR", b"IDAT", b"IEND"]
        seen[facts["kind"]].append((png[:33], parts[0], parts[2]))
    assert len(seen["real"]) == 8 == len(seen["synthetic"])
    assert set(seen["real"]) == set(seen["synthetic"]) and len(set(seen["real"])) == 1, "one header for all"


def test_the_page_works_without_a_network_and_runs_only_its_own_script(study):
    _, text, _ = study
    assert not Items(text).tags & {"link", "iframe", "object", "form"}
    outside = re.sub(r"base64,[^\"]*", "", text)
    assert "http" not in outside.replace("http-equiv", "") and "fetch" not in outside and "XMLHttp" not in outside
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text
    assert ANSWERS_FORMAT in text and text.count("<script>") == 1


def test_held_out_images_come_first_and_those_seen_in_training_are_counted(dataset, tmp_path):
    few, many = made(dataset, tmp_path / "few", count=5), made(dataset, tmp_path / "many", count=9)
    assert few.trained_on == 0 and many.trained_on == 3 and few.size == "32x16, grey"
    kinds = [facts for facts in json.loads(many.key.read_text())["images"].values() if facts["kind"] == "real"]
    assert sorted(facts["row"] for facts in kinds if facts["split"] == "test") == list(range(6))
    assert len({(facts["split"], facts["row"]) for facts in kinds}) == 9


def test_order_and_names_are_random_and_a_seed_repeats_them(dataset, tmp_path):
    a, b, c, d = (made(dataset, tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", None),
                                                                            ("d", None)))
    assert a.page.read_bytes() == b.page.read_bytes() and a.key.read_bytes() == b.key.read_bytes()
    keys = [json.loads(one.key.read_text()) for one in (a, c, d)]
    assert len({key["study"] for key in keys}) == 3 and not set(keys[1]["images"]) & set(keys[2]["images"])
    orders = [[facts["kind"] for facts in key["images"].values()] for key in keys]
    assert orders[1] != orders[2] or orders[0] != orders[1], "in 16 images two equal orders are 1 in 12,870"
    assert orders[0] != sorted(orders[0]) and orders[0] != sorted(orders[0], reverse=True)


def test_studies_that_cannot_be_made_are_one_clear_line(study, dataset, tmp_path):
    def says(text: str, **options) -> None:
        with pytest.raises(UserError, match=text):
            made(dataset, options.pop("out", tmp_path / "out"), **options)

    says("15 real images were asked for, got 14 in .*; lower --count", count=15)
    says("count must be from 2 to 500: images of each kind, got 1", count=1)
    says("seed must be 0 or more, got -1", seed=-1)
    says("holds a study already; choose another folder, or delete it", out=study[0].page.parent)
    assert not (tmp_path / "out").exists()


def answers(path, key: dict, reader: str, said, **other):
    """A file of answers. said: from the place and the kind of an image to the answer."""
    given = [{"id": name, "answer": said(place, facts["kind"]), "ms": 1200}
             for place, (name, facts) in enumerate(key["images"].items())]
    path.write_text(json.dumps({"format": ANSWERS_FORMAT, "study": key["study"], "reader": reader,
                                "answers": given} | other))
    return path


def test_the_score_of_a_reader_is_by_closed_forms():
    told = ReaderScore(hits=17, synthetic=20, false_alarms=6, real=24)
    assert told.accuracy == 35 / 44 and told.sensitivity == 17 / 20 and told.specificity == 18 / 24
    low, high = told.interval
    assert low == pytest.approx(beta.ppf(0.025, 35, 10)) and high == pytest.approx(beta.ppf(0.975, 36, 9))
    hit, false = 17.5 / 21, 6.5 / 25
    assert told.d_prime == pytest.approx(norm.ppf(hit) - norm.ppf(false))
    assert told.criterion == pytest.approx(-(norm.ppf(hit) + norm.ppf(false)) / 2)
    step = 1e-6  # the error by the slope of z
    slopes = [(norm.ppf(p + step) - norm.ppf(p - step)) / (2 * step) for p in (hit, false)]
    variance = slopes[0] ** 2 * hit * (1 - hit) / 20 + slopes[1] ** 2 * false * (1 - false) / 24
    assert told.d_prime_error == pytest.approx(variance**0.5, rel=1e-5)
    assert (
        ReaderScore(10, 20, 10, 20).d_prime == 0 == ReaderScore(10, 20, 10, 20).criterion
        and ReaderScore(10, 20, 10, 20).p_value == 1
    )
    assert ReaderScore(3, 3, 0, 3).p_value == pytest.approx(2 / 2**6)
    perfect = ReaderScore(20, 20, 0, 20)
    assert perfect.d_prime == pytest.approx(2 * norm.ppf(20.5 / 21)) and np.isfinite(perfect.d_prime_error)
    assert perfect.interval == (pytest.approx(0.025 ** (1 / 40)), 1.0)


def test_readers_are_scored_alone_and_together(study, tmp_path):
    found, _, key = study
    right = answers(tmp_path / "a.json", key, "A", lambda place, kind: kind)
    same = answers(tmp_path / "b.json", key, "B", lambda place, kind: "real")
    score = score_study(found.key, [right, same])
    rows = {row[0]: dict(zip(score.columns, row, strict=True)) for row in score.rows}
    assert rows["A"]["accuracy"] == 1 and rows["B"]["accuracy"] == 0.5 and rows["all"]["accuracy"] == 0.75
    assert rows["A"]["95 %"] == f"{0.025 ** (1 / 16):.2f}-1.00" and rows["A"]["sens."] == 1 == rows["A"]["spec."]
    assert rows["B"]["d'"].startswith("0.00 ± ") and rows["B"]["c"] > 1
    assert rows["all"]["n"] == 32 and score.title == "2 readers, 16 images"
    assert "the accuracy of 0.750 is above it (p = 0.007)" in score.notes[0] and score.details["kappa"] == 0
    by_image = score.details["images"]
    assert {by["right"] for by in by_image.values() if by["kind"] == "real"} == {2}
    assert {by["right"] for by in by_image.values() if by["kind"] == "synthetic"} == {1}
    alone = score_study(found.key, [same])
    assert len(alone.rows) == 1 and "is not told from it by 16 answers" in alone.notes[0]
    both = score_study(found.key, [same, answers(tmp_path / "c.json", key, "C", lambda place, kind: "real")])
    assert both.details["kappa"] is None and "they said the same of every image" in both.notes[1]
    part = json.loads(right.read_text())
    part["answers"] = part["answers"][:10]
    (tmp_path / "part.json").write_text(json.dumps(part))
    assert "6 of 16 answers are missing" in score_study(found.key, [tmp_path / "part.json"]).notes


def test_agreement_is_cohens_kappa():
    def reader(name: str, said: str) -> Answers:
        words = {"r": "real", "s": "synthetic"}
        return Answers(name, {str(place): words[letter] for place, letter in enumerate(said)})

    a, b = reader("a", "r" * 25 + "s" * 25), reader("b", "r" * 20 + "s" * 5 + "r" * 10 + "s" * 15)
    assert agreement([a, b]) == pytest.approx(0.4)  # 20, 5, 10 and 15: (0.7 - 0.5) / 0.5
    assert agreement([a, a]) == 1 and agreement([a, reader("c", "s" * 25 + "r" * 25)]) == -1
    assert agreement([a, b, b]) == pytest.approx((0.4 + 0.4 + 1) / 3)


def test_answers_that_do_not_fit_are_one_clear_line(study, tmp_path):
    found, _, key = study
    names = list(key["images"])

    def says(text: str, given=None, data: bytes | None = None, **other) -> None:
        path = tmp_path / "x.json"
        if data is None:
            tree = {"format": ANSWERS_FORMAT, "study": key["study"], "reader": "X", "answers": given} | other
            data = json.dumps(tree).encode()
        path.write_bytes(data)
        with pytest.raises(UserError, match=text) as caught:
            score_study(found.key, [path])
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)

    good = [{"id": name, "answer": "real"} for name in names]
    says("has answers to another study than the key is of", good, study="0123")
    says(f"image {names[0]} is answered twice", [*good, good[0]])
    says("answer 17 is about an image that the study does not have", [*good, {"id": "ffff", "answer": "real"}])
    says("answer 1 is about an image that", [{"id": ["a"], "answer": "real"}])
    says("answer 1 is about an image that", ["real"])
    says(f"the answer to image {names[0]} must be real or synthetic", [{"id": names[0], "answer": "maybe"}])
    says("must answer at least one real and one synthetic image, got 0 answers", [])
    says("reader must be a code of 1 to 40 characters", good, reader="a\nb")
    says("reader must be a code of 1 to 40 characters", good, reader=7)
    says("holds no answers to a study", {"a": 1})
    says("holds no answers to a study", good, format="other")
    says("is not JSON", data=b"{not json")
    says("is not JSON", data=b"\xff\xfe\x00")
    says("is not JSON", data=b"[" * 200000)
    says("is not JSON: a name is given twice", data=b'{"study": 1, "study": 2}')
    says("is too large for a file of a study, got more than 4 MiB", data=b" " * (2**22 + 1))


def test_keys_and_files_that_do_not_fit_are_one_clear_line(study, tmp_path):
    found, _, key = study

    def says(text: str, *arguments) -> None:
        with pytest.raises(UserError, match=text):
            score_study(*arguments)

    one = answers(tmp_path / "one.json", key, "A", lambda place, kind: kind)
    two = answers(tmp_path / "two.json", key, "A", lambda place, kind: "real")
    says("two.json is of the same reader as .*one.json, got 'A'; leave one out", found.key, [one, two])
    says("name at least one file of answers", found.key, [])
    says("gone.json cannot be read: No such file", found.key, [tmp_path / "gone.json"])
    says("one.json is not the key of a study; it is called key.json", one, [one])
    assert read_key(found.key).model == "runs-secret"
    for broken in ({"images": {}}, {"images": 3}, {"images": {"a": {"kind": "real"}}}, {"study": 4},
                   {"images": {"a": {"kind": "real"}, "b": "synthetic"}}):
        (tmp_path / "key.json").write_text(json.dumps(key | broken))
        says("key.json is damaged: it must name real and synthetic images", tmp_path / "key.json", [one])
