"""Open outlines closed: where drawn lines end, which ends belong together, and how wide the gap between them is."""

from collections import Counter
from dataclasses import dataclass

import cv2
import networkx as nx
import numpy as np

SMALL = 0.03
"""Gaps up to this share of the drawing's longer side are closed in lines that enclose something already."""
SHORT = 0.3
"""A gap wider than this share of the line's own length is meant to be open."""
MOST_ENDS = 240
"""Ends that are looked at, those of the longest lines first."""
_RAYS_DEG = np.arange(-45, 46, 15)


@dataclass(frozen=True)
class Lines:
    """The drawn lines, each a connected piece of ink.

    Attributes:
        label: Int32 [H, W], number of the line at each pixel, 0 for paper.
        closed: For each number, whether the line encloses something.
        full: Whether that is a good part of what its convex hull does.
        around: For each number, the pixels that it encloses and its own, bool [H, W]; None if open.
        width_px: How thick lines are.
    """

    label: np.ndarray
    closed: list[bool]
    full: list[bool]
    around: list[np.ndarray | None]
    width_px: float


@dataclass(frozen=True)
class _Join:
    gap: float
    start: tuple[int, int]
    end: tuple[int, int]
    first: int
    second: int
    ends: tuple[int, ...]


def thin(mask: np.ndarray) -> np.ndarray:
    """The middle lines of a bool mask [H, W], one pixel wide."""
    from skimage.morphology import skeletonize

    return skeletonize(mask)


def close_gaps(lines: Lines, furthest_px: float) -> tuple[np.ndarray, list[float]]:
    """The ink with its gaps closed, bool [H, W], and the gaps' widths in pixels, paper alone, the widest first.

    Args:
        furthest_px: The widest gap that is closed. Ends are joined with ends, or with the line that lies ahead of them,
            the nearest first, and a join stays only if something is enclosed by it. Lines that enclose a good part of
            their hull already get gaps up to `SMALL` closed. What lies inside a closed line is not joined with it.
    """
    ink = lines.label > 0
    ends, tips, of, lengths = _ends(lines)
    if not len(ends):
        return ink, []
    joins = _joins(lines, ends, tips, of, lengths, furthest_px)
    taken, used = [], set()
    for join in sorted(joins, key=lambda join: join.gap):
        if used.isdisjoint(join.ends):
            used.update(join.ends)
            taken.append(join)
    graph = nx.Graph()
    times = Counter(tuple(sorted((join.first, join.second))) for join in taken)
    graph.add_edges_from(pair for pair in times if pair[0] != pair[1])
    lone = {tuple(sorted(pair)) for pair in nx.bridges(graph)} if len(graph) else set()
    kept = [join for join in taken if (pair := tuple(sorted((join.first, join.second)))) not in lone or times[pair] > 1]
    closed = ink.astype(np.uint8)
    for join in kept:
        (row, column), (to_row, to_column) = join.start, join.end
        cv2.line(closed, (column, row), (to_column, to_row), 1, max(2, round(lines.width_px)))
    return closed > 0, sorted((join.gap for join in kept), reverse=True)


def widest_opening(lines: Lines) -> float | None:
    """How much paper there is between the ends of the longest open line, in pixels; None where it has not two ends."""
    ends, _, of, lengths = _ends(lines)
    still = [number for number in lengths if not lines.closed[number]]
    if not still:
        return None
    longest = max(still, key=lambda number: lengths[number])
    points = ends[of == longest]
    if len(points) < 2:
        return None
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    first, second = np.unravel_index(int(apart.argmax()), apart.shape)
    return _paper_between(lines.label, points[first], points[second])


def _ends(lines: Lines) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[int, int]]:
    """Ends of the lines' middles: places int [E, 2] (row, column), directions [E, 2], numbers of their lines [E], and
    the length of each line in pixels. Stubs shorter than the line is thick are none.
    """
    skeleton = thin(lines.label > 0)
    padded = np.pad(skeleton, 1)
    neighbours = cv2.filter2D(padded.astype(np.uint8), -1, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT)
    lengths = dict(Counter(lines.label[skeleton].tolist()))
    found = np.argwhere(padded & (neighbours == 2))
    order = sorted(range(len(found)), key=lambda k: -lengths[int(lines.label[tuple(found[k] - 1)])])
    ends, tips, of = [], [], []
    steps = max(3, round(1.2 * lines.width_px))
    for k in order[: 3 * MOST_ENDS]:
        way = _walk(padded, tuple(found[k].tolist()), max(8, steps))
        number = int(lines.label[tuple(found[k] - 1)])
        if len(way) < steps and len(way) < lengths[number]:
            continue
        direction = np.subtract(way[0], way[-1]).astype(float)
        ends.append(found[k] - 1)
        tips.append(direction / max(float(np.linalg.norm(direction)), 1e-9))
        of.append(number)
        if len(ends) == MOST_ENDS:
            break
    return np.array(ends, int).reshape(-1, 2), np.array(tips).reshape(-1, 2), np.array(of, int), lengths


