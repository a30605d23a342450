"""Beds: singles and doubles, bunks, cots, day beds, canopies."""

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    both,
    box,
    corners,
    front,
    join,
    lean,
    leg,
    pillow,
    scatter_cushion,
    soft,
    spaced,
)
from maquette.datasets.furniture.storage import drawer_block


def _size(dice: Dice) -> tuple[float, float]:
    """Mattress width and length."""
    return dice.weighted({80: 1, 90: 2, 120: 0.8, 140: 1.5, 160: 1.5, 180: 1}) + dice(-3, 6), dice(190, 205)


def _bedding(dice: Dice, w: float, d: float, z: float, thick: float) -> Parts:
    """Mattress, pillows at the head (y = -d/2), sometimes a blanket and a throw."""
    parts = [soft(w, d, thick, z=z, r=dice(2, 5))]
    top, n = z + thick, 1 if w < 115 else 2
    if dice.yes(0.8):
        pw = min(70, w / n * 0.85)
        parts += [
            pillow(pw, dice(36, 48), dice(11, 18), (i - (n - 1) / 2) * w / n, -d / 2 + 26, top - 2, 0.7)
            for i in range(n)
        ]
    if dice.yes(0.45):
        long = d * dice(0.4, 0.72)
        parts += [soft(w + dice(1, 5), long, thick * 0.7 + 3, y=d / 2 - long / 2 + 1, z=top - thick * 0.7, r=3)]
    return parts


def _board(dice: Dice, w: float, h: float, y: float, style: str) -> Parts:
    """A headboard or footboard standing on z = 0 at y."""
    t = dice(3, 8)
    if style == "panel":
        return [box(w, t, h, y=y)]
    if style == "padded":
        return [soft(w, t + 5, h, y=y, r=4)]
    if style == "arched":
        rise = min(h * 0.5, dice(8, 30))
        return [front([(-w / 2, 0), (w / 2, 0), *arc(0, h - rise, w / 2, 0, 180, 14, ry=rise)], t, y)]
    if style == "tufted":
        n = max(2, round(w / dice(25, 45)))
        return [
            box(w, t, h, y=y),
            *[
                soft(w / n - 0.5, t + 4, h * 0.6, x, y + 1, h * 0.4, r=3)
                for x in spaced(-w / 2 + w / n / 2, w / 2 - w / n / 2, n)
            ],
        ]
    post, n = dice(2.5, 4), max(4, round(w / dice(9, 20)))
    posts = both(leg((w / 2 - post, y, h), (w / 2 - post, y, 0), post, post, dice.one(4, 8)))
    rails = [box(w - post, 2 * post * 0.7, 7, y=y, z=z) for z in (h - 9, h * 0.45)]
    if style == "slats":
        return [
            *posts,
            *rails,
            *[box(dice(2, 4), 2.4, h * 0.5, x, y, h * 0.46) for x in spaced(-w / 2 + 10, w / 2 - 10, n)],
        ]
    return [*posts, *[box(w - post, 3, 9, y=y, z=z) for z in spaced(h * 0.45, h - 10, dice.whole(2, 3))]]


def plain(dice: Dice) -> Parts:
    """Frame, mattress, headboard, often a footboard."""
    w, d = _size(dice)
    z, thick, rail = dice(18, 34), dice(14, 28), dice(10, 22)
    fw, fd = w + dice(2, 14), d + 6
    style = dice.one("panel", "padded", "arched", "slats", "ladder", "panel", "tufted")
    head = dice(70, 135)
    foot = dice.one(0, 0, dice(38, 80))
    low = max(0.0, dice.weighted({0.0: 1, z + 6 - rail: 3}))
    frame = [box(fw, fd, z + 6 - low, z=low)]
    legs = (
        corners(fw - 9, fd - 9, lambda x, y: leg((x, y, low + 3), (x, y, 0), 3.5, 3, dice.one(4, 4))) if low > 1 else []
    )
    parts = [*frame, *legs, *_bedding(dice, w, d, z + 5, thick), *_board(dice, fw, head, -fd / 2 - 1, style)]
    if low > 1:
        parts += [
            box(fw * 0.9, 3, low + 1, y=-fd / 2 + 1),
            *corners(fw - 9, 0, lambda x, y: box(5, 8, low + 1, x, -fd / 2 + 3)),
        ]
    if foot:
        parts += _board(dice, fw, max(foot, z + 14), fd / 2 + 1, style if dice.yes(0.8) else "panel")
    return parts


