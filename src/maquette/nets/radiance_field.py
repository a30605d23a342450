"""GRAF's radiance field: density and colour at positions seen from directions, for a shape code and an appearance code.

Positions, codes and `image_index` come as in `maquette.nets.occupancy_fields`.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from maquette.nets.layers import SkipMLP, ViewConditionedLinear, encoding_dim, positional_encoding, repeat_index
from maquette.nets.types import Positions, RayIndex


class RadianceField(nn.Module):
    """GRAF's conditional radiance field (Schwarz et al. 2020, section 3.1).

    NeRF's network, with a shape code beside the position and an appearance code beside the view direction.

    Args:
        shape: Values of a shape code.
        appearance: Values of an appearance code.
        width: Width of the layers.
        depth: Number of layers.
        position_octaves: Octaves of the positional encoding of positions.
        view_octaves: Octaves of the positional encoding of view directions.
        channels: 1 (grey) or 3 (RGB).
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
        positions: Positions,
        directions: Float[Tensor, "rows rays 3"],
        shape: Float[Tensor, "images shape_code"],
        appearance: Float[Tensor, "images appearance_code"],
        image_index: RayIndex | None = None,
    ) -> tuple[Float[Tensor, "rows points"], Float[Tensor, "rows points channels"]]:
        """Densities before their ReLU, and colours in [-1, 1], of points on rays.

        Args:
            positions: In the frame; those of a ray lie next to each other, equally many for each ray.
            directions: Unit directions of the rays.
            shape: Shape codes of the images.
            appearance: Appearance codes of the images.
            image_index: The image of each ray, where all rays are in one row.
        """
        count = positions.shape[1] // directions.shape[1]
        hidden = self.trunk(
            positional_encoding(2 * positions, self.octaves[0]), shape, repeat_index(image_index, count), F.relu, 1.0
        )
        seen = self.view(
            self.feature(hidden), positional_encoding(directions, self.octaves[1]), appearance, image_index
        ).relu()
        return self.density(hidden).squeeze(-1).to(positions.dtype), self.colour(seen).to(positions.dtype).tanh()
