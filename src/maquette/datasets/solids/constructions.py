"""Constructions: two to nine simple bodies put together at random, as one would sketch them to try a pencil.

Boxes, cylinders, cones, prisms, ellipsoids, rings, wedges, shells and turned profiles are stacked, set side by side,
run through one another, repeated by symmetry, and cut with holes, notches and slots.
"""

from collections.abc import Callable

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, box, curve, disc, join, lathe, ring, soft, stack
from maquette.datasets.solids.parts import Styles, egg, flat, prism, torus

Size = tuple[float, float, float]
_WALL = 5.0  # thickness of shells


def _fitted(part: Manifold, size: Size) -> Manifold:
    """A part stretched to a size, around the origin."""
    a = np.array(part.bounding_box())
    part = part.translate(tuple(-(a[:3] + a[3:]) / 2))
    return part.scale(tuple(np.array(size) / (a[3:] - a[:3])))


def _profile(dice: Dice) -> Manifold:
    """A turned body of a random profile."""
    count = dice.whole(3, 5)
    radii = [dice(0.35, 1) for _ in range(count)]
    heights = np.cumsum([0.0, *[dice(0.5, 1) for _ in range(count - 1)]])
    points = [(50 * r, float(60 * z / heights[-1])) for r, z in zip(radii, heights, strict=True)]
    line = points if dice.yes() else [(max(float(r), 8.0), float(z)) for r, z in curve(points, 4)]
    return lathe([(0, line[0][1]), *line, (0, line[-1][1])], 40)


def _wedge(dice: Dice) -> Manifold:
    """A ramp, a roof or a slanted block."""
    low = dice.one(0.0, 0.0, dice(10, 40))
    top = dice.one([(50, 100)], [(0, 100)], [(-50, 100), (dice(-30, 30), 100)])
    ends = [(-50, 0), (50, 0), (50, low), *top[::-1], (-50, low)] if len(top) == 1 else [(-50, 0), (50, 0), *top[::-1]]
    solid = flat([[p for i, p in enumerate(ends) if p not in ends[:i]]], 100)
    return solid.rotate((0, 0, dice.one(0, 90, 180, 270)))


def _letter_l(dice: Dice) -> Manifold:
    """A block with an L, T, U, plus or stair for its profile."""
    a, b = dice(28, 45), dice(28, 45)
    shape = dice.one("L", "T", "U", "plus", "stairs")
    points = {
        "L": [(0, 0), (100, 0), (100, a), (b, a), (b, 100), (0, 100)],
        "T": [(50 - b / 2, 0), (50 + b / 2, 0), (50 + b / 2, 100 - a), (100, 100 - a), (100, 100), (0, 100), (0, 100 - a),
              (50 - b / 2, 100 - a)],
        "U": [(0, 0), (100, 0), (100, 100), (100 - b * 0.7, 100), (100 - b * 0.7, a), (b * 0.7, a), (b * 0.7, 100), (0, 100)],
        "plus": [(50 - b / 2, 0), (50 + b / 2, 0), (50 + b / 2, 50 - b / 2), (100, 50 - b / 2), (100, 50 + b / 2),
                 (50 + b / 2, 50 + b / 2), (50 + b / 2, 100), (50 - b / 2, 100), (50 - b / 2, 50 + b / 2), (0, 50 + b / 2),
                 (0, 50 - b / 2), (50 - b / 2, 50 - b / 2)],
        "stairs": [(0, 0), (100, 0), (100, 25), (75, 25), (75, 50), (50, 50), (50, 75), (25, 75), (25, 100), (0, 100)],
    }[shape]
    return flat([points], 100).rotate((0, 0, dice.one(0, 90, 180, 270)))


def _arch(dice: Dice) -> Manifold:
    """A block with an arched way through it."""
    r = dice(26, 38)
    solid = box(100, 100, 100) - disc(r, 300, z=-150, sides=40).rotate((90, 0, 0)).translate((0, 0, r * 0.9)) - box(
        2 * r, 300, r * 0.9 * 2, z=-r * 0.9)
    return solid.rotate((0, 0, dice.one(0, 90)))


