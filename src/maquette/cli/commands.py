"""The command line: the table of all commands, and how one is found and run.

The module of a command is imported when it is asked for, and heavy ones inside the commands' bodies. Exit codes: 0
done, 1 failed, 2 bad usage. Results go to standard output, progress and messages to standard error; with `--json`
standard output carries one JSON document and nothing else.

The table is written by hand, not tyro's SubcommandApp: there a word is a command or a group of them, and `evaluate` and
`data prepare` are both; and it reads the signatures of all commands before it runs one.
"""

import gc
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from maquette.cli.options import UsageError, check_names, inputs_among, none_there, say
from maquette.cli.parsing import parsed
from maquette.errors import PlainWarning, RenamedWarning, UserError
from maquette.io.replacing import guard

Command = Callable[..., int]

_PLACES: dict[str, dict[str, str]] = {
    "Make objects": {
        "reconstruct": "reconstruction.reconstruct",
        "complete": "reconstruction.complete",
        "generate": "generation.generate",
        "relief": "drawing.relief",
        "interpolate": "latents.interpolate",
        "combine": "latents.combine",
        "project": "latents.project",
        "suggest": "latents.suggest",
    },
    "Draw and plot": {
        "pickup": "drawing.pickup",
        "draw": "plotting.draw",
        "plot": "plotting.plot",
        "loop": "loop.loop",
    },
    "Research": {
        "train": "train.train",
        "doctor": "runs.doctor",
        "evaluate": "evaluation.evaluate",
        "evaluate study make": "evaluation.study_make",
        "evaluate study score": "evaluation.study_score",
    },
    "Data": {
        "data prepare": "data.data_prepare",
        "data prepare images": "data.data_prepare_images",
        "data render": "data.data_render",
        "data render images": "data.data_render_images",
        "data show": "data.data_show",
        "data audit": "data.data_audit",
    },
    "Models and runs": {
        "models list": "runs.models_list",
        "models show": "runs.models_show",
        "models push": "runs.models_push",
        "models export": "runs.models_export",
        "runs list": "runs.runs_list",
        "runs show": "runs.runs_show",
        "runs pack": "runs.runs_pack",
    },
    "Other": {
        "studio": "studio.studio",
        "demo": "reconstruction.demo",
        "examples": "examples.examples",
    },
}
"""The first page: headings, and below each the names of commands, and the modules and functions where they are."""


class _Commands(Mapping[str, Command]):
    """Commands by name; a module is imported when one of its commands is asked for."""

    def __init__(self, places: Mapping[str, str]):
        self._places = places

    def __getitem__(self, name: str) -> Command:
        module, _, function = self._places[name].partition(".")
        return getattr(importlib.import_module(f"maquette.cli.{module}"), function)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


GROUPS = {heading: _Commands(places) for heading, places in _PLACES.items()}
"""Headings, and below each the commands."""
COMMANDS = _Commands({name: place for places in _PLACES.values() for name, place in places.items()})
HELP = ("-h", "--help")
AT_ONCE = ("reconstruct", "complete", "generate", "relief", "pickup")
"""Commands that are done before threads for their small matrices would have started."""


