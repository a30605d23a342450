"""Measures networks as they are: are values finite, do samples differ, how steep is the critic, is the latent used."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.capabilities import Makes
from maquette.systems.base import Batch, System
from maquette.systems.losses import kl_to_standard_normal
from maquette.training.distributed import gather_full
from maquette.training.inputs import EncoderInput

PROBED_SHAPES = 32
"""Shapes that a probe looks at: 496 pairs give a steady mean, and the cost stays below a few training steps."""
PROBED_IMAGES = 16
"""The same of images, which are larger: 120 pairs."""
Real = Float[Tensor, "_ 1 r r r"] | Float[Tensor, "_ channel height width"]
"""Shapes, occupancy in [0, 1]; or images in [-1, 1]."""


def probe(
    system: System, real: Real, seen: EncoderInput | None, seed: int
) -> dict[str, float]:
    """Numbers about networks as they are; weights, modes, gradients and the global random state stay untouched.

    - `nonfinite/<network>`: how many of its weights and statistics are not finite; `nonfinite/samples`: of made values.
    - `samples/empty`, `samples/full`: shares of made grids with no voxel, or with all voxels, above 0.5.
    - `samples/distance`, `real/distance`, `samples/variety`: mean difference a voxel or pixel over pairs of made and of
      real samples, and the first as a share of the second.
    - `critic/real`, `critic/fake`, with `_std`: its scores. `critic/reach`: mean L2 distance of real and made samples,
      the largest difference of scores that a critic of slope 1 can give them. `critic/slope`: mean norm of its gradient
      at mixes of them, which the penalty wants at 1.
    - `encoder/kl_nats`, and `encoder/spread`: the standard deviation of a latent's mean over the shapes, averaged over
      latents.

    A value that cannot be had (of networks that are not finite, or of pairs of a single shape) is NaN. The networks run
    in evaluation mode and in float32. What is made are reconstructions of what is seen, or samples of N(0, I) for a
    system without an encoder.

    Args:
        system: The networks, on their device.
        real: Shapes, or images in [-1, 1] for a system that makes images; at most PROBED_SHAPES or PROBED_IMAGES are
            used.
        seen: Views or scans of the shapes, for systems with an encoder.
        seed: Of the latents and mixes.
    """
    device = next(system.nets.parameters()).device
    limit = PROBED_IMAGES if system.makes.images else PROBED_SHAPES
    seen, real = None if seen is None else seen[:limit].to(device), real[:limit].to(device).float()
    batch = Batch(None, real, seed=seed) if system.makes.images else Batch(real, seed=seed)
    values: dict[str, Tensor | float] = {f"nonfinite/{name}": _broken(net) for name, net in system.nets.items()}
    if system.makes is Makes.LABELS:
        return {name: float(value) for name, value in values.items()}
    with evaluating(system.nets), torch.no_grad():
        made, of_encoder = _make(system, batch, seen, limit)
        values |= of_encoder | _of_samples(made, real) | (_of_grids(made) if system.makes is Makes.SHAPES else {})
        if system.critic is not None:
            # rolled: mixes are of unrelated shapes, as in training, not of a shape and its own reconstruction
            fake = made[: len(batch)].roll(1, 0)
            values |= _of_critic(system.critic, real, fake, batch.uniform(len(batch)))
    return {name: float(value) for name, value in values.items()}


@contextmanager
def evaluating(nets: nn.Module) -> Iterator[None]:
    """A context in which the networks are in evaluation mode; after it every module has its own mode back."""
    training = [module for module in nets.modules() if module.training]
    nets.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _broken(net: nn.Module) -> int:
    """How many values of its state are not finite; weights that are spread over devices are gathered for it."""
    tensors = [value.detach() for value in net.state_dict().values() if value.is_floating_point()]
    return sum(int(gather_full(value).isfinite().logical_not().sum()) for value in tensors)


def _make(system: System, batch: Batch, seen: EncoderInput | None, count: int) -> tuple[Real, dict[str, Tensor]]:
    """Shapes or images from what is seen or `count` from N(0, I), and the numbers of the encoder."""
    if seen is None or system.encoder is None:
        return system.generate(system.from_normal(batch.normal(count, system.latent))).float(), {}
    mean, log_variance = system.encoder(seen)
    spread = mean.std(0, correction=0).mean()
    kl = kl_to_standard_normal(mean, log_variance)
    return system.generate(mean).float(), {"encoder/kl_nats": kl, "encoder/spread": spread}


def _of_samples(made: Real, real: Real) -> dict[str, Tensor | float]:
    distance, of_real = _mean_distance(made), _mean_distance(real)
    return {
        "nonfinite/samples": made.isfinite().logical_not().sum(),
        "samples/distance": distance,
        "real/distance": of_real,
        "samples/variety": distance / of_real if of_real > 0 else math.nan,
    }


def _of_grids(made: Real) -> dict[str, Tensor | float]:
    occupied, broken = (made > 0.5).flatten(1), not made.isfinite().all()
    return {
        "samples/empty": math.nan if broken else (~occupied.any(1)).float().mean(),
        "samples/full": math.nan if broken else occupied.all(1).float().mean(),
    }


def _mean_distance(shapes: Real) -> Float[Tensor, ""]:
    """Mean absolute difference a voxel or pixel over all pairs.

    Unlike 1 - IoU it needs no threshold: grey grids that are alike cannot differ by which voxels cross it, and two
    empty ones are 0 apart.
    """
    flat = shapes.flatten(1)
    return torch.pdist(flat, p=1).mean() / flat.shape[1]


def _of_critic(
    critic: nn.Module, real: Real, fake: Real, mix: Float[Tensor, " batch"]
) -> dict[str, Tensor]:
    score_real, score_fake = critic(real).float(), critic(fake).float()
    mix = mix.view(-1, *[1] * (real.dim() - 1))
    with torch.enable_grad():
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        (gradient,) = torch.autograd.grad(critic(between).float().sum(), between)
    return {
        "critic/real": score_real.mean(),
        "critic/real_std": score_real.std(correction=0),
        "critic/fake": score_fake.mean(),
        "critic/fake_std": score_fake.std(correction=0),
        "critic/reach": (real - fake).flatten(1).norm(dim=1).mean(),
        "critic/slope": gradient.float().flatten(1).norm(dim=1).mean(),
    }
