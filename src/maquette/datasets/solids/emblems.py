"""Signs, stars, hearts, crowns, rings, dice and cog wheels."""

import numpy as np
from manifold3d import CrossSection, Manifold

from maquette.datasets.furniture.parts import (
    Dice,
    Parts,
    arc,
    ball,
    box,
    disc,
    join,
    lathe,
    ring,
    rod,
    soft,
)
from maquette.datasets.solids.blend import surface
from maquette.datasets.solids.letters import section
from maquette.datasets.solids.parts import Styles, board, egg, flat, heart_line, prism, standing, torus, upright


def _sign(dice: Dice) -> Parts:
    """A road sign on a post: round, three, four or eight-sided, an arrow, a notice, with a rim or a mark on it."""
    style = dice.one("round", "triangle", "octagon", "square", "arrow", "notice", "two arrows", "diamond")
    r, t, post = dice(17, 24), dice(3, 5), dice(1.6, 2.6)
    z = 100 - r
    parts: Parts = [
        rod((0, -t / 2 - post * 0.4, 0), (0, -t / 2 - post * 0.4, 97 if "arrow" in style else z), post, sides=16)
    ]
    if dice.yes(0.7):
        parts.append(dice.one(disc(dice(9, 14), 3.4), box(24, 24, 3.4)).translate((0, -t / 2, -1)))
    angles = {"triangle": (3, 90 + dice.one(0, 180)), "octagon": (8, 22.5), "square": (4, 45), "diamond": (4, 0)}
    if style == "round" or style in angles:
        sides, start = angles.get(style, (40, 0))
        out = [(r * np.cos(a), z + r * np.sin(a)) for a in np.radians(start + 360 * np.arange(sides) / sides)]
        plate = board(out, t, r=1.5)
        inner = [(x * 0.78, z + (q - z) * 0.78) for x, q in out]
        plate -= board(inner, 3, t / 2 + 0.4)
        mark = dice.one("bar", "letter", "none", "exclamation")
        centre = z + (0 if style != "triangle" else (-0.12 if start == 90 else 0.12) * r)
        if mark == "bar":
            plate += box(r * 0.9, t, r * 0.24, 0, 0, centre - r * 0.12)
        elif mark == "letter":
            scale = r * 0.11
            shape = section(dice.one(*"PHSABE5379"), 1.2).scale((scale, scale)).mirror((1, 0))
            x0, z0, x1, z1 = shape.bounds()
            plate += standing(shape.translate((-(x0 + x1) / 2, centre - (z0 + z1) / 2)), t)
        elif mark == "exclamation":
            plate += box(r * 0.17, t, r * 0.5, 0, 0, centre - r * 0.12) + box(
                r * 0.17, t, r * 0.16, 0, 0, centre - r * 0.38
            )
        return [*parts, plate]
    if style == "notice":
        w, h = dice(50, 70), dice(30, 42)
        plate = board([(-w / 2, 98 - h), (w / 2, 98 - h), (w / 2, 98), (-w / 2, 98)], t, r=dice(0.5, 4))
        rows = dice.whole(2, 3)
        plate += join(
            box(w * dice(0.5, 0.75), t, h * 0.12, 0, 2, 98 - h * (k + 0.6) / rows - h * 0.06) for k in range(rows)
        )
        posts = [rod((x, -t / 2 - 1, 0), (x, -t / 2 - 1, 96), 2, sides=12) for x in (-w * 0.32, w * 0.32)]
        return [plate, *posts]
    way = dice.one(-1, 1)
    for k in range(1 if style == "arrow" else 2):
        w, h = dice(46, 62), dice(13, 18)
        top = 94 - k * 24
        way = -way
        shape = [(-w * 0.42, top - h), (w * 0.38, top - h), (w * 0.58, top - h / 2), (w * 0.38, top), (-w * 0.42, top)]
        if dice.yes(0.3):
            shape.append((-w * 0.32, top - h / 2))
        parts.append(board([(way * x, q) for x, q in shape], t))
    return parts


