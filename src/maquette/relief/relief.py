"""From a flat drawing to a solid with no learning at all: extruded, inflated, revolved, or a lithophane.

Solids are in millimetres, x to the right and y up as on the page, z towards the viewer, resting on z = 0; a revolved
one stands upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType

from maquette.errors import UserError
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import keep_largest
from maquette.geometry.shape import save_solid
from maquette.intake.page_capture import rectify_page
from maquette.relief.options import ReliefOptions
from maquette.relief.outline import CLOSED_TO, OpenOutline, Outline, find_outline
from maquette.relief.profile import Profile, find_profile
from maquette.relief.solids import extruded, inflated, lined, lithophane, revolved, to_mesh

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Bool, Float, Num, UInt8

    PictureArray = (
        Num[np.ndarray, "h w"] | Num[np.ndarray, "h w 1"] | Num[np.ndarray, "h w 3"] | Num[np.ndarray, "h w 4"]
        | Bool[np.ndarray, "h w"]
    )
    """A drawing as an array."""

FLAT = 0.4
"""A solid that is lower than this share of its longer side is flat."""
_LEAST_PX = 1e-3  # square pixels: what encloses less has no area


@dataclass(frozen=True, eq=False)
class Relief:
    """A solid made of a drawing.

    Attributes:
        mesh: In millimetres, resting on z = 0.
        report: Whether it can be printed.
        notes: What was closed, left out and found in the drawing, one short sentence each.
    """

    mesh: trimesh.Trimesh
    report: Printability
    notes: tuple[str, ...]

    def save(self, path: str | Path) -> Path:
        """Write the solid: a mesh in millimetres, or a grid of 64 voxels a side, as the file's suffix asks."""
        return save_solid(path, self.mesh)

    @property
    def flat(self) -> bool:
        """Whether it lies rather than stands: it is seen from above."""
        wide, deep, high = self.mesh.extents
        return bool(high < FLAT * max(wide, deep))

    def line(self) -> str:
        """One line for the user: the size, the report, the notes."""
        size = " x ".join(f"{length:.1f}" for length in self.mesh.extents)
        return "; ".join([f"{size} mm", self.report.line(), *self.notes])


def relief(
    picture: PictureArray,
    options: ReliefOptions | None = None,
    *,
    min_wall_mm: float = 0.8,
    name: str = "the drawing",
) -> Relief:
    """Make a solid of a drawing: a clean file, a scan, or a photograph of the page (see `rectify_page`).

    Args:
        picture: Upright: grey, RGB or RGBA, as bytes, as floats in [0, 1] or as booleans (true is white).
        options: How; the defaults extrude the drawing.
        min_wall_mm: The thinnest wall that the printer can make, for the report.
        name: What an error calls the drawing.

    Returns:
        The solid; its notes name the gaps that were closed, in millimetres.

    Raises:
        UserError: For an array that is no picture, if nothing is drawn, if the outline has a gap too wide to be closed,
            or if what is enclosed is too small.
    """
    options, wall = options or ReliefOptions(), None
    picture = _in_colour(picture, name)
    if options.way == "lithophane":
        solid, wall = lithophane(picture, options)
        notes = []
    else:
        captured = rectify_page(picture, whole_page=True, name=name)
        notes = list(captured.notes)
        region, lines, scale, gaps, more = _drawn_region(captured.ink, options, name)
        if gaps:
            widest = f"closed a gap of {gaps[0] * scale:.1f} mm"
            notes.append(widest if len(gaps) == 1 else
                         f"closed {len(gaps)} gaps, the widest of {gaps[0] * scale:.1f} mm")
        notes += more + _necks(region, min_wall_mm)
        solid = {"extrude": extruded, "inflate": inflated, "revolve": revolved}[options.way](region, options)
        if options.lined:
            solid = lined(solid, lines, options)
    mesh = to_mesh(solid)
    if not options.all_parts:
        mesh, dropped = keep_largest(mesh)
        if dropped:
            notes.append(dropped.line())
    mesh.vertices[:, 2] -= mesh.vertices[:, 2].min()
    return Relief(mesh, printability(mesh, min_wall_mm, wall_mm=wall), tuple(notes))


