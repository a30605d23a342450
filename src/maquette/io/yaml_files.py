"""YAML files of strangers: plain values, no more of them than a recipe has room for, in one line what is wrong."""

import re
from pathlib import Path
from typing import Any

import yaml

from maquette.errors import UserError, one_line
from maquette.io.paths import usable

MAX_BYTES = 1 << 20
"""The largest file that is read."""
MAX_VALUES = 10_000
"""The most values of a file, those that aliases repeat counted each time."""
MAX_DEPTH = 20
"""The most mappings and lists inside of each other."""
_BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, yaml.YAMLError)
"""What PyYAML raises: its constructors raise anything for values of a tag that do not fit it."""


def read_yaml(path: str | Path) -> Any:
    """The plain values in a YAML file; `1e-4` is a number, as in YAML 1.2.

    Raises:
        UserError: Naming the file, when it cannot be read, is too large, or has more values or levels than the limits
            above: a few aliases may stand for millions of values.
    """
    path = usable(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES >> 20} MB")
        tree = yaml.load(data.decode("utf-8"), _Loader)  # noqa: S506 - a safe loader
        _check_extent(tree)
    except _BROKEN as error:
        raise UserError(f"{path} cannot be read as YAML: {_reason(error)}") from None
    return tree


def _reason(error: Exception) -> str:
    """What is wrong, in the words of whoever wrote the file."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, OSError):
        return error.strerror or one_line(error)
    return "a number in it has too many digits" if "integer string conversion" in str(error) else one_line(error)


class _Loader(yaml.SafeLoader):
    """Plain values only, and levels and merges (`<<`) that stay within the limits.

    PyYAML reads ahead in a time that grows with the square of the levels: 100,000 brackets take half a minute.
    """

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:
        """Takes a bracket that opens a list or a mapping."""
        _check_depth(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)

    def add_indent(self, column: int) -> bool:
        """Takes a step to the right, and whether it is one."""
        _check_depth(len(self.indents))
        return bool(super().add_indent(column))

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Puts in what a mapping is merged with."""
        super().flatten_mapping(node)
        if len(node.value) > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES:,} values")


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
                              list("-+0123456789"))


def _check_extent(tree: Any) -> None:
    """Raise ValueError for a tree with too many values or levels, or one that holds itself."""
    waiting, count = [(tree, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        _check_depth(depth)
        if count > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES:,} values")
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += [(inner, depth + 1) for inner in value]


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"its values are nested more than {MAX_DEPTH} deep")
