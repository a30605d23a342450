"""Array shapes, value ranges and axis order of the whole package, written once.

Frame: right-handed, z up, the object faces +y; its longest side fills the cube [-0.5, 0.5]^3 and its bounding box is
centred there. Voxel (i, j, k) of a grid with R voxels a side is the cell whose centre is ((i+0.5)/R - 0.5, ...) on x,
y, z.

PyTorch is imported when one of the tensors' types is asked for, and not before.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

if TYPE_CHECKING:
    from torch import Tensor

    Voxels = Float[Tensor, "batch 1 r r r"]
    """Occupancy in [0, 1], axes x, y, z."""
    Scores = Float[Tensor, " batch"]
    """One unbounded value of a critic for each sample."""
    Latent = Float[Tensor, "batch latent"]
    """Latent vectors, standard normal under the prior unless a system says otherwise."""
    Image = Float[Tensor, "batch channel height width"]
    """Views in [0, 1], dark pencil on bright paper; channel is 1 (grey) or 3 (RGB)."""

Grid = Float[np.ndarray, "r r r"] | Bool[np.ndarray, "r r r"]
"""One occupancy grid outside the networks."""
Pixels = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]
"""One picture outside the networks: grey or RGB, 0 to 255."""

_OF_TENSORS = {"Voxels": "batch 1 r r r", "Scores": "batch", "Latent": "batch latent",
               "Image": "batch channel height width"}


def __getattr__(name: str) -> Any:
    if name not in _OF_TENSORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch import Tensor

    globals()[name] = Float[Tensor, _OF_TENSORS[name]]
    return globals()[name]
