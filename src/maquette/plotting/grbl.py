"""Sending a program to a machine that runs GRBL 1.1, line by line over a serial port.

As GRBL's documentation of its interface describes it: a line is sent as soon as the 127 characters of the machine's
buffer have room for it, which is known by counting the characters of the lines that it has not answered yet. `?`, `!`,
`~` and reset are acted on at once and take no room. Whatever goes wrong, and whoever stops it: the motion is held, the
machine is reset, and the pen is lifted. While it draws, signals are caught (see `maquette.plotting.one_stop`).
"""

import atexit
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from maquette.errors import UserError
from maquette.events import Progress
from maquette.extras import require
from maquette.plotting.gcode import leaves_pen_down, lifting_lines
from maquette.plotting.gcode_parser import parse_block
from maquette.plotting.one_stop import Stop, one_stop
from maquette.plotting.settings import Machine

BUFFER_BYTES = 127
"""Characters of lines not read yet that the machine can hold: its ring buffer of 128 holds one less."""
BAUD = 115_200
"""The usual speed of GRBL's serial port."""
_ERRORS = {
    1: "a letter was expected", 2: "a number could not be read", 3: "unknown command", 8: "only when idle",
    9: "locked by an alarm", 10: "soft limits need homing", 11: "the line is too long", 15: "the move is too long",
    20: "unknown G-code", 22: "no speed was given", 33: "the target is not valid",
}
_ALARMS = {
    1: "a limit switch was touched", 2: "the move ends outside the machine", 3: "it was reset while moving",
    4: "the probe", 5: "the probe", 6: "homing was reset", 7: "the door was opened while homing",
    8: "homing found no switch to leave", 9: "homing found no switch",
}
_TRIES = 20  # to lift the pen, where something interrupts it
STOP, PAUSE, RESUME = "stop", "pause", "resume"
"""What `control` may return, besides "" for nothing new."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds.

    Attributes:
        welcome: For the machine's greeting.
        silence: For any sign of life.
        hold: For the motion to stop.
        poll: Between two questions for its state.
        homing: For the way home.
    """

    welcome: float = 3.0
    silence: float = 5.0
    hold: float = 5.0
    poll: float = 0.25
    homing: float = 120.0


@dataclass(frozen=True)
class ChangePen:
    """The machine stands still until `control` says "resume"; in a program of our own the pen is up.

    Attributes:
        pen: What the program's line says about the pen.
    """

    pen: str


@dataclass(frozen=True)
class Sent:
    """All was drawn.

    Attributes:
        lines: Lines of the program.
        seconds: Time that it took.
        fullest: The most characters that were in the machine's buffer at once.
    """

    lines: int
    seconds: float
    fullest: int


def send(
    port: str,
    lines: list[str],
    machine: Machine,
    *,
    baud: int = BAUD,
    control: Callable[[], str] | None = None,
    home: bool = False,
    unlock: bool = False,
    patience: Patience = Patience(),
) -> Generator[Progress | ChangePen | Sent, None, None]:
    """Run a program on a machine.

    The pen is lifted also if the generator is closed or the program is interrupted.

    Args:
        port: The machine's, as `/dev/ttyUSB0` or `COM3`.
        lines: What `maquette.plotting.gcode.check_program` returned; nothing else may be sent.
        machine: How it lifts the pen.
        baud: Speed of the port.
        control: Asked all the time; returns "pause", "resume", "stop", or "" for nothing new. Without it the pen cannot
            be changed.
        home: Send the machine home ($H) first.
        unlock: Unlock a machine that an alarm has locked, where it stands ($X).
        patience: How long is waited for what.

    Yields:
        Progress as lines are done, ChangePen where another pen is due, and one Sent at the end.

    Raises:
        UserError: If the port cannot be opened, if no GRBL answers, if the machine is locked, reports an error or an
            alarm, falls silent or restarts, if the connection is lost, and after "stop". Each says whether the pen was
            lifted.
    """
    if control is None and any(parse_block(line).stops for line in lines):
        raise UserError("the drawing needs several pens, and nobody is there to change them",
                        hint="send one pen at a time")
    with one_stop() as stop:
        session = _Session(_open_port(port, baud), port, machine, control, patience, stop)
        atexit.register(session.rescue)  # for a program that ends without closing this generator
        try:
            session.lifting = lifting_lines(lines, machine)
            session.start(home, unlock)
            for event in session.stream(lines, leaves_pen_down(lines, machine)):
                yield event
                stop.quiet = False  # whoever asks for more has not stopped
        except BaseException as problem:
            told = session.rescue()
            if isinstance(problem, _Lost):
                raise UserError(f"{problem.what}; {told}", problem.got, problem.hint) from None
            _reason_of(problem).add_note(told)
            raise
        finally:
            session.rescue()  # where a signal came between the line before and this one
            session.close()
            atexit.unregister(session.rescue)


def _reason_of(problem: BaseException) -> BaseException:
    """What ended a generator: the problem itself, or what its caller was closing it for."""
    while isinstance(problem, GeneratorExit) and problem.__context__ is not None:
        problem = problem.__context__
    return problem


