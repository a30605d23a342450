"""A folder of pictures becomes a dataset of pixels: exact, resumable, and each bad file is named."""

import hashlib
import json
import struct
import zlib

import numpy as np
import pytest
from command import call
from PIL import Image
from radiographs import fill, radiograph, write

from maquette.datasets.images import (
    ImageInfo,
    open_images,
    prepare_images,
    split_by_name,
)
from maquette.datasets.images import files as image_files
from maquette.datasets.images import prepare as preparing
from maquette.datasets.resumable import Finished
from maquette.errors import UserError
from maquette.events import Skipped

SMALL = {"size": "64x32", "grey": True, "holdout": 3, "workers": 1, "keep_names": True}


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its few bytes hold."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_folder_becomes_a_dataset_and_the_bad_files_are_named(tmp_path):
    folder = fill(tmp_path / "in", 10)
    write(folder / "sub" / "wide.jpg", np.stack([radiograph(20)] * 3, -1)[:60])
    write(folder / "deep.png", radiograph(21).astype(np.uint16) * 257)
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:2000])
    (folder / "huge.png").write_bytes(huge_png(20000, 20000))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes((folder / "00.png").read_bytes())
    out = tmp_path / "out"
    events = list(prepare_images(folder, out, **SMALL, terms="ours"))
    reasons = {event.id: event.reason for event in events if isinstance(event, Skipped)}
    assert set(reasons) == {"cut.png", "huge.png"}
    assert reasons["cut.png"].startswith("cut.png is damaged or cut short")
    assert reasons["huge.png"] == ("huge.png is larger than 100 megapixels, got 20000x20000 (400 megapixels); "
                                   "make the picture smaller")
    assert events[-1] == Finished(out, 12, events[-1].skipped) and dict(events[-1].skipped) == reasons
    assert [event.done for event in events[:-1]] == list(range(1, 15)) and events[0].total == 14

    data = open_images(out)
    names = [f"{k:02d}.png" for k in range(10)] + ["sub/wide.jpg", "deep.png", "cut.png", "huge.png"]
    held = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:3]
    assert {data.id(k) for k in data.split("test")} == set(held) - set(reasons)
    assert sorted(data.ids) == sorted(set(names) - set(reasons)) and len(data) == 12
    rows = data.pixels(range(len(data)))
    assert rows.shape == (12, 32, 64) and rows.dtype == np.uint8
    for name, row in zip(data.ids, rows, strict=True):
        number = {"sub/wide.jpg": 20, "deep.png": 21}.get(name) or int(name[:2])
        if name == "sub/wide.jpg":
            continue
        whole = Image.fromarray(radiograph(number))
        assert np.array_equal(row, np.asarray(whole.resize((64, 32), Image.Resampling.LANCZOS))), name
    assert np.array_equal(data.pixels([5, 0, 5]), rows[[5, 0, 5]])
    with pytest.raises(IndexError, match="row 12 of 12"):
        data.pixels([12])
    info = ImageInfo.load(out)
    assert (info.width, info.height, info.channels, info.name, info.terms) == (64, 32, 1, "", "ours")
    readme = (out / "README.md").read_text()
    assert "Terms of use: ours" in readme and "cut.png is damaged" in readme and str(tmp_path) not in readme
    assert str(tmp_path) not in (out / "images.json").read_text() and not (out / ".parts").exists()

    from datasets import load_from_disk

    loaded = load_from_disk(str(out))
    assert {split: len(loaded[split]) for split in loaded} == info.counts
    row = loaded["train"][0]
    assert (row["id"], row["height"], row["width"], row["channels"]) == (data.id(0), 32, 64, 1)
    assert np.array_equal(np.frombuffer(row["pixels"], np.uint8).reshape(32, 64), rows[0])


def test_rgb_rows_and_two_processes_give_the_same_as_one(tmp_path):
    folder = fill(tmp_path / "in", 6)
    for name, workers in (("one", 1), ("two", 2)):
        list(prepare_images(folder, tmp_path / name, size="32x32", holdout=0, workers=workers))
    one, two = (open_images(tmp_path / name) for name in ("one", "two"))
    assert one.pixels([0]).shape == (1, 32, 32, 3) and one.channels == 3 and len(one.split("test")) == 0
    assert one.ids == two.ids and np.array_equal(one.pixels(range(6)), two.pixels(range(6)))


def test_a_new_image_moves_at_most_one_other_over_the_split(tmp_path):
    files = image_files.find_images(fill(tmp_path / "in", 30))
    held = {file.id for file in split_by_name(files[:-1], 8)["test"]}
    more = {file.id for file in split_by_name(files[::-1], 8)["test"]}
    assert len(held) == len(more) == 8 and len(held - more) <= 1


