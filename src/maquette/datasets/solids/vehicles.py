"""Lorries, buses and trains. They drive towards +y."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    both,
    box,
    disc,
    join,
    lathe,
    rod,
    side,
    slab,
    soft,
    spaced,
    wheel,
)
from maquette.datasets.solids.houses import opening, recess
from maquette.datasets.solids.parts import Styles


def panes(w: float, places: list[float], z0: float, z1: float, wide: float, depth: float = 1.6) -> Manifold:
    """What is cut for windows on both long sides of a vehicle.

    Args:
        w: width of the vehicle.
        places: the middles along y.
        z0: their lower edge; z1 the upper.
        wide: extent of each along y.
        depth: how deep they are.

    Returns:
        The solid to subtract.
    """
    return join(box(2 * depth, wide, z1 - z0, s * w / 2, y, z0) for s in (-1, 1) for y in places)


def wheels(places: list[float], r: float, w: float, width: float) -> Parts:
    """Wheels with hubs in pairs, and their axles.

    Args:
        places: the middles along y.
        r: radius, resting on z = 0.
        w: from outer face to outer face.
        width: of one tyre.

    Returns:
        The parts.
    """
    one = (
        wheel(r, width, w / 2 - width / 2, 0, r, 24)
        - wheel(r * 0.62, 2, w / 2, 0, r, 20)
        + wheel(r * 0.25, 2.2, w / 2 - 1, 0, r, 12)
    )
    axle = rod((-w / 2 + 1, 0, r), (w / 2 - 1, 0, r), max(1.4, r * 0.3))
    return [part.translate((0, y, 0)) for y in places for part in (*both(one), axle)]


def _cab(dice: Dice, w: float, long: float, h: float, y: float, z: float) -> Manifold:
    """A driver's cab from y forward, with a wind screen, side windows, lamps and a grille."""
    nose, slope = dice(0.0, 0.16), dice(0.02, 0.16)
    profile = [(y, z), (y + long, z), (y + long, z + h * 0.48), (y + long * (1 - slope), z + h), (y, z + h)]
    if nose > 0.1:
        profile[2:4] = [(y + long, z + h * 0.45), (y + long * 0.66, z + h * 0.52), (y + long * (0.62 - slope), z + h)]
    cab = side(profile, w, r=1.5)
    ahead, lift = (y + long, z + h * 0.52) if nose <= 0.1 else (y + long * 0.66, z + h * 0.56)
    back = y + long * ((1 - slope) if nose <= 0.1 else (0.62 - slope))
    lean = float(np.degrees(np.arctan2(ahead - back, h * 0.5)))
    screen = box(w * 0.84, 3.4, h * 0.32, 0, 0, 0).rotate((lean, 0, 0)).translate((0, ahead, lift))
    cab -= screen
    mid = (y + back) / 2
    cab -= panes(w, [mid + (back - y) * 0.08], z + h * 0.54, z + h * 0.86, (back - y) * 0.6)
    lamps = both(disc(2.2, 2.2, sides=16).rotate((-90, 0, 0)).translate((w * 0.33, y + long - 1, z + h * 0.16)))
    cab += join(lamps)
    cab -= join(box(w * 0.34, 2.4, h * 0.04, 0, y + long, z + h * (0.1 + 0.08 * k)) for k in range(3))
    if dice.yes(0.5):
        cab += join(both(box(3, 2.2, 5, w / 2 + 1.4, ahead - 3, lift)))
    return cab + box(w * 1.02, 3, h * 0.12, 0, y + long, z - 0.5)


