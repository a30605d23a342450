"""Boats, aeroplanes, helicopters and rockets. They go towards +y; a rocket stands."""

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
    lathe,
    plan,
    ring,
    rod,
    side,
    soft,
    spaced,
    stack,
    tube,
)
from maquette.datasets.solids.parts import Hollow, Styles, egg, torus, upright


def _deck(w: float, back: float, bow: float, stern: float) -> list[tuple[float, float]]:
    """The outline of a hull from above: a flat stern of a share of the width, a pointed bow."""
    half = [(w / 2 * stern, back), (w / 2 * (0.5 + stern / 2), back * 0.6), (w / 2, back * 0.1), (w / 2 * 0.86, bow * 0.4),
            (w / 2 * 0.5, bow * 0.76), (0.6, bow)]
    line = curve(half, 3)
    return [(float(x), float(y)) for x, y in line] + [(-float(x), float(y)) for x, y in line[::-1]]


def _hull(w: float, long: float, h: float, stern: float, t: float = 3) -> Hollow:
    """A hull from z = 0 to h and the room in it."""
    levels = [(0.0, 0.5, 0.78), (0.3, 0.78, 0.87), (0.65, 0.93, 0.94), (1.0, 1.0, 1.0)]
    outer = stack([(_deck(w * a, -long / 2 * (0.82 + 0.18 * b), long / 2 * (2 * b - 1) ** 0.8, stern), h * q)
                   for q, a, b in levels])
    inner = stack([(_deck(w * a - 2 * t, -long / 2 * (0.82 + 0.18 * b) + t, long / 2 * (2 * b - 1) ** 0.8 - 2.2 * t, stern),
                    h * q + (t if not q else 0) + (0.01 if q == 1 else 0)) for q, a, b in levels])
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
            (0, 115, -30)).translate((w * 0.5 + 28, y - 17, h * 0.3))
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
        pane = Manifold.hull_points(np.array([(s * w * k, y, z) for s in (-1, 1) for k, y, z in (
            (0.36, 8, h - 1), (0.36, 12, h - 1), (0.3, 0, h + 10), (0.3, 3, h + 10))]))
        seats = both(soft(8, 6, 12, 7, -22, h * 0.45, r=2))
        return [*parts, pane, *seats, box(8, 9, 18, 0, -49, h * 0.35)]
    tall, deep = dice(15, 21), dice(22, 30)
    cabin = side([(-12, h - 2), (deep - 4, h - 2), (deep - 8, h + tall), (-12, h + tall)], w * 0.56)
    cabin -= join(box(w * 2, 7, tall * 0.34, 0, y, h + tall * 0.5) - box(w * 0.5, 99, 99, 0, 0, -9) for y in (-5, 6))
    cabin -= box(w * 0.42, 4, tall * 0.34, 0, deep - 7, h + tall * 0.5)
    roof = box(w * 0.66, deep + 10, 2.6, 0, deep / 2 - 9, h + tall - 0.5)
    parts += [cabin, roof]
    if style == "tug":
        parts += [disc(5, 17, 0, -20, h * 0.45 + 0.5), disc(5.6, 4, 0, -20, h * 0.45 + 13),
                  disc(3.4, tall + 12, 0, -4, h, sides=20)]
    elif style == "fish":
        parts += [rod((0, -30, h * 0.4), (0, -30, h + 38), 1.4), rod((0, -30, h + 12), (0, -46, h + 30), 1.2),
                  rod((0, -30, h + 37), (0, 42, h - 2), 1.0, sides=6)]
    else:
        parts += [rod((0, 0, h + tall), (0, -4, h + tall + 14), 1.3), box(w * 0.4, deep * 0.6, 6, 0, 0, h + tall + 1)]
    rail = tube([(x * 0.92, y * 0.96, h + 5) for x, y in _deck(w, -8, 50, 0.9)[4:-4]], 1.1, 1) if dice.yes() else None
    posts = [rod((x * 0.92, y * 0.96, h - 2), (x * 0.92, y * 0.96, h + 5), 1.1) for x, y in _deck(w, -8, 50, 0.9)[4:-4:3]]
    return [*parts, rail, *posts] if rail is not None else parts


