"""Fields: networks that say of a position whether it is inside an object, and what colour it has.

Positions are in the frame (`maquette.types`), the object inside the cube [-0.5, 0.5]^3; networks read them doubled, in
[-1, 1]. Logits are of occupancy: above 0, occupancy above 0.5, is inside. All points of an image come in one row:
positions `[B, P, 3]`, with one code for each image, `[B, S]`. Or, where images have different numbers of points, all
points of all images in one row, `[1, P, 3]`, and `image_index`, int64 `[P]`, says which of the B images each belongs
to.

The occupancy fields share one interface (`OccupancyField`), so that what renders them need not know which it has:
`prepared` turns shape codes into what the rest takes as `shape`, once for all points of an image.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHARPNESS = 20.0
"""By how much the first logit falls from the inside of the sphere outwards, in 1 / units of the frame (UNISURF's code:
10 for the doubled positions)."""
FITTED = 1024
"""Points in the cube, and as many about the sphere, at which the last layer is fitted to the sphere."""
RIDGE = 1e-4
"""Share of the features' mean square that is added to their covariance in that fit."""


Search = Callable[[Tensor, Tensor | None], Tensor]
"""Positions `[B, P, 3]` and `image_index` or None to logits `[B, P]`."""


def repeat_index(image_index: Tensor | None, count: int) -> Tensor | None:
    """The owners of points, of which each ray, or point before, has `count` in a row; None stays None."""
    return None if image_index is None else image_index.repeat_interleave(count)


def positional_encoding(values: Tensor, octaves: int) -> Tensor:
    """Values `[..., 3]` in about [-1, 1], and sin and cos of 2^k pi times them: `[..., 3 + 6 octaves]`.

    NeRF's positional encoding (Mildenhall et al. 2020, equation 4), with the values themselves first as in its code.
    """
    if not octaves:
        return values
    turns = values[..., None, :] * (math.pi * 2.0 ** torch.arange(octaves, device=values.device))[:, None].to(values)
    return torch.cat([values, torch.stack([turns.sin(), turns.cos()], -2).flatten(-3)], -1)


def encoding_dim(octaves: int) -> int:
    """Values that `positional_encoding` gives."""
    return 3 + 6 * octaves


class ConditionedLinear(nn.Linear):
    """A linear layer on values with a code beside them; the code's part is computed once an image, not a point."""

    def __init__(self, inward: int, code: int, outward: int):
        super().__init__(inward + code, outward)
        self.inward = inward

    def forward(self, values: Tensor, code: Tensor, image_index: Tensor | None = None) -> Tensor:
        """`[B, P, inward]` and `[B, code]` to `[B, P, outward]`."""
        own, of_code = self.weight[:, : self.inward], self.weight[:, self.inward :]
        shared = F.linear(code, of_code, self.bias)
        return F.linear(values, own) + (shared[:, None] if image_index is None else shared.index_select(0, image_index))


