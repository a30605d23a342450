"""Whether an object stands on the floor, which way it falls, and feet that are made level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from maquette.geometry.cutting import cut_above
from maquette.geometry.parts import connected
from maquette.geometry.plain import PlainMesh, like

if TYPE_CHECKING:
    from jaxtyping import Float, Float64

    from maquette.geometry.plain import Mesh, SameKind

TOUCHES = 0.004
"""Share of the height up to which what is above the floor counts as standing on it."""
UNEVEN = 0.05
"""Share of the height by which feet may differ and still be meant to be level."""
LEG = 0.12
"""Share of the height, from the floor, in which feet are looked for."""
SURE = 0.02
"""Share of the object's width by which its centre of mass must lie inside its feet."""
LEFT = 0.8
"""Share of the volume that must be left where feet are made level."""
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
    plain = PlainMesh.of(mesh)
    points, (low, high) = plain.vertices, plain.bounds
    ground = points[points[:, 2] <= low[2] + TOUCHES * (high[2] - low[2]), :2]
    centre = _centre_of_mass(plain)[:2]
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
    plain = PlainMesh.of(mesh)
    low, height = float(plain.bounds[0, 2]), float(plain.extents[2])
    if not height > 0 or not plain.is_watertight:
        return mesh
    bottoms = _foot_bottoms(plain, low + LEG * height)
    near = bottoms[bottoms <= low + UNEVEN * height]
    if not len(near):
        return mesh
    first = float(near.max()) + TOUCHES * height
    flat = _cut(plain, first)
    for more in (0.01, 0.02, 0.035, UNEVEN):  # a rounded bottom stands where enough of it is flat
        if standing(flat).stands or low + more * height <= first:
            continue
        deeper = _cut(plain, low + more * height)
        if standing(deeper).stands:
            flat = deeper
            break
    if flat is plain or not flat.is_watertight:
        return mesh
    made: Any = flat if isinstance(mesh, PlainMesh) else like(mesh, flat.vertices, flat.faces)
    return made


def _foot_bottoms(mesh: PlainMesh, top: float) -> Float64[np.ndarray, " feet"]:
    """The lowest point of each part of the mesh that hangs below a height."""
    z = mesh.vertices[:, 2]
    below = z < top
    number = np.cumsum(below) - 1
    sides = mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    count, foot = connected(number[sides[below[sides].all(1)]], int(below.sum()))
    bottoms = np.full(count, np.inf)
    np.minimum.at(bottoms, foot, z[below])
    return bottoms


def _cut(mesh: PlainMesh, height: float) -> PlainMesh:
    """The part of a closed mesh above a height, closed by a flat face; the mesh if too much would be gone."""
    above = cut_above(mesh, height)
    return above if len(above.faces) and above.volume >= LEFT * mesh.volume else mesh


def _centre_of_mass(mesh: PlainMesh) -> Float64[np.ndarray, " 3"]:
    """Of the solid within a closed mesh: the mean of the tetrahedra from the middle to each face, by their volumes."""
    middle = mesh.vertices.mean(0)
    total = mesh.volume
    if not total:
        return middle
    corners = mesh.triangles[:, 0] + mesh.triangles[:, 1] + mesh.triangles[:, 2]
    return middle + mesh.face_volumes @ (corners - 3 * middle) / (4 * total)


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
