"""Things with a meaning: signs, stars, hearts, hats, rings, dice, gears, hourglasses, umbrellas, candles, gifts."""

import numpy as np
from manifold3d import CrossSection, Manifold

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
    outline,
    ring,
    rod,
    soft,
    tube,
)
from maquette.datasets.solids.parts import Styles, egg, flat, prism, standing, torus, upright


def _hat(dice: Dice) -> Parts:
    """A hat, hollow below: a top hat, a bowler, a wizard's, a straw hat, a cap, a party cone."""
    style = dice.one("top", "top", "bowler", "wizard", "straw", "cap", "party")
    t = 2.8
    if style in ("top", "bowler", "wizard", "straw"):
        r = {"top": dice(26, 30), "bowler": dice(27, 31), "wizard": dice(20, 25), "straw": dice(22, 26)}[style]
        h = {"top": dice(42, 64), "bowler": dice(28, 36), "wizard": dice(66, 84), "straw": dice(20, 26)}[style]
        brim = r + {"top": dice(12, 18), "bowler": dice(9, 13), "wizard": dice(14, 22), "straw": dice(22, 26)}[style]
        if style == "top":
            waist = dice(0.86, 1)
            side = curve([(r, 2), (r * waist, h * 0.5), (r * dice(1, 1.12), h)], 4)
        elif style == "bowler":
            side = np.array([(r, 2), *arc(0, h * 0.35, r, 0, 90, 12, ry=h * 0.65)])
        elif style == "wizard":
            side = curve([(r, 2), (r * 0.55, h * 0.42), (1.2, h)], 4)
        else:
            side = np.array([(r, 2), (r * 0.9, h - 4), (r * 0.8, h)])
        wall = [(float(p), float(q)) for p, q in side]
        crown = lathe([(0, 0), (r, 0), *wall, (0, h)], 40)
        room = CrossSection([np.array([(-p, q) for p, q in wall[::-1]] + wall)]).offset(-t, circular_segments=20)
        half = CrossSection.square((200, 400), False).translate((0, -200))
        hole = Manifold.revolve(room ^ half, 40) + disc(r - t, 10.5, z=-5, sides=40)
        curl = dice(0, 7) if style in ("top", "bowler") else 0
        band = lathe([(r - 1, 3), (r + 1.3, 3), (r * 0.97 + 1.2, 10), (r * 0.9 - 1, 10)], 40)
        rim = lathe([(r - t, 0), (brim * 0.85, 0), (brim, curl), (brim, curl + t), (brim * 0.84, t), (r - t, t)], 40)
        parts: Parts = [(crown + (band if dice.yes(0.7) else Manifold())) - hole, rim.scale((1, dice(1, 1.15), 1))]
        if style == "wizard" and dice.yes(0.4):
            parts.append(ball(4, z=h))
        return parts
    if style == "party":
        r, h = dice(28, 36), dice(70, 84)
        cone = disc(r, h, r_top=1, sides=36) - disc(r - 3.4, h - 7, z=-0.2, r_top=0.2, sides=36)
        return [cone, ball(6, z=h), torus(r - 1, 2.2, z=1)]
    dome = egg(74, 84, 78, 0, -6, 0, 40) - egg(68, 78, 72, 0, -6, 0, 40)
    dome = dome.trim_by_plane((0, 0, 1), 0)
    visor = disc(1, 3, z=0, sides=40).scale((33, 42, 1)).translate((0, 24, 0))
    visor -= egg(70, 80, 74, 0, -6, 0, 40)
    visor = visor.trim_by_plane((0, 1, 0), -20)
    return [dome, visor, ball(3.4, 0, -6, 38.5)]


