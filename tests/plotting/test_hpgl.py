"""HPGL has the lengths of the lines, and nothing is cut off silently."""

import re

import numpy as np
import pytest
from strokes import some

from maquette.errors import UserError
from maquette.geometry.strokes import Strokes
from maquette.plotting import hpgl


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
