"""How words become the values of a command: tyro, with help that says only what helps, and errors of one line.

Each command is a function whose parameters are its options; a recipe is a dataclass whose fields are. tyro reads both.
This module changes three things by tyro's own means (rules of a registry): `T | None` is shown as `T`, a default that
says nothing (`None`, `False`, empty) is not shown, and what does not fit is a UsageError.
"""

import ast
import contextlib
import dataclasses
import difflib
import inspect
import io
import re
import shutil
import sys
import textwrap
import types
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro
from tyro.conf import FlagCreatePairsOff, PositionalMetavarFromFieldName, Suppress, arg
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from maquette.cli.options import UsageError
from maquette.errors import RenamedWarning

RENAMED = {"generate": {"--kind": "--class"}, "evaluate": {"--kind": "--class"},
           "data render images": {"--size": "--size-px"}}
"""Options of commands that had another name in an earlier release; read until 0.3. Those of recipes:
`maquette.renamed`."""


class _Missing(str):
    """What stands for a text that was not given, while a command is parsed."""


_MISSING = _Missing()


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
    words = _renamed(name, words)
    values, unknown = _read(command, words, f"maquette {name}")
    _refuse_unknown(unknown, [option.name for option in options_of(command) if not option.positional], name)
    for parameter, value in values.items():
        if value is _MISSING:
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
    return _read(kind, words, f"maquette train {name}", default)


def show_help(
    command: Any, prog: str, about: str, default: Any = None, shown: Callable[[Any, str], bool] = lambda *_: True,
    first: Sequence[StructFieldSpec] = (),
) -> None:
    """Print the help of a command or of a recipe, without examples.

    Args:
        command: A function or a dataclass.
        prog: What stands after `usage:`.
        about: What stands before the options.
        default: The values that are said to be the defaults; the type's own if left out.
        shown: Whether a key is shown, by the dataclass that it is in and its name.
        first: Options that stand before those of the dataclass.
    """
    registry, page = _registry(shown=shown, first=first), _Page()
    given = {} if default is None else {"default": default}
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(page):
        tyro.cli(command, args=["--help"], prog=prog, description="", registry=registry, **given)
    usage, _, options = page.getvalue().partition("\n\n")
    print(f"{usage}\n\n{_wrapped(about)}\n")
    before = ""
    for line in options.split("\n"):
        text = re.sub("\x1b\\[[0-9;]*m", "", line).rstrip()
        if re.match(" [a-z]", text):
            print(f"{before}{line.strip().replace('positional arguments', 'arguments')}")
            before = "\n"
        elif text.strip(" -"):  # no rules, and no line where a hint that is empty would stand
            print(line.rstrip())


class _Page(io.StringIO):
    """What is printed into it has colours where standard output has; without an encoding tyro draws no frames."""

    def isatty(self) -> bool:
        """Whether standard output is a terminal."""
        return sys.__stdout__ is not None and sys.__stdout__.isatty()


def _wrapped(text: str) -> str:
    """Paragraphs at the terminal's width; one that names a command stays as it is, to be copied."""
    wide = min(shutil.get_terminal_size().columns, 120)
    return "\n\n".join(part if "maquette " in part else textwrap.fill(_one_paragraph(part), wide)
                       for part in text.split("\n\n"))


def options_of(command: Callable[..., Any]) -> list[Option]:
    """The options and arguments of a command, those of a dataclass among its parameters in its place."""
    hints = get_type_hints(command, include_extras=True)
    found = []
    for parameter in inspect.signature(command).parameters:
        plain, extras = _unwrapped(hints[parameter])
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
    plain, extras = _unwrapped(hint)
    called = next((extra.name for extra in extras if getattr(extra, "name", None)), name)
    positional = any(extra is get_args(tyro.conf.Positional[int])[1] for extra in extras)
    flag = name if positional else "--" + called.replace("_", "-")
    metavar = next((extra.metavar for extra in extras if getattr(extra, "metavar", None)), name.upper())
    choices = next((get_args(part) for part in (plain, *get_args(plain)) if get_origin(part) is Literal), ())
    text, many = str in (plain, *get_args(plain)), get_origin(plain) is tuple
    return Option(name, flag, positional, plain is not bool, metavar, text, many, tuple(map(str, choices)))


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
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


def _read(command: Any, words: Sequence[str], prog: str, default: Any = None) -> tuple[Any, list[str]]:
    """What tyro reads, and the words that it does not know; UsageError in one line for what does not fit."""
    said = io.StringIO()
    given = {} if default is None else {"default": default}
    registry = _registry(parsing=True)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(_Page()):  # without an encoding: no frames
            return tyro.cli(command, args=list(words), prog=prog, description="", return_unknown_args=True,
                            add_help=False, registry=registry, **given)
    except SystemExit:
        raise _misfit(_without_frame(said.getvalue(), words)) from None


def _refuse_unknown(unknown: Sequence[str], known: Sequence[str], name: str) -> None:
    option = next((word for word in unknown if word.startswith("-") and word != "-"), None)
    if option is not None:
        option = option.partition("=")[0]
        close = difflib.get_close_matches(option, known, 1, 0.7)
        hint = f"did you mean '{close[0]}'?" if close else f"see maquette {name} --help"
        raise UsageError(f"unknown option '{option}'", hint=hint)
    if unknown:
        raise UsageError(f"{name} takes no further word", repr(unknown[0]), f"see maquette {name} --help")


