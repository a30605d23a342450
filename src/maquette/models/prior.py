"""Where a model's latents live: draws from its prior, the bounds that they keep, and how unlikely a latent is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError
from maquette.models.hub import Model, class_hint
from maquette.models.noise import Noise

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Float64, Shaped

MAX_SPREAD = 100.0
"""The most that the deviation of latents can be scaled by."""
_LEAST_VARIANCE = 0.01  # of what a class's directions leave, as a share of the class's mean variance


def class_row(model: Model, class_name: str, name: str) -> Float32[np.ndarray, " *any"]:
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
        known = class_hint(class_name, labels) if labels else "it has no latents of classes"
        raise UserError(f"model '{model.name}' has no class of this name", repr(class_name), known)
    return model.latents[name][labels.index(class_name)]


def draw(
    model: Model, seed: int, index: int = 0, class_name: str = "", spread: float = 1.0
) -> Float32[np.ndarray, " latent"]:
    """A draw from the prior: a function of the model, the seed and the index alone.

    Args:
        model: Any with a latent.
        seed: 0 or more.
        index: The place in the count: one seed gives many draws.
        class_name: A class that the model knows, or empty for the model's own prior: what `from_normal` gives, or
            any class at random where the prior is that of classes.
        spread: Scales the deviation; 0 to 100.

    Raises:
        UserError: For a seed below 0, a spread out of its range, and an unknown class.
    """
    if seed < 0:
        raise UserError("seed must be 0 or more", seed)
    if not 0 <= spread <= MAX_SPREAD:  # nor is it nan
        raise UserError(f"spread must be from 0 to {MAX_SPREAD:g}", spread)
    noise = Noise(int(np.random.SeedSequence([seed, index]).generate_state(1)[0]))
    labels = model.class_names
    if not class_name and model.facts.by_class and labels:
        class_name = labels[noise.below(len(labels))]
    if not class_name:
        return from_normal(model, np.float32(spread) * noise.normal(model.facts.latent))
    mean, factor, rest = (class_row(model, class_name, name) for name in ("mean", "factor", "rest"))
    along = noise.normal(len(factor))
    return mean + np.float32(spread) * (along @ factor + rest * noise.normal(len(mean)))


def from_normal(model: Model, noise: Float32[np.ndarray, "*batch latent"]) -> Float32[np.ndarray, "*batch latent"]:
    """Standard normal noise to latents from the prior of a model, as its `System.from_normal` does."""
    if not model.facts.uniform:
        return noise
    flat = [0.5 * math.erfc(-value / math.sqrt(2)) for value in noise.ravel().tolist()]  # the normal distribution
    return np.array(flat, np.float32).reshape(noise.shape)


def bounds(model: Model) -> tuple[float, float]:
    """The least and the greatest value of a latent under the prior: 0 and 1 for 3D-GAN, infinite for normal ones."""
    return (0.0, 1.0) if model.facts.uniform else (-math.inf, math.inf)


def middle(model: Model) -> Float32[np.ndarray, " latent"]:
    """The middle of the prior: zeros for normal ones, 0.5 for a uniform one."""
    return np.full(model.facts.latent, 0.5 if model.facts.uniform else 0.0, np.float32)


def checked(model: Model, values: Shaped[np.ndarray, " *any"], where: str) -> Float32[np.ndarray, " latent"]:
    """A latent of this model, float32.

    Args:
        model: Any with a latent.
        values: `[latent]`, finite, within the bounds of the prior.
        where: What a message starts with: a file, "the latent".

    Raises:
        UserError: For values that do not fit.
    """
    values = np.asarray(values)
    length = model.facts.latent
    if values.shape != (length,) or values.dtype.kind not in "biuf":
        raise UserError(f"{where}: a latent of model '{model.name}' has {length} values", f"shape {values.shape}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{where}: a latent's values must be finite", f"{(~np.isfinite(values)).sum()} that are not")
    low, high = bounds(model)
    if values.min() < low or values.max() > high:
        raise UserError(f"{where}: the latents of model '{model.name}' lie in [{low:g}, {high:g}]",
                        f"values from {values.min():g} to {values.max():g}")
    return values


def decode(model: Model, latents: Float[np.ndarray, "batch latent"]) -> Float32[np.ndarray, "batch r r r"]:
    """The shapes of latents: occupancy, float32 in [0, 1]."""
    return model.runtime.generate(latents)[:, 0]


def encode(model: Model, images: Float32[np.ndarray, "batch channel size size"]) -> Float32[np.ndarray, "batch latent"]:
    """The latents of views in [0, 1]."""
    return model.runtime.encode(images)


def class_gaussians(
    model: Model,
) -> tuple[
    Float32[np.ndarray, "classes latent"], Float32[np.ndarray, "classes rank latent"],
    Float32[np.ndarray, "classes latent"],
] | None:
    """Mean, directions and remaining variance of the Gaussian of each class, where these are the prior; else None."""
    if not (model.facts.by_class and {"mean", "factor", "rest"} <= set(model.latents)):
        return None
    mean, factor, rest = (model.latents[name] for name in ("mean", "factor", "rest"))
    whole = np.square(factor).sum(1) + np.square(rest)
    least = _LEAST_VARIANCE * whole.mean(1, keepdims=True) + np.float32(1e-6)
    return mean, factor, np.maximum(np.square(rest), least)


def unlikeliness(model: Model) -> Callable[[Float[np.ndarray, "batch latent"]], Float[np.ndarray, " batch"]]:
    """A function that says how far latents are from where the prior puts them.

    Minus the logarithm of the prior's density, divided by the latent's length, up to a constant. For N(0, I) that is
    |z|^2 / 2L; for a prior of classes it is that of the mixture of their Gaussians, all weighing the same, which near
    one class is half its squared Mahalanobis distance; for a uniform prior 0: its bounds say all.
    """
    length = model.facts.latent
    classes = class_gaussians(model)
    if classes is not None:
        log_density = _log_density(*classes)
        return lambda latents: -np.logaddexp.reduce(log_density(latents), axis=1) / length
    if model.facts.uniform:
        return lambda latents: np.zeros(len(latents))
    return lambda latents: np.square(latents.astype(np.float64)).sum(1) / (2 * length)


def _log_density(
    mean: Float[np.ndarray, "classes latent"], factor: Float[np.ndarray, "classes rank latent"],
    variance: Float[np.ndarray, "classes latent"],
) -> Callable[[Float[np.ndarray, "batch latent"]], Float[np.ndarray, "batch classes"]]:
    """The logarithms of the densities of Gaussians whose covariance is factor' factor + diag(variance), in float64.

    By Woodbury's identity: only matrices of rank x rank are inverted.
    """
    mean, factor, variance = (values.astype(np.float64) for values in (mean, factor, variance))
    across, constant = _factored(mean, factor, variance)

    def log_density(latents: Float[np.ndarray, "batch latent"]) -> Float[np.ndarray, "batch classes"]:
        away = latents[:, None] - mean  # [B, K, L]
        along = np.einsum("krl,bkl->bkr", across, away)
        distance = (np.square(away) / variance).sum(2) - np.square(along).sum(2)
        return -0.5 * (constant + distance)

    return log_density


def _factored(
    mean: Float64[np.ndarray, "classes latent"], factor: Float64[np.ndarray, "classes rank latent"],
    variance: Float64[np.ndarray, "classes latent"],
) -> tuple[Float64[np.ndarray, "classes rank latent"], Float64[np.ndarray, " classes"]]:
    """What the inverses of the covariances lack beside 1 / variance, as a square root, and the densities' constant."""
    scaled = factor / variance[:, None]  # [K, k, L]
    lower = np.linalg.cholesky(np.eye(factor.shape[1]) + scaled @ factor.transpose(0, 2, 1))
    across = np.linalg.solve(lower, scaled)
    spread = np.log(variance).sum(1) + 2 * np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(1)
    return across, mean.shape[1] * math.log(2 * math.pi) + spread


