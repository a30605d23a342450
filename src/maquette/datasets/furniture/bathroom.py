"""Toilets and bathtubs."""

from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    box,
    corners,
    disc,
    ellipse,
    lean,
    leg,
    plan,
    rod,
    slab,
    soft,
    stack,
    tube,
)


def _egg(w: float, d: float, y: float, z: float, blunt: float) -> tuple[list, float]:
    """A level toilet outline: round in front, squarer behind."""
    points = [(x, y + v * (1.0 if v > 0 else blunt)) for x, v in ellipse(w, d, count=28, power=2.3)]
    return points, z


def _bowl(dice: Dice, w: float, d: float, h: float, bottom: float, wall_hung: bool) -> Manifold:
    """The ceramic bowl, hollow, its rim at h."""
    blunt = dice(0.8, 1)
    narrow, z1 = dice(0.5, 0.75), h * dice(0.35, 0.55)
    back = -d * dice(0.04, 0.12)
    if wall_hung:
        rings = [
            _egg(w * 0.5, d * 0.45, back * 2, bottom, blunt),
            _egg(w * 0.85, d * 0.8, back, bottom + (h - bottom) * 0.4, blunt),
            _egg(w, d, 0, h - 5, blunt),
            _egg(w, d, 0, h, blunt),
        ]
    elif dice.yes(0.35):  # a skirt straight to the floor
        rings = [
            _egg(w * 0.8, d * 0.8, back, 0, blunt),
            _egg(w * 0.85, d * 0.85, back, h * 0.5, blunt),
            _egg(w, d, 0, h - 5, blunt),
            _egg(w, d, 0, h, blunt),
        ]
    else:
        rings = [
            _egg(w * narrow * 1.1, d * 0.72, back, 0, blunt),
            _egg(w * narrow, d * 0.6, back, z1 * 0.5, blunt),
            _egg(w * narrow, d * 0.6, back, z1, blunt),
            _egg(w * 0.95, d * 0.95, 0, h - 7, blunt),
            _egg(w, d, 0, h, blunt),
        ]
    hole = [
        _egg(w * 0.3, d * 0.3, 0, h - dice(14, 20), blunt),
        _egg(w * 0.66, d * 0.68, 1, h - 6, blunt),
        _egg(w * 0.68, d * 0.7, 1, h + 9, blunt),
    ]
    return stack(rings) - stack(hole)


def _toilet(dice: Dice, cistern: str, lid: str, hung: bool) -> Parts:
    w, d, h = dice(34, 39), dice(44, 54), dice(37, 44)
    bottom = dice(10, 18) if hung else 0.0
    parts = [_bowl(dice, w, d, h, bottom, hung)]
    ring = plan(_egg(w + 1, d + 1, 0, 0, 0.95)[0], 2, h - 0.2)
    rear = -d / 2
    if lid == "closed":
        parts += [plan(_egg(w + 1, d + 1, 0, 0, 0.95)[0], dice(3, 5.5), h - 0.2)]
    elif lid != "none":
        parts += [ring - plan(_egg(w * 0.66, d * 0.66, 1, 0, 0.95)[0], 9, h - 3)]
    back_d = dice(14, 20)
    cw, ch = dice(34, 48), dice(30, 40)
    parts += [box(w * 0.75, 18, h - max(bottom, h * 0.45), y=rear + 5, z=max(bottom, h * 0.45))]
    if cistern == "low":
        tank = soft(cw, back_d, ch, y=rear - back_d / 2 + 3, z=h - 1, r=dice(0.8, 3))
        cap = slab(cw + 2, back_d + 2, 3, y=rear - back_d / 2 + 3, z=h + ch - 2, r=1.5)
        parts += [tank, cap, box(cw * 0.8, back_d, 8, y=rear - back_d / 2 + 5, z=h - 8)]
        parts += (
            [disc(2.2, 1.5, 0, rear - back_d / 2 + 3, h + ch + 0.6)]
            if dice.yes()
            else [rod((cw * 0.3, rear + 3, h + ch - 7), (cw * 0.3, rear + 5.5, h + ch - 7), 1.4)]
        )
        if dice.yes(0.5):
            parts += [box(w * 0.6, back_d, h, y=rear - back_d / 2 + 6)]
    elif cistern == "box":
        parts += [box(dice(38, 60), back_d, h + dice(30, 75), y=rear - back_d / 2 + 3)]
    elif cistern == "high":
        top = dice(120, 160)
        parts += [
            rod((0, rear - 4, h - 8), (0, rear - 4, top + 3), 2.2),
            soft(44, 20, 28, y=rear - 6, z=top, r=2),
            box(10, 12, 10, y=rear - 1, z=h - 12),
        ]
    else:
        parts += [box(w * 0.75, 10, h - bottom, y=rear - 1, z=bottom)] if hung else []
    if lid == "open":
        flap = stack([_egg(w, d, d / 2, 0, 0.95), _egg(w, d, d / 2, 2.2, 0.95)]).transform(
            ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0))
        )
        parts += [
            lean([flap], dice(3, 9)).translate((0, rear + 3.5, h + 0.5)),
            box(w * 0.4, 5, 3, y=rear + 3, z=h - 0.5),
        ]
    return parts


