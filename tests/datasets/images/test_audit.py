"""The audit of a folder of pictures: planted faults and nothing else are found, and the cleaned copy is exact."""

import csv
import hashlib
import json
import re

import cv2
import numpy as np
import pytest
from command import call
from PIL import Image
from radiographs import HEIGHT, WIDTH, fill, radiograph, write

from maquette.datasets.images.audit import KINDS, Audited, audit_images
from maquette.errors import UserError
from maquette.events import Progress


def found(folder, out, **options) -> tuple[Audited, set[tuple[str, str]]]:
    events = list(audit_images(folder, out, workers=1, **{"keep_names": True, **options}))
    assert all(isinstance(event, Progress) for event in events[:-1])
    return events[-1], {(finding.kind, finding.id) for finding in events[-1].findings}


@pytest.fixture
def faulty(tmp_path):
    """Twelve good pictures, `00.png` to `11.png`, and each fault once."""
    folder = fill(tmp_path / "in", 12)
    exif = Image.Exif()
    exif[0x010E] = "Zimmermann"
    write(folder / "inverted.png", 255 - radiograph(30))
    write(folder / "again.jpg", radiograph(3), quality=60)
    write(folder / "half.png", cv2.resize(radiograph(4), (80, 40), interpolation=cv2.INTER_AREA))
    write(folder / "sub" / "copy.png", radiograph(5))
    write(folder / "blank.png", np.full((HEIGHT, WIDTH), 9, np.uint8))
    write(folder / "dark.png", (radiograph(31) * 0.1).astype(np.uint8))
    write(folder / "glare.png", np.clip(radiograph(32).astype(int) + 150, 0, 254).astype(np.uint8))
    write(folder / "square.png", radiograph(33)[:, 40:120])
    tint = np.stack([radiograph(34), radiograph(34) // 2, radiograph(34) // 3], -1)
    write(folder / "tinted.jpg", tint, exif=exif, quality=95)
    framed = np.zeros((HEIGHT, WIDTH), np.uint8)
    framed[8:72, 16:144] = radiograph(35)[8:72, 16:144]
    write(folder / "framed.png", framed)
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:3000])
    return folder


FAULTS = {
    ("unreadable", "cut.png"), ("duplicate", "again.jpg"), ("duplicate", "half.png"), ("duplicate", "sub/copy.png"),
    ("blank", "blank.png"), ("inverted", "inverted.png"), ("over-exposed", "glare.png"), ("under-exposed", "dark.png"),
    ("aspect", "square.png"), ("size", "half.png"), ("colour", "tinted.jpg"), ("border", "framed.png"),
}


def test_planted_faults_and_no_others_are_found(faulty, tmp_path):
    audited, pairs = found(faulty, tmp_path / "out")
    assert pairs == FAULTS
    assert audited.images == 23 and audited.fixed is None
    assert audited.notes == ("20 of 22 images are 160x80",)
    others = {finding.id: finding.other for finding in audited.findings if finding.kind == "duplicate"}
    assert others == {"again.jpg": "03.png", "half.png": "04.png", "sub/copy.png": "05.png"}
    details = {finding.id: finding.detail for finding in audited.findings if finding.kind in ("duplicate", "border")}
    assert details["sub/copy.png"] == "the same pixels as 05.png"
    assert details["half.png"] == "almost the same as 04.png"
    assert details["framed.png"] == "left 16, top 8, right 16, bottom 8 px"


def test_nothing_is_found_in_good_pictures(tmp_path):
    assert found(fill(tmp_path / "in", 12), tmp_path / "out")[1] == set()


def test_the_cleaned_copy_is_exact_and_the_originals_stay(faulty, tmp_path):
    def content() -> dict[str, str]:
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in faulty.rglob("*.*")}

    before = content()
    audited, _ = found(faulty, tmp_path / "out", fix=tmp_path / "fixed")
    assert content() == before
    copies = {}
    for path in (tmp_path / "fixed").rglob("*.*"):
        with Image.open(path) as copy:
            assert copy.info == {} and copy.mode == "L", "pixels alone"
            copies[path.relative_to(tmp_path / "fixed").as_posix()] = np.asarray(copy)
    left_out = {"cut", "again", "half", "copy", "blank"}
    assert set(copies) == {f"{path.stem}.png" for path in faulty.rglob("*.*") if path.stem not in left_out}
    assert audited.kept == len(copies) == 18
    assert np.array_equal(copies["inverted.png"], radiograph(30))
    assert np.array_equal(copies["framed.png"], radiograph(35)[8:72, 16:144])
    assert np.array_equal(copies["03.png"], radiograph(3))
    with Image.open(faulty / "tinted.jpg") as tinted:
        assert np.array_equal(copies["tinted.png"], tinted.convert("L")) and len(tinted.getexif())
    assert found(tmp_path / "fixed", tmp_path / "out2")[1] == {
        ("over-exposed", "glare.png"), ("under-exposed", "dark.png"), ("aspect", "square.png"), ("size", "framed.png")}


def test_an_inverted_copy_of_another_is_a_duplicate_and_the_right_one_is_kept(tmp_path):
    folder = fill(tmp_path / "in", 8)
    write(folder / "0.png", 255 - radiograph(6))  # before 06.png by name
    audited, pairs = found(folder, tmp_path / "out")
    assert pairs == {("inverted", "0.png"), ("duplicate", "0.png")}
    assert [finding.other for finding in audited.findings if finding.kind == "duplicate"] == ["06.png"]


