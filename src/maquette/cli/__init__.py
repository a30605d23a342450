"""The command line, one file a group of commands.

Read `commands` first: the table of all commands and how one is found and run. `options` holds what several of them
share, `console` what they show. A command's body is one call into `maquette.outputs` or `maquette.api` and the printing
of its events; heavy modules are imported inside the bodies, so that `maquette --help` answers at once.
"""

from maquette.cli.commands import main, run

__all__ = ["main", "run"]
