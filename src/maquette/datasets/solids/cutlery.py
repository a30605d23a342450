"""Spoons, forks and keys. Drawn upright, then posed."""

import numpy as np
from manifold3d import CrossSection, Manifold

from maquette.datasets.furniture.parts import Dice, Parts, arc, box, disc, join, lathe, rod, spaced
from maquette.datasets.solids.parts import (
    Styles,
    board,
    egg,
    flat,
    heart_line,
    mirrored_line,
    posed,
    standing,
    torus,
    upright,
)


def _spoon(dice: Dice) -> Parts:
    """A spoon: a hollow oval bowl above a handle that widens at its end. Long, short, wooden or a ladle."""
    w, long = dice(19, 26), dice(26, 34)
    deep, t = dice(7, 10), 2.4
    z = 100 - long / 2
    bowl = egg(w, 2 * deep, long, 0, 0, z, 40) - egg(w - 2 * t, 2 * (deep - t), long - 2 * t, 0, 0, z, 40)
    bowl = bowl.trim_by_plane((0, -1, 0), 0)
    neck = 100 - long + 1
    t2, end = dice(2.4, 3.2), dice(3.2, 5.5)
    stem = mirrored_line([(end * 0.7, 0), (end, 5), (2.0, neck * 0.5), (1.6, neck - 8), (3, neck + 3)])
    return posed(dice, join([bowl, board(stem, t2, -t2 / 2)]))


def _ladle(dice: Dice) -> Parts:
    """A ladle: a round bowl that opens upwards at the foot of a long handle with a hook."""
    r = dice(13, 17)
    ball = Manifold.sphere(r, 36) - Manifold.sphere(r - 2.6, 36)
    cup = ball.trim_by_plane((0, 0, -1), 0)
    top = 100 - r
    line = [(0, -r + 1.3, -1), (0, -r - 1, 12), (0, -r - 1, top - 9)] + [
        (0, -r + 6 + p, top - 9 + q) for p, q in arc(0, 0, 7, 180, 0, 7)[1:]
    ]
    stem = join(
        rod(a, b, 1.6, sides=12) + egg(3.2, 3.2, 3.2, *b, sides=12) for a, b in zip(line[:-1], line[1:], strict=True)
    )
    return [cup, stem]


def _fork(dice: Dice) -> Parts:
    """A fork with two to four tines; a table fork or a garden fork."""
    count, w, t = dice.whole(3, 4), dice(17, 22), dice(2.4, 3.2)
    long = dice(24, 30)
    wide = min(2.8, w / (2 * count - 1) * 1.1)
    low = 100 - long
    head = mirrored_line([(1.7, low - 19), (w * 0.36, low - 11), (w / 2, low - 2), (w / 2, low + 2)], 3)
    tines = [
        board([(x - wide / 2, low), (x + wide / 2, low), (x + wide * 0.34, 98), (x, 100), (x - wide * 0.34, 98)], t)
        for x in spaced(-w / 2 + wide / 2, w / 2 - wide / 2, count)
    ]
    end = dice(3, 5)
    stem = mirrored_line([(end * 0.7, 0), (end, 5), (2, 32), (1.6, low - 20), (1.8, low - 16)])
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
        bows: list[list[tuple[float, float]]] = [
            arc(0, 100 - r, r, 0, 360, 33)[:-1],
            [(r * np.cos(a), 100 - r + r * np.sin(a)) for a in np.radians(np.arange(8) * 45 + 22.5)],
            [(-r, 100 - 1.8 * r), (r, 100 - 1.8 * r), (r, 100), (-r, 100)],
        ]
        bow = dice.one(*bows)
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
        bow = join(
            one.translate((x, 0, z))
            for x, z in ((-r * 0.7, 100 - 1.6 * r), (r * 0.7, 100 - 1.6 * r), (0, 100 - 0.7 * r))
        )
        bow += upright(disc(bar, 4, z=-2)).translate((0, 0, 100 - 1.6 * r))
    else:
        shape = CrossSection([np.array(heart_line(2.3 * r))])
        inner = shape.offset(-2 * bar, circular_segments=24)
        bow = standing(shape - inner, 1.8 * bar).translate((0, 0, 100 - 1.3 * r))
    low = 100 - 2 * r - bar
    shaft = rod((0, 0, 0), (0, 0, low), t, sides=16)
    collar = [
        lathe([(0, z - 1.6), (t + 1.8, z - 1.2), (t + 1.8, z + 1.2), (0, z + 1.6)], 20) for z in (low - 1, low - 7)
    ]
    wide, tall = dice(13, 19), dice(18, 25)
    bit = board([(0, 4), (t + wide, 4), (t + wide, 4 + tall), (0, 4 + tall)], 3.2)
    bit -= box(wide * 0.5, 9, tall * 0.2, t + wide, 0, 4 + tall * dice(0.4, 0.5))
    if dice.yes(0.6):
        bit -= box(wide * 0.26, 9, tall * 0.3, t + wide * 0.45, 0, 3.9)
    if dice.yes(0.5):
        bit -= box(wide * 0.26, 9, tall * 0.5, t + wide * 0.6, 0, 4 + tall * 0.8)
    return posed(dice, join([bow, shaft, bit, *(collar[: dice.whole(1, 2)])]))


SPOONS: Styles = {_spoon: 3, _ladle: 0.7}

FORKS: Styles = {_fork: 2.5, _pitchfork: 1}

KEYS: Styles = {_key: 1}
