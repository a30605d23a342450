"""Patterns and colours of surfaces in photo-like views: procedural patterns, and pictures from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.errors import UserError

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, UInt8

    Plane = Float[np.ndarray, "t t"]
    """Numbers on the texels of a tile."""

TILE = 128
"""Side of a pattern's tile in texels; it repeats."""
LEVELS = 5
"""Levels of detail of a pattern, each half the size of the one before."""
MOST_PICTURES = 200
"""Pictures that are taken from a folder."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
"""Suffixes of the pictures that are taken from a folder."""


@dataclass(frozen=True)
class Pattern:
    """A repeating tile at several levels of detail."""

    name: str
    """The maker's name, or that of the picture."""
    levels: tuple[Float32[np.ndarray, "_ _ *_"], ...]
    """Grey or RGB in [0, 1], with sides of 128, 64, 32, 16 and 8 texels."""


@dataclass(frozen=True)
class Pictures:
    """The pictures in a folder, all grey or all RGB."""

    tiles: tuple[Pattern, ...]
    """As patterns for surfaces, in linear light."""
    scenes: tuple[UInt8[np.ndarray, "_ _ *_"], ...]
    """As whole backgrounds, the shorter side at most 320 pixels."""


def noise(
    rng: np.random.Generator, beta: float = 1.0, stretch: float = 1.0, size: int = TILE
) -> Float32[np.ndarray, "{size} {size}"]:
    """A tileable cloud in [0, 1].

    Args:
        rng: Source of the randomness.
        beta: The spectrum falls as frequency to the power of -beta; larger is smoother.
        stretch: Lengthens the cloud along x.
        size: Side in texels.
    """
    fx = np.fft.fftfreq(size)[None, :] * stretch
    fy = np.fft.fftfreq(size)[:, None]
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1
    spectrum = np.fft.fft2(rng.standard_normal((size, size))) / radius**beta
    spectrum[0, 0] = 0
    field = np.fft.ifft2(spectrum).real
    low, high = np.percentile(field, [1, 99])
    return np.clip((field - low) / (high - low), 0, 1).astype(np.float32)


def _pyramid(name: str, tile: Float[np.ndarray, "t t *c"]) -> Pattern:
    levels: list[np.ndarray] = [np.ascontiguousarray(tile, dtype=np.float32)]
    for _ in range(LEVELS - 1):
        half = levels[-1].shape[0] // 2
        levels.append(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA))
    return Pattern(name, tuple(levels))