def _lorry(dice: Dice) -> Parts:
    """A cab and, behind it, a box, a tank, an open bed, a tipper, or logs."""
    w, r = dice(22, 28), dice(5.2, 6.6)
    z, long = r * 1.25, dice(19, 25)
    h = dice(22, 29)
    y1 = 50 - long
    parts: Parts = [_cab(dice, w, long, h, y1, z), box(w * 0.6, 98, 4, 0, -1, z - 3)]
    load = dice.weighted({"box": 3.0, "tank": 1.2, "bed": 1.2, "tipper": 1.5, "logs": 0.6})
    gap = dice(2, 5)
    deep = y1 - gap + 50
    mid, low = -50 + deep / 2, z + 1
    if load == "box":
        tall = dice(26, 36)
        hold = box(w * dice(1, 1.1), deep, tall, 0, mid, low)
        if dice.yes(0.4):
            hold -= panes(w * 1.06, spaced(mid - deep * 0.38, mid + deep * 0.38, 5), low + 4, low + tall - 4, 2, 2)
        parts.append(hold)
    elif load == "tank":
        q = w * 0.5
        parts += [
            Manifold.cylinder(deep, q, q, 32).rotate((-90, 0, 0)).translate((0, mid - deep / 2, low + q)),
            box(w * 0.7, deep * 0.9, q, 0, mid, low),
            disc(4, 5, 0, mid, low + 2 * q - 2),
        ]
        parts += [
            join(_band(q + 1, y).translate((0, 0, low + q)) for y in spaced(mid - deep * 0.4, mid + deep * 0.4, 3))
        ]
    elif load == "bed":
        tall = dice(8, 13)
        parts.append(box(w, deep, tall, 0, mid, low) - box(w - 5, deep - 5, tall, 0, mid, low + 3))
    elif load == "logs":
        q = w / 6.2
        rows = [(x, k) for k, n in enumerate((3, 2, 1)) for x in spaced(-q * (n - 1), q * (n - 1), n)]
        parts += [
            rod(
                (x, mid - deep * 0.48, low + q * 1.7 * k + q),
                (x, mid + deep * 0.46, low + q * 1.7 * k + q),
                q * 1.06,
                sides=14,
            )
            for x, k in rows
        ]
        parts += both([box(2.4, 2.4, q * 4, w / 2 - 1, y, low - 3) for y in (mid - deep * 0.3, mid + deep * 0.3)])
        parts.append(box(w, deep, 3, 0, mid, low - 2))
    else:
        tall = dice(12, 17)
        outer = [(-50, low + tall * 0.35), (-50 + 6, low), (y1 - gap, low), (y1 - gap, low + tall), (-53, low + tall)]
        inner = [
            (-52, low + tall * 0.5 + 1),
            (-43, low + 3),
            (y1 - gap - 3, low + 3),
            (y1 - gap - 3, low + tall + 5),
            (-60, low + tall + 5),
        ]
        tub = side(outer, w + 2) - side(inner, w - 3.5)
        if dice.yes(0.4):
            tub = tub.translate((0, 46, -low)).rotate((28, 0, 0)).translate((0, -46, low)) + box(6, 34, 4, 0, -24, low)
            tub += rod((0, -14, low), (0, -4, low + 20), 2.4)
        parts.append(tub)
    back = spaced(-50 + r * 1.6, -50 + r * 3.9, 2) if dice.yes(0.6) else [-50 + r * 2.4]
    arches = join(wheel(r * 1.18, w * 3, 0, y, r, 24) for y in [*back, 50 - long * 0.5])
    body = join(parts) - join(both(arches ^ box(w, 200, 60, w * 0.86, 0, -20)))
    return [body, *wheels([*back, 50 - long * 0.5], r, w, w * 0.24)]


def _band(r: float, y: float) -> Manifold:
    """A hoop around a tank that lies along y."""
    hoop = Manifold.cylinder(2.4, r, r, 32, True) - Manifold.cylinder(9, r - 2.5, r - 2.5, 32, True)
    return hoop.rotate((90, 0, 0)).translate((0, y, 0))


def _bus(dice: Dice) -> Parts:
    """A long box on wheels with rows of windows, a door, a wind screen; single or double-decker, or a school bus."""
    w, r, style = dice(22, 27), dice(5, 6), dice.weighted({"coach": 2.0, "double": 1.2, "school": 1.2})
    z = r * 0.8
    h = dice(23, 29) if style != "double" else dice(40, 46)
    y0, y1 = -50.0, 50.0 if style != "school" else 36.0
    mid, long = (y0 + y1) / 2, y1 - y0
    body = soft(w, long, h, 0, mid, z, r=dice(1.5, 4), steps=2)
    count = dice.whole(4, 6)
    decks = 2 if style == "double" else 1
    level = h / decks
    for deck in range(decks):
        low = z + deck * level + level * (0.48 if decks == 1 else 0.42)
        high = z + deck * level + level * 0.85
        span = long * 0.8 / count
        places = spaced(mid - long * 0.4 + span / 2, mid + long * 0.4 - span / 2, count)
        door_side = places[:-1] if not deck else places
        body -= join(box(3.2, span * 0.8, high - low, w / 2, y, low) for y in door_side)
        body -= join(box(3.2, span * 0.8, high - low, -w / 2, y, low) for y in places)
        body -= box(w * 0.82, 4, high - low, 0, y1, low) + box(w * 0.7, 4, (high - low) * 0.8, 0, y0, low + 1)
    span = long * 0.8 / count
    body -= box(3.2, span * 0.75, level * 0.78, w / 2, mid + long * 0.4 - span / 2, z + level * 0.08)
    front = y1
    if style == "school":
        body += soft(w * 0.86, 22, h * 0.48, 0, 40, z, r=2.5)
        front = 51.0
    parts: Parts = [
        body,
        *both(disc(2, 2, sides=16).rotate((-90, 0, 0)).translate((w * 0.32, front - 1, z + level * 0.2))),
    ]
    parts += [box(w * 0.96, 2.4, 3, 0, front, z), box(w * 0.96, 2.4, 3, 0, y0, z)]
    if style == "coach" and dice.yes(0.4):
        parts.append(soft(w * 0.5, 24, 4, 0, mid - 10, z + h - 1, r=1.5))
    axles = [y0 + long * 0.2, y1 - long * (0.19 if style != "school" else -0.04)]
    arches = join(wheel(r * 1.2, w * 0.34, s * w / 2, y, r, 24) for y in axles for s in (-1, 1))
    return [join(parts) - arches, *wheels(axles, r, w, w * 0.17)]


