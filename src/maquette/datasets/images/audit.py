"""What is wrong with a folder of images, found by comparing them with each other, and a cleaned copy of it.

`compare` is the whole judgement: plain rules on the numbers of `image_look`. The originals are only ever read.
"""

import csv
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from maquette.datasets.images.files import ImageFile, Limits, find_images, open_image
from maquette.datasets.images.measure import THUMB_SIDE, ImageStatistics, look, to_grey
from maquette.datasets.images.report import html_report
from maquette.datasets.workers import cores, run
from maquette.errors import UserError
from maquette.events import Progress
from maquette.io.atomic import atomic_path

KINDS = {
    "unreadable": "Damaged, cut short, too large or not an image. A cleaned copy leaves them out.",
    "duplicate": "The same or almost the same as another: scaled, compressed again, brighter, moved by 1 %. A picture "
                 "and its mirror image are not found. A cleaned copy keeps the largest.",
    "blank": "Nothing on it: 98 % of the pixels within 8 levels. A cleaned copy leaves them out.",
    "inverted": "Light where the others are dark (MONOCHROME1 saved as it is). A cleaned copy turns them round.",
    "over-exposed": "Nearly white in large parts, and the folder is not.",
    "under-exposed": "Nearly black in large parts, and the folder is not.",
    "aspect": "Another ratio of width to height than most.",
    "size": "Another size than most, in the same aspect.",
    "colour": "In colour where most are grey. A cleaned copy makes them grey.",
    "border": "Lines of pure black or white at an edge of a well exposed picture. A cleaned copy cuts them off.",
    "marker": "What looks like letters or signs burnt in near an edge, or like a word anywhere. Faint ones, one or two "
              "letters in the middle and those on a white frame are not seen; ear-rings and other metal near an edge "
              "are taken for markers. They may be names: look. A cleaned copy leaves them as they are.",
}
"""The kinds of findings, in the order of the report, each with what it means and what a cleaned copy does."""
SAME_BITS = 40
"""Two pictures are candidates for duplicates where so many of the 256 bits of their hashes differ, or fewer. Of 80
panoramic radiographs and 80 crops to the teeth no two of different patients differed in fewer than 64; copies scaled by
half, compressed again, brightened or moved by 1 % differed in 38 at most."""
SAME_CORRELATION = 0.9
"""And duplicates where their 64x64 copies correlate at least so much as well."""
ALIKE = 0.3
"""A folder's pictures are alike where the median of their correlations with the folder's median picture is above this;
only then can that tell an inverted one."""
INVERTED = -0.25
"""A picture is inverted where its correlation with the median picture is below this."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one image."""

    kind: str
    """One of KINDS."""
    id: str
    detail: str
    other: str = ""
    """The image that a duplicate is kept for."""

    @property
    def line(self) -> str:
        return f"{self.kind}: {self.id}: {self.detail}"


@dataclass(frozen=True)
class Audited:
    """The audit of a folder."""

    images: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    """What is true of the folder as a whole."""
    report: Path
    table: Path
    fixed: Path | None
    kept: int
    """Images of the cleaned copy."""


