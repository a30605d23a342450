"""Churches and chapels, their doors at the front (+y)."""

from manifold3d import Manifold

from maquette.datasets.furniture.parts import Dice, Parts, both, box, disc, spaced
from maquette.datasets.solids.houses import gable, hip, opening, recess
from maquette.datasets.solids.parts import Styles, prism


def _cross_of(x: float, y: float, z: float, size: float) -> Manifold:
    bar = max(2.2, size * 0.2)
    return box(bar, bar, size, x, y, z) + box(size * 0.66, bar, bar, x, y, z + size * 0.56)


def _church(dice: Dice) -> Parts:
    """A nave under a steep roof, a tower with a spire in front, pointed windows along the sides, a cross."""
    w, d, h = dice(26, 34), dice(54, 80), dice(24, 32)
    rise = w * dice(0.5, 0.8)
    nave = box(w, d, h)
    count = dice.whole(3, 4)
    for turn in (90, -90):
        for y in spaced(-d * 0.32, d * 0.34, count):
            nave -= recess(opening(6, h * 0.56, y, h * 0.24, "arch"), w / 2, turn)
    parts = [nave, gable(w + 6, d + 2, rise, h - 1)]
    s, tall = w * dice(0.5, 0.68), (h + rise) * dice(1.0, 1.3)
    y = d / 2 + s / 2 - 3
    tower = box(s, s, tall, 0, y)
    tower -= recess(opening(s * 0.42, h * 0.5, 0, 1, "arch"), y + s / 2)
    if dice.yes(0.6):
        tower -= recess(opening(0, s * 0.36, 0, h * 0.86, "round"), y + s / 2)
    for turn in (0, 90, -90):
        cut = recess(opening(s * 0.36, s * 0.6, 0, tall - s * 0.85, "arch"), s / 2, turn).translate((0, y, 0))
        tower -= cut
    spire = dice(0.9, 2.4) * s
    style = dice.one("four", "eight", "hip", "cone")
    if style == "cone":
        roof = disc(s * 0.62, spire, z=tall, r_top=0.1)
    elif style == "eight":
        roof = prism(8, s * 0.6, spire, z=tall, r_top=0.2)
    else:
        roof = hip(s + 4, s + 4, spire, tall - 0.5, 0)
    parts += [tower, roof.translate((0, y, 0)), _cross_of(0, y, tall + spire - 4, dice(10, 14))]
    if dice.yes(0.4):
        parts += [disc(w * 0.42, h * 0.85, 0, -d / 2), disc(w * 0.47, w * 0.4, 0, -d / 2, h * 0.84, r_top=0.1)]
    if dice.yes(0.3):
        parts += [
            box(w * 2, w * 0.8, h, 0, -d * 0.12),
            gable(w * 2 + 2, w * 0.8 + 5, rise, h - 1, False).translate((0, -d * 0.12, 0)),
        ]
    return parts


def _chapel(dice: Dice) -> Parts:
    """A small church whose bell hangs in a little turret on the ridge; or two towers in front."""
    w, d, h = dice(38, 50), dice(56, 76), dice(26, 34)
    rise = w * dice(0.5, 0.75)
    nave = box(w, d, h)
    nave -= recess(opening(w * 0.26, h * 0.7, 0, 1, "arch"), d / 2)
    for turn in (90, -90):
        for y in spaced(-d * 0.32, d * 0.32, 3):
            nave -= recess(opening(7, h * 0.56, y, h * 0.24, "arch"), w / 2, turn)
    roof = gable(w + 5, d + 4, rise, h - 1) - recess(opening(0, w * 0.2, 0, h + rise * 0.2, "round"), d / 2 + 2)
    parts = [nave, roof]
    if dice.yes(0.55):
        s, y, z = dice(11, 14), d / 2 - 8, h + rise * 0.7
        turret = box(s, s, rise * 0.3 + 20, 0, y, z)
        turret -= box(s * 0.5, s * 3, 10, 0, y, z + rise * 0.3 + 6) + box(s * 3, s * 0.5, 10, 0, y, z + rise * 0.3 + 6)
        top = z + rise * 0.3 + 19
        parts += [turret, hip(s + 4, s + 4, s * dice(0.9, 1.6), top, 0).translate((0, y, 0))]
        parts.append(_cross_of(0, y, top + s * 0.8, 14))
        return parts
    tall, s = (h + rise) * dice(0.95, 1.2), w * 0.34
    y = d / 2 - s / 2 + 4
    tower = box(s, s, tall, w / 2, y)
    for turn in (0, -90):
        tower -= recess(opening(5, 13, 0, tall - 19, "arch"), s / 2, turn).translate((w / 2, y, 0))
    spire = hip(s + 3, s + 3, s * dice(1.2, 2.2), tall - 0.5, 0).translate((w / 2, y, 0))
    return [*parts, *both([tower, spire]), _cross_of(0, d / 2, h + rise - 3, 13)]


CHURCHES: Styles = {_church: 2.5, _chapel: 1}
