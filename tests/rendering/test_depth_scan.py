"""What a depth camera sees of known solids."""

import numpy as np
import pytest
import trimesh
from scipy import ndimage

from maquette.datasets.furniture import make
from maquette.errors import UserError
from maquette.geometry.mesh import to_frame
from maquette.geometry.voxelise import voxelise
from maquette.rendering import Camera
from maquette.scans import (
    scan,
    scan_cameras,
    scans,
)

BOX = trimesh.creation.box((16 / 32, 8 / 32, 12 / 32))
FRONT, LEFT, TOP = np.s_[8:24, 19, 10:22], np.s_[8, 12:20, 10:22], np.s_[8:24, 12:20, 21]


def faces(*sides) -> np.ndarray:
    grid = np.zeros((32, 32, 32), bool)
    for side in sides:
        grid[side] = True
    return grid


@pytest.mark.parametrize(
    "azimuth, elevation, sides", [(0, 0, [FRONT]), (90, 0, [LEFT]), (45, 40, [FRONT, LEFT, TOP]), (0, 6, [FRONT, TOP])]
)
def test_a_box_gives_exactly_the_faces_in_sight(azimuth, elevation, sides):
    """Also its top at two degrees from edge-on; roll and zoom of the picture are no matter."""
    expected = faces(*sides)
    assert np.array_equal(scan(BOX, Camera(azimuth, elevation), 32), expected)
    assert np.array_equal(scan(BOX, Camera(azimuth, elevation, 40, 16, roll_deg=20, zoom=3), 32), expected)


def test_a_sphere_gives_the_cap_that_geometry_says():
    """A point p of the sphere is in sight of c where p . c > r^2; what holds half a voxel's face of those is found."""
    ball, camera = trimesh.creation.icosphere(5, 0.45), Camera(20, 25, 35)
    seen = scan(ball, camera, 32)
    points = np.random.default_rng(0).standard_normal((260_000, 3))
    points *= 0.45 / np.linalg.norm(points, axis=1, keepdims=True)  # a hundred a voxel's face
    cells = np.floor((points + 0.5) * 32).astype(int)
    counted, touched = np.zeros((2, 32, 32, 32), int)
    np.add.at(counted, tuple(cells[points @ camera.position > 0.45**2].T), 1)
    np.add.at(touched, tuple(cells[points @ camera.position > 0.44**2].T), 1)
    assert seen[counted >= 50].all() and not (seen & ~ndimage.binary_dilation(touched > 0)).any()
    solid = voxelise(ball, 32)
    assert not (seen & ~(solid & ~ndimage.binary_erosion(solid, np.ones((3, 3, 3))))).any(), "none within"


@pytest.mark.parametrize("kind", ["chair", "bed", "lamp"])
def test_scans_of_solids_lie_in_their_voxels(kind):
    mesh = to_frame(make(kind, 3))
    solid, seen = voxelise(mesh, 32), scans(mesh, 32, 3, seed=1)
    assert seen.any((1, 2, 3)).all() and not (seen & ~solid).any()
    assert np.array_equal(seen[2], scan(mesh, scan_cameras(3, 1)[2], 32))


def test_cameras_stand_all_round():
    cameras = scan_cameras(15, 4)
    turns = np.diff([camera.azimuth_deg for camera in cameras]) % 360
    assert np.allclose(turns, 24) and scan_cameras(15, 4) == cameras != scan_cameras(15, 5)
    assert all(-10 <= camera.elevation_deg <= 45 and 25 <= camera.fov_deg <= 60 for camera in cameras)
    with pytest.raises(UserError, match="needs faces before it can be scanned"):
        scan(trimesh.Trimesh(), cameras[0], 20)