def test_a_stopped_preparation_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    folder = fill(tmp_path / "in", 12)
    monkeypatch.setattr(preparing, "_GROUP", 2)
    list(prepare_images(folder, tmp_path / "whole", **SMALL))
    events = prepare_images(folder, tmp_path / "out", **SMALL)
    for _ in range(5):
        next(events)
    events.close()
    with pytest.raises(UserError, match="is not a prepared dataset of images: it has no images.json; make one with"):
        open_images(tmp_path / "out")
    with pytest.raises(UserError, match="begun with other options, got width 64 there and 48 here"):
        next(prepare_images(folder, tmp_path / "out", **(SMALL | {"size": "48x32"})))
    made = []
    original = preparing.open_image
    monkeypatch.setattr(preparing, "open_image", lambda file, limits: made.append(file.id) or original(file, limits))
    events = list(prepare_images(folder, tmp_path / "out", **SMALL))
    assert len(made) == 8 and events[0].done == 5  # two groups of two were whole
    whole, again = open_images(tmp_path / "whole"), open_images(tmp_path / "out")
    assert whole.ids == again.ids and np.array_equal(whole.pixels(range(12)), again.pixels(range(12)))
    assert list(prepare_images(folder, tmp_path / "out", **SMALL)) == [events[-1]], "nothing left to do"
    with pytest.raises(UserError, match="holds images that were made otherwise; choose another folder"):
        next(prepare_images(folder, tmp_path / "out", **(SMALL | {"crop": "none"})))


def first(folder, out, **changes):
    return next(prepare_images(folder, out, **(SMALL | changes)))


def test_what_cannot_be_prepared_is_one_clear_line(tmp_path, monkeypatch):
    def says(text: str, folder, **changes) -> None:
        with pytest.raises(UserError, match=text):
            first(folder, tmp_path / "out", **changes)

    folder = fill(tmp_path / "in", 4)
    (tmp_path / "empty").mkdir()
    says("no image in the folder .*empty; known endings: .jpg .* .dcm", tmp_path / "empty")
    says("no folder .*nowhere", tmp_path / "nowhere")
    says("00.png is not a folder of images", folder / "00.png")
    one = fill(tmp_path / "one", 1)
    says("holding out 3 images leaves none to learn from, got 1 image; lower --holdout", one)
    says("holding out 4 images leaves none to learn from, got 4 images", folder, holdout=4)
    says("holdout must be 0 or more, got -1", folder, holdout=-1)
    says("workers must be 1 or more, got 0", folder, workers=0)
    says("bits must be from 9 to 16, or 0, got 8", folder, bits=8)
    says("max-megapixels must be above 0 and at most 10000, got 0", folder, max_megapixels=0)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    with pytest.raises(UserError, match="full is not empty; choose a new folder for the dataset"):
        first(folder, tmp_path / "full")
    with pytest.raises(UserError, match="no image could be prepared, got 00.png: 00.png: the crop 500,0,9,9 does not"):
        list(prepare_images(one, tmp_path / "none", **(SMALL | {"crop": "500,0,9,9", "holdout": 0})))
    monkeypatch.setattr(image_files, "MAX_FILE_BYTES", 10)
    with pytest.raises(UserError, match="00.png is a file of more than 1 GiB, got 0.0 GiB; make it smaller"):
        image_files.open_image(image_files.find_images(one, keep_names=True)[0], image_files.Limits())
    (one / "00.png").unlink()
    with pytest.raises(UserError, match="00.png cannot be read, got No such file"):
        image_files.open_image(image_files.ImageFile("00.png", one / "00.png", False), image_files.Limits())


def test_a_damaged_dataset_is_named(tmp_path):
    out = tmp_path / "out"
    list(prepare_images(fill(tmp_path / "in", 4), out, **(SMALL | {"holdout": 1})))
    text = (out / "images.json").read_text()
    (out / "images.json").write_text(text.replace('"width": 64', '"width": 65'))
    with pytest.raises(UserError, match="train holds images that are not 65x32; prepare it again"):
        open_images(out)
    (out / "images.json").write_text(text.replace('"channels": 1', '"channels": 2'))
    with pytest.raises(UserError, match="cannot read .*images.json, got images of shape"):
        open_images(out)


def test_the_commands(tmp_path, capsys):
    folder = fill(tmp_path / "in", 8)
    out = tmp_path / "out"
    prepare = ("data", "prepare", "images", folder, "--out", out, "--size", "64x32", "--grey", "--holdout", "2",
               "--workers", "1", "--keep-names")
    assert call(*prepare) == 0
    assert capsys.readouterr().out == f"{out}: 8 images\n"
    assert call(*prepare, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"output": str(out), "images": 8, "skipped": []}
    assert call("data", "show", out, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["images"], facts["size"], facts["splits"]) == (8, "64x32", {"train": 6, "test": 2})
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size == (2 * 64, 4 * 32)
    assert call("data", "audit", out) == 1
    assert "is a dataset of images that was prepared already; audit the folder" in capsys.readouterr().err
    (folder / "bad.png").write_text("nothing")
    assert call(*prepare[:5], tmp_path / "again", *prepare[6:]) == 1, "a file was skipped"
    assert "skipped bad.png: bad.png is not a picture" in capsys.readouterr().err


