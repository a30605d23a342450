"""Monitors: flat and curved ones, televisions, laptops, tubes. The screen faces +y."""

import numpy as np

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    both,
    bow,
    box,
    disc,
    ellipse,
    front,
    join,
    lean,
    leg,
    plan,
    rod,
    slab,
    soft,
    stack,
)


def _panel(dice: Dice, w: float, h: float, t: float) -> Parts:
    """A screen standing on z = 0, its face at y = t/2, framed, perhaps thicker behind."""
    rim = dice.one(0.6, dice(1, 3.5))
    body = (
        box(w, t, h) if dice.yes(0.7) else front([(-w / 2, 0), (w / 2, 0), (w / 2, h), (-w / 2, h)], t, r=dice(0.6, 2))
    )
    parts = [body - box(w - 2 * rim, 1, h - 2 * rim, y=t / 2, z=rim)]
    if dice.yes(0.6):
        k = dice(0.4, 0.8)
        parts += [soft(w * k, t + dice(2, 5), h * k, y=-t * 0.8, z=h * dice(0.08, 0.2), r=2)]
    return parts


def _stand(dice: Dice, w: float, h: float, lift: float, y: float = -2, feet: bool = False) -> Parts:
    """What carries a screen w by h whose lower edge is at lift."""
    style = dice.one("plate", "oval", "v", "arc", "frame", "plate")
    deep, up = dice(16, 28), lift + h * dice(0.3, 0.5)
    neck_w = dice(3, 12)
    if feet and dice.yes(0.15):
        x = w * dice(0.25, 0.42)
        return both(
            [
                rod((x, 0, lift + 1), (x, deep / 2, 0.8), 1),
                rod((x, 0, lift + 1), (x, -deep / 2, 0.8), 1),
                box(2, 3, 5, x, 0, lift - 1),
            ]
        )
    neck = [box(neck_w, dice(2, 3.5), up - 0.5, y=y, z=0.5), box(neck_w * 1.5, 6, 7, y=y + 1, z=up - 5)]
    if style == "v":
        return [
            *neck,
            *both(rod((0, y, 1), (w * 0.3, deep * 0.6, 1), 1.4)),
            *([rod((0, y, 1), (0, -deep / 2, 1), 1.4)]),
        ]
    if style == "frame":
        x = dice(7, 12)
        return [
            *both(box(1.6, 2, up, x, y)),
            *both(box(1.6, deep, 1.6, x, 0)),
            box(2 * x, 1.6, 1.6, y=deep / 2 - 1),
            box(2 * x, 5, 6, y=y + 1.5, z=up - 6),
        ]
    wide = dice(18, 34)
    if style == "oval":
        return [*neck, plan(ellipse(wide, deep), dice(1.2, 2.2))]
    if style == "arc":
        return [
            *neck,
            bow(
                [(wide / 2 * np.sin(a), deep * 0.7 * (1 - np.cos(a)) + y) for a in np.radians(np.linspace(-80, 80, 9))],
                2.5,
                2,
            ),
            box(neck_w, 4, 2, y=y),
        ]
    return [*neck, slab(wide, deep, dice(1.2, 2.2), r=dice(0.5, 6))]


def flat(dice: Dice) -> Parts:
    """The computer monitor: 19 to 34 inches, sometimes upright."""
    w = dice(40, 80)
    h, t, lift = w * dice.one(9 / 16, 10 / 16, 3 / 4, 9 / 21), dice(2, 5), dice(6, 16)
    if dice.yes(0.08):
        w, h = h, w
    tip = dice(0, 10)
    screen = lean(_panel(dice, w, h, t), tip).translate((0, t / 2, lift))
    return [screen, *_stand(dice, w, h, lift, y=-3, feet=w > h)]


def curved(dice: Dice) -> Parts:
    """The curved monitor, its ends towards the viewer."""
    w, lift, t = dice(60, 120), dice(7, 15), dice(2, 3.5)
    h, radius = w * dice(0.38, 0.56), dice(80, 180)
    half = w / 2 / radius
    path = [(radius * np.sin(a), radius * (1 - np.cos(a))) for a in np.linspace(-half, half, 11)]
    return [
        bow(path, t, h, lift),
        soft(w * 0.3, 7, h * 0.5, y=-1, z=lift + h * 0.2, r=2),
        *_stand(dice, w, h, lift, y=-3),
    ]


def television(dice: Dice) -> Parts:
    """A large flat screen on feet or a plate, sometimes with a sound bar."""
    w, t, lift = dice(80, 150), dice(3, 7), dice(3, 9)
    h = w * 9 / 16
    bar = [box(w * 0.7, 7, lift + 0.4, y=2)] if dice.yes(0.15) else []
    if dice.yes(0.5):
        x, deep = w * dice(0.28, 0.44), dice(20, 32)
        feet = both([rod((x, 0, lift + 1), (x, s * deep / 2, 1.2), 1.4) for s in (-1, 1)])
    else:
        feet = [box(w * dice(0.1, 0.25), 4, lift + 8), slab(w * dice(0.35, 0.6), dice(20, 30), 2, r=dice(1, 6))]
    return [*[p.translate((0, 0, lift)) for p in _panel(dice, w, h, t)], *feet, *bar]


