"""Tools and cutlery: spoons, forks, keys, hammers, spanners, axes, saws, shovels, brushes. Drawn upright, then posed."""

import numpy as np
from manifold3d import CrossSection, Manifold

from maquette.datasets.furniture.parts import Dice, Parts, arc, box, curve, disc, join, lathe, rod, soft, spaced, stack
from maquette.datasets.solids.parts import Styles, board, egg, flat, posed, prism, standing, torus, upright


def _smooth_side(points: list[tuple[float, float]], count: int = 4) -> list[tuple[float, float]]:
    """A closed outline, the same at both sides, through the points (half width, z) of its right side."""
    line = [(float(x), float(z)) for x, z in curve(points, count)]
    return [*line, *[(-x, z) for x, z in line[::-1]]]


def _grip(dice: Dice, long: float, r: float, z: float = 0) -> Manifold:
    """A turned wooden handle from z upwards."""
    line = curve([(r * 0.8, z), (r * 1.1, z + long * 0.2), (r * 0.8, z + long * 0.55), (r, z + long)], 4)
    return lathe([(0, z), *[(float(p), float(q)) for p, q in line], (0, z + long)], 20)


def _spoon(dice: Dice) -> Parts:
    """A spoon: a hollow oval bowl above a handle that widens at its end. Long, short, wooden or a ladle."""
    w, long = dice(19, 26), dice(26, 34)
    deep, t = dice(7, 10), 2.4
    z = 100 - long / 2
    bowl = egg(w, 2 * deep, long, 0, 0, z, 40) - egg(w - 2 * t, 2 * (deep - t), long - 2 * t, 0, 0, z, 40)
    bowl = bowl.trim_by_plane((0, -1, 0), 0)
    neck = 100 - long + 1
    t2, end = dice(2.4, 3.2), dice(3.2, 5.5)
    stem = _smooth_side([(end * 0.7, 0), (end, 5), (2.0, neck * 0.5), (1.6, neck - 8), (3, neck + 3)])
    return posed(dice, join([bowl, board(stem, t2, -t2 / 2)]))


def _ladle(dice: Dice) -> Parts:
    """A ladle: a round bowl that opens upwards at the foot of a long handle with a hook."""
    r = dice(13, 17)
    ball = Manifold.sphere(r, 36) - Manifold.sphere(r - 2.6, 36)
    cup = ball.trim_by_plane((0, 0, -1), 0)
    top = 100 - r
    line = [(0, -r + 1.3, -1), (0, -r - 1, 12), (0, -r - 1, top - 9)] + [
        (0, -r + 6 + p, top - 9 + q) for p, q in arc(0, 0, 7, 180, 0, 7)[1:]]
    stem = join(rod(a, b, 1.6, sides=12) + egg(3.2, 3.2, 3.2, *b, sides=12) for a, b in zip(line[:-1], line[1:], strict=True))
    return [cup, stem]


def _fork(dice: Dice) -> Parts:
    """A fork with two to four tines; a table fork or a garden fork."""
    count, w, t = dice.whole(3, 4), dice(17, 22), dice(2.4, 3.2)
    long = dice(24, 30)
    wide = min(2.8, w / (2 * count - 1) * 1.1)
    low = 100 - long
    head = _smooth_side([(1.7, low - 19), (w * 0.36, low - 11), (w / 2, low - 2), (w / 2, low + 2)], 3)
    tines = [board([(x - wide / 2, low), (x + wide / 2, low), (x + wide * 0.34, 98), (x, 100), (x - wide * 0.34, 98)], t)
             for x in spaced(-w / 2 + wide / 2, w / 2 - wide / 2, count)]
    end = dice(3, 5)
    stem = _smooth_side([(end * 0.7, 0), (end, 5), (2, 32), (1.6, low - 20), (1.8, low - 16)])
    return posed(dice, join([board(head, t), board(stem, t), *tines]))


