"""Tables."""

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    both,
    box,
    corners,
    disc,
    ellipse,
    join,
    lathe,
    leg,
    plan,
    ring,
    rod,
    slab,
    spaced,
)
from maquette.datasets.furniture.storage import drawer_block


def _top(dice: Dice, w: float, d: float, t: float, z: float) -> Parts:
    """A table top whose underside is at z."""
    shape = dice.weighted({"square": 4, "soft": 3, "boat": 0.6, "lip": 0.5})
    if shape == "boat":
        return [plan(ellipse(w, d, power=dice(3, 6)), t, z)]
    if shape == "lip":
        return [box(w, d, t, z=z), box(w, d, t + 3, z=z) - box(w - 4, d - 4, 9, z=z + t)]
    return [box(w, d, t, z=z) if shape == "square" else slab(w, d, t, z=z, r=dice(1, 0.2 * min(w, d)))]


def legs_under(dice: Dice, w: float, d: float, h: float, r: float, shelf: float = 0) -> Parts:
    """Four legs at the corners, with an apron below the top at h or without one; a lower shelf with chance `shelf`."""
    square, taper, splay = dice.yes(0.65), dice.one(1, dice(0.45, 1)), dice.one(0, 0, dice(2, 9))
    inset = r + dice.one(0, dice(1, 6), dice(2, 12))
    fw, fd = w - 2 * inset, d - 2 * inset
    legs = corners(
        fw,
        fd,
        lambda x, y: leg(
            (x, y, h + 0.5),
            (x + (splay if x > 0 else -splay), y + (splay if y > 0 else -splay), 0),
            r,
            max(1.2, r * taper),
            4 if square else 8,
        ),
    )
    if dice.yes(shelf):
        z = h * dice(0.12, 0.45)
        legs += [box(fw + 2 * splay * (1 - z / h) + r, fd + 2 * splay * (1 - z / h) + r, dice(1.6, 3), z=z)]
    if dice.yes(0.6):
        tall = dice(4, 11)
        legs += [box(fw, 2.2, tall, y=s * fd / 2, z=h - tall) for s in (-1, 1)] + [
            box(2.2, fd, tall, s * fw / 2, 0, h - tall) for s in (-1, 1)
        ]
    return legs


def four_leg(dice: Dice) -> Parts:
    """The dining or kitchen table."""
    w, d, h = dice(70, 220), dice(65, 105), dice(70, 77)
    d = min(d, w)
    parts = [*_top(dice, w, d, dice(2.2, 5), h), *legs_under(dice, w, d, h, dice(2, 4.5))]
    if dice.yes(0.15):
        z = dice(8, 22)
        parts += [rod((s * (w / 2 - 7), -d / 2 + 7, z), (s * (w / 2 - 7), d / 2 - 7, z), 2.2) for s in (-1, 1)]
        parts += [rod((-w / 2 + 7, 0, z), (w / 2 - 7, 0, z), 2.2)]
        parts += corners(w - 14, d - 14, lambda x, y: leg((x, y, h), (x, y, 0), 3, 3, 4))
    return parts


def flush(dice: Dice) -> Parts:
    """The mass-market side or coffee table: a thick top flush with four square legs, sometimes a lower shelf."""
    w = dice.one(dice(35, 60), dice(75, 120))
    d, h = min(w, dice(35, 80)) if w > 60 else w * dice(0.9, 1), dice(35, 55)
    r = dice(2, 4)
    t = dice.one(2 * r, dice(3, 6))
    parts = [box(w, d, t, z=h - t), *corners(w - 2 * r, d - 2 * r, lambda x, y: box(2 * r, 2 * r, h - t / 2, x, y))]
    return [*parts, *_shelf(dice, w, d, h, r)]


def _shelf(dice: Dice, w: float, d: float, h: float, r: float) -> Parts:
    """A lower shelf between legs, or none."""
    style = dice.weighted({"none": 1.3, "board": 1, "slats": 0.3})
    z, t = h * dice(0.12, 0.4), dice(1.6, 3)
    if style == "board":
        return [box(w - r * dice(1, 2), d - r * dice(1, 2), t, z=z)]
    if style == "slats":
        n = dice.whole(5, 9)
        return [
            box(w - r, (d - 2 * r) / n * 0.6, t, y=y, z=z) for y in spaced(-d / 2 + 2 * r, d / 2 - 2 * r, n)
        ] + both(box(2 * r, d - r, t, w / 2 - r, 0, z))
    return []


