"""Strokes as G-code for machines that speak GRBL's dialect, checked against the page before it is used.

The page's lower left corner is the machine's origin, x to the right, y up, millimetres. The page must lie there, and
the machine must have been set to zero there, before the drawing begins.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from maquette.errors import UserError
from maquette.geometry.paper import MAX_SIDE_MM
from maquette.geometry.strokes import Strokes
from maquette.io.atomic import write_bytes
from maquette.io.formats import file_bytes
from maquette.plotting.gcode_parser import MODAL_GROUPS, VALUES, Block, Interpreter, parse_block
from maquette.plotting.settings import Machine, format_number, servo_values

MAX_BYTES = 64 << 20
"""The largest G-code file that is read."""
LINE_BYTES = 79
"""The longest line that GRBL takes, in characters."""
SLACK_MM = 0.0011
"""How far past the page's rim counts as on it: coordinates are written to a thousandth of a millimetre."""
_HEAD, _HEAD_CHARACTERS = 20, 80  # lines in which a page is looked for, and how much of one an error shows


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
    feed = f" F{format_number(60 * machine.draw_mm_s)}"
    up, down = machine.pen_values
    rise, fall = machine.pen_lines(up, "G0 Z"), machine.pen_lines(down, f"G1{feed} Z")
    made = [f"; page {format_number(strokes.width)} x {format_number(strokes.height)} mm",
            f"; {len(strokes)} lines", "G21", "G90", "G94", *rise]
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
        UserError: Naming the file, if it cannot be read, or names a page that there is not (see `named_page`).
    """
    lines = read_lines(path)
    return lines, named_page(lines, path)


def read_lines(path: str | Path) -> list[str]:
    """The lines of a G-code file.

    Raises:
        UserError: Naming the file, if it cannot be read.
    """
    data = file_bytes(Path(path), MAX_BYTES)
    try:
        return data.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path} is not G-code", hint="it holds characters that are not ASCII") from None


def named_page(lines: list[str], path: str | Path) -> tuple[float, float] | None:
    """The width and height of the page, in millimetres, that the first lines of a file name: `; page 210 x 297 mm`.

    Args:
        lines: Of the file.
        path: What an error calls it.

    Returns:
        None if they name none.

    Raises:
        UserError: If its sides are no numbers, or no page is so large: a file does not choose its own limits.
    """
    for line in lines[:_HEAD]:
        found = re.fullmatch(r"; page (\S+) x (\S+) mm", line)
        if found:
            try:
                width, height = float(found[1]), float(found[2])
            except ValueError:
                raise UserError(f"{path} names a page that cannot be read", line[2:_HEAD_CHARACTERS],
                                "name it, as in --page a4") from None
            if not (0 < min(width, height) and max(width, height) <= MAX_SIDE_MM):  # nor is it nan
                raise UserError(f"{path}: a page has sides of more than 0 and at most {MAX_SIDE_MM:g} mm",
                                f"{width:g} x {height:g} mm", "name it, as in --page a4")
            return width, height
    return None


def check_program(lines: list[str], width: float, height: float, machine: Machine) -> list[str]:
    """Check that each line of a program is harmless.

    Only straight moves in absolute millimetres are allowed, none of them off the page, with the pen's height, or the
    servo's value, between the machine's down and up. A program for a servo may also be checked for a machine whose pen
    an axis lifts; the servo's usual values are then its limits.

    Args:
        lines: G-code.
        width: Of the page, in millimetres; x may be 0 to this.
        height: Of the page, in millimetres; y may be 0 to this.
        machine: Its heights of the pen.

    Returns:
        The lines as they are sent: words without spaces, without zeros in front, line numbers, checksums, comments and
        empty lines. Where the program stands still there is a line `M0` of its own, with the comment on it.

    Raises:
        UserError: Naming the line, for anything else.
    """
    made: list[str] = []
    done = Interpreter()
    low, high = sorted(machine.pen_values) if machine.lift == "z" else (0.0, 0.0)
    least, most = sorted(servo_values(machine))
    limits = {"X": (0.0, width), "Y": (0.0, height), "Z": (low, high), "S": (least, most)}
    for number, line in enumerate(lines, 1):
        where = f"line {number} of the G-code"
        block = parse_block(line, where)
        if not block.words:
            continue
        _require_known(block, where)
        effect = done.run(block, where)
        _require_within(block, limits, where)
        if block.moves and effect.drawn and effect.feed is None:
            raise UserError(f"{where} draws at no speed", block.shown, "F must come first, as in F1000")
        text = block.text()
        if len(text) > LINE_BYTES:
            raise UserError(f"{where} is longer than the {LINE_BYTES} characters that GRBL keeps", len(text))
        made += [text] if text else []
        if block.stops:
            made.append(f"M0; {block.comment}" if block.comment else "M0")
    if not made:
        raise UserError("the G-code holds nothing to do")
    return made


def _require_known(block: Block, where: str) -> None:
    """Raise UserError for a word whose effect is not known."""
    for word in block.words:
        groups = MODAL_GROUPS.get(word.letter)
        if groups is not None and not any(word.value in values for values in groups.values()):
            raise UserError(f"{where} is not let through: {word} cannot be checked",
                            hint="straight moves in absolute millimetres are sent")
        if groups is None and word.letter not in VALUES:
            raise UserError(f"{where} is not let through: {word.letter} cannot be checked",
                            hint="straight moves in absolute millimetres are sent")
        if word.value < 0 and word.letter in "FP" or (word.letter == "F" and word.value == 0):
            raise UserError(f"{where} is not let through: {word} is no {'speed' if word.letter == 'F' else 'time'}")
        if word.letter == "P" and not block.has("G", 4):
            raise UserError(f"{where} is not let through: P stands without G4", block.shown)


def _require_within(block: Block, limits: dict[str, tuple[float, float]], where: str) -> None:
    """Raise UserError for a place off the page, or a pen past its limits."""
    wrongs = {"X": "goes outside the page", "Y": "goes outside the page", "Z": "lifts the pen past its limits",
              "S": "turns the servo past its limits"}
    for word in block.words:
        if word.letter in limits:
            least, most = limits[word.letter]
            if not least - SLACK_MM <= word.value <= most + SLACK_MM:
                raise UserError(f"{where} {wrongs[word.letter]}", word, f"{word.letter} is {least:g} to {most:g}"
                                + ("" if word.letter == "S" else " mm"))


def lifting_lines(lines: list[str], machine: Machine) -> tuple[str, ...]:
    """The lines that lift the pen of a program, whatever state it has come to.

    Args:
        lines: What `check_program` returned.
        machine: How it lifts the pen. Where an axis does and the program works a servo, both are lifted.
    """
    servo = any(block.has("M", 3, 5) or block.value("S") is not None for block in map(parse_block, lines))
    if machine.lift == "z" and servo:
        return (*machine.lift_lines, *replace(machine, lift="servo", pen_up=None, pen_down=None).lift_lines[2:])
    return machine.lift_lines


def leaves_pen_down(lines: list[str], machine: Machine) -> bool:
    """Whether the pen is down when a program is over.

    Args:
        lines: What `check_program` returned.
        machine: Where its pen is up and down.
    """
    done = Interpreter()
    for line in lines:
        done.run(parse_block(line))
    up, down = machine.pen_values
    height_down = machine.lift == "z" and done.z is not None and done.z < up - SLACK_MM
    up, down = servo_values(machine)
    return height_down or (done.servo is not None and abs(done.servo - down) < abs(done.servo - up))


def program_seconds(lines: list[str], machine: Machine = Machine()) -> float:
    """Estimate how long a program takes, from the origin, as `drawing_seconds` does for strokes.

    Lines are drawn at the speed that the program sets. Each wait (G4) takes as long as it says, and the pen's own way
    up and down no longer than that.

    Args:
        lines: What `check_program` returned.
        machine: For the speed of the lifted pen and the acceleration.
    """
    done = Interpreter()
    total, speed = 0.0, 0.0
    points: list[tuple[float, float]] = []  # of the line that is being drawn

    def finish() -> float:
        """Seconds for the line that was drawn."""
        return _line_seconds(np.array(points), speed, machine.acceleration_mm_s2) if len(points) > 1 else 0.0

    for line in lines:
        block = parse_block(line)
        effect = done.run(block)
        moved = effect.start != effect.end
        if effect.drawn and moved and effect.feed is not None:
            if effect.feed / 60 != speed or not points:
                total += finish()
                points, speed = [effect.start], effect.feed / 60
            points.append(effect.end)
        if effect.lifts or effect.wait_s or block.stops or (moved and not effect.drawn):
            total += finish() + effect.wait_s
            points = []
        if moved and not effect.drawn:
            away = float(np.hypot(effect.end[0] - effect.start[0], effect.end[1] - effect.start[1]))
            total += _move_seconds(away, machine.travel_mm_s, machine.acceleration_mm_s2)
    return total + finish()


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
        total += _line_seconds(line, machine.draw_mm_s, machine.acceleration_mm_s2)
        total += 2 * machine.settle_s
        at = line[-1]
    return total + _move_seconds(float(np.linalg.norm(at - (0, strokes.height))), machine.travel_mm_s,
                          machine.acceleration_mm_s2)


def _line_seconds(line: Float[np.ndarray, "n 2"], speed: float, acceleration: float) -> float:
    """Seconds for a line that is drawn: each stretch without a sharp turn is a move from rest to rest."""
    legs = np.diff(line, axis=0)
    length = np.linalg.norm(legs, axis=1)
    legs, length = legs[length > 0], length[length > 0]
    along = np.einsum("ij,ij->i", legs[1:], legs[:-1]) / (length[1:] * length[:-1])
    runs = np.split(length, np.flatnonzero(along < np.cos(np.radians(30))) + 1)
    return sum(_move_seconds(float(run.sum()), speed, acceleration) for run in runs)


def _move_seconds(length: float, speed: float, acceleration: float) -> float:
    """Seconds for a move from rest to rest: a trapezoid of speed over time, or a triangle if the move is short."""
    if length * acceleration >= speed**2:
        return length / speed + speed / acceleration
    return 2 * float(np.sqrt(length / acceleration))