def _steam(dice: Dice) -> Parts:
    """A steam engine: boiler, chimney, dome, cab, wheels with a rod, buffers or a cow-catcher; often a tender."""
    w, r = dice(19, 24), dice(6.5, 8.2)
    tender = dice.yes(0.35)
    y0, y1 = (-16.0, 50.0) if tender else (-40.0, 50.0)
    long = y1 - y0
    z, q = r * 1.5, w * dice(0.36, 0.44)
    cab_y, cab_long, cab_h = y0 + long * 0.16, long * 0.3, q * 2 + dice(5, 9)
    mid = z + 2 + q
    boiler = Manifold.cylinder(long * 0.72, q, q, 32).rotate((-90, 0, 0)).translate((0, y1 - long * 0.74, mid))
    face = Manifold.cylinder(2, q * 0.78, q * 0.7, 32).rotate((-90, 0, 0)).translate((0, y1 - long * 0.02 - 0.1, mid))
    cab = box(w, cab_long, cab_h, 0, cab_y, z) - panes(
        w, [cab_y + 1], z + cab_h * 0.48, z + cab_h * 0.84, cab_long * 0.55
    )
    cab -= box(w * 0.8, cab_long * 0.5, cab_h * 0.75, 0, cab_y - cab_long * 0.4, z + 4)
    cab += slab(w + 4, cab_long + 6, 2.6, 0, cab_y, z + cab_h - 0.5, r=2)
    top = mid + q
    chimney_y = y1 - long * 0.12
    stack = lathe([(0, 0), (3, 0), (3, 8), (dice(3.4, 6), dice(11, 14)), (3.2, dice(14.5, 16)), (0, 14)], 24)
    parts: Parts = [
        boiler,
        face,
        cab,
        stack.translate((0, chimney_y, top - 1.5)),
        box(w * 0.9, long, 3.6, 0, (y0 + y1) / 2, z - 2),
    ]
    for share in ((0.46,), (0.42, 0.6))[dice.whole(0, 1)]:
        y = y1 - long * share
        parts += [disc(3.4, 4, 0, y, top - 1), Manifold.sphere(3.4, 20).translate((0, y, top + 3))]
    big, small = r, r * dice(0.55, 0.7)
    drive = spaced(y0 + long * 0.16, y0 + long * 0.16 + 2.15 * big * dice.whole(1, 2), 2)
    if drive[1] - drive[0] > 3 * big:
        drive = [drive[0], sum(drive) / 2, drive[1]]
    parts += [*wheels(drive, big, w * 0.96, w * 0.16)]
    parts += [*wheels(spaced(y1 - small * 3.6, y1 - small * 1.3, 2), small, w * 0.9, w * 0.16)]
    parts.append(box(w * 0.5, small * 3.4, z - small, 0, y1 - small * 2.45, small))
    parts += both(box(2, drive[-1] - drive[0] + 3, 2.4, w * 0.48, (drive[0] + drive[-1]) / 2, big - 1.2))
    if dice.yes(0.5):
        plough = [(-w * 0.42, y1 - 1, z - 1), (w * 0.42, y1 - 1, z - 1), (-w * 0.42, y1 - 1, 2), (w * 0.42, y1 - 1, 2)]
        parts.append(Manifold.hull_points(np.array([*plough, (0, y1 + 8, 2), (0, y1 + 7, 4)])))
    else:
        parts += both(rod((w * 0.3, y1 - 2, z), (w * 0.3, y1 + 4, z), 1.6, 2.4, 14))
    if dice.yes(0.6):
        parts.append(Manifold.cylinder(4, 2.6, 3, 16).rotate((-90, 0, 0)).translate((0, y1 - 4, top + 1)))
    if tender:
        bin_ = box(w, 30, cab_h * 0.55, 0, -35, z) - box(w - 5, 25, cab_h, 0, -35, z + cab_h * 0.3)
        parts += [bin_, box(w * 0.9, 34, 3.6, 0, -34, z - 2), box(4, 10, 3, 0, -18, z - 2)]
        parts += [*wheels([-43, -27], r * 0.66, w * 0.92, w * 0.16)]
    return parts


