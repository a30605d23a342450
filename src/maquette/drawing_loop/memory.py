"""A round's object brought together with the one before: the loop knows what it drew, and from where."""

import numpy as np
from jaxtyping import Bool, Float32

from maquette.geometry.shape import Shape
from maquette.plotting.settings import ViewOptions
from maquette.rendering.camera import CIRCUMSPHERE
from maquette.ways.fitting import fit_camera
from maquette.ways.joining import join_parts
from maquette.ways.obeying import OBEYS_FROM, refined
from maquette.ways.outline import outline_of_lines
from maquette.ways.silhouette import Pose, silhouette, surface_voxels
from maquette.ways.views import join, turned
from maquette.ways.warping import of_volume, warp


def pose_of(look: ViewOptions) -> Pose:
    """From where a drawing shows its object."""
    near = float(np.sin(np.radians(look.fov_deg) / 2)) / CIRCUMSPHERE
    return Pose(float(np.radians(look.azimuth_deg)), float(np.radians(look.elevation_deg)), nearness=near)


def fine(shape: Shape) -> Shape:
    """The shape at `FINE` voxels a side, or as it is where it has more; loose parts are joined."""
    return Shape(join_parts(refined(shape.occupancy), shape.threshold), shape.threshold)


def remembered(
    shape: Shape, last: Shape, picture: Float32[np.ndarray, "s s"], look: ViewOptions, azimuth_deg: float | None,
    memory: float,
) -> Shape:
    """What the model reads in a drawing, brought together with the object that was drawn.

    It is turned to where it was drawn from, moved and scaled so that both fill the drawing alike, and bent to its
    outline; then the two are joined. Where it does not look like the drawing, it is only turned.

    Args:
        shape: What the model read, as `fine` gives it.
        last: The object that was drawn, of the same resolution.
        picture: The drawing: 1 is paper and 0 is lead.
        look: How the object was seen in the drawing.
        azimuth_deg: From where the model believes to see its object; None: as it was drawn.
        memory: The weight of the last object, 0 to 1.
    """
    grid = shape.occupancy
    if azimuth_deg is not None:
        grid = turned(grid, look.azimuth_deg - azimuth_deg)
    grid = _placed(grid, last, outline_of_lines(1 - picture).mask, pose_of(look))
    return Shape(join([last.occupancy, grid], [memory, 1 - memory]), shape.threshold)


def _placed(
    grid: Float32[np.ndarray, "r r r"], last: Shape, mask: Bool[np.ndarray, "s s"], pose: Pose
) -> Float32[np.ndarray, "r r r"]:
    """A grid moved and scaled to where the last object fills the drawing, and bent to its outline."""
    voxel, points = 1 / len(grid), [surface_voxels(one) for one in (grid >= last.threshold, last.voxels)]
    if not all(map(len, points)):
        return grid
    new, old = (fit_camera(one, voxel, mask, [pose], turning=False) for one in points)
    if min(new.overlap, old.overlap) < OBEYS_FROM:
        return grid
    size = float(np.exp(new.pose.scale))
    scale = float(np.exp(old.pose.scale)) / size
    apart = np.array([old.pose.right - new.pose.right, old.pose.down - new.pose.down, 0.0]) / size
    line = (np.arange(len(grid)) + 0.5) / len(grid) - 0.5
    at = np.stack(np.meshgrid(line, line, line, indexing="ij")).reshape(3, -1) * scale + (pose.axes.T @ apart)[:, None]
    moved = of_volume(grid, ((at + 0.5) * len(grid) - 0.5).astype(np.float32)).reshape(grid.shape)
    return warp(moved, silhouette(surface_voxels(moved >= last.threshold), old.pose, len(mask), voxel), mask, old.pose)
