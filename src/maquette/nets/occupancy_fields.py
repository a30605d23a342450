"""Occupancy fields: networks that say whether a position is inside an object, and what colour its surface has there.

Positions are in the frame (`maquette.types`), the object inside the cube [-0.5, 0.5]^3; the networks read them doubled,
in [-1, 1]. Logits are of occupancy: above 0 (occupancy above 0.5) is inside. The points of an image are one row of
`positions` `[B, P, 3]`, with one code for each image, `[B, S]`. Where images have different numbers of points, the
points of all images are one row, `[1, P, 3]`, and `image_index`, int64 `[P]`, says which of the B images each belongs
to.

The fields share the interface `OccupancyField`, so that a renderer need not know which one it has. Read `OccupancyMLP`
(UNISURF's network, the paper's) first.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.nets.layers import (
    ConditionedLinear,
    SkipMLP,
    ViewConditionedLinear,
    encoding_dim,
    positional_encoding,
    repeat_index,
)
from maquette.nets.types import ImageIndex, Positions, RayIndex

SHARPNESS = 20.0
"""How much the first logit falls from the inside of the sphere outwards, in 1 / units of the frame (UNISURF's code: 10,
for the doubled positions)."""
FIT_POINTS = 1024
"""Points in the cube, and as many about the sphere, at which the last layer is fitted to the sphere."""
RIDGE = 1e-4
"""Share of the features' mean square that is added to their covariance in that fit."""

Logits = Float[Tensor, "rows points"]
"""Occupancy logits at points: above 0 inside."""
Features = Float[Tensor, "rows points features"]
"""What an occupancy field tells the colour field of each point."""
Codes = Float[Tensor, "images code"]
"""One code for each image."""
LogitsAt = Callable[[Tensor, Tensor | None], Tensor]
"""Positions `[B, P, 3]` and their `image_index` or None to logits `[B, P]`."""


class OccupancyField(nn.Module, ABC):
    """Positions and shape codes to occupancy, which nothing else decides; `features` values for the colour field."""

    features: int
    normal_per_ray: ClassVar[bool] = False
    """Whether the samples of a ray share the normal where the ray ends, instead of having one each."""
    low_precision: ClassVar[bool] = False
    """Whether its products may be taken in bfloat16, whose mantissa has eight bits, where autocast is on."""

    def precompute(self, code: Codes) -> Tensor:
        """What `occupancy` takes as `shape`: computed from the shape codes once for all points of an image."""
        return code

    @abstractmethod
    def occupancy(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None = None
    ) -> tuple[Logits, Features]:
        """Logits and features at positions.

        Args:
            positions: In the frame.
            shape: What `precompute` gave.
            image_index: The image of each point, where all points are in one row.
        """

    def search(self, shape: Tensor) -> LogitsAt:
        """The logits by which rays are marched, as a function of positions and their `image_index` (or None)."""
        return lambda positions, image_index: self.occupancy(positions, shape, image_index)[0]

    def with_normals(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None = None
    ) -> tuple[Logits, Features, Positions]:
        """`occupancy`, and the unit normals there: against the gradient of the logit, by autograd.

        A loss of the normals can be differentiated where gradients are enabled. Positions that require a gradient then
        get one.
        """
        learns = torch.is_grad_enabled()
        with torch.enable_grad():
            at = positions if learns and positions.requires_grad else positions.detach().requires_grad_()
            logits, features = self.occupancy(at, shape, image_index)
            (slope,) = torch.autograd.grad(logits.sum(), at, create_graph=learns)
        normals = _unit(-slope)
        return (logits, features, normals) if learns else (logits.detach(), features.detach(), normals.detach())


