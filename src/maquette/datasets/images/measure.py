"""The statistics of one picture: numbers by which pictures are compared, and what is odd about the picture alone.

Every measure is simple enough to be checked by eye, and says what it cannot see.
"""

import hashlib
import io
import math
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from maquette.extras import require

Pixels: TypeAlias = UInt8[np.ndarray, "_height _width"] | UInt8[np.ndarray, "_height _width 3"]
"""A picture, grey or RGB, 0 to 255."""
Grey: TypeAlias = UInt8[np.ndarray, "_height _width"]
"""A grey picture, 0 to 255."""
PixelBox: TypeAlias = tuple[int, int, int, int]
"""x, y, width and height of a part of a picture, in pixels from its top left corner."""

WORK_SIDE_PX = 1024
"""Pictures are averaged down to this longest side before most measures."""
HASH_SIDE = 16
"""Frequencies along each side of a perceptual hash, which has 16 x 16 = 256 bits."""
THUMB_SIDE = 64
"""Pixels a side of the small copy by which pictures are compared."""
BLACK, WHITE = 12, 243
"""Grey levels of a border: at most BLACK or at least WHITE, that is pure tones, give or take what JPEG does to them."""
BORDER_SHARE = 0.97
"""A line belongs to a border if at least this share of its pixels is of the border's tone."""
COLOUR_STEP = 16
"""A pixel is in colour if its channels differ by more levels than this."""
COLOUR_SHARE = 0.005
"""A picture is in colour if more than this share of its pixels is."""
MARKER_BAND = 0.15
"""Single markers are looked for this near to an edge only, as a share of the side: that is where they are put."""
MARKER_STEP = 110
"""Grey levels by which a marker stands out from its surroundings."""


@dataclass(frozen=True)
class ImageStatistics:
    """What was measured on one picture."""

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    colour: bool
    """Whether more than COLOUR_SHARE of its pixels are in colour; a grey picture stored as RGB is not."""
    mean: float
    """Mean grey level inside the border, 0 to 255."""
    low: float
    """The 1st percentile of the grey levels inside the border."""
    high: float
    """The 99th percentile of the grey levels inside the border."""
    bright: float
    """Share of the pixels inside the border with a grey level of 250 or more."""
    median: float
    """Median grey level inside the border."""
    ring: float
    """Median of the outer twentieth on every side, border included: the background of a radiograph of one object."""
    border: tuple[int, int, int, int]
    """Lines of pure black or white at the left, top, right and bottom, in pixels."""
    markers: tuple[PixelBox, ...]
    """Boxes of what looks like burnt-in letters; see `find_markers`."""
    hash: bytes = field(repr=False)
    """256 bits, see `perceptual_hash`."""
    thumb: UInt8[np.ndarray, "64 64"] = field(repr=False)
    """The whole picture, grey, squeezed to a square."""
    inner: UInt8[np.ndarray, "64 64"] = field(repr=False)
    """The part inside the border, grey, squeezed to a square."""
    jpeg: bytes = field(repr=False)
    """A thumbnail for the report, JPEG."""
    digest: bytes = field(repr=False)
    """SHA-256 of the size and the pixels."""
    declared: bool = False
    """Whether the DICOM file itself says that text is burnt into its pixels."""

    @property
    def bordered(self) -> bool:
        """Whether a border is wide enough to be worth naming: two lines and 0.8 % of the side."""
        sides = (self.width, self.height) * 2
        return any(lines >= max(2, 0.008 * side) for lines, side in zip(self.border, sides, strict=True))

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it: 98 % of its pixels within 8 levels."""
        return self.high - self.low < 8


def measure(pixels: Pixels, *, declared: bool = False, thumbnail_px: int = 200) -> ImageStatistics:
    """Measures a picture.

    Args:
        pixels: The picture.
        declared: Whether its file says that text is burnt into it.
        thumbnail_px: Longest side of the report's thumbnail.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, WORK_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    work = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    colour = work.ndim == 3 and in_colour(work)
    grey = to_grey(work)
    left, top, right, bottom = find_border(grey)
    inside = grey[top : grey.shape[0] - bottom, left : grey.shape[1] - right]
    low, median, high = np.percentile(inside, (1, 50, 99))
    back = max(height, width) / max(grey.shape)
    border = (min(math.ceil(left * back), width), min(math.ceil(top * back), height),
              min(math.ceil(right * back), width), min(math.ceil(bottom * back), height))
    markers = tuple((round(x * back), round(y * back), round(w * back), round(h * back))
                    for x, y, w, h in find_markers(grey))
    return ImageStatistics(
        width, height, colour, float(inside.mean()), float(low), float(high), float((inside >= 250).mean()),
        float(median), ring_of(grey), border, markers, perceptual_hash(grey), _square(grey), _square(inside),
        _jpeg(work, thumbnail_px), hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest(), declared,
    )


def to_grey(pixels: Pixels) -> Grey:
    """The luminance of a picture (ITU-R BT.601); exact where the channels are equal."""
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))


