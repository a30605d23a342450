"""What furniture is built from: solid primitives in centimetres, and the dice that choose proportions.

Every primitive returns one `manifold3d.Manifold`. z is up and the object faces +y. `w`, `d` and `h` are the sizes along
x, y and z, `r` is a radius; `x, y, z` place the middle of the underside of a part. Each part is grown by GLUE on every
side, so that parts that touch overlap and join into one body.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float
from manifold3d import CrossSection, Manifold, OpType

GLUE = 0.03
"""Centimetres by which each part is grown on every side."""

Point: TypeAlias = Sequence[float] | Float[np.ndarray, " axes"]
"""Two or three coordinates in centimetres."""
Points: TypeAlias = Sequence[Point] | Float[np.ndarray, "n axes"]
"""The corners of a polygon or polyline."""
Parts: TypeAlias = list[Manifold]
"""The solids that an object is joined from."""
T = TypeVar("T")


class Dice:
    """The random choices of one object, from one seeded generator."""

    def __init__(self, seed: int):
        self._rng = np.random.default_rng(seed)

    def __call__(self, low: float, high: float) -> float:
        """A uniform number between low and high."""
        return float(self._rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self._rng.integers(low, high + 1))

    def yes(self, chance: float = 0.5) -> bool:
        """True with this chance."""
        return bool(self._rng.random() < chance)

    def one(self, *options: T) -> T:
        """One of the options, all equally likely."""
        return options[int(self._rng.integers(len(options)))]

    def weighted(self, options: dict[T, float]) -> T:
        """One of the keys, each with a chance proportional to its value."""
        share = np.cumsum(list(options.values()))
        return list(options)[int(np.searchsorted(share, self._rng.random() * share[-1], side="right"))]


# ---- joining -------------------------------------------------------------------------------------------------------


def join(*parts: Manifold | Iterable[Manifold]) -> Manifold:
    """The union of parts and of lists of parts."""
    flat: Parts = []
    for part in parts:
        flat += [part] if isinstance(part, Manifold) else list(part)
    return Manifold.batch_boolean(flat, OpType.Add)


def both(part: Manifold | Iterable[Manifold]) -> Parts:
    """A part and its mirror image in x."""
    solid = part if isinstance(part, Manifold) else join(part)
    return [solid, solid.mirror((1, 0, 0))]


def corners(w: float, d: float, build: Callable[[float, float], Manifold]) -> Parts:
    """What `build` makes at the four corners (x, y) of a rectangle w by d around the origin."""
    return [build(sx * w / 2, sy * d / 2) for sx in (-1, 1) for sy in (-1, 1)]


def ring(count: int, part: Manifold, start_deg: float = 90) -> Parts:
    """Copies of a part that points along +x, `count` of them turned evenly about z."""
    return [part.rotate((0, 0, start_deg + 360 * i / count)) for i in range(count)]


def spaced(low: float, high: float, count: int) -> list[float]:
    """Positions evenly between low and high, `count` of them, ends included; a single one is in the middle."""
    return [(low + high) / 2] if count == 1 else [float(v) for v in np.linspace(low, high, count)]


# ---- boxes ---------------------------------------------------------------------------------------------------------


def box(w: float, d: float, h: float, x: float = 0, y: float = 0, z: float = 0) -> Manifold:
    """A board or block, w along x, d along y, h along z."""
    g = 2 * GLUE
    return Manifold.cube((w + g, d + g, h + g), True).translate((x, y, z + h / 2))


def _ball(steps: int) -> Float[np.ndarray, "n 3"]:
    """Points on the unit sphere: rings of 4*steps points, and the poles."""
    around = np.arange(4 * steps) * np.pi / (2 * steps)
    rows = [
        np.c_[np.cos(a) * np.cos(around), np.cos(a) * np.sin(around), np.full(4 * steps, np.sin(a))]
        for a in np.arange(1 - steps, steps) * np.pi / (2 * steps)
    ]
    return np.vstack([*rows, [[0, 0, 1], [0, 0, -1]]])


_BALLS = {steps: _ball(steps) for steps in (1, 2, 3, 4)}


def soft(
    w: float, d: float, h: float, x: float = 0, y: float = 0, z: float = 0, r: float = 2, steps: int = 2
) -> Manifold:
    """A box with all edges rounded by r, or by less if r does not fit: cushions, mattresses, castings."""
    r = min(r, 0.499 * min(w, d, h))
    half = np.array([w, d, h]) / 2 + GLUE - r
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    points = (signs * half)[:, None] + r * _BALLS[steps][None]
    return Manifold.hull_points(points.reshape(-1, 3)).translate((x, y, z + h / 2))


def pillow(w: float, d: float, h: float, x: float = 0, y: float = 0, z: float = 0, plump: float = 0.5) -> Manifold:
    """A lying cushion that is thick in the middle and thin at its seam."""
    u = np.linspace(-1, 1, 7)
    gx, gy = np.meshgrid(u, u)
    rim = (1 - np.abs(gx) ** 3) * (1 - np.abs(gy) ** 3)
    gz = (1 - plump) + plump * np.sqrt(rim)
    top = np.c_[(gx * w / 2).ravel(), (gy * d / 2).ravel(), (gz * h / 2).ravel()]
    return Manifold.hull_points(np.vstack([top, top * (1, 1, -1)])).translate((x, y, z + h / 2))


def scatter_cushion(w: float, h: float, thick: float, back_deg: float, x: float, y: float, z: float) -> Manifold:
    """A square cushion that stands on an edge at (x, y, z) and leans back."""
    upright = pillow(w, h, thick, plump=0.65).translate((0, h / 2, 0)).rotate((90, 0, 0))
    return upright.rotate((back_deg, 0, 0)).translate((x, y, z))


# ---- bars and legs -------------------------------------------------------------------------------------------------


def _polygon(radius: float, sides: int) -> Float[np.ndarray, "{sides} 2"]:
    """The corners of a regular polygon; four sides make a square of half side `radius`, parallel to the axes."""
    angle = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    return radius / (np.cos(np.pi / 4) if sides == 4 else 1) * np.c_[np.cos(angle), np.sin(angle)]


def leg(top: Point, foot: Point, r_top: float, r_foot: float | None = None, sides: int = 8) -> Manifold:
    """A straight leg between two points, its ends cut level; with four sides it is square and r is half its side."""
    r_foot = r_top if r_foot is None else r_foot
    ends = [
        np.c_[_polygon(r + GLUE, sides), np.zeros(sides)] + p + np.array([0, 0, lift])
        for r, p, lift in ((r_top, top, GLUE), (r_foot, foot, -GLUE))
    ]
    return Manifold.hull_points(np.vstack(ends))


def rod(a: Point, b: Point, r: float, r_end: float | None = None, sides: int = 8) -> Manifold:
    """A straight bar from a to b, its ends cut at right angles to it."""
    start, end = np.asarray(a, float), np.asarray(b, float)
    axis = (end - start) / np.linalg.norm(end - start)
    u = np.cross(axis, (1.0, 0, 0) if abs(axis[0]) < 0.9 else (0, 1.0, 0))
    u /= np.linalg.norm(u)
    frame = np.stack([u, np.cross(axis, u)])
    ends = [
        _polygon(s + GLUE, sides) @ frame + p
        for s, p in ((r, start - GLUE * axis), (r if r_end is None else r_end, end + GLUE * axis))
    ]
    return Manifold.hull_points(np.vstack(ends))


def ball(r: float, x: float = 0, y: float = 0, z: float = 0, steps: int = 3) -> Manifold:
    """A sphere around (x, y, z)."""
    return Manifold.hull_points((r + GLUE) * _BALLS[steps] + (x, y, z))


def tube(points: Points, r: float, steps: int = 2) -> Manifold:
    """A round bar along a polyline, with round joints and ends."""
    spots = np.asarray(points, float)[:, None] + (r + GLUE) * _BALLS[steps]
    return join(Manifold.hull_points(np.vstack(pair)) for pair in zip(spots[:-1], spots[1:], strict=True))


def disc(
    r: float, h: float, x: float = 0, y: float = 0, z: float = 0, r_top: float | None = None, sides: int = 24
) -> Manifold:
    """An upright cylinder or cone."""
    top = r if r_top is None else r_top
    return Manifold.cylinder(h + 2 * GLUE, r + GLUE, top + GLUE, sides).translate((x, y, z - GLUE))


def wheel(r: float, width: float, x: float = 0, y: float = 0, z: float = 0, sides: int = 20) -> Manifold:
    """A disc that rolls along y, its centre at (x, y, z)."""
    return Manifold.cylinder(width, r, r, sides, True).rotate((0, 90, 0)).translate((x, y, z))


# ---- profiles ------------------------------------------------------------------------------------------------------


def arc(
    cx: float, cy: float, rx: float, start_deg: float, end_deg: float, count: int = 8, ry: float | None = None
) -> list[tuple[float, float]]:
    """Points of an arc of a circle or ellipse, ends included."""
    a = np.radians(np.linspace(start_deg, end_deg, count))
    return [
        (float(p), float(q))
        for p, q in zip(cx + rx * np.cos(a), cy + (rx if ry is None else ry) * np.sin(a), strict=True)
    ]


def curve(points: Points, count: int = 4) -> Float[np.ndarray, "n axes"]:
    """A smooth curve through the points (Catmull-Rom spline), `count` steps between each two."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    steps = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.vstack([*steps, p[-2:-1]])


