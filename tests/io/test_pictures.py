"""Picture files: every mode and orientation, and every kind of bad file."""

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sketched import chair, drawn

from maquette.errors import UserError
from maquette.io.pictures import _to_rgb, find_inputs, read_picture


def saved(picture, fmt, **options):
    out = io.BytesIO()
    picture.save(out, fmt, **options)
    return out.getvalue()


@pytest.mark.parametrize("fmt", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG", "PPM"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_formats(fmt, mode):
    grey = drawn(chair(96))
    picture = Image.fromarray(grey).convert(mode)
    got = read_picture(saved(picture, fmt))
    assert got.shape == (96, 96, 3) and got.dtype == np.uint8
    assert np.abs(got.astype(int) - np.asarray(picture.convert("RGB")).astype(int)).mean() < 3


def test_modes():
    grey = drawn(chair(96))
    expected = np.repeat(grey[..., None], 3, 2).astype(int)
    plain = Image.fromarray(grey)
    alpha = Image.fromarray(255 - grey)  # black everywhere, seen through its alpha: lines on white
    black = Image.new("L", plain.size, 0)
    palette = plain.convert("P")
    see_through = Image.merge("RGBA", [black, black, black, alpha])
    cases = {
        "I;16": saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"),
        "12 bit": saved(Image.fromarray(grey.astype(np.uint16) * 16), "TIFF"),
        "I": saved(Image.fromarray(grey.astype(np.int32) * 257), "TIFF"),
        "F": saved(Image.fromarray(grey.astype(np.float32) / 255), "TIFF"),
        "LA": saved(Image.merge("LA", [black, alpha]), "PNG"),
        "RGBA": saved(see_through, "PNG"),
        "RGBA webp": saved(see_through, "WEBP", lossless=True),
        "P": saved(palette, "PNG"),
        "CMYK": saved(plain.convert("RGB").convert("CMYK"), "TIFF"),
        "CMYK jpeg": saved(plain.convert("RGB").convert("CMYK"), "JPEG", quality=97),
        "YCbCr": saved(plain.convert("RGB").convert("YCbCr"), "JPEG", quality=97),
    }
    for name, data in cases.items():
        got = read_picture(data)
        assert got.shape == (96, 96, 3), name
        assert np.abs(got.astype(int) - expected).mean() < 3, name


def test_transparent_palette_is_laid_on_white():
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8).repeat(8, 0).repeat(8, 1)).convert("P")
    picture.putpalette([0, 0, 0, 10, 200, 10])
    got = read_picture(saved(picture, "GIF", transparency=0))
    assert (got[0, 0] == 255).all() and (got[0, 15] == (10, 200, 10)).all()


def test_palette_with_alpha():
    see_through = Image.new("PA", (9, 9), (0, 51))
    assert np.abs(_to_rgb(see_through, "x").astype(int) - 204).max() <= 1  # one fifth of black on white


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    upright = np.zeros((40, 64, 3), np.uint8)
    upright[:20, :32] = 255  # bright at the top left
    undo = {2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180],
            4: [Image.Transpose.FLIP_TOP_BOTTOM], 5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_90],
            7: [Image.Transpose.TRANSVERSE], 8: [Image.Transpose.ROTATE_270]}
    picture = Image.fromarray(upright)
    for turn in undo.get(orientation, []):
        picture = picture.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = read_picture(saved(picture, "JPEG", exif=exif, quality=95))
    assert got.shape == (40, 64, 3)
    assert np.abs(got.astype(int) - upright).mean() < 3


def test_the_first_frame_of_an_animation_and_standard_input(monkeypatch, tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (read_picture(data) == (255, 0, 0)).all()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert (read_picture("-") == (255, 0, 0)).all()
    (tmp_path / "a.gif").write_bytes(data)
    assert (read_picture(tmp_path / "a.gif") == read_picture(str(tmp_path / "a.gif"))).all()


def test_a_large_legal_picture_comes_reduced():
    big = np.full((4000, 6000), 255, np.uint8)
    big[1000:3000, 2000:2600] = 0
    for fmt in ("JPEG", "PNG"):
        got = read_picture(saved(Image.fromarray(big), fmt))
        assert max(got.shape) < 4096 and got.shape[1] / got.shape[0] == pytest.approx(1.5, rel=0.01)
        k = 6000 / got.shape[1]
        assert got[int(2000 / k), int(2300 / k)].max() < 10 and got[int(2000 / k), int(1900 / k)].min() > 245


def png_header(width, height):
    """A PNG that says it is so large and holds next to nothing."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


BAD = {
    "empty.png": (b"", "is empty, got 0 bytes"),
    "cut.jpg": (lambda: saved(Image.fromarray(drawn(chair())), "JPEG")[:1500], "is damaged or cut short"),
    "cut.png": (lambda: saved(Image.fromarray(drawn(chair())), "PNG")[:400], "is damaged or cut short"),
    "cut.gif": (lambda: saved(Image.fromarray(drawn(chair())), "GIF")[:1200], "is damaged or cut short"),
    "cut.bmp": (lambda: saved(Image.fromarray(drawn(chair())), "BMP")[:5000], "is damaged or cut short"),
    "cut.webp": (lambda: saved(Image.fromarray(drawn(chair())), "WEBP")[:500], "is damaged or cut short"),
    "cut.tif": (lambda: saved(Image.fromarray(drawn(chair())), "TIFF")[:5000], "is damaged or cut short"),
    "head.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "is damaged or cut short"),
    "none.png": (lambda: png_header(0, 0), "has no pixels, got 0x0"),
    "wide.png": (lambda: png_header(60_000, 60_000), r"than 200 megapixels, got 60000x60000 \(3600 megapixels\)"),
    "long.png": (lambda: png_header(60_000, 40), "longer than 32768 pixels, got 60000x40"),
    "text.png": (b"this is not a picture", "is not a picture, got a file that begins with b'this is '"),
    "page.pdf": (b"%PDF-1.7 ...", "a PDF document; export the page as PNG or JPEG"),
    "phone.heic": (b"\0\0\0\x18ftypheic....", "save it as JPEG or PNG"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_so_in_one_line_with_their_name(name, tmp_path, capfd):
    data, message = BAD[name]
    path = tmp_path / name
    path.write_bytes(data() if callable(data) else data)
    with pytest.raises(UserError, match=message) as caught:
        read_picture(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(UserError, match=r"no\.png does not exist"):
        read_picture(tmp_path / "no.png")
    with pytest.raises(UserError, match="is a folder, not a picture"):
        read_picture(tmp_path)
    values = np.full((9, 9), np.nan, np.float32)
    with pytest.raises(UserError, match="not finite numbers"):
        read_picture(saved(Image.fromarray(values), "TIFF"))


def test_find_inputs(tmp_path):
    for name in ("b.PNG", "a.jpg", ".hidden.jpg", "notes.txt", "c.webp"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    found = find_inputs([tmp_path, "-", "elsewhere.xyz", str(tmp_path / "a.jpg")])
    assert found == [tmp_path / "a.jpg", tmp_path / "b.PNG", tmp_path / "c.webp", "-", Path("elsewhere.xyz")]
    assert find_inputs(tmp_path / "a.jpg") == [tmp_path / "a.jpg"]
    with pytest.raises(UserError, match=r"no picture in the folder .*empty; known endings: \.jpg"):
        find_inputs([tmp_path / "empty"])
