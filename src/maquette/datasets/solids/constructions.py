"""Constructions: two to nine simple bodies put together at random, as one would sketch them to try a pencil.

Boxes, cylinders, cones, prisms, ellipsoids, rings, wedges, shells and turned profiles are stacked, set side by side,
run through one another, repeated by symmetry, and cut with holes, notches and slots.
"""

from collections.abc import Callable

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, box, disc, join, ring, soft, stack
from maquette.datasets.solids.bodies import Size, body, fitted
from maquette.datasets.solids.parts import Styles, prism


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
    grown_by = body(dice, size)
    reach = np.array(size) / 2
    if place == "through":
        at = middle + half * [dice(-0.5, 0.5), dice(-0.5, 0.5), dice(-0.3, 0.5)]
        part = grown_by.translate(tuple(at))
        shared = (whole ^ part).volume()
        return whole + part if 0.05 * part.volume() < shared < 0.8 * part.volume() else whole
    axis = 2 if place == "top" else dice.whole(0, 1)
    sign = 1.0 if place == "top" else dice.one(-1.0, 1.0)
    slack = half - reach
    others = [k for k in range(3) if k != axis]
    at = middle.copy()
    for k in others:
        flush = -slack[k] if k == 2 else dice.one(-1, 1) * slack[k]
        at[k] += (
            dice.one(0.0, 0.0, flush, dice(-0.7, 0.7) * max(slack[k], 0)) if k != 2 else dice.one(flush, flush, 0.0)
        )
    way = np.zeros(3)
    way[axis] = sign
    at[axis] = (high if sign > 0 else low)[axis] + sign * reach[axis]
    part = _holding(
        whole, grown_by.translate(tuple(at)), (float(way[0]), float(way[1]), float(way[2])), 2 * reach[axis]
    )
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
    """The whole with a hole through it, a notch at an edge, a slot, or a pocket; itself where that would break it."""
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
        tool = box(
            wide if axis % 2 == 0 else far, far if axis % 2 == 0 else wide, far, middle[0], middle[1], box_[5] - deep
        )
    elif style == "slot":
        tool = (
            soft(narrow * dice(0.16, 0.26), narrow * dice(0.5, 0.7), far, z=-far / 2, r=narrow * 0.07)
            .rotate(turn)
            .translate(tuple(middle))
        )
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
    whole = body(dice, _size(dice, 50, 100))
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
        parts.append(body(dice, (w, w * ratio, h), plain=dice.yes(0.5)).translate((0, 0, z + h / 2)))
        z, w = z + h * 0.93, w * dice(0.5, 1.05)
    whole = parts[0]
    for part in parts[1:]:
        held = _holding(whole, part, (0, 0, 1), 30)
        whole = whole + held if held is not None else whole
    return [_cut(dice, whole) if dice.yes(0.4) else whole]


def _carved(dice: Dice) -> Parts:
    """One block with several cuts, such as a part of a machine."""
    whole = body(dice, _size(dice, 60, 100), plain=True)
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
    hub = body(dice, (2 * r, 2 * r, h), plain=True)
    long, wide = dice(30, 60), min(dice(14, 30), 2.6 * r / count + 6)
    tall = dice(10, max(h, 11))
    arm = body(dice, (long, wide, tall)).translate((r * 0.8 + long / 2, 0, dice.one(-1, 0) * (h - tall) / 2))
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
    whole = dice.one(
        box(w, d, t, z=-t), disc(50, t, z=-t, sides=48).scale((w / 100, d / 100, 1)), prism(6, w / 2, t, z=-t)
    )
    for _ in range(dice.whole(2, 5)):
        size = (dice(14, 34), dice(14, 34), dice(14, 60))
        part = body(dice, size)
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
    bar: Callable[[Size], Manifold] = (
        (lambda s: fitted(disc(50, 100, sides=24), s)) if dice.yes() else (lambda s: box(*s, z=-s[2] / 2))
    )
    posts = [(x, y) for x in (-w / 2, w / 2) for y in ((-d / 2, d / 2) if style in ("stand", "cage") else (0.0,))]
    whole = join(bar((2 * r, 2 * r, h)).translate((x, y, h / 2)) for x, y in posts)
    if style == "cross":
        whole = join(bar((2 * r, 2 * r, h)).translate((0, 0, h / 2)), box(w, 2 * r, 2 * r, z=h * dice(0.4, 0.75)))
        end = body(dice, (4 * r, 4 * r, 4 * r), plain=True)
        z = whole.bounding_box()[5]
        return [
            join(
                whole,
                end.translate((0, 0, z)),
                stack(
                    [
                        ([(p * 3 * r, q * 3 * r) for p, q in ((-1, -1), (1, -1), (1, 1), (-1, 1))], k * 8.0)
                        for k in range(2)
                    ]
                ),
            )
        ]
    top = box(w + 2 * r, (d if len(posts) == 4 else 0) + 2 * r, 2 * r, z=h - 2 * r)
    if style == "cage":
        top = join(box(w, 2 * r, 2 * r, 0, y, z) for y in (-d / 2, d / 2) for z in (0, h - 2 * r)) + join(
            box(2 * r, d, 2 * r, x, 0, z) for x in (-w / 2, w / 2) for z in (0, h - 2 * r)
        )
        return [whole + top]
    whole = whole + top
    for _ in range(dice.whole(1, 3)):
        whole = _grown(dice, whole, _size(dice, 18, 45), "top")
    return [whole]


CONSTRUCTIONS: Styles = {_free: 4, _stacked: 1.6, _carved: 1.6, _around: 1.2, _plate: 1.2, _frame: 0.8}