def _ship(dice: Dice) -> Parts:
    """A liner or a steamer: a long hull, decks that step back, one to four funnels, masts."""
    w, h = dice(18, 24), dice(12, 16)
    hull = _hull(w, 100, h, dice(0.5, 0.7)).body
    parts: Parts = [hull]
    z, wide, y0, y1 = h - 1, w * 0.8, -34.0, dice(14, 24)
    for deck in range(dice.whole(1, 3)):
        tall = dice(5.5, 7.5)
        block = box(wide, y1 - y0, tall, 0, (y0 + y1) / 2, z)
        block -= join(box(3, 3, tall * 0.4, s * wide / 2, y, z + tall * 0.4) for s in (-1, 1) for y in np.arange(
            y0 + 5, y1 - 2, 6.5))
        parts.append(block)
        z, wide, y0, y1 = z + tall - 0.1, wide * 0.86, y0 + 5, y1 - dice(3, 7)
    parts.append(box(wide * 0.9, 9, 6, 0, y1 - 4, z - 0.5))
    count = dice.whole(1, 4)
    for y in spaced(y0 + 5, y1 - 14, count) if count > 1 else [(y0 + y1) / 2 - 4]:
        parts.append(disc(min(w * 0.17, 24 / count), dice(14, 15), 0, 0, 0, sides=24).rotate((6, 0, 0)).translate((0, y, z - 1)))
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
    parts += [rod((0, mast_y, h + 6), (0, boom, h + 7), 1.3),
              _sail((0, mast_y - 0.5, h + 7), (0, boom, h + 8), (0, mast_y - 0.5, top - 2), swell)]
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
    grid = [[a + (c - a) * i / rows + (b - a) * (1 - i / rows) * j / rows for j in range(rows + 1)] for i in range(rows + 1)]
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
            parts += [cloth, rod((-wide / 2 - 1, y + 0.6, low + size), (wide / 2 + 1, y + 0.6, low + size), 1.3),
                      box(3, 6, 3, 0, y + 1.5, low + size - 3)]
    return parts


def _fin(root: tuple[float, float], tip: tuple[float, float], rise: float, t: float) -> Manifold:
    """An upright fin in the middle: from y root[0] to root[1] below to tip above."""
    return side([(root[0], 0), (root[1], 0), (tip[1], rise), (tip[0], rise)], t, r=0.8)


def _wing(root: tuple[float, float], tip: tuple[float, float], span: float, z: float, lift: float, t: float) -> Manifold:
    """Both wings: y from root[0] to root[1] at the middle and tip at span / 2; the tips `lift` higher."""
    half = Manifold.hull_points(np.array([
        (x, y, q + s * thick / 2)
        for x, (a, b), q, thick in ((0.0, root, z, t * 1.2), (span / 2, tip, z + lift, t * 0.9))
        for y, s in ((a, -0.5), (a, 0.5), (a * 0.65 + b * 0.35, 1), (a * 0.35 + b * 0.65, 1), (b, 0.5), (b, -0.5),
                     (a * 0.5 + b * 0.5, -1))
    ]))
    return join(both(half))


def _airliner(dice: Dice) -> Parts:
    """A jet: a round body, swept wings with engines beneath, a tail."""
    r = dice(5.6, 7.2)
    profile = [(0, 50), (r * 0.45, 48.5), (r * 0.8, 45), (r, 39), (r, -18), (r * 0.75, -34), (r * 0.3, -49), (0, -50)]
    body = _turned(profile)
    span, sweep, lift = dice(84, 100), dice(14, 28), dice(2, 7)
    wings = _wing((-8, 14), (-8 - sweep * 0.72, -2 - sweep * 0.72), span, -r * 0.4, lift, 2.6)
    tail_z = r * 0.5 if dice.yes(0.75) else r + 15
    tail = _wing((-48, -37), (-52, -46), dice(30, 38), tail_z, 1.5, 2.3)
    fin = _fin((-48, -30), (-51, -43), dice(16, 20), 2.5).translate((0, 0, r * 0.55))
    parts: Parts = [body, wings, tail, fin]
    jet = Manifold.cylinder(13, 2.4, 3.3, 24, True).rotate((-90, 0, 0)) - Manifold.cylinder(5, 2.2, 2.2, 24).rotate(
        (-90, 0, 0)).translate((0, 3.5, 0))
    for x in dice.one([0.3], [0.3], [0.26, 0.56]):
        y = 11 - (16 + sweep * 0.72) * x
        z = -r * 0.4 - 4 + lift * x
        parts += both([jet.translate((x * span / 2, y + 3, z)), box(2.2, 8, 4.5, x * span / 2, y - 1, z)])
    return parts


