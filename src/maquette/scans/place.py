"""From the points that a depth sensor saw to a partial grid in the package's frame.

The points of a sensor are in its own axes (x right, y down, z forward) and its own unit. Among them are those of the
floor or table that the object stands on, and of what stands around it. Networks learned from objects that stand upright
in the middle of a cube, their longest side filling it. What the sensor did not see is unknown: the size of an object is
that of its visible part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError
from maquette.geometry.parts import voxel_parts
from maquette.io.formats import MAX_COORDINATE
from maquette.rendering import Camera
from maquette.scans.floor import Plane, find_plane

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Shaped

LEAST_POINTS = 50
"""The fewest points that an object may have."""
MOST_POINTS = 1_000_000
"""The most points that are used; of more, only every second, third, ... is taken."""
_BESIDE = 0.1
"""What lies this near to an object, as a share of its size, belongs to it."""
_SPECK = 0.01
"""Without a floor, loose parts with less than this share of the points are left out."""
_NEAREST = 1e-9
"""No camera sees what is nearer than this, as a share of how far points usually lie."""
_INWARDS = 0.1
"""How far each point is moved along its ray, into the solid that it lies on, in voxels."""


@dataclass(frozen=True)
class Placement:
    """What was done to the points of a scan.

    Attributes:
        unit: The side of the cube in the scan's own unit (metres for a depth picture).
        elevation_deg: Of the camera above the horizon, given or found; None for points that came upright.
        plane: Whether a floor or table was found and left out.
        kept: How many points are the object's.
        total: How many points were looked at.
        azimuth_deg: The side that the camera saw, from 0 to 360; 0 is the front.
        guessed: Whether a model chose the side (`maquette.scans.facing`).
    """

    unit: float
    elevation_deg: float | None
    plane: bool
    kept: int
    total: int
    azimuth_deg: float = 0.0
    guessed: bool = False

    def line(self) -> str:
        """One line for the user: `floor left out, 5120 of 76800 points kept, camera 31 degrees above the horizon`."""
        parts = ["floor left out"] if self.plane else ["no floor found"]
        parts.append(f"{self.kept} of {self.total} points kept")
        if self.elevation_deg is not None:
            parts.append(f"camera {self.elevation_deg:.0f} degrees above the horizon")
        if self.guessed:
            parts.append(f"taken to be seen from {self.azimuth_deg:.0f} degrees")
        return ", ".join(parts)


@dataclass(frozen=True)
class Standing:
    """The points of an object, upright and cut out of their surroundings; they can be turned to face any way.

    Attributes:
        points: Along the axes of the frame, in the scan's own unit.
        rays: The unit directions in which they were seen, or None.
        floor: The normal and the offset of the plane under them, or None.
        elevation_deg: As in `Placement`.
        total: As in `Placement`.
        azimuth_deg: The side that the camera saw, as the points are turned now.
        name: What messages call the scan.
    """

    points: Float[np.ndarray, "n 3"]
    rays: Float[np.ndarray, "n 3"] | None
    floor: tuple[Float[np.ndarray, " 3"], float] | None
    elevation_deg: float | None
    total: int
    azimuth_deg: float
    name: str

    def facing(
        self, azimuth_deg: float, resolution: int, fill: float = 1.0
    ) -> tuple[Bool[np.ndarray, "r r r"], Placement]:
        """The points as a partial grid, taken to be seen from another side, and what was done.

        Args:
            azimuth_deg: The side that the camera saw; 0 is the front.
            resolution: Voxels a side.
            fill: The longest visible extent, as a share of the side of the cube; above 0, at most 1.

        Raises:
            UserError: If all points lie in one place.
        """
        turn = _about_z(azimuth_deg - self.azimuth_deg)
        seen = self.points @ turn.T
        low, high = np.quantile(seen, (0.001, 0.999), axis=0)  # a few stray points are no size
        if self.floor is not None:
            (normal, offset), middle = self.floor, (low + high) / 2
            normal = turn @ normal
            low[2] = -(offset + normal[0] * middle[0] + normal[1] * middle[1]) / normal[2]
        longest = float((high - low).max())
        if not longest > 0:
            raise UserError(f"{self.name}: all points lie in one place")
        unit = longest / fill
        local = (seen - (low + high) / 2) / unit
        if self.rays is not None:
            local += self.rays @ turn.T * (_INWARDS / resolution)
        placement = Placement(unit, self.elevation_deg, self.floor is not None, len(seen), self.total,
                              float(azimuth_deg % 360))
        return _grid(local, resolution), placement


def place(
    points: Shaped[np.ndarray, " ..."],
    resolution: int,
    *,
    azimuth_deg: float = 0.0,
    elevation_deg: float | None = None,
    up: str | None = None,
    fill: float = 1.0,
    name: str = "the scan",
    seed: int = 0,
) -> tuple[Bool[np.ndarray, "r r r"], Placement]:
    """Points as a partial grid in the package's frame, and what was done.

    The object rests on its floor; along each axis the visible part is centred.

    Args:
        points: As for `stand`.
        resolution: Voxels a side.
        azimuth_deg: As for `stand`.
        elevation_deg: As for `stand`.
        up: As for `stand`.
        fill: The longest visible extent, as a share of the side of the cube; above 0, at most 1.
        name: What messages call the scan.
        seed: Of the search for the floor.

    Raises:
        UserError: As `stand`, and for a `fill` out of range.
    """
    if not 0 < fill <= 1:
        raise UserError("fill must be above 0 and at most 1", fill)
    standing = stand(points, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, up=up, name=name, seed=seed)
    return standing.facing(azimuth_deg, resolution, fill)


def stand(
    points: Shaped[np.ndarray, " ..."],
    *,
    azimuth_deg: float = 0.0,
    elevation_deg: float | None = None,
    up: str | None = None,
    name: str = "the scan",
    seed: int = 0,
) -> Standing:
    """The points of the object in a scan, upright.

    If there is a floor or table (`maquette.scans.floor`), it is left out, and so is everything on it but the part
    nearest to the middle.

    Args:
        points: Numbers `[N, 3]` in the camera's axes, x right, y down, z forward, in any unit. Points that are not
            finite are left out.
        azimuth_deg: The side that the camera saw, 0 for the object's front, as in `maquette.rendering.Camera`.
        elevation_deg: Of the camera above the horizon, -90 to 90; None if the floor is to tell it.
        up: "z" for points that stand upright already; azimuth 0 then leaves them as they are.
        name: What messages call the scan.
        seed: Of the search for the floor.

    Raises:
        UserError: If there are too few points, if nothing stands on the floor, if neither floor nor elevation is known,
            and for arguments out of range.
    """
    if up not in (None, "z"):
        raise UserError("up must be 'z' or left out", repr(up))
    if up and elevation_deg is not None:
        raise UserError("points that stand upright have no elevation", f"up 'z' and {elevation_deg:g} degrees")
    if elevation_deg is not None and not -90 <= elevation_deg <= 90:
        raise UserError("elevation_deg must be from -90 to 90", elevation_deg)
    if not np.isfinite(azimuth_deg):
        raise UserError("azimuth_deg must be a number of degrees", azimuth_deg)
    points = _checked(points, name, in_front=up is None)
    upwards = _upwards(elevation_deg, up)
    plane = find_plane(points, upwards, seed)
    if upwards is None:
        if plane is None:
            raise UserError(f"{name}: no floor or table found under the object", hint="say how far above the horizon "
                            "the camera looked from with --elevation-deg")
        upwards = plane.normal
    axes = _axes(upwards, up, azimuth_deg)  # rows: the frame's x, y, z in the scan's axes
    chosen = _object(points, points @ axes.T, plane, in_front=up is None)
    if chosen.sum() < LEAST_POINTS:
        raise UserError(f"{name}: too few points {'on the floor' if plane else 'in one place'}", int(chosen.sum()),
                        f"at least {LEAST_POINTS} are needed")
    rays = None
    if up is None:
        rays = points[chosen] / np.linalg.norm(points[chosen], axis=1, keepdims=True) @ axes.T
    floor = None if plane is None else (axes @ plane.normal, plane.offset)
    elevation = None if up else float(np.degrees(np.arcsin(np.clip(-upwards[2], -1, 1))))
    return Standing(points[chosen] @ axes.T, rays, floor, elevation, len(points), azimuth_deg, name)


def _checked(points: Shaped[np.ndarray, " ..."], name: str, in_front: bool) -> Float[np.ndarray, "n 3"]:
    """The finite points, at most MOST_POINTS of them; with `in_front` only those that a camera can see."""
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind not in "biuf":
        raise UserError(f"{name}: points are numbers [N, 3]", f"{points.dtype} {points.shape}")
    points = points[np.isfinite(points).all(1)]
    points = points[:: -(-max(len(points), 1) // MOST_POINTS)].astype(np.float64)
    usual = float(np.median(np.abs(points).max(1))) if len(points) else 1.0
    if usual < 1 / MAX_COORDINATE:
        raise UserError(f"{name}: all points lie in one place")
    if in_front:
        forward = points[:, 2] > _NEAREST * usual
        if len(points) and forward.mean() < 0.5:
            raise UserError(f"{name}: most points lie behind the camera", hint="a camera's axes are x right, y down, z "
                            "forward; for points that stand upright say --up z")
        points = points[forward]
    if len(points) < LEAST_POINTS:
        raise UserError(f"{name} has too few points", len(points), f"at least {LEAST_POINTS} are needed")
    furthest = float(np.abs(points).max())
    if furthest > MAX_COORDINATE:
        raise UserError(f"{name} has coordinates that are too large for any unit", f"{furthest:g}")
    return points


def _upwards(elevation_deg: float | None, up: str | None) -> Float[np.ndarray, " 3"] | None:
    """The direction up in the scan's axes; None if it is not known."""
    if up:
        return np.array([0.0, 0.0, 1.0])
    return None if elevation_deg is None else Camera(0, elevation_deg).axes[:, 2]


