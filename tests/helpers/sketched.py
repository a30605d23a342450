"""A chair drawn in a few lines, for tests of pictures and their intake."""

import cv2
import numpy as np

LINES = [((20, 75), (20, 95)), ((80, 60), (80, 95)), ((20, 75), (80, 60)), ((20, 75), (20, 10)), ((20, 10), (35, 5)),
         ((35, 5), (35, 70)), ((20, 25), (35, 20)), ((35, 70), (80, 60))]  # a chair of sorts, in hundredths


def chair(size=400, width=3, left=0, top=0, canvas=None):
    """Darkness [H, W] in [0, 1]: the chair, `size` pixels a side, with its corner at (left, top)."""
    dark = np.zeros(canvas or (size, size), np.float32)
    for (x0, y0), (x1, y1) in LINES:
        start = left + x0 * size // 100, top + y0 * size // 100
        end = left + x1 * size // 100, top + y1 * size // 100
        cv2.line(dark, start, end, 1.0, width, cv2.LINE_AA)
    return dark


def drawn(dark, paper=255.0):
    """Grey picture of black lines on even paper."""
    return np.clip(paper * (1 - dark), 0, 255).astype(np.uint8)
