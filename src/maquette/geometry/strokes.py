"""Polylines on a page, as a pen draws them: measuring, fitting, joining and simplifying them, and their picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, Float64, Int, Num, UInt8

from maquette.errors import UserError
from maquette.geometry.parts import pairs_within

FINE = 4
"""Pictures of strokes are drawn this many times larger and averaged down."""
MAX_PICTURE_PX = 8192
"""Longest side of a picture of strokes, in pixels."""


@dataclass(frozen=True, eq=False)
class Strokes:
    """Polylines on a page, in the order in which they are drawn.

    Raises:
        UserError: For a line that is not two points or more, numbers that are not finite, a page without a size, and
            pens that are not one number from 1 for each line.
    """

    lines: tuple[Num[np.ndarray, "_ 2"], ...]
    """Two or more points (x, y) each, float64; x to the right, y down, the page from (0, 0) to (width, height)."""
    width: float
    """Width of the page: in millimetres for a drawing on paper, in pixels for one in a picture."""
    height: float
    """Height of the page, in the unit of its width."""
    layers: tuple[int, ...] = ()
    """The number of each line's pen, from 1; when left out, 1 for all."""

    def __post_init__(self) -> None:
        lines = tuple(np.ascontiguousarray(line, dtype=np.float64) for line in self.lines)
        for line in lines:
            if line.ndim != 2 or line.shape[1] != 2 or len(line) < 2:
                raise UserError("a stroke is two points (x, y) or more", f"an array of shape {line.shape}")
            if not np.isfinite(line).all():
                raise UserError("a stroke holds numbers that are not finite")
        if not (np.isfinite([self.width, self.height]).all() and self.width > 0 and self.height > 0):
            raise UserError("a page has a width and a height", f"{self.width:g} x {self.height:g}")
        layers = tuple(int(layer) for layer in self.layers) or (1,) * len(lines)
        if len(layers) != len(lines):
            raise UserError("each stroke has one pen", f"{len(layers)} pens for {len(lines)} strokes")
        if layers and min(layers) < 1:
            raise UserError("pens are numbered from 1", min(layers))
        for name, value in (("lines", lines), ("layers", layers), ("width", float(self.width)),
                            ("height", float(self.height))):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.lines)

    def __add__(self, other: Strokes) -> Strokes:
        """Both drawings on the page of the first, its lines first."""
        return replace(self, lines=self.lines + other.lines, layers=self.layers + other.layers)

    @property
    def points(self) -> int:
        """Number of points in all lines."""
        return sum(len(line) for line in self.lines)

    @property
    def length(self) -> float:
        """Length of all lines, in the page's unit."""
        return float(sum(_length(line) for line in self.lines))

    def travel(self, home: tuple[float, float] | None = None) -> float:
        """Length of the straight moves of the lifted pen, from each line to the next, in the page's unit.

        Args:
            home: Where the pen starts and ends; without it, the moves from there and back are not counted.
        """
        if not self.lines:
            return 0.0
        start, end = np.array([line[0] for line in self.lines]), np.array([line[-1] for line in self.lines])
        if home is not None:
            start, end = np.vstack([start, [home]]), np.vstack([[home], end])
            return float(np.linalg.norm(start - end, axis=1).sum())
        return float(np.linalg.norm(start[1:] - end[:-1], axis=1).sum())

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Least x, least y, greatest x and greatest y of the lines; None when there are none."""
        if not self.lines:
            return None
        low = np.min([line.min(axis=0) for line in self.lines], axis=0)
        high = np.max([line.max(axis=0) for line in self.lines], axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def with_lines(self, lines: Iterable[Num[np.ndarray, "_ 2"]]) -> Strokes:
        """Other lines on the same page, as many as before and with the same pens."""
        return replace(self, lines=tuple(lines))

    def chosen(self, numbers: Iterable[int] | Int[np.ndarray, " n"]) -> Strokes:
        """The lines with these indices, in this order."""
        order = list(numbers)
        return replace(self, lines=tuple(self.lines[i] for i in order), layers=tuple(self.layers[i] for i in order))

    def on_layer(self, layer: int) -> Strokes:
        """The same lines, all drawn with one pen."""
        return replace(self, layers=(layer,) * len(self.lines))

    def scaled(self, factor: float) -> Strokes:
        """Page and lines `factor` times as large.

        Raises:
            UserError: For a factor that is not positive.
        """
        if not (np.isfinite(factor) and factor > 0):
            raise UserError("a drawing's scale must be positive", factor)
        return replace(self, lines=tuple(factor * line for line in self.lines), width=factor * self.width,
                       height=factor * self.height)

    def fitted(self, width: float, height: float, margin: float = 0.0, whole_page: bool = False) -> Strokes:
        """The drawing as large as possible, centred on a page of this size.

        Args:
            width: Of the new page.
            height: Of the new page.
            margin: Kept free on each side.
            whole_page: Fit the old page instead of the lines on it, so that the drawing keeps its place on the page.

        Raises:
            UserError: When the margins leave no room.
        """
        room = np.array([width, height], dtype=np.float64) - 2 * margin
        if not (margin >= 0 and (room > 0).all()):
            raise UserError("the margins leave no room on the page", f"{margin:g} on {width:g} x {height:g}")
        box = (0.0, 0.0, self.width, self.height) if whole_page else self.bounds
        if box is None:
            return replace(self, width=width, height=height)
        low, size = np.array(box[:2]), np.subtract(box[2:], box[:2])
        factor = float((room / np.maximum(size, 1e-9 * max(1.0, float(size.max())))).min()) if size.max() > 0 else 1.0
        shift = np.array([width, height]) / 2 - factor * (low + size / 2)
        lines = tuple(factor * line + shift for line in self.lines)
        if not whole_page:  # rounding must not carry a point past the margin
            lines = tuple(np.clip(line, margin, (width - margin, height - margin)) for line in lines)
        return replace(self, lines=lines, width=width, height=height)

    def simplified(self, tolerance: float) -> Strokes:
        """Lines with fewer points, no old point further away than `tolerance` (Douglas and Peucker 1973)."""
        return self.with_lines(simplified(self.lines, tolerance))

    def joined(self, gap: float, turn_deg: float = 180.0) -> Strokes:
        """Joins lines of one pen whose ends are close; where there is a choice, the straightest continuation.

        New lines have the order of the first line in each. Closed lines stay as they are.

        Args:
            gap: The largest distance between two ends that are joined, in the page's unit.
            turn_deg: The sharpest turn of the pen at a joint, 0 to 180 degrees.
        """
        count = len(self.lines)
        follows = _matches(self.lines, self.layers, gap, turn_deg) if count > 1 else {}
        used = np.zeros(count, bool)
        lines: list[np.ndarray] = []
        layers: list[int] = []
        for seed in range(count):
            if used[seed]:
                continue
            end, seen = 2 * seed, {seed}  # end 2k is the beginning of line k, end 2k + 1 is its last point
            while end in follows and follows[end] // 2 not in seen:
                end = follows[end] ^ 1
                seen.add(end // 2)
            parts: list[np.ndarray] = []
            entered = end
            while True:
                number = entered // 2
                used[number] = True
                line = self.lines[number] if entered % 2 == 0 else self.lines[number][::-1]
                if parts and np.abs(parts[-1][-1] - line[0]).max() < 1e-9:
                    line = line[1:]
                parts.append(line)
                entered = follows.get(entered ^ 1, -1)
                if entered < 0 or used[entered // 2]:
                    break
            if entered >= 0 and entered == end and len(seen) > 1:  # the chain closes
                parts.append(parts[0][:1])
            lines.append(np.concatenate(parts))
            layers.append(self.layers[seed])
        return replace(self, lines=tuple(lines), layers=tuple(layers))

    def to_picture(self, px_per_unit: float, pen_width: float) -> UInt8[np.ndarray, "h w"]:
        """The page as an antialiased picture: 255 is paper, 0 is ink.

        Args:
            px_per_unit: Pixels in one unit of the page; the picture's sides are rounded to whole pixels.
            pen_width: In the page's unit. Widths are right to a quarter of a pixel, in pictures above 4096 pixels to
                half a pixel; thinner pens are drawn a quarter of a pixel wide.

        Raises:
            UserError: For more than 8192 pixels a side, or none.
        """
        wide, high = round(self.width * px_per_unit), round(self.height * px_per_unit)
        if not (1 <= min(wide, high) and max(wide, high) <= MAX_PICTURE_PX):
            raise UserError(f"a picture of strokes has 1 to {MAX_PICTURE_PX} pixels a side", f"{wide} x {high}")
        fine = max(1, min(FINE, 2 * MAX_PICTURE_PX // max(wide, high)))
        canvas = np.full((high * fine, wide * fine), 255, np.uint8)
        thickness = max(1, 2 * round((pen_width * px_per_unit * fine - 1.4) / 2))  # OpenCV's even n is n + 1.4 wide
        sub = 1 << 4  # coordinates are given in sixteenths of a pixel
        lines = [np.rint(np.clip((line * (px_per_unit * fine) - 0.5) * sub, -(2**26), 2**26)).astype(np.int32)
                 for line in self.lines]
        if lines:
            cv2.polylines(canvas, lines, False, 0, min(thickness, 32767), cv2.LINE_AA, 4)
        return cv2.resize(canvas, (wide, high), interpolation=cv2.INTER_AREA) if fine > 1 else canvas


def simplified(
    lines: Sequence[Float[np.ndarray, "_ 2"]], tolerance: float
) -> list[Float64[np.ndarray, "_ 2"]]:
    """Lines with fewer points, no old point further away than `tolerance` (Douglas and Peucker 1973); ends stay.

    Args:
        lines: Two points or more each.
        tolerance: In the unit of the points; 0 or less keeps all.
    """
    long = [number for number, line in enumerate(lines) if len(line) > 2]
    found = list(lines)
    if tolerance > 0 and long:
        import shapely

        points, owner = np.concatenate([lines[number] for number in long]), np.repeat(
            np.arange(len(long)), [len(lines[number]) for number in long])
        fewer = shapely.simplify(shapely.linestrings(points, indices=owner), tolerance, preserve_topology=False)
        points, owner = shapely.get_coordinates(fewer, return_index=True)
        for number, line in zip(long, np.split(points, np.flatnonzero(np.diff(owner)) + 1), strict=True):
            found[number] = line
    return found


def _length(line: Float[np.ndarray, "n 2"]) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _matches(
    lines: tuple[Float64[np.ndarray, "_ 2"], ...], layers: tuple[int, ...], gap: float, turn_deg: float
) -> dict[int, int]:
    """Which end is joined to which, nearest and straightest first, each end once; in both directions.

    End 2k is the first point of line k, end 2k + 1 its last.
    """
    ends = np.concatenate([line[[0, -1]] for line in lines])
    away = np.concatenate([[line[0] - line[1], line[-1] - line[-2]] for line in lines])  # the way out at each end
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
    pairs = pairs_within(ends, max(gap, 1e-9))
    if not len(pairs):
        return {}
    first, second = pairs.T
    own = first // 2 == second // 2
    apart = np.linalg.norm(ends[first] - ends[second], axis=1)
    closed = own & (apart < 1e-9)
    straight = -np.einsum("ij,ij->i", away[first], away[second])  # 1: straight on, -1: back
    pens = np.asarray(layers)
    free = np.ones(len(ends), bool)
    free[first[closed]] = free[second[closed]] = False
    allowed = ~own & (pens[first // 2] == pens[second // 2]) & (straight >= np.cos(np.radians(turn_deg)) - 1e-9)
    cost = apart / max(gap, 1e-9) + (1 - straight) / 2
    follows: dict[int, int] = {}
    for pair in np.argsort(np.where(allowed, cost, np.inf), kind="stable")[: int(allowed.sum())]:
        a, b = int(first[pair]), int(second[pair])
        if free[a] and free[b]:
            free[a] = free[b] = False
            follows[a], follows[b] = b, a
    return follows
