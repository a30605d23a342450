"""Vessels: mugs, jugs, bottles, vases, bowls, wine glasses, teapots. All hollow, open above."""

from collections.abc import Sequence

import numpy as np
from manifold3d import CrossSection, Manifold

from maquette.datasets.furniture.parts import Dice, Parts, arc, box, curve, disc, lathe, rod, stack, tube
from maquette.datasets.solids.parts import (
    Hollow,
    Styles,
    Wall,
    egg,
    either_way,
    handle,
    prism,
    radius_at,
    torus,
    vessel,
)


def _smooth(points: Wall, count: int = 5) -> Wall:
    """A wall through these points, round; never narrower than a unit."""
    line = curve(points, count)
    z = np.maximum.accumulate(line[:, 1]) + 1e-3 * np.arange(len(line))
    return [(max(float(r), 1.0), float(q)) for r, q in zip(line[:, 0], z, strict=True)]


def _ear(dice: Dice, wall: Wall, low: float, high: float, out: float) -> list[tuple[float, float]]:
    """The middle line of a handle between two heights of a wall."""
    a, b = radius_at(wall, high) - 1, radius_at(wall, low) - 1
    far, mid = max(a, b) + out, (low + high) / 2
    style = dice.one("c", "c", "d", "ear", "seven")
    if style == "d":
        return [(a, high), (far, high), (far, low), (b, low)]
    if style == "seven":
        return [(a, high), (far, high), (far, mid), (b, low)]
    bend = 0.72 if style == "c" else 0.6
    tail = (max(a, b) + out * (0.72 if style == "c" else 0.42), low + 0.04 * out)
    line = curve([(a, high), (max(a, b) + out * bend, high + 0.02 * out), (far, mid), tail, (b, low)], 4)
    return [(float(p), float(q)) for p, q in line]


def _eared(dice: Dice, hollow: Hollow, wall: Wall, low: float, high: float, out: float, thick: float) -> Parts:
    """A vessel with one handle, at either side."""
    return [hollow.body, either_way(dice, handle(_ear(dice, wall, low, high, out), thick, hollow.room))]


def _mug(dice: Dice) -> Parts:
    """A straight, tapered or bulging mug with a handle."""
    h, r, t = 100.0, dice(34, 52), dice(3.5, 6)
    foot = r * dice(0.72, 1.06)
    wall: Wall = [(foot, 0), (r, h)]
    if dice.yes(0.4):
        wall = _smooth([(foot, 0), ((foot + r) / 2 * dice(1.03, 1.16), h * 0.45), (r, h)])
    low, high = h * dice(0.14, 0.28), h * dice(0.72, 0.88)
    return _eared(dice, vessel(wall, t, dice(4, 8)), wall, low, high, dice(26, 40), dice(4.2, 7))


def _tea_cup(dice: Dice) -> Parts:
    """A wide low cup with a small handle, often on its saucer."""
    h, r = dice(52, 72), dice(46, 58)
    wall = _smooth([(r * 0.48, 0), (r * 0.56, h * 0.08), (r * dice(0.86, 0.96), h * 0.5), (r, h)])
    parts = _eared(dice, vessel(wall, 3.4, 6), wall, h * 0.32, h * 0.82, dice(22, 30), dice(3.4, 4.6))
    if dice.yes(0.5):
        s = r * dice(1.4, 1.7)
        rim = [(0, -5), (s * 0.5, -5), (s, 3), (s, 7), (s * 0.5, 1), (0, 1)]
        parts.append(lathe(rim, 40))
    return parts


def _tankard(dice: Dice) -> Parts:
    """A thick beer mug with hoops or flat sides."""
    h, r, t = 100.0, dice(36, 46), dice(6, 8)
    wall: Wall = [(r * dice(1, 1.12), 0), (r, h)]
    sides = dice.one(40, 40, 10, 12)
    parts = _eared(dice, vessel(wall, t, 9, sides), wall, h * 0.18, h * 0.84, dice(28, 36), dice(5.5, 8))
    if sides == 40:
        for z in (0, h * 0.5, h - 8) if dice.yes() else (0, h - 9):
            p = radius_at(wall, z + 4)
            parts.append(lathe([(p - 2, z), (p + 3, z), (p + 3, z + 8), (p - 2, z + 8)], 40))
    return parts


