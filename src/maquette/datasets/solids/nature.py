"""What grows, and a snowman: mushrooms, trees, flowers in pots, cacti, apples."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    ball,
    box,
    curve,
    disc,
    join,
    lathe,
    ring,
    rod,
    tube,
)
from maquette.datasets.solids.blend import Blob, Limb, blend, chain
from maquette.datasets.solids.parts import Styles, egg, upright, vessel


def _mushroom(dice: Dice) -> Parts:
    """A mushroom: a cap, hollowed a little below, on a stem; sometimes with spots, a ring, or a small one beside it."""

    def one(r: float, h: float, cap: float, stem: float) -> Manifold:
        style = dice.one("dome", "dome", "cone", "flat")
        if style == "dome":
            top = arc(0, h, r, 0, 90, 12, ry=cap)
        elif style == "cone":
            top = [
                (float(p), float(q))
                for p, q in curve([(r, h), (r * 0.8, h + cap * 0.4), (r * 0.3, h + cap), (0.1, h + cap * 1.2)], 4)
            ]
        else:
            top = [
                (float(p), float(q))
                for p, q in curve(
                    [(r, h), (r * 1.02, h + cap * 0.3), (r * 0.6, h + cap * 0.6), (0.1, h + cap * 0.55)], 4
                )
            ]
        dip = h + cap * 0.16
        head = lathe([(0, dip), (r * 0.8, dip), (r * 0.97, h - 1.6), *top, (0, top[-1][1])], 40)
        foot = curve([(stem * 1.35, 0), (stem * 1.2, h * 0.14), (stem * 0.95, h * 0.5), (stem, dip + 3)], 4)
        leg = lathe([(0, 0), *[(float(p), float(q)) for p, q in foot], (0, dip + 3)], 28)
        parts = [head, leg]
        if style == "dome" and dice.yes(0.6):
            for a, q in (
                (0.5, 0.35),
                (1.5, 0.3),
                (2.6, 0.38),
                (3.7, 0.32),
                (4.8, 0.36),
                (5.8, 0.3),
                (1.0, 0.75),
                (3.2, 0.8),
                (5.2, 0.7),
                (0, 1.5),
            ):
                u, v = r * np.cos(q), cap * np.sin(q)
                parts.append(egg(r * 0.26, r * 0.26, r * 0.26, u * np.cos(a), u * np.sin(a), h + v - r * 0.05, 16))
        if dice.yes(0.35):
            parts.append(
                lathe([(0, h * 0.62), (stem * 1.9, h * 0.54), (stem * 1.8, h * 0.6), (stem, h * 0.7), (0, h * 0.7)], 28)
            )
        return join(parts)

    big = one(dice(28, 46), dice(34, 62), dice(22, 36), dice(6, 13))
    if dice.yes(0.3):
        little = one(dice(14, 18), dice(20, 28), dice(10, 15), dice(4, 6))
        x = dice.one(-1, 1) * dice(14, 20)
        return [big, little.translate((x, dice(14, 22), 0)), disc(34, 5, x * 0.4, 4, -3, sides=40)]
    return [big]


def _fir(dice: Dice) -> Parts:
    """A fir: a trunk and two to five cones over one another."""
    count, r = dice.whole(2, 5), dice(22, 36)
    low = dice(10, 22)
    parts: Parts = [disc(dice(4, 6), low + 12, sides=16)]
    step = (100 - low) / (count + 0.6)
    sides = dice.one(8, 10, 32, 32)
    for k in range(count):
        q = r * (1 - k / (count + 0.6))
        parts.append(disc(q, step * 1.6, z=low + step * k, r_top=0.2, sides=sides))
    if dice.yes(0.25):
        parts.append(box(26, 26, 5, z=-4))
    return parts


def _round_tree(dice: Dice) -> Parts:
    """A leafy tree: a trunk with a crown of one ball or several, blended."""
    low, thick = dice(28, 48), dice(4, 8)
    count = dice.one(1, 4, 6, 8)
    if count == 1:
        w, h = dice(44, 66), 100 - low + 6
        crown = (
            egg(w, w, h, z=low - 4 + h / 2, sides=36)
            if dice.yes(0.6)
            else disc(w * 0.42, h, z=low - 4, r_top=dice(0.3, 5), sides=32)
        )
    else:
        r = dice(14, 18)
        spots = [(r * np.cos(a), r * np.sin(a), low + 16 + dice(-4, 8)) for a in np.arange(count) * 2 * np.pi / count]
        flesh = [
            Blob((float(x), float(y), float(z)), (q, q, q * 0.92))
            for (x, y, z), q in zip(spots, [r * dice(0.85, 1.15) for _ in spots], strict=True)
        ]
        top = [Blob((dice(-6, 6), dice(-6, 6), low + 32), (r * 1.15, r * 1.15, r)), Blob((0, 0, low + 18), (r, r, r))]
        crown = blend([*flesh, *top], 2.5, 64)
    line = curve([(thick * 1.7, 0), (thick * 1.05, 6), (thick * 0.8, low * 0.6), (thick * 0.95, low + 8)], 4)
    parts: Parts = [crown, lathe([(0, 0), *[(float(p), float(q)) for p, q in line], (0, low + 8)], 18)]
    if count > 1 and dice.yes(0.5):
        parts += [rod((0, 0, low * 0.6), (s * 12, dice(-5, 5), low + 14), 2.4) for s in (-1, 1)]
    return parts


def _palm(dice: Dice) -> Parts:
    """A palm: a bent ringed trunk and long leaves that hang over, with nuts."""
    lean, tall = dice(-14, 14), dice(66, 78)
    line = curve([(0, 0, 0), (lean * 0.15, 0, tall * 0.4), (lean, 0, tall)], 5)
    radii = np.linspace(5, 3, len(line))
    trunk = [rod(a, b, p * 1.18, p * 0.92, 14) for a, b, p in zip(line[:-1], line[1:], radii[:-1], strict=True)]
    count, long, drop = dice.whole(6, 9), dice(28, 36), dice(16, 28)
    leaf = []
    ridge = [(long * t, 0, 9 * np.sin(np.pi * t * 0.8) - drop * t**2.2) for t in np.linspace(0, 1, 7)]
    widths = [2, 5.5, 7, 7, 6, 4, 1.2]
    for (x0, _, z0), (x1, _, z1), u, v in zip(ridge[:-1], ridge[1:], widths[:-1], widths[1:], strict=True):
        leaf.append(
            Manifold.hull_points(
                np.array(
                    [
                        (x0, 0, z0 + 1.3),
                        (x1, 0, z1 + 1.3),
                        (x0, -u, z0 - 2),
                        (x0, u, z0 - 2),
                        (x1, -v, z1 - 2),
                        (x1, v, z1 - 2),
                        (x0, -u, z0 - 3.2),
                        (x0, u, z0 - 3.2),
                        (x1, -v, z1 - 3.2),
                        (x1, v, z1 - 3.2),
                    ]
                )
            )
        )
    leaves = [p.translate((lean, 0, tall)) for p in ring(count, join(leaf), dice(0, 90))]
    nuts = [ball(3.6, lean + 5 * np.cos(a), 5 * np.sin(a), tall - 3) for a in (0.5, 2.6, 4.6)] if dice.yes(0.7) else []
    hill = egg(dice(34, 54), 36, 14, z=0) if dice.yes(0.4) else disc(8, 3, sides=16)
    return [*trunk, *leaves, *nuts, hill.trim_by_plane((0, 0, 1), -1), ball(4.5, lean, 0, tall)]


def _bare_tree(dice: Dice) -> Parts:
    """A tree without leaves: a trunk that forks and forks again."""
    flesh: list = chain([(0, 0, 0), (dice(-2, 2), 0, 22), (0, 0, 40)], [8.5, 5.4, 5])

    def grow(start: tuple[float, float, float], way: np.ndarray, long: float, r: float, level: int) -> None:
        x, y, z = (float(value) for value in np.asarray(start) + way * long)
        flesh.append(Limb(start, (x, y, z), r, r * 0.72))
        if level == 0:
            return
        for k in range(2 if level < 2 else 3):
            turn = dice(0, 2 * np.pi) + 2 * np.pi * k / 3
            side = np.array([np.cos(turn), np.sin(turn), 0]) * dice(0.5, 0.85)
            new = way + side + (0, 0, 0.25)
            grow((x, y, z), new / np.linalg.norm(new), long * dice(0.62, 0.8), max(r * 0.7, 1.4), level - 1)

    for k in range(3):
        a = dice(0, 1) + 2 * np.pi * k / 3
        way = np.array([np.cos(a) * 0.7, np.sin(a) * 0.7, 1.0])
        grow((0, 0, 36), way / np.linalg.norm(way), dice(19, 24), 3.8, 2)
    flesh += [Limb((0, 0, 5), (13 * np.cos(a), 13 * np.sin(a), 0.6), 4, 1.8) for a in np.arange(5) * 1.256 + dice(0, 1)]
    return [blend(flesh, 2, 80)]


def _pot(dice: Dice, r: float, h: float) -> Parts:
    """A flower pot with its rim, filled with earth nearly to the top."""
    foot = r * dice(0.62, 0.8)
    body = vessel([(foot, 0), (r * 0.96, h - 6)], 3, 4).body
    rim = lathe([(r * 0.9, h - 8), (r + 1.6, h - 8), (r + 2.2, h), (r - 2, h), (r - 2, h - 6), (r * 0.9, h - 6)], 36)
    earth = disc(foot - 1, h - 8, z=2, r_top=r - 3, sides=36)
    return [body, rim, earth, *([disc(r * 1.05, 3, z=-2, sides=36)] if dice.yes(0.35) else [])]


def _leaf(long: float, wide: float, lift_deg: float) -> Manifold:
    """A leaf from the origin along +x, with a ridge, lifted."""
    points = [
        (long * t, s * wide * np.sin(np.pi * t**0.8), z)
        for t in np.linspace(0, 1, 7)
        for s in (-1, 1)
        for z in (-1.1, 0.6)
    ]
    return Manifold.hull_points(np.array([*points, (long * 0.4, 0, 1.8)])).rotate((0, -lift_deg, 0))


def _flower(dice: Dice) -> Parts:
    """A flower in a pot: a daisy, a sunflower or a tulip on a stem with leaves; one or three."""
    r, h = dice(15, 21), dice(24, 32)
    parts = _pot(dice, r, h)
    kind = dice.one("daisy", "daisy", "tulip", "round")
    tops = [(0.0, 0.0, 88.0)] if dice.yes(0.65) else [(0.0, 0.0, 88.0), (-17.0, 3.0, 70.0), (17.0, 2.0, 74.0)]
    size = dice(13, 17) if len(tops) == 1 else dice(9, 11)
    for x, y, z in tops:
        line = curve([(x * 0.15, 0, h * 0.6), (x * 0.6 + dice(-2, 2), y * 0.5, (h + z) / 2), (x, y, z)], 4)
        parts.append(tube(line, 1.7, 2))
        if kind == "tulip":
            cup = lathe(
                [
                    (0, 0),
                    *[
                        (float(p), float(q))
                        for p, q in curve(
                            [(1.5, 0), (size * 0.62, 5), (size * 0.66, size), (size * 0.5, size * 1.5)], 4
                        )
                    ],
                    (0, size * 1.3),
                ],
                30,
            )
            cut = join(ring(3, rod((0, 0, size * 2.1), (size * 2, 0, size * 1.5), size * 0.5, sides=4), 30))
            parts.append((cup - cut).translate((x, y, z - 2)))
            continue
        count = dice.whole(5, 8) if kind == "round" else dice.whole(9, 13)
        if kind == "round":
            petal = egg(size * 1.05, size * 0.9, 4, size * 0.72, 0, 0, 24)
        else:
            petal = egg(size * 1.1, size * 0.46, 3.2, size * 0.78, 0, 0, 20)
        head = join([*ring(count, petal), egg(size * 0.95, size * 0.95, 7, 0, 0, 1.4, 24)])
        parts.append(upright(head).rotate((dice(12, 40), 0, 0)).translate((x, y + 1.5, z)))
    for k in range(dice.whole(2, 4)):
        turn = 25 + 180 * (k % 2) + dice(-30, 30)
        parts.append(
            _leaf(dice(20, 28), dice(4, 6.5), dice(20, 60))
            .rotate((0, 0, turn))
            .translate((0, 0, h * 0.9 + dice(-1, 12)))
        )
    return parts


def _cactus(dice: Dice) -> Parts:
    """A cactus, ribbed or smooth, with one or two arms, in a pot or on a little hill."""
    potted = dice.yes(0.65)
    z = dice(22, 30) if potted else 4.0
    r, top = dice(8.5, 11), 100.0
    flesh: list = [Limb((0, 0, z * 0.7), (0, 0, top - r), r * 0.95, r)]
    for side in dice.one((-1, 1), (-1, 1), (1,), (-1,)):
        low, out, up = z + dice(18, 34), dice(19, 24), dice(16, 28)
        q = r * dice(0.55, 0.7)
        flesh += chain(
            [(0, 0, low), (side * (out - 3), 0, low + 1), (side * out, 0, low + 5), (side * out, 0, low + up)],
            [q, q, q, q],
        )
    parts: Parts = [blend(flesh, 2.5, 72)]
    ribs = join(rod((r + 0.6, 0, z), (r + 1.0, 0, top - r), 1.5, sides=8).rotate((0, 0, 45 * k + 22)) for k in range(8))
    parts += [ribs] if dice.yes(0.5) else []
    return [*parts, *(_pot(dice, dice(17, 22), z) if potted else [egg(60, 54, 16, z=0).trim_by_plane((0, 0, 1), 0)])]


def _snowman(dice: Dice) -> Parts:
    """Two or three balls of snow, a carrot nose, eyes and buttons; a hat, a scarf, arms of sticks."""
    three = dice.yes(0.75)
    radii = [dice(23, 27), dice(17, 20), dice(12, 14.5)] if three else [dice(26, 31), dice(17, 21)]
    zs = [radii[0] * 0.92]
    for a, b in zip(radii[:-1], radii[1:], strict=True):
        zs.append(zs[-1] + (a + b) * 0.84)
    parts: Parts = [Manifold.sphere(q, 40).translate((0, 0, z)) for q, z in zip(radii, zs, strict=True)]
    parts[0] = parts[0].trim_by_plane((0, 0, 1), 0)
    head, z = radii[-1], zs[-1]
    parts.append(rod((0, head * 0.8, z - 0.5), (0, head + dice(9, 14), z - 1), 2.8, 0.7, 14))
    for x in (-0.36, 0.36):
        parts.append(ball(1.9, x * head, head * 0.86, z + head * 0.34))
    body, low = radii[-2], zs[-2]
    for a in np.radians([-14, 14, 42]) if three else np.radians([-20, 10, 40]):
        parts.append(ball(2.2, 0, body * np.cos(a), low + body * np.sin(a)))
    if dice.yes(0.7):
        brim, tall = head * dice(1.05, 1.3), dice(14, 20)
        top = z + head * 0.72
        parts += [disc(brim, 2.6, z=top, sides=32), disc(head * 0.74, tall, z=top, sides=32)]
    if dice.yes(0.6):
        neck = z - head * 0.78
        parts += [egg(head * 1.9, head * 1.9, 8, z=neck), box(5.5, 4, 17, head * 0.42, body * 0.82, neck - 17)]
    if dice.yes(0.75):
        for s in (-1, 1):
            end = np.array([s * (body + dice(18, 24)), 2, low + dice(8, 20)])
            start = np.array([s * body * 0.7, 0, low + 3])
            parts.append(rod(start, end, 1.5, 1.2))
            knee = start + 0.72 * (end - start)
            parts += [rod(knee, knee + (s * 6, 0, 8), 1.1), rod(knee, knee + (s * 8, 1, -3), 1.1)] if dice.yes() else []
    return parts


def _apple(dice: Dice) -> Parts:
    """An apple with its stalk and often a leaf."""
    w = dice(34, 43)
    points = [(0.3, 8), (9, 4), (w * dice(0.55, 0.75), 6), (w, 44), (w * dice(0.65, 0.8), 74), (w * 0.3, 76), (0.3, 66)]
    return _fruit(dice, curve(points, 5), 64)


def _pear(dice: Dice) -> Parts:
    """A pear with its stalk and often a leaf."""
    w, neck = dice(28, 35), dice(0.38, 0.55)
    points = [(0.5, 6), (12, 1), (w, 20), (w * 0.95, 42), (w * (neck + 0.12), 66), (w * neck, 82), (4, 90), (0.2, 87)]
    return _fruit(dice, curve(points, 5), 86)


def _fruit(dice: Dice, line: np.ndarray, top: float) -> Parts:
    body = lathe([(max(float(p), 0.0), float(q)) for p, q in line], 44)
    bend = dice(-8, 8)
    parts: Parts = [body, tube(curve([(0, 0, top), (bend * 0.3, 0, top + 14), (bend, 0, top + dice(22, 28))], 3), 2, 2)]
    if dice.yes(0.7):
        way = dice.one(0, 180)
        parts.append(
            _leaf(dice(26, 34), dice(7, 9), dice(5, 30))
            .scale((1, 1, 1.3))
            .rotate((0, 0, way))
            .translate((bend * 0.3, 0, top + 13))
        )
    return parts


MUSHROOMS: Styles = {_mushroom: 1}
TREES: Styles = {_fir: 1.4, _round_tree: 2, _palm: 1, _bare_tree: 0.8}
FLOWERS: Styles = {_flower: 1}
CACTI: Styles = {_cactus: 1}
SNOWMEN: Styles = {_snowman: 1}
APPLES: Styles = {_apple: 1}
PEARS: Styles = {_pear: 1}
