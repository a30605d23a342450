"""Bookcases and cabinets, and the blocks of shelves and drawers that desks and tables borrow."""

from manifold3d import Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    both,
    box,
    corners,
    front,
    join,
    lean,
    leg,
    rod,
    slab,
    soft,
    spaced,
)


def shelf_unit(
    dice: Dice,
    w: float,
    d: float,
    h: float,
    *,
    columns: int,
    rows: int,
    back: bool,
    t: float | None = None,
    doors: float = 0,
) -> Parts:
    """Uprights, boards and perhaps a back board, standing on z = 0; each opening gets a door with chance `doors`."""
    t = dice(1.8, 3) if t is None else t
    xs, zs = spaced(-w / 2 + t / 2, w / 2 - t / 2, columns + 1), spaced(0, h - t, rows + 1)
    parts = [box(t, d, h, x) for x in xs] + [box(w, d - dice.one(0, 0.5), t, z=z) for z in zs]
    parts += [box(w, 1.4, h, y=-d / 2 + 0.7)] if back else []
    for x0, x1 in zip(xs[:-1], xs[1:], strict=True):
        for z0, z1 in zip(zs[:-1], zs[1:], strict=True):
            if doors and dice.yes(doors):
                parts += [box(x1 - x0, 2, z1 - z0, (x0 + x1) / 2, d / 2 - 1 - dice.one(0, 0.8), z0 + t / 2)]
    return parts


def _handle(dice: Dice, style: str, w: float, y: float, x: float, z: float) -> Parts:
    """A handle on a front whose surface is at y, around (x, z)."""
    if style == "knob":
        return [rod((x, y - 1, z), (x, y + 2.6, z), 1.5)]
    if style == "bar":
        return [
            box(w, 1.4, 1.4, x, y + 2, z - 0.7),
            *[box(1.4, 3.4, 1.4, x + s * w * 0.4, y + 1, z - 0.7) for s in (-1, 1)],
        ]
    if style == "cup":
        return [soft(w * 0.6, 5, 3, x, y, z - 1.5, r=1.2)]
    return []


def drawer_block(
    dice: Dice, w: float, d: float, h: float, x: float = 0, y: float = 0, z: float = 0, *, rows: int = 0
) -> Manifold:
    """A closed block of drawers, gaps between the fronts, with knobs, bars, cups or cut grips."""
    rows = rows or max(1, round(h / dice(16, 30)))
    style = dice.one("knob", "bar", "cup", "none", "grip")
    gap, proud = dice(0.8, 1.6), dice.one(1.2, 2)
    body = [box(w, d - proud, h, y=-proud / 2)]
    heights = spaced(0, h, rows + 1)
    for low, high in zip(heights[:-1], heights[1:], strict=True):
        face = box(w - gap, proud + 0.5, high - low - gap, y=d / 2 - proud / 2, z=low + gap / 2)
        if style == "grip":
            face -= box(w * 0.3, 9, min(3, (high - low) * 0.2), y=d / 2, z=high - gap - min(3, (high - low) * 0.2))
        body += [face]
        spots = (-w * 0.25, w * 0.25) if w > 60 else (0,)
        for spot in spots:
            body += _handle(dice, style, min(14, w * 0.3), d / 2, spot, (low + high) / 2 + (high - low) * 0.12)
    return join(body).translate((x, y, z))


