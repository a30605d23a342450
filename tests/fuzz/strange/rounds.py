"""Many inputs by one seed, what came of them, and the findings, made smaller and kept as tests."""

import io
import random
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

from strange import Files, mutate
from strange.kinds import KINDS
from strange.pool import Result, Worker

KEPT = Path(__file__).parents[2] / "data" / "fuzz"
"""A folder for each kind with the inputs that were once findings."""
SORTS = ("exception", "memory", "recursion", "signal", "timeout", "output", "left", "message")
MOST_KEPT_BYTES = 100_000
TRIES = 60
"""Inputs that are tried to make a finding smaller."""


@dataclass
class Tally:
    """What came of the inputs of one kind."""

    outcomes: Counter = field(default_factory=Counter)
    sorts: Counter = field(default_factory=Counter)
    findings: dict[tuple[str, str], tuple[Result, Files]] = field(default_factory=dict)
    """The first input of each finding, by its sort and its place."""

    def add(self, result: Result, files: Files) -> None:
        """Count one input."""
        self.outcomes[result.outcome] += 1
        if result.outcome == "failed":
            self.sorts[result.sort] += 1
            self.findings.setdefault((result.sort, result.where), (result, files))


def shares(count: int, kinds: Sequence[str] = tuple(KINDS)) -> dict[str, int]:
    """How many inputs of each kind, `count` in all: by the kinds' shares, one at least."""
    total = sum(KINDS[name].share for name in kinds)
    made = {name: max(1, int(count * KINDS[name].share / total)) for name in kinds}
    names = [name for name in kinds if KINDS[name].share == max(KINDS[other].share for other in kinds)]
    for place in range(max(count - sum(made.values()), 0)):
        made[names[place % len(names)]] += 1
    return made


@cache
def seed_inputs(kind: str) -> tuple[Files, ...]:
    """The valid inputs of a kind, made once."""
    return tuple(KINDS[kind].seeds())


def inputs(kind: str, seed: int, count: int) -> Iterator[Files]:
    """The damaged inputs of a kind: each follows from the seed and its number alone."""
    whole = list(seed_inputs(kind))
    strangers = [
        files for name in ("picture-png", "grid-npz", "mesh-obj", "intrinsics") for files in seed_inputs(name)[:1]
    ]
    for number in range(count):
        rng = random.Random(f"{seed} {kind} {number}")
        others = whole if rng.random() < 0.8 else strangers
        yield mutate.mutated(rng.choice(whole), others, rng, KINDS[kind].checksums)


def fuzz(worker: Worker, kind: str, seed: int, count: int) -> Tally:
    """Hand damaged inputs of a kind to its readers."""
    tally = Tally()
    for files in inputs(kind, seed, count):
        result = worker.run(kind, files)
        if result.outcome == "failed" and (result.sort, result.where) not in tally.findings:
            again = worker.run_afresh(kind, files)
            note = f"not in a fresh process: {result.detail}"
            result = again if again.outcome == "failed" else Result("failed", result.sort, note, result.where)
        tally.add(result, files)
    return tally


def smaller(worker: Worker, kind: str, files: Files, result: Result) -> Files:
    """A smaller input with the same finding, by leaving out files and ever smaller parts of them."""
    left = TRIES if result.sort != "timeout" else 4

    def same(candidate: Files) -> bool:
        nonlocal left
        left -= 1
        again = worker.run(kind, candidate)
        return (again.outcome, again.sort, again.where) == (result.outcome, result.sort, result.where)

    for name in list(files)[0 if KINDS[kind].folder else 1 :]:
        rest = {other: data for other, data in files.items() if other != name}
        if left > 0 and rest and same(rest):
            files = rest
    for name, data in list(files.items()):
        step = len(data or b"") // 2
        while data and step and left > 0:
            at = len(data)
            while at > 0 and left > 0:
                shorter = data[: max(at - step, 0)] + data[at:]
                if same(files | {name: shorter}):
                    data = shorter
                    files = files | {name: data}
                at -= step
            step //= 4
    return files


def keep(kind: str, files: Files, folder: Path = KEPT) -> Path | None:
    """Write a finding under its kind's name; an input of several files as a zip archive. None for one too large."""
    data = packed(files) if len(files) > 1 or KINDS[kind].folder else next(iter(files.values())) or b""
    suffix = ".zip" if len(files) > 1 or KINDS[kind].folder else Path(next(iter(files))).suffix
    if len(data) > MOST_KEPT_BYTES:
        return None
    (folder / kind).mkdir(parents=True, exist_ok=True)
    path = folder / kind / f"{sha256(data).hexdigest()[:12]}{suffix}"
    path.write_bytes(data)
    return path


def kept(folder: Path = KEPT) -> list[tuple[str, Path]]:
    """The inputs that were once findings, with their kinds."""
    return sorted((path.parent.name, path) for path in folder.glob("*/*") if path.is_file())


def opened(path: Path) -> Files:
    """The input in a file that `keep` wrote."""
    if path.suffix != ".zip":
        return {f"a{path.suffix}": path.read_bytes()}
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix("/"): None if name.endswith("/") else archive.read(name) for name in archive.namelist()
        }


def packed(files: Files) -> bytes:
    """An input of several files as one zip archive; a folder has a name that ends in a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name + "/" * (data is None), (2020, 1, 1, 0, 0, 0))
            archive.writestr(entry, data or b"", zipfile.ZIP_DEFLATED)
    return out.getvalue()


def table(tallies: dict[str, Tally]) -> str:
    """Totals by kind, as Markdown."""
    sorts = [sort for sort in SORTS if any(tally.sorts[sort] for tally in tallies.values())]
    head = ["kind", "inputs", "read", "refused", "failed", *sorts]
    rows = [
        [
            name,
            sum(t.outcomes.values()),
            *(t.outcomes[o] for o in ("read", "refused", "failed")),
            *(t.sorts[sort] for sort in sorts),
        ]
        for name, t in tallies.items()
    ]
    rows.append(["all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))])
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(
        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in row) + " |" for row in lines
    )
