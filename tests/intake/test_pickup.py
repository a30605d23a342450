"""Picture intake: every mode and orientation of a file, drawings under bad light, photos, every kind of bad input."""

import io
import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from maquette.errors import UserError
from maquette.intake.pickup import find_inputs, frame_object, read_picture
from maquette.io.pictures import _to_rgb

SKETCHES = Path(__file__).parents[3] / "shared" / "data" / "sketches"
LINES = [((20, 75), (20, 95)), ((80, 60), (80, 95)), ((20, 75), (80, 60)), ((20, 75), (20, 10)), ((20, 10), (35, 5)),
         ((35, 5), (35, 70)), ((20, 25), (35, 20)), ((35, 70), (80, 60))]  # a chair of sorts, in hundredths


def chair(size=400, width=3, left=0, top=0, canvas=None):
    """Darkness [H, W] in [0, 1]: the chair, `size` pixels a side, with its corner at (left, top)."""
    dark = np.zeros(canvas or (size, size), np.float32)
    for (x0, y0), (x1, y1) in LINES:
        start = left + x0 * size // 100, top + y0 * size // 100
        end = left + x1 * size // 100, top + y1 * size // 100
        cv2.line(dark, start, end, 1.0, width, cv2.LINE_AA)
    return dark


def drawn(dark, paper=255.0):
    """Grey picture of black lines on even paper."""
    return np.clip(paper * (1 - dark), 0, 255).astype(np.uint8)


def photographed(dark, lead=0.6, tint=(1, 0.96, 0.88), fall=0.4, noise=4, shadow=0.0, angle=None, seed=0):
    """The drawing as a camera sees it: light falling off, tint, shadow, noise, and a dark desk if `angle` is given."""
    rng = np.random.default_rng(seed)
    page = 235 * (1 - lead * dark)[..., None] * np.array(tint, np.float32)
    height, width = dark.shape
    if angle is not None:
        out = int(width * 1.4), int(height * 1.4)
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        turn[:, 2] += [out[0] / 2 - width / 2, out[1] / 2 - height / 2]
        sheet = cv2.warpAffine(np.ones_like(dark), turn, out)[..., None]
        grain = cv2.GaussianBlur(rng.normal(0, 60, out[::-1]).astype(np.float32), (0, 0), sigmaX=12, sigmaY=1)
        page = cv2.warpAffine(page.astype(np.float32), turn, out) * sheet
        page = page + (1 - sheet) * (np.array([90, 62, 40]) + grain[..., None])
        height, width = page.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    edge = cv2.GaussianBlur((x + 0.4 * y > 0.75 * width).astype(np.float32), (0, 0), width / 60)
    light = (1 - fall * (0.7 * x / width + 0.3 * y / height)) * (1 - shadow * edge)
    page = cv2.GaussianBlur((page * light[..., None]).astype(np.float32), (0, 0), 0.8)
    return np.clip(page + rng.normal(0, noise, page.shape), 0, 255).astype(np.uint8)


def ink(image):
    return image < 0.5


def overlap(a, b, slack=2):
    """Share of the ink of each that lies within `slack` pixels of the other's, the smaller of the two."""
    kernel = np.ones((2 * slack + 1,) * 2, np.uint8)
    near_a, near_b = cv2.dilate(a.astype(np.uint8), kernel) > 0, cv2.dilate(b.astype(np.uint8), kernel) > 0
    return min((a & near_b).sum() / max(1, a.sum()), (b & near_a).sum() / max(1, b.sum()))


CLEAN = frame_object(drawn(chair())).image[0]  # what every other picture of the chair must come to


# --- reading ---------------------------------------------------------------------------------------------------------


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


# --- drawings --------------------------------------------------------------------------------------------------------


