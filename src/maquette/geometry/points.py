"""Points on the surface of a mesh."""

import numpy as np
import trimesh


def surface_points(mesh: trimesh.Trimesh, count: int = 2048, seed: int = 0) -> np.ndarray:
    """Points drawn evenly over a mesh's surface, `[count, 3]`."""
    points, _ = trimesh.sample.sample_surface(mesh, count, seed=seed)
    return np.asarray(points, dtype=np.float64)