def audit_images(
    folder: str | Path,
    out: str | Path = "out",
    *,
    fix: str | Path | None = None,
    keep_names: bool = False,
    bits: int = 0,
    max_megapixels: float = 100.0,
    workers: int | None = None,
) -> Iterator[Progress | Audited]:
    """Looks through a folder of images; writes `audit.html` and `audit.csv` to `out`, and a cleaned copy to `fix`.

    The last event is Audited. The cleaned copy is 8-bit PNG without any of the files' own fields, see KINDS for what is
    done; it is there whole or not at all.

    Args:
        keep_names: See `find_images`.
        bits: See `Limits`.
        max_megapixels: See `bits`.
        workers: Processes, all cores unless said.

    Raises:
        UserError: For a folder that holds fewer than two images, for a `fix` that is not empty or overlaps the folder,
            and where files cannot be written.
    """
    folder, out = Path(folder), Path(out)
    if workers is not None and workers < 1:
        raise UserError("workers must be 1 or more", workers)
    limits = Limits(int(max_megapixels * 1e6), bits)
    files = find_images(folder, keep_names=keep_names)
    if len(files) < 2:
        raise UserError("an audit compares images with each other and needs two", f"1 image in {folder}")
    if fix is not None:
        _check_fix(folder, Path(fix))
    count = workers or min(cores(), 1 + len(files) // 32)
    looks: dict[str, ImageStatistics] = {}
    problems: dict[str, str] = {}
    jobs = ((file.id, file) for file in files)
    for done, (name, seen) in enumerate(run(partial(_look, limits=limits), jobs, count, "nothing was changed"), 1):
        if isinstance(seen, ImageStatistics):
            looks[name] = seen
        else:
            problems[name] = seen
        yield Progress("looking", done, len(files))
    looks = {file.id: looks[file.id] for file in files if file.id in looks}
    findings, notes = compare(looks)
    findings = tuple(sorted([Finding("unreadable", name, why) for name, why in problems.items()] + findings,
                            key=lambda finding: (list(KINDS).index(finding.kind), finding.id)))
    plans = plan(looks, findings)
    _write_table(out / "audit.csv", files, looks, findings, plans)
    with atomic_path(out / "audit.html") as unfinished:
        unfinished.write_text(html_report(folder.resolve().name, len(files), looks, findings, notes, KINDS),
                              encoding="utf-8")
    if fix is not None:
        yield from _fix(files, plans, Path(fix), limits, count)
    kept = sum(actions is not None for actions in plans.values()) if fix is not None else 0
    yield Audited(len(files), findings, tuple(notes), out / "audit.html", out / "audit.csv",
                  Path(fix) if fix is not None else None, kept)


def _look(file: ImageFile, limits: Limits) -> ImageStatistics | str:
    """What was measured on an image, or why it cannot be read."""
    try:
        pixels, declared = open_image(file, limits)
        return look(pixels, declared=declared)
    except UserError as error:
        return str(error)
    except Exception as error:  # one strange file among thousands must not end the others
        return f"{file.id}: {type(error).__name__}"


def compare(looks: dict[str, ImageStatistics]) -> tuple[list[Finding], list[str]]:
    """The findings on pictures by name, and notes on all of them together. At most half of the pictures are odd: what
    most have is right.
    """
    if not looks:
        return [], []
    full = {name: seen for name, seen in looks.items() if not seen.blank}
    findings = [Finding("blank", name, f"grey levels {seen.low:.0f} to {seen.high:.0f}")
                for name, seen in looks.items() if seen.blank]
    odd, notes = _odd_sizes(looks)
    inverted = _inverted(full)
    findings += odd + [Finding("inverted", name, why) for name, why in inverted.items()]
    exposure = _exposure(full)
    findings += _duplicates(full, set(inverted)) + exposure
    badly_exposed = {finding.id for finding in exposure}
    in_colour = [name for name, seen in looks.items() if seen.colour]
    if 2 * len(in_colour) <= len(looks):
        findings += [Finding("colour", name, "its channels differ") for name in in_colour]
    else:
        notes.append(f"{len(in_colour)} of {len(looks)} images are in colour")
    for name, seen in full.items():
        if seen.bordered and name not in badly_exposed:
            findings.append(Finding("border", name, "left {}, top {}, right {}, bottom {} px".format(*seen.border)))
        if seen.markers or seen.declared:
            declared = ["the DICOM file says so"] if seen.declared else []
            places = [f"{w}x{h} px at {x},{y}" for x, y, w, h in seen.markers]
            findings.append(Finding("marker", name, "; ".join(declared + places)))
    return findings, notes + _usual_marker(full)


def _usual_marker(looks: dict[str, ImageStatistics]) -> list[str]:
    """A note where most pictures have a marker at one place, to a tenth of the sides: a crop can leave it out."""
    places = Counter()
    for seen in looks.values():
        places.update({(int(10 * (x + w / 2) / seen.width), int(10 * (y + h / 2) / seen.height))
                       for x, y, w, h in seen.markers})
    if not places:
        return []
    (across, down), most = places.most_common(1)[0]
    if 2 * most <= len(looks):
        return []
    return [f"{most} of {len(looks)} images have a marker at {across * 10} to {across * 10 + 10} % of the width and "
            f"{down * 10} to {down * 10 + 10} % of the height"]


def _odd_sizes(looks: dict[str, ImageStatistics]) -> tuple[list[Finding], list[str]]:
    sizes = {name: (seen.width, seen.height) for name, seen in looks.items()}
    (width, height), most = Counter(sizes.values()).most_common(1)[0]
    aspects = {name: w / h for name, (w, h) in sizes.items()}
    majority = 2 * most > len(looks)
    usual = width / height if majority else float(np.median(list(aspects.values())))
    off = [name for name, aspect in aspects.items() if abs(aspect / usual - 1) > 0.02]
    notes = [f"{most} of {len(looks)} images are {width}x{height}"]
    if not majority:
        notes = [f"the images have {len(set(sizes.values()))} sizes, none of them that of most"]
        if 2 * len(off) >= len(looks):
            return [], [*notes, "nor have most one aspect"]
        notes.append(f"most have an aspect of about {usual:.2f}")
    findings = [Finding("aspect", name, "{}x{}".format(*sizes[name])) for name in off]
    if majority:
        others = [name for name, size in sizes.items() if size != (width, height) and name not in set(off)]
        findings += [Finding("size", name, "{}x{}".format(*sizes[name])) for name in others]
    return findings, notes


def _inverted(looks: dict[str, ImageStatistics]) -> dict[str, str]:
    """Why each picture that is inverted is thought to be so.

    Where the pictures are alike, by their correlation with the folder's median picture; elsewhere, where seven in ten
    have a dark (or a light) ring at the edge, by a ring of the other kind.
    """
    if len(looks) < 5:
        return {}
    names = list(looks)
    small = np.stack([cv2.resize(looks[name].inner, (32, 32), interpolation=cv2.INTER_AREA) for name in names])
    vectors = standardised(small.reshape(len(names), -1))
    middle = standardised(np.median(vectors, 0, keepdims=True))[0]
    alike = vectors @ middle
    if np.median(alike) >= ALIKE:
        return {name: f"correlation {c:.2f} with the folder's median image"
                for name, c in zip(names, alike, strict=True) if c < INVERTED}
    ring = np.array([looks[name].ring for name in names])
    for usual, other, word in ((ring < 64, ring > 191, "light"), (ring > 191, ring < 64, "dark")):
        if usual.mean() >= 0.7:
            return {names[k]: f"a {word} background" for k in np.flatnonzero(other)}
    return {}


def _duplicates(looks: dict[str, ImageStatistics], inverted: set[str]) -> list[Finding]:
    names = list(looks)
    if len(names) < 2:
        return []
    bits = np.unpackbits(np.frombuffer(b"".join(looks[n].hash for n in names), np.uint8)).reshape(len(names), -1)
    signs = bits.astype(np.float32) * 2 - 1
    thumbs = standardised(np.stack([looks[name].thumb for name in names]).reshape(len(names), THUMB_SIDE**2))
    turned = np.array([name in inverted for name in names])
    signs[turned], thumbs[turned] = -signs[turned], -thumbs[turned]
    kept = list(range(len(names)))  # the first of each group, by its member
    for start in range(0, len(names), 1024):
        part = slice(start, start + 1024)
        distance = (bits.shape[1] - signs[part] @ signs.T) / 2
        for near, other in zip(*np.nonzero(distance <= SAME_BITS), strict=True):
            a, b = int(near) + start, int(other)
            if a < b and thumbs[a] @ thumbs[b] >= SAME_CORRELATION:
                low, high = sorted((_root(kept, a), _root(kept, b)))
                kept[high] = low
    groups: dict[int, list[int]] = {}
    for k in range(len(names)):
        groups.setdefault(_root(kept, k), []).append(k)
    findings = []
    for group in groups.values():
        best = max(group, key=lambda k: (not turned[k], looks[names[k]].width * looks[names[k]].height, -k))
        for k in group:
            if k != best:
                exact = looks[names[k]].digest == looks[names[best]].digest
                how = "the same pixels as" if exact else "almost the same as"
                findings.append(Finding("duplicate", names[k], f"{how} {names[best]}", names[best]))
    return findings


def _root(parents: list[int], k: int) -> int:
    while parents[k] != k:
        parents[k] = parents[parents[k]]
        k = parents[k]
    return k


def standardised(rows: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and length 1, float32, so that their products are correlations."""
    rows = rows.astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _exposure(looks: dict[str, ImageStatistics]) -> list[Finding]:
    if not looks:
        return []
    usual = float(np.median([seen.median for seen in looks.values()]))
    glare = float(np.median([seen.bright for seen in looks.values()]))
    findings = []
    for name, seen in looks.items():
        told = f"median grey level {seen.median:.0f}, of the folder {usual:.0f}"
        if (seen.median >= 210 and usual < 170) or (seen.bright >= 0.35 and glare < 0.1) or seen.low >= 170:
            findings.append(Finding("over-exposed", name, told))
        elif (seen.median <= 25 and usual > 60) or seen.high <= 85:
            findings.append(Finding("under-exposed", name, told))
    return findings


@dataclass(frozen=True)
class Actions:
    """What a cleaned copy changes in one image."""

    border: tuple[int, int, int, int] = (0, 0, 0, 0)
    invert: bool = False
    grey: bool = False

    @property
    def line(self) -> str:
        parts = ["cut left {}, top {}, right {}, bottom {} px".format(*self.border)] if any(self.border) else []
        return "; ".join(parts + ["turned round"] * self.invert + ["made grey"] * self.grey)


def plan(looks: dict[str, ImageStatistics], findings: tuple[Finding, ...]) -> dict[str, Actions | None]:
    """What a cleaned copy does with each picture; None: it is left out."""
    kinds: dict[str, set[str]] = {name: set() for name in looks}
    for finding in findings:
        kinds.setdefault(finding.id, set()).add(finding.kind)
    result: dict[str, Actions | None] = {}
    for name, found in kinds.items():
        if found & {"unreadable", "duplicate", "blank"}:
            result[name] = None
        else:
            border = looks[name].border if "border" in found else (0, 0, 0, 0)
            result[name] = Actions(border, "inverted" in found, "colour" in found)
    return result


def clean(pixels: np.ndarray, actions: Actions) -> np.ndarray:
    """A picture with the actions done to it. A grey picture stored as RGB comes out as [H, W]."""
    left, top, right, bottom = actions.border
    pixels = pixels[top : pixels.shape[0] - bottom, left : pixels.shape[1] - right]
    if actions.grey or (pixels.ndim == 3 and (pixels == pixels[..., :1]).all()):
        pixels = to_grey(pixels)
    return np.ascontiguousarray(255 - pixels if actions.invert else pixels)


def _check_fix(folder: Path, fix: Path) -> None:
    source, target = folder.resolve(), fix.resolve()
    if target == source or source in target.parents or target in source.parents:
        raise UserError("the cleaned copy must lie outside the folder of images", str(fix), "give --fix another folder")
    if fix.exists() and not fix.is_dir():
        raise UserError(f"{fix} is a file, not a folder", hint="give --fix another name")
    if fix.is_dir() and any(fix.iterdir()):
        raise UserError(f"{fix} is not empty", hint="give --fix a new folder")


def _fix(files: list[ImageFile], plans, fix: Path, limits: Limits, workers: int) -> Iterator[Progress]:
    """Writes the cleaned copy beside its final name and renames it when it is whole."""
    unfinished = fix.with_name(f".{fix.name}.unfinished-{os.getpid()}")
    taken: set[str] = set()
    jobs = []
    for file in files:
        if plans[file.id] is not None:
            stem = str(Path(file.id).with_suffix("")) if not file.is_dicom else file.id
            name, copies = f"{stem}.png", 1
            while name.lower() in taken:
                copies += 1
                name = f"{stem}-{copies}.png"
            taken.add(name.lower())
            jobs.append((file.id, (file, plans[file.id], unfinished / name)))
    try:
        for done, _ in enumerate(run(partial(_clean_file, limits=limits), jobs, workers, "nothing was changed"), 1):
            yield Progress("cleaning", done, len(jobs))
        if not jobs:
            unfinished.mkdir(parents=True, exist_ok=True)
        if fix.is_dir():
            fix.rmdir()
        os.replace(unfinished, fix)
    except OSError as error:
        raise UserError(f"cannot write {fix}: {error.strerror}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _clean_file(job: tuple[ImageFile, Actions, Path], limits: Limits) -> None:
    file, actions, target = job
    pixels, _ = open_image(file, limits)
    with atomic_path(target) as unfinished:
        Image.fromarray(clean(pixels, actions)).save(unfinished, "PNG")


def _write_table(path: Path, files: list[ImageFile], looks: dict[str, ImageStatistics], findings, plans) -> None:
    """A CSV with a row for each image."""
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        told.setdefault(finding.id, []).append(finding)
    with atomic_path(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "width", "height", "colour", "mean", "p1", "p99", "border", "findings", "details",
                        "cleaned copy"])
        for image in files:
            seen, actions = looks.get(image.id), plans[image.id]
            own = told.get(image.id, [])
            measures = [""] * 7 if seen is None else [
                seen.width, seen.height, "yes" if seen.colour else "no", f"{seen.mean:.1f}", f"{seen.low:.0f}",
                f"{seen.high:.0f}", " ".join(map(str, seen.border))]
            table.writerow([image.id, *measures, " ".join(f.kind for f in own),
                            " | ".join(f.detail for f in own), "left out" if actions is None else actions.line])
