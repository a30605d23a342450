"""What a run writes about itself as it goes: `metrics.jsonl`, TensorBoard's files and pictures of samples.

`metrics.jsonl` is the run's record: one row a line, each step once. TensorBoard's folder is a copy of it for the eye.
"""

import json
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from maquette.errors import UserError
from maquette.io.atomic import atomic_path

METRICS, TENSORBOARD, SAMPLES, RECIPE, START = "metrics.jsonl", "tensorboard", "samples", "recipe.yaml", "start.json"


class Log:
    """The record of one run; a context, so that its files are closed.

    Args:
        run: The run's folder, made if it is missing.
        batch: Shapes a step.
        first_step: Finished steps of the checkpoint from which the run goes on, 0 for a new one: what an earlier
            attempt wrote of later steps is dropped, since these steps are made again.
        tensorboard: Also write `run/tensorboard`, where that package is installed.
        writes: Whether this process is the one that writes; the others only remember. known: all rows so far, as they
            were written.

    Raises:
        UserError: Where the folder cannot be written.
    """

    def __init__(self, run: Path, batch: int, first_step: int, tensorboard: bool, *, writes: bool = True):
        self.run, self.batch, self.first_step = Path(run), batch, first_step
        self.tensorboard, self.writes = tensorboard, writes
        self.known: list[dict] = []
        self._path = self.run / METRICS
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> "Log":
        fresh = not self._path.exists()
        self.known = [] if fresh else [row for row in _rows(_text(self._path)) if row["step"] <= self.first_step]
        before = max((row["time"] for row in self.known if isinstance(row.get("time"), int | float)), default=0.0)
        self._started = time.monotonic() - before
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

    def __exit__(self, kind: type | None, *_: object) -> None:
        for path, file in ((self._path, self._file), (self.run / TENSORBOARD, self._writer)):
            try:
                if file is not None:
                    with _writing(path):
                        file.close()
            except UserError:
                if kind is None:  # else the first error is the one to tell
                    raise

    def rows(self, kind: str, step: int, values: dict[str, float | str]) -> None:
        """Write one row, at once to the disk: {"event": kind, "step", "samples", "time", **values}.

        Args:
            step: Finished steps. `time`: seconds that the run has taken so far, those before it was resumed included.
                Numbers become TensorBoard's scalars `kind/name`; one that is not finite is written as "nan", "inf" or
                "-inf".
        """
        values = {name: _plain(value) for name, value in values.items()}
        seconds = round(time.monotonic() - self._started, 3)
        row = {"event": kind, "step": step, "samples": step * self.batch, "time": seconds, **values}
        self.known.append(row)
        if self._file is not None:
            with _writing(self._path):
                self._file.write(json.dumps(row, allow_nan=False) + "\n")
                self._file.flush()
        if self._writer is not None:
            with _writing(self.run / TENSORBOARD):
                for name, value in values.items():
                    if not isinstance(value, str):
                        self._writer.add_scalar(f"{kind}/{name}", value, step)

    def picture(self, name: str, step: int, pixels: np.ndarray) -> Path:
        """Keep a picture, uint8 `[H, W, 3]`: `run/samples/NAME-STEP.png` and TensorBoard's image.

        Returns:
            The PNG.
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


def read_metrics(run: str | Path) -> list[dict]:
    """The rows of a run as they were written, those of a run that has just started being none.

    A line that is no whole row, as the last one is while it is written or where the power failed, is left out.

    Raises:
        UserError: Where the folder is no run.
    """
    run = Path(run)
    path = run / METRICS
    if not path.is_file():
        if (run / RECIPE).is_file():
            return []
        raise UserError(f"{run} is not a run: it has no {RECIPE} and no {METRICS}")
    return _rows(_text(path))


def picture_step(path: Path) -> int | None:
    """The step in the name of a picture that `Log.picture` wrote; None for other files."""
    found = re.fullmatch(r"[^.].*-(\d{7,})\.png", path.name)
    return int(found[1]) if found else None


def _keep_only(rows: list[dict], path: Path) -> None:
    """Drop all other lines of the file, in one step; a file that holds just these is left alone."""
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


def _rows(text: str) -> list[dict]:
    rows = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int) and isinstance(row.get("event"), str):
            rows.append(row)
    return rows


def _plain(value: Any) -> float | int | str:
    """A number of any library as JSON has it."""
    if isinstance(value, str | int):
        return value
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _tensorboard(folder: Path, purge_step: int | None) -> Any:
    """TensorBoard's writer, told to hide what is there from `purge_step` on; None where it is not installed."""
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
