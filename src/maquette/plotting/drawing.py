"""Drawings for a plotter: an object, a mesh, a picture or an SVG as strokes on a page, in a good order, as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.events import clock
from maquette.geometry.mesh import to_frame
from maquette.geometry.shape import Shape, read_surface
from maquette.geometry.strokes import Strokes
from maquette.io.pictures import SUFFIXES as PICTURES
from maquette.io.pictures import read_picture
from maquette.plotting import gcode
from maquette.plotting.ordering import shortest_travel
from maquette.plotting.settings import Machine, Paper, ViewOptions
from maquette.plotting.trace import trace_picture

FORMATS = {"svg": (".svg",), "hpgl": (".hpgl", ".plt"), "gcode": (".gcode", ".nc", ".ngc")}
"""Suffixes of what is written, the usual one first."""
_SIZE_PX = 1000


@dataclass(frozen=True, eq=False)
class Drawing:
    """Strokes in millimetres in the order in which they are drawn.

    Attributes:
        before_mm: The way of the lifted pen, from its home and back, as the lines came and as they are now.
        after_mm: See `before_mm`.
        seconds: About how long it takes (see `maquette.plotting.gcode.seconds`).
        kind: Shape, picture or svg.
    """

    name: str
    kind: str
    strokes: Strokes
    before_mm: float
    after_mm: float
    seconds: float

    def line(self) -> str:
        """One line for the user."""
        pens = len(set(self.strokes.layers))
        count = len(self.strokes)
        parts = [f"{count} line{'' if count == 1 else 's'}" + (f" with {pens} pens" if pens > 1 else ""),
                 f"{self.strokes.length / 1000:.2f} m drawn",
                 f"pen-up travel {self.before_mm / 1000:.2f} m before, {self.after_mm / 1000:.2f} m after sorting",
                 f"about {clock(self.seconds)}"]
        return ", ".join(parts)

    def summary(self) -> dict:
        """Plain values for a JSON document."""
        return {
            "kind": self.kind, "page_mm": [self.strokes.width, self.strokes.height], "lines": len(self.strokes),
            "points": self.strokes.points, "pens": sorted(set(self.strokes.layers)),
            "drawn_mm": round(self.strokes.length, 1), "travel_before_mm": round(self.before_mm, 1),
            "travel_after_mm": round(self.after_mm, 1), "seconds_estimated": round(self.seconds, 1),
        }


def mesh_strokes(mesh: trimesh.Trimesh, look: ViewOptions = ViewOptions(), sheet: Paper = Paper()) -> Strokes:
    """The visible lines of a mesh of any size and place, hatched if asked for, as large as the sheet's margins allow,
    in millimetres.

    Raises:
        UserError: As of `maquette.rendering.vector_lines.Subject`.
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


def picture_strokes(picture: np.ndarray, sheet: Paper = Paper()) -> Strokes:
    """The centre lines of a drawing, uint8 [H, W] or [H, W, 3], as large as the margins allow, in millimetres."""
    return trace_picture(picture).fitted(sheet.width, sheet.height, sheet.margin)


def ordered(
    strokes: Strokes, name: str, kind: str, machine: Machine = Machine(), home: tuple[float, float] | None = None
) -> Drawing:
    """A drawing of these strokes, sorted. home: of the pen; the lower left corner if left out."""
    home = (0.0, strokes.height) if home is None else home
    made = shortest_travel(strokes, home)
    return Drawing(name, kind, made, strokes.travel(home), made.travel(home), gcode.seconds(made, machine))


def draw(
    source: str | Path | Shape | trimesh.Trimesh | np.ndarray,
    look: ViewOptions = ViewOptions(),
    sheet: Paper = Paper(),
    machine: Machine = Machine(),
    name: str = "",
) -> Drawing:
    """A drawing of a shape, a mesh, a picture (uint8 [H, W] or [H, W, 3]), or a file of one.

    Objects are drawn as their visible lines, pictures as their centre lines.

    Raises:
        UserError: For what cannot be read, or holds nothing to draw.
    """
    name = name or (str(source) if isinstance(source, str | Path) else type(source).__name__.lower())
    if isinstance(source, str | Path) and Path(source).suffix.lower() in PICTURES:
        source = read_picture(source)
    if isinstance(source, np.ndarray):
        return ordered(picture_strokes(source, sheet), name, "picture", machine)
    if isinstance(source, Shape):
        source = source.surface()
    mesh = source if isinstance(source, trimesh.Trimesh) else read_surface(source)
    return ordered(mesh_strokes(mesh, look, sheet), name, "shape", machine)


