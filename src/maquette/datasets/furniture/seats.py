"""Chairs that do not stand on four plain legs: office chairs, cantilevers, loungers, stools, benches."""

import numpy as np

from maquette.datasets.furniture.chairs import four_legs, make_arms, make_back, pedestal, sled
from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    both,
    bow,
    box,
    corners,
    curve,
    disc,
    ellipse,
    front,
    join,
    lean,
    leg,
    plan,
    ring,
    rod,
    side,
    slab,
    soft,
    spaced,
    strap,
    tube,
    wheel,
)


def office(dice: Dice) -> Parts:
    """The swivel chair: five-star base, gas spring, padded seat and back, often armrests."""
    w, d, h = dice(44, 54), dice(42, 50), dice(42, 50)
    seat = soft(w, d, dice(5, 10), z=h, r=4, steps=3)
    tall = dice.one(dice(32, 45), dice(50, 75))
    bw, low = w * dice(0.78, 1), h + dice(6, 16)
    back_y = -d / 2 + 1
    style = dice.one("pad", "curved", "mesh", "round")
    if style == "pad":
        back = soft(bw, dice(4, 9), tall, y=back_y, z=low, r=4, steps=3)
    elif style == "curved":
        back = bow(
            [(bw / 2 * np.sin(a), back_y + 9 - 9 * np.cos(a)) for a in np.radians(np.linspace(-60, 60, 7))],
            dice(3, 5),
            tall,
            low,
        )
    elif style == "mesh":
        back = front([(-bw / 2, low), (bw / 2, low), (bw * 0.42, low + tall), (-bw * 0.42, low + tall)], 3, back_y, r=5)
    else:
        back = front(ellipse(bw, tall, 0, low + tall / 2, 24, dice(2, 3)), dice(4, 7), back_y)
    spine = strap([(-4, h - 1), (-d / 2 - 2, h - 1), (back_y - 2.5, low + tall * 0.45)], 2.5, dice(6, 14))
    head = [soft(bw * 0.6, 6, 15, y=back_y, z=low + tall - 3, r=3)] if dice.yes(0.2) else []
    parts = [*_star(dice, h), seat, lean([back, *head], dice(0, 12), back_y, low - 6), spine, disc(3, 10, z=h - 8)]
    parts += [lean([box(6, 3, tall * 0.4, y=back_y - 1, z=low - 3)], 3, back_y, low)]
    if dice.yes(0.6):
        x, top = w / 2 + dice(2, 5), h + dice(18, 25)
        if dice.yes(0.6):
            post = [box(4, 5, top - h + 3, x, -2, h - 1), box(14, 5, 2.5, x - 6, -2, h - 1)]
        else:
            post = [
                tube(
                    [
                        (x - 8, 8, h + 2),
                        (x, 8, h + 2),
                        (x, 9, top),
                        (x, -14, top),
                        (x - 3, -d / 2 + 4, h + 3),
                        (x - 10, -d / 2 + 6, h + 3),
                    ],
                    1.6,
                )
            ]
        parts += both([*post, soft(dice(5, 9), dice(20, 28), 3, x, -2, top, r=1.4)])
    return parts


def _star(dice: Dice, h: float) -> Parts:
    r, n = dice(27, 35), 5
    z = dice(5.5, 8)
    arm = [rod((0, 0, z + dice(2, 5)), (r, 0, z), 2.8, 1.6), disc(1.3, z - 2, r - 1, 0, 2)]
    arm += [wheel(3, dice(3, 6), z=3).rotate((0, 0, dice(0, 90))).translate((r - 1, 0, 0))]
    return [
        *ring(n, join(arm), dice(0, 72)),
        disc(3.8, 7, z=z - 1),
        disc(2.2, h - z, z=z),
        soft(22, 22, 4, z=h - 3, r=1),
    ]


def cantilever(dice: Dice) -> Parts:
    """The dining chair on a bent tube without hind legs."""
    w, d, h, top, r = dice(42, 52), dice(42, 50), dice(41, 46), dice(76, 92), dice(1.1, 1.7)
    x, tip = w / 2 - r, dice(0, 6)
    path = [
        (x, -d / 2, r),
        (x, d / 2 - 2, r),
        (x, d / 2 + 1, 3),
        (x, d / 2 + 1, h - 3),
        (x, d / 2 - 2, h),
        (x, -d / 2 + 2, h - 1),
        (x, -d / 2 - 1, h + 3),
        (x, -d / 2 - 3 - tip, top),
    ]
    arms = (
        both(tube([(x, d / 2 + 1, h - 6), (x, d / 2, h + 20), (x, -d / 2 - tip / 2, h + 22)], r))
        if dice.yes(0.35)
        else []
    )
    cross = [rod((-x, -d / 2, r), (x, -d / 2, r), r)] if dice.yes(0.7) else [rod((-x, d / 2, r), (x, d / 2, r), r)]
    seat = slab(w, d - 2, dice(2, 6), z=h - 1, r=3)
    bh = dice.one(dice(14, 22), top - h - dice(4, 8))
    back = lean([soft(w, dice(2, 4.5), bh, y=0, z=0, r=1.5)], np.degrees(np.arctan2(tip + 2, top - h)))
    at = (top - bh * 0.97 - h - 3) / (top - h - 3)
    return [
        *both(tube(path, r)),
        *cross,
        *arms,
        seat,
        back.translate((0, -d / 2 - 1 - (tip + 2) * at, top - bh * 0.97)),
        box(w - 2, 2, 2, y=-d / 2 + 3, z=h - 2),
    ]


