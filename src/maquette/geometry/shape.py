"""One object as an occupancy grid, and how it becomes a mesh or a file."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError
from maquette.geometry.mesh import SMOOTH, plain_surface, surface, to_frame, to_print
from maquette.geometry.repair import Dropped, decimate, keep_largest, repair
from maquette.geometry.size import check_side
from maquette.geometry.voxelise import voxelise
from maquette.io import formats

if TYPE_CHECKING:
    import trimesh
    from jaxtyping import Bool, Num, UInt8

    from maquette.geometry.plain import Mesh, PlainMesh

FULL = 0.9
"""The share of its cube from which a shape is said to fill it."""
SOLID_VOXELS = 64
"""Voxels a side of a solid that is written as a grid."""


@dataclass(frozen=True, eq=False)
class Shape:
    """One object in the package's frame: z up, facing +y (see `maquette.types`).

    Raises:
        UserError: For an array that is no grid (see `maquette.io.formats.checked_grid`), and for a threshold that is
            not between 0 and 1.
    """

    occupancy: Num[np.ndarray, " ..."] | Bool[np.ndarray, " ..."]
    """Probability that a voxel is filled, float32 `[R, R, R]` in [0, 1], axes x, y, z; the constructor converts."""
    threshold: float = 0.5
    """The probability from which a voxel counts as filled, between 0 and 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "occupancy", formats.checked_grid(self.occupancy, "occupancy"))
        if not 0 < self.threshold < 1:
            raise UserError("threshold must lie between 0 and 1", self.threshold)

    @property
    def resolution(self) -> int:
        """Voxels a side."""
        return self.occupancy.shape[0]

    @property
    def fills_cube(self) -> bool:
        """Whether it fills nearly all of its grid and touches all six faces: a block, as untrained networks make it."""
        voxels = self.voxels
        faces = [np.take(voxels, end, axis).any() for axis in range(3) for end in (0, -1)]
        return bool(voxels.mean() >= FULL) and all(faces)

    @property
    def remark(self) -> str:
        """What is to be said of a shape that fills its cube, as untrained networks make them; empty for others."""
        share = float(self.voxels.mean())
        if share < FULL:
            return ""
        return f"it fills {floor(100 * share)} % of its cube: is the model trained, and the input of the kind it knows?"

    @property
    def voxels(self) -> Bool[np.ndarray, "r r r"]:
        """The filled voxels."""
        return self.occupancy >= self.threshold

    def surface(self, smooth: float = SMOOTH) -> trimesh.Trimesh:
        """The smooth iso-surface in the package's frame.

        Args:
            smooth: In voxels; see `maquette.geometry.mesh.surface`.

        Raises:
            UserError: For an empty shape, and one too thin for the smoothing.
        """
        return surface(self.occupancy, self.threshold, smooth)

    def printable(
        self,
        size_mm: float = 100.0,
        largest_part: bool = True,
        smooth: float = SMOOTH,
        faces: int | None = None,
        cube_mm: float | None = None,
    ) -> tuple[trimesh.Trimesh, Dropped]:
        """As `solid`, as a `maquette.geometry.print_mesh.PrintMesh`.

        Args:
            size_mm: Longest side of the mesh, from 1 to 2,000.
            largest_part: Keep only the part with the largest volume.
            smooth: In voxels; see `maquette.geometry.mesh.surface`.
            faces: Reduce the mesh to about this many faces.
            cube_mm: Side of the whole grid; when given, it decides the size instead of `size_mm`.

        Raises:
            UserError: As `solid` does.
        """
        from maquette.geometry.print_mesh import PrintMesh

        mesh, dropped = self.solid(size_mm, largest_part, smooth, faces, cube_mm)
        return PrintMesh.of(mesh), dropped

    def solid(
        self,
        size_mm: float = 100.0,
        largest_part: bool = True,
        smooth: float = SMOOTH,
        faces: int | None = None,
        cube_mm: float | None = None,
    ) -> tuple[PlainMesh, Dropped]:
        """A watertight mesh in millimetres, resting on z = 0, and the loose parts that were dropped.

        Args:
            size_mm: Longest side of the mesh, from 1 to 2,000.
            largest_part: Keep only the part with the largest volume.
            smooth: In voxels; see `maquette.geometry.mesh.surface`.
            faces: Reduce the mesh to about this many faces.
            cube_mm: Side of the whole grid; when given, it decides the size instead of `size_mm`.

        Raises:
            UserError: For an empty shape, and for a size that is not positive.
        """
        if cube_mm is None:
            check_side(size_mm)
        mesh, dropped = repair(plain_surface(self.occupancy, self.threshold, smooth)), Dropped()
        if largest_part:
            mesh, dropped = keep_largest(mesh)
        if faces is not None:
            mesh = decimate(mesh, faces)
        if cube_mm is not None:
            size_mm = cube_mm * float(np.ptp(mesh.vertices, axis=0).max())
        return to_print(mesh, size_mm), dropped

    @classmethod
    def load(cls, path: str | Path, resolution: int = 32, threshold: float = 0.5) -> Shape:
        """The shape in a grid or mesh file (see `maquette.io.formats`).

        A grid keeps its resolution. A mesh is centred, scaled to the frame's cube and filled with voxels.

        Args:
            path: The file.
            resolution: Voxels a side, for a mesh.
            threshold: The occupancy from which a voxel counts as filled.

        Raises:
            UserError: For a file that is missing, unknown, damaged or too large.
        """
        if formats.kind(path) == "grid":
            return cls(formats.read_grid(path), threshold)
        mesh = formats.read_mesh(path)
        try:
            return cls(voxelise(to_frame(mesh), resolution), threshold)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    def save(
        self, path: str | Path, size_mm: float = 100.0, largest_part: bool = True, smooth: float = SMOOTH
    ) -> Dropped:
        """Write a mesh for printing, or the whole grid, as the file's suffix asks.

        Args:
            path: The file.
            size_mm: Longest side of a mesh.
            largest_part: Keep only the part with the largest volume, in a mesh.
            smooth: In voxels, for a mesh; see `maquette.geometry.mesh.surface`.

        Returns:
            The loose parts that were dropped from a mesh.

        Raises:
            UserError: For an unknown suffix, an empty shape, or a file that cannot be written.
        """
        if formats.kind(path) == "grid":
            formats.write_grid(path, self.occupancy, self.threshold)
            return Dropped()
        mesh, dropped = self.solid(size_mm, largest_part, smooth)
        formats.write_mesh(path, mesh)
        return dropped


def read_surface(path: str | Path) -> trimesh.Trimesh:
    """The surface in a mesh or grid file, as a mesh in the package's frame.

    Raises:
        UserError: Naming the file, when it cannot be read.
    """
    if formats.kind(path) == "grid":
        return Shape.load(path).surface()
    return to_frame(formats.read_mesh(path))


def save_solid(
    path: str | Path, mesh_mm: Mesh, colours: UInt8[np.ndarray, "v 3"] | None = None
) -> Path:
    """Write a solid as a mesh, or filled with voxels as a grid of `SOLID_VOXELS` a side, as the file's suffix asks.

    Args:
        path: The file.
        mesh_mm: In millimetres.
        colours: Of its vertices; obj, ply and glb keep them.

    Returns:
        The path.

    Raises:
        UserError: For an unknown suffix, and for a file that cannot be written.
    """
    if formats.kind(path) == "grid":
        formats.write_grid(path, voxelise(to_frame(mesh_mm), SOLID_VOXELS).astype(np.float32))
    else:
        formats.write_mesh(path, mesh_mm, colours)
    return Path(path)
