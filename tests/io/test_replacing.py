"""The one rule about files that are there already: never an input, an older result only if asked to."""

import contextlib
import os

import pytest

from maquette.errors import UserError
from maquette.io.atomic import write_bytes
from maquette.io.replacing import check_free, guard, keep, own


@pytest.fixture
def given(tmp_path):
    """An input file, and a folder for the results."""
    (tmp_path / "page.png").write_bytes(b"input")
    (tmp_path / "out").mkdir()
    return tmp_path / "page.png"


def names_for(given):
    """Other names of the same file."""
    hard, soft = given.with_name("hard.png"), given.with_name("soft.png")
    os.link(given, hard)
    soft.symlink_to(given)
    folder = given.parent / "linked"
    folder.symlink_to(given.parent)
    return [given, hard, soft, folder / "page.png", given.parent / "out" / ".." / "page.png"]


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_input_is_never_written_over_by_whatever_name(given, which, overwrite):
    name = names_for(given)[which]
    with guard([given], overwrite), pytest.raises(UserError, match=f"{name.name} is an input of this command"):
        write_bytes(name, b"result")
    assert given.read_bytes() == b"input" and name.read_bytes() == b"input"


def test_a_relative_name_and_the_current_folder_count(given):
    with contextlib.chdir(given.parent):
        for name in ("page.png", "./page.png", "out/../page.png"):
            with guard(["page.png"], True), pytest.raises(UserError, match="is an input of this command"):
                write_bytes(name, b"result")
    assert given.read_bytes() == b"input"


def test_inputs_that_are_found_later_count_too(given):
    with guard([], True):
        keep(given)
        with pytest.raises(UserError, match="is an input"):
            write_bytes(given, b"result")


def test_what_lies_in_an_input_folder_stays(given):
    with guard([given.parent], True):
        with pytest.raises(UserError, match="page.png lies in an input folder of this command"):
            write_bytes(given, b"result")
        write_bytes(given.parent / "new.png", b"result")
        write_bytes(given.parent / "new.png", b"again")
        write_bytes(given.parent / "out" / "new.png", b"result")
    assert given.read_bytes() == b"input" and (given.parent / "new.png").read_bytes() == b"again"


def test_an_older_result_is_replaced_only_if_asked_to(given):
    older = given.parent / "out" / "chair.stl"
    older.write_bytes(b"older")
    with guard([given], False):
        with pytest.raises(UserError, match="chair.stl is there already; --overwrite replaces it"):
            write_bytes(older, b"newer")
        with pytest.raises(UserError, match="chair.stl is there already"):
            check_free(older.with_name("free.stl"), older)
        assert older.read_bytes() == b"older"
        for data in (b"once", b"twice"):  # what the command wrote itself it may write again
            write_bytes(older.with_name("mine.stl"), data)
    with guard([given], True):
        write_bytes(older, b"newer")
    assert older.read_bytes() == b"newer"


def test_a_folder_of_the_programs_own_is_kept_up_to_date_and_that_is_told(given):
    kept, shown = given.parent / "cache" / "deep" / "known.json", given.parent / "out" / "sheet.png"
    write_bytes(kept, b"older")
    write_bytes(shown, b"older")
    with guard([given.parent / "out"], False) as rule:
        own(given.parent / "cache")
        own(given.parent / "out", told=True)
        write_bytes(kept, b"newer")
        write_bytes(shown, b"newer")
    assert rule.replaced == [str(shown)] and kept.read_bytes() == shown.read_bytes() == b"newer"


def test_without_a_command_files_are_replaced_as_usual(given):
    write_bytes(given, b"newer")
    check_free(given)
    assert given.read_bytes() == b"newer"