def _shell(dice: Dice, size: Size) -> Manifold:
    """A hollow body of this size: a tube, an open box, a bowl, a pipe that lies."""
    w, d, h = size
    t = max(_WALL, 0.1 * min(w, d))
    style = dice.one("tube", "cup", "tray", "bowl", "pipe")
    if style == "tray":
        return _fitted(box(w, d, h), size) - box(w - 2 * t, d - 2 * t, h * 2, z=-h / 2 + t)
    if style == "bowl":
        outer, inner = (Manifold.sphere(1, 40).scale(((w / 2 - q), (d / 2 - q), h - q)) for q in (0.0, t))
        return (outer - inner).trim_by_plane((0, 0, -1), 0).translate((0, 0, h / 2))
    if style == "pipe":
        t = max(_WALL, 0.12 * min(w, h))
        outer = Manifold.cylinder(d, 1, 1, 40, True).scale((w / 2, h / 2, 1)).rotate((90, 0, 0))
        return outer - Manifold.cylinder(2 * d, 1, 1, 40, True).scale((w / 2 - t, h / 2 - t, 1)).rotate((90, 0, 0))
    sides = dice.one(40, 40, 6, 8)
    outer = Manifold.cylinder(h, 1, 1, sides, True).scale((w / 2, d / 2, 1))
    inner = Manifold.cylinder(2 * h, 1, 1, sides, True).scale((w / 2 - t, d / 2 - t, 1))
    return outer - (inner if style == "tube" else inner.translate((0, 0, h / 2 + t)))


def _body(dice: Dice, size: Size, plain: bool = False) -> Manifold:
    """One simple body of this size around the origin."""
    kinds: dict[str, float] = {"box": 3, "cylinder": 2.2, "prism": 1.2, "ellipsoid": 0.9, "soft": 0.8}
    if not plain:
        kinds |= {"cone": 1, "pyramid": 0.7, "lying": 1.2, "wedge": 1, "ring": 0.6, "shell": 0.9, "turned": 0.9,
                  "profile": 0.8, "arch": 0.4, "dome": 0.7, "frustum": 0.7}
    kind = dice.weighted(kinds)
    if kind == "shell":
        return _shell(dice, size)
    makers: dict[str, Callable[[], Manifold]] = {
        "box": lambda: box(1e2, 1e2, 1e2),
        "cylinder": lambda: disc(50, 100, sides=40),
        "prism": lambda: prism(dice.whole(3, 8), 50, 100).rotate((0, 0, dice.one(0, 0, 180))),
        "ellipsoid": lambda: egg(100, 100, 100, sides=36),
        "soft": lambda: soft(*size, r=dice(4, 10)),
        "cone": lambda: disc(50, 100, r_top=0.1, sides=40),
        "pyramid": lambda: prism(dice.one(3, 4, 4, 6), 50, 100, r_top=0.1),
        "frustum": lambda: prism(dice.one(4, 6, 8, 40), 50, 100, r_top=dice(18, 40)).rotate((dice.one(0, 180), 0, 0)),
        "lying": lambda: disc(50, 100, sides=40).rotate(dice.one((90, 0, 0), (0, 90, 0))),
        "wedge": lambda: _wedge(dice),
        "ring": lambda: torus(50, dice(11, 20)).rotate(dice.one((0, 0, 0), (90, 0, 0), (0, 90, 0))),
        "turned": lambda: _profile(dice),
        "profile": lambda: _letter_l(dice),
        "arch": lambda: _arch(dice),
        "dome": lambda: egg(100, 100, 100, sides=36).trim_by_plane((0, 0, 1), 0),
    }
    return _fitted(makers[kind](), size)


