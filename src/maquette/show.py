"""What the command line shows: progress on standard error, tables on standard output. Only `cli` imports this."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from maquette.files import atomic_path

_errors = Console(stderr=True, highlight=False)
_output = Console(highlight=False)


def progress() -> Progress:
    """A progress bar on standard error with what is left; silent where that is no terminal."""
    done = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    left = (TextColumn("left"), TimeRemainingColumn())
    return Progress(*done, *left, console=_errors, transient=True, disable=not _errors.is_terminal)


def status(text: str):
    """A spinner on standard error while something short is done."""
    return _errors.status(text)


def show_files(events: Iterable, total: int, as_json: bool, doing: str) -> int:
    """Print each result as it comes, with progress on standard error; returns 1 where an input failed."""
    from maquette.outputs import Failed

    failed, document = 0, []
    with progress() as bar:
        task = bar.add_task(doing, total=total)
        for event in events:
            bar.advance(task)
            if isinstance(event, Failed):
                failed += 1
                document.append({"input": event.source, "error": event.reason})
                print(f"maquette: {event.reason}", file=sys.stderr, flush=True)
                continue
            document.append(event.summary)
            if not as_json:
                print(f"{event.source} -> {', '.join(str(path) for path in event.paths)}\n  {event.line}", flush=True)
    if as_json:
        print(json.dumps(document, indent=1))
    return 1 if failed else 0


def show_prepare(events: Iterable, out: str, as_json: bool) -> int:
    """Follow `data prepare`: a bar, a line for each skipped file, where the dataset is. 1 where something was
    skipped.
    """
    skipped: list[dict] = []
    finished = _follow_prepare(events, "preparing", skipped)
    summary = {"output": str(out), "shapes": finished, "skipped": skipped}
    if as_json:
        print(json.dumps(summary, indent=1))
    else:
        print(f"{out}: {finished} shapes" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if skipped else 0


def _follow_prepare(events: Iterable, doing: str, skipped: list[dict]) -> int:
    from maquette.data.prepare import Prepared, Skipped

    done, said = 0, 0
    with progress() as bar:
        task = bar.add_task(doing, total=None)
        for event in events:
            if isinstance(event, Prepared):
                done = event.done
                bar.update(task, completed=event.done, total=event.total)
                if not _errors.is_terminal and event.done * 10 // max(event.total, 1) > said:
                    said = event.done * 10 // event.total
                    _errors.print(f"{doing}: {event.done} of {event.total}")
            elif isinstance(event, Skipped):
                skipped.append({"id": event.id, "reason": event.reason})
                _errors.print(f"skipped {event.id}: {event.reason}", soft_wrap=True)
    return done


def show_training(events: Iterable, recipe, run: Path) -> int:
    """Follow a training run: a bar with what is left, a line of losses now and then, checkpoints, the model at the
    end.
    """
    from maquette.data.prepare import Prepared, Skipped
    from maquette.train import job, loop

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
                shapes = f"{event.train_shapes} shapes to learn from, {event.validation_shapes} held out"
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
                _errors.print(f"step {event.step}  saved {event.path}", soft_wrap=True)
            elif isinstance(event, loop.Stopped):
                print(f"stopped at step {event.step}; go on with: maquette train --resume {run}")
            elif isinstance(event, job.Exported):
                print(f"model: {event.path}")
    return 0


def show_evaluation(events: Iterable, out: str) -> int:
    """Follow `evaluate`: a bar, then the tables; `out` is a file for the result as JSON, or - for standard output."""
    from maquette.evaluate.report import Measured, Progressed

    result = None
    said = 0
    with progress() as bar:
        task = bar.add_task("measuring", total=None)
        for event in events:
            if isinstance(event, Progressed):
                bar.update(task, description=event.doing, completed=event.done, total=event.total)
                if not _errors.is_terminal and event.done * 10 // max(event.total, 1) != said:
                    said = event.done * 10 // event.total
                    _errors.print(f"{event.doing}: {event.done} of {event.total}")
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
    if out:
        with atomic_path(Path(out)) as path:
            path.write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
        _output.print(f"written to {out}", soft_wrap=True)
    return 0


