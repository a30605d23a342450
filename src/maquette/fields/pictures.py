"""Pictures of a model's objects by the model itself, from cameras about them."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from maquette.errors import UserError
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels
from maquette.rays import sampling as rays
from maquette.rays.sampling import Views
from maquette.rendering.sheets import SIDES

FRONT_DEG = SIDES["front"][0]


def views_round(config: object, count: int) -> tuple[Views, bool]:
    """Cameras all round an object, or through the azimuths that a model was trained with where these are fewer.

    The elevation and the distance are the middles of the config's ranges. Also whether it is all round, so that the
    first camera follows the last.
    """
    low, high = config.azimuth_deg
    whole = high - low >= 360
    azimuth = FRONT_DEG + torch.arange(count) * 360 / count if whole else torch.linspace(low, high, count)
    return _level_views(config, azimuth), whole


def front_view(config: object) -> Views:
    """One camera at the front right, or in the middle of the azimuths that a model was trained with."""
    low, high = config.azimuth_deg
    return _level_views(config, torch.tensor([FRONT_DEG if high - low >= 360 else (low + high) / 2]))


def pictures(model: Model, latents: Tensor, views: Views) -> Iterator[np.ndarray]:
    """What the model shows of latents `[N, latent]` from N cameras, one at a time: uint8 `[H, W, 3]`.

    Raises:
        UserError: For a model whose weights are not finite.
    """
    device = next(model.system.nets.parameters()).device
    views = Views(views.positions.to(device), views.axes.to(device), views.focal.to(device))
    for index in range(len(latents)):
        with torch.no_grad():
            image = model.system.generate(latents[index : index + 1].to(device), views[index : index + 1])
        if not image.isfinite().all():
            raise UserError(f"model '{model.name}' makes values that are not finite", hint="its training diverged")
        pixels = as_pixels(image)[0]
        yield np.ascontiguousarray(np.broadcast_to(pixels.reshape(*pixels.shape[:2], -1), (*pixels.shape[:2], 3)))


def _level_views(config: object, azimuth: Tensor) -> Views:
    elevation, away = (torch.full_like(azimuth, sum(ends) / 2) for ends in (config.elevation_deg, config.distance))
    return rays.views(azimuth, elevation, away, config.fov_deg)
