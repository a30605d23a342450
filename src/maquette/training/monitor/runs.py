"""Looking at runs: which there are, how far they are, the curves of their metrics and their newest sheet of samples.

Everything is read from the run's folder, so it works while the run goes on, and without loading PyTorch.
"""

import json
import math
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from maquette.errors import UserError
from maquette.extras import require
from maquette.io.atomic import atomic_path, write_bytes
from maquette.training.monitor.log import METRICS, RECIPE, SAMPLES, START, picture_step, read_metrics

FINISHED, STOPPED, RUNNING, DIVERGED = "finished", "stopped", "running?", "diverged"
"""States of a run. Whether it runs is a guess: it wrote something within a few times its usual interval."""
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

    The folder may be a run itself.

    Of each: `name`, `system`, `step` of `steps`, `metric` and `value` (the validation metric that the recipe picks by,
    where one was measured, else None), `state`, `written` (local time), `megabytes`.

    Raises:
        UserError: Where there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError("no folder of this name", repr(str(folder)), "name the folder that holds the runs")
    found = [folder] if is_run(folder) else [path for path in folder.iterdir() if path.is_dir() and is_run(path)]
    dated = sorted(((_written(run), run) for run in found), reverse=True)
    return [_entry(run, written, read_metrics(run)) for written, run in dated]


def pack(run: str | Path, out: str | Path) -> Path:
    """Write a small copy of a run, from which it can go on elsewhere: recipe, metrics and the newest whole checkpoint
    with its averaged weights in half precision.

    Returns:
        The copy's folder.

    Raises:
        UserError: Where `out` holds a run already, or where the run has no whole checkpoint.
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
    for name in (RECIPE, METRICS, START, "environment.json"):
        if (run / name).is_file():
            write_bytes(out / name, (run / name).read_bytes())
    return out


def is_run(path: Path) -> bool:
    """Whether a folder holds a run, at whatever stage."""
    return (path / RECIPE).is_file() or (path / METRICS).is_file()


def show(run: str | Path) -> dict[str, Any]:
    """All that is known of one run: what `list_runs` says, and `folder`, `recipe`, `facts`, `curves`.

    recipe: its main keys. facts: samples seen, seconds taken, the newest speed, the best validation metric, what is on
    disk; `note` where there is nothing to show yet. curves: steps and values by name.

    Raises:
        UserError: Where the folder is no run.
    """
    run = Path(run)
    rows = read_metrics(run)
    found = curves(rows)
    entry = _entry(run, _written(run), rows)
    facts = _facts(run, rows, found, entry["metric"])
    return {**entry, "folder": str(run), "recipe": _summary(_recipe(run)), "facts": facts, "curves": found}


def curves(rows: Sequence[Mapping]) -> Curves:
    """The numbers of metrics' rows, by name; words that are no numbers are left out, "nan" and "inf" are kept."""
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
    """What a curve belongs to: a phase, `validation` or another kind of row; `run` where it is none of these."""
    return name.partition("/")[0] if "/" in name else "run"


def as_shown(name: str, values: Sequence[float]) -> tuple[str, list[float]]:
    """Title and values of a curve as they are shown.

    A Wasserstein critic minimises E[D(made)] - E[D(real)]; shown is minus that, its estimate of the distance between
    made and real shapes, which falls as the shapes get better.
    """
    title = f"{group(name)}: {name.partition('/')[2] or name}"
    if name.endswith("/wasserstein"):
        return f"{group(name)}: estimated distance (-wasserstein)", [-value for value in values]
    return title, list(values)


def in_order(names: Sequence[str]) -> list[str]:
    """Curves as they are laid out: validation first, then phase by phase, what was probed, the run itself."""
    groups = list(dict.fromkeys(group(name) for name in names))
    last = {"validation": -1, "probed": len(groups), "run": len(groups) + 1}
    return sorted(names, key=lambda name: last.get(group(name), groups.index(group(name))))


