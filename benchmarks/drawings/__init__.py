"""Drawings of our own: lines as a person means them, hands and pens that draw them, a phone that photographs them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from drawings.hands import HANDS, PENS, Drawing, draw
from drawings.photographs import page_on_desk
from drawings.things import THINGS


@dataclass(frozen=True, eq=False)
class Case:
    """One picture of a drawn thing.

    Attributes:
        name: Of the thing.
        style: The hand and the pen, and `on paper` or `on a board` for a photograph.
        pixels: The picture, uint8 [h, w] or [h, w, 3].
        drawing: Its ink, and the outline that was meant.
        placed: The homography from the drawing's pixels to the picture's.
    """

    name: str
    style: str
    pixels: np.ndarray
    drawing: Drawing
    placed: np.ndarray

    @property
    def photographed(self) -> bool:
        return not self.style.endswith(tuple(PENS))


def cases(seed: int = 0, only: str | Collection[str] = "") -> Iterator[Case]:
    """Each thing clean and photographed, hands and pens taking turns so that all pairs occur.

    Args:
        seed: Another seed gives other errors of the hands and other photographs.
        only: Part of the names that are wanted, or several whole names.
    """
    hands, pens = list(HANDS), list(PENS)
    for number, (name, strokes) in enumerate(THINGS.items()):
        if (only not in name) if isinstance(only, str) else (name not in only):
            continue
        hand, pen = hands[number % 4], pens[(number + number // 4) % 4]
        made = draw(strokes, HANDS[hand], PENS[pen], 1000 * seed + number)
        yield Case(name, f"{hand}, {pen}", made.clean, made, np.eye(3))
        photo, placed = page_on_desk(made.ink, pen, 1000 * seed + number)
        yield Case(name, f"{hand}, {pen}, {'on a board' if made.board else 'on paper'}", photo, made, placed)