def _holding(whole: Manifold, part: Manifold, way: tuple[float, float, float], reach: float) -> Manifold | None:
    """The part moved against `way` until it is well joined with the whole; None where it never is."""
    way_ = np.array(way)
    for sink in (0.03, 0.12, 0.25, 0.4, 0.6, 0.85):
        moved = part.translate(tuple(-way_ * sink * reach))
        shared = (whole ^ moved).volume()
        if shared > 0.02 * min(part.volume(), whole.volume()):
            return moved if shared < 0.75 * part.volume() else None
    return None


def _grown(dice: Dice, whole: Manifold, size: Size, place: str) -> Manifold:
    """The whole with one more body: on top, at a side, or through it; repeated by symmetry at times."""
    box_ = np.array(whole.bounding_box())
    low, high = box_[:3], box_[3:]
    middle, half = (low + high) / 2, (high - low) / 2
    body = _body(dice, size)
    reach = np.array(size) / 2
    if place == "through":
        at = middle + half * [dice(-0.5, 0.5), dice(-0.5, 0.5), dice(-0.3, 0.5)]
        part = body.translate(tuple(at))
        shared = (whole ^ part).volume()
        return whole + part if 0.05 * part.volume() < shared < 0.8 * part.volume() else whole
    axis = 2 if place == "top" else dice.whole(0, 1)
    sign = 1.0 if place == "top" else dice.one(-1.0, 1.0)
    slack = half - reach
    others = [k for k in range(3) if k != axis]
    at = middle.copy()
    for k in others:
        flush = -slack[k] if k == 2 else dice.one(-1, 1) * slack[k]
        at[k] += dice.one(0.0, 0.0, flush, dice(-0.7, 0.7) * max(slack[k], 0)) if k != 2 else dice.one(flush, flush, 0.0)
    way = np.zeros(3)
    way[axis] = sign
    at[axis] = (high if sign > 0 else low)[axis] + sign * reach[axis]
    part = _holding(whole, body.translate(tuple(at)), tuple(way), 2 * reach[axis])
    if part is None:
        return whole
    off = np.abs(at - middle) > 0.2 * half
    if place == "top":
        if off[0] and off[1] and dice.yes(0.7):
            part = join(part, part.mirror((1, 0, 0)).translate((2 * middle[0], 0, 0)))
            part = join(part, part.mirror((0, 1, 0)).translate((0, 2 * middle[1], 0)))
        elif off[0] and dice.yes(0.6):
            part = join(part, part.mirror((1, 0, 0)).translate((2 * middle[0], 0, 0)))
    elif dice.yes(0.5):
        part = join(part, part.mirror(tuple(way)).translate(tuple(2 * middle * way)))
    grown = whole + part
    return grown if len(grown.decompose()) == 1 else whole


def _cut(dice: Dice, whole: Manifold) -> Manifold:
    """The whole with a hole through it, a notch at an edge, a slot, or a pocket; as it was where that would break it."""
    box_ = np.array(whole.bounding_box())
    middle, size = (box_[:3] + box_[3:]) / 2, box_[3:] - box_[:3]
    style = dice.weighted({"hole": 3.0, "notch": 1.5, "slot": 1.0, "pocket": 1.2, "corner": 0.8})
    axis = dice.whole(0, 2)
    turn = {0: (0, 90, 0), 1: (90, 0, 0), 2: (0, 0, 0)}[axis]
    narrow = float(min(np.delete(size, axis)))
    far = 3 * float(size.max())
    if style == "hole":
        tool = prism(dice.one(40, 40, 40, 4, 6), narrow * dice(0.14, 0.3), far, z=-far / 2).rotate(turn)
        spread = np.delete(np.arange(3), axis)
        at = middle.copy()
        if dice.yes(0.3):
            at[spread[0]] += size[spread[0]] * dice.one(-1, 1) * dice(0.15, 0.28)
        tool = tool.translate(tuple(at))
    elif style == "notch":
        deep = size[2] * dice(0.2, 0.5)
        wide = size[axis % 2] * dice(0.22, 0.45)
        tool = box(wide if axis % 2 == 0 else far, far if axis % 2 == 0 else wide, far, middle[0], middle[1], box_[5] - deep)
    elif style == "slot":
        tool = soft(narrow * dice(0.16, 0.26), narrow * dice(0.5, 0.7), far, z=-far / 2, r=narrow * 0.07).rotate(
            turn).translate(tuple(middle))
    elif style == "pocket":
        sides = dice.one(4, 4, 40)
        tool = prism(sides, 1, size[2], r_top=None).scale((size[0] * dice(0.25, 0.38), size[1] * dice(0.25, 0.38), 1))
        tool = tool.translate((middle[0], middle[1], box_[5] - size[2] * dice(0.25, 0.7)))
    else:
        share = np.array([dice(0.3, 0.5), dice(0.3, 0.5), dice(0.3, 0.6)]) * size
        x, y = (middle[k] + dice.one(-1, 1) * size[k] / 2 for k in (0, 1))
        tool = box(2 * share[0], 2 * share[1], 2 * share[2], x, y, box_[5] - share[2])
    result = whole - tool
    left = result.volume() / whole.volume()
    return result if 0.4 < left < 0.985 and len(result.decompose()) == 1 else whole


