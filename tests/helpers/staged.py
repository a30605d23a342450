"""A depth camera's view of a known object on a floor, for the tests of scans."""

import numpy as np
import trimesh
from PIL import Image
from scipy import ndimage

from maquette.rendering import Camera, RayCaster
from maquette.scans import Intrinsics

METRES = 0.8
"""Longest side of the object."""
CAMERA = Camera(30, 30, 45, 400)


def block(extents, centre):
    return trimesh.creation.box(extents, trimesh.transformations.translation_matrix(centre))


SETTEE = trimesh.util.concatenate([block((1, 0.7, 0.39), (0, 0, -0.205)), block((1, 0.2, 0.41), (0, -0.25, 0.195))])
"""In the package's frame: its box is 1 x 0.7 x 0.8, all of whose sides can be told from the front left and above."""
FLOOR = block((3.2, 3.2, 0.02), (0, 0, -0.41))
NEIGHBOUR = block((0.3, 0.3, 0.3), (-0.5, -1.3, -0.25))


def depth_mm(mesh: trimesh.Trimesh, camera: Camera = CAMERA) -> np.ndarray:
    """Depths uint16 `[S, S]` in millimetres, 0 where there is nothing."""
    depth = RayCaster(mesh).cast(camera).depth
    return np.where(np.isfinite(depth), np.round(depth * METRES * 1000), 0).astype(np.uint16)


def intrinsics(camera: Camera = CAMERA) -> Intrinsics:
    middle = camera.size_px / 2 - 0.5  # pixel centres at whole numbers
    return Intrinsics(camera.focal_px, camera.focal_px, middle, middle)


def write_png(path, depths: np.ndarray):
    Image.fromarray(depths).save(path)
    return path


def near_enough(found: np.ndarray, direct: np.ndarray) -> bool:
    """No voxel is more than one off, and nine in ten are the same."""
    wide = [ndimage.binary_dilation(grid, np.ones((3, 3, 3))) for grid in (found, direct)]
    same = np.count_nonzero(found & direct) / np.count_nonzero(found | direct)
    return same > 0.9 and not (direct & ~wide[0]).any() and not (found & ~wide[1]).any()
