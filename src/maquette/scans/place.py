"""Placing scans: from the points that a depth sensor saw to a partial grid in the package's frame.

A sensor's points are in its own axes (x right, y down, z forward) and unit, with the floor or table that the object
stands on and what stands around it. Networks learned from objects that stand upright in the middle of a cube, their
longest side filling it. What the sensor did not see can only be guessed: a size that is hidden is taken as none.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from maquette.errors import UserError
from maquette.rendering import Camera

LEAST_POINTS = 50
"""Points that an object needs at least."""
MOST_POINTS = 1_000_000
"""Points that are looked at; of more, evenly many are left out."""
_TRIES, _TRIED_ON = 2000, 3000
_NEAR = 0.004
"""How far a point may lie from a plane that it is on, as a share of the diagonal of the scan."""
_LEAST_ON, _LEAST_ABOVE, _MOST_BELOW = 0.08, 0.02, 0.05
"""A plane that things stand on holds such a share of the points, has such a share above it and hardly any below."""
_ELEVATION_DEG, _ROLL_DEG, _DEVIATION_DEG = (-15.0, 75.0), 30.0, 12.0
"""How a camera may look at a floor: its elevation, its roll; and how far a floor may be from a known horizon."""
_BESIDE = 0.1
"""What lies this near an object, as a share of its size, belongs to it."""
_SPECK = 0.01
"""Loose parts of fewer points than this share are left out where no floor says what the object is."""
_INWARDS = 0.1
"""In voxels: how far a point is moved along its ray, into the solid that it lies on."""


@dataclass(frozen=True)
class Placement:
    """What was done to a scan's points.

    Attributes:
        unit: The cube's side in the scan's own unit (metres for a depth picture).
        elevation_deg: Of the camera above the horizon, given or found; None for points that came upright.
        plane: Whether a floor or table was found and left out.
        kept: Points of the object, and all that were looked at.
        total: See `kept`.
        azimuth_deg: The side that the camera saw, from 0 to 360.
        guessed: Whether a model chose it (`maquette.scans.facing`).
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
class Plane:
    """Points p with p @ normal + offset = 0; positive above. margin: how thick it is, to each side."""

    normal: np.ndarray
    offset: float
    margin: float

    def height(self, points: np.ndarray) -> np.ndarray:
        """Signed distances of points `[N, 3]`."""
        return points @ self.normal + self.offset


@dataclass(frozen=True)
class Standing:
    """An object's points, upright and cut out of their surroundings, which can be turned to face any way.

    Attributes:
        points: `[N, 3]` along the frame's axes, in the scan's own unit.
        rays: The directions in which they were seen, or None.
        floor: (normal `[3]`, offset) of the plane under them, or None.
        azimuth_deg: How they are turned already. The rest is `Placement`'s.
    """

    points: np.ndarray
    rays: np.ndarray | None
    floor: tuple[np.ndarray, float] | None
    elevation_deg: float | None
    total: int
    azimuth_deg: float
    name: str

    def facing(self, azimuth_deg: float, resolution: int, fill: float = 1.0) -> tuple[np.ndarray, Placement]:
        """A partial grid bool `[R, R, R]` of the points as seen from this side; see `place`."""
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
    points: np.ndarray,
    resolution: int,
    *,
    azimuth_deg: float = 0.0,
    elevation_deg: float | None = None,
    up: str | None = None,
    fill: float = 1.0,
    name: str = "the scan",
    seed: int = 0,
) -> tuple[np.ndarray, Placement]:
    """A partial grid bool `[R, R, R]` in the package's frame out of points `[N, 3]`, and what was done.

    Args:
        fill: The share of the cube's side that the longest visible extent takes. The rest is as in `stand`. The object
            rests on its floor; each axis is centred on what is visible.
    """
    if not 0 < fill <= 1:
        raise UserError("fill must be above 0 and at most 1", fill)
    standing = stand(points, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, up=up, name=name, seed=seed)
    return standing.facing(azimuth_deg, resolution, fill)


