"""What drawn lines enclose: areas in closed form, nesting, gaps of known width, lines that hang free."""

import cv2
import numpy as np
import pytest

from maquette.errors import UserError
from maquette.relief import outline
from maquette.relief.outline import OpenOutline


def page(size=600):
    return np.zeros((size, size), np.uint8)


def find_outline(ink, **options):
    return outline.find_outline(ink.astype(np.float32) / 255, **options)


def circle(ink, x, y, radius, thick=5):
    cv2.circle(ink, (x, y), radius, 255, thick, cv2.LINE_AA)
    return ink


def lines(ink, points, closed=False, thick=5):
    cv2.polylines(ink, [np.int32(points)], closed, 255, thick, cv2.LINE_AA)
    return ink


def area(found):
    total = 0.0
    for ring in found.rings:  # outer rings one way round, holes the other
        after = np.roll(ring, -1, axis=0)
        total += 0.5 * float((ring[:, 0] * after[:, 1] - ring[:, 1] * after[:, 0]).sum())
    return abs(total)


@pytest.mark.parametrize("thick", [1, 3, 9, 15])
def test_the_middle_of_a_line_is_the_edge(thick):
    found = find_outline(circle(page(), 300, 300, 200, thick))
    assert area(found) == pytest.approx(np.pi * 200**2, rel=0.01) and len(found.rings) == 1
    assert found.gaps == () and found.notes == ()
    radii = np.linalg.norm(found.rings[0] - (found.rings[0].min(axis=0) + found.rings[0].max(axis=0)) / 2, axis=1)
    assert radii.min() > 198.5 and radii.max() < 201.5


def test_what_is_filled_in_is_solid_as_it_is():
    ink = circle(page(), 300, 300, 200, -1)
    cv2.circle(ink, (330, 280), 80, 0, -1, cv2.LINE_AA)
    assert area(find_outline(ink)) == pytest.approx(np.pi * (200**2 - 80**2), rel=0.01)
    cv2.circle(ink, (300, 300), 150, 0, -1, cv2.LINE_AA)
    assert area(find_outline(ink, drawn="lines")) == pytest.approx(np.pi * 175**2, rel=0.01)  # a very thick line
    thin = circle(page(), 300, 300, 200, 9)
    assert area(find_outline(thin, drawn="filled")) == pytest.approx(thin.sum() / 255, rel=0.02)


def test_even_and_odd():
    ink = page()
    for radius in (250, 180, 110, 50):
        circle(ink, 300, 300, radius)
    assert area(find_outline(ink)) == pytest.approx(np.pi * (250**2 - 180**2 + 110**2 - 50**2), rel=0.01)
    cv2.circle(ink, (300, 300), 25, 255, -1, cv2.LINE_AA)  # filled in, within the innermost hole
    assert len(find_outline(ink).rings) == 5


def test_a_small_circle_of_the_same_pen_is_a_line_too():
    found = find_outline(circle(circle(page(), 300, 300, 250, 9), 300, 300, 30, 9))
    assert area(found) == pytest.approx(np.pi * (250**2 - 30**2), rel=0.005) and len(found.rings) == 2


def test_lines_that_touch_are_one_and_free_ends_are_left_out():
    ink = lines(page(), [(100, 100), (500, 100), (500, 500), (100, 500)], closed=True)
    lines(ink, [(100, 300), (500, 300)])  # a wall inside
    lines(ink, [(500, 200), (590, 120)])  # a whisker outside
    lines(ink, [(200, 400), (260, 380), (330, 410)])  # an open line inside
    found = find_outline(ink)
    assert area(found) == pytest.approx(400**2, rel=0.01) and len(found.rings) == 1
    assert found.notes == ("1 open line that encloses nothing was left out",)


def test_lines_that_cross_enclose_all_their_loops():
    ink = circle(circle(page(), 230, 300, 150), 370, 300, 150)
    half = np.arccos(70 / 150)
    lens = 2 * 150**2 * half - 2 * 70 * np.sqrt(150**2 - 70**2)
    assert area(find_outline(ink)) == pytest.approx(2 * np.pi * 150**2 - lens, rel=0.01)


@pytest.mark.parametrize("degrees", [3, 6, 12])
def test_a_gap_is_closed_and_told(degrees):
    ink = page()
    cv2.ellipse(ink, (300, 300), (200, 200), 0, degrees, 360 - degrees, 255, 5, cv2.LINE_AA)
    found = find_outline(ink, closed_to=0.25)
    chord = 2 * 200 * np.sin(np.radians(degrees))
    assert len(found.gaps) == 1 and found.gaps[0] == pytest.approx(chord - 5, abs=2.5)  # less half a round end each
    segment = 200**2 / 2 * (2 * np.radians(degrees) - np.sin(2 * np.radians(degrees)))
    assert area(found) == pytest.approx(np.pi * 200**2 - segment, rel=0.01)


def test_strokes_that_do_not_quite_meet_are_joined_all_around():
    ink = page()
    for x, y, to_x, to_y in ((110, 100, 490, 100), (500, 112, 500, 488), (490, 500, 108, 500), (100, 490, 100, 110)):
        lines(ink, [(x, y), (to_x, to_y)])
    found = find_outline(ink)
    assert len(found.gaps) == 4 and area(found) == pytest.approx(400**2, rel=0.01)


def test_a_line_that_nearly_ends_on_another_is_joined_with_it():
    ink = lines(page(), [(100, 500), (100, 100), (500, 100), (500, 400)])
    lines(ink, [(60, 500), (480, 420), (494, 417)])  # ends 4 pixels short of the right side, sticks out at the left
    found = find_outline(ink)
    assert len(found.rings) == 1 and area(found) == pytest.approx(400 * 355, rel=0.03)


def test_an_open_line_inside_stays_open_and_a_hole_with_a_gap_is_a_hole():
    ink = circle(page(), 300, 300, 250)
    cv2.ellipse(ink, (300, 300), (120, 90), 0, 20, 160, 255, 5, cv2.LINE_AA)  # a smile
    assert area(find_outline(ink)) == pytest.approx(np.pi * 250**2, rel=0.01)
    ink = circle(page(), 300, 300, 250)
    cv2.ellipse(ink, (300, 300), (100, 100), 0, 5, 355, 255, 5, cv2.LINE_AA)
    found = find_outline(ink)
    assert area(found) == pytest.approx(np.pi * (250**2 - 100**2), rel=0.01) and len(found.gaps) == 1


def test_what_is_open_is_refused_with_the_width_of_the_gap():
    ink = page()
    cv2.ellipse(ink, (300, 300), (200, 200), 0, 60, 300, 255, 5, cv2.LINE_AA)
    message = "the outline in a.png is open, got ends that are .* draw a closed line"
    with pytest.raises(OpenOutline, match=message) as caught:
        find_outline(ink, name="a.png")
    chord = 2 * 200 * np.sin(np.radians(60))
    assert caught.value.gap == pytest.approx((chord - 5) / 405, abs=0.02)
    line = lines(page(), [(100, 100), (500, 480)])
    with pytest.raises(OpenOutline):
        find_outline(line, closed_to=1.0)


def test_nothing_drawn_and_too_little():
    with pytest.raises(UserError, match="nothing is drawn in b.png"):
        find_outline(page(), name="b.png")
    faint = page()
    faint[10:30, 10:30] = 20
    with pytest.raises(UserError, match="nothing is drawn"):
        find_outline(faint)
    tiny = page()
    tiny[300, 300:303] = 255
    with pytest.raises(UserError, match="too thin for a solid; draw it larger"):
        find_outline(tiny, drawn="filled")