class OccupancyMLP(OccupancyField):
    """UNISURF's network with a shape code: softplus of beta 100, positions again after half the layers.

    Geometric initialisation (Atzmon and Lipman 2020; Yariv et al. 2020): with the weights of encoding and code 0 and
    the others Gaussian, the features hardly depend on the direction, and the last layer makes the distance from a
    sphere of them. Differs from theirs: that layer is not drawn at random about its expected value but fitted to the
    sphere by least squares at some thousand points. Networks far narrower than 256 have too few features to make it
    round.

    Args:
        code: Values of a shape code.
        width: Width of the layers.
        depth: Number of layers before the last.
        octaves: Octaves of the positional encoding.
        features: Values for the colour field.
        radius: Of the sphere, in units of the frame.
    """

    def __init__(self, code: int, width: int, depth: int, octaves: int, features: int, radius: float):
        super().__init__()
        self.code, self.octaves, self.features = code, octaves, features
        self.trunk = SkipMLP(encoding_dim(octaves), code, width, depth, skip=max(depth // 2, 1) if depth > 2 else depth)
        self.last = nn.Linear(width, 1 + features)
        self._become_sphere(radius)

    def occupancy(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None = None
    ) -> tuple[Logits, Features]:
        """Logits and features at positions; `shape` are the codes."""
        found = self.last(self._hidden(positions, shape, image_index))
        return -SHARPNESS * found[..., 0], found[..., 1:]

    def _hidden(self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None) -> Tensor:
        """What the last layer reads, `[B, P, width]`."""
        return self.trunk(
            positional_encoding(2 * positions, self.octaves), shape, image_index, _softplus, 1 / math.sqrt(2)
        )

    @torch.no_grad()
    def _become_sphere(self, radius: float) -> None:
        """Geometric initialisation."""
        width = self.trunk.width
        layers = [layer for layer in self.trunk.layers if isinstance(layer, ConditionedLinear | nn.Linear)]
        for number, layer in enumerate(layers):
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / width))
            nn.init.zeros_(layer.bias)
            if isinstance(layer, ConditionedLinear):
                layer.weight[:, 3 + (width if number else 0) :] = 0  # encoding and code
        nn.init.normal_(self.last.weight, 0.0, math.sqrt(2 / width))
        nn.init.zeros_(self.last.bias)
        if self.last.weight.is_meta:
            return
        draws = torch.Generator().manual_seed(0)
        inside = torch.rand(FIT_POINTS, 3, generator=draws) - 0.5
        shell = F.normalize(torch.randn(FIT_POINTS, 3, generator=draws), dim=1)
        shell = shell * radius * (0.8 + 0.4 * torch.rand(FIT_POINTS, 1, generator=draws))
        points = torch.cat([inside, shell])
        hidden = self._hidden(points[None], torch.zeros(1, self.code))[0].double()
        known = torch.cat([hidden, torch.ones(len(hidden), 1, dtype=torch.float64)], 1)
        square = known.T @ known
        square[:-1, :-1].diagonal().add_(RIDGE * square[:-1, :-1].diagonal().mean())
        fitted = torch.linalg.solve(square, known.T @ (points.double().norm(dim=1) - radius))
        self.last.weight[0] = fitted[:-1].float()
        self.last.bias[0] = fitted[-1].float()


