"""What all formats share: the suffixes, and how a stranger's file is opened and parsed."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from maquette.errors import UserError
from maquette.io.paths import usable
from maquette.io.quiet import quiet_parsing

GRIDS = (".binvox", ".npy", ".npz", ".mat")
"""Suffixes of grid files."""
MESHES = (".stl", ".obj", ".ply", ".glb", ".3mf", ".off")
"""Suffixes of mesh files."""

Parsed = TypeVar("Parsed")


def is_known(path: str | Path) -> bool:
    """Whether a path is named as a grid or mesh file, and so is one file and not a folder."""
    return Path(path).suffix.lower() in GRIDS + MESHES


def kind(path: str | Path) -> Literal["grid", "mesh"]:
    """Whether a file holds a grid or a mesh, by its suffix alone.

    Raises:
        UserError: For an unknown suffix; the line names the nearest known one.
    """
    suffix = Path(path).suffix.lower()
    if suffix in GRIDS:
        return "grid"
    if suffix in MESHES:
        return "mesh"
    known = MESHES + GRIDS
    close = difflib.get_close_matches(suffix, known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise UserError(f"{path}: unknown format", repr(suffix), f"{hint}known: {' '.join(known)}")


def file_bytes(path: Path, limit: int) -> bytes:
    """The whole content of a file.

    Args:
        path: The file.
        limit: The most bytes that are read.

    Raises:
        UserError: Naming the file, when it is missing, empty or larger than the limit.
    """
    usable(path)
    try:
        if path.is_file() and path.stat().st_size > limit:
            size = path.stat().st_size >> 20
            raise UserError(f"{path} is too large", f"{size} MB", f"at most {limit >> 20} MB are read")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except MemoryError:
        raise UserError(f"{path} needs more memory than there is") from None
    if not data:
        raise UserError(f"{path} is empty")
    return data


def guarded(parse: Callable[[bytes], Parsed], data: bytes, path: Path) -> Parsed:
    """What `parse` returns for a stranger's bytes.

    Args:
        parse: Reads the bytes; it may raise anything when they are damaged.
        data: The content of the file.
        path: The file, for the error line.

    Raises:
        UserError: When `parse` raises anything; one line that names the file and the reason.
    """
    try:
        with quiet_parsing():
            return parse(data)
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{path} needs more memory than there is, or is damaged") from None
    except Exception as error:  # parsers of damaged files raise anything: ValueError, KeyError, BadZipFile, ...
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(f"{path} cannot be read as {path.suffix[1:].lower()}: {reason}") from None
