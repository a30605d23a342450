"""What is read and where it goes: the inputs of a command, and the names of its results, each free before the work.

All verbs on files use these, so that one rule (`maquette.io.replacing`) holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from maquette.errors import UserError
from maquette.events import Event, Failed
from maquette.io import formats
from maquette.io.paths import STEM_BYTES, beside, fitted, shown
from maquette.io.replacing import check_free

if TYPE_CHECKING:
    from maquette.geometry.plain import Mesh

MAX_COUNT = 10_000
"""Results of one command, at most."""
Preview = Literal["no", "png", "html"]
"""What is written beside a mesh: nothing, a picture, or that and a page to turn it in."""
PREVIEW, TURNING = ".preview.png", ".preview.html"
"""The endings of a picture of a result, and of a page to turn it in, which lie beside it."""
ENDINGS: dict[Preview, tuple[str, ...]] = {"no": (), "png": (PREVIEW,), "html": (PREVIEW, TURNING)}
"""The endings of each kind of preview."""


def sources_of(inputs: Iterable[str], find: Callable, out: Path) -> tuple[list, list[Failed], bool]:
    """What is to be done.

    Args:
        inputs: As the user named them.
        find: The files in one of them; UserError for one that names none.
        out: A folder, or one file.

    Returns:
        The files, each once; a Failed for each input that names none; and whether `out` is one file.

    Raises:
        UserError: Where `out` is one file and there are several inputs.
    """
    sources, failed = [], []
    for path in inputs:
        try:
            sources += [source for source in find([path]) if source not in sources]
        except UserError as error:
            failed.append(Failed(str(path), str(error)))
    single = formats.is_known(out)
    if single and len(sources) > 1:
        raise UserError(f"--out {out} is one file, but there are {len(sources)} inputs", hint="give a folder")
    return sources, failed, single


def check_count(count: int) -> None:
    """Raise UserError unless so many results can be asked for at once."""
    if not 1 <= count <= MAX_COUNT:
        raise UserError("count must be at least 1" if count < 1 else f"count must be at most {MAX_COUNT:,}", count)


def size_words(path: Path, mesh_mm: Mesh) -> str:
    """Size, unit and up axis of what is in a mesh's file: `100 x 62.5 x 80 mm, z up`; empty for a grid's.

    Args:
        path: The file.
        mesh_mm: The mesh, in millimetres.
    """
    sides = " x ".join(f"{side:.4g}" for side in mesh_mm.extents)
    stored = axes_words(path)
    return f"{sides} mm, {stored}" if stored else ""


def size_facts(path: Path, mesh_mm: Mesh) -> dict[str, object]:
    """The same for a summary: `extents_mm` along x, y and z of the print, and the `unit` and `up` axis of the file.

    Args:
        path: The file; that of a grid has neither unit nor axis.
        mesh_mm: The mesh, in millimetres.
    """
    facts: dict[str, object] = {"extents_mm": np.round(mesh_mm.extents, 3).tolist()}
    suffix = path.suffix.lower()
    if suffix in formats.MESHES:
        facts |= {"unit": "m", "up": "y"} if suffix == ".glb" else {"unit": "mm", "up": "z"}
    return facts


def axes_words(path: Path) -> str:
    """Which way is up in a mesh's file, and its unit where that is not the millimetre; empty for a grid's."""
    suffix = path.suffix.lower()
    if suffix not in formats.MESHES:
        return ""
    return "stored in metres with y up" if suffix == ".glb" else "z up"


class Targets:
    """The results of one command: a file for each input in a folder, or one file that was named.

    Args:
        out: A folder, or one file.
        single: Whether it is one file.
    """

    def __init__(self, out: str | Path, single: bool = False):
        self.out, self.single = Path(out), single
        self._taken: set[str] = set()

    def of(self, source: str | Path, suffix: str, *more: str, after: str = "") -> tuple[Path, ...]:
        """The files that an input becomes: `STEM` + `SUFFIX` and one for each further ending.

        Args:
            source: The input; `-` is called stdin.
            suffix: Of the result.
            more: Endings of what is written beside it: `.preview.png`.
            after: What follows the input's own name: `-projected`.

        Raises:
            UserError: Where one of them may not be written, before any work is done.
        """
        name = "stdin" if str(source) == "-" else Path(source).stem.replace(":", "-")
        stem = free_name(name + after, self._taken)
        main = self.out if self.single else self.out / f"{stem}{suffix}"
        paths = (main, *(beside(main, ending) for ending in more))
        check_free(*paths)
        return paths


def one_by_one(
    inputs: Iterable[str], find: Callable, out: str | Path, work: Callable[[Any, Targets], Iterator[Event]],
    counted: bool = True,
) -> Iterator[int | Event]:
    """Do the same work on each input. A bad one is named, the others are still done.

    Args:
        inputs: As the user named them.
        find: The files in one of them; UserError for one that names none.
        out: A folder, or one file.
        work: What is done with one file; UserError where it cannot be done. It asks the targets where results go.
        counted: Whether the number of files comes first.

    Yields:
        How many there are, then what `work` yields, or a Failed, for each.

    Raises:
        UserError: Where `out` is one file and there are several inputs.
    """
    sources, failed, single = sources_of(inputs, find, Path(out))
    if counted:
        yield len(sources) + len(failed)
    yield from failed
    targets = Targets(out, single)
    for source in sources:
        try:
            yield from work(source, targets)
        except UserError as error:
            reason = str(error)
            named = str(source) in reason or shown(source) in reason
            yield Failed(str(source), reason if named else f"{source}: {reason}")


def free_name(stem: str, taken: set[str]) -> str:
    """The stem, or `STEM-2` and so on: the first name that is not taken, whatever its case; now it is taken.

    A long stem is shortened, so that endings find room in the name of a file.
    """
    stem = fitted(stem, most=STEM_BYTES)
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.lower())
    return name
