"""Images out of a model that makes images, and how they lie in memory: [-1, 1] in networks, 0 to 255 outside."""

from collections.abc import Iterator

import numpy as np

from maquette.errors import UserError
from maquette.models.hub import ModelOrName, as_model
from maquette.models.prior import draw
from maquette.models.views import pixels_of


def sample_images(
    model: ModelOrName, count: int = 16, seed: int = 0, batch: int = 16, *, spread: float = 1.0
) -> np.ndarray:
    """New images from random latents, uint8 `[count, H, W]` or, in colour, `[count, H, W, 3]`.

    Model, seed and place in the count decide an image, whatever the count; with another batch, or on another device,
    sums are rounded otherwise and some values can differ by a level.

    Args:
        model: One that makes images, or its name or folder.
        count: How many, 1 or more.
        seed: Of the latents, 0 or more.
        batch: Images that are made at once.
        spread: Scales the latents' deviation; below 1 gives more typical images.

    Raises:
        UserError: For a model that makes no images, and for one whose weights are not finite.
    """
    return np.concatenate(list(batches_of_images(model, count, seed, batch, spread=spread)))


def batches_of_images(
    model: ModelOrName, count: int = 16, seed: int = 0, batch: int = 16, *, spread: float = 1.0
) -> Iterator[np.ndarray]:
    """`sample_images`, at most `batch` at a time."""
    model = as_model(model)
    if not model.facts.makes.images:
        raise UserError(f"model '{model.name}' makes no images: it is a {model.facts.system}",
                        hint="use one trained with wgan-gp")
    for name, value in (("count", count), ("batch", batch)):
        if value < 1:
            raise UserError(f"{name} must be at least 1", value)
    for first in range(0, count, batch):
        # always whole batches: how sums are rounded depends on their size
        latents = np.stack([draw(model, seed, index, spread=spread) for index in range(first, first + batch)])
        images = model.runtime.generate(latents)
        if not np.isfinite(images).all():
            raise UserError(f"model '{model.name}' makes values that are not finite", hint="its training diverged")
        yield pixels_of(images[: count - first])