def _star(dice: Dice) -> Parts:
    """A star of four to eight points: flat, pillowed to ridges, or on a stand."""
    count = dice.weighted({5: 5.0, 6: 1.5, 4: 1.0, 8: 1.0})
    inner = {4: dice(0.3, 0.45), 5: dice(0.38, 0.5), 6: dice(0.5, 0.6), 8: dice(0.5, 0.68)}[count]
    angles = np.radians(90 + np.arange(2 * count) * 180 / count)
    reach = np.where(np.arange(2 * count) % 2 == 0, 50, 50 * inner)
    points = [(float(r * np.cos(a)), float(r * np.sin(a))) for r, a in zip(reach, angles, strict=True)]
    depth = dice(10, 24)
    if dice.yes(0.45):
        front = [(x, 1.2, z) for x, z in points]
        tops = [
            Manifold.hull_points(
                np.array(
                    [
                        (0, depth / 2, 0),
                        (0, -depth / 2, 0),
                        *[(p[0], s * 1.2, p[2]) for p in (front[i - 1], front[i]) for s in (-1, 1)],
                    ]
                )
            )
            for i in range(len(front))
        ]
        star = join(tops)
    else:
        star = board(points, depth, r=dice.one(0, 0, 2))
    if dice.yes(0.2):
        low = -50 * (0.81 if count == 5 else 0.9)
        return [star, rod((0, 0, -20), (0, 0, low - 16), 3.5, sides=16), disc(22, 6, z=low - 20)]
    return [star.rotate((-90, 0, 0)) if dice.yes(0.12) else star]