def _misfit(message: str) -> UsageError:
    """What tyro says of a value that does not fit, in our own words."""
    if found := re.fullmatch(r"Error parsing (\S+?): invalid literal for int\(\) with base 10: (.*)", message):
        return UsageError(f"{found[1]} must be a whole number", found[2])
    if found := re.fullmatch(r"Error parsing (\S+?): could not convert string to float: (.*)", message):
        return UsageError(f"{found[1]} must be a number", found[2])
    if found := re.fullmatch(r"Missing value for argument '(\S+)'. Expected (\d+) values\.", message):
        return UsageError(f"{found[1]} needs {'a value' if found[2] == '1' else f'{found[2]} values'}")
    if found := re.fullmatch(r"invalid choice ('.*'|\".*\") for argument '(\S+)'. Expected one of (\(.*\))\.", message):
        choices = ast.literal_eval(found[3])
        close = difflib.get_close_matches(found[1][1:-1], choices, 1)
        known = ", ".join(choices[:-1]) + f" or {choices[-1]}" if len(choices) > 1 else choices[0]
        return UsageError(f"{found[2]} must be {known}", found[1], f"did you mean '{close[0]}'?" if close else "")
    return UsageError(message)


def _without_frame(box: str, words: Sequence[str]) -> str:
    """The message that tyro prints, on one line: what stands between the first two rules, without the heading.

    A long word that was broken at the end of a line is put together again, as it was typed.
    """
    parts = re.split(r"^\s*-{4,}\s*$", box, flags=re.M)
    message = " ".join((parts[1] if len(parts) > 1 else box).split())
    for typed in {part for word in words for part in (word, word.partition("=")[2]) if len(part) > 20}:
        message = re.sub(" ?".join(map(re.escape, typed)), typed.replace("\\", r"\\"), message)
    return message


def _registry(
    parsing: bool = False, shown: Callable[[Any, str], bool] = lambda *_: True, first: Sequence[StructFieldSpec] = (),
) -> ConstructorRegistry:
    """The rules: of options that may be left out, of functions, and of what help says of each option.

    Args:
        parsing: A value that is missing is let through as `_MISSING`, so that the message is ours.
        shown: As of `show_help`.
        first: As of `show_help`.
    """
    registry = ConstructorRegistry()
    inside = False  # the rule asks for tyro's own answer, and is not to be asked again meanwhile

    @registry.primitive_rule
    def may_be_left_out(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
        parts = get_args(info.type)
        if info.type_origin not in (Union, types.UnionType) or len(parts) != 2 or type(None) not in parts:
            return None
        inner = next(part for part in parts if part is not type(None))
        spec = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(inner, info.markers))
        if not isinstance(spec, PrimitiveConstructorSpec):
            return None
        return dataclasses.replace(
            spec,
            instance_from_str=lambda words: None if words == ["None"] else spec.instance_from_str(words),
            is_instance=lambda value: value is None or spec.is_instance(value),
            str_from_instance=lambda value: ["None"] if value is None else spec.str_from_instance(value),
        )

    @registry.struct_rule
    def as_help_says(info: StructTypeInfo) -> StructConstructorSpec | None:
        nonlocal inside
        if inside:
            return None
        if inspect.isfunction(info.type):
            return StructConstructorSpec(dict, tuple(told(field, info.type) for field in _fields(info.type)))
        if not dataclasses.is_dataclass(info.type):
            return None
        inside = True
        try:
            spec = ConstructorRegistry.get_struct_spec(_own_defaults(info))
        finally:
            inside = False
        if not isinstance(spec, StructConstructorSpec):
            return None
        before = first if any(dataclasses.is_dataclass(field.type) for field in spec.fields) else ()
        fields = tuple(told(field, info.type) for field in (*before, *spec.fields))
        return StructConstructorSpec(spec.instantiate, fields)

    def told(field: StructFieldSpec, owner: Any) -> StructFieldSpec:
        text, default = field.helptext, field.default
        kind: Any = field.type
        plain, _ = _unwrapped(kind)
        if parsing:
            if default is inspect.Parameter.empty:
                default = _MISSING if plain is str else tyro.MISSING
            return dataclasses.replace(field, default=default)
        whole = _one_paragraph(text() if callable(text) else text)
        extras: list[Any] = [PositionalMetavarFromFieldName, arg(help_behavior_hint=lambda label: _hint(label, whole))]
        if plain is bool and default is False:
            extras.append(FlagCreatePairsOff)
        if not shown(owner, field.name):
            extras.append(Suppress)
        if default is inspect.Parameter.empty:
            default = tyro.MISSING
        if not dataclasses.is_dataclass(plain):
            kind = Annotated[(kind, *extras)]
        return dataclasses.replace(field, type=kind, default=default, helptext=whole)

    return registry


def _fields(function: Callable[..., Any]) -> list[StructFieldSpec]:
    """The parameters of a function."""
    hints, told = get_type_hints(function, include_extras=True), docs(function).options
    return [StructFieldSpec(name, hints[name], parameter.default, told.get(name))
            for name, parameter in inspect.signature(function).parameters.items()]


def _own_defaults(info: StructTypeInfo) -> StructTypeInfo:
    """The same without a default instance that says no more than the type does.

    What a field is if left out may follow from the others: the heights of a pen from what lifts it.
    """
    fields = dataclasses.fields(info.type)
    if any(field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING for field in fields):
        return info
    return dataclasses.replace(info, default=tyro.MISSING_NONPROP) if info.default == info.type() else info


def _one_paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def _hint(label: str, text: str) -> str:
    """What is said of a default: nothing where it says nothing, or where the text says what happens if left out."""
    if label in ("", "''", "None", "False") or "left out" in text:
        return ""
    return "(default: on)" if label == "True" else f"(default: {label})"
