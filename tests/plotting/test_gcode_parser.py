"""Lines of G-code are words of a letter and a number: the same word written otherwise is the same word."""

from pathlib import Path

import numpy as np
import pytest
from strokes import some

from maquette.errors import UserError
from maquette.plotting.gcode import (
    check_program,
    drawing_seconds,
    gcode_program,
    leaves_pen_down,
    lifting_lines,
    named_page,
    program_seconds,
    read_gcode,
)
from maquette.plotting.gcode_parser import Interpreter, parse_block
from maquette.plotting.settings import Machine, format_number

FAULTS = Path(__file__).parents[1] / "data" / "faults"
SERVO = Machine(lift="servo")


def checked(name: str, machine: Machine = Machine()) -> list[str]:
    return check_program(read_gcode(FAULTS / name)[0], 100, 100, machine)


def test_words_with_zeros_in_front_are_sent_and_not_taken_for_a_change_of_pens():
    assert checked("leading-zero.gcode") == [
        "G21", "G90", "M5", "G4P0.1", "G0X10Y10", "M3S1000", "G4P0.1", "G1X50Y10F1000", "M5", "G0X0Y0", "M2",
    ]
    assert checked("plain.gcode") == [
        "G21", "G90", "M3S0", "G0X10Y10", "M3S1000", "G1X50Y10F1000", "M3S0", "G0X0Y0",
    ]


@pytest.mark.parametrize("stop, told", [
    ("M0", "M0"), ("M00", "M0"), ("m0", "M0"), ("M 0.0", "M0"), ("M0 (red pen)", "M0; red pen"),
    ("N70 M0 ; red pen", "M0; red pen"),
])
def test_a_stop_is_a_stop_however_it_is_written(stop, told):
    assert check_program(["G21", "G90", stop], 100, 100, SERVO) == ["G21", "G90", told]


def test_a_move_before_a_stop_is_made():
    assert checked("move-and-stop.gcode") == [
        "G21", "G90", "G0Z3", "G0X10Y10", "G1Z0F100", "G1X90Y10", "M0", "G1X90Y90", "G0Z3",
    ]


@pytest.mark.parametrize("machine", [SERVO, Machine()])
def test_a_servo_is_not_turned_past_its_limits(machine):
    with pytest.raises(UserError, match="line 4 of the G-code turns the servo past its limits, got S9000; S is 0 to 1"):
        checked("servo-too-far.gcode", machine)
    with pytest.raises(UserError, match="got S61; S is 30 to 60"):
        check_program(["M3", "S61"], 9, 9, Machine(lift="servo", pen_up=60, pen_down=30))


def test_a_page_that_is_no_page_is_said_in_one_line():
    with pytest.raises(UserError, match=r"lines.gcode names a page that cannot be read, got page 1.2.3 x 4 mm; name"):
        read_gcode(FAULTS / "lines.gcode")


@pytest.mark.parametrize("sides", ["999999 x 999999", "100 x 2001", "inf x 10", "nan x nan", "0 x 10", "-5 x 5",
                                   "1e30 x 1"])
def test_a_file_does_not_choose_its_own_limits(sides):
    with pytest.raises(UserError, match="a.gcode: a page has sides of more than 0 and at most 2000 mm, got"):
        named_page([f"; page {sides} mm"], "a.gcode")


@pytest.mark.parametrize("line, sent", [
    ("g1x5y6f100", "G1X5Y6F100"),
    ("  G01   X 5.50 Y+006 F0100 ", "G1X5.50Y6F100"),
    ("G1 (a; b) X5 Y.5 F1 (c) ; d (e", "G1X5Y0.5F1"),
    ("N0010 G0 X5 Y6", "G0X5Y6"),
    ("N3 T0*57 ; as in RepRap's description", "T0"),
    ("N4 G92 E0*67", "G92E0"),
    ("N5 G28*22", "G28"),
    ("N5 G28*23", None),
    ("G0 X000000000005", "G0X5"),  # of which GRBL keeps eight digits
    ("G0 X0 Y0.000", "G0X0Y0.000"),
])
def test_one_line_taken_apart(line, sent):
    if sent is None:
        with pytest.raises(UserError, match="is damaged: its checksum does not fit, got 23; its characters give 22"):
            parse_block(line)
    else:
        assert parse_block(line).text() == sent


@pytest.mark.parametrize("line, message", [
    ("G0 X1 (no end", "cannot be read, got 'G0 X1 \\(no end'"),
    ("G0 X1.2.3", "cannot be read"),
    ("G0 X", "cannot be read"),
    ("X--1", "cannot be read"),
    ("5X", "cannot be read"),
    ("G0 X1*", "cannot be read"),
    ("G0*1 X1", "cannot be read"),
    ("$130=999999", "cannot be read"),
    ("G0 X" + "9" * 400, "cannot be read"),
    ("G0 X1 X2", "two words for one thing, got X2 is the second"),
    ("G0 G01 X2", "two words for one thing, got G1 is the second"),
    ("M3 M5", "two words for one thing, got M5 is the second"),
])
def test_a_line_that_can_be_read_in_two_ways_or_none(line, message):
    with pytest.raises(UserError, match=message):
        parse_block(line)


