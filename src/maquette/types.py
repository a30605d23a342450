"""Array shapes, value ranges and axis order of the whole package, written once.

Frame: right-handed, z up, the object faces +y; its longest side fills the cube [-0.5, 0.5]^3 and its bounding box is
centred there. Voxel (i, j, k) of a grid with R voxels a side is the cell whose centre is ((i+0.5)/R - 0.5, ...) on x,
y, z.

The types of tensors are in `maquette.nets.types`, so that arrays can be typed without importing PyTorch.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8

Grid = Float[np.ndarray, "r r r"] | Bool[np.ndarray, "r r r"]
"""One occupancy grid outside the networks."""
Pixels = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]
"""One picture outside the networks: grey or RGB, 0 to 255."""
