"""Where a model's latents live: draws from its prior, the bounds that they keep, and how unlikely a latent is."""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import LowRankMultivariateNormal

from maquette.errors import UserError
from maquette.models.hub import Model
from maquette.systems.base import System

MAX_SPREAD = 100.0
"""The most that the deviation of latents can be scaled by."""
_LEAST_VARIANCE = 0.01  # of what a class's directions leave, as a share of the class's mean variance


def class_row(model: Model, class_name: str, name: str) -> Tensor:
    """What the model knows of one class.

    Args:
        model: Any.
        class_name: The class.
        name: `mean` `[latent]`, `factor` `[k, latent]` or `rest` `[latent]`.

    Raises:
        UserError: For an unknown class.
    """
    labels = model.class_names if name in model.latents else []
    if class_name not in labels:
        known = f"it knows {', '.join(labels)}" if labels else "it has no latents of classes"
        raise UserError(f"model '{model.name}' has no class of this name", repr(class_name), known)
    return model.latents[name][labels.index(class_name)]


def draw(
    model: Model, seed: int, index: int = 0, class_name: str = "", spread: float = 1.0
) -> Float[Tensor, " latent"]:
    """A draw from the prior, on the CPU: a function of the model, the seed and the index alone.

    Args:
        model: Any with a latent.
        seed: 0 or more.
        index: The place in the count: one seed gives many draws.
        class_name: A class that the model knows, or empty for the model's own prior: what `System.from_normal` gives,
            or any class at random where the prior is that of classes.
        spread: Scales the deviation; 0 to 100.

    Raises:
        UserError: For a seed below 0, a spread out of its range, and an unknown class.
    """
    if seed < 0:
        raise UserError("seed must be 0 or more", seed)
    if not 0 <= spread <= MAX_SPREAD:  # nor is it nan
        raise UserError(f"spread must be from 0 to {MAX_SPREAD:g}", spread)
    noise = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, index]).generate_state(1)[0]))
    labels = model.class_names
    if not class_name and model.system.draws_by_class() and labels:
        class_name = labels[int(torch.randint(len(labels), (1,), generator=noise))]
    if not class_name:
        return model.system.from_normal(spread * torch.randn(model.system.config.latent, generator=noise))
    mean, factor, rest = (class_row(model, class_name, name) for name in ("mean", "factor", "rest"))
    along = torch.randn(len(factor), generator=noise)
    return mean + spread * (along @ factor + rest * torch.randn(len(mean), generator=noise))


def bounds(system: System) -> tuple[float, float]:
    """The least and the greatest value of a latent under the prior: 0 and 1 for 3D-GAN, infinite for normal ones."""
    ends = torch.tensor([-math.inf, math.inf])[:, None].expand(2, system.config.latent)
    low, high = system.from_normal(ends)
    return float(low.min()), float(high.max())


def middle(system: System) -> Tensor:
    """The middle of the prior, `[latent]`: zeros for normal ones, 0.5 for a uniform one."""
    return system.from_normal(torch.zeros(system.config.latent))


def checked(model: Model, values: np.ndarray | Tensor, where: str) -> Float[Tensor, " latent"]:
    """A latent of this model, float32.

    Args:
        model: Any with a latent.
        values: `[latent]`, finite, within the bounds of the prior.
        where: What a message starts with: a file, "the latent".

    Raises:
        UserError: For values that do not fit.
    """
    values = np.asarray(values)
    length = model.system.config.latent
    if values.shape != (length,) or values.dtype.kind not in "biuf":
        raise UserError(f"{where}: a latent of model '{model.name}' has {length} values", f"shape {values.shape}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{where}: a latent's values must be finite", f"{(~np.isfinite(values)).sum()} that are not")
    low, high = bounds(model.system)
    if values.min() < low or values.max() > high:
        raise UserError(f"{where}: the latents of model '{model.name}' lie in [{low:g}, {high:g}]",
                        f"values from {values.min():g} to {values.max():g}")
    return torch.from_numpy(values)


@torch.inference_mode()
def decode(model: Model, latents: Float[Tensor, "batch latent"]) -> Float[np.ndarray, "batch r r r"]:
    """The shapes of latents: occupancy, float32 in [0, 1]."""
    made = [model.system.generate(part.to(model.device)) for part in latents.split(32)]
    return torch.cat(made).squeeze(1).cpu().numpy()


@torch.no_grad()
def encode(model: Model, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch latent"]:
    """The latents of views in [0, 1], on the CPU."""
    return model.system.encode(images.to(model.device).contiguous(memory_format=torch.channels_last)).cpu()


def unlikeliness(model: Model) -> Callable[[Tensor], Tensor]:
    """A function that says how far latents `[B, latent]` are from where the prior puts them, `[B]`.

    Minus the logarithm of the prior's density, divided by the latent's length, up to a constant. For N(0, I) that is
    |z|^2 / 2L; for a prior of classes it is that of the mixture of their Gaussians, all weighing the same, which near
    one class is half its squared Mahalanobis distance; for a uniform prior 0: its bounds say all.
    """
    length = model.system.config.latent
    by_class = model.system.draws_by_class()
    if by_class and {"mean", "factor", "rest"} <= set(model.latents):
        mean, factor, rest = (model.latents[name].float() for name in ("mean", "factor", "rest"))
        whole = factor.square().sum(1) + rest.square()  # [K, L]
        least = _LEAST_VARIANCE * whole.mean(1, keepdim=True) + 1e-6
        classes = LowRankMultivariateNormal(mean, factor.transpose(1, 2), torch.maximum(rest.square(), least),
                                            validate_args=False)
        return lambda latents: -classes.log_prob(latents[:, None]).logsumexp(1) / length
    if math.isfinite(sum(bounds(model.system))):
        return lambda latents: latents.new_zeros(len(latents))
    return lambda latents: latents.square().sum(1) / (2 * length)


def likeness(model: Model, latents: Float[Tensor, "1 latent"]) -> float:
    """How near a latent lies to those of what the model learned, 0 to 1; NaN where the model keeps no latents of these.

    1 within the distance that the draws from its classes have from these classes, and less the further it is beyond.
    """
    if not (model.system.draws_by_class() and {"mean", "factor", "rest"} <= set(model.latents)):
        return math.nan
    beyond = float(unlikeliness(model)(latents.cpu().float())) - _usual_unlikeliness(model)
    return math.exp(-max(beyond, 0.0))


def departure(model: Model, latents: Float[Tensor, "1 latent"]) -> float:
    """How far a latent lies from the middle of the prior, 1 for as far as a draw of a normal prior usually does.

    Where a picture tells the encoder nothing, the latent stays near the middle (with the divergence from the prior in
    its loss, that is the cheapest answer).
    """
    away = latents.cpu().float() - middle(model.system)
    return float(away.norm() / math.sqrt(latents.shape[1]))


def _usual_unlikeliness(model: Model) -> float:
    """The mean unlikeliness of the model's own draws."""
    drawn = torch.stack([draw(model, 0, index) for index in range(32)])
    return float(unlikeliness(model)(drawn).mean())
