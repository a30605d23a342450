"""Birds, fish and small animals, and people."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    ball,
    both,
    box,
    disc,
    join,
    lathe,
    rod,
    side,
)
from maquette.datasets.solids.animals import eyes, smooth_chain
from maquette.datasets.solids.blend import Blob, Flesh, Limb, blend, chain, twins
from maquette.datasets.solids.parts import Styles, board, egg, flat


def _bird(dice: Dice) -> Parts:
    """A small bird that stands: a round breast, a beak, folded wings, a tail; on two legs or on a branch."""
    tip, leg = dice(12, 32), dice(12, 22)
    z = leg + 21
    body = Blob((0, 0, z), (16, 27, 17), tip)
    hy, hz = 21 * np.cos(np.radians(tip)), z + 21 * np.sin(np.radians(tip)) + dice(5, 9)
    head = Blob((0, float(hy), float(hz)), (11, 11, 11))
    back = np.radians(tip)
    end = (0.0, float(-48 * np.cos(back)), float(z - 42 * np.sin(back)))
    flesh: Flesh = [body, head, Blob((0, (end[1] - 12) / 2 - 8, (end[2] + z) / 2 - 1), (6, 20, 2.6), tip)]
    flesh += twins(Blob((14.5, -7, z + 0.5), (3.2, 22, 10), tip + 6))
    beak = dice(9, 15)
    solid = blend(flesh, 3, 80)
    parts: Parts = [
        solid,
        *eyes(head, 48, 16, 1.8),
        rod((0, hy + 8, hz - 0.5), (0, hy + 9 + beak, hz - 2.5), 4, 0.6, 14),
    ]
    if dice.yes(0.65):
        for s in (-1, 1):
            foot = (s * 7, 3, 1.6)
            parts.append(rod((s * 6, 1, z - 8), foot, 1.5, sides=10))
            parts += [
                rod(foot, (s * 7 + 9 * np.sin(a), 3 + 9 * np.cos(a), 1.3), 1.3, sides=8) for a in (-0.5, 0, 0.5, np.pi)
            ]
    else:
        parts += [
            rod((-34, 2, leg + 2), (36, 2, leg + 7), 4, 3, 12),
            rod((20, 2, leg + 5), (30, 2, leg + 22), 2, 1.3, 10),
        ]
        parts += both(rod((5, 1, z - 10), (6, 3, leg + 4), 1.8, sides=10))
    return parts


def _flying_bird(dice: Dice) -> Parts:
    """A bird in flight: its wings spread, its tail fanned."""
    span, lift, long = dice(42, 54), dice(4, 20), dice(26, 32)
    head = Blob((0, long + 2, 3), (7.4, 8.4, 7.2))
    flesh: Flesh = [Blob((0, 0, 0), (9.5, long, 9)), head, Blob((0, -long - 8, 1), (9, 15, 2))]
    sweep = dice(2, 16)
    for t in np.linspace(0.1, 1, 13):
        x, chord = span * t, (13 - 4.5 * t) if t < 0.95 else 5.5
        z = 3 + lift * t**1.5
        flesh += twins(
            Blob(
                (float(x), float(5 - sweep * t**2), float(z)),
                (span * 0.13, float(chord), 1.9),
                0,
                -float(lift * 1.2 * t),
            )
        )
    beak = rod((0, long + 8, 2.5), (0, long + dice(18, 23), 1), 3, 0.6, 14)
    return [blend(flesh, 3, 88), beak, *eyes(head, 52, 16, 1.4)]


def _owl(dice: Dice) -> Parts:
    """An owl that sits upright: large round eyes, tufts, folded wings."""
    w, tall = dice(19, 25), dice(30, 36)
    head = Blob((0, 1, tall * 1.75), (w * 0.95, w * 0.8, w * 0.74))
    _, hy, hz = head.centre
    flesh: Flesh = [Blob((0, 0, tall), (w, w * 0.85, tall)), head]
    flesh += twins(
        Blob((w * 0.94, -3, tall * 0.95), (4, w * 0.6, tall * 0.72), -8),
        Limb((w * 0.55, hy, hz + w * 0.5), (w * 0.8, hy, hz + w * 0.98), w * 0.22, 1.4),
    )
    flesh.append(Blob((0, -w * 0.8, 9), (8, 8, 9)))
    parts: Parts = [blend(flesh, 3, 72)]
    for s in (-1, 1):
        y = hy + w * 0.66
        plate = (
            Manifold.cylinder(6, w * 0.38, w * 0.34, 32).rotate((-90, 0, 0)).translate((s * w * 0.37, y - 3, hz + 2))
        )
        hole = Manifold.cylinder(6, w * 0.26, w * 0.26, 32).rotate((-90, 0, 0)).translate((s * w * 0.37, y + 1, hz + 2))
        parts += [plate - hole, ball(w * 0.13, s * w * 0.37, y + 1, hz + 2)]
        parts += [egg(5, 12, 5, s * w * 0.4 + q, w * 0.62, 2.4) for q in (-3.6, 0, 3.6)]
    parts.append(rod((0, hy + w * 0.6, hz - 1), (0, hy + w * 0.98, hz - 8), 3.4, 0.7, 12))
    base = (
        [disc(w * 0.9, 4, sides=32)]
        if dice.yes()
        else [Manifold.cylinder(w * 3, 5, 5, 20, True).rotate((0, 90, 0)).translate((0, 8, 0))]
    )
    return [*parts, *base]


def _penguin(dice: Dice) -> Parts:
    """A penguin: upright, flippers at its sides, a beak, broad feet."""
    w, out = dice(17, 22), dice(4, 16)
    head = Blob((0, 3, 78), (w * 0.68, w * 0.68, w * 0.68))
    flesh: Flesh = [
        Blob((0, 0, 38), (w, w * 0.92, 36)),
        head,
        Limb((0, 0, 55), (0, 2, 76), w * 0.7, w * 0.6),
        Blob((0, -w * 0.8, 7), (7, 9, 4), 30),
    ]
    flesh += twins(
        Limb((w * 0.85, 0, 58), (w + out, -2, 28), 4.4, 2.6), Limb((w * 0.85, 4, 56), (w + out, 2, 30), 3, 2)
    )
    flesh += twins(Limb((w * 0.4, 2, 10), (w * 0.5, 10, 3.4), 6, 3.6), Blob((w * 0.52, 14, 2.8), (6.6, 10, 2.8)))
    return [
        blend(flesh, 3, 76),
        *eyes(head, 34, 18, 1.9),
        rod((0, w * 0.55, 77), (0, w * 0.68 + dice(13, 18), 75), 3.8, 0.8, 14),
    ]


def _duck(dice: Dice) -> Parts:
    """A swimming or rubber duck: a boat of a body with its tail up, a round head, a flat bill."""
    w, tail = dice(20, 27), dice(10, 18)
    r = dice(13.5, 17)
    head = Blob((0, 21, 44 + dice(0, 8)), (r, r, r * 0.97))
    _, hy, hz = head.centre
    flesh: Flesh = [Blob((0, 0, 17), (w, 35, 18)), head, Limb((0, 17, 22), (0, hy, hz - 8), 13, r * 0.62)]
    flesh += smooth_chain([(0, -24, 19), (0, -36, 24), (0, -44, 24 + tail)], [12, 7, 2.2])
    flesh += twins(Blob((w * 0.92, -6, 22), (4.4, 20, 10), -10), Limb((w * 0.94, -16, 22), (w * 0.94, -30, 31), 4, 1.8))
    flesh += [Blob((0, hy + r + 2, hz - 3), (7.6, 8.4, 2.7)), Blob((0, hy + r - 1, hz - 1.6), (5.4, 6, 3.6))]
    body = blend(flesh, 3.4, 80).trim_by_plane((0, 0, 1), 2)
    return [body, *eyes(head, 40, 24, 2)]


def _fish(dice: Dice) -> Parts:
    """A fish: a body flat at the sides, a forked tail, fins above and below, eyes; some on a stand."""
    tall, thick, long = dice(16, 27), dice(8, 13), dice(32, 38)
    body = Blob((0, 10, 0), (thick, long, tall))
    t = 2.4
    back = 10 - long
    fork = dice(4, 12)
    tail = side(
        [
            (back + 8, 2),
            (back + 8, -2),
            (back - 6, -7),
            (back - 22, -tall * 0.85),
            (back - 22 + fork, 0),
            (back - 22, tall * 0.85),
            (back - 6, 7),
        ],
        t,
        r=1,
    )
    high = [
        (10 + long * 0.5, tall * 0.7),
        (10 + long * 0.1, tall + dice(7, 12)),
        (10 - long * 0.5, tall + dice(2, 7)),
        (back + 9, tall * 0.3),
    ]
    low = [(14, -tall * 0.8), (4, -tall - dice(5, 9)), (-4, -tall - 3), (-4, -tall * 0.6)]
    flesh: Flesh = [body, Limb((0, 0, 0), (0, back - 2, 0), tall * 0.6, 4), Blob((0, 10 + long - 6, -2), (5, 9, 5.5))]
    parts: Parts = [blend(flesh, 3, 76), tail, side(high, t, r=0.8), side(low, t, r=0.8)]
    fin = egg(2.6, 20, 10, 0, -9, 0, 24).rotate((-25, 0, -28)).translate((thick * 0.86, 16, -tall * 0.22))
    parts += [*both(fin), *eyes(body, 15 + 200 / long, 16, 2.3)]
    mouth = flat([[(-9, -5.6), (9, -5.6), (9, -3.4), (-9, -3.4)]], 14, 10 + long + 4)
    parts[0] = parts[0] - mouth
    if dice.yes(0.2):
        parts += [rod((0, 6, -tall * 0.7), (0, 6, -tall - 20), 2, sides=14), disc(16, 4, 0, 6, -tall - 22, sides=32)]
    return parts


def _whale(dice: Dice) -> Parts:
    """A whale: a great round head, a tail with two flukes in the air, flippers; sometimes its spout."""
    w, h = dice(17, 22), dice(17, 21)
    flesh: Flesh = [Blob((0, 18, h), (w, 32, h)), Limb((0, 0, h), (0, -26, h * 0.8), h * 0.7, 7)]
    flesh += smooth_chain([(0, -24, h * 0.8), (0, -42, h * 0.9), (0, -52, h * 1.7)], [8, 5, 3])
    flesh += twins(
        Limb((2, -52, h * 1.7), (17, -58, h * 2.1), 3.2, 1.9),
        Limb((2, -54, h * 1.8), (12, -64, h * 2.2), 3, 1.8),
        Limb((w * 0.85, 16, h * 0.5), (w + 14, 4, h * 0.24), 4.4, 2),
    )
    body = blend(flesh, 5, 80).trim_by_plane((0, 0, 1), 1.5)
    mouth = join([box(2 * w + 9, 60, 2.2, 0, 42, h * 0.62)]) - egg(2 * w - 3.4, 60, 2 * h, 0, 18, h)
    parts: Parts = [body - mouth, *eyes(Blob((0, 18, h), (w, 32, h)), 66, -2, 1.9)]
    if dice.yes(0.4):
        parts += [rod((0, 22, 2 * h - 2), (0, 22, 2 * h + 10), 1.8)] + both(
            rod((0, 22, 2 * h + 9), (8, 22, 2 * h + 15), 1.8) + rod((8, 22, 2 * h + 15), (11, 22, 2 * h + 9), 1.6)
        )
    return parts


def _turtle(dice: Dice) -> Parts:
    """A turtle: a domed shell with a rim, a head on a neck, four legs or flippers, a short tail."""
    w, long, h = dice(25, 31), dice(30, 34), dice(15, 25)
    z = dice(8, 12)
    dome = Manifold.sphere(1, 40).scale((w, long, h)).trim_by_plane((0, 0, 1), 0).translate((0, 0, z))
    if dice.yes(0.6):
        lines = [egg(2 * w + 4, 3, 2 * h + 4, 0, y, z) for y in (-long * 0.36, long * 0.36)]
        lines += [egg(3, 2 * long + 4, 2 * h + 4, x, 0, z) for x in (-w * 0.36, w * 0.36)]
        inner = (
            Manifold.sphere(1, 40)
            .scale((w - 2.2, long - 2.2, h - 2.2))
            .trim_by_plane((0, 0, 1), 0)
            .translate((0, 0, z))
        )
        dome = dome - (join(lines) - inner)
    rim = lathe(arc(1, 0, 0.08, 0, 360, 9)[:-1], 44).scale((w, long, 30)).translate((0, 0, z))
    plate = egg(2 * w * 0.97, 2 * long * 0.97, 10, 0, 0, z, 40)
    reach = dice(15, 22)
    head = Blob((0, long + reach, z + dice(6, 15)), (8.4, 10, 7.8))
    _, hy, hz = head.centre
    flesh: Flesh = [
        head,
        Limb((0, long - 8, z), (0, hy - 2, hz - 2), 5.4, 5),
        Limb((0, -long + 5, z - 1), (0, -long - 9, z - 4), 4, 1.4),
        Limb((0, -long, z), (0, long, z), 5, 5),
    ]
    if dice.yes(0.6):
        for y in (-long * 0.62, long * 0.62):
            flesh += twins(
                Limb((w * 0.3, y * 0.9, z), (w * 1.04, y * 1.2, 4.6), 7, 5.8),
                Blob((w * 1.06, y * 1.22 + 1.6, 3.4), (6.8, 8, 3.4)),
            )
    else:
        flesh += twins(
            Limb((w * 0.6, long * 0.7, z), (w + 24, long * 0.5, 4), 5, 2.6),
            Limb((w * 0.7, long * 0.5, z), (w + 25, long * 0.2, 4), 4.6, 2.2),
            Limb((w * 0.5, -long * 0.7, z), (w * 1.0, -long - 8, 4), 5.4, 3),
        )
    return [blend(flesh, 3, 80), dome, rim, plate, *eyes(head, 48, 22, 1.6)]


def _snail(dice: Dice) -> Parts:
    """A snail: a coiled shell on a long foot, its head up, two feelers with eyes at their tips."""
    turns, r = dice(2.0, 2.7), dice(26, 31)
    z = r + dice(2, 5)
    coil = np.linspace(0, turns * 2 * np.pi, int(turns * 24))
    shrink, lean = np.exp(-dice(0.075, 0.095) * coil), dice.one(-1, 1) * dice(0.2, 0.4)
    away, thick = 0.72 * r * shrink, 0.27 * r * shrink
    points = [
        (float(lean * (0.72 * r - a)), float(-8 - a * np.sin(c)), float(z - a * np.cos(c)))
        for a, c in zip(away, coil, strict=True)
    ]
    shell = blend([*chain(points, [float(q) for q in thick]), Blob((0, -8, z), (r * 0.17, r * 0.3, r * 0.3))], 0.8, 76)
    flesh: Flesh = [
        Blob((0, -2, 5), (9.5, 46, 6)),
        Limb((0, -36, 4), (0, -56, 2.6), 5, 1.8),
        *smooth_chain([(0, 24, 6), (0, 38, 12), (0, 44, 26)], [9, 8, 6.8]),
        Limb((0, -8, 6), (0, -8, 18), 9, 8),
    ]
    lift = dice(13, 20)
    flesh += twins(
        *chain([(3, 46, 28), (7, 49, 28 + lift * 0.6), (8.4, 50, 30 + lift)], [2.2, 1.6, 1.5]),
        Blob((8.4, 50, 31 + lift), (2.6, 2.6, 2.6)),
        Limb((3, 48, 22), (5, 55, 20), 1.8, 1.3),
    )
    body = blend(flesh, 2.4, 80).trim_by_plane((0, 0, 1), 1)
    return [body, shell]


def _cat_head(dice: Dice) -> Parts:
    """A cat's face: round, pointed ears, eyes, a nose and whiskers; a bust or a flat mask."""
    w, h, d = dice(40, 48), dice(34, 40), dice(24, 36)
    head = Blob((0, 0, 0), (w, d, h))
    flesh: Flesh = [head]
    tall = dice(24, 32)
    flesh += twins(
        Blob((w * 0.16, d * 0.92, -h * 0.3), (9.5, 8, 7.5)),
        Blob((w * 0.5, d * 0.4, -h * 0.4), (w * 0.4, d * 0.5, h * 0.35)),
    )
    base = [
        (w * (0.53 + 0.36 * np.cos(a)), -2 + 9 * np.sin(a), h * (0.62 - 0.22 * np.cos(a)))
        for a in np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ]
    ear = Manifold.hull_points(np.array([*base, (w * 0.8, -3, h * 0.85 + tall), (w * 0.74, -1, h * 0.85 + tall)]))
    hollow = ear.translate((-w * 0.62, 0, -h)).scale((0.62, 1, 0.7)).translate((w * 0.62, 8.5, h + 1))
    parts: Parts = [blend(flesh, 4, 72), *both(ear - hollow)]

    def on(x: float, z: float) -> float:
        return float(d * np.sqrt(max(0.0, 1 - (x / w) ** 2 - (z / h) ** 2)))

    x, z = w * dice(0.36, 0.44), h * 0.2
    slit = dice.one(0.6, 1, 1)
    eye = egg(13, 9, 15 * slit, 0, on(x, z) - 1, z)
    pupil = egg(4, 20, 11 * slit, 0, on(x, z) + 2, z)
    for s in (-1, 1):
        parts.append((eye - pupil).translate((s * x, 0, 0)))
    parts.append(board([(-4.6, -h * 0.1), (4.6, -h * 0.1), (0, -h * 0.26)], 9, d * 0.92 + 6.5, r=1))
    if dice.yes(0.8):
        for s in (-1, 1):
            for k in (-1, 0, 1):
                parts.append(
                    rod(
                        (s * w * 0.2, d * 0.9, -h * 0.3 + 2 * k), (s * (w + 9), d * 0.75, -h * 0.3 + 9 * k), 1.3, 1.0, 8
                    )
                )
    if dice.yes(0.3):
        parts.append(rod((0, -4, -h * 0.6), (0, -6, -h - 14), w * 0.42, w * 0.6, 32))
    return parts


BIRDS: Styles = {_bird: 2, _flying_bird: 1}
OWLS: Styles = {_owl: 1}
PENGUINS: Styles = {_penguin: 1}
DUCKS: Styles = {_duck: 1}
FISH: Styles = {_fish: 1}
WHALES: Styles = {_whale: 1}
TURTLES: Styles = {_turtle: 1}
SNAILS: Styles = {_snail: 1}
CAT_HEADS: Styles = {_cat_head: 1}
