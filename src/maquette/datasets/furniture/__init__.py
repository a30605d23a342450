"""The furniture maker: chairs, tables, beds and ten other classes as clean solids, from a seed.

Each class has several styles, and each style a broad range of real sizes in centimetres; the size is normalised last.
The same class and seed always give the same mesh. `make` is all that is needed from outside. `parts` holds the
primitives, `materials` the material of each face; the other files are the styles, each a function of the dice.
"""

import difflib
import hashlib

import numpy as np
import trimesh
from manifold3d import Manifold

from maquette.datasets.furniture import (
    bathroom,
    beds,
    cars,
    chairs,
    cups,
    desks,
    devices,
    lamps,
    seats,
    sofas,
    storage,
    tables,
)
from maquette.datasets.furniture.materials import materials
from maquette.datasets.furniture.parts import Dice, join
from maquette.errors import UserError
from maquette.rendering.materials import ATTRIBUTE

_STYLES = {
    "chair": chairs.CHAIRS | seats.SEATS | sofas.UPHOLSTERED_CHAIRS,
    "table": tables.TABLES,
    "desk": desks.DESKS,
    "bed": beds.BEDS,
    "sofa": sofas.SOFAS,
    "bookcase": storage.BOOKCASES,
    "cabinet": storage.CABINETS,
    "monitor": devices.MONITORS,
    "toilet": bathroom.TOILETS,
    "bathtub": bathroom.BATHTUBS,
    "lamp": lamps.LAMPS,
    "cup": cups.CUPS,
    "car": cars.CARS,
}

KINDS: tuple[str, ...] = tuple(_STYLES)
"""The classes of the furniture maker."""


def make(kind: str, seed: int) -> trimesh.Trimesh:
    """One object as a watertight mesh in the package's frame: z up, facing +y, centred, longest side 1.

    Args:
        kind: The class, one of KINDS.
        seed: Any whole number.

    Returns:
        The mesh. Its `face_attributes[ATTRIBUTE]` has the material of each face, uint8 `[F]`, an index into
        `maquette.rendering.materials.MATERIALS`, which also has ATTRIBUTE.

    Raises:
        UserError: If there is no such class.
    """
    if kind not in _STYLES:
        near = difflib.get_close_matches(str(kind).lower(), KINDS, n=1, cutoff=0)[0]
        raise UserError(f"kind must be one of {', '.join(KINDS)}", got=repr(kind), hint=f"did you mean '{near}'?")
    digest = hashlib.sha256(f"{kind}/{int(seed)}".encode()).digest()
    dice = Dice(int.from_bytes(digest[:8], "little"))
    styles = _STYLES[kind]
    return _finish(join(dice.weighted(styles)(dice)), kind)


def _finish(solid: Manifold, kind: str) -> trimesh.Trimesh:
    """A solid in centimetres as a mesh in the frame; closed cavities are filled and slivers dropped."""
    bodies = solid.simplify(0.01).decompose()
    least = 1e-4 * sum(body.volume() for body in bodies)
    raw = join(body for body in bodies if body.volume() > least).to_mesh64()
    points = np.asarray(raw.vert_properties)[:, :3]
    low, high = points.min(0), points.max(0)
    points = (points - (low + high) / 2) / (high - low).max()
    mesh = trimesh.Trimesh(points, np.asarray(raw.tri_verts, dtype=np.int64), process=False)
    mesh.face_attributes[ATTRIBUTE] = materials(kind, mesh, np.asarray(raw.run_index), np.asarray(raw.run_transform))
    return mesh
