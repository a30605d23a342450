"""Pictures to meshes: a file for each picture, or several candidates of each with a sheet to choose from.

Built on `maquette.api.reconstruction`; like there, nothing prints or parses arguments.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.api.reconstruction import By, Reconstruction, candidates, reconstruct, reconstruct_one
from maquette.errors import UserError
from maquette.events import Event, Written
from maquette.geometry.size import check_side, check_wall
from maquette.intake.pickup import find_inputs, read_picture
from maquette.io import formats
from maquette.io.replacing import check_free
from maquette.models.hub import DEFAULT_MODEL, Model, ModelOrName, as_model
from maquette.models.predict import require_pictures
from maquette.outputs.naming import ENDINGS, Preview, Targets, one_by_one, size_words
from maquette.outputs.shapes import report_facts, written_object
from maquette.outputs.turning import write_turning

if TYPE_CHECKING:
    import trimesh

EXAMPLES = Path(__file__).parents[1] / "examples"
SHEET = ".candidates.png"
"""The ending of a picture of all candidates of one input."""
MOST_CANDIDATES = 5
"""There are so many at most: four ways, and the model's own shape, not mended by the outline."""


def reconstruct_files(
    inputs: Iterable[str],
    out: str | Path,
    model: ModelOrName = DEFAULT_MODEL,
    *,
    by: By = "auto",
    class_name: str = "",
    obeying: bool = True,
    suffix: str = ".stl",
    preview: Preview = "no",
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Event]:
    """Reconstruct the pictures in files and folders. A bad input is named, the others still done.

    Args:
        inputs: Pictures, folders of pictures, or `-` for standard input.
        out: A folder, or one file with a known suffix where there is one input.
        model: One that reads pictures, or its name or folder.
        by: The way, `auto` for the best one.
        class_name: What all pictures show, for a model that takes it.
        obeying: Mend the model's shapes by the drawn outline.
        suffix: Of the files in a folder: a mesh's or a grid's.
        preview: Also a PNG of the picture beside the mesh from four sides.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Yields:
        How many there are, then one Written or Failed for each.

    Raises:
        UserError: For a model that is unknown, and for one file that several inputs would be written to.
    """
    model = _checked(model, size_mm, min_wall_mm, threshold)

    def reconstructed(source: str | Path, targets: Targets) -> Iterator[Written]:
        started = time.perf_counter()
        paths = targets.of(source, suffix, *ENDINGS[preview])
        made = reconstruct(
            source, model, by=by, class_name=class_name, obeying=obeying, size_mm=size_mm, threshold=threshold,
            largest_part=largest_part, min_wall_mm=min_wall_mm,
        )
        made.save(paths[0])
        if preview != "no":
            from maquette.rendering import sheets as previews

            previews.preview(_seen(source, made), made.mesh, paths[1], title=made.report.line())
        if preview == "html":
            write_turning(paths[2], made.solid, paths[0].stem, "; ".join((made.line(), made.report.line())))
        yield written_picture(source, paths, made, started)

    yield from one_by_one(inputs, find_inputs, out, reconstructed)


def candidate_files(
    inputs: Iterable[str],
    out: str | Path,
    model: ModelOrName = DEFAULT_MODEL,
    count: int = 4,
    *,
    suffix: str = ".stl",
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Event]:
    """Several objects of each picture, `STEM-1-model.stl` and so on, the best first, with a sheet to choose from.

    Args:
        inputs: As for `reconstruct_files`, like all that follows.
        out: A folder.
        model: One that reads pictures.
        count: How many at most.
        suffix: Of the files.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall, for the report.

    Yields:
        How many inputs there are, then one Written a candidate and one for the sheet, or one Failed an input.

    Raises:
        UserError: For a count out of its range, a model that is unknown, and an `out` that is one file.
    """
    if not 1 <= count <= MOST_CANDIDATES:
        raise UserError(f"candidates must be from 1 to {MOST_CANDIDATES}", count)
    model, out = _checked(model, size_mm, min_wall_mm, threshold), Path(out)
    if formats.is_known(out):
        raise UserError(f"--out {out} is one file, but there are several candidates", hint="give a folder")

    def tried(source: str | Path, targets: Targets) -> Iterator[Written]:
        from maquette.rendering import sheets as previews

        started, captions = time.perf_counter(), ["the picture"]
        cells: list[np.ndarray | trimesh.Trimesh] = []
        (sheet,) = targets.of(source, SHEET)
        stem = sheet.name.removesuffix(SHEET)
        for number, made in enumerate(candidates(
            source, model, count, size_mm=size_mm, threshold=threshold, largest_part=largest_part,
            min_wall_mm=min_wall_mm,
        ), 1):
            path = out / f"{stem}-{number}-{made.way}{suffix}"
            check_free(path)
            made.save(path)
            cells = cells or [_seen(source, made)]
            cells.append(made.mesh)
            captions.append(f"{number} {made.way}, {made.judgement.verdict}")
            yield written_picture(source, (path,), made, started)
            started = time.perf_counter()
        previews.contact_sheet(cells, sheet, columns=len(cells), cell_px=240, captions=captions)
        yield Written(str(source), (sheet,), f"{len(cells) - 1} candidates", {"output": [str(sheet)]})

    yield from one_by_one(inputs, find_inputs, out, tried)


