"""Ruled and squared paper: the printed lines found by their even spacing, and taken away from under the drawing."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

STRIPS = 24
"""Strips across the page in each of which the lines are followed."""
LEAST_LINES, LEAST_GAP_PX = 5, 6
"""Fewer lines, or lines closer together, are not taken for a ruling."""
_TILTS = np.linspace(-0.03, 0.03, 25)  # rise of a line over its length
_LIKE = 0.3  # correlation of the page's profile with itself one gap further on
_REACH = 4  # pixels from a printed line's middle that may still belong to it


@dataclass(frozen=True)
class Ruling:
    """What was printed on the page. Gaps between its lines in pixels, 0 for none; darkness of the lines, 0 to 1."""

    rows_px: float = 0.0
    columns_px: float = 0.0
    dark: float = 0.0

    def __bool__(self) -> bool:
        return self.rows_px > 0 or self.columns_px > 0

    def line(self) -> str:
        """One line for the user."""
        if not self:
            return "no ruling was found on the paper"
        if self.rows_px and self.columns_px:
            return f"squares of {self.columns_px:.0f} x {self.rows_px:.0f} pixels were taken away"
        return f"ruled lines {max(self.rows_px, self.columns_px):.0f} pixels apart were taken away"


def remove_ruling(dark: np.ndarray, grain: float) -> tuple[np.ndarray, Ruling]:
    """The darkness of a straightened page, float32 [H, W], without its printed lines, and what they were.

    In each of `STRIPS` strips across the lines the median darkness along them shows what is printed and not what is
    drawn; lines that come at an even gap are followed from strip to strip. A pixel there that is clearly darker than
    the line belongs to a stroke and stays as it is.

    Args:
        grain: Deviation of the paper's darkness.
    """
    clean, rows_px, one = _without_rows(dark, grain)
    turned, columns_px, two = _without_rows(np.ascontiguousarray(clean.T), grain)
    return np.ascontiguousarray(turned.T), Ruling(rows_px, columns_px, max(one, two))


def _without_rows(dark: np.ndarray, grain: float) -> tuple[np.ndarray, float, float]:
    """The page without lines that run from left to right, their gap in pixels (0: none), and their darkness."""
    height, width = dark.shape
    if height < LEAST_LINES * LEAST_GAP_PX or width < 4 * STRIPS:
        return dark, 0.0, 0.0
    edges = np.linspace(0, width, STRIPS + 1).round().astype(int)
    strips = np.stack([np.median(dark[:, a:b], axis=1) for a, b in zip(edges[:-1], edges[1:], strict=True)])
    strips = np.maximum(strips - ndimage.median_filter(strips, (1, 2 * _REACH * 2 + 1)), 0)  # thin lines alone
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
    levels = np.minimum(ndimage.median_filter(np.where(found, levels, level), (3, 5)), 1.35 * level)
    shape = _shape(strips, places, levels, found)
    return _cleared(dark, places, levels, shape, middles + width / 2, max(0.5 * level, 3 * grain, 0.03)), gap, level


def _aligned(strips: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """The mean of the strips' profiles [S, H], each moved up by its shift: [H]. What few strips have counts little."""
    rows = np.arange(strips.shape[1])
    moved = np.stack([np.interp(rows + shift, rows, strip) for strip, shift in zip(strips, shifts, strict=True)])
    return np.sort(moved, axis=0)[STRIPS // 8 : -STRIPS // 8].mean(axis=0)


def _comb(profile: np.ndarray) -> tuple[float, float]:
    """Gap and place of the first of evenly spaced peaks in a profile [H]; (0, 0) where there are none."""
    smooth = ndimage.gaussian_filter1d(profile, 1.0)
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


def _follow(strips: np.ndarray, lines: np.ndarray, shifts: np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Where each line is in each strip, and how dark: both float [S, L]."""
    height = strips.shape[1]
    reach = int(min(3, max(1, gap // 5)))
    expected = lines[None] + shifts[:, None]
    steps = np.arange(-reach, reach + 0.5, 0.5)
    smooth = ndimage.gaussian_filter1d(strips, 0.7, axis=1)
    rows = np.clip(expected[..., None] + steps, 0, height - 1)
    number = np.arange(len(strips))[:, None, None]
    values = ndimage.map_coordinates(smooth, [np.broadcast_to(number, rows.shape), rows], order=1)
    offsets, levels = steps[values.argmax(axis=2)], values.max(axis=2)
    weight = np.maximum(levels, 1e-6)  # neighbours, along the line and beside it, lie nearly alike
    smoothed = ndimage.gaussian_filter(offsets * weight, 1.0) / ndimage.gaussian_filter(weight, 1.0)
    return expected + smoothed, levels


def _shape(strips: np.ndarray, places: np.ndarray, levels: np.ndarray, found: np.ndarray) -> np.ndarray:
    """A printed line's darkness across it, relative to its level, at offsets of half a pixel up to `_REACH`."""
    offsets = np.arange(-_REACH, _REACH + 0.5, 0.5)
    rows = np.clip(places[..., None] + offsets, 0, strips.shape[1] - 1)
    number = np.broadcast_to(np.arange(len(strips))[:, None, None], rows.shape)
    values = ndimage.map_coordinates(strips, [number, rows], order=1) / np.maximum(levels, 1e-6)[..., None]
    shape = np.median(values[found], axis=0)
    shape = np.maximum(shape, shape[::-1])
    for step in range(_REACH * 2 + 1, len(shape)):  # it only falls off away from its middle
        shape[step] = min(shape[step], shape[step - 1])
    shape[: _REACH * 2] = shape[: _REACH * 2 : -1]
    return shape


def _cleared(
    dark: np.ndarray, places: np.ndarray, levels: np.ndarray, shape: np.ndarray, middles: np.ndarray, margin: float
) -> np.ndarray:
    """The page with 0 where a line is printed and nothing clearly darker is drawn over it."""
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
