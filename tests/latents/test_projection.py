"""A shape's latent: what the generator made is found again, the same every time, and nearer than where it began."""

import numpy as np
import pytest
import trimesh
from tiny import tiny

from maquette import api
from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.overlap import iou
from maquette.geometry.resample import resample
from maquette.geometry.shape import Shape
from maquette.geometry.voxelise import voxelise
from maquette.latents.projection import Fit, Projected, target_voxels
from maquette.models import prior


@pytest.fixture(scope="module", params=["iwgan", "gan3d", "vae-iwgan-image"])
def model(request):
    return tiny(request.param)


@pytest.fixture(scope="module")
def plain():
    return tiny("iwgan")


def test_a_shape_of_the_generator_is_found_again(model):
    known = api.generate(model, 1, seed=1234)[0]
    share = known.voxels.mean()
    assert 0.03 < share < 0.9, "the shape is something to find"
    fit = Fit(steps=80, starts=3, draws=24, prior_weight=0.01, seed=1)
    *events, found = list(api.project(known, model, fit=fit))
    assert isinstance(found, Projected) and all(isinstance(event, Progress) for event in events)
    assert [event.done for event in events] == list(range(0, 81, 10)) and {event.total for event in events} == {80}
    assert found.iou_end > 0.95 > found.iou_start
    assert found.iou_end == pytest.approx(float(iou(found.shape.voxels, known.voxels)))
    again = prior.decode(model, found.latent[None])[0]
    assert np.allclose(again, found.shape.occupancy, atol=1e-4)
    low, high = prior.bounds(model)
    assert low <= found.latent.min() and found.latent.max() <= high


def test_the_same_seed_finds_the_same_latent(plain):
    shape = api.generate(plain, 1, seed=5)[0]
    latents = [list(api.project(shape, plain, fit=Fit(5, 2, 8, seed=seed)))[-1].latent for seed in (1, 1, 2)]
    assert np.array_equal(latents[0], latents[1]) and not np.array_equal(latents[0], latents[2])


def test_a_heavy_prior_keeps_the_latent_likely(plain):
    shape = np.zeros((20, 20, 20), np.float32)
    shape[:, 8:12, :4] = 1
    found = [list(api.project(shape, plain, fit=Fit(40, 2, 8, weight)))[-1] for weight in (0, 100)]
    norms = [np.linalg.norm(one.latent) for one in found]
    assert norms[1] < 0.3 < norms[0]


def test_views_and_means_of_classes_are_tried_first():
    model = tiny("vae-iwgan-image")
    mean = prior.decode(model, model.latents["mean"][1:])[0]
    found = list(api.project(Shape(mean), model, fit=Fit(1, 1, 4)))[-1]
    assert found.start == "the mean of sofa" and found.iou_start == 1
    from maquette.latents.projection import SIDES, _candidates

    names, latents = _candidates(model, Shape(mean).voxels, Fit(draws=3))
    views = [f"its view from the {side}" for side in SIDES]
    assert names == [*views, "the mean of chair", "the mean of sofa", "draw 0", "draw 1", "draw 2"]
    assert latents.shape == (len(names), 6) and len({tuple(row.tolist()) for row in latents}) == len(names)


def test_what_a_shape_is_compared_as(plain, tmp_path):
    box = trimesh.creation.box((30, 15, 60))
    box.export(tmp_path / "box.stl")
    assert np.array_equal(target_voxels(plain, tmp_path / "box.stl"), voxelise(box, 20, normalise=True))
    small = np.zeros((20, 20, 20), bool)
    small[3:9, 4:12, 5:15] = True
    assert np.array_equal(target_voxels(plain, small), resample(small, 20)), "scaled into the frame"
    nearly = np.zeros((20, 20, 20), bool)
    nearly[1:19, 3:9, 4:12] = True
    assert np.array_equal(target_voxels(plain, nearly), nearly), "in the frame already"
    fine = np.zeros((30, 30, 30), np.float32)
    fine[3:27, 6:18, 3:27] = 0.4
    Shape(fine).save(tmp_path / "fine.npz")
    low = tiny("iwgan")
    low.info["threshold"] = 0.3
    filled = target_voxels(low, tmp_path / "fine.npz")
    assert np.array_equal(filled, resample(fine > 0, 20)), "cut at the model's threshold"


def test_what_is_no_shape_is_said(plain, tmp_path):
    np.savez(tmp_path / "empty.npz", occupancy=np.full((8, 8, 8), 0.2))
    with pytest.raises(UserError, match="empty.npz is empty: no voxel reaches the threshold 0.5, got 0.2 at most"):
        list(api.project(tmp_path / "empty.npz", plain))
    with pytest.raises(UserError, match="the shape is empty"):
        list(api.project(np.zeros((20, 20, 20)), plain))
    with pytest.raises(UserError, match="unknown format, got '.txt'"):
        list(api.project("shape.txt", plain))


@pytest.mark.parametrize(
    "options, says",
    [
        ({"steps": 0}, "steps must be from 1 to 100000, got 0"),
        ({"starts": 0}, "starts must be from 1 to 256, got 0"),
        ({"draws": 5000}, "draws must be from 1 to 4096, got 5000"),
        ({"prior_weight": -1}, "prior_weight must be 0 or more, got -1"),
        ({"prior_weight": float("nan")}, "prior_weight must be 0 or more, got nan"),
    ],
)
def test_options_that_cannot_be(options, says):
    with pytest.raises(UserError, match=says):
        Fit(**options)
