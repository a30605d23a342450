"""What a printer needs to know of a mesh: closed or not, parts, volume, the thinnest wall, and its size."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from maquette.geometry.plain import PlainMesh
from maquette.geometry.size import LARGEST_MM, check_wall, size_line

if TYPE_CHECKING:
    from jaxtyping import Float

    from maquette.geometry.plain import Mesh

_EMBREE_SIZE = 100.0  # the diagonal of what rays are shot at, so that neither tiny nor huge meshes lose digits
_EVEN_STEPS = 0.8191725133961645, 0.6710436067037893, 0.5497004779019703  # places that fill a cube (Roberts 2018, R3)


@dataclass(frozen=True)
class Printability:
    """What `printability` measured."""

    watertight: bool
    """Closed, manifold and consistently wound."""
    parts: int
    """Bodies that do not touch."""
    volume_mm3: float
    """Enclosed volume; nan when the mesh is not watertight."""
    thinnest_wall_mm: float
    """First percentile of the wall thickness over the surface, rounded down to a micrometre; nan if not measured."""
    min_wall_mm: float
    """The thinnest wall that the printer can make."""
    longest_mm: float = float("nan")
    """Longest side of the box around it; nan when it is not known."""
    fills_cube: bool = False
    """Whether the shape fills the whole grid that it was made of (`maquette.geometry.shape.Shape.fills_cube`)."""

    @property
    def volume_cm3(self) -> float:
        """Enclosed volume in cubic centimetres; nan when the mesh is not watertight."""
        return self.volume_mm3 / 1000

    @property
    def wall_ok(self) -> bool:
        """Whether the walls are thick enough."""
        return self._thick_enough(self.thinnest_wall_mm)

    @property
    def size_ok(self) -> bool:
        """Whether a printer is known that takes it."""
        return not self.longest_mm > LARGEST_MM

    @property
    def ok(self) -> bool:
        """Whether it can be printed: watertight, in one part, thick enough, not too large, and no full grid."""
        return self.watertight and self.parts == 1 and self.wall_ok and self.size_ok and not self.fills_cube

    def _thick_enough(self, wall_mm: float) -> bool:
        """Whether a wall is no thinner than the least, as that is shown."""
        return bool(wall_mm >= float(f"{self.min_wall_mm:g}"))

    @property
    def shown_wall(self) -> str:
        """The thinnest wall as it is shown: rounded down, to as few digits as leave it on its side of the least."""
        wall = self.thinnest_wall_mm
        first = 1 - floor(log10(wall)) if wall > 0 else 0
        for decimals in range(max(0, first), 3):
            shown = floor(wall * 10**decimals + 1e-6) / 10**decimals
            if self._thick_enough(shown) == self.wall_ok:
                return f"{shown:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{shown:.0f}"
        return f"{wall:.3f}".rstrip("0").rstrip(".")

    def line(self) -> str:
        """The report in one line: `watertight, 1 part, 12.3 cm3, thinnest wall 1.4 mm (>= 0.8 mm)`."""
        closed = "watertight" if self.watertight else "NOT watertight"
        parts = f"{self.parts} part{'' if self.parts == 1 else 's'}"
        volume = f"{self.volume_cm3:,.0f} cm3" if self.volume_cm3 >= 1000 else f"{self.volume_cm3:.3g} cm3"
        volume = "volume unknown" if np.isnan(self.volume_mm3) else volume
        if np.isnan(self.thinnest_wall_mm):
            wall = "thinnest wall unknown"
        else:
            wall = f"thinnest wall {self.shown_wall} mm "
            wall += f"(>= {self.min_wall_mm:g} mm)" if self.wall_ok else f"(BELOW {self.min_wall_mm:g} mm)"
        size = size_line(np.full(3, self.longest_mm))
        return f"{closed}, {parts}, {volume}, {wall}" + (f"; {size}" if size else "")


def printability(
    mesh_mm: Mesh, min_wall_mm: float = 0.8, rays: int = 4000, wall_mm: float | None = None,
    fills_cube: bool = False,
) -> Printability:
    """Watertightness, parts, volume, thinnest wall and size of a mesh.

    Args:
        mesh_mm: In millimetres.
        min_wall_mm: The thinnest wall that the printer can make.
        rays: The number of places where the wall is measured (see `wall_thickness`). The first percentile is reported,
            so that a single odd ray does not count.
        wall_mm: The thinnest wall, where it is known from how the mesh was made; None measures it.
        fills_cube: Whether the shape that it was made of fills its whole grid, which is no object.

    Raises:
        UserError: For a `min_wall_mm` that is not from 0 to 100.
    """
    check_wall(min_wall_mm)
    mesh = PlainMesh.of(mesh_mm)
    watertight = mesh.is_watertight
    count, of_face = mesh.surfaces
    parts, volume = count, float("nan")
    if watertight:
        volumes = np.bincount(of_face, mesh.face_volumes, count)
        parts, volume = int((volumes > 0).sum()), float(volumes.sum())
    walls = wall_thickness(mesh, rays) if wall_mm is None else np.array([wall_mm])
    thinnest = float(np.percentile(walls, 1)) if len(walls) else float("nan")
    thinnest = float(np.floor(thinnest * 1e3 + 0.1) / 1e3)  # a tenth of a micrometre is rounding noise
    longest = float(mesh.extents.max()) if len(mesh.vertices) else float("nan")
    return Printability(watertight, parts, volume, thinnest, float(min_wall_mm), longest, fills_cube)


def wall_thickness(mesh: Mesh, rays: int = 4000) -> Float[np.ndarray, " n"]:
    """Thickness of the wall along rays that are shot inwards from points spread evenly over the surface.

    The points are the same every time. Only surfaces where a ray leaves the solid end a wall: trimesh's
    `proximity.thickness` stops at inner surfaces too, and in a 10 mm box crossed by a bar its median is 3.5 mm.

    Args:
        mesh: In any unit.
        rays: Number of rays.

    Returns:
        Lengths from the surface to the far side of the wall, in the mesh's unit, for at most `rays` rays. Rays that
        leave through a hole or graze the far side are left out. Empty where Embree is not installed.
    """
    try:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene
    except ImportError:  # no wheel of embreex for this machine
        return np.empty(0)
    mesh = PlainMesh.of(mesh)
    triangles, normals, doubled = mesh.triangles, mesh.crossed, 2 * mesh.area_faces
    if not doubled.sum() > 0:
        return np.empty(0)
    total, number = np.cumsum(doubled), np.arange(rays)
    along, u, v = ((number + 0.5) * step % 1 for step in _EVEN_STEPS)
    faces = np.minimum(np.searchsorted(total, (number + along) / rays * total[-1]), len(triangles) - 1)
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u)[:, None], np.where(flip, 1 - v, v)[:, None]
    corner = triangles[faces]
    points = corner[:, 0] * (1 - u - v) + corner[:, 1] * u + corner[:, 2] * v
    inwards = -normals[faces] / doubled[faces, None]
    low, extents = triangles.reshape(-1, 3).min(0), np.ptp(triangles.reshape(-1, 3), axis=0)
    skin = 1e-4 * float(extents.max())  # Embree computes in single precision
    scene, scale = EmbreeScene(), _EMBREE_SIZE / float(np.linalg.norm(extents))
    TriangleMesh(scene, ((mesh.vertices - low) * scale).astype(np.float32), mesh.faces.astype(np.int32))
    hit = scene.run(((points + skin * inwards - low) * scale).astype(np.float32), inwards.astype(np.float32))
    struck = np.flatnonzero(hit >= 0)
    far = hit[struck]
    along = np.einsum("ij,ij->i", normals[far], inwards[struck])
    leaves = along > 1e-3 * doubled[far]  # it left the solid there, and not at a grazing angle
    struck, far, along = struck[leaves], far[leaves], along[leaves]
    reach = np.einsum("ij,ij->i", normals[far], triangles[far, 0] - points[struck])
    return reach / along
