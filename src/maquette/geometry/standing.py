"""Whether an object stands on the floor, which way it falls, and feet that are made level."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Float, Float64, Int
from scipy.spatial import ConvexHull, QhullError

from maquette.geometry.mesh import is_closed

TOUCHES = 0.004
"""Share of the height up to which what is above the floor counts as standing on it."""
UNEVEN = 0.05
"""Share of the height by which feet may differ and still be meant to be level."""
LEG = 0.12
"""Share of the height, from the floor, in which feet are looked for."""
SURE = 0.02
"""Share of the object's width by which its centre of mass must lie inside its feet."""
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


def standing(mesh: trimesh.Trimesh) -> Standing:
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


def level_feet(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The mesh cut flat at the height where all of its feet are, if these differ by little; otherwise as it is.

    Up to a twentieth of the height is cut away where it stands then: a rounded bottom becomes flat.

    Args:
        mesh: Closed, z up, in any unit.
    """
    points = np.asarray(mesh.vertices, np.float64)
    low, height = float(points[:, 2].min()), float(np.ptp(points[:, 2]))
    if not height > 0 or not is_closed(mesh):
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


def _foot_bottoms(mesh: trimesh.Trimesh, top: float) -> Float64[np.ndarray, " feet"]:
    """The lowest point of each part of the mesh that hangs below a height."""
    z = np.asarray(mesh.vertices)[:, 2]
    below = z < top
    edges = np.asarray(mesh.edges_unique)
    edges = edges[below[edges].all(1)]
    labels = trimesh.graph.connected_component_labels(edges, node_count=len(z))[below]
    bottoms = np.full(labels.max(initial=-1) + 1, np.inf)
    np.minimum.at(bottoms, labels, z[below])
    return bottoms[np.isfinite(bottoms)]


def _cutter(mesh: trimesh.Trimesh) -> Callable[[float], trimesh.Trimesh]:
    """A function that gives the part of a closed mesh above a height, closed by a flat face; the mesh if that fails."""
    from manifold3d import Manifold, Mesh64

    solid = Manifold(Mesh64(np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.uint64)))
    least = 0.8 * solid.volume()

    def cut(height: float) -> trimesh.Trimesh:
        above = solid.trim_by_plane((0.0, 0.0, 1.0), height)
        if above.is_empty() or above.volume() < least:
            return mesh
        raw = above.to_mesh64()
        points = np.asarray(raw.vert_properties)[:, :3]
        return trimesh.Trimesh(points, np.asarray(raw.tri_verts, np.int64), process=False)

    return cut


def _centre_of_mass(points: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float64[np.ndarray, "3"]:
    """Of the solid within a closed mesh: the mean of the tetrahedra from the middle to each face, by their volumes."""
    middle = points.mean(0)
    corners = points[faces] - middle
    volumes = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    total = float(volumes.sum())
    return middle + (volumes[:, None] * corners.sum(1)).sum(0) / (4 * total) if total else middle


def _inside(ground: Float[np.ndarray, "n 2"], point: Float[np.ndarray, "2"]) -> float:
    """How far inside the convex hull of the ground points a point lies; below 0 outside."""
    try:
        hull = ConvexHull(ground)
    except (QhullError, ValueError):  # an edge or a point
        return -float(np.linalg.norm(ground - point, axis=1).min()) if len(ground) else -1.0
    return -float((hull.equations[:, :2] @ point + hull.equations[:, 2]).max())
