"""Aeroplanes and helicopters, that fly towards +y, and rockets, that stand."""

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
    ring,
    rod,
    side,
    soft,
    tube,
)
from maquette.datasets.solids.parts import Styles, egg, torus, upright


def _fin(root: tuple[float, float], tip: tuple[float, float], rise: float, t: float) -> Manifold:
    """An upright fin in the middle: from y root[0] to root[1] below to tip above."""
    return side([(root[0], 0), (root[1], 0), (tip[1], rise), (tip[0], rise)], t, r=0.8)


def _wing(
    root: tuple[float, float], tip: tuple[float, float], span: float, z: float, lift: float, t: float
) -> Manifold:
    """Both wings: y from root[0] to root[1] at the middle and tip at span / 2; the tips `lift` higher."""
    half = Manifold.hull_points(
        np.array(
            [
                (x, y, q + s * thick / 2)
                for x, (a, b), q, thick in ((0.0, root, z, t * 1.2), (span / 2, tip, z + lift, t * 0.9))
                for y, s in (
                    (a, -0.5),
                    (a, 0.5),
                    (a * 0.65 + b * 0.35, 1),
                    (a * 0.35 + b * 0.65, 1),
                    (b, 0.5),
                    (b, -0.5),
                    (a * 0.5 + b * 0.5, -1),
                )
            ]
        )
    )
    return join(both(half))


def _airliner(dice: Dice) -> Parts:
    """A jet: a round body, swept wings with engines beneath, a tail."""
    r = dice(5.6, 7.2)
    profile = [(0, 50), (r * 0.45, 48.5), (r * 0.8, 45), (r, 39), (r, -18), (r * 0.75, -34), (r * 0.3, -49), (0, -50)]
    body = _turned(profile)
    span, sweep, lift = dice(84, 100), dice(14, 28), dice(2, 7)
    wings = _wing((-8, 14), (-8 - sweep * 0.72, -2 - sweep * 0.72), span, -r * 0.4, lift, 3.1)
    tail_z = r * 0.5 if dice.yes(0.75) else r + 15
    tail = _wing((-48, -37), (-52, -46), dice(30, 38), tail_z, 1.5, 2.8)
    fin = _fin((-48, -30), (-51, -43), dice(16, 20), 2.5).translate((0, 0, r * 0.55))
    parts: Parts = [body, wings, tail, fin]
    jet = Manifold.cylinder(13, 2.4, 3.3, 24, True).rotate((-90, 0, 0)) - Manifold.cylinder(5, 2.2, 2.2, 24).rotate(
        (-90, 0, 0)
    ).translate((0, 3.5, 0))
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
        return _wing(
            (n - 14 - chord, n - 14),
            (n - 14 - chord * (0.5 + taper / 2), n - 14 - chord * (0.5 - taper / 2)),
            span,
            z,
            1.5 if style != "double" else 0,
            2.5,
        )

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
    parts += [
        _wing((t + 1, t + 11), (t + 1, t + 8), dice(30, 36), r * 0.15, 0, 2.3),
        _fin((t + 1, t + 13), (t, t + 7), dice(13, 16), 2.4),
    ]
    leg_y = n - 16
    parts += both(
        [
            rod((r * 0.4, leg_y, -r * 0.5), (r * 1.3, leg_y, -r * 1.9), 1.3),
            Manifold.cylinder(3, 4, 4, 20, True).rotate((0, 90, 0)).translate((r * 1.35, leg_y, -r * 2)),
        ]
    )
    return [*parts, rod((0, t + 4, 0), (0, t + 2, -r * 0.9), 1.3)]


def _jet_fighter(dice: Dice) -> Parts:
    """A pointed jet with swept or delta wings, one or two fins, a canopy; or a paper-dart shape."""
    r = dice(5.5, 7)
    body = _turned([(0, 52), (1.2, 49), (r * 0.7, 32), (r, 14), (r, -36), (r * 0.7, -46), (0, -46)], 24)
    body -= _turned([(0, -40), (r * 0.5, -40), (r * 0.55, -50), (0, -50)])
    span = dice(56, 72)
    wings = _wing((-36, dice(14, 24)), (-38, dice(-30, -22)), span, -1, 0, 3)
    parts: Parts = [body, wings, egg(r * 1.2, 22, r * 1.5, 0, 22, r * 0.6)]
    fin = _fin((-44, -22), (-48, -36), dice(15, 19), 2.4)
    if dice.yes():
        parts += both(
            [
                fin.rotate((0, 18, 0)).translate((r * 0.75, 0, r * 0.2)),
                soft(r * 0.9, 30, r * 1.2, r * 0.95, 2, -r * 0.7),
            ]
        )
    else:
        parts += [fin.translate((0, 0, r * 0.6)), *both(soft(r * 0.9, 20, r, r * 0.9, 10, -r * 0.5))]
    return [*parts, _wing((-47, -37), (-51, -45), span * 0.55, -0.5, 0, 2.3)]


