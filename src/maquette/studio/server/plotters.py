"""The plotters at this computer while they draw: each in a thread of its own, that can be paused and stopped."""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from maquette.errors import UserError
from maquette.events import Progress
from maquette.plotting.drawing import Drawing, plot
from maquette.plotting.grbl import PAUSE, RESUME, STOP, ChangePen, Sent
from maquette.plotting.settings import Machine

_ENDS_S = 20.0  # for a pen to be lifted when the server ends


@dataclass
class Plotter:
    """One plotter, and what it does.

    Attributes:
        port: Its serial port.
        machine: How it lifts its pen.
        state: `idle`, `drawing`, `paused`, `done` or `failed`.
        share: Of the drawing that is done, 0 to 1.
        line: What somebody should know.
    """

    port: str
    machine: Machine
    state: str = "idle"
    share: float = 0.0
    line: str = ""
    _keys: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether it draws, or waits while it does."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, drawing: Drawing) -> None:
        """Begin to draw.

        Raises:
            UserError: Where it draws already.
        """
        if self.busy:
            raise UserError("the plotter is drawing already", hint="stop it first")
        self._keys = queue.SimpleQueue()
        self.state, self.share, self.line = "drawing", 0.0, ""
        self._thread = threading.Thread(target=self._draw, args=(drawing,), name=f"plotter {self.port}", daemon=True)
        self._thread.start()

    def press(self, key: str) -> None:
        """Pause, go on or stop.

        Raises:
            UserError: Where nothing is drawn.
        """
        if not self.busy:
            raise UserError("the plotter is not drawing")
        self._keys.put({"pause": PAUSE, "resume": RESUME, "stop": STOP}[key])
        if key != "stop":
            self.state = "paused" if key == "pause" else "drawing"

    def told(self) -> dict[str, Any]:
        """The state as plain values."""
        return {"port": self.port, "state": self.state, "share": self.share, "line": self.line}

    def end(self) -> None:
        """Stop, and wait until the pen is lifted."""
        if self._thread is not None and self._thread.is_alive():
            self._keys.put(STOP)
            self._thread.join(_ENDS_S)

    def _control(self) -> str:
        try:
            return self._keys.get_nowait()
        except queue.Empty:
            return ""

    def _draw(self, drawing: Drawing) -> None:
        events = cast("Iterator[Any]", plot(drawing, self.port, self.machine, control=self._control))
        try:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Progress):
                        self.share = event.done / max(event.total, 1)
                    elif isinstance(event, ChangePen):
                        self.state, self.line = "paused", event.pen
                    elif isinstance(event, Sent):
                        self.share, self.line = 1.0, f"{event.lines} lines in {event.seconds:.0f} s"
            self.state = "done"
        except UserError as error:
            self.state, self.line = "failed", str(error)


def plotters_at(ports: Sequence[str], machine: Machine) -> list[Plotter]:
    """The plotters at these ports."""
    return [Plotter(port, machine) for port in ports]