def _base(dice: Dice, w: float, d: float) -> tuple[Parts, float]:
    """What a cabinet stands on, and how high: nothing, a plinth, legs, a sled, castors."""
    style = dice.weighted({"none": 2, "plinth": 1.5, "legs": 2.5, "panel": 0.6, "frame": 0.6})
    if style == "plinth":
        h = dice(4, 9)
        return [box(w - 2, d - dice(2, 6), h + 0.5, y=-1)], h
    if style == "legs":
        h, r, splay = dice(8, 24), dice(1.5, 2.8), dice.one(0, dice(1, 4))
        n = dice.one(4, 8)
        return corners(
            w - 9, d - 7, lambda x, y: leg((x, y, h + 0.5), (x + (splay if x > 0 else -splay), y, 0), r, r * 0.7, n)
        ), h
    if style == "panel":
        h = dice(6, 14)
        return both(box(2, d, h + 0.5, w / 2 - 1)), h
    if style == "frame":
        h, r = dice(12, 25), 1.5
        rails = (
            [box(w - 4, 3, 3, y=s * (d / 2 - 2.5), z=h - 2.5) for s in (-1, 1)]
            + both(box(3, d - 5, 3, w / 2 - 3.5))
            + both(box(3, d - 5, 3, w / 2 - 3.5, 0, h - 2.5))
        )
        return [*corners(w - 7, d - 5, lambda x, y: box(2 * r, 2 * r, h, x, y)), *rails], h
    return [], 0.0


# ---- bookcases -----------------------------------------------------------------------------------------------------


