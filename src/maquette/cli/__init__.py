"""The command line, one file a group of commands.

Read `commands` first: the table of all commands and how one is found and run. `parsing` turns words into values and a
misfit into one line (by `plainly`, or by `tyro_parsing` what that leaves), `help` and `completion` show what there is;
`console` follows events, in a `terminal` by bars, `show` and `charts` print results, `options` and `marks` hold what
several commands share. A command's body is one call into `maquette.outputs` or `maquette.api` and the showing of its
events; heavy modules are imported inside the bodies.
"""

from maquette.cli.commands import main, run

__all__ = ["main", "run"]
