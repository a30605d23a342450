"""Augmentation that a generator learns through: images varied before the critic sees them, real and made ones alike.

DiffAugment (Zhao et al., NeurIPS 2020): light, place and a square cut out, each a differentiable function of the image,
so that the critic cannot learn a small dataset by heart and the generator does not learn the variations. With a
probability below 1 each kind of variation is left out of some images, as in ADA (Karras et al., NeurIPS 2020).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from maquette.nets.types import Images

DRAWS = 10
"""Uniform draws that one image needs."""
SHIFT = 1 / 8
"""The largest shift, as a fraction of the image's sides."""
CUT = 1 / 2
"""Sides of the part that is cut out, as a fraction of the image's sides."""
Chosen = Bool[Tensor, " batch"]
"""Which images are varied."""


def augment(
    images: Images, draws: Float[Tensor, "batch 10"], probability: Float[Tensor, ""] | float = 1.0
) -> Images:
    """The images varied, float32.

    Brightness changes by up to 0.5, contrast by a factor of 0.5 to 1.5, saturation by a factor of 0 to 2. The image is
    shifted by up to SHIFT and reflected at the edges (as in ADA; in DiffAugment grey comes in, and then images with
    grey frames count as real). A part with CUT of the sides, centred anywhere, is set to 0.

    Args:
        images: In about [-1, 1].
        draws: Uniform on [0, 1). They decide everything: equal rows vary two images in the same way. A row's
            variation is an affine function of the image, so that of a mix of two images is the mix of the two varied
            images: a gradient penalty may mix the varied images.
        probability: Of each of the three kinds of variation, for each image on its own.
    """
    light, move, cut = (draws[:, 7:] < probability).unbind(1)
    varied = translate(jitter_colour(images.float(), draws[:, :3], light), draws[:, 3:5], move)
    return cutout(varied, draws[:, 5:7], cut)


def jitter_colour(images: Images, draws: Float[Tensor, "batch 3"], chosen: Chosen) -> Images:
    """The images, the chosen ones with another brightness, saturation and contrast."""
    brightness, saturation, contrast = torch.where(chosen[:, None], draws, 0.5).view(-1, 3, 1, 1, 1).unbind(1)
    images = images + (brightness - 0.5)
    if images.shape[1] == 3:
        grey = images.mean(1, keepdim=True)
        images = grey + 2 * saturation * (images - grey)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (contrast + 0.5) * (images - mean)


def translate(images: Images, draws: Float[Tensor, "batch 2"], chosen: Chosen) -> Images:
    """The images, the chosen ones shifted right and down by whole pixels and reflected at the edges."""
    places = []
    for side, draw in zip((images.shape[3], images.shape[2]), draws.unbind(1), strict=True):
        most = round(SHIFT * side)
        by = torch.where(chosen, (draw * (2 * most + 1)).floor() - most, 0)
        place = torch.arange(side, device=images.device) - by[:, None]
        places.append((2 * place + 1) / side - 1)
    across, down = places
    grid = torch.stack(torch.broadcast_tensors(across[:, None, :], down[:, :, None]), dim=3)
    return F.grid_sample(images, grid, mode="nearest", padding_mode="reflection", align_corners=False)


def cutout(images: Images, draws: Float[Tensor, "batch 2"], chosen: Chosen) -> Images:
    """The images, the chosen ones with a part set to 0 whose centre the draws decide (right, down)."""
    inside = []
    for side, draw in zip((images.shape[3], images.shape[2]), draws.unbind(1), strict=True):
        centre = torch.arange(side, device=images.device) + 0.5
        inside.append((centre - draw[:, None] * side).abs() < CUT * side / 2)
    across, down = inside
    hidden = across[:, None, None, :] & down[:, None, :, None] & chosen[:, None, None, None]
    return images.masked_fill(hidden, 0)