def lounge(dice: Dice) -> Parts:
    """The bent-wood lounge armchair: two springy cantilever sides under one long cushion; sometimes a rocker."""
    w, d, top, lift = dice(55, 68), dice(60, 80), dice(85, 104), dice(36, 43)
    wide, t = dice(4, 6), dice(2, 3)
    back_y, front_y = -d / 2, d / 2
    arm_z = dice(52, 58)
    rocker = dice.yes(0.2)
    run = (
        [(back_y + 4, 5), (-d / 6, 1.6), (d / 6, 1.6), (front_y - 8, 4)]
        if rocker
        else [(back_y + 4, t / 2), (front_y - 10, t / 2)]
    )
    frame = curve(
        [
            *run,
            (front_y, 9),
            (front_y + 1, 30),
            (front_y - 5, arm_z - 6),
            (front_y - 16, arm_z),
            (back_y + 12, arm_z - 8),
        ],
        4,
    )
    if dice.yes(0.4):  # a closed loop: the arm comes down to the floor behind
        frame = np.vstack([frame, curve([(back_y + 12, arm_z - 8), (back_y + 5, 30), run[0]], 4)])
    sides = both(strap(frame, t, wide, w / 2 - wide / 2))
    seat_back = -d / 2 + dice(12, 18)
    body = curve(
        [
            (front_y - 4, lift),
            (0, lift - 6),
            (seat_back + 6, lift - 9),
            (seat_back, lift - 5),
            (seat_back - 8, lift + 18),
            (back_y - 4, top),
        ],
        4,
    )
    inner = w - 2 * wide
    cushion = strap(body, dice(5, 10), inner * dice(0.92, 1.0))
    rails = [
        rod((-w / 2 + 1, y, z), (w / 2 - 1, y, z), 1.5, sides=8)
        for y, z in ((front_y - 4, lift - 3), (seat_back, lift - 9))
    ]
    links = both(
        join(
            strap(
                [(front_y - 2, lift - 4), (seat_back, lift - 10), (back_y + 12, arm_z - 8), (back_y + 6, top * 0.72)],
                2.2,
                wide,
                w / 2 - wide / 2,
            ),
            box(wide, 3, 3, w / 2 - wide / 2, front_y - 2, lift - 5),
        )
    )
    cross = [
        box(w - wide, 4, 2, y=front_y - 12, z=0.6 if not rocker else 1.5),
        rod((-w / 2 + 2, back_y + 6.5, top * 0.72), (w / 2 - 2, back_y + 6.5, top * 0.72), 1.3),
    ]
    head = [lean([soft(inner * 0.9, 8, 16, r=4)], 14).translate((0, back_y + 1, top - 13))] if dice.yes(0.3) else []
    return [*sides, cushion, *rails, *links, *cross, *head]


def stool(dice: Dice) -> Parts:
    """Low, bar and milking stools: a seat without a back, or with a very low one."""
    h, w = dice.one(dice(35, 47), dice(60, 78)), dice(28, 42)
    d = w * dice(0.85, 1.05)
    round_seat = dice.yes(0.6)
    t = dice(2, 6)
    seat = (
        [
            disc(w / 2, t, z=h),
        ]
        if round_seat
        else [slab(w, d, t, z=h, r=dice(1, 6))]
    )
    style = dice.one("legs", "three", "pedestal", "sled", "legs", "side")
    if style == "pedestal":
        base = pedestal(dice, w, d, h)
        base += (
            [
                join(ring(4, rod((0, 0, h * 0.35), (12, 0, h * 0.35), 1))),
                disc(13, 2, z=h * 0.34) - disc(10.5, 4, z=h * 0.34 - 1),
            ]
            if h > 55
            else []
        )
    elif style == "three":
        base = ring(3, leg((w * 0.25, 0, h + 0.5), (w * dice(0.4, 0.55), 0, 0), dice(1.6, 2.4), 1.4))
    elif style == "sled":
        base = sled(dice, w * 0.9, d * 0.9, h)
    elif style == "side":
        base = [*both(box(2.5, d * 0.9, h + 1, w / 2 - 3)), box(w - 5, 2.5, dice(6, 12), z=h * dice(0.3, 0.7))]
    else:
        base = four_legs(dice, w * (0.82 if round_seat else 1), d * (0.75 if round_seat else 1), h)
    if h > 55 and dice.yes(0.35):
        base += make_back(dice, w * 0.85, d * (0.75 if round_seat else 1), h + 1, h + dice(15, 32))
    return [*seat, *base]


