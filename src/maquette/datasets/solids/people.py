"""People and robots: standing, waving, walking and sitting figures, peg dolls, block figures, gingerbread men."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, arc, ball, both, box, curve, disc, join, lathe, rod, soft
from maquette.datasets.solids.animals import eyes
from maquette.datasets.solids.blend import Blob, Flesh, Limb, blend, chain, twins
from maquette.datasets.solids.parts import Styles, board, egg

Spot = tuple[float, float, float]


def _arm(dice: Dice, side: int, x: float, z: float, pose: str) -> Flesh:
    """An arm from the shoulder at x and z, and its hand."""
    reach: dict[str, tuple[Spot, Spot]] = {
        "down": ((x + 3, -1, z - 14), (x + 4, 3, z - 28)),
        "up": ((x + 9, 1, z + 9), (x + 8, 2, z + 25)),
        "out": ((x + 13, 0, z), (x + 27, 1, z + 1)),
        "hip": ((x + 11, -4, z - 12), (x + 1, 4, z - 23)),
        "front": ((x + 2, 8, z - 10), (x, 22, z - 9)),
    }
    elbow, hand = reach[pose]
    flesh = [*chain([(x, 0, z), elbow, hand], [3.4, 2.8, 2.2]), Blob(hand, (3, 3, 3.2))]
    return flesh if side > 0 else [part.mirrored() for part in flesh]


def _person(dice: Dice) -> Parts:
    """A figure that stands, walks or waves; trousers or a skirt; a cap, hair or a hat."""
    leg, wide = dice(40, 46), dice(8.5, 12)
    hip, chest = leg + 3, leg + dice(24, 28)
    big = dice(7.2, 9.8)
    head = Blob((0, 1, chest + 9 + big), (big * 0.9, big, big * 1.08))
    flesh: Flesh = [
        head,
        Limb((0, 0, chest + 2), (0, 0.5, chest + 9), 3.2, 3),
        Limb((0, 0, hip), (0, 0.4, chest - 2), wide * 0.66, wide * 0.58),
    ]
    flesh += twins(Limb((wide * 0.25, 0, hip + 3), (wide * 0.6, 0, chest - 1), wide * 0.52, 5))
    pose = dice.one("both down", "wave", "out", "hips", "cheer", "walk", "give")
    left, right = {
        "both down": ("down", "down"),
        "wave": ("down", "up"),
        "out": ("out", "out"),
        "hips": ("hip", "hip"),
        "cheer": ("up", "up"),
        "walk": ("down", "down"),
        "give": ("front", "front"),
    }[pose]
    flesh += _arm(dice, -1, wide * 0.9, chest, left) + _arm(dice, 1, wide * 0.9, chest, right)
    stride, apart = (dice(9, 14), 4.6) if pose == "walk" else (0.0, dice(4.6, 9))
    for s in (-1, 1):
        y = s * stride
        flesh += chain(
            [(s * 4.2, 0, hip), (s * (apart + 4) / 2, y * 0.5 + 1, leg * 0.5), (s * apart, y, 4)], [5, 3.9, 3]
        )
        flesh.append(Blob((s * apart, y + 2.6, 2.6), (3.4, 6.2, 2.6)))
    parts: Parts = []
    if dice.yes(0.35) and pose != "walk":
        low = leg * dice(0.3, 0.6)
        hem = dice(12, 17)
        parts.append(lathe([(0, low), (hem, low), (wide * 0.7, hip + 5), (0, hip + 8)], 32))
    _, hy, hz = head.centre
    style = dice.one("none", "cap", "hat", "hair", "bun")
    if style == "hat":
        parts += [
            disc(big * 1.7, 2, 0, hy, hz + big * 0.45, sides=28),
            disc(big * 0.95, big * 0.9, 0, hy, hz + big * 0.45, big * 0.8, 28),
        ]
    elif style == "cap":
        dome = egg(big * 2.1, big * 2.3, big * 2, 0, hy, hz + big * 0.3, 28).trim_by_plane((0, 0, 1), hz + big * 0.4)
        parts += [dome, disc(big * 0.8, 2, 0, hy + big, hz + big * 0.35, sides=24)]
    elif style == "hair":
        parts.append(
            egg(big * 2.15, big * 2.15, big * 2.5, 0, hy - big * 0.25, hz + 0.5, 28)
            - box(40, 40, 40, 0, hy + 20 + big * 0.25, hz - 36 + big * 0.5)
        )
    elif style == "bun":
        parts.append(ball(big * 0.46, 0, hy - big * 0.5, hz + big * 1.15))
    parts += [egg(2.6, 3, 2.6, 0, hy + big, hz - 0.6, 12)] if dice.yes() else []
    return [blend(flesh, 2.4, 88), *parts]


def _sitter(dice: Dice) -> Parts:
    """A figure that sits on a block or stool, its hands on its knees."""
    seat, big, wide = dice(26, 30), dice(9, 11), dice(10, 13)
    chest = seat + 32
    head = Blob((0, 1, chest + 10 + big), (big * 0.92, big, big * 1.05))
    flesh: Flesh = [
        head,
        Limb((0, 0, chest), (0, 1, chest + 10), 3.8, 3.4),
        Limb((0, -2, seat + 6), (0, 0, chest - 4), wide * 0.75, wide * 0.85),
    ]
    flesh += twins(
        *chain([(5, 0, seat + 4), (6, 25, seat + 4), (6, 26, 5)], [6, 4.8, 3.6]),
        Blob((6, 30, 3), (3.8, 7.4, 3)),
        *chain([(wide * 0.95, 0, chest - 4), (wide + 4, 4, chest - 18), (7, 21, seat + 10)], [3.8, 3.2, 2.7]),
    )
    stool = box(30, 26, seat, 0, -3) if dice.yes() else disc(15, seat, 0, -3, sides=32)
    return [blend(flesh, 2.6, 80), stool, *(eyes(head, 24, 10, 1.3))]


def _peg(dice: Dice) -> Parts:
    """A peg doll, a pawn or a skittle: a turned body with a ball for a head, some with arms or a hat."""
    r, neck, big = dice(15, 22), dice(5, 9), dice(13, 17)
    line = curve([(r, 0), (r * 0.98, 6), (r * dice(0.55, 0.9), 34), (neck, 62), (neck, 66)], 5)
    body = lathe([(0, 0), *[(float(p), float(q)) for p, q in line], (0, 70)], 36)
    parts: Parts = [body, Manifold.sphere(big, 36).translate((0, 0, 66 + big * 0.85))]
    if dice.yes(0.5):
        parts.append(lathe([(0, 60), (neck + 7, 62), (neck + 7, 65), (0, 68)], 32))
    if dice.yes(0.4):
        parts += both(rod((neck, 0, 52), (r + 10, 4, 34), 3.6, 3) + ball(4, r + 10, 4, 34))
    if dice.yes(0.4):
        z = 66 + big * 1.45
        parts += [disc(big * 1.3, 2.6, z=z, sides=32), disc(big * 0.75, 10, z=z, sides=32)]
    elif dice.yes(0.6):
        parts += eyes(Blob((0, 0, 66 + big * 0.85), (big, big, big)), 24, 12, 1.9)
    return parts


def _block_figure(dice: Dice) -> Parts:
    """A toy figure of blocks: a square or round head, a trunk that narrows, arms at its sides, two block legs."""
    w, leg, trunk = dice(30, 38), dice(28, 34), dice(30, 36)
    legs = both(box(w * 0.46, 17, leg, w * 0.25) + box(w * 0.46, 23, 7, w * 0.25, 3))
    top, low = w * dice(0.32, 0.48), w * 0.5
    body = board([(-low, leg + 5), (low, leg + 5), (top, leg + 5 + trunk), (-top, leg + 5 + trunk)], 18)
    belt = box(w, 18, 7, z=leg - 1)
    z = leg + 5 + trunk
    head = disc(10, 19, z=z + 3, sides=32) + disc(5, 4, z=z + 21) if dice.yes() else soft(24, 22, 22, z=z + 2, r=2)
    parts: Parts = [*legs, body, belt, disc(5.4, 8, z=z - 2), head]
    lift = dice.one(0.0, 0.0, 35.0, 100.0)
    arm = (
        rod((0, 0, 0), (4, 0, -13), 4.6, 4.2, 14)
        + rod((4, 0, -13), (5, 7, -24), 4.2, 3.6, 14)
        + egg(8, 8, 8, 4, 0, -13)
        + ball(4.6, 5, 8, -26)
    )
    for s, turn in ((-1, 0.0), (1, lift)):
        one = (arm + ball(5, 0, 0, 0)).rotate((turn, 0, 0)).translate((top + 2.6, 0, z - 6))
        parts.append(one if s > 0 else one.mirror((1, 0, 0)))
    front = 9.6 if head.bounding_box()[4] < 10.5 else 11
    return [*parts, *both(ball(1.8, 4.4, front, z + 14)), box(8, 3, 2, 0, front, z + 7)]


def _gingerbread(dice: Dice) -> Parts:
    """A gingerbread man: flat, round limbs, buttons and a face that stand out."""
    t = dice(9, 14)
    reach, apart = dice(26, 32), dice(13, 18)
    flesh: Flesh = [Blob((0, 0, 82), (17, t, 17)), Limb((0, 0, 62), (0, 0, 40), 13, 14)]
    flesh += twins(Limb((7, 0, 58), (reach, 0, 62 + dice(-8, 8)), 8, 8), Limb((6, 0, 34), (apart, 0, 9), 9.5, 9))
    cookie = blend(flesh, 7, 72) ^ box(200, t, 200, z=-50)
    face = t / 2
    dots = [(0, 56), (0, 46), (0, 36), (-6, 86), (6, 86)]
    smile = [(float(x), face, float(z)) for x, z in arc(0, 82, 8, 205, 335, 7)]
    mouth = join(rod(a, b, 1.3) for a, b in zip(smile[:-1], smile[1:], strict=True))
    return [cookie, *(egg(5, 4, 5, x, face, z, 16) for x, z in dots), mouth]


def _robot(dice: Dice) -> Parts:
    """A robot: a box of a body and a head, round joints, arms with claws, an aerial, dials on its chest."""
    w, d, tall = dice(30, 40), dice(20, 28), dice(30, 38)
    base = dice.one("legs", "legs", "wheels", "cone")
    low = dice(24, 30) if base == "legs" else 16.0
    body = soft(w, d, tall, z=low, r=dice(0.6, 3)) - box(w * 0.7, 4, tall * 0.5, 0, d / 2, low + tall * 0.32)
    parts: Parts = [body]
    for k, x in enumerate((-w * 0.2, 0, w * 0.2)):
        parts.append(ball(2.2, x, d / 2 - 1.6, low + tall * (0.66 if k != 1 else 0.5)))
    z, hw, hh = low + tall, w * dice(0.55, 0.75), dice(16, 21)
    head = soft(hw, d * 0.85, hh, z=z + 5, r=1.5) if dice.yes(0.7) else disc(hw * 0.5, hh, z=z + 5, sides=28)
    face = d * 0.425 if head.num_tri() < 400 and head.bounding_box()[4] < hw * 0.5 else head.bounding_box()[4] - 1
    parts += [
        head,
        disc(4, 8, z=z - 1),
        *both(ball(3.2, hw * 0.22, face - 0.4, z + 5 + hh * 0.6)),
        box(hw * 0.5, 3, 2.4, 0, face - 0.6, z + 5 + hh * 0.2),
    ]
    top = z + 5 + hh
    parts += [rod((0, 0, top - 1), (0, 0, top + 7), 1.3), ball(2.8, 0, 0, top + 8)] if dice.yes(0.75) else []
    parts += (
        both(Manifold.cylinder(5, 3.4, 3.4, 16, True).rotate((0, 90, 0)).translate((hw * 0.5, 0, z + 5 + hh / 2)))
        if dice.yes()
        else []
    )
    for s, pose in zip((-1, 1), dice.one(("down", "down"), ("down", "up"), ("front", "front")), strict=True):
        x, sz = w / 2 + 4, z - 6
        elbow, hand = {
            "down": ((x + 2, 0, sz - 15), (x + 2, 6, sz - 27)),
            "up": ((x + 8, 2, sz + 3), (x + 9, 4, sz + 19)),
            "front": ((x, 6, sz - 10), (x - 1, 24, sz - 9)),
        }[pose]
        way = np.subtract(hand, elbow) / np.linalg.norm(np.subtract(hand, elbow))
        across = np.array([1.0, 0, 0])
        tip = np.asarray(hand) + 5 * way
        arm = [
            rod((w / 2 - 2, 0, sz), (x, 0, sz), 3.6, sides=16),
            ball(4, x, 0, sz),
            rod((x, 0, sz), elbow, 2.6, sides=14),
            ball(3.6, *elbow),
            rod(elbow, hand, 2.6, sides=14),
            ball(4, *hand),
            *(rod(np.asarray(hand) + 2.6 * q * across, tip + 4 * q * across, 1.5) for q in (-1, 1)),
        ]
        one = join(arm)
        parts.append(one if s > 0 else one.mirror((1, 0, 0)))
    if base == "legs":
        parts += both(
            [
                rod((w * 0.24, 0, low + 1), (w * 0.24, 0, 5), 3.6, sides=16),
                soft(w * 0.36, d * 0.95, 7, w * 0.25, 2, 0, r=1.5),
                ball(4.6, w * 0.24, 0, low * 0.5),
            ]
        )
    elif base == "wheels":
        tread = Manifold.hull_points(
            np.array(
                [
                    (x, y + 7 * np.cos(a), 8 + 8 * np.sin(a))
                    for x in (w * 0.32, w * 0.62)
                    for y in (-d * 0.5, d * 0.5)
                    for a in np.linspace(0, 2 * np.pi, 20)
                ]
            )
        )
        parts += both(tread) + [box(w * 0.7, d * 0.7, low, 0, 0, 5)]
    else:
        parts.append(disc(w * 0.6, low + 1, r_top=w * 0.34, sides=32))
    return parts


PEOPLE: Styles = {_person: 3, _sitter: 0.8, _peg: 1, _block_figure: 0.9, _gingerbread: 0.7}
ROBOTS: Styles = {_robot: 1}