def _express(dice: Dice) -> Parts:
    """The leading car of a fast train or a tram: a long smooth body with a sloping nose and a row of windows."""
    w, h, z = dice(17, 21), dice(18, 22), 4.6
    sharp = dice(8, 26)
    profile = [
        (-50, z),
        (50, z),
        (50.5, z + h * 0.25),
        (50 - sharp * 0.4, z + h * 0.62),
        (50 - sharp, z + h),
        (-50, z + h),
    ]
    body = side(profile, w, r=2)
    if sharp > 14:
        cheek = join(both(box(w, sharp * 1.6, 2 * h, w * 0.92, 50, z - 5)))
        nose = Manifold.hull_points(
            np.array(
                [
                    (sx * w * (0.5 if y < 40 else 0.3), y, q)
                    for sx in (-1, 1)
                    for y in (50 - sharp * 0.9, 52)
                    for q in (0, 60)
                ]
            )
        )
        body = (body - cheek) + (body ^ nose)
    count = dice.whole(5, 8)
    places = spaced(-42, 42 - sharp * 1.05, count)
    step = places[1] - places[0]
    body -= panes(w, places, z + h * 0.5, z + h * 0.78, step * 0.7)
    lean = float(np.degrees(np.arctan2(sharp * 0.6, h * 0.38)))
    body -= box(w * 0.62, 3, h * 0.4).rotate((lean, 0, 0)).translate((0, 50 - sharp * 0.45, z + h * 0.66))
    bogies: Parts = []
    for y in (-33, 30):
        bogies += wheels([y - 6, y + 6], 3.6, w * 0.9, 3)
        bogies.append(box(w * 0.7, 20, 3, 0, y, 3))
    roof = [box(w * 0.5, 20, 2.5, 0, y, z + h - 0.5) for y in (-26, 2)] if dice.yes(0.5) else []
    return [body, *roof, *bogies, box(w * 0.8, 24, 4, 0, -2, 1.6)]


def _wagons(dice: Dice) -> Parts:
    """A toy train: an engine of simple blocks and one or two wagons behind it."""
    count = dice.whole(1, 2)
    long = 100 / (count + 1.25)
    w, r = dice(14, 18), dice(3.4, 4.2)
    parts: Parts = []
    y = 50 - long * 1.25 / 2
    engine = long * 1.15
    parts += [
        box(w, engine, 4, 0, y, r),
        box(w * 0.9, engine * 0.36, 17, 0, y - engine * 0.3, r + 3),
        box(w * 1.1, engine * 0.46, 2.4, 0, y - engine * 0.3, r + 19.5),
    ]
    parts[1] -= panes(w * 0.9, [y - engine * 0.3], r + 11, r + 17, engine * 0.2)
    q = w * 0.36
    parts += [
        Manifold.cylinder(engine * 0.62, q, q, 28).rotate((-90, 0, 0)).translate((0, y - engine * 0.14, r + 3 + q)),
        disc(2.2, 8, 0, y + engine * 0.3, r + 2 + 2 * q, r_top=3.4),
    ]
    parts += wheels([y - engine * 0.3, y + engine * 0.3], r, w, 3)
    y -= long * 1.25 / 2
    for _ in range(count):
        parts.append(box(3, long * 0.6, 2.6, 0, y, r + 0.5))
        y -= long / 2
        deck = long * 0.86
        parts += [box(w, deck, 4, 0, y, r), *wheels([y - deck * 0.28, y + deck * 0.28], r, w, 3)]
        load = dice.one("open", "barrel", "house")
        if load == "open":
            parts.append(box(w, deck, 11, 0, y, r + 2) - box(w - 4.4, deck - 4.4, 11, 0, y, r + 5))
        elif load == "barrel":
            parts.append(Manifold.cylinder(deck * 0.9, q, q, 28, True).rotate((90, 0, 0)).translate((0, y, r + 3 + q)))
        else:
            wagon = (
                box(w * 0.9, deck * 0.92, 13, 0, y, r + 3)
                - recess(opening(deck * 0.3, 9, y, r + 5), w * 0.45, -90, 1.5)
                - recess(opening(deck * 0.3, 9, -y, r + 5), w * 0.45, 90)
            )
            parts += [wagon, box(w * 1.08, deck, 2.4, 0, y, r + 15.5)]
        y -= long / 2
    return parts


LORRIES: Styles = {_lorry: 1}
BUSES: Styles = {_bus: 1}
TRAINS: Styles = {_steam: 2, _express: 1, _wagons: 1.2}
