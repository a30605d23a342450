"""Chairs and stools: everything for one person that is not upholstered all over (for that see sofas.py)."""

import numpy as np
from manifold3d import Manifold

from maquette.data.furniture.parts import (
    Dice,
    Parts,
    arc,
    ball,
    both,
    bow,
    box,
    corners,
    curve,
    disc,
    ellipse,
    front,
    join,
    lathe,
    lean,
    leg,
    pillow,
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


def _seat(dice: Dice, w: float, d: float, z: float) -> Parts:
    """A seat whose underside is at z, centred: a board, a saddle, a round one, a cushion."""
    kind = dice.one("board", "board", "cushion", "round", "trapezoid", "board+pad")
    t = dice(2, 4.5)
    if kind == "cushion":
        return [box(w - 2, d - 2, 2, z=z), soft(w, d, dice(4, 9), z=z + 1, r=dice(1.5, 4))]
    if kind == "round":
        return [plan(ellipse(w, d, power=dice(2.4, 5)), t, z)]
    if kind == "trapezoid":
        back = w * dice(0.75, 0.92)
        return [plan([(-back / 2, -d / 2), (back / 2, -d / 2), (w / 2, d / 2), (-w / 2, d / 2)], t, z, r=dice(1, 5))]
    board = slab(w, d, t, z=z, r=dice(0.5, 6))
    return [board, pillow(w * 0.96, d * 0.96, dice(3, 6), z=z + t - 1, plump=0.4)] if kind == "board+pad" else [board]


def _back(dice: Dice, w: float, d: float, z: float, top: float, posts: bool = True) -> Parts:
    """A back above the seat's rear edge y = -d/2, from seat level z up to top, tipped backwards a little."""
    y, h, post = -d / 2 + 1.5, top - z, dice(1.4, 2.6)
    style = dice.weighted({"slats": 3, "ladder": 3, "solid": 2.5, "round": 2, "cross": 1, "spindles": 1.2, "window": 1.2,
                           "curved": 1.5, "padded": 1.5})
    frame: Parts = []
    if posts and style not in ("round", "curved"):
        frame = both(leg((w / 2 - post, y, z + h), (w / 2 - post, y, z - 2), post * 0.85, post, sides=dice.one(4, 8)))
    inner, t = w - 3 * post, dice(1.6, 2.6)
    rail = dice(4, 12)
    if style in ("slats", "spindles"):
        n = dice.whole(3, 6) if style == "slats" else dice.whole(5, 9)
        wide = inner / n * dice(0.35, 0.65) if style == "slats" else 1.6
        low = dice.one(z - 1, z + dice(6, 14))
        frame += [box(wide, t, z + h - 1 - low, x, y, low) for x in spaced(-inner / 2 + wide, inner / 2 - wide, n)]
        frame += [box(w - post, t + 0.6, rail, y=y, z=z + h - rail)]
        frame += [box(w - post, t, 3, y=y, z=low)] if low > z else []
    elif style == "ladder":
        n, rung = dice.whole(2, 5), dice(3, 8)
        frame += [box(w - post, t, min(rung, h / n * 0.7), y=y, z=v) for v in spaced(z + h * dice(0.25, 0.45), z + h - rung, n)]
    elif style == "solid":
        low = z + dice.one(-1, h * dice(0.2, 0.5))
        frame += [soft(w - dice.one(0, post), t + dice(0, 2), z + h - low + dice(0, 3), y=y, z=low, r=1)]
    elif style == "padded":
        low = z + dice.one(-1, h * dice(0.1, 0.3))
        frame += [soft(w, dice(4, 8), z + h - low + 2, y=y, z=low, r=3)]
    elif style == "cross":
        frame += [rod((-s * inner / 2, y, z + 3), (s * inner / 2, y, z + h - 3), t * 0.7) for s in (-1, 1)]
        frame += [box(w - post, t, rail * 0.7, y=y, z=z + h - rail * 0.7), box(w - post, t, 3, y=y, z=z + 1)]
    elif style == "window":
        frame += [box(w - post, t, rail, y=y, z=z + h - rail), box(w - post, t, rail * 0.6, y=y, z=z + h * dice(0.15, 0.4))]
    elif style == "round":
        wide = w * dice(0.9, 1.05)
        frame = [front(arc(0, z + h - wide / 2, wide / 2, 0, 180, 14) + [(-w * 0.4, z - 1), (w * 0.4, z - 1)], t + 0.5, y)]
        if dice.yes():
            hole = front(arc(0, z + h - wide / 2, wide / 2 - 4, 0, 180, 12)
                         + [(-w * 0.4 + 4, z + 5), (w * 0.4 - 4, z + 5)], 9, y)
            frame = [frame[0] - hole]
            frame += [box(2.2, t, h - 2, x, y, z) for x in spaced(-w * 0.22, w * 0.22, dice.whole(1, 4))]
    else:  # curved: a band bent around the sitter, on posts
        band, deep = h * dice(0.25, 0.6), dice(5, 14)
        path = [(w / 2 * np.sin(a), y + deep * (1 - np.cos(a)) * 1.6) for a in np.radians(np.linspace(-75, 75, 11))]
        frame = [bow(path, t + 0.6, band, z + h - band)]
        spots = ((-0.5, 0.5) if dice.yes() else (-0.6, -0.2, 0.2, 0.6))
        frame += [leg((w / 2 * np.sin(a), y + deep * (1 - np.cos(a)) * 1.6, z + h - band / 2),
                      (w / 2 * np.sin(a) * 0.95, y + 1 + deep * (1 - np.cos(a)) * 1.6, z - 1), 1.4) for a in spots]
    return [lean(frame, dice(0, 14), y, z)]


def _arms(dice: Dice, w: float, d: float, z: float, reach: float | None = None) -> Parts:
    """Two armrests over a seat at z, held by posts or a bent bar; they run back to y = -d/2."""
    h, x, thick = dice(17, 25), w / 2 + dice(-1, 1), dice(1.5, 2.4)
    long = d * dice(0.65, 1.0)
    y0, y1 = -d / 2 + 1, -d / 2 + long
    if dice.yes(0.4):
        return both(tube([(x - 1, y0, z), (x, y0, z + h), (x, y1, z + h), (x - 1, y1 - 2, z)], thick * 0.8))
    rest = slab(dice(3.5, 7), long, thick * 1.5, x, (y0 + y1) / 2, z + h, r=2)
    posts = [leg((x, y1 - 3, z + h), (x - 1, y1 - dice(2, 6), z), thick), leg((x, y0 + 2, z + h), (x - 1, y0 + 3, z), thick)]
    return both([rest, *posts])


def _legs(dice: Dice, w: float, d: float, h: float) -> Parts:
    """Four legs under a seat w by d whose underside is at h, with rails and sometimes stretchers."""
    r = dice(1.5, 2.8)
    square, taper, splay = dice.yes(0.5), dice(0.5, 1), dice.one(0, 0, dice(1, 7))
    inset = r + dice.one(0, dice(1, 5))
    fw, fd = w - 2 * inset, d - 2 * inset

    def at(sx: float, sy: float, z: float) -> tuple[float, float, float]:
        out = splay * (1 - z / h)
        return sx * (fw / 2 + out), sy * (fd / 2 + out), z

    signs = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    parts = [leg(at(*s, h + 1), at(*s, 0), r, r * taper, 4 if square else 8) for s in signs]
    if dice.yes(0.55):
        parts += [box(fw, 2, 5, y=s * fd / 2, z=h - 5) for s in (-1, 1)] + [box(2, fd, 5, x=s * fw / 2, z=h - 5) for s in (-1, 1)]
    if dice.yes(0.4):
        z = h * dice(0.2, 0.5)
        parts += [rod(at(s, -1, z), at(s, 1, z), 1.2) for s in (-1, 1)]
        parts += [rod((at(-1, 0, z)[0], 0, z), (at(1, 0, z)[0], 0, z), 1.2)] if dice.yes() else \
            [rod(at(-1, s, z + 5), at(1, s, z + 5), 1.2) for s in (-1, 1)]
    return parts


def four_leg(dice: Dice) -> Parts:
    """The dining chair: four legs, a seat, a back of some sort, sometimes armrests."""
    w, d, h = dice(38, 52), dice(38, 50), dice(41, 47)
    return [*_legs(dice, w, d, h), *_seat(dice, w, d, h), *_back(dice, w, d, h + 1, h + dice(30, 58)),
            *(_arms(dice, w, d, h) if dice.yes(0.25) else [])]


def shell(dice: Dice) -> Parts:
    """One bent shell as seat and back, on four legs, a sled or a pedestal."""
    w, d, h, top = dice(40, 50), dice(40, 48), dice(40, 46), dice(72, 88)
    path = curve([(d / 2, h - 1), (d / 2 - 6, h), (-d / 4, h - dice(0, 3)), (-d / 2 + 3, h + 8), (-d / 2 - 4, top)], 4)
    body = strap(path, dice(1.6, 3), w)
    if dice.yes(0.6):  # round the outline seen from the front and from above
        cut = front([(-w / 2, h - 9), (w / 2, h - 9), (w / 2, top - 8), (w / 2 - 8, top + 1), (-w / 2 + 8, top + 1), (-w / 2, top - 8)],
                    3 * d, r=7)
        body = body ^ cut
    arms = _arms(dice, w, d * 0.9, h) if dice.yes(0.2) else []
    base = dice.one(_legs, _sled, _pedestal, _legs)
    return [body, *arms, *base(dice, w - 4, d - 6, h - 2), slab(w * 0.6, d * 0.6, 3, z=h - 3.5)]


def _sled(dice: Dice, w: float, d: float, h: float) -> Parts:
    """Two runners of bent bar, joined across."""
    r, x = dice(1, 1.6), w / 2 - 1
    runner = tube([(x, -d / 2, h + 1), (x, -d / 2 + dice(-4, 3), r), (x, d / 2, r), (x, d / 2 - dice(0, 4), h + 1)], r)
    return [*both(runner), *[rod((-x, y, h - 1), (x, y, h - 1), r) for y in (-d * 0.35, d * 0.35)]]


def _pedestal(dice: Dice, w: float, d: float, h: float) -> Parts:
    """A column on a disc, on a cross or on the five-star base of an office chair."""
    column = [disc(dice(2, 3.5), h - 2, z=3), disc(dice(4, 8), 3, z=h - 2)]
    style = dice.one("star", "star", "disc", "cross")
    if style == "disc":
        r = dice(18, 25)
        return [*column, lathe([(0, 0), (r, 0), (r, 1.5), (r * 0.4, 3), (0, 4)])]
    r, n = dice(24, 33), 4 if style == "cross" else 5
    castors = style == "star" and dice.yes(0.75)
    z = 6 if castors else 1.5
    arm = [rod((0, 0, z + dice(2, 6)), (r, 0, z + 0.5), 2.6, 1.5)]
    if castors:
        arm += [wheel(3, 5, z=3).rotate((0, 0, dice(0, 90))).translate((r - 1, 0, 0)), disc(1.2, 5, r - 1, 0, 2)]
    return [*column, *ring(n, join(arm)), disc(3.6, 5, z=z - 1)]


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
        back = bow([(bw / 2 * np.sin(a), back_y + 9 - 9 * np.cos(a)) for a in np.radians(np.linspace(-60, 60, 7))],
                   dice(3, 5), tall, low)
    elif style == "mesh":
        back = front([(-bw / 2, low), (bw / 2, low), (bw * 0.42, low + tall), (-bw * 0.42, low + tall)], 3, back_y, r=5)
    else:
        back = front(ellipse(bw, tall, 0, low + tall / 2, 24, dice(2, 3)), dice(4, 7), back_y)
    spine = strap([(-4, h - 1), (-d / 2 - 2, h - 1), (back_y - 2.5, low + tall * 0.45)], 2.5, dice(6, 14))
    parts = [*_star(dice, h), seat, lean([back], dice(0, 12), back_y, low - 6), lean([spine], 0), disc(3, 10, z=h - 8)]
    parts += [lean([box(6, 3, tall * 0.4, y=back_y - 1, z=low - 3)], 3, back_y, low)]
    if dice.yes(0.6):
        x, top = w / 2 + dice(2, 5), h + dice(18, 25)
        if dice.yes(0.6):
            post = [box(4, 5, top - h + 3, x, -2, h - 1), box(14, 5, 2.5, x - 6, -2, h - 1)]
        else:
            post = [tube([(x - 8, 8, h + 2), (x, 8, h + 2), (x, 9, top), (x, -14, top), (x - 3, -d / 2 + 4, h + 3), (x - 10, -d / 2 + 6, h + 3)], 1.6)]
        parts += both([*post, soft(dice(5, 9), dice(20, 28), 3, x, -2, top, r=1.4)])
    if dice.yes(0.2):
        parts += [lean([soft(bw * 0.6, 6, 13, y=back_y, z=low + tall - 1, r=3)], 6, back_y, low)]
    return parts


def _star(dice: Dice, h: float) -> Parts:
    r, n = dice(27, 35), 5
    z = dice(5.5, 8)
    arm = [rod((0, 0, z + dice(2, 5)), (r, 0, z), 2.8, 1.6), disc(1.3, z - 2, r - 1, 0, 2)]
    arm += [wheel(3, dice(3, 6), z=3).rotate((0, 0, dice(0, 90))).translate((r - 1, 0, 0))]
    return [*ring(n, join(arm), dice(0, 72)), disc(3.8, 7, z=z - 1), disc(2.2, h - z, z=z), soft(22, 22, 4, z=h - 3, r=1)]


def cantilever(dice: Dice) -> Parts:
    """The dining chair on a bent tube without hind legs."""
    w, d, h, top, r = dice(42, 52), dice(42, 50), dice(41, 46), dice(76, 92), dice(1.1, 1.7)
    x, tip = w / 2 - r, dice(0, 6)
    path = [(x, -d / 2, r), (x, d / 2 - 2, r), (x, d / 2 + 1, 3), (x, d / 2 + 1, h - 3), (x, d / 2 - 2, h), (x, -d / 2 + 2, h - 1),
            (x, -d / 2 - 1, h + 3), (x, -d / 2 - 3 - tip, top)]
    arms = both(tube([(x, d / 2 + 1, h - 6), (x, d / 2, h + 20), (x, -d / 2 - tip / 2, h + 22)], r)) if dice.yes(0.35) else []
    cross = [rod((-x, -d / 2, r), (x, -d / 2, r), r)] if dice.yes(0.7) else [rod((-x, d / 2, r), (x, d / 2, r), r)]
    seat = slab(w, d - 2, dice(2, 6), z=h - 1, r=3)
    bh = dice.one(dice(14, 22), top - h - dice(4, 8))
    back = lean([soft(w, dice(2, 4.5), bh, y=0, z=0, r=1.5)], np.degrees(np.arctan2(tip + 2, top - h)))
    at = (top - bh * 0.97 - h - 3) / (top - h - 3)
    return [*both(tube(path, r)), *cross, *arms, seat, back.translate((0, -d / 2 - 1 - (tip + 2) * at, top - bh * 0.97)),
            box(w - 2, 2, 2, y=-d / 2 + 3, z=h - 2)]


def lounge(dice: Dice) -> Parts:
    """The bent-wood lounge armchair: two springy cantilever sides under one long cushion, sometimes high, sometimes a rocker."""
    w, d, top, lift = dice(55, 68), dice(60, 80), dice(85, 104), dice(36, 43)
    wide, t = dice(4, 6), dice(2, 3)
    back_y, front_y = -d / 2, d / 2
    arm_z = dice(52, 58)
    rocker = dice.yes(0.2)
    run = [(back_y + 4, 5), (-d / 6, 1.6), (d / 6, 1.6), (front_y - 8, 4)] if rocker else [(back_y + 4, t / 2), (front_y - 10, t / 2)]
    frame = curve([*run, (front_y, 9), (front_y + 1, 30), (front_y - 5, arm_z - 6), (front_y - 16, arm_z), (back_y + 12, arm_z - 8)], 4)
    if dice.yes(0.4):  # a closed loop: the arm comes down to the floor behind
        frame = np.vstack([frame, curve([(back_y + 12, arm_z - 8), (back_y + 5, 30), run[0]], 4)])
    sides = both(strap(frame, t, wide, w / 2 - wide / 2))
    seat_back = -d / 2 + dice(12, 18)
    body = curve([(front_y - 4, lift), (0, lift - 6), (seat_back + 6, lift - 9), (seat_back, lift - 5), (seat_back - 8, lift + 18),
                  (back_y - 4, top)], 4)
    inner = w - 2 * wide
    cushion = strap(body, dice(5, 10), inner * dice(0.92, 1.0))
    rails = [rod((-w / 2 + 1, y, z), (w / 2 - 1, y, z), 1.5, sides=8) for y, z in ((front_y - 4, lift - 3), (seat_back, lift - 9))]
    links = both(join(strap([(front_y - 2, lift - 4), (seat_back, lift - 10), (back_y + 12, arm_z - 8), (back_y + 6, top * 0.72)], 2.2, wide,
                      w / 2 - wide / 2), box(wide, 3, 3, w / 2 - wide / 2, front_y - 2, lift - 5)))
    cross = [box(w - wide, 4, 2, y=front_y - 12, z=0.6 if not rocker else 1.5), rod((-w / 2 + 2, back_y + 6.5, top * 0.72), (w / 2 - 2, back_y + 6.5, top * 0.72), 1.3)]
    head = [lean([soft(inner * 0.9, 8, 16, r=4)], 14).translate((0, back_y + 1, top - 13))] if dice.yes(0.3) else []
    return [*sides, cushion, *rails, *links, *cross, *head]


def stool(dice: Dice) -> Parts:
    """Low, bar and milking stools: a seat without a back, or with a very low one."""
    h, w = dice.one(dice(35, 47), dice(60, 78)), dice(28, 42)
    d = w * dice(0.85, 1.05)
    round_seat = dice.yes(0.6)
    t = dice(2, 6)
    seat = [disc(w / 2, t, z=h), ] if round_seat else [slab(w, d, t, z=h, r=dice(1, 6))]
    style = dice.one("legs", "three", "pedestal", "sled", "legs", "side")
    if style == "pedestal":
        base = _pedestal(dice, w, d, h)
        base += [join(ring(4, rod((0, 0, h * 0.35), (12, 0, h * 0.35), 1))), disc(13, 2, z=h * 0.34) - disc(10.5, 4, z=h * 0.34 - 1)] if h > 55 else []
    elif style == "three":
        base = ring(3, leg((w * 0.25, 0, h + 0.5), (w * dice(0.4, 0.55), 0, 0), dice(1.6, 2.4), 1.4))
    elif style == "sled":
        base = _sled(dice, w * 0.9, d * 0.9, h)
    elif style == "side":
        base = [*both(box(2.5, d * 0.9, h + 1, w / 2 - 3)), box(w - 5, 2.5, dice(6, 12), z=h * dice(0.3, 0.7))]
    else:
        base = _legs(dice, w * (0.82 if round_seat else 1), d * (0.75 if round_seat else 1), h)
    if h > 55 and dice.yes(0.35):
        base += _back(dice, w * 0.85, d * (0.75 if round_seat else 1), h + 1, h + dice(15, 32))
    return [*seat, *base]


def rocking(dice: Dice) -> Parts:
    """A four-legged chair on two curved runners."""
    w, d, h = dice(46, 58), dice(44, 52), dice(36, 41)
    x, long = w / 2 - 3, dice(75, 95)
    path = [(y, 2 + (y / long) ** 2 * 34) for y in np.linspace(-long * 0.52, long * 0.48, 11)]
    legs = both([leg((x, d / 2 - 4, h + 1), (x, d / 2 - 2, 5), 1.8, 1.5), leg((x, -d / 2 + 4, h + 1), (x, -d / 2 + 1, 5), 1.8, 1.5)])
    return [*both(strap(path, 3.2, 3, x)), *legs, rod((-x, d / 2 - 3, 16), (x, d / 2 - 3, 16), 1.2), *_seat(dice, w, d, h),
            *_back(dice, w, d, h + 1, h + dice(50, 72)), *_arms(dice, w, d, h)]


def folding(dice: Dice) -> Parts:
    """The folding chair: crossed legs seen from the side."""
    w, d, h, top, r = dice(40, 48), dice(36, 44), dice(42, 46), dice(75, 88), dice(1.3, 2)
    x = w / 2 - r
    hind = [(-d / 2 - 2, top), (d / 2 + 2, r)]
    outer = strap(hind, 2 * r, 2 * r, x)
    inner = strap([(d / 2 - 6, h), (-d / 2 - 4, r)], 2 * r, 2 * r, x - 2 * r)
    t = dice(2, 3)
    n = dice.whole(4, 7)
    slats = [box(w - 2 * r, (d - 2) / n * 0.65, t, y=y, z=h) for y in spaced(-d / 2 + 3, d / 2 - 3, n)] + both(box(3, d - 2, 2.5, x - 2 * r, 0, h - 2))
    seat = slats if dice.yes() else [slab(w - 2 * r, d, t, z=h, r=3), box(w - 2 * r, d * 0.8, 2, z=h - 1.5)]
    slope = (hind[0][0] - hind[1][0]) / (top - r)

    def on_hind(z: float) -> float:
        return hind[1][0] + slope * (z - r)

    tip = np.degrees(np.arctan(-slope))
    rung = top - dice(12, 22)
    back = [lean([soft(w - 1, 2.2, v, r=1)], tip).translate((0, on_hind(z), z)) for z, v in ((rung, top - rung), (h + 12, 5))[: dice.whole(1, 2)]]
    cross = [rod((-x, y, z), (x, y, z), 1.1) for y, z in ((on_hind(10), 10), (-d / 2 + 1, 9.5), (on_hind(h - 1), h - 1))]
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
        base = corners(w - 10, d - 7, lambda x, y: leg((x, y, h + 1), (x, y, 0), 2.6, 2, 4)) + [box(w - 10, 2.5, 6, z=h - 5)]
        base += [box(3, d - 7, 5, x, 0, h - 4.5) for x in (-w / 2 + 5, w / 2 - 5)]
    back = _back(dice, w, d, h + 1, h + dice(32, 45)) if dice.yes() else []
    arms = _arms(dice, w, d, h) if back and dice.yes(0.6) else []
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
    cushion = plan(arc(0, 0, r - 4, 175 - reach, 365 + reach, 14), seat, h, r=2)
    legs = corners(r * 1.2, r * 1.2, lambda x, y: leg((x, y, h + 2), (x * 1.15, y * 1.15, 0), 2.2, 1.5)) if dice.yes(0.7) else [disc(r * 0.6, h + 1)]
    return [wall - cutter, cushion, *legs, disc(r * 0.9, 4, z=h - 1)]


def windsor(dice: Dice) -> Parts:
    """Spindles between a thick saddle seat and a bent hoop; splayed legs."""
    w, h, top = dice(42, 54), dice(42, 46), dice(80, 100)
    seat = plan(ellipse(w, w * 0.92, power=2.8), dice(3, 5), h)
    y = -w * 0.36
    wide = w * 0.4
    hoop = [(wide * np.cos(a), y - 2 - 6 * np.sin(a), h + 2 + (top - h - 2) * np.sin(a) ** 0.7) for a in np.linspace(0, np.pi, 13)]
    spindles = [leg((wide * c, y - 7.5 + 3 * abs(c), h + 1 + (top - h - 1) * (1 - c * c) ** 0.35), (wide * c * 0.8, y - 1, h + 1), 1)
                for c in spaced(-0.75, 0.75, dice.whole(4, 7))]
    legs = corners(w * 0.5, w * 0.45, lambda x, v: leg((x, v, h + 1), (x * 1.5, v * 1.5, 0), 1.9, 1.4))
    arms = _arms(dice, w * 0.92, w * 0.7, h) if dice.yes(0.35) else []
    return [seat, tube(hoop, 1.4, 1), *spindles, *legs, *arms, ball(1, 0, 0, h)]


CHAIRS = {four_leg: 4, shell: 1.3, office: 2.2, cantilever: 0.9, lounge: 1.5, stool: 1.2, rocking: 0.5, folding: 0.6, bench: 0.5,
          tub: 0.7, windsor: 0.7}
"""Styles of chairs and how often each is made; the upholstered ones of sofas.py are added in the package."""

_ = Manifold
