"""A dataset folder written in parts: groups of rows, each whole or not there, then put in the form of `datasets`.

The groups lie in `OUT/.parts/` under their final names. When all are there they are moved into place and described,
which copies nothing; so a stopped preparation goes on where it was.
"""

import errno
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from maquette.datasets.arrow import Features, Schema
from maquette.datasets.item import is_left_out
from maquette.datasets.workers import WorkerDied, map_unordered
from maquette.errors import UserError
from maquette.extras import require
from maquette.io.atomic import atomic_path, write_bytes
from maquette.io.lock import InUse, locked
from maquette.io.trees import read_json

MAX_COUNT = 1_000_000
"""Shapes of one dataset that can be asked for, at most."""
PARTS = ".parts"
"""The folder, in that of the dataset, of the groups that are finished."""

Row: TypeAlias = dict[str, Any]
"""A row by the names of its columns."""
Rows: TypeAlias = tuple[list[Row], None] | tuple[None, str]
"""(rows, None) made of one item, or (None, why there are none)."""
Skip: TypeAlias = tuple[str, str]
"""(id, reason) of an item that gave no rows."""


@runtime_checkable
class Named(Protocol):
    """Anything with an id: an item of a source, an image of a folder."""

    @property
    def id(self) -> str:
        """Its name in messages."""


NamedItem = TypeVar("NamedItem", bound=Named)


@dataclass(frozen=True)
class Group:
    """A complete group, ready to be written."""

    name: str
    """`train-00003`."""
    rows: list[Row]
    skipped: list[Skip]


@dataclass(frozen=True)
class Finished:
    """The result of a preparation: the dataset is whole."""

    path: Path
    """The folder."""
    count: int
    """Rows of the dataset."""
    skipped: tuple[Skip, ...]
    """(id, reason) of what is not in it, whether this run or an earlier one skipped it."""

    @property
    def failed(self) -> tuple[Skip, ...]:
        """What is missing though it was wanted: all that was skipped but what its source leaves out on purpose."""
        return tuple((id, reason) for id, reason in self.skipped if not is_left_out(id, reason))