def _hourglass(dice: Dice) -> Parts:
    """Two bulbs that meet at a waist, between two plates held by three or four posts."""
    r, neck = dice(19, 25), dice(3, 4.5)
    plate, thick = r + dice(7, 11), dice(5, 8)
    line = curve(
        [(r * 0.8, thick - 1), (r, 25), (r * 0.5, 42), (neck, 50), (r * 0.5, 58), (r, 75), (r * 0.8, 101 - thick)], 5
    )
    glass = lathe([(0, thick - 1), *[(float(p), float(q)) for p, q in line], (0, 101 - thick)], 36)
    sides = dice.one(40, 40, 6, 8)
    ends = [prism(sides, plate, thick, z=z) for z in (0, 100 - thick)]
    count, x = dice.whole(3, 4), plate - 4.5
    if dice.yes(0.5):
        post = rod((x, 0, 1), (x, 0, 99), dice(1.8, 2.4), sides=14)
    else:
        wave = curve([(1.6, 1), (3, 24), (1.6, 38), (3.4, 50), (1.6, 62), (3, 76), (1.6, 99)], 4)
        post = lathe([(0, 1), *[(float(p), float(q)) for p, q in wave], (0, 99)], 16).translate((x, 0, 0))
    return [glass, *ends, *ring(count, post, 45 if count == 4 else 90)]


def _umbrella(dice: Dice) -> Parts:
    """An open umbrella, hollow below, with a hooked or straight handle; or a closed one; or a beach parasol."""
    if dice.yes(0.2):
        folds = dice.whole(6, 8)
        cloth = join(
            Manifold.hull_points(
                np.array(
                    [(0, 0, 34), (0, 0, 92), (8.5, 1.2, 42), (8.5, -1.2, 42), (7, 2.8, 40), (7, -2.8, 40), (2, 0, 90)]
                )
            ).rotate((0, 0, 360 * k / folds))
            for k in range(folds)
        )
        hook = tube([(p, 0, q) for p, q in arc(6, 8, 6, 180, 360, 9)], 2, 2)
        return [cloth, disc(4, 58, z=33, r_top=1.6), rod((0, 0, 8), (0, 0, 100), 1.5, sides=12), hook]
    count, r, h = dice.one(6, 8, 8, 10), 50.0, dice(20, 32)
    tall = dice(72, 92)
    t, rows = 3.0, 7
    shells = []
    for less in (0.0, t):
        shell: Parts = []
        for k in range(count):
            a, b = 2 * np.pi * k / count, 2 * np.pi * (k + 1) / count
            for i in range(rows):
                corner = []
                for q in (i / rows, (i + 1) / rows):
                    radius = (r - less * 0.4) * np.sin(q * np.pi / 2) + (6 if less and q == 1 else 0)
                    z = tall - less - h + h * np.cos(q * np.pi / 2)
                    corner += [(radius * np.cos(c), radius * np.sin(c), z) for c in (a, b)] + [(0, 0, z)]
                corner += [(0, 0, corner[-1][2])]
                shell.append(Manifold.hull_points(np.array(corner)))
        shells.append(join(shell))
    scallops = join(
        egg(2 * np.pi * r / count * 0.86, 15, h * 0.5, 0, r * np.cos(np.pi / count), tall - h - 0.5).rotate(
            (0, 0, 360 * (k + 0.5) / count - 90)
        )
        for k in range(count)
    )
    canopy = (shells[0] - shells[1]) - (scallops if dice.yes(0.6) else Manifold())
    parts: Parts = [canopy, rod((0, 0, 8), (0, 0, tall + 8), 1.6, sides=14)]
    end = dice.weighted({"hook": 3.0, "knob": 1.0, "foot": 1.0})
    if end == "hook":
        parts.append(tube([(0, 0, 14), *[(p, 0, q) for p, q in arc(7, 8, 7, 180, 350, 9)]], 2.3, 2))
    elif end == "knob":
        parts.append(rod((0, 0, -2), (0, 0, 14), 2.8, 2.2, 16))
    else:
        parts += [disc(15, 6, z=0, sides=32), disc(4, 12, z=4)]
    tilt = dice.one(0, 0, 0, dice(-25, 25)) if end != "foot" else 0
    return [join(parts).rotate((0, tilt, 0))]


