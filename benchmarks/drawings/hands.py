"""What a hand and a pen make of lines: a page of ink, and the outline that was meant.

A hand bends and shakes the plane (`_moved`), which moves what it means as well; besides, each of its strokes misses its
place and its ends a little, and is drawn twice or in pieces.
"""

from dataclasses import dataclass

import cv2
import numpy as np

SIDE_PX = 1024
"""Of a page."""
MARGIN = 0.1
"""Of the page that stays empty on each side."""
_FINE = 2


@dataclass(frozen=True)
class Hand:
    """How somebody draws. Lengths are in hundredths of the drawing."""

    bend: float
    """How far the whole is bent and its perspective wrong."""
    waver: float
    """How far lines waver."""
    miss: float
    """How far the ends of a stroke miss their places."""
    over: float
    """How far a stroke goes past a corner."""
    twice: float
    """Chance that a stroke is drawn again."""
    pieces: float
    """Longest stroke in one go; longer ones are drawn in pieces that overlap."""


@dataclass(frozen=True)
class Pen:
    """Width in hundredths of the page; darkness from 0 to 1; how much the grain of the paper shows."""

    width: float
    dark: float
    grain: float
    board: bool = False
    """White on black."""


HANDS = {
    "careful": Hand(0.4, 0.15, 0.15, 0.0, 0.0, 1e9),
    "quick": Hand(1.2, 0.35, 0.6, 1.6, 0.15, 1e9),
    "sketchy": Hand(0.8, 0.3, 0.5, 0.8, 0.55, 22),
    "shaky": Hand(1.8, 0.5, 0.9, 0.3, 0.05, 1e9),
}
PENS = {"fine": Pen(0.45, 1, 0), "pencil": Pen(0.8, 0.75, 0.5), "marker": Pen(2.0, 0.95, 0),
        "chalk": Pen(1.1, 0.95, 0.3, True)}


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawn thing.

    Attributes:
        ink: Float [SIDE_PX, SIDE_PX], 0 is paper and 1 is ink.
        meant: Bool, of the same size: all inside the lines that were meant, before the hand missed them.
        board: Whether it is white on black.
    """

    ink: np.ndarray
    meant: np.ndarray
    board: bool

    @property
    def clean(self) -> np.ndarray:
        """The picture, uint8."""
        return np.rint(255 * (self.ink if self.board else 1 - self.ink)).astype(np.uint8)


def draw(strokes: list[np.ndarray], hand: Hand, pen: Pen, seed: int) -> Drawing:
    rng = np.random.default_rng(seed)
    move = _moved(hand, rng)
    ideal = [move(_dense(stroke)) for stroke in strokes]
    canvas = np.zeros((_FINE * SIDE_PX, _FINE * SIDE_PX), np.float32)
    for stroke in ideal:
        for piece in _pieces(stroke, hand.pieces):
            _ink(canvas, _missed(piece, hand, rng), pen, rng, 1.0)
            if rng.random() < hand.twice:
                _ink(canvas, _missed(piece, hand, rng, 1.6), pen, rng, 0.85)
    ink = cv2.resize(canvas, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    if pen.grain:
        grain = cv2.GaussianBlur(rng.normal(0, 1, ink.shape).astype(np.float32), (0, 0), 1.1)
        ink = ink * np.clip(1 - pen.grain * (0.35 + 0.9 * grain), 0, 1)
    return Drawing(np.clip(ink, 0, 1).astype(np.float32), _filled(ideal, pen), pen.board)


def _filled(strokes: list[np.ndarray], pen: Pen) -> np.ndarray:
    """All that the lines go around, to their middle; single lines have their own width."""
    fine = 4 * SIDE_PX
    thin = np.zeros((fine, fine), np.uint8)
    for stroke in strokes:
        cv2.polylines(thin, [_pixels(stroke, 4)], False, 255, 5, cv2.LINE_8, 4)
    around = cv2.copyMakeBorder(thin, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(around, None, (0, 0), 128)
    inside = (around != 128)[1:-1, 1:-1].astype(np.uint8)
    small = cv2.resize(255 * inside, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) > 127
    solid = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    loose = np.where(solid > 0, 0, thin)
    wide = max(round(pen.width / 100 * fine), 1)
    loose = cv2.dilate(cv2.morphologyEx(loose, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)),
                       cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide | 1, wide | 1)))
    near = cv2.dilate(solid, np.ones((2 * wide + 9, 2 * wide + 9), np.uint8))
    loose[near > 0] = 0
    return small | (cv2.resize(loose, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) > 127)


def _pixels(stroke: np.ndarray, fine: int) -> np.ndarray:
    """In sixteenths of a pixel of a picture that is `fine` times as large as the page."""
    shown = (MARGIN + (1 - 2 * MARGIN) * stroke / 100) * SIDE_PX * fine
    return np.rint(shown * 16).astype(np.int32)


def _dense(stroke: np.ndarray) -> np.ndarray:
    """A point at least every hundredth of the page."""
    parts = [np.linspace(a, b, max(int(np.hypot(*(b - a))), 1), endpoint=False)
             for a, b in zip(stroke, stroke[1:], strict=False)]
    return np.concatenate([*parts, stroke[-1:]])


def _moved(hand: Hand, rng: np.random.Generator):
    """A smooth change of the plane: wrong perspective, slow bends, quick shaking."""
    skew = np.eye(2) + rng.normal(0, hand.bend / 100, (2, 2))
    fan = rng.normal(0, hand.bend / 2500, 2)
    waves = [(rng.normal(0, 1 / length, (2, 2)), rng.uniform(0, 6, 2), rng.normal(0, much / 1.6, (2, 2)))
             for length, much in ((40, hand.bend), (24, hand.bend / 2), (7, hand.waver), (4, hand.waver / 2))]

    def moved(points: np.ndarray) -> np.ndarray:
        away = (points - 50) @ skew.T
        away = away / (1 + away @ fan)[:, None]
        return away + 50 + sum(np.sin(points @ along + phase) @ towards for along, phase, towards in waves)

    return moved


def _pieces(stroke: np.ndarray, longest: float) -> list[np.ndarray]:
    count = int(np.ceil(len(stroke) / longest))
    if count < 2:
        return [stroke]
    cuts = np.linspace(0, len(stroke), count + 1).astype(int)
    return [stroke[max(a - 2, 0) : b + 2] for a, b in zip(cuts, cuts[1:], strict=False)]


def _missed(stroke: np.ndarray, hand: Hand, rng: np.random.Generator, more: float = 1.0) -> np.ndarray:
    """One pass of the hand: its ends miss and go past their places."""
    ends = rng.normal(0, 0.6 * hand.miss * more, (2, 2))
    line = stroke + np.linspace(ends[0], ends[1], len(stroke))
    if len(line) > 6:
        for end, near in ((0, 3), (-1, -4)):
            out = line[end] - line[near]
            past = rng.uniform(-0.2, 1) * hand.over * out / (np.hypot(*out) + 1e-6)
            line = np.vstack([line[end] + past, line]) if end == 0 else np.vstack([line, line[end] + past])
    return line


def _ink(canvas: np.ndarray, line: np.ndarray, pen: Pen, rng: np.random.Generator, much: float) -> None:
    layer = np.zeros(canvas.shape, np.uint8)
    wide = max(round(pen.width / 100 * SIDE_PX * _FINE * rng.uniform(0.85, 1.15)), 1)
    cv2.polylines(layer, [_pixels(line, _FINE)], False, 255, wide, cv2.LINE_AA, 4)
    np.maximum(canvas, layer.astype(np.float32) / 255 * pen.dark * much * rng.uniform(0.85, 1), out=canvas)
