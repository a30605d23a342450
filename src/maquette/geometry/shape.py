"""Shape: one object as an occupancy grid, and how it becomes a mesh or a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.geometry import mesh as meshes
from maquette.geometry.mesh import SMOOTH, Dropped, to_frame
from maquette.io import formats


@dataclass(frozen=True, eq=False)
class Shape:
    """One object in the package's frame: z up, facing +y (see `maquette.types`)."""

    occupancy: np.ndarray
    """Probability that a voxel is filled, float32 `[R, R, R]` in [0, 1], axes x, y, z."""
    threshold: float = 0.5
    """Probability from which a voxel counts as filled; between 0 and 1."""

    def __post_init__(self):
        object.__setattr__(self, "occupancy", formats.checked_grid(self.occupancy, "occupancy"))
        if not 0 < self.threshold < 1:
            raise UserError("threshold must lie between 0 and 1", self.threshold)

    @property
    def resolution(self) -> int:
        """Voxels a side."""
        return self.occupancy.shape[0]

    @property
    def voxels(self) -> np.ndarray:
        """The filled voxels, bool `[R, R, R]`."""
        return self.occupancy >= self.threshold

    def surface(self, smooth: float = SMOOTH) -> trimesh.Trimesh:
        """The smooth iso-surface in the package's frame (see `maquette.geometry.mesh.surface`).

        Raises:
            UserError: If empty.
        """
        return meshes.surface(self.occupancy, self.threshold, smooth)

    def printable(
        self,
        size_mm: float = 100.0,
        largest_part: bool = True,
        smooth: float = SMOOTH,
        faces: int | None = None,
        cube_mm: float | None = None,
    ) -> tuple[trimesh.Trimesh, Dropped]:
        """A watertight mesh in millimetres, resting on z = 0, longest side `size_mm`, and what was dropped of it.

        Args:
            largest_part: Keep only the part of the largest volume.
            faces: Reduce to about this many faces.
            cube_mm: The side of the whole grid, which decides the size in place of `size_mm`.
        """
        surface, dropped = meshes.repair(self.surface(smooth)), Dropped()
        if largest_part:
            surface, dropped = meshes.keep_largest(surface)
        if faces is not None:
            surface = meshes.decimate(surface, faces)
        if cube_mm is not None:
            size_mm = cube_mm * float(np.ptp(surface.vertices, axis=0).max())
        return meshes.to_print(surface, size_mm), dropped

    @classmethod
    def load(cls, path: str | Path, resolution: int = 32, threshold: float = 0.5) -> "Shape":
        """A shape out of a grid file as it is, or out of a mesh file by filling it with `resolution` voxels a side.

        A mesh is centred and scaled to the frame's cube; grids keep their resolution. Formats: `maquette.io.formats`.

        Raises:
            UserError: For a file that is missing, unknown, damaged or too large.
        """
        if formats.kind(path) == "grid":
            return cls(formats.read_grid(path), threshold)
        from maquette.geometry.voxelise import voxelise

        mesh = formats.read_mesh(path)
        try:
            return cls(voxelise(meshes.to_frame(mesh), resolution), threshold)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    def save(
        self, path: str | Path, size_mm: float = 100.0, largest_part: bool = True, smooth: float = SMOOTH
    ) -> Dropped:
        """Write a mesh for printing or the grid, whichever the suffix says; tell what was dropped.

        Args:
            size_mm: As in `printable`; a grid file holds the whole grid.
            largest_part: See `size_mm`.
            smooth: See `size_mm`.

        Raises:
            UserError: For an unknown suffix, an empty shape, or a file that cannot be written.
        """
        if formats.kind(path) == "grid":
            formats.write_grid(path, self.occupancy, self.threshold)
            return Dropped()
        mesh, dropped = self.printable(size_mm, largest_part, smooth)
        formats.write_mesh(path, mesh)
        return dropped


def read_surface(path: str | Path) -> trimesh.Trimesh:
    """The surface in a mesh or grid file, as a mesh in the package's frame.

    Raises:
        UserError: Where it cannot be read.
    """
    if formats.kind(path) == "grid":
        return Shape.load(path).surface()
    return to_frame(formats.read_mesh(path))
