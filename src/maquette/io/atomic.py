"""Writing files so that a stopped command leaves no half file."""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from maquette.errors import UserError
from maquette.io.paths import first_bytes, shown
from maquette.io.replacing import about_to_replace, check_free, wrote

_UNFINISHED = re.compile(r"\..*\.[0-9a-f]{8}(\.[^.]*)?")
"""The names of unfinished files."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside the final one, with the same suffix; it is renamed when the block succeeds.

    Missing parent folders are made. When the block fails, the temporary file is removed and an older file under the
    final name stays as it was.

    Raises:
        UserError: Naming the file, for any OSError: an unwritable folder, a full disk, a folder with that name; and
            where `maquette.io.replacing` does not let the file be replaced.
    """
    path = Path(path)
    check_free(path)
    unfinished: Path | None = None
    try:
        if "\0" in str(path):
            raise UserError(f"cannot write {shown(path)}: the name holds a NUL")
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        suffix = path.suffix if len(os.fsencode(path.suffix)) <= 40 else ""
        unfinished = path.with_name(f".{first_bytes(path.stem, 80)}.{os.urandom(4).hex()}{suffix}")
        yield unfinished
        about_to_replace(path)
        os.replace(unfinished, path)
        wrote(path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        if unfinished is not None:
            _remove(unfinished)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a whole file at once, or none of it.

    Raises:
        UserError: Naming the file, when it cannot be written.
    """
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(data)


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write several files of which none is of use without the others: all of them, or none.

    They take their names in this order when all are written, so that whoever finds the last one finds all.

    Args:
        files: Their contents.

    Raises:
        UserError: Naming the file that cannot be written; older files of these names stay as they were.
    """
    with ExitStack() as unfinished:
        for path, data in reversed(list(files.items())):  # the last that is entered is the first that is renamed
            part = unfinished.enter_context(atomic_path(path))
            try:
                part.write_bytes(data)
            except OSError as error:
                raise _cannot_write(path, error) from None


def remove_unfinished(folder: Path) -> None:
    """Remove what killed commands left in a folder of files that were never finished.

    Only for a command that has the folder to itself (`maquette.io.lock`).
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if _UNFINISHED.fullmatch(path.name) and path.is_file():
                _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # the folder itself went away or became unwritable: the first error is the one that counts
        pass


def _cannot_write(path: Path, error: OSError) -> UserError:
    hints = {
        errno.ENOSPC: "free some space or choose another disk",
        errno.EDQUOT: "free some space or choose another disk",
        errno.EACCES: "choose a folder that you may write to",
        errno.EPERM: "choose a folder that you may write to",
        errno.EROFS: "choose a folder that you may write to",
        errno.EISDIR: "it is a folder; give the name of a file",
        errno.ENOTDIR: "a part of this path is a file, not a folder",
        errno.EEXIST: "a part of this path is a file, not a folder",
    }
    reason = error.strerror or str(error) or type(error).__name__
    return UserError(f"cannot write {shown(path)}: {reason}", hint=hints.get(error.errno or 0, ""))