def _beak(wall: Wall, h: float, r: float, out: float, t: float) -> Hollow:
    """A pouring lip at the rim, towards -x: a cone that hangs over, and the room in it."""
    tips = []
    for grow in (0.0, -t):
        rim = np.array([(p, q, h + (9 if grow else 0)) for p, q in arc(0, 0, r + grow, 100, 260, 15)])
        tip = np.array([(-r - out - grow, 0, h + 5 + (12 if grow else 0)), (-r - out - grow, 0, h + 2)])
        base = np.array([(-radius_at(wall, h * 0.62) + 2 - grow, 0, h * 0.62 - grow)])
        tips.append(Manifold.hull_points(np.vstack([rim, tip, base])))
    return Hollow(tips[0], tips[1])


def _jug(dice: Dice) -> Parts:
    """A bellied jug with a pouring lip and a handle opposite."""
    h, belly = 100.0, dice(30, 42)
    neck, rim = belly * dice(0.55, 0.85), belly * dice(0.68, 0.95)
    wall = _smooth([(belly * dice(0.6, 0.8), 0), (belly, h * dice(0.28, 0.42)), (neck, h * dice(0.76, 0.84)), (rim, h)])
    hollow = vessel(wall, 3.6, 6)
    beak = _beak(wall, h, rim, dice(10, 20), 3.2)
    room = hollow.room + beak.room
    line = _ear(dice, wall, h * dice(0.22, 0.4), h * dice(0.84, 0.93), dice(20, 32))
    jug = (hollow.body + beak.body) - room + handle(line, dice(4, 5.5), room)
    return [either_way(dice, jug)]


def _pitcher(dice: Dice) -> Parts:
    """A straight measuring jug, wider or narrower above, with a lip and a square handle."""
    h, r = 100.0, dice(32, 46)
    wall: Wall = [(r * dice(0.75, 1.25), 0), (r, h)]
    hollow = vessel(wall, 3.6, 6, dice.one(40, 40, 8))
    beak = _beak(wall, h, r * 0.98, dice(10, 18), 3.2)
    room = hollow.room + beak.room
    line = _ear(dice, wall, h * dice(0.15, 0.3), h * dice(0.8, 0.92), dice(22, 32))
    return [either_way(dice, (hollow.body + beak.body) - room + handle(line, dice(4, 5.5), room))]


def _bottle(dice: Dice) -> Parts:
    """A wine, beer or water bottle: a body, a shoulder, a thin neck with a lip."""
    r, neck = dice(13, 19), dice(5.4, 7.5)
    low, high = dice(45, 62), dice(66, 80)
    shoulder = _smooth([(r, low), (r * 0.9, low + (high - low) * 0.4), (neck * 1.15, high), (neck, 100 - 6)], 4)
    lip = neck + dice(1, 2.2)
    wall = [(r * 0.94, 0), (r, 2), *shoulder, (lip, 94.5), (lip, 100)]
    return [vessel(wall, 2.5, 4).body]


def _flask(dice: Dice) -> Parts:
    """A bulbous or conical bottle: a decanter, a laboratory flask, a potion."""
    neck, h = dice(7, 11), 100.0
    r = dice(28, 42)
    wall: Sequence[tuple[float, float]]
    if dice.yes():
        wall = [(r, 0), (r, 3), *_smooth([(r * 0.97, 6), (neck * 1.4, 60), (neck, 72), (neck, h - 5)], 4)]
    else:
        wall = _smooth([(r * 0.55, 0), (r, 28), (r * 0.75, 50), (neck, 66), (neck, h - 5)], 4)
    return [vessel([*wall, (neck + 2.5, h - 4.5), (neck + 2.5, h)], 2.8, 4).body]


