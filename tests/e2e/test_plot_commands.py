"""`maquette draw` and `maquette plot`, from the command line to the file or the machine."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import trimesh
from command import call
from grbl_machine import Grbl
from PIL import Image

from maquette import api
from maquette.cli.plot_console import Keyboard
from maquette.errors import UserError
from maquette.geometry.shape import Shape
from maquette.geometry.strokes import Strokes
from maquette.plotting import drawing as plotter
from maquette.plotting import gcode, svg
from maquette.plotting.settings import Machine, Paper, ViewOptions


def test_an_object_is_drawn_within_the_margins_and_hatched_with_another_pen(tmp_path, capsys):
    assert call("draw", "furniture:chair:7", "--hatch", 2, "--hatch-pen", 2, "--page", "a5", "--margin", "1cm",
               "--out", tmp_path, "--preview", "--json") == 0
    told = json.loads(capsys.readouterr().out)[0]
    drawn = svg.read_svg(tmp_path / "furniture-chair-7.svg")
    assert told["page_mm"] == [148, 210] and told["pens"] == [1, 2] and told["lines"] == len(drawn)
    assert told["drawn_mm"] == pytest.approx(drawn.length, rel=1e-4)
    assert 0 < told["travel_after_mm"] < 0.8 * told["travel_before_mm"]
    left, top, right, bottom = drawn.bounds
    assert min(left, top, 148 - right, 210 - bottom) == pytest.approx(10, abs=1e-3)
    assert (right - left == pytest.approx(128, abs=1e-3)) or (bottom - top == pytest.approx(190, abs=1e-3))
    pixels = np.asarray(Image.open(tmp_path / "furniture-chair-7.preview.png"))
    assert pixels.shape == (1400, 987) and 0.005 < (pixels < 128).mean() < 0.3


@pytest.mark.parametrize("format, suffix", [("hpgl", ".hpgl"), ("gcode", ".gcode")])
def test_other_formats_are_written(format, suffix, tmp_path, capsys):
    out = tmp_path / f"cube{suffix}"
    trimesh.creation.box((2, 1, 1)).export(tmp_path / "cube.stl")
    assert call("draw", tmp_path / "cube.stl", "--format", format, "--margin", "20mm", "--out", out) == 0
    said = capsys.readouterr().out
    assert re.search(r"\d lines, 0\.\d\d m drawn, pen-up travel .* m before, .* m after sorting, about \d+ s", said)
    assert out.stat().st_size > 100
    if format == "gcode":
        lines, page = gcode.read_gcode(out)
        assert page == (210, 297) and gcode.check_program(lines, 210, 297, Machine())


def test_a_picture_is_drawn_as_its_centre_lines(tmp_path, capsys):
    ring = 100 + 60 * np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 90)), np.sin(a)], axis=1)
    Image.fromarray(Strokes((ring,), 200, 200).to_picture(1, 4)).save(tmp_path / "ring.png")
    assert call("draw", tmp_path / "ring.png", "--out", tmp_path / "ring.svg", "--page", "100x100mm", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["kind"] == "picture"
    line = svg.read_svg(tmp_path / "ring.svg").lines[0]
    np.testing.assert_allclose(np.linalg.norm(line - 50, axis=1), 35, atol=0.4)


def test_drawing_from_python():
    cube = trimesh.creation.box((30, 30, 30))
    grid = np.zeros((8, 8, 8), np.float32)
    grid[2:6, 2:6, 1:7] = 1
    for source, kind in ((cube, "shape"), (Shape(grid), "shape")):
        made = api.draw(source, ViewOptions(azimuth_deg=40), Paper(100, 100, 10))
        assert made.kind == kind and made.seconds > 0 and made.strokes.bounds[0] >= 10 - 1e-9
    with pytest.raises(UserError, match="furniture:KIND:SEED"):
        api.draw("furniture:chair:x")


def page_with_a_corner(path, page=(100.0, 80.0)) -> Strokes:
    strokes = Strokes((np.array([(10.0, 10), (90, 10), (90, 70)]), np.array([(20.0, 20), (30, 20)])), *page, (1, 2))
    svg.write_svg(path, strokes)
    return strokes


def test_svg_is_sorted_fitted_and_converted(tmp_path, capsys):
    page_with_a_corner(tmp_path / "a.svg")
    assert call("plot", tmp_path / "a.svg") == 0 and "2 lines with 2 pens, 0.15 m drawn" in capsys.readouterr().out
    assert call("plot", tmp_path / "a.svg", "--pen", 2, "--page", "a4", "--fit", "--margin", "5mm",
               "--out", tmp_path / "b.gcode") == 0
    lines, page = gcode.read_gcode(tmp_path / "b.gcode")
    assert page == (210, 297) and "G0 X5.000 Y148.500" in lines and any("X205.000 Y148.500" in line for line in lines)
    assert call("plot", tmp_path / "a.svg", "--page", "50x50mm", "--out", tmp_path / "c.svg") == 1
    assert "the drawing reaches outside the page" in capsys.readouterr().err
    assert not (tmp_path / "c.svg").exists()


@pytest.mark.parametrize("words, message, code", [
    (["draw"], "name a mesh", 2),
    (["plot"], "name an SVG file", 2),
    (["plot", "a.svg", "b.svg", "--port", "x"], "one file is sent to a port", 2),
    (["draw", "furniture:chair:7", "--page", "a77"], "unknown page", 1),
    (["draw", "furniture:chair:7", "--margin", "2km"], "the margin is a number", 1),
    (["draw", "furniture:chair:7", "--out", "a.svg", "--hatch", "9"], "hatch must be 0 to 4", 1),
    (["draw", "furniture:chair:7", "furniture:chair:8", "--out", "a.svg"], "--out a.svg is one file", 1),
    (["draw", "a.xyz"], "unknown format", 1),
    (["plot", "nothing.svg", "--fit"], "nothing.svg does not exist; check the name of the file", 1),
    (["plot", "a.svg", "--fit"], "a drawing is fitted to a page, got none", 1),
    (["plot", "a.svg", "--pen", "7"], "a.svg has no lines of pen 7", 1),
    (["plot", "a.txt"], "a.txt: unknown format of drawings, got '.txt'; known: .svg", 1),
    (["plot", "a.gcode"], "a.gcode is no SVG", 1),
    (["plot", "a.gcode", "--port", "x"], "a.gcode does not say the size of its page", 1),
    (["plot", "a.gcode", "--port", "x", "--pen", "1"], "a.gcode is sent as it is", 1),
    (["plot", "a.hpgl", "--port", "x"], "cannot be sent to a GRBL machine", 1),
    (["plot", "a.svg", "--port", "x", "--page", "20x20mm"], "the drawing reaches outside the page", 1),
    (["plot", "a.gcode", "--port", "x", "--page", "20x20mm"], "line 3 of the G-code goes outside the page", 1),
    (["plot", "a.svg", "--port", "/nowhere/tty", "--pen", "1"], "the port /nowhere/tty cannot be opened", 1),
])
def test_mistakes_are_told_in_one_line(words, message, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page_with_a_corner("a.svg")
    (tmp_path / "a.gcode").write_text("G21\nG90\nG0 X50 Y10\n")
    for name in ("a.xyz", "a.txt", "a.hpgl"):
        (tmp_path / name).touch()
    assert call(*words) == code
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
    assert len(said) == 1 and message in said[0]


def test_a_drawing_is_sent_to_a_machine(tmp_path, capsys):
    strokes = page_with_a_corner(tmp_path / "a.svg")
    with Grbl() as machine:
        assert call("plot", tmp_path / "a.svg", "--pen", 1, "--port", machine.port, "--settle-s", 0, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sent_lines"] == len(machine.lines) and told["lines"] == 1 and not machine.overflowed
    drawn = [move[:2] for move in machine.path if move[2]]
    expected = strokes.lines[0] * (1, -1) + (0, 80)
    assert np.allclose(drawn, expected[1:], atol=1e-3) or np.allclose(drawn, expected[1::-1], atol=1e-3)


def test_a_program_written_before_is_sent_as_it_is(tmp_path, capsys):
    page_with_a_corner(tmp_path / "a.svg")
    assert call("plot", tmp_path / "a.svg", "--pen", 2, "--out", tmp_path / "b.gcode") == 0
    with Grbl() as machine:
        assert call("plot", tmp_path / "b.gcode", "--port", machine.port) == 0
    assert machine.lines == gcode.check_program(gcode.read_gcode(tmp_path / "b.gcode")[0], 100, 80, Machine())
    assert "lines of G-code" in capsys.readouterr().out


def test_two_pens_without_a_terminal_are_refused(tmp_path, capsys):
    page_with_a_corner(tmp_path / "a.svg")
    with Grbl() as machine:
        assert call("plot", tmp_path / "a.svg", "--port", machine.port) == 1
    assert "nobody is there" in capsys.readouterr().err and machine.lines == []


def test_keys_pause_resume_and_stop():
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream, os.fdopen(writing, "w", buffering=1) as typed:
        keys, heard = Keyboard(stream), []
        for text in ("", "\n", "\n", "q\n"):
            typed.write(text)
            typed.flush()
            heard.append(keys())
        assert heard == ["", "pause", "resume", "stop"]


def test_help_stays_light():
    code = (
        "import sys, maquette.cli.commands; "
        "print(sorted({'vpype', 'shapely', 'serial', 'numpy', 'cv2', 'trimesh', 'torch'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_clock_is_readable():
    assert [plotter.clock(s) for s in (4.4, 59.6, 200, 7500)] == ["4 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]
