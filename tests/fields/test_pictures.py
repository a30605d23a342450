"""Cameras around an object, and pictures from them."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from maquette import recipe as recipes
from maquette.errors import UserError
from maquette.fields.pictures import front_view, render_latents, views_round
from maquette.models import networks
from maquette.models.hub import Model
from maquette.systems import SYSTEMS


def model_of(name: str = "3dgen-tiny", **keys) -> Model:
    torch.manual_seed(0)
    recipe = recipes.load(name)
    system = SYSTEMS[recipe.system](dataclasses.replace(recipe.model, **keys))
    system.nets.eval().requires_grad_(False)
    return networks.model_of("tiny", system, {}, {})


def test_cameras_go_all_round_or_through_those_of_training():
    config = model_of(distance=(2.0, 3.0)).system.config
    views, whole = views_round(config, 8)
    assert whole and len(views) == 8
    assert torch.allclose(views.positions.norm(dim=1), torch.tensor(2.5))
    assert torch.allclose(views.positions[:, 2], torch.tensor(2.5 * math.sin(math.radians(22.5)))), "elevation 0 to 45"
    assert torch.allclose(views.positions[4, :2], -views.positions[0, :2], atol=1e-5)
    assert torch.allclose(front_view(config).positions[0], views.positions[0], atol=1e-5)
    narrow = dataclasses.replace(config, azimuth_deg=(-20.0, 40.0))
    views, whole = views_round(narrow, 3)
    azimuth = torch.atan2(-views.positions[:, 0], views.positions[:, 1]).rad2deg()
    assert not whole and torch.allclose(azimuth, torch.tensor([-20.0, 10.0, 40.0]), atol=1e-4)
    assert torch.allclose(front_view(narrow).positions[0], views.positions[1], atol=1e-5)


def test_pictures_are_what_the_model_shows():
    model = model_of("3dgen-tiny", channels=1)
    latents = torch.randn(2, 14)
    views, _ = views_round(model.system.config, 2)
    seen = list(render_latents(model, latents, views))
    assert [picture.shape for picture in seen] == [(16, 16, 3)] * 2 and seen[0].dtype == np.uint8
    with torch.no_grad():
        image = model.system.generate(latents, views)[1, 0]
    assert np.abs(seen[1][..., 2] - ((image + 1) * 127.5).numpy()).max() <= 0.51
    assert (seen[0][0, 0] == 255).all() and seen[0].min() < 255
    model.system.nets["generator"].colour.last.bias.fill_(math.nan)
    with pytest.raises(UserError, match="model 'tiny' makes values that are not finite; its training diverged"):
        list(render_latents(model, latents, views))