def load(
    path: str | Path, machine: Machine = Machine(), *, sheet: Paper | None = None, fit: bool = False,
    pen: int | None = None,
) -> Drawing:
    """An SVG file as a drawing, sorted.

    Args:
        sheet: The paper; None: the file's own page.
        fit: As large as the sheet's margins allow; else the drawing keeps its size and its distance from the page's
            upper left corner.
        pen: Only this pen's lines.

    Raises:
        UserError: Where it has none, and as of `maquette.plotting.svg.read_svg`.
    """
    from dataclasses import replace

    from maquette.plotting.svg import read_svg

    strokes = read_svg(path)
    if pen is not None:
        strokes = strokes.chosen(number for number, layer in enumerate(strokes.layers) if layer == pen)
        if not strokes.lines:
            raise UserError(f"{path} has no lines of pen {pen}")
    if sheet is not None:
        strokes = (strokes.fitted(sheet.width, sheet.height, sheet.margin) if fit
                   else replace(strokes, width=sheet.width, height=sheet.height))
    elif fit:
        raise UserError("a drawing is fitted to a page", "none", "name one, as in --page a4")
    return ordered(strokes, str(path), "svg", machine)


def write(
    path: str | Path, drawing: Drawing, machine: Machine = Machine(), *, pen_mm: float = 0.3, device: str = "hp7475a"
) -> None:
    """Write a drawing, in the format that the suffix says (see `FORMATS`).

    Args:
        pen_mm: Width of the lines (SVG).
        device: The plotter (HPGL).

    Raises:
        UserError: For an unknown suffix, for lines off the page, and where it cannot be written.
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
    """svg, hpgl or gcode, by the suffix.

    Raises:
        UserError: For others.
    """
    suffix = Path(path).suffix.lower()
    for name, suffixes in FORMATS.items():
        if suffix in suffixes:
            return name
    known = " ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
    raise UserError(f"{path}: unknown format of drawings", repr(suffix), f"known: {known}")


def plot(
    source: str | Path | Drawing, port: str, machine: Machine = Machine(), *, sheet: Paper | None = None,
    fit: bool = False, pen: int | None = None, **options,
) -> Iterator[object]:
    """Send a drawing, an SVG or a G-code file to a machine; yields the Drawing (not for G-code), then the events of
    `maquette.plotting.grbl.send`, whose options (control, home, unlock, baud, patience) are handed on.

    Args:
        sheet: As of `load`; a G-code file needs its page, in its first lines or by `sheet`. Every line is checked
            against the page before the port is opened: a drawing that leaves it is refused whole.
        fit: See `sheet`.
        pen: See `sheet`.
    """
    from maquette.plotting.grbl import send

    if isinstance(source, Drawing) or format_of(source) == "svg":
        drawing = source if isinstance(source, Drawing) else load(source, machine, sheet=sheet, fit=fit, pen=pen)
        width, height = drawing.strokes.width, drawing.strokes.height
        lines = gcode.program(drawing.strokes, machine)
        yield drawing
    elif format_of(source) == "gcode":
        if fit or pen is not None:
            raise UserError(f"{source} is sent as it is; only an SVG can be fitted, or one of its pens chosen")
        lines, page = gcode.read_gcode(source)
        if sheet is None and page is None:
            raise UserError(f"{source} does not say the size of its page", hint="name it, as in --page a4")
        width, height = page if sheet is None else (sheet.width, sheet.height)
    else:
        raise UserError(f"{source} cannot be sent to a GRBL machine", "HPGL", "send the SVG")
    yield from send(port, gcode.checked(lines, width, height, machine), machine, **options)