def _pitchfork(dice: Dice) -> Parts:
    """A fork for hay or the garden: a round shaft, a curved bar, long tines."""
    count, w = dice.whole(3, 4), dice(22, 30)
    z = dice(62, 68)
    shaft = rod((0, 0, 2), (0, 0, z + 1), 1.8, sides=14)
    bow = [(p, 0, z + 6 + q) for p, q in arc(0, 0, w / 2, 180, 360, 11, ry=6)]
    bar = join(rod(a, b, 1.5, sides=10) + egg(3, 3, 3, *b, sides=10) for a, b in zip(bow[:-1], bow[1:], strict=True))
    tines = []
    for x in spaced(-w / 2, w / 2, count):
        base = z + 6 - 6 * np.sqrt(max(0.0, 1 - (2 * x / w) ** 2))
        tines.append(rod((x, 0, base - 0.5), (x, 0, 100), 1.5, 0.9, 10))
    grip = rod((-6, 0, 2), (6, 0, 2), 2, sides=12) if dice.yes() else egg(5, 5, 5, z=2)
    return posed(dice, join([shaft, bar, *tines, grip]))


def _key(dice: Dice) -> Parts:
    """An old key: a ring, heart or clover to hold, a round shaft, a bit with teeth; or a flat modern one."""
    if dice.yes(0.4):
        t, r = dice(4, 7), dice(19, 25)
        bow = dice.one(arc(0, 100 - r, r, 0, 360, 33)[:-1], [(r * np.cos(a), 100 - r + r * np.sin(a)) for a in np.radians(
            np.arange(8) * 45 + 22.5)], [(-r, 100 - 1.8 * r), (r, 100 - 1.8 * r), (r, 100), (-r, 100)])
        w, z = dice(6.5, 8.5), 100 - 2 * r
        cuts = [(w, z + 8)]
        for k, q in enumerate(spaced(z - 4, 11, 6)):
            cuts += [(w * (0.9 if k % 2 else dice(0.1, 0.5)), q)]
        blade = [*cuts, (w * 0.5, 4), (0, 0), (-w, 7), (-w, z + 8)]
        hole = arc(0, 100 - r * 0.55, r * dice(0.2, 0.3), 0, 360, 25)[:-1]
        groove = board([(-w * 0.55, 10), (-w * 0.15, 10), (-w * 0.15, z), (-w * 0.55, z)], t * 0.4, t / 2)
        body = board(bow, t, r=2) + board(blade, t)
        return posed(dice, body - flat([hole], 3 * t) - groove)
    r, bar = dice(13, 18), dice(2.8, 4)
    t = dice(2.8, 4.2)
    style = dice.one("ring", "ring", "clover", "heart")
    if style == "ring":
        bow = upright(torus(r, bar)).scale((dice(0.9, 1.3), 1, 1)).translate((0, 0, 100 - r - bar))
    elif style == "clover":
        one = upright(torus(r * 0.55, bar * 0.85))
        bow = join(one.translate((x, 0, z)) for x, z in (
            (-r * 0.7, 100 - 1.6 * r), (r * 0.7, 100 - 1.6 * r), (0, 100 - 0.7 * r)))
        bow += upright(disc(bar, 4, z=-2)).translate((0, 0, 100 - 1.6 * r))
    else:
        shape = CrossSection([np.array(heart_line(2.3 * r))])
        inner = shape.offset(-2 * bar, circular_segments=24)
        bow = standing(shape - inner, 1.8 * bar).translate((0, 0, 100 - 1.3 * r))
    low = 100 - 2 * r - bar
    shaft = rod((0, 0, 0), (0, 0, low), t, sides=16)
    collar = [lathe([(0, z - 1.6), (t + 1.8, z - 1.2), (t + 1.8, z + 1.2), (0, z + 1.6)], 20) for z in (low - 1, low - 7)]
    wide, tall = dice(13, 19), dice(18, 25)
    bit = board([(0, 4), (t + wide, 4), (t + wide, 4 + tall), (0, 4 + tall)], 3.2)
    bit -= box(wide * 0.5, 9, tall * 0.2, t + wide, 0, 4 + tall * dice(0.4, 0.5))
    if dice.yes(0.6):
        bit -= box(wide * 0.26, 9, tall * 0.3, t + wide * 0.45, 0, 3.9)
    if dice.yes(0.5):
        bit -= box(wide * 0.26, 9, tall * 0.5, t + wide * 0.6, 0, 4 + tall * 0.8)
    return posed(dice, join([bow, shaft, bit, *(collar[: dice.whole(1, 2)])]))


