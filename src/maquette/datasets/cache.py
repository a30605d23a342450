"""Datasets that are prepared once and kept in a cache folder, under a name that follows from what is in their sources.

Training, measuring and suggesting share it. A file more, or one that changed, is another dataset; the same files at
another place, with other dates or from another working directory are the same.
"""

import hashlib
import inspect
import json
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from maquette.datasets.format import is_prepared
from maquette.datasets.opened import OpenedData, open_dataset
from maquette.datasets.prepare import FORMAT, Finished, prepare
from maquette.datasets.sources import maker_of
from maquette.errors import UserError
from maquette.events import Event, Note, Progress, Skipped
from maquette.io.atomic import write_bytes
from maquette.io.lock import InUse
from maquette.io.paths import usable
from maquette.io.replacing import own
from maquette.io.trees import read_json

KNOWN = "contents.json"
"""The file of the cache with the hashes of sources that were read before, by the names, sizes and dates of their files,
so that a large source is read once."""
_FRESH = 2 * 10**9
"""Nanoseconds within which two writes may leave a file with one date; the coarsest file systems count in 2 s."""
_PAUSE_S = 0.5
"""Seconds from one look whether another command has finished to the next."""
_PLACES = ("out", "workers")
"""Arguments of `prepare` that do not change the rows."""


def shapes_of(
    path: str | Path, cache: str | Path, split: str, resolution: int, limit: int | None = None,
    orientations: int = 1,
) -> Generator[Progress, None, OpenedData]:
    """Prepares the shapes of a split without views, or finds them in the cache.

    Yields progress; the generator's return value is the opened dataset.

    Args:
        path: An archive or folder that `maquette data prepare` reads. Training shapes that are copies of a test shape
            are left out, as everywhere.
        cache: The folder that holds the prepared datasets, one folder for each set of options.
        split: `train` or `test`.
        resolution: Voxels a side.
        limit: The most shapes, spread evenly over the split; None for all.
        orientations: Rows of each shape, one after the other, each turned further about z.

    Raises:
        UserError: For whatever `maquette.datasets.prepare.prepare` refuses.
    """
    options = {"resolution": resolution, "split": split, "count": limit, "orientations": orientations}
    turned = f" in {orientations} orientations" if orientations > 1 else ""
    return (yield from cached(path, cache, f"reading the {split} shapes{turned}", options))


def cached(
    source: str | Path, cache: str | Path, doing: str, options: Mapping[str, Any]
) -> Generator[Progress, None, OpenedData]:
    """Prepares a source with these options, or finds it in the cache; yields progress, returns the opened dataset.

    Args:
        source: Whatever `prepare` reads.
        cache: The folder of the cache.
        doing: What the progress says.
        options: Arguments of `prepare`.

    Raises:
        UserError: For whatever `prepare` refuses.
    """
    folder = cache_folder(source, cache, options)
    for event in fill(source, folder, options):
        if isinstance(event, Progress | Skipped):
            yield Progress(doing, event.done, event.total)
    return open_cached(folder)


def fill(source: str | Path, folder: Path, options: Mapping[str, Any]) -> Iterator[Event | Finished]:
    """Prepares a source into its folder of the cache, unless it is there; where another command is at it, it waits.

    Args:
        source: Whatever `prepare` reads.
        folder: Of `cache_folder`.
        options: Arguments of `prepare`.

    Yields:
        What `prepare` yields, and while it waits a Note, then Progress now and then.

    Raises:
        UserError: For whatever `prepare` refuses.
    """
    waited = 0
    while not is_prepared(folder):
        try:
            yield from prepare(source, folder, **options)
        except InUse:
            if not waited:
                yield Note(f"another command prepares {folder}; this one waits for it")
            waited += 1
            yield Progress("waiting for another command", 0, 1)
            time.sleep(_PAUSE_S)


def open_cached(folder: Path) -> OpenedData:
    """Opens a dataset of the cache.

    Raises:
        UserError: If it is damaged: deleted, it is prepared again.
    """
    try:
        return open_dataset(folder)
    except UserError as error:
        raise UserError(error.what, error.got, f"delete {folder}, and it is prepared again") from None


def cache_folder(
    source: str | Path, cache: str | Path, options: Mapping[str, Any], *, remember: bool = True
) -> Path:
    """The folder of the cache for a source, as it is now, prepared with these options; it may not be there yet.

    Args:
        source: Whatever `prepare` reads.
        cache: The folder of the cache.
        options: Arguments of `prepare`; those at their defaults may be left out.
        remember: Whether the cache may be written to, so that a large source is read once.

    Raises:
        UserError: If the source is not there or cannot be read.
    """
    own(cache)
    defaults = {name: parameter.default for name, parameter in inspect.signature(prepare).parameters.items()}
    deciding = {name: value for name, value in options.items() if name not in _PLACES and value != defaults[name]}
    if deciding.get("backgrounds"):
        deciding["backgrounds"] = content_of(deciding["backgrounds"], cache, remember=remember)
    content = content_of(source, cache, remember=remember)
    known = json.dumps([FORMAT, content, sorted(deciding.items())], default=str)
    key = hashlib.sha256(known.encode()).hexdigest()[:12]
    name = maker_of(source) or Path(source).resolve().stem[:40]
    return Path(cache) / f"{name or 'data'}-{options.get('resolution', defaults['resolution'])}-{key}"


def content_of(source: str | Path, cache: str | Path, *, remember: bool = True) -> str:
    """A hash of what a source holds: the names of its files and their bytes; for a maker, what was asked for.

    Args:
        source: A file or a folder, or `furniture` or `solids`.
        cache: The folder of the cache, which remembers the hashes of sources whose files are as they were.
        remember: Whether the cache is to remember this one. Files that were written in the last seconds, or later than
            now by the clock, are read again the next time: a date that says nothing is not gone by.

    Raises:
        UserError: If there is no such source, or a file of it cannot be read.
    """
    if maker_of(source):
        return str(source)
    path = usable(source)
    if not path.exists():
        raise UserError(f"no such source: {source}", hint="give a file, a folder, 'furniture' or 'solids'")
    files = list(_files(path))
    found_states = [(name, file.stat()) for name, file in files]
    states = [[name, state.st_size, state.st_mtime_ns] for name, state in found_states]
    newest = max((state.st_mtime_ns for _, state in found_states), default=0)
    quick = hashlib.sha256(json.dumps([str(path.resolve()), states]).encode()).hexdigest()
    known = _known(Path(cache) / KNOWN)
    if quick in known:
        return known[quick]
    digest = hashlib.sha256()
    try:
        for name, file in files:
            with file.open("rb") as opened:
                digest.update(json.dumps([name, hashlib.file_digest(opened, "sha256").hexdigest()]).encode())
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror}") from None
    found = digest.hexdigest()
    if not remember or newest > time.time_ns() - _FRESH:
        return found
    write_bytes(Path(cache) / KNOWN, (json.dumps(_known(Path(cache) / KNOWN) | {quick: found}, indent=0)).encode())
    return found


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """The files of a source by their names in it, in order; hidden ones are left out, as by every reader."""
    if path.is_file():
        yield path.name, path
        return
    for file in sorted(path.rglob("*")):
        inner = file.relative_to(path)
        if not any(part.startswith(".") for part in inner.parts) and file.is_file():
            yield inner.as_posix(), file


def _known(file: Path) -> dict[str, str]:
    """The hashes that were found before; none where the file is missing or damaged, since it only saves time."""
    try:
        content = read_json(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)} if isinstance(content, dict) else {}
