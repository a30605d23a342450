"""From a flat drawing to a solid with no learning at all: extruded, inflated, revolved, or a lithophane.

Solids are in millimetres, x to the right and y up as on the page, z towards the viewer, resting on z = 0; a revolved
one stands upright. Regions and solids are combined by manifold3d, whose results are closed and without
self-intersections.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import manifold3d
import numpy as np
import trimesh
from jaxtyping import Bool, Float, Num, UInt8
from manifold3d import CrossSection, FillRule, JoinType, Manifold

from maquette.errors import UserError
from maquette.geometry.mesh import is_closed
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import keep_largest, repair
from maquette.geometry.shape import save_solid
from maquette.intake.page_capture import rectify_page
from maquette.relief.inflate import inflate_polygons
from maquette.relief.lithophane import lithophane_thickness, plate_mesh
from maquette.relief.outline import CLOSED_TO, InkKind, OpenOutline, Outline, find_outline, signed_area
from maquette.relief.profile import Axis, Profile, find_profile

PictureArray = (
    Num[np.ndarray, "h w"] | Num[np.ndarray, "h w 1"] | Num[np.ndarray, "h w 3"] | Num[np.ndarray, "h w 4"]
    | Bool[np.ndarray, "h w"]
)
"""A drawing as an array."""
ReliefMethod = Literal["extrude", "inflate", "revolve", "lithophane"]
"""How a drawing becomes a solid."""
BORDER_MM = 2.0
"""How far a base plate goes beyond what stands on it; also the least width around the hole for a ring."""
TAB_MM = 3.0
"""Thickness of the tab with the hole on a rounded or revolved solid, at most."""
THICKNESS_MM = {"extrude": 5.0, "lithophane": 3.0}
"""Thickness by default; an inflated solid is then as thick as it is wide."""
LARGEST_MM = 2000.0
"""The largest length that an option may have."""
FLAT = 0.4
"""A solid that is lower than this share of its longer side is flat."""
_SEGMENTS = 128  # segments of a whole turn: such a cylinder has 99.96 % of the volume of a round one
_LEAST_PX = 1e-3  # square pixels: what encloses less has no area
_SUNK_MM = 0.1  # how far a revolved solid sinks into its base plate: a round bottom would only touch it along a line
_RIDGE_STEPS = 4  # so many times a ridge is lifted where it would hang over a thin solid
_FINEST_MM = 0.005  # how far surfaces may move to need fewer faces


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
        solid, wall = _lithophane(picture, options)
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
        solid = {"extrude": _extruded, "inflate": _inflated, "revolve": _revolved}[options.way](region, options)
        if options.lined:
            solid = _lined(solid, lines, options)
    mesh = _to_mesh(solid)
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


def _lined(solid: Manifold, lines: CrossSection, options: ReliefOptions) -> Manifold:
    """The solid with grooves or ridges along lines: as deep or as high, measured straight down, wherever its top is."""
    if lines.is_empty():
        return solid
    along = lines.extrude(4 * LARGEST_MM).translate((0.0, 0.0, -2 * LARGEST_MM))
    if options.engrave_mm:
        cut = along - solid.translate((0.0, 0.0, -options.engrave_mm))
        _, _, low, _, _, high = solid.bounding_box()
        if options.way == "inflate":  # near its rim it is thinner than a groove is deep
            middle = low if options.one_sided else (low + high) / 2
            cut = cut.trim_by_plane((0.0, 0.0, 1.0), options.base_mm or middle)
        return solid - cut
    raised, pieces = solid ^ along, len(solid.decompose())
    for steps in (1, _RIDGE_STEPS):  # in one piece wherever it can be: walls that lie on walls are hard to join
        ridged = solid
        for part in range(1, steps + 1):
            ridged = ridged + raised.translate((0.0, 0.0, options.emboss_mm * part / steps))
        if len(ridged.decompose()) <= pieces:
            break
    return ridged


def _necks(region: CrossSection, least: float) -> list[str]:
    """A note if large parts of a region hang together by less than `least` millimetres."""
    def parts(one: CrossSection) -> int:
        """How many of its parts have more than 1 % of the whole area."""
        return sum(part.area() > 0.01 * region.area() for part in one.decompose())

    if parts(region.offset(-least / 2, JoinType.Miter)) > parts(region):
        return [f"parts of it hang together by less than {least:g} mm"]
    return []


def _extruded(region: CrossSection, options: ReliefOptions) -> Manifold:
    """The region with straight walls, its base plate and its ring."""
    height = options.base_mm + options.thickest_mm
    solid, ground = region.extrude(height), region
    if options.base_mm:
        ground = _base_plate(region)
        solid = solid + ground.extrude(options.base_mm)
    return _with_tab(solid, ground, region, options, 0.0, height)


def _inflated(region: CrossSection, options: ReliefOptions) -> Manifold:
    """The rounded solid over the region, its base plate and its ring."""
    flat = options.one_sided or options.base_mm > 0
    vertices, faces = inflate_polygons(region.to_polygons(), options.thickness_mm, flat)
    solid = _to_manifold(trimesh.Trimesh(vertices, faces, process=False)).simplify(_FINEST_MM)
    ground = region
    if flat:
        solid = solid.trim_by_plane((0.0, 0.0, 1.0), 0.0)
    tallest = solid.bounding_box()[5]
    if options.base_mm:
        ground = _base_plate(region)
        solid = solid.translate((0.0, 0.0, options.base_mm)) + ground.extrude(options.base_mm)
        return _with_tab(solid, ground, region, options, 0.0, options.base_mm + min(TAB_MM, tallest))
    half = min(TAB_MM / 2, 0.6 * tallest)
    return _with_tab(solid, ground, region, options, 0.0 if flat else -half, 2 * half if flat else half)


def _revolved(region: CrossSection, options: ReliefOptions) -> Manifold:
    """The region revolved about the y axis and stood upright, its base plate and its ring."""
    solid, outline = region.revolve(_SEGMENTS), region
    if options.base_mm:
        radius = region.bounds()[2] + BORDER_MM
        lifted = options.base_mm - min(_SUNK_MM, options.base_mm / 2)
        solid = solid.translate((0.0, 0.0, lifted))
        solid = solid + Manifold.cylinder(options.base_mm, radius, circular_segments=_SEGMENTS)
        outline = region.translate((0.0, lifted))
    if not options.ring_hole_mm:
        return solid
    half = min(TAB_MM, 0.5 * outline.bounds()[2]) / 2
    tab, hole = _tab(outline, outline, options.ring_hole_mm)
    upright = (90.0, 0.0, 0.0)  # x stays, y goes up
    stands = tab.extrude(2 * half).translate((0.0, 0.0, -half)).rotate(upright)
    through = hole.extrude(4 * LARGEST_MM).translate((0.0, 0.0, -2 * LARGEST_MM)).rotate(upright)
    return solid + stands - through


def _lithophane(picture: UInt8[np.ndarray, "h w 3"], options: ReliefOptions) -> tuple[Manifold, float]:
    """The picture as a plate, its base plate and its ring; and the plate's thinnest place, in millimetres.

    A ray shot inwards from the side of a small hill would take the hill for a wall.
    """
    thickness = lithophane_thickness(picture, options.thinnest_mm, options.thickest_mm, options.detail_px)
    mesh = plate_mesh(thickness + options.base_mm, options.size_mm)
    wall = float(thickness.min()) + options.base_mm
    if not (options.base_mm or options.ring_hole_mm):
        return _to_manifold(mesh), wall
    (left, bottom, _), (right, top, _) = mesh.bounds
    region = CrossSection.square((right - left, top - bottom), True)
    ground, solid = region, _to_manifold(mesh)
    if options.base_mm:
        ground, wall = region.offset(BORDER_MM, JoinType.Miter), min(wall, options.base_mm)
        solid = solid + ground.extrude(options.base_mm)
    if options.ring_hole_mm:
        wall = min(wall, options.base_mm + options.thinnest_mm, BORDER_MM)
    return _with_tab(solid, ground, region, options, 0.0, options.base_mm + options.thinnest_mm), wall


def _base_plate(region: CrossSection) -> CrossSection:
    """A base plate: the convex hull of what stands on it, grown by `BORDER_MM` with round corners."""
    return region.hull().offset(BORDER_MM, JoinType.Round, circular_segments=_SEGMENTS)


def _with_tab(
    solid: Manifold, ground: CrossSection, region: CrossSection, options: ReliefOptions, low: float, high: float
) -> Manifold:
    """The solid with a tab from z = low to z = high at the top of its ground, and a hole in the tab.

    Unchanged if no ring is asked for.
    """
    if not options.ring_hole_mm:
        return solid
    tab, hole = _tab(ground, region if not options.base_mm else ground, options.ring_hole_mm)
    solid = solid + tab.extrude(high - low).translate((0.0, 0.0, low))
    return solid - hole.extrude(4 * LARGEST_MM).translate((0.0, 0.0, -2 * LARGEST_MM))


def _tab(ground: CrossSection, region: CrossSection, hole_mm: float) -> tuple[CrossSection, CrossSection]:
    """A tab at the uppermost place of a region, and the round hole in it, just above the region's edge.

    The tab reaches as far into the region as it stands out of it, but not into the region's own holes.
    """
    points = np.concatenate(ground.to_polygons())
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    edge = _denser(ground, 0.01 * max(right - left, high - low))
    upper = edge[edge[:, 1] > high - 0.02 * (high - low)]
    x, y = upper[np.abs(upper[:, 0] - (left + right) / 2).argmin()]
    outer = hole_mm / 2 + max(BORDER_MM, 0.25 * hole_mm)
    y = float(y) + hole_mm / 2
    disc = CrossSection.circle(outer, _SEGMENTS)
    tab = CrossSection.batch_hull([disc.translate((x, y)), disc.translate((x, y - outer))])
    outlines = [ring for ring in region.to_polygons() if signed_area(ring) > 0]  # the others are holes
    filled = CrossSection(outlines, FillRule.NonZero)
    return tab - (filled - region), CrossSection.circle(hole_mm / 2, _SEGMENTS).translate((x, y))



def _denser(region: CrossSection, step: float) -> Float[np.ndarray, "n 2"]:
    """Points along a region's edge, no further than `step` apart."""
    places = []
    for ring in region.to_polygons():
        for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            count = int(np.ceil(np.linalg.norm(end - start) / step)) + 1
            places.append(start + np.linspace(0, 1, count)[:, None] * (end - start))
    return np.concatenate(places)


