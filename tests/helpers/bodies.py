"""Bodies for tests."""

import numpy as np
import trimesh


def ell() -> trimesh.Trimesh:
    """An L lying down, with a post: no two of its sides look alike."""
    parts = [trimesh.creation.box((1.0, 0.3, 0.25)), trimesh.creation.box((0.3, 0.6, 0.25)),
             trimesh.creation.box((0.15, 0.15, 0.7))]
    parts[1].apply_translation((0.35, 0.3, 0))
    parts[2].apply_translation((-0.4, 0, 0.35))
    mesh = trimesh.boolean.union(parts, engine="manifold")
    mesh.apply_translation(-mesh.bounds.mean(0))
    return mesh


def placed(scale: float = 1.0, turn_deg: float = 0.0, shift=(0.0, 0.0, 0.0)) -> trimesh.Trimesh:
    """The same, scaled, turned about z and moved."""
    mesh = ell()
    mesh.apply_transform(trimesh.transformations.rotation_matrix(np.radians(turn_deg), (0, 0, 1)))
    mesh.apply_scale(scale)
    mesh.apply_translation(shift)
    return mesh
