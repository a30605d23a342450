"""A file is written whole or not at all, and what goes wrong is one line."""

import errno
import os

import pytest

from maquette.errors import UserError
from maquette.io.atomic import atomic_path, write_bytes


def test_it_appears_only_when_whole_with_the_suffix_kept(tmp_path):
    final = tmp_path / "deep" / "er" / "chair.stl"
    with atomic_path(final) as unfinished:
        assert unfinished.parent == final.parent and unfinished.suffix == ".stl" and unfinished != final
        unfinished.write_bytes(b"whole")
        assert not final.exists()
    assert final.read_bytes() == b"whole" and os.listdir(final.parent) == ["chair.stl"]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path):
    final = tmp_path / "chair.stl"
    write_bytes(final, b"older")
    with pytest.raises(ZeroDivisionError), atomic_path(final) as unfinished:
        unfinished.write_bytes(b"half")
        raise ZeroDivisionError
    assert final.read_bytes() == b"older" and os.listdir(tmp_path) == ["chair.stl"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    with pytest.raises(UserError, match="cannot write .*chair.stl: No space left on device; free some space"):
        with atomic_path(tmp_path / "chair.stl") as unfinished:
            unfinished.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_a_file_or_a_file_that_is_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write .*file/chair.stl: .*; a part of this path is a file"):
        write_bytes(tmp_path / "file" / "chair.stl", b"")
    (tmp_path / "folder.stl").mkdir()
    with pytest.raises(UserError, match="folder.stl: Is a directory; it is a folder"):
        write_bytes(tmp_path / "folder.stl", b"")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="Permission denied; choose a folder that you may write to"):
        write_bytes(tmp_path / "chair.stl", b"")


def test_a_denied_write_is_told_whoever_runs_it(tmp_path):
    with pytest.raises(UserError, match="Permission denied; choose a folder that you may write to"):
        with atomic_path(tmp_path / "chair.stl"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
