"""Boxes that are open: cardboard boxes, chests, trays, drawers, baskets, crates, bins."""

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
    ring,
    rod,
    slab,
    spaced,
    tube,
)
from maquette.datasets.solids.parts import Styles, flat, torus, upright, vessel


def _open(w: float, d: float, h: float, t: float, floor: float | None = None) -> Manifold:
    """A box without a lid."""
    return box(w, d, h) - box(w - 2 * t, d - 2 * t, h * 2, z=t if floor is None else floor)


def _flap(long: float, deep: float, t: float, angle: float) -> Manifold:
    """A flap along x whose hinge is the x axis; it opens towards +y, and down with a larger angle."""
    return box(long, deep, t, 0, deep / 2 - t * 0.3, -t / 2).rotate((90 - angle, 0, 0))


def _carton(dice: Dice) -> Parts:
    """A cardboard box, its flaps open."""
    w, d, h, t = dice(64, 90), dice(54, 84), dice(38, 66), 3.2
    parts: Parts = [_open(w, d, h, t)]
    for turn, long, out in ((0, w, d), (180, w, d), (90, d, w), (-90, d, w)):
        flap = _flap(long - 2, dice(0.36, 0.5) * min(w, d), 2.6, dice(20, 140))
        parts.append(flap.translate((0, out / 2 - t / 2, h - 1)).rotate((0, 0, turn)))
    return parts


def _plain_box(dice: Dice) -> Parts:
    """An open box or tray with straight walls, sometimes divided, or with hand holes."""
    w, d, h, t = dice(60, 100), dice(50, 90), dice(18, 66), dice(3.4, 6)
    body = _open(w, d, h, t)
    parts: Parts = [body]
    if dice.yes(0.35):
        parts += [box(t * 0.8, d - t, h * 0.86, x) for x in spaced(-w / 6, w / 6, 2)[: dice.whole(1, 2)]]
        if dice.yes():
            parts.append(box(w - t, t * 0.8, h * 0.86))
    elif h > 26 and dice.yes(0.6):
        slot = slab(18, 8, 3 * w, r=3.9).rotate((0, 90, 0)).rotate((90, 0, 0))
        parts = [body - slot.translate((-w * 1.5, 0, h * 0.72))]
    return parts


def _chest(dice: Dice) -> Parts:
    """A treasure chest or a lidded box, the lid open behind; hollow."""
    w, d, h, t = 90.0, dice(50, 64), dice(32, 42), 4.5
    angle = dice(35, 100)
    body = _open(w, d, h, t)
    if dice.yes(0.65):
        rise = d * dice(0.3, 0.45)
        lid = flat([[(-d / 2, 0), *arc(0, 0, d / 2, 180, 0, 17, ry=rise), (d / 2, 0)]], w)
        lid -= flat([[(-d / 2 + t, -1), *arc(0, 0, d / 2 - t, 180, 0, 17, ry=rise - t), (d / 2 - t, -1)]], w - 2 * t)
        lid = lid.rotate((0, 0, 90))
    else:
        lid = box(w, d, 12) - box(w - 2 * t, d - 2 * t, 12, z=-t)
    strap = box(6, d + 2.4, h) - box(9, d - 2 * t, h * 2, z=3)
    bands = both(strap.translate((w * 0.3, 0, 0))) if dice.yes(0.6) else []
    lid = lid.translate((0, d / 2, -0.2)).rotate((angle, 0, 0)).translate((0, -d / 2, h))
    lock = box(12, 4, 13, 0, d / 2 + 1, h - 12) - upright(disc(1.8, 9)).translate((0, d / 2 - 1, h - 5))
    hinge = rod((-w * 0.46, -d / 2 + 1, h), (w * 0.46, -d / 2 + 1, h), 2.4)
    return [body, lid, lock, hinge, *bands]


def _drawer(dice: Dice) -> Parts:
    """A drawer: an open box behind a broader front with a knob or a bar."""
    w, d, h, t = dice(64, 92), dice(50, 80), dice(20, 34), 3.4
    front = box(w + dice(4, 10), 5, h + dice(3, 8), 0, d / 2 + 2)
    y, z = d / 2 + 4, h * 0.52
    style = dice.one("knob", "bar", "two", "slot")
    parts: Parts = [_open(w, d, h, t), front]
    if style == "bar":
        long = w * dice(0.25, 0.45)
        parts += [
            tube([(-long / 2, y - 1, z), (-long / 2, y + 6, z), (long / 2, y + 6, z), (long / 2, y - 1, z)], 1.7, 2)
        ]
    elif style == "slot":
        parts = [parts[0], front - box(w * 0.3, 99, h * 0.24, 0, d / 2, z + h * 0.1)]
    else:
        for x in [0.0] if style == "knob" else [-w * 0.25, w * 0.25]:
            parts += [rod((x, y - 1, z), (x, y + 4, z), 2), ball(4.4, x, y + 5, z)]
    return parts