def _to_manifold(mesh: trimesh.Trimesh) -> Manifold:
    """A mesh as a solid; repaired first if it is not closed."""
    if not is_closed(mesh):
        mesh = repair(mesh)
    solid = Manifold(manifold3d.Mesh64(np.ascontiguousarray(mesh.vertices, np.float64),
                                       np.ascontiguousarray(mesh.faces, np.uint64)))
    if solid.status() != manifold3d.Error.NoError or solid.is_empty():
        raise UserError("the solid could not be made watertight", str(solid.status()))
    return solid


def _to_mesh(solid: Manifold) -> trimesh.Trimesh:
    """A solid as a mesh that stays closed when a file format joins coincident vertices, as STL does."""
    if solid.status() != manifold3d.Error.NoError or solid.is_empty():
        raise UserError("nothing is left of the solid", str(solid.status()), "make it larger or the hole smaller")
    solid = solid.translate((0.0, 0.0, -solid.bounding_box()[2]))
    for coarser in (0.02, 0.2, 1.0, 4.0):  # points this near to each other become one
        raw = solid.simplify(coarser * _FINEST_MM).to_mesh64()
        mesh = trimesh.Trimesh(raw.vert_properties[:, :3].copy(), raw.tri_verts.astype(np.int64), process=False)
        joined = trimesh.Trimesh(mesh.vertices.astype(np.float32).astype(np.float64), mesh.faces, process=False)
        joined.merge_vertices(digits_vertex=6)
        if is_closed(joined):
            return mesh
    return repair(joined)
