"""Pixel-aligned features: each cell of a volume reads the view at the pixels where the view shows that cell.

A latent says what an object is and about how large, but not exactly where a leg stands. Here each cell of the volume is
projected into the view, with the camera that a head of the encoder estimates from it, and the features found there
correct the generator's logits (Saito et al., PIFu, ICCV 2019, with a known camera; Xu et al., DISN, NeurIPS 2019, with
an estimated one).

A pose is seven values: azimuth, elevation and roll in radians; the logarithm of the scale; the coordinates, right and
down, at which the view shows the object's centre; nearness. A view's coordinates go from -1 to 1, right and down. A
point that lies x right, y down and z behind the object's centre, as the camera sees it, is shown at
centre + scale * (x, y) / (1 + nearness * z).
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.geometry.coarse_to_fine import cell_centres
from maquette.nets.layers import start_at_zero
from maquette.nets.types import Cells

AZIMUTH, ELEVATION, ROLL, SCALE, RIGHT, DOWN, NEARNESS = range(POSE := 7)
_CIRCUMSPHERE = math.sqrt(3) / 2  # radius of the unit cube's, which the renderer's cameras just see whole
_BINS = 24
_TYPICAL = (0.30, 0.0, 0.42, 0.0, -0.05, 0.42)  # mean of all values but the azimuth over the renderer's varied views
_SPREAD = (0.24, 0.045, 0.24, 0.13, 0.12, 0.094)  # their standard deviation
Poses = Float[Tensor, "batch 7"]
"""One pose for each view."""


def poses(cameras: Poses) -> Poses:
    """The poses of cameras as a dataset keeps them (`maquette.datasets.format.OpenedData.cameras`)."""
    azimuth, elevation, view, roll = cameras[:, :4].deg2rad().unbind(1)
    zoom, right, down = cameras[:, 4:].unbind(1)
    scale = zoom * (view / 2).cos() / _CIRCUMSPHERE
    nearness = (view / 2).sin() / _CIRCUMSPHERE
    return torch.stack([azimuth, elevation, roll, scale.log(), 2 * right, 2 * down, nearness], dim=1)


def mirror_pose(pose: Poses) -> Poses:
    """The poses of the same views mirrored left to right, which show the shapes mirrored along x."""
    return pose * pose.new_tensor([-1, 1, -1, 1, -1, 1, 1])


def warp_pose(
    pose: Poses, scale: Float[Tensor, " batch"], angle: Float[Tensor, " batch"], right: Float[Tensor, " batch"],
    down: Float[Tensor, " batch"],
) -> Poses:
    """The poses of views that were resampled: each new point p shows the old one at turn(angle) p / scale + shift.

    Args:
        pose: Of the views before.
        scale: Above 1 enlarges the object.
        angle: In radians, from right towards down.
        right: The shift to the right, in the view's coordinates.
        down: The shift down.
    """
    cos, sin = angle.cos(), angle.sin()
    x, y = pose[:, RIGHT] - right, pose[:, DOWN] - down
    new = pose.clone()
    new[:, ROLL] -= angle
    new[:, SCALE] += scale.log()
    new[:, RIGHT] = scale * (cos * x + sin * y)
    new[:, DOWN] = scale * (cos * y - sin * x)
    return new


def project(
    points: Float[Tensor, "points 3"] | Float[Tensor, "batch points 3"], pose: Poses
) -> Float[Tensor, "batch points 3"]:
    """Where views show points of the frame, each its own or all the same: right, down, and depth behind the centre."""
    sa, se, sr = pose[:, [AZIMUTH, ELEVATION, ROLL]].sin().unbind(1)
    ca, ce, cr = pose[:, [AZIMUTH, ELEVATION, ROLL]].cos().unbind(1)
    zero = torch.zeros_like(sa)
    level = torch.stack([-ca, -sa, zero], dim=1)
    below = torch.stack([-se * sa, se * ca, -ce], dim=1)
    forward = torch.stack([sa * ce, -ca * ce, -se], dim=1)
    cr, sr = cr[:, None], sr[:, None]
    axes = torch.stack([cr * level - sr * below, sr * level + cr * below, forward], dim=2)  # [B, 3, 3]
    right, down, behind = (points @ axes).unbind(2)
    factor = pose[:, None, SCALE].exp() / (1 + pose[:, None, NEARNESS] * behind).clamp(min=0.1)
    return torch.stack([pose[:, None, RIGHT] + factor * right, pose[:, None, DOWN] + factor * down, behind], dim=2)


def centres(cells: int) -> Float[Tensor, "points 3"]:
    """Centres of the `cells`^3 cells of the unit cube around 0, in the order of a grid's values."""
    # not torch: on the meta device of a model's loading that would import its compiler, which takes a second
    return torch.from_numpy(cell_centres(cells))