def stand(
    points: np.ndarray,
    *,
    azimuth_deg: float = 0.0,
    elevation_deg: float | None = None,
    up: str | None = None,
    name: str = "the scan",
    seed: int = 0,
) -> Standing:
    """The object among points `[N, 3]`, upright.

    A floor or table (the largest plane with things above it and nothing below, found by RANSAC, Fischler and Bolles
    1981) is left out with all but the part nearest the middle.

    Args:
        points: In the camera's axes, x right, y down, z forward, any unit; those that are not finite are missing.
        azimuth_deg: The side that the camera saw, 0 the object's front, as in `maquette.rendering.Camera`.
        elevation_deg: Of the camera above the horizon; None: told by the floor.
        up: "z" for points that stand upright already; azimuth 0 then leaves them as they are.
        seed: Of the search for the floor.

    Raises:
        UserError: Where there are too few points, nothing stands on the floor, or neither floor nor elevation is known.
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


def find_plane(points: np.ndarray, upwards: np.ndarray | None = None, seed: int = 0) -> Plane | None:
    """The floor or table under things, or None. points: `[N, 3]`. upwards: the direction up, where it is known; else
    points are in a camera's axes, and a floor is a plane that a camera may look at as `_ELEVATION_DEG` and `_ROLL_DEG`
    say.
    """
    rng = np.random.default_rng(seed)
    near = _NEAR * float(np.linalg.norm(np.ptp(np.quantile(points, (0.05, 0.95), axis=0), axis=0)))
    some = points[rng.choice(len(points), min(len(points), _TRIED_ON), replace=False)]
    a, b, c = some[rng.integers(len(some), size=(3, _TRIES))]
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    real = length > near * near
    normals, a = normals[real] / length[real, None], a[real]
    offsets = -np.einsum("ij,ij->i", normals, a)
    turned = np.where((offsets if upwards is None else normals @ upwards) < 0, -1.0, 1.0)
    normals, offsets = normals * turned[:, None], offsets * turned
    likely = _may_be_floor(normals, upwards)
    normals, offsets = normals[likely], offsets[likely]
    if not len(normals):
        return None
    heights = normals @ some.T + offsets[:, None]  # [planes, points]
    on = (np.abs(heights) < near).mean(1)
    good = (on >= _LEAST_ON) & ((heights > 2 * near).mean(1) >= _LEAST_ABOVE)
    good &= (heights < -2 * near).mean(1) <= _MOST_BELOW
    if not good.any():
        return None
    best = int(np.argmax(np.where(good, on, 0)))
    normal, offset = normals[best], float(offsets[best])
    for _ in range(3):
        mine = points[np.abs(points @ normal + offset) < near]
        middle = mine.mean(0)
        fitted = np.linalg.eigh(np.cov((mine - middle).T))[1][:, 0]
        normal = fitted * np.sign(fitted @ normal)
        offset = -float(normal @ middle)
    away = np.abs(points @ normal + offset)
    spread = float(np.median(away[away < near]))
    return Plane(normal, offset, float(np.clip(6 * spread, 0.25 * near, 1.5 * near)))


def _may_be_floor(normals: np.ndarray, upwards: np.ndarray | None) -> np.ndarray:
    """Which unit normals `[K, 3]` a floor may have."""
    if upwards is not None:
        return normals @ upwards > np.cos(np.radians(_DEVIATION_DEG))
    elevation = np.degrees(np.arcsin(np.clip(-normals[:, 2], -1, 1)))
    roll = np.degrees(np.arctan2(np.abs(normals[:, 0]), -normals[:, 1]))
    low, high = _ELEVATION_DEG
    return (elevation > low) & (elevation < high) & (roll < _ROLL_DEG)


def _checked(points: np.ndarray, name: str, in_front: bool) -> np.ndarray:
    """Finite points float64 `[N, 3]`, at most MOST_POINTS of them; in_front: those that a camera can see."""
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind not in "biuf":
        raise UserError(f"{name}: points are numbers [N, 3]", f"{points.dtype} {points.shape}")
    points = points[np.isfinite(points).all(1)]
    points = points[:: -(-max(len(points), 1) // MOST_POINTS)].astype(np.float64)
    if in_front:
        forward = points[:, 2] > 0
        if len(points) and forward.mean() < 0.5:
            raise UserError(f"{name}: most points lie behind the camera", hint="a camera's axes are x right, y down, z "
                            "forward; for points that stand upright say --up z")
        points = points[forward]
    if len(points) < LEAST_POINTS:
        raise UserError(f"{name} has too few points", len(points), f"at least {LEAST_POINTS} are needed")
    return points


def _upwards(elevation_deg: float | None, up: str | None) -> np.ndarray | None:
    """The direction up in the scan's axes, None where it is not known."""
    if up:
        return np.array([0.0, 0.0, 1.0])
    return None if elevation_deg is None else Camera(0, elevation_deg).axes[:, 2]


def _axes(upwards: np.ndarray, up: str | None, azimuth_deg: float) -> np.ndarray:
    """float64 [3, 3]: rows are the frame's x, y and z in the scan's axes."""
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


def _about_z(angle_deg: float) -> np.ndarray:
    """float64 [3, 3], from x towards y."""
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _object(points: np.ndarray, upright: np.ndarray, plane: Plane | None, in_front: bool) -> np.ndarray:
    """Which points are the object's, bool `[N]`. points, upright: `[N, 3]` in the scan's axes and in the frame's.

    On a floor: the part nearest the middle of the scan and nearest the camera, with what lies beside and under it.
    Without one: everything but specks.
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


def _parts(points: np.ndarray) -> np.ndarray:
    """The number of the part that each point `[N, 3]` is in, int `[N]`: cells that touch are one part.

    The cells are as fine as the points are dense: eight points a cell on average, or a twelfth of the extent.
    """
    low, high = np.quantile(points, (0.01, 0.99), axis=0)
    extent = max(float((high - low).max()), 1e-12)
    for cells in (96, 64, 48, 32, 24, 16, 12):
        index = np.clip(np.floor((points - low) / extent * cells), -8, cells + 8).astype(np.int64) + 8
        filled = np.zeros((cells + 17,) * 3, bool)
        filled[tuple(index.T)] = True
        if len(points) >= 8 * np.count_nonzero(filled):
            break
    labels, _ = ndimage.label(filled, np.ones((3, 3, 3)))
    return labels[tuple(index.T)] - 1


def _grid(local: np.ndarray, resolution: int) -> np.ndarray:
    """The voxels of points `[N, 3]` in the frame; those up to a voxel outside the cube count in its outermost."""
    place = (local + 0.5) * resolution
    place = place[((place > -1) & (place < resolution + 1)).all(1)]
    grid = np.zeros((resolution,) * 3, bool)
    grid[tuple(np.clip(np.floor(place), 0, resolution - 1).astype(np.int64).T)] = True
    return grid
