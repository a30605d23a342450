"""Looking at runs: which there are, how far they have come, their curves and their newest sheet of samples.

Everything is read from a run's folder, so it works while the run goes on, and without loading PyTorch.
"""

import math
import os
import re
import shutil
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from maquette.errors import UserError
from maquette.extras import require
from maquette.io.atomic import atomic_path, write_bytes
from maquette.io.lock import is_locked
from maquette.io.trees import read_json, read_yaml
from maquette.training.monitor.log import DATA, METRICS, RECIPE, SAMPLES, START, Row, picture_step, read_metrics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FINISHED, STOPPED, RUNNING, MAYBE_RUNNING, DIVERGED = "finished", "stopped", "running", "running?", "diverged"
"""States of a run. `running?` is a guess about a run of another machine, whose lock is not seen from here: it wrote
something within a few times its usual interval."""
Curves = dict[str, tuple[list[int], list[float]]]
"""Steps and values by name: `phase/term`, `validation/metric`, `probed/...`, and what belongs to no phase."""
Line = tuple[str, list[int], list[float]]
"""One curve of a panel: label, steps, values."""
_QUIET_S = 300.0  # a run that wrote nothing for so long, and for four of its usual intervals, has stopped
_NO_CURVES = ("diverged",)
_MAIN_KEYS = {"model": ("resolution", "width", "height"), "train": ("steps", "batch", "seed", "precision"),
              "optim": ("lr", "critic_lr")}
_COLUMNS = 4


