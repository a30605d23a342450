"""How much the surface of a mesh bends."""

import numpy as np
import trimesh


def edge_angle_deg(mesh: trimesh.Trimesh) -> float:
    """Mean angle between the normals of faces that share an edge, weighted by the edge's length, in degrees; 0: flat.

    It falls as the same surface is cut into smaller faces: compare meshes of one resolution, or take `mean_curvature`.
    nan where no two faces share an edge.
    """
    angles, lengths = _edges(mesh)
    return float(np.degrees(angles @ lengths / lengths.sum())) if lengths.sum() > 0 else float("nan")


def mean_curvature(mesh: trimesh.Trimesh) -> float:
    """The sum of edge length times angle between the normals over it, over the area: how much the surface bends, by
    1 / length.

    It is the mean of |k1 + k2| over a surface that is convex (Steiner's formula): 2 / r for a sphere, whatever the size
    of its faces, and pi / side for a cube; roughness adds to it. nan for a mesh without an area.
    """
    angles, lengths = _edges(mesh)
    return float(angles @ lengths / mesh.area) if mesh.area > 0 else float("nan")


def _edges(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    """The angle between the faces of each edge that joins two, in radians, and its length, [E] each."""
    ends = mesh.vertices[mesh.face_adjacency_edges]
    return np.asarray(mesh.face_adjacency_angles), np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