def heart_line(w: float) -> list[tuple[float, float]]:
    """The outline of a heart around the origin.

    Args:
        w: its width.

    Returns:
        Points (x, z), against the clock.
    """
    a = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = 16 * np.sin(a) ** 3
    z = 13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)
    return [(float(p), float(q)) for p, q in np.c_[-x, z] * w / 32]


def _hammer(dice: Dice) -> Parts:
    """A claw hammer, a sledgehammer, a wooden mallet."""
    style = dice.weighted({"claw": 2.0, "sledge": 1.0, "mallet": 1.0})
    z = dice(84, 90)
    if style == "mallet":
        r, long = dice(11, 15), dice(38, 50)
        head = Manifold.cylinder(long, r, r, dice.one(32, 32, 8), True).rotate((0, 90, 0)).translate((0, 0, z))
        rims = [Manifold.cylinder(4, r + 1.4, r + 1.4, 32, True).rotate((0, 90, 0)).translate((x, 0, z)) for x in (
            -long * 0.36, long * 0.36)]
        shaft = lathe([(0, 0), (3.6, 0), (4.4, 8), (3.2, 40), (3, z), (0, z)], 20)
        return posed(dice, join([head, shaft, *(rims if dice.yes() else [])]))
    if style == "sledge":
        s, long = dice(14, 18), dice(34, 44)
        ends = [[(-long / 2, q * s / 2, r * s / 2) for q in (-0.8, 0.8) for r in (-0.8, 0.8)],
                [(-long * 0.4, q * s / 2, r * s / 2) for q in (-1, 1) for r in (-1, 1)]]
        points = np.array([*ends[0], *ends[1]])
        head = Manifold.hull_points(np.vstack([points, points * (-1, 1, 1)])).translate((0, 0, z))
        return posed(dice, join([head, rod((0, 0, 0), (0, 0, z + s * 0.6), 3.2, 2.8, 16), _grip(dice, 26, 4)]))
    r = dice(7, 8.5)
    face = Manifold.cylinder(8, r, r, 28).rotate((0, 90, 0)).translate((16, 0, z))
    neck = Manifold.cylinder(14, 4.5, 6, 24).rotate((0, 90, 0)).translate((4, 0, z))
    eye = soft(12, 11, 13, 0, 0, z - 6.5, r=2)
    claw_line = curve([(-3, z + 5), (-14, z + 4), (-24, z - 2), (-31, z - 12), (-29, z - 12.5), (-22, z - 6), (-12, z - 4),
                       (-3, z - 5)], 3)
    claw = board([(float(p), float(q)) for p, q in claw_line], 13)
    slot = Manifold.hull_points(np.array([(x, s * w, q) for s in (-1, 1) for q in (z - 20, z + 9) for x, w in (
        (-15, 0.6), (-34, 3.0))]))
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
        cut = [(-gap, -size * 0.28), (-gap * 0.5, -size * 0.5), (gap * 0.5, -size * 0.5), (gap, -size * 0.28),
               (gap * 1.04, size * 2), (-gap * 1.04, size * 2)]
        return board(around, t), board(cut, t * 3)

    bar = board([(-w, r), (w, r), (w * 0.8, 100 - r), (-w * 0.8, 100 - r)], t * 0.8)
    bar -= board([(-w * 0.4, 34), (w * 0.4, 34), (w * 0.4, 66), (-w * 0.4, 66)], t, t * 0.75) if dice.yes() else Manifold()
    if style == "adjustable":
        top = 100 - r
        head = board([(-r, top - 4), (-w, top - 16), (w, top - 16), (r * 0.7, top - 6), (r * 0.7, top + 1), (-4, top + 1),
                      (-5, 100 + 4), (-r, 100)], t * 1.2, r=1)
        jaw = board([(3, top), (r * 0.74, top), (r * 0.8, top + 12), (6, top + 16), (4, top + 14)], t * 1.1)
        screw = Manifold.cylinder(9, 3.4, 3.4, 16, True).rotate((0, 90, 0)).translate((5, 0, top - 7))
        body = join([head, jaw, board([(-w, 4), (w, 4), (w * 0.8, top - 8), (-w * 0.8, top - 8)], t, r=3)])
        body -= box(12, 3 * t, 6, 4, 0, top - 10)
        return posed(dice, join([body, screw, rod((5, 0, top - 12), (5, 0, top - 2), 1.6)]) - flat(
            [arc(0, 11, w * 0.5, 0, 360, 17)[:-1]], 3 * t))
    head, cut = jaws(r)
    head, cut = (p.rotate((0, tilt, 0)).translate((0, 0, 100 - r)) for p in (head, cut))
    if style == "ring":
        foot = upright(prism(32, r * 0.86, t, z=-t / 2) - prism(dice.one(6, 12), r * 0.5, 3 * t, z=-1.5 * t))
        return posed(dice, join([head, bar - upright(disc(r * 0.7, 3 * t, z=-1.5 * t)).translate((0, 0, r * 0.8)),
                                 foot.translate((0, 0, r * 0.8))]) - cut)
    if style == "double":
        other, slot = (p.rotate((0, 180 + tilt, 0)).translate((0, 0, r * 0.8)) for p in jaws(r * 0.8))
        return posed(dice, join([head, bar, other]) - cut - slot)
    end = board(_smooth_side([(w * 0.9, 0), (w * 1.1, 4), (w, r + 1)]), t * 0.8)
    return posed(dice, join([head, bar, end]) - cut - flat([arc(0, 9, w * 0.5, 0, 360, 17)[:-1]], 3 * t))