def _candle(dice: Dice) -> Parts:
    """A candle with a flame: in a dish with a finger ring, on a tall turned stick, or thick and plain."""
    flame = dice.yes(0.75)
    style = dice.one("dish", "stick", "plain", "three")

    def lit(r: float, z: float, h: float) -> Manifold:
        wax = disc(r, h, z=z, sides=28) + rod((0, 0, z + h - 1), (0, 0, z + h + 5), 1.1)
        drips = (
            join(
                rod((r * np.cos(a), r * np.sin(a), z + h - dice(8, 16)), (r * np.cos(a), r * np.sin(a), z + h - 1), 1.5)
                for a in dice.one([0.6, 2.1, 4.0], [])
            )
            if r > 5
            else Manifold()
        )
        if not flame:
            return wax + drips
        line = curve([(0.3, z + h + 2), (3.4, z + h + 7), (2.3, z + h + 12), (0.3, z + h + 19)], 4)
        tongue = lathe([(0, z + h + 2), *[(max(float(p), 0.0), float(q)) for p, q in line]], 20)
        return wax + drips + tongue.scale((min(r / 5, 1.3), min(r / 5, 1.3), 1))

    if style == "dish":
        r = dice(30, 38)
        dish = lathe([(0, 0), (r * 0.7, 0), (r, 8), (r, 11), (r * 0.68, 3.4), (0, 3.4)], 36)
        loop = upright(torus(8, 2.2)).translate((r + 6, 0, 9))
        return [dish, loop, disc(11, 8, z=2, sides=28), lit(dice(7, 9), 5, dice(36, 52))]
    if style == "stick":
        r, z = dice(16, 22), dice(40, 52)
        line = curve(
            [(r, 0), (r, 4), (4, 11), (3, z * 0.4), (6.5, z * 0.55), (3, z * 0.72), (4, z - 6), (9, z), (9, z + 3)], 3
        )
        stick = lathe([(0, 0), *[(max(float(p), 1.5), float(q)) for p, q in line], (0, z + 3)], 32)
        return [stick, lit(dice(4.4, 5.6), z, dice(24, 36))]
    if style == "three":
        z = dice(36, 44)
        parts: Parts = [disc(17, 5), rod((0, 0, 0), (0, 0, z + 12), 2.6, sides=16)]
        arm = tube([(p, 0, z - q) for p, q in arc(0, 0, 22, 0, 180, 13, ry=20)], 2.1, 2)
        cups = [disc(3, 5, x, 0, q, r_top=6.5) for x, q in ((-22, z - 1), (22, z - 1), (0, z + 10))]
        sticks = [lit(4.2, q + 4, 20).translate((x, 0, 0)) for x, q in ((-22, z - 1), (22, z - 1), (0, z + 10))]
        return [*parts, arm, *cups, *sticks]
    r = dice(15, 24)
    base = disc(r * 1.5, 4, sides=36) if dice.yes() else Manifold()
    return [base, lit(r, 0 if base.is_empty() else 2, dice(44, 66))]


def _gift(dice: Dice) -> Parts:
    """A wrapped box, its lid a little wider, a ribbon crosswise round it and a bow of loops on top."""
    w, d, h = dice(60, 84), dice(54, 84), dice(36, 76)
    lid = dice(9, 16)
    band, t = dice(9, 14), 2.2
    parts: Parts = [box(w, d, h), box(w + 5, d + 5, lid, z=h - lid)] if dice.yes(0.75) else [box(w, d, h)]
    over = 5 if len(parts) == 2 else 0
    for a, b in ((w, d), (d, w)):
        strap = box(band, b + 2 * t, h) + box(band, b + over + 2 * t, lid + t, z=h - lid)
        parts.append(strap if a == w else strap.rotate((0, 0, 90)))
    loops, long = dice.one(2, 4, 4), dice(20, 28)
    shape = curve(
        [(0, 0), (long * 0.5, long * 0.5), (long, long * 0.52), (long * 0.98, long * 0.1), (long * 0.5, -0.5), (0, 0)],
        4,
    )
    eye = outline(shape[:-1])
    loop = standing(eye, band * 0.95) - standing(eye.offset(-2.6, circular_segments=16), 99)
    start = 0 if loops == 2 else 45
    bow = [loop.rotate((0, 0, start + 360 * k / loops)).translate((0, 0, h + 2)) for k in range(loops)]
    knot = soft(band, band, 9, z=h + 0.5, r=3)
    tails = (
        [rod((0, 0, h + 3), (s * long * 0.7, long * 0.8, h + 2.6), 2.4, sides=6) for s in (-1, 1)]
        if dice.yes(0.6)
        else []
    )
    return [*parts, *bow, knot, *tails]


