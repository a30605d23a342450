"""Bodies that flow into one another: signed distances under a smooth minimum, meshed once.

A `Blob` is an ellipsoid, a `Limb` a round bar that tapers. Lengths as in `parts`: a whole object is about 100 long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from manifold3d import Manifold, Mesh

from maquette.datasets.furniture.parts import Point
from maquette.errors import UserError
from maquette.extras import require

_FAR = 1e3


@dataclass(frozen=True)
class Blob:
    """An ellipsoid around a centre."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    tip_deg: float = 0
    """Turned about the x axis; the front (+y) goes up."""
    turn_deg: float = 0
    """Then turned about the y axis; the right (+x) goes down."""

    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners of a box that holds it."""
        centre = np.asarray(self.centre)
        size = np.asarray(self.radii) if not (self.tip_deg or self.turn_deg) else np.full(3, max(self.radii))
        return centre - size, centre + size

    def distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """About the signed distance from each point to the surface; below zero inside."""
        x, y, z = (v - np.float32(c) for v, c in zip((x, y, z), self.centre, strict=True))
        if self.turn_deg:
            c, s = np.float32(np.cos(np.radians(self.turn_deg))), np.float32(np.sin(np.radians(self.turn_deg)))
            x, z = c * x - s * z, s * x + c * z
        if self.tip_deg:
            c, s = np.float32(np.cos(np.radians(self.tip_deg))), np.float32(np.sin(np.radians(self.tip_deg)))
            y, z = c * y + s * z, c * z - s * y
        a, b, c = (np.float32(r) for r in self.radii)
        near = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
        slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2 + (z / c**2) ** 2)
        return near * (near - 1) / np.maximum(slope, np.float32(1e-4))

    def mirrored(self) -> "Blob":
        """Its mirror image in x."""
        x, y, z = self.centre
        return replace(self, centre=(-x, y, z), turn_deg=-self.turn_deg)


@dataclass(frozen=True)
class Limb:
    """A bar with round ends from `start` to `end`."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    r: float
    r_end: float

    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners of a box that holds it."""
        ends = np.array([self.start, self.end], float)
        r = max(self.r, self.r_end)
        return ends.min(0) - r, ends.max(0) + r

    def distance(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """About the signed distance from each point to the surface; below zero inside."""
        a = np.asarray(self.start, np.float32)
        along = np.asarray(self.end, np.float32) - a
        x, y, z = x - a[0], y - a[1], z - a[2]
        t = np.clip((x * along[0] + y * along[1] + z * along[2]) / max(float(along @ along), 1e-6), 0, 1)
        away = np.sqrt((x - t * along[0]) ** 2 + (y - t * along[1]) ** 2 + (z - t * along[2]) ** 2)
        return away - (np.float32(self.r) + t * np.float32(self.r_end - self.r))

    def mirrored(self) -> "Limb":
        """Its mirror image in x."""
        (a, b, c), (p, q, s) = self.start, self.end
        return replace(self, start=(-a, b, c), end=(-p, q, s))


@dataclass(frozen=True)
class Strand:
    """Limbs end to end; between them nothing is filled, so that it is no thicker at its joints."""

    limbs: tuple[Limb, ...]

    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners of a box that holds it."""
        corners = [limb.reach() for limb in self.limbs]
        return np.min([low for low, _ in corners], axis=0), np.max([high for _, high in corners], axis=0)

    def mirrored(self) -> "Strand":
        """Its mirror image in x."""
        return Strand(tuple(limb.mirrored() for limb in self.limbs))


Part = Blob | Limb | Strand
Flesh = list[Part]
"""What a body is blended from."""


def twins(*parts: Part) -> Flesh:
    """Parts and their mirror images in x.

    Args:
        *parts: what to double.

    Returns:
        All of them.
    """
    return [*parts, *(part.mirrored() for part in parts)]


def chain(points: Sequence[Point], radii: Sequence[float]) -> Flesh:
    """Limbs end to end along a line of points.

    Args:
        points: the line, two points at least.
        radii: the radius at each point.

    Returns:
        One strand of limbs.
    """
    spots = [(float(x), float(y), float(z)) for x, y, z in points]
    limbs = [Limb(spots[i], spots[i + 1], float(radii[i]), float(radii[i + 1])) for i in range(len(spots) - 1)]
    return [Strand(tuple(limbs))]


