"""Strokes as G-code for machines that speak GRBL's dialect, checked against the page before it is used.

The page's lower left corner is the machine's origin, x to the right, y up, millimetres. The page must lie there, and
the machine must have been set to zero there, before the drawing begins.
"""

import re
from pathlib import Path

import numpy as np

from maquette.errors import UserError
from maquette.geometry.strokes import Strokes
from maquette.io.atomic import write_bytes
from maquette.io.formats import file_bytes
from maquette.plotting.settings import Machine

MAX_BYTES = 64 << 20
"""The largest G-code file that is read."""
LINE_BYTES = 79
"""The longest line that GRBL takes, in characters."""
SLACK_MM = 0.0011
"""How far past the page's rim counts as on it: coordinates are written to a thousandth of a millimetre."""
_KNOWN_G, _KNOWN_M = {0, 1, 4, 17, 21, 40, 49, 54, 80, 90, 94}, {0, 2, 3, 5, 30}


def require_on_page(strokes: Strokes) -> None:
    """Raise UserError if a point of the strokes lies outside their page."""
    box = strokes.bounds
    if box is not None and (min(box[:2]) < -SLACK_MM or box[2] > strokes.width + SLACK_MM
                            or box[3] > strokes.height + SLACK_MM):
        raise UserError("the drawing reaches outside the page",
                        f"{box[0]:.1f} to {box[2]:.1f} mm across, {box[1]:.1f} to {box[3]:.1f} mm down, on "
                        f"{strokes.width:g} x {strokes.height:g} mm", "fit it into the page")


def gcode_program(strokes: Strokes, machine: Machine = Machine()) -> list[str]:
    """The lines of a program that draws strokes in their order and goes back to the origin.

    Where the pen changes it has the line `M0 ; change to pen N`.

    Args:
        strokes: In millimetres.
        machine: How it moves and lifts the pen.

    Raises:
        UserError: If a point lies outside the page.
    """
    require_on_page(strokes)
    size = np.array([strokes.width, strokes.height])
    feed = f" F{60 * machine.draw_mm_s:g}"
    up, down = machine.pen_values
    rise, fall = machine.pen_lines(up, "G0 Z"), machine.pen_lines(down, f"G1{feed} Z")
    made = [f"; page {strokes.width:g} x {strokes.height:g} mm", f"; {len(strokes)} lines", "G21", "G90", "G94", *rise]
    pen = None
    for line, layer in zip(strokes.lines, strokes.layers, strict=True):
        if layer != pen:
            made += [f"M0 ; change to pen {layer}"] if pen is not None else [f"; pen {layer}"]
            pen = layer
        points = [f"X{x:.3f} Y{y:.3f}" for x, y in np.clip(line * (1, -1) + (0, size[1]), 0, size)]
        made += [f"G0 {points[0]}", *fall, f"G1 {points[1]}{feed}", *(f"G1 {point}" for point in points[2:]), *rise]
    return [*made, "G0 X0 Y0"]


def write_gcode(path: str | Path, strokes: Strokes, machine: Machine = Machine()) -> None:
    """Write the lines of `gcode_program` to a file.

    Raises:
        UserError: If it cannot be written, or the strokes reach outside the page.
    """
    write_bytes(path, ("\n".join(gcode_program(strokes, machine)) + "\n").encode("ascii"))


def read_gcode(path: str | Path) -> tuple[list[str], tuple[float, float] | None]:
    """Read a G-code file.

    Returns:
        Its lines, and the width and height of the page in millimetres if its first lines name them.

    Raises:
        UserError: Naming the file, if it cannot be read.
    """
    data = file_bytes(Path(path), MAX_BYTES)
    try:
        lines = data.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path} is not G-code", hint="it holds characters that are not ASCII") from None
    found = re.search(r"^; page ([\d.]+) x ([\d.]+) mm$", "\n".join(lines[:20]), re.M)
    return lines, (float(found[1]), float(found[2])) if found else None



