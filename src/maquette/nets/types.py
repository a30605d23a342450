"""Tensor types that several networks and losses share."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int64
from torch import Tensor, nn

Voxels = Float[Tensor, "batch 1 r r r"]
"""Occupancy in [0, 1], or its logits; axes x, y, z."""
Cells = Float[Tensor, "batch 64 c c c"]
"""A grid of R = 4 c voxels a side as cells: the 4x4x4 voxels of each cell are its channels."""
Scores = Float[Tensor, " batch"]
"""One unbounded value of a critic for each sample."""
Latent = Float[Tensor, "batch latent"]
"""Latent vectors, standard normal under the prior unless a system says otherwise."""
Images = Float[Tensor, "batch channels height width"]
"""Views in [0, 1], dark pencil on bright paper; 1 channel (grey) or 3 (RGB). Systems that make images: in [-1, 1]."""

Positions = Float[Tensor, "rows points 3"]
"""Points of the frame. One row for each image; or one row for the points of all images, with an `ImageIndex`."""
PointValues = Float[Tensor, "rows points values"]
"""Values at points."""
ImageIndex = Int64[Tensor, " points"]
"""The image that each point of the one row belongs to."""
RayIndex = Int64[Tensor, " rays"]
"""The image that each ray of the one row belongs to."""


@runtime_checkable
class Pretrained(Protocol):
    """A network that does not start from nothing."""

    origin: str
    """Whose weights it starts from, what they learned from, and on which terms they may be used."""

    def pretrained(self) -> Iterable[nn.Parameter]:
        """The weights that start from those of another training, on other data."""