def _turned(profile: list[tuple[float, float]], sides: int = 32) -> Manifold:
    """A profile (radius, y), from the nose back, turned about the y axis."""
    return lathe([(q, -p) for q, p in profile], sides).rotate((90, 0, 0))


def _propeller(r: float, blades: int, turn: float, wide: float = 2.6) -> Manifold:
    """A propeller at the origin that faces +y, with its hub."""
    blade = box(r, 2.2, wide, r / 2, 0, -wide / 2).rotate((25, 0, 0)) + egg(r * 0.9, 2.4, wide * 1.5, r * 0.55, 0, 0)
    hub = egg(5, 9, 5, 0, 1, 0)
    return join([hub, *(blade.rotate((0, turn + 360 * k / blades, 0)) for k in range(blades))])


def _light_plane(dice: Dice) -> Parts:
    """A propeller plane: high, low or double wings, wheels, a cockpit."""
    r, span = dice(6, 7.5), dice(86, 100)
    long = dice(72, 86)
    n, t = long * 0.42, -long * 0.58
    body = _turned([(0, n), (r * 0.75, n), (r, n - 9), (r, n - long * 0.42), (r * 0.4, t), (0, t)], 24)
    style = dice.one("high", "low", "double")
    parts: Parts = [body, _propeller(dice(11, 14), dice.whole(2, 4), dice(0, 90)).translate((0, n + 2, 0))]
    chord, taper = dice(14, 17), dice(0.7, 1)
    def wing(z: float) -> Manifold:
        return _wing((n - 14 - chord, n - 14), (n - 14 - chord * (0.5 + taper / 2), n - 14 - chord * (0.5 - taper / 2)),
                     span, z, 1.5 if style != "double" else 0, 2.5)
    if style == "double":
        gap = r * 2 + dice(4, 8)
        parts += [wing(-r * 0.8), wing(gap - r)]
        for x in (span * 0.36, span * 0.1):
            parts += both([rod((x, y, -r * 0.8), (x, y, gap - r), 1.2) for y in (n - 17, n - 12 - chord + 1)])
    elif style == "high":
        parts += [wing(r * 1.9), box(r * 1.5, chord, r * 1.6, 0, n - 15 - chord / 2, r * 0.4)]
        parts += both(rod((span * 0.24, n - 18, r * 1.9), (r * 0.6, n - 18, -r * 0.6), 1.2))
    else:
        parts += [wing(-r * 0.5), egg(r * 1.35, long * 0.28, r * 1.8, 0, n - long * 0.34, r * 0.75)]
    if style == "double":
        body_cut = egg(r * 1.3, 12, 9, 0, n - 38, r)
        parts[0] = body - body_cut
        parts.append(egg(5, 5, 8, 0, n - 40, r - 1))
    parts += [_wing((t + 1, t + 11), (t + 1, t + 8), dice(30, 36), r * 0.15, 0, 2.3),
              _fin((t + 1, t + 13), (t, t + 7), dice(13, 16), 2.4)]
    leg_y = n - 16
    parts += both([rod((r * 0.4, leg_y, -r * 0.5), (r * 1.3, leg_y, -r * 1.9), 1.3),
                   Manifold.cylinder(3, 4, 4, 20, True).rotate((0, 90, 0)).translate((r * 1.35, leg_y, -r * 2))])
    return [*parts, rod((0, t + 4, 0), (0, t + 2, -r * 0.9), 1.3)]


