"""A model of 3DGEN whose field is a formula: ellipsoids that the shape code stretches, coloured by where they are."""

import torch
from torch import Tensor, nn

from maquette.models.hub import Model
from maquette.models.networks import model_of
from maquette.nets.occupancy_fields import OccupancyField
from maquette.systems.gen3d import Gen3D, Gen3DConfig

RADII = (0.42, 0.2, 0.28)
SMALL = {"height": 16, "width": 16, "shape_code": 3, "appearance_code": 3, "critic_channels": (4,), "field_width": 8,
         "field_depth": 2, "features": 4, "colour_width": 4, "colour_depth": 2, "march_steps": 24, "secant_steps": 4,
         "interval_samples": 6, "free_samples": 3, "interval_start": 0.05, "interval_end": 0.05}


class Ellipsoid(OccupancyField):
    """Radii exp(0.25 tanh(code)) times RADII, about the cube's middle."""

    features = 1

    def __init__(self, sharpness: float = 40.0):
        super().__init__()
        self.sharpness = sharpness

    def occupancy(self, positions: Tensor, shape: Tensor, owner: Tensor | None = None) -> tuple[Tensor, Tensor]:
        radii = positions.new_tensor(RADII) * (0.25 * shape.tanh()).exp()
        radii = radii[:, None] if owner is None else radii[owner]
        away = (positions / radii).square().sum(-1).add(1e-12).sqrt()
        return self.sharpness * (1 - away), positions[..., :1]


class Painted(nn.Module):
    """Red, green and blue grow along x, y and z; the appearance code makes all brighter or darker."""

    def forward(self, positions, normals, directions, features, appearance, owner=None):
        brighter = appearance[:, :1].tanh()
        if owner is None:
            brighter = brighter[:, None]
        else:
            brighter = brighter[owner].repeat_interleave(positions.shape[1] // len(owner), 0)
        return (4 * positions + 0.4 * brighter).tanh() * 0.9 - 0.05


def blob(**keys) -> Model:
    """The model; keys of its config."""
    torch.manual_seed(0)
    system = Gen3D(Gen3DConfig(**{**SMALL, **keys}))
    system.nets["generator"].field = Ellipsoid()
    system.nets["generator"].colour = Painted()
    system.nets.eval().requires_grad_(False)
    return model_of("blob", system, {}, {})
