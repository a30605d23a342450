"""Outlines, silhouettes, the camera that fits, carving and growing."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from bodies import ell

from maquette.geometry.voxelise import voxelise
from maquette.nets.pixel_aligned import poses
from maquette.nets.pixel_aligned import project as project_by_network
from maquette.rendering.raycaster import RayCaster
from maquette.ways.choosing import mirrored_overlap, straightness, suits
from maquette.ways.fitting import fit_camera
from maquette.ways.obeying import obey
from maquette.ways.outline import outline_of_lines, overlap, without_holes
from maquette.ways.silhouette import Pose, framed, project, silhouette, surface_voxels

torch = pytest.importorskip("torch")


SEEN = Pose(0.6, 0.35, 0.05, -0.15, 0.04, -0.03, 0.45)


def test_a_pose_is_the_camera_that_the_networks_mean():
    camera = SEEN.camera(200)
    values = [[camera.azimuth_deg, camera.elevation_deg, camera.fov_deg, camera.roll_deg, camera.zoom, *camera.shift]]
    back = poses(torch.tensor(values, dtype=torch.float32))
    assert np.allclose(back[0], [SEEN.azimuth, SEEN.elevation, SEEN.roll, SEEN.scale, SEEN.right, SEEN.down,
                                 SEEN.nearness], atol=1e-5)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3)).astype(np.float32)
    shown = project(points, SEEN)
    assert np.allclose(shown, project_by_network(torch.from_numpy(points), back)[0], atol=1e-5)
    assert np.allclose((shown[:, :2] + 1) * 100, camera.project(points)[:, :2], atol=1e-3)


def test_a_silhouette_of_voxels_is_that_of_the_mesh():
    mesh = ell()
    voxels = voxelise(mesh, 64)
    seen = RayCaster(mesh).cast(SEEN.camera(96)).mask
    assert overlap(silhouette(surface_voxels(voxels), SEEN, 96, 1 / 64), without_holes(seen)) > 0.93


def test_framing_fills_the_box():
    points = surface_voxels(voxelise(ell(), 32))
    box = (-0.5, -0.2, 0.7, 0.6)
    shown = project(points, framed(points, replace(SEEN, scale=0.7, right=0.5), box))[:, :2]
    assert (shown.min(0) + shown.max(0)) / 2 == pytest.approx([0.1, 0.2], abs=0.01)
    area = np.prod(shown.max(0) - shown.min(0))
    assert area == pytest.approx(1.2 * 0.8, rel=0.05)


@pytest.mark.parametrize("error", [(0.3, -0.2), (-0.25, 0.15), (0.15, 0.25)])
def test_the_camera_is_found_from_one_that_is_wrong(error):
    mesh = ell()
    mask = without_holes(RayCaster(mesh).cast(SEEN.camera(128)).mask)
    points = surface_voxels(voxelise(mesh, 64))
    start = replace(SEEN, azimuth=SEEN.azimuth + error[0], elevation=SEEN.elevation + error[1], scale=-0.3, right=0.1)
    found = fit_camera(points, 1 / 64, mask, [start])
    assert found.overlap > 0.9
    assert found.pose.azimuth == pytest.approx(SEEN.azimuth, abs=0.12)
    assert found.pose.elevation == pytest.approx(SEEN.elevation, abs=0.12)


def test_what_is_beyond_the_outline_is_carved_and_what_is_missing_is_grown():
    """A box whose drawing lacks a corner and has a handle: the result has the drawn silhouette and is one part."""
    front = Pose(0.0, 0.0, nearness=0.05, scale=0.2)
    grid = np.zeros((64, 64, 64), np.float32)
    grid[16:48, 24:40, 16:48] = 1.0
    mask = without_holes(silhouette(surface_voxels(grid > 0.5), front, 128, 1 / 64))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    drawn = mask.copy()
    drawn[rows[0] : rows[0] + 14, columns[0] : columns[0] + 14] = False
    drawn[60:70, columns[-1] : columns[-1] + 20] = True
    before = overlap(mask, drawn)
    found = obey(grid, 0.5, drawn, front)
    assert before < 0.93 < 0.95 < found.overlap
    assert found.carved > obey(grid, 0.5, mask, front).carved + 0.08
    from scipy import ndimage

    assert ndimage.label(found.occupancy >= 0.5)[1] == 1
    handle = np.argwhere((found.occupancy >= 0.5) & (grid < 0.5))
    assert np.ptp(handle[:, 1]) < 12  # as thick as it is high, not as deep as the box
    same = obey(grid, 0.5, mask, front)
    assert np.count_nonzero((same.occupancy >= 0.5) != (grid >= 0.5)) < 0.04 * grid.sum()


def drawing(*lines: list[tuple[int, int]], closed: bool = True) -> np.ndarray:
    ink = np.zeros((256, 256), np.uint8)
    for line in lines:
        cv2.polylines(ink, [np.array(line, np.int32)], closed, 255, 3, cv2.LINE_AA)
    return ink.astype(np.float32) / 255


def test_the_outline_of_a_square_is_the_square_and_of_a_stick_its_line():
    square = outline_of_lines(drawing([(60, 60), (190, 60), (190, 190), (60, 190)]))
    assert square.closed and square.mask.sum() == pytest.approx(131**2, rel=0.04)
    hole = outline_of_lines(drawing([(60, 60), (190, 60), (190, 190), (60, 190)],
                                    [(100, 100), (150, 100), (150, 150), (100, 150)]))
    assert overlap(hole.mask, square.mask) > 0.99
    legs = outline_of_lines(drawing([(60, 60), (190, 60), (190, 100), (60, 100)], [(80, 100), (80, 200)]))
    assert legs.mask[150, 80] and not legs.mask[150, 100]
    stick = outline_of_lines(drawing([(60, 60), (190, 190)], closed=False))
    assert not stick.closed and 0 < stick.mask.mean() < 0.02


def test_which_ways_suit_a_flat_drawing():
    rows = np.arange(40, 216, 4)
    wide = 40 + 30 * np.sin(rows / 20.0)
    vase = outline_of_lines(drawing([*zip((128 - wide).astype(int), rows, strict=True),
                                     *zip((128 + wide[::-1]).astype(int), rows[::-1], strict=True)]))
    star = drawing([(int(128 + r * np.cos(a + 0.3)), int(128 + r * np.sin(a + 0.3)))
                    for k in range(10) for r, a in [((90, 40)[k % 2], np.pi * k / 5)]])
    blob = np.zeros((256, 256), np.uint8)
    cv2.ellipse(blob, (110, 128), (80, 50), 20, 0, 360, 255, 3)
    cv2.ellipse(blob, (190, 90), (30, 40), 0, 0, 360, 255, 3)
    assert mirrored_overlap(vase.mask) > 0.97 and suits(vase)[0] == "revolve"
    assert suits(outline_of_lines(star))[0] == "extrude"
    round_one = outline_of_lines(blob.astype(np.float32) / 255)
    assert straightness(round_one.mask) < 0.6 and suits(round_one)[0] == "inflate"
    assert suits(None) == []


def test_a_gap_in_a_body_is_closed_and_the_slit_between_two_legs_is_not():
    whole = outline_of_lines(drawing([(60, 40), (200, 40), (200, 180), (60, 180)]))
    open_line = drawing([(140, 40), (200, 40), (200, 180), (60, 180), (60, 40), (110, 40)], closed=False)
    assert overlap(outline_of_lines(open_line).mask, whole.mask) > 0.95
    legs = drawing([(60, 40), (200, 40), (200, 90), (60, 90)], [(60, 90), (100, 90), (100, 220), (60, 220)],
                   [(118, 90), (160, 90), (160, 220), (118, 220)])
    mask = outline_of_lines(legs).mask
    assert not mask[130:215, 107:112].any() and mask[150, 80] and mask[150, 140]
