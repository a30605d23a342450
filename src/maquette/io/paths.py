"""Paths as a user gives them: a name that no file can have is one line and no traceback."""

import errno
import os
from pathlib import Path

from maquette.errors import UserError

_SHOWN = 60
"""Letters of a long name that messages show at its beginning."""
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR)


def usable(path: str | Path) -> Path:
    """The path, if there is or could be a file of this name.

    Raises:
        UserError: For a name that is too long for the disk or holds a NUL, for links in a circle, and for a folder on
            the way that may not be looked into.
    """
    try:
        os.stat(path)
    except ValueError:
        raise UserError(f"{shown(path)} is not the name of a file: it holds a NUL") from None
    except OSError as error:
        if error.errno not in _NOTHING_THERE:
            raise UserError(f"{shown(path)} cannot be opened", error.strerror) from None
    return Path(path)


def shown(path: str | Path) -> str:
    """A path as messages show it: NULs as marks, and of an endless name only the beginning."""
    text = str(path).replace("\0", "\\0")
    too_long = any(len(part.encode(errors="surrogateescape")) > 255 for part in Path(text).parts) or len(text) > 4096
    return f"{text[:_SHOWN]}..." if too_long and len(text) > _SHOWN else text