@pytest.mark.parametrize("lines, message", [
    (["M2", "G0 X1 Y1"], "line 4 of the G-code comes after the end of the program, got 'G0 X1 Y1'"),
    (["G80", "X1"], "moves, but neither G0 nor G1 is set"),
    (["G1 X1"], "line 3 of the G-code draws at no speed, got 'G1 X1'; F must come first"),
    (["G1 F100", "X5", "X101"], "line 5 of the G-code goes outside the page, got X101"),  # in the mode of line 3
    (["G1 X1 F0"], "F0 is no speed"),
    (["G4 P-1"], "P-1 is no time"),
    (["P1"], "P stands without G4"),
    (["G4.1 P1"], "G4.1 cannot be checked"),
    (["M03.5"], "M3.5 cannot be checked"),
])
def test_modes_are_kept_from_line_to_line(lines, message):
    with pytest.raises(UserError, match=message):
        check_program(["G21", "G90", *lines], 100, 100, Machine())


def test_several_words_on_a_line_are_acted_on_in_their_order():
    assert check_program(["X1 Y1 G90 G21 G0", "G1 F60 X5 M3 S1000"], 9, 9, SERVO) == ["X1Y1G90G21G0", "G1F60X5M3S1000"]
    done = Interpreter()
    effect = done.run(parse_block("G21 G90 G1 X3 Y4 F600 M3 S500"))
    assert (effect.start, effect.end, effect.drawn, effect.feed, effect.lifts) == ((0, 0), (3, 4), True, 600, True)
    assert done.servo == 500 and done.run(parse_block("M2")).lifts and done.ended and done.servo == 0


@pytest.mark.parametrize("settle", [0, 0.3])
def test_a_program_takes_as_long_as_its_strokes(settle):
    machine, strokes = Machine(settle_s=settle), some(6)
    lines = check_program(gcode_program(strokes, machine), strokes.width, strokes.height, machine)
    once = settle  # the program begins with a lift
    assert program_seconds(lines, machine) == pytest.approx(drawing_seconds(strokes, machine) + once, rel=1e-3)


def test_the_time_of_a_program_in_closed_form():
    machine = Machine(travel_mm_s=100, acceleration_mm_s2=500)
    lines = check_program(["G21 G90", "G0 X30 Y40", "M3 S1000", "G4 P.25", "G1 X80 F3000", "G4 P0.5", "M5", "G0 X0 Y0"],
                          100, 100, SERVO)
    back = np.hypot(80, 40)
    expected = (50 / 100 + 0.2) + 0.25 + (50 / 50 + 0.1) + 0.5 + (back / 100 + 0.2)
    assert program_seconds(lines, machine) == pytest.approx(expected)


def test_what_lifts_the_pen_of_a_program_and_whether_it_is_left_down():
    z, servo = Machine(settle_s=0), Machine(lift="servo", settle_s=0)
    assert lifting_lines(["G21"], z) == z.lift_lines == ("G21", "G90", "G0 Z3")
    assert lifting_lines(["M3S1000"], z) == (*z.lift_lines, "M3 S0")
    assert lifting_lines(["M3S9"], servo) == servo.lift_lines
    head = ["G21", "G90"]
    for lines, machine, down in (
        (head, z, False), ([*head, "G0Z3"], z, False), ([*head, "G1Z0F1"], z, True), (["M3S1000"], z, True),
        (["M3S1000", "M5"], servo, False), (["M3S1000"], servo, True), (["M3S1000", "S0"], servo, False),
        (["M3S1000", "M2"], servo, False), (["M5"], Machine(lift="servo", pen_up=1000, pen_down=0), True),
    ):
        assert leaves_pen_down(lines, machine) == down, lines


@pytest.mark.parametrize("value, text", [
    (1000, "1000"), (0.15, "0.15"), (6e6, "6000000"), (1e-5, "0"), (-0.00001, "0"), (-2.5, "-2.5"), (215.9, "215.9"),
    (1234.5678, "1234.5678"),
])
def test_numbers_never_have_an_exponent(value, text):
    assert format_number(value) == text


def test_a_fast_machine_and_a_long_page_make_a_program_that_is_let_through():
    machine = Machine(draw_mm_s=50_000, pen_down=0.00001, settle_s=1e-5)
    strokes = some(3).fitted(1234.5678, 1000, 0)
    lines = gcode_program(strokes, machine)
    assert named_page(lines, "a") == (1234.5678, 1000) and check_program(lines, 1234.5678, 1000, machine)
