"""Sofas and upholstered armchairs: one plan for all, from one seat to a corner."""

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    both,
    box,
    corners,
    curve,
    disc,
    front,
    join,
    lean,
    leg,
    rod,
    scatter_cushion,
    side,
    soft,
    spaced,
    strap,
)


def _feet(dice: Dice, w: float, d: float) -> tuple[Parts, float]:
    """Feet of an upholstered body w by d, and their height."""
    style = dice.weighted({"legs": 3, "block": 1.2, "none": 1.2, "runner": 0.6})
    if style == "none":
        return [], 0.0
    h = dice(5, 20)
    if style == "block":
        return corners(w - 12, d - 12, lambda x, y: box(8, 8, h + 2, x, y)), h
    if style == "runner":
        return both(
            [box(3, d - 6, 2.5, w / 2 - 9), *[box(3, 3, h + 2, w / 2 - 9, s * (d / 2 - 8)) for s in (-1, 1)]]
        ), h
    r, splay, n = dice(1.6, 3), dice.one(0, dice(1, 5)), dice.one(4, 8)
    return corners(
        w - 14,
        d - 12,
        lambda x, y: leg(
            (x, y, h + 2), (x + (splay if x > 0 else -splay), y + (splay if y > 0 else -splay), 0), r, r * 0.65, n
        ),
    ), h


def _arm(dice: Dice, style: str, wide: float, d: float, z: float, top: float, x: float) -> Parts:
    """The right-hand armrest, its inner face at x, from z up to top."""
    if style == "box":
        return [soft(wide, d, top - z, x + wide / 2, 0, z, r=1.5)]
    if style == "soft":
        return [soft(wide, d, top - z, x + wide / 2, 0, z, r=wide * 0.45, steps=3)]
    if style == "rolled":
        r = wide * 0.62
        return [
            front(arc(x + wide * 0.6, top - r, r, 0, 360, 14)[:-1], d),
            box(wide * 0.85, d - 2, top - r - z, x + wide * 0.43, 0, z),
        ]
    if style == "slope":
        return [
            side(
                [(-d / 2, z), (d / 2, z), (d / 2, top - 5), (-d / 2 + d * 0.4, top - 2), (-d / 2, top + 6)],
                wide,
                x + wide / 2,
                r=2,
            )
        ]
    t = 3.0  # wooden frame
    return [
        box(6, d, t, x + 2, 0, top - t),
        *[box(t, t, top, x + 2, s * (d / 2 - 4)) for s in (-1, 1)],
        box(t, d - 8, 5, x + 2, 0, z + 1),
    ]


def _body(dice: Dice, seats: int, each: float, arms: str, *, back: float, deep: float, chaise: float = 0) -> Parts:
    """Base, seat cushions, back cushions, arms; with a chaise longue at +x that comes forward by `chaise`."""
    wide = dice(7, 26) if arms not in ("none", "wood") else 3
    w = seats * each
    feet, z = _feet(dice, w if chaise or arms == "none" else w + 2 * wide, deep)
    base, cushion = dice(12, 24), dice(11, 20)
    seat_z = z + base
    tb = dice(12, 22)
    parts = [soft(w + 1, deep, base + 1, z=z, r=1.5), *feet]
    if chaise:
        parts += [soft(each, deep + chaise, base + 1, w / 2 - each / 2, chaise / 2, z, r=1.5)]
        parts += (
            [
                leg(
                    (w / 2 - each / 2 + s * each * 0.35, deep / 2 + chaise - 8, z + 1),
                    (w / 2 - each / 2 + s * each * 0.35, deep / 2 + chaise - 8, 0),
                    2.5,
                )
                for s in (-1, 1)
            ]
            if z
            else []
        )
    split = dice.yes(0.75)
    n = seats if split else 1
    for i, x in enumerate(spaced(-w / 2 + w / n / 2, w / 2 - w / n / 2, n)):
        extra = chaise if chaise and i == n - 1 and split else 0
        parts += [
            soft(w / n - 0.6, deep - tb + 3 + extra, cushion, x, tb / 2 + extra / 2, seat_z - 1, r=dice(2, 5), steps=3)
        ]
    if chaise and not split:
        parts += [soft(each - 0.6, deep - tb + chaise, cushion, w / 2 - each / 2, tb / 2 + chaise / 2, seat_z - 1, r=3)]
    tip = dice(3, 14)
    shell_h = back - dice.one(0, 6, dice(0, 14))
    parts += [lean([soft(w + 1, tb * 0.7, shell_h - z, z=0, r=2)], tip * 0.4).translate((0, -deep / 2 + tb * 0.4, z))]
    if dice.yes(0.8):
        plump = dice.yes(0.3)
        m = n if not plump else max(1, n)
        for x in spaced(-w / 2 + w / m / 2, w / 2 - w / m / 2, m):
            h = back - seat_z - cushion + 3 + dice.one(0, 0, 4)
            one = soft(w / m - 1, tb * 0.9, max(h, 20), r=dice(3, 6), steps=3)
            parts += [lean([one], tip).translate((x, -deep / 2 + tb, seat_z + cushion - 4))]
    if arms != "none":
        top = dice(seat_z + cushion + 6, min(back - 3, seat_z + cushion + 26))
        right = join(_arm(dice, arms, wide, deep, max(z - 0.5, 0), top, w / 2))
        parts += [right.mirror((1, 0, 0))] + ([right] if not chaise or dice.yes(0.8) else [])
    if seats > 1 and dice.yes(0.3):
        for s in (-1, 1)[: dice.whole(1, 2)]:
            parts += [scatter_cushion(42, 40, 15, 18, s * (w / 2 - 24), -deep / 2 + tb * 2 + 6, seat_z + cushion - 3)]
    return parts


