"""What a measurement yields: progress as it goes, and one table at the end."""

from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float
"""One entry of a table."""
Details = dict[str, Any]
"""Plain values (strings, numbers, lists, dictionaries) for a JSON document; its keys depend on the measurement."""


@dataclass(frozen=True)
class Measured:
    """A finished measurement: a table, and all numbers behind it."""

    title: str
    columns: tuple[str, ...]
    """The headings, one for each entry of a row."""
    rows: tuple[tuple[Cell, ...], ...]
    details: Details = field(default_factory=dict)
    """Every number that was measured, in full precision, and the options that decide it."""
    notes: tuple[str, ...] = ()
    """What a reader of the table must know, one line each."""

    def to_json(self) -> Details:
        """The title, the table, the notes and the details as plain values for a JSON document."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        notes = {"notes": list(self.notes)} if self.notes else {}
        return {"title": self.title, "table": rows, **notes, **self.details}
