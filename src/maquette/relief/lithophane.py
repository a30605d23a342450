"""A picture as a plate that shows it against the light: dark is thick, bright is thin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import trimesh

from maquette.intake.line_art import resize, to_grey

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


def lithophane_thickness(
    picture: UInt8[np.ndarray, "_ _ 3"], thinnest: float, thickest: float, detail_px: int
) -> Float[np.ndarray, "h w"]:
    """The thickness of the plate at each of its points, linear in the picture's brightness (Rec. 601).

    Args:
        picture: RGB.
        thinnest: Thickness where the picture is white, in any unit of length.
        thickest: Thickness where it is black.
        detail_px: Points along the longer side, at most.
    """
    high, wide = picture.shape[:2]
    scale = min(1.0, detail_px / max(high, wide))
    small = resize(picture, max(2, round(wide * scale)), max(2, round(high * scale)))
    return thinnest + (thickest - thinnest) * (1 - to_grey(small).astype(np.float64) / 255)


def plate_mesh(thickness: Float[np.ndarray, "h w"], size: float) -> trimesh.Trimesh:
    """A watertight plate with a flat bottom at z = 0 and a vertex at each point of its upper side.

    Args:
        thickness: Height of the upper side at each point, rows from the picture's top (+y) down.
        size: Length of the longer side, from its first point to its last. The plate is centred on x and y.
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