def _axe(dice: Dice) -> Parts:
    """An axe with one blade or two."""
    z, long = dice(78, 84), dice(22, 30)
    blade = board([(2, z - 6), (2, z + 7), (long * 0.6, z + 9), *arc(long * 0.2, z - 1, long * 0.86, 33, -42, 9),
                   (long * 0.55, z - 9)], 5)
    wedge = Manifold.hull_points(np.array([(x, s * y, q) for s in (-1, 1) for q in (z - 40, z + 40) for x, y in (
        (-6, 4.5), (2, 4.5), (long * 1.2, 0.9))]))
    blade = (blade.scale((1, 2, 1)) ^ wedge) + box(11, 8, 14, 0, 0, z - 7)
    if dice.yes(0.25):
        blade += blade.mirror((1, 0, 0))
    bend = dice(0, 5)
    line = curve([(0, 100), (-0.2, z), (bend, 44), (-bend * 0.5, 12), (bend * 0.6, 0)], 5)
    shaft = join(stack([([(x + p * 0.8, q) for p, q in arc(0, 0, 2.9, 0, 360, 13)[:-1]], s) for x, s in pair])
                 for pair in zip(line[::-1][:-1], line[::-1][1:], strict=True))
    return posed(dice, blade + shaft)


def _shovel(dice: Dice) -> Parts:
    """A spade or shovel: a rounded or square blade below, a shaft, a T or D grip above."""
    w, tall = dice(22, 30), dice(28, 36)
    pointed = dice.yes(0.6)
    out = [(0, 0), (w * 0.3, tall * 0.16), (w * 0.48, tall * 0.5), (w / 2, tall)] if pointed else [
        (w * 0.42, 0), (w * 0.46, tall * 0.5), (w / 2, tall), (w / 2, tall + 0.1)]
    blade = board(_smooth_side(out, 3), 9)
    dish = Manifold.cylinder(200, w * 0.9, w * 0.9, 64, True) - Manifold.cylinder(300, w * 0.9 - 2.7, w * 0.9 - 2.7, 64, True)
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
    line = curve([(r * 0.8, 100), (r, 96), (r * 0.95, 100 - long * 0.6), (r * 0.62, 100 - long * 0.85),
                  (r * 0.8, 100 - long)], 4)
    grip = lathe([(0, 100), *[(float(p), float(q)) for p, q in line], (0, 100 - long)], 30)
    flutes = join(rod((r * 1.12, 0, 100 - long * 0.68), (r * 1.12, 0, 110), 1.9, sides=12).rotate((0, 0, 60 * k)) for k in range(6))
    tip = Manifold.hull_points(np.array([(x, y, z) for x, y, z in (
        (3.4, 1, 0), (-3.4, 1, 0), (3.4, -1, 0), (-3.4, -1, 0), (3, 1.8, 10), (-3, 1.8, 10), (3, -1.8, 10), (-3, -1.8, 10))]))
    return posed(dice, join([grip - flutes, rod((0, 0, 8), (0, 0, 100 - long + 2), 2.1, sides=16), tip]))


