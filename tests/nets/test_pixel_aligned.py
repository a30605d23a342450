"""Poses against the renderer's own cameras, and cells against the places where the camera sees them."""

import numpy as np
import torch

from maquette.nets.pixel_aligned import (
    POSE,
    PixelAlignedDecoder,
    PoseHead,
    centres,
    mirror_pose,
    poses,
    project,
    warp_pose,
)
from maquette.rendering.camera import Camera

CAMERAS = [
    Camera(30, 20, 40),
    Camera(200, -10, 60, 96, roll_deg=7, zoom=1.7, shift=(0.1, -0.05)),
    Camera(359, 45, 25, 96, -4, 0.8, (-0.2, 0.15)),
]
POINTS = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3))


def _table(cameras):
    rows = [[c.azimuth_deg, c.elevation_deg, c.fov_deg, c.roll_deg, c.zoom, *c.shift] for c in cameras]
    return torch.tensor(rows, dtype=torch.float32)


def _seen(camera, points):
    """Right and down in [-1, 1] and depth behind the origin, by the renderer."""
    where = camera.project(points)
    return np.column_stack([2 * where[:, :2] / camera.size_px - 1, where[:, 2] - camera.distance])


def test_poses_see_points_where_the_renderers_cameras_do():
    seen = project(torch.from_numpy(POINTS).float(), poses(_table(CAMERAS))).numpy()
    for found, camera in zip(seen, CAMERAS, strict=True):
        np.testing.assert_allclose(found, _seen(camera, POINTS), atol=2e-5)


def test_a_mirrored_pose_sees_mirrored_points_in_a_mirrored_view():
    straight = project(torch.from_numpy(POINTS).float(), poses(_table(CAMERAS)))
    across = torch.from_numpy(POINTS * [-1, 1, 1]).float()
    there = project(across, mirror_pose(poses(_table(CAMERAS))))
    torch.testing.assert_close(there, straight * torch.tensor([-1.0, 1, 1]), atol=2e-5, rtol=0)


def test_a_moved_pose_sees_points_where_the_resampled_view_has_them():
    pose = poses(_table(CAMERAS))
    scale, angle = torch.tensor([0.8, 1.3, 1.0]), torch.tensor([0.1, -0.2, 0.05])
    right, down = torch.tensor([0.1, -0.1, 0.0]), torch.tensor([-0.05, 0.0, 0.08])
    new = project(torch.from_numpy(POINTS).float(), warp_pose(pose, scale, angle, right, down))[:, :, :2]
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1)], 1)
    before = new @ turn.transpose(1, 2) / scale[:, None, None] + torch.stack([right, down], 1)[:, None]
    torch.testing.assert_close(before, project(torch.from_numpy(POINTS).float(), pose)[:, :, :2], atol=2e-5, rtol=0)


def test_centres_come_in_the_order_of_a_grids_values():
    assert centres(2)[:3].tolist() == [[-0.25, -0.25, -0.25], [-0.25, -0.25, 0.25], [-0.25, 0.25, -0.25]]


def test_a_pose_head_that_says_the_truth_gives_it_back_at_no_loss_beyond_its_doubt():
    head = PoseHead(4)
    pose = poses(_table(CAMERAS))
    turn = pose[:, 0] * 24 / (2 * torch.pi)
    head_output = torch.zeros(3, 24 + 24 + POSE - 1)
    head_output[torch.arange(3), turn.round().long() % 24] = 50.0
    head_output[:, 24:48] = (turn - turn.round())[:, None]
    head_output[:, 48:] = (pose[:, 1:] - head.typical) / head.spread
    found = head.pose(head_output)
    assert ((found - pose)[:, 0].cos() > 1 - 1e-6).all()  # 359 degrees and -1 are one direction
    torch.testing.assert_close(found[:, 1:], pose[:, 1:], atol=1e-5, rtol=0)
    assert head.loss(head_output, pose) < 1e-6
    head_output[:, :24] = 0.0
    assert abs(float(head.loss(head_output, pose)) - np.log(24)) < 1e-5


def test_each_cell_sees_the_map_where_the_camera_sees_the_cell():
    """A map whose values are its own places: what a cell looks up is the projection of its eighths."""
    net = PixelAlignedDecoder(32, cells=4, maps=(6, 6), features=8, channels=2)
    pose = poses(_table([Camera(40, 25, 40, zoom=0.9)]))
    place = (torch.arange(24) + 0.5) / 12 - 1
    whole = torch.stack(torch.meshgrid(place, place, indexing="ij")[::-1])[None]  # right, down
    found = net._lookup(whole, pose)
    assert found.shape == (1, 3 * 8, 8, 8, 8)
    x, y, z, inner = 5, 2, 6, (1, 0, 1)
    point = (torch.tensor([2 * x + inner[0], 2 * y + inner[1], 2 * z + inner[2]]) + 0.5) / 16 - 0.5
    expected = project(point[None], pose)[0, 0]
    eighth = inner[0] * 4 + inner[1] * 2 + inner[2]
    torch.testing.assert_close(found[0, [eighth, 8 + eighth], x, y, z], expected[:2], atol=1e-4, rtol=0)
    assert found[0, 16:].ge(0.999).all()
    off = pose.clone()
    off[0, 4] = 5.0  # far to the right of the view
    assert net._lookup(whole, off).eq(0).all()


def test_an_untrained_correction_is_none_and_gradients_reach_all_that_it_reads():
    torch.manual_seed(0)
    net = PixelAlignedDecoder(32, cells=4, maps=(6, 5), features=8)
    inputs = [torch.randn(3, 4, 8, 8, 8), torch.randn(3, 6, 12, 12), torch.randn(3, 5, 6, 6), torch.randn(3, 8)]
    for tensor in inputs:
        tensor.requires_grad_()
    cells, fine, coarse, features = inputs
    more, head_output = net(cells, [fine, coarse], features)
    assert more.shape == (3, 64, 8, 8, 8) and more.eq(0).all()
    torch.nn.init.normal_(net.cells[-1].weight)
    more, head_output = net(cells, [fine, coarse], features)
    (more.square().mean() + head_output.square().mean()).backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in inputs)
