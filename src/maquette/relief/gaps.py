"""Closing open outlines: where drawn lines end, which ends belong together, and how wide the gap between them is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.geometry.parts import bridges
from maquette.geometry.thinning import skeleton_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

SMALL = 0.03
"""Gaps up to this share of the drawing's longer side are closed in lines that enclose something already."""
SHORT = 0.3
"""A gap wider than this share of the line's own length is left open."""
MOST_ENDS = 240
"""Line ends that are considered at most, those of the longest lines first."""
_RAYS_DEG = np.arange(-45, 46, 15)  # directions in which an end looks for a line ahead, from its own direction


@dataclass(frozen=True)
class Lines:
    """The drawn lines; a line is one connected piece of thin ink.

    Attributes:
        labels: Number of the line at each pixel, 0 for paper.
        closed: For each number, whether the line encloses something.
        fills_hull: For each number, whether it encloses a good part of its own convex hull.
        footprint: For each number, the pixels of the line and of what it encloses; None if it encloses nothing.
        width_px: How thick lines are, in pixels.
    """

    labels: Int[np.ndarray, "h w"]
    closed: list[bool]
    fills_hull: list[bool]
    footprint: list[Bool[np.ndarray, "h w"] | None]
    width_px: float


@dataclass(frozen=True)
class _Join:
    """A straight join that would close a gap; pixels are (row, column).

    Attributes:
        gap: Length of the part of the join that lies on paper, in pixels.
        start: Where it begins, at the end of a line.
        end: Where it ends.
        first: Number of the line that it begins on.
        second: Number of the line that it ends on.
        ends: Numbers of the line ends that the join uses up.
    """
    gap: float
    start: tuple[int, int]
    end: tuple[int, int]
    first: int
    second: int
    ends: tuple[int, ...]


def close_gaps(lines: Lines, furthest_px: float) -> tuple[Bool[np.ndarray, "h w"], list[float]]:
    """Close the gaps in drawn lines.

    Line ends are joined with each other, or with the line that lies ahead of them, the nearest first. A join stays only
    if it helps to enclose something. In lines that already enclose a good part of their hull only gaps up to `SMALL`
    are closed. Nothing inside a closed line is joined with that line.

    Args:
        lines: The drawn lines.
        furthest_px: The widest gap that is closed, in pixels.

    Returns:
        The ink with its gaps closed, and the widths of these gaps in pixels, the widest first. A width counts the paper
        only, not the ink at both ends.
    """
    ink = lines.labels > 0
    ends, tips, owner, lengths = _ends(lines)
    if not len(ends):
        return ink, []
    joins = _joins(lines, ends, tips, owner, lengths, furthest_px)
    taken: list[_Join] = []
    used: set[int] = set()
    for join in sorted(joins, key=lambda join: join.gap):
        if used.isdisjoint(join.ends):
            used.update(join.ends)
            taken.append(join)
    times = Counter(tuple(sorted((join.first, join.second))) for join in taken)
    pairs = [pair for pair in times if pair[0] != pair[1]]
    held = bridges(np.array(pairs, int).reshape(-1, 2), len(lines.closed))
    lone = {pair for pair, bridge in zip(pairs, held, strict=True) if bridge}
    kept = [join for join in taken if (pair := tuple(sorted((join.first, join.second)))) not in lone or times[pair] > 1]
    closed = ink.astype(np.uint8)
    for join in kept:
        (row, column), (to_row, to_column) = join.start, join.end
        cv2.line(closed, (column, row), (to_column, to_row), 1, max(2, round(lines.width_px)))
    return closed > 0, sorted((join.gap for join in kept), reverse=True)


def widest_opening(lines: Lines) -> float | None:
    """How much paper lies between the ends of the longest open line, in pixels; None if it has fewer than two ends."""
    ends, _, owner, lengths = _ends(lines)
    still = [number for number in lengths if not lines.closed[number]]
    if not still:
        return None
    longest = max(still, key=lambda number: lengths[number])
    points = ends[owner == longest]
    if len(points) < 2:
        return None
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    first, second = np.unravel_index(int(apart.argmax()), apart.shape)
    return _paper_between(lines.labels, points[first], points[second])


def _ends(
    lines: Lines,
) -> tuple[Int[np.ndarray, "e 2"], Float[np.ndarray, "e 2"], Int[np.ndarray, " e"], dict[int, int]]:
    """The ends of the lines' skeletons; stubs shorter than the line is thick are left out.

    Returns:
        Places (row, column), unit directions in which the lines point, the numbers of their lines, and the length of
        each line in pixels.
    """
    skeleton = skeleton_of(lines.labels > 0)
    padded = np.pad(skeleton, 1)
    neighbours = cv2.filter2D(padded.astype(np.uint8), -1, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT)
    lengths = dict(Counter(lines.labels[skeleton].tolist()))
    found = np.argwhere(padded & (neighbours == 2))
    order = sorted(range(len(found)), key=lambda k: -lengths[int(lines.labels[tuple(found[k] - 1)])])
    ends: list[np.ndarray] = []
    tips: list[np.ndarray] = []
    owner: list[int] = []
    steps = max(3, round(1.2 * lines.width_px))
    for k in order[: 3 * MOST_ENDS]:
        path = _walk(padded, tuple(found[k].tolist()), max(8, steps))
        number = int(lines.labels[tuple(found[k] - 1)])
        if len(path) < steps and len(path) < lengths[number]:
            continue
        direction = np.subtract(path[0], path[-1]).astype(float)
        ends.append(found[k] - 1)
        tips.append(direction / max(float(np.linalg.norm(direction)), 1e-9))
        owner.append(number)
        if len(ends) == MOST_ENDS:
            break
    return np.array(ends, int).reshape(-1, 2), np.array(tips).reshape(-1, 2), np.array(owner, int), lengths


