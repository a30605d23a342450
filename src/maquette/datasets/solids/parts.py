"""What solids are built from, beside the furniture's parts: ellipsoids, rings, prisms, vessels, poses.

Lengths are in units of which a whole object is about 100 long. z is up, the object faces +y.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from manifold3d import CrossSection, FillRule, JoinType, Manifold

from maquette.datasets.furniture.parts import Dice, Parts, Point, arc, curve, front, lathe, tube

Style = Callable[[Dice], Parts]
"""One way to make a kind: dice in, parts out."""
Styles = dict[Style, float]
"""The styles of a kind and how often each is made."""
Wall = Sequence[tuple[float, float]]
"""The outer wall of a vessel: (radius, z) from its foot to its rim."""


class Hollow(NamedTuple):
    """A vessel and the room in it."""

    body: Manifold
    room: Manifold


def egg(w: float, d: float, h: float, x: float = 0, y: float = 0, z: float = 0, sides: int = 32) -> Manifold:
    """An ellipsoid.

    Args:
        w: extent along x; d and h: along y and z.
        x: place of its centre, with y and z.
        sides: corners around.

    Returns:
        The solid.
    """
    return Manifold.sphere(1, sides).scale((w / 2, d / 2, h / 2)).translate((x, y, z))


def torus(r: float, bar: float, x: float = 0, y: float = 0, z: float = 0, sides: int = 40) -> Manifold:
    """A ring that lies level.

    Args:
        r: radius of the middle of the bar.
        bar: radius of the bar.
        x: place of its centre, with y and z.
        sides: corners around.

    Returns:
        The solid.
    """
    return lathe(arc(r, 0, bar, 0, 360, 17)[:-1], sides).translate((x, y, z))


def upright(part: Manifold) -> Manifold:
    """A part that lay level, its upper side now at the front (+y); what pointed to +y points down.

    Args:
        part: any solid; z becomes y.

    Returns:
        The turned solid.
    """
    return part.rotate((-90, 0, 0))


def prism(
    sides: int, r: float, h: float, x: float = 0, y: float = 0, z: float = 0, r_top: float | None = None
) -> Manifold:
    """An upright prism, or a pyramid or its stump, with a flat side at the front.

    Args:
        sides: its number of upright sides.
        r: radius of its corners below.
        h: its height.
        x: place of the middle of its underside, with y and z.
        r_top: radius of its corners above; as below without it.

    Returns:
        The solid.
    """
    solid = Manifold.cylinder(h, r, r if r_top is None else max(r_top, 0.05), sides)
    return solid.rotate((0, 0, 90 - 180 / sides)).translate((x, y, z))


def flat(polygons: Sequence[Sequence[Point]], depth: float, y: float = 0) -> Manifold:
    """Polygons in (x, z), some of them holes in others, raised along y.

    Args:
        polygons: rings of points; where an even number of rings lies around a point, there is a hole.
        depth: extent along y.
        y: where the middle of the depth is.

    Returns:
        The solid.
    """
    rings = [np.asarray(ring, float) for ring in polygons]
    return standing(CrossSection(rings, FillRule.EvenOdd), depth, y)


def standing(section: CrossSection, depth: float, y: float = 0) -> Manifold:
    """A section in (x, z), raised along y.

    Args:
        section: the flat shape.
        depth: extent along y.
        y: where the middle of the depth is.

    Returns:
        The solid.
    """
    solid = Manifold.extrude(section, depth)
    return solid.transform(((1, 0, 0, 0), (0, 0, -1, y + depth / 2), (0, 1, 0, 0)))


def vessel(wall: Wall, t: float, floor: float | None = None, sides: int = 40) -> Hollow:
    """A turned vessel, open above, of even thickness.

    Args:
        wall: its outer wall, heights rising.
        t: thickness of the wall.
        floor: thickness of the floor; t without it.
        sides: corners around.

    Returns:
        The vessel, and the room in it, which reaches far above the rim.
    """
    right = [(float(r), float(z)) for r, z in wall]
    (low, high), rim = (right[0][1], right[-1][1]), right[-1][0]
    far = high + 60 + 8 * t
    filled = CrossSection([np.array([(-r, z) for r, z in right[::-1]] + right)])
    column = CrossSection([np.array([(-rim, high - 0.01), (rim, high - 0.01), (rim, far), (-rim, far)])])
    inside = (filled + column).offset(-t, JoinType.Round, circular_segments=24).simplify(0.04)
    above = CrossSection.square((2e3, 2e3), True).translate((0, 1e3 + low + (t if floor is None else floor)))
    half = CrossSection.square((1e3, 2e3), False).translate((0, -1e3))
    inside = inside ^ above
    return Hollow(
        Manifold.revolve((filled - inside) ^ half, sides),
        Manifold.revolve(inside ^ half, sides),
    )


def radius_at(wall: Wall, z: float) -> float:
    """The radius of a wall at a height.

    Args:
        wall: (radius, z), heights rising.
        z: the height.

    Returns:
        The radius.
    """
    return float(np.interp(z, [q for _, q in wall], [p for p, _ in wall]))


def handle(points: Sequence[tuple[float, float]], thick: float, room: Manifold) -> Manifold:
    """A round handle on the +x side, cut off where it would stand in the room of a vessel.

    Args:
        points: its middle line in (x, z).
        thick: its radius.
        room: the room of the vessel.

    Returns:
        The handle.
    """
    return tube([(x, 0, z) for x, z in points], thick, 3) - room


def either_way(dice: Dice, part: Manifold) -> Manifold:
    """A part or its mirror image in x, equally likely.

    Args:
        dice: the choice.
        part: any solid.

    Returns:
        The solid.
    """
    return part.mirror((1, 0, 0)) if dice.yes() else part


def posed(dice: Dice, part: Manifold) -> Parts:
    """A long flat thing that was drawn upright and facing +y, as it is, or turned flat on, or laid down.

    Args:
        dice: the choice.
        part: the solid, its long side along z, its broad side facing +y.

    Returns:
        The solid as a list of parts.
    """
    pose = dice.weighted({"upright": 5.0, "across": 2.5, "slanted": 1.5, "lying": 1.5})
    if pose == "upright":
        return [part]
    if pose == "across":
        return [part.rotate((0, 90 if dice.yes() else -90, 0))]
    if pose == "slanted":
        return [part.rotate((0, dice.one(-1, 1) * dice(30, 60), 0))]
    return [part.rotate((-90, 0, 0)).rotate((0, 0, dice(0, 360)))]


def board(points: Sequence[Point], d: float, y: float = 0, r: float = 0) -> Manifold:
    """A polygon in (x, z), its corners rounded, raised along y. The furniture's `front` by its other name.

    Args:
        points: the polygon, in either direction.
        d: thickness along y.
        y: where its middle is.
        r: radius of its convex corners.

    Returns:
        The solid.
    """
    return front(points, d, y, r)


def heart_line(w: float) -> list[tuple[float, float]]:
    """The outline of a heart around the origin.

    Args:
        w: its width.

    Returns:
        Points (x, z), against the clock.
    """
    a = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = 16 * np.sin(a) ** 3
    z = 13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)
    return [(float(p), float(q)) for p, q in np.c_[-x, z] * w / 32]


def mirrored_line(points: list[tuple[float, float]], count: int = 4) -> list[tuple[float, float]]:
    """A closed outline, the same at both sides, smooth through points of its right side.

    Args:
        points: (half width, z), from one end to the other.
        count: steps between each two.

    Returns:
        Points (x, z).
    """
    line = [(float(x), float(z)) for x, z in curve(points, count)]
    return [*line, *[(-x, z) for x, z in line[::-1]]]