class PoseHead(nn.Module):
    """An encoder's features to a pose: the azimuth as one of 24 directions and an offset from it, the rest as values.

    Directions and not an angle: an object that looks the same from two sides has two right answers, and the mean of
    these is wrong.

    Args:
        features: How many features there are.
        hidden: Width of a layer between, before which the features are normalised; 0: none.
    """

    typical: Tensor
    spread: Tensor

    def __init__(self, features: int, hidden: int = 0):
        super().__init__()
        self.between = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, hidden), nn.ReLU()) if hidden else None
        self.linear = nn.Linear(hidden or features, 2 * _BINS + POSE - 1)
        self.register_buffer("typical", torch.tensor(_TYPICAL), persistent=False)
        self.register_buffer("spread", torch.tensor(_SPREAD), persistent=False)

    def forward(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch 54"]:
        """The head's output, float32: `pose` reads it, `loss` trains it."""
        return self.linear(features if self.between is None else self.between(features)).float()

    def pose(self, head_output: Float[Tensor, "batch 54"]) -> Poses:
        """The most likely poses."""
        likely, offset, rest = head_output.split((_BINS, _BINS, POSE - 1), dim=1)
        best = likely.argmax(1, keepdim=True)
        azimuth = (best + offset.gather(1, best)) * (2 * math.pi / _BINS)
        return torch.cat([azimuth, self.typical + self.spread * rest], dim=1)

    def loss(self, head_output: Float[Tensor, "batch 54"], pose: Poses) -> Float[Tensor, ""]:
        """Cross-entropy of the direction plus smooth L1 distances of its offset and of the other six values."""
        likely, offset, rest = head_output.split((_BINS, _BINS, POSE - 1), dim=1)
        turn = pose[:, AZIMUTH].remainder(2 * math.pi) * (_BINS / (2 * math.pi))
        nearest = turn.round()
        right = nearest.long().remainder(_BINS)
        offset = offset.gather(1, right[:, None]).squeeze(1)
        wanted = (pose[:, ELEVATION:] - self.typical) / self.spread
        return (
            F.cross_entropy(likely, right)
            + F.smooth_l1_loss(offset, turn - nearest, beta=0.2)
            + F.smooth_l1_loss(rest, wanted, beta=0.3)
        )


class PixelAlignedDecoder(nn.Module):
    """Corrections to a SubvoxelGenerator's logits from the view itself.

    Args:
        resolution: Voxels a side, R.
        cells: Channels of the generator's cells (R / 4 a side).
        maps: Channels of the encoder's maps, the finest first, each half the size of the one before it.
        features: How many features the encoder's last layer reads.
        wide: Channels of the map into which the encoder's maps are merged.
        channels: Channels of that map which each eighth of a cell reads.
        hidden: Width of the layers that make a cell's 4x4x4 corrections.
    """

    fine: Tensor
    coarse: Tensor

    def __init__(
        self, resolution: int, cells: int, maps: tuple[int, ...], features: int, wide: int = 32, channels: int = 16,
        hidden: int = 128,
    ):
        super().__init__()
        self.side = resolution // 4
        self.pose_head = PoseHead(features)
        self.beside = nn.ModuleList(nn.Conv2d(width, wide, 1, bias=False) for width in maps)
        self.norm = nn.BatchNorm2d(wide)
        self.last = nn.Conv2d(wide, channels, 3, 1, 1)
        self.cells = nn.Sequential(
            nn.Conv3d(cells + 8 * (channels + 1) + 3, hidden, 1, bias=False), nn.BatchNorm3d(hidden), nn.ReLU(),
            nn.Conv3d(hidden, hidden, 1, bias=False), nn.BatchNorm3d(hidden), nn.ReLU(),
            start_at_zero(nn.Conv3d(hidden, 64, 1)),
        )  # fmt: skip
        self.register_buffer("fine", centres(2 * self.side), persistent=False)
        self.register_buffer("coarse", centres(self.side), persistent=False)

    def forward(
        self, cells: Float[Tensor, "batch channels c c c"], maps: list[Float[Tensor, "batch _ _ _"]],
        features: Float[Tensor, "batch features"], pose: Poses | None = None, share: float = 0.0,
    ) -> tuple[Cells, Float[Tensor, "batch 54"]]:
        """Corrections of each cell's 4x4x4 voxels, and the pose head's output.

        Args:
            cells: Of the generator.
            maps: Of the encoder, the finest first.
            features: Those that the encoder's last layer reads.
            pose: The true poses, if known.
            share: The first `share` of the batch uses the true poses, the rest those that the head estimates.
        """
        head_output = self.pose_head(features)
        used = self.pose_head.pose(head_output.detach())
        if pose is not None and share:
            first = round(share * len(used))
            used = torch.cat([pose[:first], used[first:]])
        seen = torch.cat([self._lookup(self._merged(maps), used), self._places(used)], dim=1)
        return self.cells(torch.cat([cells.float(), seen], dim=1)), head_output

    def _merged(self, maps: list[Tensor]) -> Tensor:
        """The maps as one, `[B, channels, H, W]`, of the finest one's size, float32."""
        whole = self.beside[-1](maps[-1])
        for layer, finer in zip(reversed(self.beside[:-1]), reversed(maps[:-1]), strict=True):
            whole = F.interpolate(whole, size=finer.shape[2:], mode="bilinear") + layer(finer)
        return self.last(F.relu(self.norm(whole))).float()

    def _lookup(self, whole: Tensor, pose: Tensor) -> Tensor:
        """The map at each cell's eight parts, `[B, 8 * (channels + 1), c, c, c]`; last channel: 1 inside the view."""
        batch, side = len(whole), self.side
        whole = torch.cat([whole, torch.ones_like(whole[:, :1])], dim=1)
        at = project(self.fine, pose)[:, None, :, :2]
        found = F.grid_sample(whole, at, padding_mode="zeros", align_corners=False)
        found = found.view(batch, -1, side, 2, side, 2, side, 2).permute(0, 1, 3, 5, 7, 2, 4, 6)
        return found.reshape(batch, -1, side, side, side)

    def _places(self, pose: Tensor) -> Tensor:
        """Where the view shows each cell: right, down, depth behind the centre, `[B, 3, c, c, c]`."""
        return project(self.coarse, pose).transpose(1, 2).reshape(len(pose), 3, *[self.side] * 3)
