"""Animals on four legs, blended from ellipsoids and bars: cats, dogs, horses, elephants, pigs, giraffes and more."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, ball, both, curve, rod
from maquette.datasets.solids.blend import Blob, Flesh, Limb, blend, chain, twins
from maquette.datasets.solids.parts import Styles, egg

Spot = tuple[float, float, float]


def eyes(head: Blob, aside_deg: float, up_deg: float, r: float) -> Parts:
    """Two small balls on a head.

    Args:
        head: the head; its tip is heeded.
        aside_deg: the angle of each eye from straight ahead.
        up_deg: and above the level.
        r: radius of an eye.

    Returns:
        The eyes.
    """
    a, u, t = np.radians((aside_deg, up_deg, head.tip_deg))
    way = np.array([np.sin(a) * np.cos(u), np.cos(a) * np.cos(u), np.sin(u)]) * head.radii
    y, z = way[1] * np.cos(t) - way[2] * np.sin(t), way[1] * np.sin(t) + way[2] * np.cos(t)
    x, cy, cz = head.centre
    return [ball(r, x + s * way[0], cy + y, cz + z) for s in (-1, 1)]


def smooth_chain(points: list[Spot], radii: list[float], count: int = 3) -> Flesh:
    """A smooth chain of limbs through points.

    Args:
        points: the line, two points at least.
        radii: radii at even steps along it, two at least.
        count: limbs between each two points.

    Returns:
        One strand.
    """
    line = curve(points, count)
    sizes = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(radii)), radii)
    return chain([tuple(p) for p in line], [float(r) for r in sizes])


def _legs(dice: Dice, x: float, front: float, back: float, z: float, r: float, foot: float, walk: float) -> Flesh:
    """Four legs from z down to the ground, in a stride of `walk`; foot: how far the feet reach forward."""
    flesh: Flesh = []
    for side, y, step in ((1, front, 1), (-1, front, -1), (1, back, -1), (-1, back, 1)):
        at = y + step * walk
        bend = 0.0 if y == front else -walk * 0.2 - r * 0.5
        knee = (side * x, (y + at) / 2 + bend, z * 0.5)
        flesh += chain([(side * x * 0.92, y, z), knee, (side * x, at, r * 0.9)], [r * 1.6, r * 1.1, r * 0.9])
        flesh.append(Blob((side * x, at + foot * 0.6, r * 0.75), (r * 1.15, r * 0.9 + foot, r * 0.85)))
    return flesh


def _cat_ears(x: float, y: float, z: float, size: float) -> Flesh:
    return twins(
        Limb((x, y, z), (x * 1.35, y, z + size), size * 0.46, size * 0.12),
        Limb((x * 0.7, y, z), (x * 1.35, y, z + size), size * 0.4, size * 0.12),
    )


def _standing_cat(dice: Dice) -> Parts:
    """A cat on its four legs, its tail up."""
    long, leg = dice(20, 26), dice(22, 32)
    z, r = leg + 9, dice(9.5, 12.5)
    head = Blob((0, long + 15, z + dice(13, 20)), (12, 10.5, 10.5))
    _, hy, hz = head.centre
    flesh: Flesh = [
        Limb((0, -long, z), (0, long, z + 1), r, r * 0.95),
        Limb((0, long * 0.9, z + 3), (0, hy - 3, hz - 3), r * 0.8, 7),
        head,
        Blob((0, hy + 8.5, hz - 3.5), (5.2, 4.5, 4)),
    ]
    flesh += _legs(dice, r * 0.6, long * 0.95, -long * 0.95, z, dice(3.4, 4.4), 2.5, dice(0, 6))
    flesh += _cat_ears(6.5, hy - 1, hz + 7, 12)
    side = dice(-8, 8)
    flesh += smooth_chain(
        [
            (0, -long - 4, z + 4),
            (0, -long - 16, z + 6),
            (side * 0.5, -long - 21, z + 22),
            (side, -long - dice(12, 22), z + dice(34, 44)),
        ],
        [3.4, 3, 2.6],
    )
    return [blend(flesh, 4, 80), *eyes(head, 28, 14, 2.1), ball(1.8, 0, hy + 12.4, hz - 2.4)]


def _sitting_cat(dice: Dice) -> Parts:
    """A cat that sits upright, its tail around it or behind."""
    w, tall = dice(14, 18), dice(44, 54)
    head = Blob((0, 9, tall + 16), (14, 12, 12))
    _, hy, hz = head.centre
    flesh: Flesh = [
        Blob((0, -6, 20), (w, 19, 20)),
        Limb((0, -2, 26), (0, 6, tall), w * 0.86, 9.5),
        head,
        Blob((0, hy + 10, hz - 4), (5.8, 4.6, 4.4)),
    ]
    flesh += twins(
        Blob((w * 0.72, -4, 11), (8, 15, 11)),
        Blob((w * 0.8, 11, 3.4), (4.4, 8, 3.4)),
        *chain([(5.4, 9, tall * 0.75), (5.6, 15, 20), (5.6, 15, 4)], [5.4, 4.2, 3.8]),
        Blob((5.6, 18, 3.4), (4.4, 6, 3.4)),
    )
    flesh += _cat_ears(7.5, hy - 1, hz + 8, 13)
    if dice.yes():
        flesh += smooth_chain([(0, -22, 4), (w + 4, -18, 3.4), (w + 9, 0, 3.2), (w + 2, 16, 3.2)], [4, 3.2, 2.8])
    else:
        flesh += smooth_chain([(0, -20, 5), (0, -34, 4), (6, -46, 10), (4, -44, dice(22, 36))], [4, 3.4, 2.6])
    return [blend(flesh, 4, 80), *eyes(head, 28, 12, 2.1), ball(1.8, 0, hy + 14.2, hz - 2.6)]


def _dog(dice: Dice) -> Parts:
    """A dog that stands: long or short legs, a snout, ears that hang or point, a tail that curls or points."""
    long, leg, r = dice(22, 34), dice(14, 34), dice(9, 13)
    z = leg + r * 0.7
    head = Blob((0, long + dice(12, 17), z + dice(14, 22)), (9.5, 10.5, 9.5))
    _, hy, hz = head.centre
    snout = dice(9, 15)
    flesh: Flesh = [
        Limb((0, -long, z), (0, long, z + 1), r * 0.86, r),
        Limb((0, long * 0.9, z + 4), (0, hy - 3, hz - 4), r * 0.85, 7),
        head,
        Limb((0, hy + 5, hz - 3), (0, hy + 6 + snout, hz - 4.5), 5.8, 4.4),
    ]
    flesh += _legs(dice, r * 0.66, long * 0.98, -long * 0.98, z, dice(3.6, 4.8), 2.6, dice(0, 7))
    if dice.yes(0.6):
        flesh += twins(Blob((9.6, hy - 3, hz - 2), (2.6, 5, 10), 14, 8))
    else:
        flesh += _cat_ears(5.6, hy - 3, hz + 6, 12)
    way = dice.one("up", "curl", "back")
    low: Spot = (0, -long - r * 0.6, z + 4)
    if way == "up":
        tail = [low, (0, -long - r - 8, z + 14), (0, -long - r - 9, z + 30)]
    elif way == "curl":
        tail = [low, (0, -long - r - 7, z + 14), (0, -long - r + 1, z + 23), (0, -long - r + 7, z + 15)]
    else:
        tail = [low, (0, -long - r - 14, z + 3), (0, -long - r - 26, z - 5)]
    flesh += smooth_chain(tail, [3.4, 2.8, 1.8])
    return [blend(flesh, 4, 80), *eyes(head, 30, 24, 1.8), egg(4.4, 3.6, 3.4, 0, hy + 10 + snout, hz - 2.6)]


def _sitting_dog(dice: Dice) -> Parts:
    """A dog that sits, its ears hanging."""
    tall, w = dice(46, 54), dice(13, 16)
    head = Blob((0, 10, tall + 15), (12, 12, 11.5))
    _, hy, hz = head.centre
    snout = dice(7, 12)
    flesh: Flesh = [
        Blob((0, -8, 18), (w, 18, 18)),
        Limb((0, -4, 26), (0, 6, tall), w * 0.9, 9.5),
        head,
        Limb((0, hy + 6, hz - 4), (0, hy + 6 + snout, hz - 5), 6.8, 5.6),
    ]
    flesh += twins(
        Blob((w * 0.78, -4, 11), (7.5, 14, 11)),
        Blob((w * 0.9, 12, 3.6), (4.8, 8, 3.6)),
        *chain([(6, 8, tall * 0.74), (6.4, 14, 20), (6.4, 15, 4)], [6, 4.8, 4.2]),
        Blob((6.4, 19, 3.6), (4.8, 6.4, 3.6)),
    )
    flesh += twins(Blob((12.4, hy - 2, hz - 2), (2.8, 6, 11.5), 10, 10))
    flesh += smooth_chain([(0, -22, 6), (0, -33, 8), (0, -39, 20)], [3.8, 3.2, 2.2])
    return [blend(flesh, 4, 80), *eyes(head, 30, 20, 2), egg(5.6, 4.4, 4.2, 0, hy + 12 + snout, hz - 2.8)]


def _horse(dice: Dice) -> Parts:
    """A horse: long legs, an arched neck with a mane, a long head, a tail that hangs."""
    long, leg, r = dice(24, 28), dice(34, 40), dice(10.5, 12.5)
    z = leg + r * 0.6
    up, ahead = dice(26, 32), dice(14, 20)
    top = (0.0, long + ahead, z + up)
    nose = (0.0, long + ahead + 17, z + up - dice(12, 18))
    flesh: Flesh = [
        Limb((0, -long + 4, z), (0, long - 4, z), r, r * 0.96),
        Blob((0, -long + 2, z + 1), (r, r * 1.15, r * 1.1)),
    ]
    flesh += smooth_chain([(0, long - 6, z + 2), (0, long + ahead * 0.45, z + up * 0.42), top], [10, 7.4, 5.4])
    flesh += [Limb(top, nose, 6, 3.9), Blob(top, (5.4, 7, 6))]
    flesh += twins(Limb((2.6, top[1] - 2, top[2] + 4), (3.6, top[1] - 2, top[2] + 11), 2.2, 1.1))
    flesh += _legs(dice, r * 0.58, long * 0.86, -long * 0.95, z, dice(3, 3.6), 1.6, dice(0, 8))
    flesh += smooth_chain(
        [(0, -long - r + 3, z + 7), (0, -long - r - 6, z), (0, -long - r - 8, z - 24)], [2.6, 4, 3.4, 1.6]
    )
    mane = [
        Blob((0, long - 6 + (ahead + 1) * t - 3.6, z + 12.5 + (up - 4) * t), (1.9, 4.8, 6), 30)
        for t in np.linspace(0.1, 1, 5)
    ]
    flesh += mane
    head = Blob(top, (5.4, 7, 6))
    return [blend(flesh, 3.2, 88), *eyes(head, 60, -4, 1.5)]


def _elephant(dice: Dice) -> Parts:
    """An elephant: a heavy body, legs like columns, large ears, a trunk, tusks."""
    long, leg, r = dice(15, 19), dice(16, 22), dice(20, 23)
    z = leg + r * 0.75
    head = Blob((0, long + 25, z + 9), (13.5, 14, 15))
    _, hy, hz = head.centre
    flesh: Flesh = [Limb((0, -long, z), (0, long, z + 1), r, r * 0.95), head]
    for side in (-1, 1):
        for y in (-long * 1.05, long * 1.0):
            flesh.append(Limb((side * r * 0.58, y, z), (side * r * 0.62, y, 5.5), 8, 6.4))
            flesh.append(Blob((side * r * 0.62, y + 1, 4), (7.6, 8.2, 4)))
    if dice.yes(0.35):
        trunk = [(0, hy + 11, hz - 4), (0, hy + 22, hz - 12), (0, hy + 32, hz - 4), (0, hy + 35, hz + 12)]
    else:
        trunk = [(0, hy + 10, hz - 5), (0, hy + 19, hz - 18), (0, hy + 20, hz - 32), (0, hy + 26, max(hz - 40, 5))]
    flesh += smooth_chain([(float(a), float(b), float(c)) for a, b, c in trunk], [7, 5.2, 4, 3.2])
    flesh += smooth_chain([(0, -long - r + 1, z + 7), (0, -long - r - 5, z), (0, -long - r - 5, z - 16)], [2, 1.6, 2.2])
    spread = dice(10, 30)
    ear = Blob((0, 0, 0), (dice(13, 16), 2.2, dice(15, 18)))
    solid = blend([ear], 0.1, 40)
    ears = both(solid.translate((12, 0, 0)).rotate((0, 0, -spread)).translate((10, hy - 2, hz - 1)))
    tusks = both(rod((6.5, hy + 9, hz - 9), (8.5, hy + 24, hz - 15), 2.2, 1, 12))
    return [blend(flesh, 5, 80), *ears, *tusks, *eyes(head, 48, 14, 1.7)]


def _pig(dice: Dice) -> Parts:
    """A pig: a barrel of a body on short legs, a flat snout, ears, a curly tail."""
    long, leg, r = dice(17, 23), dice(11, 16), dice(18, 22)
    z = leg + r * 0.85
    head = Blob((0, long + 22, z + 6), (13.5, 13, 13))
    _, hy, hz = head.centre
    flesh: Flesh = [Limb((0, -long, z), (0, long, z), r, r * 0.95), head]
    flesh += _legs(dice, r * 0.56, long, -long, z, 4.6, 0.6, dice(0, 3))
    flesh += twins(Limb((8, hy + 1, hz + 9), (11.5, hy + 6, hz + 17), 4.4, 1.3))
    flesh += smooth_chain(
        [
            (0, -long - r + 1, z + 5),
            (3.5, -long - r - 4, z + 8),
            (0, -long - r - 6, z + 13),
            (-3, -long - r - 4, z + 9),
        ],
        [2, 1.5],
    )
    snout = Manifold.cylinder(11, 7.4, 6.4, 28).rotate((-90, 0, 0)).translate((0, hy + 8, hz - 2))
    holes = both(Manifold.cylinder(5, 1.6, 1.6, 12).rotate((-90, 0, 0)).translate((2.6, hy + 17, hz - 1.6)))
    return [blend(flesh, 4, 76) + (snout - holes[0] - holes[1]), *eyes(head, 28, 28, 1.9)]


def _giraffe(dice: Dice) -> Parts:
    """A giraffe: a very long neck, long legs, two little horns."""
    long, leg, r = dice(13, 16), dice(30, 35), dice(8.5, 10)
    z, up = leg + r * 0.6, dice(40, 46)
    top = (0.0, long + dice(12, 18), z + up)
    flesh: Flesh = [Limb((0, -long, z - 2), (0, long, z + 3), r * 0.92, r)]
    flesh += smooth_chain([(0, long, z + 4), (0, long + 6, z + up * 0.45), top], [7.6, 4.6, 3.7])
    flesh += [Limb(top, (0, top[1] + 12, top[2] - 5), 4.6, 2.8)]
    flesh += twins(
        Limb((1.9, top[1] - 1, top[2] + 3), (2.4, top[1] - 2, top[2] + 9.5), 1.2, 1.5),
        Limb((3.4, top[1] - 2, top[2] + 2), (8, top[1] - 4, top[2] + 3.4), 1.8, 1.2),
    )
    flesh += _legs(dice, r * 0.56, long * 0.95, -long, z, 2.7, 1, dice(0, 5))
    flesh += smooth_chain(
        [(0, -long - r + 2, z + 3), (0, -long - r - 3, z - 6), (0, -long - r - 2, z - 18)], [1.6, 1.4, 2]
    )
    return [blend(flesh, 3, 92), *eyes(Blob(top, (4.6, 5, 4.6)), 62, 10, 1.2)]


def _rabbit(dice: Dice) -> Parts:
    """A rabbit that sits: long ears, a round back, a ball of a tail; or upright like a toy."""
    up = dice.yes(0.45)
    tall = dice(26, 34)
    if up:
        head = Blob((0, 4, 56), (12.5, 12, 12))
        flesh: Flesh = [Blob((0, 0, 26), (16, 15, 23)), head]
        flesh += twins(Blob((9, 11, 5), (6, 13, 5)), Limb((12, 4, 38), (9, 15, 27), 4.6, 4))
        tail: Spot = (0, -16, 12)
    else:
        head = Blob((0, 28, 42), (12, 13.5, 12))
        flesh = [Blob((0, -10, 23), (18, 25, 21), -6), Limb((0, 8, 24), (0, 24, 36), 14, 9), head]
        flesh += twins(
            Blob((13, -10, 12), (7, 15, 12)),
            Blob((13.5, 2, 4), (4.6, 12, 4)),
            Limb((6, 20, 24), (6, 24, 4), 5, 3.8),
            Blob((6, 27, 3.6), (4, 6.4, 3.6)),
        )
        tail = (0, -36, 20)
    _, hy, hz = head.centre
    back = dice(0, 14) if not up else dice(-2, 6)
    ear = chain(
        [(5, hy - 3, hz + 8), (7.4, hy - 4 - back * 0.5, hz + 10 + tall * 0.5), (8.6, hy - 5 - back, hz + 10 + tall)],
        [3.8, 4.8, 2.2],
    )
    flesh += (
        twins(*ear)
        if dice.yes(0.8)
        else [
            *ear,
            *[
                p.mirrored()
                for p in chain(
                    [(5, hy - 3, hz + 8), (8, hy - 4, hz + 10 + tall * 0.55), (13, hy + 4, hz + tall * 0.5)],
                    [3.8, 4.4, 2.4],
                )
            ],
        ]
    )
    flesh += [Blob(tail, (6, 6, 6)), Blob((0, hy + 10, hz - 4), (5.4, 4.4, 4.4))]
    return [blend(flesh, 3.4, 80), *eyes(head, 38, 14, 2), ball(1.7, 0, hy + 14.4, hz - 2.4)]


def _bear(dice: Dice) -> Parts:
    """A teddy bear that sits, arms out; or stands."""
    stand = dice.yes(0.35)
    z = 30 if stand else 24
    head = Blob((0, 2, z + 34), (17, 15, 15.5))
    _, hy, hz = head.centre
    flesh: Flesh = [Blob((0, 0, z), (19, 16, 23)), head, Blob((0, hy + 13, hz - 4), (7.4, 6.5, 6))]
    arm = dice.one((30, 12, z + 2), (32, 6, z + 26), (27, 10, z - 6))
    flesh += twins(
        Limb((14, 2, z + 13), (float(arm[0]), float(arm[1]), float(arm[2])), 6.6, 6),
        Blob((12.5, hy - 1, hz + 12.5), (6.6, 3.6, 6.6)),
    )
    flesh += (
        twins(Limb((9, 1, 18), (10, 2, 5), 8, 7.4), Blob((10, 6, 4.4), (7.6, 10, 4.6)))
        if stand
        else twins(Limb((10, 4, 10), (17, 32, 8), 8.4, 7.4), Blob((17.5, 34, 10), (8, 5, 10)))
    )
    return [blend(flesh, 3, 76), *eyes(head, 27, 12, 2), egg(5.4, 4, 3.8, 0, hy + 19, hz - 2)]


CATS: Styles = {_standing_cat: 1, _sitting_cat: 1.2}
DOGS: Styles = {_dog: 2, _sitting_dog: 1}
HORSES: Styles = {_horse: 1}
ELEPHANTS: Styles = {_elephant: 1}
PIGS: Styles = {_pig: 1}
GIRAFFES: Styles = {_giraffe: 1}
RABBITS: Styles = {_rabbit: 1}
BEARS: Styles = {_bear: 1}
