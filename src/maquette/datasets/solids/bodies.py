"""The simple bodies that constructions are put together from, each stretched to a size."""

from collections.abc import Callable

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, box, curve, disc, lathe, soft
from maquette.datasets.solids.parts import egg, flat, prism, torus

Size = tuple[float, float, float]

_WALL = 5.0  # thickness of shells


def fitted(part: Manifold, size: Size) -> Manifold:
    """A part stretched to a size, around the origin.

    Args:
        part: any solid.
        size: the extents wanted along x, y and z.

    Returns:
        The solid.
    """
    a = np.array(part.bounding_box())
    part = part.translate(tuple(-(a[:3] + a[3:]) / 2))
    return part.scale(tuple(np.array(size) / (a[3:] - a[:3])))


def _profile(dice: Dice) -> Manifold:
    """A turned body of a random profile."""
    count = dice.whole(3, 5)
    radii = [dice(0.35, 1) for _ in range(count)]
    heights = np.cumsum([0.0, *[dice(0.5, 1) for _ in range(count - 1)]])
    points = [(50 * r, float(60 * z / heights[-1])) for r, z in zip(radii, heights, strict=True)]
    line = points if dice.yes() else [(max(float(r), 8.0), float(z)) for r, z in curve(points, 4)]
    return lathe([(0, line[0][1]), *line, (0, line[-1][1])], 40)


def _wedge(dice: Dice) -> Manifold:
    """A ramp, a roof or a slanted block."""
    low = dice.one(0.0, 0.0, dice(10, 40))
    tops: list[list[tuple[float, float]]] = [[(50, 100)], [(0, 100)], [(-50, 100), (dice(-30, 30), 100)]]
    top = dice.one(*tops)
    ends = [(-50, 0), (50, 0), (50, low), *top[::-1], (-50, low)] if len(top) == 1 else [(-50, 0), (50, 0), *top[::-1]]
    solid = flat([[p for i, p in enumerate(ends) if p not in ends[:i]]], 100)
    return solid.rotate((0, 0, dice.one(0, 90, 180, 270)))


def _letter_l(dice: Dice) -> Manifold:
    """A block with an L, T, U, plus or stair for its profile."""
    a, b = dice(28, 45), dice(28, 45)
    shape = dice.one("L", "T", "U", "plus", "stairs")
    profiles: dict[str, list[tuple[float, float]]] = {
        "L": [(0, 0), (100, 0), (100, a), (b, a), (b, 100), (0, 100)],
        "T": [
            (50 - b / 2, 0),
            (50 + b / 2, 0),
            (50 + b / 2, 100 - a),
            (100, 100 - a),
            (100, 100),
            (0, 100),
            (0, 100 - a),
            (50 - b / 2, 100 - a),
        ],
        "U": [
            (0, 0),
            (100, 0),
            (100, 100),
            (100 - b * 0.7, 100),
            (100 - b * 0.7, a),
            (b * 0.7, a),
            (b * 0.7, 100),
            (0, 100),
        ],
        "plus": [
            (50 - b / 2, 0),
            (50 + b / 2, 0),
            (50 + b / 2, 50 - b / 2),
            (100, 50 - b / 2),
            (100, 50 + b / 2),
            (50 + b / 2, 50 + b / 2),
            (50 + b / 2, 100),
            (50 - b / 2, 100),
            (50 - b / 2, 50 + b / 2),
            (0, 50 + b / 2),
            (0, 50 - b / 2),
            (50 - b / 2, 50 - b / 2),
        ],
        "stairs": [(0, 0), (100, 0), (100, 25), (75, 25), (75, 50), (50, 50), (50, 75), (25, 75), (25, 100), (0, 100)],
    }
    return flat([profiles[shape]], 100).rotate((0, 0, dice.one(0, 90, 180, 270)))


def _arch(dice: Dice) -> Manifold:
    """A block with an arched way through it."""
    r = dice(26, 38)
    solid = (
        box(100, 100, 100)
        - disc(r, 300, z=-150, sides=40).rotate((90, 0, 0)).translate((0, 0, r * 0.9))
        - box(2 * r, 300, r * 0.9 * 2, z=-r * 0.9)
    )
    return solid.rotate((0, 0, dice.one(0, 90)))


