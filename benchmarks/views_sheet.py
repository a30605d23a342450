"""The contact sheet of docs/images/views.png: `python benchmarks/views_sheet.py [OUT] [PICTURES FOLDER]`."""

import sys
from pathlib import Path

import cv2
import numpy as np

from maquette.datasets import furniture
from maquette.rendering import Camera, render_views, shade

KINDS = ("chair", "table", "sofa", "bookcase", "desk", "toilet")
SIDE = 112


def row(kind: str, number: int, pictures: str | None) -> np.ndarray:
    """One object: its studio picture, five photos, five drawings and a depth map, side by side."""
    mesh = furniture.make(kind, 20 + number)
    studio = shade(mesh, Camera(35, 20, 35, SIDE, zoom=1.3))
    photos = render_views(mesh, count=5, size_px=SIDE, seed=number, kinds=("photo",), channels=3, backgrounds=pictures)
    drawings = render_views(mesh, count=5, size_px=SIDE, seed=number, kinds=("pencil",), channels=3)
    depth = render_views(mesh, count=1, size_px=SIDE, seed=number, kinds=("depth",), channels=3)
    return np.hstack([studio, *photos.images, *drawings.images, *depth.images])


def main(out: str = "docs/images/views.png", pictures: str | None = None) -> None:
    sheet = np.vstack([row(kind, number, pictures) for number, kind in enumerate(KINDS)])
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(out, sheet[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main(*sys.argv[1:])
