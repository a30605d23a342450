"""The drawing on a photographed page, from the photo to the picture."""

import numpy as np
import pytest
from pages import VIEWS, corners_of, paper, photographed, sketch

from maquette.errors import UserError
from maquette.intake.background import plain_ground
from maquette.intake.page_capture import rectify_page, stages

SIZE = (1200, 900)


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
