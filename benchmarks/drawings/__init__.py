"""Drawings of our own: lines as a person means them, hands and pens that draw them, a phone that photographs them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drawings.hands import HANDS, PENS, Drawing, draw
from drawings.photographs import page_on_desk
from drawings.things import THINGS


@dataclass(frozen=True, eq=False)
class Case:
    """One picture of a drawn thing; it is drawn when it is asked for, and the same each time.

    Attributes:
        name: Of the thing.
        hand: Out of `HANDS`.
        pen: Out of `PENS`.
        photographed: On paper, or on a board, before a phone; otherwise it is clean.
        seed: Of the hand's errors and the photograph.
    """

    name: str
    hand: str
    pen: str
    photographed: bool
    seed: int

    @property
    def style(self) -> str:
        """The hand, the pen, and on what it was photographed."""
        ground = ", on a board" if PENS[self.pen].board else ", on paper"
        return f"{self.hand}, {self.pen}" + ground * self.photographed

    @cached_property
    def drawing(self) -> Drawing:
        """Its ink, and the outline that was meant."""
        return draw(THINGS[self.name], HANDS[self.hand], PENS[self.pen], self.seed)

    @cached_property
    def _taken(self) -> tuple[np.ndarray, np.ndarray]:
        if self.photographed:
            return page_on_desk(self.drawing.ink, self.pen, self.seed)
        return self.drawing.clean, np.eye(3)

    @property
    def pixels(self) -> np.ndarray:
        """The picture, uint8 [h, w] or [h, w, 3]."""
        return self._taken[0]

    @property
    def placed(self) -> np.ndarray:
        """The homography from the drawing's pixels to the picture's."""
        return self._taken[1]


def cases(seed: int = 0, only: str | Collection[str] = "") -> Iterator[Case]:
    """Each thing clean and photographed, hands and pens taking turns so that all pairs occur.

    Args:
        seed: Another seed gives other errors of the hands and other photographs.
        only: Part of the names that are wanted, or several whole names.
    """
    hands, pens = list(HANDS), list(PENS)
    for number, name in enumerate(THINGS):
        if (only not in name) if isinstance(only, str) else (name not in only):
            continue
        hand, pen = hands[number % 4], pens[(number + number // 4) % 4]
        for photographed in (False, True):
            yield Case(name, hand, pen, photographed, 1000 * seed + number)