def write_curves(run: str | Path, out_png: str | Path) -> Path:
    """Draw the curves of a run as PNG: a small panel a term, phase by phase, validation metrics together in the first.

    The axes count steps below and samples above. A run without metrics gives a picture that says so.

    Raises:
        UserError: Where the folder is no run and where the file cannot be written.
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
    """Copy the newest sheet of samples; None where the run has drawn none yet.

    Raises:
        UserError: Where it cannot be written.
    """
    sheets = {path: picture_step(path) for path in (Path(run) / SAMPLES).glob("*.png")}
    dated = [(step, path) for path, step in sheets.items() if step is not None]
    if not dated:
        return None
    with atomic_path(out_png) as unfinished:
        shutil.copyfile(max(dated)[1], unfinished)
    return Path(out_png)


def _entry(run: Path, written: float, rows: Sequence[Mapping]) -> dict[str, Any]:
    tree = _recipe(run)
    train = _section(tree, "train")
    step = max([row["step"] for row in rows] + _checkpoints(run), default=0)
    steps = int(train.get("steps") or 0)
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


def _state(run: Path, written: float, rows: Sequence[Mapping], step: int, steps: int) -> str:
    if rows and rows[-1]["event"] == "diverged":
        return DIVERGED
    if step >= steps and (run / "model" / "config.json").is_file():
        return FINISHED
    times = [row["time"] for row in rows[-10:] if isinstance(row.get("time"), int | float)]
    usual = max((after - before for before, after in zip(times, times[1:], strict=False)), default=0.0)
    return RUNNING if time.time() - written < max(_QUIET_S, 4 * usual) else STOPPED


def _validation(rows: Sequence[Mapping], best: str) -> tuple[str | None, float | None]:
    """The metric that the recipe picks by, or the first one, in the newest row that has any."""
    measured = curves([row for row in rows if row["event"] == "checked"][-1:])
    names = [f"validation/{best}"] if f"validation/{best}" in measured else list(measured)
    if not names:
        return None, None
    return names[0].partition("/")[2], measured[names[0]][1][-1]


def _recipe(run: Path) -> dict:
    """The run's recipe as it stands in its file; empty where that is missing or damaged."""
    try:
        tree = yaml.safe_load((run / RECIPE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _section(tree: dict, name: str) -> dict:
    return tree[name] if isinstance(tree.get(name), dict) else {}


def _summary(tree: dict) -> dict[str, Any]:
    found = {"about": tree.get("about"), "data": _section(tree, "data").get("path")}
    for section, keys in _MAIN_KEYS.items():
        found |= {key: _section(tree, section).get(key) for key in keys}
    return {key: value for key, value in found.items() if value not in (None, "")}


def _facts(run: Path, rows: Sequence[Mapping], found: Curves, metric: str | None) -> dict[str, Any]:
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
        facts["environment"] = json.loads((run / "environment.json").read_text(encoding="utf-8"))
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
    return max((_stat(path).st_mtime for path in files if _stat(path)), default=0.0)


def _size(run: Path) -> int:
    """Bytes on disk; files that go while it is counted do not matter."""
    return sum(_stat(path).st_size for path in run.rglob("*") if not path.is_dir() and _stat(path))


def _stat(path: Path) -> Any:
    try:
        return path.stat()
    except OSError:
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or isinstance(value, str) and value not in ("nan", "inf", "-inf"):
        return None
    return float(value) if isinstance(value, int | float | str) else None


def _samples_a_step(rows: Sequence[Mapping]) -> float:
    """Shapes a step, out of a row; 0 where none tells."""
    return next((row["samples"] / row["step"] for row in reversed(rows) if row["step"] and row.get("samples")), 0.0)


def _panels(found: Curves) -> list[tuple[str, list[Line]]]:
    """(title, lines) of each panel."""
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


def _panel(axes: Any, title: str, lines: list[Line], colour: str, last: int, batch: float) -> None:
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
        above = axes.secondary_xaxis("top", functions=(lambda step: step * batch, lambda samples: samples / batch))
        above.tick_params(labelsize=6, length=2, colors="0.45")
        above.xaxis.set_major_formatter(ticks)
        above.xaxis.set_major_locator(MaxNLocator(4))
    if len(lines) > 1:
        axes.legend(fontsize=6, frameon=False)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Means over a fortieth of the curve around each point, fewer at the ends; values that are not finite are left out.
    """
    width = max(3, len(values) // 40) | 1
    good = np.isfinite(values)
    sums = np.convolve(np.where(good, values, 0), np.ones(width), "same")
    counts = np.convolve(good.astype(float), np.ones(width), "same")
    return np.where(counts > 0, sums / np.maximum(counts, 1), math.nan)
