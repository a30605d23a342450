"""A dataset folder written in parts: groups of rows, each whole or not there, then put in the form of `datasets`.

The groups lie in `OUT/.parts/` under their final names. When all are there they are moved into place and described,
which copies nothing; so a stopped preparation goes on where it was.
"""

import errno
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from maquette.datasets.workers import run
from maquette.errors import UserError
from maquette.extras import require
from maquette.io.atomic import atomic_path, write_bytes

PARTS = ".parts"


@dataclass(frozen=True)
class Finished:
    """The result of a preparation: the dataset is whole."""

    path: Path
    count: int
    """Rows of the dataset."""
    skipped: tuple[tuple[str, str], ...]
    """(id, reason) of what is not in it, earlier runs of the same preparation included."""


def claim(out: Path, fingerprint: str, options: dict) -> None:
    """Makes the folder for parts, or finds that it belongs to this preparation.

    Raises:
        UserError: Where it does not.
    """
    note = out / PARTS / "options.json"
    if note.is_file():
        try:
            begun = json.loads(note.read_text(encoding="utf-8"))
            same = begun["fingerprint"] == fingerprint
        except (ValueError, KeyError, TypeError):
            begun, same = {}, False
        if not same:
            differ = [f"{name} {begun[name]} there and {value} here" for name, value in options.items()
                      if name in begun and begun[name] != value]
            raise UserError(f"{out} holds a preparation that was begun with other options",
                            "; ".join(differ) or "another source", "give the same options, or delete the folder")
        return
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file, not a folder", hint="choose another name for the dataset")
    if out.is_dir() and any(entry.name != PARTS for entry in out.iterdir()):
        raise UserError(f"{out} is not empty", hint="choose a new folder for the dataset")
    write_bytes(note, json.dumps({"fingerprint": fingerprint, **options}).encode())


def to_do(parts: Path, groups: dict[str, list]) -> tuple[list[tuple[str, list]], int]:
    """The groups that are not there yet, and how many items the others have."""
    done, todo = 0, []
    for name, group in groups.items():
        if (parts / f"{name}.json").is_file() and (parts / f"{name}.arrow").is_file():
            done += len(group)
        else:
            todo.append((name, group))
    return todo, done


def work(todo: list[tuple[str, list]], make: Callable, workers: int):
    """Yields (item, reason to skip it or None, (group's name, rows, skips) when its group is complete or None).

    Args:
        make: (rows, None) of an item, or (None, why there are none). Items have an `id`.
    """
    waiting = {name: len(group) for name, group in todo}
    rows: dict[str, dict[int, list[dict]]] = {name: {} for name in waiting}
    skips: dict[str, list[tuple[str, str]]] = {name: [] for name in waiting}
    jobs = (((name, place, item), item) for name, group in todo for place, item in enumerate(group))
    total = sum(waiting.values())
    for (name, place, item), (made, reason) in run(make, jobs, min(workers, max(1, total)), "what is done is kept"):
        if reason is None:
            rows[name][place] = made
        else:
            skips[name].append((item.id, reason))
        waiting[name] -= 1
        ready = None
        if not waiting[name]:
            done = rows.pop(name)
            ready = (name, [row for k in sorted(done) for row in done[k]], skips.pop(name))
        yield item, reason, ready


def write_group(parts: Path, name: str, rows: list[dict], skips: list, schema) -> None:
    """Writes a group under its name, its note last."""
    import pyarrow as pa

    try:
        with atomic_path(parts / f"{name}.arrow") as unfinished:
            with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
                stream.write_table(pa.Table.from_pylist(rows, schema=schema))
    except pa.ArrowException as error:
        raise UserError(f"cannot write {parts / name}", error) from error
    write_bytes(parts / f"{name}.json", json.dumps({"rows": len(rows), "skipped": skips}).encode())


def assemble(out: Path, groups: Sequence[str], columns, fingerprint: str, nothing: str) -> tuple[dict[str, int], tuple]:
    """Moves the finished groups into the form of `datasets` and describes them: (rows of each split, skipped).

    Args:
        groups: Names of the form `train-00003`.
        columns: `datasets.Features`.
        nothing: What cannot be prepared where all was skipped ("no shape"), for which UserError is raised, as for a
            full disk.
    """
    require("datasets", "train")
    from datasets import Dataset, DatasetDict

    parts = out / PARTS
    notes = {name: json.loads((parts / f"{name}.json").read_text(encoding="utf-8")) for name in groups}
    skipped = tuple((id, reason) for note in notes.values() for id, reason in note["skipped"])
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
    with _no_progress():
        DatasetDict(dict.fromkeys(counts, empty)).save_to_disk(described)
    try:
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
    """The installed version of a package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _place(part: Path, final: Path) -> None:
    """The file under its final name too; the part stays until all is done, so an interruption here costs nothing."""
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