def outline(points: Points, r: float = 0, grow: float = GLUE) -> CrossSection:
    """A filled polygon, its corners in either direction, its convex ones rounded by r; grown by `grow`."""
    p = np.asarray(points, float)
    area = np.sum(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1))
    flat = CrossSection([p if area > 0 else p[::-1]])
    return (
        flat.offset(-r, circular_segments=16).offset(r + grow, circular_segments=16)
        if r
        else flat.offset(grow, circular_segments=4)
    )


def rectangle(w: float, d: float, x: float = 0, y: float = 0) -> list[Point]:
    """The four corners of a rectangle around (x, y)."""
    return [(x - w / 2, y - d / 2), (x + w / 2, y - d / 2), (x + w / 2, y + d / 2), (x - w / 2, y + d / 2)]


def ellipse(w: float, d: float, x: float = 0, y: float = 0, count: int = 32, power: float = 2) -> list[Point]:
    """The corners of an ellipse w by d; a power above 2 makes a superellipse, which is squarer."""
    a = np.arange(count) * 2 * np.pi / count
    c, s = np.cos(a), np.sin(a)
    return [
        (float(p), float(q))
        for p, q in zip(
            x + w / 2 * np.sign(c) * np.abs(c) ** (2 / power),
            y + d / 2 * np.sign(s) * np.abs(s) ** (2 / power),
            strict=True,
        )
    ]


