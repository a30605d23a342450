"""Sending to a machine: what arrives is what was drawn, the buffer never runs over, and the pen is always lifted."""

import time

import numpy as np
import pytest
from grbl_machine import Grbl

from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.strokes import Strokes
from maquette.plotting.gcode import check_program, gcode_program
from maquette.plotting.grbl import ChangePen, Patience, Sent, send
from maquette.plotting.settings import Machine

MACHINE = Machine(settle_s=0)
PATIENT = Patience(welcome=2, silence=10, hold=10, poll=0.02)  # a machine that answers late on a busy computer is well
QUICK = Patience(welcome=0.4, silence=0.5, hold=0.5, poll=0.02)  # where it never answers


def spiral(count=150) -> Strokes:
    angle = np.linspace(0, 12, count)
    line = np.stack([50 + 3 * angle * np.cos(angle), 60 + 3 * angle * np.sin(angle)], axis=1)
    return Strokes((line, np.array([(5.0, 5), (95, 5), (95, 115)])), 100, 120)


def lines_of(strokes: Strokes) -> list[str]:
    return check_program(gcode_program(strokes, MACHINE), strokes.width, strokes.height, MACHINE)


LINES, FEW = lines_of(spiral()), lines_of(spiral(20))
"""Made once."""


def sent_to(machine: Grbl, lines: list[str], patience: Patience = PATIENT, **options) -> list:
    return list(send(machine.port, lines, MACHINE, patience=patience, **options))


def test_all_is_drawn_where_it_should_be_and_the_buffer_never_runs_over():
    strokes = spiral()
    lines = lines_of(strokes)
    with Grbl() as machine:
        events = sent_to(machine, lines)
    assert not machine.overflowed and machine.fullest <= 127
    assert machine.lines == lines_of(strokes)
    drawn = np.array([move[:2] for move in machine.path if move[2]])
    expected = np.concatenate([line[1:] for line in strokes.lines]) * (1, -1) + (0, 120)
    np.testing.assert_allclose(drawn, expected, atol=5.1e-4)
    assert machine.z == 3 and machine.at == (0, 0) and machine.resets == 0
    assert isinstance(events[-1], Sent) and events[-1].lines == len(machine.lines) and 100 < events[-1].fullest <= 127
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done) and done[-1] == len(machine.lines)


def test_a_machine_that_does_not_restart_by_itself_is_reset_first():
    with Grbl(welcome=False) as machine:
        assert isinstance(sent_to(machine, FEW)[-1], Sent)
    assert machine.resets == 1


@pytest.mark.parametrize("fault, message", [
    ({"error_at": 40}, r"refused 'G1 ?X.*the pen was lifted, got error 20 \(unknown G-code\)"),
    ({"alarm_at": 40}, r"stopped with an alarm; the pen was lifted, got alarm 1 \(a limit switch was touched\)"),
    ({"restart_at": 40}, "restarted in the middle of the drawing; the pen was lifted"),
])
def test_what_goes_wrong_is_told_in_one_line_and_the_pen_lifted(fault, message):
    with Grbl(**fault) as machine, pytest.raises(UserError, match=message) as told:
        sent_to(machine, LINES)
    assert machine.z == 3 and machine.state == "Idle" and machine.resets == 1 and machine.lines[-1] == "G0 Z3"
    assert "\n" not in str(told.value) and not machine.overflowed


@pytest.mark.parametrize("fault, message", [
    ({"drop_at": 40}, "the line to /.* was lost; THE PEN MAY BE DOWN"),
    ({"mute_at": 40}, "has fallen silent; THE PEN MAY BE DOWN"),
])
def test_a_pen_that_cannot_be_lifted_is_not_said_to_be(fault, message):
    with Grbl(**fault) as machine, pytest.raises(UserError, match=message):
        sent_to(machine, LINES, QUICK)


