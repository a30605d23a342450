"""Desks: writing desks, desks on drawers, with shelves, in a corner, on trestles."""

from maquette.datasets.furniture.parts import Dice, Parts, both, box, corners, join, leg, plan, spaced
from maquette.datasets.furniture.storage import drawer_block, shelf_unit
from maquette.datasets.furniture.tables import legs_under, trestle


def _desk_size(dice: Dice) -> tuple[float, float, float, float]:
    return dice(95, 185), dice(50, 80), dice(70, 76), dice(2, 4.5)


def _frame(dice: Dice, w: float, d: float, h: float) -> Parts:
    """What holds a desk top up at one or both ends: legs, loops, T-feet or panels. Feet on z = 0."""
    style = dice.one("legs", "loops", "tee", "panels", "legs")
    r = dice(1.6, 3)
    if style == "loops":
        x = w / 2 - dice(4, 12)
        one = [box(2 * r, 2 * r, h, x, s * (d / 2 - r - 2)) for s in (-1, 1)] + [
            box(2 * r, d - 4, 2 * r, x),
            box(2 * r, d - 4, 2 * r, x, 0, h - 2 * r),
        ]
        return [*both(one), box(2 * x, 2, 6, y=-d / 4, z=h - 6)]
    if style == "tee":
        x = w / 2 - dice(12, 28)
        one = [box(7, d * 0.92, 3, x), box(8, 5, h, x, -2), box(5, d * 0.8, 3, x, 0, h - 3)]
        return [*both(one), box(2 * x, 4, 5, z=h - 5)]
    if style == "panels":
        t = dice(2, 4)
        return [
            *both(box(t, d - 1, h, w / 2 - t / 2)),
            box(w - t, 2, h * dice(0.25, 0.7), y=-d / 2 + dice(2, 8), z=h * 0.3),
        ]
    return legs_under(dice, w, d, h, r)


def writing(dice: Dice) -> Parts:
    """A plain desk, sometimes with a shallow drawer under its top."""
    w, d, h, t = _desk_size(dice)
    parts = [box(w, d, t, z=h), *_frame(dice, w, d, h)]
    if dice.yes(0.6):
        n, tall = dice.whole(1, 3), dice(8, 14)
        each = (w - 12) / n
        parts += [
            drawer_block(dice, each - 0.5, d * 0.9, tall, -w / 2 + 6 + each * (i + 0.5), 0, h - tall, rows=1)
            for i in range(n)
        ]
    return parts


def drawers(dice: Dice) -> Parts:
    """A desk on one or two blocks of drawers."""
    w, d, h, t = _desk_size(dice)
    wide = dice(34, 46)
    x = w / 2 - wide / 2 - dice.one(0.5, dice(0, 8))
    floor = dice.one(0, dice(4, 10))
    block = drawer_block(dice, wide, d - dice(1, 5), h - floor, x, 0, floor)
    feet = corners(wide - 6, d - 10, lambda a, b: leg((x + a, b, floor + 1), (x + a, b, 0), 2)) if floor else []
    parts = [box(w, d, t, z=h), block, *feet]
    if dice.yes(0.4) and w > 125:
        parts += [block.mirror((1, 0, 0)), *[f.mirror((1, 0, 0)) for f in feet]]
    elif dice.yes():
        parts += [box(dice(2, 4), d - 1, h + 0.5, -w / 2 + 2.5)]
    else:
        parts += [
            leg((-w / 2 + 4, s * (d / 2 - 4), h + 0.5), (-w / 2 + 4, s * (d / 2 - 4), 0), 2.2, 2, 4) for s in (-1, 1)
        ]
    if dice.yes(0.7):
        parts += [box(w - wide, 2, h * dice(0.2, 0.6), -wide / 2 + 4, -d / 2 + 6, h * 0.4)]
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


def with_hutch(dice: Dice) -> Parts:
    """A desk with shelves or a cabinet standing on its rear edge."""
    base = dice.one(writing, drawers)(dice)
    box_w, top = join(base).bounding_box(), dice(28, 75)
    w, d, z = box_w[3] - box_w[0], box_w[4] - box_w[1], box_w[5] - 0.1
    deep = min(d * 0.5, dice(18, 32))
    unit = shelf_unit(
        dice,
        w * dice.one(1, dice(0.6, 1)),
        deep,
        top,
        columns=dice.whole(1, 4),
        rows=dice.whole(1, 2),
        back=dice.yes(0.7),
    )
    return [*base, join(unit).translate((0, box_w[1] + deep / 2, z))]


