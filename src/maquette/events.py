"""What everything that takes long says as it goes: one protocol of events, shown by one follower.

A verb that takes long is a generator. It yields events of these five kinds, or of kinds made from them that say more,
and its result last. Whoever asked shows what they like; not asking for the next event is stopping. The command line's
follower (`maquette.cli.console.follow`) knows these five only.
"""

from dataclasses import dataclass, field
from pathlib import Path


class Event:
    """The base of all events; results of a verb that are no news are not made from it."""


@dataclass(frozen=True)
class Progress(Event):
    """How far the work is."""

    doing: str
    """What is being done, as words that stand before a bar: "rendering views"."""
    done: int
    """Units behind us; of what, `doing` says."""
    total: int
    """Units in all."""

    @property
    def detail(self) -> str:
        """More about this moment, for a place beside the bar; empty where there is no more."""
        return ""

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end where the work knows better than a clock; None: whoever shows it estimates."""
        return None


@dataclass(frozen=True)
class Skipped(Event):
    """One of many could not be done; the others go on, and the whole is still worth having."""

    id: str
    reason: str
    """Why, in one line."""
    done: int = 0
    """Units behind us, this one among them."""
    total: int = 0


@dataclass(frozen=True)
class Written(Event):
    """A result is on disk."""

    source: str
    """What it was made of, or what it is: the name of an input, "sheet"."""
    paths: tuple[Path, ...]
    """The files, the main one first."""
    line: str = ""
    """What is to be said of it, in one line."""
    summary: dict = field(default_factory=dict)
    """The same as plain values, for `--json`."""


@dataclass(frozen=True)
class Failed(Event):
    """One input gave no result."""

    source: str
    reason: str
    """Why, in one line that names the input."""


@dataclass(frozen=True)
class Note(Event):
    """Something that the user should read."""

    text: str


def clock(seconds: float) -> str:
    """`45 s`, `3 min 20 s`, `2 h 5 min`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
