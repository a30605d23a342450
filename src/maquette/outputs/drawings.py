"""The verbs on drawings, written to files: pages taken up from a camera or a photograph, and solids made of drawings.

Like all of `maquette.outputs` these yield events; nothing prints or parses arguments.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from maquette.errors import UserError
from maquette.events import Event, Failed, Written
from maquette.geometry.size import check_wall
from maquette.intake.page_capture import rectify_page, stages
from maquette.intake.sources import Frame
from maquette.io.atomic import atomic_path
from maquette.io.paths import beside
from maquette.io.pictures import find_inputs, read_picture
from maquette.io.replacing import check_free, keep
from maquette.outputs.naming import ENDINGS, Preview, Targets, axes_words, one_by_one, size_facts
from maquette.outputs.shapes import report_facts, written_solid
from maquette.outputs.turning import write_turning
from maquette.relief.options import ReliefOptions
from maquette.relief.relief import relief
from maquette.rendering import sheets as previews

PREVIEW_PX, STEP_PX = 320, 400
"""Pixels a side of a picture in a preview of a solid, and in the steps on the way to a page."""


def pickup_file(
    frame: Frame, out: str | Path, *, squared: bool = False, low: int | None = None, whole_page: bool = False,
    paper: str = "auto", found: bool = True,
) -> Iterator[Written | Failed]:
    """The drawing in a picture of a page as a grey PNG, and beside it `NAME.found.png` with the steps on the way.

    Args:
        frame: The picture.
        out: The PNG to write.
        squared: Take away the printed lines of squared or lined paper.
        low: The side in pixels of a square picture of low resolution; None keeps the page's own.
        whole_page: Do not crop to what is drawn.
        paper: The sheet's size, as `maquette.intake.sheet.find_sheet` knows it.
        found: Write the steps on the way too.

    Yields:
        One Written or Failed.

    Raises:
        UserError: Where `out` is no PNG, or may not be written over.
    """
    from PIL import Image

    out, started = Path(out), time.perf_counter()
    if out.suffix.lower() != ".png":
        raise UserError("--out names a PNG file", str(out), "page.png")
    paths = [out, beside(out, ".found.png")] if found else [out]
    keep(frame.name)
    check_free(*paths)
    try:
        made = rectify_page(frame.pixels, squared=squared, low=low, whole_page=whole_page, paper=paper, name=frame.name)
        with atomic_path(out) as unfinished:
            Image.fromarray(made.picture).save(unfinished, format="PNG")
        if found:
            captions, pictures = zip(*stages(frame.pixels, made), strict=True)
            previews.sheet_of_images(pictures, paths[1], len(pictures), STEP_PX, captions)
    except UserError as error:
        yield Failed(frame.name, str(error))
        return
    height, width = made.picture.shape
    notes = [*frame.notes, *made.notes]
    summary = {
        "input": frame.name,
        "output": [str(path) for path in paths],
        "corners": None if made.sheet is None else np.round(made.sheet.corners, 2).tolist(),
        "aspect": None if made.sheet is None else round(made.sheet.aspect, 4),
        "paper": "" if made.sheet is None else made.sheet.paper,
        "ruling_px": None if made.ruling is None else [round(made.ruling.columns_px, 2), round(made.ruling.rows_px, 2)],
        "size": [width, height],
        "notes": notes,
        "seconds": round(time.perf_counter() - started, 4),
    }
    yield Written(frame.name, tuple(paths), "; ".join([f"{width}x{height} pixels", *notes]), summary)


def relief_files(
    inputs: Iterable[str], out: str | Path, making: ReliefOptions, *, suffix: str = ".stl", preview: Preview = "no",
    min_wall_mm: float = 0.8,
) -> Iterator[int | Event]:
    """A solid for each drawing. A bad drawing is named, the others still done.

    Args:
        inputs: Drawings, folders of drawings, or `-` for standard input.
        out: A folder, or one file with a known suffix where there is one input.
        making: How the solids are made.
        suffix: Of the files in a folder: a mesh's, or a grid's of 64 voxels a side.
        preview: Also a PNG of the drawing beside the solid from four sides.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Yields:
        How many there are, then one Written or Failed for each.

    Raises:
        UserError: For one file that several inputs would be written to.
    """
    check_wall(min_wall_mm)

    def solid(source: str | Path, targets: Targets) -> Iterator[Written]:
        started = time.perf_counter()
        paths = targets.of(source, suffix, *ENDINGS[preview])
        pixels = read_picture(source)
        made = relief(pixels, making, min_wall_mm=min_wall_mm, name=str(source))
        made.save(paths[0])
        if preview != "no":
            placed = made.mesh.copy()
            if making.way != "revolve":  # its lower edge towards the viewer, as the drawing is read
                placed.vertices *= (-1, -1, 1)
            pose: previews.Pose = "flat" if made.flat else "standing"
            if making.way == "lithophane":
                pose = "against light"
            previews.preview(pixels, placed, paths[1], title=made.line(), cell_px=PREVIEW_PX, pose=pose)
        if preview == "html":
            write_turning(paths[2], made.mesh, paths[0].stem, made.line())
        size_mm = np.round(made.mesh.extents, 3).tolist()
        facts = {"way": making.way, "size_mm": size_mm, **size_facts(paths[0], made.mesh), **report_facts(made.report)}
        line = "; ".join(filter(None, [made.line(), axes_words(paths[0])]))
        yield written_solid(source, paths, line, facts, made.notes, started)

    yield from one_by_one(inputs, find_inputs, out, solid)
