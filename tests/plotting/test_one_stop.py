"""Whatever signals come while a machine draws, and however many, the pen is lifted and the last line says so."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from grbl_machine import Grbl

from maquette.geometry.strokes import Strokes
from maquette.plotting import svg
from maquette.plotting.gcode import check_program, gcode_program
from maquette.plotting.grbl import Patience, send
from maquette.plotting.one_stop import one_stop
from maquette.plotting.settings import Machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pseudo-terminals of POSIX")
PLOT = "import sys; from maquette.cli.commands import main; main(sys.argv[1:])"
MACHINE = Machine(settle_s=0)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    angle = np.linspace(0, 40, 3000)
    line = np.stack([50 + angle * np.cos(angle), 60 + angle * np.sin(angle)], axis=1)
    path = tmp_path_factory.mktemp("page") / "spiral.svg"
    svg.write_svg(path, Strokes((line,), 100, 120))
    return path


def plotted(page, machine: Grbl, stopping) -> tuple[int, str]:
    """Plot in a process of its own, and do `stopping` to it when the pen is down: its exit code and its last line."""
    words = ["plot", str(page), "--port", machine.port, "--settle-s", "0"]
    child = subprocess.Popen([sys.executable, "-c", PLOT, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True)
    until = time.monotonic() + 90
    while machine.done < 60 and child.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert child.poll() is None and machine.z == 0, child.stderr.read()
    stopping(child)
    _, said = child.communicate(timeout=60)
    return child.returncode, said.strip().splitlines()[-1]


def burst(*names):
    def stopping(child):
        for name in names:
            child.send_signal(getattr(signal, name))
    return stopping


def hammered(child):
    while child.poll() is None:
        child.send_signal(signal.SIGINT)
        time.sleep(0.002)


@pytest.mark.parametrize("stopping", [
    burst("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"), burst(*["SIGINT"] * 5), burst("SIGTSTP"),
    burst("SIGTERM", "SIGALRM"),
], ids=["five kinds", "five of a kind", "halt", "term and alarm"])
def test_the_pen_is_lifted_whatever_signals_come(page, stopping):
    with Grbl(line_s=0.003) as machine:
        code, last = plotted(page, machine, stopping)
    assert (code, last) == (130, "maquette: stopped; the pen was lifted")
    assert machine.z == 3 and machine.lines[-1] == "G0 Z3"


def test_signals_without_end_do_not_keep_the_pen_down(page):
    with Grbl(line_s=0.003) as machine:
        plotted(page, machine, hammered)
    assert machine.z == 3 and machine.lines[-1] == "G0 Z3"


def test_the_first_signal_stops_and_the_rest_do_nothing():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), one_stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    assert stop.quiet and signal.getsignal(signal.SIGTERM) is before
    with one_stop() as stop:
        stop.quiet = True
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"):
            os.kill(os.getpid(), getattr(signal, name))
        with one_stop() as inner:
            assert inner is stop
        time.sleep(0.01)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_others_catch_or_ignore_stays_theirs():
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with one_stop():
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.01)
        assert heard == [signal.SIGUSR1] * 2
    finally:
        signal.signal(signal.SIGUSR1, before)
        signal.signal(signal.SIGHUP, ignored)


def test_in_another_thread_no_signal_is_caught():
    found = []

    def work():
        with one_stop():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


def sent_to(machine: Grbl):
    line = np.stack([np.linspace(5, 95, 400), np.full(400, 50.0)], axis=1)
    lines = check_program(gcode_program(Strokes((line,), 100, 100), MACHINE), 100, 100, MACHINE)
    patience = Patience(welcome=2, silence=10, hold=10, poll=0.02)
    return send(machine.port, lines, MACHINE, patience=patience)


@pytest.mark.parametrize("problem", [RuntimeError("a bug"), BrokenPipeError(), KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_the_one_who_asks_carries_the_line_about_the_pen(problem):
    with Grbl(line_s=0.002) as machine:
        events = sent_to(machine)
        with pytest.raises(type(problem)) as told:
            try:
                while machine.done < 40:
                    next(events)
                raise problem
            finally:
                events.close()
    assert told.value.__notes__ == ["the pen was lifted"] and machine.z == 3


def test_a_pen_that_the_machine_refuses_to_lift_is_not_said_to_be_lifted():
    with Grbl(line_s=0.002, refuse_z_after=30) as machine:
        events = sent_to(machine)
        with pytest.raises(RuntimeError) as told:
            try:
                while machine.done < 40:
                    next(events)
                raise RuntimeError("a bug")
            finally:
                events.close()
    assert told.value.__notes__ == ["THE PEN MAY BE DOWN"]