def in_colour(pixels: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether a picture is in colour rather than a grey one stored as RGB."""
    step = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return bool((step > COLOUR_STEP).mean() > COLOUR_SHARE)


def find_border(grey: Grey) -> tuple[int, int, int, int]:
    """How many lines at the left, top, right and bottom are almost all black or almost all white.

    A picture that is so throughout has no border. A radiograph that shows nothing but air at a side counts as bordered:
    what a crop takes away then is as empty as a border.
    """
    rows = np.maximum((grey <= BLACK).mean(1), (grey >= WHITE).mean(1)) >= BORDER_SHARE
    top, bottom = _leading(rows), _leading(rows[::-1])
    if top == len(rows):
        return 0, 0, 0, 0
    within = grey[top : len(rows) - bottom]
    columns = np.maximum((within <= BLACK).mean(0), (within >= WHITE).mean(0)) >= BORDER_SHARE
    left, right = _leading(columns), _leading(columns[::-1])
    return (left, top, right, bottom) if left < len(columns) else (0, 0, 0, 0)


def _leading(lines: Bool[np.ndarray, " n"]) -> int:
    """How many values at the start are true."""
    return int(np.argmin(lines)) if not lines.all() else len(lines)


def ring_of(grey: Grey) -> float:
    """The median grey level of the outer twentieth on every side."""
    height, width = grey.shape
    across, down = max(1, width // 20), max(1, height // 20)
    edges = (grey[:down], grey[-down:], grey[:, :across], grey[:, -across:])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges])))


def find_markers(grey: Grey) -> list[PixelBox]:
    """Boxes of what looks like letters or signs burnt into a picture, light on dark or dark on light.

    A marker is a connected stroke that is

    - thin: a top-hat of 2.5 % of the shorter side keeps it whole;
    - MARKER_STEP levels lighter or darker than its surroundings;
    - of one tone: four fifths of its pixels within 10 % of it;
    - 1.5 to 12 % of the shorter side high;
    - within MARKER_BAND of an edge, or in a row of three or more of one height, like the letters of a word.

    Not found are faint or transparent letters, one or two in the middle, and letters that touch a white frame or each
    other. Ear-rings, pins and other metal near an edge are taken for markers.
    """
    short = min(grey.shape)
    if short < 64:
        return []
    size = max(5, round(0.025 * short)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    boxes: list[PixelBox] = []
    for tone in (grey, 255 - grey):
        raised = cv2.morphologyEx(tone, cv2.MORPH_TOPHAT, kernel)
        strokes = ((raised > MARKER_STEP) & (tone > 180)).astype(np.uint8)
        letters: list[PixelBox] = []
        count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
        for number in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[number])
            if not (0.015 * short <= height <= 0.12 * short and 3 <= width <= 3 * height and height <= 6 * width):
                continue
            values = tone[y : y + height, x : x + width][labels[y : y + height, x : x + width] == number]
            even = (values >= 0.9 * np.percentile(values, 90)).mean()
            if even >= 0.5:  # the rims of small letters are smoothed
                letters.append((x, y, width, height))
            near = _near_an_edge(x + width / 2, y + height / 2, grey.shape)
            if near and area <= 0.85 * width * height and even >= 0.8 - 2.0 / max(width, 10):
                boxes.append((x, y, width, height))
        boxes += _words(letters)
    return [box for box in boxes if not any(_inside(box, other) for other in boxes if other != box)]


def _words(letters: list[PixelBox]) -> list[PixelBox]:
    """Boxes around rows of three letters or more: heights within a fifth, on one line, gaps of at most a height."""
    rows: list[list[PixelBox]] = []
    for letter in sorted(letters):
        for row in rows:
            x, y, width, height = row[-1]
            gap, unit = letter[0] - x - width, max(height, letter[3])
            if abs(height - letter[3]) <= 0.2 * unit and abs(y - letter[1]) <= 0.2 * unit and -1 <= gap <= unit:
                row.append(letter)
                break
        else:
            rows.append([letter])
    words: list[PixelBox] = []
    for row in rows:
        if len(row) >= 3:
            left, top = row[0][0], min(y for _, y, _, _ in row)
            right, bottom = row[-1][0] + row[-1][2], max(y + height for _, y, _, height in row)
            words.append((left, top, right - left, bottom - top))
    return words


def _inside(box: PixelBox, other: PixelBox) -> bool:
    """Whether a box lies in another, as the hole of a letter does in the letter."""
    (x, y, width, height), (left, top, across, down) = box, other
    return left <= x and top <= y and x + width <= left + across and y + height <= top + down


def _near_an_edge(x: float, y: float, shape: tuple[int, int]) -> bool:
    height, width = shape
    return min(x, width - x) < MARKER_BAND * width or min(y, height - y) < MARKER_BAND * height


def perceptual_hash(grey: Grey) -> bytes:
    """256 bits: which of the 16 x 16 lowest frequencies of the picture, scaled to 64 x 64, lie above their median.

    The constant term is left out of the median. Scaling, recompression, brightness and contrast change few bits. This
    is the usual DCT hash with more bits (Zauner 2010, "Implementation and benchmarking of perceptual image hash
    functions").
    """
    low = require("scipy.fft", "train").dctn(_square(grey).astype(np.float32))[:HASH_SIDE, :HASH_SIDE].ravel()
    return np.packbits(low > np.median(low[1:])).tobytes()


def _square(grey: Grey) -> UInt8[np.ndarray, "64 64"]:
    return cv2.resize(grey, (THUMB_SIDE, THUMB_SIDE), interpolation=cv2.INTER_AREA)


def _jpeg(pixels: Pixels, side: int) -> bytes:
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