def _jet_fighter(dice: Dice) -> Parts:
    """A pointed jet with swept or delta wings, one or two fins, a canopy; or a paper-dart shape."""
    r = dice(5.5, 7)
    body = _turned([(0, 52), (1.2, 49), (r * 0.7, 32), (r, 14), (r, -36), (r * 0.7, -46), (0, -46)], 24)
    body -= _turned([(0, -40), (r * 0.5, -40), (r * 0.55, -50), (0, -50)])
    span = dice(56, 72)
    wings = _wing((-36, dice(14, 24)), (-38, dice(-30, -22)), span, -1, 0, 2.6)
    parts: Parts = [body, wings, egg(r * 1.2, 22, r * 1.5, 0, 22, r * 0.6)]
    fin = _fin((-44, -22), (-48, -36), dice(15, 19), 2.4)
    if dice.yes():
        parts += both([fin.rotate((0, 18, 0)).translate((r * 0.75, 0, r * 0.2)), soft(r * 0.9, 30, r * 1.2, r * 0.95, 2, -r * 0.7)])
    else:
        parts += [fin.translate((0, 0, r * 0.6)), *both(soft(r * 0.9, 20, r, r * 0.9, 10, -r * 0.5))]
    return [*parts, _wing((-47, -37), (-51, -45), span * 0.55, -0.5, 0, 2.3)]


def _helicopter(dice: Dice) -> Parts:
    """A round cabin, a tail boom with a small rotor, a large rotor on a mast, skids or wheels."""
    w, h = dice(18, 23), dice(19, 24)
    cabin = egg(w, dice(36, 44), h, 0, 14)
    tail = -dice(44, 52)
    boom = rod((0, 4, h * 0.12), (0, tail, h * 0.3), h * 0.24, 2.2, 20)
    screen = egg(w * 1.02, 36, h * 1.02, 0, 15.5) - box(99, 99, 99, 0, -23, -50) - box(99, 99, 99, 0, 0, -103 + h * 0.02)
    screen -= box(2.2, 99, 99, 0, 0, -50)
    glass = screen - egg(w * 0.94 - 2, 36, h * 0.94 - 2, 0, 13)
    top = h / 2 + dice(6, 9)
    parts: Parts = [cabin - glass if dice.yes(0.75) else cabin, boom,
                    soft(w * 0.5, 24, h * 0.34, 0, 6, h * 0.38, r=3), rod((0, 8, 0), (0, 8, top + 1), 2)]
    blades, r, start = dice.one(2, 3, 4, 4), dice(40, 50), dice(0, 180)
    blade = box(r, 4.6, 2.2, r / 2, 0, -1.1)
    parts += [*(b.translate((0, 8, top)) for b in ring(blades, blade, start)), disc(3.4, 4, 0, 8, top - 2)]
    parts += [_fin((tail - 2, tail + 8), (tail - 6, tail), 14, 2.4).translate((0, 0, h * 0.26)),
              _wing((tail + 8, tail + 14), (tail + 8, tail + 12), 20, h * 0.28, 0, 2.2)]
    spin = _propeller(8.5, dice.whole(2, 4), dice(0, 90), 2.4).rotate((0, 0, -90)).translate((3.4, tail, h * 0.36))
    parts += [spin, rod((0, tail, h * 0.36), (4, tail, h * 0.36), 1.4)]
    low = -h / 2 - dice(5, 8)
    if dice.yes(0.75):
        skid = tube([(w * 0.48, -12, low), (w * 0.48, 32, low), (w * 0.48, 37, low + 4)], 1.4, 2)
        legs = [rod((w * 0.48, y, low), (w * 0.2, y, -h * 0.3), 1.3) for y in (2, 24)]
        parts += both([skid, *legs])
    else:
        tyre = Manifold.cylinder(3.6, 4, 4, 20, True).rotate((0, 90, 0))
        parts += both([tyre.translate((w * 0.46, 4, low + 4)), rod((w * 0.46, 4, low + 4), (w * 0.2, 6, -h * 0.3), 1.5)])
        parts += [tyre.translate((0, 28, low + 4)), rod((0, 28, low + 4), (0, 24, -h * 0.3), 1.5)]
    return parts


