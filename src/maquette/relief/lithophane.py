"""A picture as a plate that shows it against the light: dark is thick, bright is thin."""

import numpy as np
import trimesh

from maquette.intake.line_art import resize, to_grey


def heights(picture: np.ndarray, thinnest: float, thickest: float, detail_px: int) -> np.ndarray:
    """Thickness at each point of the plate, float64 [h, w]: `thinnest` where white, `thickest` where black, even steps
    of Rec. 601 brightness between. picture: uint8 [H, W, 3]. detail_px: points along the longer side, at most.
    """
    high, wide = picture.shape[:2]
    scale = min(1.0, detail_px / max(high, wide))
    small = resize(picture, max(2, round(wide * scale)), max(2, round(high * scale)))
    return thinnest + (thickest - thinnest) * (1 - to_grey(small).astype(np.float64) / 255)


def plate(thickness: np.ndarray, size: float) -> trimesh.Trimesh:
    """A plate [h, w] of this thickness at each point, flat on z = 0, its longer side `size` from the first point to the
    last, centred on x and y, the picture's top at +y. Watertight; every point is a vertex.
    """
    high, wide = thickness.shape
    pitch = size / (max(high, wide) - 1)
    column, row = np.meshgrid(np.arange(wide), np.arange(high))
    x, y = (column - (wide - 1) / 2) * pitch, ((high - 1) / 2 - row) * pitch
    top = np.column_stack([x.ravel(), y.ravel(), thickness.ravel()])
    index = np.arange(high * wide).reshape(high, wide)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    upper = np.concatenate([np.column_stack([a, d, c]), np.column_stack([a, c, b])])
    rim = np.concatenate([index[0, :-1], index[:-1, -1], index[-1, :0:-1], index[:0:-1, 0]])  # clockwise from above
    after = np.roll(rim, -1)
    base = len(top) + np.arange(len(rim))
    base_after = np.roll(base, -1)
    middle = len(top) + len(rim)
    bottom = np.column_stack([top[rim, 0], top[rim, 1], np.zeros(len(rim))])
    sides = np.concatenate([np.column_stack([rim, after, base_after]), np.column_stack([rim, base_after, base])])
    lower = np.column_stack([base, base_after, np.full(len(rim), middle)])
    vertices = np.vstack([top, bottom, [[0.0, 0.0, 0.0]]])
    return trimesh.Trimesh(vertices, np.concatenate([upper, sides, lower]), process=False)
