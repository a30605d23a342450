"""What each kind of work shows when it is done: results and tables on standard output, or one JSON document."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from maquette.cli.console import follow
from maquette.cli.options import say
from maquette.events import Failed, Written
from maquette.io.atomic import atomic_path

if TYPE_CHECKING:
    from maquette.training.monitor.doctor import Examined


def show_files(
    events: Iterable[object], as_json: bool, doing: str, total: int | None = None,
    other: Callable[[object], None] | None = None,
) -> int:
    """Print each result as it comes, with progress on standard error; returns 1 where an input failed.

    Args:
        events: As of `follow`, with `Written` and `Failed` alone as results; a whole number among them says how many
            results there will be.
        as_json: Print one JSON document at the end, and nothing else.
        doing: As of `follow`.
        total: As of `follow`.
        other: What is done with events of other kinds; none are expected if left out.
    """
    failed = 0
    document: list[dict[str, object]] = []
    for event in follow(events, doing, total):
        if isinstance(event, Failed):
            failed += 1
            document.append({"input": event.source, "error": event.reason})
            say(f"maquette: {event.reason}")
            continue
        if not isinstance(event, Written):
            if other is None:
                raise TypeError(f"no event of files: {event!r}")
            other(event)
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

    Returns 1 where something failed, by an earlier run of the same preparation too; what a source leaves out on purpose
    is no failure.
    """
    *_, finished = follow(events, "preparing")
    skipped = [{"id": name, "reason": reason} for name, reason in finished.skipped]
    if as_json:
        print(json.dumps({"output": str(out), what: finished.count, "skipped": skipped}, indent=1))
    else:
        failed, left_out = len(finished.failed), len(skipped) - len(finished.failed)
        print(f"{out}: {finished.count} {what}" + (f", {failed} skipped" if failed else "")
              + (f", {left_out} left out on purpose" if left_out else ""))
    return 1 if finished.failed else 0


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
    """Follow a training run to its model, or to where it was stopped; of data that are prepared first only progress."""
    from maquette.training.news import Exported, Stopped

    for result in follow(events, "preparing"):
        if isinstance(result, Stopped):
            print(f"stopped at step {result.step}; go on with: maquette train --resume {run}")
        elif isinstance(result, Exported):
            print(f"model: {result.path}")
    return 0


def show_doctor(examined: "Examined", as_json: bool) -> int:
    """Print each finding as what was seen, what it usually means and what to change, then what was looked at.

    Args:
        examined: A `maquette.training.monitor.doctor.Examined`.
        as_json: Print one JSON document.

    Returns:
        1 where something was found.
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
    from rich.table import Table

    from maquette.cli.terminal import output

    output.print(result.title, soft_wrap=True, markup=False)
    table = Table(*result.columns)
    for row in result.rows:
        table.add_row(*[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row])
    output.print(table)
    for note in result.notes:
        output.print(note, soft_wrap=True, markup=False)
    if out:
        with atomic_path(Path(out)) as path:
            path.write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
        output.print(f"written to {out}", soft_wrap=True)
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