def folding(dice: Dice) -> Parts:
    """The folding chair: crossed legs seen from the side."""
    w, d, h, top, r = dice(40, 48), dice(36, 44), dice(42, 46), dice(75, 88), dice(1.3, 2)
    x = w / 2 - r
    hind = [(-d / 2 - 2, top), (d / 2 + 2, r)]
    outer = strap(hind, 2 * r, 2 * r, x)
    inner = strap([(d / 2 - 6, h), (-d / 2 - 4, r)], 2 * r, 2 * r, x - 2 * r)
    t = dice(2, 3)
    n = dice.whole(4, 7)
    slats = [box(w - 2 * r, (d - 2) / n * 0.65, t, y=y, z=h) for y in spaced(-d / 2 + 3, d / 2 - 3, n)] + both(
        box(3, d - 2, 2.5, x - 2 * r, 0, h - 2)
    )
    seat = slats if dice.yes() else [slab(w - 2 * r, d, t, z=h, r=3), box(w - 2 * r, d * 0.8, 2, z=h - 1.5)]
    slope = (hind[0][0] - hind[1][0]) / (top - r)

    def on_hind(z: float) -> float:
        return hind[1][0] + slope * (z - r)

    tip = np.degrees(np.arctan(-slope))
    rung = top - dice(12, 22)
    back = [
        lean([soft(w - 1, 2.2, v, r=1)], tip).translate((0, on_hind(z), z))
        for z, v in ((rung, top - rung), (h + 12, 5))[: dice.whole(1, 2)]
    ]
    cross = [
        rod((-x, y, z), (x, y, z), 1.1) for y, z in ((on_hind(10), 10), (-d / 2 + 1, 9.5), (on_hind(h - 1), h - 1))
    ]
    return [*both([outer, inner]), *seat, *back, *cross]


def bench(dice: Dice) -> Parts:
    """A bench for two or three, with or without a back."""
    w, d, h = dice(85, 170), dice(32, 46), dice(40, 46)
    style = dice.one("slatted", "plank", "box")
    t = dice(2.5, 5)
    seat = [slab(w, d, t, z=h, r=1)]
    if style == "slatted":
        n = dice.whole(3, 5)
        seat = [box(w, d / n * 0.75, t, y=y, z=h) for y in spaced(-d / 2 + d / n / 2, d / 2 - d / n / 2, n)]
        seat += [box(4, d - 1, 3, x, 0, h - 2) for x in (-w / 2 + 7, 0, w / 2 - 7)]
    if style == "box":
        base = [*both(box(dice(2.5, 4), d, h + 1, w / 2 - 3)), box(w - 6, 2.5, dice(6, 18), z=h - 18 + dice(0, 17))]
        base += [box(w - 5, d - 2, 2.5, z=dice(8, 20))] if dice.yes() else []
    else:
        base = corners(w - 10, d - 7, lambda x, y: leg((x, y, h + 1), (x, y, 0), 2.6, 2, 4)) + [
            box(w - 10, 2.5, 6, z=h - 5)
        ]
        base += [box(3, d - 7, 5, x, 0, h - 4.5) for x in (-w / 2 + 5, w / 2 - 5)]
    back = make_back(dice, w, d, h + 1, h + dice(32, 45)) if dice.yes() else []
    arms = make_arms(dice, w, d, h) if back and dice.yes(0.6) else []
    return [*seat, *base, *back, *arms]


def tub(dice: Dice) -> Parts:
    """A round-backed tub chair: an upright band around a cushion, on legs or a plinth."""
    r, h, band = dice(30, 38), dice(12, 24), dice(28, 42)
    seat = dice(10, 16)
    reach = dice(10, 40)
    path = arc(0, 0, r - 3, 180 - reach, 360 + reach, 14)
    slope = dice(0, 12)
    wall = bow(path, dice(5, 9), seat + band, h - 1)
    cutter = side([(-2 * r, h + seat + band), (2 * r, h + seat + band - slope * 3), (2 * r, 400), (-2 * r, 400)], 4 * r)
    cushion = plan([*arc(0, 0, r - 4, 180, 360, 12), (r - 4, 0.72 * r), (4 - r, 0.72 * r)], seat, h, r=3)
    base = plan([*arc(0, 0, r - 3, 180, 360, 12), (r - 5, 0.7 * r), (5 - r, 0.7 * r)], 4, h - 1, r=3)
    legs = (
        corners(r * 1.2, r * 1.2, lambda x, y: leg((x, y, h + 2), (x * 1.15, y * 1.15, 0), 2.2, 1.5))
        if dice.yes(0.7)
        else [disc(r * 0.6, h + 1)]
    )
    return [wall - cutter, cushion, *legs, base]


SEATS = {office: 2.2, cantilever: 0.9, lounge: 1.8, stool: 1.2, folding: 0.6, bench: 0.5, tub: 0.7}
"""Styles of the other chairs and how often each is made."""