def _in_colour(picture: PictureArray, name: str) -> UInt8[np.ndarray, "h w 3"]:
    """Any picture as RGB bytes; transparent pixels are blended with white."""
    pixels = np.asarray(picture)
    if pixels.dtype.kind not in "buf" or (pixels.dtype.kind == "u" and pixels.dtype != np.uint8):
        raise UserError(f"{name} is no picture: its numbers must be bytes, floats in [0, 1] or booleans", pixels.dtype)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise UserError(f"{name} is no picture: its shape must be [H, W], [H, W, 3] or [H, W, 4]", pixels.shape)
    if pixels.dtype != np.uint8:
        if not (np.isfinite(pixels).all() and 0 <= pixels.min() and pixels.max() <= 1):
            raise UserError(f"{name} is no picture: floats must lie in [0, 1]",
                            f"{pixels.min():g} to {pixels.max():g}")
        pixels = np.rint(pixels.astype(np.float64) * 255).astype(np.uint8)
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float64) / 255
        pixels = np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def _drawn_region(
    ink: Float[np.ndarray, "_ _"], options: ReliefOptions, name: str
) -> tuple[CrossSection, CrossSection, float, tuple[float, ...], list[str]]:
    """What the drawing encloses, in millimetres, centred on x and y, and the lines inside it where they are wanted.

    For a solid of revolution x is the distance from the axis, and y begins at 0.

    Returns:
        The region, the lines in it, millimetres a pixel, the widths of the gaps that were closed in pixels, and notes
        for the user.
    """
    closed_to = CLOSED_TO if options.close_mm is None else min(options.close_mm / options.size_mm, 1.0)
    turned = options.way == "revolve"
    found: Outline | Profile
    try:
        if turned:
            found = find_profile(ink, axis=options.axis, drawn=options.drawn, closed_to=closed_to, name=name)
        else:
            found = find_outline(ink, drawn=options.drawn, closed_to=closed_to, name=name, inner=options.lined)
    except OpenOutline as error:
        got = None if error.gap is None else f"ends that are {error.gap * options.size_mm:.1f} mm apart"
        raise UserError(f"the outline in {name} is open", got,
                        "draw a closed line, or have wider gaps closed with --close-mm") from None
    region = CrossSection([np.ascontiguousarray(ring) for ring in found.rings], FillRule.EvenOdd)
    if turned:
        region = region + region.mirror((1.0, 0.0))
    parts, notes = [part for part in region.decompose() if part.area() > _LEAST_PX], list(found.notes)
    if not parts:
        raise UserError(f"what is enclosed in {name} is too thin for a solid", hint="draw it larger")
    if len(parts) > 1 and not options.all_parts and not options.base_mm and not turned:
        largest = max(parts, key=lambda part: part.area())
        share = 1 - largest.area() / region.area()
        region = largest
        count = len(parts) - 1
        notes.append(f"{count} loose part{'s' if count > 1 else ''} ({100 * share:.2g} % of the area) "
                     f"{'were' if count > 1 else 'was'} left out; --base-mm joins, --all-parts keeps such")
    low_x, low_y, high_x, high_y = region.bounds()
    scale = options.size_mm / max(high_x - low_x, high_y - low_y)
    shift = (0.0, -low_y) if turned else (-(low_x + high_x) / 2, -(low_y + high_y) / 2)
    region = region.translate(shift).scale((scale, scale)).simplify(1e-4)
    lines = CrossSection()
    if isinstance(found, Outline) and options.lined:
        lines = CrossSection([np.ascontiguousarray(ring) for ring in found.inner], FillRule.EvenOdd)
        lines = lines.translate(shift).scale((scale, scale)) ^ region
        notes.append(_about_lines(lines, found.inner_px * scale, options))
    return region, lines, scale, found.gaps, notes


def _about_lines(lines: CrossSection, width_mm: float, options: ReliefOptions) -> str:
    """A note about the lines inside."""
    if lines.is_empty():
        return "no line is drawn inside the outline"
    what = "groove" if options.engrave_mm else "ridge"
    count = len([part for part in lines.decompose() if part.area() > 0])
    return f"{count} {what}{'s' if count > 1 else ''}, about {width_mm:.1f} mm wide"


def _necks(region: CrossSection, least: float) -> list[str]:
    """A note if large parts of a region hang together by less than `least` millimetres."""
    def parts(one: CrossSection) -> int:
        """How many of its parts have more than 1 % of the whole area."""
        return sum(part.area() > 0.01 * region.area() for part in one.decompose())

    if parts(region.offset(-least / 2, JoinType.Miter)) > parts(region):
        return [f"parts of it hang together by less than {least:g} mm"]
    return []
