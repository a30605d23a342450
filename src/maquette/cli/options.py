"""Options that several commands share, and how a command says that it was used wrongly."""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

from maquette.cli.marks import Mark
from maquette.errors import UserError
from maquette.io.paths import nameable, usable

Inputs = Annotated[tuple[str, ...], Mark(metavar="INPUT...", positional=True)]
Preview = Annotated[Literal["no", "png", "html"], Mark(bare="png")]
Format = Literal["stl", "obj", "ply", "glb", "3mf", "off", "binvox", "npy", "npz", "mat"]

OUTPUTS = ("out", "fix", "json", "cache", "to", "export")
"""Parameters that name what is written, or what is kept between calls; all others name what is read."""
NO_FILES = ("to", "page", "margin", "device", "port", "size", "crop", "terms", "class_name", "classes", "kinds", "best",
            "name", "expression", "preview")
"""Parameters whose texts name no file."""
Command = TypeVar("Command", bound=Callable[..., Any])


def writes(command: Command) -> Command:
    """Give a command that writes results the option --overwrite (see `maquette.io.replacing`).

    The command itself does not get its value: whoever runs it sets the rule up around it.
    """
    signature = inspect.signature(command)
    own = inspect.Parameter("overwrite", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=bool)
    others = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) if name == "json" else parameter
              for name, parameter in signature.parameters.items()]
    command.__signature__ = signature.replace(parameters=sorted([*others, own], key=_last))  # type: ignore[attr-defined]
    command.__annotations__["overwrite"] = bool
    told = "        overwrite: Replace results that are there already; inputs never are.\n"
    before = "        json: " if "json" in signature.parameters else "\n    Examples:"
    command.__doc__ = (command.__doc__ or "").replace(before, told + before, 1)
    return command


def _last(parameter: inspect.Parameter) -> int:
    """Options that every command has stand last: overwrite, then json."""
    return {"overwrite": 1, "json": 2}.get(parameter.name, 0)


def inputs_among(values: Mapping[str, Any]) -> Iterator[str]:
    """The words among a command's values that may name a file or a folder that it reads.

    Args:
        values: By the names of the command's parameters.
    """
    for name, value in values.items():
        if name not in OUTPUTS:
            yield from [value] if isinstance(value, str) else (
                word for word in value if isinstance(word, str)) if isinstance(value, tuple) else ()


def check_names(values: Mapping[str, Any]) -> None:
    """Raise UserError for a word that should name a file or a folder and that no file can be called.

    Where a command takes several inputs, it tells the bad ones itself and does the others.

    Args:
        values: By the names of the command's parameters.
    """
    for name, value in values.items():
        if isinstance(value, str) and name not in NO_FILES:
            nameable(value)


def none_there(values: Mapping[str, Any]) -> bool:
    """Say of each input that there is no such file, where that is so of all of them; before anything is loaded.

    Where some are there, the command tells the bad ones itself and does the others. Words with a colon (`camera:0`,
    `furniture:chair:7`) and `-` name no file.

    Args:
        values: By the names of the command's parameters; `inputs` or `start` are looked at.

    Returns:
        Whether there is nothing to do.
    """
    given = values.get("inputs") or values.get("drawings") or (() if values.get("resume") else values.get("start", ()))
    words = [given] if isinstance(given, str) else list(given)
    if not words or not all(_is_missing(word) for word in words):
        return False
    reasons = [f"{word} does not exist; check the name of the file" for word in words]
    for reason in reasons:
        say(f"maquette: {reason}")
    if values.get("json"):
        print(json.dumps([{"input": word, "error": reason} for word, reason in zip(words, reasons, strict=True)],
                         indent=1))
    return True


def _is_missing(word: str) -> bool:
    try:
        return word != "-" and ":" not in word and not usable(word).exists()
    except UserError:  # a name that no file can have; the command says which
        return False


def bad_usage(command: str, line: str) -> int:
    """Say what is missing, in one line; returns the exit code 2."""
    say(f"maquette {command}: {line}")
    return 2


def say(line: str) -> None:
    """Print a line on standard error, not wrapped, since it is to be copied; line ends in names are shown as marks."""
    print(re.sub(r"[\x00-\x1f\x7f]", lambda found: repr(found[0])[1:-1], line), file=sys.stderr, flush=True)


class UsageError(UserError):
    """A command was not typed as it is meant to be: exit code 2."""