def test_pause_holds_and_resume_goes_on():
    strokes, wishes, paused_at = spiral(), [], []

    with Grbl(line_s=0.002) as machine:

        def control() -> str:
            if machine.done > 60 and not wishes:
                wishes.append(time.monotonic())
                return "pause"
            if wishes and len(wishes) == 1 and time.monotonic() - wishes[0] > 0.2:
                paused_at.append((machine.state, machine.done))
                wishes.append(time.monotonic())
                return "resume"
            return ""

        events = sent_to(machine, lines_of(strokes), control=control)
    assert machine.holds == machine.resumes == 1 and isinstance(events[-1], Sent)
    assert paused_at[0][0] == "Hold:0" and paused_at[0][1] < 70
    assert machine.lines == lines_of(strokes)


def test_stop_holds_resets_and_lifts():
    with Grbl(line_s=0.002) as machine, pytest.raises(UserError, match="stopped; the pen was lifted"):
        sent_to(machine, LINES, control=lambda: "stop" if machine.done > 60 else "")
    assert machine.holds == 1 and machine.resets == 1 and machine.z == 3 and machine.lines[-1] == "G0 Z3"
    assert machine.done < 90


def test_an_interrupt_and_a_closed_generator_lift_the_pen():
    with Grbl(line_s=0.002) as machine:
        events = send(machine.port, LINES, MACHINE, patience=PATIENT)
        while machine.done < 40:
            next(events)
        events.close()
    assert machine.z == 3 and machine.resets == 1

    def interrupt() -> str:
        if machine.done > 40:
            raise KeyboardInterrupt
        return ""

    with Grbl(line_s=0.002) as machine, pytest.raises(KeyboardInterrupt) as told:
        sent_to(machine, LINES, control=interrupt)
    assert machine.z == 3 and machine.resets == 1 and told.value.__notes__ == ["the pen was lifted"]


def test_pens_are_changed_with_the_pen_up_and_only_when_somebody_is_there():
    strokes = Strokes((np.array([(10.0, 10), (20, 10)]), np.array([(10.0, 20), (20, 20)])), 50, 50, (1, 2))
    with Grbl() as machine:
        stood = []

        def control() -> str:
            return "resume" if stood else ""

        for event in send(machine.port, lines_of(strokes), MACHINE, patience=PATIENT, control=control):
            if isinstance(event, ChangePen):
                stood.append((event.pen, machine.z, len(machine.path)))
    assert stood == [("change to pen 2", 3, 2)] and len(machine.path) == 5
    with pytest.raises(UserError, match="several pens, and nobody is there"):
        sent_to(machine, lines_of(strokes))


def test_a_locked_machine_is_not_moved_until_it_is_unlocked_or_home():
    with Grbl(locked=True) as machine, pytest.raises(UserError, match="is locked; nothing was drawn, got an alarm"):
        sent_to(machine, FEW)
    assert machine.lines == []
    for way in ("home", "unlock"):
        with Grbl(locked=True) as machine:
            assert isinstance(sent_to(machine, FEW, **{way: True})[-1], Sent)


def test_ports_that_are_not_there_or_not_grbl_are_told():
    with pytest.raises(UserError, match="the port /nowhere/tty cannot be opened"):
        list(send("/nowhere/tty", ["G21"], MACHINE))
    with Grbl(silent=True) as machine, pytest.raises(UserError, match="nothing that speaks GRBL answers on"):
        sent_to(machine, ["G21"], QUICK)


@pytest.mark.parametrize("fault, options, message", [
    ({"deaf": True}, {"home": True}, "did not answer .H; nothing was drawn"),
    ({"door": True}, {}, "is not ready; nothing was drawn, got Door"),
    ({"babble": True}, {}, "what answers on .* is no GRBL machine; nothing was drawn"),
])
def test_machines_that_are_not_ready_are_left_alone(fault, options, message):
    patience = Patience(welcome=0.4, silence=0.4, hold=0.4, poll=0.02, homing=0.2)
    with Grbl(**fault) as machine, pytest.raises(UserError, match=message):
        list(send(machine.port, FEW, MACHINE, patience=patience, **options))
    assert machine.lines == []
