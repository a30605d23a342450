"""SVG holds the lines, millimetre for millimetre; files of others are read, and dangerous ones refused."""

import numpy as np
import pytest
from strokes import same_lines, some

from maquette.errors import UserError
from maquette.plotting import svg


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
