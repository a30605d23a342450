"""The latent whose shape is closest to a given one: a hand-edited grid becomes something that the model can make.

Inversion of a generator by gradient descent on its latent (Creswell, Bharath, arXiv 1802.05701), from several starts at
once, with the prior as a penalty.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32

from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.events import Progress
from maquette.extras import require
from maquette.geometry.overlap import iou
from maquette.geometry.resample import resample
from maquette.geometry.shape import Shape
from maquette.intake.line_art import to_grey
from maquette.models import prior
from maquette.models.hub import Model

if TYPE_CHECKING:
    from torch import Tensor

SIDES = {"front right": 35, "front left": 325, "front": 0, "right": 90, "back right": 145, "back left": 215}
"""The views of a given shape that an encoder is shown: azimuth in degrees."""
_ELEVATION, _MARGIN = 20.0, 0.07  # of these views: degrees, and the free space around as a share of the object's size
_FILLS = 7 / 8  # share of the cube's side: a shape this long is in the frame already
_RATE = 0.1  # first learning rate, in standard deviations of the prior; it falls linearly to 0


@dataclass(frozen=True)
class Fit:
    """How a shape's latent is searched for.

    Raises:
        UserError: If a value is out of its range.
    """

    steps: int = 200
    """Updates of the latents (Adam)."""
    starts: int = 4
    """Latents that are optimised side by side: the best of all that are tried first."""
    draws: int = 32
    """Draws from the prior among those that are tried first."""
    prior_weight: float = 0.05
    """Weight of `maquette.models.prior.unlikeliness`, against the cross-entropy of a voxel + 1 - soft IoU; 0 follows
    the shape alone."""
    seed: int = 0
    """Seed of the draws."""

    def __post_init__(self) -> None:
        for name, least, most in (("steps", 1, 100_000), ("starts", 1, 256), ("draws", 1, 4096)):
            if not least <= getattr(self, name) <= most:
                raise UserError(f"{name} must be from {least} to {most}", getattr(self, name))
        if not 0 <= self.prior_weight < float("inf"):
            raise UserError("prior_weight must be 0 or more", self.prior_weight)


@dataclass(frozen=True, eq=False)
class Projected:
    """A shape, and the closest one that was found.

    Attributes:
        given: The shape as it was compared, at the model's resolution.
        shape: What the model makes of `latent`.
        latent: What was found.
        start: Where the search that found it began.
        iou_start: Overlap of the start with the given shape, at the model's threshold.
        iou_end: Overlap of what was found with the given shape.
    """

    given: Shape
    shape: Shape
    latent: Float32[np.ndarray, " latent"]
    start: str
    iou_start: float
    iou_end: float

    def line(self) -> str:
        """The result in one line."""
        return f"IoU {self.iou_end:.3f} (from {self.iou_start:.3f}, {self.start})"


def project(
    model: Model, shape: str | Path | Shape | np.ndarray, fit: Fit | None = None
) -> Iterator[Progress | Projected]:
    """Find the latent whose shape is closest to a given one.

    The search begins from the encodings of the views from `SIDES` if the model reads pictures, from the means of the
    model's classes, and from draws from its prior. The same model, shape and fit give the same latent.

    Args:
        model: Makes the shapes.
        shape: A mesh or grid file of any size, a Shape, or a grid `[R, R, R]` in [0, 1]; `target_voxels` says how it is
            compared.
        fit: How long, and from how many starts.

    Yields:
        Progress, then one Projected.

    Raises:
        UserError: For an empty shape, and for a file that cannot be read.
    """
    fit = fit or Fit()
    require("torch", "train")
    filled = target_voxels(model, shape)
    yield Progress("projecting", 0, fit.steps)
    names, first = _candidates(model, filled, fit)
    chosen, found = yield from _descended(model, filled, first, fit)
    before, after = prior.decode(model, np.stack([first[chosen], found]))
    overlap = [float(iou(grid >= model.threshold, filled)) for grid in (before, after)]
    given, made = Shape(filled.astype(np.float32), model.threshold), Shape(after, model.threshold)
    yield Projected(given, made, found, names[chosen], *overlap)


def _descended(
    model: Model, filled: Bool[np.ndarray, "r r r"], first: Float32[np.ndarray, "n latent"], fit: Fit
) -> Generator[Progress, None, tuple[int, Float32[np.ndarray, " latent"]]]:
    """The row of the latent from which the best one was reached, and this one; by PyTorch, which has the gradients."""
    import torch

    cost, started = _objective(model, filled, fit), torch.from_numpy(first)
    with torch.no_grad():
        costs = torch.cat([cost(part) for part in started.split(32)])
    chosen = costs.argsort(stable=True)[: fit.starts]
    latents = started[chosen].clone()
    best, least = latents.clone(), costs[chosen].clone()
    low, high = prior.bounds(model)
    rate = _RATE * _deviation(model)
    optimiser = torch.optim.Adam([latents], lr=rate)
    for step in range(fit.steps + 1):  # the last pass only looks at where the last update led
        with torch.enable_grad():
            latents.requires_grad_()
            each = cost(latents)
            latents.grad = torch.autograd.grad(each.sum(), latents)[0]
        with torch.no_grad():
            better = each < least
            least = torch.where(better, each, least)
            best = torch.where(better[:, None], latents, best)
            if step < fit.steps:
                optimiser.param_groups[0]["lr"] = rate * (1 - step / fit.steps)
                optimiser.step()
                latents.clamp_(low, high)
        if step % 10 == 0 and step:
            yield Progress("projecting", step, fit.steps)
    winner = int(least.argmin())
    return int(chosen[winner]), best[winner].detach().numpy()


def target_voxels(model: Model, shape: str | Path | Shape | np.ndarray) -> Bool[np.ndarray, "r r r"]:
    """The filled voxels of a shape at the model's resolution.

    A mesh is brought into the frame and filled. A grid is cut at its own threshold (a file or an array at the model's),
    cropped and scaled into the frame; one that has the model's resolution and nearly fills its cube stays unchanged.

    Raises:
        UserError: For an empty shape, and for a file that cannot be read.
    """
    resolution = model.facts.resolution
    name = "the shape"
    if isinstance(shape, str | Path):
        name, shape = str(shape), Shape.load(shape, resolution, model.threshold)
    elif not isinstance(shape, Shape):
        shape = Shape(shape, model.threshold)
    voxels = shape.voxels
    if not voxels.any():
        raise UserError(f"{name} is empty: no voxel reaches the threshold {shape.threshold:g}",
                        f"{shape.occupancy.max():.2g} at most")
    longest = max(int(np.ptp(np.nonzero(voxels)[axis])) + 1 for axis in range(3))
    fits = len(voxels) == resolution and longest >= _FILLS * resolution
    return voxels if fits else resample(voxels, resolution)


def _objective(model: Model, filled: Bool[np.ndarray, "r r r"], fit: Fit) -> "Callable[[Tensor], Tensor]":
    """What is minimised, `[B]`, for each of several latents `[B, latent]`."""
    import torch

    from maquette.systems.losses import reconstruction_bce, reconstruction_iou

    voxels = torch.from_numpy(filled)[None, None].float()
    generator, unlikeliness = model.system.generator, _unlikeliness(model)

    def cost(latents: "Tensor") -> "Tensor":
        """Cross-entropy + 1 - soft IoU + the penalty of the prior."""
        logits = generator(latents)
        apart = [reconstruction_bce(one, voxels) + reconstruction_iou(one, voxels) for one in logits.split(1)]
        return torch.stack(apart) + fit.prior_weight * unlikeliness(latents)

    return cost


def _unlikeliness(model: Model) -> "Callable[[Tensor], Tensor]":
    """`maquette.models.prior.unlikeliness` with gradients."""
    import torch
    from torch.distributions import LowRankMultivariateNormal

    length, classes = model.facts.latent, prior.class_gaussians(model)
    if classes is not None:
        mean, factor, variance = (torch.from_numpy(values) for values in classes)
        gaussians = LowRankMultivariateNormal(mean, factor.transpose(1, 2), variance, validate_args=False)
        return lambda latents: -gaussians.log_prob(latents[:, None]).logsumexp(1) / length
    if model.facts.uniform:
        return lambda latents: latents.new_zeros(len(latents))
    return lambda latents: latents.square().sum(1) / (2 * length)


def _candidates(
    model: Model, filled: Bool[np.ndarray, "r r r"], fit: Fit
) -> tuple[list[str], Float32[np.ndarray, "n latent"]]:
    """Latents to begin from: what each is, and its values."""
    names, found = [], []
    if model.facts.reads is Reads.VIEWS:
        images = _views(model, filled)
        if images is not None:
            names += [f"its view from the {side}" for side in SIDES]
            found.append(prior.encode(model, images))
    means = model.latents.get("mean")
    if means is not None and means.ndim == 2 and means.shape[1] == model.facts.latent:
        labels = model.info.get("class_names", [])
        names += [f"the mean of {labels[row] if row < len(labels) else row}" for row in range(len(means))]
        found.append(means)
    names += [f"draw {index}" for index in range(fit.draws)]
    found.append(np.stack([prior.draw(model, fit.seed, index) for index in range(fit.draws)]))
    return names, np.concatenate(found)


def _views(model: Model, filled: Bool[np.ndarray, "r r r"]) -> Float32[np.ndarray, "v c s s"] | None:
    """The shape in plain light from `SIDES`, in [0, 1]; None for a shape that smoothing would leave nothing of."""
    from maquette.rendering import Camera, RayCaster, shade
    from maquette.rendering.framing import extent, hull_corners

    facts = model.facts
    try:
        mesh = Shape(filled.astype(np.float32)).surface()
    except UserError:
        return None
    caster = RayCaster(mesh)
    corners = hull_corners(caster)
    views = []
    for azimuth in SIDES.values():
        camera = Camera(azimuth, _ELEVATION, size_px=facts.view_size)
        left, top, right, bottom = extent(corners, camera)
        side = (1 + 2 * _MARGIN) * max(right - left, bottom - top)
        camera = camera.framing((left + right - side) / 2, (top + bottom - side) / 2, side)
        picture = shade(mesh, camera, ground=False, caster=caster)
        views.append(to_grey(picture)[None] if facts.image_channels == 1 else np.moveaxis(picture, -1, 0))
    return np.stack(views).astype(np.float32) / 255


def _deviation(model: Model) -> float:
    """The mean standard deviation of a latent's values under the prior."""
    draws = np.stack([prior.draw(model, 0, index) for index in range(64)])
    return float(draws.std(0, ddof=1).mean())
