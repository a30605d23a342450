"""The words in which `things.py` is written: a stroke is float [N, 2], right and down, the page from 0 to 100."""

import numpy as np

Stroke = np.ndarray


def points(*numbers: float) -> np.ndarray:
    return np.array(numbers, float).reshape(-1, 2)


def line(*numbers: float) -> list[Stroke]:
    """Straight from point to point, corners stay sharp."""
    return [points(*numbers)]


def closed(*numbers: float) -> list[Stroke]:
    """The same, back to the first point."""
    return line(*numbers, *numbers[:2])


def curve(*numbers: float) -> list[Stroke]:
    """Smoothly through the points (Catmull and Rom 1974)."""
    given = points(*numbers)
    return [_smooth(np.vstack([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]]))]


def loop(*numbers: float) -> list[Stroke]:
    """The same, back to the first point."""
    given = points(*numbers)
    return [_smooth(np.vstack([given[-1:], given, given[:2]]))]


def oval(x: float, y: float, wide: float, high: float, start: float = 0, end: float = 360) -> list[Stroke]:
    """An ellipse or a piece of one: half its width and height; degrees from the right, clockwise as one looks."""
    angle = np.radians(np.linspace(start, end, max(int(abs(end - start) / 6), 4) + 1))
    return [np.column_stack([x + wide * np.cos(angle), y + high * np.sin(angle)])]


def bumps(x: float, y: float, wide: float, high: float, count: int, start: float = 0, end: float = 360) -> list[Stroke]:
    """A cloud's edge: so many bumps along an ellipse."""
    angle = np.radians(np.linspace(start, end, 12 * count + 1))
    out = 1 + 0.16 * np.abs(np.sin(np.linspace(0, np.pi * count, len(angle))))
    return [np.column_stack([x + wide * out * np.cos(angle), y + high * out * np.sin(angle)])]


def mirrored(strokes: list[Stroke], x: float = 50) -> list[Stroke]:
    """The strokes, and each of them again in a mirror."""
    return strokes + [np.column_stack([2 * x - stroke[:, 0], stroke[:, 1]]) for stroke in strokes]


def turned(strokes: list[Stroke], degrees: float) -> list[Stroke]:
    """The strokes turned clockwise about the middle of the page."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [(stroke - 50) @ turn + 50 for stroke in strokes]


def _smooth(around: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, 12, endpoint=False)[:, None]
    pieces = [b + 0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)))
              for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False)]
    return np.concatenate([*pieces, around[-2:-1]])
