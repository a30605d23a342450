"""Paths as a user gives them, and names that are made of them: no name is one that no file can have."""

import errno
import hashlib
import os
from pathlib import Path

from maquette.errors import UserError

_SHOWN = 60
"""Letters of a long name that messages show at its beginning."""
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR)
NAME_BYTES = 255
"""The longest name of a file, in bytes: an accent takes two, an emoji four or more."""
STEM_BYTES = 180
"""The longest stem that is taken from an input, in bytes, so that endings and numbers find room."""


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


def nameable(path: str | Path) -> Path:
    """The path, if a file could have this name on any disk; nothing is looked up.

    Raises:
        UserError: For a name that holds a NUL, or a part of more than 255 bytes.
    """
    text = str(path)
    if "\0" in text:
        raise UserError(f"{shown(text)} is not the name of a file: it holds a NUL")
    if any(len(part.encode(errors="surrogateescape")) > NAME_BYTES for part in Path(text).parts):
        raise UserError(f"{shown(text)} is not the name of a file: a name has at most {NAME_BYTES} bytes")
    return Path(path)


def shown(path: str | Path) -> str:
    """A path as messages show it: NULs as marks, and of an endless name only the beginning."""
    text = str(path).replace("\0", "\\0")
    too_long = len(text) > 4096
    too_long |= any(len(part.encode(errors="surrogateescape")) > NAME_BYTES for part in Path(text).parts)
    return f"{text[:_SHOWN]}..." if too_long and len(text) > _SHOWN else text


def fitted(stem: str, ending: str = "", most: int = NAME_BYTES) -> str:
    """The name `STEM` + `ENDING`, with the stem shortened where that is longer than a name may be.

    A shortened stem ends in `~` and 8 digits of a hash of the whole one, so that two of them stay two.

    Args:
        stem: Of any length.
        ending: What follows and is kept whole: `.preview.png`.
        most: Bytes of the name.
    """
    if len(os.fsencode(stem + ending)) <= most:
        return stem + ending
    mark = f"~{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}"
    return first_bytes(stem, max(most - len(os.fsencode(mark + ending)), 0)) + mark + ending


def beside(path: str | Path, ending: str) -> Path:
    """The file `STEM` + `ENDING` in the folder of another file: `chair.preview.png` beside `chair.stl`."""
    path = Path(path)
    return path.with_name(fitted(path.stem, ending))


def first_bytes(text: str, count: int) -> str:
    """The beginning of a text that takes at most so many bytes on disk."""
    return os.fsencode(text)[:count].decode(errors="ignore")
