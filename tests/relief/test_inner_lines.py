"""Lines inside an outline as grooves and ridges: their volumes in closed form, and what stays a hole."""

import cv2
import numpy as np
import pytest

from maquette.errors import UserError
from maquette.relief.options import ReliefOptions
from maquette.relief.relief import relief

MM = 40 / 400
"""Millimetres a pixel of the drawings here, at a size of 40 mm."""


def square(*rings: int, line: bool = False, filled: bool = False) -> np.ndarray:
    """A square of 400 pixels a side along the middle of its line, with circles and a bar of 200 x 12 pixels in it."""
    picture = np.full((500, 500, 3), 255, np.uint8)
    cv2.rectangle(picture, (50, 50), (450, 450), (0, 0, 0), -1 if filled else 4)
    ink = (255, 255, 255) if filled else (0, 0, 0)
    for radius in rings:
        cv2.circle(picture, (250, 250), radius, ink, -1 if filled else 8, cv2.LINE_AA)
    if line:
        cv2.rectangle(picture, (150, 100), (349, 111), ink, -1)
    return picture


def made(picture: np.ndarray, **options):
    result = relief(picture, ReliefOptions(size_mm=40, thickness_mm=5, **options))
    assert result.report.watertight and result.report.parts == 1 and result.mesh.is_volume
    return result


@pytest.mark.parametrize("filled", [False, True], ids=["lines", "filled"])
def test_a_bar_inside_is_a_groove_or_a_ridge_of_its_own_area(filled):
    plain, picture = made(square(filled=filled)).mesh, square(line=True, filled=filled)
    groove, ridge = made(picture, engrave_mm=2.0), made(picture, emboss_mm=1.5)
    area = 200 * 12 * MM**2 * (40 / 40)
    assert plain.volume - groove.mesh.volume == pytest.approx(2.0 * area, rel=0.06)
    assert ridge.mesh.volume - plain.volume == pytest.approx(1.5 * area, rel=0.06)
    assert groove.mesh.extents == pytest.approx((40, 40, 5), abs=0.01)
    assert ridge.mesh.extents == pytest.approx((40, 40, 6.5), abs=0.01)
    floor = np.unique(np.round(groove.mesh.vertices[:, 2], 3))
    assert set(floor) == {0.0, 3.0, 5.0}
    assert "1 groove, about 1.2 mm wide" in groove.notes and "1 ridge, about 1.2 mm wide" in ridge.notes


def test_an_open_line_that_touches_the_outline_counts_from_where_it_leaves_it():
    picture = square()
    cv2.rectangle(picture, (244, 50), (255, 249), (0, 0, 0), -1)
    plain, groove = made(square()).mesh, made(picture, engrave_mm=2.0).mesh
    assert plain.volume - groove.volume == pytest.approx(2.0 * 200 * 12 * MM**2, rel=0.08)
    assert groove.euler_number == 2


def test_small_closed_lines_are_grooves_and_large_ones_holes():
    eye, ring = square(40), square(130)
    assert made(eye).mesh.euler_number == 0 and made(ring).mesh.euler_number == 0
    assert made(ring, engrave_mm=1.0).mesh.euler_number == 0, "it encloses a third of the square"
    mesh = made(eye, engrave_mm=1.0).mesh
    assert mesh.euler_number == 2
    line = (square() - eye.astype(float)).mean(2).sum() / 255 * MM**2
    assert 5 * 40 * 40 - mesh.volume == pytest.approx(line, rel=0.06), "the line, not the eye"
    drawn_white = made(square(40, filled=True), engrave_mm=1.0).mesh
    assert 5 * 40 * 40 - drawn_white.volume == pytest.approx(np.pi * 40**2 * MM**2, rel=0.06), "the eye itself"


@pytest.mark.parametrize("options", [{"engrave_mm": 2.0}, {"emboss_mm": 1.5}, {"emboss_mm": 1.5, "base_mm": 2.0},
                                     {"engrave_mm": 2.0, "one_sided": True}], ids=str)
def test_a_round_solid_has_them_too_and_only_on_its_upper_side(options):
    picture = np.full((500, 500, 3), 255, np.uint8)
    cv2.circle(picture, (250, 250), 200, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.rectangle(picture, (150, 244), (349, 255), (0, 0, 0), -1)
    whole = {key: value for key, value in options.items() if "mm" not in key or key == "base_mm"}
    plain = relief(picture, ReliefOptions("inflate", size_mm=40, thickness_mm=16, **whole)).mesh
    result = relief(picture, ReliefOptions("inflate", size_mm=40, thickness_mm=16, **options))
    wanted = 200 * 12 * MM**2 * (options.get("emboss_mm", 0) - options.get("engrave_mm", 0))
    assert result.mesh.is_volume and result.report.parts == 1
    assert result.mesh.volume - plain.volume == pytest.approx(wanted, rel=0.08)
    lower, before = (mesh.vertices[mesh.vertices[:, 2] < 7] for mesh in (result.mesh, plain))
    assert lower.min(0) == pytest.approx(before.min(0), abs=0.02)


def test_a_drawing_without_lines_inside_says_so():
    assert "no line is drawn inside the outline" in made(square(), engrave_mm=1.0).notes


@pytest.mark.parametrize("options, told", [
    ({"engrave_mm": 1.0, "emboss_mm": 1.0}, "grooves or ridges, not both"),
    ({"engrave_mm": 1.0, "way": "revolve"}, "grooves and ridges go with extruded and inflated solids"),
    ({"emboss_mm": 1.0, "way": "lithophane"}, "grooves and ridges go with extruded and inflated solids"),
    ({"engrave_mm": 5.0}, "engrave_mm must be less than the thickness"),
    ({"engrave_mm": float("nan")}, "engrave_mm must be from 0 to 2000 mm"), ({"emboss_mm": -1.0}, "emboss_mm must be"),
])
def test_what_does_not_go_together_is_one_line(options, told):
    with pytest.raises(UserError, match=told):
        ReliefOptions(**options)
