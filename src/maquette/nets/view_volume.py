"""A volume of features in the view's own frame, and the occupancy of points that are looked up in it.

What lies behind a pixel is told by that pixel and its neighbours: a two-dimensional network gives each place of the
view features at `depths` distances (Delanoy et al., I3D 2018, predict occupancies so). Where a drawing shows something,
the answer obeys it, also for things that nothing in training resembles. A point of the object's frame is projected into
the view by the camera, its features are interpolated, and a small network says whether it is filled (as in PIFu, Saito
et al., ICCV 2019), at any resolution.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.nets.types import Positions, Voxels

REACH = 0.9
"""How far before and behind the object's centre the volume goes; the unit cube's corners are 0.866 away."""


class ViewVolume(nn.Module):
    """Maps of a view to a volume of features.

    Args:
        maps: Channels of the encoder's maps, the finest first, each half the size of the one before it.
        widths: Channels of the layers at the size of each map, the finest first.
        depths: Places along the view's depth.
        channels: Features of each place.
    """

    def __init__(
        self, maps: tuple[int, ...], widths: tuple[int, ...] = (48, 64, 128, 192), depths: int = 32, channels: int = 4
    ):
        super().__init__()
        self.depths, self.channels = depths, channels
        self.first = nn.Conv2d(maps[-1], widths[-1], 1)
        inward, stages = widths[-1], []
        for beside, width in zip(reversed(maps[:-1]), reversed(widths), strict=True):
            stages.append(nn.Sequential(
                nn.Conv2d(inward + beside, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(),
            ))  # fmt: skip
            inward = width
        self.stages = nn.ModuleList(stages)
        self.last = nn.Conv2d(inward, depths * channels, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None  # every layer here has one
                nn.init.zeros_(layer.bias)

    def forward(self, maps: list[Float[Tensor, "batch _ _ _"]]) -> Float[Tensor, "batch channels depth height width"]:
        """The volume, float32, of the finest map's height and width."""
        x = F.relu(self.first(maps[-1]))
        for stage, beside in zip(self.stages, reversed(maps[:-1]), strict=True):
            x = stage(torch.cat([F.interpolate(x, size=beside.shape[2:]), beside], dim=1))
        x = self.last(x)
        return x.view(len(x), self.channels, self.depths, *x.shape[2:]).float()


class PointDecoder(nn.Module):
    """Features of points to logits of their occupancy.

    Args:
        channels: Features of the volume.
        beside: Other values of each point.
        hidden: Width of the layer between.
    """

    def __init__(self, channels: int, beside: int, hidden: int = 32):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(channels + 3 + beside, hidden, 1), nn.ReLU(), nn.Conv1d(hidden, hidden, 1), nn.ReLU(),
            nn.Conv1d(hidden, 1, 1),
        )  # fmt: skip

    def forward(
        self, volume: Float[Tensor, "batch channels depth height width"], at: Float[Tensor, "batch points 3"],
        beside: Float[Tensor, "batch beside points"] | None = None,
    ) -> Float[Tensor, "batch points"]:
        """Logits, float32.

        Args:
            volume: Of the view.
            at: Right, down and depth of each point, as `project` gives them.
            beside: Other values of each point.
        """
        places = at / at.new_tensor([1, 1, REACH])
        found = F.grid_sample(volume, places[:, None, None], padding_mode="border", align_corners=False)[:, :, 0, 0]
        values = [found, places.transpose(1, 2).clamp(-1.5, 1.5)] + ([] if beside is None else [beside])
        inner = self.layers(torch.cat(values, dim=1))
        inside = (places[..., :2].abs() <= 1).all(-1)
        return torch.where(inside, inner[:, 0].float(), inner.new_tensor(-8.0).float())


def voxels_at(grid: Voxels, points: Positions) -> Float[Tensor, "rows points"]:
    """The values of a grid at points of the frame, interpolated; beyond the cube those at its border."""
    places = 2 * points.flip(2)[:, None, None]  # grid_sample counts the last axis first
    return F.grid_sample(grid, places, padding_mode="border", align_corners=False)[:, 0, 0, 0]


def turned(points: Positions, angle: Float[Tensor, " rows"]) -> Positions:
    """Points turned about z by an angle in radians for each row, from x towards y."""
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    x, y, z = points.unbind(2)
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z], dim=2)
