"""How a drawing becomes a solid: what can be asked for, and what goes together."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maquette.errors import UserError
from maquette.relief.outline import InkKind
from maquette.relief.profile import Axis

ReliefMethod = Literal["extrude", "inflate", "revolve", "lithophane"]
"""How a drawing becomes a solid."""
THICKNESS_MM = {"extrude": 5.0, "lithophane": 3.0}
"""Thickness by default; an inflated solid is then as thick as it is wide."""
LARGEST_MM = 2000.0
"""The largest length that an option may have."""


@dataclass(frozen=True)
class ReliefOptions:
    """How a solid is made; lengths in millimetres.

    Attributes:
        way: How the drawing becomes a solid.
        size_mm: Longer side of what is drawn (extruded, inflated, lithophane), or of the revolved solid; a base plate
            and a ring add to it. 1 to 2000.
        thickness_mm: From the flat side to the top, without the base; None takes `THICKNESS_MM`. 0.05 to 2000.
        thinnest_mm: Thickness of a lithophane where the picture is white. 0.05 to 2000.
        base_mm: Thickness of a base plate, 0 for none.
        ring_hole_mm: Diameter of a hole for a key ring, in a tab at the top, 0 for none.
        one_sided: Make an inflated solid with a flat back (with a base plate it always has one).
        axis: The axis of a revolved profile.
        drawn: Whether lines are edges or the ink is the solid.
        close_mm: The widest gap that is closed; None takes 12 % of the size.
        all_parts: Keep parts that are not connected with the largest one.
        detail_px: Points along a lithophane's longer side, at most. 16 to 1000.
        engrave_mm: Depth of the grooves that lines inside the outline become, of extruded and inflated solids; 0 leaves
            such lines out, and makes closed ones holes.
        emboss_mm: The same for ridges: how high they stand out.

    Raises:
        UserError: If a value is out of its range, or two do not go together.
    """

    way: ReliefMethod = "extrude"
    size_mm: float = 60.0
    thickness_mm: float | None = None
    thinnest_mm: float = 0.8
    base_mm: float = 0.0
    ring_hole_mm: float = 0.0
    one_sided: bool = False
    axis: Axis = "auto"
    drawn: InkKind = "auto"
    close_mm: float | None = None
    all_parts: bool = False
    detail_px: int = 240
    engrave_mm: float = 0.0
    emboss_mm: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("size_mm", 1.0), ("thickness_mm", 0.05), ("thinnest_mm", 0.05)):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and least <= value <= LARGEST_MM):
                raise UserError(f"{name} must be from {least:g} to {LARGEST_MM:g} mm", value)
        for name in ("base_mm", "ring_hole_mm", "close_mm", "engrave_mm", "emboss_mm"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and 0 <= value <= LARGEST_MM):
                raise UserError(f"{name} must be from 0 to {LARGEST_MM:g} mm", value)
        if self.ring_hole_mm > self.size_mm:
            raise UserError("ring_hole_mm must be at most size_mm", f"{self.ring_hole_mm:g} and {self.size_mm:g}")
        if self.way == "lithophane" and self.thickest_mm <= self.thinnest_mm:
            got = f"{self.thickest_mm:g} and {self.thinnest_mm:g}"
            raise UserError("a lithophane's thickness_mm must be more than its thinnest_mm", got)
        if self.engrave_mm and self.emboss_mm:
            raise UserError("lines become grooves or ridges, not both", hint="leave engrave_mm or emboss_mm out")
        if self.lined and self.way not in ("extrude", "inflate"):
            raise UserError("grooves and ridges go with extruded and inflated solids", self.way)
        if self.way == "extrude" and self.engrave_mm >= self.base_mm + self.thickest_mm:
            raise UserError("engrave_mm must be less than the thickness",
                            f"{self.engrave_mm:g} and {self.base_mm + self.thickest_mm:g}")
        if not 16 <= self.detail_px <= 1000:
            raise UserError("detail_px must be from 16 to 1000", self.detail_px)
        if self.way == "revolve" and self.thickness_mm is not None:
            raise UserError("a turned solid has no thickness_mm", self.thickness_mm, "size_mm is its longest side")

    @property
    def lined(self) -> bool:
        """Whether lines inside the outline become grooves or ridges."""
        return bool(self.engrave_mm or self.emboss_mm)

    @property
    def thickest_mm(self) -> float:
        """Thickness from the flat side to the top, the usual one of `THICKNESS_MM` if none was given."""
        return self.thickness_mm if self.thickness_mm is not None else THICKNESS_MM[self.way]
