"""A plate below an object, for one that would not stand or not hold on a printer's bed."""

import manifold3d
import numpy as np
import trimesh
from manifold3d import CrossSection, JoinType, Manifold

from maquette.errors import UserError
from maquette.geometry.mesh import is_closed

BORDER_MM = 2.0
"""How far a plate goes beyond what stands on it."""
FOOT = 0.1
"""Share of an object's height, from below, whose outline the plate holds."""
SPARE = 0.08
"""Share of an object's width by which its centre of mass lies inside the plate, at least."""
_SUNK = 0.1  # share of the plate's thickness by which the object sinks into it: they must not just touch
_SEGMENTS = 64


def on_base(mesh: trimesh.Trimesh, base_mm: float) -> trimesh.Trimesh:
    """The object on a plate with round corners, on which it stands whatever its feet are.

    Args:
        mesh: Closed, in millimetres, z up, resting on z = 0.
        base_mm: Thickness of the plate; 0 leaves the object as it is.

    Raises:
        UserError: For a mesh that is not closed, and a thickness that is not finite or below 0.
    """
    if not (np.isfinite(base_mm) and base_mm >= 0):
        raise UserError("a base is 0 or more millimetres thick", base_mm)
    if base_mm == 0:
        return mesh
    if not is_closed(mesh):
        raise UserError("an object that is not closed takes no base")
    solid = Manifold(manifold3d.Mesh64(np.ascontiguousarray(mesh.vertices, np.float64),
                                       np.ascontiguousarray(mesh.faces, np.uint64)))
    points = np.asarray(mesh.vertices)
    low = points[points[:, 2] <= points[:, 2].min() + FOOT * np.ptp(points[:, 2]), :2]
    x, y, _ = mesh.center_mass
    spare = SPARE * float(np.ptp(points[:, :2], axis=0).max())
    middle = CrossSection.circle(spare, _SEGMENTS).translate((float(x), float(y)))
    foot = CrossSection.hull_points([(float(a), float(b)) for a, b in low])
    plate = CrossSection.batch_hull([foot, middle]).offset(BORDER_MM, JoinType.Round, circular_segments=_SEGMENTS)
    whole = solid.translate((0.0, 0.0, base_mm * (1 - _SUNK))) + plate.extrude(base_mm)
    if whole.status() != manifold3d.Error.NoError:
        raise UserError("the object and its base could not be joined", str(whole.status()))
    made = whole.to_mesh64()
    return type(mesh)(made.vert_properties[:, :3].copy(), made.tri_verts.astype(np.int64), process=False)
