"""From a rough draw of a latent to one that decodes to a sound shape, and what rough draws are made from."""

import torch
from torch import Tensor, nn


class Mapping(nn.Module):
    """Latents `[B, latent]` to latents `[B, latent]`: the same ones at first, moved by what is learnt.

    A residual form of the mapping network of Karras et al. 2019 (StyleGAN, section 2), here between a Gaussian through
    known latents and the latents that the critic takes for those of real shapes.
    """

    def __init__(self, latent: int, width: int = 256):
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(latent), nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, latent),
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, latent: Tensor) -> Tensor:
        return latent + self.layers(latent)


class Bank(nn.Module):
    """Latents of training shapes and their classes, a ring of `size` places; nothing in it is learnt.

    Where several processes train together each fills its own, from its part of the batches.
    """

    apart = True

    def __init__(self, latent: int, size: int = 4096):
        super().__init__()
        self.register_buffer("latents", torch.zeros(size, latent))
        self.register_buffer("labels", torch.full((size,), -1))

    def keep(self, turn: int, latents: Tensor, labels: Tensor) -> None:
        """Put a batch `[B, latent]`, `[B]` into its places; turn: the number of batches kept before it."""
        places = (turn * len(labels) + torch.arange(len(labels), device=labels.device)) % len(self.labels)
        self.latents[places] = latents.to(self.latents.dtype)
        self.labels[places] = labels

    @property
    def taken(self) -> int:
        """Places that hold a latent."""
        return int((self.labels >= 0).sum())

    def is_full(self, turn: int, batch: int) -> bool:
        """Whether all places are taken once `turn` batches of this size were kept."""
        return turn * batch >= len(self.labels)

    def draw(self, pick: Tensor, noise: Tensor) -> Tensor:
        """Draws from the Gaussians through the latents of classes, `[B, latent]`.

        pick: uniform in [0, 1), `[B]`, chooses a kept latent, whose class is drawn from, so that classes are as
        frequent as in the data. noise: standard normal `[B, size]`. Raises ValueError where nothing is kept.
        """
        taken = self.taken
        if not taken:
            raise ValueError("the bank is empty")
        labels = self.labels[:taken]
        wanted = labels[(pick * taken).long().clamp(max=taken - 1)]
        return through_classes(self.latents[:taken], labels, wanted, noise[:, :taken])


def through_classes(latents: Tensor, labels: Tensor, wanted: Tensor, noise: Tensor) -> Tensor:
    """Draws from the Gaussian through the latents of each wanted class, `[B, latent]`.

    latents: `[N, latent]`. labels: `[N]`. wanted: `[B]`, classes that are among them. noise: `[B, N]`, standard normal.
    A draw is the class's mean plus its members' deviations weighed by noise, so its covariance is theirs; a class of
    one member gives that member. Fitting a density to the latents of a trained autoencoder: Ghosh et al., ICLR 2020.
    """
    same = (wanted[:, None] == labels[None, :]).float()  # [B, N]
    members = same.sum(1, keepdim=True)
    mean = same @ latents / members
    weights = same * noise / (members - 1).clamp(min=1).sqrt()
    # sum_j w_ij (z_j - m_i): all j with a weight are of i's class, so m_i is theirs
    return mean + weights @ latents - weights.sum(1, keepdim=True) * mean
