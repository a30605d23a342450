"""SVG, HPGL and G-code: what is written holds the lines, millimetre for millimetre, and nothing off the page."""

import re
from itertools import permutations, product

import numpy as np
import pytest
from typed import refused

from maquette.errors import UserError
from maquette.geometry.paper import millimetres, page_size
from maquette.geometry.strokes import Strokes
from maquette.plotting import gcode, hpgl, svg
from maquette.plotting.gcode import check_program, drawing_seconds, gcode_program
from maquette.plotting.ordering import shortest_travel
from maquette.plotting.settings import Machine, Paper, ViewOptions

MACHINE = Machine(settle_s=0)


def some(count=6, width=210, height=297, seed=0, pens=1) -> Strokes:
    rng = np.random.default_rng(seed)
    lines = tuple(rng.uniform(20, (width - 20, height - 20), (rng.integers(2, 5), 2)) for _ in range(count))
    return Strokes(lines, width, height, tuple(1 + i % pens for i in range(count)))


def as_sets(strokes: Strokes) -> list:
    """The lines, each in the direction that comes first, in order of their points."""
    both = [(np.round(line, 2), np.round(line[::-1], 2)) for line in strokes.lines]
    return sorted(min(a.tolist(), b.tolist()) for a, b in both)


def same_lines(first: Strokes, second: Strokes) -> bool:
    """Whether both have the same lines to 0.011 mm, whatever their order and direction."""
    pairs = zip(as_sets(first), as_sets(second), strict=True)
    return all(len(a) == len(b) and np.allclose(a, b, rtol=0, atol=0.011) for a, b in pairs)


# paper

def test_pages_and_lengths():
    assert page_size("a4") == (210, 297) and page_size("A4", landscape=True) == (297, 210)
    assert page_size("200x150mm") == (200, 150) == page_size("20x15cm") == page_size("200 x 150")
    assert page_size("8x10in") == pytest.approx((203.2, 254)) and millimetres("0.5in") == 12.7 == millimetres("12.7")
    for bad, message in (("a9", "unknown page, got 'a9'; known: a2"), ("0x10mm", "a page has sides"),
                         ("9000x10mm", "a page has sides"), ("1..2x3", "a side of the page is a number")):
        with pytest.raises(UserError, match=message):
            page_size(bad)
    with pytest.raises(UserError, match="the margin is a number with mm, cm or in, got '3km'"):
        millimetres("3km", "the margin")


# travel

@pytest.mark.parametrize("count", [80, 500])
def test_travel_is_shortened_and_nothing_is_lost(count):
    strokes = some(count)
    made = shortest_travel(strokes)
    assert same_lines(made, strokes) and made.length == pytest.approx(strokes.length)
    assert made.travel((0, 0)) < 0.35 * strokes.travel((0, 0))


def test_travel_of_few_lines_is_close_to_the_best_there_is():
    for seed in range(5):
        strokes, home = some(5, seed=seed), (0.0, 0.0)
        best = min(
            Strokes(tuple(strokes.lines[i][::-1] if back else strokes.lines[i]
                          for i, back in zip(order, turned, strict=True)), 210, 297).travel(home)
            for order in permutations(range(5)) for turned in product((False, True), repeat=5)
        )
        assert best - 1e-9 <= shortest_travel(strokes).travel(home) <= 1.25 * best


def test_pens_are_not_mixed_and_a_good_order_is_kept():
    strokes = some(20, pens=3)
    assert list(shortest_travel(strokes).layers) == sorted(strokes.layers)
    row = Strokes(tuple(np.array([(x, 10.0), (x + 1, 10)]) for x in range(0, 50, 2)), 100, 100)
    assert [line.tolist() for line in shortest_travel(row).lines] == [line.tolist() for line in row.lines]
    assert len(shortest_travel(Strokes((), 10, 10))) == 0


# svg

def test_svg_holds_the_lines_the_page_and_the_pens(tmp_path):
    strokes = some(9, pens=2)
    svg.write_svg(tmp_path / "a.svg", strokes, 0.5)
    text = (tmp_path / "a.svg").read_text()
    assert 'width="21.0cm"' in text and 'height="29.7cm"' in text and 'id="layer2"' in text
    again = svg.read_svg(tmp_path / "a.svg")
    assert (again.width, again.height) == pytest.approx((210, 297)) and sorted(again.layers) == sorted(strokes.layers)
    assert same_lines(again, strokes)
    svg.write_svg(tmp_path / "b.svg", strokes, 0.5)
    assert (tmp_path / "b.svg").read_text() == text


def test_other_peoples_svg_is_read_in_millimetres(tmp_path):
    path = tmp_path / "other.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="50mm" viewBox="0 0 200 100">'
                    '<circle cx="100" cy="50" r="40"/><g id="layer3"><path d="M0 0 L20 0 L20 10"/></g></svg>')
    found = svg.read_svg(path)
    assert (found.width, found.height) == pytest.approx((100, 50))
    ring, bent = sorted(found.lines, key=len, reverse=True)
    np.testing.assert_allclose(np.linalg.norm(ring - (50, 25), axis=1), 20, rtol=1e-4)
    assert np.linalg.norm(np.diff(ring, axis=0), axis=1).max() <= 0.1 + 1e-3
    np.testing.assert_allclose(bent, [(0, 0), (10, 0), (10, 5)], atol=1e-5)
    assert len(set(found.layers)) == 2


