"""Block letters and digits, drawn by hand as strokes on a grid 4 wide and 6 high, and raised."""

import numpy as np
from manifold3d import CrossSection, FillRule, Manifold
from shapely import LineString, unary_union

from maquette.datasets.furniture.parts import Dice, Parts, arc, box, slab
from maquette.datasets.solids.parts import Styles, standing

Stroke = list[tuple[float, float]]

_TOP, _LOW = arc(2, 4, 2, 0, 180, 13), arc(2, 2, 2, 180, 360, 13)
_BOWL_TOP, _BOWL_LOW = arc(2.3, 4.6, 1.4, 90, -90, 11), arc(2.3, 1.6, 1.6, 90, -90, 11)

STROKES: dict[str, list[Stroke]] = {
    "A": [[(0, 0), (2, 6), (4, 0)], [(0.7, 2), (3.3, 2)]],
    "B": [[(0, 0), (0, 6), *_BOWL_TOP, (0, 3.2)], [(0, 3.2), *_BOWL_LOW, (0, 0)]],
    "C": [[*arc(2.1, 4, 2, 35, 180, 11), *arc(2.1, 2, 2, 180, 325, 11)]],
    "D": [[(0, 0), (1.4, 0), *arc(1.4, 3, 2.6, -90, 90, 15, ry=3), (0, 6), (0, 0)]],
    "E": [[(3.6, 6), (0, 6), (0, 0), (3.6, 0)], [(0, 3.1), (3, 3.1)]],
    "F": [[(3.6, 6), (0, 6), (0, 0)], [(0, 3.1), (3, 3.1)]],
    "G": [[*arc(2.1, 4, 2, 35, 180, 11), *arc(2.1, 2, 2, 180, 360, 11), (4.1, 2.8), (2.4, 2.8)]],
    "H": [[(0, 0), (0, 6)], [(4, 0), (4, 6)], [(0, 3.1), (4, 3.1)]],
    "I": [[(1, 6), (3, 6)], [(2, 6), (2, 0)], [(1, 0), (3, 0)]],
    "J": [[(3.4, 6), *arc(1.7, 1.7, 1.7, 0, -180, 11)]],
    "K": [[(0, 0), (0, 6)], [(3.8, 6), (0.6, 2.97)], [(1.4, 3.7), (4, 0)]],
    "L": [[(0, 6), (0, 0), (3.6, 0)]],
    "M": [[(0, 0), (0, 6), (2.3, 2), (4.6, 6), (4.6, 0)]],
    "N": [[(0, 0), (0, 6), (4, 0), (4, 6)]],
    "O": [[*_TOP, *_LOW, (4, 4)]],
    "P": [[(0, 0), (0, 6), (2.3, 6), *arc(2.3, 4.4, 1.6, 90, -90, 11), (0, 2.8)]],
    "Q": [[*_TOP, *_LOW, (4, 4)], [(2.3, 1.8), (4.2, -0.4)]],
    "R": [[(0, 0), (0, 6), (2.2, 6), *arc(2.2, 4.5, 1.5, 90, -90, 11), (0, 3)], [(1.9, 3), (3.9, 0)]],
    "S": [[*arc(2, 4.5, 1.6, 20, 270, 15, ry=1.5), *arc(2, 1.5, 1.7, 90, -160, 15, ry=1.5)]],
    "T": [[(0, 6), (4.2, 6)], [(2.1, 6), (2.1, 0)]],
    "U": [[(0, 6), *arc(2, 2, 2, 180, 360, 13), (4, 6)]],
    "V": [[(0, 6), (2, 0), (4, 6)]],
    "W": [[(0, 6), (1.3, 0), (2.6, 4.6), (3.9, 0), (5.2, 6)]],
    "X": [[(0, 0), (4, 6)], [(0, 6), (4, 0)]],
    "Y": [[(0, 6), (2, 3), (4, 6)], [(2, 3), (2, 0)]],
    "Z": [[(0, 6), (4, 6), (0, 0), (4, 0)]],
    "0": [[*arc(1.8, 4, 1.8, 0, 180, 13, ry=2), *arc(1.8, 2, 1.8, 180, 360, 13, ry=2), (3.6, 4)]],
    "1": [[(0.4, 4.5), (2, 6), (2, 0)], [(0.7, 0), (3.3, 0)]],
    "2": [[*arc(1.9, 4.3, 1.8, 165, -35, 13, ry=1.7), (0, 0), (3.8, 0)]],
    "3": [[*arc(1.8, 4.5, 1.6, 150, -90, 13, ry=1.5), (1.4, 3)], [(1.4, 3), *arc(1.8, 1.5, 1.8, 90, -150, 13, ry=1.5)]],
    "4": [[(3, 0), (3, 6), (0, 1.8), (4.2, 1.8)]],
    "5": [[(3.6, 6), (0.5, 6), (0.3, 3.3), *arc(1.9, 1.9, 1.9, 110, -150, 15)]],
    "6": [[(3, 6), *arc(3.4, 2, 3.3, 125, 180, 7, ry=3.2), *arc(1.9, 1.9, 1.8, 180, 540, 21)]],
    "7": [[(0, 6), (3.8, 6), (1.3, 0)]],
    "8": [[*arc(1.9, 4.5, 1.5, 0, 360, 21)], [*arc(1.9, 1.6, 1.8, 0, 360, 21, ry=1.6)]],
    "9": [[*arc(1.9, 4.1, 1.8, 0, 360, 21)], [(3.7, 4.1), *arc(0.3, 4, 3.4, 0, -55, 7, ry=3.3), (1, 0)]],
}
"""Each letter and digit as lines that a broad pen follows."""


