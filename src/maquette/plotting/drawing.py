"""Drawings for a plotter: an object, a mesh, a picture or an SVG as strokes on a page, in a good order, as a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import UInt8

from maquette.errors import UserError
from maquette.events import Note, Progress, clock
from maquette.geometry.mesh import to_frame
from maquette.geometry.shape import Shape, read_surface
from maquette.geometry.strokes import Strokes
from maquette.io.pictures import SUFFIXES as PICTURES
from maquette.io.pictures import read_picture
from maquette.plotting import gcode
from maquette.plotting.grbl import BAUD, ChangePen, Patience, Sent, send
from maquette.plotting.ordering import shortest_travel
from maquette.plotting.settings import Machine, Paper, ViewOptions
from maquette.plotting.trace import trace_picture

FORMATS = {"svg": (".svg",), "hpgl": (".hpgl", ".plt"), "gcode": (".gcode", ".nc", ".ngc")}
"""Suffixes of the files that are written, the usual one first."""
_SIZE_PX = 1000  # side of the camera's picture in which a mesh's lines are found

JsonValue = str | float | list[int] | list[float] | list[str]
"""What a summary holds."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Strokes in millimetres, in the order in which they are drawn.

    Attributes:
        name: What was drawn.
        kind: `shape`, `picture` or `svg`.
        strokes: The lines on their page.
        before_mm: Way of the lifted pen from its home and back, with the lines in their first order.
        after_mm: The same with the lines sorted.
        seconds: Estimate of the time that it takes (see `maquette.plotting.gcode.drawing_seconds`).
        notes: What of an SVG was left out or not applied, a short sentence each.
    """

    name: str
    kind: str
    strokes: Strokes
    before_mm: float
    after_mm: float
    seconds: float
    notes: tuple[str, ...] = ()

    def line(self) -> str:
        """One line for the user."""
        pens = len(set(self.strokes.layers))
        count = len(self.strokes)
        parts = [f"{count} line{'' if count == 1 else 's'}" + (f" with {pens} pens" if pens > 1 else ""),
                 f"{self.strokes.length / 1000:.2f} m drawn",
                 f"pen-up travel {self.before_mm / 1000:.2f} m before, {self.after_mm / 1000:.2f} m after sorting",
                 f"about {clock(self.seconds)}"]
        return "; ".join([", ".join(parts), *self.notes])

    def summary(self) -> dict[str, JsonValue]:
        """Plain values for a JSON document."""
        return {
            "kind": self.kind, "page_mm": [self.strokes.width, self.strokes.height], "lines": len(self.strokes),
            "points": self.strokes.points, "pens": sorted(set(self.strokes.layers)),
            "drawn_mm": round(self.strokes.length, 1), "travel_before_mm": round(self.before_mm, 1),
            "travel_after_mm": round(self.after_mm, 1), "seconds_estimated": round(self.seconds, 1),
            "notes": list(self.notes),
        }


def mesh_strokes(mesh: trimesh.Trimesh, look: ViewOptions = ViewOptions(), sheet: Paper = Paper()) -> Strokes:
    """The visible lines of a mesh, hatched if asked for, as large as the margins allow, in millimetres.

    Args:
        mesh: Of any size and at any place.
        look: The viewpoint and the hatching.
        sheet: The paper.

    Raises:
        UserError: For a mesh that cannot be drawn (see `maquette.rendering.vector_lines.Subject`).
    """
    from maquette.rendering.camera import Camera
    from maquette.rendering.hatching import hatch
    from maquette.rendering.vector_lines import Subject

    subject = Subject(to_frame(mesh))
    camera = Camera(look.azimuth_deg, look.elevation_deg, look.fov_deg, _SIZE_PX)
    made = subject.lines(camera, look.crease_deg)
    box = made.bounds
    if look.hatch and box is not None:
        room = np.array([sheet.width, sheet.height]) - 2 * sheet.margin
        mm_per_px = float((room / np.maximum(np.subtract(box[2:], box[:2]), 1e-6)).min())
        lines = hatch(subject.caster, camera, spacing_px=max(look.hatch_mm / mm_per_px, _SIZE_PX / 1000),
                      tones=look.hatch, angle_deg=look.hatch_angle_deg, inset_px=0.6 * subject.edge_px(camera))
        made = made + lines.on_layer(look.hatch_pen)
    return made.fitted(sheet.width, sheet.height, sheet.margin)


def picture_strokes(
    picture: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"], sheet: Paper = Paper()
) -> Strokes:
    """The centre lines of a drawing, as large as the margins allow, in millimetres."""
    return trace_picture(picture).fitted(sheet.width, sheet.height, sheet.margin)


def sorted_drawing(
    strokes: Strokes, name: str, kind: str, machine: Machine = Machine(), home: tuple[float, float] | None = None
) -> Drawing:
    """Sort strokes into a drawing.

    Args:
        strokes: In millimetres.
        name: What is drawn.
        kind: `shape`, `picture` or `svg`.
        machine: For the estimate of the time.
        home: Where the pen starts and ends; the lower left corner of the page if left out.
    """
    home = (0.0, strokes.height) if home is None else home
    made = shortest_travel(strokes, home)
    return Drawing(name, kind, made, strokes.travel(home), made.travel(home), gcode.drawing_seconds(made, machine))


def make_drawing(
    source: str | Path | Shape | trimesh.Trimesh | np.ndarray,
    look: ViewOptions = ViewOptions(),
    sheet: Paper = Paper(),
    machine: Machine = Machine(),
    name: str = "",
) -> Drawing:
    """A drawing of a shape, a mesh or a picture.

    Objects are drawn as their visible lines, pictures as their centre lines.

    Args:
        source: The object itself, a picture (uint8 `[H, W]` or `[H, W, 3]`), or the name of a file of one.
        look: The viewpoint and the hatching of an object.
        sheet: The paper.
        machine: For the estimate of the time.
        name: What the drawing is called; the file's name, or the kind of the source, if left out.

    Raises:
        UserError: If the source cannot be read, or holds nothing to draw.
    """
    name = name or (str(source) if isinstance(source, str | Path) else type(source).__name__.lower())
    if isinstance(source, str | Path) and Path(source).suffix.lower() in PICTURES:
        source = read_picture(source)
    if isinstance(source, np.ndarray):
        return sorted_drawing(picture_strokes(source, sheet), name, "picture", machine)
    if isinstance(source, Shape):
        source = source.surface()
    mesh = source if isinstance(source, trimesh.Trimesh) else read_surface(source)
    return sorted_drawing(mesh_strokes(mesh, look, sheet), name, "shape", machine)


def load_svg(
    path: str | Path,
    machine: Machine = Machine(),
    *,
    sheet: Paper | None = None,
    fit: bool = False,
    pen: int | None = None,
) -> Drawing:
    """Read an SVG file as a drawing, and sort it.

    Args:
        path: The file.
        machine: For the estimate of the time.
        sheet: The paper; None takes the file's own page.
        fit: Make the drawing as large as the margins of the sheet allow; else it keeps its size and its distance from
            the page's upper left corner.
        pen: Take the lines of this pen only.

    Raises:
        UserError: If there are no such lines, or the file cannot be read (see `maquette.plotting.svg.read_svg`).
    """
    from maquette.plotting.svg import open_svg

    strokes, notes = open_svg(path)
    if pen is not None:
        strokes = strokes.chosen(number for number, layer in enumerate(strokes.layers) if layer == pen)
        if not strokes.lines:
            raise UserError(f"{path} has no lines of pen {pen}")
    if sheet is not None:
        strokes = (strokes.fitted(sheet.width, sheet.height, sheet.margin) if fit
                   else replace(strokes, width=sheet.width, height=sheet.height))
    elif fit:
        raise UserError("a drawing is fitted to a page", "none", "name one, as in --page a4")
    return replace(sorted_drawing(strokes, str(path), "svg", machine), notes=notes)


def write_drawing(
    path: str | Path,
    drawing: Drawing,
    machine: Machine = Machine(),
    *,
    pen_mm: float = 0.3,
    device: str = "hp7475a",
) -> None:
    """Write a drawing in the format that the suffix names (see `FORMATS`).

    Args:
        path: The file.
        drawing: In millimetres.
        machine: The plotter (G-code).
        pen_mm: Width of the lines (SVG).
        device: The plotter (HPGL).

    Raises:
        UserError: For an unknown suffix, for lines off the page, and if the file cannot be written.
    """
    from maquette.plotting.hpgl import write_hpgl
    from maquette.plotting.svg import write_svg

    kind = format_of(path)
    if kind == "gcode":
        gcode.write_gcode(path, drawing.strokes, machine)
        return
    gcode.require_on_page(drawing.strokes)
    if kind == "svg":
        write_svg(path, drawing.strokes, pen_mm)
    else:
        write_hpgl(path, drawing.strokes, device)


def format_of(path: str | Path) -> str:
    """The format of a drawing by its suffix: `svg`, `hpgl` or `gcode`.

    Raises:
        UserError: For another suffix.
    """
    suffix = Path(path).suffix.lower()
    for name, suffixes in FORMATS.items():
        if suffix in suffixes:
            return name
    known = " ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
    raise UserError(f"{path}: unknown format of drawings", repr(suffix), f"known: {known}")


def plot(
    source: str | Path | Drawing,
    port: str,
    machine: Machine = Machine(),
    *,
    sheet: Paper | None = None,
    fit: bool = False,
    pen: int | None = None,
    baud: int = BAUD,
    control: Callable[[], str] | None = None,
    home: bool = False,
    unlock: bool = False,
    patience: Patience | None = None,
) -> Iterator[Drawing | Note | Progress | ChangePen | Sent]:
    """Send a drawing, an SVG or a G-code file to a machine.

    Every line is checked against the page before the port is opened: a drawing that leaves it is refused as a whole.

    Args:
        source: A drawing, or the name of an SVG or G-code file.
        port: The machine's serial port, as `/dev/ttyUSB0` or `COM3`.
        machine: How it moves and lifts the pen.
        sheet: The paper. A G-code file names its page in its first lines, or else needs this.
        fit: As in `load_svg`.
        pen: As in `load_svg`.
        baud: Speed of the port.
        control: As in `maquette.plotting.grbl.send`, like the rest.
        home: Send the machine home first.
        unlock: Unlock a machine that an alarm has locked, where it stands.
        patience: How long is waited for what; the usual times if None.

    Yields:
        The Drawing (for G-code a Note of its page and its time), then the events of `maquette.plotting.grbl.send`.

    Raises:
        UserError: If the source cannot be sent, reaches outside the page, or the machine fails.
    """
    drawing: Drawing | None = None
    if isinstance(source, Drawing) or format_of(source) == "svg":
        drawing = source if isinstance(source, Drawing) else load_svg(source, machine, sheet=sheet, fit=fit, pen=pen)
        width, height = drawing.strokes.width, drawing.strokes.height
        lines = gcode.gcode_program(drawing.strokes, machine)
        yield drawing
    elif format_of(source) == "gcode":
        if fit or pen is not None:
            raise UserError(f"{source} is sent as it is; only an SVG can be fitted, or one of its pens chosen")
        lines = gcode.read_lines(source)
        page = (sheet.width, sheet.height) if sheet is not None else gcode.named_page(lines, source)
        if page is None:
            raise UserError(f"{source} does not say the size of its page", hint="name it, as in --page a4")
        width, height = page
    else:
        raise UserError(f"{source} cannot be sent to a GRBL machine", "HPGL", "send the SVG")
    checked = gcode.check_program(lines, width, height, machine)
    if drawing is None:
        yield Note(f"{source}: a page of {width:g} x {height:g} mm, about "
                   f"{clock(gcode.program_seconds(checked, machine))}")
    yield from send(port, checked, machine, baud=baud, control=control,
                    home=home, unlock=unlock, patience=patience or Patience())
