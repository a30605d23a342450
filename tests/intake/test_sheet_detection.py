"""The sheet in a photograph: corners and aspect against geometry that is known."""

import cv2
import numpy as np
import pytest
from pages import VIEWS, corners_of, paper, photographed, sketch

from maquette.errors import UserError
from maquette.geometry.paper import SIZES_MM
from maquette.intake.sheet_detection import find_sheet, page_aspect, straighten, to_page

SIZE = (1200, 900)
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
