"""Houses, churches and tents, their doors at the front (+y)."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, arc, box, disc, join, plan, rectangle, rod, spaced
from maquette.datasets.solids.parts import Styles, flat

DEPTH = 2.4
"""How deep windows and doors are set back."""


def gable(w: float, d: float, h: float, z: float, along_y: bool = True) -> Manifold:
    """A roof of two slopes.

    Args:
        w: extent along x, eaves included; d along y.
        h: height of the ridge over the eaves.
        z: height of the eaves.
        along_y: whether the ridge runs along y, so that the gable is in front; else along x.

    Returns:
        The solid roof.
    """
    a, b = (w, d) if along_y else (d, w)
    roof = flat([[(-a / 2, z), (a / 2, z), (a / 2, z + 1.2), (0, z + h), (-a / 2, z + 1.2)]], b)
    return roof if along_y else roof.rotate((0, 0, 90))


def hip(w: float, d: float, h: float, z: float, ridge: float) -> Manifold:
    """A roof of four slopes.

    Args:
        w: extent along x; d along y.
        h: height of the ridge.
        z: height of the eaves.
        ridge: length of the ridge along x; 0 makes a pyramid.

    Returns:
        The solid roof.
    """
    eaves = [(x, y, z + q) for x, y in rectangle(w, d) for q in (0, 1.2)]
    return Manifold.hull_points(np.array([*eaves, (-ridge / 2, 0, z + h), (ridge / 2, 0, z + h), (0, 0.2, z + h)]))


def opening(w: float, h: float, x: float, z: float, style: str = "plain") -> list[list[tuple[float, float]]]:
    """The panes of a window or door in (x, z), as polygons.

    Args:
        w: its width; h: its height.
        x: its middle; z: its lower edge.
        style: plain, cross (four panes), bar (two panes), arch (round above) or round.

    Returns:
        One polygon for each pane.
    """
    if style == "round":
        return [arc(x, z + h / 2, h / 2, 0, 360, 25)[:-1]]
    if style == "arch":
        return [[(x - w / 2, z), (x + w / 2, z), *arc(x, z + h - w / 2, w / 2, 0, 180, 11)]]
    bar = 1.5
    columns = [(-w / 2, w / 2)] if style == "plain" else [(-w / 2, -bar / 2), (bar / 2, w / 2)]
    rows = [(0.0, h / 2 - bar / 2), (h / 2 + bar / 2, h)] if style == "cross" else [(0.0, h)]
    return [[(x + a, z + c), (x + b, z + c), (x + b, z + d), (x + a, z + d)] for a, b in columns for c, d in rows]


def recess(panes: list, y: float, side_deg: float = 0, depth: float = DEPTH) -> Manifold:
    """What is cut from a wall for openings.

    Args:
        panes: polygons in (x, z).
        y: distance of the wall's face from the middle.
        side_deg: 0 for the front wall, 90 for the left one as the object looks, 180 for the back.
        depth: how deep they are.

    Returns:
        The solid to subtract.
    """
    return flat(panes, 2 * depth, y).rotate((0, 0, side_deg)) if panes else Manifold()


def _row(dice: Dice, w: float, h: float, xs: list[float], z: float, style: str) -> list:
    return [pane for x in xs for pane in opening(w, h, x, z, style)]


def _fitted(dice: Dice, w: float, d: float, h: float, floors: int) -> Parts:
    """A block with a door in front and rows of windows all round, and what juts out at them."""
    style = dice.weighted({"cross": 3.0, "plain": 2.0, "bar": 1.5, "arch": 0.7})
    level = h / floors
    tall, wide = level * dice(0.36, 0.48), dice(8, 12)
    door_w, door_h = dice(9, 12), level * dice(0.66, 0.78) if floors > 1 else level * dice(0.55, 0.68)
    aside = dice.one(0.0, 0.0, -0.27, 0.27) * w
    cuts = [recess(opening(door_w, door_h, aside, 1, dice.one("plain", "plain", "arch")), d / 2)]
    for floor in range(floors):
        z = floor * level + level * 0.36
        xs = [x for x in spaced(-w / 2 + w * 0.2, w / 2 - w * 0.2, 2 if w < 70 else 3)]
        free = [x for x in xs if floor or abs(x - aside) > (wide + door_w) / 2 + 2.5]
        cuts.append(recess(_row(dice, wide, tall, free, z, style), d / 2))
        cuts.append(recess(_row(dice, wide, tall, xs, z, style), d / 2, 180))
        along = spaced(-d * 0.24, d * 0.24, 2) if d > 42 else [0.0]
        cuts += [recess(_row(dice, wide, tall, along, z, style), w / 2, turn) for turn in (90, -90)]
    knob = Manifold.sphere(1.1, 12).translate((aside + door_w * 0.3, d / 2 - DEPTH, door_h * 0.5))
    walls = box(w, d, h) - join(cuts) + (knob if dice.yes() else Manifold())
    extra: Parts = [walls]
    if dice.yes(0.5):
        extra.append(box(door_w + 6, 6, 2, aside, d / 2 + 2))
    if dice.yes(0.3):
        roof = flat([[(aside - door_w, door_h + 2), (aside + door_w, door_h + 2), (aside, door_h + 8)]], 9, d / 2 + 4)
        extra.append(roof)
    return extra


def _chimney(dice: Dice, x: float, y: float, top: float, low: float) -> Manifold:
    s = dice(6, 9)
    return box(s, s, top - low, x, y, low) + box(s + 2.5, s + 2.5, 3, x, y, top - 3)


def _gable_house(dice: Dice) -> Parts:
    """A house under a roof of two slopes, its gable in front or at the sides; chimney, sometimes a dormer or wing."""
    w, d, floors = dice(48, 84), dice(40, 66), dice.one(1, 1, 2)
    h = dice(26, 34) if floors == 1 else dice(42, 54)
    pitch, along_y = dice(0.32, 0.6), dice.yes(0.45)
    over = dice(3, 7)
    span = w if along_y else d
    rise = span * pitch
    parts = _fitted(dice, w, d, h, floors)
    roof = gable(w + 2 * over, d + 2 * over, rise, h - 1, along_y)
    if along_y and dice.yes(0.5):
        size = min(9, rise * 0.3)
        roof -= recess(opening(size, size, 0, h + rise * 0.22, dice.one("round", "cross")), d / 2 + over)
    parts.append(roof)
    if dice.yes(0.75):
        at, side = dice(0.22, 0.33) * span, dice.one(-1, 1)
        x, y = (side * at, -d * dice(0, 0.25)) if along_y else (side * w * dice(0.2, 0.32), -at * 0.5)
        parts.append(_chimney(dice, x, y, h + rise * dice(0.95, 1.15), h))
    if not along_y and dice.yes(0.35) and rise > 20:
        for x in dice.one([0.0], [-w * 0.24, w * 0.24]):
            z = h + rise * 0.18
            face = d / 2 + over - 3
            hut = box(13, d / 2, 11, x, face - d / 4 - 3, z) - recess(opening(7, 7, x, z + 2, "plain"), face - 3)
            parts += [hut, gable(17, d / 2, 8, z + 10).translate((x, face - d / 4 - 1.5, 0))]
    if dice.yes(0.25):
        long = dice(20, 32)
        wing = box(long, d * 0.7, h * 0.75, w / 2 + long / 2)
        wing -= recess(opening(long * 0.6, h * 0.5, w / 2 + long / 2, 1, "plain"), d * 0.35)
        top = gable(long + 6, d * 0.7 + 6, rise * 0.4, h * 0.74, dice.yes()).translate((w / 2 + long / 2 - 1, 0, 0))
        parts += [wing, top]
    elif dice.yes(0.3):
        parts += _porch(dice, w, d, h / floors)
    return parts


def _porch(dice: Dice, w: float, d: float, level: float) -> Parts:
    """A roof on posts before the front wall."""
    deep, wide, z = dice(13, 18), w * dice(0.55, 1), level * 0.86
    posts = [box(2.6, 2.6, z, x, d / 2 + deep - 2.5) for x in spaced(-wide / 2 + 2, wide / 2 - 2, dice.whole(2, 4))]
    slope = Manifold.hull_points(
        np.array(
            [
                (x, y, z + q)
                for x in (-wide / 2 - 2, wide / 2 + 2)
                for y, q in ((d / 2 - 1, 0), (d / 2 + deep, 0), (d / 2 + deep, 2.5), (d / 2 - 1, 8))
            ]
        )
    )
    return [*posts, slope, box(wide + 3, deep + 1, 2.4, 0, d / 2 + deep / 2 - 0.5)]


def _hip_house(dice: Dice) -> Parts:
    """A house under a roof of four slopes."""
    w, d, floors = dice(56, 86), dice(46, 60), dice.one(1, 2, 2)
    h = dice(26, 34) if floors == 1 else dice(42, 54)
    over, rise = dice(3, 7), d * dice(0.3, 0.5)
    ridge = max(0.0, w - d) * dice(0.7, 1)
    parts = [*_fitted(dice, w, d, h, floors), hip(w + 2 * over, d + 2 * over, rise, h - 1, ridge)]
    if dice.yes(0.7):
        parts.append(_chimney(dice, dice.one(-1, 1) * w * 0.2, -d * 0.12, h + rise * dice(0.95, 1.15), h))
    if dice.yes(0.3):
        parts += _porch(dice, w, d, h / floors)
    return parts


def _flat_house(dice: Dice) -> Parts:
    """A modern house: blocks with flat roofs that jut out, wide windows."""
    w, d, h = dice(70, 96), dice(42, 60), dice(24, 32)
    ground = box(w, d, h)
    door = dice.one(-1, 1) * w * 0.32
    ground -= recess(opening(10, h * 0.72, door, 1), d / 2)
    pane = w * dice(0.34, 0.46)
    ground -= recess(opening(pane, h * 0.56, -door * 0.45, h * 0.2, dice.one("bar", "plain")), d / 2)
    ground -= recess(opening(d * 0.5, h * 0.4, 0, h * 0.35, "bar"), w / 2, 90)
    parts = [ground, box(w + 8, d + 8, 3.5, 0, 0, h - 0.5)]
    if dice.yes(0.7):
        u, v, x = w * dice(0.45, 0.65), d * dice(0.8, 1.1), dice.one(-1, 1) * w * dice(0.08, 0.17)
        upper = box(u, v, h * 0.85, x, 0, h + 2)
        upper -= recess(opening(u * 0.6, h * 0.46, x, h * 1.3, dice.one("bar", "plain", "cross")), v / 2)
        parts += [upper, box(u + 7, v + 7, 3.5, x, 0, h * 1.85)]
    if dice.yes(0.4):
        side = -1 if door > 0 else 1
        parts += [
            box(24, d * 0.8, 3, side * (w / 2 + 11), 0, h - 6),
            *[box(3, 3, h - 5, side * (w / 2 + 20), y) for y in (-d * 0.34, d * 0.34)],
        ]
    return parts


def _barn(dice: Dice) -> Parts:
    """A barn: a broken roof, a wide gate with a crossed door, a hatch above."""
    w, d, h = dice(50, 62), dice(60, 84), dice(26, 34)
    rise = w * dice(0.5, 0.62)
    ends = [
        (-w / 2, 0),
        (w / 2, 0),
        (w / 2, h),
        (w * 0.34, h + rise * 0.62),
        (0, h + rise),
        (-w * 0.34, h + rise * 0.62),
        (-w / 2, h),
    ]
    body = flat([ends], d)
    roof = flat(
        [
            [
                (-w / 2 - 4, h - 2),
                (-w * 0.36, h + rise * 0.66),
                (0, h + rise + 3),
                (w * 0.36, h + rise * 0.66),
                (w / 2 + 4, h - 2),
                (w / 2, h - 2),
                (w * 0.33, h + rise * 0.6),
                (0, h + rise - 1),
                (-w * 0.33, h + rise * 0.6),
                (-w / 2, h - 2),
            ]
        ],
        d + 6,
    )
    gate, tall = w * 0.46, h * 0.86
    body -= recess(opening(gate, tall, 0, 1), d / 2)
    for a, b in (((-gate / 2, 1), (gate / 2, tall)), ((-gate / 2, tall), (gate / 2, 1))):
        body += rod((a[0], d / 2 - 1.2, a[1]), (b[0], d / 2 - 1.2, b[1]), 1.3)
    body -= recess(opening(9, 9, 0, h + rise * 0.3, dice.one("cross", "round", "plain")), d / 2)
    for turn in (90, -90):
        body -= recess(_row(dice, 8, 9, spaced(-d * 0.3, d * 0.3, 3), h * 0.45, "cross"), w / 2, turn)
    silo = [
        disc(12, h + rise * 0.6, w / 2 + 16, -d * 0.2),
        Manifold.sphere(12, 24).translate((w / 2 + 16, -d * 0.2, h + rise * 0.6)),
        box(12, 8, 10, w / 2 + 3, -d * 0.2),
    ]
    return [body, roof, *(silo if dice.yes(0.35) else [])]


def _block(dice: Dice) -> Parts:
    """A block of flats or offices: a tall box with rows of windows and a flat roof."""
    w, d, floors = dice(34, 56), dice(26, 40), dice.whole(4, 7)
    h, count = 100.0, dice.whole(3, 4)
    level = (h - 8) / floors
    body = box(w, d, h)
    for floor in range(floors):
        z = 5 + floor * level + level * 0.25
        wide = w / count * 0.56
        front = [x for x in spaced(-w / 2 + w / count / 2, w / 2 - w / count / 2, count)]
        if not floor:
            front = [x for x in front if abs(x) > w * 0.2]
        sides = spaced(-d * 0.25, d * 0.25, 2)
        body -= recess(_row(dice, wide, level * 0.55, front, z, "plain"), d / 2)
        body -= join(recess(_row(dice, d * 0.3, level * 0.55, sides, z, "plain"), w / 2, t) for t in (90, -90))
    body -= recess(opening(w * 0.24, level * 0.85, 0, 1), d / 2)
    parts = [body, plan(rectangle(w + 4, d + 4), 3, h)]
    if dice.yes(0.5):
        parts.append(box(w * 0.3, d * 0.4, 8, w * 0.15, 0, h + 2))
    return parts


HOUSES: Styles = {_gable_house: 4, _hip_house: 2, _flat_house: 1.2, _barn: 0.8, _block: 0.6}