USE = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


@pytest.mark.parametrize("text, message", [
    ("", "is empty"),
    ("no svg", "is not an SVG"),
    ("<html/>", "is not an SVG, got <html>"),
    ('<!DOCTYPE s [<!ENTITY a "b">]><svg/>', "entities"),
    ('<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm"><text>hi</text></svg>', "holds no lines"),
    ('<svg xmlns="http://www.w3.org/2000/svg" width="9000mm" height="10mm"><path d="M0 0L9 9"/></svg>', "at most 2000"),
    ('<svg xmlns="http://www.w3.org/2000/svg" width="9mm" height="9mm"><path d="M0 0 C1e9 0 0 1e9 9 9"/></svg>',
     "more than 5000000 points"),
    (USE.format("".join(f'<g id="g{i}"><use href="#g{i + 1}"/><use href="#g{i + 1}"/></g>' for i in range(40))
                + '<path id="g40" d="M0 0L1 1"/>'), "more than 200000 elements"),
    (USE.format('<path transform="rotate(a)" d="M0 0L1 1"/>'), "is not an SVG that can be read"),
    (USE.format('<path d="M0 0 C 1e999 0 0 0 1 1"/>'), "is not an SVG that can be read"),
    (USE.format('<g id="a"><use xlink:href="#a"/></g>'), "more than 200000 elements"),
])
def test_svg_that_cannot_be_drawn_is_refused(text, message, tmp_path):
    (tmp_path / "bad.svg").write_text(text)
    with pytest.raises(UserError, match=message) as told:
        svg.read_svg(tmp_path / "bad.svg")
    assert "bad.svg" in str(told.value) and "\n" not in str(told.value)


# hpgl

def test_hpgl_has_the_lengths_of_the_lines(tmp_path):
    strokes = Strokes((np.array([(60.0, 100), (160, 100)]), np.array([(60.0, 150), (60, 200)])), 210, 297, (1, 2))
    hpgl.write_hpgl(tmp_path / "a.hpgl", strokes, "hp7475a", 20)
    text = (tmp_path / "a.hpgl").read_text()
    assert text.startswith("IN;DF;VS20;") and "SP1;" in text and "SP2;" in text and text.rstrip().endswith("SP0;IN;")
    assert hpgl.drawn_length(text) * 0.02488 == pytest.approx(150, abs=0.1)
    assert len(re.findall("PD", text)) == 2


def test_hpgl_is_refused_rather_than_cut_off(tmp_path):
    edge = Strokes((np.array([(0.5, 0.5), (209.5, 0.5), (209.5, 296.5)]),), 210, 297)
    with pytest.raises(UserError, match="hp7475a does not reach all of the page"):
        hpgl.write_hpgl(tmp_path / "a.hpgl", edge)
    with pytest.raises(UserError, match="unknown plotter, got 'hp1'; known: .*hp7475a"):
        hpgl.write_hpgl(tmp_path / "a.hpgl", edge, "hp1")
    with pytest.raises(UserError, match="hp7475a does not take this page, got 100 x 100 mm"):
        hpgl.write_hpgl(tmp_path / "a.hpgl", some(2, 100, 100))
    with pytest.raises(UserError, match="vpype's settings of designmate cannot be used .*285mmmm"):
        hpgl.write_hpgl(tmp_path / "a.hpgl", some(2, 297, 420), "designmate")
    assert not list(tmp_path.iterdir())


# g-code

def test_gcode_draws_the_lines_with_y_turned_up():
    strokes = Strokes((np.array([(10.0, 20), (30, 20.5)]), np.array([(1.0, 2), (3, 4), (5, 6)])), 100, 80, (1, 2))
    made = gcode_program(strokes, MACHINE)
    assert made[:2] == ["; page 100 x 80 mm", "; 2 lines"]
    assert check_program(made, 100, 80, MACHINE) == [
        "G21", "G90", "G94", "G0Z3", "G0X10.000Y60.000", "G1F2400Z0", "G1X30.000Y59.500F2400", "G0Z3",
        "M0; change to pen 2", "G0X1.000Y78.000", "G1F2400Z0", "G1X3.000Y76.000F2400", "G1X5.000Y74.000", "G0Z3",
        "G0X0Y0",
    ]
    servo = gcode_program(strokes, Machine(lift="servo", pen_up=30, pen_down=60, settle_s=0.2))
    assert servo.count("M3 S60") == 2 and servo.count("M3 S30") == 3 and servo.count("G4 P0.2") == 5
    assert not [line for line in servo if "Z" in line]
    check_program(servo, 100, 80, Machine(lift="servo"))


