"""The system whose shapes obey the view: its points, their samples, and how a shape is read."""

import numpy as np
import pytest
import torch

from maquette.errors import UserError
from maquette.nets.pixel_aligned import centres
from maquette.nets.view_volume import PointDecoder, ViewVolume, turned, voxels_at
from maquette.recipe import OptimRecipe, TrainRecipe
from maquette.systems.base import Batch, Phase, Terms
from maquette.systems.view_volume import ViewVolumeConfig, ViewVolumeSystem
from maquette.training.distributed import Engine
from maquette.training.optim import make_optimisers
from maquette.training.phases import run_phase

CONFIG = ViewVolumeConfig(
    resolution=20, latent=6, generator="subvoxel", generator_channels=(16, 8), view_size=32,
    volume_widths=(4, 4, 8, 8), volume_depths=8, volume_channels=2, points=64,
)


@pytest.fixture(scope="module")
def system() -> ViewVolumeSystem:
    torch.manual_seed(0)
    made = ViewVolumeSystem(CONFIG)
    made.nets.eval()
    return made


def batch(count: int = 3, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    voxels = torch.zeros(count, 1, 20, 20, 20)
    for k in range(count):
        low = rng.integers(2, 8, 3)
        voxels[k, 0, low[0] : low[0] + 7, low[1] : low[1] + 5, low[2] : low[2] + 9] = 1
    views, poses = torch.rand(count, 3, 32, 32), torch.zeros(count, 7)
    return Batch(voxels, views, seed=seed, labels=torch.arange(count), poses=poses)


def test_values_at_voxel_centres_are_the_voxels_and_between_them_their_mean():
    grid = torch.rand(2, 1, 6, 6, 6)
    at = centres(6)[None].expand(2, -1, -1)
    assert torch.allclose(voxels_at(grid, at).view(2, 6, 6, 6), grid[:, 0], atol=1e-6)
    between = (at[:, 0] + at[:, 1])[:, None] / 2  # the first two along z
    assert torch.allclose(voxels_at(grid, between)[:, 0], grid[:, 0, 0, 0, :2].mean(1), atol=1e-6)


def test_turning_by_a_quarter_is_rot90():
    grid = torch.rand(1, 1, 6, 6, 6)
    at = centres(6)[None]
    turned_values = voxels_at(grid, turned(at, torch.tensor([torch.pi / 2]))).view(6, 6, 6)
    assert torch.allclose(turned_values, grid[0, 0].rot90(-1, (0, 1)), atol=1e-5)


def test_samples_are_voxel_centres_with_their_own_values_and_half_of_the_near_ones_are_filled(system):
    data = batch()
    points, filled = system._samples(data)
    assert points.shape == (3, 112, 3)
    assert torch.equal(voxels_at(data.real, points).round(), filled)
    near = filled[:, 64:].mean()
    assert 0.25 < float(near) < 0.95 and float(filled[:, :64].mean()) < 0.15
    again = system._samples(batch())
    assert torch.equal(again[0], points)


def test_a_shape_in_two_steps_is_the_shape_of_all_points(system):
    """With fresh weights nothing is decided, so every point is looked at."""
    views = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        shapes, poses = system.look(views)
        volume, base, _ = system.read(views)
        every = system.filled(centres(20)[None], volume, base, poses).view(2, 1, 20, 20, 20)
    assert torch.allclose(shapes, every, atol=1e-5)
    assert torch.equal(system.reconstruct(views), shapes)


def test_where_all_is_decided_the_coarse_step_is_enough(system, monkeypatch):
    asked = []

    def filled(self, points, volume, base, poses):
        asked.append(points.shape[1])
        return (points[..., 0] > 0).float()  # one half of the cube

    monkeypatch.setattr(ViewVolumeSystem, "filled", filled)
    with torch.no_grad():
        shape = system.look(torch.rand(1, 3, 32, 32))[0]
    assert torch.equal(shape[0, 0], (centres(20)[:, 0] > 0).float().view(20, 20, 20))
    assert asked[0] == 1000 and asked[1] < 8000


def test_a_point_outside_the_view_is_empty_and_a_volume_is_read_along_its_depth():
    torch.manual_seed(1)
    decoder = PointDecoder(2, 0)
    volume = torch.zeros(1, 2, 4, 8, 8)
    volume[:, :, 2:] = 3.0
    at = torch.tensor([[[0.0, 0.0, -0.6], [0.0, 0.0, 0.6], [1.2, 0.0, 0.0]]])
    front, back, outside = decoder(volume, at)[0].tolist()
    assert front != pytest.approx(back) and outside == -8.0


def test_the_volume_has_the_size_of_the_finest_map():
    sizes = zip((16, 24, 40, 112, 320), (16, 8, 4, 2, 1), strict=True)
    maps = [torch.rand(2, width, side, side) for width, side in sizes]
    assert ViewVolume((16, 24, 40, 112, 320), (4, 4, 8, 8), 8, 2)(maps).shape == (2, 2, 8, 16, 16)


def test_it_learns_two_shapes_by_heart():
    torch.manual_seed(0)
    system = ViewVolumeSystem(CONFIG)
    data = batch(2)
    rate = torch.optim.Adam(system.nets.parameters(), 3e-3)
    losses = []
    for step in range(60):
        fresh = Batch(data.voxels, data.images, seed=step, labels=data.labels, poses=data.poses)
        terms = system.autoencoder_loss(system.nets, fresh, step)
        rate.zero_grad()
        terms.total().backward()
        rate.step()
        losses.append(float(terms.minimised["view"].detach()))
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])


def test_a_class_that_is_told_changes_the_answer_and_one_that_is_not_does_not():
    torch.manual_seed(0)
    made = ViewVolumeSystem(CONFIG)
    made.nets.eval()
    with torch.no_grad():
        made.nets["encoder"].given[3] += 5
        views = torch.rand(1, 3, 32, 32)
        plain, told, other = (made.look(views, label)[0] for label in (None, 3, 2))
    assert torch.equal(plain, other) and not torch.allclose(plain, told)
    with pytest.raises(UserError, match="class_slots must be at least the number of classes, got 128 for 129"):
        made.check_labels(["x"] * 129)


def test_weights_from_imagenet_learn_at_a_share_of_the_rate_and_all_others_at_the_whole():
    """A gradient of one moves a weight by the learning rate in Adam's first step."""
    torch.manual_seed(0)
    system = ViewVolumeSystem(CONFIG)
    recipe = OptimRecipe(lr=1e-3, encoder_share=0.1, weight_decay=0.0, clip=0.0)

    def loss(nets, batch, step):
        return Terms({"all": sum(weight.sum() for weight in nets.parameters())})

    before = {name: weight.detach().clone() for name, weight in system.nets.named_parameters()}
    names = ("encoder", "camera", "volume")
    run_phase(Phase("all", names, loss), system, [batch()], make_optimisers(system, recipe), recipe,
              Engine(TrainRecipe(device="cpu")))
    for name, weight in system.nets.named_parameters():
        rate = 0.0 if name.split(".")[0] not in names else 1e-4 if name.startswith("encoder.body.") else 1e-3
        torch.testing.assert_close(before[name] - weight, torch.full_like(weight, rate), atol=1e-6, rtol=0)
