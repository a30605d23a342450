"""Layers that several networks share: bounds of log-variances, positional encodings, linear layers on a code."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.nets.types import ImageIndex, PointValues, RayIndex

MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -12.0, 8.0
"""Bounds of a latent's log-variance, so that its exponential is a finite number above 0."""


def bounded(log_variance: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The log-variance clamped to its two bounds, with the gradient of no clamp: a value beyond one can come back."""
    return log_variance + (log_variance.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE) - log_variance).detach()


def repeat_index(image_index: RayIndex | None, count: int) -> ImageIndex | None:
    """The image of each point, from the image of each ray.

    Args:
        image_index: The image of each ray, or None.
        count: Points of a ray, which lie next to each other.
    """
    return None if image_index is None else image_index.repeat_interleave(count)


def positional_encoding(values: Float[Tensor, "*axes 3"], octaves: int) -> Float[Tensor, "*axes encoding"]:
    """Values in about [-1, 1], followed by sin and cos of 2^k pi times them: 3 + 6 `octaves` values.

    NeRF's positional encoding (Mildenhall et al. 2020, equation 4), with the values themselves first as in its code.
    """
    if not octaves:
        return values
    turns = values[..., None, :] * (math.pi * 2.0 ** torch.arange(octaves, device=values.device))[:, None].to(values)
    return torch.cat([values, torch.stack([turns.sin(), turns.cos()], -2).flatten(-3)], -1)


def encoding_dim(octaves: int) -> int:
    """How many values `positional_encoding` gives."""
    return 3 + 6 * octaves


def start_at_zero(layer: nn.Conv3d) -> nn.Conv3d:
    """The layer with weights and bias 0: what it corrects is at first left as it is."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ConditionedLinear(nn.Module):
    """A linear layer on the values of points with a code beside them.

    The code's part of the product is computed once for each image and not for each point. The weights are those of
    `nn.Linear(inward + code, outward)`.

    Args:
        inward: Values of a point.
        code: Values of an image's code.
        outward: Values that come out.
    """

    def __init__(self, inward: int, code: int, outward: int):
        super().__init__()
        layer = nn.Linear(inward + code, outward)
        self.weight, self.bias = layer.weight, layer.bias
        self.inward = inward

    def forward(
        self, values: PointValues, code: Float[Tensor, "images code"], image_index: ImageIndex | None = None
    ) -> Float[Tensor, "rows points outward"]:
        """The layer's output at each point.

        Args:
            values: Of the points.
            code: Of the images.
            image_index: The image of each point, where all points are in one row.
        """
        return _conditioned(self.weight, self.bias, self.inward, values, code, image_index)


class ViewConditionedLinear(nn.Module):
    """A linear layer on the values of points, with values of their rays and codes of their images beside them.

    The rays' part of the product is computed once for each ray, the codes' part once for each image.

    Args:
        point_values: Values of a point.
        ray_values: Values of a ray.
        code: Values of an image's code.
        outward: Values that come out.
    """

    def __init__(self, point_values: int, ray_values: int, code: int, outward: int):
        super().__init__()
        layer = nn.Linear(ray_values + code, outward)
        self.weight, self.bias = layer.weight, layer.bias
        self.ray_values = ray_values
        self.point = nn.Linear(point_values, outward, bias=False)

    def forward(
        self, values: PointValues, ray_values: Float[Tensor, "rows rays ray_values"],
        code: Float[Tensor, "images code"], image_index: RayIndex | None = None,
    ) -> Float[Tensor, "rows points outward"]:
        """The layer's output at each point.

        Args:
            values: Of the points; those of a ray lie next to each other, equally many for each ray.
            ray_values: Of the rays.
            code: Of the images.
            image_index: The image of each ray, where all rays are in one row.
        """
        shared = _conditioned(self.weight, self.bias, self.ray_values, ray_values, code, image_index)
        return self.point(values) + shared.repeat_interleave(values.shape[1] // ray_values.shape[1], 1)


class SkipMLP(nn.Module):
    """Layers of one width; position and code enter at the first, and again at layer `skip`.

    Args:
        inward: Values of an encoded position.
        code: Values of a code.
        width: Width of each layer.
        depth: Number of layers.
        skip: Number of the layer at which position and code enter again; `depth`: none.
    """

    def __init__(self, inward: int, code: int, width: int, depth: int, skip: int):
        super().__init__()
        self.skip, self.width = skip, width
        layers: list[nn.Module] = [ConditionedLinear(inward, code, width)]
        for number in range(1, depth):
            layers.append(ConditionedLinear(width + inward, code, width) if number == skip else nn.Linear(width, width))
        self.layers = nn.ModuleList(layers)

    def forward(
        self,
        values: PointValues,
        code: Float[Tensor, "images code"],
        image_index: ImageIndex | None,
        activation: Callable[[Tensor], Tensor],
        shrink: float,
    ) -> Float[Tensor, "rows points width"]:
        """The last layer's output, after the activation.

        Args:
            values: Encoded positions.
            code: Of the images.
            image_index: The image of each point, where all points are in one row.
            activation: Applied after every layer.
            shrink: Factor of everything that goes into layer `skip`.
        """
        hidden = activation(self.layers[0](values, code, image_index))
        for number, layer in enumerate(self.layers[1:], start=1):
            if number == self.skip:
                beside = torch.cat([hidden, values], -1)
                hidden = activation(layer(beside if shrink == 1 else shrink * beside, shrink * code, image_index))
            else:
                hidden = activation(layer(hidden))
        return hidden


def _conditioned(weight: Tensor, bias: Tensor, inward: int, values: Tensor, code: Tensor, image_index: Tensor | None
                 ) -> Tensor:
    """The product of `weight` with `inward` values of points and the codes of their images, and the bias."""
    shared = F.linear(code, weight[:, inward:], bias)
    own = F.linear(values, weight[:, :inward])
    return own + (shared[:, None] if image_index is None else shared.index_select(0, image_index))
