"""Tiny models whose shapes are something to see without any training: smooth blobs that their latents move."""

import torch
import torch.nn.functional as F

from maquette.capabilities import Reads
from maquette.models.hub import Model
from maquette.models.networks import model_of
from maquette.systems import SYSTEMS
from maquette.systems.gan3d import GAN3DConfig
from maquette.systems.iwgan3d import IWGAN3DConfig
from maquette.systems.vaeiwgan3d import VAEIWGAN3DImageConfig

CONFIGS = {
    "iwgan": IWGAN3DConfig(resolution=20, latent=4, generator_channels=(8, 8, 8), critic_channels=(2,)),
    "gan3d": GAN3DConfig(resolution=32, latent=6, generator_channels=(8, 4, 4), critic_channels=(4, 4, 8)),
    "vae-iwgan-image": VAEIWGAN3DImageConfig(
        resolution=20, latent=6, generator_channels=(8, 8, 8), critic_channels=(2,), encoder="residual",
        image_channels=1, view_size=32, encoder_widths=(4, 8), encoder_blocks=(1, 1), joint=True, prior="class",
    ),
}
CLASSES = ["chair", "sofa"]
SHARP = 16.0  # deviation of the logits


def tiny(name: str) -> Model:
    """A model of this system: three tenths of its voxels filled over its prior, at a threshold of 0.5.

    The image system has a prior of two classes that are far apart.
    """
    torch.manual_seed(3)
    system = SYSTEMS[name](CONFIGS[name])
    system.nets.eval().requires_grad_(False)
    generator, length = system.nets["generator"], system.config.latent
    if name != "gan3d":
        first = generator.linear.weight.view(-1, 5, 5, 5, length).movedim(-1, 1)  # [C, L, 5, 5, 5]
        first = F.avg_pool3d(first, 3, 1, 1)
        generator.linear.weight.copy_(first.movedim(1, -1).reshape(-1, length))
        generator.linear.bias.mul_(0.3)
    for layer in list(generator.layers)[name == "gan3d" :]:
        if hasattr(layer, "kernel_size"):
            layer.weight.copy_(layer.weight.sum((2, 3, 4), keepdim=True) * _tent(layer.kernel_size[0]))
    latents = {}
    if system.reads is Reads.VIEWS:
        mean = torch.zeros(2, length)
        mean[0, 0], mean[1, 1] = 1.0, -1.0
        factor = 0.3 * torch.randn(2, 3, length)
        latents = {"mean": mean, "factor": factor, "rest": torch.full((2, length), 0.1)}
    noise = system.from_normal(torch.randn(64, length))
    last = [layer for layer in generator.layers if hasattr(layer, "weight")][-1]
    logits = generator(noise)
    last.weight.mul_(SHARP / logits.std())
    last.bias.mul_(SHARP / logits.std())
    last.bias.sub_(generator(noise).flatten()[::7].quantile(0.7))
    return model_of(f"tiny {name}", system, {"threshold": 0.5, "class_names": CLASSES}, latents)


def _tent(side: int) -> torch.Tensor:
    """A kernel that makes what it doubles smooth: 1-3-3-1, or 1-2-1, on each axis."""
    line = torch.tensor([1.0, 3, 3, 1] if side == 4 else [1.0, 2, 1])
    return torch.einsum("i,j,k->ijk", line, line, line)
