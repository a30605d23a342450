"""The page in a photograph: corners, shape, light and ruling against geometry that is known."""

import cv2
import numpy as np
import pytest
from pages import corners_of, paper, photographed, ruled, sketch

from maquette.errors import UserError
from maquette.geometry.paper import SIZES_MM
from maquette.intake import lighting as light
from maquette.intake.background import plain_ground
from maquette.intake.page_capture import rectify_page, stages
from maquette.intake.ruling import remove_ruling
from maquette.intake.sheet_detection import find_sheet, page_aspect, straighten, to_page

SIZE = (1200, 900)
VIEWS = {"flat": {}, "tilted": {"tilt_deg": 35}, "leaning": {"lean_deg": 30, "turn_deg": 5},
         "all at once": {"tilt_deg": 30, "lean_deg": -20, "turn_deg": 12, "fill": 0.7},
         "turned": {"turn_deg": -40, "fill": 0.6}}
DESKS = {"wood": (96, 70, 48), "grey": (120, 120, 124), "bright": (185, 178, 170), "black": (25, 25, 28)}
CASES = [(view, "wood") for view in VIEWS] + [(view, desk) for view in ("tilted", "all at once")
                                              for desk in ("grey", "bright", "black")]


def off_by(corners, truth):
    """The corner that is furthest off, as a share of the page's longer side."""
    longest = np.linalg.norm(np.roll(truth, -1, axis=0) - truth, axis=1).max()
    return np.linalg.norm(corners - truth, axis=1).max() / longest


@pytest.mark.parametrize("view, desk", CASES)
def test_corners_of_a_page_in_half_shadow_are_right_to_one_percent(view, desk):
    truth = corners_of(210, 297, size=SIZE, **VIEWS[view])
    photo = photographed(paper(sketch()), truth, SIZE, DESKS[desk], shadow=0.45, seed=1)
    found = find_sheet(photo)
    assert off_by(found.corners, truth) < 0.01
    assert found.paper == "A series" and found.aspect == pytest.approx(2**-0.5)
    assert found.line() == "A series paper, upright, straightened"


@pytest.mark.parametrize("wide, high", [(210, 297), (297, 210), (216, 279), (200, 200), (260, 150)])
@pytest.mark.parametrize("focal", [0.6, 0.8, 1.6])
def test_the_shape_of_a_page_is_told_from_its_perspective_exactly(wide, high, focal):
    corners = corners_of(wide, high, tilt_deg=25, lean_deg=18, turn_deg=8, focal=focal, size=SIZE, fill=0.6)
    assert page_aspect(corners, *SIZE) == pytest.approx(wide / high, rel=1e-6)


def test_a_page_seen_straight_on_has_the_shape_that_it_shows():
    corners = np.array([[100.0, 50], [700, 50], [700, 450], [100, 450]])
    assert page_aspect(corners, *SIZE) == pytest.approx(1.5, rel=1e-3)


def test_paper_can_be_given_and_lies_as_it_is_seen():
    truth = corners_of(279.4, 215.9, tilt_deg=20, size=SIZE)
    photo = photographed(paper(sketch(1188, 918)), truth, SIZE)
    assert find_sheet(photo).paper == "letter" and find_sheet(photo).aspect == pytest.approx(11 / 8.5)
    given = find_sheet(photo, "a4")
    assert given.paper == "A4" and given.aspect == pytest.approx(297 / 210) and "lying" in given.line()
    seen = find_sheet(photo, "as seen")
    assert seen.aspect == seen.measured == pytest.approx(279.4 / 215.9, rel=0.04)
    assert seen.line().startswith("a sheet of 1.")
    with pytest.raises(UserError, match=f"paper must be auto, as seen, {', '.join(SIZES_MM)}, got 'foolscap'"):
        find_sheet(photo, "foolscap")


def test_a_straightened_page_has_each_mark_at_its_place():
    page = np.ones((1188, 840, 3), np.float32)
    marks = [(140, 170), (700, 240), (420, 594), (180, 1050), (690, 1000)]
    for x, y in marks:
        cv2.circle(page, (x, y), 14, (0.15, 0.15, 0.15), -1, cv2.LINE_AA)
    truth = corners_of(210, 297, size=SIZE, **VIEWS["all at once"])
    photo = photographed(page, truth, SIZE, noise=2)
    flat = straighten(photo, find_sheet(photo))
    assert flat.shape[1] / flat.shape[0] == pytest.approx(2**-0.5, rel=0.003)
    dark = (flat[..., 1] < 110).astype(np.uint8)
    dark[:8], dark[-8:], dark[:, :8], dark[:, -8:] = 0, 0, 0, 0
    _, _, stats, centres = cv2.connectedComponentsWithStats(dark)
    places = centres[1:][stats[1:, cv2.CC_STAT_AREA] > 40] / [flat.shape[1], flat.shape[0]]
    assert len(places) == len(marks)
    wanted = np.array(marks) / [840, 1188]
    apart = np.linalg.norm(places[:, None] - wanted[None], axis=2).min(axis=0)
    assert apart.max() < 0.006
    corners = to_page(truth, 840, 1188) @ np.append(truth[2], 1)
    assert corners[:2] / corners[2] == pytest.approx([839.5, 1187.5], abs=0.05)


