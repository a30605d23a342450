"""Volumetric networks: latents to occupancy grids, and occupancy grids to scores and latents."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.nets.layers import bounded, start_at_zero
from maquette.nets.types import Cells, Latent, Scores, Voxels

RESOLUTIONS = (20, 32, 64)
"""Voxels a side at which the volumetric networks exist."""


def check_resolution(resolution: int) -> None:
    """Check that the volumetric networks exist at this many voxels a side.

    Raises:
        UserError: If they do not.
    """
    if resolution not in RESOLUTIONS:
        nearest = min(RESOLUTIONS, key=lambda known: abs(known - resolution))
        raise UserError("model.resolution must be 20, 32 or 64 voxels a side", resolution, f"try {nearest}")


class IWGANGenerator(nn.Module):
    """Latents to occupancy logits: the released 3D-IWGAN generator (arXiv 1707.09557).

    32 voxels: linear to c0 x 2^3, then transposed convolutions 4x4x4 of stride 2 through c1, c2, c3 to one channel.
    64 voxels: one more doubling. 20 voxels: linear to c1 x 5^3, doublings to 10 and 20, then stride 1 to one channel.
    Batch norm and ReLU between. The caller applies the sigmoid: losses take logits.

    Args:
        resolution: Voxels a side: 20, 32 or 64.
        latent: Values of a latent.
        channels: Widths c0, c1, ... from 2 voxels up.
    """

    def __init__(self, resolution: int, latent: int, channels: tuple[int, ...]):
        super().__init__()
        check_resolution(resolution)
        start = 5 if resolution == 20 else 2
        doublings = int(math.log2(resolution // start))
        widths = [*channels, *[max(channels[-1] // 2, 8)] * doublings][: doublings + (resolution == 20)]
        if resolution == 20:
            widths = [*channels[1:], channels[-1]][:3]
        self.start, self.latent, self.resolution = start, latent, resolution
        self.linear = nn.Linear(latent, widths[0] * start**3)
        layers: list[nn.Module] = [nn.BatchNorm3d(widths[0]), nn.ReLU()]
        for narrow, wide in zip(widths[1:], widths, strict=False):
            layers += [nn.ConvTranspose3d(wide, narrow, 4, 2, 1, bias=False), nn.BatchNorm3d(narrow), nn.ReLU()]
        last = nn.Conv3d(widths[-1], 1, 3, 1, 1) if resolution == 20 else nn.ConvTranspose3d(widths[-1], 1, 4, 2, 1)
        self.layers = nn.Sequential(*layers, last)

    def forward(self, latent: Latent) -> Voxels:
        """Occupancy logits, float32."""
        seed = self.linear(latent).view(len(latent), -1, *[self.start] * 3)
        return self.layers(seed).float()


def from_cells(values: Cells) -> Voxels:
    """Cells `[B, 64, c, c, c]` to the grid `[B, 1, 4c, 4c, 4c]` of their voxels, float32."""
    side = values.shape[-1]
    blocks = values.view(len(values), 4, 4, 4, side, side, side).permute(0, 4, 1, 5, 2, 6, 3)
    return blocks.reshape(len(values), 1, *[4 * side] * 3).float()


def to_cells(grid: Voxels) -> Cells:
    """A grid `[B, 1, 4c, 4c, 4c]` to cells `[B, 64, c, c, c]`, the inverse of `from_cells`."""
    side = grid.shape[-1] // 4
    blocks = grid.view(len(grid), side, 4, side, 4, side, 4).permute(0, 2, 4, 6, 1, 3, 5)
    return blocks.reshape(len(grid), 64, side, side, side)


class SubvoxelGenerator(nn.Module):
    """Latents to occupancy logits, the last two doublings in one step.

    As IWGANGenerator up to R / 4 voxels a side; there a 1x1x1 convolution gives each cell its 4x4x4 voxels as channels
    (sub-pixel convolution, Shi et al. 2016, in three dimensions). The wide layers at R / 2 and R, which take most of
    the time on a CPU, are left out: four times as fast at 32 voxels.

    Args:
        resolution: Voxels a side, R: 20, 32 or 64.
        latent: Values of a latent.
        channels: Widths up to R / 4, the last one repeated where more are needed (20 voxels: one, 32: three, 64: four).
    """

    def __init__(self, resolution: int, latent: int, channels: tuple[int, ...]):
        super().__init__()
        check_resolution(resolution)
        self.start, self.latent = (5 if resolution == 20 else 2), latent
        doublings = int(math.log2(resolution // 4 // self.start))
        widths = [*channels, *[channels[-1]] * doublings][: doublings + 1]
        self.cell_channels = widths[-1]
        self.linear = nn.Linear(latent, widths[0] * self.start**3)
        layers: list[nn.Module] = [nn.BatchNorm3d(widths[0]), nn.ReLU()]
        for narrow, wide in zip(widths[1:], widths, strict=False):
            layers += [nn.ConvTranspose3d(wide, narrow, 4, 2, 1, bias=False), nn.BatchNorm3d(narrow), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv3d(widths[-1], 64, 1))

    def forward(
        self, latent: Latent, cells: bool = False
    ) -> Voxels | tuple[Voxels, Float[Tensor, "batch channels c c c"]]:
        """Occupancy logits, float32.

        Args:
            latent: Of each shape.
            cells: Return also the features of the cells that the logits are made of, c = R / 4.
        """
        inner = self.layers[:-1](self.linear(latent).view(len(latent), -1, *[self.start] * 3))
        logits = from_cells(self.layers[-1](inner))
        return (logits, inner) if cells else logits


GENERATORS: dict[str, type[IWGANGenerator] | type[SubvoxelGenerator]] = {
    "paper": IWGANGenerator,
    "subvoxel": SubvoxelGenerator,
}
"""The generator that each value of the key `model.generator` stands for."""


class GAN3DGenerator(nn.Module):
    """Latents to occupancy logits: 3D-GAN's generator (arXiv 1610.07584).

    Five transposed convolutions 4x4x4, the first from 1 voxel to 4, each other one doubling; batch norm and ReLU
    between.

    Args:
        resolution: Voxels a side: 32 or 64.
        latent: Values of a latent.
        channels: Widths from 4 voxels up, 512-256-128-64 in the paper; 32 voxels take one doubling less and the first
            three.
    """

    def __init__(self, resolution: int, latent: int, channels: tuple[int, ...]):
        super().__init__()
        widths = channels[: _doublings_from_4(resolution)]
        layers: list[nn.Module] = [nn.ConvTranspose3d(latent, widths[0], 4, bias=False)]
        for wide, narrow in zip(widths, widths[1:], strict=False):
            layers += [nn.BatchNorm3d(wide), nn.ReLU(), nn.ConvTranspose3d(wide, narrow, 4, 2, 1, bias=False)]
        self.layers = nn.Sequential(
            *layers, nn.BatchNorm3d(widths[-1]), nn.ReLU(), nn.ConvTranspose3d(widths[-1], 1, 4, 2, 1)
        )

    def forward(self, latent: Latent) -> Voxels:
        """Occupancy logits, float32."""
        return self.layers(latent[:, :, None, None, None]).float()


class GAN3DDiscriminator(nn.Module):
    """Occupancy to logits: 3D-GAN's discriminator, its generator mirrored (arXiv 1610.07584).

    Convolutions 4x4x4 of stride 2 down to 4 voxels, then one to a single value; batch norm (not on the first) and leaky
    ReLU 0.2.

    Args:
        resolution: Voxels a side: 32 or 64.
        channels: Widths from full size down, 64-128-256-512 in the paper; 32 voxels take the last three.
    """

    def __init__(self, resolution: int, channels: tuple[int, ...]):
        super().__init__()
        widths = channels[-_doublings_from_4(resolution) :]
        layers: list[nn.Module] = [nn.Conv3d(1, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for narrow, wide in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv3d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm3d(wide), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv3d(widths[-1], 1, 4))

    def forward(self, voxels: Voxels) -> Scores:
        """Logits, float32: above 0 is real."""
        return self.layers(voxels).flatten().float()


def _doublings_from_4(resolution: int) -> int:
    """Doublings from 4 voxels a side to half the resolution, the first layer included."""
    return {32: 3, 64: 4}[resolution]


class IWGANCritic(nn.Module):
    """Occupancy to scores: convolutions 4x4x4 of stride 2, leaky ReLU 0.2, one linear layer.

    No batch norm, since the gradient penalty is defined for each sample alone. 20 voxels are halved three times, 32
    and 64 until 2 voxels are left (64: the last width is doubled).

    Args:
        resolution: Voxels a side: 20, 32 or 64.
        channels: Widths from full size down.
    """

    def __init__(self, resolution: int, channels: tuple[int, ...]):
        super().__init__()
        check_resolution(resolution)
        halvings = {20: 3, 32: 4, 64: 5}[resolution]
        widths = [*channels, channels[-1] * 2][:halvings]
        layers: list[nn.Module] = []
        inward, side = 1, resolution
        for width in widths:
            layers += [nn.Conv3d(inward, width, 4, 2, 1), nn.LeakyReLU(0.2)]
            inward, side = width, side // 2
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(inward * side**3, 1)

    def forward(self, voxels: Voxels) -> Scores:
        """Unbounded scores, float32."""
        return self.linear(self.layers(voxels).flatten(1)).float().squeeze(1)


class ScanEncoder(nn.Module):
    """Scans to the mean and log-variance of the latent (arXiv 1707.09557).

    Convolutions 4x4x4 of stride 2, batch norm and leaky ReLU 0.2, then one linear layer. 20 voxels are halved three
    times, 32 and 64 until 2 voxels are left (64: the last width is doubled).

    Args:
        resolution: Voxels a side: 20, 32 or 64.
        latent: Values of a latent.
        channels: Widths from full size down.
    """

    def __init__(self, resolution: int, latent: int, channels: tuple[int, ...]):
        super().__init__()
        check_resolution(resolution)
        halvings = {20: 3, 32: 4, 64: 5}[resolution]
        layers: list[nn.Module] = []
        inward, side = 1, resolution
        for width in [*channels, channels[-1] * 2][:halvings]:
            layers += [nn.Conv3d(inward, width, 4, 2, 1, bias=False), nn.BatchNorm3d(width), nn.LeakyReLU(0.2)]
            inward, side = width, side // 2
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(inward * side**3, 2 * latent)

    def forward(
        self, scan: Voxels, maps: bool = False
    ) -> tuple[Latent, Latent] | tuple[Latent, Latent, Float[Tensor, "batch channels c c c"]]:
        """Mean and log-variance of each scan's latent, float32.

        Args:
            scan: Voxels that the camera saw: 0 or 1.
            maps: Return also the features after the second halving, c = R / 4.
        """
        quarter = self.layers[:6](scan)
        mean, log_variance = self.linear(self.layers[6:](quarter).flatten(1)).float().chunk(2, dim=1)
        log_variance = bounded(log_variance)
        return (mean, log_variance, quarter) if maps else (mean, log_variance)


class ScanSkipDecoder(nn.Module):
    """Corrections to a SubvoxelGenerator's logits from the scan itself, which lies in the shape's own grid.

    A skip connection as in U-Nets (Ronneberger et al., MICCAI 2015; in three dimensions Cicek et al., MICCAI 2016), at
    a quarter of the resolution: each cell reads the scan's own 4x4x4 voxels, the encoder's features and the
    generator's.

    Args:
        cells: Channels of the generator's cells.
        maps: Channels of the encoder's features.
        hidden: Width of the layers between.
    """

    def __init__(self, cells: int, maps: int, hidden: int = 64):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(cells + maps + 64, hidden, 1, bias=False), nn.BatchNorm3d(hidden), nn.ReLU(),
            nn.Conv3d(hidden, hidden, 3, 1, 1, bias=False), nn.BatchNorm3d(hidden), nn.ReLU(),
            start_at_zero(nn.Conv3d(hidden, 64, 1)),
        )  # fmt: skip

    def forward(
        self, cells: Float[Tensor, "batch channels c c c"], maps: Float[Tensor, "batch features c c c"], scan: Voxels
    ) -> Voxels:
        """Corrections of the logits, float32.

        Args:
            cells: Of the generator, c = R / 4.
            maps: Of the encoder.
            scan: Voxels that the camera saw: 0 or 1.
        """
        return from_cells(self.layers(torch.cat([cells, maps.to(cells.dtype), to_cells(scan).to(cells.dtype)], dim=1)))