def coffee(dice: Dice) -> Parts:
    """The coffee table: low, long, with shelves, drawers, a glass top on a frame."""
    w, d, h = dice(80, 140), dice(45, 80), dice(34, 50)
    r = dice(1.8, 4)
    style = dice.one("legs", "frame", "panels", "box", "legs")
    if style == "frame":  # glass on a frame
        legs = corners(w - 2 * r, d - 2 * r, lambda x, y: box(2 * r, 2 * r, h - 1, x, y))
        rails = [box(w, 2 * r, 2 * r, y=s * (d / 2 - r), z=h - 1 - 2 * r) for s in (-1, 1)]
        rails += [box(2 * r, d, 2 * r, s * (w / 2 - r), 0, h - 1 - 2 * r) for s in (-1, 1)]
        return [*legs, *rails, box(w, d, 1.4, z=h - 2), *_shelf(dice, w, d, h, r)]
    top = _top(dice, w, d, dice(2, 6), h)
    if style == "panels":
        t = dice(2, 5)
        return [
            *top,
            *both(box(t, d * dice(0.8, 1), h + 0.5, w / 2 - t / 2 - dice.one(0, dice(0, 14)))),
            box(w - t, d * 0.8, t, z=h * dice(0.1, 0.5)),
        ]
    if style == "box":
        t, plinth = dice(2, 4), h * dice(0, 0.3)
        walls = [*both(box(t, d, h - plinth + 0.5, w / 2 - t / 2, 0, plinth)), box(w, d, t, z=plinth)]
        inside = (
            [box(t, d, h - plinth, 0, 0, plinth)]
            if dice.yes()
            else [drawer_block(dice, w * 0.45, d * 0.9, h - plinth, w * 0.22, 0, plinth)]
        )
        feet = corners(w - 12, d - 12, lambda x, y: leg((x, y, plinth + 1), (x, y, 0), 2)) if plinth > 3 else []
        return [*top, *walls, *inside, *feet]
    return [*top, *legs_under(dice, w, d, h, r, shelf=0.5)]


def pedestal(dice: Dice) -> Parts:
    """One column under a round or square top."""
    h, w = dice.one(dice(68, 77), dice(40, 60), dice(100, 112)), dice(45, 125)
    t = dice(2, 4.5)
    top = [disc(w / 2, t, z=h, sides=32)] if dice.yes(0.65) else [slab(w, w * dice(0.8, 1), t, z=h, r=dice(0.5, 8))]
    r = w * dice(0.24, 0.38)
    style = dice.one("disc", "tulip", "cross", "square", "turned")
    if style == "tulip":
        flare = [
            (0, 0),
            (r, 0),
            (r, 1.5),
            (r * 0.5, 3.5),
            (r * 0.2, 8),
            (2.8, h * 0.3),
            (3, h * 0.7),
            (r * 0.25, h * 0.9),
            (r * 0.7, h + 0.5),
            (0, h + 0.5),
        ]
        return [*top, lathe(flare)]
    c = dice(2.5, 6)
    if style == "turned":
        column = lathe(
            [
                (0, 6),
                (c * 1.6, 6),
                (c, 14),
                (c * 1.8, h * 0.4),
                (c, h * 0.6),
                (c * 1.5, h - 5),
                (c * 2.5, h + 0.5),
                (0, h + 0.5),
            ]
        )
        return [*top, column, *ring(dice.whole(3, 4), rod((0, 0, h * 0.25), (r * 1.2, 0, 2), 4, 2.2, 4))]
    if style == "cross":
        return [
            *top,
            disc(c, h, z=1),
            *ring(4, rod((0, 0, 3.5), (r * 1.3, 0, 1.6), 3, 1.6)),
            *ring(4, rod((0, 0, h - 1.5), (w * 0.3, 0, h - 1), 2)),
        ]
    base = disc(r, dice(1.5, 3)) if style == "disc" else slab(r * 1.8, r * 1.8, dice(1.5, 3))
    return [*top, base, disc(c, h, z=0.5), disc(r * 0.5, 2, z=h - 1.8)]


def round_table(dice: Dice) -> Parts:
    """A round or oval top on three or four legs, sometimes with a tray rim."""
    low = dice.yes(0.55)
    h, w = (dice(38, 58), dice(38, 90)) if low else (dice(70, 76), dice(75, 130))
    d = w * dice.one(1, 1, dice(0.55, 0.9))
    t = dice(1.8, 4)
    top = [plan(ellipse(w, d), t, h)]
    if low and dice.yes(0.3):
        top += [plan(ellipse(w, d), t + 4, h) - plan(ellipse(w - 4, d - 4), 12, h + t)]
    r, spread = dice(1.4, 3), dice(0.6, 1.05)
    if d == w and dice.yes(0.4):
        legs = ring(3, leg((w * 0.3, 0, h + 0.5), (w * 0.45 * spread, 0, 0), r, r * 0.7))
    else:
        legs = corners(
            w * 0.6,
            d * 0.6,
            lambda x, y: leg((x, y, h + 0.5), (x * (0.6 + 0.6 * spread), y * (0.6 + 0.6 * spread), 0), r, r * 0.7),
        )
    at = dice(0.2, 0.4)
    wide = 0.86 * (1 + (1 - at) * (0.6 * spread - 0.4))
    shelf = [plan(ellipse(w * wide, d * wide), 2, h * at)] if low and dice.yes(0.3) and len(legs) == 4 else []
    return [*top, *legs, *shelf]


