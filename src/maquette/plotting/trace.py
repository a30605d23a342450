"""The pixels of a drawing as strokes: the centre lines of its lines, not their outlines."""

import cv2
import numpy as np
from jaxtyping import Bool, Float

from maquette.errors import UserError
from maquette.geometry import filters
from maquette.geometry.parts import connected, pairs_within
from maquette.geometry.strokes import Strokes
from maquette.geometry.thinning import skeleton_of

LEAST_CONTRAST = 24
"""Least difference between paper and ink, in levels of 255; a picture with less has no lines."""
MAX_SIDE_PX = 4096
"""Longest side of a picture that is traced."""
MAX_LINE_PX = 1_000_000
"""Pixels of all lines once they are one pixel wide."""
FARTHEST_PX = 24.0
"""Junctions farther apart than this are not merged, however wide the line is."""

Pixel = tuple[int, int]
"""A place in the padded picture: row and column."""
_AROUND = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)


def trace_picture(picture: np.ndarray, *, shortest_px: float = 4.0, tolerance_px: float = 0.3) -> Strokes:
    """The centre lines of a drawing, dark on bright, on a page of the picture's size, in pixels.

    The ink is thinned (Zhang and Suen 1984). The branches of what is left are followed, moved to the middle of the ink
    across the line, joined straight on at crossings, and smoothed.

    Args:
        picture: Uint8 `[H, W]` or `[H, W, 3]`.
        shortest_px: Lines with a free end that are shorter than this, beyond half their own width, are left out.
        tolerance_px: How far a line may move when points of it are left out.

    Raises:
        UserError: For a picture of another form or above 4096 pixels a side, and if nothing, or too much, is drawn.
    """
    ink = ink_darkness(picture)
    mask = ink > 0.5
    strokes = _follow_lines(mask, ink, shortest_px)
    if not strokes:
        raise UserError("nothing is drawn in the picture", hint="dark lines on bright paper are traced")
    height, width = mask.shape
    made = Strokes(tuple(strokes), width, height).joined(1e-6, 60)
    return made.with_lines(_smoothed(line) for line in made.lines).simplified(tolerance_px)


def ink_darkness(picture: np.ndarray) -> Float[np.ndarray, "h w"]:
    """How much ink is in each pixel: 0 for paper, 1 for ink, 0.5 at the threshold of Otsu 1979; float32.

    The paper's own shade is subtracted first, so that the light may be uneven.

    Args:
        picture: Uint8 `[H, W]` or `[H, W, 3]`.

    Raises:
        UserError: As `trace_picture`.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise UserError("a picture to trace is uint8 [H, W] or [H, W, 3]", f"{picture.dtype} {picture.shape}")
    if not (0 < min(picture.shape[:2]) and max(picture.shape[:2]) <= MAX_SIDE_PX):
        raise UserError(f"a picture to trace has 1 to {MAX_SIDE_PX} pixels a side", f"{picture.shape[:2]}")
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    reach = max(3, max(grey.shape) // 16) | 1
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) if max(grey.shape) > 512 else grey
    side = max(3, reach * small.shape[0] // grey.shape[0]) | 1
    paper = cv2.GaussianBlur(cv2.dilate(small, np.ones((side, side), np.uint8)), (0, 0), side / 2)
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    fall = np.clip(paper - grey, 0, 255)
    level, _ = cv2.threshold(fall.astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark = fall[fall > level]
    if not len(dark) or float(np.median(dark)) < LEAST_CONTRAST:
        raise UserError("nothing is drawn in the picture", hint="dark lines on bright paper are traced")
    return np.clip(fall / np.float32(np.median(dark)), 0, 1).astype(np.float32)


def _follow_lines(
    mask: Bool[np.ndarray, "h w"], ink: Float[np.ndarray, "h w"], shortest: float
) -> list[Float[np.ndarray, "_ 2"]]:
    """The branches of the mask's skeleton as lines (x, y), in pixels whose centres are at .5; junctions are merged."""
    thin = np.pad(skeleton_of(mask), 1)
    if int(thin.sum()) > MAX_LINE_PX:
        raise UserError("too much is drawn in the picture to trace it", f"{int(thin.sum())} pixels of lines",
                        "make the picture smaller")
    inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inner = np.sqrt(np.rint(inner.astype(np.float64) ** 2))  # half a line's width, near enough
    index = {place: number for number, place in enumerate(zip(*(axis.tolist() for axis in np.nonzero(thin)),
                                                              strict=True))}
    near = {place: _neighbours(place, index) for place in index}
    nodes = {place for place, about in near.items() if len(about) != 2}
    group, centres = _junctions(nodes, near, inner)
    branches = _branches(near, nodes, group)
    uses: dict[int, int] = {}
    for branch in branches:
        for end in (branch[0], branch[-1]):
            if end in nodes:
                uses[group[end]] = uses.get(group[end], 0) + 1
    lines = []
    for branch in branches:
        ends = [group.get(place) if place in nodes else None for place in (branch[0], branch[-1])]
        free = [end is None or uses[end] < 2 for end in ends]
        points = np.array(branch, float)[:, ::-1] - 0.5  # the padding is one pixel, a pixel's middle is at .5
        reach = [float(inner[place]) for place in (branch[0], branch[-1])]
        length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
        if any(free) and branch[0] != branch[-1] and length < shortest + max(reach):
            continue
        points = _centred(points, ink, inner, branch)
        lines.append(_ended(points, ends, free, reach, centres))
    return [line for line in lines if len(line) > 1]


