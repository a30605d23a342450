"""Cups: mugs, glasses, bowls, goblets. All hollow, open above."""

import numpy as np

from maquette.datasets.furniture.parts import Dice, Parts, both, curve, lathe, tube


def _vessel(wall: list[tuple[float, float]], t: float, floor: float, sides: int = 28) -> Parts:
    """A hollow body: the outer wall from its foot to its rim, t thick, floor thick at the bottom."""
    path = np.asarray(curve(wall, 3) if len(wall) > 2 else wall, float)
    outer = [(max(float(r), t + 0.2), float(z)) for r, z in path]
    inner = [(r - t, z) for r, z in outer if z > floor]
    first = np.interp(floor, [z for _, z in outer], [r for r, _ in outer]) - t
    return [lathe([(0, outer[0][1]), *outer, *inner[::-1], (float(first), floor), (0, floor)], sides)]


def _handle(dice: Dice, wall: list[tuple[float, float]], t: float, z0: float, z1: float, thick: float) -> Parts:
    """A handle on the +x side of a wall t thick, between two heights; its ends are cut off inside."""
    radius = np.interp([z0, z1], [z for _, z in wall], [r for r, _ in wall])
    r, low, high = float(max(radius)) - t / 2, float(radius[0]) - t / 2, float(radius[1]) - t / 2
    out, mid = (z1 - z0) * dice(0.4, 0.7), (z0 + z1) / 2
    style = dice.one("c", "c", "d", "ear")
    if style == "d":
        path = np.array([(high, 0, z1), (r + out, 0, z1), (r + out, 0, z0), (low, 0, z0)])
    elif style == "ear":
        path = curve(
            [
                (high, 0, z1 - 0.4),
                (r + out * 0.7, 0, z1),
                (r + out, 0, mid + 0.8),
                (r + out * 0.5, 0, z0 + 0.8),
                (low, 0, z0),
            ],
            3,
        )
    else:
        path = curve(
            [
                (high, 0, z1),
                (r + out * 0.75, 0, z1 - out * 0.1),
                (r + out, 0, mid),
                (r + out * 0.75, 0, z0 + out * 0.1),
                (low, 0, z0),
            ],
            3,
        )
    points = [(float(p), float(q)) for p, q in curve(wall, 3)] if len(wall) > 2 else wall
    hollow = lathe([(0, -5), *[(max(p - 0.7 * t, 0.1), q) for p, q in points], (points[-1][0], 99), (0, 99)], 20)
    return [tube(path, thick) - hollow]


def mug(dice: Dice) -> Parts:
    """A straight or bulging mug with a handle; 8 to 12 cm."""
    h, r, t = dice(7.5, 12), dice(3.4, 4.8), dice(0.35, 0.7)
    k, belly = dice(0.7, 1.05), dice(0.95, 1.12)
    wall = [(r * k, 0), (r, h)] if dice.yes(0.5) else [(r * k, 0), (r * (1 + k) / 2 * belly, h * 0.5), (r, h)]
    handle = _handle(dice, wall, t, h * dice(0.15, 0.3), h * dice(0.7, 0.88), dice(0.45, 0.75))
    return [*_vessel(wall, t, dice(0.5, 1)), *handle]


def tea_cup(dice: Dice) -> Parts:
    """A wide low cup with a handle, sometimes on its saucer."""
    h, r, t = dice(5, 7.5), dice(4, 5.5), dice(0.3, 0.5)
    wall = [(r * 0.5, 0), (r * 0.55, 0.5), (r * 0.88, h * 0.45), (r, h)]
    cup = [*_vessel(wall, t, 0.9), *_handle(dice, wall, t, h * 0.35, h * 0.82, dice(0.35, 0.5))]
    if dice.yes(0.45):
        s = r * dice(1.4, 1.75)
        saucer = lathe(
            [
                (0, -0.9),
                (s * 0.55, -0.9),
                (s * 0.65, -0.7),
                (s, 0.3),
                (s, 0.7),
                (s * 0.6, 0),
                (s * 0.5, -0.2),
                (0, 0.1),
            ],
            32,
        )
        cup += [saucer]
    return cup


def glass(dice: Dice) -> Parts:
    """A tumbler, a beaker, a paper cup; without a handle."""
    h, r, t = dice(7, 17), dice(2.8, 4.8), dice(0.3, 0.5)
    k = dice(0.6, 1)
    sides = dice.one(28, 28, 28, 8, 6)
    wall = [(r * k, 0), (r, h)] if dice.yes(0.6) else [(r * k, 0), (r * dice(0.9, 1.15), h * 0.6), (r, h)]
    parts = _vessel(wall, t, dice(0.5, 1.5), sides)
    if dice.yes(0.15):
        parts += [lathe([(r - 0.4, h - 0.4), (r + 0.35, h - 0.4), (r + 0.35, h + 0.5), (r - 0.4, h + 0.5)])]
    return parts


def bowl(dice: Dice) -> Parts:
    """A bowl, with or without a foot ring."""
    r, t = dice(6, 14), dice(0.4, 0.8)
    h = r * dice(0.5, 1.1)
    wall = [(r * dice(0.35, 0.5), 0), (r * 0.8, h * 0.4), (r, h)]
    return [
        *_vessel(wall, t, dice(0.7, 1.2)),
        lathe([(r * 0.25, -0.8), (r * 0.42, -0.8), (r * 0.42, 0.6), (r * 0.25, 0.6)]),
    ]


def goblet(dice: Dice) -> Parts:
    """A bowl on a stem and a foot: wine glasses, flutes, egg cups."""
    h, r, stem_h, t = dice(5, 13), dice(2.6, 5), dice(1.5, 9), dice(0.28, 0.45)
    z, s = stem_h, dice(0.4, 0.8)
    rim = r * dice(0.7, 1.05)
    cup = _vessel([(r * 0.25, z), (r * 0.85, z + h * 0.25), (r, z + h * 0.55), (rim, z + h)], t, z + 0.8)
    f = r * dice(0.75, 1.05)
    foot = lathe(
        [
            (0, 0),
            (f, 0),
            (f, 0.35),
            (f * 0.4, 0.7),
            (s, min(1.4, stem_h)),
            (s, z),
            (r * 0.25 + 0.1, z + 0.6),
            (0, z + 0.6),
        ]
    )
    return [*cup, foot]


def beer_mug(dice: Dice) -> Parts:
    """A tankard: thick, tall, with a large handle; also the two-handled cup."""
    h, r, t = dice(11, 17), dice(3.8, 5.5), dice(0.5, 0.9)
    k = dice(0.9, 1.12)
    wall = [(r * k, 0), (r, h)]
    cup = _vessel(wall, t, 1.2, dice.one(28, 10))
    base = [lathe([(r * k - 0.5, 0), (r * k + 0.5, 0), (r * k + 0.4, 1.2), (r * k - 0.5, 1.2)])] if dice.yes() else []
    handle = _handle(dice, wall, t, h * 0.18, h * 0.85, dice(0.6, 0.95))
    return [*cup, *base, *(both(handle) if dice.yes(0.25) else handle)]


CUPS = {mug: 4, tea_cup: 2, glass: 2, bowl: 1.2, goblet: 1.4, beer_mug: 1}
"""Styles of cups and how often each is made."""
