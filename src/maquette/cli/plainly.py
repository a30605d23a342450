"""Words that are as a command's page says, read without tyro, whose loading takes longer than many a command's work.

What is typed otherwise (`--size=80`, an option twice, a value that does not fit, a group of options that is a
dataclass) is not read here: tyro reads it, or says what is wrong. What is read here, tyro reads to the same values
(tests/cli/test_plainly.py).
"""

import inspect
import re
import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from maquette.cli.marks import Mark

_UNREAD = object()
_NUMBER = {int: r"\d{1,15}", float: r"\d{1,15}(\.\d{1,15})?"}


def read_plainly(command: Callable[..., Any], words: Sequence[str]) -> dict[str, Any] | None:
    """The values of a command's parameters, in their order; None where tyro has to read the words.

    Args:
        command: A function.
        words: What was typed after its name.
    """
    hints, defaults = get_type_hints(command, include_extras=True), inspect.signature(command).parameters
    options: dict[str, tuple[str, Any]] = {}
    alone: list[tuple[str, Any]] = []
    for parameter in defaults:
        kind, mark = _taken_apart(hints[parameter])
        if mark.positional:
            alone.append((parameter, kind))
        else:
            options[f"--{(mark.name or parameter).replace('_', '-')}"] = parameter, kind
    given: dict[str, Any] = {}
    left, words_alone, at = list(words), list[str](), 0
    while at < len(left):
        if left[at] == "-" or not left[at].startswith("-"):
            if words_alone:  # those that stand alone stand together
                return None
            while at < len(left) and (left[at] == "-" or not left[at].startswith("-")):
                words_alone.append(left[at])
                at += 1
            continue
        if left[at] not in options:
            return None
        parameter, kind = options[left[at]]
        if parameter in given:
            return None
        at += 1
        taken = 0
        if kind is not bool:
            while at + taken < len(left) and not left[at + taken].startswith("-"):
                taken += 1
            if get_origin(kind) is not tuple:
                taken = min(taken, 1)
            elif left[at + taken : at + taken + 1] == ["-"]:  # one value more, or the first word that stands alone
                return None
        given[parameter] = True if kind is bool else _value(kind, left[at : at + taken])
        at += taken
        if kind is bool and defaults[parameter].default is not False:
            return None
    for number, (parameter, kind) in enumerate(alone):
        rest = words_alone if number == len(alone) - 1 else words_alone[:1]
        words_alone = words_alone[len(rest):]
        if rest:
            given[parameter] = _value(kind, rest)
    values = {name: given.get(name, parameter.default) for name, parameter in defaults.items()}
    known = all(value is not _UNREAD and value is not inspect.Parameter.empty for value in values.values())
    return values if known and not words_alone else None


def _taken_apart(hint: Any) -> tuple[Any, Mark]:
    """A parameter's type, and what is said of it."""
    if get_origin(hint) is Annotated:
        return get_args(hint)[0], next((extra for extra in hint.__metadata__ if isinstance(extra, Mark)), Mark())
    return hint, Mark()


def _value(kind: Any, words: list[str]) -> Any:
    """The value of words; `_UNREAD` where they do not plainly fit."""
    if get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,):
        found = tuple(_value(get_args(kind)[0], [word]) for word in words)
        return _UNREAD if not found or _UNREAD in found else found
    if len(words) != 1 or not words[0] or words[0] == "None":
        return _UNREAD
    if get_origin(kind) in (Union, types.UnionType):
        inner = [part for part in get_args(kind) if part is not type(None)]
        return _value(inner[0], words) if len(inner) == 1 and len(get_args(kind)) == 2 else _UNREAD
    if get_origin(kind) is Literal:
        return words[0] if words[0] in get_args(kind) else _UNREAD
    if kind in _NUMBER:
        return kind(words[0]) if re.fullmatch(_NUMBER[kind], words[0], re.ASCII) else _UNREAD
    return words[0] if kind is str else _UNREAD
