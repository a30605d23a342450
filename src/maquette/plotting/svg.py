"""Strokes as SVG, by vpype; SVG files of any origin are read. An AxiDraw's own software takes SVG too."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError
from maquette.extras import require
from maquette.geometry.paper import MAX_SIDE_MM
from maquette.geometry.strokes import Strokes
from maquette.io.atomic import write_bytes
from maquette.io.formats import file_bytes
from maquette.plotting.svg_parts import seen_parts

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import vpype

MAX_BYTES = 32 << 20
"""The largest SVG file that is read."""
MAX_ELEMENTS = 200_000
"""Elements of an SVG, those that `use` repeats counted each time."""
MAX_POINTS = 5_000_000
"""Points of all lines of an SVG, curves included."""
QUANTUM_MM = 0.1
"""Longest piece of a curve."""
_NAMESPACES = {"": "http://www.w3.org/2000/svg", "xlink": "http://www.w3.org/1999/xlink",
               "inkscape": "http://www.inkscape.org/namespaces/inkscape"}
PX_PER_MM = 96 / 25.4
"""Pixels of SVG and of vpype in a millimetre."""


def to_document(strokes: Strokes, pen_mm: float = 0.3) -> vpype.Document:
    """Strokes in millimetres as a vpype document, in its pixels of 1/96 inch, with a layer for each pen."""
    vpype = require("vpype", "plotter")

    made = vpype.Document(page_size=(strokes.width * PX_PER_MM, strokes.height * PX_PER_MM))
    for pen in sorted(set(strokes.layers)):
        lines = [line for line, layer in zip(strokes.lines, strokes.layers, strict=True) if layer == pen]
        made.add(vpype.LineCollection([(line[:, 0] + 1j * line[:, 1]) * PX_PER_MM for line in lines]), pen)
        made.layers[pen].set_property(vpype.METADATA_FIELD_PEN_WIDTH, pen_mm * PX_PER_MM)
        made.layers[pen].set_property(vpype.METADATA_FIELD_NAME, f"{pen} pen")
        if pen == 1:
            made.layers[pen].set_property(vpype.METADATA_FIELD_COLOR, vpype.Color("black"))
    return made


def write_svg(path: str | Path, strokes: Strokes, pen_mm: float = 0.3) -> None:
    """Write strokes as SVG, with a group for each pen.

    Args:
        path: The file.
        strokes: In millimetres.
        pen_mm: Width of the lines.

    Raises:
        UserError: If it cannot be written.
    """
    vpype = require("vpype", "plotter")

    text = io.StringIO()
    vpype.write_svg(text, to_document(strokes, pen_mm), source_string="maquette", set_date=False)
    write_bytes(path, text.getvalue().encode())


def read_svg(path: str | Path) -> Strokes:
    """The lines of an SVG file without what is to be said of it; see `open_svg`."""
    return open_svg(path)[0]


def open_svg(path: str | Path) -> tuple[Strokes, tuple[str, ...]]:
    """Read the lines of an SVG file, in millimetres, on its own page.

    Each top-level group is a pen, numbered as its name says. Shapes are drawn along their outlines, curves in pieces of
    0.1 mm. Hidden layers and elements, text and pictures are not drawn, and clip paths and masks not applied.

    Returns:
        The lines, and what was left out or not applied, a short sentence each.

    Raises:
        UserError: Naming the file, if it cannot be read, is larger than the limits above, holds entities, or has
            nothing to draw.
    """
    vpype = require("vpype", "plotter")

    data = file_bytes(Path(path), MAX_BYTES)
    try:
        with warnings.catch_warnings():  # of numbers out of range, which are found below
            warnings.simplefilter("ignore")
            text, notes = _checked(data, path)
            found = vpype.read_multilayer_svg(io.StringIO(text), QUANTUM_MM * PX_PER_MM, crop=False)
    except (ValueError, ArithmeticError, SyntaxError, LookupError, TypeError, AttributeError, RuntimeError,
            AssertionError) as problem:
        raise UserError(f"{path} is not an SVG that can be read ({_first_line(problem)})") from None
    width, height = (side / PX_PER_MM for side in found.page_size)
    if not (0 < min(width, height) and max(width, height) <= MAX_SIDE_MM):
        raise UserError(f"{path}: a page has sides of at most {MAX_SIDE_MM:g} mm", f"{width:g} x {height:g} mm")
    lines: list[np.ndarray] = []
    pens: list[int] = []
    for pen in sorted(found.layers):
        for line in found.layers[pen]:
            points = np.stack([line.real, line.imag], axis=1) / PX_PER_MM
            keep = np.append(True, np.abs(np.diff(points, axis=0)).max(axis=1) > 1e-9)
            if keep.sum() > 1:
                lines.append(points[keep])
                pens.append(pen)
    if not lines:
        raise UserError(f"{path} holds no lines", "; ".join(notes) or None,
                        "text and pictures must be turned into paths first")
    return Strokes(tuple(lines), width, height, tuple(pens)), notes


def _checked(data: bytes, path: str | Path) -> tuple[str, tuple[str, ...]]:
    """What is seen of an SVG, as text, and what is to be said of the rest.

    One that would take too much is refused before it is unfolded: entities, repeated elements, long curves.
    """
    from xml.etree import ElementTree

    if b"\0" in data or _has_entities(data):
        raise UserError(f"{path} is not an SVG that is read", "entities or zero bytes in it")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise UserError(f"{path} is not an SVG ({_first_line(problem)})") from None
    if root.tag.rpartition("}")[2] != "svg":
        raise UserError(f"{path} is not an SVG", f"<{root.tag.rpartition('}')[2]}>")
    if _count_elements(root) > MAX_ELEMENTS:
        raise UserError(f"{path} is too large: more than {MAX_ELEMENTS} elements once unfolded")
    for prefix, place in _NAMESPACES.items():
        ElementTree.register_namespace(prefix, place)
    seen, notes = seen_parts(root)
    text = ElementTree.tostring(seen, encoding="unicode")
    _check_curves(text, path)
    return text, notes


def _has_entities(data: bytes) -> bool:
    """Whether an XML file declares entities, in whatever encoding; a comment that names them declares none."""
    from xml.parsers import expat

    found: list[str] = []

    def declared(name: str, *_: object) -> None:
        """Take down an entity, and read no further."""
        found.append(name)
        raise ValueError("an entity")

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):  # what is no XML at all is told by the reader
        pass
    return bool(found)


def _count_elements(root: Element) -> int:
    """Number of elements, those that `use` repeats counted each time; stops above the limit."""
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    known: dict[int, int] = {}

    def count(element: Element, above: tuple[int, ...]) -> int:
        """Elements of a tree, below those in `above`."""
        if id(element) in known:
            return known[id(element)]
        if id(element) in above or len(above) > 100:  # in a circle, or too deep
            return MAX_ELEMENTS + 1
        total = 1
        for child in element:
            total += count(child, (*above, id(element)))
        if str(element.tag).rpartition("}")[2] == "use":
            target = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or ""
            if target.startswith("#") and target[1:] in named:
                total += count(named[target[1:]], (*above, id(element)))
        known[id(element)] = min(total, MAX_ELEMENTS + 1)
        return known[id(element)]

    return count(root, ())


def _check_curves(text: str, path: str | Path) -> None:
    """Refuse curves that would become too many points, by their boxes: a few bytes may stand for miles of curve."""
    import svgelements

    points = 0.0
    for element in svgelements.SVG.parse(io.StringIO(text)).elements():
        if isinstance(element, svgelements.Shape):
            box = element.bbox()
            if box is not None:
                pieces = len(element) if isinstance(element, svgelements.Path) else 8
                points += pieces * (2 + (box[2] - box[0] + box[3] - box[1]) / (QUANTUM_MM * PX_PER_MM))
            if not points <= MAX_POINTS:
                break
    if not points <= MAX_POINTS:
        raise UserError(f"{path} is too large: its curves have more than {MAX_POINTS} points")


def _first_line(problem: Exception) -> str:
    """One line about what is wrong."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:120]
