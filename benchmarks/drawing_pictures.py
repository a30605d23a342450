"""The pictures of docs/pickup.md and docs/relief.md: drawings made here from points, through the commands themselves.

PYTHONPATH=tests/helpers python benchmarks/drawing_pictures.py WORK OUT
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from pages import corners_of, paper, photographed, ruled
from PIL import Image

from maquette.cli import commands as cli
from maquette.io.pictures import read_picture
from maquette.rendering import Camera, shade
from maquette.rendering.sheets import SIDES, sheet_of_images

FISH = [(95, 250), (140, 175), (240, 130), (345, 140), (420, 205), (510, 140), (490, 250), (510, 360), (420, 295),
        (345, 360), (240, 370), (140, 325)]
VASE = [(250, 60), (262, 110), (220, 190), (300, 330), (330, 420), (290, 520), (240, 560), (255, 590)]


def curve(points: list, closed: bool) -> np.ndarray:
    """A smooth line through points (Catmull and Rom 1974): float [N, 2]."""
    given = np.array(points, float)
    around = np.vstack([given[-1:], given, given[:2]]) if closed else np.vstack([given[:1], given, given[-1:]])
    share = np.linspace(0, 1, 24, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False):
        pieces.append(b + 0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a))))
    return np.concatenate([*pieces, given[:1] if closed else given[-1:]])


def stroke(page: np.ndarray, points: list, closed: bool = False, seed: int = 0) -> None:
    """A line by a hand that is not quite steady; a closed one does not quite meet its beginning."""
    line = curve(points, closed)
    waver = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 6, line.shape), (1, 31), 0)
    line = (line + waver)[: -4 if closed else None]
    cv2.polylines(page, [np.int32(line * 16)], False, 0, 5, cv2.LINE_AA, 4)


def drawings(work: Path) -> None:
    fish = np.full((500, 600), 255, np.uint8)
    stroke(fish, FISH, closed=True)
    cv2.circle(fish, (190, 225), 22, 0, 5, cv2.LINE_AA)
    Image.fromarray(fish).save(work / "fish.png")
    vase = np.full((650, 500), 255, np.uint8)
    cv2.line(vase, (120, 30), (124, 620), 0, 4, cv2.LINE_AA)
    stroke(vase, VASE, seed=1)
    Image.fromarray(vase).save(work / "vase.png")
    dark = np.zeros((1188, 840), np.float32)
    dark[330:830, 120:720] = 1 - cv2.GaussianBlur(fish, (0, 0), 0.8).astype(np.float32) / 255
    page = paper(dark) * (1 - 0.22 * ruled(1188, 840, 20, turn=0.002))[..., None]
    corners = corners_of(210, 297, tilt_deg=33, lean_deg=-14, turn_deg=9, size=(1600, 1200), fill=0.75)
    photo = photographed(page, corners, (1600, 1200), desk=(120, 88, 60), shadow=0.45, noise=3, seed=4)
    Image.fromarray(photo).save(work / "desk.jpg", quality=90)


def run(*words: str) -> None:
    try:
        cli.main(list(words))
    except SystemExit as ended:
        assert not ended.code, words


def small(picture: Path, out: Path, colours: int) -> None:
    """The same with few colours, so that the file is small."""
    Image.open(picture).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(out, optimize=True)


def main(work: str, out: str) -> None:
    """Draw, run the commands, lay their results out."""
    folder, images = Path(work), Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    drawings(folder)
    run("pickup", str(folder / "desk.jpg"), "--squared", "--low", "32", "--out", str(folder / "page.png"))
    small(folder / "page.found.png", images / "pickup.png", 64)
    examples = Path(cli.__file__).parents[1] / "examples"
    asked = {
        "extruded": ("fish.png", "--ring-hole-mm", "4"), "with a base": ("fish.png", "--base-mm", "2"),
        "inflated": ("fish.png", "--inflate", "--thickness-mm", "16"), "turned": ("vase.png", "--revolve"),
        "lithophane": (str(examples / "photo-sofa.png"), "--lithophane"),
    }
    cells, captions = [], []
    for name, (drawing, *options) in asked.items():
        target = folder / f"{name.replace(' ', '-')}.stl"
        run("relief", str(folder / drawing), "--out", str(target), *options)
        import trimesh

        from maquette.geometry.mesh import to_frame

        mesh = to_frame(trimesh.load(target))
        if name != "turned":
            mesh.vertices *= (-1, -1, 1)
        azimuth, elevation = SIDES["above"] if name != "turned" else SIDES["front"]
        cells += [read_picture(folder / drawing), shade(mesh, Camera(azimuth - 25, elevation, 28, 260, zoom=1.1))]
        captions += [Path(drawing).name, name]
    sheet_of_images(cells, folder / "relief.png", 4, 260, captions)
    small(folder / "relief.png", images / "relief.png", 160)


if __name__ == "__main__":
    main(*sys.argv[1:])