def _arms_style(dice: Dice) -> str:
    return dice.weighted({"box": 3, "soft": 2, "rolled": 1.3, "slope": 1, "wood": 0.7, "none": 0.5})


def straight(dice: Dice) -> Parts:
    """The sofa for two, three or four."""
    return _body(
        dice,
        dice.weighted({2: 2, 3: 2, 4: 0.4}),
        dice(55, 85),
        _arms_style(dice),
        back=dice(68, 100),
        deep=dice(75, 105),
    )


def chaise(dice: Dice) -> Parts:
    """The corner sofa whose one end is a chaise longue."""
    parts = _body(
        dice,
        dice.whole(2, 4),
        dice(60, 85),
        dice.one("box", "soft", "none", "slope"),
        back=dice(66, 92),
        deep=dice(80, 100),
        chaise=dice(45, 80),
    )
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


def corner(dice: Dice) -> Parts:
    """The L-shaped sofa with a back along both its sides."""
    deep, w, long = dice(80, 98), dice(200, 290), dice(165, 250)
    feet_h, base, cushion, back, tb = dice(0, 12), dice(14, 22), dice(12, 18), dice(66, 90), dice(14, 20)
    y0, x1 = -deep / 2, w / 2
    seat = feet_h + base
    parts = [
        soft(w, deep, base, z=feet_h, r=2),
        soft(deep, long, base, x1 - deep / 2, y0 + long / 2, feet_h, r=2),
        soft(w, tb, back - feet_h, y=y0 + tb / 2, z=feet_h, r=4),
        soft(tb, long, back - feet_h, x1 - tb / 2, y0 + long / 2, feet_h, r=4),
    ]
    n, m = dice.whole(2, 3), dice.whole(1, 2)
    run, wing = w - deep, long - deep
    parts += [
        soft(run / n - 0.5, deep - tb + 1, cushion, x, tb / 2, seat - 1, r=3)
        for x in spaced(-w / 2 + run / n / 2, x1 - deep - run / n / 2, n)
    ]
    parts += [
        soft(deep - tb + 1, wing / m - 0.5, cushion, x1 - deep / 2 - tb / 2, y, seat - 1, r=3)
        for y in spaced(y0 + deep + wing / m / 2, y0 + long - wing / m / 2, m)
    ]
    parts += [soft(deep - tb + 1, deep - tb + 1, cushion, x1 - deep / 2 - tb / 2, tb / 2, seat - 1, r=3)]
    if dice.yes(0.7):
        h = back - seat - cushion + 5
        parts += [
            soft(run / n - 1, tb, h, x, y0 + tb * 1.3, seat + cushion - 3, r=5)
            for x in spaced(-w / 2 + run / n / 2, x1 - deep - run / n / 2, n)
        ]
        parts += [
            soft(tb, wing / m - 1, h, x1 - tb * 1.3, y, seat + cushion - 3, r=5)
            for y in spaced(y0 + deep + wing / m / 2, y0 + long - wing / m / 2, m)
        ]
    if dice.yes(0.7):
        parts += [soft(dice(10, 22), deep, seat + cushion + dice(6, 20) - feet_h, -w / 2, 0, feet_h, r=3)]
    if feet_h > 2:
        spots = [
            (-w / 2 + 9, y0 + 9),
            (-w / 2 + 9, -y0 - 9),
            (x1 - 9, y0 + 9),
            (x1 - 9, y0 + long - 9),
            (x1 - deep + 9, y0 + long - 9),
        ]
        parts += [leg((*p, feet_h + 2), (*p, 0), 3, 2.2) for p in spots]
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


