"""Locks: one command at a time, let go of by whatever end of a process."""

import errno
import os
import signal
import subprocess
import sys
import types
from contextlib import ExitStack

import pytest

from maquette.errors import UserError
from maquette.io import lock
from maquette.io.lock import LOCK, InUse, is_locked, locked

HOLDER = """
import sys, time
from maquette.io.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_one_at_a_time_in_one_process_and_nothing_is_left(tmp_path):
    folder = tmp_path / "new"
    with locked(folder):
        assert is_locked(folder)
        with pytest.raises(InUse, match=r"another command works on .*new now; wait for it, or choose another folder"):
            with locked(folder):
                raise AssertionError("entered twice")
        with locked(folder, "other"):
            pass
    assert not folder.exists() and not is_locked(folder), "an empty folder that was made for the lock goes with it"
    with locked(folder):
        (folder / "kept").touch()
    assert [path.name for path in folder.iterdir()] == ["kept"]
    with locked(folder), pytest.raises(ZeroDivisionError):
        1 / 0  # noqa: B018
    assert not is_locked(folder)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGTERM on Windows")
def test_a_killed_process_leaves_no_lock_behind(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        assert is_locked(tmp_path)
        with pytest.raises(InUse), locked(tmp_path):
            pass
        holder.kill()
        holder.wait()
    finally:
        holder.kill()
        holder.stdout.close()
        holder.wait()
    assert (tmp_path / LOCK).is_file() and not is_locked(tmp_path), "the file is there, and locks nothing"
    with locked(tmp_path):
        assert is_locked(tmp_path)
    assert not (tmp_path / LOCK).exists()


def test_a_lock_whose_file_was_removed_under_way_is_not_taken_for_one(tmp_path, monkeypatch):
    """Between opening and locking the one before removes the file: the lock is asked for anew, on the new file."""
    taken, asked = lock._taken, []

    def late(handle):
        if not asked:
            (tmp_path / LOCK).unlink()
        asked.append(handle)
        return taken(handle)

    monkeypatch.setattr(lock, "_taken", late)
    with locked(tmp_path):
        assert len(asked) == 2 and (tmp_path / LOCK).is_file()
        with pytest.raises(InUse), locked(tmp_path):
            pass


def test_where_the_disk_knows_no_locks_one_goes_on(tmp_path, monkeypatch):
    def unknown(*_arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_fcntl", types.SimpleNamespace(flock=unknown, LOCK_EX=2, LOCK_NB=4))
    with locked(tmp_path), locked(tmp_path):
        pass


def test_windows_locks_a_byte(tmp_path, monkeypatch):
    """With its own function in place of flock: held once, refused the second time, free again."""
    held = set()

    def locking(handle, mode, count):
        assert (mode, count) == (7, 1)
        inode = os.fstat(handle).st_ino
        if inode in held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.add(inode)

    close = os.close

    def closing(handle):
        inode = os.fstat(handle).st_ino
        close(handle)
        if handle == owner[0]:
            held.discard(inode)

    owner = [-1]
    monkeypatch.setattr(lock, "_fcntl", None)
    monkeypatch.setattr(lock, "_msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=7))
    monkeypatch.setattr(lock.os, "close", closing)
    taken = lock._taken

    def watched(handle):
        answer = taken(handle)
        if answer:
            owner[0] = handle
        return answer

    monkeypatch.setattr(lock, "_taken", watched)
    with locked(tmp_path):
        with pytest.raises(InUse), locked(tmp_path):
            pass
    assert not held
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_one_line_or_no_matter(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write .*: Not a directory|cannot write .*: File exists"):
        with locked(tmp_path / "file" / "folder"):
            pass

    def forbidden(*_arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(lock.os, "open", forbidden)
    with pytest.raises(UserError, match=r"cannot write .*\.lock: Permission denied"), locked(tmp_path):
        pass
    with ExitStack() as both:
        both.enter_context(locked(tmp_path, optional=True))
        both.enter_context(locked(tmp_path, optional=True))