def test_inverted_by_background_where_the_pictures_are_not_alike(tmp_path):
    folder = tmp_path / "in"
    for number in range(8):
        pixels = np.full((90, 90), 25, np.uint8)
        spots = np.random.default_rng(number).integers(0, 2, (6, 6)).astype(np.uint8) * 120 + 60
        pixels[18:72, 18:72] = np.kron(spots, np.ones((9, 9), np.uint8))
        write(folder / f"{number}.png", 255 - pixels if number == 4 else pixels)
    audited, pairs = found(folder, tmp_path / "out")
    assert {pair for pair in pairs if pair[0] == "inverted"} == {("inverted", "4.png")}


def test_mixed_sizes_are_said_once(tmp_path):
    for number in range(6):
        write(tmp_path / "in" / f"{number}.png", cv2.resize(radiograph(number), (160 + 16 * number, 80 + 8 * number)))
    audited, pairs = found(tmp_path / "in", tmp_path / "out")
    assert not {kind for kind, _ in pairs} & {"size", "aspect"}
    assert audited.notes == ("the images have 6 sizes, none of them that of most", "most have an aspect of about 2.00")
    for number in range(6):
        write(tmp_path / "in" / f"{number}.png", cv2.resize(radiograph(number), (160, 80 + 16 * number)))
    assert found(tmp_path / "in", tmp_path / "out")[0].notes[-1] == "nor have most one aspect"


def test_most_in_colour_is_no_fault(tmp_path):
    for number in range(4):
        tint = np.stack([radiograph(number), radiograph(number) // 2, radiograph(number) // 3], -1)
        write(tmp_path / "in" / f"{number}.png", tint)
    audited, pairs = found(tmp_path / "in", tmp_path / "out")
    assert not pairs and "4 of 4 images are in colour" in audited.notes


def test_the_page_needs_nothing_else_and_the_table_has_every_image(faulty, tmp_path):
    write(faulty / "a<b>&.png", 255 - radiograph(40))
    found(faulty, tmp_path / "out")
    page = (tmp_path / "out" / "audit.html").read_text()
    assert "http:" not in page and "https:" not in page and "//" not in re.sub(r"base64,[^\"]*", "", page)
    sources = re.findall(r'src="([^"]{22})', page)
    assert len(sources) > 20 and set(sources) == {"data:image/jpeg;base64"}
    assert "default-src 'none'" in page and "a&lt;b&gt;&amp;.png" in page and "a<b>" not in page
    assert page.count("<script") == 0 and str(tmp_path) not in page
    assert page.count("<figure>") == len(FAULTS) + 1 + 12  # the findings, the one more, and the good ones
    with (tmp_path / "out" / "audit.csv").open(newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    assert len(rows) == 24
    assert rows["half.png"]["findings"].split() == ["duplicate", "size"] and rows["half.png"]["width"] == "80"
    assert rows["cut.png"]["cleaned copy"] == "left out" and rows["cut.png"]["width"] == ""
    assert rows["framed.png"]["cleaned copy"] == "cut left 16, top 8, right 16, bottom 8 px"
    assert rows["00.png"]["findings"] == "" and rows["00.png"]["cleaned copy"] == ""


def test_what_cannot_be_audited_is_one_clear_line(tmp_path):
    def says(text: str, folder, **options) -> None:
        with pytest.raises(UserError, match=text):
            list(audit_images(folder, tmp_path / "out", **({"workers": 1} | options)))

    (tmp_path / "empty").mkdir()
    says("no image in the folder .*empty", tmp_path / "empty")
    says("an audit compares images with each other and needs two, got 1 image in", fill(tmp_path / "one", 1))
    folder = fill(tmp_path / "in", 3)
    says("workers must be 1 or more, got 0", folder, workers=0)
    for inside in (folder, folder / "fixed", tmp_path):
        says("the cleaned copy must lie outside the folder of images, got .*; give --fix another folder", folder,
             fix=inside)
    says("is not empty; give --fix a new folder", folder, fix=tmp_path / "one")
    (tmp_path / "file").write_text("")
    says("file is a file, not a folder; give --fix another name", folder, fix=tmp_path / "file")


def test_a_stopped_cleaning_leaves_nothing(tmp_path):
    events = audit_images(fill(tmp_path / "in", 6), tmp_path / "out", fix=tmp_path / "fixed", workers=1,
                          keep_names=True)
    for event in events:
        if isinstance(event, Progress) and event.doing == "cleaning":
            break
    events.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]


def test_pictures_that_are_all_unreadable(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.png").write_text("nothing")
    audited, pairs = found(tmp_path / "in", tmp_path / "out", fix=tmp_path / "fixed")
    assert pairs == {("unreadable", f"{number}.png") for number in range(3)}
    assert audited.kept == 0 and list((tmp_path / "fixed").iterdir()) == []


def test_the_command_tells_images_from_shapes(faulty, tmp_path, capsys):
    audit = ("data", "audit", faulty, "--out", tmp_path / "out", "--workers", "1", "--keep-names")
    assert call(*audit) == 0
    told = capsys.readouterr()
    assert "duplicate          3  again.jpg, half.png, sub/copy.png" in told.out and "looking: 23 of 23" in told.err
    assert call(*audit, "--overwrite", "--json", "--fix", tmp_path / "fixed") == 0
    document = json.loads(capsys.readouterr().out)
    assert {(f["kind"], f["images"][0]) for f in document["findings"]} == FAULTS and document["kept"] == 18
    assert set(KINDS) > {f["kind"] for f in document["findings"]}
    assert call("data", "audit", tmp_path / "nowhere") == 1
    assert "maquette: no folder" in capsys.readouterr().err
