"""The audit of a folder of images: a report, a table, and a cleaned copy where it is asked for.

`compare.compare` is the whole judgement: plain rules on the numbers of `measure`. The originals are only ever read.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from maquette.datasets.images.clean import Actions, check_target, plan_actions, write_copy
from maquette.datasets.images.compare import KINDS, Finding, compare
from maquette.datasets.images.files import (
    ImageFile,
    Limits,
    find_images,
    open_image,
)
from maquette.datasets.images.measure import ImageStatistics, measure
from maquette.datasets.images.report import html_report
from maquette.datasets.private import private_names, write_private_names
from maquette.datasets.workers import WorkerDied, cores, map_unordered
from maquette.errors import UserError
from maquette.events import Note, Progress
from maquette.io.atomic import atomic_path
from maquette.io.replacing import check_free


@dataclass(frozen=True)
class Audited:
    """The audit of a folder."""

    images: int
    """Images of the folder, unreadable ones included."""
    findings: tuple[Finding, ...]
    """What is wrong with single images, in the order of `KINDS`."""
    notes: tuple[str, ...]
    """What is true of the folder as a whole."""
    report: Path
    """The page."""
    table: Path
    """The CSV file."""
    fixed: Path | None
    """The folder of the cleaned copy, None if none was asked for."""
    kept: int
    """Images of the cleaned copy."""


def audit_images(
    folder: str | Path,
    out: str | Path = "out",
    *,
    fix: str | Path | None = None,
    keep_names: bool = False,
    name: str = "",
    bits: int = 0,
    max_megapixels: float = 100.0,
    workers: int | None = None,
) -> Iterator[Note | Progress | Audited]:
    """Looks through a folder of images; writes `audit.html` and `audit.csv` to `out`, and a cleaned copy to `fix`.

    Yields Progress, Notes, and Audited at the end. The cleaned copy is 8-bit PNG without any of the files' own fields,
    and is written whole or not at all; `KINDS` says what it changes.

    Args:
        folder: Pictures and DICOM files; subfolders are included.
        out: The folder for the report and the table.
        fix: The folder for the cleaned copy, new or empty and outside of `folder`; None for no copy.
        keep_names: Calls the images by the names of their files, see `find_images`. Otherwise a table beside `out`,
            not in it, says which is which.
        name: What the page calls the images; never the name of their folder.
        bits: Bits of deep greys that are used, see `Limits`.
        max_megapixels: Larger pictures are refused before they are decoded.
        workers: Processes; by default one for each core. 1 works in this process.

    Raises:
        UserError: If the folder holds fewer than two images, if `fix` is not empty or overlaps the folder, and if files
            cannot be written.
    """
    folder, out = Path(folder), Path(out)
    if workers is not None and workers < 1:
        raise UserError("workers must be 1 or more", workers)
    limits = Limits.of(max_megapixels, bits)
    files = find_images(folder, keep_names=keep_names)
    check_free(out / "audit.csv", out / "audit.html", *[private_names(out)] * (not keep_names))
    if len(files) < 2:
        raise UserError("an audit compares images with each other and needs two", f"1 image in {folder}")
    if fix is not None:
        check_target(folder, Path(fix))
    count = workers or min(cores(), 1 + len(files) // 32)
    statistics: dict[str, ImageStatistics] = {}
    problems: dict[str, str] = {}
    jobs = ((file.id, file) for file in files)
    measured = map_unordered(partial(_measured, limits=limits), jobs, count, "nothing was changed", _died)
    for done, (id, seen) in enumerate(measured, 1):
        if isinstance(seen, ImageStatistics):
            statistics[id] = seen
        else:
            problems[id] = seen
        yield Progress("looking", done, len(files))
    statistics = {file.id: statistics[file.id] for file in files if file.id in statistics}
    odd, notes = compare(statistics)
    if not keep_names:
        table = write_private_names(out, ((file.id, file.path) for file in files))
        yield Note(f"{table} says which image is which file; it is for you alone, pass it on to nobody")
    findings = tuple(sorted([Finding("unreadable", id, why) for id, why in problems.items()] + odd,
                            key=lambda finding: (list(KINDS).index(finding.kind), finding.id)))
    plans = plan_actions(statistics, findings)
    _write_table(out / "audit.csv", files, statistics, findings, plans)
    with atomic_path(out / "audit.html") as unfinished:
        unfinished.write_text(html_report(name, len(files), statistics, findings, notes, KINDS),
                              encoding="utf-8")
    if fix is not None:
        yield from write_copy(files, plans, Path(fix), limits, count)
    kept = sum(actions is not None for actions in plans.values()) if fix is not None else 0
    yield Audited(len(files), findings, tuple(notes), out / "audit.html", out / "audit.csv",
                  Path(fix) if fix is not None else None, kept)


def _died(file: ImageFile, why: WorkerDied) -> ImageStatistics | str:
    return f"{file.id}: {why}"


def _measured(file: ImageFile, limits: Limits) -> ImageStatistics | str:
    """The statistics of an image, or why it cannot be read."""
    try:
        pixels, declared = open_image(file, limits)
        return measure(pixels, declared=declared)
    except UserError as error:
        return str(error)
    except Exception as error:  # one strange file among thousands must not end the others
        return f"{file.id}: {type(error).__name__}"


def _write_table(
    path: Path,
    files: Sequence[ImageFile],
    statistics: Mapping[str, ImageStatistics],
    findings: Sequence[Finding],
    plans: Mapping[str, Actions | None],
) -> None:
    """Writes a CSV with a row for each image."""
    by_image: dict[str, list[Finding]] = {}
    for finding in findings:
        by_image.setdefault(finding.id, []).append(finding)
    with atomic_path(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "width", "height", "colour", "mean", "p1", "p99", "border", "findings", "details",
                        "cleaned copy"])
        for image in files:
            seen, actions = statistics.get(image.id), plans[image.id]
            own = by_image.get(image.id, [])
            measures: list[str | int] = [""] * 7 if seen is None else [
                seen.width, seen.height, "yes" if seen.colour else "no", f"{seen.mean:.1f}", f"{seen.low:.0f}",
                f"{seen.high:.0f}", " ".join(map(str, seen.border))]
            table.writerow([image.id, *measures, " ".join(f.kind for f in own),
                            " | ".join(f.detail for f in own), "left out" if actions is None else actions.line])