def _square_bottle(dice: Dice) -> Parts:
    """A bottle of six, eight or four sides with a round neck: whisky, ink, perfume."""
    sides, r, neck = dice.one(4, 4, 6, 8), dice(24, 34), dice(8, 11)
    body, shoulder = dice(52, 66), dice(6, 16)
    grow = 1.3 if sides == 4 else 1.0
    outer = prism(sides, r * grow, body) + prism(sides, r * grow, shoulder, z=body - 0.01, r_top=neck * 1.2)
    inner = prism(sides, (r - 3.6) * grow, body - 4, z=4)
    inner += prism(sides, (r - 3.6) * grow, shoulder, z=body - 0.01, r_top=neck * 0.8)
    top = body + shoulder - 2
    outer += disc(neck, 100 - top, z=top) + disc(neck + 2.5, 6, z=94)
    return [outer - inner - disc(neck - 3, 100, z=body)]


def _vase(dice: Dice) -> Parts:
    """A turned vase of a free profile: foot, belly, neck, lip."""
    belly, h = dice(20, 40), 100.0
    at = dice(0.25, 0.7)
    neck = belly * dice(0.35, 0.7)
    wall = _smooth(
        [
            (belly * dice(0.4, 0.75), 0),
            (belly, h * at),
            (neck, h * (at + (1 - at) * dice(0.55, 0.7))),
            (neck * dice(1.2, 2), h),
        ]
    )
    hollow = vessel(wall, dice(2.6, 3.6), 5)
    parts = [hollow.body]
    if dice.yes(0.25):
        line = _ear(dice, wall, h * at, h * 0.86, dice(10, 18))
        loop = handle(line, dice(2.6, 3.6), hollow.room)
        parts += [loop, loop.mirror((1, 0, 0))]
    return parts


def _trumpet_vase(dice: Dice) -> Parts:
    """A tall vase that opens like a trumpet, or a plain cylinder, sometimes on a ball."""
    r = dice(12, 20)
    rim = r * dice(1, 2.1)
    wall = _smooth([(r, 0), (r * 0.95, 35), (r * 1.1 + (rim - r) * 0.25, 75), (rim, 100)])
    parts = [vessel(wall, 2.8, 5).body]
    if dice.yes():
        parts.append(lathe([(0, -6), (r * 1.6, -6), (r * 1.6, -2), (r * 0.9, 1), (0, 1)], 40))
    return parts


def _fluted_vase(dice: Dice) -> Parts:
    """A vase with flat sides that twists or spreads."""
    sides, r, twist = dice.one(4, 5, 6, 8), dice(20, 28), dice.one(0, 0, 40, 60, 90)
    top = dice(0.8, 1.7)
    outer = Manifold.extrude(_ring_of(sides, r), 100, 24, twist, (top, top))
    inner = Manifold.extrude(_ring_of(sides, r - 3.6), 100, 24, twist, (top, top))
    return [outer - inner.translate((0, 0, 0.02)).trim_by_plane((0, 0, 1), 5)]


def _ring_of(sides: int, r: float) -> CrossSection:
    """A regular polygon with a flat side in front."""
    return prism(sides, r, 1).slice(0.5)


def _bowl(dice: Dice) -> Parts:
    """A bowl, deep or shallow, on a foot ring or flat."""
    h, foot = dice(28, 60), dice(16, 26)
    wall = _smooth([(foot, 0), (dice(38, 45), h * dice(0.4, 0.5)), (50, h)])
    parts = [vessel(wall, dice(2.8, 4.5), 4).body]
    if dice.yes(0.6):
        parts.append(lathe([(foot - 6, -5), (foot + 1, -5), (foot + 1, 2), (foot - 6, 2)], 40))
    if dice.yes(0.25):
        parts.append(lathe([(47.5, h - 3), (55, h - 2), (55, h + 1), (47.5, h + 1)], 40))
    return parts


