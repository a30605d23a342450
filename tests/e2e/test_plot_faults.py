"""Strange G-code from the command line to the machine: what is sent, what is refused, and where the pen ends up."""

from pathlib import Path

import pytest
from command import call
from grbl_machine import Grbl

from maquette.plotting.drawing import plot
from maquette.plotting.grbl import ChangePen, Patience
from maquette.plotting.settings import Machine

FAULTS = Path(__file__).parents[1] / "data" / "faults"


@pytest.mark.parametrize("name", ["leading-zero.gcode", "plain.gcode"])
def test_a_servo_is_lifted_and_lowered_however_its_words_are_written(name, capsys):
    with Grbl() as machine:
        assert call("plot", FAULTS / name, "--port", machine.port) == 0
    assert machine.servo_path == [(10, 10, False), (50, 10, True), (0, 0, False)] and machine.spindle == 0
    assert f"{name}: a page of 100 x 100 mm, about " in capsys.readouterr().err


def test_a_move_before_a_stop_is_made():
    patience, stood = Patience(welcome=2, silence=10, hold=10, poll=0.02), []
    with Grbl() as machine:
        for event in plot(FAULTS / "move-and-stop.gcode", machine.port, Machine(), patience=patience,
                          control=lambda: "resume" if stood else ""):
            if isinstance(event, ChangePen):
                stood.append(machine.at)
    assert stood == [(90, 10)] and [move[:2] for move in machine.path] == [(10, 10), (90, 10), (90, 90)]
    assert machine.z == 3


@pytest.mark.parametrize("name, words, message", [
    ("servo-too-far.gcode", ["--lift", "servo"], "turns the servo past its limits, got S9000; S is 0 to 1000"),
    ("servo-too-far.gcode", [], "turns the servo past its limits, got S9000; S is 0 to 1000"),
    ("lines.gcode", [], "names a page that cannot be read, got page 1.2.3 x 4 mm; name it, as in --page a4"),
])
def test_what_is_refused_is_refused_before_the_port_is_opened(name, words, message, capsys):
    assert call("plot", FAULTS / name, "--port", "/nowhere/tty", *words) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("maquette: ") and message in said


def test_a_page_that_the_file_names_wrongly_may_be_named_by_the_user(capsys):
    with Grbl() as machine:
        assert call("plot", FAULTS / "lines.gcode", "--port", machine.port, "--page", "a4") == 0
    assert machine.lines == ["G21", "G90", "G0X1Y1"]


def test_a_file_that_sets_its_own_limits_is_refused(tmp_path, capsys):
    path = tmp_path / "far.gcode"
    path.write_text("; page 999999 x 999999 mm\nG21\nG90\nG0 X900000 Y5\n")
    assert call("plot", path, "--port", "/nowhere/tty") == 1
    assert "a page has sides of more than 0 and at most 2000 mm, got 999999 x 999999 mm" in capsys.readouterr().err
    assert call("plot", path, "--port", "/nowhere/tty", "--page", "a4") == 1
    assert "line 4 of the G-code goes outside the page, got X900000; X is 0 to 210 mm" in capsys.readouterr().err


def test_a_pen_that_a_program_leaves_down_is_lifted(tmp_path):
    path = tmp_path / "down.gcode"
    path.write_text("; page 100 x 100 mm\nG21 G90\nG0 X5 Y5\nG1 Z0 F100\nG1 X50\n")
    with Grbl() as machine:
        assert call("plot", path, "--port", machine.port) == 0
    assert machine.z == 3 and machine.lines[-2:] == ["G0 Z3", "G4 P0.15"]
