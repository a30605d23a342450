"""A picture's camera and codes: what a known model shows is found again, bounded in time, the same every time."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from blob import blob
from PIL import Image
from tiny import tiny

from maquette import api
from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.evaluation.fields.fields import seen
from maquette.events import Progress
from maquette.fields.inversion import Inverted, Search, _spread, invert
from maquette.fields.subject import FILL, WHOLE, subject
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels
from maquette.models.prior import draw
from maquette.rays import sampling as rays
from maquette.systems.gen3d import Gen3D
from maquette.systems.graf import GRAF, GRAFConfig

FIND = Search(steps=150, azimuths=8, elevations=2, draws=2, starts=3, rays=768)
BRIEF = Search(steps=3, azimuths=2, elevations=1, draws=1, starts=2, rays=128)
AZIMUTH, ELEVATION = 200.0, 25.0


def shown(model: Model, latent: torch.Tensor, azimuth: float = AZIMUTH) -> np.ndarray:
    """The model's picture of a latent `[latent]` from a known camera, uint8 [H, W, 3]."""
    views = rays.views(torch.tensor([azimuth]), torch.tensor([ELEVATION]), torch.tensor([2.9]), 30.0)
    return as_pixels(model.system.generate(latent[None], views))[0]


def elsewhere(model: Model, latent: torch.Tensor) -> np.ndarray:
    """The same three times as large, on a wide page of grey 214 instead of white, away from its middle."""
    views = rays.views(torch.tensor([AZIMUTH]), torch.tensor([ELEVATION]), torch.tensor([2.9]), 30.0)
    with torch.no_grad():
        _, mask = model.system.look(latent[None], views, rays.pixel_places(48, latent)[None])
    on_grey = shown(model, latent) - (1 - mask.view(48, 48, 1).numpy()) * (255 - 214)
    page = np.full((200, 260, 3), 214, np.uint8)
    page[50:194, 20:164] = np.rint(on_grey).clip(0, 255).astype(np.uint8).repeat(3, 0).repeat(3, 1)
    return page


def last(events) -> Inverted:
    *progress, found = events
    assert isinstance(found, Inverted) and all(isinstance(event, Progress) for event in progress)
    assert all(0 <= event.done <= event.total for event in progress)
    return found


@pytest.mark.parametrize("moved", [False, True], ids=["as rendered", "larger, moved, on grey"])
def test_what_a_model_shows_is_found_again(moved):
    model = blob(height=48, width=48)
    latent = draw(model, 7)
    found = last(invert(model, elsewhere(model, latent) if moved else shown(model, latent), FIND))
    assert abs((found.azimuth_deg - AZIMUTH + 180) % 360 - 180) < 10
    assert abs(found.elevation_deg - ELEVATION) < 12
    others = torch.stack([draw(model, 100, index) for index in range(12)])
    _, masks = seen(model.system, others, model.system.views(others))
    theirs = [subject_iou(found.seen.mask >= 0.5, mask) for mask in masks]
    assert found.iou > 0.9 > np.mean(theirs) + 0.15, (found.iou, np.mean(theirs))
    assert found.steps == FIND.steps and not found.cut and found.start.startswith("azimuth ")
    assert found.difference < 25 and found.pixels.shape == found.seen.pixels.shape == (48, 48, 3)
    assert 0.3 < found.extent < 1.2
    said = found.line()
    assert said.startswith("seen from azimuth ") and f"outline IoU {found.iou:.2f}" in said


def subject_iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_the_latent_holds_the_camera():
    model = blob()
    found = last(invert(model, shown(model, draw(model, 7)), BRIEF))
    assert found.latent.shape == (model.system.config.latent,)
    by_latent = model.system.views(found.latent[None])
    angles = (torch.tensor([found.azimuth_deg]), torch.tensor([found.elevation_deg]))
    by_angles = rays.views(*angles, torch.tensor([2.9]), 30.0)
    assert torch.allclose(by_latent.positions, by_angles.positions, atol=1e-3)
    assert 0 <= found.azimuth_deg < 360 and 0 <= found.elevation_deg <= 45