def _shell(dice: Dice, size: Size) -> Manifold:
    """A hollow body of this size: a tube, an open box, a bowl, a pipe that lies."""
    w, d, h = size
    t = max(_WALL, 0.1 * min(w, d))
    style = dice.one("tube", "cup", "tray", "bowl", "pipe")
    if style == "tray":
        return fitted(box(w, d, h), size) - box(w - 2 * t, d - 2 * t, h * 2, z=-h / 2 + t)
    if style == "bowl":
        outer, inner = (Manifold.sphere(1, 40).scale(((w / 2 - q), (d / 2 - q), h - q)) for q in (0.0, t))
        return (outer - inner).trim_by_plane((0, 0, -1), 0).translate((0, 0, h / 2))
    if style == "pipe":
        t = max(_WALL, 0.12 * min(w, h))
        outer = Manifold.cylinder(d, 1, 1, 40, True).scale((w / 2, h / 2, 1)).rotate((90, 0, 0))
        return outer - Manifold.cylinder(2 * d, 1, 1, 40, True).scale((w / 2 - t, h / 2 - t, 1)).rotate((90, 0, 0))
    sides = dice.one(40, 40, 6, 8)
    outer = Manifold.cylinder(h, 1, 1, sides, True).scale((w / 2, d / 2, 1))
    inner = Manifold.cylinder(2 * h, 1, 1, sides, True).scale((w / 2 - t, d / 2 - t, 1))
    return outer - (inner if style == "tube" else inner.translate((0, 0, h / 2 + t)))


def body(dice: Dice, size: Size, plain: bool = False) -> Manifold:
    """One simple body of this size around the origin.

    Args:
        dice: which one, and its proportions.
        size: its extents along x, y and z.
        plain: only the plainest: boxes, cylinders, prisms, ellipsoids.

    Returns:
        The solid.
    """
    kinds: dict[str, float] = {"box": 3, "cylinder": 2.2, "prism": 1.2, "ellipsoid": 0.9, "soft": 0.8}
    if not plain:
        kinds |= {
            "cone": 1,
            "pyramid": 0.7,
            "lying": 1.2,
            "wedge": 1,
            "ring": 0.6,
            "shell": 0.9,
            "turned": 0.9,
            "profile": 0.8,
            "arch": 0.4,
            "dome": 0.7,
            "frustum": 0.7,
        }
    kind = dice.weighted(kinds)
    if kind == "shell":
        return _shell(dice, size)
    makers: dict[str, Callable[[], Manifold]] = {
        "box": lambda: box(1e2, 1e2, 1e2),
        "cylinder": lambda: disc(50, 100, sides=40),
        "prism": lambda: prism(dice.whole(3, 8), 50, 100).rotate((0, 0, dice.one(0, 0, 180))),
        "ellipsoid": lambda: egg(100, 100, 100, sides=36),
        "soft": lambda: soft(*size, r=dice(4, 10)),
        "cone": lambda: disc(50, 100, r_top=0.1, sides=40),
        "pyramid": lambda: prism(dice.one(3, 4, 4, 6), 50, 100, r_top=0.1),
        "frustum": lambda: prism(dice.one(4, 6, 8, 40), 50, 100, r_top=dice(18, 40)).rotate((dice.one(0, 180), 0, 0)),
        "lying": lambda: disc(50, 100, sides=40).rotate(dice.one((90, 0, 0), (0, 90, 0))),
        "wedge": lambda: _wedge(dice),
        "ring": lambda: torus(50, dice(11, 20)).rotate(dice.one((0, 0, 0), (90, 0, 0), (0, 90, 0))),
        "turned": lambda: _profile(dice),
        "profile": lambda: _letter_l(dice),
        "arch": lambda: _arch(dice),
        "dome": lambda: egg(100, 100, 100, sides=36).trim_by_plane((0, 0, 1), 0),
    }
    return fitted(makers[kind](), size)
