"""How a drawing is made: from where, on which paper, by which machine. Light, so that the command line can show it."""

import math
from dataclasses import dataclass
from typing import Literal

from maquette.errors import UserError
from maquette.geometry.paper import MAX_SIDE_MM

_USUAL_PEN = {"z": (3.0, 0.0), "servo": (0.0, 1000.0)}  # up and down


@dataclass(frozen=True)
class ViewOptions:
    """From where an object is seen, and what is drawn of it.

    Raises:
        UserError: If a value is out of its range.
    """

    azimuth_deg: float = 30.0
    """The side that is seen; 0: the object's front, 90: its left."""
    elevation_deg: float = 20.0
    """Of the eye above the horizon, -90 to 90."""
    fov_deg: float = 30.0
    """Field of view, 1 to 120: wider is a stronger perspective."""
    crease_deg: float = 30.0
    """Edges sharper than this are drawn."""
    hatch: int = 0
    """Tones of hatching by light, 0 to 4: 0 none, 1 lines, 2 crossed lines, 3 and 4 closer ones between."""
    hatch_mm: float = 1.5
    """Between the lines of the hatching, in millimetres."""
    hatch_angle_deg: float = 45.0
    """Of the first lines of the hatching, from the horizontal."""
    hatch_pen: int = 1
    """The pen that hatches; the outline's is 1."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("azimuth_deg", -360, 360), ("elevation_deg", -90, 90), ("fov_deg", 1, 120), ("crease_deg", 1, 180),
            ("hatch", 0, 4), ("hatch_mm", 0.2, 50), ("hatch_angle_deg", -360, 360), ("hatch_pen", 1, 99),
        ):
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} must be {low:g} to {high:g}", getattr(self, name))


@dataclass(frozen=True)
class Paper:
    """The paper, in millimetres.

    Raises:
        UserError: If the margins leave no room, or the page is larger than `MAX_SIDE_MM`.
    """

    width: float = 210.0
    height: float = 297.0
    margin: float = 15.0
    pen: float = 0.3
    """Width of the pen's line, for pictures and SVG."""

    def __post_init__(self) -> None:
        if not (0 <= self.margin and 2 * self.margin < min(self.width, self.height)):
            raise UserError("the margins leave no room on the page",
                            f"{self.margin:g} on {self.width:g} x {self.height:g} mm")
        if not all(side <= MAX_SIDE_MM for side in (self.width, self.height)):
            raise UserError(f"a page has sides of more than 0 and at most {MAX_SIDE_MM:g} mm",
                            f"{self.width:g} x {self.height:g} mm")
        if not 0 < self.pen <= 20:
            raise UserError("a pen's line is more than 0 and at most 20 mm wide", self.pen)


@dataclass(frozen=True)
class Machine:
    """How a plotter moves and lifts its pen.

    Raises:
        UserError: If a value is out of its range.
    """

    draw_mm_s: float = 40.0
    """Speed with the pen down, in mm/s (G-code, estimate)."""
    travel_mm_s: float = 80.0
    """Speed with the pen up, for the estimate; the machine travels as fast as its own settings say."""
    acceleration_mm_s2: float = 500.0
    """For the estimate; the machine has its own setting ($120, $121)."""
    lift: Literal["z", "servo"] = "z"
    """z: pen up and down are heights of an axis, in mm; servo: values of the spindle's output (M3 S)."""
    pen_up: float | None = None
    """Where the pen is up; if left out, z: 3, servo: 0."""
    pen_down: float | None = None
    """Where the pen is down; if left out, z: 0, servo: 1000."""
    settle_s: float = 0.15
    """Seconds waited after each lift and each fall of the pen."""

    def __post_init__(self) -> None:
        if self.lift not in _USUAL_PEN:
            raise UserError("lift must be z or servo", repr(self.lift))
        up, down = self.pen_values
        object.__setattr__(self, "pen_up", up)
        object.__setattr__(self, "pen_down", down)
        speeds = (self.draw_mm_s, self.travel_mm_s, self.acceleration_mm_s2)
        if not all(math.isfinite(speed) and 0 < speed <= 1e5 for speed in speeds):
            raise UserError("speeds and acceleration must be positive", ", ".join(f"{speed:g}" for speed in speeds))
        if not 0 <= self.settle_s <= 10:
            raise UserError("settle_s must be 0 to 10 seconds", self.settle_s)
        if up == down or not (math.isfinite(up) and math.isfinite(down)):
            raise UserError("pen_up and pen_down must be two different numbers", f"{up:g} and {down:g}")
        if self.lift == "z" and not -50 <= down < up <= 100:
            raise UserError("the pen's heights must lie in -50 to 100 mm, up above down", f"{up:g} and {down:g}")
        if self.lift == "servo" and not (0 <= min(up, down) and max(up, down) <= 10_000):
            raise UserError("a servo's values must be 0 to 10,000", f"{up:g} and {down:g}")

    @property
    def pen_values(self) -> tuple[float, float]:
        """The heights of the pen, or the servo's values: up and down, the usual ones where none were given."""
        up, down = _USUAL_PEN[self.lift]
        return up if self.pen_up is None else self.pen_up, down if self.pen_down is None else self.pen_down

    @property
    def lift_lines(self) -> tuple[str, ...]:
        """The lines of G-code that lift the pen, whatever was before."""
        return ("G21", "G90", *self.pen_lines(self.pen_values[0], "G0 Z"))

    def pen_lines(self, value: float, axis: str) -> list[str]:
        """The lines of G-code that bring the pen to a height, or the servo to a value, and wait.

        Args:
            value: In millimetres, or the servo's value.
            axis: The move up to its value, as `G0 Z`; a servo does not use it.
        """
        move = f"{axis}{format_number(value)}" if self.lift == "z" else f"M3 S{format_number(value)}"
        wait = format_number(self.settle_s)
        return [move, f"G4 P{wait}"] if wait != "0" else [move]


def servo_values(machine: Machine) -> tuple[float, float]:
    """The servo's values with the pen up and down; the usual ones for a machine whose pen an axis lifts."""
    return machine.pen_values if machine.lift == "servo" else _USUAL_PEN["servo"]


def format_number(value: float) -> str:
    """A number as G-code has it, with at most four decimals and never with an exponent."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