def _saw(dice: Dice) -> Parts:
    """A hand saw: a blade with teeth and a closed handle."""
    t, low, high = 2.4, dice(14, 20), dice(5, 9)
    long, teeth = 70.0, dice.whole(12, 18)
    edge: list[tuple[float, float]] = []
    for k in range(teeth):
        edge += [(0.0, 30 + long * k / teeth), (-3.0, 30 + long * (k + 0.5) / teeth)]
    blade = board([*edge, (0, 100), (high, 100), (low, 28), (0, 28)], t)
    ring = board([(-3, 31), (low + 3, 32), (low + 2, 22), (low * 0.85 + 6, 4), (low * 0.5, 0), (-2, 4), (-7, 14)], 6, r=3)
    hole = board([(3, 23), (low - 3, 23), (low * 0.6, 8), (1, 11)], 20, r=2)
    return posed(dice, (blade + (ring - hole)).translate((-low / 2, 0, 0)))


def _brush(dice: Dice) -> Parts:
    """A painter's brush: bristles above, a metal band, a handle with a hole."""
    w, t = dice(22, 34), dice(7, 10)
    grip = board(_smooth_side([(3.4, 0), (4.4, 6), (3, 24), (w * 0.26, 44), (w * 0.42, 52)]), t * 0.7, r=0)
    grip -= flat([arc(0, 6, 1.5, 0, 360, 13)[:-1]], 30)
    band = soft(w * 0.94, t * 1.15, 14, 0, 0, 50, r=1.5)
    hair = Manifold.hull_points(np.array([(x, y, z) for x, y, z in (
        (s * w * 0.45, q * t * 0.5, 62) for s in (-1, 1) for q in (-1, 1))] + [
        (s * w * 0.5, q * t * 0.34, 98) for s in (-1, 1) for q in (-1, 1)] + [(0, 0, 100)]))
    return posed(dice, join([grip, band, hair]))


SPOONS: Styles = {_spoon: 3, _ladle: 0.7}
FORKS: Styles = {_fork: 2.5, _pitchfork: 1}
KEYS: Styles = {_key: 1}
HAMMERS: Styles = {_hammer: 1}
SPANNERS: Styles = {_spanner: 1}
AXES: Styles = {_axe: 1}
SHOVELS: Styles = {_shovel: 1}
SCREWDRIVERS: Styles = {_screwdriver: 1}
SAWS: Styles = {_saw: 1}
BRUSHES: Styles = {_brush: 1}
