"""How words become values by tyro, with help that says only what helps, and errors of one line.

This module changes three things by tyro's own means (rules of a registry): `T | None` is shown as `T`, a default that
says nothing (`None`, `False`, empty) is not shown, and what does not fit is a UsageError. tyro takes a tenth of a
second to load: what can be read without it is (`plainly`).
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
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Union, get_args, get_type_hints

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, PositionalMetavarFromFieldName, Suppress, arg
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from maquette.cli.marks import Mark
from maquette.cli.options import UsageError
from maquette.cli.parsing import docs, unwrapped


class Missing(str):
    """What stands for a text that was not given, while a command is parsed."""


MISSING = Missing()


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


def read(command: Any, words: Sequence[str], prog: str, default: Any = None) -> tuple[Any, list[str]]:
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
        parsing: A value that is missing is let through as `MISSING`, so that the message is ours.
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
        plain, _ = unwrapped(kind)
        if parsing:
            if default is inspect.Parameter.empty:
                default = MISSING if plain is str else tyro.MISSING
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
    return [StructFieldSpec(name, _for_tyro(hints[name]), parameter.default, told.get(name))
            for name, parameter in inspect.signature(function).parameters.items()]


def _for_tyro(hint: Any) -> Any:
    """A type with what our mark says of it in tyro's own words."""
    kind, extras = unwrapped(hint)
    mark = next((extra for extra in extras if isinstance(extra, Mark)), None)
    if mark is None:
        return hint
    told = [arg(metavar=mark.metavar or None, name=mark.name)] if mark.metavar or mark.name is not None else []
    alone = get_args(Positional[int])[1:] if mark.positional else ()
    return Annotated[(kind, *told, *alone)] if told or alone else kind


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
