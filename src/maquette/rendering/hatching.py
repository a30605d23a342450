"""Hatching: parallel lines where the light is low, closer and crossed ones where it is lower still."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from maquette.errors import UserError
from maquette.geometry.strokes import Strokes
from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

LIGHT = (-0.55, -0.75, -0.45)
"""Direction of the light's source, on the picture's right, down and forward: upper left, before the object."""
AMBIENT = 0.12
"""Brightness where no light falls."""
MAX_TONES = 4
"""The most tones besides the paper's."""
_LAYERS = ((0.0, 0.0), (90.0, 0.0), (0.0, 0.5), (90.0, 0.5))  # turn in degrees, shift in spacings
_STEPS_PER_SPACE, _HALVINGS, _SKIN = 6, 12, 2e-4


def hatch(
    caster: RayCaster,
    camera: Camera,
    *,
    spacing_px: float,
    tones: int = 3,
    angle_deg: float = 45.0,
    shadows: bool = True,
    inset_px: float = 0.0,
) -> Strokes:
    """Hatching of a mesh, on a page with the size of the camera's picture, in pixels.

    The ends of the lines are found by bisection, to a thousandth of the spacing.

    Args:
        caster: Of the mesh.
        camera: Sees the mesh.
        spacing_px: Distance of the lines of one direction; the third and fourth tone halve it.
        tones: 1 to 4. The first tone is lines where it is dark, the second crosses them where it is darker, and the
            third and fourth add lines between those of the first and the second.
        angle_deg: Direction of the first lines, counter-clockwise from the horizontal.
        shadows: Hatch the shadows that the object casts on itself, too.
        inset_px: Cut from both ends of each line.

    Raises:
        UserError: For another number of tones, and for a spacing below a thousandth of the picture.
    """
    if tones not in range(1, MAX_TONES + 1):
        raise UserError(f"tones of hatching must be 1 to {MAX_TONES}", tones)
    if not (np.isfinite(spacing_px) and spacing_px >= camera.size_px / 1000):
        raise UserError("the spacing of hatching must be 0.1 % of the picture or more", f"{spacing_px:g} px")
    lines: list[np.ndarray] = []
    for number, (turn, shift) in enumerate(_LAYERS[:tones]):
        level = 0.62 * (1 - number / tones)

        def dark(points: Float[np.ndarray, "n 2"], level: float = level) -> Bool[np.ndarray, " n"]:
            return brightness(caster, camera, points, shadows) < level

        lines += _ruled(camera.size_px, spacing_px, angle_deg + turn, shift, inset_px, dark)
    size = float(camera.size_px)
    return Strokes(tuple(lines), size, size)


def brightness(
    caster: RayCaster, camera: Camera, points: Float[np.ndarray, "n 2"], shadows: bool = True
) -> Float[np.ndarray, " n"]:
    """Brightness of the object at points of the picture, 0 to 1; inf beside the object.

    Args:
        caster: Of the object.
        camera: Sees the object.
        points: Column and row, in pixels.
        shadows: Count the shadows that the object casts on itself.
    """
    u, v = ((points - np.array(camera.centre_px)) / camera.focal_px).T
    directions = u[:, None] * camera.axes[0] + v[:, None] * camera.axes[1] + camera.axes[2]
    directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    origins = np.broadcast_to(camera.position.astype(np.float32), directions.shape)
    distance, face, uv = caster.first(origins, directions)
    result = np.full(len(points), np.inf)
    hit = np.flatnonzero(face >= 0)
    if not len(hit):
        return result
    normal = caster.normals(face[hit], uv[hit], directions[hit])
    light = (np.array(LIGHT) @ camera.axes / np.linalg.norm(LIGHT)).astype(np.float32)
    lit = np.maximum(normal @ light, 0)
    if shadows:
        spot = origins[hit] + distance[hit, None] * directions[hit] + _SKIN * normal
        lit *= ~caster.blocked(spot, np.broadcast_to(light, spot.shape))
    result[hit] = AMBIENT + (1 - AMBIENT) * lit
    return result


def _ruled(
    size: float, spacing: float, angle_deg: float, shift: float, inset: float,
    inside: Callable[[np.ndarray], np.ndarray],
) -> list[Float[np.ndarray, "2 2"]]:
    """The parts of parallel lines over a square at whose points, `[N, 2]`, `inside` is true."""
    angle = np.radians(angle_deg)
    along, across = np.array([np.cos(angle), -np.sin(angle)]), np.array([np.sin(angle), np.cos(angle)])
    reach = size / np.sqrt(2)
    count = int(np.ceil(reach / spacing))
    offsets = (np.arange(-count, count + 1) + shift) * spacing
    step = spacing / _STEPS_PER_SPACE
    ways = np.arange(-reach, reach + step, step)
    points = size / 2 + offsets[:, None, None] * across + ways[None, :, None] * along
    on_page = ((points >= 0) & (points <= size)).all(axis=2)
    here = np.zeros(on_page.shape, bool)
    here[on_page] = inside(points[on_page])
    row, column = np.nonzero(here[:, 1:] != here[:, :-1])
    low, high = ways[column], ways[column + 1]
    begins = here[row, column + 1]  # the line begins between these two ways, else it ends there
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        at = size / 2 + offsets[row, None] * across + middle[:, None] * along
        there = inside(at) if len(at) else np.zeros(0, bool)
        early = there == begins
        low, high = np.where(early, low, middle), np.where(early, middle, high)
    edge = np.where(begins, high, low)  # the side on which the line is
    lines: list[np.ndarray] = []
    for number in np.unique(row):
        ends = edge[row == number]
        runs = ends[: len(ends) // 2 * 2].reshape(-1, 2) + (inset, -inset)
        for a, b in runs[runs[:, 1] - runs[:, 0] > 0.5 * spacing]:
            lines.append(size / 2 + offsets[number] * across + np.array([[a], [b]]) * along)
    return lines
