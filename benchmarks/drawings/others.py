"""Pictures of nothing that a model knows: doodles, noise, text, faces, rooms, textures; uint8 [h, w] or [h, w, 3]."""

from pathlib import Path

import cv2
import numpy as np
import trimesh
from PIL import Image, ImageDraw, ImageFont

from drawings.hands import HANDS, PENS, draw
from drawings.lines import Stroke, closed, curve, line, loop, mirrored, oval
from maquette.rendering.effects import develop
from maquette.rendering.framing import random_viewpoint
from maquette.rendering.lights import Lights
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.room import random_room
from maquette.rendering.textures import random_material

PHOTO_PX = 320


def by_hand(strokes: list[Stroke], rng: np.random.Generator) -> np.ndarray:
    """Strokes drawn by any hand with any pen."""
    hand, pen = list(HANDS.values())[int(rng.integers(4))], list(PENS.values())[int(rng.integers(4))]
    return draw(strokes, hand, pen, int(rng.integers(1 << 30))).clean


def doodle(rng: np.random.Generator) -> np.ndarray:
    """Open or closed scribbles that go where they like."""
    strokes = []
    for _ in range(int(rng.integers(1, 4))):
        count = int(rng.integers(4, 14))
        spots = rng.uniform(5, 95, (count, 2)) if rng.random() < 0.5 else np.clip(
            50 + np.cumsum(rng.normal(0, 16, (count, 2)), axis=0), 2, 98)
        way = (curve, loop, line, closed)[int(rng.choice(4, p=(0.45, 0.3, 0.15, 0.1)))]
        strokes += way(*spots.ravel())
    return by_hand(strokes, rng)


def face(rng: np.random.Generator) -> np.ndarray:
    """A human face from the front."""
    wide, high, eye, nose = rng.uniform(26, 36), rng.uniform(36, 44), rng.uniform(38, 46), rng.uniform(52, 62)
    apart, mouth, smile = rng.uniform(11, 16), rng.uniform(66, 74), rng.uniform(-4, 8)
    strokes = oval(50, 52, wide, high) + mirrored(
        oval(50 - apart, eye, rng.uniform(3, 7), rng.uniform(2, 4)) + oval(50 - apart, eye, 1.5, 1.5)
        + curve(42 - apart, eye - 7, 50 - apart, eye - 10, 57 - apart, eye - 7))
    strokes += curve(50, eye + 3, 46, nose, 52, nose + 2) + curve(40, mouth, 50, mouth + smile, 60, mouth)
    if rng.random() < 0.6:  # ears
        strokes += mirrored(curve(51 - wide, 44, 44 - wide, 46, 46 - wide, 58, 52 - wide, 60))
    for _ in range(int(rng.integers(0, 14))):  # hair
        at = rng.uniform(-0.8, 0.8)
        x, y = 50 + wide * np.sin(at * 1.4), 52 - high * np.cos(at * 1.4)
        strokes += curve(x, y, x + rng.normal(0, 4), y - rng.uniform(3, 9), x + rng.normal(0, 8),
                         y - rng.uniform(0, 12))
    return by_hand(strokes, rng)


def noise(rng: np.random.Generator) -> np.ndarray:
    """Grain, clouds of grain, pepper on paper, or short strokes all over it."""
    kind, size = int(rng.integers(4)), int(rng.integers(200, 800))
    if kind < 2:
        grain = rng.normal(0, 1, (size, size, 1 if rng.random() < 0.5 else 3)).astype(np.float32)
        if kind:
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.6, 2.5)).reshape(size, size, -1)
        grain = 128 + rng.uniform(20, 70) * grain / grain.std()
        return np.clip(np.broadcast_to(grain, (size, size, 3)), 0, 255).astype(np.uint8)
    page = np.full((size, size), 255, np.uint8)
    if kind == 2:
        page[rng.random(page.shape) < rng.uniform(0.01, 0.25)] = 0
        return page
    for _ in range(int(rng.integers(80, 400))):
        start = rng.uniform(0, size, 2)
        end = start + rng.normal(0, 0.03 * size, 2)
        cv2.line(page, np.int32(start).tolist(), np.int32(end).tolist(), 0, 2, cv2.LINE_AA)
    return page


def text(rng: np.random.Generator) -> np.ndarray:
    """A page of text of this project, in print or in a hand of lines."""
    words = (Path(__file__).parents[2] / "README.md").read_text().replace("#", "").replace("`", "").split()
    high, wide, size = 1000, int(rng.integers(650, 1200)), int(rng.integers(16, 64))
    page = Image.new("L", (wide, high), 255)
    pixels, drawing = np.full((high, wide), 255, np.uint8), ImageDraw.Draw(page)
    left, y, at = int(rng.integers(30, 90)), int(rng.integers(30, 90)), int(rng.integers(len(words)))
    font, stroked = ImageFont.load_default(size), rng.random() < 0.5
    face_of = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX]))
    width = (lambda words: cv2.getTextSize(words, face_of, size / 30, 1)[0][0]) if stroked else font.getlength
    bottom = high - rng.uniform(0, 0.5) * high
    while y + size < bottom:
        row = words[at % len(words)]
        while width(f"{row} {words[(at + 1) % len(words)]}") < wide - 2 * left:
            at += 1
            row += f" {words[at % len(words)]}"
        at += 1
        ascii_row = row.encode("ascii", "ignore").decode()
        if stroked:
            cv2.putText(pixels, ascii_row, (left, y + size), face_of, size / 30, 0, max(size // 22, 1), cv2.LINE_AA)
        else:
            drawing.text((left, y), ascii_row, font=font, fill=0)
        y += int(size * 1.5)
    return pixels if stroked else np.asarray(page)


def room(rng: np.random.Generator) -> np.ndarray:
    """A photo of a room, a wall or a floor with nothing in it."""
    camera = random_viewpoint(rng, PHOTO_PX, 0.4)
    low, high = np.full(3, -0.5, np.float32), np.full(3, 0.5, np.float32)
    empty = random_room(low, high, None, camera, rng, 3, False)
    empty.near = None
    directions = camera.rays()[1]
    position, pixels = camera.position.astype(np.float32), np.arange(PHOTO_PX**2)
    point, normal, colour, solid = empty.cast(position, directions, pixels)
    speck = trimesh.creation.box((1e-3, 1e-3, 1e-3))
    speck.apply_translation((0, 0, -5))
    at = np.flatnonzero(solid)
    if len(at):
        lights = Lights(camera, rng)
        colour[at] = lights.shade(RayCaster(speck), pixels[at], point[at], normal[at], directions[at], colour[at])
    return develop(colour.reshape(PHOTO_PX, PHOTO_PX, 3).astype(np.float32), rng, False)


def texture(rng: np.random.Generator) -> np.ndarray:
    """A surface from near: wood, cloth, tiles, marble and the like."""
    across = (np.arange(PHOTO_PX, dtype=np.float32) / PHOTO_PX) * rng.uniform(0.3, 1.5)
    uv = np.stack(np.meshgrid(across, across), axis=2).reshape(-1, 2)
    colour = random_material(rng, 3, plain=0.0).colour(uv, float(across[1]))
    return develop(colour.reshape(PHOTO_PX, PHOTO_PX, 3).astype(np.float32), rng, False)


UNKNOWN = {"doodle": (doodle, 45), "face": (face, 25), "noise": (noise, 30), "text": (text, 25), "room": (room, 40),
           "texture": (texture, 35)}
"""How each kind is made, and how many of them there are."""