class ViewConditionedLinear(ConditionedLinear):
    """A linear layer on values of points, beside them values of their rays and codes of their images, each of which is
    taken into account once a ray and once an image.
    """

    def __init__(self, of_point: int, of_ray: int, code: int, outward: int):
        super().__init__(of_ray, code, outward)
        self.point = nn.Linear(of_point, outward, bias=False)

    def forward(self, values: Tensor, of_ray: Tensor, code: Tensor, image_index: Tensor | None = None) -> Tensor:
        """`[B, P, of_point]`, `[B, R, of_ray]` and `[B, code]` to `[B, P, outward]`; P / R points in a row are a ray's.

        owner: of the rays, `[R]`.
        """
        shared = super().forward(of_ray, code, image_index)
        return self.point(values) + shared.repeat_interleave(values.shape[1] // of_ray.shape[1], 1)


class SkipMLP(nn.Module):
    """Layers of one width; position and code enter at the first, and again at `skip`."""

    def __init__(self, inward: int, code: int, width: int, depth: int, skip: int):
        super().__init__()
        self.skip, self.width = skip, width
        layers: list[nn.Module] = [ConditionedLinear(inward, code, width)]
        for number in range(1, depth):
            layers.append(ConditionedLinear(width + inward, code, width) if number == skip else nn.Linear(width, width))
        self.layers = nn.ModuleList(layers)

    def forward(
        self,
        values: Tensor,
        code: Tensor,
        image_index: Tensor | None,
        activation: Callable[[Tensor], Tensor],
        shrink: float,
    ) -> Tensor:
        """`[B, P, inward]` and `[B, code]` to `[B, P, width]`; shrink: a factor of what enters at `skip`."""
        hidden = activation(self.layers[0](values, code, image_index))
        for number, layer in enumerate(self.layers[1:], start=1):
            if number == self.skip:
                beside = torch.cat([hidden, values], -1)
                hidden = activation(layer(beside if shrink == 1 else shrink * beside, shrink * code, image_index))
            else:
                hidden = activation(layer(hidden))
        return hidden


class OccupancyField(nn.Module, ABC):
    """Positions and shape codes to occupancy; nothing else decides it. `features`: values for a colour field."""

    features: int
    normal_a_ray: ClassVar[bool] = False
    """Whether a ray's colours share the normal where it ends, instead of one at each sample."""
    mixed: ClassVar[bool] = False
    """Whether its products may be taken in the eight bits of mantissa of bfloat16, where autocast is on."""

    def prepared(self, code: Tensor) -> Tensor:
        """What `occupancy` takes as `shape`, from shape codes `[B, S]`."""
        return code

    @abstractmethod
    def occupancy(self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits `[B, P]` and features `[B, P, features]` at positions `[B, P, 3]`."""

    def search(self, shape: Tensor) -> Search:
        """Positions `[B, P, 3]`, and their `image_index` or None, to the logits `[B, P]` that a march goes by."""
        return lambda positions, image_index: self.occupancy(positions, shape, image_index)[0]

    def with_normals(
        self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`occupancy`, and the unit normals `[B, P, 3]` there: against the gradient of the logit, by autograd.

        The normals can be learned through where gradients are enabled. Positions that ask for a gradient then get one.
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
    sphere of them. Differs from theirs: that layer is not drawn about its expectation but fitted to the sphere by
    least squares at some thousand points. Networks far narrower than 256 have too few features to make it round.
    """

    def __init__(self, code: int, width: int, depth: int, octaves: int, features: int, radius: float):
        super().__init__()
        self.code, self.octaves, self.features = code, octaves, features
        self.trunk = SkipMLP(encoding_dim(octaves), code, width, depth, skip=max(depth // 2, 1) if depth > 2 else depth)
        self.last = nn.Linear(width, 1 + features)
        self._become_sphere(radius)

    def occupancy(self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `OccupancyField`."""
        found = self.last(self._hidden(positions, shape, image_index))
        return -SHARPNESS * found[..., 0], found[..., 1:]

    def _hidden(self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None) -> Tensor:
        return self.trunk(
            positional_encoding(2 * positions, self.octaves), shape, image_index, _softplus, 1 / math.sqrt(2)
        )

    @torch.no_grad()
    def _become_sphere(self, radius: float) -> None:
        width = self.trunk.width
        for number, layer in enumerate(self.trunk.layers):
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / width))
            nn.init.zeros_(layer.bias)
            if isinstance(layer, ConditionedLinear):
                layer.weight[:, 3 + (width if number else 0) :] = 0  # encoding and code
        nn.init.normal_(self.last.weight, 0.0, math.sqrt(2 / width))
        nn.init.zeros_(self.last.bias)
        if self.last.weight.is_meta:
            return
        draws = torch.Generator().manual_seed(0)
        inside = torch.rand(FITTED, 3, generator=draws) - 0.5
        shell = F.normalize(torch.randn(FITTED, 3, generator=draws), dim=1)
        shell = shell * radius * (0.8 + 0.4 * torch.rand(FITTED, 1, generator=draws))
        points = torch.cat([inside, shell])
        hidden = self._hidden(points[None], torch.zeros(1, self.code))[0].double()
        known = torch.cat([hidden, torch.ones(len(hidden), 1, dtype=torch.float64)], 1)
        square = known.T @ known
        square[:-1, :-1].diagonal().add_(RIDGE * square[:-1, :-1].diagonal().mean())
        fitted = torch.linalg.solve(square, known.T @ (points.double().norm(dim=1) - radius))
        self.last.weight[0] = fitted[:-1].float()
        self.last.bias[0] = fitted[-1].float()


class QuickField(OccupancyField):
    """A field that is cheap to search: the march goes by a coarse grid, normals are differences, products may be
    taken in bfloat16.

    What `added` says is added to the logit of the sphere that training starts from, and is nothing before the first
    step. cells: of a side of the grid. reach: of the differences, in sides of the cube.
    """

    normal_a_ray = True
    mixed = True

    def __init__(self, features: int, radius: float, cells: int, reach: float):
        super().__init__()
        self.features, self.radius, self.cells, self.reach = features, radius, cells, reach

    @abstractmethod
    def hidden(self, positions: Tensor, shape: Tensor, image_index: Tensor | None) -> Tensor:
        """What `last` reads, `[B, P, width]`, at positions `[B, P, 3]`."""

    last: nn.Linear
    """From what is hidden to what is added to the logit, and to the features."""

    def codes(self, shape: Tensor) -> int:
        """How many images' codes `prepared` was given."""
        return len(shape)

    def occupancy(self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """See `OccupancyField`."""
        hidden = self.hidden(positions, shape, image_index)
        features = F.linear(hidden, self.last.weight[1:], self.last.bias[1:])
        with torch.autocast(positions.device.type, enabled=False):  # normals are differences of logits
            added = F.linear(hidden.to(positions.dtype), self.last.weight[:1], self.last.bias[:1]).squeeze(-1)
        distance = (positions.square().sum(-1) + 1e-12).sqrt()
        return SHARPNESS * (self.radius - distance + added), features

    @torch.no_grad()
    def search(self, shape: Tensor) -> Search:
        """A march goes by the logits at the corners of a coarse grid, once computed; between them it is trilinear."""
        side, images = self.cells + 1, self.codes(shape)
        line = torch.linspace(-0.5, 0.5, side, dtype=shape.dtype, device=shape.device)
        corners = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).view(1, -1, 3)
        values = self.occupancy(corners.expand(images, -1, -1), shape)[0].view(images, 1, *[side] * 3)

        def looked_up(positions: Tensor, image_index: Tensor | None) -> Tensor:
            places, grids, corner = (2 * positions).flip(-1), values, True  # the grid's last axis, z, comes first
            if image_index is not None:  # with places in cells about the corners
                places = places * (self.cells / side)
                first = _stacked(places[..., 2], image_index, images, side)
                places = torch.cat([places[..., :2], first[..., None]], -1)
                grids, corner = values.view(1, 1, -1, side, side), False
            read = F.grid_sample(grids, places.view(len(grids), -1, 1, 1, 3), mode="bilinear", padding_mode="border",
                                 align_corners=corner)
            return read.view(positions.shape[:-1])

        return looked_up

    def with_normals(
        self, positions: Tensor, shape: Tensor, image_index: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `OccupancyField`; by differences between the corners of a tetrahedron, not autograd."""
        corners = positions.new_tensor([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
        beside = (positions[:, :, None] + self.reach * corners).flatten(1, 2)
        at, _ = self.occupancy(beside, shape, repeat_index(image_index, 4))
        slope = (at.view(*positions.shape[:2], 4, 1) * corners).sum(2) / (4 * self.reach)
        logits, features = self.occupancy(positions, shape, image_index)
        return logits, features, _unit(-slope)


class OccupancyCoded(QuickField):
    """One small network of the encoded position and the shape code, as GRAF's (ReLU, the position again half-way)."""

    def __init__(self, code: int, width: int, depth: int, octaves: int, features: int, radius: float):
        super().__init__(features, radius, cells=12, reach=1 / 64)
        self.octaves = octaves
        self.trunk = SkipMLP(encoding_dim(octaves), code, width, depth, skip=depth // 2 + 1)
        self.last = nn.Linear(width, 1 + features)
        with torch.no_grad():
            self.last.weight[0] = 0
            self.last.bias[0] = 0

    def hidden(self, positions: Tensor, shape: Tensor, image_index: Tensor | None) -> Tensor:
        """See `QuickField`."""
        return self.trunk(positional_encoding(2 * positions, self.octaves), shape, image_index, F.relu, 1.0)


class OccupancyPlanes(QuickField):
    """Three planes of features, made of the shape code by a convolutional network, read by a small network.

    The planes are the cube's three pairs of axes, as in EG3D (Chan et al. 2022); a position reads each of them
    bilinearly. The convolutions run once an image, so that a position costs little.
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

    def prepared(self, code: Tensor) -> Tensor:
        """Planes `[3 B, C, side, side]`: those of one image together, (x, y), (x, z), (y, z)."""
        grid = F.leaky_relu(self.first(code), 0.2).view(len(code), -1, 4, 4)
        for convolution in self.convolutions:
            grid = F.leaky_relu(convolution(F.interpolate(grid, scale_factor=2, mode="bilinear")), 0.2)
        planes = self.to_planes(grid).to(code.dtype)
        return planes.reshape(-1, self.plane_features, self.side, self.side)

    def codes(self, shape: Tensor) -> int:
        """See `QuickField`."""
        return len(shape) // 3

    def hidden(self, positions: Tensor, shape: Tensor, image_index: Tensor | None) -> Tensor:
        """See `QuickField`."""
        rows, count = positions.shape[:2]
        doubled = 2 * positions
        pairs = torch.stack([doubled[..., [0, 1]], doubled[..., [0, 2]], doubled[..., [1, 2]]], 1)  # [B, 3, P, 2]
        if image_index is not None:  # one tall plane of all images' for each pair of axes: one look for all points
            images = self.codes(shape)
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
        normal_a_ray: Whether normals are given for rays, or for points.
    """

    def __init__(self, features: int, code: int, width: int, depth: int, octaves: int, channels: int,
                 normal_a_ray: bool):
        super().__init__()
        self.octaves, self.normal_a_ray = octaves, normal_a_ray
        of_ray = 3 * normal_a_ray + encoding_dim(octaves)
        self.first = ViewConditionedLinear(6 + encoding_dim(octaves) + features - of_ray, of_ray, code, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.last = nn.Linear(width, channels)

    def forward(
        self, positions: Tensor, normals: Tensor, directions: Tensor, features: Tensor, appearance: Tensor,
        image_index: Tensor | None = None,
    ) -> Tensor:
        """Positions `[B, P, 3]`, normals there or of rays, directions `[B, R, 3]` of rays, each of which has P / R of
        the points, in a row, `[B, P, F]` and `[B, A]` to `[B, P, channels]` in [-1, 1]. owner: of the rays, `[R]`.
        """
        of_point, of_ray = [2 * positions, features], [positional_encoding(directions, self.octaves)]
        (of_ray if self.normal_a_ray else of_point).append(normals)
        hidden = self.first(torch.cat(of_point, -1), torch.cat(of_ray, -1), appearance, image_index).relu()
        for layer in self.layers:
            hidden = layer(hidden).relu()
        return self.last(hidden).to(positions.dtype).tanh()


class DensityField(nn.Module):
    """GRAF's conditional radiance field: NeRF's network, a shape code beside the position, an appearance code beside
    the view direction (Schwarz et al. 2020, section 3.1).
    """

    def __init__(self, shape: int, appearance: int, width: int, depth: int, position_octaves: int, view_octaves: int,
                 channels: int):
        super().__init__()
        self.octaves = (position_octaves, view_octaves)
        self.trunk = SkipMLP(encoding_dim(position_octaves), shape, width, depth, skip=depth // 2 + 1)
        self.density, self.feature = nn.Linear(width, 1), nn.Linear(width, width)
        self.view = ViewConditionedLinear(width, encoding_dim(view_octaves), appearance, max(width // 2, 1))
        self.colour = nn.Linear(max(width // 2, 1), channels)

    def forward(
        self,
        positions: Tensor,
        directions: Tensor,
        shape: Tensor,
        appearance: Tensor,
        image_index: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Positions `[B, P, 3]` and directions `[B, R, 3]` of rays, each of which has P / R of the points, in a row, to
        densities `[B, P]` before their ReLU, and colours `[B, P, channels]` in [-1, 1]. owner: of the rays, `[R]`.
        """
        count = positions.shape[1] // directions.shape[1]
        hidden = self.trunk(
            positional_encoding(2 * positions, self.octaves[0]), shape, repeat_index(image_index, count), F.relu, 1.0
        )
        seen = self.view(
            self.feature(hidden), positional_encoding(directions, self.octaves[1]), appearance, image_index
        ).relu()
        return self.density(hidden).squeeze(-1).to(positions.dtype), self.colour(seen).to(positions.dtype).tanh()


def _softplus(values: Tensor) -> Tensor:
    return F.softplus(values, beta=100)


def _stacked(places: Tensor, image_index: Tensor, images: int, side: int) -> Tensor:
    """Places in [-1, 1] along an axis of `side` cells of image `image_index`, as places along the `images` stacked.

    What lies beyond the middle of an image's first or last cell stays there, so that none reads its neighbour's.
    """
    cells = (side * (places + 1) / 2).clamp(0.5, side - 0.5) + side * image_index
    return 2 * cells / (side * images) - 1


def _unit(vectors: Tensor) -> Tensor:
    """Of length 1, and 0 where there is no direction; with gradients that are finite there too."""
    return vectors / (vectors.square().sum(-1, keepdim=True) + 1e-12).sqrt()
