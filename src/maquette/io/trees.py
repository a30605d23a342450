"""YAML and JSON of strangers as plain values: no file is read beyond its limits of size, depth and repetition.

Everything that does not fit is an OSError or a ValueError with one line; whoever reads says which file it was.
"""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

YAML_BYTES, JSON_BYTES = 1 << 20, 64 << 20
"""The largest files that are read, in bytes."""
MAX_DEPTH = 32
"""Mappings and lists within each other, at most, in YAML."""
MAX_DIGITS = 40
"""Digits of a whole number, at most."""


def read_yaml(path: str | Path) -> Any:
    """The content of a YAML file: mappings, lists, texts, numbers, true, false and null; `1e-4` is a number, as in 1.2.

    Anchors and aliases (`&`, `*`) are refused, since a few lines of them stand for any amount of data.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no YAML of that kind, larger than `YAML_BYTES`, deeper than `MAX_DEPTH`, or has a number
            with more than `MAX_DIGITS` digits.
    """
    import yaml

    text = _text(path, YAML_BYTES)
    try:
        _check_events(text)
        return yaml.load(text, _loader())  # noqa: S506 - a safe loader
    except RecursionError:
        raise ValueError("its values are nested too deep") from None
    except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:  # its constructors raise anything
        raise ValueError(_line(error)) from None


def read_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no JSON, larger than `JSON_BYTES`, nested too deep, or has a number with more than
            `MAX_DIGITS` digits.
    """
    return json_value(_text(path, JSON_BYTES))


def json_value(text: str | bytes, once: bool = False) -> Any:
    """The value of a JSON text.

    Args:
        text: A byte order mark at its beginning is passed over.
        once: Refuse a name that an object gives twice.

    Raises:
        ValueError: As `read_json` does.
    """
    hook: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None = _once if once else None
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(plain, parse_int=_whole, object_pairs_hook=hook)
    except RecursionError:
        raise ValueError("its values are nested too deep") from None


def _text(path: str | Path, limit: int) -> str:
    with Path(path).open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"it is larger than {limit >> 20} MB")
    return data.decode("utf-8-sig")


def _check_events(text: str) -> None:
    """ValueError for anchors, aliases and depth, before anything is built of the text."""
    import yaml

    depth = 0
    for event in yaml.parse(text, _loader()):  # noqa: S506 - a safe loader
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError("anchors and aliases (& and *) are not read; write the values out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError("its values are nested too deep")


@cache
def _loader() -> Any:
    """Plain values only, and `1e-4` is a number, as in YAML 1.2."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Whole numbers with at most `MAX_DIGITS` digits."""

        def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
            if len(node.value) > MAX_DIGITS:
                raise ValueError(f"a number has {len(node.value):,} digits")
            return super().construct_yaml_int(node)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
                                 list("-+0123456789"))
    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    return Loader


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is given twice")
    return dict(pairs)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:297]}..."