def _neighbours(place: Pixel, index: dict[Pixel, int]) -> list[Pixel]:
    """The skeleton's pixels beside one; a diagonal one only where no straight step leads there."""
    y, x = place
    found = []
    for dy, dx in _AROUND:
        if (y + dy, x + dx) not in index or (dy and dx and ((y, x + dx) in index or (y + dy, x) in index)):
            continue
        found.append((y + dy, x + dx))
    return found


def _junctions(
    nodes: set[Pixel], near: dict[Pixel, list[Pixel]], inner: Float[np.ndarray, "_ _"]
) -> tuple[dict[Pixel, int], dict[int, Float[np.ndarray, " 2"]]]:
    """Merge nodes that are nearer to each other than the line is wide.

    Returns:
        The number of each node's junction, and the middle (x, y) of each junction.
    """
    places = list(nodes)
    links = np.zeros((0, 2), np.int64)
    if places:
        spots = np.array(places, float)
        width = np.minimum([inner[place] if len(near[place]) > 2 else -np.inf for place in places], FARTHEST_PX / 2)
        pairs = pairs_within(spots, max(2 * float(width.max()), 0.0) + 1e-9)
        apart = np.linalg.norm(spots[pairs[:, 0]] - spots[pairs[:, 1]], axis=1)
        links = pairs[apart <= width[pairs].sum(axis=1)]
    _, of_place = connected(links, len(places))
    group = {place: int(number) for place, number in zip(places, of_place, strict=True)}
    middles: dict[int, list[tuple[float, float]]] = {}
    for place, number in group.items():
        middles.setdefault(number, []).append((place[1] - 0.5, place[0] - 0.5))
    return group, {number: np.mean(found, axis=0) for number, found in middles.items()}


def _branches(near: dict[Pixel, list[Pixel]], nodes: set[Pixel], group: dict[Pixel, int]) -> list[list[Pixel]]:
    """The paths between nodes, without those inside one junction, and the rings that have no node."""
    branches: list[list[Pixel]] = []
    used: set[tuple[Pixel, Pixel]] = set()
    seen = set(nodes)
    for node in sorted(nodes):
        for step in near[node]:
            if (node, step) in used:
                continue
            path = [node, step]
            while path[-1] not in nodes:
                ahead = [place for place in near[path[-1]] if place != path[-2]]
                if not ahead:
                    break
                path.append(ahead[0])
            used |= {(node, step), (path[-1], path[-2])}
            seen.update(path)
            inside = path[-1] in nodes and group[node] == group[path[-1]]
            if not (inside and len(path) < 6):
                branches.append(path)
    for start in sorted(place for place in near if place not in seen):
        if start in seen:
            continue
        path = [start, near[start][0]]
        while path[-1] != start:
            path.append(next(place for place in near[path[-1]] if place != path[-2]))
        seen.update(path)
        branches.append(path)
    return branches


def _centred(
    points: Float[np.ndarray, "n 2"],
    ink: Float[np.ndarray, "_ _"],
    inner: Float[np.ndarray, "_ _"],
    branch: list[Pixel],
) -> Float[np.ndarray, "n 2"]:
    """Points of a branch, moved across it to the middle of the ink there."""
    if len(points) < 4:
        return points
    half = float(np.median([inner[place] for place in branch])) + 1
    ring = branch[0] == branch[-1]
    for _ in range(2):
        smooth = filters.smoothed(points, 2.0, beyond="wrap" if ring else "edge")
        along = np.gradient(smooth, axis=0)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        across = across / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
        offsets = np.arange(-half, half + 0.25, 0.5)
        spots = points[:, None] + offsets[:, None] * across[:, None]
        found = filters.sampled(ink, spots[..., 1] - 0.5, spots[..., 0] - 0.5)
        # ink of another line that runs beside is cut off where the paper shows between
        middle = len(offsets) // 2
        for side in (slice(middle, None), slice(middle, None, -1)):
            found[:, side] *= np.logical_and.accumulate(found[:, side] > 0.1, axis=1)
        weight = found.sum(axis=1)
        shift = np.where(weight > 0, (found @ offsets) / np.maximum(weight, 1e-9), 0)
        points = points + np.clip(shift, -1, 1)[:, None] * across
    if ring:
        points[-1] = points[0]
    return points


def _ended(
    points: Float[np.ndarray, "_ 2"],
    ends: list[int | None],
    free: list[bool],
    reach: list[float],
    centres: dict[int, Float[np.ndarray, " 2"]],
) -> Float[np.ndarray, "_ 2"]:
    """A branch with its ends led to the middles of their junctions."""
    for side in range(2):
        points, r = points[::-1], reach[1 - side]
        end = ends[1 - side]
        if end is not None and not free[1 - side]:
            away = np.linalg.norm(points - centres[end], axis=1) > 1.2 * r  # near a crossing the thinned line bends
            first = int(np.argmax(away)) if away.any() else len(points) - 1
            points = np.concatenate([centres[end][None], points[first:]])
    return points


def _smoothed(line: Float[np.ndarray, "n 2"], sigma: float = 1.5) -> Float[np.ndarray, "n 2"]:
    """Points evened out along a line, its ends kept."""
    if len(line) < 7:
        return line
    if np.abs(line[0] - line[-1]).max() < 1e-6:
        ring = filters.smoothed(line[:-1], sigma, beyond="wrap")
        return np.concatenate([ring, ring[:1]])
    reach = min(6, len(line) - 1)
    before, after = 2 * line[0] - line[reach:0:-1], 2 * line[-1] - line[-2 : -2 - reach : -1]
    made = filters.smoothed(np.concatenate([before, line, after]), sigma)[reach : reach + len(line)]
    made[0], made[-1] = line[0], line[-1]
    return made
