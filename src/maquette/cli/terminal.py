"""What is drawn in a terminal: bars and spinners on standard error, tables on standard output, by rich."""

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.spinner import Spinner
from rich.text import Text

from maquette.events import clock

errors = Console(stderr=True, highlight=False, emoji=False)  # or furniture:chair:7 would become a picture of a chair
output = Console(highlight=False, emoji=False)


class _Left(TimeRemainingColumn):
    """What is left of the time: as the work says itself, or estimated from its pace."""

    def render(self, task: Task) -> Text:
        """`3 h 20 min left`."""
        left = task.fields.get("left")
        left = task.time_remaining if left is None else left
        return Text("" if left is None else f"{clock(left)} left", style="progress.remaining")


def progress() -> Bar:
    """A progress bar on standard error with what is left; silent where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), _Left(),
               TextColumn("{task.fields[detail]}"))
    return Bar(*columns, console=errors, transient=True, disable=not errors.is_terminal, redirect_stdout=False,
               redirect_stderr=False)


def spinner(text: str) -> Live:
    """A spinner on standard error while something short is done; silent where that is no terminal."""
    return Live(Spinner("dots", text), console=errors, transient=True, refresh_per_second=12.5, redirect_stdout=False,
                redirect_stderr=False)