def _walk(padded: Bool[np.ndarray, "h w"], start: tuple[int, int], steps: int) -> list[tuple[int, int]]:
    """The pixels of a skeleton from one of its ends on, until it branches or `steps` pixels were passed."""
    path, seen = [start], {start}
    while len(path) < steps:
        row, column = path[-1]
        around = [(row + r, column + c) for r in (-1, 0, 1) for c in (-1, 0, 1) if padded[row + r, column + c]]
        on = [place for place in around if place not in seen]
        if not on or (len(on) > 1 and not _touch(on)):
            break
        nearest = min(on, key=lambda place: abs(place[0] - row) + abs(place[1] - column))
        seen.update(on)
        path.append(nearest)
    return path


def _touch(places: list[tuple[int, int]]) -> bool:
    """Whether two pixels are side by side: a bend and not a branch."""
    return len(places) == 2 and abs(places[0][0] - places[1][0]) + abs(places[0][1] - places[1][1]) == 1


def _joins(
    lines: Lines,
    ends: Int[np.ndarray, "e 2"],
    tips: Float[np.ndarray, "e 2"],
    owner: Int[np.ndarray, " e"],
    lengths: dict[int, int],
    furthest: float,
) -> list[_Join]:
    """All joins that are allowed: between two ends, and from an end to the line ahead of it."""
    side = max(np.ptp(np.flatnonzero(lines.labels.any(axis))) + 1 for axis in (0, 1))
    small = min(SMALL * side, furthest)

    def limit(first: int, second: int, at: Int[np.ndarray, " 2"]) -> float:
        """The widest gap that may be closed between two lines, at a place in it; 0 for none."""
        for number in {first, second}:
            around = lines.footprint[number]
            if around is not None and around[tuple(at)]:
                return 0.0
        if lines.fills_hull[first] or lines.fills_hull[second]:
            return small if first == second or not (lines.fills_hull[first] and lines.fills_hull[second]) else 0.0
        return min(furthest, SHORT * min(lengths[first], lengths[second]))

    joins: list[_Join] = []
    apart = np.linalg.norm(ends[:, None] - ends[None], axis=2) - lines.width_px
    for i, j in np.argwhere(np.triu(apart <= furthest, 1)):
        gap = _paper_between(lines.labels, ends[i], ends[j])
        first, second = int(owner[i]), int(owner[j])
        if 0 < gap <= limit(first, second, (ends[i] + ends[j]) // 2):
            joins.append(_Join(gap, _pixel(ends[i]), _pixel(ends[j]), first, second, (int(i), int(j))))
    for i, (end, tip) in enumerate(zip(ends, tips, strict=True)):
        hit = _ahead(lines.labels, end, tip, furthest + lines.width_px)
        if hit is None:
            continue
        gap, first, second = _paper_between(lines.labels, end, hit), int(owner[i]), int(lines.labels[tuple(hit)])
        if 0 < gap <= limit(first, second, (end + hit) // 2):
            beside = np.linalg.norm(ends - hit, axis=1) <= 2 * lines.width_px + 2  # an end too: no second join for it
            met = [int(j) for j in np.flatnonzero(beside) if j != i]
            joins.append(_Join(gap, _pixel(end), _pixel(hit), first, second, (i, *met)))
    return joins


def _pixel(place: Int[np.ndarray, " 2"]) -> tuple[int, int]:
    """A place as Python's own numbers, which OpenCV takes."""
    return int(place[0]), int(place[1])


def _paper_between(
    labels: Int[np.ndarray, "h w"], start: Int[np.ndarray, " 2"], end: Int[np.ndarray, " 2"]
) -> float:
    """Length of the part of the straight line between two pixels that is not on ink, in pixels."""
    length = float(np.linalg.norm(np.subtract(end, start)))
    shares = np.linspace(0, 1, max(2, int(4 * length)))
    at = np.rint(start + shares[:, None] * np.subtract(end, start)).astype(int)
    return length * float((labels[at[:, 0], at[:, 1]] == 0).mean())


def _ahead(
    labels: Int[np.ndarray, "h w"], end: Int[np.ndarray, " 2"], tip: Float[np.ndarray, " 2"], furthest: float
) -> Int[np.ndarray, " 2"] | None:
    """The nearest ink ahead of an end, after at least one pixel of paper: (row, column); None if there is none."""
    steps = np.arange(1, furthest + 1)
    best, least = None, np.inf
    for angle in np.radians(_RAYS_DEG):
        turned = np.array([tip[0] * np.cos(angle) - tip[1] * np.sin(angle),
                           tip[0] * np.sin(angle) + tip[1] * np.cos(angle)])
        at = np.rint(end + steps[:, None] * turned).astype(int)
        at = at[((at >= 0) & (at < labels.shape)).all(axis=1)]
        inked = labels[at[:, 0], at[:, 1]] > 0
        left = np.flatnonzero(~inked)
        if not len(left):
            continue
        hits = np.flatnonzero(inked[left[0] :])
        if len(hits) and left[0] + hits[0] < least:
            least = left[0] + hits[0]
            best = at[least]
    return best
