"""What `maquette plot --port` shows while a machine draws, and the keys that pause and stop it."""

import json
import select
import sys
from collections.abc import Iterator
from typing import TextIO

from maquette.cli.console import closed, follow
from maquette.cli.options import say
from maquette.events import clock
from maquette.plotting.drawing import Drawing
from maquette.plotting.grbl import PAUSE, RESUME, STOP, ChangePen, Sent
from maquette.plotting.one_stop import one_stop


class Keyboard:
    """What somebody at the terminal wants: Enter pauses and resumes, q and Enter stops."""

    def __init__(self, stream: TextIO):
        self.stream, self.waiting = stream, False

    def __call__(self) -> str:
        """What was asked for since the last call; empty where nothing was."""
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
    drawing, sent = None, Sent(0, 0.0, 0)
    with one_stop(), closed(events):  # closing lifts the pen, whatever happens here
        for event in follow(events, "plotting"):
            if isinstance(event, Drawing):
                drawing = event
                say(drawing.line())
                if keys:
                    say("Enter pauses and resumes; q and Enter stops and lifts the pen")
            elif isinstance(event, ChangePen):
                say(f"{event.pen}, then press Enter")
                if keys:
                    keys.waiting = True
            elif isinstance(event, Sent):
                sent = event
    facts = drawing.summary() if drawing else {}
    if as_json:
        print(json.dumps({"input": source, **facts, "sent_lines": sent.lines, "seconds": round(sent.seconds, 1)}))
    else:
        print(f"{source}: drawn in {clock(sent.seconds)}, {sent.lines} lines of G-code")
    return 0