def one_file(
    inputs: Sequence[str],
    out: str | Path,
    model: ModelOrName = DEFAULT_MODEL,
    sides: Sequence[str] = (),
    *,
    obeying: bool = True,
    suffix: str = ".stl",
    preview: Preview = "no",
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Event]:
    """One object from all pictures together, named after the first.

    Args:
        inputs: Files, each a picture of the object, or folders of such.
        out: A folder, or one file with a known suffix.
        model: As for `reconstruct_files`, like all that follows.
        sides: From where each was taken; empty where that is not known.
        obeying: Mend the shape by the outlines.
        suffix: Of the file in a folder.
        preview: Also a PNG of the first picture beside the mesh.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall, for the report.

    Yields:
        1, then one Written.

    Raises:
        UserError: As `maquette.api.reconstruct_one` does: without all of its pictures there is no object.
    """
    model = _checked(model, size_mm, min_wall_mm, threshold)
    started = time.perf_counter()
    sources = [source for path in inputs for source in find_inputs([path])]
    paths = Targets(out, formats.is_known(out)).of(sources[0], suffix, *ENDINGS[preview])
    yield 1
    made = reconstruct_one(
        sources, model, sides, obeying=obeying, size_mm=size_mm, threshold=threshold, largest_part=largest_part,
        min_wall_mm=min_wall_mm,
    )
    made.save(paths[0])
    if preview != "no":
        from maquette.rendering import sheets as previews

        previews.preview(_seen(sources[0], made), made.mesh, paths[1], title=made.report.line())
    if preview == "html":
        write_turning(paths[2], made.solid, paths[0].stem, "; ".join((made.line(), made.report.line())))
    event = written_picture(sources[0], paths, made, started)
    yield Written(event.source, event.paths, event.line, {**event.summary, "pictures": [str(one) for one in sources]})


def written_picture(source: str | Path, paths: Iterable[Path], made: Reconstruction, started: float) -> Written:
    """The event of the object of one picture.

    Args:
        source: The picture.
        paths: What was written, the main file first.
        made: The object.
        started: `time.perf_counter` when the work on it began.
    """
    facts = {
        "kind": made.pickup.kind, "by": made.way, "verdict": made.judgement.verdict,
        "probability": round(made.judgement.probability, 3), "reasons": list(made.judgement.reasons),
        "outline": None if np.isnan(made.outline) else round(made.outline, 3), "stands": made.standing.stands,
    }
    event = written_object(source, list(paths), made, facts, (made.line(), *made.notes), started)
    return Written(event.source, event.paths, event.line, {**event.summary, **report_facts(made.report),
                                                           "printable": made.printable})


def demo_files(out: str | Path, model: Model) -> Iterator[int | Event]:
    """Reconstruct the bundled examples, and lay them out on one sheet, sketch beside mesh.

    Args:
        out: The folder.
        model: One that reads pictures.

    Yields:
        How many files there will be, then one Written for each.
    """
    from maquette.rendering import sheets as previews

    out = Path(out)
    sources = sorted(str(path) for path in EXAMPLES.glob("*.png"))
    check_free(*(out / f"{Path(source).stem}.stl" for source in sources), out / "demo.png")
    yield len(sources) + 1
    cells: list[np.ndarray | trimesh.Trimesh] = []
    for source in sources:
        made = reconstruct(source, model)
        target = out / f"{Path(source).stem}.stl"
        formats.write_mesh(target, made.solid)
        cells += [read_picture(source), made.mesh]
        said = (made.line(), made.report.line(), size_words(target, made.solid))
        yield Written(Path(source).name, (target,), "; ".join(said))
    picture = previews.contact_sheet(cells, out / "demo.png", columns=4, cell_px=240)
    yield Written("picture", (picture,), "each example beside its mesh")


def _checked(model: ModelOrName, size_mm: float, min_wall_mm: float, threshold: float | None) -> Model:
    """The model, after all that holds for every input was checked."""
    check_side(size_mm)
    check_wall(min_wall_mm)
    if threshold is not None and not 0 < threshold < 1:
        raise UserError("threshold must lie between 0 and 1", threshold)
    return require_pictures(as_model(model))


def _seen(source: str | Path, made: Reconstruction) -> np.ndarray:
    """The picture that an object was made of, as pixels."""
    if str(source) != "-":
        return read_picture(source)
    pixels = np.round(np.moveaxis(made.pickup.image, 0, -1) * 255).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels
