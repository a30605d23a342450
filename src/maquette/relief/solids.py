"""Solids over flat regions: extruded, inflated, revolved, or a plate, with base plates, tabs, grooves and ridges.

Lengths are in millimetres. Regions and solids are combined by manifold3d, whose results are closed and without
self-intersections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import manifold3d
import numpy as np
import trimesh
from manifold3d import CrossSection, FillRule, JoinType, Manifold

from maquette.errors import UserError
from maquette.geometry.mesh import is_closed
from maquette.geometry.repair import repair
from maquette.relief.inflate import inflate_polygons
from maquette.relief.lithophane import lithophane_thickness, plate_mesh
from maquette.relief.options import LARGEST_MM, ReliefOptions
from maquette.relief.outline import signed_area

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

BORDER_MM = 2.0
"""How far a base plate goes beyond what stands on it; also the least width around the hole for a ring."""
TAB_MM = 3.0
"""Thickness of the tab with the hole on a rounded or revolved solid, at most."""
_SEGMENTS = 128  # segments of a whole turn: such a cylinder has 99.96 % of the volume of a round one
_SUNK_MM = 0.1  # how far a revolved solid sinks into its base plate: a round bottom would only touch it along a line
_RIDGE_STEPS = 4  # so many times a ridge is lifted where it would hang over a thin solid
_FINEST_MM = 0.005  # how far surfaces may move to need fewer faces


def extruded(region: CrossSection, options: ReliefOptions) -> Manifold:
    """The region with straight walls, its base plate and its ring."""
    height = options.base_mm + options.thickest_mm
    solid, ground = region.extrude(height), region
    if options.base_mm:
        ground = _base_plate(region)
        solid = solid + ground.extrude(options.base_mm)
    return _with_tab(solid, ground, region, options, 0.0, height)


def inflated(region: CrossSection, options: ReliefOptions) -> Manifold:
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


def revolved(region: CrossSection, options: ReliefOptions) -> Manifold:
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


def lithophane(picture: UInt8[np.ndarray, "h w 3"], options: ReliefOptions) -> tuple[Manifold, float]:
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


def lined(solid: Manifold, lines: CrossSection, options: ReliefOptions) -> Manifold:
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


def to_mesh(solid: Manifold) -> trimesh.Trimesh:
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
