"""The table of which id is which of the user's files: beside a dataset that may be passed on, never in it."""

import csv
from collections.abc import Iterable
from pathlib import Path

from maquette.io.atomic import atomic_path
from maquette.io.paths import fitted

PRIVATE = "PRIVATE-names.csv"
"""What the file is called that says which id is which file; for its owner alone."""


def private_names(out: Path) -> Path:
    """The table of which id is which file: beside the folder that may be passed on, not in it."""
    return out.resolve().with_name(fitted(out.resolve().name, f".{PRIVATE}"))


def write_private_names(out: Path, files: Iterable[tuple[str, Path]]) -> Path:
    """Writes the table of which id is which file, and returns its path; it belongs in nothing that is passed on.

    Args:
        out: The folder that may be passed on: the table is written beside it, under its name and `PRIVATE`.
        files: Each id with its file.

    Raises:
        UserError: If it cannot be written.
    """
    path = private_names(out)
    with atomic_path(path) as unfinished, unfinished.open("w", encoding="utf-8", errors="surrogateescape",
                                                          newline="") as file:
        table = csv.writer(file)
        table.writerow(["called", "file"])
        table.writerows([id, str(own)] for id, own in files)
    return path


def read_private_names(out: Path) -> dict[str, str]:
    """The file of each id, as far as the table of a dataset says it; none where the table is gone or damaged."""
    try:
        with private_names(out).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return {row["called"]: row["file"] for row in csv.DictReader(file) if row.get("called") and row.get("file")}
    except (OSError, csv.Error, KeyError):
        return {}