@contextmanager
def claimed(out: Path, fingerprint: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Within it, the folder of a dataset is this preparation's alone.

    It is made with its folder for parts, or checked to belong to this preparation.

    Args:
        out: The folder of the dataset.
        fingerprint: A hash of everything that decides the rows.
        options: By name, for the message when another preparation has the folder; values as JSON has them.

    Raises:
        InUse: If another command works on it now.
        UserError: If the folder holds something else.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file, not a folder", hint="choose another name for the dataset")
    if out.is_dir() and not (out / PARTS).is_dir() and any(out.iterdir()):
        raise UserError(f"{out} is not empty", hint="choose a new folder for the dataset")
    with _locked(out):
        _claim(out, fingerprint, options)
        yield


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """The lock on a dataset's folder, in its folder for parts, which is removed in the end."""
    try:
        with locked(out / PARTS):
            yield
    except InUse as error:
        raise InUse(f"another command prepares {out} now", error.got, error.hint) from None


def _claim(out: Path, fingerprint: str, options: Mapping[str, Any]) -> None:
    note = out / PARTS / "options.json"
    if note.is_file():
        try:
            begun = read_json(note)
            same = begun["fingerprint"] == fingerprint
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            begun, same = {}, False
        if not same:
            differ = [f"{name} {begun[name]} there and {value} here" for name, value in options.items()
                      if name in begun and begun[name] != value]
            raise UserError(f"{out} holds a preparation that was begun with other options",
                            "; ".join(differ) or "another source", "give the same options, or delete the folder")
        return
    if any(entry.name != PARTS for entry in out.iterdir()):
        raise UserError(f"{out} is not empty", hint="choose a new folder for the dataset")
    write_bytes(note, json.dumps({"fingerprint": fingerprint, **options}).encode())


def unfinished_groups(
    parts: Path, groups: Mapping[str, list[NamedItem]]
) -> tuple[list[tuple[str, list[NamedItem]]], int]:
    """The groups that are not written yet, with their names, and how many items the written ones have."""
    done, unfinished = 0, []
    for name, group in groups.items():
        if _note(parts, name) is not None and (parts / f"{name}.arrow").is_file():
            done += len(group)
        else:
            unfinished.append((name, group))
    return unfinished, done


def _note(parts: Path, name: str) -> dict[str, Any] | None:
    """What was written of a group; None where it is not whole: it is made again."""
    try:
        note = read_json(parts / f"{name}.json")
        rows, skipped = note["rows"], [(str(id), str(why)) for id, why in note["skipped"]]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return {"rows": rows, "skipped": skipped} if isinstance(rows, int) and rows >= 0 else None


def make_groups(
    groups: list[tuple[str, list[NamedItem]]], make: Callable[[NamedItem], Rows], workers: int
) -> Iterator[tuple[NamedItem, str | None, Group | None]]:
    """Makes the rows of the groups' items, in any order; the rows of a group are in the order of its items.

    Args:
        groups: Names and items.
        make: Makes the rows of one item; a function of a module or a functools.partial of one.
        workers: Processes; 1 works in this process.

    Yields:
        Each item, why it was skipped or None, and the group that it completes or None.

    Raises:
        UserError: When no worker process lives; one that dies of an item skips that item.
    """
    waiting = {name: len(group) for name, group in groups}
    rows: dict[str, dict[int, list[Row]]] = {name: {} for name in waiting}
    skips: dict[str, list[Skip]] = {name: [] for name in waiting}
    jobs = (((name, place, item), item) for name, group in groups for place, item in enumerate(group))
    workers = min(workers, max(1, sum(waiting.values())))
    for (name, place, item), (made, reason) in map_unordered(make, jobs, workers, "what is done is kept", _died):
        if made is not None:
            rows[name][place] = made
        else:
            skips[name].append((item.id, str(reason)))
        waiting[name] -= 1
        ready = None
        if not waiting[name]:
            done = rows.pop(name)
            ready = Group(name, [row for k in sorted(done) for row in done[k]], skips.pop(name))
        yield item, reason, ready


def _died(item: Named, why: WorkerDied) -> Rows:
    return None, f"{item.id}: {why}"


def write_group(parts: Path, group: Group, schema: Schema) -> None:
    """Writes a group under its name: its rows, then the note that says that they are whole.

    Raises:
        UserError: If it cannot be written.
    """
    import pyarrow as pa

    try:
        with atomic_path(parts / f"{group.name}.arrow") as unfinished:
            with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
                stream.write_table(pa.Table.from_pylist(group.rows, schema=schema))
    except pa.ArrowException as error:
        raise UserError(f"cannot write {parts / group.name}", error) from error
    note = json.dumps({"rows": len(group.rows), "skipped": group.skipped})
    write_bytes(parts / f"{group.name}.json", note.encode())


def assemble(
    out: Path, groups: Sequence[str], columns: Features, fingerprint: str, nothing: str
) -> tuple[dict[str, int], tuple[Skip, ...]]:
    """Moves the written groups to where `datasets` expects them, and describes them.

    Args:
        out: The folder of the dataset.
        groups: The names of all groups, of the form `train-00003`.
        columns: The columns of the rows.
        fingerprint: Of the preparation.
        nothing: What could not be prepared where all was skipped, for the message: "no shape".

    Returns:
        The rows of each split that has any, and what was skipped.

    Raises:
        UserError: If everything was skipped, and if the disk is full.
    """
    require("datasets", "train")
    from datasets import Dataset, DatasetDict

    parts = out / PARTS
    notes = {name: _note(parts, name) or {"rows": 0, "skipped": []} for name in groups}
    skipped: tuple[Skip, ...] = tuple((id, why) for note in notes.values() for id, why in note["skipped"])
    counts = {"train": 0, "test": 0}
    files: dict[str, list[str]] = {"train": [], "test": []}
    for name, note in notes.items():
        if note["rows"]:
            counts[name.split("-")[0]] += note["rows"]
            files[name.split("-")[0]].append(name)
    counts = {split: n for split, n in counts.items() if n}
    if not counts:
        reason = f"{skipped[0][0]}: {skipped[0][1]}" if skipped else "the source is empty"
        shutil.rmtree(parts, ignore_errors=True)
        raise UserError(f"{nothing} could be prepared", reason)

    empty = Dataset.from_dict({name: [] for name in columns}, features=columns)
    described = parts / "described"
    shutil.rmtree(described, ignore_errors=True)
    try:
        with _no_progress():
            DatasetDict(dict.fromkeys(counts, empty)).save_to_disk(described)
        for split in counts:
            folder = out / split
            folder.mkdir(exist_ok=True)
            names = []
            for number, name in enumerate(files[split]):
                names.append(f"data-{number:05d}-of-{len(files[split]):05d}.arrow")
                _place(parts / f"{name}.arrow", folder / names[-1])
            state = json.loads((described / split / "state.json").read_text(encoding="utf-8"))
            state |= {"_data_files": [{"filename": n} for n in names], "_fingerprint": fingerprint, "_split": split}
            write_bytes(folder / "dataset_info.json", (described / split / "dataset_info.json").read_bytes())
            write_bytes(folder / "state.json", json.dumps(state, indent=2).encode())
        write_bytes(out / "dataset_dict.json", (described / "dataset_dict.json").read_bytes())
    except OSError as error:
        hint = "free some space and run it again" if error.errno == errno.ENOSPC else ""
        raise UserError(f"cannot write {out}: {error.strerror}", hint=hint) from error
    return counts, skipped


def version(package: str) -> str:
    """The installed version of a package, or "unknown"."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _place(part: Path, final: Path) -> None:
    """Gives the file its final name too; the part stays until all is done, so an interruption here costs nothing."""
    if final.exists():
        return
    try:
        os.link(part, final)
    except OSError:  # a disk without hard links
        with atomic_path(final) as unfinished:
            shutil.copyfile(part, unfinished)


@contextmanager
def _no_progress() -> Iterator[None]:
    """Keeps `datasets` from drawing its own progress bars."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()
