"""Ruled and squared paper: printed lines are found by their even spacing and removed from under the drawing."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from maquette.geometry.filters import medians, sampled, smoothed

STRIPS = 24
"""Strips across the lines; the lines are followed from strip to strip."""
LEAST_LINES, LEAST_GAP_PX = 5, 6
"""Fewer lines, or lines closer together, are no ruling."""
_TILTS = np.linspace(-0.03, 0.03, 25)  # slopes that a line may have
_LIKE = 0.3  # the least autocorrelation of the page's profile at a lag of one gap
_REACH = 4  # pixels from the middle of a printed line that may still belong to it


@dataclass(frozen=True)
class Ruling:
    """What was printed on the page; false if nothing was.

    Attributes:
        rows_px: Pixels between lines that run from left to right; 0 for none.
        columns_px: Pixels between lines that run from top to bottom; 0 for none.
        dark: The darkness of the lines, 0 to 1.
    """

    rows_px: float = 0.0
    columns_px: float = 0.0
    dark: float = 0.0

    def __bool__(self) -> bool:
        return self.rows_px > 0 or self.columns_px > 0

    def line(self) -> str:
        """What was removed, as one line for the user."""
        if not self:
            return "no ruling was found on the paper"
        if self.rows_px and self.columns_px:
            return f"squares of {self.columns_px:.0f} x {self.rows_px:.0f} pixels were taken away"
        return f"ruled lines {max(self.rows_px, self.columns_px):.0f} pixels apart were taken away"


def remove_ruling(dark: Float32[np.ndarray, "h w"], grain: float) -> tuple[Float32[np.ndarray, "h w"], Ruling]:
    """Removes the printed lines of a straightened page.

    In each of `STRIPS` strips across the lines, the median darkness along the lines shows what is printed but not what
    is drawn. Lines at an even gap are followed from strip to strip. A pixel of a line that is clearly darker than the
    line belongs to a stroke and is not changed.

    Args:
        dark: The darkness of the page, see `maquette.intake.lighting.darkness`.
        grain: The standard deviation of the darkness of the bare paper.

    Returns:
        The darkness without the lines, and what they were.
    """
    clean, rows_px, one = _without_rows(dark, grain)
    turned, columns_px, two = _without_rows(np.ascontiguousarray(clean.T), grain)
    return np.ascontiguousarray(turned.T), Ruling(rows_px, columns_px, max(one, two))


def _without_rows(
    dark: Float32[np.ndarray, "h w"], grain: float
) -> tuple[Float32[np.ndarray, "h w"], float, float]:
    """The page without lines that run from left to right, their gap in pixels (0 for none), and their darkness."""
    height, width = dark.shape
    if height < LEAST_LINES * LEAST_GAP_PX or width < 4 * STRIPS:
        return dark, 0.0, 0.0
    edges = np.linspace(0, width, STRIPS + 1).round().astype(int)
    strips = np.stack([np.median(dark[:, a:b], axis=1) for a, b in zip(edges[:-1], edges[1:], strict=True)])
    strips = np.maximum(strips - medians(strips, 1, 2 * _REACH * 2 + 1), 0)  # thin lines alone
    middles = (edges[:-1] + edges[1:]) / 2 - width / 2
    tilt, profile = max(((tilt, _aligned(strips, tilt * middles)) for tilt in _TILTS),
                        key=lambda found: float((found[1] ** 2).sum()))
    gap, phase = _comb(profile)
    if not gap:
        return dark, 0.0, 0.0
    lines = np.arange(phase, height, gap)
    places, levels = _follow(strips, lines, tilt * middles, gap)
    found = levels > 0.3 * float(np.percentile(levels, 75))
    level = float(np.median(levels[found]))
    if found.mean() < 0.5 or level < max(0.012, 0.5 * grain):
        return dark, 0.0, 0.0
    levels = np.minimum(medians(np.where(found, levels, level), 3, 5), 1.35 * level)
    shape = _shape(strips, places, levels, found)
    return _cleared(dark, places, levels, shape, middles + width / 2, max(0.5 * level, 3 * grain, 0.03)), gap, level


def _aligned(strips: Float[np.ndarray, "s h"], shifts: Float[np.ndarray, " s"]) -> Float[np.ndarray, " h"]:
    """The trimmed mean of the profiles of the strips, each moved up by its shift."""
    rows = np.arange(strips.shape[1])
    moved = np.stack([np.interp(rows + shift, rows, strip) for strip, shift in zip(strips, shifts, strict=True)])
    return np.sort(moved, axis=0)[STRIPS // 8 : -STRIPS // 8].mean(axis=0)


def _comb(profile: Float[np.ndarray, " h"]) -> tuple[float, float]:
    """The gap between evenly spaced peaks of a profile and the place of the first; (0, 0) if there are none."""
    smooth = smoothed(profile, 1.0)
    centred = smooth - smooth.mean()
    size = len(centred)
    power = np.abs(np.fft.rfft(centred, 2 * size)) ** 2
    like = np.fft.irfft(power)[:size]
    like = like / max(like[0], 1e-12) * size / np.maximum(size - np.arange(size), 1)  # each lag by its own length
    last = size // LEAST_LINES
    if last <= LEAST_GAP_PX or not like[0] > 0:
        return 0.0, 0.0
    peaks = [lag for lag in range(LEAST_GAP_PX, last)
             if like[lag] >= _LIKE and like[lag] >= like[lag - 1] and like[lag] >= like[lag + 1]]
    if not peaks:
        return 0.0, 0.0
    lag = next(lag for lag in peaks if like[lag] > 0.75 * max(like[peak] for peak in peaks))
    fine = np.arange(lag - 1.0, lag + 1.0, 0.3 * lag / size)  # a small error of the gap adds up over the page
    rows = np.arange(size)
    waves = np.abs(np.exp(-2j * np.pi * rows[None] / fine[:, None]) @ centred)
    gap = float(fine[int(np.argmax(waves))])
    phase = -float(np.angle(np.exp(-2j * np.pi * rows / gap) @ centred)) / (2 * np.pi) * gap
    return gap, phase % gap


def _follow(
    strips: Float[np.ndarray, "s h"], lines: Float[np.ndarray, " l"], shifts: Float[np.ndarray, " s"], gap: float
) -> tuple[Float[np.ndarray, "s l"], Float[np.ndarray, "s l"]]:
    """The place of each line in each strip, and its darkness there."""
    height = strips.shape[1]
    reach = int(min(3, max(1, gap // 5)))
    expected = lines[None] + shifts[:, None]
    steps = np.arange(-reach, reach + 0.5, 0.5)
    smooth = smoothed(strips, 0.7, axis=1)
    rows = np.clip(expected[..., None] + steps, 0, height - 1)
    number = np.arange(len(strips))[:, None, None]
    values = sampled(smooth, np.broadcast_to(number, rows.shape), rows)
    offsets, levels = steps[values.argmax(axis=2)], values.max(axis=2)
    weight = np.maximum(levels, 1e-6)  # neighbours, along the line and beside it, lie nearly alike
    even = smoothed(smoothed(offsets * weight, 1.0), 1.0, axis=1) / smoothed(smoothed(weight, 1.0), 1.0, axis=1)
    return expected + even, levels


def _shape(
    strips: Float[np.ndarray, "s h"],
    places: Float[np.ndarray, "s l"],
    levels: Float[np.ndarray, "s l"],
    found: Bool[np.ndarray, "s l"],
) -> Float[np.ndarray, " offsets"]:
    """The darkness of a printed line across it, relative to its level, at offsets of half a pixel up to `_REACH`."""
    offsets = np.arange(-_REACH, _REACH + 0.5, 0.5)
    rows = np.clip(places[..., None] + offsets, 0, strips.shape[1] - 1)
    number = np.broadcast_to(np.arange(len(strips))[:, None, None], rows.shape)
    values = sampled(strips, number, rows) / np.maximum(levels, 1e-6)[..., None]
    shape = np.median(values[found], axis=0)
    shape = np.maximum(shape, shape[::-1])
    for step in range(_REACH * 2 + 1, len(shape)):  # it only falls off away from its middle
        shape[step] = min(shape[step], shape[step - 1])
    shape[: _REACH * 2] = shape[: _REACH * 2 : -1]
    return shape


def _cleared(
    dark: Float32[np.ndarray, "h w"],
    places: Float[np.ndarray, "s l"],
    levels: Float[np.ndarray, "s l"],
    shape: Float[np.ndarray, " offsets"],
    middles: Float[np.ndarray, " s"],
    margin: float,
) -> Float32[np.ndarray, "h w"]:
    """The page with 0 where a line is printed and nothing clearly darker is drawn over it.

    Args:
        dark: The darkness of the page.
        places: The row of each line in each strip.
        levels: Its darkness there.
        shape: The darkness across a line, see `_shape`.
        middles: The column of the middle of each strip.
        margin: By how much a stroke is darker than the line.
    """
    height, width = dark.shape
    clean, columns = dark.copy(), np.arange(width)
    middles = np.concatenate([[0.0], middles, [width - 1.0]])  # on to the page's edges as the outer strips go
    places = np.vstack([1.5 * places[0] - 0.5 * places[1], places, 1.5 * places[-1] - 0.5 * places[-2]])
    levels = np.vstack([levels[0], levels, levels[-1]])
    offsets = np.arange(-_REACH, _REACH + 0.5, 0.5)
    upper = cv2.dilate(shape[:, None].astype(np.float32), np.ones((5, 1), np.uint8))[:, 0]  # a place is right to 1 px
    for line in range(places.shape[1]):
        at, level = np.interp(columns, middles, places[:, line]), np.interp(columns, middles, levels[:, line])
        first = np.rint(at).astype(int)
        for step in range(-_REACH, _REACH + 1):
            row = first + step
            inside = (row >= 0) & (row < height)
            row = np.clip(row, 0, height - 1)
            printed = level * np.interp(row - at, offsets, upper)
            value = dark[row, columns]
            goes = inside & (printed > 0.12 * level) & (value < printed + margin)
            clean[row[goes], columns[goes]] = 0
    return clean