def check_program(lines: list[str], width: float, height: float, machine: Machine) -> list[str]:
    """Check that each line of a program is harmless.

    Only straight moves in absolute millimetres are allowed, none of them off the page, with the pen's height between
    the machine's down and up.

    Args:
        lines: G-code.
        width: Of the page, in millimetres; x may be 0 to this.
        height: Of the page, in millimetres; y may be 0 to this.
        machine: Its heights of the pen.

    Returns:
        The lines as they are sent: without comments, spaces and empty lines.

    Raises:
        UserError: Naming the line, for anything else.
    """
    made: list[str] = []
    units, absolute = False, False  # whether G21 and G90 were given
    low, high = sorted(machine.pen_values) if machine.lift == "z" else (0.0, 0.0)
    limits = {"X": (0.0, width), "Y": (0.0, height), "Z": (low, high)}
    for number, line in enumerate(lines, 1):
        where = f"line {number} of the G-code"
        bare = re.sub(r"\([^)]*\)", "", line.partition(";")[0]).upper()
        bare = "".join(bare.split())
        if not bare:
            continue
        words = re.findall(r"([A-Z])([-+]?(?:\d+\.?\d*|\.\d+))", bare)
        if "".join(letter + value for letter, value in words) != bare:
            raise UserError(f"{where} cannot be read", repr(line.strip()[:60]))
        for letter, value in words:
            units |= (letter, float(value)) == ("G", 21)
            absolute |= (letter, float(value)) == ("G", 90)
            if letter in limits:
                if not (units and absolute):
                    raise UserError(f"{where} moves before G21 and G90 were given", repr(line.strip()[:60]))
                least, most = limits[letter]
                if not least - SLACK_MM <= float(value) <= most + SLACK_MM:
                    what = "lifts the pen past its limits" if letter == "Z" else "goes outside the page"
                    raise UserError(f"{where} {what}", f"{letter}{value}", f"{letter} is {least:g} to {most:g} mm")
            elif letter in "GM":
                if float(value) not in (_KNOWN_G if letter == "G" else _KNOWN_M):
                    raise UserError(f"{where} is not let through: {letter}{value} cannot be checked",
                                    hint="straight moves in absolute millimetres are sent")
            elif letter not in "FSPN":
                raise UserError(f"{where} is not let through: {letter} cannot be checked",
                                hint="straight moves in absolute millimetres are sent")
        if any(letter == "M" and float(value) == 0 for letter, value in words):
            made.append("M0" + line[line.index(";"):].rstrip() if ";" in line else "M0")
            continue
        if len(bare) > LINE_BYTES:
            raise UserError(f"{where} is longer than the {LINE_BYTES} characters that GRBL keeps", len(bare))
        made.append(bare)
    if not made:
        raise UserError("the G-code holds nothing to do")
    return made


def drawing_seconds(strokes: Strokes, machine: Machine = Machine()) -> float:
    """Estimate how long drawing takes, from the origin and back to it, without changes of pens.

    Each way with the pen up, and each stretch drawn without a turn of more than 30 degrees, is taken to begin and end
    at rest: the speed rises with the machine's acceleration up to its limit, and falls again. Each line costs two waits
    of `settle_s`.
    """
    total = 0.0
    at = np.array([0.0, strokes.height])
    for line in strokes.lines:
        total += _move_seconds(float(np.linalg.norm(line[0] - at)), machine.travel_mm_s, machine.acceleration_mm_s2)
        legs = np.diff(line, axis=0)
        length = np.linalg.norm(legs, axis=1)
        legs, length = legs[length > 0], length[length > 0]
        along = np.einsum("ij,ij->i", legs[1:], legs[:-1]) / (length[1:] * length[:-1])
        runs = np.split(length, np.flatnonzero(along < np.cos(np.radians(30))) + 1)
        total += sum(_move_seconds(float(run.sum()), machine.draw_mm_s, machine.acceleration_mm_s2) for run in runs)
        total += 2 * machine.settle_s
        at = line[-1]
    return total + _move_seconds(float(np.linalg.norm(at - (0, strokes.height))), machine.travel_mm_s,
                          machine.acceleration_mm_s2)


def _move_seconds(length: float, speed: float, acceleration: float) -> float:
    """Seconds for a move from rest to rest: a trapezoid of speed over time, or a triangle if the move is short."""
    if length * acceleration >= speed**2:
        return length / speed + speed / acceleration
    return 2 * float(np.sqrt(length / acceleration))
