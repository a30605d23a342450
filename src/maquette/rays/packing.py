"""The rays of several images that meet the cube, packed into one row."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor

RAY_MULTIPLE = 128
"""The number of rays in a pass is a multiple of this."""


@dataclass(frozen=True)
class PackedRays:
    """The rays of several images that meet the cube, in one row; the other rays see the background, at no cost.

    Some rays that miss the cube fill the row up to a multiple of RAY_MULTIPLE, since matrix products whose size changes
    with every pass are slow.

    Attributes:
        places: The index of each ray of the row among all rays of all images.
        image_index: The image of each ray of the row; None for a single image.
        size: Images, and rays of each.
    """

    places: Int64[Tensor, " packed"]
    image_index: Int64[Tensor, " packed"] | None
    size: torch.Size

    @classmethod
    def where(cls, hits_box: Bool[Tensor, "images rays"]) -> "PackedRays":
        """The rays for which `hits_box` is true."""
        count = max(1, math.ceil(hits_box.sum().item() / RAY_MULTIPLE)) * RAY_MULTIPLE
        places = hits_box.flatten().byte().argsort(descending=True, stable=True)[:count].sort().values
        return cls(places, None if len(hits_box) == 1 else places // hits_box.shape[1], hits_box.shape)

    def pack(self, values: Shaped[Tensor, "images rays *values"]) -> Shaped[Tensor, "1 packed *values"]:
        """The values of these rays alone."""
        return values.flatten(0, 1).index_select(0, self.places)[None]

    def unpack(self, values: Shaped[Tensor, "1 packed *values"]) -> Shaped[Tensor, "images rays *values"]:
        """The values of all rays: zero for those that are not packed."""
        whole = values.new_zeros(self.size.numel(), *values.shape[2:])
        return whole.index_copy(0, self.places, values[0]).unflatten(0, self.size)

    def unpack_over(
        self, colour: Float[Tensor, "1 packed channels"], mask: Float[Tensor, "1 packed"],
        background: Float[Tensor, "images 1 channels"] | float,
    ) -> tuple[Float[Tensor, "images rays channels"], Float[Tensor, "images rays"]]:
        """Colours of all rays over the background, and their masks.

        Args:
            colour: Of these rays, on black.
            mask: Of these rays.
            background: In [-1, 1].
        """
        whole = self.unpack(mask)
        return self.unpack(colour) + (1 - whole)[..., None] * background, whole
