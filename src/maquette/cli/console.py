"""The one follower of events: progress, skips and notes, on standard error. Only `cli` imports this."""

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from maquette.events import Note, Progress, Skipped, clock

T = TypeVar("T")


def in_terminal() -> bool:
    """Whether bars and spinners are seen: where standard error is a terminal, or the user says that it is like one.

    Elsewhere nothing is drawn, and rich, which draws, is not loaded.
    """
    asked = os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE")
    return bool(asked) or (sys.stderr is not None and sys.stderr.isatty())


def status(text: str) -> AbstractContextManager[object]:
    """A spinner on standard error while something short is done; silent where that is no terminal."""
    if not in_terminal():
        return nullcontext()
    from maquette.cli.terminal import spinner

    return spinner(text)


def tell(line: str) -> None:
    """Print a line on standard error, above a bar where there is one; it is never wrapped, so that it can be copied."""
    if not in_terminal():
        print(re.sub(r"[\a\b\v\f\r]", "", line), file=sys.stderr, flush=True)
        return
    from maquette.cli.terminal import errors

    errors.print(line, soft_wrap=True, markup=False)


class _Unseen:
    """A bar where there is no terminal."""

    def add_task(self, description: str, total: float | None = None, **fields: object) -> Any:
        """A line in it."""

    def update(self, task: Any, **values: object) -> None:
        """How far the work is."""

    def advance(self, task: Any) -> None:
        """One more is done."""

    def stop(self) -> None:
        """Whoever shows a result has the terminal alone."""

    def start(self) -> None:
        """It goes on."""


def _progress() -> AbstractContextManager[Any]:
    """A progress bar on standard error with what is left; silent where that is no terminal."""
    if not in_terminal():
        return nullcontext(_Unseen())
    from maquette.cli.terminal import progress

    return progress()


@contextmanager
def closed(events: Iterable[T]) -> Iterator[Iterable[T]]:
    """Ends the work behind events, whatever happens within: a generator's own ending lifts the pen."""
    try:
        yield events
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def follow(events: Iterable[T], doing: str = "working", total: int | None = None) -> Iterator[T]:
    """Show progress, skips and notes as they come, and hand on the rest: what was written, what failed, results.

    Lines are never wrapped: what they name is to be copied.

    Args:
        events: Events as of `maquette.events`, and results; a whole number among them is the total.
        doing: What stands before the bar until an event says more.
        total: Results to come, each of which moves the bar; None where the events tell how far the work is.
    """
    said: _Line | None = None
    with _progress() as bar:
        task = bar.add_task(doing, total=total, detail="", left=None)
        for event in events:
            if isinstance(event, Progress):
                said = _move(bar, task, event, said)
            elif isinstance(event, Skipped):
                tell(f"skipped {event.id}: {event.reason}")
            elif isinstance(event, Note):
                tell(event.text)
            elif isinstance(event, int):
                total = event
                bar.update(task, total=total)
            else:
                if total is not None:
                    bar.advance(task)
                bar.stop()  # whoever shows the result has the terminal alone, and standard output stays what it is
                yield event
                bar.start()


@dataclass(frozen=True)
class _Line:
    """The last line that was said of a kind of work."""

    doing: str
    tenth: int
    began: float
    """When this kind of work began, on the monotonic clock."""
    first: int
    """Units that were done then."""


def _move(bar: Any, task: Any, event: Progress, said: _Line | None) -> _Line:
    """Show how far the work is, in the bar.

    Where that is not seen: in a line at the start of a kind of work whose pace is known, and for each tenth.

    Args:
        bar: The bar.
        task: The work's line in it.
        event: How far the work is.
        said: The last line; None at first.
    """
    now, tenth = time.monotonic(), event.done * 10 // max(event.total, 1)
    same = said is not None and said.doing == event.doing
    began, first = (said.began, said.first) if said is not None and same else (now, event.done)
    if in_terminal():
        bar.update(task, description=event.doing, completed=event.done, total=event.total, detail=event.detail,
                   left=event.seconds_left)
    elif (not same or said is None or tenth != said.tenth) and (tenth or event.seconds_left is not None):
        left = event.seconds_left
        if left is None and now - began >= 2 and event.done > first:
            left = (now - began) / (event.done - first) * (event.total - event.done)
        words = [f"{event.doing}: {event.done} of {event.total}", event.detail, f"{clock(left)} left" if left else ""]
        tell(", ".join(word for word in words if word))
    return _Line(event.doing, tenth, began, first)
