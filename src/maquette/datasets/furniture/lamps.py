"""Lamps: on the floor, on the table, on an arm, hanging."""

from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, ball, box, curve, disc, lathe, leg, ring, rod, slab, tube


def _shade(dice: Dice, r: float, h: float, z: float) -> Parts:
    """A hollow shade, open below, its lower edge at z, carried by a spider at mid height."""
    t = max(0.06 * r, 1.0)
    style = dice.weighted({"cone": 3, "drum": 2, "dome": 1.5, "globe": 0.8, "bell": 0.8, "square": 0.6})
    if style == "globe":
        return [ball(r * 0.85, 0, 0, z + r * 0.85, 4)]
    if style == "square":
        k = dice(0.5, 1)
        return [leg((0, 0, z + h), (0, 0, z), r * k, r, 4) - leg((0, 0, z + h - t), (0, 0, z - 1), r * k - t, r - t, 4)]
    if style == "dome":
        edge = [(r, z), (r * 0.95, z + h * 0.4), (r * 0.75, z + h * 0.75), (r * 0.35, z + h), (0, z + h)]
    elif style == "bell":
        edge = [(r, z), (r * 0.7, z + h * 0.3), (r * 0.55, z + h * 0.7), (r * 0.35, z + h), (0, z + h)]
    else:
        k = dice(0.3, 0.8) if style == "cone" else dice(0.92, 1)
        edge = [(r, z), (r * k, z + h), (0, z + h)]
    inner = [(max(p - t, 0), q - t if p < r * 0.5 or q == z + h else q) for p, q in edge[::-1]]
    inner = [*inner[:-1], (r - t, z)]
    return [lathe([*edge, *inner])]


def _foot(dice: Dice, r: float) -> Parts:
    """A heavy base of radius r."""
    style = dice.one("disc", "dome", "square", "tripod", "disc")
    if style == "dome":
        return [lathe([(0, 0), (r, 0), (r, r * 0.1), (r * 0.6, r * 0.3), (r * 0.15, r * 0.4), (0, r * 0.4)])]
    if style == "square":
        return [slab(1.8 * r, 1.8 * r, r * 0.18, r=1)]
    if style == "tripod":
        return ring(3, rod((0, 0, r * 0.5), (r * 1.2, 0, r * 0.08), r * 0.1))
    return [disc(r, r * 0.15)]


def floor(dice: Dice) -> Parts:
    """A post on a base under a shade; 130 to 180 cm."""
    h, r = dice(130, 180), dice(18, 30)
    sh = dice(20, 38)
    pole = dice(1.8, 3)
    return [*_foot(dice, dice(15, 22)), disc(pole, h - 1.1, z=0.5), *_shade(dice, r, sh, h - sh)]


def tripod(dice: Dice) -> Parts:
    """Three slanting legs under a shade, on the floor or on a table."""
    k = dice.one(1, 0.4)
    h, r, sh = dice(130, 165) * k, dice(20, 30) * max(k, 0.6), dice(24, 40) * max(k, 0.6)
    hub = h - sh * dice(0.9, 1.15)
    spread = dice(22, 34) * k
    legs = ring(3, leg((0.06 * r, 0, hub), (spread, 0, 0), 2.4 * k + 0.3, 1.8 * k + 0.3))
    return [
        *legs,
        disc(4 * k + 1, 5 * k + 1, z=hub - 3 * k - 0.5),
        disc(1.6 * k + 0.3, h - hub - 0.6, z=hub),
        *_shade(dice, r, sh, h - sh),
    ]


def table(dice: Dice) -> Parts:
    """A turned, round or boxy body with a shade; 30 to 65 cm."""
    h, r = dice(30, 65), dice(11, 22)
    sh = h * dice(0.35, 0.5)
    bh = h - sh * dice(0.85, 1.05)
    style = dice.one("vase", "ball", "stick", "block", "bottle", "turned")
    b = r * dice(0.3, 0.7)
    neck = disc(max(0.9, r * 0.08), h - bh, z=bh - 0.6)
    if style == "ball":
        b = min(b, bh / 2.2)
        body: Parts = [disc(b * 0.6, bh * 0.2), ball(b, 0, 0, bh - b, 4), disc(max(1.0, b * 0.4), bh - b)]
    elif style == "block":
        body = [leg((0, 0, bh), (0, 0, 0), b * dice(0.4, 1), b, dice.one(4, 6, 16))]
    elif style == "stick":
        body = [*_foot(dice, r * 0.6), disc(max(1.0, r * 0.09), bh)]
    else:
        outline = {
            "vase": [(b * 0.6, 0), (b, bh * 0.6), (b * 0.9, bh * 0.8), (b * 0.3, bh)],
            "bottle": [(b, 0), (b, bh * 0.5), (b * 0.4, bh * 0.75), (b * 0.3, bh)],
            "turned": [
                (b, 0),
                (b, bh * 0.08),
                (b * 0.3, bh * 0.2),
                (b * 0.7, bh * 0.45),
                (b * 0.3, bh * 0.7),
                (b * 0.4, bh),
            ],
        }[style]
        smooth = [(float(p), float(q)) for p, q in curve(outline, 3)]
        body = [lathe([(0, 0), *smooth, (0, bh)], 20)]
    return [*body, neck, *_shade(dice, r, sh, h - sh)]


