"""Cameras drawn from a distribution, the rays of patches at continuous places, and where these meet the cube.

The frame is the package's (`maquette.types`): z up, the object inside the cube [-0.5, 0.5]^3, and cameras are those of
`maquette.rendering.Camera`, aimed at the origin; here they come as tensors, one for each image of a batch. Places in a
picture are continuous: (0, 0) is its upper left corner, (1, 1) the lower right one, whatever its number of pixels.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

HALF = 0.5
"""Half the side of the cube in which objects lie."""
CAMERA_DRAWS = 3
"""Uniform draws that decide a camera."""


@dataclass(frozen=True)
class Views:
    """Where images are taken from.

    Attributes:
        positions: `[B, 3]` in the frame.
        axes: `[B, 3, 3]`, rows are the picture's right, its down, and forward.
        focal: `[B]`, the focal length in sides of the picture.
    """

    positions: Tensor
    axes: Tensor
    focal: Tensor

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, rows: slice) -> "Views":
        return Views(self.positions[rows], self.axes[rows], self.focal[rows])

    def rays(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Origins and unit directions `[B, P, 3]` of the rays through places `[B, P, 2]` (right, down)."""
        across, down = ((places - 0.5) / self.focal[:, None, None]).unbind(2)
        ways = torch.stack([across, down, torch.ones_like(across)], 2)
        with torch.autocast(ways.device.type, enabled=False):  # eight bits of mantissa do not tell rays apart
            directions = ways @ self.axes
        return self.positions[:, None].expand_as(directions), F.normalize(directions, dim=2)


def views(azimuth_deg: Tensor, elevation_deg: Tensor, distance: Tensor, fov_deg: float) -> Views:
    """Cameras at these angles, as `maquette.rendering.Camera` has them, and distances from the origin, `[B]` each.

    Args:
        fov_deg: The field of view, from edge to edge of the picture.
    """
    azimuth, elevation = azimuth_deg.deg2rad(), elevation_deg.deg2rad()
    zero = torch.zeros_like(azimuth)
    back = torch.stack([-azimuth.sin() * elevation.cos(), azimuth.cos() * elevation.cos(), elevation.sin()], 1)
    right = torch.stack([-azimuth.cos(), -azimuth.sin(), zero], 1)
    axes = torch.stack([right, torch.linalg.cross(-back, right), -back], 1)
    focal = 0.5 / math.tan(math.radians(fov_deg) / 2)
    return Views(distance[:, None] * back, axes, torch.full_like(distance, focal))


def sample_cameras(
    draws: Tensor,
    azimuth_deg: tuple[float, float],
    elevation_deg: tuple[float, float],
    distance: tuple[float, float],
    fov_deg: float,
) -> Views:
    """Views by uniform draws `[B, 3]` on [0, 1]: azimuth, elevation and distance, each between its two bounds.

    Azimuth and distance are uniform. The elevation's sine is, so that viewpoints are uniform on their part of the
    sphere (GRAF, section 4).
    """
    azimuth, elevation, away = draws.unbind(1)
    low, high = (torch.tensor(angle, dtype=draws.dtype, device=draws.device).deg2rad().sin() for angle in elevation_deg)
    sine = torch.lerp(low.expand_as(elevation), high.expand_as(elevation), elevation)
    return views(_between(azimuth, azimuth_deg), sine.asin().rad2deg(), _between(away, distance), fov_deg)


def patch_places(draws: Tensor, smallest: float, side: int) -> Tensor:
    """Places `[B, side * side, 2]` of square patches, row by row, by uniform draws `[B, 3]`: scale, right, down.

    A patch's side is uniform between `smallest` and 1 in sides of the image, and it lies anywhere inside the image
    (GRAF, section 3.2). Its places are the middles of side x side equal squares, so a patch of scale 1 with as many
    places as the image has pixels is the image.
    """
    scale = smallest + (1 - smallest) * draws[:, :1]
    corner = (1 - scale) * draws[:, 1:]  # [B, 2]
    return corner[:, None] + scale[:, None] * pixel_places(side, draws)


def pixel_places(side: int, like: Tensor) -> Tensor:
    """Places `[side * side, 2]` of the middles of an image's pixels, row by row."""
    middles = (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / side
    down, across = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([across.flatten(), down.flatten()], 1)


def sample_image(images: Tensor, places: Tensor) -> Tensor:
    """Images `[B, C, H, W]` at the places `[B, K * K, 2]` of a patch, bilinear: `[B, C, K, K]`."""
    side = round(places.shape[1] ** 0.5)
    grid = (2 * places - 1).view(len(places), side, side, 2)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def intersect_box(origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where rays `[..., 3]` enter and leave the cube, and whether they meet it: near, far, met, `[...]` each.

    A ray that misses it has near = far, so that all its samples weigh nothing in a density; see `hits_box` for the
    rest.
    """
    safe = torch.where(directions.abs() < 1e-9, torch.full_like(directions, 1e-9), directions)
    ends = torch.stack([(-HALF - origins) / safe, (HALF - origins) / safe])
    near = ends.amin(0).amax(-1).clamp(min=0)
    far = ends.amax(0).amin(-1)
    hits_box = far > near
    return near, torch.where(hits_box, far, near), hits_box


def _between(draws: Tensor, bounds: tuple[float, float]) -> Tensor:
    return bounds[0] + (bounds[1] - bounds[0]) * draws