def _bell(dice: Dice) -> Parts:
    """A bell, hollow below, with its clapper and a loop or a handle above."""
    r, h = dice(32, 44), dice(58, 74)
    wall = curve([(r, 0), (r * 0.76, h * 0.18), (r * 0.58, h * 0.55), (r * 0.5, h * 0.82), (r * 0.28, h)], 5)
    line = [(float(p), float(q)) for p, q in wall]
    half = CrossSection.square((200, 400), False).translate((0, -200))
    full = CrossSection([np.array([(-p, q) for p, q in line[::-1]] + line)])
    room = (full + CrossSection.square((2 * r, 20), True).translate((0, -9.9))).offset(-4, circular_segments=24)
    bell = Manifold.revolve((full - room) ^ half, 44)
    clapper = [rod((0, 0, 4), (0, 0, h - 2), 2, sides=12), ball(6.5, z=2)]
    if dice.yes(0.5):
        top = [upright(torus(7, 2.6)).translate((0, 0, h + 6))]
    else:
        grip = curve([(3, h - 2), (3.4, h + 6), (6, h + 18), (4.4, h + 32), (6, h + 36)], 4)
        top = [lathe([(0, h - 2), *[(float(p), float(q)) for p, q in grip], (0, h + 37)], 24)]
    lip = [torus(r - 0.6, 2.2, z=1.4)] if dice.yes() else []
    return [bell, *clapper, *top, *lip]


def _book(dice: Dice) -> Parts:
    """A closed book that stands, or lies in a pile, or lies open."""
    style = dice.one("closed", "pile", "open")
    if style == "open":
        w, d, rise = 50.0, dice(60, 74), dice(7, 12)
        page = curve([(0, 3), (8, 3 + rise), (24, 4 + rise * 0.9), (w - 2, 3 + rise * 0.4)], 5)
        leaf = flat([[(0, 2), *[(float(p), float(q)) for p, q in page], (w - 2, 2)]], d)
        cover = box(w * 2 + 3, d + 5, 2.8)
        middle = flat([[(-1, 2.9), (1, 2.9), (2.4, 30), (-2.4, 30)]], 2 * d)
        return [cover, (leaf + leaf.mirror((1, 0, 0)) + box(4, d, 4, z=1)) - middle]

    def volume(w: float, d: float, t: float) -> Manifold:
        covers = [box(w, d, 2.6, z=z) for z in (0, t - 2.6)]
        spine = box(3, d, t, -w / 2 + 1.5)
        return join([*covers, spine, box(w - 4, d - 6, t - 1, -0.5, 0, 0.5)])

    if style == "closed":
        w, d, t = dice(58, 76), 100.0, dice(14, 26)
        book = volume(w, d, t) + box(w * 0.55, d * 0.12, 2, 0, d * 0.22, t - 0.6)
        return [book.rotate((90, 0, 0)) if dice.yes(0.6) else book]
    parts, z = [], 0.0
    for _ in range(dice.whole(2, 5)):
        t = dice(11, 19)
        parts.append(
            volume(dice(58, 70), dice(78, 100), t).rotate((0, 0, dice(-16, 16) + dice.one(0, 180))).translate((0, 0, z))
        )
        z += t - 0.05
    return parts


HATS: Styles = {_hat: 1}

HOURGLASSES: Styles = {_hourglass: 1}

UMBRELLAS: Styles = {_umbrella: 1}

CANDLES: Styles = {_candle: 1}

GIFTS: Styles = {_gift: 1}

BELLS: Styles = {_bell: 1}

BOOKS: Styles = {_book: 1}
