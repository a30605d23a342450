"""How much the surface of a mesh bends."""

import numpy as np
import trimesh
from jaxtyping import Float


def edge_angle_deg(mesh: trimesh.Trimesh) -> float:
    """Mean angle between the normals of faces that share an edge, weighted by the edge's length, in degrees.

    0 is flat. The angle falls when the same surface has smaller faces: compare meshes with one resolution, or use
    `mean_curvature`. nan when no two faces share an edge.
    """
    angles, lengths = _edges(mesh)
    return float(np.degrees(angles @ lengths / lengths.sum())) if lengths.sum() > 0 else float("nan")


def mean_curvature(mesh: trimesh.Trimesh) -> float:
    """The mean of |k1 + k2|, the sum of the principal curvatures, over a convex surface, by Steiner's formula.

    It is the sum over the edges of length times angle between the normals, divided by the area. It is 2 / r for a
    sphere, whatever the size of its faces, and pi / side for a cube; roughness adds to it.

    Returns:
        The curvature, in 1 / length; nan for a mesh without an area.
    """
    angles, lengths = _edges(mesh)
    return float(angles @ lengths / mesh.area) if mesh.area > 0 else float("nan")


def _edges(mesh: trimesh.Trimesh) -> tuple[Float[np.ndarray, " e"], Float[np.ndarray, " e"]]:
    """For each edge that joins two faces, the angle between their normals in radians, and its length."""
    ends = mesh.vertices[mesh.face_adjacency_edges]
    return np.asarray(mesh.face_adjacency_angles), np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