def _rocket(dice: Dice) -> Parts:
    """A rocket of a picture book: a round body, a pointed nose, three or four fins, portholes, a nozzle."""
    r, z, count = dice(12, 18), dice(8, 14), dice.whole(3, 4)
    fat = dice(1, 1.25)
    line = curve([(r * 0.7, z), (r * fat, z + 30), (r * 0.92, z + 58), (r * 0.5, z + 80), (0.4, 100)], 5)
    body = lathe([(0, z), *[(float(p), float(q)) for p, q in line], (0, 100)], 36)
    for k in range(dice.whole(1, 3)):
        y = z + 52 - 16 * k
        port = upright(disc(r * 0.3, 2 * r, sides=24)).translate((0, r * 0.5, y))
        rim = upright(torus(r * 0.36, 1.5)).translate((0, float(np.interp(y, line[:, 1], line[:, 0])) - 0.6, y))
        body = (body - (port - egg(r * 2 * fat - 3, r * 2 * fat - 3, 90, 0, 0, z + 30))) + rim
    out = r * dice(0.9, 1.4)
    fin = side([(r * 0.4, z + 34), (r + out * 0.7, z + 14), (r + out, 0), (r + out * 0.45, z * 0.3), (r * 0.4, z + 6)],
               dice(3, 4.4), r=1)
    nozzle = disc(r * 0.62, 8, z=z - 6, r_top=r * 0.42, sides=28) - disc(r * 0.46, 5, z=z - 7, r_top=r * 0.3)
    return [body, nozzle, *(fin.rotate((0, 0, 360 * k / count + (45 if count == 4 else 0))) for k in range(count))]


def _launcher(dice: Dice) -> Parts:
    """A real launch rocket: a slim cylinder in stages, a pointed tip, boosters or fins, bells beneath."""
    r = dice(6.5, 9)
    step, nose = dice(48, 64), dice(16, 22)
    upper = r * dice(0.62, 1)
    body = lathe([(0, 5), (r, 5), (r, step), (upper, step + 7), (upper, 100 - nose), (upper * 0.75, 100 - nose * 0.5),
                  (0.3, 100), (0, 100)], 32)
    bell = disc(3, 8, z=-1, r_top=1.7, sides=20)
    parts: Parts = [body, *(bell.translate((x, y, 0)) for x in (-r * 0.45, r * 0.45) for y in (-r * 0.45, r * 0.45))]
    for z in (step - 1, step * 0.5):
        parts.append(disc(r + 1.1, 2.4, z=z, sides=32))
    if dice.yes(0.6):
        q, tall = r * dice(0.5, 0.7), dice(34, 46)
        booster = lathe([(0, 2), (q, 2), (q, tall), (0.3, tall + q * 2.4), (0, tall + q * 2.4)], 24) + disc(
            q * 0.9, 4, z=-1, r_top=q * 0.6)
        count = dice.one(2, 2, 4)
        parts += [booster.translate((r + q - 0.7, 0, 0)).rotate((0, 0, 360 * k / count)) for k in range(count)]
    else:
        fin = side([(r * 0.5, 22), (r + 9, 4), (r + 9, -2), (r * 0.5, 6)], 2.4)
        parts += [fin.rotate((0, 0, 45 + 90 * k)) for k in range(4)]
    return parts


BOATS: Styles = {_rowing_boat: 1.4, _motor_boat: 2, _ship: 1.4}
SAILING_BOATS: Styles = {_sailing_boat: 2.5, _square_rigger: 1}
AEROPLANES: Styles = {_airliner: 1.6, _light_plane: 1.6, _jet_fighter: 1}
HELICOPTERS: Styles = {_helicopter: 1}
ROCKETS: Styles = {_rocket: 2, _launcher: 1}