def test_a_clean_drawing_is_cropped_centred_and_kept():
    dark = chair(300, left=500, top=60, canvas=(600, 900))
    found = frame_object(drawn(dark))
    assert found.kind == "drawing" and found.notes == ()
    assert found.image.shape == (1, 128, 128) and found.image.dtype == np.float32
    assert found.image.min() >= 0 and found.image.max() == 1.0
    rows, columns = np.nonzero(dark > 0.5)
    expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.abs(np.array(found.box) - expected).max() <= 3
    y, x = np.nonzero(ink(found.image[0]))
    assert 7 <= y.min() <= 11 and 7 <= 127 - y.max() <= 11  # the longer side keeps a margin of 7 %
    assert abs((x.min() + x.max()) / 2 - 63.5) <= 1
    assert overlap(ink(found.image[0]), ink(CLEAN)) > 0.98


def test_sizes_and_channels():
    found = frame_object(drawn(chair()), size_px=96, channels=3)
    assert found.image.shape == (3, 96, 96) and (found.image[0] == found.image[2]).all()
    tall = frame_object(cv2.resize(drawn(chair(200)), (100, 400)))
    y, x = np.nonzero(ink(tall.image[0]))
    assert np.ptp(y) > 3.5 * np.ptp(x) and y.min() >= 7  # padded, not squashed
    with pytest.raises(UserError, match="channels must be 1 or 3, got 2"):
        frame_object(drawn(chair()), channels=2)
    with pytest.raises(UserError, match="x.png is too small"):
        frame_object(np.zeros((4, 5, 3), np.uint8), name="x.png")


@pytest.mark.parametrize("width", [1, 2, 4, 9])
def test_lines_of_any_width_stay_dark(width):
    found = frame_object(drawn(chair(1600, width)))
    assert overlap(found.image[0] < 0.7, ink(CLEAN)) > 0.97
    strokes = np.sort(found.image[0].ravel())[: ink(CLEAN).sum()]
    assert strokes.mean() < 0.4


PAPERS = {
    "plain": {},
    "faint": {"lead": 0.22},
    "noisy": {"noise": 9, "lead": 0.45},
    "yellow lamp": {"tint": (0.8, 0.66, 0.42)},
    "shadow across": {"shadow": 0.4},
    "kraft": {"tint": (0.75, 0.58, 0.4), "lead": 0.8},
    "desk": {"angle": 0},
    "turned on the desk": {"angle": 9},
    "turned the other way": {"angle": -13, "fall": 0.5},
}


@pytest.mark.parametrize("light", PAPERS)
def test_pencil_on_paper_comes_to_the_clean_drawing(light):
    dark = chair(430, 4, left=220, top=60, canvas=(560, 800))
    options = PAPERS[light]
    found = frame_object(photographed(dark, **options))
    assert found.kind == "paper"
    assert overlap(ink(found.image[0]), ink(CLEAN), slack=3) > 0.95
    assert (found.image[0][:6] == 1).all() and (found.image[0][:, :6] == 1).all()  # the paper is white
    if "angle" in options:
        assert found.notes[0] == "cropped to the sheet of paper"
    else:
        rows, columns = np.nonzero(dark > 0.5)
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert np.abs(np.array(found.box) - expected).max() <= 6


def test_a_sheet_cut_by_the_frame():
    dark = chair(400, 4, left=220, top=80, canvas=(560, 800))
    picture = photographed(dark, angle=8)[90:-90, 150:]
    found = frame_object(picture)
    assert found.kind == "paper" and found.notes[0] == "cropped to the sheet of paper"
    left, top, right, bottom = found.box
    assert 300 < bottom - top < 460 and (right - left) < 400


def test_white_on_black_is_inverted():
    found = frame_object(
        255 - photographed(chair(430, 4, left=220, top=60, canvas=(560, 800)), tint=(1, 1, 1), fall=0.1)
    )
    assert found.kind == "paper" and "bright lines on a dark ground were inverted" in found.notes
    assert overlap(ink(found.image[0]), ink(CLEAN), slack=3) > 0.95