class FastOccupancyField(OccupancyField):
    """A field whose surface is cheap to find.

    Rays are marched through a coarse grid of logits, normals are differences, and products may be taken in bfloat16.
    The network adds to the logit of the sphere that training starts from, and adds nothing before the first step.

    Args:
        features: Values for the colour field.
        radius: Of the sphere, in units of the frame.
        cells: Of a side of the coarse grid.
        reach: Step of the differences, in units of the frame.
    """

    normal_per_ray = True
    low_precision = True
    last: nn.Linear
    """From what is hidden to what is added to the logit, and to the features."""

    def __init__(self, features: int, radius: float, cells: int, reach: float):
        super().__init__()
        self.features, self.radius, self.cells, self.reach = features, radius, cells, reach

    @abstractmethod
    def hidden(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None
    ) -> Float[Tensor, "rows points width"]:
        """What `last` reads at positions; the arguments are those of `occupancy`."""

    def image_count(self, shape: Tensor) -> int:
        """The number of images, from what `precompute` gave for them."""
        return len(shape)

    def occupancy(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None = None
    ) -> tuple[Logits, Features]:
        """Logits, the sphere's plus what the network adds, and features at positions."""
        hidden = self.hidden(positions, shape, image_index)
        features = F.linear(hidden, self.last.weight[1:], self.last.bias[1:])
        with torch.autocast(positions.device.type, enabled=False):  # normals are differences of logits
            added = F.linear(hidden.to(positions.dtype), self.last.weight[:1], self.last.bias[:1]).squeeze(-1)
        distance = (positions.square().sum(-1) + 1e-12).sqrt()
        return SHARPNESS * (self.radius - distance + added), features

    @torch.no_grad()
    def search(self, shape: Tensor) -> LogitsAt:
        """The logits at the corners of a coarse grid, computed once, and between them by trilinear interpolation."""
        side, images = self.cells + 1, self.image_count(shape)
        line = torch.linspace(-0.5, 0.5, side, dtype=shape.dtype, device=shape.device)
        corners = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).view(1, -1, 3)
        values = self.occupancy(corners.expand(images, -1, -1), shape)[0].view(images, 1, *[side] * 3)

        def interpolated(positions: Tensor, image_index: Tensor | None) -> Tensor:
            places, grids, corner = (2 * positions).flip(-1), values, True  # the grid's last axis, z, comes first
            if image_index is not None:  # with places in cells about the corners
                places = places * (self.cells / side)
                first = _stacked(places[..., 2], image_index, images, side)
                places = torch.cat([places[..., :2], first[..., None]], -1)
                grids, corner = values.view(1, 1, -1, side, side), False
            read = F.grid_sample(grids, places.view(len(grids), -1, 1, 1, 3), mode="bilinear", padding_mode="border",
                                 align_corners=corner)
            return read.view(positions.shape[:-1])

        return interpolated

    def with_normals(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None = None
    ) -> tuple[Logits, Features, Positions]:
        """`occupancy`, and the unit normals there: by differences between the corners of a tetrahedron."""
        corners = positions.new_tensor([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
        beside = (positions[:, :, None] + self.reach * corners).flatten(1, 2)
        at, _ = self.occupancy(beside, shape, repeat_index(image_index, 4))
        slope = (at.view(*positions.shape[:2], 4, 1) * corners).sum(2) / (4 * self.reach)
        logits, features = self.occupancy(positions, shape, image_index)
        return logits, features, _unit(-slope)


class OccupancyCoded(FastOccupancyField):
    """One small network of the encoded position and the shape code, as GRAF's (ReLU, the position again half-way).

    Args:
        code: Values of a shape code.
        width: Width of the layers.
        depth: Number of layers before the last.
        octaves: Octaves of the positional encoding.
        features: Values for the colour field.
        radius: Of the sphere, in units of the frame.
    """

    def __init__(self, code: int, width: int, depth: int, octaves: int, features: int, radius: float):
        super().__init__(features, radius, cells=12, reach=1 / 64)
        self.octaves = octaves
        self.trunk = SkipMLP(encoding_dim(octaves), code, width, depth, skip=depth // 2 + 1)
        self.last = nn.Linear(width, 1 + features)
        with torch.no_grad():
            self.last.weight[0] = 0
            self.last.bias[0] = 0

    def hidden(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None
    ) -> Float[Tensor, "rows points width"]:
        """What the network of the encoded position and the code makes, at each point."""
        return self.trunk(positional_encoding(2 * positions, self.octaves), shape, image_index, F.relu, 1.0)


class OccupancyPlanes(FastOccupancyField):
    """Three planes of features, made of the shape code by a convolutional network, read by a small network.

    The planes are the cube's three pairs of axes, as in EG3D (Chan et al. 2022); a position reads each of them
    bilinearly. The convolutions run once for each image, so that a position costs little.

    Args:
        code: Values of a shape code.
        side: Cells of a side of a plane, 4 times a power of two.
        plane_features: Values of a cell.
        plane_width: Width of the convolutional network.
        width: Width of the small network's layers.
        depth: Number of the small network's layers before the last.
        features: Values for the colour field.
        radius: Of the sphere, in units of the frame.
    """

    def __init__(self, code: int, side: int, plane_features: int, plane_width: int, width: int, depth: int,
                 features: int, radius: float):
        super().__init__(features, radius, cells=max(side // 2, 8), reach=0.5 / side)
        self.side, self.plane_features = side, plane_features
        self.first = nn.Linear(code, plane_width * 16)
        doublings = int(math.log2(side // 4))
        self.convolutions = nn.ModuleList(nn.Conv2d(plane_width, plane_width, 3, 1, 1) for _ in range(doublings))
        self.to_planes = nn.Conv2d(plane_width, 3 * plane_features, 3, 1, 1)
        widths = [3 * plane_features + 3] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(widths[:-1], widths[1:], strict=True))
        self.last = nn.Linear(width, 1 + features)
        with torch.no_grad():
            for layer in (self.first, *self.convolutions, self.to_planes):
                nn.init.kaiming_normal_(layer.weight, 0.2)
                nn.init.zeros_(layer.bias)
            self.last.weight[0] = 0
            self.last.bias[0] = 0

    def precompute(self, code: Codes) -> Float[Tensor, "planes plane_features side side"]:
        """Planes `[3 B, C, side, side]`: those of one image together, (x, y), (x, z), (y, z)."""
        grid = F.leaky_relu(self.first(code), 0.2).view(len(code), -1, 4, 4)
        for convolution in self.convolutions:
            grid = F.leaky_relu(convolution(F.interpolate(grid, scale_factor=2, mode="bilinear")), 0.2)
        planes = self.to_planes(grid).to(code.dtype)
        return planes.reshape(-1, self.plane_features, self.side, self.side)

    def image_count(self, shape: Float[Tensor, "planes plane_features side side"]) -> int:
        """The number of images, from their planes."""
        return len(shape) // 3

    def hidden(
        self, positions: Positions, shape: Tensor, image_index: ImageIndex | None
    ) -> Float[Tensor, "rows points width"]:
        """What the small network makes of the planes' values, at each point."""
        rows, count = positions.shape[:2]
        doubled = 2 * positions
        pairs = torch.stack([doubled[..., [0, 1]], doubled[..., [0, 2]], doubled[..., [1, 2]]], 1)  # [B, 3, P, 2]
        if image_index is not None:  # one tall plane of all images' for each pair of axes, read once for all points
            images = self.image_count(shape)
            shape = shape.unflatten(0, (images, 3)).permute(1, 2, 0, 3, 4).flatten(2, 3)  # [3, C, B side, side]
            pairs = torch.stack([pairs[..., 0], _stacked(pairs[..., 1], image_index, images, self.side)], -1)
        read = F.grid_sample(shape, pairs.view(rows * 3, 1, count, 2), mode="bilinear", padding_mode="border",
                             align_corners=False)  # [3 B, C, 1, P]
        hidden = torch.cat([read.view(rows, -1, count).transpose(1, 2), doubled], 2)
        for layer in self.layers:
            hidden = F.silu(layer(hidden))
        return hidden


class ColourField(nn.Module):
    """Colour from position, normal, view direction, the occupancy field's features and an appearance code (UNISURF).

    Args:
        features: Values that the occupancy field gives for each point.
        code: Values of an appearance code.
        width: Width of the layers.
        depth: Number of layers before the last.
        octaves: Octaves of the positional encoding of view directions.
        channels: 1 (grey) or 3 (RGB).
        normal_per_ray: Whether there is one normal for each ray, or one for each point.
    """

    def __init__(self, features: int, code: int, width: int, depth: int, octaves: int, channels: int,
                 normal_per_ray: bool):
        super().__init__()
        self.octaves, self.normal_per_ray = octaves, normal_per_ray
        ray_values = 3 * normal_per_ray + encoding_dim(octaves)
        self.first = ViewConditionedLinear(6 + encoding_dim(octaves) + features - ray_values, ray_values, code, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.last = nn.Linear(width, channels)

    def forward(
        self, positions: Positions, normals: Float[Tensor, "rows normals 3"], directions: Float[Tensor, "rows rays 3"],
        features: Features, appearance: Codes, image_index: RayIndex | None = None,
    ) -> Float[Tensor, "rows points channels"]:
        """Colours in [-1, 1] of points on rays.

        Args:
            positions: In the frame; those of a ray lie next to each other, equally many for each ray.
            normals: Unit normals of the points, or of the rays (`normal_per_ray`).
            directions: Unit directions of the rays.
            features: Of the occupancy field, at the points.
            appearance: Appearance codes of the images.
            image_index: The image of each ray, where all rays are in one row.
        """
        of_points, of_rays = [2 * positions, features], [positional_encoding(directions, self.octaves)]
        (of_rays if self.normal_per_ray else of_points).append(normals)
        hidden = self.first(torch.cat(of_points, -1), torch.cat(of_rays, -1), appearance, image_index).relu()
        for layer in self.layers:
            hidden = layer(hidden).relu()
        return self.last(hidden).to(positions.dtype).tanh()


def _softplus(values: Tensor) -> Tensor:
    return F.softplus(values, beta=100)


def _stacked(places: Tensor, image_index: Tensor, images: int, side: int) -> Tensor:
    """Coordinates along one image's axis as coordinates along the axes of all images, laid end to end.

    What lies beyond the centre of an image's first or last cell is moved there, so that no point reads the neighbour's
    cells.

    Args:
        places: In [-1, 1] along the axis of image `image_index`, which has `side` cells.
        image_index: The image of each point.
        images: How many axes lie end to end.
        side: Cells of each.
    """
    cells = (side * (places + 1) / 2).clamp(0.5, side - 0.5) + side * image_index
    return 2 * cells / (side * images) - 1


def _unit(vectors: Tensor) -> Tensor:
    """The vectors at length 1, and 0 where they are 0; the gradient is finite there too."""
    return vectors / (vectors.square().sum(-1, keepdim=True) + 1e-12).sqrt()
