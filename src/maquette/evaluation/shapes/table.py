"""A table of means by class."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from maquette.evaluation.report import Cell, Details


@dataclass(frozen=True)
class ClassTable:
    """Means of several measures by class, made by `from_samples`."""

    columns: tuple[str, ...]
    """The names of the measures."""
    rows: dict[str, tuple[int, tuple[float, ...]]]
    """Class to (number of samples, mean of each measure)."""
    mean: tuple[float, ...]
    """The mean of each measure over all samples."""
    class_mean: tuple[float, ...]
    """The mean of the class means, where each class weighs the same."""

    @classmethod
    def from_samples(
        cls, labels: Iterable[str], columns: Mapping[str, Sequence[float] | Float[np.ndarray, " n"]]
    ) -> "ClassTable":
        """Average the measures of single samples.

        Args:
            labels: The class of each sample.
            columns: Measure to its value for each sample; the values must be finite.

        Raises:
            ValueError: For no sample, no measure, a wrong number of values or a value that is not finite.
        """
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

    def lines(self) -> list[tuple[Cell, ...]]:
        """One row a class for a report: its name, the number of its samples, its means."""
        return [(name, count, *means) for name, (count, means) in self.rows.items()]

    def as_dict(self) -> Details:
        """The table as plain lists and numbers for a JSON document."""
        rows = {
            name: {"count": count} | dict(zip(self.columns, means, strict=True))
            for name, (count, means) in self.rows.items()
        }
        mean = dict(zip(self.columns, self.mean, strict=True))
        return {"classes": rows, "mean": mean, "class_mean": dict(zip(self.columns, self.class_mean, strict=True))}

    def markdown(self, digits: int = 3) -> str:
        """The table as Markdown: one line a class, then the mean of the classes and that of all samples."""

        def line(name: str, count: int, means: tuple[float, ...]) -> str:
            return f"| {name} | {count} | " + " | ".join(f"{m:.{digits}f}" for m in means) + " |"

        total = sum(count for count, _ in self.rows.values())
        lines = [f"| class | count | {' | '.join(self.columns)} |", "| --- " * (2 + len(self.columns)) + "|"]
        lines += [line(name, count, means) for name, (count, means) in self.rows.items()]
        lines += [line("mean of classes", total, self.class_mean), line("mean of all", total, self.mean)]
        return "\n".join(lines)
