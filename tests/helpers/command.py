"""The command line as a user has it: what it exits with, says and writes."""

import pytest

from maquette.cli import commands as cli


def call(*arguments) -> int:
    """The exit code of `maquette ARGUMENTS`."""
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(argument) for argument in arguments])
    return stopped.value.code


def names(folder) -> list[str]:
    """What a folder holds, sorted."""
    return sorted(file.name for file in folder.iterdir())


def lines(capsys) -> list[str]:
    """The messages on standard error."""
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("maquette")]
