"""Drawings as files: `maquette draw` and `maquette plot` without a port, as events that name what was written."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from maquette import api
from maquette.errors import UserError
from maquette.events import Failed, Written
from maquette.geometry.strokes import Strokes
from maquette.io.atomic import atomic_path
from maquette.outputs.shapes import free_name
from maquette.plotting import drawing as plotter
from maquette.plotting.settings import Machine, Paper, ViewOptions

PREVIEW_PX = 1400
"""Longest side of a preview, in pixels."""


def draw_files(
    inputs: Iterable[str], out: str | Path, look: ViewOptions, sheet: Paper, machine: Machine, *, format: str = "svg",
    device: str = "hp7475a", preview: bool = False,
) -> Iterator[int | Written | Failed]:
    """Draw shapes, meshes and pictures (see `maquette.plotting.drawing.make_drawing`); yields how many there are, then
    one Written or Failed for each. out: a folder, or one file with a known suffix where there is one input.
    """
    yield from _files(inputs, out, lambda source: api.draw(source, look, sheet, machine), machine, format, device,
                      preview, sheet.pen)


def plot_files(
    inputs: Iterable[str], out: str | Path, sheet: Paper | None, machine: Machine, *, fit: bool = False,
    pen: int | None = None, format: str = "svg", device: str = "hp7475a", preview: bool = False, pen_mm: float = 0.3,
) -> Iterator[int | Written | Failed]:
    """Sort SVG files and write them anew (see `maquette.plotting.drawing.load_svg`); events as of `draw_files`.

    Args:
        out: Empty: nothing is written, the drawings are only measured.
    """

    def load(source: str) -> plotter.Drawing:
        if plotter.format_of(source) != "svg":
            raise UserError(f"{source} is no SVG", hint="SVG is sorted and converted; G-code can only be sent (--port)")
        return plotter.load_svg(source, machine, sheet=sheet, fit=fit, pen=pen)

    yield from _files(inputs, out, load, machine, format, device, preview, pen_mm)


def _files(inputs, out, make, machine, format, device, preview, pen_mm) -> Iterator[int | Written | Failed]:
    inputs, folder = list(inputs), Path(out)
    single = bool(out) and folder.suffix.lower() in sum(plotter.FORMATS.values(), ())
    if single and len(inputs) > 1:
        raise UserError(f"--out {out} is one file, but there are {len(inputs)} inputs", hint="give a folder")
    yield len(inputs)
    taken: set[str] = set()
    for source in inputs:
        try:
            drawing = make(source)
            stem = free_name(Path(source).stem.replace(":", "-"), taken)
            target = folder if single else folder / f"{stem}{plotter.FORMATS[format][0]}"
            paths = []
            if out:
                plotter.write_drawing(target, drawing, machine, pen_mm=pen_mm, device=device)
                paths.append(target)
                if preview:
                    paths.append(target.with_name(f"{target.stem}.preview.png"))
                    write_preview(paths[1], drawing.strokes, pen_mm)
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        summary = {"input": str(source), "output": [str(path) for path in paths], **drawing.summary()}
        yield Written(str(source), tuple(paths), drawing.line(), summary)


def write_preview(path: str | Path, strokes: Strokes, pen_mm: float) -> None:
    """Write what the drawing will look like on its page, as PNG."""
    from PIL import Image

    pixels = strokes.to_picture(PREVIEW_PX / max(strokes.width, strokes.height), pen_mm)
    with atomic_path(path) as unfinished:
        Image.fromarray(pixels).save(unfinished, format="PNG")
