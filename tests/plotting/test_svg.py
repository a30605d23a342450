"""SVG holds the lines, millimetre for millimetre; files of others are read, and dangerous ones refused."""

import numpy as np
import pytest
from strokes import same_lines, some

from maquette.errors import UserError
from maquette.plotting import svg
from maquette.plotting.drawing import load_svg


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


def test_a_comment_about_entities_declares_none(tmp_path):
    drawn = '<path d="M0 0L9 9"/>'
    (tmp_path / "a.svg").write_text(USE.format("<!-- <!ENTITY a 'b'> -->" + drawn))
    assert len(svg.read_svg(tmp_path / "a.svg")) == 1
    ebcdic = '<!DOCTYPE s [<!ENTITY a "b">]><svg/>'.encode("cp037")
    (tmp_path / "b.svg").write_bytes(b'<?xml version="1.0" encoding="cp037"?>' + ebcdic)
    with pytest.raises(UserError, match="b.svg is not an SVG"):
        svg.read_svg(tmp_path / "b.svg")


HIDDEN = 'd="M5 5 L6 5 L6 7"'
PAGE = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        'width="10mm" height="10mm" viewBox="0 0 10 10"><path d="M1 1 L2 1"/>{}</svg>')


@pytest.mark.parametrize("part, lines, says", [
    (f'<g inkscape:groupmode="layer" inkscape:label="old" style="display:none"><path {HIDDEN}/></g>', 1,
     "1 hidden layer is left out"),
    (f'<path {HIDDEN} display="none"/><path {HIDDEN} style="fill:red; visibility: hidden"/>', 1,
     "2 hidden elements are left out"),
    (f'<g visibility="hidden"><path {HIDDEN} visibility="visible"/></g>', 2, ""),
    (f'<path {HIDDEN} opacity="0"/><path {HIDDEN} stroke="none" fill="none"/>', 1, "2 hidden elements are left out"),
    (f'<style>.h{{display:none}}</style><path {HIDDEN} class="h"/>', 1, "what the style sheet hides is left out"),
    (f'<mask id="m"><path {HIDDEN}/></mask><marker><path {HIDDEN}/></marker>', 1, ""),
    (f'<clipPath><path {HIDDEN}/></clipPath>', 1, ""),
    (f'<symbol id="s"><path {HIDDEN}/></symbol>', 1, ""),
    (f'<symbol id="s"><path {HIDDEN}/></symbol><use href="#s"/>', 2, ""),
    (f'<defs><path id="p" {HIDDEN}/></defs><use href="#p"/>', 2, ""),
    (f'<clipPath id="c"><rect width="5" height="5"/></clipPath><g style="clip-path:url(#c)"><path {HIDDEN}/></g>', 2,
     "1 clipped element is drawn whole: clip paths and masks are not applied"),
    (f'<mask id="c"><rect width="5" height="5"/></mask><path {HIDDEN} mask="url(#c)"/>', 2, "1 clipped element is"),
    ("<text>hi</text><text>ho</text><image/>", 1, "2 texts are not drawn: turn text into paths; 1 picture is not"),
])
def test_what_is_not_seen_is_not_drawn_and_what_is_left_out_is_said(tmp_path, part, lines, says):
    path = tmp_path / "a.svg"
    path.write_text(PAGE.format(part))
    strokes, notes = svg.open_svg(path)
    assert len(strokes.lines) == lines and "; ".join(notes).startswith(says) and bool(notes) == bool(says)
    made = load_svg(path)
    assert made.line().endswith("; ".join(notes)) and made.summary()["notes"] == list(notes)
