"""One command at a time on one folder: a lock that the system itself lets go of when its process ends, however it ends.

The lock is one on an open file (flock; on Windows a locked byte), not the file's being there: a file that a killed
process leaves behind locks nothing.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from maquette.errors import UserError
from maquette.io.paths import shown

LOCK = ".lock"
"""The name of the file in a folder that is locked as a whole."""
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
"""What disks answer that know no locks, as some network disks do: there one goes on without."""
_fcntl: ModuleType | None
_msvcrt: Any
try:
    import fcntl as _fcntl
except ImportError:  # Windows
    _fcntl = None
try:
    import msvcrt as _msvcrt
except ImportError:  # everything else
    _msvcrt = None


class InUse(UserError):
    """Another command works on the same folder now."""


@contextmanager
def locked(folder: str | Path, name: str = LOCK, *, optional: bool = False) -> Iterator[None]:
    """Within it, this command alone works on a folder; the folder is made where it is missing.

    A second lock on the folder is refused in the same process too. The file of the lock is removed at the end, and a
    folder that was made and is still empty; a file that a killed process left is taken over.

    Args:
        folder: The folder.
        name: Of the file in it.
        optional: Go on without a lock where the folder may not be written to, since nothing is written there then.

    Raises:
        InUse: If another command has the lock.
        UserError: If the folder cannot be written to.
    """
    path = Path(folder) / name
    fresh = not path.parent.exists()
    try:
        handle = _opened(path)
    except OSError as error:
        if optional and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            yield
            return
        raise UserError(f"cannot write {shown(path)}: {error.strerror or error}") from None
    if handle is None:
        raise InUse(f"another command works on {shown(folder)} now", hint="wait for it, or choose another folder")
    try:
        yield
    finally:
        _let_go(handle, path)
        if fresh:
            with suppress(OSError):  # it holds something by now, as it should
                path.parent.rmdir()


def is_locked(folder: str | Path, name: str = LOCK) -> bool:
    """Whether a command works on a folder now; false where that cannot be known. Nothing is written."""
    path = Path(folder) / name
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _taken(handle)
    except OSError:
        return False
    finally:
        os.close(handle)


def _opened(path: Path) -> int | None:
    """The open and locked file; None if another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _taken(handle):
                os.close(handle)
                return None
            if _is(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # who had it has just removed it: the name is of another file by now, or of none


def _taken(handle: int) -> bool:
    """Lock an open file; false if another has it locked."""
    try:
        if _fcntl is not None:
            _fcntl.flock(handle, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        elif _msvcrt is not None:
            _msvcrt.locking(handle, _msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _is(handle: int, path: Path) -> bool:
    """Whether an open file is the one of this name."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _let_go(handle: int, path: Path) -> None:
    if _fcntl is not None:  # removed while it is still locked, so that nobody locks a file that is about to go
        with suppress(OSError):
            path.unlink()
    os.close(handle)
    if _fcntl is None:
        with suppress(OSError):  # Windows removes no open file; another may have it already, and then keeps it
            path.unlink()