def with_bookcase(dice: Dice) -> Parts:
    """A desk that leans on a bookcase at one end, at right angles or in line."""
    w, d, h, t = _desk_size(dice)
    tall, deep = dice.one(h + t, dice(110, 200)), dice(28, 40)
    wide = dice(40, 80)
    unit = join(
        shelf_unit(dice, wide, deep, tall, columns=dice.whole(1, 2), rows=max(2, round(tall / 36)), back=dice.yes(0.6))
    )
    if dice.yes():
        unit = unit.rotate((0, 0, -90)).translate((w / 2 - deep / 2, 0, 0))
    else:
        unit = unit.translate((w / 2 + wide / 2 - 1, -d / 2 + deep / 2, 0))
    legs = (
        [leg((-w / 2 + 4, s * (d / 2 - 4), h + 0.5), (-w / 2 + 4, s * (d / 2 - 4), 0), 2.2, 2, 4) for s in (-1, 1)]
        if dice.yes()
        else [box(3, d, h + 0.5, -w / 2 + 1.5)]
    )
    parts = [box(w, d, t, z=h), unit, *legs, box(w - 6, 2, 10, z=h - 10, y=-d / 2 + 4)]
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


def corner(dice: Dice) -> Parts:
    """The L-shaped desk."""
    w, d, h, t = dice(130, 185), dice(55, 75), dice(70, 76), dice(2, 4.5)
    long = dice(110, 170)
    wing = dice(45, 65)
    y0 = -d / 2
    flat = [
        (-w / 2, y0),
        (w / 2, y0),
        (w / 2, y0 + d),
        (-w / 2 + wing, y0 + d),
        (-w / 2 + wing, y0 + long),
        (-w / 2, y0 + long),
    ]
    if dice.yes(0.4):
        flat[3:4] = [(-w / 2 + wing + 22, y0 + d), (-w / 2 + wing, y0 + d + 22)]
    spots = [
        (-w / 2 + 4, y0 + 4),
        (w / 2 - 4, y0 + 4),
        (w / 2 - 4, y0 + d - 4),
        (-w / 2 + 4, y0 + long - 4),
        (-w / 2 + wing - 4, y0 + long - 4),
    ]
    r = dice(1.8, 3.2)
    if dice.yes():
        legs = [leg((*p, h + 0.5), (*p, 0), r, r, dice.one(4, 8)) for p in spots]
    else:
        legs = [
            box(3, d - 1, h + 0.5, w / 2 - 1.5),
            box(wing - 1, 3, h + 0.5, -w / 2 + wing / 2, y0 + long - 1.5),
            box(3, 40, h + 0.5, -w / 2 + 1.5, y0 + 20),
        ]
    if dice.yes(0.6):
        legs += [drawer_block(dice, 38, d - 6, h, w / 2 - 26, 0, 0)]
    parts = [plan(flat, t, h), *legs, box(w - 4, 2, 25, y=y0 + 3, z=h - 25)]
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


def trestle_desk(dice: Dice) -> Parts:
    """A desk top on trestles, or on one trestle and one block of drawers."""
    return trestle(dice)


def secretary(dice: Dice) -> Parts:
    """The ladder desk and the secretary: uprights or legs that carry shelves above a writing board."""
    w, d, h, top, r = dice(60, 110), dice(40, 58), dice(70, 76), dice(110, 190), dice(1.5, 2.6)
    rail = join(
        leg((w / 2 - r, -d / 2 + 3, top), (w / 2 - r, dice(-d / 2 + 3, d / 2 - 2), 0), r, r, 4),
        box(2 * r, d, 2 * r, w / 2 - r, 0, h - 3),
        leg((w / 2 - r, -d / 2 + r, h), (w / 2 - r, -d / 2 + r, 0), r, r, 4),
        leg((w / 2 - r, d / 2 - r, h), (w / 2 - r, d / 2 - r, 0), r, r, 4),
        box(2 * r, 2 * r, top, w / 2 - r, -d / 2 + r),
    )
    shelves = [box(w - r, 24, 2, y=-d / 2 + 12, z=z) for z in spaced(h + 30, top - 3, dice.whole(1, 3))]
    tray = [drawer_block(dice, w - 2 * r, d - 3, dice(9, 15), 0, 0, h - 14, rows=1)] if dice.yes(0.6) else []
    return [*both(rail), box(w - r, d, 2.5, z=h), *shelves, *tray]


DESKS = {writing: 2, drawers: 2.4, with_hutch: 1.2, with_bookcase: 1.2, corner: 1, trestle_desk: 0.7, secretary: 0.7}

"""Styles of desks and how often each is made."""