def _size(dice: Dice, low: float, high: float) -> Size:
    """Three extents; often two of them alike, sometimes one of them small (a plate) or large (a bar)."""
    w = dice(low, high)
    d = dice.one(w, w * dice(0.5, 1), dice(low, high))
    h = dice.one(w, w * dice(0.2, 0.6), dice(low, high), dice(low, high) * 1.3)
    return w, d, max(h, 0.2 * w, 10.0)


def _free(dice: Dice) -> Parts:
    """Any bodies, each joined to what is there already."""
    whole = _body(dice, _size(dice, 50, 100))
    wanted = dice.whole(1, 5)
    for _ in range(4 * wanted):
        place = dice.weighted({"top": 3.0, "side": 2.5, "through": 1.2})
        grown = _grown(dice, whole, _size(dice, 20, 60), place)
        wanted -= grown is not whole
        whole = grown
        if not wanted:
            break
    for _ in range(dice.weighted({0: 3.0, 1: 2.5, 2: 1.0})):
        whole = _cut(dice, whole)
    return [_turned(dice, whole)]


def _turned(dice: Dice, whole: Manifold) -> Manifold:
    return whole.rotate((0, 0, dice.one(0, 0, 0, 0, 30, 45, dice(0, 360))))


def _stacked(dice: Dice) -> Parts:
    """Bodies over one another on one axis, mostly smaller towards the top."""
    w, z = dice(60, 90), 0.0
    parts: Parts = []
    ratio = dice.one(1.0, dice(0.7, 1))
    for _ in range(dice.whole(2, 5)):
        h = dice(14, 50)
        parts.append(_body(dice, (w, w * ratio, h), plain=dice.yes(0.5)).translate((0, 0, z + h / 2)))
        z, w = z + h * 0.93, w * dice(0.5, 1.05)
    whole = parts[0]
    for part in parts[1:]:
        held = _holding(whole, part, (0, 0, 1), 30)
        whole = whole + held if held is not None else whole
    return [_cut(dice, whole) if dice.yes(0.4) else whole]


def _carved(dice: Dice) -> Parts:
    """One block with several cuts, such as a part of a machine."""
    whole = _body(dice, _size(dice, 60, 100), plain=True)
    wanted = dice.whole(2, 4)
    for _ in range(3 * wanted):
        cut = _cut(dice, whole)
        wanted -= cut is not whole
        whole = cut
        if not wanted:
            break
    if wanted or dice.yes(0.4):
        whole = _grown(dice, whole, _size(dice, 18, 45), dice.one("top", "side"))
    return [_turned(dice, whole)]