def divan(dice: Dice) -> Parts:
    """A box-spring bed: upholstered box, thick mattress, padded headboard or none."""
    w, d = _size(dice)
    foot, base, thick = dice(0, 12), dice(22, 36), dice(18, 30)
    parts = [soft(w, d, base, z=foot, r=2), *_bedding(dice, w, d, foot + base - 1, thick)]
    parts += (
        corners(w - 20, d - 20, lambda x, y: leg((x, y, foot + 2), (x, y, 0), 4, 3))
        if foot > 2
        else [box(w - 8, d - 8, foot + 2)]
    )
    if dice.yes(0.75):
        h, wide = dice(85, 135), w + dice(0, 30)
        parts += _board(dice, wide, h, -d / 2 - 1, dice.one("padded", "tufted", "arched", "padded"))
    return parts


def platform(dice: Dice) -> Parts:
    """A low mattress on a wider platform, with a low board and shelves beside it."""
    w, d = _size(dice)
    z, t = dice(10, 22), dice(4, 9)
    fw, fd = w + dice(15, 50), d + dice(8, 25)
    parts = [
        box(fw, fd, t, z=z),
        box(fw - dice(20, 40), fd - 25, z + 1),
        *_bedding(dice, w, d, z + t - 1, dice(14, 24)),
    ]
    parts += (
        [lean([box(fw, 4, dice(40, 70), z=-3)], dice(0, 12)).translate((0, -fd / 2 + 3, z + 2))]
        if dice.yes(0.7)
        else []
    )
    return parts


def storage_bed(dice: Dice) -> Parts:
    """A bed with drawers below its mattress, sometimes with a shelf as its headboard."""
    w, d = _size(dice)
    h = dice(28, 45)
    n = dice.whole(2, 3)
    block = [
        drawer_block(dice, d / n - 0.5, w, h, d * ((i + 0.5) / n - 0.5), 0, 0, rows=dice.one(1, 1, 2)) for i in range(n)
    ]
    parts = [join(block).rotate((0, 0, -90)), *_bedding(dice, w - 3, d - 3, h - 1, dice(12, 20))]
    if dice.yes(0.6):
        head, deep = dice(70, 110), dice(4, 28)
        shelf = box(w + 2, deep, head, y=-d / 2 - deep / 2 + 0.5)
        parts += [shelf - box(w * 0.85, deep * 0.8, 22, y=-d / 2 - deep * 0.3, z=head - 27)]
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


def day_bed(dice: Dice) -> Parts:
    """A bed along a wall: boards at both ends and along its back; with cushions. It faces +y, its long side."""
    w, d, z, h = dice(195, 210), dice(80, 100), dice(22, 38), dice(60, 95)
    t = dice(3, 7)
    ends = both(box(t, d + 4, h - dice.one(0, dice(5, 20)), w / 2 + t / 2))
    if dice.yes(0.35):
        ends = both(
            [box(t, t, h, w / 2 + t / 2, s * (d / 2)) for s in (-1, 1)]
            + [box(t, d, t, w / 2 + t / 2, 0, v) for v in (h - t, z + 3)]
            + [box(t * 0.6, t * 0.6, h - z, w / 2 + t / 2, y, z) for y in spaced(-d / 2, d / 2, 6)]
        )
    back = [box(w + 2, t, h - z + 8, y=-d / 2 - 1, z=z - 8)] if dice.yes(0.7) else []
    n = dice.whole(0, 3)
    cushions = (
        [scatter_cushion(w / (n + 0.6), 40, 17, 12, x, -d / 2 + 19, z + 19) for x in spaced(-w / 3, w / 3, n)]
        if n
        else []
    )
    return [*ends, *back, box(w, d, 12, z=z - 8), soft(w, d, 20, z=z + 2, r=4), *cushions]