def _basin(dice: Dice) -> Parts:
    """A wide bowl with straight sloping sides: a mixing bowl, a dog's bowl, a six-sided dish."""
    h, foot = dice(26, 44), dice(30, 46)
    return [vessel([(foot, 0), (50, h)], 4, 5, dice.one(40, 40, 6, 8)).body]


def _glass_foot(r: float, stem: float, thick: float, bottom: float) -> Manifold:
    """The round foot and the stem of a glass, up to its bowl."""
    foot = _smooth([(r, 2.4), (r * 0.5, 4), (thick * 1.3, 8), (thick, stem * 0.5), (thick, stem - 4), (bottom, stem)])
    return lathe([(0, 0), (r, 0), *foot, (0, stem + 3)], 40)


def _wineglass(dice: Dice) -> Parts:
    """A bowl on a stem and a round foot: red, white, sherry."""
    stem, r = dice(32, 50), dice(17, 27)
    rim = r * dice(0.72, 1)
    tall = 100 - stem
    cup = _smooth([(5, stem), (r * 0.86, stem + tall * 0.24), (r, stem + tall * 0.5), (rim, 100)])
    return [vessel(cup, 2.2, 3.5).body, _glass_foot(r * dice(0.85, 1.05), stem, dice(2, 2.8), 5)]


def _cocktail(dice: Dice) -> Parts:
    """A cone on a stem, or the flat bowl of a champagne coupe, or a thin flute."""
    style = dice.one("martini", "coupe", "flute")
    stem = dice(46, 60) if style != "flute" else dice(24, 36)
    if style == "martini":
        cup: Wall = [(3.5, stem), (dice(32, 42), 100)]
    elif style == "coupe":
        r = dice(28, 36)
        cup = _smooth([(5, stem), (r * 0.8, stem + (100 - stem) * 0.3), (r, 100)])
    else:
        r = dice(10, 13)
        cup = _smooth([(4.5, stem), (r, stem + 25), (r * 0.9, 100)])
    return [vessel(cup, 2.3, 3.5).body, _glass_foot(dice(19, 25), stem, dice(2, 2.8), 4)]


def _spout(points: list[tuple[float, float]], r: float, tip: float) -> Hollow:
    """A tapering spout towards -x along (x, z) points, and the room in it."""
    line = curve([(x, 0, z) for x, z in points], 4)
    solids = []
    for less in (0.0, 2.6):
        radii = np.linspace(r - less, tip - less, len(line))
        solids.append(
            sum(
                (
                    rod(a, b, p, q, 16) + egg(2 * q, 2 * q, 2 * q, b[0], b[1], b[2], sides=16)
                    for a, b, p, q in zip(line[:-1], line[1:], radii[:-1], radii[1:], strict=True)
                ),
                Manifold(),
            )
        )
    x, z = points[-1]
    beyond = rod((x, 0, z), (x - 2 * tip, 0, z + 2 * tip), tip - 2.6, sides=16)
    return Hollow(solids[0], solids[1] + beyond)


