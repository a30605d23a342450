"""G-code holds the lines, leaves no page, and takes as long as is estimated."""

import numpy as np
import pytest
from strokes import some

from maquette.errors import UserError
from maquette.geometry.strokes import Strokes
from maquette.plotting import gcode
from maquette.plotting.gcode import check_program, drawing_seconds, gcode_program
from maquette.plotting.settings import Machine

MACHINE = Machine(settle_s=0)


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
    ("G1 F100 X1." + "0" * 80, "longer than the 79 characters"),
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
