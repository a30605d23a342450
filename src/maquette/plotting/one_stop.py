"""One stop is enough: signals while a machine draws, so that nothing gets between the first one and the lifted pen.

The first signal that would end the program raises KeyboardInterrupt, and the pen is lifted on its way out. Those that
come after it, however many, do nothing until that is done: five Ctrl-C in a row are one. Ctrl-Z and the like, which
would leave the program standing with the pen on the paper, are stops too. SIGKILL and SIGSTOP cannot be caught, and a
signal that is ignored, as by nohup, stays ignored.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (
    "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF",
    "SIGXCPU", "SIGPIPE", "SIGIO", "SIGPWR", "SIGSTKFLT",
)
"""Signals that end a program unless it catches them, as far as the system has them."""
HALTING = ("SIGTSTP", "SIGTTIN", "SIGTTOU")
"""Signals that make a program stand still unless it catches them."""


class Stop:
    """What has become of the signals.

    Attributes:
        quiet: Whether signals do nothing for now.
    """

    def __init__(self) -> None:
        self.quiet = False
        self._before: dict[int, Callable[[int, FrameType | None], object] | int] = {}

    def install(self, names: tuple[str, ...]) -> list[int]:
        """Catch signals, but for those that are ignored.

        Returns:
            The numbers of those that were not caught before.
        """
        added = []
        for name in names:
            number = getattr(signal, name, None)
            before = None if number is None or number in self._before else signal.getsignal(number)
            if number is not None and before is not None and before != signal.SIG_IGN:
                self._before[number] = before
                added.append(number)
                signal.signal(number, self._caught)
        return added

    def restore(self, numbers: list[int]) -> None:
        """Give signals back to those who had them."""
        for number in numbers:
            signal.signal(number, self._before[number])
            del self._before[number]

    def _caught(self, number: int, frame: FrameType | None) -> None:
        """Stop once; a handler that was there before decides for itself whether it stops."""
        if self.quiet:
            return
        self.quiet = True
        before = self._before.get(number)
        if callable(before) and before is not signal.default_int_handler:
            before(number, frame)
            self.quiet = False  # it did not stop anything
            return
        raise KeyboardInterrupt


_active: list[Stop] = []  # what the main thread is in


@contextmanager
def one_stop(halting: bool = True) -> Iterator[Stop]:
    """Within it, the first signal raises KeyboardInterrupt, and those after it do nothing.

    One within another shares its state. Outside Python's main thread no signals arrive, and none are caught.

    Args:
        halting: Whether the signals that make a program stand still are stops too.
    """
    names = (*ENDING, *HALTING) if halting else ENDING
    if threading.current_thread() is not threading.main_thread():
        yield Stop()
        return
    stop, outermost = (_active[0], False) if _active else (Stop(), True)
    numbers: list[int] = []
    try:
        if outermost:
            _active.append(stop)
        numbers += stop.install(names)
        yield stop
    finally:
        quiet, stop.quiet = stop.quiet, True  # nothing may come between here and the last handler
        stop.restore(numbers)
        if outermost:
            _active.clear()
        stop.quiet = quiet
