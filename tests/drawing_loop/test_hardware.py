"""Plotters and cameras outside a simulation: what they ask for, and what they give."""

import numpy as np
import pytest
from grbl_machine import Grbl
from loops import sketch

from maquette.drawing_loop import hardware as desk
from maquette.drawing_loop.loop import (
    Waiting,
)
from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.strokes import Strokes
from maquette.intake.sources import Frame

START = Frame(sketch(), "box.png")


def test_a_plotter_draws_what_it_is_given_on_a_new_sheet():
    with Grbl() as machine:
        pen = desk.GrblPlotter(machine.port)
        assert pen.wants(3).ask and "round 3: lay an empty sheet" in pen.wants(3).line
        assert desk.GrblPlotter(machine.port, ask=False).wants(3) is None
        events = list(pen.draw(1, Strokes((np.array([[10, 20], [40, 20], [40, 60]]),), 100, 80)))
    assert events and all(isinstance(event, Progress) and event.doing == "plotting round 1" for event in events)
    down = [(x, y) for x, y, drawn in machine.path if drawn]
    assert down[-2:] == [(40, 60), (40, 20)] and not machine.overflowed


def test_what_ends_a_loop_carries_the_line_about_the_pen():
    line = np.stack([np.linspace(5, 95, 400), np.full(400, 50.0)], axis=1)
    with Grbl(line_s=0.002) as machine:
        events = desk.GrblPlotter(machine.port).draw(1, Strokes((line,), 100, 100))
        with pytest.raises(KeyboardInterrupt) as told:
            try:
                while machine.done < 40:
                    next(events)
                raise KeyboardInterrupt
            finally:
                events.close()
    assert told.value.__notes__ == ["the pen was lifted"] and machine.z == 3


def test_a_plotter_at_no_port_is_named():
    with pytest.raises(UserError, match="the port /dev/nowhere cannot be opened"):
        list(desk.GrblPlotter("/dev/nowhere").draw(1, Strokes((np.array([[10, 20], [40, 20]]),), 100, 80)))


def test_eyes_ask_wait_and_run_out(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(desk, "read_frame", lambda source, **options: calls.append((source, options)) or START)
    camera = desk.SourceCamera("camera:0")
    assert camera.wants(4) == Waiting(4, "round 4: lay the drawing of round 3 under camera:0", True)
    assert desk.SourceCamera("camera:1", ask=False).wants(4) is None
    once = desk.SourceCamera("camera:2", ask="first")
    assert once.wants(2).ask and once.look(2) is START and once.wants(3) is None
    calls.clear()
    assert camera.look(4) is START and camera.look(5) is START and camera.wants(6).ask
    folder = desk.SourceCamera(str(tmp_path), 60.0)
    assert not folder.wants(2).ask and f"waiting for a scan of round 1 in {tmp_path}" in folder.wants(2).line
    assert folder.look(2) is START and folder.look(3) is START
    (tmp_path / "page.jpg").write_bytes(b"")
    picture = desk.SourceCamera(str(tmp_path / "page.jpg"))
    assert picture.wants(2) is None and picture.look(2) is START and picture.look(3) is None
    assert calls[0] == ("camera:0", {"timeout_s": 3600.0, "fresh": False})
    assert calls[2] == (str(tmp_path), {"timeout_s": 60.0, "fresh": True}) and len(calls) == 5
    with pytest.raises(UserError, match="scans does not exist; give camera:0, a scanner's folder"):
        desk.SourceCamera("scans")