def test_gcode_of_a_file_says_its_page(tmp_path):
    strokes = some(3)
    gcode.write_gcode(tmp_path / "a.gcode", strokes, MACHINE)
    lines, page = gcode.read_gcode(tmp_path / "a.gcode")
    assert page == (210, 297) and lines == gcode_program(strokes, MACHINE)
    (tmp_path / "b.gcode").write_text("G21\n")
    assert gcode.read_gcode(tmp_path / "b.gcode") == (["G21"], None)
    (tmp_path / "c.gcode").write_bytes(b"G21\n\xff\xfe")
    with pytest.raises(UserError, match="c.gcode is not G-code"):
        gcode.read_gcode(tmp_path / "c.gcode")


@pytest.mark.parametrize("line, message", [
    ("G0 X100.1 Y0", r"line 3 of the G-code goes outside the page, got X100.1; X is 0 to 100 mm"),
    ("G0 X1 Y-0.1", "goes outside the page, got Y-0.1"),
    ("G1 Z-0.5", "lifts the pen past its limits, got Z-0.5; Z is 0 to 3 mm"),
    ("G91", "G91 cannot be checked"),
    ("G2 X1 Y1 I2 J2", "G2 cannot be checked"),
    ("G92 X0", "G92 cannot be checked"),
    ("G0 X1 I2", "I cannot be checked"),
    ("M8", "M8 cannot be checked"),
    ("$H", "cannot be read"),
    ("G0 X1e9", "cannot be checked|cannot be read"),
    ("G1" + " F0000000001" * 9, "longer than the 79 characters"),
])
def test_gcode_that_is_not_harmless_is_not_sent(line, message):
    with pytest.raises(UserError, match=message):
        check_program(["G21", "G90", line], 100, 100, MACHINE)


def test_gcode_must_say_its_units_and_do_something():
    with pytest.raises(UserError, match="line 2 of the G-code moves before G21 and G90"):
        check_program(["G90", "G0 X1 Y1"], 100, 100, MACHINE)
    with pytest.raises(UserError, match="nothing to do"):
        check_program(["; a comment", "", "(another)"], 100, 100, MACHINE)


def test_a_drawing_off_the_page_is_never_made_into_a_program():
    with pytest.raises(UserError, match="reaches outside the page, got 5.0 to 101.0 mm across"):
        gcode_program(Strokes((np.array([(5.0, 5), (101, 5)]),), 100, 100))


def test_the_estimate_is_that_of_the_trapezoids():
    machine = Machine(draw_mm_s=50, travel_mm_s=100, acceleration_mm_s2=500, settle_s=0.1)
    strokes = Strokes((np.array([(30.0, 60), (80, 60)]),), 100, 100)
    out, back = 50, np.hypot(80, 40)  # ways from the lower left corner and back
    expected = (out / 100 + 0.2) + (50 / 50 + 0.1) + (back / 100 + 0.2) + 0.2
    assert drawing_seconds(strokes, machine) == pytest.approx(expected)
    corner = Strokes((np.array([(30.0, 60), (55, 60), (55, 35)]),), 100, 100)
    straight = Strokes((np.array([(30.0, 60), (55, 60), (80, 60)]),), 100, 100)
    assert drawing_seconds(straight, machine) == pytest.approx(expected)
    assert drawing_seconds(corner, machine) == pytest.approx(0.7 + 2 * (0.5 + 0.1) + np.hypot(55, 65) / 100 + 0.2 + 0.2)
    short = Strokes((np.array([(0.0, 100), (2, 100)]),), 100, 100)
    assert drawing_seconds(short, machine) == pytest.approx(2 * 2 * np.sqrt(2 / 500) + 0.2)


@pytest.mark.parametrize("options, message", [
    ({"draw_mm_s": 0}, "speeds and acceleration must be positive"),
    ({"settle_s": -1}, "settle_s must be 0 to 10"),
    ({"pen_up": 1, "pen_down": 1}, "two different numbers"),
    ({"pen_up": -1}, "up above down"),
    ({"lift": "servo", "pen_down": 20000}, "0 to 10,000"),
])
def test_machines_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        Machine(**options)


def test_a_pen_is_lifted_by_an_axis_or_a_servo():
    with refused("lift must be z or servo, got 'laser'"):
        Machine(lift="laser")


@pytest.mark.parametrize("made, options, message", [
    (ViewOptions, {"elevation_deg": 91}, "elevation_deg must be -90 to 90, got 91"),
    (ViewOptions, {"azimuth_deg": float("nan")}, "azimuth_deg must be -360 to 360"),
    (ViewOptions, {"hatch": 5}, "hatch must be 0 to 4"),
    (ViewOptions, {"hatch_pen": 0}, "hatch_pen must be 1 to 99"),
    (Paper, {"margin": 105}, "margins leave no room on the page, got 105 on 210 x 297 mm"),
    (Paper, {"pen": 0}, "a pen's line is more than 0"),
])
def test_looks_and_sheets_out_of_range_are_refused(made, options, message):
    with pytest.raises(UserError, match=message):
        made(**options)