def real(form: str) -> Model:
    """A tiny model with its own networks, moved a little from where they begin."""
    torch.manual_seed(0)
    recipe = recipes.load("3dgen-tiny").model
    planes = {"field": "planes", "field_width": 16, "field_depth": 2, "plane_side": 8, "plane_features": 2,
              "plane_width": 6}
    if form == "graf":
        system = GRAF(GRAFConfig(height=16, width=16, shape_code=5, appearance_code=4, position_octaves=2,
                                 critic_channels=(4,), field_width=16, field_depth=3, samples=8))
        system.nets["generator"].field.density.bias.data.fill_(30.0)
    else:
        system = Gen3D(dataclasses.replace(recipe, **(planes if form == "planes" else {})))
    with torch.no_grad():
        for parameter in system.nets["generator"].parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    system.nets.eval().requires_grad_(False)
    return Model(f"tiny {form}", system, {}, {})


@pytest.mark.parametrize("form", ["mlp", "planes", "graf"])
def test_every_field_is_searched_and_the_seed_decides(form):
    model = real(form)
    picture = shown(blob(), draw(blob(), 3))
    found = [last(invert(model, picture, dataclasses.replace(BRIEF, seed=seed))) for seed in (0, 0, 1)]
    assert torch.equal(found[0].latent, found[1].latent) and np.array_equal(found[0].pixels, found[1].pixels)
    if form != "graf":  # of which no step is better than the start
        assert not torch.equal(found[0].latent, found[2].latent)
    assert found[0].latent.isfinite().all() and found[0].steps == 3


def test_camera_codes_and_frame_all_get_a_gradient():
    from maquette.fields.inversion import _Task

    for form in ("mlp", "planes", "graf"):
        model = real(form)
        task = _Task(model, subject(shown(blob(), draw(blob(), 3)), 16, 3), BRIEF)
        poses = task.chosen([task.tried((30.0, 20.0), 0)])
        before = poses.kept()
        assert len(poses) == 1
        task.step(poses, task.optimiser(poses), torch.Generator().manual_seed(0), 1.0)
        for name in ("codes", "angles", "frame"):
            assert (getattr(poses, name) != getattr(before, name)).all(), (form, name)


def test_time_ends_a_search_with_the_best_so_far():
    model, picture = blob(), shown(blob(), draw(blob(), 3))
    seconds = itertools.count()
    four = dataclasses.replace(BRIEF, azimuths=4, steps=1000, seconds=20)
    found = last(invert(model, picture, four, clock=lambda: next(seconds)))
    # asked at the start, before three of the four tries, after them, and before each step: at 5, ..., 16. A step takes
    # 1 s and a picture too; kept for the end are those of two starts, of the first one, and 4 / 9 for the result.
    assert (found.steps, found.cut) == (11, True)
    seconds = itertools.count()
    events = list(invert(model, picture, dataclasses.replace(four, seconds=1), clock=lambda: next(seconds)))
    assert (events[-1].steps, events[-1].cut) == (0, True) and events[-1].latent.isfinite().all()
    assert [event.done for event in events[:-1]] == [1, 0], "one camera was tried, none of the steps was done"


def test_the_cameras_tried_first_are_all_around():
    assert _spread(8) == [0, 4, 2, 6, 1, 5, 3, 7] and sorted(_spread(13)) == list(range(13)) and _spread(1) == [0]
    from maquette.fields.inversion import _Task

    model = blob()
    whole = _Task(model, subject(shown(model, draw(model, 1)), 16, 3), Search(azimuths=4, elevations=2, draws=2))
    cameras = whole.cameras()
    assert len(cameras) == 16 and [angles[0] for angles in cameras[:4]] == [0, 180, 90, 270]
    sines = np.sin(np.radians([cameras[0][1], cameras[4][1]]))
    assert sines == pytest.approx(np.sin(np.radians(45)) * np.array([0.25, 0.75]))
    part = blob(azimuth_deg=(-30.0, 30.0), elevation_deg=(10.0, 10.0))
    task = _Task(part, whole.seen, Search(azimuths=2, elevations=1, draws=1))
    assert task.cameras() == [(-15, pytest.approx(10)), (15, pytest.approx(10))]
    found = last(invert(part, shown(part, draw(part, 3), 10.0), BRIEF))
    assert -30 <= found.azimuth_deg <= 30 and found.elevation_deg == 10


