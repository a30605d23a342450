"""The one rule about files that are there already, for every command.

1. No command writes over one of its own inputs, whatever it is called by: another spelling, a link, a hard link.
2. No command replaces an older result, unless `--overwrite` says so. What it finds in the way it says before it works.
3. Folders that the program made for itself and knows again (a prepared dataset, a run, a loop, a cache) are kept up to
   date in place; what is shown to a person there (`sheet.png`, `curves.png`) is said to be replaced.

The command line sets the rule up around a command with `guard`, readers that find files in folders name them with
`keep`, and `atomic_path`, through which all results are written, asks `check_free`. From Python, without a guard, files
are replaced as usual.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from maquette.errors import UserError
from maquette.io.paths import shown

_Identity = tuple[int, int]


@dataclass
class Guard:
    """What one command may not write over, and what it replaced."""

    overwrite: bool
    """Whether older results may be replaced."""
    inputs: dict[_Identity, str] = field(default_factory=dict)
    """The files that the command reads, by device and inode."""
    folders: dict[_Identity, str] = field(default_factory=dict)
    """The folders that the command reads: what is in them stays."""
    own: dict[str, bool] = field(default_factory=dict)
    """Folders that the program keeps up to date itself, and whether replacing something there is told."""
    made: set[_Identity] = field(default_factory=set)
    """What the command itself has written."""
    replaced: list[str] = field(default_factory=list)
    """What it replaced without being asked to, in folders of its own."""


_guard: ContextVar[Guard | None] = ContextVar("guard", default=None)


@contextmanager
def guard(inputs: Iterable[str | Path], overwrite: bool) -> Iterator[Guard]:
    """Within it, files are written by the rule of this module.

    Args:
        inputs: Files and folders that the command was given; what is no file or folder is passed over.
        overwrite: Whether older results may be replaced.
    """
    found = Guard(overwrite)
    token = _guard.set(found)
    try:
        keep(*inputs)
        yield found
    finally:
        _guard.reset(token)


def keep(*paths: str | Path) -> None:
    """Say that these files and folders are inputs: nothing is written over them."""
    rule = _guard.get()
    if rule is None:
        return
    for path in paths:
        identity = _identity(path)
        if identity is not None:
            where = rule.folders if os.path.isdir(path) else rule.inputs
            where.setdefault(identity, str(path))


def own(folder: str | Path, told: bool = False) -> None:
    """Say that a folder is one that the program made and keeps up to date; it may not be there yet.

    Args:
        folder: The folder; folders in it too.
        told: Whether the user is told what is replaced there.
    """
    rule = _guard.get()
    if rule is not None:
        rule.own[str(folder)] = told


def check_free(*paths: str | Path) -> None:
    """Raise UserError unless all these files may be written. To be asked before the work, not after it."""
    rule = _guard.get()
    if rule is None:
        return
    for path in map(Path, paths):
        identity = _identity(path)
        if identity is None or identity in rule.made or os.path.isdir(path):
            continue  # a folder in the way is told by whoever writes
        if identity in rule.inputs:
            raise UserError(f"{shown(path)} is an input of this command and is not written over",
                            hint="choose another name")
        if _told(rule, path) is not None:
            continue
        if _identity(path.absolute().parent) in rule.folders:
            raise UserError(f"{shown(path)} lies in an input folder of this command and is not written over",
                            hint="choose another folder")
        if not rule.overwrite:
            raise UserError(f"{shown(path)} is there already", hint="--overwrite replaces it, another name keeps it")


def about_to_replace(path: Path) -> None:
    """Take note of a file that is replaced in a folder of the program's own."""
    rule = _guard.get()
    if rule is None or (identity := _identity(path)) is None or identity in rule.made:
        return
    if _told(rule, path):
        rule.replaced.append(str(path))


def wrote(path: Path) -> None:
    """Take note of a file that the command has written: it may write it again."""
    rule = _guard.get()
    if rule is not None and (identity := _identity(path)) is not None:
        rule.made.add(identity)


def _told(rule: Guard, path: Path) -> bool | None:
    """Whether replacing a file in one of the program's own folders is told; None for a file that is in none."""
    own = {_identity(folder): told for folder, told in rule.own.items()}
    homes = {_identity(home) for home in path.absolute().parents} & own.keys() - {None}
    return any(own[home] for home in homes) if homes else None


def _identity(path: str | Path) -> _Identity | None:
    """What a file is, whatever it is called; None where there is none."""
    try:
        state = os.stat(path)
    except (OSError, ValueError):  # not there, or no name that a file can have: told by whoever reads or writes it
        return None
    return state.st_dev, state.st_ino
