"""What a command's words mean: its docstring, its options, and the values of its parameters, with errors of one line.

Each command is a function whose parameters are its options; a recipe is a dataclass whose fields are. What is typed as
it usually is, is read by `plainly`; tyro reads all else, and all recipes (`tyro_parsing`).
"""

import dataclasses
import difflib
import inspect
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from maquette.cli.options import UsageError
from maquette.cli.plainly import read_plainly
from maquette.errors import RenamedWarning

RENAMED = {"generate": {"--kind": "--class"}, "evaluate": {"--kind": "--class"},
           "data render images": {"--size": "--size-px"}}
"""Options of commands that had another name in an earlier release; read until 0.3. Those of recipes:
`maquette.renamed`."""


@dataclass(frozen=True)
class Docs:
    """The parts of a command's docstring."""

    about: str
    """What it does: the first line, then more."""
    options: dict[str, str]
    """What each parameter is."""
    examples: tuple[str, ...]
    """Commands that work as typed."""

    @property
    def line(self) -> str:
        """The first line."""
        return self.about.partition("\n")[0]


@dataclass(frozen=True)
class Option:
    """One option or argument of a command, as completion and hints need it."""

    parameter: str
    """`size_mm`."""
    name: str
    """`--size-mm`; of an argument, its parameter's name."""
    positional: bool
    takes_value: bool
    """False for `--preview`."""
    metavar: str = ""
    """What stands for an argument in help."""
    text: bool = False
    """Whether its values are texts, which may name files."""
    many: bool = False
    """Whether it takes any number of values."""
    choices: tuple[str, ...] = ()
    """What can be said, where that is known."""


def docs(command: Callable[..., Any]) -> Docs:
    """The docstring of a command, taken apart."""
    text = inspect.getdoc(command) or ""
    head, *sections = re.split(r"^(Args|Examples):\n", text, flags=re.M)
    found = dict(zip(sections[::2], sections[1::2], strict=True))
    options: dict[str, str] = {}
    name = ""
    for line in found.get("Args", "").splitlines():
        start = re.match(r"    (\w+): (.*)", line)
        if start:
            name, options[start[1]] = start[1], start[2]
        elif name and line.strip():
            options[name] += f" {line.strip()}"
    examples = tuple(line.strip() for line in found.get("Examples", "").splitlines() if line.strip())
    return Docs(head.strip(), options, examples)


def parsed(command: Callable[..., Any], words: Sequence[str], name: str) -> dict[str, Any]:
    """The values of a command's parameters.

    Args:
        command: A function; its parameters and its docstring are the options.
        words: What was typed after the command's name.
        name: The command's name.

    Raises:
        UsageError: For words that do not fit, and for a value that is missing.
    """
    words = with_bare(command, _renamed(name, words))
    plain = read_plainly(command, words)
    if plain is not None:
        return plain
    from maquette.cli import tyro_parsing

    values, unknown = tyro_parsing.read(command, words, f"maquette {name}")
    _refuse_unknown(unknown, [option.name for option in options_of(command) if not option.positional], name)
    for parameter, value in values.items():
        if value is tyro_parsing.MISSING:
            option = _option(parameter, get_type_hints(command, include_extras=True)[parameter])
            called = option.metavar if option.positional else option.name
            raise UsageError(f"{name} needs {called}", hint=f"see maquette {name} --help")
    return values


def read_recipe(kind: Any, words: Sequence[str], default: Any, name: str) -> tuple[Any, list[str]]:
    """A recipe with `--key value` of the command line in place, and the words that were no key.

    Args:
        kind: The recipe's type.
        words: What was typed after the recipe's name.
        default: The recipe.
        name: The recipe's name.
    """
    from maquette.cli import tyro_parsing

    return tyro_parsing.read(kind, words, f"maquette train {name}", default)


def options_of(command: Callable[..., Any]) -> list[Option]:
    """The options and arguments of a command, those of a dataclass among its parameters in its place."""
    hints = get_type_hints(command, include_extras=True)
    found = []
    for parameter in inspect.signature(command).parameters:
        plain, extras = unwrapped(hints[parameter])
        if dataclasses.is_dataclass(plain):
            inner = get_type_hints(plain, include_extras=True)
            found += [_option(key.name, inner[key.name]) for key in dataclasses.fields(plain)]
        else:
            found.append(_option(parameter, hints[parameter]))
    return found


def option_of(name: str, kind: Any) -> Option:
    """The option of one key of a recipe: `train.steps`, and its type."""
    return _option(name, kind)


def _option(name: str, hint: Any) -> Option:
    plain, extras = unwrapped(hint)
    called = next((extra.name for extra in extras if getattr(extra, "name", None)), name)
    positional = any(getattr(extra, "positional", False) for extra in extras)
    flag = name if positional else "--" + called.replace("_", "-")
    metavar = next((extra.metavar for extra in extras if getattr(extra, "metavar", None)), name.upper())
    choices = next((get_args(part) for part in (plain, *get_args(plain)) if get_origin(part) is Literal), ())
    text, many = str in (plain, *get_args(plain)), get_origin(plain) is tuple
    return Option(name, flag, positional, plain is not bool, metavar, text, many, tuple(map(str, choices)))


def unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without `Annotated`, and what was annotated."""
    return (get_args(hint)[0], hint.__metadata__) if get_origin(hint) is Annotated else (hint, ())


def _renamed(command: str, words: Sequence[str]) -> list[str]:
    """The words under today's names; warns of an old one."""
    names, now = RENAMED.get(command, {}), []
    for word in words:
        option, equals, value = word.partition("=")
        if option in names:
            warnings.warn(RenamedWarning(f"{option} is called {names[option]} now"), stacklevel=2)
        now.append(names.get(option, option) + equals + value)
    return now


def with_bare(command: Callable[..., Any], words: Sequence[str]) -> list[str]:
    """The words with the value of each option that was named without one and may be; `--no-preview` is `no`."""
    bare = {}
    for parameter, hint in get_type_hints(command, include_extras=True).items():
        plain, extras = unwrapped(hint)
        value = next((extra.bare for extra in extras if getattr(extra, "bare", "")), "")
        if value:
            bare["--" + parameter.replace("_", "-")] = value, get_args(plain)
    made: list[str] = []
    for number, word in enumerate(words):
        after = words[number + 1] if number + 1 < len(words) else ""
        denied = f"--{word.removeprefix('--no-')}" if word.startswith("--no-") else ""
        if denied in bare:
            made += [denied, "no"]
        elif word in bare and after not in bare[word][1]:
            made += [word, bare[word][0]]
        else:
            made.append(word)
    return made


def _refuse_unknown(unknown: Sequence[str], known: Sequence[str], name: str) -> None:
    option = next((word for word in unknown if word.startswith("-") and word != "-"), None)
    if option is not None:
        option = option.partition("=")[0]
        close = difflib.get_close_matches(option, known, 1, 0.7)
        hint = f"did you mean '{close[0]}'?" if close else f"see maquette {name} --help"
        raise UsageError(f"unknown option '{option}'", hint=hint)
    if unknown:
        raise UsageError(f"{name} takes no further word", repr(unknown[0]), f"see maquette {name} --help")
