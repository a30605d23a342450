"""Points on the surface of a mesh."""

import numpy as np
import trimesh
from jaxtyping import Float64


def surface_points(mesh: trimesh.Trimesh, count: int = 2048, seed: int = 0) -> Float64[np.ndarray, "{count} 3"]:
    """Random points on a mesh's surface, uniform by area; the same seed gives the same points."""
    points, _ = trimesh.sample.sample_surface(mesh, count, seed=seed)
    return np.asarray(points, dtype=np.float64)