def list_runs(folder: str | Path) -> list[dict[str, Any]]:
    """The runs in a folder, the one written last first.

    Args:
        folder: The folder of runs, or a run itself.

    Returns:
        Of each run `name`, `system`, `step` of `steps`, `metric` and `value` (the validation metric by which the recipe
        keeps the best checkpoint; None where none was measured), `state`, `written` (local time) and `megabytes`.

    Raises:
        UserError: If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError("no folder of this name", repr(str(folder)), "name the folder that holds the runs")
    found = [folder] if is_run(folder) else [path for path in folder.iterdir() if path.is_dir() and is_run(path)]
    dated = sorted(((_written(run), run) for run in found), reverse=True)
    return [_entry(run, written, read_metrics(run)) for written, run in dated]


def pack(run: str | Path, out: str | Path) -> Path:
    """Write a small copy of a run, from which it can go on elsewhere.

    It holds the recipe, the metrics and the newest undamaged checkpoint, with averaged weights in half precision.

    Args:
        run: The run's folder.
        out: A folder that is not there yet, or is empty.

    Returns:
        The copy's folder.

    Raises:
        UserError: If `out` holds something, or if the run has no undamaged checkpoint.
    """
    from maquette.training import checkpoint  # the only function here that needs PyTorch

    run, out = Path(run), Path(out)
    if not is_run(run):
        raise UserError(f"{run} is not a run: it has no {RECIPE}")
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise UserError(f"{out} is not an empty folder", hint="name a new one with --out")
    newest, _ = checkpoint.newest_whole(run / "checkpoints")
    if newest is None:
        raise UserError(f"{run} holds no whole checkpoint")
    checkpoint.pack(newest, out / "checkpoints")
    for name in (RECIPE, METRICS, START, DATA, "environment.json"):
        if (run / name).is_file():
            write_bytes(out / name, (run / name).read_bytes())
    return out


def is_run(path: Path) -> bool:
    """Whether a folder holds a run, at whatever stage."""
    return (path / RECIPE).is_file() or (path / METRICS).is_file()


def describe(run: str | Path) -> dict[str, Any]:
    """All that is known of one run.

    Returns:
        The values of `list_runs`, and `folder`; `recipe`, its main keys; `facts`: samples seen, seconds taken, the
        newest speed, the best validation metric, checkpoints and samples on disk, or a `note` where there are no
        metrics yet; `curves`, steps and values by name.

    Raises:
        UserError: If the folder is no run.
    """
    run = Path(run)
    rows = read_metrics(run)
    found = curves(rows)
    entry = _entry(run, _written(run), rows)
    facts = _facts(run, rows, found, entry["metric"])
    return {**entry, "folder": str(run), "recipe": _summary(_recipe(run)), "facts": facts, "curves": found}


def curves(rows: Sequence[Row]) -> Curves:
    """The numbers in rows of metrics, by name; "nan" and "inf" are numbers, other words are left out."""
    found: Curves = {}
    for row in rows:
        kind = row["event"]
        if kind in _NO_CURVES:
            continue
        prefix = {"stepped": "", "checked": "validation/"}.get(kind, f"{kind}/")
        for name, value in row.items():
            number = None if name in ("event", "step", "samples", "time") else _number(value)
            if number is not None:
                steps, values = found.setdefault(prefix + name, ([], []))
                steps.append(row["step"])
                values.append(number)
    return found


def group(name: str) -> str:
    """The group of a curve: its phase, `validation` or another kind of row; `run` for all others."""
    return name.partition("/")[0] if "/" in name else "run"


def as_shown(name: str, values: Sequence[float]) -> tuple[str, list[float]]:
    """Title and values of a curve for display.

    A Wasserstein critic minimises E[D(made)] - E[D(real)]. Displayed is the negative, the critic's estimate of the
    distance between made and real shapes, which falls as the shapes get better.
    """
    title = f"{group(name)}: {name.partition('/')[2] or name}"
    if name.endswith("/wasserstein"):
        return f"{group(name)}: estimated distance (-wasserstein)", [-value for value in values]
    return title, list(values)


def in_order(names: Sequence[str]) -> list[str]:
    """Names of curves in the order of display: validation, then phase by phase, probes, and the run itself."""
    groups = list(dict.fromkeys(group(name) for name in names))
    last = {"validation": -1, "probed": len(groups), "run": len(groups) + 1}
    return sorted(names, key=lambda name: last.get(group(name), groups.index(group(name))))


def write_curves(run: str | Path, out_png: str | Path) -> Path:
    """Draw the curves of a run as PNG: the validation metrics in the first panel, then a small panel for each term.

    The axes count steps below and samples above. A run without metrics gives a picture that says so.

    Returns:
        The path of the PNG.

    Raises:
        UserError: If the folder is no run, or if the file cannot be written.
    """
    require("matplotlib", "train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run = Path(run)
    rows = read_metrics(run)
    panels = _panels(curves(rows))
    down = max(1, -(-len(panels) // _COLUMNS))
    figure = Figure(figsize=(3.1 * _COLUMNS, 0.5 + 2.15 * down), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    last = max((row["step"] for row in rows), default=0)
    figure.suptitle(f"{run.resolve().name}: step {last}; axes: steps below, samples above", fontsize=9)
    if not panels:
        figure.text(0.5, 0.5, "no metrics yet", ha="center", va="center", fontsize=12)
    colours: dict[str, str] = {}
    batch = _samples_a_step(rows)
    for place, (title, lines) in enumerate(panels, 1):
        colour = colours.setdefault(title.partition(":")[0], f"C{len(colours) % 10}")
        _panel(figure.add_subplot(down, _COLUMNS, place), title, lines, colour, last, batch)
    with atomic_path(out_png) as unfinished:
        figure.savefig(unfinished, format="png")
    return Path(out_png)


def write_samples(run: str | Path, out_png: str | Path) -> Path | None:
    """Copy the newest sheet of samples.

    Returns:
        The path of the copy; None where the run has drawn no sheet yet.

    Raises:
        UserError: If it cannot be written.
    """
    sheets = {path: picture_step(path) for path in (Path(run) / SAMPLES).glob("*.png")}
    dated = [(step, path) for path, step in sheets.items() if step is not None]
    if not dated:
        return None
    with atomic_path(out_png) as unfinished:
        shutil.copyfile(max(dated)[1], unfinished)
    return Path(out_png)


def _entry(run: Path, written: float, rows: Sequence[Row]) -> dict[str, Any]:
    tree = _recipe(run)
    train = _section(tree, "train")
    step = max([row["step"] for row in rows] + _checkpoints(run), default=0)
    steps = train["steps"] if isinstance(train.get("steps"), int) else 0
    metric, value = _validation(rows, str(train.get("best", "")).lstrip("-"))
    return {
        "name": run.resolve().name,
        "system": str(tree.get("system", "?")),
        "step": step,
        "steps": steps,
        "metric": metric,
        "value": value,
        "state": _state(run, written, rows, step, steps),
        "written": datetime.fromtimestamp(written).isoformat(sep=" ", timespec="minutes"),
        "megabytes": round(_size(run) / 1e6, 1),
    }


def _state(run: Path, written: float, rows: Sequence[Row], step: int, steps: int) -> str:
    if is_locked(run):
        return RUNNING
    if rows and rows[-1]["event"] == "diverged":
        return DIVERGED
    if step >= steps and (run / "model" / "config.json").is_file():
        return FINISHED
    times = [row["time"] for row in rows[-10:] if isinstance(row.get("time"), int | float)]
    usual = max((after - before for before, after in zip(times, times[1:], strict=False)), default=0.0)
    return MAYBE_RUNNING if abs(time.time() - written) < max(_QUIET_S, 4 * usual) else STOPPED  # a clock may go back


def _validation(rows: Sequence[Row], best: str) -> tuple[str | None, float | None]:
    """The metric by which the recipe keeps the best, or else the first one, in the newest row that has any."""
    measured = curves([row for row in rows if row["event"] == "checked"][-1:])
    names = [f"validation/{best}"] if f"validation/{best}" in measured else list(measured)
    if not names:
        return None, None
    return names[0].partition("/")[2], measured[names[0]][1][-1]


def _recipe(run: Path) -> dict[str, Any]:
    """The run's recipe as plain values; empty where the file is missing or damaged."""
    try:
        tree = read_yaml(run / RECIPE)
    except (OSError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _section(tree: dict[str, Any], name: str) -> dict[str, Any]:
    return tree[name] if isinstance(tree.get(name), dict) else {}


def _summary(tree: dict[str, Any]) -> dict[str, Any]:
    found = {"about": tree.get("about"), "data": _section(tree, "data").get("path")}
    for section, keys in _MAIN_KEYS.items():
        found |= {key: _section(tree, section).get(key) for key in keys}
    return {key: value for key, value in found.items() if value not in (None, "")}


def _facts(run: Path, rows: Sequence[Row], found: Curves, metric: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if rows:
        facts["samples"] = rows[-1].get("samples", 0)
        facts["seconds"] = rows[-1].get("time", 0)
    else:
        facts["note"] = "no metrics yet: the run has just started"
    if "samples_per_second" in found:
        facts["samples_per_second"] = round(found["samples_per_second"][1][-1], 1)
    if metric is not None:
        lower = str(_section(_recipe(run), "train").get("best", "")).startswith("-")
        steps, values = found[f"validation/{metric}"]
        value, step = (min if lower else max)(zip(values, steps, strict=True))
        facts["best"] = {"metric": metric, "value": value, "step": step}
    if rows and rows[-1]["event"] == "diverged":
        facts["diverged"] = {key: rows[-1].get(key) for key in ("step", "phase", "term", "value", "last_good")}
    facts["checkpoints"] = sorted(_checkpoints(run))
    facts["sheets"] = len(list((run / SAMPLES).glob("*.png")))
    try:
        facts["environment"] = read_json(run / "environment.json")
    except (OSError, ValueError):
        pass
    return facts


def _checkpoints(run: Path) -> list[int]:
    """The steps of the run's checkpoints."""
    names = [re.fullmatch(r"step-(\d+)", path.name) for path in (run / "checkpoints").glob("step-*")]
    return [int(found[1]) for found in names if found]


def _written(run: Path) -> float:
    """When the training last wrote, in seconds since 1970; pictures that `maquette runs show` draws do not count."""
    files = [run / METRICS, run / RECIPE, run / "model" / "config.json", *(run / "checkpoints").glob("*/state.json")]
    return max((stat.st_mtime for path in files if (stat := _stat(path))), default=0.0)


def _size(run: Path) -> int:
    """Bytes on disk; a file that is deleted meanwhile does not count."""
    return sum(stat.st_size for path in run.rglob("*") if not path.is_dir() and (stat := _stat(path)))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _number(value: object) -> float | None:
    """A value as a number, also "nan" and "inf"; None for other words and for true and false."""
    if isinstance(value, bool) or isinstance(value, str) and value not in ("nan", "inf", "-inf"):
        return None
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except OverflowError:  # a whole number of hundreds of digits
        return None


def _samples_a_step(rows: Sequence[Row]) -> float:
    """Samples a step, from the newest row that says it; else 0."""
    return next((row["samples"] / row["step"] for row in reversed(rows) if row["step"] and row.get("samples")), 0.0)


def _panels(found: Curves) -> list[tuple[str, list[Line]]]:
    """Title and lines of each panel."""
    panels: list[tuple[str, list[Line]]] = []
    checked = [(name.partition("/")[2], *found[name]) for name in found if group(name) == "validation"]
    if checked:
        panels.append(("validation", checked))
    for name in in_order([name for name in found if group(name) != "validation"]):
        steps, values = found[name]
        if name.startswith("probed/nonfinite/") and not any(values):
            continue  # weights that are all finite are no news
        title, values = as_shown(name, values)
        panels.append((title, [("", steps, values)]))
    return panels


def _panel(axes: "Axes", title: str, lines: list[Line], colour: str, last: int, batch: float) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    for label, steps, values in lines:
        own = colour if len(lines) == 1 else None
        if len(values) < 80:
            axes.plot(steps, values, lw=1.2, color=own, marker="." if len(values) < 20 else None, ms=4, label=label)
            continue
        (line,) = axes.plot(steps, values, lw=0.7, alpha=0.35, color=own)
        axes.plot(steps, _smooth(np.asarray(values, float)), lw=1.2, color=line.get_color(), label=label)
    if not any(math.isfinite(value) for _, _, values in lines for value in values):
        axes.text(0.5, 0.5, "not finite", ha="center", va="center", transform=axes.transAxes, fontsize=7)
    axes.set_title(title, fontsize=8)
    axes.set_xlim(0, max(last, 1))
    axes.tick_params(labelsize=6, length=2)
    axes.grid(alpha=0.25, lw=0.5)
    ticks = EngFormatter(sep="")
    axes.xaxis.set_major_formatter(ticks)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if batch:
        above = axes.secondary_xaxis("top", functions=(lambda step: np.multiply(step, batch),
                                                       lambda samples: np.divide(samples, batch)))
        above.tick_params(labelsize=6, length=2, colors="0.45")
        above.xaxis.set_major_formatter(ticks)
        above.xaxis.set_major_locator(MaxNLocator(4))
    if len(lines) > 1:
        axes.legend(fontsize=6, frameon=False)


def _smooth(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The mean of the finite values within a fortieth of the curve around each point."""
    width = max(3, len(values) // 40) | 1
    good = np.isfinite(values)
    sums = np.convolve(np.where(good, values, 0), np.ones(width), "same")
    counts = np.convolve(good.astype(float), np.ones(width), "same")
    return np.where(counts > 0, sums / np.maximum(counts, 1), math.nan)
