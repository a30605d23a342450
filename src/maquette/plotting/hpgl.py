"""Strokes as HPGL for the pen plotters that vpype knows."""

import io
import re
from pathlib import Path

import numpy as np

from maquette.errors import UserError
from maquette.extras import require
from maquette.geometry.paper import SIZES_MM
from maquette.geometry.strokes import Strokes
from maquette.io.atomic import write_bytes
from maquette.plotting.svg import PX_PER_MM, to_document

DEVICE = "hp7475a"
"""The plotter by default, as vpype names it."""


def devices() -> dict[str, tuple[str, ...]]:
    """The plotters that vpype has settings for, and the names of the pages that each takes."""
    vpype = require("vpype", "plotter")

    known = vpype.config_manager.config.get("device", {})
    return {name: tuple(paper["name"] for paper in facts["paper"]) for name, facts in known.items()}


def write_hpgl(path: str | Path, strokes: Strokes, device: str = DEVICE, velocity_cm_s: int | None = None) -> None:
    """Write strokes as HPGL with the settings of a plotter.

    Nothing is cut off silently: what the plotter cannot reach is an error.

    Args:
        path: The file.
        strokes: In millimetres.
        device: One of `devices`.
        velocity_cm_s: Speed of the pen; None leaves it to the plotter.

    Raises:
        UserError: For an unknown device, for a page that it does not take, and if it cannot reach all that is drawn.
    """
    vpype = require("vpype", "plotter")

    known = devices()
    if device not in known:
        raise UserError("unknown plotter", repr(device), f"known: {' '.join(sorted(known))}")
    page = _page(strokes, known[device], device)
    text = io.StringIO()
    try:
        settings = vpype.config_manager.get_plotter_config(device)
        vpype.write_hpgl(text, to_document(strokes), page, strokes.width > strokes.height, False, device, velocity_cm_s,
                         absolute=True, quiet=True)
    except (ValueError, KeyError) as problem:
        raise UserError(f"vpype's settings of {device} cannot be used ({problem})") from None
    written = drawn_length(text.getvalue()) * settings.plotter_unit_length / PX_PER_MM
    rounding = 2 * strokes.points * settings.plotter_unit_length / PX_PER_MM
    if written < strokes.length * (1 - 1e-3) - min(rounding, 0.01 * strokes.length):
        lost = 100 * (1 - written / strokes.length)
        raise UserError(f"{device} does not reach all of the page", f"{lost:.1f} % of the lines outside",
                        "make the margin wider")
    write_bytes(path, text.getvalue().encode("ascii"))


def drawn_length(text: str) -> float:
    """Length of the lines of an HPGL program with absolute coordinates, in plotter units."""
    total, at = 0.0, np.zeros((1, 2))
    for name, numbers in re.findall(r"(PU|PD)([-\d,]*);", text):
        points = np.array([int(number) for number in numbers.split(",") if number], float).reshape(-1, 2)
        if len(points):
            if name == "PD":
                total += float(np.linalg.norm(np.diff(np.vstack([at, points]), axis=0), axis=1).sum())
            at = points[-1:]
    return total


def _page(strokes: Strokes, pages: tuple[str, ...], device: str) -> str:
    """The name of the strokes' page among those that a plotter takes."""
    size = sorted((strokes.width, strokes.height))
    for name, sides in SIZES_MM.items():
        if name in pages and np.allclose(size, sorted(sides), atol=0.5):
            return name
    inches = {"a": (215.9, 279.4), "b": (279.4, 431.8), "ansi_a": (215.9, 279.4), "ansi_b": (279.4, 431.8)}
    for name, sides in inches.items():
        if name in pages and np.allclose(size, sides, atol=0.5):
            return name
    raise UserError(f"{device} does not take this page", f"{strokes.width:g} x {strokes.height:g} mm",
                    f"its pages: {' '.join(pages)}")