def close_coupled(dice: Dice) -> Parts:
    """A bowl on the floor with its cistern behind it."""
    return _toilet(dice, "low", dice.weighted({"closed": 2, "seat": 1, "open": 1.5}), False)


def wall_hung(dice: Dice) -> Parts:
    """A bowl that hangs on a boxed-in cistern, or on nothing."""
    return _toilet(dice, dice.one("box", "box", "none"), dice.one("closed", "seat", "open"), True)


def back_to_wall(dice: Dice) -> Parts:
    """A bowl on the floor, its cistern in the wall, boxed in, or high above."""
    return _toilet(
        dice, dice.weighted({"none": 2, "box": 1, "high": 0.8}), dice.one("closed", "seat", "open", "none"), False
    )


TOILETS = {close_coupled: 5, wall_hung: 1, back_to_wall: 1.3}
"""Styles of toilets and how often each is made."""


# ---- bathtubs ------------------------------------------------------------------------------------------------------


def _tub(
    w: float, d: float, h: float, wall: float, taper: float, power: float, z: float = 0, floor: float = 5
) -> Manifold:
    """A hollow tub, long along x, its foot narrower than its rim by the factor taper."""
    outer = [(ellipse(w * taper, d * taper, power=power, count=40), z), (ellipse(w, d, power=power, count=40), z + h)]
    iw, id_ = w - 2 * wall, d - 2 * wall
    inner = [
        (ellipse(iw * taper * 0.85, id_ * taper * 0.8, power=power, count=40), z + floor),
        (ellipse(iw * (0.4 + 0.6 * taper), id_ * (0.4 + 0.6 * taper), power=power, count=40), z + floor + h * 0.2),
        (ellipse(iw, id_, power=power, count=40), z + h),
        (ellipse(iw, id_, power=power, count=40), z + h + 20),
    ]
    return stack(outer) - stack(inner)


def _size(dice: Dice) -> tuple[float, float, float]:
    return dice(135, 190), dice(68, 90), dice(48, 64)


def built_in(dice: Dice) -> Parts:
    """A basin in a box with flat sides and a wide rim."""
    w, d, h = _size(dice)
    power, rim = dice(3, 9), dice(5, 10)
    iw, id_ = w - 2 * rim, d - 2 * rim
    off = dice(-0.5, 0.5) * rim
    hole = stack(
        [
            (ellipse(iw * 0.78, id_ * 0.7, off, 0, 40, power), dice(6, 14)),
            (ellipse(iw, id_, off, 0, 40, power), h - 3),
            (ellipse(iw, id_, off, 0, 40, power), h + 20),
        ]
    )
    body = box(w, d, h) if dice.yes() else slab(w, d, h, r=dice(2, 12))
    parts = [body - hole]
    if dice.yes(0.4):
        parts += [box(w + 3, d + 3, dice(3, 5), z=h - 4) - plan(ellipse(iw, id_, off, 0, 40, power), 50, h - 20)]
    if dice.yes(0.3):
        parts[0] = parts[0] - box(w - 16, 4, h - 16, y=d / 2, z=6)
    return [*parts, *_tap(dice, w, d, h)]


