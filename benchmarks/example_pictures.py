"""The files of `maquette examples` that are no renders: flat drawings, a page on a desk, a depth scan.

PYTHONPATH=tests/helpers:benchmarks python benchmarks/example_pictures.py src/maquette/examples
"""

import json
import sys
import tempfile
from pathlib import Path

import trimesh
from drawing_pictures import drawings
from PIL import Image
from staged import FLOOR, depth_mm, intrinsics, write_png

from maquette.datasets.furniture import make
from maquette.rendering import Camera

CAMERA = Camera(30, 30, 45, 240)


def main(out: str) -> None:
    """Write them."""
    folder = Path(out)
    for name in ("drawings", "scans"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        drawings(Path(work))
        for name in ("fish", "vase"):
            Image.open(Path(work) / f"{name}.png").save(folder / "drawings" / f"{name}.png", optimize=True)
        Image.open(Path(work) / "desk.jpg").save(folder / "drawings" / "page.jpg", quality=80)
    chair = make("chair", 7)
    chair.apply_translation((0, 0, -0.4 - chair.bounds[0][2]))  # on the floor
    write_png(folder / "scans" / "chair.png", depth_mm(trimesh.util.concatenate([chair, FLOOR]), CAMERA))
    camera = intrinsics(CAMERA)
    numbers = {name: round(getattr(camera, name), 3) for name in ("fx", "fy", "cx", "cy")}
    (folder / "scans" / "camera.json").write_text(json.dumps(numbers) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
