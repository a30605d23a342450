"""What `maquette plot --port` shows while a machine draws, and the keys that pause and stop it."""

import json
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from maquette.cli.console import follow
from maquette.events import clock
from maquette.plotting.drawing import Drawing
from maquette.plotting.grbl import PAUSE, RESUME, STOP, ChangePen, Sent


class Keyboard:
    """What somebody at the terminal wants: Enter pauses and resumes, q and Enter stops."""

    def __init__(self, stream):
        self.stream, self.waiting = stream, False

    def __call__(self) -> str:
        if not select.select([self.stream], [], [], 0)[0]:
            return ""
        line = self.stream.readline()
        if not line or line.strip().lower() in ("q", "quit", "stop"):  # a terminal that went away stops it too
            return STOP
        self.waiting = not self.waiting
        return PAUSE if self.waiting else RESUME


def keyboard() -> Keyboard | None:
    """The keys of the terminal; None where nobody sits at one, or where it cannot be asked (Windows)."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        return None
    return Keyboard(sys.stdin)


def show_plot(events: Iterator[object], keys: Keyboard | None, source: str, as_json: bool) -> int:
    """Follow a drawing that is sent; what was drawn and how long it took go to standard output. Returns 0."""
    drawing = sent = None
    with hang_up(), closing(events):  # closing lifts the pen, whatever happens here
        try:
            for event in follow(events, "plotting"):
                if isinstance(event, Drawing):
                    drawing = event
                    _say(drawing.line())
                    if keys:
                        _say("Enter pauses and resumes; q and Enter stops and lifts the pen")
                elif isinstance(event, ChangePen):
                    _say(f"{event.pen}, then press Enter")
                    if keys:
                        keys.waiting = True
                elif isinstance(event, Sent):
                    sent = event
        except KeyboardInterrupt as stopped:
            for note in getattr(stopped, "__notes__", ()):
                _say(f"maquette: {note}")
            raise
    facts = drawing.summary() if drawing else {}
    if as_json:
        print(json.dumps({"input": source, **facts, "sent_lines": sent.lines, "seconds": round(sent.seconds, 1)}))
    else:
        print(f"{source}: drawn in {clock(sent.seconds)}, {sent.lines} lines of G-code")
    return 0


@contextmanager
def hang_up():
    """A terminal that goes away stops the drawing as Ctrl-C does, so that the pen is lifted."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGHUP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