def armchair(dice: Dice) -> Parts:
    """The club chair: one seat between two arms."""
    return _body(
        dice,
        1,
        dice(48, 66),
        dice.weighted({"box": 2, "soft": 2, "rolled": 1.2, "slope": 1.2, "wood": 1.2}),
        back=dice(66, 104),
        deep=dice(66, 92),
    )


def wing_chair(dice: Dice) -> Parts:
    """The wing chair: a high rounded back with ears, arms, tapered legs."""
    w, d, foot, top = dice(50, 60), dice(62, 78), dice(12, 20), dice(95, 115)
    seat = foot + dice(24, 30)
    t, wide = dice(9, 14), dice(7, 12)
    arch = dice(4, 26)
    back = front(
        [
            (-w / 2 - wide * 0.6, foot),
            (w / 2 + wide * 0.6, foot),
            *arc(0, top - arch, w / 2 + wide * 0.6, 0, 180, 14, ry=arch),
        ],
        t,
    )
    arm_top = seat + dice(14, 22)
    y = -d / 2 + t / 2
    ear = side(
        [
            (-d / 2 + 2, foot),
            (d / 2 - 4, foot),
            (d / 2 - 4, arm_top),
            (-d / 2 + t + dice(18, 24), arm_top + 1),
            (-d / 2 + t + dice(10, 17), top - arch - 6),
            (-d / 2 + 4, top - arch - 3),
        ],
        wide,
        w / 2 + wide * 0.3,
        r=3,
    )
    legs = corners(w - 4, d - 14, lambda a, b: leg((a, b, foot + 4), (a * 1.08, b * 1.08, 0), 2.4, 1.6))
    return [
        lean([back.translate((0, y, 0))], 5, y, foot),
        *both(lean([ear], 2, y, foot)),
        box(w, d - 6, 12, z=foot),
        soft(w, d - t, seat - foot, y=t / 2 - 1, z=foot + 4, r=5, steps=3),
        *legs,
        *both(
            rod(
                (w / 2 + wide * 0.3, d / 2 - 3, arm_top - 2),
                (w / 2 + wide * 0.3, -d / 2 + 6, arm_top - 1),
                wide * 0.62,
                wide * 0.5,
            )
        ),
    ]


def ottoman(dice: Dice) -> Parts:
    """The footstool: a cushion on a body and feet."""
    w, d, h = dice(40, 110), dice(38, 75), dice(34, 48)
    d = min(d, w)
    style = dice.weighted({"body": 2, "round": 1, "bent wood": 0.7})
    if style == "bent wood":  # the stool that goes with the lounge chair
        bend = [
            (-d / 2 + 4, 1.3),
            (d / 2 - 6, 1.3),
            (d / 2, 7),
            (d / 2 - 3, h - 11),
            (d / 2 - 10, h - 7),
            (-d / 2 + 2, h - 7),
        ]
        sides = both(strap(curve(bend, 3), 2.6, 5, w / 2 - 3))
        rungs = [box(w - 6, 4, 2, y=y, z=z) for y, z in ((-d / 4, 0.4), (-d / 4, h - 8), (d / 4, h - 8))]
        return [*sides, *rungs, soft(w - 4, d, 9, z=h - 8, r=3, steps=3)]
    if style == "round":
        r = d / 2
        feet = (
            corners(r, r, lambda x, y: leg((x, y, 12), (x * 1.1, y * 1.1, 0), 2))
            if dice.yes(0.6)
            else [disc(r * 0.9, 12)]
        )
        return [disc(r, h - 12, z=10, sides=28), disc(r + 0.8, dice(6, 12), z=h - 10, sides=28), *feet]
    feet, z = _feet(dice, w, d)
    return [*feet, soft(w - 1, d - 1, h - z - 8, z=z, r=2), soft(w, d, dice(10, 15), z=h - 11, r=4, steps=3)]


SOFAS = {straight: 4.5, chaise: 2, corner: 1.2, armchair: 0.8}
"""Styles of sofas and how often each is made."""

UPHOLSTERED_CHAIRS = {armchair: 1.5, wing_chair: 0.9, ottoman: 0.9}
"""Upholstered seats for one, which count as chairs."""