DISC = (255 * (np.hypot(*np.mgrid[-30:70, -60:60]) < 20)).astype(np.uint8)


def discs(folder, count: int = 4, alpha: bool = True):
    """Pictures of the object in a colour of its own on noise, and a folder of their masks beside them."""
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (*DISC.shape, 3)).astype(np.uint8)
        pixels[DISC > 0] = (40 * number, 90, 30)
        name = f"sub/{number}.png"
        write(folder / "in" / name, np.dstack([pixels, DISC]) if alpha else pixels)
        write(folder / "in" / "masks" / f"sub/{number}.bmp", DISC)
    return folder / "in"


@pytest.mark.parametrize("alpha", [True, False])
@pytest.mark.parametrize("background, level", [("white", 255), ("black", 0)])
def test_objects_with_masks_are_laid_on_a_background_and_keep_their_masks(tmp_path, alpha, background, level):
    folder = discs(tmp_path, alpha=alpha)
    masks = "alpha" if alpha else str(folder / "masks")
    if alpha:
        import shutil

        shutil.rmtree(folder / "masks")
    list(prepare_images(folder, tmp_path / "out", size="60x50", masks=masks, background=background, holdout=1,
                        workers=1, keep_names=True))
    data = open_images(tmp_path / "out")
    assert len(data) == 4, "masks are no images"
    small = np.asarray(Image.fromarray(DISC).resize((60, 50), Image.Resampling.HAMMING))
    for name, pixels, mask in zip(data.ids, data.pixels(range(4)), data.masks(range(4)), strict=True):
        assert np.abs(mask.astype(int) - small).max() <= 1
        assert (pixels[mask == 0] == level).all() and (mask == 0).sum() > 2000
        assert (pixels[mask == 255] == (40 * int(name[4]), 90, 30)).all() and (mask == 255).sum() > 200
    assert str(tmp_path) not in (tmp_path / "out" / "images.json").read_text()


def test_masks_and_objects_that_are_not_there_are_named(tmp_path):
    folder = discs(tmp_path, alpha=False)
    masks = folder / "masks"
    (masks / "sub" / "0.bmp").unlink()
    write(masks / "sub" / "1.bmp", DISC[:50])
    write(masks / "sub" / "2.bmp", np.zeros_like(DISC))

    def reasons(out: str, **changes) -> dict[str, str]:
        events = list(prepare_images(folder, tmp_path / out, size="16x16", holdout=0, workers=1, keep_names=True,
                                     **changes))
        return {event.id: event.reason for event in events if isinstance(event, Skipped)}

    assert reasons("a", masks=str(masks), crop="object") == {
        "sub/0.png": "no mask for sub/0.png in the folder of masks",
        "sub/1.png": "the mask of sub/1.png must have the picture's size, 120x100, got 120x50",
        "sub/2.png": "sub/2.png: the mask is empty"}
    write(folder / "sub" / "rgba.png", np.dstack([np.full((*DISC.shape, 3), 90, np.uint8), DISC]))
    for k in range(4):
        (masks / "sub" / f"{k}.bmp").unlink(missing_ok=True)
    assert reasons("b", masks="alpha")["sub/3.png"] == (
        "sub/3.png has no alpha channel; give a folder of masks with --masks DIR")
    write(folder / "sub" / "plain.png", np.full((40, 40, 3), 90, np.uint8))
    told = reasons("c", crop="object")
    assert "rgba" not in str(told), "laid on white, it is an object on a plain background"
    assert told["sub/plain.png"] == "sub/plain.png: no object found on the plain background"
    assert told["sub/3.png"].startswith("sub/3.png: no plain background to find the object on, got ")
    assert told["sub/3.png"].endswith(" % of the rim of one colour; give masks with --masks, or another --crop")
    file = image_files.ImageFile("dicom-1", folder / "sub" / "3.png", True)
    with pytest.raises(UserError, match="dicom-1 is a DICOM file, and those have no masks; leave out --masks"):
        image_files.open_masked(file, image_files.Limits(), "alpha")


def test_options_about_masks_that_cannot_be(tmp_path):
    folder = fill(tmp_path / "in", 4)
    for changes, text in (
        ({"background": "blue", "masks": "alpha"}, "background must be white, grey, black, got 'blue'"),
        ({"background": "black"}, "a background is for objects with masks, got 'black'; say where the masks are: --m"),
        ({"masks": "nowhere"}, "no folder nowhere with masks; or --masks alpha"),
        ({"margin": -1}, "margin must be from 0 to 10, got -1"),
    ):
        with pytest.raises(UserError, match=text):
            first(folder, tmp_path / "out", **changes)
    list(prepare_images(folder, tmp_path / "out", **SMALL))
    with pytest.raises(UserError, match="out keeps no masks of its objects; prepare it again with --masks"):
        open_images(tmp_path / "out").masks([0])