def slab(w: float, d: float, h: float, x: float = 0, y: float = 0, z: float = 0, r: float = 2) -> Manifold:
    """A board whose four upright edges are rounded by r."""
    flat = outline(rectangle(w, d, x, y), min(r, 0.49 * min(w, d)))
    return Manifold.extrude(flat, h + 2 * GLUE).translate((0, 0, z - GLUE))


def plan(points: Points, h: float, z: float = 0, r: float = 0) -> Manifold:
    """A polygon in (x, y), raised from z to z + h."""
    return Manifold.extrude(outline(points, r), h + 2 * GLUE).translate((0, 0, z - GLUE))


def side(points: Points, w: float, x: float = 0, r: float = 0) -> Manifold:
    """A polygon in (y, z), w thick along x, its middle at x."""
    return _along_x(outline(points, r), w, x)


def front(points: Points, d: float, y: float = 0, r: float = 0) -> Manifold:
    """A polygon in (x, z), d thick along y, its middle at y."""
    solid = Manifold.extrude(outline(points, r), d + 2 * GLUE).translate((0, 0, -d / 2 - GLUE))
    return solid.transform(((1, 0, 0, 0), (0, 0, -1, y), (0, 1, 0, 0)))


def _along_x(flat: CrossSection, w: float, x: float) -> Manifold:
    solid = Manifold.extrude(flat, w + 2 * GLUE).translate((0, 0, -w / 2 - GLUE))
    return solid.transform(((0, 0, 1, x), (1, 0, 0, 0), (0, 1, 0, 0)))


def strap(points: Points, thick: float, w: float, x: float = 0) -> Manifold:
    """A bent board: a polyline in (y, z), `thick` thick, w wide along x. Bent wood, shells, sling seats."""
    dots = [CrossSection.circle(thick / 2 + GLUE, 8).translate(tuple(map(float, p))) for p in points]
    links = [CrossSection.batch_hull(list(pair)) for pair in zip(dots[:-1], dots[1:], strict=True)]
    return _along_x(CrossSection.batch_boolean(links, OpType.Add), w, x)


def bow(points: Points, thick: float, h: float, z: float = 0) -> Manifold:
    """An upright bent board: a polyline in (x, y), `thick` thick, from z to z + h. Curved backs."""
    dots = [CrossSection.circle(thick / 2 + GLUE, 8).translate(tuple(map(float, p))) for p in points]
    links = [CrossSection.batch_hull(list(pair)) for pair in zip(dots[:-1], dots[1:], strict=True)]
    return Manifold.extrude(CrossSection.batch_boolean(links, OpType.Add), h + 2 * GLUE).translate((0, 0, z - GLUE))


def lathe(points: Points, sides: int = 24) -> Manifold:
    """A polygon in (radius, z), turned about the z axis."""
    return Manifold.revolve(outline(points, grow=0), sides)


def stack(rings: Sequence[tuple[Points, float]]) -> Manifold:
    """The body through level outlines (points, z) from low to high: the convex hull of each two that follow."""
    levels = [np.c_[np.asarray(p, float), np.full(len(p), z)] for p, z in rings]
    return join(Manifold.hull_points(np.vstack(pair)) for pair in zip(levels[:-1], levels[1:], strict=True))


def lean(part: Manifold | Iterable[Manifold], back_deg: float, y: float = 0, z: float = 0) -> Manifold:
    """A part tipped backwards (towards -y) about the x-line through (y, z)."""
    solid = part if isinstance(part, Manifold) else join(part)
    return solid.translate((0, -y, -z)).rotate((back_deg, 0, 0)).translate((0, y, z))
