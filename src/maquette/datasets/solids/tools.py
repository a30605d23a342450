"""Tools: hammers, spanners, axes, saws, shovels, screwdrivers, brushes. Drawn upright, then posed."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, arc, box, curve, disc, join, lathe, rod, soft, stack
from maquette.datasets.solids.parts import (
    Styles,
    board,
    flat,
    mirrored_line,
    posed,
    prism,
    upright,
)


def _grip(dice: Dice, long: float, r: float, z: float = 0) -> Manifold:
    """A turned wooden handle from z upwards."""
    line = curve([(r * 0.8, z), (r * 1.1, z + long * 0.2), (r * 0.8, z + long * 0.55), (r, z + long)], 4)
    return lathe([(0, z), *[(float(p), float(q)) for p, q in line], (0, z + long)], 20)


def _hammer(dice: Dice) -> Parts:
    """A claw hammer, a sledgehammer, a wooden mallet."""
    style = dice.weighted({"claw": 2.0, "sledge": 1.0, "mallet": 1.0})
    z = dice(84, 90)
    if style == "mallet":
        r, long = dice(11, 15), dice(38, 50)
        head = Manifold.cylinder(long, r, r, dice.one(32, 32, 8), True).rotate((0, 90, 0)).translate((0, 0, z))
        rims = [
            Manifold.cylinder(4, r + 1.4, r + 1.4, 32, True).rotate((0, 90, 0)).translate((x, 0, z))
            for x in (-long * 0.36, long * 0.36)
        ]
        shaft = lathe([(0, 0), (3.6, 0), (4.4, 8), (3.2, 40), (3, z), (0, z)], 20)
        return posed(dice, join([head, shaft, *(rims if dice.yes() else [])]))
    if style == "sledge":
        s, long = dice(14, 18), dice(34, 44)
        ends = [
            [(-long / 2, q * s / 2, r * s / 2) for q in (-0.8, 0.8) for r in (-0.8, 0.8)],
            [(-long * 0.4, q * s / 2, r * s / 2) for q in (-1, 1) for r in (-1, 1)],
        ]
        points = np.array([*ends[0], *ends[1]])
        head = Manifold.hull_points(np.vstack([points, points * (-1, 1, 1)])).translate((0, 0, z))
        return posed(dice, join([head, rod((0, 0, 0), (0, 0, z + s * 0.6), 3.2, 2.8, 16), _grip(dice, 26, 4)]))
    r = dice(7, 8.5)
    face = Manifold.cylinder(8, r, r, 28).rotate((0, 90, 0)).translate((16, 0, z))
    neck = Manifold.cylinder(14, 4.5, 6, 24).rotate((0, 90, 0)).translate((4, 0, z))
    eye = soft(12, 11, 13, 0, 0, z - 6.5, r=2)
    claw_line = curve(
        [
            (-3, z + 5),
            (-14, z + 4),
            (-24, z - 2),
            (-31, z - 12),
            (-29, z - 12.5),
            (-22, z - 6),
            (-12, z - 4),
            (-3, z - 5),
        ],
        3,
    )
    claw = board([(float(p), float(q)) for p, q in claw_line], 13)
    slot = Manifold.hull_points(
        np.array([(x, s * w, q) for s in (-1, 1) for q in (z - 20, z + 9) for x, w in ((-15, 0.6), (-34, 3.0))])
    )
    shaft = rod((0, 0, 10), (0, 0, z + 5), 3, sides=16)
    return posed(dice, join([face, neck, eye, claw - slot, shaft, _grip(dice, dice(34, 48), dice(3.6, 4.6))]))


def _spanner(dice: Dice) -> Parts:
    """A spanner: open jaws at one or both ends, a ring at the other, or an adjustable one."""
    t, w = dice(5, 9), dice(4.5, 6.5)
    style = dice.one("open", "ring", "double", "adjustable")
    r = dice(13, 16)
    tilt = dice.one(0, 15, -15)

    def jaws(size: float) -> tuple[Manifold, Manifold]:
        around = [(size * 1.08 * np.sin(a), size * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 36, endpoint=False)]
        gap = size * 0.52
        cut = [
            (-gap, -size * 0.28),
            (-gap * 0.5, -size * 0.5),
            (gap * 0.5, -size * 0.5),
            (gap, -size * 0.28),
            (gap * 1.04, size * 2),
            (-gap * 1.04, size * 2),
        ]
        return board(around, t), board(cut, t * 3)

    bar = board([(-w, r), (w, r), (w * 0.8, 100 - r), (-w * 0.8, 100 - r)], t * 0.8)
    bar -= (
        board([(-w * 0.4, 34), (w * 0.4, 34), (w * 0.4, 66), (-w * 0.4, 66)], t, t * 0.75) if dice.yes() else Manifold()
    )
    if style == "adjustable":
        top = 100 - r
        head = board(
            [
                (-r, top - 4),
                (-w, top - 16),
                (w, top - 16),
                (r * 0.7, top - 6),
                (r * 0.7, top + 1),
                (-4, top + 1),
                (-5, 100 + 4),
                (-r, 100),
            ],
            t * 1.2,
            r=1,
        )
        jaw = board([(3, top), (r * 0.74, top), (r * 0.8, top + 12), (6, top + 16), (4, top + 14)], t * 1.1)
        screw = Manifold.cylinder(9, 3.4, 3.4, 16, True).rotate((0, 90, 0)).translate((5, 0, top - 7))
        body = join([head, jaw, board([(-w, 4), (w, 4), (w * 0.8, top - 8), (-w * 0.8, top - 8)], t, r=3)])
        body -= box(12, 3 * t, 6, 4, 0, top - 10)
        return posed(
            dice,
            join([body, screw, rod((5, 0, top - 12), (5, 0, top - 2), 1.6)])
            - flat([arc(0, 11, w * 0.5, 0, 360, 17)[:-1]], 3 * t),
        )
    head, cut = jaws(r)
    head, cut = (p.rotate((0, tilt, 0)).translate((0, 0, 100 - r)) for p in (head, cut))
    if style == "ring":
        foot = upright(prism(32, r * 0.86, t, z=-t / 2) - prism(dice.one(6, 12), r * 0.5, 3 * t, z=-1.5 * t))
        return posed(
            dice,
            join(
                [
                    head,
                    bar - upright(disc(r * 0.7, 3 * t, z=-1.5 * t)).translate((0, 0, r * 0.8)),
                    foot.translate((0, 0, r * 0.8)),
                ]
            )
            - cut,
        )
    if style == "double":
        other, slot = (p.rotate((0, 180 + tilt, 0)).translate((0, 0, r * 0.8)) for p in jaws(r * 0.8))
        return posed(dice, join([head, bar, other]) - cut - slot)
    end = board(mirrored_line([(w * 0.9, 0), (w * 1.1, 4), (w, r + 1)]), t * 0.8)
    return posed(dice, join([head, bar, end]) - cut - flat([arc(0, 9, w * 0.5, 0, 360, 17)[:-1]], 3 * t))


def _axe(dice: Dice) -> Parts:
    """An axe with one blade or two."""
    z, long = dice(78, 84), dice(22, 30)
    blade = board(
        [
            (2, z - 6),
            (2, z + 7),
            (long * 0.6, z + 9),
            *arc(long * 0.2, z - 1, long * 0.86, 33, -42, 9),
            (long * 0.55, z - 9),
        ],
        5,
    )
    wedge = Manifold.hull_points(
        np.array(
            [
                (x, s * y, q)
                for s in (-1, 1)
                for q in (z - 40, z + 40)
                for x, y in ((-6, 4.5), (2, 4.5), (long * 1.2, 0.9))
            ]
        )
    )
    blade = (blade.scale((1, 2, 1)) ^ wedge) + box(11, 8, 14, 0, 0, z - 7)
    if dice.yes(0.25):
        blade += blade.mirror((1, 0, 0))
    bend = dice(0, 5)
    line = curve([(0, 100), (-0.2, z), (bend, 44), (-bend * 0.5, 12), (bend * 0.6, 0)], 5)
    shaft = join(
        stack([([(x + p * 0.8, q) for p, q in arc(0, 0, 2.9, 0, 360, 13)[:-1]], s) for x, s in pair])
        for pair in zip(line[::-1][:-1], line[::-1][1:], strict=True)
    )
    return posed(dice, blade + shaft)


def _shovel(dice: Dice) -> Parts:
    """A spade or shovel: a rounded or square blade below, a shaft, a T or D grip above."""
    w, tall = dice(22, 30), dice(28, 36)
    pointed = dice.yes(0.6)
    out = (
        [(0, 0), (w * 0.3, tall * 0.16), (w * 0.48, tall * 0.5), (w / 2, tall)]
        if pointed
        else [(w * 0.42, 0), (w * 0.46, tall * 0.5), (w / 2, tall), (w / 2, tall + 0.1)]
    )
    blade = board(mirrored_line(out, 3), 9)
    dish = Manifold.cylinder(200, w * 0.9, w * 0.9, 64, True) - Manifold.cylinder(
        300, w * 0.9 - 2.7, w * 0.9 - 2.7, 64, True
    )
    blade = blade ^ dish.translate((0, w * 0.9 - 3.6, 0))
    shaft = rod((0, -1.4, tall * 0.62), (0, -1.4, 96), 2, sides=14)
    socket = rod((0, -1.6, tall * 0.6), (0, -1.4, tall + 12), 3, 2.2, 14)
    grip = [rod((-8, -1.4, 97), (8, -1.4, 97), 2.1, sides=14)]
    if dice.yes():
        grip += [rod((s * 7, -1.4, 97), (0, -1.4, 82), 1.6, sides=10) for s in (-1, 1)]
    return posed(dice, join([blade, shaft, socket, *grip]))


def _screwdriver(dice: Dice) -> Parts:
    """A screwdriver: a fluted handle, a thin shaft, a flat tip."""
    long, r = dice(34, 44), dice(7, 9)
    line = curve(
        [(r * 0.8, 100), (r, 96), (r * 0.95, 100 - long * 0.6), (r * 0.62, 100 - long * 0.85), (r * 0.8, 100 - long)], 4
    )
    grip = lathe([(0, 100), *[(float(p), float(q)) for p, q in line], (0, 100 - long)], 30)
    flutes = join(
        rod((r * 1.12, 0, 100 - long * 0.68), (r * 1.12, 0, 110), 1.9, sides=12).rotate((0, 0, 60 * k))
        for k in range(6)
    )
    tip = Manifold.hull_points(
        np.array(
            [
                (x, y, z)
                for x, y, z in (
                    (3.4, 1, 0),
                    (-3.4, 1, 0),
                    (3.4, -1, 0),
                    (-3.4, -1, 0),
                    (3, 1.8, 10),
                    (-3, 1.8, 10),
                    (3, -1.8, 10),
                    (-3, -1.8, 10),
                )
            ]
        )
    )
    return posed(dice, join([grip - flutes, rod((0, 0, 8), (0, 0, 100 - long + 2), 2.1, sides=16), tip]))


def _saw(dice: Dice) -> Parts:
    """A hand saw: a blade with teeth and a closed handle."""
    t, low, high = 2.4, dice(14, 20), dice(5, 9)
    long, teeth = 70.0, dice.whole(12, 18)
    edge: list[tuple[float, float]] = []
    for k in range(teeth):
        edge += [(0.0, 30 + long * k / teeth), (-3.0, 30 + long * (k + 0.5) / teeth)]
    blade = board([*edge, (0, 100), (high, 100), (low, 28), (0, 28)], t)
    ring = board(
        [(-3, 31), (low + 3, 32), (low + 2, 22), (low * 0.85 + 6, 4), (low * 0.5, 0), (-2, 4), (-7, 14)], 6, r=3
    )
    hole = board([(3, 23), (low - 3, 23), (low * 0.6, 8), (1, 11)], 20, r=2)
    return posed(dice, (blade + (ring - hole)).translate((-low / 2, 0, 0)))


def _brush(dice: Dice) -> Parts:
    """A painter's brush: bristles above, a metal band, a handle with a hole."""
    w, t = dice(22, 34), dice(7, 10)
    grip = board(mirrored_line([(3.4, 0), (4.4, 6), (3, 24), (w * 0.26, 44), (w * 0.42, 52)]), t * 0.7, r=0)
    grip -= flat([arc(0, 6, 1.5, 0, 360, 13)[:-1]], 30)
    band = soft(w * 0.94, t * 1.15, 14, 0, 0, 50, r=1.5)
    hair = Manifold.hull_points(
        np.array(
            [(x, y, z) for x, y, z in ((s * w * 0.45, q * t * 0.5, 62) for s in (-1, 1) for q in (-1, 1))]
            + [(s * w * 0.5, q * t * 0.34, 98) for s in (-1, 1) for q in (-1, 1)]
            + [(0, 0, 100)]
        )
    )
    return posed(dice, join([grip, band, hair]))


HAMMERS: Styles = {_hammer: 1}

SPANNERS: Styles = {_spanner: 1}

AXES: Styles = {_axe: 1}

SHOVELS: Styles = {_shovel: 1}

SCREWDRIVERS: Styles = {_screwdriver: 1}

SAWS: Styles = {_saw: 1}

BRUSHES: Styles = {_brush: 1}
