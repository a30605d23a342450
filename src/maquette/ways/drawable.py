"""Pictures that show no one thing, told from those that do: grain all over, a page of text, small marks everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.errors import UserError
from maquette.intake.line_art import resize, to_grey
from maquette.ways.outline import DrawnOutline

if TYPE_CHECKING:
    from jaxtyping import Bool, UInt8

EVEN, ALIKE = 0.3, 0.35
"""Parts of a picture of grain are as bright as each other (the standard deviation of their means, as a share of that of
all pixels) and as rough as each other (that of their standard deviations, as a share of the mean of these), at most."""
ROWS, WORDS = 3, 4
"""A page of text has so many rows at least, most of which are broken into so many pieces."""
LONG = 0.42
"""Share of the drawing's square from which a piece of line is longer than a word: there is a thing among the text."""
MARKS, SMALL = 60, 0.25
"""So many marks are no drawing of one thing if none is longer than this share of the square, dashes taken together."""
_SIDE, _PARTS = 256, 8
_TURNS = np.arange(-6.0, 6.1, 1.5)


def require_a_thing(picture: UInt8[np.ndarray, "h w 3"], outline: DrawnOutline | None, photo: bool, name: str) -> None:
    """Nothing, for a picture that may show an object.

    Args:
        picture: As the user gave it.
        outline: Of a drawing.
        photo: Whether it is a photo.
        name: What a message calls the picture.

    Raises:
        UserError: For a photo of grain, and for a page of text or of small marks.
    """
    lines = None if outline is None else outline.ink > 0.5
    what = ""
    if photo and is_grain(picture):
        what = "grain or a fine pattern all over and no object"
    elif not photo and lines is not None and (text_rows(lines) or small_marks(lines)):
        what = "text or small marks all over and no drawing of one object"
    if what:
        raise UserError(f"{name} shows {what}", hint="give one object that fills most of the picture")


def is_grain(picture: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether each eighth part of a picture, across and down, looks like every other."""
    grey = to_grey(resize(picture, _SIDE, _SIDE))
    size = _SIDE // _PARTS
    parts = grey.reshape(_PARTS, size, _PARTS, size).swapaxes(1, 2).reshape(_PARTS * _PARTS, size * size)
    bright, rough, whole = parts.mean(axis=1), parts.std(axis=1), float(grey.std())
    if whole < 1e-3 or float(rough.mean()) < 1e-3:
        return False
    return bool(bright.std() / whole < EVEN and rough.std() / rough.mean() < ALIKE)


def text_rows(lines: Bool[np.ndarray, "s s"]) -> int:
    """How many rows of text there are, where they are most of a drawing; otherwise 0.

    A row has bare paper above and below it, right across, and is broken into words or letters. The page may be turned
    a little.
    """
    side, most = lines.shape[0], 0
    if _pieces(lines)[1] >= LONG * side:
        return 0
    for turn in _TURNS:
        about = cv2.getRotationMatrix2D((side / 2, side / 2), float(turn), 1.0)
        page = cv2.warpAffine(255 * lines.astype(np.uint8), about, (side, side)) > 127
        bands = _bands(np.asarray(page.mean(axis=1) > 0.004))
        broken = sum(len(_bands(np.asarray(page[top:bottom].any(axis=0)))) >= WORDS for top, bottom in bands)
        if broken >= ROWS and broken >= 0.7 * len(bands):
            most = max(most, broken)
    return most


def small_marks(lines: Bool[np.ndarray, "s s"]) -> int:
    """How many marks there are, where they are many and all of them small; otherwise 0."""
    count, _ = _pieces(lines)
    if count < MARKS:
        return 0
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    _, longest = _pieces(cv2.dilate(lines.astype(np.uint8), reach) > 0)
    return count if longest < SMALL * lines.shape[0] else 0


def _pieces(lines: Bool[np.ndarray, "s s"]) -> tuple[int, int]:
    """How many pieces hang together, and the longest side of any one's box, in pixels."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    return count - 1, int(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(initial=0))


def _bands(filled: Bool[np.ndarray, " n"]) -> list[tuple[int, int]]:
    """Where runs of True begin and end."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], filled.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in steps.reshape(-1, 2)]
