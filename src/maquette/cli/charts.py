"""What is shown of runs: tables, and curves as plots or as rows of bars."""

import json
import math
import shutil
import sys

from maquette.extras import require

BARS, PLAIN_BARS = "▁▂▃▄▅▆▇█", "_.-=+*#"
Curve = tuple[str, list[tuple[int, float]]]
"""A title, and (step, value)."""


def show_runs(found: list[dict], folder: str, as_json: bool) -> int:
    """Print runs as a table, or as JSON."""
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    lines = [
        (run["name"], run["system"], f"{run['step']}/{run['steps'] or '?'}", _measured(run), run["state"],
         run["written"], f"{run['megabytes']} MB")
        for run in found
    ]
    for line in lines:
        widths = [max(len(cells[column]) for cells in lines) for column in range(len(line))]
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if not lines:
        print(f"no runs in {folder}")
    return 0


def show_run(facts: dict, as_json: bool) -> int:
    """Print what is known of a run, with its curves: drawn in a terminal, as one line each elsewhere; or as JSON."""
    if as_json:
        print(json.dumps(_strict(facts), indent=1))
        return 0
    from maquette.training.monitor.runs import as_shown, in_order

    print(f"{facts['name']}  {facts['system']}  step {facts['step']} of {facts['steps'] or '?'}  {facts['state']}"
          f"  written {facts['written']}  {facts['megabytes']} MB")
    for key, value in {**facts["recipe"], **facts["facts"]}.items():
        print(f"{key:<20} {_line(value)}")
    large: list[Curve] = []
    small: list[Curve] = []
    for name in in_order(list(facts["curves"])):
        steps, values = facts["curves"][name]
        title, values = as_shown(name, values)
        points = [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]
        drawable = len(points) > 1 and not name.startswith("probed/") and _can_draw()
        (large if drawable else small).append((title, points))
    _print_plots(large)
    _print_sparks(small)
    for path in facts["pictures"]:
        print(f"written to {path}")
    return 0


def _measured(run: dict) -> str:
    return "not measured" if run["metric"] is None else f"{run['metric']} {run['value']:.4g}"


def _line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _strict(value: object) -> object:
    """The same for JSON, which knows no numbers that are not finite: they become words."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _can_draw() -> bool:
    return sys.stdout.isatty() and _can_print(BARS)


def _can_print(characters: str) -> bool:
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _print_plots(curves: list[Curve]) -> None:
    """Curves as plots, as many beside each other as the terminal is wide."""
    wide = shutil.get_terminal_size().columns
    across = max(1, min(3, wide // 50))
    plots = [_plot(title, points, wide // across - 1) for title, points in curves]
    for start in range(0, len(plots), across):
        for lines in zip(*plots[start : start + across], strict=True):
            print(" ".join(lines))


def _plot(title: str, points: list[tuple[int, float]], width: int, height: int = 11) -> list[str]:
    """One curve as `height` lines of `width` characters."""
    plotext = require("plotext", "train")

    steps, values = zip(*points, strict=True)
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.plot(steps, values, marker="braille")
    plotext.title(title[: width - 6])
    marks = sorted({steps[0], steps[len(steps) // 2], steps[-1]})
    plotext.xticks(marks, [f"{mark / 1000:g}k" if mark >= 10000 else str(mark) for mark in marks])
    lines = plotext.uncolorize(plotext.build()).splitlines()[:height]
    return [line.ljust(width) for line in lines + [""] * (height - len(lines))]


def _print_sparks(curves: list[Curve]) -> None:
    """A line a curve: its name, its run as bars, first and last value."""
    bars = BARS if _can_print(BARS) else PLAIN_BARS
    wide = max((len(title) for title, _ in curves), default=0)
    for title, points in curves:
        values = [value for _, value in points]
        ends = f"{values[0]:.4g} -> {values[-1]:.4g}" if len(values) > 1 else _line(values)
        print(f"{title:<{wide}}  {spark(values, bars):<32}  {ends}")


def spark(values: list[float], bars: str) -> str:
    """Numbers as a row of at most 32 bars, from the lowest to the highest of `bars`."""
    parts = [values[len(values) * i // 32 : len(values) * (i + 1) // 32] for i in range(32)]
    means = [sum(part) / len(part) for part in parts if part]
    low, high = min(means, default=0), max(means, default=0)
    scale = (len(bars) - 1) / (high - low) if high > low else 0
    return "".join(bars[round((mean - low) * scale)] for mean in means)
