"""The side that a scan shows, chosen by a model."""

import numpy as np
import pytest
import trimesh
from scipy import ndimage
from staged import FLOOR, SETTEE, depth_mm, intrinsics, write_png

from maquette.geometry.voxelise import voxelise
from maquette.scans import (
    guess_facing,
    read_scan,
)
from maquette.scans.facing import doubt


def test_the_azimuth_is_the_one_at_which_a_model_has_least_doubt(tmp_path):
    """A model that is sure of what it is shown where that is the settee as it stands, and elsewhere as sure as not."""
    path = write_png(tmp_path / "a.png", depth_mm(trimesh.util.concatenate([SETTEE, FLOOR])))
    known = ndimage.binary_dilation(voxelise(SETTEE, 32))

    def complete(scans: np.ndarray) -> np.ndarray:
        assert scans.shape == (24, 1, 32, 32, 32) and scans.dtype == np.float32
        outside = (scans[:, 0] * ~known).sum((1, 2, 3), keepdims=True)
        return np.clip(known * 1.0 - outside / 400, 0.5 * known, 1)

    found, made = guess_facing(read_scan(path, 32, intrinsics=intrinsics()), complete)
    assert found.placement.azimuth_deg == 30 and found.placement.guessed
    assert found.placement.line().endswith("camera 30 degrees above the horizon, taken to be seen from 30 degrees")
    assert np.array_equal(found.voxels, read_scan(path, 32, intrinsics=intrinsics(), azimuth_deg=30).voxels)
    assert made.shape == (32, 32, 32) and made.max() > 0.9
    seen, made = guess_facing(read_scan(found.voxels, 32), lambda scans: scans[:, 0] / 2)
    assert seen.placement is None and np.array_equal(made, found.voxels / 2)


def test_doubt_is_the_entropy_a_filled_voxel():
    certain = np.zeros((8, 8, 8), np.float32)
    certain[:2] = 1
    even, half = np.full((8, 8, 8), 0.5, np.float32), certain / 2
    expected = [0, 2 * np.log(2), 2 * np.log(2), np.inf]
    assert doubt(np.stack([certain, even, half, np.zeros_like(even)])) == pytest.approx(expected, abs=1e-4)
