"""Making scans: the surface voxels of a mesh that one camera sees, for networks that learn to complete them.

After Smith and Meger, CoRL 2017 (arXiv 1707.09557), section on depth completion: 15 cameras for each object. Rays are
aimed at points all over the surface, not at the pixels of a picture: a table top that is seen edge-on gets as many rays
for each voxel as a front, where the rows of a picture would leave stripes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.rendering.camera import Camera
from maquette.rendering.raycaster import RayCaster

if TYPE_CHECKING:
    from jaxtyping import Bool

COUNT = 15
"""Cameras for each object, as in the paper."""
ELEVATION_DEG = (-10.0, 45.0)
"""Range of the cameras' elevation."""
FOV_DEG = (25.0, 60.0)
"""Range of their field of view."""
_AIMS = 16
"""Rays aimed at each face of a voxel, on average; a face in full sight is missed once in 9 million."""
_MOST_AIMS = 600_000
_INWARDS = 0.01
"""In voxels: how far a hit is moved into the solid, so that a face between two layers belongs to the filled one."""


def scan_cameras(count: int = COUNT, seed: int = 0) -> tuple[Camera, ...]:
    """Cameras all round the object; the same arguments give the same cameras.

    Azimuths are evenly spaced from a random first one; elevation is -10 to 45 degrees, field of view 25 to 60.
    """
    rng = np.random.default_rng([seed, 1 << 21])
    first = rng.uniform(0, 360)
    places = [(float(first + 360 * k / count) % 360, rng.uniform(*ELEVATION_DEG), rng.uniform(*FOV_DEG))
              for k in range(count)]
    return tuple(Camera(azimuth, float(elevation), float(fov)) for azimuth, elevation, fov in places)


def scan(mesh: trimesh.Trimesh, camera: Camera, resolution: int) -> Bool[np.ndarray, "r r r"]:
    """The surface voxels of a mesh that a camera sees.

    The scan of a solid mesh is part of its voxels (`maquette.geometry.voxelise`).

    Args:
        mesh: In the package's frame; what lies outside the cube is cut off.
        camera: Only its position matters, not the size, zoom or roll of its picture.
        resolution: Voxels a side.

    Raises:
        UserError: For a mesh without faces.
    """
    return _Scanner(mesh, resolution).scan(camera)


def scans(
    mesh: trimesh.Trimesh, resolution: int, count: int = COUNT, seed: int = 0
) -> Bool[np.ndarray, "{count} r r r"]:
    """Scans of a mesh from the cameras `scan_cameras(count, seed)`; see `scan`."""
    scanner = _Scanner(mesh, resolution)
    made = [scanner.scan(camera) for camera in scan_cameras(count, seed)]
    return np.stack(made) if made else np.zeros((0, *(resolution,) * 3), bool)


class _Scanner:
    """One mesh, and the points that rays are aimed at, chosen once for all cameras."""

    def __init__(self, mesh: trimesh.Trimesh, resolution: int):
        if not len(mesh.faces):
            raise UserError("a mesh needs faces before it can be scanned", "none")
        corners = np.repeat(mesh.face_normals[:, None], 3, axis=1)
        self.caster = RayCaster.of_triangles(mesh.vertices, mesh.faces, corners)
        self.resolution = resolution
        count = int(np.clip(_AIMS * mesh.area * resolution**2, _AIMS, _MOST_AIMS))
        self.aims = trimesh.sample.sample_surface(mesh, count, seed=0)[0]

    def scan(self, camera: Camera) -> Bool[np.ndarray, "r r r"]:
        """The surface voxels that a camera sees."""
        towards = self.aims - camera.position
        towards /= np.linalg.norm(towards, axis=1, keepdims=True) + 1e-20
        distance, face, _ = self.caster.first(np.broadcast_to(camera.position, towards.shape), towards)
        hit = face >= 0
        along, normal = towards[hit], self.caster.face_normals[face[hit]]
        inwards = np.where(np.einsum("ij,ij->i", normal, along)[:, None] > 0, normal, -normal)
        points = camera.position + distance[hit, None] * along + inwards * (_INWARDS / self.resolution)
        cells = np.floor((points + 0.5) * self.resolution).astype(np.int64)
        grid = np.zeros((self.resolution,) * 3, bool)
        grid[tuple(cells[((cells >= 0) & (cells < self.resolution)).all(1)].T)] = True
        return grid