def tall(dice: Dice) -> Parts:
    """The tall narrow bookcase of five or six shelves, with or without a back board, doors below, a plinth."""
    w, d, h = dice(38, 95), dice(24, 40), dice(165, 240)
    rows, t = dice.whole(4, 7), dice(1.8, 3.2)
    foot = dice.one(0, dice(4, 9))
    parts = shelf_unit(dice, w, d, h - foot, columns=1, rows=rows, back=dice.yes(0.65), t=t)
    low = (h - foot - t) / rows
    style = dice.weighted({"open": 3, "low doors": 1, "tall doors": 0.5, "half": 0.4, "drawers": 0.3})
    up = {"low doors": dice.whole(1, 2), "tall doors": rows, "half": rows // 2}.get(style, 0)
    if up:
        n = 2 if w > 55 else 1
        each = (w - 0.6) / n
        for i in range(n):
            x = -w / 2 + each * (i + 0.5) + 0.3
            parts += [
                box(each - 0.9, 2, low * up, x, d / 2 + 0.4, t / 2),
                *_handle(dice, "bar", 3, d / 2 + 1, x + (each * 0.4 if i == 0 else -each * 0.4), low * up * 0.6),
            ]
    if style == "drawers":
        parts += [drawer_block(dice, w - t, d, low, 0, 0, t / 2, rows=2)]
    lifted = join(parts).translate((0, 0, foot))
    return [lifted, box(w, d - dice.one(0, 3), foot + 1, y=-1)] if foot else [lifted]


def cubes(dice: Dice) -> Parts:
    """The grid of cube compartments, two by two to five by five, with a thick outer frame."""
    columns, rows = dice.whole(1, 5), dice.whole(1, 5)
    if columns * rows == 1:
        columns = 2
    cell, d, t = dice(30, 38), dice(28, 42), dice(1.6, 2.6)
    outer = t * dice.one(1, dice(1.2, 2.4))
    w, h = columns * (cell + t) + 2 * outer, rows * (cell + t) + 2 * outer
    parts = shelf_unit(
        dice, w, d, h, columns=columns, rows=rows, back=dice.yes(0.25), t=t, doors=dice.one(0, 0, 0, dice(0.1, 0.5))
    )
    parts += [*both(box(outer, d, h, w / 2 - outer / 2)), box(w, d, outer), box(w, d, outer, z=h - outer)]
    if dice.yes(0.2):
        f = dice(4, 18)
        parts = [
            join(parts).translate((0, 0, f)),
            *corners(w - 10, d - 8, lambda x, y: leg((x, y, f + 1), (x, y, 0), 2)),
        ]
    return parts


def low(dice: Dice) -> Parts:
    """The low wide bookcase, on a base or on the floor."""
    w, d, h = dice(90, 190), dice(26, 42), dice(38, 110)
    base, z = _base(dice, w, d)
    rows, columns = max(1, round(h / dice(28, 42))), dice.whole(1, 4)
    unit = shelf_unit(
        dice, w, d, h, columns=columns, rows=rows, back=dice.yes(0.6), doors=dice.one(0, 0, dice(0.2, 0.5))
    )
    return [*base, join(unit).translate((0, 0, z))]


def ladder(dice: Dice) -> Parts:
    """Open shelves between posts: steel racks, ladder shelves that lean, storage shelving."""
    w, d, h = dice(40, 110), dice(28, 50), dice(80, 200)
    n, r, t = dice.whole(3, 6), dice(1.2, 2.4), dice(1.6, 3)
    first = dice(5, 18)
    style = dice.one("posts", "lean", "panels", "posts")
    if style == "lean":
        deep = spaced(d, d * 0.5, n)
        zs = spaced(first, h - 5, n)
        shelves = [box(w - 2 * r, f, t, y=-d / 2 + f / 2, z=z) for f, z in zip(deep, zs, strict=True)]
        posts = both(
            [
                leg((w / 2 - r, -d / 2 + d * 0.42, h), (w / 2 - r, d / 2 + 3, 0), r, r, 4),
                box(2 * r, 2 * r, h, w / 2 - r, -d / 2 + r),
            ]
        )
        return [*shelves, *posts]
    shelves = [box(w - r, d - r, t, z=z) for z in spaced(first, h - t - dice.one(0, 6), n)]
    if style == "panels":
        frame = [box(2 * r, 2 * r, h, w / 2 - r, s * (d / 2 - r)) for s in (-1, 1)] + [
            box(2 * r, d, 2 * r, w / 2 - r, 0, z) for z in (0, h - 2 * r)
        ]
        return [*shelves, *both(frame)]
    posts = corners(w - 2 * r, d - 2 * r, lambda x, y: leg((x, y, h), (x, y, 0), r, r, 4))
    brace = [
        rod((-w / 2 + r, -d / 2 + r, h * 0.2), (w / 2 - r, -d / 2 + r, h * 0.8), 0.9),
        rod((w / 2 - r, -d / 2 + r, h * 0.2), (-w / 2 + r, -d / 2 + r, h * 0.8), 0.9),
    ]
    return [*shelves, *posts, *(brace if dice.yes(0.3) else [])]


def staggered(dice: Dice) -> Parts:
    """Columns with shelves at differing heights, stepped tops, some missing dividers."""
    n, d, t = dice.whole(2, 4), dice(26, 40), dice(1.8, 3)
    each, h = dice(32, 55), dice(90, 210)
    step = dice.one(0, 0, dice(18, 38))
    parts: Parts = []
    for i in range(n):
        tall_i = max(40, h - i * step)
        x = (i - (n - 1) / 2) * each
        rows = dice.whole(2, max(2, round(tall_i / 32)))
        parts += [box(each + t, d, t, x, 0, z) for z in spaced(0, tall_i - t, rows + 1)]
        parts += [box(t, d, tall_i, x + s * each / 2) for s in (-1, 1)]
        parts += [box(each, 1.4, tall_i, x, -d / 2 + 0.7)] if dice.yes(0.6) else []
    return [join(parts).mirror((1, 0, 0))] if dice.yes() else parts


BOOKCASES = {tall: 3.5, cubes: 3, low: 1.5, ladder: 1.2, staggered: 0.8}
"""Styles of bookcases and how often each is made."""


# ---- cabinets: dressers, night stands, sideboards, wardrobes -------------------------------------------------------


def _carcass(dice: Dice, w: float, d: float, h: float, inner: Manifold) -> Parts:
    """A body on a base under an overhanging top."""
    base, z = _base(dice, w, d)
    lip, t = dice.one(0, 0, dice(0.5, 3)), dice(1.5, 4)
    top = box(w + lip, d + lip, t, z=z + h - 0.5) if dice.yes(0.7) else slab(w + lip, d + lip, t, z=z + h - 0.5, r=3)
    rim = [box(w + lip, 1.8, dice(6, 16), y=-d / 2 + 1, z=z + h)] if dice.yes(0.06) else []
    return [*base, inner.translate((0, 0, z)), top, *rim]


def dresser(dice: Dice) -> Parts:
    """A chest of drawers, one to three columns; sometimes with a mirror."""
    columns = dice.weighted({1: 2, 2: 2, 3: 0.6})
    w = columns * dice(38, 65) if columns > 1 else dice(40, 85)
    d, h = dice(38, 55), dice(55, 125)
    rows = max(2, round(h / dice(17, 28)))
    state = dice.whole(0, 10**6)  # one and the same style of handle in all columns
    blocks = [
        drawer_block(Dice(state), w / columns - 0.4, d, h, w / columns * (i - (columns - 1) / 2), 0, 0, rows=rows)
        for i in range(columns)
    ]
    sides = both(box(2, d + 0.4, h, w / 2)) if dice.yes(0.4) else []
    parts = _carcass(dice, w, d, h, join(blocks, box(w, d - 4, h, y=-1.5), sides))
    if dice.yes(0.15):
        top = join(parts).bounding_box()[5]
        parts += [
            lean([slab(w * 0.7, 2.6, dice(55, 80), r=1)], 4).translate((0, -d / 2 + 4, top - 1)),
            box(w * 0.5, 4, 12, y=-d / 2 + 3, z=top - 1),
        ]
    return parts


def nightstand(dice: Dice) -> Parts:
    """A bedside table: one to three drawers, often with an open compartment."""
    w, d, h = dice(32, 58), dice(30, 45), dice(28, 62)
    style = dice.weighted({"drawers": 2, "open below": 2, "open above": 1, "legs": 1.4, "open": 0.5})
    if style == "legs":
        r, deep = dice(1.5, 2.6), dice(10, 18)
        parts = [box(w, d, 2.5, z=h), drawer_block(dice, w - 2 * r, d - r, deep, 0, 0, h - deep, rows=1)]
        n = dice.one(4, 8)
        parts += corners(w - 2 * r, d - 2 * r, lambda x, y: leg((x, y, h + 0.5), (x, y, 0), r, r * 0.8, n))
        return parts + ([box(w - r, d - r, 2, z=h * dice(0.15, 0.3))] if dice.yes() else [])
    if style == "drawers":
        return _carcass(dice, w, d, h, drawer_block(dice, w, d, h))
    t, split = dice(1.8, 3), h * dice(0.35, 0.65)
    unit = shelf_unit(dice, w, d, h, columns=1, rows=1, back=dice.yes(0.8), t=t)
    unit += [box(w - t, d - 1, t, z=split)]
    if style == "open below":
        unit += [drawer_block(dice, w - 2, d, h - split - t, 0, 0, split, rows=dice.whole(1, 2))]
    if style == "open above":
        unit += [drawer_block(dice, w - 2, d, split - t, 0, 0, t, rows=dice.whole(1, 2))]
    return _carcass(dice, w, d, h, join(unit))


def _doors(dice: Dice, w: float, d: float, h: float, n: int) -> Parts:
    """A closed body with n doors, plain or panelled."""
    gap, style, panelled = dice(0.7, 1.3), dice.one("knob", "bar", "none", "long"), dice.yes(0.35)
    parts, each = [box(w, d - 1.6, h, y=-0.8)], w / n
    for i in range(n):
        x = -w / 2 + each * (i + 0.5)
        door = box(each - gap, 2, h - gap, x, d / 2 - 0.8, gap / 2)
        if panelled and each > 20:
            door -= box(each - 14, 3, h - 16, x, d / 2 + 1, 8)
        edge = x + each * 0.38 * (1 if i % 2 == 0 else -1)
        grip = h * 0.55 if h < 120 else 100
        parts += [
            door,
            *(
                [box(1.6, 3.5, h * 0.35, edge, d / 2 + 1, grip - h * 0.1)]
                if style == "long"
                else _handle(dice, style, 3, d / 2, edge, grip)
            ),
        ]
    return parts


def sideboard(dice: Dice) -> Parts:
    """Low and wide: doors, drawers and open bays side by side; also the television bench."""
    w, d = dice(95, 200), dice(34, 50)
    h = dice.one(dice(25, 45), dice(55, 90))
    bays = dice.whole(2, 4)
    each = w / bays
    parts = [box(w, d, 2.4), box(w, d, 2.4, z=h - 2.4), box(w, 1.6, h, y=-d / 2 + 0.8)] + [
        box(2.2, d, h, x) for x in spaced(-w / 2 + 1.1, w / 2 - 1.1, bays + 1)
    ]
    for i in range(bays):
        x = -w / 2 + each * (i + 0.5)
        fill = dice.one("doors", "drawers", "open", "shelf") if h > 30 else dice.one("drawers", "open")
        if fill == "doors":
            parts += [join(_doors(dice, each - 1, d, h - 1, 2 if each > 60 else 1)).translate((x, 0, 0.5))]
        elif fill == "drawers":
            parts += [drawer_block(dice, each - 1, d, h - 1, x, 0, 0.5)]
        elif fill == "shelf":
            parts += [box(each, d - 2, 2, x, -1, h * dice(0.35, 0.6))]
    return _carcass(dice, w, d, h, join(parts))


def wardrobe(dice: Dice) -> Parts:
    """A tall cabinet with doors, drawers below or a cornice above."""
    n = dice.whole(1, 3)
    w, d, h = n * dice(40, 60), dice(38, 62), dice(120, 220)
    body = _doors(dice, w, d, h, n)
    if dice.yes(0.35):
        low_h = dice(20, 55)
        body = [join(body).translate((0, 0, low_h - 0.2)), drawer_block(dice, w, d, low_h)]
        h += low_h
    return _carcass(dice, w, d, h, join(body))


def display(dice: Dice) -> Parts:
    """A cabinet below and open shelves above, stepped back or not."""
    n = dice.whole(1, 3)
    w, d, h = n * dice(38, 55), dice(36, 50), dice(70, 95)
    upper, deep = dice(70, 130), d * dice(0.6, 1)
    body = _doors(dice, w, d, h, n) if dice.yes(0.6) else [drawer_block(dice, w, d, h)]
    shelf = shelf_unit(dice, w, deep, upper, columns=dice.whole(1, n), rows=dice.whole(2, 4), back=dice.yes(0.8))
    base, z = _base(dice, w, d)
    return [*base, join(body).translate((0, 0, z)), join(shelf).translate((0, -d / 2 + deep / 2, z + h - 0.3))]


def crate(dice: Dice) -> Parts:
    """A drawer unit on castors, an open-topped box, a filing cabinet."""
    w, d, h = dice(32, 48), dice(40, 60), dice(45, 130)
    z = 6
    feet = corners(w - 9, d - 9, lambda x, y: rod((x - 1.5, y, 3), (x + 1.5, y, 3), 3)) + corners(
        w - 9, d - 9, lambda x, y: box(2, 2, 4, x, y, 3)
    )
    if dice.yes(0.3):
        hollow = box(w, d, h) - box(w - 4, d - 4, h, z=dice(2, h * 0.7))
        cut = front(
            [(-w * 0.2, h * 0.8), (w * 0.2, h * 0.8), (w * 0.2, h * 0.8 + 4), (-w * 0.2, h * 0.8 + 4)], 10, d / 2, r=1
        )
        return [*feet, (hollow - cut).translate((0, 0, z))]
    return [*feet, drawer_block(dice, w, d, h, 0, 0, z)]


CABINETS = {dresser: 3, nightstand: 3, sideboard: 1.6, wardrobe: 1, display: 0.8, crate: 0.5}
"""Styles of cabinets and how often each is made."""
