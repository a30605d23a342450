"""The cleaned copy of a folder of pictures: what is done to each picture, and the writing of it."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from maquette.datasets.images.compare import Finding
from maquette.datasets.images.files import ImageFile, Limits, open_image
from maquette.datasets.images.measure import ImageStatistics, to_grey
from maquette.datasets.workers import map_unordered
from maquette.errors import UserError
from maquette.events import Progress
from maquette.io.atomic import atomic_path
from maquette.io.paths import fitted


@dataclass(frozen=True)
class Actions:
    """What a cleaned copy changes in one image."""

    border: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Pixels to cut off at the left, top, right and bottom."""
    invert: bool = False
    """Whether dark becomes light."""
    grey: bool = False
    """Whether the colours are dropped."""

    @property
    def line(self) -> str:
        """What is changed, as one line for the user; empty for nothing."""
        parts = ["cut left {}, top {}, right {}, bottom {} px".format(*self.border)] if any(self.border) else []
        return "; ".join(parts + ["turned round"] * self.invert + ["made grey"] * self.grey)


def plan_actions(
    statistics: Mapping[str, ImageStatistics], findings: Sequence[Finding]
) -> dict[str, Actions | None]:
    """What the cleaned copy changes in each picture; None if it leaves the picture out.

    Args:
        statistics: The statistics of each picture that could be read, by its name.
        findings: What is wrong with pictures, unreadable ones among them.
    """
    kinds: dict[str, set[str]] = {name: set() for name in statistics}
    for finding in findings:
        kinds.setdefault(finding.id, set()).add(finding.kind)
    result: dict[str, Actions | None] = {}
    for name, found in kinds.items():
        if found & {"unreadable", "duplicate", "blank"}:
            result[name] = None
        else:
            border = statistics[name].border if "border" in found else (0, 0, 0, 0)
            result[name] = Actions(border, "inverted" in found, "colour" in found)
    return result


def clean(
    pixels: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"], actions: Actions
) -> UInt8[np.ndarray, "_ _"] | UInt8[np.ndarray, "_ _ 3"]:
    """A picture with the actions done to it. A grey picture stored as RGB becomes `[H, W]`."""
    left, top, right, bottom = actions.border
    pixels = pixels[top : pixels.shape[0] - bottom, left : pixels.shape[1] - right]
    if actions.grey or (pixels.ndim == 3 and (pixels == pixels[..., :1]).all()):
        pixels = to_grey(pixels)
    return np.ascontiguousarray(255 - pixels if actions.invert else pixels)


def check_target(folder: Path, fix: Path) -> None:
    """Refuses a folder for the cleaned copy that holds something, or that overlaps the folder of images.

    Raises:
        UserError: For such a folder.
    """
    source, target = folder.resolve(), fix.resolve()
    if target == source or source in target.parents or target in source.parents:
        raise UserError("the cleaned copy must lie outside the folder of images", str(fix), "give --fix another folder")
    if fix.exists() and not fix.is_dir():
        raise UserError(f"{fix} is a file, not a folder", hint="give --fix another name")
    if fix.is_dir() and any(fix.iterdir()):
        raise UserError(f"{fix} is not empty", hint="give --fix a new folder")


def write_copy(
    files: Sequence[ImageFile], plans: Mapping[str, Actions | None], fix: Path, limits: Limits, workers: int
) -> Iterator[Progress]:
    """Writes the cleaned copy beside its final name and renames it when it is whole; yields progress.

    Args:
        files: The images.
        plans: By their ids, what is changed in them, see `plan_actions`.
        fix: The folder to make.
        limits: How pictures are read.
        workers: Processes; 1 works in this process.

    Raises:
        UserError: If it cannot be written.
    """
    unfinished = fix.with_name(fitted(f".{fix.name}", f".unfinished-{os.getpid()}"))
    taken: set[str] = set()
    jobs: list[tuple[str, tuple[ImageFile, Actions, Path]]] = []
    for file in files:
        actions = plans[file.id]
        if actions is not None:
            stem = str(Path(file.id).with_suffix("")) if not file.is_dicom else file.id
            folder, own = Path(stem).parent, Path(stem).name
            name, copies = str(folder / fitted(own, ".png")), 1
            while name.lower() in taken:
                copies += 1
                name = str(folder / fitted(own, f"-{copies}.png"))
            taken.add(name.lower())
            jobs.append((file.id, (file, actions, unfinished / name)))
    try:
        copying = map_unordered(partial(_clean_file, limits=limits), jobs, workers, "nothing was changed")
        for done, _ in enumerate(copying, 1):
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
    """Writes one image, cleaned, as a PNG."""
    file, actions, target = job
    pixels, _ = open_image(file, limits)
    with atomic_path(target) as unfinished:
        Image.fromarray(clean(pixels, actions)).save(unfinished, "PNG")