def likeness(model: Model, latents: Float[np.ndarray, "1 latent"]) -> float:
    """How near a latent lies to those of what the model learned, 0 to 1; NaN where the model keeps no latents of these.

    1 within the distance that draws from its classes have from these on average, and less the further it is beyond.
    """
    if class_gaussians(model) is None:
        return math.nan
    beyond = float(unlikeliness(model)(latents)[0]) - _usual_unlikeliness(model)
    return math.exp(-max(beyond, 0.0))


def departure(model: Model, latents: Float[np.ndarray, "1 latent"]) -> float:
    """How far a latent lies from the middle of the prior, 1 for as far as a draw of a normal prior usually does.

    Where a picture tells the encoder nothing, the latent stays near the middle (with the divergence from the prior in
    its loss, that is the cheapest answer).
    """
    away = latents - middle(model)
    return float(np.linalg.norm(away) / math.sqrt(latents.shape[1]))


def _usual_unlikeliness(model: Model) -> float:
    """The expected unlikeliness of the model's own draws, where its classes lie apart from each other."""
    classes = class_gaussians(model)
    if classes is None:
        return 0.5
    mean, factor, variance = (values.astype(np.float64) for values in classes)
    across, constant = _factored(mean, factor, variance)
    own = np.square(model.latents["rest"].astype(np.float64))
    inner = (factor / variance[:, None]) @ factor.transpose(0, 2, 1)
    along = across @ factor.transpose(0, 2, 1)
    distance = (own / variance).sum(1) - (np.square(across) * own[:, None]).sum((1, 2))  # of what `rest` draws
    distance += np.trace(inner, axis1=1, axis2=2) - np.square(along).sum((1, 2))  # and of what `factor` draws
    return float(0.5 * (constant + distance).mean() / mean.shape[1])
