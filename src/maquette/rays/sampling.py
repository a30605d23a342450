"""Random cameras, the rays of square patches of their images, and where rays meet the cube.

The frame is the package's (`maquette.types`): z up, the object inside the cube [-0.5, 0.5]^3. Cameras are those of
`maquette.rendering.camera`, aimed at the origin, but as tensors, one camera for each image of a batch. Image
coordinates ("places") are continuous, (right, down): (0, 0) is the upper left corner, (1, 1) the lower right one,
whatever the number of pixels.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

HALF = 0.5
"""Half the side of the cube in which objects lie."""
CAMERA_DRAWS = 3
"""Uniform draws that decide a camera."""
Batch = Float[Tensor, " batch"]
"""One value for each image."""
Draws = Float[Tensor, "batch 3"]
"""Uniform on [0, 1], three for each image."""
Places = Float[Tensor, "batch points 2"]
"""Image coordinates (right, down) in [0, 1]."""
Rays = Float[Tensor, "batch points 3"]
"""Origins or unit directions of rays."""


@dataclass(frozen=True)
class Views:
    """The cameras of a batch of square images.

    Attributes:
        positions: In the frame.
        axes: The rows are the image's right, its down, and forward, unit vectors.
        focal: Focal lengths in sides of the image.
    """

    positions: Float[Tensor, "batch 3"]
    axes: Float[Tensor, "batch 3 3"]
    focal: Batch

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, rows: slice) -> "Views":
        return Views(self.positions[rows], self.axes[rows], self.focal[rows])

    def rays(self, places: Places) -> tuple[Rays, Rays]:
        """Origins and unit directions of the rays through these places."""
        across, down = ((places - 0.5) / self.focal[:, None, None]).unbind(2)
        ways = torch.stack([across, down, torch.ones_like(across)], 2)
        with torch.autocast(ways.device.type, enabled=False):  # bfloat16 would make neighbouring rays equal
            directions = ways @ self.axes
        return self.positions[:, None].expand_as(directions), F.normalize(directions, dim=2)


def views(azimuth_deg: Batch, elevation_deg: Batch, distance: Batch, fov_deg: float) -> Views:
    """Cameras at these angles and distances, aimed at the origin.

    Args:
        azimuth_deg: As in `maquette.rendering.camera`; 0 sees the object's front.
        elevation_deg: Above the horizon.
        distance: From the origin, in units of the frame.
        fov_deg: Field of view, from edge to edge of the image.
    """
    azimuth, elevation = azimuth_deg.deg2rad(), elevation_deg.deg2rad()
    zero = torch.zeros_like(azimuth)
    back = torch.stack([-azimuth.sin() * elevation.cos(), azimuth.cos() * elevation.cos(), elevation.sin()], 1)
    right = torch.stack([-azimuth.cos(), -azimuth.sin(), zero], 1)
    axes = torch.stack([right, torch.linalg.cross(-back, right), -back], 1)
    focal = 0.5 / math.tan(math.radians(fov_deg) / 2)
    return Views(distance[:, None] * back, axes, torch.full_like(distance, focal))


def sample_cameras(
    draws: Draws,
    azimuth_deg: tuple[float, float],
    elevation_deg: tuple[float, float],
    distance: tuple[float, float],
    fov_deg: float,
) -> Views:
    """Random cameras, each of whose values lies between two bounds.

    Azimuth, distance and the sine of the elevation are uniform, so that viewpoints are uniform on their part of the
    sphere (GRAF, section 4).

    Args:
        draws: For azimuth, elevation and distance.
        azimuth_deg: Bounds of the azimuth.
        elevation_deg: Bounds of the elevation.
        distance: Bounds of the distance from the origin, in units of the frame.
        fov_deg: Field of view, from edge to edge of the image.
    """
    azimuth, elevation, away = draws.unbind(1)
    low, high = (torch.tensor(angle, dtype=draws.dtype, device=draws.device).deg2rad().sin() for angle in elevation_deg)
    sine = torch.lerp(low.expand_as(elevation), high.expand_as(elevation), elevation)
    return views(_between(azimuth, azimuth_deg), sine.asin().rad2deg(), _between(away, distance), fov_deg)


def patch_places(draws: Draws, smallest: float, side: int) -> Places:
    """Places of random square patches, `side * side` of each, row by row.

    A patch's side is uniform between `smallest` and 1 in sides of the image, and it lies anywhere inside the image
    (GRAF, section 3.2). Its places are the centres of side x side equal squares, so that a patch of scale 1 with as
    many places as the image has pixels is the image.

    Args:
        draws: For the scale and for the position (right, down).
        smallest: The smallest scale, in (0, 1].
        side: Places of a side.
    """
    scale = smallest + (1 - smallest) * draws[:, :1]
    corner = (1 - scale) * draws[:, 1:]  # [B, 2]
    return corner[:, None] + scale[:, None] * pixel_places(side, draws)


def pixel_places(side: int, like: Float[Tensor, "..."]) -> Float[Tensor, "points 2"]:
    """Places of the centres of an image's `side * side` pixels, row by row; dtype and device are those of `like`."""
    middles = (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / side
    down, across = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([across.flatten(), down.flatten()], 1)


def sample_image(
    images: Float[Tensor, "batch channels height width"], places: Places
) -> Float[Tensor, "batch channels side side"]:
    """Patches of images, by bilinear interpolation at the `side * side` places of each patch."""
    side = round(places.shape[1] ** 0.5)
    grid = (2 * places - 1).view(len(places), side, side, 2)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def intersect_box(
    origins: Float[Tensor, "*rays 3"], directions: Float[Tensor, "*rays 3"]
) -> tuple[Float[Tensor, "*rays"], Float[Tensor, "*rays"], Bool[Tensor, "*rays"]]:
    """The depths at which rays enter and leave the cube, and whether they meet it: near, far, hits_box.

    A ray that misses the cube has near = far, so that its samples weigh nothing in a density. A field of occupancy
    needs `hits_box` to leave them out.
    """
    safe = torch.where(directions.abs() < 1e-9, torch.full_like(directions, 1e-9), directions)
    ends = torch.stack([(-HALF - origins) / safe, (HALF - origins) / safe])
    near = ends.amin(0).amax(-1).clamp(min=0)
    far = ends.amax(0).amin(-1)
    hits_box = far > near
    return near, torch.where(hits_box, far, near), hits_box


def _between(draws: Batch, bounds: tuple[float, float]) -> Batch:
    """Draws on [0, 1] moved to the interval between two bounds."""
    return bounds[0] + (bounds[1] - bounds[0]) * draws
