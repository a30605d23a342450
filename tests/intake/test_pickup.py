"""Picture intake: drawings under bad light, photos, and pictures that are ready."""

from pathlib import Path

import cv2
import numpy as np
import pages
import pytest
from sketched import chair, drawn

from maquette.errors import UserError
from maquette.intake.line_art import hues_of
from maquette.intake.pickup import frame_lead, frame_object, read_picture

SKETCHES = Path(__file__).parents[3] / "shared" / "data" / "sketches"


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


def test_a_rectangle_that_fills_the_picture_is_what_was_drawn():
    page = np.full((245, 299), 255, np.uint8)
    cv2.rectangle(page, (13, 13), (285, 231), 0, 2)
    assert frame_object(page).box == pytest.approx((12, 12, 287, 233), abs=2)
    cv2.circle(page, (150, 120), 60, 0, 3)
    assert frame_object(page).box == pytest.approx((89, 59, 212, 182), abs=3), "around something it is a frame"


def test_a_sheet_cut_by_the_frame():
    dark = chair(400, 4, left=220, top=80, canvas=(560, 800))
    picture = photographed(dark, angle=8)[90:-90, 150:]
    found = frame_object(picture)
    assert found.kind == "paper" and found.notes[0] == "cropped to the sheet of paper"
    left, top, right, bottom = found.box
    assert 300 < bottom - top < 460 and (right - left) < 400


def test_faint_pencil_on_a_sheet_on_a_desk_is_no_photo():
    page = pages.paper(pages.sketch(thick=5), lead=0.3)
    photo = pages.photographed(page, pages.corners_of(210, 297, tilt_deg=20, turn_deg=8), shadow=0.3)
    found = frame_object(photo, 128)
    assert found.kind == "paper" and "cropped to the sheet of paper" in found.notes


def test_a_sheet_half_in_the_shadow_on_a_dark_desk_is_no_photo():
    corners = pages.corners_of(210, 297, tilt_deg=25, lean_deg=-10, turn_deg=-9, size=(1600, 1200), fill=0.6)
    page, grey = pages.paper(pages.sketch(thick=6)), (62, 62, 66)
    photo = pages.photographed(page, corners, (1600, 1200), grey, shadow=0.45, fall=0.4, seed=1)
    found = frame_object(photo, 128)
    assert found.kind == "paper" and "cropped to the sheet of paper" in found.notes
    to_page = cv2.getPerspectiveTransform(np.float32([[0, 0], [839, 0], [839, 1187], [0, 1187]]), np.float32(corners))
    drawn = np.argwhere(pages.sketch(thick=6) > 0.5)[:, ::-1].astype(np.float32)
    seen = cv2.perspectiveTransform(drawn[None], to_page)[0]
    assert np.allclose(found.box, (*seen.min(0), *seen.max(0)), atol=25)


def test_the_edge_of_a_shadow_across_a_drawing_is_no_line():
    """The lit half was once taken for the sheet, and the drawing cut there."""
    drawn = pages.sketch(thick=5)
    corners = pages.corners_of(210, 297, tilt_deg=12, lean_deg=14, turn_deg=-4, size=(1200, 1600), fill=0.7)
    page = pages.paper(drawn, lead=0.5)
    bright, dim = (frame_object(pages.photographed(page, corners, (1200, 1600), shadow=shadow, seed=2), 128)
                   for shadow in (0.0, 0.45))
    assert bright.kind == dim.kind == "paper"
    assert np.abs(dim.image - bright.image).mean() < 0.01
    assert np.allclose(dim.box, bright.box, atol=12)


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


def test_hues_are_those_of_opencv_and_grey_has_none():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    expected = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float32) - 128
    assert np.abs(hues_of(picture) - expected).max() <= 2 and np.abs(hues_of(picture) - expected).mean() < 0.1
    assert not hues_of(np.repeat(picture[..., :1], 3, axis=2)).any()


def test_the_lead_of_a_drawing_is_framed_at_any_size():
    picture = np.full((300, 200, 3), 255, np.uint8)
    cv2.circle(picture, (110, 140), 60, (40, 40, 40), 3)
    found = frame_object(picture, 128)
    for size in (64, 256):
        assert np.array_equal(frame_lead(*found.lead, size), frame_object(picture, size, kind=found.kind).image[0])
    assert frame_object(picture, 128, kind="photo").lead is None