def test_dust_page_edges_and_far_marks_are_left_out():
    rng = np.random.default_rng(0)
    dark = chair(430, 4, left=220, top=60, canvas=(560, 800))
    for x, y in rng.integers(5, 550, (40, 2)):
        dark[y:y + 2, x:x + 2] = 0.8  # dust
    dark[:, :7] = 0.9  # the scanner's shadow
    cv2.circle(dark, (740, 530), 12, 0.7, 2)  # a signature, say
    found = frame_object(drawn(dark))
    assert overlap(ink(found.image[0]), ink(CLEAN), slack=3) > 0.95
    assert set(found.notes) == {"the edge of the page was removed", "marks away from the object were left out"}


def test_a_view_that_is_ready_is_left_as_it_is():
    once = np.rint(255 * CLEAN).astype(np.uint8)
    again = frame_object(once)
    assert again.kind == "drawing"
    assert np.abs(again.image[0] - CLEAN).mean() < 0.02


@pytest.mark.parametrize("page", [
    np.full((300, 400, 3), 255, np.uint8),
    photographed(np.zeros((300, 400), np.float32)),
    photographed(np.zeros((600, 500), np.float32), noise=8, fall=0.5, tint=(0.9, 0.85, 0.75)),
    np.zeros((50, 50), np.uint8),
])
def test_a_blank_page(page):
    with pytest.raises(UserError, match="no drawing found on the page.* in blank.png"):
        frame_object(page, name="blank.png")


# --- photos ----------------------------------------------------------------------------------------------------------


def room(height, width, seed=0):
    """A cluttered colour picture."""
    rng = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.float32)
    picture[: height // 2], picture[height // 2:] = (150, 120, 90), (90, 60, 50)
    for _ in range(25):
        x, y = rng.integers(0, width), rng.integers(0, height)
        cv2.rectangle(picture, (x, y), (x + width // 5, y + height // 6), tuple(rng.uniform(20, 240, 3)), -1)
    return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


def test_a_photo_is_padded_with_its_border_and_keeps_its_light():
    picture = room(120, 240)
    found = frame_object(picture, channels=3)
    assert found.kind == "photo" and found.box == (0, 0, 240, 120) and found.image.shape == (3, 128, 128)
    rim = np.concatenate([picture[:4].reshape(-1, 3), picture[-4:].reshape(-1, 3),
                          picture[:, :4].reshape(-1, 3), picture[:, -4:].reshape(-1, 3)])
    assert np.abs(found.image[:, 2, 64] * 255 - np.median(rim, axis=0)).max() < 2
    inner = cv2.resize(picture, (128, 64), interpolation=cv2.INTER_AREA).transpose(2, 0, 1) / 255
    assert np.abs(found.image[:, 32:96] - inner).max() < 0.01
    grey = frame_object(picture).image[0]
    assert np.abs(grey - np.tensordot([0.299, 0.587, 0.114], found.image, 1)).max() < 0.01


def test_an_object_on_a_plain_ground_is_cropped_to():
    picture = np.full((300, 500, 3), (205, 200, 190), np.uint8)
    picture[100:220, 300:400] = room(120, 100)
    found = frame_object(picture)
    assert found.kind == "photo" and found.notes == ("cropped to the object on its plain background",)
    assert np.abs(np.array(found.box) - (294, 94, 406, 226)).max() <= 4


def test_the_kind_can_be_given():
    picture = drawn(chair())
    assert frame_object(picture, kind="photo").kind == "photo"
    forced = frame_object(room(200, 200), kind="drawing")
    assert forced.kind != "photo"


# --- real ones -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SKETCHES.is_dir(), reason="no real sketches in ../shared/data")
@pytest.mark.parametrize(
    "name, box", [("armchair1_0_clean.png", (66, 39, 211, 213)), ("bin115.png", (54, 109, 432, 600))]
)
def test_scanned_sketches(name, box):
    found = frame_object(read_picture(SKETCHES / name))
    assert found.kind == "drawing"
    assert np.abs(np.array(found.box) - box).max() <= 3
    assert 0.02 < ink(found.image).mean() < 0.15