def trestle(dice: Dice) -> Parts:
    """A top on two A-shaped or X-shaped trestles."""
    w, d, h = dice(110, 200), dice(60, 90), dice(70, 76)
    x, r = w / 2 - dice(10, 30), dice(1.6, 3)
    if dice.yes(0.35):
        one = [
            rod((x, -d * 0.42, 0.5), (x, d * 0.42, h), r, sides=4),
            rod((x, d * 0.42, 0.5), (x, -d * 0.42, h), r, sides=4),
        ]
        link = [rod((-x, 0, h / 2), (x, 0, h / 2), r)]
        one += [box(2 * r, d * 0.9, 3, x, 0, h - 3)]
    else:
        spread = dice(8, 16)
        one = [
            leg((x + s * 2, y, h), (x + s * spread, y * 1.05, 0), r, r * 0.9, 4)
            for s in (-1, 1)
            for y in (-d * 0.4, d * 0.4)
        ]
        one += [
            box(8, d * 0.9, 5, x, 0, h - 4.5),
            *[box(1.6 * spread, d * 0.84, 2, x, 0, h * 0.35)][: dice.whole(0, 1)],
        ]
        one += [
            rod((x + s * spread * 0.75, -d * 0.415, h * 0.3), (x + s * spread * 0.75, d * 0.415, h * 0.3), r * 0.8)
            for s in (-1, 1)
        ]
        link = []
    return [box(w, d, dice(2, 4), z=h), *both(one), *link]


def panel(dice: Dice) -> Parts:
    """Two slabs and a top: the waterfall table, the console, and loops of flat steel."""
    w, h = dice(60, 200), dice.one(dice(70, 78), dice(38, 50))
    d = min(w, dice(32, 90))
    t = dice(2.5, 7)
    style = dice.one("slabs", "loops", "slabs", "u")
    if style == "slabs":
        x = w / 2 - t / 2 - dice.one(0, 0, dice(0, 20))
        return [
            box(w, d, t, z=h - t),
            *both(box(t, d * dice.one(1, dice(0.6, 1)), h - t / 2, x)),
            box(2 * x, t * 0.7, h * dice(0.2, 0.5), z=h * 0.45),
        ]
    if style == "u":  # a C seen from the front: a bedside or laptop table
        w = min(w, 65)
        return (
            [box(w, d, t, z=h - t), box(w * dice(0.7, 1), d, t), box(t, d, h, -w / 2 + t / 2)]
            if w < 65
            else [box(w, d, t, z=h - t), *both(box(t, d, h, w / 2 - t / 2)), box(w, d, t)]
        )
    r, x = dice(1.6, 4), w / 2 - dice(5, 25)
    loop = [box(2 * r, 2 * r, h + 0.5, x, s * (d / 2 - r)) for s in (-1, 1)] + [
        box(2 * r, d, 2 * r, x),
        box(2 * r, d, 2 * r, x, 0, h - 2 * r),
    ]
    return [box(w, d, t, z=h), *both(loop)]


def shelf_table(dice: Dice) -> Parts:
    """Side tables and trolleys of two or three levels."""
    w, d, h = dice(35, 90), dice(30, 50), dice(45, 90)
    r, t = dice(1.3, 2.6), dice(1.6, 3.5)
    levels = spaced(dice(8, 16), h - t, dice.whole(2, 3))
    rim = dice.yes(0.3)
    boards = [box(w, d, t, z=z) for z in levels]
    if rim:
        boards = [
            join(b, box(w, d, t + 6, z=z) - box(w - 3, d - 3, 20, z=z + t)) for b, z in zip(boards, levels, strict=True)
        ]
    x, y = w - (2 * r if not rim else 0), d - (2 * r if not rim else 0)
    return [*boards, *corners(x, y, lambda a, b: leg((a, b, h), (a, b, 0), r, r, 4))]


TABLES = {
    four_leg: 2.2,
    flush: 2.2,
    coffee: 2,
    pedestal: 1.2,
    round_table: 1.3,
    trestle: 0.7,
    panel: 1,
    shelf_table: 0.8,
}
"""Styles of tables and how often each is made."""
