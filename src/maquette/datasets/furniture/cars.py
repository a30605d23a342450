"""Cars: a side profile, a narrower cabin above it, wheels. They drive towards +y."""

from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, both, box, join, rod, side, soft, stack, wheel


def _cabin(w: float, base: list[float], roof: list[float], z0: float, z1: float, tuck: float) -> Manifold:
    """The glass house: from rear to front along y, `base` at z0 and `roof` at z1, its sides tucked in."""
    low = [(-w / 2, base[0]), (w / 2, base[0]), (w / 2, base[1]), (-w / 2, base[1])]
    high = [(x * tuck, y) for x, y in [(-w / 2, roof[0]), (w / 2, roof[0]), (w / 2, roof[1]), (-w / 2, roof[1])]]
    return stack([(low, z0), (high, z1)])


def _windows(cabin: Manifold, w: float, z0: float, z1: float, pillars: list[float], dice: Dice) -> Manifold:
    """The cabin with its windows set back: a slightly smaller cabin shows between z0 and z1, except at pillars."""
    size = cabin.bounding_box()
    mid_y, mid_z = (size[1] + size[4]) / 2, size[2]
    glass = cabin.translate((0, -mid_y, -mid_z)).scale((0.95, 0.975, 0.995)).translate((0, mid_y, mid_z))
    band = box(3 * w, 900, z1 - z0, z=z0)
    band -= join([box(3 * w, dice(6, 10), 400, y=y) for y in pillars] + both(box(12, 900, 400, w * 0.42)))
    return join(cabin - band, glass)


def _car(
    dice: Dice,
    long: float,
    w: float,
    belt: float,
    roof: float,
    nose: list,
    cabin: list[float],
    top: list[float],
    pillars: list[float],
) -> Parts:
    """Body, cabin and wheels. nose: side profile above the sill, (fraction of length, height), rear to front."""
    r = dice(29, 37)
    sill = dice(16, 26)
    y0 = -long / 2
    body = side(
        [(y0 + long * nose[0][0], sill), *[(y0 + long * f, z) for f, z in nose], (y0 + long * nose[-1][0], sill)],
        w,
        r=dice(3, 9),
    )
    shoulder = box(w * 3, long * 2, belt * 0.5, z=belt * 0.72) - join(
        [side([(-long, belt * 0.7), (long, belt * 0.7), (long, belt * 2), (-long, belt * 2)], w * 0.94)]
    )
    front_axle, rear_axle = long / 2 - long * dice(0.16, 0.2), -long / 2 + long * dice(0.17, 0.22)
    track, wide = w / 2 - 11, dice(18, 24)
    arches = [wheel(r * 1.14, wide * 2.2, s * (track + 4), y, r) for s in (-1, 1) for y in (front_axle, rear_axle)]
    body = body - shoulder - join(arches)
    wheels = both(
        [wheel(r, wide, track, y, r) - wheel(r * 0.6, 4, track + wide / 2, y, r) for y in (front_axle, rear_axle)]
    )
    axles = [rod((-track, y, r), (track, y, r), 7) for y in (front_axle, rear_axle)]
    house = _cabin(
        w * 0.94, [y0 + long * c for c in cabin], [y0 + long * c for c in top], belt - 4, roof, dice(0.76, 0.88)
    )
    house = _windows(house, w, belt + 3, roof - 7, [y0 + long * p for p in pillars], dice)
    core = box(w * 0.62, long * 0.86, belt * 0.55, z=sill)
    lamps = (
        both(soft(dice(18, 30), 30, 12, w / 2 - 22, y0 + long * nose[-1][0] - 16, belt * 0.6, r=3))
        if dice.yes(0.7)
        else []
    )
    mirrors = both(soft(28, 8, 13, w / 2 - 4, y0 + long * (cabin[1] - 0.04), belt - 3, r=3)) if dice.yes(0.7) else []
    bumper = (
        [soft(w * 0.96, 14, 16, y=y, z=sill + 8, r=4) for y in (long / 2 - 7, -long / 2 + 7)] if dice.yes(0.6) else []
    )
    return [body, house, *wheels, *axles, core, *lamps, *mirrors, *bumper]


def sedan(dice: Dice) -> Parts:
    """Three boxes: bonnet, cabin, boot."""
    belt, roof = dice(86, 98), dice(136, 150)
    nose = [
        (0.005, belt * 0.55),
        (0.01, belt * 0.95),
        (dice(0.14, 0.2), belt + 5),
        (0.65, belt + 3),
        (dice(0.9, 0.95), belt * dice(0.78, 0.88)),
        (0.995, belt * 0.6),
    ]
    return _car(
        dice,
        dice(420, 500),
        dice(168, 188),
        belt,
        roof,
        nose,
        [dice(0.13, 0.2), dice(0.68, 0.74)],
        [dice(0.26, 0.34), dice(0.52, 0.58)],
        [0.45, 0.28],
    )


