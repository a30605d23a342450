"""Pictures with a known camera, short searches, and tiny models with a field."""

import dataclasses

import numpy as np
import torch

from maquette import recipe as recipes
from maquette.events import Progress
from maquette.fields.inversion import Inverted, Search
from maquette.models.hub import Model
from maquette.models.networks import model_of
from maquette.models.pixels import as_pixels
from maquette.rays import sampling as rays
from maquette.systems.gen3d import Gen3D
from maquette.systems.graf import GRAF, GRAFConfig

AZIMUTH, ELEVATION = 200.0, 25.0
BRIEF = Search(steps=3, azimuths=2, elevations=1, draws=1, starts=2, rays=128)


def shown(model: Model, latent: torch.Tensor, azimuth: float = AZIMUTH) -> np.ndarray:
    """The model's picture of a latent `[latent]` from a known camera, uint8 [H, W, 3]."""
    views = rays.views(torch.tensor([azimuth]), torch.tensor([ELEVATION]), torch.tensor([2.9]), 30.0)
    return as_pixels(model.system.generate(latent[None], views))[0]


def last(events) -> Inverted:
    *progress, found = events
    assert isinstance(found, Inverted) and all(isinstance(event, Progress) for event in progress)
    assert all(0 <= event.done <= event.total for event in progress)
    return found


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
    return model_of(f"tiny {form}", system, {}, {})