def _heart(dice: Dice) -> Parts:
    """A heart: flat, or round like a cushion, sometimes with a hole or on a stand."""
    line = np.array(heart_line(100)) * (dice(0.88, 1.08), dice(0.9, 1.1))
    depth = dice(14, 32)
    if dice.yes(0.5):
        wide, deep, tall = dice(36, 41), dice(22, 40), dice(36, 41)

        def value(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
            x, y, z = x / wide, y / deep, z / tall
            ball = x**2 + 1.6 * y**2 + z**2 - 1
            return ball**3 - x**2 * z**3 - 0.1 * y**2 * z**3

        heart = surface(value, (wide * 1.25, deep * 1.05, tall * 1.35))
        return [heart]
    heart = standing(CrossSection([line]), depth)
    if dice.yes(0.3):
        heart -= standing(CrossSection([line]).offset(-dice(10, 14), circular_segments=24), 3 * depth)
    elif dice.yes(0.25):
        heart -= standing(CrossSection([line]).offset(-6, circular_segments=24), 8, depth / 2)
    if dice.yes(0.2):
        heart += box(60, max(depth * 1.4, 26), 8, z=line[:, 1].min() - 5)
    return [heart.rotate((-90, 0, 0)) if dice.yes(0.12) else heart]


def _finger_ring(dice: Dice) -> Parts:
    """A finger ring that stands: a band with a cut stone in its setting, a signet, or a plain band."""
    r, bar = 36.0, dice(3.4, 6)
    style = dice.weighted({"stone": 3.0, "signet": 1.0, "pearl": 0.8, "band": 0.8})
    if style == "band":
        w = dice(14, 34)
        out = [(r, -w / 2), (r + bar, -w * 0.42), (r + bar, w * 0.42), (r, w / 2)]
        return [upright(lathe(out, 48)) if dice.yes(0.6) else lathe(out, 48)]
    band = upright(torus(r + bar, bar, sides=48).scale((1, 1, dice(0.8, 1.5))))
    top = r + bar
    if style == "pearl":
        return [band, ball(dice(9, 14), z=top + 8, steps=4)]
    if style == "signet":
        return [band, prism(dice.one(4, 8, 32), dice(15, 20), 9, z=top - 1).scale((1, 0.8, 1))]
    g = dice(13, 21)
    sides = dice.one(6, 8, 8, 10)
    low = top + 2
    stone = prism(sides, 1.0, g * 0.75, z=low, r_top=g) + prism(
        sides, g, g * 0.34, z=low + g * 0.75 - 0.02, r_top=g * 0.62
    )
    claws = ring(4, rod((2, 0, top - bar * 0.6), (g * 0.92, 0, low + g * 0.85), 1.8, sides=8), 45)
    return [band, stone, *claws]


def _die(dice: Dice) -> Parts:
    """A playing die with one to six pips, sunk in."""
    s, r = 100.0, dice(3, 16)
    cube = soft(s, s, s, z=-s / 2, r=r, steps=3)
    if dice.yes(0.35):
        cube ^= Manifold.sphere(s * dice(0.7, 0.76), 48)
    dot = dice(8, 10.5)
    q = s * dice(0.22, 0.27)
    spots = {
        1: [(0, 0)],
        2: [(-1, -1), (1, 1)],
        3: [(-1, -1), (0, 0), (1, 1)],
        4: [(a, b) for a in (-1, 1) for b in (-1, 1)],
        6: [(a, b) for a in (-1, 1) for b in (-1, 0, 1)],
    }
    spots[5] = [*spots[4], (0, 0)]
    pip = Manifold.sphere(dot, 20).scale((1, 1, 0.8))
    turns = {1: (0, 0, 0), 6: (180, 0, 0), 2: (90, 0, 0), 5: (-90, 0, 0), 3: (0, 90, 0), 4: (0, -90, 0)}
    pips = [pip.translate((a * q, b * q, s / 2)).rotate(turns[n]) for n, places in spots.items() for a, b in places]
    turn = dice.one((0, 0, 0), (90, 0, 0), (0, 90, 0), (90, 90, 0), (180, 0, 90), (-90, 0, 0))
    die = (cube - join(pips)).rotate(turn)
    return [die.rotate((0, 0, dice(0, 90)))]


def _gear(dice: Dice) -> Parts:
    """A cog wheel with a hole, spokes or round cut-outs, and sometimes a hub; standing or lying."""
    teeth, depth = dice.whole(8, 18), dice(10, 26)
    tall = dice(0.12, 0.18) * 50
    root = 50 - tall
    outline = []
    for k in range(teeth):
        for r, a in ((root, -0.32), (50, -0.17), (50, 0.17), (root, 0.32)):
            angle = 2 * np.pi * (k + a) / teeth
            outline.append((r * np.cos(angle), r * np.sin(angle)))
    wheel = CrossSection([np.array(outline)])
    bore = dice(5, 10)
    style = dice.one("plain", "holes", "spokes", "dish")
    hub = bore + dice(5, 8)
    if style == "holes":
        count = dice.whole(4, 6)
        middle = (root + hub) / 2
        size = min((root - hub) * 0.34, middle * np.pi / count * 0.62)
        for k in range(count):
            wheel -= CrossSection.circle(size, 24).translate((middle, 0)).rotate(360 * k / count + 90)
    elif style == "spokes":
        count = dice.whole(4, 6)
        gap = CrossSection.circle(root - 7, 60) - CrossSection.circle(hub, 40)
        for k in range(count):
            gap -= CrossSection.square((2 * root, 7), True).translate((root, 0)).rotate(360 * k / count + 90)
        wheel -= gap
    solid = Manifold.extrude(wheel, depth)
    if style == "dish":
        pan = disc(root - 7, depth, z=depth * 0.66, sides=48) + disc(root - 7, depth, z=-depth * 0.66, sides=48)
        solid -= pan - disc(hub, 3 * depth, z=-depth)
    if dice.yes(0.5):
        solid += disc(hub, depth * 1.5, z=-depth * 0.25, sides=32)
    solid -= disc(bore, 4 * depth, z=-depth, sides=32)
    if dice.yes(0.3):
        solid -= box(bore * 0.6, bore * 0.8, 4 * depth, 0, bore, -depth)
    return [solid if dice.yes(0.3) else upright(solid)]


def _crown(dice: Dice) -> Parts:
    """A king's crown: a band with points that spread, balls or stones on them."""
    count, h = dice.one(5, 6, 8, 8, 10), dice(46, 66)
    r, spread = 40.0, dice(1.05, 1.25)
    shell = disc(r, h, r_top=r * spread, sides=64) - disc(r - 3.6, h + 4, z=-2, r_top=r * spread - 3.2, sides=64)
    low, half = h * dice(0.4, 0.55), np.pi * r * spread / count
    style = dice.one("point", "point", "wave")
    if style == "point":
        notch = [(-half, h + 9), (half, h + 9), (half * 0.9, h), (0, low), (-half * 0.9, h)]
    else:
        notch = [(-half * 0.75, h + 9), (half * 0.75, h + 9), *arc(0, low + half * 0.75, half * 0.75, 0, -180, 11)]
    gaps = join(flat([notch], 60, 52).rotate((0, 0, 360 * k / count)) for k in range(count))
    parts: Parts = [shell - gaps, lathe([(r - 3.6, 0), (r + 2.6, 0), (r + 2.9, 7), (r - 2.8, 7)], 64)]
    tip = r * spread - 2
    if dice.yes(0.7) or style == "wave":
        parts += ring(count, ball(4.2, tip, 0, h), 90 + 180 / count)
    if dice.yes(0.4):
        parts += ring(count, egg(4, 7, 9, r + 1, 0, low * 0.55 + 3), 90 + 180 / count)
    return parts


SIGNS: Styles = {_sign: 1}

STARS: Styles = {_star: 1}

HEARTS: Styles = {_heart: 1}

RINGS: Styles = {_finger_ring: 1}

DICE: Styles = {_die: 1}

GEARS: Styles = {_gear: 1}

CROWNS: Styles = {_crown: 1}