def _teapot(dice: Dice) -> Parts:
    """A round pot with a lid and its knob, a spout and a handle; or one without its lid, hollow."""
    r, h = dice(28, 36), dice(46, 62)
    if dice.yes(0.6):
        wall = _smooth([(r * 0.62, 0), (r, h * dice(0.36, 0.5)), (r * dice(0.5, 0.62), h)])
    else:
        wall = [(r * dice(0.85, 1), 0), (r, 6), (r * dice(0.65, 0.85), h)]
    top = wall[-1][0]
    hollow = vessel(wall, 3.4, 5)
    start = radius_at(wall, h * 0.35) - 4
    reach = r + dice(20, 28)
    spout = _spout(
        [(-start, h * 0.32), (-(start + reach) / 2 - 3, h * 0.45), (-reach, h * dice(0.85, 1.02))],
        dice(7, 9),
        dice(4.6, 5.4),
    )
    room = hollow.room + spout.room
    pot = hollow.body + (spout.body - hollow.room) - (spout.room - hollow.room)
    if dice.yes(0.25):
        base = [
            (-top * 0.9, h - 4),
            (-r * 0.95, h + r * 0.6),
            (0, h + r * 1.05),
            (r * 0.95, h + r * 0.6),
            (top * 0.9, h - 4),
        ]
        grip = tube([(x, 0, z) for x, z in curve(base, 4)], 3.2, 3)
        parts = [pot, grip]
    else:
        grip = handle(_ear(dice, wall, h * 0.22, h * 0.8, dice(18, 26)), dice(3.4, 4.6), room)
        parts = [pot, grip]
    if dice.yes(0.85):
        lift = dice(4, 10)
        dome = [
            (0, h - 6),
            (top - 5, h - 6),
            (top - 5, h - 1),
            (top + 1.5, h - 1),
            (top + 1.5, h + 2),
            (top * 0.7, h + 2 + lift * 0.6),
            (0, h + 2 + lift),
        ]
        knob = (
            egg(9, 9, 9, z=h + lift + 5)
            if dice.yes(0.7)
            else torus(4, 2, z=0).rotate((90, 0, 0)).translate((0, 0, h + lift + 5))
        )
        parts += [lathe(dome, 40), knob]
    return [either_way(dice, sum(parts, Manifold()))]


def _bucket(dice: Dice) -> Parts:
    """A bucket: a tapered pail with a rim and a bail handle, up or resting on the rim."""
    h, r = dice(56, 72), dice(32, 40)
    foot = r * dice(0.68, 0.85)
    hollow = vessel([(foot, 0), (r, h)], 3, 4)
    rim = lathe([(r - 2, h - 5), (r + 2, h - 5), (r + 2, h), (r - 2, h)], 40)
    bail = [(p, 0, h - 3 + q) for p, q in arc(0, 0, r + 0.5, 0, 180, 17, ry=dice(26, 36))]
    loop = tube(bail, 1.7, 2)
    grip = box(18, 5, 5, z=max(p[2] for p in bail) - 2.5) if dice.yes(0.4) else Manifold()
    return [hollow.body, rim, loop, grip]


def _watering_can(dice: Dice) -> Parts:
    """A watering can: a round can half covered, a long straight spout with a rose, a large handle."""
    h, r = dice(40, 54), dice(20, 26)
    hollow = vessel([(r, 0), (r * dice(0.85, 1), h)], 3, 4)
    half = arc(0, 0, r - 1, 90, 270, 13)
    cover = stack([(half, h - 4), (half, h)])
    far = r + dice(28, 36)
    spout = rod((-r + 3, 0, h * 0.22), (-far, 0, h + 2), 4, 2.6, 16) - hollow.room
    rose = rod((-far + 3, 0, h - 2), (-far - 5, 0, h + 6), 3, 8, 20)
    line = curve([(r * 0.2, 0, h - 1), (r * 0.7, 0, h + 22), (r + 18, 0, h + 6), (r - 1, 0, h * 0.25)], 6)
    grip = tube(line, 2.6, 3) - (hollow.room.trim_by_plane((0, 0, -1), -h + 4))
    return [either_way(dice, hollow.body + cover + spout + rose + grip)]


MUGS: Styles = {_mug: 4, _tea_cup: 1.6, _tankard: 1.2}
JUGS: Styles = {_jug: 2, _pitcher: 1.2}
BOTTLES: Styles = {_bottle: 2.5, _flask: 1.2, _square_bottle: 1}
VASES: Styles = {_vase: 3, _trumpet_vase: 1, _fluted_vase: 1}
BOWLS: Styles = {_bowl: 2, _basin: 1}
WINEGLASSES: Styles = {_wineglass: 2, _cocktail: 1.2}
TEAPOTS: Styles = {_teapot: 1}
BUCKETS: Styles = {_bucket: 1}
WATERING_CANS: Styles = {_watering_can: 1}
