"""Measures between occupancy grids: overlap, average precision, connectedness, and means by class."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Table:
    """Means of named numbers by class.

    Attributes:
        rows: Class -> (count, mean of each column).
        columns: The names of the numbers.
        mean: Mean over all samples.
        class_mean: Mean of the class means, each class weighing the same.
    """

    columns: tuple[str, ...]
    rows: dict[str, tuple[int, tuple[float, ...]]]
    mean: tuple[float, ...]
    class_mean: tuple[float, ...]

    @classmethod
    def of(cls, labels: Iterable[str], **columns: Sequence[float]) -> "Table":
        """labels: the class of each sample. columns: name = one number for each sample, NaN not allowed."""
        labels = [str(label) for label in labels]
        if not labels or not columns:
            raise ValueError("a table needs at least one sample and one column")
        values = np.stack([np.asarray(column, dtype=np.float64) for column in columns.values()], axis=1)
        if len(values) != len(labels) or not np.isfinite(values).all():
            raise ValueError(f"each column must hold {len(labels)} finite numbers")
        groups = {name: values[[i for i, label in enumerate(labels) if label == name]] for name in sorted(set(labels))}
        rows = {name: (len(group), tuple(group.mean(axis=0).tolist())) for name, group in groups.items()}
        class_mean = np.mean([row[1] for row in rows.values()], axis=0)
        return cls(tuple(columns), rows, tuple(values.mean(axis=0).tolist()), tuple(class_mean.tolist()))

    def as_dict(self) -> dict:
        """The same as plain lists and numbers, ready for JSON."""
        rows = {
            name: {"count": count} | dict(zip(self.columns, means, strict=True))
            for name, (count, means) in self.rows.items()
        }
        mean = dict(zip(self.columns, self.mean, strict=True))
        return {"classes": rows, "mean": mean, "class_mean": dict(zip(self.columns, self.class_mean, strict=True))}

    def markdown(self, digits: int = 3) -> str:
        """The table as Markdown, one line a class, then the two means."""

        def line(name: str, count: int, means: tuple[float, ...]) -> str:
            return f"| {name} | {count} | " + " | ".join(f"{m:.{digits}f}" for m in means) + " |"

        total = sum(count for count, _ in self.rows.values())
        lines = [f"| class | count | {' | '.join(self.columns)} |", "| --- " * (2 + len(self.columns)) + "|"]
        lines += [line(name, count, means) for name, (count, means) in self.rows.items()]
        lines += [line("mean of classes", total, self.class_mean), line("mean of all", total, self.mean)]
        return "\n".join(lines)