def _helicopter(dice: Dice) -> Parts:
    """A round cabin, a tail boom with a small rotor, a large rotor on a mast, skids or wheels."""
    w, h = dice(18, 23), dice(19, 24)
    deep = dice(36, 44)
    cabin = egg(w, deep, h, 0, 14)
    tail = -dice(44, 52)
    boom = rod((0, 4, h * 0.12), (0, tail, h * 0.3), h * 0.24, 2.2, 20)
    screen = (
        egg(w * 1.02, deep, h * 1.02, 0, 15.5) - box(99, 99, 99, 0, -23, -50) - box(99, 99, 99, 0, 0, -103 + h * 0.02)
    )
    screen -= box(2.2, 99, 99, 0, 0, -50)
    glass = screen - egg(w * 0.94 - 2, deep, h * 0.94 - 2, 0, 13)
    top = h / 2 + dice(6, 9)
    parts: Parts = [
        cabin - glass if dice.yes(0.75) else cabin,
        boom,
        soft(w * 0.5, 24, h * 0.34, 0, 6, h * 0.38, r=3),
        rod((0, 8, 0), (0, 8, top + 1), 2),
    ]
    blades, r, start = dice.one(2, 3, 4, 4), dice(40, 50), dice(0, 180)
    blade = box(r, 4.6, 2.2, r / 2, 0, -1.1)
    parts += [*(b.translate((0, 8, top)) for b in ring(blades, blade, start)), disc(3.4, 4, 0, 8, top - 2)]
    parts += [
        _fin((tail - 2, tail + 8), (tail - 6, tail), 14, 2.4).translate((0, 0, h * 0.26)),
        _wing((tail + 8, tail + 14), (tail + 8, tail + 12), 20, h * 0.28, 0, 2.2),
    ]
    spin = _propeller(8.5, dice.whole(2, 4), dice(0, 90), 2.4).rotate((0, 0, -90)).translate((3.4, tail, h * 0.36))
    parts += [spin, rod((0, tail, h * 0.36), (4, tail, h * 0.36), 1.4)]
    low = -h / 2 - dice(5, 8)
    if dice.yes(0.75):
        skid = tube([(w * 0.48, -12, low), (w * 0.48, 32, low), (w * 0.48, 37, low + 4)], 1.4, 2)
        legs = [rod((w * 0.48, y, low), (w * 0.2, y, -h * 0.3), 1.3) for y in (2, 24)]
        parts += both([skid, *legs])
    else:
        tyre = Manifold.cylinder(3.6, 4, 4, 20, True).rotate((0, 90, 0))
        parts += both(
            [tyre.translate((w * 0.46, 4, low + 4)), rod((w * 0.46, 4, low + 4), (w * 0.2, 6, -h * 0.3), 1.5)]
        )
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
    fin = side(
        [(r * 0.4, z + 34), (r + out * 0.7, z + 14), (r + out, 0), (r + out * 0.45, z * 0.3), (r * 0.4, z + 6)],
        dice(3, 4.4),
        r=1,
    )
    nozzle = disc(r * 0.62, 8, z=z - 6, r_top=r * 0.42, sides=28) - disc(r * 0.46, 5, z=z - 7, r_top=r * 0.3)
    return [body, nozzle, *(fin.rotate((0, 0, 360 * k / count + (45 if count == 4 else 0))) for k in range(count))]


def _launcher(dice: Dice) -> Parts:
    """A real launch rocket: a slim cylinder in stages, a pointed tip, boosters or fins, bells beneath."""
    r = dice(6.5, 9)
    step, nose = dice(48, 64), dice(16, 22)
    upper = r * dice(0.62, 1)
    body = lathe(
        [
            (0, 5),
            (r, 5),
            (r, step),
            (upper, step + 7),
            (upper, 100 - nose),
            (upper * 0.75, 100 - nose * 0.5),
            (0.3, 100),
            (0, 100),
        ],
        32,
    )
    bell = disc(3, 8, z=-1, r_top=1.7, sides=20)
    parts: Parts = [body, *(bell.translate((x, y, 0)) for x in (-r * 0.45, r * 0.45) for y in (-r * 0.45, r * 0.45))]
    for z in (step - 1, step * 0.5):
        parts.append(disc(r + 1.1, 2.4, z=z, sides=32))
    if dice.yes(0.6):
        q, tall = r * dice(0.5, 0.7), dice(34, 46)
        booster = lathe([(0, 2), (q, 2), (q, tall), (0.3, tall + q * 2.4), (0, tall + q * 2.4)], 24) + disc(
            q * 0.9, 4, z=-1, r_top=q * 0.6
        )
        count = dice.one(2, 2, 4)
        parts += [booster.translate((r + q - 0.7, 0, 0)).rotate((0, 0, 360 * k / count)) for k in range(count)]
    else:
        fin = side([(r * 0.5, 22), (r + 9, 4), (r + 9, -2), (r * 0.5, 6)], 2.4)
        parts += [fin.rotate((0, 0, 45 + 90 * k)) for k in range(4)]
    return parts


AEROPLANES: Styles = {_airliner: 1.6, _light_plane: 1.6, _jet_fighter: 1}

HELICOPTERS: Styles = {_helicopter: 1}

ROCKETS: Styles = {_rocket: 2, _launcher: 1}