def _basket(dice: Dice) -> Parts:
    """A basket with a hoop handle: round or oval, its wall of staves with gaps or of rings."""
    r, h = dice(34, 46), dice(30, 44)
    foot, long = r * dice(0.66, 0.88), dice(1, 1.3)
    hollow = vessel([(foot, 0), ((foot + r) / 2 * 1.04, h * 0.5), (r, h)], 3, 4).body
    style = dice.one("staves", "rings", "woven")
    parts: Parts = []
    if style == "staves":
        gap = box(r * 3, 4.5, h * 0.34, r * 1.5, 0, 0)
        cuts = [c.translate((0, 0, z)) for z in (h * 0.16, h * 0.58) for c in ring(16, gap, 0)]
        for cut in cuts:
            hollow -= cut
        parts = [hollow]
    elif style == "rings":
        parts = [
            hollow,
            *(
                torus(foot + (r - foot) * z / h + 0.4, 2.1, z=z, sides=40)
                for z in spaced(3, h - 1, max(5, int(h / 5.2)))
            ),
        ]
    else:
        bump = [(k, row) for row in range(5) for k in range(20)]
        parts = [hollow]
        for k, row in bump:
            z = h * (row + 0.6) / 5.4
            q = foot + (r - foot) * z / h
            pad = box(3.4, q * 0.26, h / 6.4, q + 0.3, 0, z - h / 13)
            parts.append(pad.rotate((0, 0, 18 * k + 9 * (row % 2))))
    parts.append(torus(r - 0.8, 2.6, z=h, sides=40))
    if dice.yes(0.8):
        parts.append(tube([(x, 0, h + z - 1) for x, z in arc(0, 0, r - 1, 0, 180, 17, ry=dice(34, 50))], 2.2, 2))
    else:
        parts += both(upright(torus(7, 2)).rotate((0, 0, 90)).translate((r - 0.5, 0, h + 3)))
    return [join(parts).scale((long, 1, 1))]


def _crate(dice: Dice) -> Parts:
    """A slatted crate: corner posts, boards with gaps between them, open above; or a bottle crate."""
    w, d, h, t = 96.0, dice(56, 84), dice(32, 60), 3.2
    count = dice.whole(2, 4)
    pitch = h / count
    tall = pitch * dice(0.62, 0.8)
    parts: Parts = [box(w - 1, d - 1, 3.4, z=0.5)]
    for k in range(count):
        z = pitch * k + (pitch - tall) * (1 if k else 0.2)
        parts += [box(w, t, tall, 0, s * (d / 2 - t / 2), z) for s in (-1, 1)]
        parts += [box(t, d, tall, s * (w / 2 - t / 2), 0, z) for s in (-1, 1)]
    post = dice(5, 8)
    parts += [
        box(post, post, h, sx * (w / 2 - post / 2 - t * 0.6), sy * (d / 2 - post / 2 - t * 0.6))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    if dice.yes(0.3):
        parts += [box(t, d - 2, h * 0.8, x) for x in spaced(-w / 6, w / 6, 2)] + [box(w - 2, t, h * 0.8)]
    return parts


def _bin(dice: Dice) -> Parts:
    """A waste bin: a tapered tub, plain, with slots, or a dustbin with ribs, or one on wheels, its lid lifted."""
    style = dice.one("plain", "slots", "dustbin", "wheeled")
    if style == "wheeled":
        w, d, h = dice(38, 46), dice(42, 50), dice(70, 80)
        outer = Manifold.hull_points(
            np.array(
                [(sx * w * k / 2, sy * d * k / 2, z) for sx in (-1, 1) for sy in (-1, 1) for k, z in ((0.8, 5), (1, h))]
            )
        )
        inner = Manifold.hull_points(
            np.array(
                [
                    (sx * (w * k / 2 - 3), sy * (d * k / 2 - 3), z)
                    for sx in (-1, 1)
                    for sy in (-1, 1)
                    for k, z in ((0.8, 9), (1, h + 0.1))
                ]
            )
        )
        rim = box(w + 5, d + 5, 5, z=h - 5) - box(w - 6, d - 6, 20, z=h - 10)
        lid = box(w + 4, d + 6, 3.4, 0, d / 2 + 3).rotate((dice(25, 105), 0, 0)).translate((0, -d / 2 - 1, h))
        tyre = Manifold.cylinder(5, 8, 8, 24, True).rotate((0, 90, 0))
        wheels = both(tyre.translate((w * 0.42, -d * 0.4, 8)))
        bar = rod((-w * 0.42, -d / 2 - 2, h - 1), (w * 0.42, -d / 2 - 2, h - 1), 2.4)
        return [outer - inner, rim, lid, *wheels, bar, rod((-w * 0.4, -d * 0.4, 8), (w * 0.4, -d * 0.4, 8), 2)]
    r, h = dice(32, 42), 100.0 if style == "dustbin" else dice(84, 100)
    foot = r * dice(0.7, 0.92)
    body = vessel([(foot, 0), (r, h)], 3.2, 4, dice.one(40, 40, 40, 4) if style == "plain" else 40).body
    if style == "plain":
        body = body.rotate((0, 0, 45))
        return [body, torus(r - 1, 2.4, z=h - 1)] if dice.yes() and body.num_tri() > 100 else [body]
    if style == "slots":
        rows = dice.whole(2, 3)
        tall = (h - 16) / rows
        for k in range(rows):
            for cut in ring(14, box(r * 2, 5, tall - 8, r, 0, 10 + tall * k)):
                body -= cut
        return [body, torus(r - 1, 2.6, z=h - 1)]
    ribs = [rod((foot, 0, 3), (r, 0, h - 3), 1.7, sides=8).rotate((0, 0, 24 * k)) for k in range(15)]
    hoops = [lathe([(p - 2, z), (p + 2, z), (p + 2, z + 5), (p - 2, z + 5)], 40) for p, z in ((foot, 0.0), (r, h - 5))]
    ears = both(upright(torus(6, 1.9)).rotate((0, 0, 90)).translate((foot + 0.7 * (r - foot) + 1, 0, h * 0.7)))
    return [body, *ribs, *hoops, *ears]


BOXES: Styles = {_carton: 1.6, _plain_box: 1.4, _chest: 1}
DRAWERS: Styles = {_drawer: 1}
BASKETS: Styles = {_basket: 1}
CRATES: Styles = {_crate: 1}
BINS: Styles = {_bin: 1}