def _head(dice: Dice, r: float, tip_deg: float) -> Manifold:
    """A small conical head that opens downwards, its neck at the origin, turned towards +y."""
    h, t = r * dice(1, 1.6), max(0.8, r * 0.12)
    k = dice(0.3, 0.6)
    cone = lathe(
        [
            (r, -h),
            (r * k, -h * 0.1),
            (r * k * 0.7, 0),
            (0, 0),
            (0, -t * 1.5),
            (r * k - t, -h * 0.1 - t * 1.5),
            (r - t, -h),
        ],
        20,
    )
    return cone.rotate((tip_deg, 0, 0))


def desk_arm(dice: Dice) -> Parts:
    """The jointed work lamp."""
    a, b, r = dice(20, 38), dice(20, 38), dice(6, 10)
    bar = dice(0.8, 1.4)
    elbow = (0, -dice(5, 22), a)
    tip = (0, elbow[1] + b * dice(0.7, 0.95), a + b * dice(0.1, 0.6))
    base = _foot(dice, dice(8, 12)) if dice.yes(0.75) else [box(6, 8, 5)]
    arms = [rod((0, 0, 1), elbow, bar), rod(elbow, tip, bar)]
    if dice.yes(0.4):
        arms = [p.translate((s, 0, 0)) for p in arms for s in (-1.6, 1.6)]
    head = _head(dice, r, dice(0, 35)).translate((0, tip[1], tip[2] + 1))
    return [*base, *arms, ball(bar * 1.9 + 0.8, *elbow), ball(bar * 1.9 + 1, *tip), ball(bar * 2 + 1, 0, 0, 2), head]


def arched(dice: Dice) -> Parts:
    """The floor lamp whose stem bends over."""
    h, reach, r = dice(140, 190), dice(25, 95), dice(12, 22)
    stem = curve(
        [(0, 0, 1), (0, 0, h * 0.5), (0, reach * 0.25, h * 0.9), (0, reach * 0.7, h), (0, reach, h * dice(0.86, 0.93))],
        4,
    )
    end = stem[-1]
    head = _head(dice, r, 0).translate((0, float(end[1]), float(end[2]) + 1))
    base = [disc(dice(13, 20), dice(3, 7))] if dice.yes() else [box(dice(18, 30), dice(18, 30), 5)]
    return [*base, tube(stem, dice(1.5, 2.4)), head]


def reading(dice: Dice) -> Parts:
    """A straight post with a small head on a short arm; sometimes two heads."""
    h, r = dice(120, 165), dice(8, 13)
    parts = [*_foot(dice, dice(13, 18)), disc(1.8, h)]
    for z, way in ((h - 3, 1), (h * 0.72, -1))[: dice.whole(1, 2)]:
        reach = dice(10, 22)
        head = _head(dice, r, dice(0, 40)).translate((0, reach, 0))
        parts += (
            [rod((0, 0, 0), (0, reach, 1), 1.5).translate((0, 0, z)), head.translate((0, 0, z + 1.5))]
            if way > 0
            else [rod((0, 0, z), (0, reach, z + 1), 1.5), _head(dice, r * 0.8, 20).translate((0, reach, z + 1.5))]
        )
    return parts


def pendant(dice: Dice) -> Parts:
    """A hanging lamp: canopy, cord and shade."""
    r, h, cord = dice(14, 32), dice(14, 34), dice(15, 55)
    shade = _shade(dice, r, h, 0)
    return [*shade, disc(1.3, cord + 4, z=h * 0.9 - 3), disc(5, 2.5, z=h * 0.9 + cord)]


def column(dice: Dice) -> Parts:
    """Paper columns and mushrooms."""
    if dice.yes():
        w, h = dice(14, 30), dice(45, 130)
        twist = leg((0, 0, h), (0, 0, 3), w / 2 * dice(0.7, 1), w / 2, dice.one(4, 6, 20))
        return [twist, *[leg((x, y, 5), (x, y, 0), 1) for x in (-w * 0.22, w * 0.22) for y in (-w * 0.22, w * 0.22)]]
    r, h = dice(12, 24), dice(25, 50)
    cap = h * 0.4
    t = r * 0.07 + 0.5
    dome = [(r, h - cap), (r * 0.9, h - cap * 0.4), (r * 0.55, h - cap * 0.08), (0, h)]
    under = [(0, h - t * 1.5), (r * 0.5, h - cap * 0.08 - t * 1.5), (r * 0.9 - t, h - cap * 0.4 - t), (r - t, h - cap)]
    stem = [(0, 0), (r * 0.6, 0), (r * 0.35, h * 0.3), (r * 0.2, h * 0.6), (r * 0.15, h - t), (0, h - t)]
    return [lathe([*dome, *under]), lathe(stem)]


LAMPS = {floor: 2, tripod: 1, table: 2.5, desk_arm: 1.5, arched: 1, reading: 1, pendant: 0.8, column: 0.6}
"""Styles of lamps and how often each is made."""
