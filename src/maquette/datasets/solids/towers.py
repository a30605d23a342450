"""Towers, castles, bridges, windmills."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    both,
    box,
    corners,
    disc,
    join,
    lathe,
    leg,
    ring,
    rod,
    spaced,
    tube,
)
from maquette.datasets.solids.houses import gable, hip, opening, recess
from maquette.datasets.solids.parts import Styles, flat, prism


def _crown(r: float, z: float, count: int, tall: float, thick: float = 4) -> Manifold:
    """A round wall with gaps, on top of a round tower of radius r."""
    wall = disc(r, tall, z=z, sides=32) - disc(r - thick, tall * 2, z=z, sides=32)
    gaps = ring(count // 2, box(r * 3, np.pi * r / count, tall, z=z + tall * 0.45)) if count % 2 == 0 else []
    return wall - join(gaps)


def _merlons(w: float, d: float, z: float, tall: float, thick: float = 4) -> Manifold:
    """A rectangular wall with gaps, around the top of a block w by d."""
    wall = box(w, d, tall, z=z) - box(w - 2 * thick, d - 2 * thick, tall * 3, z=z - tall)
    across, along = max(1, round(w / 11)), max(1, round(d / 11))
    gaps = [
        box(w / (2 * across + 1), d * 2, tall, x, 0, z + tall * 0.45)
        for x in spaced(-w / 2 + w * 1.5 / (2 * across + 1), w / 2 - w * 1.5 / (2 * across + 1), across)
    ]
    gaps += [
        box(w * 2, d / (2 * along + 1), tall, 0, y, z + tall * 0.45)
        for y in spaced(-d / 2 + d * 1.5 / (2 * along + 1), d / 2 - d * 1.5 / (2 * along + 1), along)
    ]
    return wall - join(gaps)


def _round_tower(dice: Dice, r: float, h: float, pointed: bool) -> Parts:
    """One tower of a castle at the origin, with a crown or a pointed roof, and slits."""
    body = disc(r, h, sides=32)
    slit = recess(opening(2.6, h * 0.14, 0, h * 0.62, "plain"), r)
    body -= join(slit.rotate((0, 0, turn)) for turn in (0, 90, 180, 270))
    if pointed:
        return [body, disc(r + 3, r * dice(1.6, 2.4), z=h - 0.5, r_top=0.1, sides=32)]
    return [body, disc(r, 4, z=h - 4, r_top=r + 2.5, sides=32), _crown(r + 2.5, h - 0.1, 8, 7)]


def _keep(dice: Dice) -> Parts:
    """One castle tower, round or square, with a crown, a door and windows."""
    h = 100.0
    if dice.yes(0.5):
        r = dice(17, 24)
        body = lathe([(0, 0), (r * dice(1.0, 1.3), 0), (r, h * 0.3), (r, h - 8), (r + 4, h), (0, h)], 32)
        body -= recess(opening(r * 0.6, 20, 0, 1, "arch"), r, depth=6)
        for z, turn in ((35, 0), (60, 0), (48, 90), (48, -90), (70, 60), (70, -60)):
            body -= recess(opening(4.5, 11, 0, z, "arch"), r, turn)
        if dice.yes(0.4):
            return [body, disc(r + 6, dice(26, 44), z=h - 1, r_top=0.1, sides=32)]
        return [body, _crown(r + 4, h - 0.5, dice.one(8, 10, 12), 9)]
    s = dice(32, 44)
    body = box(s, s, h) + box(s + 7, s + 7, 5, z=h - 5)
    body -= recess(opening(s * 0.34, 20, 0, 1, "arch"), s / 2, depth=3)
    for turn in (0, 90, 180, -90):
        for z in (38, 64):
            body -= join(recess(opening(4.5, 12, x, z, "arch"), s / 2, turn) for x in (-s * 0.22, s * 0.22))
    if dice.yes(0.3):
        return [body, hip(s + 10, s + 10, s * dice(0.6, 1), h - 0.5, 0)]
    return [body, _merlons(s + 7, s + 7, h - 0.5, 9)]


def _lighthouse(dice: Dice) -> Parts:
    """A tapering round tower with a gallery, a lantern and a dome."""
    r, top = dice(14, 19), dice(8, 10.5)
    h = dice(66, 76)
    body = disc(r, h, r_top=top, sides=36)
    for band in range(dice.one(0, 3, 4)):
        z = h * (0.2 + 0.2 * band)
        p = r + (top - r) * z / h
        body += lathe([(0, z), (p + 1.4, z), (p + 1.2, z + 5), (0, z + 5)], 36)
    body -= recess(opening(7, 14, 0, 1, "arch"), r, depth=3.2)
    for k, turn in enumerate((0, 90, 180, -90)):
        z = h * (0.35 + 0.13 * k)
        body -= recess(opening(4, 7, 0, z), r + (top - r) * z / h, turn)
    deck = top + dice(4, 6)
    rail = lathe([(deck - 2, h), (deck, h), (deck, h + 6), (deck - 2, h + 6)], 36) - join(
        ring(8, box(deck * 3, 2.6, 2.6, z=h + 2))
    )
    lantern = (
        disc(top * 0.78, 14, z=h, sides=12)
        - join(ring(6, box(top * 4, 3.4, 8, z=h + 4)))
        + disc(top * 0.5, 15, z=h, sides=16)
    )
    roof = (
        disc(top + 1.6, dice(8, 12), z=h + 14, r_top=0.5, sides=24)
        if dice.yes()
        else Manifold.sphere(top, 24).trim_by_plane((0, 0, 1), 0).translate((0, 0, h + 14))
    )
    parts = [body, disc(deck, 3, z=h - 2, sides=36), rail, lantern, roof, rod((0, 0, h + 14), (0, 0, h + 30), 1.2)]
    return [*parts, disc(r + 7, 5, z=-4, sides=36)] if dice.yes() else parts


def _lattice(dice: Dice) -> Parts:
    """A tower of four legs that curve together, with platforms and struts: an iron tower, a mast."""
    w, curved = dice(17, 23), dice.yes(0.6)
    levels = [0, 0.2, 0.42, 0.7, 1] if curved else [0, 0.25, 0.5, 0.75, 1]
    half = [w * ((1 - t) ** 1.9 * 0.9 + 0.1) if curved else w * (1 - 0.82 * t) for t in levels]
    zs = [86 * t for t in levels]
    parts: Parts = []
    for i in range(len(zs) - 1):
        thick = 2.6 - 0.25 * i
        parts += [
            leg((sx * half[i + 1], sy * half[i + 1], zs[i + 1]), (sx * half[i], sy * half[i], zs[i]), thick, sides=4)
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
        if i < 3:
            brace = rod((-half[i], half[i], zs[i]), (half[i + 1], half[i + 1], zs[i + 1]), 1.3, sides=6)
            pair = brace + brace.mirror((1, 0, 0))
            if i or not curved:
                parts += [pair.rotate((0, 0, turn)) for turn in (0, 90, 180, 270)]
        size = 2 * half[i + 1] + 6
        parts.append(box(size, size, 3, z=zs[i + 1] - 1.5))
    if curved:
        bow = [(x, half[0] + 0.4 - 0.25 * q, q) for x, q in arc(0, 3, half[0] - 1, 0, 180, 9, ry=zs[1] - 4)]
        parts += [tube([(x, y - 1, z) for x, y, z in bow], 1.2, 1).rotate((0, 0, t)) for t in (0, 90, 180, 270)]
    return [*parts, box(4, 4, 14, z=85), rod((0, 0, 90), (0, 0, 108), 1.1)]


def _skyscraper(dice: Dice) -> Parts:
    """A high-rise that steps back towards its top, with ribs, and a mast."""
    w, z = dice(26, 36), 0.0
    parts: Parts = []
    steps = dice.whole(2, 4)
    for i in range(steps):
        h = (88 - z) * (dice(0.45, 0.6) if i < steps - 1 else 1)
        block = box(w, w, h + 1, z=z)
        count = 4 if w > 18 else 3
        for x in spaced(-w / 2 + w / (2 * count), w / 2 - w / (2 * count), count):
            slot = recess(opening(w / count * 0.5, h - 7, x, z + 4), w / 2, depth=1.6)
            block -= join(slot.rotate((0, 0, turn)) for turn in (0, 90, 180, 270))
        parts.append(block)
        z, w = z + h, w * dice(0.6, 0.78)
    parts.append(dice.one(hip(w, w, 9, z, 0), box(w, w, 6, z=z)))
    return [*parts, rod((0, 0, z), (0, 0, z + dice(14, 24)), 1.3)]


def _castle(dice: Dice) -> Parts:
    """Four towers, walls with gaps between them, a gate one can pass, often a keep within."""
    w, d, h = dice(62, 80), dice(54, 76), dice(22, 30)
    r, pointed = dice(9.5, 13), dice.yes(0.55)
    tall = h * dice(1.25, 1.65)
    t = 6.0
    parts: Parts = [box(w, d, 3)]
    walls = box(w, d, h) - box(w - 2 * t, d - 2 * t, h * 3, z=3) + _merlons(w, d, h - 0.1, 6, t)
    gate = dice(13, 17)
    parts_gate: Parts = []
    if dice.yes(0.6):
        high = h * dice(1.1, 1.3)
        house = box(gate + 14, 13, high, 0, d / 2) + _merlons(gate + 14, 13, high - 0.1, 6).translate((0, d / 2, 0))
        parts_gate = [house]
    body = join([walls, *parts_gate]) - recess(opening(gate, h * 0.72, 0, 3, "arch"), d / 2, depth=12)
    tower = (
        join(_round_tower(dice, r, tall, pointed))
        if dice.yes(0.7)
        else (
            box(r * 1.9, r * 1.9, tall)
            + (
                hip(r * 1.9 + 5, r * 1.9 + 5, r * 2, tall - 0.5, 0)
                if pointed
                else _merlons(r * 1.9, r * 1.9, tall - 0.1, 7)
            )
        )
    )
    parts += [body, *corners(w, d, lambda x, y: tower.translate((x, y, 0)))]
    if dice.yes(0.65):
        s, high = dice(22, 30), tall * dice(1.1, 1.5)
        keep = box(s, s, high, 0, -d * 0.08) + _merlons(s, s, high - 0.1, 7).translate((0, -d * 0.08, 0))
        keep -= recess(opening(5, 10, 0, high * 0.72, "arch"), -d * 0.08 + s / 2)
        if pointed:
            keep += disc(s * 0.36, s * 0.5, 0, -d * 0.08, high - 1) + disc(
                s * 0.44, s * 0.9, 0, -d * 0.08, high + s * 0.5 - 1, r_top=0.1
            )
        parts.append(keep)
    return parts


def _toy_castle(dice: Dice) -> Parts:
    """The front of a fairy-tale castle: a gate house, towers of several heights with pointed roofs, flags."""
    w, h = dice(30, 38), dice(34, 42)
    body = box(w, 26, h) + _merlons(w, 26, h - 0.1, 6) - recess(opening(w * 0.4, h * 0.6, 0, 1, "arch"), 13, depth=5)
    parts: Parts = [body]
    heights = [dice(46, 56), dice(60, 76)]
    for i, high in enumerate(heights):
        r, x, y = dice(7.5, 10), w / 2 + (2 if i == 0 else -9), 8 if i == 0 else -14
        tower = disc(r, high, sides=28) - recess(opening(4.5, 10, 0, high * 0.68, "arch"), r)
        roof = disc(r + 3, r * dice(2, 3), z=high - 0.5, r_top=0.1, sides=28)
        parts += both([p.translate((x, y, 0)) for p in (tower, roof)])
    high = dice(80, 94)
    parts += [disc(9, high, 0, -6, sides=28), disc(13, 24, 0, -6, high - 0.5, r_top=0.1, sides=28)]
    top = high + 20
    parts += [
        rod((0, -6, top - 4), (0, -6, top + 14), 1.2),
        flat([[(0, top + 4), (0, top + 13), (11, top + 8)]], 2.4, -6),
    ]
    return parts


def _arch_bridge(dice: Dice) -> Parts:
    """A stone bridge over one to five arches, level or humped, with parapets."""
    count, d = dice.one(1, 1, 2, 3, 3, 4, 5), dice(14, 24)
    span = 96 / count
    r = span * dice(0.38, 0.43)
    rise = r if count > 2 else r * dice(0.6, 0.8)
    hump = rise * dice(0.35, 0.6) if count < 4 and dice.yes(0.6) else 0.0
    spring = dice(3, 6) if count < 3 else dice(8, 24)
    top = spring + rise + 6
    deck = [(x, top - hump * (1 - np.cos(np.pi * x / 100))) for x in np.linspace(50, -50, 21)]
    side = flat([[(-50, 0), (50, 0), *deck]], d)
    cuts = []
    for x in spaced(-48 + span / 2, 48 - span / 2, count):
        outside = top - hump * (1 - np.cos(np.pi * (abs(x) + 0.6 * r) / 100)) if count > 1 else top
        arch = arc(x, spring, r, 0, 180, 17, ry=min(rise, outside - spring - 5))
        cuts.append(flat([[(x - r, -1), (x + r, -1), *arch]], d * 2))
    road = flat([[(-51, 99), *[(p, z) for p, z in deck[::-1]], (51, 99)]], d - 7)
    parapet = flat([[(-50, 8), (50, 8), *[(p, z + 5) for p, z in deck]]], d) - road
    parts: Parts = [join([side, parapet]) - join(cuts)]
    if count > 1 and dice.yes(0.5):
        for x in spaced(-48 + span, 48 - span, count - 1):
            parts.append(prism(6, 5.5, spring + rise * 0.5).scale((1, (d + 9) / 11, 1)).translate((x, 0, 0)))
    return [join(parts[:1]), *[p - join(cuts) for p in parts[1:]]]


def _suspension_bridge(dice: Dice) -> Parts:
    """Two towers, cables that hang between them, hangers, a level road."""
    d, tall, z = dice(13, 18), dice(34, 46), dice(10, 16)
    x = dice(26, 30)
    road = box(100, d, 3.2, z=z)
    legs = [box(4, 3.6, tall, sx * x, sy * d / 2) for sx in (-1, 1) for sy in (-1, 1)]
    beams = [box(4, d, 3.4, sx * x, 0, q) for sx in (-1, 1) for q in (tall - 3.4, tall * 0.62, z - 3)]
    sag = tall - z - 6
    line = (
        [(-49.0, z + 2)] + [(p, tall - 1 - sag * (1 - (p / x) ** 2)) for p in np.linspace(-x, x, 13)] + [(49.0, z + 2)]
    )
    parts = [road, *legs, *beams]
    for y in (-d / 2, d / 2):
        parts.append(tube([(p, y, q) for p, q in line], 1.2, 1))
        hang = [(p, float(np.interp(p, [a for a, _ in line], [b for _, b in line]))) for p in spaced(-42, 42, 13)]
        parts += [rod((p, y, z + 1), (p, y, q), 1.0, sides=4) for p, q in hang if q > z + 4]
    parts += [box(6, d + 4, z + 3, s * 47) for s in (-1, 1)]
    return parts


def _truss_bridge(dice: Dice) -> Parts:
    """An iron bridge: a road between two fences of triangles, or a bow of steel over it; on piers."""
    d, z, count = dice(16, 22), dice(14, 24), dice.one(4, 6, 8)
    xs = spaced(-46, 46, count + 1)
    bowed = dice.yes(0.5)
    high = [z + (dice.one(18.0, 22.0) if not bowed else 4 + 22 * (1 - (x / 46) ** 2)) for x in xs]
    if not bowed:
        high = [max(high)] * len(xs)
    fence: Parts = [rod((-47, 0, z + 1.5), (47, 0, z + 1.5), 1.7, sides=4)]
    first, last = (0, count) if bowed else (1, count - 1)
    fence += [rod((xs[i], 0, high[i]), (xs[i + 1], 0, high[i + 1]), 1.6, sides=4) for i in range(first, last)]
    fence += [rod((xs[i], 0, z), (xs[i], 0, high[i]), 1.2, sides=4) for i in range(1, count)]
    if not bowed:
        fence += [rod((xs[a], 0, z + 1), (xs[b], 0, high[b]), 1.6, sides=4) for a, b in ((0, 1), (count, count - 1))]
        fence += [rod((xs[i], 0, z + 1), (xs[i + 1], 0, high[i + 1]), 1.1, sides=4) for i in range(1, count // 2)]
        fence += [
            rod((xs[-i - 1], 0, z + 1), (xs[-i - 2], 0, high[-i - 2]), 1.1, sides=4) for i in range(1, count // 2)
        ]
    panel = join(fence)
    parts = [box(100, d, 3.2, z=z), panel.translate((0, d / 2 - 1.4, 0)), panel.translate((0, -d / 2 + 1.4, 0))]
    for x in (-42, 42) if dice.yes() else (-42, 0, 42):
        parts.append(box(7, d * 0.8, z + 1, x) + box(10, d, 3, x))
    return parts


def _windmill(dice: Dice) -> Parts:
    """A tapering mill with a cap and four sails; or a slim wind turbine."""
    if dice.yes(0.35):
        mast = disc(3.2, 74, r_top=2, sides=20)
        start = dice(0, 120)
        blade = flat([[(0, -1.5), (2.6, -2.6), (7, -3.4), (34, -1.4), (34, 1.6), (0, 1.8)]], 3.2, 8)
        blades = join(blade.rotate((0, start + 120 * k, 0)) for k in range(3)).translate((0, 0, 74))
        nose = Manifold.sphere(4, 20).translate((0, 8, 74))
        return [mast, blades, nose, box(5, 16, 5, 0, 0, 71.5), disc(9, 2.5, sides=24)]
    sides, r, h = dice.one(8, 6, 32), dice(16, 21), dice(54, 64)
    top = r * dice(0.55, 0.7)
    body = prism(sides, r, h, r_top=top) - recess(opening(8, 15, 0, 1, "arch"), r * 0.93, depth=4)
    for level, turn in ((26, 90), (34, 0), (26, -90)):
        p = r + (top - r) * level / h
        body -= recess(opening(5, 7, 0, level), p * 0.96, turn)
    cap = dice.one(
        prism(sides, top + 2, 15, z=h - 1, r_top=1.0),
        Manifold.sphere(top + 2, 24).trim_by_plane((0, 0, 1), 0).translate((0, 0, h - 1)),
        gable(2 * top + 2, 2 * top + 4, 13, h - 1),
    )
    y, z, long = top + 6, h + 3, dice(36, 44)
    frame = box(3, 3.2, long, 0, y) + box(9, 2.8, long * 0.72, 5.4, y, long * 0.26)
    slots = join(box(4.4, 9, long * 0.08, 6, y, q) for q in spaced(long * 0.31, long * 0.84, 5))
    sail, start = frame - slots, float(dice(0, 90))
    sails = join(sail.rotate((0, start + 90 * k, 0)) for k in range(4)).translate((0, 0, z))
    return [body, cap, sails, rod((0, 0, z), (0, y + 3, z), 2.6)]


TOWERS: Styles = {_keep: 2, _lighthouse: 1.6, _lattice: 1, _skyscraper: 1}
CASTLES: Styles = {_castle: 2, _toy_castle: 0.8}
BRIDGES: Styles = {_arch_bridge: 2, _suspension_bridge: 1, _truss_bridge: 1}
WINDMILLS: Styles = {_windmill: 1}