def tube(dice: Dice) -> Parts:
    """The cathode-ray monitor or television: a box that tapers behind."""
    w = dice(36, 65)
    h, d, lift = w * dice(0.72, 0.95), w * dice(0.75, 1.05), dice(0, 8)
    deep = d * dice(0.25, 0.5)
    k = dice(0.5, 0.8)
    zc = lift + h / 2
    shell = [soft(w, deep, h, y=d / 2 - deep / 2, z=lift, r=dice(0.8, 3))]
    rim = dice(3, 6)
    face = box(w - 2 * rim, 3, h - 2.4 * rim, y=d / 2, z=lift + 1.4 * rim)
    glass = soft(w - 2 * rim, 6, h - 2.4 * rim, y=d / 2 - 3.4, z=lift + 1.4 * rim, r=2)
    far = [
        (-w * k / 2, zc - h * k * 0.6),
        (w * k / 2, zc - h * k * 0.6),
        (w * k / 2, zc + h * k * 0.45),
        (-w * k / 2, zc + h * k * 0.45),
    ]
    near = [(-w / 2 + 1, lift + 1), (w / 2 - 1, lift + 1), (w / 2 - 1, lift + h - 1), (-w / 2 + 1, lift + h - 1)]
    cone = stack([(far, 0), (near, d - deep + 1)]).transform(((1, 0, 0, 0), (0, 0, 1, -d / 2), (0, 1, 0, 0)))
    foot = (
        [disc(w * 0.3, 2.5), disc(w * 0.16, lift + h * 0.2, z=1)]
        if lift > 3
        else [box(w * 0.85, d * 0.6, lift + 2, y=d * 0.12)]
    )
    base = foot if lift > 0.5 else []
    return [join(shell) - face, glass, cone, *base]


def laptop(dice: Dice) -> Parts:
    """An open laptop."""
    w = dice(28, 40)
    d, t, tip = w * dice(0.64, 0.72), dice(1.1, 2.2), dice(5, 30)
    base = (
        slab(w, d, t, r=1)
        - box(w * 0.86, d * 0.42, 1, y=-d * 0.12, z=t - 0.25)
        - box(w * 0.3, d * 0.25, 1, y=d * 0.28, z=t - 0.2)
    )
    lid = front([(-w / 2, -0.5), (w / 2, -0.5), (w / 2, d), (-w / 2, d)], t * 0.7, r=0.6) - box(
        w - 2, 0.5, d - 3, y=t * 0.35, z=1.5
    )
    return [
        base,
        lean([lid], tip).translate((0, -d / 2 + t * 0.3, t * 0.7)),
        rod((-w * 0.4, -d / 2 + 0.4, t), (w * 0.4, -d / 2 + 0.4, t), 0.7),
    ]


def all_in_one(dice: Dice) -> Parts:
    """A screen with a chin on a bent foot; a tablet on an easel; two screens side by side."""
    w = dice(42, 62)
    h, t = w * dice(0.62, 0.78), dice(2, 5)
    if dice.yes(0.35):
        x, turn = w * 0.5 + 0.4, dice(0, 18)
        one = (
            join(_panel(dice, w, w * 0.58, 3)).translate((w / 2 + 0.2, 0, 0)).rotate((0, 0, turn)).translate((0, 0, 12))
        )
        return [
            *both(one),
            box(x * 0.8, 3, 4, y=-1.5, z=24),
            box(6, 4, 28, y=-2.5),
            slab(40, 24, 2, r=3),
            box(5, 4, w * 0.5, z=13),
        ]
    tip = dice(3, 14)
    screen = lean([box(w, t, h), soft(w * 0.5, t + 3, h * 0.5, y=-1.5, z=h * 0.2)], tip).translate((0, 0, 7))
    if dice.yes(0.3):
        return [
            lean([box(w, t, h)], 18).translate((0, 4, 0)),
            *both(leg((w * 0.2, 3.5 - h * 0.225, h * 0.72), (w * 0.25, -h * 0.6, 0), 1.2)),
        ]
    return [
        screen,
        box(w * 0.32, 2, h * 0.45, y=-4, z=0.5),
        slab(w * 0.4, 20, 1.6, y=3, r=2),
        box(w * 0.3, 8, 5, y=-3, z=h * 0.4),
    ]


MONITORS = {flat: 4, curved: 1, television: 1.6, tube: 2, laptop: 1, all_in_one: 0.9}
"""Styles of monitors and how often each is made."""