def test_an_object_is_cut_out_and_framed():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (80, 120, 3), dtype=np.uint8)
    mask = np.zeros((80, 120), np.uint8)
    mask[20:50, 40:60] = 255  # 20 wide, 30 high
    cut = subject(np.dstack([noise, mask]), 40, 3)
    rows, columns = (np.flatnonzero((cut.mask > 0.5).any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1] + 1) == (6, 34), "the longer side takes 0.7 of 40, in the middle"
    wide = columns[-1] + 1 - columns[0]
    assert columns[0] + columns[-1] + 1 == 40 and wide == pytest.approx(2 / 3 * FILL * 40, abs=1)
    assert (cut.pixels[cut.mask == 0] == 255).all() and cut.notes == ()
    plain = np.full((80, 120, 3), 90, np.uint8)
    plain[20:50, 40:60] = 200
    on_plain = subject(plain, 40, 1)
    assert np.array_equal(on_plain.mask, cut.mask) and on_plain.pixels.shape == (40, 40)
    assert set(np.unique(on_plain.pixels[on_plain.mask == 1])) == {200} and on_plain.pixels[0, 0] == 255
    grey = subject(plain[..., 0], 40, 3)
    assert np.array_equal(grey.mask, cut.mask)
    busy = subject(noise, 40, 3)
    assert busy.mask is None and busy.notes == (WHOLE,) and busy.pixels.shape == (40, 40, 3)
    opaque = subject(np.dstack([plain, np.full((80, 120), 255, np.uint8)]), 40, 3)
    assert np.array_equal(opaque.mask, cut.mask), "an alpha channel that hides nothing says nothing"


def test_a_picture_without_an_outline_is_compared_as_it_is():
    rng = np.random.default_rng(0)
    model = blob()
    found = last(invert(model, rng.integers(0, 256, (40, 40, 3), dtype=np.uint8), BRIEF))
    assert found.iou is None and (found.centre, found.extent) == ((0.5, 0.5), 1) and "outline" not in found.line()


@pytest.mark.parametrize("keys, text", [
    ({"steps": 0}, "steps must be from 1 to 100000, got 0"),
    ({"azimuths": 361}, "azimuths must be from 1 to 360, got 361"),
    ({"elevations": 0}, "elevations must be from 1 to 90, got 0"),
    ({"draws": 0}, "draws must be from 1 to 1000, got 0"),
    ({"starts": 65}, "starts must be from 1 to 64, got 65"),
    ({"rays": 0}, "rays must be from 1 to 1048576, got 0"),
    ({"silhouette": -1.0}, "silhouette must be 0 or more, got -1.0"),
    ({"prior_weight": float("nan")}, "prior_weight must be 0 or more, got nan"),
    ({"seconds": 0.0}, "seconds must be above 0, got 0.0"),
    ({"seconds": float("inf")}, "seconds must be above 0, got inf"),
    ({"seed": -1}, "seed must be 0 or more, got -1"),
])
def test_searches_that_cannot_be(keys, text):
    with pytest.raises(UserError, match=text):
        Search(**keys)


def test_what_cannot_be_inverted_is_one_clear_line(tmp_path):
    model, picture = blob(), shown(blob(), draw(blob(), 3))

    def says(text: str, what=picture, of: Model = model) -> None:
        with pytest.raises(UserError, match=text):
            list(invert(of, what, BRIEF))

    says("model 'tiny iwgan' makes no views of objects: it is a iwgan; use one trained with 3dgen or graf",
         of=tiny("iwgan"))
    says("gone.png does not exist", tmp_path / "gone.png")
    says("the picture is too small to hold an object, got 7x40 pixels", np.zeros((40, 7, 3), np.uint8))
    says(r"a picture must be uint8 \[H, W\], \[H, W, 3\] or \[H, W, 4\], got float64 \(9, 9\)", np.zeros((9, 9)))
    says(r"got uint8 \(9, 9, 2\)", np.zeros((9, 9, 2), np.uint8))
    says("the picture shows no object on its plain background", np.full((40, 40, 3), 200, np.uint8))
    says("the picture shows no object: its alpha channel is empty", np.zeros((40, 40, 4), np.uint8))
    Image.fromarray(np.zeros((40, 40, 4), np.uint8)).save(tmp_path / "clear.png")
    says("clear.png shows no object: its alpha channel is empty", tmp_path / "clear.png")
    empty = blob()
    empty.system.nets["generator"].field.occupancy = lambda at, shape, _=None: (-50 + 0 * at[..., 0], at[..., :1])
    says("model 'blob' shows no object from any camera; look at its samples: maquette generate", of=empty)
    broken = real("planes")
    broken.system.nets["generator"].colour.last.weight.fill_(float("nan"))
    says("model 'tiny planes' makes values that are not finite; its training diverged", of=broken)
    with pytest.raises(UserError, match="does not read pictures; pictures are inverted by it: maquette.api.invert"):
        api.reconstruct(picture, model)
    assert isinstance(last(api.invert(picture, model, search=BRIEF)), Inverted)
