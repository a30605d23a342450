"""Options that several commands share, and how a command says that it was used wrongly."""

import sys
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from maquette.errors import UserError

Inputs = Positional[Annotated[tuple[str, ...], arg(metavar="INPUT...")]]
Format = Literal["stl", "obj", "ply", "glb", "3mf", "off", "binvox", "npy", "npz", "mat"]


def bad_usage(command: str, line: str) -> int:
    """Say what is missing, in one line; returns the exit code 2."""
    say(f"maquette {command}: {line}")
    return 2


def say(line: str) -> None:
    """Print a line on standard error, as it is: one that is to be copied is not wrapped."""
    print(line, file=sys.stderr, flush=True)


class UsageError(UserError):
    """A command was not typed as it is meant to be: exit code 2."""