def _tap(dice: Dice, w: float, d: float, h: float) -> Parts:
    """A tap on one end, sometimes."""
    if dice.yes(0.6):
        return []
    x = dice.one(-1, 1) * (w / 2 - 3)
    reach = -14 if x > 0 else 14
    return [tube([(x, 0, h - 2), (x, 0, h + 12), (x + reach, 0, h + 13), (x + reach, 0, h + 9)], 1.8)]


def free_standing(dice: Dice) -> Parts:
    """An oval tub that stands by itself, its foot narrower."""
    w, d, h = _size(dice)
    power = dice(2, 4.5)
    tub = [_tub(w, d, h, dice(3, 6), dice(0.72, 0.97), power)]
    if dice.yes(0.4):
        tub += [
            plan(ellipse(w + 4, d + 4, power=power, count=40), 3, h - 3)
            - plan(ellipse(w - 8, d - 8, power=power, count=40), 30, h - 15)
        ]
    return tub


def claw_foot(dice: Dice) -> Parts:
    """A rolled rim on four feet, one end sometimes higher."""
    w, d, h = _size(dice)
    lift, power = dice(9, 17), dice(2.2, 3.5)
    tub = _tub(w, d, h, 4, dice(0.68, 0.85), power, lift)
    rim = ellipse(w, d, power=power, count=32)
    rise = dice.one(0, 0, dice(6, 16))
    if rise:
        tub = tub.warp(
            lambda p: (
                p[0],
                p[1],
                p[2] + rise * max(0.0, p[0] / w + 0.1) ** 2 * 2.5 * max(0.0, p[2] - lift - h * 0.4) / (h * 0.6),
            )
        )

    def lifted(x: float) -> float:
        return lift + h + rise * max(0.0, x / w + 0.1) ** 2 * 2.5 - 0.5

    roll = tube([(x * 0.985, y * 0.985, lifted(x)) for x, y in [*rim, rim[0]]], dice(2.2, 3.5))
    feet = corners(w * 0.52, d * 0.45, lambda x, y: leg((x, y, lift + 7), (x * 1.12, y * 1.15, 0), 4.5, 2.8))
    return [tub, roll, *feet]


def corner_tub(dice: Dice) -> Parts:
    """The quarter-round tub of a corner, and the round one."""
    w, h = dice(120, 155), dice(48, 60)
    if dice.yes(0.5):
        w = dice(110, 150)
        return [_tub(w, w, h, dice(6, 14), dice(0.85, 1), 2)]
    cut = w * dice(0.35, 0.6)
    flat = [(-w / 2, -w / 2), (w / 2, -w / 2), (w / 2, w / 2 - cut), (w / 2 - cut, w / 2), (-w / 2, w / 2)]
    inner = [(x * 0.8, y * 0.8) for x, y in flat]
    hole = stack([([(x * 0.7, y * 0.7) for x, y in inner], 9), (inner, h - 4), (inner, h + 20)])
    return [plan(flat, h, r=8) - hole]


def wash_tub(dice: Dice) -> Parts:
    """A high-backed slipper tub without feet."""
    w, d, h = _size(dice)
    rise = dice(8, 25)
    ends = dice.yes(0.4)
    tub = _tub(w, d, h, dice(3.5, 6), dice(0.7, 0.9), dice(2, 3))
    tub = tub.refine(2).warp(
        lambda p: (
            p[0],
            p[1],
            p[2]
            + rise * (p[2] / h if p[2] < h * 1.2 else 0) * (abs(2 * p[0] / w) if ends else max(0.0, 2 * p[0] / w)) ** 2,
        )
    )
    return [tub, *([plan(ellipse(w * 0.75, d * 0.75, power=3), 3)] if dice.yes() else [])]


BATHTUBS = {built_in: 3, free_standing: 2.2, claw_foot: 1.3, corner_tub: 0.9, wash_tub: 1}
"""Styles of bathtubs and how often each is made."""