class _Lost(UserError):
    """The program cannot go on."""


class _Gone(_Lost):
    """Nothing can be sent to the machine any more."""


class _Refused(_Lost):
    """The machine has refused a line."""


@runtime_checkable
class _Link(Protocol):
    """What is used of `serial.Serial`."""

    def read(self, size: int, /) -> bytes:
        """What has arrived, at most so many bytes."""

    def write(self, data: bytes, /) -> object:
        """Send bytes."""

    def close(self) -> None:
        """Close the port."""


def _open_port(port: str, baud: int) -> _Link:
    """Open a serial port for reading without waiting."""
    serial = require("serial", "plotter")

    try:
        return serial.Serial(port, baud, timeout=0, write_timeout=2)
    except (serial.SerialException, OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem).splitlines()[0]
        raise UserError(f"the port {port} cannot be opened", reason,
                        "is the machine plugged in, and no other program using it?") from None


class _Session:
    """One program on one machine.

    Attributes:
        waiting: Size and text of the lines that were sent and not answered yet, the oldest first.
        state: The last state that the machine reported, as `Idle` or `Hold:0`.
        paused: Whether the motion is held.
        moved: Whether the program has begun.
        greeted: Whether the machine has said that it started.
        fullest: The most characters that were in the machine's buffer at once.
        lifting: The lines that lift the pen.
        drawing: Whether the program has begun and its pen is not known to be up.
        told: What became of the pen, once that is known.
    """

    def __init__(
        self, link: _Link, port: str, machine: Machine, control: Callable[[], str] | None, patience: Patience,
        stop: Stop,
    ) -> None:
        self.link, self.port, self.machine, self.patience = link, port, machine, patience
        self.stop, self.lifting, self.told = stop, machine.lift_lines, ""
        self.control = control or (lambda: "")
        self.waiting: deque[tuple[int, str]] = deque()
        self.state, self.paused, self.moved, self.greeted, self.drawing = "", False, False, False, False
        self._text, self._heard, self._asked = b"", time.monotonic(), 0.0
        self.fullest = 0

    def close(self) -> None:
        """Close the port."""
        with suppress(OSError):  # the port may be gone; there is nothing left to close then
            self.link.close()

    # before and during the program

    def start(self, home: bool, unlock: bool) -> None:
        """Wait until the machine has started and is ready; opening the port may have made it start anew."""
        if not self._until(lambda: self.greeted, self.patience.welcome, ask=False):
            self._write(b"\x18")
            if not self._until(lambda: self.greeted, self.patience.welcome, ask=False):
                raise _Lost(f"nothing that speaks GRBL answers on {self.port}",
                            hint=f"GRBL 1.1 usually talks at {BAUD} baud")
        for wanted, command, seconds in ((home, "$H", self.patience.homing), (unlock, "$X", self.patience.silence)):
            if wanted:
                self._put(command)
                if not self._until(lambda: not self.waiting, seconds, ask=command == "$X"):
                    raise _Lost(f"the machine on {self.port} did not answer {command}")
        self.state = ""
        self._until(lambda: self.state, self.patience.silence)
        if self.state.startswith("Alarm"):
            raise _Lost(f"the machine on {self.port} is locked", "an alarm",
                        "send it home (--home), or unlock it where it stands (--unlock)")
        if not self.state.startswith("Idle"):
            raise _Lost(f"the machine on {self.port} is not ready", self.state or "no status")

    def stream(self, lines: list[str], lift: bool) -> Iterator[Progress | ChangePen | Sent]:
        """Send the lines as the buffer has room, until the machine has done them all and stands still.

        Args:
            lines: The program.
            lift: Whether it leaves the pen down, which is lifted then.
        """
        began, total, told, self.moved, self.drawing = time.monotonic(), len(lines), -1, True, True
        for number, line in enumerate(lines):
            block = parse_block(line)
            if block.stops:
                yield from self._drained(number, total)
                yield ChangePen(block.comment or "change the pen")
                self.paused = True
                while self.paused:
                    self._listen()
                continue
            size = len(line) + 1
            while sum(length for length, _ in self.waiting) + size > BUFFER_BYTES:
                self._listen()
                done = number - len(self.waiting)
                if done * 200 // total > told:
                    told = done * 200 // total
                    yield Progress("paused" if self.paused else "plotting", done, total)
            self._put(line)
        for line in self.lifting if lift else ():
            self._put(line)
        yield from self._drained(total, total)
        self.drawing, self.told = False, "all was drawn"
        yield Sent(total, time.monotonic() - began, self.fullest)

    def _drained(self, number: int, total: int) -> Iterator[Progress]:
        """Wait until the machine has answered everything and stands still."""
        left = -1
        while self.waiting:
            self._listen()
            if len(self.waiting) != left:
                left = len(self.waiting)
                yield Progress("plotting", number - left, total)
        self.state = ""
        while not self.state.startswith("Idle"):
            self._listen()

    def _put(self, line: str) -> None:
        """Send a line and count it as waiting."""
        self.waiting.append((len(line) + 1, line))
        self.fullest = max(self.fullest, sum(length for length, _ in self.waiting))
        self._write(line.encode("ascii") + b"\n")

    def _write(self, data: bytes) -> None:
        """Send bytes."""
        try:
            self.link.write(data)
        except OSError as problem:  # pyserial's own errors are OSErrors too
            raise _Gone(f"the line to {self.port} was lost", _reason(problem), "check the cable") from None

    def _until(self, there: Callable[[], object], seconds: float, ask: bool = True) -> bool:
        """Listen until `there` is true; False if that takes longer than `seconds`."""
        end = time.monotonic() + seconds
        while not there():
            if time.monotonic() > end:
                return False
            self._listen(ask, obey=False)
        return True

    def _listen(self, ask: bool = True, obey: bool = True) -> None:
        """Take in what the machine says, ask for its state from time to time, and do what `control` wants."""
        now = time.monotonic()
        if ask and now - self._asked > self.patience.poll:
            self._asked = now
            self._write(b"?")
        try:
            data = self.link.read(4096)
        except OSError as problem:
            raise _Gone(f"the line to {self.port} was lost", _reason(problem), "check the cable") from None
        if data:
            self._heard = now
            *whole, self._text = (self._text + data).split(b"\n")
            for part in whole:
                self._hear(part.decode("ascii", "replace").strip())
            if len(self._text) > 4096:
                raise _Lost(f"what answers on {self.port} is no GRBL machine", hint="is it the right port and baud?")
        else:
            if ask and obey and now - self._heard > self.patience.silence:
                raise _Lost(f"the machine on {self.port} has fallen silent")
            time.sleep(0.002)
        if obey:
            self._obey(self.control())

    def _obey(self, wish: str) -> None:
        """Do what `control` wants."""
        if wish == STOP:
            raise _Lost("plotting was stopped")
        if wish == PAUSE and not self.paused:
            self.paused = True
            self._write(b"!")
        elif wish == RESUME and self.paused:
            self.paused = False
            self._write(b"~")

    def _hear(self, line: str) -> None:
        """Act on one line from the machine."""
        if line == "ok":
            if self.waiting:
                self.waiting.popleft()
        elif line.startswith("<"):
            found = re.match(r"<([A-Za-z]+(?::\d+)?)", line)
            self.state = found[1] if found else ""
        elif line.startswith("Grbl"):
            self.greeted = True
            if self.moved:
                raise _Lost(f"the machine on {self.port} has restarted in the middle of the drawing")
        elif found := re.fullmatch(r"error:\s*(\d{1,4})", line):
            sent = self.waiting.popleft()[1] if self.waiting else ""
            told = _ERRORS.get(int(found[1]), "see GRBL's list of errors")
            raise _Refused(f"the machine refused {sent!r}", f"error {found[1]} ({told})")
        elif found := re.fullmatch(r"ALARM:\s*(\d{1,4})", line):
            told = _ALARMS.get(int(found[1]), "see GRBL's list of alarms")
            raise _Lost("the machine has stopped with an alarm", f"alarm {found[1]} ({told})",
                        "set it right, and send it home before the next drawing")

    # when it ends early

    def rescue(self) -> str:
        """Stop the motion and lift the pen, whatever state the machine is in.

        Returns:
            What became of the pen, as the end of an error's line.
        """
        if not self.drawing:
            return self.told or "nothing was drawn"
        self.stop.quiet = True
        told = "THE PEN MAY BE DOWN"
        for _ in range(_TRIES):
            try:
                told = "the pen was lifted" if self._lift() else told
            except _Gone:
                pass
            except BaseException:  # whatever gets in here where signals are not caught; the pen comes first
                continue
            break
        self.drawing, self.told = False, told
        return told

    def _lift(self) -> bool:
        """Hold, reset, and lift the pen; whether the pen is up."""
        self.moved, self.state = False, ""  # the reset makes the machine greet again
        self._write(b"!")
        self._until_whatever(lambda: self.state in ("Hold:0", "Idle", "Alarm"), self.patience.hold)
        self.greeted = False
        self._write(b"\x18")
        if not self._until_whatever(lambda: self.greeted, self.patience.hold):
            return False
        self.waiting.clear()
        self._put("$X")  # a reset while it still moved locks the machine
        self._until_whatever(lambda: not self.waiting, self.patience.silence)
        for line in self.lifting:
            self._put(line)
            if not self._until_whatever(lambda: not self.waiting, self.patience.silence, refusals=False):
                return False
        self.state = ""
        return self._until_whatever(lambda: self.state == "Idle", self.patience.hold)

    def _until_whatever(self, there: Callable[[], object], seconds: float, refusals: bool = True) -> bool:
        """As `_until`, but without regard to errors and alarms, which belong to what was before.

        Args:
            there: What is waited for.
            seconds: How long.
            refusals: Whether that goes for refused lines too; else False for one.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                return self._until(there, end - time.monotonic())
            except _Gone:
                raise
            except _Refused:
                if not refusals:
                    return False
            except _Lost:
                continue
        return False


def _reason(problem: OSError) -> str:
    """One line about what is wrong."""
    return problem.strerror or (str(problem).strip().splitlines() or ["no reason given"])[0][:120]
