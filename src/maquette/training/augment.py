"""Random variation of training samples: what cameras, light, occlusion and sensors change, as functions of a generator.

Each function varies a sample in the same way however a batch is cut over processes.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

Grids = Bool[Tensor, "batch 1 r r r"] | Float[Tensor, "batch 1 r r r"]
"""Shapes before or after they are made floats."""
DROPPED = 0.3
"""The largest share of a scan's voxels that jitter leaves out."""
STRAY = 8
"""The most voxels that jitter adds to a scan, anywhere."""
Views = Float[Tensor, "batch channel size size"]
"""Square views in [0, 1]."""
Framing = tuple[Float[Tensor, " batch"], Float[Tensor, " batch"], Float[Tensor, " batch"], Float[Tensor, " batch"]]
"""Scale, angle (radians), right and down of each view, as `maquette.nets.pixel_aligned.warp_pose` takes them."""


@functools.cache
def _grain(channels: int, size: int) -> Float[Tensor, "16 {channels} {size} {size}"]:
    """Pictures of standard normal noise, which are used at any offset: cheaper than fresh noise."""
    return torch.randn(16, channels, size, size, generator=torch.Generator().manual_seed(0))


def mirror(
    images: Views, voxels: Grids, chosen: Bool[Tensor, " batch"]
) -> tuple[Views, Grids]:
    """Mirror the chosen views left to right and their shapes along x: the same object in a mirror."""
    chosen_ = chosen.view(-1, 1, 1, 1)
    images = torch.where(chosen_, images.flip(3), images)
    voxels = torch.where(chosen_.unsqueeze(4), voxels.flip(2), voxels)
    return images, voxels


def occlude(
    image: Float[Tensor, "channel size size"], other: Float[Tensor, "channel size size"], rng: np.random.Generator
) -> None:
    """Lay a piece of another photo over a photo, in place.

    The piece is a rectangle or an ellipse, turned by up to 30 degrees. Its sides are 0.3 to 1 of the picture's, and its
    centre lies a quarter to half a side from the picture's. So it hides a flank, a corner or the floor.
    """
    size = image.shape[-1]
    place = (2 * torch.arange(size) + 1) / size - 1
    away, distance, angle = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0), rng.uniform(-np.pi / 6, np.pi / 6)
    across = place[None, :] - distance * np.cos(away)
    down = place[:, None] - distance * np.sin(away)
    cos, sin = np.cos(angle), np.sin(angle)
    along = (cos * across + sin * down).abs() / rng.uniform(0.3, 1.0)
    beside = (cos * down - sin * across).abs() / rng.uniform(0.3, 1.0)
    reach = torch.maximum(along, beside) if rng.random() < 0.5 else (along.square() + beside.square()).sqrt()
    image.lerp_(other, ((1 - reach) * size / 4).clamp_(0, 1))


def turn(voxels: Grids, quarters: Int[np.ndarray, " batch"]) -> Grids:
    """Turn each shape about z by its number of quarter turns, from x towards y."""
    return torch.stack([grid.rot90(int(k), (1, 2)) for grid, k in zip(voxels, quarters, strict=True)])


def jitter_scans(
    scans: Bool[np.ndarray, "batch r r r"], seeds: Int[np.ndarray, " batch"]
) -> Bool[np.ndarray, "batch r r r"]:
    """Vary scans as a sensor's noise and its placement do; each scan by its own seed.

    Up to DROPPED of the voxels are left out. The rest are moved by one voxel or none along each axis; those that leave
    the grid are lost. Up to STRAY voxels are added anywhere.
    """
    side = scans.shape[-1]
    strides = np.array([side**2, side, 1])
    varied = np.zeros((len(scans), side**3), bool)
    for scan, new, seed in zip(scans.reshape(len(scans), -1), varied, seeds, strict=True):
        rng = np.random.default_rng(int(seed))
        cells = np.flatnonzero(scan)
        cells = cells[rng.random(len(cells)) >= rng.uniform(0, DROPPED)]
        inside = np.ones(len(cells), bool)
        shift = np.rint(rng.uniform(-1, 1, 3)).astype(np.int64)
        for stride, by in zip(strides, shift, strict=True):
            if by:
                place = cells // stride % side + by
                inside &= (place >= 0) & (place < side)
        new[(cells + shift @ strides)[inside]] = True
        new[rng.integers(side, size=(rng.integers(STRAY + 1), 3)) @ strides] = True
    return varied.reshape(scans.shape)


def jitter(
    images: Views, generator: torch.Generator, whole: int = 0, own: slice = slice(None)
) -> tuple[Views, Framing]:
    """Vary views in framing, light and clutter.

    Scale 0.84 to 1.06, shift up to 4 %, a turn of up to 5 degrees, gamma, contrast and noise; a tenth of the views has
    a patch of plain grey laid over it. The aspect ratio stays: it is what tells a tall object from a low one.

    Args:
        images: The views.
        generator: All randomness is drawn from it, for the whole batch.
        whole: The size of the batch that these images are a part of; 0 where they are all of it.
        own: Which part of that batch they are.

    Returns:
        The varied views and their framing.
    """
    size = images.shape[-1]
    whole = whole or len(images)

    def uniform(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(whole, generator=generator))[own]

    scale = torch.exp(uniform(-0.18, 0.06))
    angle = uniform(-1, 1).pow(3) * (5 * np.pi / 180)
    cos, sin = angle.cos() / scale, angle.sin() / scale

    def column(values: Tensor) -> Tensor:
        return values.view(-1, 1, 1, 1)

    place = (torch.arange(size) + 0.5) / size
    across, down = (2 * place - 1).view(1, 1, -1, 1), (2 * place - 1).view(1, -1, 1, 1)
    aside, under = uniform(-0.09, 0.09), uniform(-0.09, 0.09)
    right = column(cos) * across - column(sin) * down + column(aside)
    below = column(sin) * across + column(cos) * down + column(under)
    grid = torch.cat([right, below], dim=3)  # what affine_grid gives, four times as fast
    images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    images = images.clamp_(0, 1).pow_(column(torch.exp(uniform(-0.35, 0.35))))
    contrast = column(uniform(0.7, 1.2))
    images.mul_(contrast).add_(0.5 - 0.5 * contrast + column(uniform(-0.08, 0.08)))
    level = column(uniform(0, 1).pow(3) * 0.06)
    grain = _grain(images.shape[1], size)
    drawn = torch.randint(2**31, (whole, 3), generator=generator)[own].tolist()
    noise = [grain[k % len(grain)].roll((down % size, right % size), (1, 2)) for k, down, right in drawn]
    images.addcmul_(level, torch.stack(noise))

    side, x, y, grey = uniform(0.08, 0.3), uniform(0, 1), uniform(0, 1), uniform(0, 1)
    for i in (uniform(0, 1) < 0.1).nonzero().flatten().tolist():
        hidden_rows, hidden_columns = (((place - centre[i]).abs() < side[i] / 2) for centre in (y, x))
        images[i][:, hidden_rows[:, None] & hidden_columns] = grey[i]
    return images.clamp_(0, 1), (scale, angle, aside, under)
