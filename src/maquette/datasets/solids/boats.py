"""Boats and sailing boats. They go towards +y."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    both,
    box,
    curve,
    disc,
    join,
    plan,
    rod,
    side,
    soft,
    spaced,
    stack,
    tube,
)
from maquette.datasets.solids.parts import Hollow, Styles, egg


def _deck(w: float, back: float, bow: float, stern: float) -> list[tuple[float, float]]:
    """The outline of a hull from above: a flat stern of a share of the width, a pointed bow."""
    half = [
        (w / 2 * stern, back),
        (w / 2 * (0.5 + stern / 2), back * 0.6),
        (w / 2, back * 0.1),
        (w / 2 * 0.86, bow * 0.4),
        (w / 2 * 0.5, bow * 0.76),
        (0.6, bow),
    ]
    line = curve(half, 3)
    return [(float(x), float(y)) for x, y in line] + [(-float(x), float(y)) for x, y in line[::-1]]


def _hull(w: float, long: float, h: float, stern: float, t: float = 3) -> Hollow:
    """A hull from z = 0 to h and the room in it."""
    levels = [(0.0, 0.5, 0.78), (0.3, 0.78, 0.87), (0.65, 0.93, 0.94), (1.0, 1.0, 1.0)]
    outer = stack(
        [
            (_deck(w * a, -long / 2 * (0.82 + 0.18 * b), long / 2 * (2 * b - 1) ** 0.8, stern), h * q)
            for q, a, b in levels
        ]
    )
    inner = stack(
        [
            (
                _deck(w * a - 2 * t, -long / 2 * (0.82 + 0.18 * b) + t, long / 2 * (2 * b - 1) ** 0.8 - 2.2 * t, stern),
                h * q + (t if not q else 0) + (0.01 if q == 1 else 0),
            )
            for q, a, b in levels
        ]
    )
    return Hollow(outer, inner)


def _rowing_boat(dice: Dice) -> Parts:
    """An open boat with benches, sometimes with oars."""
    w, h = dice(32, 42), dice(17, 24)
    hull = _hull(w, 100, h, dice(0.4, 0.75))
    benches = join(box(w * 2, 8, 3, 0, y, h * 0.6) for y in ((-30, 0, 24) if dice.yes() else (-24, 8))) ^ hull.body
    parts = [hull.body - hull.room, benches]
    if dice.yes(0.5):
        y = dice(-8, 6)
        oar = rod((w * 0.3, y, h + 1), (w * 0.5 + 26, y - 16, h * 0.35), 1.3) + egg(3, 7, 16).rotate(
            (0, 115, -30)
        ).translate((w * 0.5 + 28, y - 17, h * 0.3))
        parts += both([oar, disc(2, 5, w * 0.47, y - 3, h - 3.5)])
    return parts


def _motor_boat(dice: Dice) -> Parts:
    """A boat with a deck, a cabin or a wind screen, and an open cockpit; fishing boats and tugs too."""
    w, h = dice(30, 38), dice(17, 23)
    hull = _hull(w, 100, h, dice(0.6, 0.9))
    style = dice.one("speed", "fish", "tug", "yacht")
    body = hull.body
    pit = plan(_deck(w * 0.72, -42, 8 if style == "speed" else -14, 0.8), h, h * 0.5)
    body -= pit
    parts: Parts = [body]
    if style == "speed":
        pane = Manifold.hull_points(
            np.array(
                [
                    (s * w * k, y, z)
                    for s in (-1, 1)
                    for k, y, z in ((0.36, 8, h - 1), (0.36, 12, h - 1), (0.3, 0, h + 10), (0.3, 3, h + 10))
                ]
            )
        )
        seats = both(soft(8, 6, 12, 7, -22, h * 0.45, r=2))
        return [*parts, pane, *seats, box(8, 9, 18, 0, -49, h * 0.35)]
    tall, deep = dice(15, 21), dice(22, 30)
    cabin = side([(-12, h - 2), (deep - 4, h - 2), (deep - 8, h + tall), (-12, h + tall)], w * 0.56)
    cabin -= join(box(w * 2, 7, tall * 0.34, 0, y, h + tall * 0.5) - box(w * 0.5, 99, 99, 0, 0, -9) for y in (-5, 6))
    cabin -= box(w * 0.42, 4, tall * 0.34, 0, deep - 7, h + tall * 0.5)
    roof = box(w * 0.66, deep + 10, 2.6, 0, deep / 2 - 9, h + tall - 0.5)
    parts += [cabin, roof]
    if style == "tug":
        parts += [
            disc(5, 17, 0, -20, h * 0.45 + 0.5),
            disc(5.6, 4, 0, -20, h * 0.45 + 13),
            disc(3.4, tall + 12, 0, -4, h, sides=20),
        ]
    elif style == "fish":
        parts += [
            rod((0, -30, h * 0.4), (0, -30, h + 38), 1.4),
            rod((0, -30, h + 12), (0, -46, h + 30), 1.2),
            rod((0, -30, h + 37), (0, 42, h - 2), 1.0, sides=6),
        ]
    else:
        parts += [rod((0, 0, h + tall), (0, -4, h + tall + 14), 1.3), box(w * 0.4, deep * 0.6, 6, 0, 0, h + tall + 1)]
    rail = tube([(x * 0.92, y * 0.96, h + 5) for x, y in _deck(w, -8, 50, 0.9)[4:-4]], 1.1, 1) if dice.yes() else None
    posts = [
        rod((x * 0.92, y * 0.96, h - 2), (x * 0.92, y * 0.96, h + 5), 1.1) for x, y in _deck(w, -8, 50, 0.9)[4:-4:3]
    ]
    return [*parts, rail, *posts] if rail is not None else parts


def _ship(dice: Dice) -> Parts:
    """A liner or a steamer: a long hull, decks that step back, one to four funnels, masts."""
    w, h = dice(18, 24), dice(12, 16)
    hull = _hull(w, 100, h, dice(0.5, 0.7)).body
    parts: Parts = [hull]
    z, wide, y0, y1 = h - 1, w * 0.8, -34.0, dice(14, 24)
    for _ in range(dice.whole(1, 3)):
        tall = dice(5.5, 7.5)
        block = box(wide, y1 - y0, tall, 0, (y0 + y1) / 2, z)
        block -= join(
            box(3, 3, tall * 0.4, s * wide / 2, y, z + tall * 0.4)
            for s in (-1, 1)
            for y in np.arange(y0 + 5, y1 - 2, 6.5)
        )
        parts.append(block)
        z, wide, y0, y1 = z + tall - 0.1, wide * 0.86, y0 + 5, y1 - dice(3, 7)
    parts.append(box(wide * 0.9, 9, 6, 0, y1 - 4, z - 0.5))
    count = dice.whole(1, 4)
    for y in spaced(y0 + 5, y1 - 14, count) if count > 1 else [(y0 + y1) / 2 - 4]:
        parts.append(
            disc(min(w * 0.17, 24 / count), dice(14, 15), 0, 0, 0, sides=24).rotate((6, 0, 0)).translate((0, y, z - 1))
        )
    parts += [rod((0, 36, h - 1), (0, 36, h + 26), 1.2)] if dice.yes() else []
    return parts


def _sailing_boat(dice: Dice) -> Parts:
    """A hull, a mast, a main sail behind it and often a jib before it, swelling a little."""
    w, h = dice(20, 27), dice(10, 15)
    long, tall = dice(68, 84), dice(74, 88)
    hull = _hull(w, long, h, dice(0.4, 0.7))
    body = hull.body - plan(_deck(w * 0.62, -long * 0.38, -2, 0.8), h, h * 0.55)
    mast_y = dice(4, 12)
    swell = dice(4, 8) * dice.one(-1, 1)
    top = h + tall
    parts: Parts = [body, rod((0, mast_y, h * 0.4), (0, mast_y, top), 1.5, 1.2)]
    boom = -long * dice(0.4, 0.5)
    parts += [
        rod((0, mast_y, h + 6), (0, boom, h + 7), 1.3),
        _sail((0, mast_y - 0.5, h + 7), (0, boom, h + 8), (0, mast_y - 0.5, top - 2), swell),
    ]
    if dice.yes(0.8):
        bow = long / 2 - 2
        parts.append(_sail((0, bow, h), (0, mast_y, h + 9), (0, mast_y + 0.4, top - dice(3, 16)), swell * 0.7))
    if dice.yes(0.3):
        parts.append(side([(-9, 1), (5, 1), (2, -12), (-7, -12)], 3))
    if dice.yes(0.3):
        parts.append(side([(mast_y, top - 1), (mast_y, top + 7), (mast_y - 11, top + 3)], 2.2))
    return parts


def _sail(tack: tuple, clew: tuple, head: tuple, swell: float) -> Manifold:
    """A three-cornered sail of even thickness that swells towards x."""
    a, b, c = (np.array(p, float) for p in (tack, clew, head))
    rows, t = 8, np.array([1.15, 0, 0])
    grid = [
        [a + (c - a) * i / rows + (b - a) * (1 - i / rows) * j / rows for j in range(rows + 1)] for i in range(rows + 1)
    ]
    for i in range(rows + 1):
        for j in range(rows + 1):
            grid[i][j] = grid[i][j] + np.array([4 * swell * (j / rows) * (1 - j / rows) * (1 - i / rows) ** 0.7, 0, 0])
    return join(
        Manifold.hull_points(np.array([p + s * t for p in corner for s in (-1, 1)]))
        for i in range(rows)
        for j in range(rows)
        for corner in [(grid[i][j], grid[i][j + 1], grid[i + 1][j], grid[i + 1][j + 1])]
        if i < rows - 1 or j < rows
    )


def _square_rigger(dice: Dice) -> Parts:
    """An old ship: a high stern, two or three masts with square sails, a bowsprit; or a viking ship, a raft."""
    w, h = dice(20, 26), dice(14, 18)
    hull = _hull(w, 84, h, 0.75).body - plan(_deck(w * 0.7, -18, 28, 0.9), h, h * 0.66)
    castle = side([(-41, h * 0.5), (-20, h * 0.5), (-20, h + 4), (-43, h + dice(8, 12))], w * 0.72)
    parts: Parts = [hull, castle, rod((0, 34, h - 1), (0, 52, h + 12), 1.5)]
    masts = [-27.0, 0.0, 24.0] if dice.yes(0.6) else [-14.0, 18.0]
    for y in masts:
        tall = dice(52, 60) if abs(y) < 20 else dice(42, 50)
        parts.append(rod((0, y, h * 0.5), (0, y, h + tall), 1.5))
        sheets = dice.whole(1, 2)
        for k in range(sheets):
            low = h + 9 + k * (tall - 12) / sheets
            size, wide = (tall - 12) / sheets - 3, w * (1.35 - 0.25 * k)
            line = [(-wide / 2, 1.0), (-wide / 4, 4.0), (0.0, 5.0), (wide / 4, 4.0), (wide / 2, 1.0)]
            ends = [(x, y + q - s, z) for x, q in line for s in (0, 2.3) for z in (0, size)]
            cloth = join(Manifold.hull_points(np.array(ends[4 * i : 4 * i + 8]) + (0, 0, low)) for i in range(4))
            parts += [
                cloth,
                rod((-wide / 2 - 1, y + 0.6, low + size), (wide / 2 + 1, y + 0.6, low + size), 1.3),
                box(3, 6, 3, 0, y + 1.5, low + size - 3),
            ]
    return parts


BOATS: Styles = {_rowing_boat: 1.4, _motor_boat: 2, _ship: 1.4}

SAILING_BOATS: Styles = {_sailing_boat: 2.5, _square_rigger: 1}
