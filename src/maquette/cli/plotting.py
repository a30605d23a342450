"""The commands that draw for a pen: `maquette draw` and `maquette plot`.

Each body is one call below and the printing of its events; heavy modules are imported inside.
"""

from typing import Annotated, Literal

from maquette.cli.marks import Mark
from maquette.cli.options import bad_usage, writes
from maquette.plotting.settings import Machine, Paper, ViewOptions

Sources = Annotated[tuple[str, ...], Mark(metavar="SHAPE|MESH|PICTURE...", positional=True)]
Drawings = Annotated[tuple[str, ...], Mark(metavar="SVG|GCODE...", positional=True)]
Kind = Literal["svg", "hpgl", "gcode"]


@writes
def draw(
    inputs: Sources,
    out: str = "out",
    format: Kind = "svg",
    page: str = "a4",
    landscape: bool = False,
    margin: str = "15mm",
    pen_mm: float = 0.3,
    look: Annotated[ViewOptions, Mark(name="")] = ViewOptions(),
    machine: Annotated[Machine, Mark(name="")] = Machine(),
    device: str = "hp7475a",
    preview: bool = False,
    json: bool = False,
) -> int:
    """Draw objects and pictures as lines for a pen plotter.

    Hidden lines are removed; of a picture of a drawing the centre lines are taken.

    Args:
        inputs: Meshes, grids, pictures of drawings, or furniture:KIND:SEED.
        out: Folder for the results, or the one file to write.
        format: svg (AxiDraw and others), hpgl (old pen plotters), gcode (GRBL).
        page: a2 to a6, letter, legal, tabloid, or a size as 200x150mm.
        landscape: Turn a page that has a name on its side.
        margin: Kept free on each side: 15mm, 1.5cm, 0.5in.
        pen_mm: Width of the pen's line, in millimetres (svg, preview).
        device: The plotter, by the name that vpype knows it by (hpgl).
        preview: Also write a PNG of the page.
        json: Print one JSON document.

    Examples:
        maquette draw furniture:chair:7 --hatch 3 --page a5 --landscape --preview --out out/
        maquette draw examples/drawings/fish.png --format gcode --out fish.gcode
    """
    if not inputs:
        return bad_usage("draw", "name a mesh, a grid, a picture or furniture:chair:7")
    from maquette.cli.show import show_files
    from maquette.geometry.paper import millimetres, page_size
    from maquette.outputs.plots import draw_files

    sheet = Paper(*page_size(page, landscape), millimetres(margin, "the margin"), pen_mm)
    events = draw_files(inputs, out, look, sheet, machine, format=format, device=device, preview=preview)
    return show_files(events, json, "drawing")


@writes
def plot(
    inputs: Drawings,
    port: str = "",
    out: str = "",
    format: Kind = "svg",
    page: str = "",
    landscape: bool = False,
    margin: str = "15mm",
    fit: bool = False,
    pen: int | None = None,
    pen_mm: float = 0.3,
    machine: Annotated[Machine, Mark(name="")] = Machine(),
    device: str = "hp7475a",
    baud: int = 115200,
    home: bool = False,
    unlock: bool = False,
    preview: bool = False,
    json: bool = False,
) -> int:
    """Sort a drawing, convert it, or send it to a plotter.

    As SVG, HPGL or G-code, or to a GRBL machine. Without --port and --out, the drawing is only measured. While it is
    sent, Enter pauses and resumes; q and Enter, or Ctrl-C, stops and lifts the pen.

    Args:
        inputs: SVG files, of whatever origin; to a port one SVG or G-code file.
        port: Of a GRBL machine, as /dev/ttyUSB0 or COM3.
        out: Folder for the results, or the one file to write.
        format: Kind of file that is written.
        page: a2 to a6, letter, legal, tabloid, or a size as 200x150mm; the file's own if left out.
        landscape: Turn a page that has a name on its side.
        margin: Kept free on each side, with --fit.
        fit: Make the drawing as large as the margins allow.
        pen: Only the lines of this pen.
        pen_mm: Width of the pen's line, in millimetres (svg, preview).
        device: The plotter, by the name that vpype knows it by (hpgl).
        baud: Speed of the port.
        home: Send the machine home first.
        unlock: Unlock a machine that an alarm has locked, where it stands.
        preview: Also write a PNG of the page.
        json: Print one JSON document.

    Examples:
        maquette draw furniture:chair:7 --out chair.svg
        maquette plot chair.svg --page a4 --fit --format gcode --out chair.gcode
    """
    if not inputs:
        return bad_usage("plot", "name an SVG file")
    if port and (out or len(inputs) > 1):
        return bad_usage("plot", "one file is sent to a port; --out is for writing files instead")
    from maquette.geometry.paper import millimetres, page_size

    sheet = Paper(*page_size(page, landscape), millimetres(margin, "the margin") if fit else 0.0) if page else None
    if port:
        from maquette.cli.plot_console import keyboard, show_plot
        from maquette.plotting.drawing import plot as send

        sent = send(inputs[0], port, machine, sheet=sheet, fit=fit, pen=pen, baud=baud, control=(keys := keyboard()),
                      home=home, unlock=unlock)
        return show_plot(sent, keys, inputs[0], json)
    from maquette.cli.show import show_files
    from maquette.outputs.plots import plot_files

    events = plot_files(inputs, out, sheet, machine, fit=fit, pen=pen, format=format, device=device, preview=preview,
                        pen_mm=pen_mm)
    return show_files(events, json, "sorting")