def hatch(dice: Dice) -> Parts:
    """Two boxes: the small car and the estate."""
    belt, roof = dice(86, 100), dice(140, 160)
    long = dice(340, 430) if dice.yes(0.6) else dice(430, 490)
    nose = [
        (0.005, belt * 0.5),
        (0.01, belt),
        (0.65, belt + 3),
        (dice(0.9, 0.95), belt * dice(0.78, 0.9)),
        (0.995, belt * 0.6),
    ]
    return _car(
        dice,
        long,
        dice(158, 182),
        belt,
        roof,
        nose,
        [0.012, dice(0.7, 0.77)],
        [dice(0.04, 0.16), dice(0.52, 0.6)],
        [0.4, 0.2],
    )


def offroad(dice: Dice) -> Parts:
    """The tall square car, often with a spare wheel behind."""
    belt, roof = dice(105, 120), dice(168, 190)
    nose = [
        (0.005, belt * 0.5),
        (0.01, belt),
        (0.66, belt + 2),
        (dice(0.95, 0.98), belt * dice(0.9, 0.98)),
        (0.995, belt * 0.6),
    ]
    spare = [wheel(34, 22, 0, 0, 0).rotate((0, 0, 90))]
    long = dice(380, 480)
    car = _car(
        dice,
        long,
        dice(172, 195),
        belt,
        roof,
        nose,
        [0.012, dice(0.68, 0.74)],
        [dice(0.02, 0.06), dice(0.56, 0.64)],
        [0.42, 0.22],
    )
    return [*car, *([p.translate((0, -long / 2 - 5, belt * 0.85)) for p in spare] if dice.yes(0.4) else [])]


def van(dice: Dice) -> Parts:
    """The delivery van and the minibus."""
    belt, roof = dice(105, 125), dice(180, 235)
    slope = dice(0.82, 0.93)
    nose = [
        (0.003, belt * 0.5),
        (0.005, belt),
        (0.8, belt + 2),
        (slope + 0.05, belt * dice(0.9, 1)),
        (0.995, belt * 0.62),
    ]
    return _car(
        dice,
        dice(430, 560),
        dice(178, 200),
        belt,
        roof,
        nose,
        [0.006, slope],
        [dice(0.01, 0.03), slope - dice(0.06, 0.16)],
        [0.45, 0.3, 0.1, 0.68],
    )


def pickup(dice: Dice) -> Parts:
    """A cab and an open bed."""
    belt, roof = dice(98, 115), dice(160, 180)
    long, w = dice(480, 560), dice(178, 198)
    nose = [
        (0.003, belt * 0.5),
        (0.005, belt),
        (0.7, belt + 2),
        (dice(0.94, 0.97), belt * dice(0.88, 0.97)),
        (0.995, belt * 0.6),
    ]
    back = dice(0.36, 0.46)
    car = join(_car(dice, long, w, belt, roof, nose, [back, dice(0.7, 0.75)], [back + 0.015, dice(0.56, 0.62)], [0.55]))
    bed = box(w - 26, long * (back - 0.045), belt, y=-long / 2 + long * (back + 0.01) / 2 + 2, z=belt * 0.62)
    return [car - bed]


def sports(dice: Dice) -> Parts:
    """Low and long-nosed; sometimes with a wing, sometimes open."""
    belt, roof = dice(76, 86), dice(112, 126)
    long, w = dice(400, 460), dice(175, 196)
    nose = [
        (0.005, belt * 0.6),
        (0.02, belt * 1.02),
        (0.2, belt + 6),
        (0.6, belt + 2),
        (dice(0.85, 0.92), belt * dice(0.7, 0.82)),
        (0.995, belt * 0.5),
    ]
    car = _car(
        dice, long, w, belt, roof, nose, [dice(0.08, 0.2), dice(0.62, 0.7)], [dice(0.3, 0.38), dice(0.46, 0.52)], [0.3]
    )
    wing = [
        box(w * 0.9, 22, 4, y=-long / 2 + 14, z=belt + 16),
        *both(box(4, 14, 26, w * 0.3, -long / 2 + 16, belt - 8)),
    ]
    return [*car, *(wing if dice.yes(0.35) else [])]


CARS = {sedan: 2.5, hatch: 2.5, offroad: 1.3, van: 1.1, pickup: 0.9, sports: 1}
"""Styles of cars and how often each is made."""
