"""What a measurement yields: progress as it goes, and one table at the end."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measured:
    """A finished measurement: a table, and all that stands behind it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    details: dict = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What must be known to read the table, a line each."""

    def to_json(self) -> dict:
        """Plain values for a JSON document."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        notes = {"notes": list(self.notes)} if self.notes else {}
        return {"title": self.title, "table": rows, **notes, **self.details}