def _walk(padded: np.ndarray, start: tuple[int, int], steps: int) -> list[tuple[int, int]]:
    """The pixels of a middle line from its end on, until it branches or `steps` are done."""
    way, seen = [start], {start}
    while len(way) < steps:
        row, column = way[-1]
        around = [(row + r, column + c) for r in (-1, 0, 1) for c in (-1, 0, 1) if padded[row + r, column + c]]
        on = [place for place in around if place not in seen]
        if not on or (len(on) > 1 and not _touch(on)):
            break
        nearest = min(on, key=lambda place: abs(place[0] - row) + abs(place[1] - column))
        seen.update(on)
        way.append(nearest)
    return way


def _touch(places: list[tuple[int, int]]) -> bool:
    """Whether two pixels are side by side: a bend and not a branch."""
    return len(places) == 2 and abs(places[0][0] - places[1][0]) + abs(places[0][1] - places[1][1]) == 1


def _joins(
    lines: Lines, ends: np.ndarray, tips: np.ndarray, of: np.ndarray, lengths: dict[int, int], furthest: float
) -> list[_Join]:
    side = max(np.ptp(np.flatnonzero(lines.label.any(axis))) + 1 for axis in (0, 1))
    small = min(SMALL * side, furthest)

    def limit(first: int, second: int, at: np.ndarray) -> float:
        """The widest gap that may be closed between two lines, at a place in it; 0 for none."""
        for number in {first, second}:
            around = lines.around[number]
            if around is not None and around[tuple(at)]:
                return 0.0
        if lines.full[first] or lines.full[second]:
            return small if first == second or not (lines.full[first] and lines.full[second]) else 0.0
        return min(furthest, SHORT * min(lengths[first], lengths[second]))

    joins = []
    apart = np.linalg.norm(ends[:, None] - ends[None], axis=2) - lines.width_px
    for i, j in np.argwhere(np.triu(apart <= furthest, 1)):
        gap = _paper_between(lines.label, ends[i], ends[j])
        if 0 < gap <= limit(of[i], of[j], (ends[i] + ends[j]) // 2):
            joins.append(_Join(gap, tuple(ends[i]), tuple(ends[j]), int(of[i]), int(of[j]), (int(i), int(j))))
    for i, (end, tip) in enumerate(zip(ends, tips, strict=True)):
        hit = _ahead(lines.label, end, tip, furthest + lines.width_px)
        if hit is None:
            continue
        gap, number = _paper_between(lines.label, end, hit), int(lines.label[tuple(hit)])
        if 0 < gap <= limit(of[i], number, (end + hit) // 2):
            beside = np.linalg.norm(ends - hit, axis=1) <= 2 * lines.width_px + 2  # an end too: no second join for it
            met = [int(j) for j in np.flatnonzero(beside) if j != i]
            joins.append(_Join(gap, tuple(end), tuple(hit), int(of[i]), number, (i, *met)))
    return joins


def _paper_between(label: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Length of the straight way between two pixels that is not on ink, in pixels."""
    length = float(np.linalg.norm(np.subtract(end, start)))
    shares = np.linspace(0, 1, max(2, int(4 * length)))
    at = np.rint(start + shares[:, None] * np.subtract(end, start)).astype(int)
    return length * float((label[at[:, 0], at[:, 1]] == 0).mean())


def _ahead(label: np.ndarray, end: np.ndarray, tip: np.ndarray, furthest: float) -> np.ndarray | None:
    """The nearest ink ahead of an end, after at least one pixel of paper: (row, column)."""
    steps = np.arange(1, furthest + 1)
    best, least = None, np.inf
    for angle in np.radians(_RAYS_DEG):
        turned = np.array([tip[0] * np.cos(angle) - tip[1] * np.sin(angle),
                           tip[0] * np.sin(angle) + tip[1] * np.cos(angle)])
        at = np.rint(end + steps[:, None] * turned).astype(int)
        at = at[((at >= 0) & (at < label.shape)).all(axis=1)]
        inked = label[at[:, 0], at[:, 1]] > 0
        left = np.flatnonzero(~inked)
        if not len(left):
            continue
        hits = np.flatnonzero(inked[left[0] :])
        if len(hits) and left[0] + hits[0] < least:
            least = left[0] + hits[0]
            best = at[least]
    return best