def blend(parts: Flesh, soft: float = 4, cells: int = 72) -> Manifold:
    """One body of all the parts, the seams between them filled round.

    Args:
        parts: blobs and limbs; the order matters little.
        soft: how wide a seam is filled; near 0 leaves it sharp.
        cells: cells along the longest side; fewer is faster.

    Returns:
        The body, or bodies where parts stand apart; no crumbs, no voids.

    Raises:
        UserError: where nothing closed comes of it.
    """
    corners = [part.reach() for part in parts]
    low, high = np.min([a for a, _ in corners], axis=0), np.max([b for _, b in corners], axis=0)
    step = float((high - low).max()) / cells
    low, high = low - soft / 3 - 1.6 * step, high + soft / 3 + 1.6 * step
    axes = [
        (a + step * np.arange(int(np.ceil((b - a) / step)) + 1)).astype(np.float32)
        for a, b in zip(low, high, strict=True)
    ]
    field = np.full([len(axis) for axis in axes], _FAR, np.float32)
    for part, (a, b) in zip(parts, corners, strict=True):
        window, points = _window(axes, a - soft - step, b + soft + step)
        old = field[window]
        new = _strand(part, points, old.shape, soft + step) if isinstance(part, Strand) else part.distance(*points)
        mix = np.maximum(soft - np.abs(new - old), 0)
        field[window] = np.minimum(new, old) - mix * mix / np.float32(4 * soft)
    field[np.abs(field) < 1e-3 * step] = 1e-3 * step
    return _meshed(field, low, step)


def _strand(part: Strand, points: list[np.ndarray], shape: tuple[int, ...], around: float) -> np.ndarray:
    """The distance to the nearest limb of a strand; far from all of them a large number."""
    field = np.full(shape, _FAR, np.float32)
    for limb in part.limbs:
        low, high = limb.reach()
        window, near = _window([p.ravel() for p in points], low - around, high + around)
        field[window] = np.minimum(field[window], limb.distance(*near))
    return field


def surface(value: Callable[..., np.ndarray], half: Point, cells: int = 64) -> Manifold:
    """The body where a function of x, y and z is below zero.

    Args:
        value: takes three arrays that broadcast.
        half: half the extents of a box around the origin that holds the body.
        cells: cells along the box's longest side.

    Returns:
        The body, or bodies.

    Raises:
        UserError: where nothing closed comes of it.
    """
    step = 2 * max(half) / cells
    low = -np.asarray(half, float) - 2 * step
    axes = [np.arange(a, -a + step, step) for a in low]
    x, y, z = axes[0].reshape(-1, 1, 1), axes[1].reshape(1, -1, 1), axes[2].reshape(1, 1, -1)
    field = value(x, y, z)
    slope = np.sqrt(sum(g**2 for g in np.gradient(field, step)))
    return _meshed((field / np.maximum(slope, 1e-9)).clip(-4 * step, 4 * step).astype(np.float32), low, step)


def _window(axes: list[np.ndarray], low: np.ndarray, high: np.ndarray) -> tuple[tuple[slice, ...], list[np.ndarray]]:
    """The part of the grid in a box, and its coordinates, ready to broadcast."""
    spans = [slice(*np.searchsorted(axis, (a, b))) for axis, a, b in zip(axes, low, high, strict=True)]
    shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
    return tuple(spans), [axis[span].reshape(shape) for axis, span, shape in zip(axes, spans, shapes, strict=True)]


def _meshed(field: np.ndarray, low: np.ndarray, step: float) -> Manifold:
    points, faces, _, _ = require("skimage.measure", "train").marching_cubes(field, 0.0, allow_degenerate=False)
    points = (points * step + low).astype(np.float32)
    solid = Manifold(Mesh(vert_properties=points, tri_verts=faces.astype(np.uint32)))
    if solid.volume() < 0:
        solid = Manifold(Mesh(vert_properties=points, tri_verts=faces[:, ::-1].astype(np.uint32)))
    if solid.is_empty():
        raise UserError("blobs and limbs must make a closed body", str(solid.status()))
    bodies = [body for body in solid.decompose() if body.volume() > 1e-4 * solid.volume()]
    return Manifold.compose(bodies).simplify(0.16 * step)
