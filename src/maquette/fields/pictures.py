"""Pictures of a model's objects by the model itself, from cameras around them."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from maquette.errors import UserError
from maquette.fields.extract import field_system
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels
from maquette.rays import sampling as rays
from maquette.rays.sampling import Views
from maquette.rendering.sheets import SIDES
from maquette.systems.graf import ViewsConfig

FRONT_DEG = SIDES["front"][0]
"""Azimuth of the camera at the front right."""


def views_round(config: ViewsConfig, count: int) -> tuple[Views, bool]:
    """Cameras all around an object, or through the azimuths that a model was trained with if these are fewer.

    The elevation and the distance are the middles of the config's ranges.

    Returns:
        The cameras, and whether they go all around, so that the first one follows the last.
    """
    low, high = config.azimuth_deg
    whole = high - low >= 360
    azimuth = FRONT_DEG + torch.arange(count) * 360 / count if whole else torch.linspace(low, high, count)
    return _level_views(config, azimuth), whole


def front_view(config: ViewsConfig) -> Views:
    """One camera at the front right, or in the middle of the azimuths that a model was trained with."""
    low, high = config.azimuth_deg
    return _level_views(config, torch.tensor([FRONT_DEG if high - low >= 360 else (low + high) / 2]))


def render_latents(
    model: Model, latents: Float[Tensor, "n latent"], views: Views
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """What the model shows of latents, one at a time.

    Args:
        model: A model of 3DGEN or GRAF.
        latents: The objects.
        views: A camera for each.

    Raises:
        UserError: For a model without a field, or one whose weights are not finite.
    """
    system = field_system(model)
    device = next(system.nets.parameters()).device
    views = Views(views.positions.to(device), views.axes.to(device), views.focal.to(device))
    for index in range(len(latents)):
        with torch.no_grad():
            image = system.generate(latents[index : index + 1].to(device), views[index : index + 1])
        if not image.isfinite().all():
            raise UserError(f"model '{model.name}' makes values that are not finite", hint="its training diverged")
        pixels = as_pixels(image)[0]
        yield np.ascontiguousarray(np.broadcast_to(pixels.reshape(*pixels.shape[:2], -1), (*pixels.shape[:2], 3)))


def _level_views(config: ViewsConfig, azimuth: Float[Tensor, " n"]) -> Views:
    """Cameras at these azimuths, in degrees, at the middle elevation and distance."""
    elevation, away = (torch.full_like(azimuth, sum(ends) / 2) for ends in (config.elevation_deg, config.distance))
    return rays.views(azimuth, elevation, away, config.fov_deg)
