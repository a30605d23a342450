"""Plotters and cameras outside a simulation: files that a person plots, a machine at a port, a camera, a scanner."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from maquette.drawing_loop.loop import Waiting
from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.strokes import Strokes
from maquette.intake.sources import Frame, read_frame
from maquette.plotting import gcode, grbl
from maquette.plotting.settings import Machine


class FilePlotter:
    """A person, or another program, draws the files that the loop writes into its folders."""

    def wants(self, number: int) -> None:
        """Nothing: the files are not written yet."""

    def draw(self, number: int, strokes: Strokes) -> Iterator[Progress]:
        """Nothing: the files are there."""
        return iter(())


class GrblPlotter:
    """A GRBL machine at a serial port.

    Args:
        port: As `/dev/ttyUSB0` or `COM3`.
        machine: How it moves and lifts the pen.
        ask: Ask for a new sheet of paper before each drawing.
        control: What a person wants while it draws (see `maquette.plotting.grbl.send`).
    """

    def __init__(
        self,
        port: str,
        machine: Machine = Machine(),
        ask: bool = True,
        control: Callable[[], str] | None = None,
    ) -> None:
        self.port, self.machine, self.ask, self.control = port, machine, ask, control

    def wants(self, number: int) -> Waiting | None:
        """An empty sheet."""
        line = f"round {number}: lay an empty sheet on the plotter, its lower left corner at the origin"
        return Waiting(number, line, True) if self.ask else None

    def draw(self, number: int, strokes: Strokes) -> Iterator[Progress]:
        """Send the drawing, checked against the page first.

        Raises:
            UserError: If it leaves the page, or the machine fails.
        """
        program = gcode.gcode_program(strokes, self.machine)
        lines = gcode.check_program(program, strokes.width, strokes.height, self.machine)
        with closing(grbl.send(self.port, lines, self.machine, control=self.control)) as events:
            for event in events:
                if isinstance(event, Progress):
                    yield Progress(f"{event.doing} round {number}", event.done, event.total)


class SourceCamera:
    """A camera, the folder that a scanner writes into, or one picture of the last drawing.

    Args:
        source: What `maquette.intake.sources.read_frame` reads.
        timeout_s: How long a folder is watched for a new picture, in seconds.
        ask: Ask a person to lay the page under the camera, each time, never, or only the first time ("first"): when a
            loop goes on, any page may lie there.

    Raises:
        UserError: If the source does not exist.
    """

    def __init__(self, source: str, timeout_s: float = 3600.0, ask: bool | Literal["first"] = True) -> None:
        self.source, self.timeout_s, self.ask = source, timeout_s, ask
        self._camera, self._looks = re.fullmatch(r"camera:?\d{0,2}", source) is not None, 0
        if not self._camera and not Path(source).exists():
            raise UserError(f"{source} does not exist", hint="give camera:0, a scanner's folder, or a picture")

    @property
    def lasts(self) -> bool:
        """Whether it gives more than one picture."""
        return self._camera or Path(self.source).is_dir()

    def wants(self, number: int) -> Waiting | None:
        """The drawing under the camera, or in the scanner."""
        if self._camera and self.ask and not (self.ask == "first" and self._looks):
            return Waiting(number, f"round {number}: lay the drawing of round {number - 1} under {self.source}", True)
        if Path(self.source).is_dir():
            return Waiting(number, f"round {number}: waiting for a scan of round {number - 1} in {self.source}")
        return None

    def look(self, number: int) -> Frame | None:
        """The picture of the page; None if the source is one picture that was taken before.

        Raises:
            UserError: If there is no such picture, or it cannot be read.
        """
        if self._looks and not self.lasts:
            return None
        self._looks += 1
        return read_frame(self.source, timeout_s=self.timeout_s, fresh=Path(self.source).is_dir())