def _wood(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    bend = noise(rng, 1.6, 6)
    rings = np.sin(2 * np.pi * (int(rng.integers(3, 9)) * y + rng.uniform(0.3, 1.4) * bend))
    return 0.5 + 0.28 * rings + 0.35 * (noise(rng, 0.6, 24) - 0.5)


def _planks(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    count = int(rng.integers(2, 6))
    row = np.floor(y * count).astype(int)
    tone = rng.uniform(0.2, 0.8, count)[row]
    offset = rng.uniform(0, 1, count)[row]
    gap = (np.abs(y * count % 1 - 0.5) > 0.46) | (np.abs((x + offset) % 1 - 0.5) > 0.49)
    return np.where(gap, 0.0, tone + 0.5 * (noise(rng, 0.7, 20) - 0.5))


def _stripes(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    phase = x * int(rng.integers(2, 7)) + rng.choice([0, 0, 1]) * y
    return np.clip((np.sin(2 * np.pi * phase) - rng.uniform(-0.6, 0.6)) * 6 + 0.5, 0, 1)


def _checks(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    count = int(rng.integers(1, 5))
    a, b = (np.sin(2 * np.pi * x * count) > 0), (np.sin(2 * np.pi * y * count) > 0)
    return (a ^ b) * 1.0 if rng.random() < 0.5 else 0.5 * a + 0.5 * b


def _fabric(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    count = int(rng.integers(12, 28))
    weave = np.sin(2 * np.pi * count * x) * np.sin(2 * np.pi * count * y)
    return 0.5 + 0.25 * weave + 0.35 * (noise(rng, 0.7) - 0.5)


def _marble(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    veins = np.abs(np.sin(2 * np.pi * (x + 1.2 * noise(rng, 1.7))))
    return veins ** rng.uniform(0.3, 0.8)


def _cloud(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    return noise(rng, rng.uniform(0.9, 1.8), rng.choice([1.0, 1.0, 3.0]))


def _dots(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    count = int(rng.integers(2, 6))
    return 1.0 * (np.hypot(x * count % 1 - 0.5, y * count % 1 - 0.5) < rng.uniform(0.2, 0.4))


def _blossom(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    field = noise(rng, rng.uniform(1.0, 1.8))
    return np.clip((np.abs(field - 0.5) - rng.uniform(0.05, 0.15)) * 12 + 0.5, 0, 1)


def _tiles(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    count = int(rng.integers(1, 5))
    joint = (np.abs(x * count % 1 - 0.5) > 0.47) | (np.abs(y * count % 1 - 0.5) > 0.47)
    return np.where(joint, 0.0, 0.8 + 0.3 * (noise(rng, 1.0) - 0.5))


def _books(rng: np.random.Generator, y: Plane, x: Plane) -> Plane:
    """Rows of upright spines."""
    tile = np.zeros((TILE, TILE))
    shelves = int(rng.integers(1, 4))
    height = TILE // shelves
    for shelf in range(shelves):
        bottom, left = (shelf + 1) * height, 0
        while left < TILE:
            width = int(rng.integers(3, 10))
            top = bottom - int(height * rng.uniform(0.55, 0.92))
            tile[top:bottom, left : left + width] = rng.uniform(0.15, 1.0)
            tile[top:bottom, left] = 0.05
            left += width
    return tile


_MAKERS = (_wood, _wood, _wood, _planks, _stripes, _checks, _fabric, _fabric, _marble, _cloud, _cloud, _dots,
           _blossom, _tiles, _books, _books)


@lru_cache(maxsize=1)
def patterns() -> tuple[Pattern, ...]:
    """The procedural patterns, three variants of each maker; they are the same in every process."""
    y, x = np.mgrid[0:TILE, 0:TILE] / TILE
    made = []
    for number, maker in enumerate(_MAKERS * 3):
        tile = np.clip(maker(np.random.default_rng([77, number]), y, x), 0, 1)
        made.append(_pyramid(maker.__name__[1:], tile))
    return tuple(made)


@lru_cache(maxsize=4)
def load_pictures(folder: str, channels: int) -> Pictures:
    """The pictures in a folder and the folders in it, at most 200 in the order of their names.

    Args:
        folder: The folder.
        channels: 1 for grey, 3 for RGB.

    Raises:
        UserError: When the folder is missing or holds no picture that can be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError("the folder of background pictures is not there", folder, "leave it out, or name one that is")
    names = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)[:MOST_PICTURES]
    tiles, scenes = [], []
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    for path in names:
        image: np.ndarray | None = cv2.imread(str(path), flag)
        if image is None:
            continue
        if channels == 3:
            image = image[..., ::-1]
        height, width = image.shape[:2]
        side = min(height, width)
        square = cv2.resize(np.ascontiguousarray(image[:side, :side]), (TILE, TILE), interpolation=cv2.INTER_AREA)
        tiles.append(_pyramid(path.stem, (square / 255.0) ** 2.2))
        scale = min(1.0, 320 / side)
        scenes.append(cv2.resize(np.ascontiguousarray(image), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    if not tiles:
        raise UserError("the folder of background pictures holds none that can be read", folder)
    return Pictures(tuple(tiles), tuple(scenes))


@dataclass(frozen=True)
class Material:
    """How a surface looks: two colours that a pattern mixes, and its gloss."""

    dark: Float32[np.ndarray, " c"]
    """Where the pattern is 0, in linear light."""
    bright: Float32[np.ndarray, " c"]
    """Where the pattern is 1, in linear light."""
    pattern: Pattern | None
    """None: all of the surface is bright."""
    tiles_per_unit: float
    """Repetitions of the pattern in one unit of the frame."""
    turn: Float32[np.ndarray, "2 2"]
    """Rotation of the surface coordinates."""
    offset: Float32[np.ndarray, " 2"]
    """Shift of the pattern, in tiles."""
    gloss: float
    """Strength of the highlights, 0 for a matt surface."""
    sharpness: float
    """Exponent of the highlights (Blinn 1977)."""

    def colour(self, uv: Float[np.ndarray, "n 2"], pixel_size: float) -> Float32[np.ndarray, "n c"]:
        """Colours in linear light at points of the surface.

        Args:
            uv: Surface coordinates, in units of the frame.
            pixel_size: What a pixel of the picture covers, in units; it decides the level of detail.
        """
        if self.pattern is None:
            return np.broadcast_to(self.bright, (len(uv), len(self.bright)))
        level = int(np.clip(np.ceil(np.log2(max(pixel_size * self.tiles_per_unit * TILE, 1e-6))), 0, LEVELS - 1))
        tile = self.pattern.levels[level]
        side = tile.shape[0]
        st = (uv @ (self.turn * np.float32(self.tiles_per_unit * side)) + self.offset * side).astype(np.int32)
        st &= side - 1
        value = tile.reshape(side * side, -1)[st[:, 1] * side + st[:, 0]]
        return self.dark + value * (self.bright - self.dark)


def random_colour(rng: np.random.Generator, channels: int) -> Float32[np.ndarray, " {channels}"]:
    """A random colour in linear light, in [0, 1]; mostly white, black or brown, as in rooms."""
    kind = rng.random()
    if kind < 0.26:
        rgb = np.full(3, rng.uniform(0.6, 0.98)) * rng.uniform(0.93, 1, 3)
    elif kind < 0.46:
        rgb = np.full(3, rng.uniform(0.01, 0.10)) * rng.uniform(0.8, 1.1, 3)
    elif kind < 0.76:
        rgb = np.array([0.75, 0.50, 0.28]) ** rng.uniform(0.4, 1.9) * rng.uniform(0.35, 1.1)
    else:
        hue, saturation, value = rng.uniform(0, 6), rng.beta(1.2, 1.6), rng.uniform(0.05, 0.9)
        wheel = np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
        rgb = value * (1 - saturation + saturation * wheel)
    rgb = np.clip(rgb, 0, 1).astype(np.float32)
    return rgb if channels == 3 else rgb @ np.array([[0.2126], [0.7152], [0.0722]], np.float32)


def random_material(
    rng: np.random.Generator, channels: int, pictures: Pictures | None = None, plain: float = 0.4, only: str = ""
) -> Material:
    """A random material.

    Args:
        rng: Source of the randomness.
        channels: 1 for grey, 3 for RGB.
        pictures: Patterns besides the procedural ones.
        plain: Chance of no pattern, 0 to 1.
        only: Name of a procedural pattern; when given, no other is chosen.
    """
    bright = random_colour(rng, channels)
    pattern, dark = None, bright
    kind = rng.random()
    if only or kind >= plain:
        choices = [p for p in patterns() if not only or p.name == only]
        if pictures is not None and not only and rng.random() < 0.25:
            pattern = pictures.tiles[int(rng.integers(len(pictures.tiles)))]
            dark, bright = np.zeros_like(bright), np.full_like(bright, rng.uniform(0.6, 1.2))
        else:
            pattern = choices[int(rng.integers(len(choices)))]
            other = random_colour(rng, channels)
            strong = rng.random() < 0.2 or pattern.name in ("books", "stripes", "checks", "blossom")
            dark = other if strong else (bright * (1 - rng.uniform(0.08, 0.5))).astype(np.float32)
    angle = rng.choice([0, 0, np.pi / 2, rng.uniform(0, np.pi)])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    glossy = rng.random() < 0.3
    return Material(
        dark=dark.astype(np.float32), bright=bright.astype(np.float32), pattern=pattern,
        tiles_per_unit=float(np.exp(rng.uniform(np.log(0.8), np.log(5)))), turn=turn,
        offset=rng.uniform(0, 1, 2).astype(np.float32), gloss=rng.uniform(0.1, 0.6) if glossy else 0.0,
        sharpness=rng.uniform(8, 80),
    )
