"""The log of a run: `metrics.jsonl`, TensorBoard's files and pictures of samples.

`metrics.jsonl` is the record: one row a line, each step once. TensorBoard's folder is a copy of it to look at.
"""

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, SupportsFloat, TextIO

import numpy as np
from jaxtyping import UInt8

from maquette.errors import UserError
from maquette.io.atomic import atomic_path

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS, TENSORBOARD, SAMPLES, RECIPE, START = "metrics.jsonl", "tensorboard", "samples", "recipe.yaml", "start.json"
DATA = "data.json"
_MOST = 2**53
"""Whole numbers up to which a float has each."""
Row = dict[str, Any]
"""One row as JSON has it: "event" and "step" are always there, other values depend on the kind of event."""


class Log:
    """The log of one run; a context manager, so that its files are closed.

    Attributes:
        known: All rows so far, as they were written.

    Args:
        run: The run's folder, made if it is missing.
        batch: Samples a step.
        first_step: Finished steps of the checkpoint from which the run goes on, 0 for a new one. Rows of later steps
            are dropped, since these steps are run again.
        before_s: Seconds that the run had taken at that checkpoint; None: as the last row that is kept says.
        tensorboard: Also write `run/tensorboard`, if that package is installed.
        writes: Whether this process writes; the others only keep the rows in memory.

    Raises:
        UserError: If the folder cannot be written.
    """

    def __init__(
        self, run: Path, batch: int, first_step: int, tensorboard: bool, *, before_s: float | None = None,
        writes: bool = True,
    ):
        self.run, self.batch, self.first_step = Path(run), batch, first_step
        self.tensorboard, self.writes, self.before_s = tensorboard, writes, before_s
        self.known: list[Row] = []
        self._path = self.run / METRICS
        self._file: TextIO | None = None
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> "Log":
        fresh = not self._path.exists()
        self.known = [] if fresh else [row for row in _rows(_text(self._path)) if row["step"] <= self.first_step]
        before = max((row["time"] for row in self.known if isinstance(row.get("time"), int | float)), default=0.0)
        self._started = time.monotonic() - (before if self.before_s is None else self.before_s)
        try:
            if self.writes:
                self._open(fresh)
        except UserError as error:
            self.__exit__(type(error))
            raise
        return self

    def _open(self, fresh: bool) -> None:
        if not fresh:
            _keep_only(self.known, self._path)
        _forget_pictures(self.run / SAMPLES, self.first_step)
        with _writing(self._path):
            self.run.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", encoding="utf-8")
        if self.tensorboard:
            with _writing(self.run / TENSORBOARD):
                self._writer = _tensorboard(self.run / TENSORBOARD, None if fresh else self.first_step + 1)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        files: tuple[tuple[Path, TextIO | SummaryWriter | None], ...] = (
            (self._path, self._file), (self.run / TENSORBOARD, self._writer))
        for path, file in files:
            try:
                if file is not None:
                    with _writing(path):
                        file.close()
            except UserError:
                if kind is None:  # else the first error is the one to tell
                    raise

    @property
    def seconds(self) -> float:
        """That the run has taken so far, in all its parts."""
        return time.monotonic() - self._started

    def write_row(self, kind: str, step: int, values: Mapping[str, SupportsFloat | str]) -> None:
        """Write one row to the disk at once: {"event": kind, "step", "samples", "time", **values}.

        `time` is the seconds that the run has taken so far, including those before it was resumed.

        Args:
            kind: `stepped`, `checked`, `probed` or `diverged`.
            step: Finished steps.
            values: Numbers become TensorBoard's scalars `kind/name`; one that is not finite is written as "nan", "inf"
                or "-inf".
        """
        plain = {name: _plain(value) for name, value in values.items()}
        row = {"event": kind, "step": step, "samples": step * self.batch, "time": round(self.seconds, 3), **plain}
        self.known.append(row)
        if self._file is not None:
            with _writing(self._path):
                self._file.write(json.dumps(row, allow_nan=False) + "\n")
                self._file.flush()
        if self._writer is not None:
            with _writing(self.run / TENSORBOARD):
                for name, value in plain.items():
                    if not isinstance(value, str):
                        self._writer.add_scalar(f"{kind}/{name}", value, step)

    def write_picture(self, name: str, step: int, pixels: UInt8[np.ndarray, "height width 3"]) -> Path:
        """Write a picture as `run/samples/NAME-STEP.png` and as TensorBoard's image.

        Returns:
            The path of the PNG.
        """
        from PIL import Image

        path = self.run / SAMPLES / f"{name}-{step:07d}.png"
        if self.writes:
            with atomic_path(path) as unfinished:
                Image.fromarray(pixels).save(unfinished, format="PNG")
        if self._writer is not None:
            with _writing(self.run / TENSORBOARD):
                self._writer.add_image(name, pixels, step, dataformats="HWC")
        return path


def read_metrics(run: str | Path) -> list[Row]:
    """The rows of a run as they were written; none for a run that has just started.

    An incomplete row is left out, such as the last one while it is being written.

    Raises:
        UserError: If the folder is no run.
    """
    run = Path(run)
    path = run / METRICS
    if not path.is_file():
        if (run / RECIPE).is_file():
            return []
        raise UserError(f"{run} is not a run: it has no {RECIPE} and no {METRICS}")
    return _rows(_text(path))


def picture_step(path: Path) -> int | None:
    """The step in the name of a picture that `Log.write_picture` wrote; None for other files."""
    found = re.fullmatch(r"[^.].*-(\d{7,})\.png", path.name)
    return int(found[1]) if found else None


def _keep_only(rows: list[Row], path: Path) -> None:
    """Drop all other lines of the file, atomically; a file that holds just these is left alone."""
    kept = "".join(json.dumps(row) + "\n" for row in rows)
    if kept != _text(path):
        with atomic_path(path) as unfinished:
            unfinished.write_text(kept, encoding="utf-8")


def _forget_pictures(folder: Path, step: int) -> None:
    with _writing(folder):
        for path in folder.glob("*.png"):
            if (picture_step(path) or 0) > step:
                path.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def _rows(text: str) -> list[Row]:
    rows: list[Row] = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _is_row(row):
            rows.append(row)
    return rows


def _is_row(row: object) -> bool:
    """Whether a line of the file is one that `Log.write_row` could have written."""
    if not isinstance(row, dict) or not isinstance(row.get("event"), str):
        return False
    counts = [row.get("step"), row.get("samples", 0)]
    if not all(isinstance(count, int) and not isinstance(count, bool) and 0 <= count < _MOST for count in counts):
        return False
    time_s = row.get("time", 0.0)
    if not isinstance(time_s, int | float) or not 0 <= time_s < _MOST:
        return False
    return all(isinstance(value, str | float) or isinstance(value, int) and not isinstance(value, bool)
               and abs(value) <= _MOST for value in row.values())


def _plain(value: SupportsFloat | str) -> float | int | str:
    """A number of any library as JSON has it."""
    if isinstance(value, str | int):
        return value
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _tensorboard(folder: Path, purge_step: int | None) -> "SummaryWriter | None":
    """TensorBoard's writer, which hides what is there from `purge_step` on; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=purge_step, flush_secs=30)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "the run goes on from its last checkpoint with --resume"
        raise UserError(f"cannot write {path}: {error.strerror or error}", hint=hint) from None
