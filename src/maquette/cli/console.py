"""What the command line shows: progress on standard error, tables on standard output. Only `cli` imports this."""

import json
import math
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from maquette.events import Failed, Note, Progress, Skipped, clock
from maquette.extras import require
from maquette.io.atomic import atomic_path

_errors = Console(stderr=True, highlight=False)
_output = Console(highlight=False)
T = TypeVar("T")
BARS, PLAIN_BARS = "▁▂▃▄▅▆▇█", "_.-=+*#"


class _Left(TimeRemainingColumn):
    """What is left of the time: as the work says itself, or estimated from its pace."""

    def render(self, task: Task) -> Text:
        """`3 h 20 min left`."""
        left = task.fields.get("left")
        left = task.time_remaining if left is None else left
        return Text("" if left is None else f"{clock(left)} left", style="progress.remaining")


def progress() -> Bar:
    """A progress bar on standard error with what is left; silent where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), _Left(),
               TextColumn("{task.fields[detail]}"))
    return Bar(*columns, console=_errors, transient=True, disable=not _errors.is_terminal)


def status(text: str):
    """A spinner on standard error while something short is done."""
    return _errors.status(text)


def follow(events: Iterable[T], doing: str = "working", total: int | None = None) -> Iterator[T]:
    """Show progress, skips and notes as they come, and hand on the rest: what was written, what failed, results.

    Args:
        events: Events as of `maquette.events`, and results.
        doing: What stands before the bar until an event says more.
        total: Results to come, each of which moves the bar; None where the events tell how far the work is.
    """
    said: tuple[str, int] | None = None
    with progress() as bar:
        task = bar.add_task(doing, total=total, detail="", left=None)
        for event in events:
            if isinstance(event, Progress):
                said = _move(bar, task, event, said)
            elif isinstance(event, Skipped):
                _errors.print(f"skipped {event.id}: {event.reason}", soft_wrap=True, markup=False)
            elif isinstance(event, Note):
                _errors.print(event.text, soft_wrap=True, markup=False)
            else:
                if total is not None:
                    bar.advance(task)
                yield event


def _move(bar: Bar, task: TaskID, event: Progress, said: tuple[str, int] | None) -> tuple[str, int]:
    """Show how far the work is: in the bar, and where that is not seen in a line at the start of a kind of work whose
    pace is known, and for each tenth. said: of the last line, what it was about and its tenth.
    """
    tenth = (event.doing, event.done * 10 // max(event.total, 1))
    if _errors.is_terminal:
        bar.update(task, description=event.doing, completed=event.done, total=event.total, detail=event.detail,
                   left=event.seconds_left)
    elif tenth != said and (tenth[1] or event.seconds_left is not None):
        words = [f"{event.doing}: {event.done} of {event.total}", event.detail]
        if event.seconds_left:
            words.append(f"{clock(event.seconds_left)} left")
        _errors.print(", ".join(word for word in words if word), soft_wrap=True, markup=False)
    return tenth


def show_files(events: Iterable, total: int | None, as_json: bool, doing: str) -> int:
    """Print each result as it comes, with progress on standard error; returns 1 where an input failed.

    Args:
        events: As of `follow`, with `Written` and `Failed` alone as results.
        total: As of `follow`.
        as_json: Print one JSON document at the end, and nothing else.
        doing: As of `follow`.
    """
    failed, document = 0, []
    for event in follow(events, doing, total):
        if isinstance(event, Failed):
            failed += 1
            document.append({"input": event.source, "error": event.reason})
            print(f"maquette: {event.reason}", file=sys.stderr, flush=True)
            continue
        document.append(event.summary)
        if not as_json:
            written = f" -> {', '.join(str(path) for path in event.paths)}" if event.paths else ""
            print(f"{event.source}{written}\n  {event.line}", flush=True)
    if as_json:
        print(json.dumps(document, indent=1))
    return 1 if failed else 0


def show_prepare(events: Iterable, out: str, as_json: bool, what: str = "shapes") -> int:
    """Follow `data prepare`: where the dataset is, how many shapes it has, or images, and what was skipped.

    Returns 1 where something was skipped, by an earlier run of the same preparation too.
    """
    *_, finished = follow(events, "preparing")
    skipped = [{"id": name, "reason": reason} for name, reason in finished.skipped]
    if as_json:
        print(json.dumps({"output": str(out), what: finished.count, "skipped": skipped}, indent=1))
    else:
        print(f"{out}: {finished.count} {what}" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if skipped else 0


def show_image_audit(events: Iterable, as_json: bool) -> int:
    """Follow the audit of a folder of images: a bar, then how many findings of which kind, and where the report is."""
    from maquette.datasets.images.audit import KINDS

    *_, audited = follow(events, "looking")
    if as_json:
        findings = [{"kind": f.kind, "images": [f.id] + [f.other] * bool(f.other), "line": f.line}
                    for f in audited.findings]
        written = {"report": str(audited.report), "table": str(audited.table)}
        copy = {} if audited.fixed is None else {"cleaned": str(audited.fixed), "kept": audited.kept}
        print(json.dumps({"images": audited.images, "findings": findings, "notes": audited.notes, **written, **copy},
                         indent=1))
        return 0
    for note in audited.notes:
        print(note)
    for kind in KINDS:
        found = [finding for finding in audited.findings if finding.kind == kind]
        if found:
            print(f"{kind:<13} {len(found):>6}  {', '.join(finding.id for finding in found[:5])}"
                  + (", ..." if len(found) > 5 else ""))
    if not audited.findings:
        print("nothing found")
    print(f"written to {audited.report} and {audited.table}")
    if audited.fixed is not None:
        print(f"{audited.fixed}: {audited.kept} of {audited.images} images, cleaned")
    return 0


def show_training(events: Iterable, run: Path) -> int:
    """Follow a training run to its model, or to where it was stopped."""
    from maquette.training.news import Stopped

    for result in follow(events, "preparing"):
        if isinstance(result, Stopped):
            print(f"stopped at step {result.step}; go on with: maquette train --resume {run}")
        else:
            print(f"model: {result.path}")
    return 0


def show_doctor(examined, as_json: bool) -> int:
    """Print each finding of an `Examined` as what was seen, what it usually means and what to change, then what was
    looked at; returns 1 where something was found.
    """
    if as_json:
        print(json.dumps(examined.to_json(), indent=1))
        return 1 if examined.findings else 0
    for finding in examined.findings:
        print(f"{finding.code}, step {finding.step}")
        print(f"  seen    {finding.seen}\n  means   {finding.meaning}\n  change  {finding.change}")
    count = len(examined.findings)
    print(f"{examined.run}: " + (f"{count} finding{'s' if count > 1 else ''}" if count else "nothing found"))
    for line in examined.checked:
        print(f"  {line}")
    return 1 if count else 0


def show_evaluation(events: Iterable, out: str) -> int:
    """Follow `evaluate`: a bar, then the tables; `out` is a file for the result as JSON, or - for standard output."""
    *_, result = follow(events, "measuring")
    if out == "-":
        print(json.dumps(result.to_json(), indent=1))
        return 0
    _output.print(result.title)
    table = Table(*result.columns)
    for row in result.rows:
        table.add_row(*[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row])
    _output.print(table)
    for note in result.notes:
        _output.print(note, soft_wrap=True, markup=False)
    if out:
        with atomic_path(Path(out)) as path:
            path.write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
        _output.print(f"written to {out}", soft_wrap=True)
    return 0


def show_study(events: Iterable, as_json: bool) -> int:
    """Follow the making of a reader study: a bar, then where it is and what is to be done with it."""
    *_, made = follow(events, "making images")
    if as_json:
        print(json.dumps({"page": str(made.page), "key": str(made.key), "of_each_kind": made.count, "size": made.size,
                          "trained_on": made.trained_on, "notes": made.notes}, indent=1))
        return 0
    for note in made.notes:
        print(note)
    print(f"{made.page}: {made.count} real and {made.count} synthetic images, {made.size}; for the readers")
    print(f"{made.key}: which is which; keep it from them")
    print(f"{made.trained_on} of the {made.count} real images were among those to train on, the others were held out")
    print(f"score what they save with: maquette evaluate study score {made.key} ANSWERS...")
    return 0


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
    large, small = [], []
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


def _print_plots(curves: list[tuple[str, list]]) -> None:
    """Curves as plots, as many beside each other as the terminal is wide."""
    wide = shutil.get_terminal_size().columns
    across = max(1, min(3, wide // 50))
    plots = [_plot(title, points, wide // across - 1) for title, points in curves]
    for start in range(0, len(plots), across):
        for lines in zip(*plots[start : start + across], strict=True):
            print(" ".join(lines))


def _plot(title: str, points: list, width: int, height: int = 11) -> list[str]:
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


def _print_sparks(curves: list[tuple[str, list]]) -> None:
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