def main(argv: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    before = signal.signal(signal.SIGTERM, _interrupt)  # so that worker processes and half files are cleared away
    try:
        with renamings_in_a_line():
            code = run(arguments)
    except UserError as error:
        say("; ".join([f"maquette: {error}", *getattr(error, "__notes__", ())]))
        code = 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt as stopped:
        say("; ".join(["maquette: stopped", *_notes(stopped)]))
        code = 130
    except BrokenPipeError as gone:
        if notes := _notes(gone):
            say("maquette: " + "; ".join(notes))
        code = 0
    finally:
        signal.signal(signal.SIGTERM, before)
    if argv is None:
        gc.freeze()  # the program ends: Python need not look for what could be let go
    sys.exit(code)


def _notes(problem: BaseException | None) -> list[str]:
    """What was noted on an ending and on those that it came into the way of, as what became of a plotter's pen."""
    notes: list[str] = []
    while problem is not None:
        notes += [note for note in getattr(problem, "__notes__", ()) if note not in notes]
        problem = problem.__context__
    return notes


def run(arguments: list[str]) -> int:
    """Find the command, parse its options, run it; returns the exit code."""
    if not arguments or arguments[0] in (*HELP, "help"):
        from maquette.cli.help import overview

        print(overview(GROUPS))
        return 0 if arguments else 2
    if arguments[0].startswith("-"):
        return _about_itself(*arguments)
    name, rest = split(arguments)
    if name in groups() and name not in COMMANDS:
        from maquette.cli.help import overview

        print(overview(GROUPS, name))
        return 0 if rest else 2
    if name not in COMMANDS:
        import difflib

        close = difflib.get_close_matches(name, COMMANDS, 1)
        say(f"maquette: no command '{name}'" + (f"; did you mean '{close[0]}'?" if close else "; see maquette --help"))
        return 2
    if name in AT_ONCE:
        _load_for_one_thread()
    command = COMMANDS[name]
    if name == "train":
        return command(rest)
    if any(word in HELP for word in rest):
        from maquette.cli.help import command_help

        command_help(command, name)
        return 0
    values = parsed(command, rest, name)
    check_names(values)
    if none_there(values):
        return 1
    with guard(filter(None, inputs_among(values)), values.pop("overwrite", True)) as rule:
        code = command(**values) or 0
    for path in rule.replaced:
        say(f"replaced {path}")
    return code


def split(arguments: list[str]) -> tuple[str, list[str]]:
    """The longest command that the arguments begin with, and what follows it.

    Or a group of commands with nothing but a call for help, or what was meant for a command.
    """
    known, count = groups(), 1
    while (name := " ".join(arguments[:count])) in known and count < len(arguments):
        longer = " ".join(arguments[: count + 1])
        if longer not in COMMANDS and longer not in known:
            if name not in COMMANDS and arguments[count] not in HELP:
                return longer, arguments[count + 1 :]
            break
        count += 1
    return name, arguments[count:]


def groups() -> set[str]:
    """The words that stand before commands: `data`, `evaluate study`."""
    return {" ".join(words[:count]) for words in map(str.split, COMMANDS) for count in range(1, len(words))}


@contextmanager
def renamings_in_a_line() -> Iterator[None]:
    """Within it, an old name that is still read, or what was done otherwise than asked, is one plain line, told once.

    It goes to standard error.
    """
    told: set[str] = set()

    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], filename: str, lineno: int,
                 file: TextIO | None = None, line: str | None = None) -> None:
            if not issubclass(category, RenamedWarning | PlainWarning):
                usual(message, category, filename, lineno, file, line)
            elif str(message) not in told:
                told.add(str(message))
                from maquette.cli.console import tell

                tell(f"maquette: {message}")

        warnings.simplefilter("always", RenamedWarning)
        warnings.simplefilter("always", PlainWarning)
        warnings.showwarning = show
        yield


def _about_itself(option: str, *words: str) -> int:
    """`maquette --version`, and completion."""
    if option == "--version":
        from maquette import __version__

        print(f"maquette {__version__}")
    elif option == "--install-completion":
        from maquette.cli.completion import install

        for line in install(*words[:1]):
            print(line)
    elif option == "--show-completion":
        from maquette.cli.completion import script

        print(script(*words[:1]), end="")
    elif option == "--complete":
        from maquette.cli.completion import complete

        for line in complete(list(words), COMMANDS, COMMANDS["train"]):
            print(line)
    else:
        raise UsageError(f"unknown option '{option}'", hint="see maquette --help")
    return 0


def _load_for_one_thread() -> None:
    """Load NumPy so that OpenBLAS, which it multiplies matrices by, starts no threads; unless the user says how many.

    It starts one for each further processor when it is loaded, and asks for this variable then alone.
    """
    if "OPENBLAS_NUM_THREADS" in os.environ or "numpy" in sys.modules:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ["OPENBLAS_NUM_THREADS"]


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