def test_a_drawn_frame_is_no_sheet_and_neither_is_a_desk():
    page = np.full((600, 800, 3), 238, np.uint8)
    cv2.rectangle(page, (90, 80), (700, 520), (40, 40, 40), 6)
    assert find_sheet(page) is None
    rng = np.random.default_rng(0)
    assert find_sheet(rng.normal(110, 12, (600, 800, 3)).clip(0, 255).astype(np.uint8)) is None
    assert find_sheet(np.full((40, 40, 3), 200, np.uint8)) is None


def test_light_with_a_hard_shadow_is_evened_out():
    dark = sketch(600, 800)
    y, x = np.mgrid[0:800, 0:600]
    truth = (0.9 - 0.25 * y / 800) * np.where(x + 0.3 * y > 450, 0.55, 1.0)
    page = np.clip(paper(dark) * truth[..., None] * 240 + np.random.default_rng(0).normal(0, 2, (800, 600, 3)), 0, 255)
    page = page.astype(np.uint8)
    even = light.even_out(page, light.paper_light(page))
    bare = (cv2.dilate(dark, np.ones((9, 9))) == 0) & (np.abs(x + 0.3 * y - 450) > 8)
    grey = even.mean(axis=2)[bare]
    assert np.abs(grey - 255).mean() < 4 and np.percentile(grey, 2) > 240
    lead = light.darkness(page, light.paper_light(page))[dark > 0.9]
    assert np.median(lead) == pytest.approx(0.6, abs=0.04)  # a pencil as dark as it was drawn


def test_a_large_black_area_stays_drawn():
    page = np.full((500, 400, 3), 230, np.uint8)
    page[:, 330:] = 150  # a shadow, so that the rim is not even
    cv2.circle(page, (170, 260), 110, (15, 15, 15), -1, cv2.LINE_AA)
    lead = light.separate(light.darkness(page, light.paper_light(page)))
    truth = np.zeros((500, 400), np.uint8)
    cv2.circle(truth, (170, 260), 110, 1, -1)
    assert ((lead.ink > 0.5) == (truth > 0)).mean() > 0.99


@pytest.mark.parametrize("squared", [True, False])
def test_ruling_goes_and_strokes_stay(squared):
    dark, lines = sketch(), ruled(1188, 840, 25, squared, turn=0.006)
    rng = np.random.default_rng(3)
    page = 1 - (1 - 0.6 * dark) * (1 - 0.25 * lines) + rng.normal(0, 0.01, dark.shape)
    clean, found = remove_ruling(page.astype(np.float32), 0.01)
    assert found.rows_px == pytest.approx(25, abs=0.1) and found.dark == pytest.approx(0.25, abs=0.08)
    assert found.columns_px == (pytest.approx(25, abs=0.1) if squared else 0)
    near = cv2.dilate(dark, np.ones((5, 5))) > 0
    printed, strokes = (lines > 0.5) & ~near, dark > 0.9
    assert (clean[printed] < 0.05).mean() > 0.98  # removed
    assert (clean[strokes] > 0.5).mean() > 0.98  # kept
    assert "taken away" in found.line() and ("squares of 25 x 25" in found.line()) == squared


def test_no_ruling_is_made_up():
    rng = np.random.default_rng(4)
    page = (0.6 * sketch() + rng.normal(0, 0.02, (1188, 840))).astype(np.float32)
    clean, found = remove_ruling(page, 0.02)
    assert not found and np.array_equal(clean, page)
    assert found.line() == "no ruling was found on the paper"
    small = np.zeros((20, 20), np.float32)
    assert remove_ruling(small, 0.01)[0] is small or not remove_ruling(small, 0.01)[1]