def section(character: str, width: float, pen: str = "mitre", slant: float = 0) -> CrossSection:
    """The flat shape of a letter or digit, 6 units high and a little more.

    Args:
        character: one of STROKES.
        width: width of the pen in units.
        pen: "mitre", "round" or "bevel": how its corners look.
        slant: x gained for each unit of height.

    Returns:
        The shape, in (x, z), as the reader sees it: x to the right, which in the frame is -x.
    """
    cap = "round" if pen == "round" else "square"
    ink = unary_union(
        [
            LineString(line).buffer(width / 2, cap_style=cap, join_style=pen, quad_segs=5, mitre_limit=2.2)
            for line in STROKES[character]
        ]
    )
    rings = [np.asarray(ring.coords)[:-1] for ring in (ink.exterior, *ink.interiors)]
    shape = CrossSection(rings, FillRule.EvenOdd)
    return shape.transform(((1, slant, 0), (0, 1, 0))) if slant else shape


def letter(character: str, dice: Dice) -> Parts:
    """One letter or digit as a standing or lying block, sometimes on a foot or on a plate.

    Args:
        character: one of STROKES.
        dice: thickness, depth, corners, slant and pose.

    Returns:
        The parts.
    """
    width = dice(0.85, 1.5) if character not in "MW8" else dice(0.8, 1.15)
    shape = section(character, width, dice.one("mitre", "mitre", "round", "bevel"), dice.one(0, 0, 0, 0.2))
    scale = 100 / (6 + width)
    shape = shape.scale((scale * dice(0.85, 1.15), scale))
    depth = dice(12, 42)
    x0, z0, x1, z1 = shape.bounds()
    solid = standing(shape.translate((-(x0 + x1) / 2, -z0)).mirror((1, 0)), depth)
    style = dice.weighted({"alone": 6.0, "foot": 1.0, "plate": 1.0, "lying": 1.0})
    wide, tall = x1 - x0, z1 - z0
    if style == "foot":
        return [solid, box(wide + 16, depth + 16, 7, z=-6)]
    if style == "plate":
        plate = slab(wide + 24, tall + 24, 6, r=dice(1, 12)).rotate((90, 0, 0))
        return [solid, plate.translate((0, -depth / 2 + 2, tall / 2))]
    return [solid.rotate((-90, 0, 0)) if style == "lying" else solid]


def _any(dice: Dice) -> Parts:
    """Any letter or digit."""
    return letter(dice.one(*STROKES), dice)


def signature(character: str) -> Manifold:
    """A letter or digit in its plainest form, for comparisons: a pen of one unit, raised by one.

    Args:
        character: one of STROKES.

    Returns:
        The solid.
    """
    return standing(section(character, 1.0).mirror((1, 0)), 1.0)


LETTERS: Styles = {_any: 1}
