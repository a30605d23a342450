"""What a picture is most like, written to files: sheets, meshes and clean drawings of known objects, as events."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from maquette.api.objects import write_object
from maquette.errors import UserError
from maquette.events import Failed, Progress, Written
from maquette.geometry.size import check_side, size_line
from maquette.io.paths import beside, fitted
from maquette.io.pictures import find_inputs, read_picture
from maquette.models.hub import Model
from maquette.models.predict import require_pictures
from maquette.outputs.latents import CELL_PX, ZOOM, result, short
from maquette.outputs.naming import TURNING, Preview, Targets, axes_words, check_count, size_facts
from maquette.outputs.turning import write_turning
from maquette.plotting import drawing as plotter
from maquette.plotting.settings import Paper
from maquette.rendering import sheets as previews
from maquette.rendering.tiles import tile


def suggest_files(
    inputs: Iterable[str],
    out: str | Path,
    model: Model,
    *,
    among: str = "furniture",
    count: int = 8,
    known: int | None = None,
    cache: str = "data-cache",
    meshes: bool = False,
    suffix: str = ".stl",
    size_mm: float = 100.0,
    largest_part: bool = True,
    workers: int | None = None,
    draw: Paper | None = None,
    preview: Preview = "no",
) -> Iterator[Progress | Written | Failed]:
    """Find the known objects nearest to each picture, and show them beside it in `NAME-suggested.png`.

    A bad picture is named, the others still done.

    Args:
        inputs: Pictures or folders of pictures.
        out: The folder.
        model: One that reads pictures.
        among: What is known: `furniture`, or anything that `maquette.api.prepare_data` takes.
        count: How many objects are named for each picture.
        known: How many objects are looked at; None: all, or 1,000 pieces of furniture.
        cache: The folder where what is known of them is kept.
        meshes: Also write those objects.
        suffix: Of their files: a mesh's or a grid's.
        size_mm: Their longest side.
        largest_part: Leave out loose parts.
        workers: Processes that prepare the known objects; None: all cores.
        draw: Also draw them as lines on such a sheet, `NAME-suggested-RANK-OBJECT.svg`, from the side that the picture
            shows, and all of them beside the picture in `NAME-suggested-drawn.png`; None: no drawings.
        preview: `html`: also a page beside each of those objects to turn it in.

    Yields:
        Progress, and a Written or Failed a picture.

    Raises:
        UserError: For options out of range, and for a model that reads no pictures.
    """
    from maquette.latents import catalogue, suggest
    from maquette.latents.clean import clean_drawing

    check_count(count)
    check_side(size_mm)
    require_pictures(model)
    targets = Targets(out)
    readable: list[tuple[str | Path, Path]] = []
    given: dict[str, np.ndarray] = {}  # standard input can be read only once
    for path in inputs:  # what is wrong with them is told before anything is rendered
        try:
            sources = find_inputs([path])
        except UserError as error:
            yield Failed(str(path), str(error))
            continue
        for source in sources:
            try:
                target = targets.of(source, ".png", after="-suggested")[0]
                pixels = read_picture(source)
            except UserError as error:
                yield Failed(str(source), str(error))
                continue
            readable.append((source, target))
            if str(source) == "-":
                given["-"] = pixels
    if not readable:
        return
    catalog = yield from result(catalogue(model, among, cache, known, workers))
    skipped = f"{catalog.skipped} of the known could not be read" if catalog.skipped else ""
    for source, sheet in readable:
        try:
            pixels = given.pop("-") if str(source) == "-" else read_picture(source)
            found = suggest(model, catalog, pixels, count)
        except UserError as error:
            yield Failed(str(source), str(error) if str(source) in str(error) else f"{source}: {error}")
            continue
        pictures = [tile(one.shape.occupancy, 0.5, CELL_PX, ZOOM) for one in found.nearest]
        captions = [short(str(source)), *(f"{one.name} ({one.similarity:.2f})" for one in found.nearest)]
        columns = min(len(captions), 9)
        paths = [previews.sheet_of_images([pixels, *pictures], sheet, columns, CELL_PX, captions)]
        sizes: list[dict[str, object]] = []
        said: list[str] = []
        for rank, one in enumerate(found.nearest if meshes else (), 1):
            target = beside(sheet, f"-{rank}-{_file_name(one.name)}{suffix}")
            try:
                mesh = one.shape.printable(size_mm, largest_part)[0]
                write_object(target, one.shape, mesh)
            except UserError as error:
                yield Failed(str(source), f"{one.name}: {error}")
                continue
            paths.append(target)
            if preview == "html":
                page = target.with_name(target.name.removesuffix(suffix) + TURNING)
                paths.append(write_turning(page, mesh, one.name, f"similarity {one.similarity:.2f}"))
            sizes.append({"name": one.name, **size_facts(target, mesh)})
            longest = f"meshes of {size_mm:g} mm at their longest"
            said += [part for part in (longest, axes_words(target), size_line(mesh.extents)) if part]
        drawn = []
        for rank, one in enumerate(found.nearest, 1):
            if draw is None:
                break
            target = beside(sheet, f"-{rank}-{_file_name(one.name)}.svg")
            try:
                drawing = clean_drawing(model, catalog, found, one, among, draw)
                plotter.write_drawing(target, drawing, pen_mm=draw.pen)
            except UserError as error:
                yield Failed(str(source), f"{one.name}: {error}")
                continue
            paths.append(target)
            drawn.append((drawing.strokes.fitted(100, 100, 6).to_picture(CELL_PX / 50, 0.8), one.name))
        if drawn:
            pictures = [pixels, *(picture for picture, _ in drawn)]
            captions = [short(str(source)), *(caption for _, caption in drawn)]
            paths.append(previews.sheet_of_images(pictures, beside(sheet, "-drawn.png"), columns, CELL_PX, captions))
        listed = [{"name": one.name, "label": one.label, "similarity": round(one.similarity, 4)}
                  for one in found.nearest]
        line = ", ".join(f"{one['name']} {one['similarity']:.2f}" for one in listed)
        summary = {"input": str(source), "output": [str(path) for path in paths], "nearest": listed,
                   "meshes": sizes, "skipped": catalog.skipped}
        said = [line, *dict.fromkeys(said), *[skipped] * bool(skipped)]
        yield Written(str(source), tuple(paths), "; ".join(said), summary)


def _file_name(name: str) -> str:
    return fitted(re.sub(r"[^\w.-]+", "-", name).strip("-.") or "object", most=60)
