"""What the command line shows: progress on standard error, tables on standard output. Only `cli` imports this."""

import json
import math
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from maquette.io.atomic import atomic_path

_errors = Console(stderr=True, highlight=False)
_output = Console(highlight=False)
BARS, PLAIN_BARS = "▁▂▃▄▅▆▇█", "_.-=+*#"


def progress() -> Progress:
    """A progress bar on standard error with what is left; silent where that is no terminal."""
    done = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    left = (TextColumn("left"), TimeRemainingColumn())
    return Progress(*done, *left, console=_errors, transient=True, disable=not _errors.is_terminal)


def status(text: str):
    """A spinner on standard error while something short is done."""
    return _errors.status(text)


def show_files(events: Iterable, total: int | None, as_json: bool, doing: str) -> int:
    """Print each result as it comes, with progress on standard error; returns 1 where an input failed.

    total: results to come; None where the events tell themselves how far the work is (`Progressed`).
    """
    from maquette.evaluation.report import Progressed
    from maquette.outputs.shapes import Failed

    failed, document, said = 0, [], ()
    with progress() as bar:
        task = bar.add_task(doing, total=total)
        for event in events:
            if isinstance(event, Progressed):
                said = _follow(bar, task, event, said)
                continue
            if total is not None:
                bar.advance(task)
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


def _follow(bar: Progress, task, event, said: tuple) -> tuple:
    """Show a `Progressed`: in the bar, and where that is not seen in a line for each tenth, unless it was `said`."""
    bar.update(task, description=event.doing, completed=event.done, total=event.total)
    tenth = (event.doing, event.done * 10 // max(event.total, 1))
    if not _errors.is_terminal and tenth != said and tenth[1]:
        _errors.print(f"{event.doing}: {event.done} of {event.total}", soft_wrap=True)
    return tenth


def show_prepare(events: Iterable, out: str, as_json: bool, what: str = "shapes") -> int:
    """Follow `data prepare`: a bar, a line for each skipped file, where the dataset is and how many shapes it has, or
    images. 1 where something was skipped, by an earlier run of the same preparation too.
    """
    count, skips = _follow_prepare(events, "preparing")
    skipped = [{"id": name, "reason": reason} for name, reason in skips]
    if as_json:
        print(json.dumps({"output": str(out), what: count, "skipped": skipped}, indent=1))
    else:
        print(f"{out}: {count} {what}" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if skipped else 0


def show_image_audit(events: Iterable, as_json: bool) -> int:
    """Follow the audit of a folder of images: a bar, then how many findings of which kind, and where the report is."""
    from maquette.datasets.images.audit import KINDS, Audited

    audited, said = None, ()
    with progress() as bar:
        task = bar.add_task("looking", total=None)
        for event in events:
            if isinstance(event, Audited):
                audited = event
            else:
                said = _follow(bar, task, event, said)
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


def _follow_prepare(events: Iterable, doing: str) -> tuple[int, tuple[tuple[str, str], ...]]:
    """How many shapes the dataset has, and (id, reason) of those that it has not."""
    from maquette.datasets.prepare import Finished, Prepared, Skipped

    count, skips, said = 0, (), 0
    with progress() as bar:
        task = bar.add_task(doing, total=None)
        for event in events:
            if isinstance(event, Prepared):
                bar.update(task, completed=event.done, total=event.total)
                if not _errors.is_terminal and event.done * 10 // max(event.total, 1) > said:
                    said = event.done * 10 // event.total
                    _errors.print(f"{doing}: {event.done} of {event.total}")
            elif isinstance(event, Skipped):
                _errors.print(f"skipped {event.id}: {event.reason}", soft_wrap=True)
            elif isinstance(event, Finished):
                count, skips = event.count, event.skipped
    return count, skips


def show_training(events: Iterable, recipe, run: Path) -> int:
    """Follow a training run: a bar with what is left, a line of losses now and then, checkpoints, the model at the
    end.
    """
    from maquette.datasets.prepare import Prepared, Skipped
    from maquette.training import loop
    from maquette.training import run as job

    bar = progress()
    preparing = training = None
    said = 0
    with bar:
        for event in events:
            if isinstance(event, Prepared):
                preparing = bar.add_task("preparing", total=event.total) if preparing is None else preparing
                bar.update(preparing, completed=event.done, total=event.total)
                if not _errors.is_terminal and event.done * 10 // max(event.total, 1) != said:
                    said = event.done * 10 // event.total
                    _errors.print(f"preparing: {event.done} of {event.total}")
            elif isinstance(event, Skipped):
                _errors.print(f"skipped {event.id}: {event.reason}", soft_wrap=True)
            elif isinstance(event, loop.Note):
                preparing = None
                _errors.print(event.text, soft_wrap=True)
            elif isinstance(event, job.Started):
                sizes = ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in event.parameters.items())
                shapes = f"{event.train_shapes} {event.what} to learn from, {event.validation_shapes} held out"
                _errors.print(f"run {event.run}: {shapes}")
                _errors.print(f"parameters: {sizes}; stop any time, go on with: maquette train --resume {event.run}")
                training = bar.add_task("training", total=recipe.train.steps)
            elif isinstance(event, loop.Stepped):
                bar.update(training, completed=event.step)
                terms = "  ".join(f"{name} {value:.4g}" for name, value in event.terms.items())
                _errors.print(
                    f"step {event.step}/{recipe.train.steps}  {event.samples_per_second:.0f}/s"
                    f"  lr {event.learning_rate:.2g}  {terms}", soft_wrap=True
                )
            elif isinstance(event, loop.Checked):
                measured = "  ".join(f"{name} {value:.4f}" for name, value in event.metrics.items())
                _errors.print(f"step {event.step}  validation: {measured}", soft_wrap=True)
            elif isinstance(event, loop.Saved):
                what = f"  ({event.metric})" if event.metric else ""
                _errors.print(f"step {event.step}  saved {event.path}{what}", soft_wrap=True)
            elif isinstance(event, loop.Sampled):
                _errors.print(f"step {event.step}  samples {event.path}", soft_wrap=True)
            elif isinstance(event, loop.Found):
                _errors.print(f"step {event.step}  health: {event.finding.line}", soft_wrap=True)
            elif isinstance(event, loop.Stopped):
                print(f"stopped at step {event.step}; go on with: maquette train --resume {run}")
            elif isinstance(event, job.Exported):
                print(f"model: {event.path}")
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
    from maquette.evaluation.report import Measured, Progressed

    result, said = None, ()
    with progress() as bar:
        task = bar.add_task("measuring", total=None)
        for event in events:
            if isinstance(event, Progressed):
                said = _follow(bar, task, event, said)
            elif isinstance(event, Measured):
                result = event
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
    from maquette.evaluation.reader_study.study import StudyMade

    made, said = None, ()
    with progress() as bar:
        task = bar.add_task("making images", total=None)
        for event in events:
            if isinstance(event, StudyMade):
                made = event
            else:
                said = _follow(bar, task, event, said)
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
    import plotext

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
