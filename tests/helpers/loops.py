"""What tests of the drawing loop share: a shape, a page that is seen as it was drawn, a picture to start from."""

import cv2
import numpy as np

from maquette.geometry.shape import Shape
from maquette.intake.sources import Frame


def stool(seat: int = 8) -> Shape:
    """A block `seat` voxels wide on a narrower foot, 16 voxels a side."""
    grid = np.zeros((16, 16, 16), np.float32)
    grid[4 : 4 + seat, 4:12, 8:12] = 1
    grid[6:8, 6:8, 2:8] = 1
    return Shape(grid)


def sketch() -> np.ndarray:
    """A clean drawing of a box, uint8 [300, 260, 3]."""
    page = np.full((300, 260, 3), 255, np.uint8)
    for a, b in [((60, 90), (60, 230)), ((60, 230), (170, 250)), ((170, 250), (170, 110)), ((170, 110), (60, 90)),
                 ((60, 90), (110, 60)), ((110, 60), (215, 78)), ((215, 78), (170, 110)), ((215, 78), (215, 210)),
                 ((215, 210), (170, 250))]:
        cv2.line(page, a, b, (20, 20, 20), 3, cv2.LINE_AA)
    return page


class FlatPage:
    """Pen and eye: the page as clean as a file, a few pixels a millimetre. told: what was called, in order."""

    def __init__(self):
        self.strokes, self.told = [], []

    def wants(self, number):
        self.told.append(f"wants {number}")

    def draw(self, number, strokes):
        self.told.append(f"draw {number}")
        self.strokes.append(strokes)
        return iter(())

    def look(self, number):
        self.told.append(f"look {number}")
        picture = self.strokes[-1].to_picture(3.0, 0.6)
        return Frame(np.repeat(picture[..., None], 3, axis=2), f"page {number}")
