"""Whether an object stands on the floor, which way it falls, and feet that are made level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.geometry.parts import connected
from maquette.geometry.plain import PlainMesh, like

if TYPE_CHECKING:
    from jaxtyping import Float, Float64, Int

    from maquette.geometry.plain import Mesh, SameKind

TOUCHES = 0.004
"""Share of the height up to which what is above the floor counts as standing on it."""
UNEVEN = 0.05
"""Share of the height by which feet may differ and still be meant to be level."""
LEG = 0.12
"""Share of the height, from the floor, in which feet are looked for."""
SURE = 0.02
"""Share of the object's width by which its centre of mass must lie inside its feet."""
_NO_AREA = 1e-9  # twice the area of a hull that is an edge, over the square of half its length, at most
_SIDES = ("right", "back right", "back", "back left", "left", "front left", "front", "front right")


@dataclass(frozen=True)
class Standing:
    """Whether a mesh stands.

    Attributes:
        stands: Whether the centre of mass lies over the feet, with a little to spare.
        margin: How far inside them it lies, as a share of the object's width; below 0 outside.
        falls: Which way it falls, for a person who looks at its front: `back left`; empty where it stands.
    """

    stands: bool
    margin: float
    falls: str = ""

    def line(self) -> str:
        """One line for the user; empty where it stands."""
        return "" if self.stands else f"falls to the {self.falls}: it needs a foot, or lies better than it stands"


def standing(mesh: Mesh) -> Standing:
    """Whether a mesh that rests on its lowest point stands there.

    Args:
        mesh: Closed, z up, facing +y, in any unit.
    """
    points = np.asarray(mesh.vertices, np.float64)
    low, high = points.min(0), points.max(0)
    ground = points[points[:, 2] <= low[2] + TOUCHES * (high[2] - low[2]), :2]
    centre = _centre_of_mass(points, np.asarray(mesh.faces))[:2]
    width = float((high - low)[:2].max()) or 1.0
    margin = _inside(ground, centre) / width
    if margin >= SURE:
        return Standing(True, margin)
    away = centre - ground.mean(0)
    if np.hypot(*away) < 1e-9 * width:
        away = np.array([0.0, 1.0])
    turn = np.degrees(np.arctan2(-away[1], -away[0])) % 360  # seen from the front, +x is on the left
    return Standing(False, margin, _SIDES[int(round(turn / 45)) % 8])


def level_feet(mesh: SameKind) -> SameKind:
    """The mesh cut flat at the height where all of its feet are, if these differ by little; otherwise as it is.

    Up to a twentieth of the height is cut away where it stands then: a rounded bottom becomes flat.

    Args:
        mesh: Closed, z up, in any unit.
    """
    points = np.asarray(mesh.vertices, np.float64)
    low, height = float(points[:, 2].min()), float(np.ptp(points[:, 2]))
    if not height > 0 or not PlainMesh.of(mesh).is_watertight:
        return mesh
    bottoms = _foot_bottoms(mesh, low + LEG * height)
    near = bottoms[bottoms <= low + UNEVEN * height]
    if not len(near):
        return mesh
    first = float(near.max()) + TOUCHES * height
    cut = _cutter(mesh)
    flat = cut(first)
    for more in (0.01, 0.02, 0.035, UNEVEN):  # a rounded bottom stands where enough of it is flat
        if standing(flat).stands or low + more * height <= first:
            continue
        deeper = cut(low + more * height)
        if standing(deeper).stands:
            return deeper
    return flat


def _foot_bottoms(mesh: Mesh, top: float) -> Float64[np.ndarray, " feet"]:
    """The lowest point of each part of the mesh that hangs below a height."""
    z = np.asarray(mesh.vertices)[:, 2]
    below = z < top
    number = np.cumsum(below) - 1
    sides = np.asarray(mesh.faces)[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    count, foot = connected(number[sides[below[sides].all(1)]], int(below.sum()))
    bottoms = np.full(count, np.inf)
    np.minimum.at(bottoms, foot, z[below])
    return bottoms


def _cutter(mesh: SameKind) -> Callable[[float], SameKind]:
    """A function that gives the part of a closed mesh above a height, closed by a flat face; the mesh if that fails."""
    from manifold3d import Manifold, Mesh64

    solid = Manifold(Mesh64(np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.uint64)))
    least = 0.8 * solid.volume()

    def cut(height: float) -> SameKind:
        above = solid.trim_by_plane((0.0, 0.0, 1.0), height)
        if above.is_empty() or above.volume() < least:
            return mesh
        raw = above.to_mesh64()
        points = np.asarray(raw.vert_properties)[:, :3]
        return like(mesh, points, np.asarray(raw.tri_verts, np.int64))

    return cut


def _centre_of_mass(points: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float64[np.ndarray, " 3"]:
    """Of the solid within a closed mesh: the mean of the tetrahedra from the middle to each face, by their volumes."""
    middle = points.mean(0)
    corners = points[faces] - middle
    volumes = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    total = float(volumes.sum())
    return middle + (volumes[:, None] * corners.sum(1)).sum(0) / (4 * total) if total else middle


def _inside(ground: Float[np.ndarray, "n 2"], point: Float[np.ndarray, " 2"]) -> float:
    """How far inside the convex hull of the ground points a point lies; below 0 outside."""
    if not len(ground):
        return -1.0
    around = ground - ground.mean(0)
    size = float(np.abs(around).max()) or 1.0
    hull = cv2.convexHull((around / size).astype(np.float32), returnPoints=False)[:, 0]
    corners = ground[hull]
    sides = np.roll(corners, -1, axis=0) - corners
    twice = float((corners[:, 0] * sides[:, 1] - corners[:, 1] * sides[:, 0]).sum())
    if abs(twice) < _NO_AREA * size * size:  # an edge or a point
        return -float(np.linalg.norm(ground - point, axis=1).min())
    away = point - corners
    across = sides[:, 0] * away[:, 1] - sides[:, 1] * away[:, 0]
    return float((np.sign(twice) * across / np.hypot(*sides.T)).min())