def _axes(upwards: Float[np.ndarray, " 3"], up: str | None, azimuth_deg: float) -> Float[np.ndarray, "3 3"]:
    """The frame's x, y and z, a row each, in the scan's axes."""
    if up:
        level = np.eye(3)
    else:
        ahead = np.array([0.0, 0.0, 1.0])
        if abs(ahead @ upwards) > 0.99:  # straight down: the top of the picture is ahead
            ahead = np.array([0.0, -1.0, 0.0])
        ahead = ahead - (ahead @ upwards) * upwards
        back = -ahead / np.linalg.norm(ahead)
        level = np.stack([np.cross(back, upwards), back, upwards])
    return _about_z(azimuth_deg) @ level


def _about_z(angle_deg: float) -> Float[np.ndarray, "3 3"]:
    """The rotation about z, from x towards y."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _object(
    points: Float[np.ndarray, "n 3"], upright: Float[np.ndarray, "n 3"], plane: Plane | None, in_front: bool
) -> Bool[np.ndarray, " n"]:
    """Which points are the object's.

    On a floor it is the part nearest to the middle of the scan and to the camera, with what lies beside and under it.
    Without a floor it is everything but specks.

    Args:
        points: In the scan's axes.
        upright: The same points in the frame's axes.
        plane: The floor.
        in_front: Whether the scan's axes are those of a camera.
    """
    chosen = np.ones(len(points), bool) if plane is None else plane.height(points) > plane.margin
    where = np.flatnonzero(chosen)
    if len(where) < LEAST_POINTS:
        return chosen
    part = _parts(upright[where])
    counts = np.bincount(part)
    if plane is None:
        chosen[where] = counts[part] >= _SPECK * len(where)
        return chosen
    if in_front:
        offset = np.hypot(points[:, 0], points[:, 1]) / points[:, 2]
        behind = points[where, 2] / np.median(points[where, 2])
    else:
        offset = np.linalg.norm(upright[:, :2] - np.median(upright[:, :2], axis=0), axis=1)
        behind = np.zeros(len(where))
    offset = offset[where] / np.quantile(offset, 0.95)
    large = np.flatnonzero(counts >= min(counts.max(), max(0.05 * len(where), LEAST_POINTS)))
    far = [np.quantile(offset[part == k], 0.1) + np.median(behind[part == k]) for k in large]
    body = upright[where[part == large[int(np.argmin(far))]]]
    low, high = body.min(0), body.max(0)
    reach = _BESIDE * (high - low).max()
    low, high = low - reach, high + reach
    low[2] = -np.inf
    return chosen & ((upright >= low) & (upright <= high)).all(1)


def _parts(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    """The number of the part that each point is in: cells of a grid that touch are one part.

    The cells are as fine as the points allow: eight points a cell on average, but no coarser than a twelfth of the
    extent.
    """
    low, high = np.quantile(points, (0.01, 0.99), axis=0)
    extent = max(float((high - low).max()), 1e-12)
    for cells in (96, 64, 48, 32, 24, 16, 12):
        index = np.clip(np.floor((points - low) / extent * cells), -8, cells + 8).astype(np.int64) + 8
        filled = np.zeros((cells + 17,) * 3, bool)
        filled[tuple(index.T)] = True
        if len(points) >= 8 * np.count_nonzero(filled):
            break
    _, labels = voxel_parts(filled)
    return labels[tuple(index.T)] - 1


def _grid(local: Float[np.ndarray, "n 3"], resolution: int) -> Bool[np.ndarray, "r r r"]:
    """The voxels of points in the frame; points up to a voxel outside the cube fall into its outermost voxels."""
    place = (local + 0.5) * resolution
    place = place[((place > -1) & (place < resolution + 1)).all(1)]
    grid = np.zeros((resolution,) * 3, bool)
    grid[tuple(np.clip(np.floor(place), 0, resolution - 1).astype(np.int64).T)] = True
    return grid
