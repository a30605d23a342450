"""Drawings as files: `maquette draw` and `maquette plot` without a port, as events that name what was written."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from maquette.api.drawings import draw
from maquette.errors import UserError
from maquette.events import Failed, Written
from maquette.geometry.strokes import Strokes
from maquette.io.atomic import atomic_path
from maquette.io.replacing import keep
from maquette.outputs.naming import PREVIEW, Targets
from maquette.plotting import drawing as plotter
from maquette.plotting.settings import Machine, Paper, ViewOptions

PREVIEW_PX = 1400
"""Longest side of a preview, in pixels."""


def draw_files(
    inputs: Iterable[str], out: str | Path, look: ViewOptions, sheet: Paper, machine: Machine, *, format: str = "svg",
    device: str = "hp7475a", preview: bool = False,
) -> Iterator[int | Written | Failed]:
    """Draw shapes, meshes and pictures. A bad input is named, the others still done.

    Args:
        inputs: Mesh and grid files, pictures, or `furniture:KIND:SEED`.
        out: A folder, or one file with a known suffix where there is one input.
        look: From where an object is seen, and how it is hatched.
        sheet: The paper.
        machine: The plotter.
        format: Of the files in a folder: svg, hpgl or gcode.
        device: The plotter that HPGL is written for.
        preview: Also a PNG of what the drawing will look like.

    Yields:
        How many there are, then one Written or Failed for each.

    Raises:
        UserError: For one file that several inputs would be written to.
    """
    yield from _files(inputs, out, lambda source: draw(source, look, sheet, machine), machine, format, device,
                      preview, sheet.pen)


def plot_files(
    inputs: Iterable[str], out: str | Path, sheet: Paper | None, machine: Machine, *, fit: bool = False,
    pen: int | None = None, format: str = "svg", device: str = "hp7475a", preview: bool = False, pen_mm: float = 0.3,
) -> Iterator[int | Written | Failed]:
    """Sort the lines of SVG files and write them anew. A bad input is named, the others still done.

    Args:
        inputs: SVG files.
        out: As of `draw_files`; empty: nothing is written, the drawings are only measured.
        sheet: The paper; None: each file's own page.
        machine: The plotter.
        fit: Make the drawing as large as the sheet's margins allow.
        pen: Only the lines of this pen; None: all.
        format: Of the files in a folder: svg, hpgl or gcode.
        device: The plotter that HPGL is written for.
        preview: Also a PNG of what the drawing will look like.
        pen_mm: How wide the pen draws.

    Yields:
        How many there are, then one Written or Failed for each.

    Raises:
        UserError: For one file that several inputs would be written to.
    """

    def load(source: str) -> plotter.Drawing:
        if plotter.format_of(source) != "svg":
            raise UserError(f"{source} is no SVG", hint="SVG is sorted and converted; G-code can only be sent (--port)")
        return plotter.load_svg(source, machine, sheet=sheet, fit=fit, pen=pen)

    yield from _files(inputs, out, load, machine, format, device, preview, pen_mm)


def _files(
    inputs: Iterable[str], out: str | Path, make: Callable[[str], plotter.Drawing], machine: Machine, format: str,
    device: str, preview: bool, pen_mm: float,
) -> Iterator[int | Written | Failed]:
    inputs, folder = list(inputs), Path(out)
    single = bool(out) and folder.suffix.lower() in sum(plotter.FORMATS.values(), ())
    if single and len(inputs) > 1:
        raise UserError(f"--out {out} is one file, but there are {len(inputs)} inputs", hint="give a folder")
    yield len(inputs)
    keep(*inputs)
    targets = Targets(folder, single)
    for source in inputs:
        try:
            paths = targets.of(source, plotter.FORMATS[format][0], *[PREVIEW] * preview) if out else ()
            drawing = make(source)
            if out:
                plotter.write_drawing(paths[0], drawing, machine, pen_mm=pen_mm, device=device)
                if preview:
                    write_preview(paths[1], drawing.strokes, pen_mm)
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        summary = {"input": str(source), "output": [str(path) for path in paths], **drawing.summary()}
        yield Written(str(source), paths, drawing.line(), summary)


def write_preview(path: str | Path, strokes: Strokes, pen_mm: float) -> None:
    """Write what the drawing will look like on its page, as PNG.

    Args:
        path: The file.
        strokes: In millimetres.
        pen_mm: How wide the pen draws.

    Raises:
        UserError: Where it cannot be written.
    """
    from PIL import Image

    pixels = strokes.to_picture(PREVIEW_PX / max(strokes.width, strokes.height), pen_mm)
    with atomic_path(path) as unfinished:
        Image.fromarray(pixels).save(unfinished, format="PNG")