def test_squared_paper_photographed_at_an_angle_gives_the_drawing():
    dark, lines = sketch(), ruled(1188, 840, 20, turn=0.004)
    size = (1600, 1200)
    truth = corners_of(210, 297, size=size, **VIEWS["all at once"])
    page = paper(dark) * (1 - 0.25 * lines)[..., None]
    found = rectify_page(photographed(page, truth, size, shadow=0.4, noise=2, seed=2), squared=True, whole_page=True)
    assert found.ruling.rows_px > 10 and found.ruling.columns_px == pytest.approx(found.ruling.rows_px, rel=0.03)
    wanted = cv2.resize(dark, found.ink.shape[::-1], interpolation=cv2.INTER_AREA)
    ink, true = found.ink > 0.4, wanted > 0.4
    near, near_true = (cv2.dilate(one.astype(np.uint8), np.ones((5, 5))) > 0 for one in (ink, true))
    assert (true & near).sum() / true.sum() > 0.97 and (ink & near_true).sum() / ink.sum() > 0.97


def test_what_is_captured_is_cropped_and_can_be_small():
    dark = sketch()
    truth = corners_of(210, 297, size=SIZE, **VIEWS["tilted"])
    photo = photographed(paper(dark), truth, SIZE, shadow=0.3)
    page, crop, small = (rectify_page(photo, **options) for options in ({"whole_page": True}, {}, {"low": 32}))
    assert page.picture.shape == page.ink.shape == page.straight.shape[:2]
    rows, columns = np.nonzero(dark > 0.5)
    share = np.array(page.box) / np.tile(page.ink.shape[::-1], 2)
    wanted = [columns.min() / 840, rows.min() / 1188, columns.max() / 840, rows.max() / 1188]
    assert np.abs(share.reshape(2, 2) - np.reshape(wanted, (2, 2))).max() < 0.01
    left, top, right, bottom = crop.box
    around = max(2, round(0.04 * max(right - left, bottom - top)))
    assert crop.picture.shape == (bottom - top + 2 * around, right - left + 2 * around)
    assert small.picture.shape == (32, 32) and small.picture.max() == 255 and 0.05 < (small.picture < 160).mean() < 0.4
    captions, pictures = zip(*stages(photo, small, 200), strict=True)
    assert captions == ("the sheet", "straightened", "drawn", "32x32") and pictures[3].shape == (192, 192)
    red = (np.abs(pictures[0].astype(int) - (230, 60, 40)).max(axis=2) < 60).sum()
    assert red > 100


def test_what_has_no_sheet_is_taken_whole_and_said_so():
    grey = np.repeat((235 * (1 - 0.7 * sketch(500, 600)))[..., None], 3, 2)
    y, x = np.mgrid[0:600, 0:500]
    photo = np.clip(grey * (1 - 0.3 * x / 500)[..., None], 0, 255).astype(np.uint8)
    found = rectify_page(photo)
    assert found.sheet is None
    assert found.notes == ("no sheet of paper was found; the whole picture is taken for the page",)
    assert rectify_page(photo, paper="none").notes == ()
    assert stages(photo, found)[0][0] == "no sheet found"
    chalk = rectify_page(255 - np.clip(grey * 255 / 235, 0, 255).astype(np.uint8))
    assert chalk.notes == ("bright lines on a dark ground were inverted",)


def test_a_page_on_a_black_desk_is_not_chalk_on_a_board():
    corners = corners_of(210, 297, tilt_deg=20, turn_deg=8, fill=0.6)
    photo = photographed(paper(sketch()), corners, desk=(6, 6, 6), noise=1)
    photo[(photo < 60).all(2)] = 6  # flat
    found = rectify_page(photo)
    assert plain_ground(photo)[1] > 0.97
    assert found.sheet is not None and np.abs(found.sheet.corners - corners).max() < 0.01 * 800
    assert found.notes == (found.sheet.line(),)


def test_what_cannot_be_captured_is_said():
    with pytest.raises(UserError, match="no drawing found on the page in empty.jpg; draw darker"):
        rectify_page(photographed(paper(np.zeros((1188, 840))), corners_of(210, 297), noise=6), name="empty.jpg")
    with pytest.raises(UserError, match=r"must be uint8 \[H, W, 3\], got float64 \(9, 9\)"):
        rectify_page(np.zeros((9, 9)))
    with pytest.raises(UserError, match="x.png is too small to hold a page, got 9x9 pixels"):
        rectify_page(np.zeros((9, 9, 3), np.uint8), name="x.png")
    with pytest.raises(UserError, match="4 to 1024 pixels a side, got 2"):
        rectify_page(np.zeros((90, 90, 3), np.uint8), low=2)