def bunk(dice: Dice) -> Parts:
    """Two beds over each other, or one high bed with room below; a ladder at the front."""
    w, d = dice(80, 95), dice(190, 205)
    h, r = dice(140, 175), dice(2.6, 4.5)
    loft = dice.yes(0.35)
    low, high = dice(20, 35), h - dice(30, 42)
    posts = corners(w + 2 * r, d + 2 * r, lambda x, y: box(2 * r, 2 * r, h, x, y))
    levels = [high] if loft else [low, high]
    parts = posts
    for z in levels:
        parts += [box(w + 2 * r, d + 2 * r, 9, z=z), soft(w, d, 13, z=z + 7, r=3)]
    rail_z = [high + 22] if dice.yes() else [high + 16, high + 27]
    for z in rail_z:
        parts += [box(3, d + 2 * r, 6, s * (w / 2 + r), 0, z) for s in (-1, 1)] + [
            box(w + 2 * r, 3, 6, y=s * (d / 2 + r), z=z) for s in (-1, 1)
        ]
    y = d / 2 + r if dice.yes() else d / 2 - 30
    x = w / 2 + r + 2
    parts += [box(3, 4, high + 26, x, y - s * 36 - 2, 0) for s in (0, 1)] + [
        box(3, 38, 3, x, y - 20, z) for z in spaced(22, high - 4, 5)
    ]
    return parts


def cot(dice: Dice) -> Parts:
    """A baby's cot with bars all round."""
    w, d, h, r = dice(60, 75), dice(115, 140), dice(78, 100), dice(1.6, 2.6)
    z = dice(25, 50)
    parts = corners(w, d, lambda x, y: box(2.4 * r, 2.4 * r, h, x, y))
    for level in (z - 5, h - 5):
        parts += [box(3, d, 5, s * w / 2, 0, level) for s in (-1, 1)] + [
            box(w, 3, 5, y=s * d / 2, z=level) for s in (-1, 1)
        ]
    parts += [
        box(r, r, h - z, s * w / 2, y, z - 1) for s in (-1, 1) for y in spaced(-d / 2 + 9, d / 2 - 9, dice.whole(9, 13))
    ]
    if dice.yes():
        parts += [box(w, 2.4, h - z, y=s * d / 2, z=z - 1) for s in (-1, 1)]
    else:
        parts += [box(r, r, h - z, x, s * d / 2, z - 1) for s in (-1, 1) for x in spaced(-w / 2 + 8, w / 2 - 8, 6)]
    return [*parts, box(w, d, 5, z=z - 5), soft(w - 3, d - 3, 11, z=z - 1)]


def canopy(dice: Dice) -> Parts:
    """The four-poster, with or without its frame on top."""
    w, d = _size(dice)
    h, r, z = dice(120, 215), dice(2.5, 5), dice(22, 40)
    posts = corners(w + 2 * r, d + 2 * r, lambda x, y: leg((x, y, h), (x, y, 0), r, r, 4))
    top = [box(w + 2 * r, 1.6 * r, 1.6 * r, y=s * (d / 2 + r), z=h - 2 * r) for s in (-1, 1)] + [
        box(1.6 * r, d + 2 * r, 1.6 * r, s * (w / 2 + r), 0, h - 2 * r) for s in (-1, 1)
    ]
    head = [box(w + 2 * r, 4, dice(45, 70), y=-d / 2 - r, z=z)]
    return [
        *posts,
        *(top if dice.yes(0.75) else []),
        *head,
        box(w + 2 * r, d + 2 * r, 15, z=z - 6),
        *_bedding(dice, w, d, z + 6, dice(15, 24)),
    ]


BEDS = {plain: 4, divan: 2, platform: 1.2, storage_bed: 1.2, day_bed: 0.9, bunk: 0.8, cot: 0.5, canopy: 0.7}
"""Styles of beds and how often each is made."""
