"""Tents: ridge tents, tipis, domes, the circus. All hollow, open in front (+y)."""

import numpy as np
from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, both, disc, rod
from maquette.datasets.solids.houses import opening, recess
from maquette.datasets.solids.parts import Styles, flat, prism, upright


def _ridge_tent(dice: Dice) -> Parts:
    """A tent of two slopes, open in front, the flaps turned back, sometimes with poles and ropes."""
    w, d, h = dice(56, 80), dice(70, 100), dice(44, 60)
    t = 4.0
    outer = [(-w / 2, 0), (w / 2, 0), (0, h)]
    inner = [(-w / 2 + t * 1.4, t * 0.8), (w / 2 - t * 1.4, t * 0.8), (0, h - t * 1.35)]
    body = flat([outer], d) - flat([inner], d - 2 * t)
    gap = w * dice(0.16, 0.3)
    body -= flat([[(-gap, t * 0.8), (gap, t * 0.8), (0, h * 0.84)]], 4 * t, d / 2)
    parts = [body]
    if dice.yes(0.6):
        parts += [rod((0, y, 0), (0, y, h + 6), 1.4) for y in (d / 2, -d / 2)]
    if dice.yes(0.5):
        flap = Manifold.hull_points(
            np.array(
                [(gap, d / 2 + q, z) for q in (-3, 0) for z in (0, 1)]
                + [(gap + 10, d / 2 + 10 + q, 1 + z) for q in (-3, 0) for z in (0, 1)]
                + [(1, d / 2 + q, h * 0.84) for q in (-3, 0)]
            )
        )
        parts += both(flap)
    return parts


def _tipi(dice: Dice) -> Parts:
    """A tall cone of cloth over poles that cross above; an opening in front."""
    r, h, sides = dice(34, 44), dice(78, 90), dice.one(8, 10, 12, 32)
    top = dice(4, 6)
    cone = prism(sides, r, h, r_top=top) - prism(sides, r - 4.5, h - 8, z=3, r_top=max(top - 3.5, 0.5))
    gap = r * dice(0.3, 0.42)
    door = [(-gap, 3), (gap, 3), (0, h * dice(0.45, 0.6))]
    cone -= flat([door], r, r / 2 + 4)
    turns = [k * 360 / 5 + 18 for k in range(5)]
    poles = [rod((-6, 0, h + 12), (5, 0, h - 12), 1.4).rotate((0, 0, turn)) for turn in turns]
    return [cone, *poles]


def _dome_tent(dice: Dice) -> Parts:
    """A low round tent with an arched opening and two poles that cross over it; or a round circus tent."""
    if dice.yes(0.35):
        r, wall, h = dice(42, 50), dice(20, 28), dice(34, 46)
        body = prism(12, r, wall) + prism(12, r + 4, h, z=wall - 0.5, r_top=3)
        body -= prism(12, r - 5, wall - 3, z=3)
        door = flat([[(-9, 3), (9, 3), (5, wall * 0.85), (-5, wall * 0.85)]], 20, r)
        z = wall + h
        flag = rod((0, 0, z - 4), (0, 0, z + 16), 1.4) + flat([[(0, z + 6), (0, z + 15), (14, z + 10)]], 2.4)
        return [body - door, flag]
    r, h = dice(40, 50), dice(36, 46)
    ball = Manifold.sphere(1, 40)
    shell = ball.scale((r, r, h)) - ball.scale((r - 3.5, r - 3.5, h - 3.5))
    shell = shell.trim_by_plane((0, 0, 1), 0) + disc(r, 3, sides=40)
    shell -= recess(opening(r * 0.8, h * 0.72, 0, 3, "arch"), r, depth=r * 0.6)
    bow = upright(
        disc(1, 3.4, z=-1.7, sides=40).scale((r + 1, h + 1.2, 1)) - disc(1, 9, z=-4, sides=40).scale((r - 2, h - 2, 1))
    ).trim_by_plane((0, 0, 1), 0)
    return [shell, bow.rotate((0, 0, 45)), bow.rotate((0, 0, -45))]


TENTS: Styles = {_ridge_tent: 2, _tipi: 1, _dome_tent: 1}
