"""What a loop remembers: the object that was drawn and what the model reads in the drawing, brought together."""

import numpy as np
import pytest
import trimesh
from bodies import placed

from maquette.drawing_loop.loop import LoopSettings, draw_mesh
from maquette.drawing_loop.memory import pose_of, remembered
from maquette.errors import UserError
from maquette.geometry.overlap import iou
from maquette.geometry.shape import Shape
from maquette.geometry.voxelise import voxelise
from maquette.plotting.settings import Paper, ViewOptions

LOOK = ViewOptions(azimuth_deg=50.0, elevation_deg=25.0)


def ell(scale: float = 1.0, turn_deg: float = 0.0, shift=(0.0, 0.0, 0.0)) -> trimesh.Trimesh:
    """Small enough to stay in the cube, whichever way it is turned."""
    return placed(0.7 * scale, turn_deg, shift)


def shape(mesh: trimesh.Trimesh) -> Shape:
    return Shape(0.05 + 0.9 * voxelise(mesh, 64).astype(np.float32))


def drawing(mesh: trimesh.Trimesh) -> np.ndarray:
    """The page as it is taken up: 1 is paper."""
    strokes = draw_mesh(mesh, LOOK, Paper(100, 100, 8))
    return strokes.to_picture(2.56, 0.8).astype(np.float32) / 255


def test_the_pose_is_that_of_the_drawings_camera():
    camera = pose_of(LOOK).camera(256)
    assert (camera.azimuth_deg, camera.elevation_deg, camera.fov_deg, camera.roll_deg) == pytest.approx((50, 25, 30, 0))


@pytest.mark.parametrize("scale, turn_deg, shift", [
    (0.75, 0, (0, 0, 0)), (1, 40, (0, 0, 0)), (0.85, -65, (0.06, 0, 0)),
])
def test_what_was_read_is_turned_scaled_and_moved_to_what_was_drawn(scale, turn_deg, shift):
    """With no weight of the last object: only the reading is left."""
    last, read = shape(ell()), shape(ell(scale, turn_deg, shift))
    # the drawing shows it from 50 degrees; the model reads it turned, and says so
    made = remembered(read, last, drawing(ell()), LOOK, 50.0 + turn_deg, 0.0)
    assert iou(read.voxels, last.voxels) < 0.5
    assert iou(made.voxels, last.voxels) > 0.72


def test_memory_is_the_weight_of_the_last_object():
    last, read = shape(ell()), shape(trimesh.creation.box((0.6, 0.6, 0.6)))
    page = drawing(ell())
    assert np.array_equal(remembered(read, last, page, LOOK, None, 1.0).voxels, last.voxels)
    half = [float(iou(remembered(read, last, page, LOOK, None, memory).voxels, last.voxels)) for memory in (0.3, 0.9)]
    assert half[0] < half[1] == 1.0


@pytest.mark.parametrize("memory", [-0.1, 1.1, float("nan")])
def test_a_memory_out_of_range_is_refused(memory):
    with pytest.raises(UserError, match="memory must be from 0 to 1"):
        LoopSettings(memory=memory)
