"""Chairs and stools: everything for one person that is not upholstered all over (for that see sofas.py)."""

import numpy as np

from maquette.datasets.furniture.parts import (
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


def make_back(dice: Dice, w: float, d: float, z: float, top: float, posts: bool = True) -> Parts:
    """A back above the seat's rear edge y = -d/2, from seat level z up to top, tipped backwards a little."""
    y, h, post = -d / 2 + 1.5, top - z, dice(1.4, 2.6)
    style = dice.weighted(
        {
            "slats": 3,
            "ladder": 3,
            "solid": 2.5,
            "round": 2,
            "cross": 1,
            "spindles": 1.2,
            "window": 1.2,
            "curved": 1.5,
            "padded": 1.5,
        }
    )
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
        frame += [
            box(w - post, t, min(rung, h / n * 0.7), y=y, z=v)
            for v in spaced(z + h * dice(0.25, 0.45), z + h - rung, n)
        ]
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
        frame += [
            box(w - post, t, rail, y=y, z=z + h - rail),
            box(w - post, t, rail * 0.6, y=y, z=z + h * dice(0.15, 0.4)),
        ]
    elif style == "round":
        wide = w * dice(0.9, 1.05)
        frame = [
            front(arc(0, z + h - wide / 2, wide / 2, 0, 180, 14) + [(-w * 0.4, z - 1), (w * 0.4, z - 1)], t + 0.5, y)
        ]
        if dice.yes():
            hole = front(
                arc(0, z + h - wide / 2, wide / 2 - 4, 0, 180, 12) + [(-w * 0.4 + 4, z + 5), (w * 0.4 - 4, z + 5)], 9, y
            )
            frame = [frame[0] - hole]
            frame += [box(2.2, t, h - 2, x, y, z) for x in spaced(-w * 0.22, w * 0.22, dice.whole(1, 4))]
    else:  # curved: a band bent around the sitter, on posts
        band, deep = h * dice(0.25, 0.6), dice(5, 14)
        path = [(w / 2 * np.sin(a), y + deep * (1 - np.cos(a)) * 1.6) for a in np.radians(np.linspace(-75, 75, 11))]
        frame = [bow(path, t + 0.6, band, z + h - band)]
        spots = (-0.5, 0.5) if dice.yes() else (-0.6, -0.2, 0.2, 0.6)
        frame += [
            leg(
                (w / 2 * np.sin(a), y + deep * (1 - np.cos(a)) * 1.6, z + h - band / 2),
                (w / 2 * np.sin(a) * 0.95, y + 1 + deep * (1 - np.cos(a)) * 1.6, z - 1),
                1.4,
            )
            for a in spots
        ]
    return [lean(frame, dice(0, 14), y, z)]


def make_arms(dice: Dice, w: float, d: float, z: float, reach: float | None = None) -> Parts:
    """Two armrests over a seat at z, held by posts or a bent bar; they run back to y = -d/2."""
    h, x, thick = dice(17, 25), w / 2 + dice(-1, 1), dice(1.5, 2.4)
    long = d * dice(0.65, 1.0)
    y0, y1 = -d / 2 + 1, -d / 2 + long
    if dice.yes(0.4):
        return both(tube([(x - 1, y0, z), (x, y0, z + h), (x, y1, z + h), (x - 1, y1 - 2, z)], thick * 0.8))
    rest = slab(dice(3.5, 7), long, thick * 1.5, x, (y0 + y1) / 2, z + h, r=2)
    posts = [
        leg((x, y1 - 3, z + h), (x - 1, y1 - dice(2, 6), z), thick),
        leg((x, y0 + 2, z + h), (x - 1, y0 + 3, z), thick),
    ]
    return both([rest, *posts])


def four_legs(dice: Dice, w: float, d: float, h: float) -> Parts:
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
        parts += [box(fw, 2, 5, y=s * fd / 2, z=h - 5) for s in (-1, 1)] + [
            box(2, fd, 5, x=s * fw / 2, z=h - 5) for s in (-1, 1)
        ]
    else:
        parts += both(box(2.5, fd, 2.5, fw / 2, 0, h - 2))
    if dice.yes(0.4):
        z = h * dice(0.2, 0.5)
        parts += [rod(at(s, -1, z), at(s, 1, z), 1.2) for s in (-1, 1)]
        parts += (
            [rod((at(-1, 0, z)[0], 0, z), (at(1, 0, z)[0], 0, z), 1.2)]
            if dice.yes()
            else [rod(at(-1, s, z + 5), at(1, s, z + 5), 1.2) for s in (-1, 1)]
        )
    return parts


def four_leg(dice: Dice) -> Parts:
    """The dining chair: four legs, a seat, a back of some sort, sometimes armrests."""
    w, d, h = dice(38, 52), dice(38, 50), dice(41, 47)
    rail = box(w - 4, 3, 3, y=-d / 2 + 2, z=h - 1.5)
    return [
        rail,
        *four_legs(dice, w, d, h),
        *_seat(dice, w, d, h),
        *make_back(dice, w, d, h + 1, h + dice(30, 58)),
        *(make_arms(dice, w, d, h) if dice.yes(0.25) else []),
    ]


def shell(dice: Dice) -> Parts:
    """One bent shell as seat and back, on four legs, a sled or a pedestal."""
    w, d, h, top = dice(40, 50), dice(40, 48), dice(40, 46), dice(72, 88)
    path = curve(
        [(d / 2, h - 1), (d / 2 - 6, h), (-d / 4, h - dice(1.5, 3)), (-d / 2 + 3, h + 8), (-d / 2 - 4, top)], 4
    )
    body = strap(path, dice(1.6, 3), w)
    if dice.yes(0.6):  # round the outline seen from the front and from above
        cut = front(
            [
                (-w / 2, h - 9),
                (w / 2, h - 9),
                (w / 2, top - 8),
                (w / 2 - 8, top + 1),
                (-w / 2 + 8, top + 1),
                (-w / 2, top - 8),
            ],
            3 * d,
            r=7,
        )
        body = body ^ cut
    arms = make_arms(dice, w, d * 0.9, h) if dice.yes(0.2) else []
    base = dice.one(four_legs, sled, pedestal, four_legs)
    return [body, *arms, *base(dice, w - 4, d - 10, h - 2), slab(w * 0.6, d * 0.5, 3, y=-3, z=h - 5)]


def sled(dice: Dice, w: float, d: float, h: float) -> Parts:
    """Two runners of bent bar, joined across."""
    r, x = dice(1, 1.6), w / 2 - 1
    runner = tube(
        [
            (x, -d / 2, h - r),
            (x, -d / 2 + dice(-4, 3), r),
            (x, d / 2, r),
            (x, d / 2 - dice(0, 4), h - r),
            (x, -d / 2, h - r),
        ],
        r,
    )
    return [*both(runner), *[rod((-x, y, h - r), (x, y, h - r), r) for y in (-d * 0.35, d * 0.35)]]


def pedestal(dice: Dice, w: float, d: float, h: float) -> Parts:
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


def rocking(dice: Dice) -> Parts:
    """A four-legged chair on two curved runners."""
    w, d, h = dice(46, 58), dice(44, 52), dice(36, 41)
    x, long = w / 2 - 3, dice(75, 95)
    path = [(y, 2 + (y / long) ** 2 * 34) for y in np.linspace(-long * 0.52, long * 0.48, 11)]
    legs = both(
        [
            leg((x, d / 2 - 4, h + 1), (x, d / 2 - 2, 5), 1.8, 1.5),
            leg((x, -d / 2 + 4, h + 1), (x, -d / 2 + 1, 5), 1.8, 1.5),
        ]
    )
    return [
        *both(strap(path, 3.2, 3, x)),
        *legs,
        *both(box(3, d - 8, 3, x, 0, h - 2.5)),
        box(w - 6, 3, 2, z=h - 2),
        rod((-x, d / 2 - 3, 16), (x, d / 2 - 3, 16), 1.2),
        *_seat(dice, w, d, h),
        *make_back(dice, w, d, h + 1, h + dice(50, 72)),
        *make_arms(dice, w, d, h),
    ]


def windsor(dice: Dice) -> Parts:
    """Spindles between a thick saddle seat and a bent hoop; splayed legs."""
    w, h, top = dice(42, 54), dice(42, 46), dice(80, 100)
    seat = plan(ellipse(w, w * 0.92, power=2.8), dice(3, 5), h)
    y = -w * 0.36
    wide = w * 0.4
    hoop = [
        (wide * np.cos(a), y - 2 - 6 * np.sin(a), h + 2 + (top - h - 2) * np.sin(a) ** 0.7)
        for a in np.linspace(0, np.pi, 13)
    ]
    spindles = [
        leg(
            (wide * c, y - 7.5 + 3 * abs(c), h + 1 + (top - h - 1) * (1 - c * c) ** 0.35),
            (wide * c * 0.8, y - 1, h + 1),
            1,
        )
        for c in spaced(-0.75, 0.75, dice.whole(4, 7))
    ]
    legs = corners(w * 0.5, w * 0.45, lambda x, v: leg((x, v, h + 1), (x * 1.5, v * 1.5, 0), 1.9, 1.4))
    arms = make_arms(dice, w * 0.92, w * 0.7, h) if dice.yes(0.35) else []
    return [seat, tube(hoop, 1.4, 1), *spindles, *legs, *arms, ball(1, 0, 0, h)]


CHAIRS = {four_leg: 4, shell: 1.3, rocking: 0.5, windsor: 0.7}
"""Styles of chairs on four legs and how often each is made."""