def _around(dice: Dice) -> Parts:
    """A body in the middle and copies of another around it: a hub with arms, a tower with wings."""
    r, h = dice(18, 34), dice(20, 80)
    count = dice.one(2, 3, 4, 4, 6)
    hub = _body(dice, (2 * r, 2 * r, h), plain=True)
    long, wide = dice(30, 60), min(dice(14, 30), 2.6 * r / count + 6)
    tall = dice(10, max(h, 11))
    arm = _body(dice, (long, wide, tall)).translate((r * 0.8 + long / 2, 0, dice.one(-1, 0) * (h - tall) / 2))
    whole = hub + arm
    if len(whole.decompose()) > 1 or (hub ^ arm).volume() < 0.01 * arm.volume():
        arm = box(long, wide, tall, r * 0.6 + long / 2, 0, -h / 2)
    whole = join(hub, ring(count, arm, 0))
    if dice.yes(0.5):
        whole = _grown(dice, whole, (1.4 * r, 1.4 * r, dice(12, 50)), "top")
    return [_cut(dice, whole) if dice.yes(0.3) else whole]


def _plate(dice: Dice) -> Parts:
    """A plate with upright bodies on it, often the same one at each corner or in a row, like a model of a place."""
    w, d, t = dice(80, 100), dice(50, 100), dice(7, 14)
    whole = dice.one(box(w, d, t, z=-t), disc(50, t, z=-t, sides=48).scale((w / 100, d / 100, 1)), prism(6, w / 2, t, z=-t))
    for _ in range(dice.whole(2, 5)):
        size = (dice(14, 34), dice(14, 34), dice(14, 60))
        part = _body(dice, size)
        x, y = dice(-0.26, 0.26) * w, dice(-0.26, 0.26) * d
        held = _holding(whole, part.translate((x, y, size[2] / 2)), (0, 0, 1), size[2])
        if held is None:
            continue
        copies = dice.one("one", "one", "pair", "four")
        whole = join(whole, held)
        if copies != "one":
            whole = join(whole, held.mirror((1, 0, 0)))
        if copies == "four":
            whole = join(whole, held.mirror((0, 1, 0)), held.mirror((1, 0, 0)).mirror((0, 1, 0)))
    return [_cut(dice, whole) if dice.yes(0.25) else whole]


def _frame(dice: Dice) -> Parts:
    """Bars between points, with bodies at the joints: a gate, a table of sorts, a molecule, a cage."""
    w, d, h, r = dice(40, 90), dice(30, 80), dice(40, 90), dice(4, 9)
    style = dice.one("gate", "stand", "cage", "cross")
    bar: Callable[[Size], Manifold] = (lambda s: _fitted(disc(50, 100, sides=24), s)) if dice.yes() else (
        lambda s: box(*s, z=-s[2] / 2))
    posts = [(x, y) for x in (-w / 2, w / 2) for y in ((-d / 2, d / 2) if style in ("stand", "cage") else (0.0,))]
    whole = join(bar((2 * r, 2 * r, h)).translate((x, y, h / 2)) for x, y in posts)
    if style == "cross":
        whole = join(bar((2 * r, 2 * r, h)).translate((0, 0, h / 2)), box(w, 2 * r, 2 * r, z=h * dice(0.4, 0.75)))
        end = _body(dice, (4 * r, 4 * r, 4 * r), plain=True)
        z = whole.bounding_box()[5]
        return [join(whole, end.translate((0, 0, z)), stack([([(p * 3 * r, q * 3 * r) for p, q in (
            (-1, -1), (1, -1), (1, 1), (-1, 1))], k * 8.0) for k in range(2)]))]
    top = box(w + 2 * r, (d if len(posts) == 4 else 0) + 2 * r, 2 * r, z=h - 2 * r)
    if style == "cage":
        top = join(box(w, 2 * r, 2 * r, 0, y, z) for y in (-d / 2, d / 2) for z in (0, h - 2 * r)) + join(
            box(2 * r, d, 2 * r, x, 0, z) for x in (-w / 2, w / 2) for z in (0, h - 2 * r))
        return [whole + top]
    whole = whole + top
    for _ in range(dice.whole(1, 3)):
        whole = _grown(dice, whole, _size(dice, 18, 45), "top")
    return [whole]


CONSTRUCTIONS: Styles = {_free: 4, _stacked: 1.6, _carved: 1.6, _around: 1.2, _plate: 1.2, _frame: 0.8}
