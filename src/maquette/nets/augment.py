"""Augmentation that a generator learns through: images varied before the critic sees them, real and made ones alike.

DiffAugment (Zhao et al., NeurIPS 2020): light, place and a square cut out, each a differentiable function of the image,
so that the critic cannot learn a small dataset by heart and the generator does not learn the variations. With a
probability below 1 each kind of variation is left out of some images, as in ADA (Karras et al., NeurIPS 2020).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

DRAWS = 10
"""Uniform draws that one image needs."""
SHIFT = 1 / 8
"""The farthest an image is moved, in shares of its sides."""
CUT = 1 / 2
"""Sides of the part that is cut out, in shares of the image's."""


def augment(images: Tensor, draws: Tensor, probability: Tensor | float = 1.0) -> Tensor:
    """Images `[B, C, H, W]` in about [-1, 1] varied, the same shape, float32.

    Brightness by up to 0.5, contrast by a factor of 0.5 to 1.5, saturation of colours by 0 to 2; moved by up to SHIFT,
    mirrored at the edges (as in ADA; DiffAugment has grey come in, and frames of grey then pass for real); a part of
    CUT of the sides, centred anywhere, set to 0.

    Args:
        draws: `[B, DRAWS]` uniform on [0, 1), which decide everything: one row varies two images in the same way. A
            row's variation is an affine function of the image, so it takes a mix of two images to the mix of the two
            varied ones, and a gradient penalty at mixes of varied images is one at varied mixes.
        probability: Of each of the three kinds of variation, for each image by itself.
    """
    light, move, cut = (draws[:, 7:] < probability).unbind(1)
    return cut_out(moved(lit(images.float(), draws[:, :3], light), draws[:, 3:5], move), draws[:, 5:7], cut)


def lit(images: Tensor, draws: Tensor, chosen: Tensor) -> Tensor:
    """Brightness, saturation and contrast of the chosen images `[B]` by draws `[B, 3]`."""
    brightness, saturation, contrast = torch.where(chosen[:, None], draws, 0.5).view(-1, 3, 1, 1, 1).unbind(1)
    images = images + (brightness - 0.5)
    if images.shape[1] == 3:
        grey = images.mean(1, keepdim=True)
        images = grey + 2 * saturation * (images - grey)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (contrast + 0.5) * (images - mean)


def moved(images: Tensor, draws: Tensor, chosen: Tensor) -> Tensor:
    """The chosen images `[B]` moved right and down by whole pixels, mirrored at the edges, by draws `[B, 2]`."""
    places = []
    for side, draw in zip((images.shape[3], images.shape[2]), draws.unbind(1), strict=True):
        most = round(SHIFT * side)
        by = torch.where(chosen, (draw * (2 * most + 1)).floor() - most, 0)
        place = torch.arange(side, device=images.device) - by[:, None]
        places.append((2 * place + 1) / side - 1)
    across, down = places
    grid = torch.stack(torch.broadcast_tensors(across[:, None, :], down[:, :, None]), dim=3)
    return F.grid_sample(images, grid, mode="nearest", padding_mode="reflection", align_corners=False)


def cut_out(images: Tensor, draws: Tensor, chosen: Tensor) -> Tensor:
    """A part of the chosen images `[B]`, centred by draws `[B, 2]`, set to 0."""
    inside = []
    for side, draw in zip((images.shape[3], images.shape[2]), draws.unbind(1), strict=True):
        centre = torch.arange(side, device=images.device) + 0.5
        inside.append((centre - draw[:, None] * side).abs() < CUT * side / 2)
    across, down = inside
    hidden = across[:, None, None, :] & down[:, None, :, None] & chosen[:, None, None, None]
    return images.masked_fill(hidden, 0)
