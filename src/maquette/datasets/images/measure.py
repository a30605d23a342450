"""Looking at one picture of a dataset: numbers by which pictures are compared, and what is odd about it alone.

Every measure is a plain one that a reader can check by eye; each says what it cannot see.
"""

import hashlib
import io
import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image
from scipy import fft

WORK_SIDE_PX = 1024
"""Pictures are averaged down to this longest side before most measures."""
HASH_SIDE = 16
"""A hash has so many bits squared: 256."""
THUMB_SIDE = 64
"""Pixels a side of the small copy by which pictures are compared."""
BLACK, WHITE = 12, 243
"""A pixel at or below BLACK, or at or above WHITE, may belong to a border: pure tones, less what JPEG does to them."""
BORDER_SHARE = 0.97
"""Share of a line's pixels that must be of the border's tone."""
COLOUR_STEP = 16
"""A pixel is in colour where its channels differ by more than this."""
COLOUR_SHARE = 0.005
"""A picture is in colour where more than this share of its pixels is."""
MARKER_BAND = 0.15
"""Markers are looked for where they are put: this near to an edge, as a share of the side."""
MARKER_STEP = 110
"""Levels that a marker stands out from what is around it."""


@dataclass(frozen=True)
class ImageStatistics:
    """What was measured on one picture."""

    width: int
    height: int
    colour: bool
    """More than COLOUR_SHARE of its pixels have channels that differ; a grey picture stored as RGB is not in colour."""
    mean: float
    """Of the grey levels inside the border, 0 to 255, as all that follow."""
    low: float
    high: float
    """The 1st and the 99th percentile."""
    bright: float
    """Share of pixels from 250 on."""
    median: float
    ring: float
    """Median of the outer twentieth on every side, border included: the background of a radiograph of one object."""
    border: tuple[int, int, int, int]
    """Lines of pure black or white at the left, top, right and bottom, in pixels."""
    markers: tuple[tuple[int, int, int, int], ...]
    """x, y, width, height in pixels of what looks like burnt-in letters; see `find_markers`."""
    hash: bytes = field(repr=False)
    """256 bits, see `perceptual_hash`."""
    thumb: np.ndarray = field(repr=False)
    """uint8 [64, 64], grey, the whole picture squeezed to a square."""
    inner: np.ndarray = field(repr=False)
    """uint8 [64, 64], the same of what is inside the border."""
    jpeg: bytes = field(repr=False)
    """A thumbnail for the report."""
    digest: bytes = field(repr=False)
    """SHA-256 of the size and the pixels."""
    declared: bool = False
    """The DICOM file itself says that text is burnt into its pixels."""

    @property
    def bordered(self) -> bool:
        """Whether a border is wide enough to be worth naming: two lines and 0.8 % of the side."""
        sides = (self.width, self.height) * 2
        return any(lines >= max(2, 0.008 * side) for lines, side in zip(self.border, sides, strict=True))

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it: 98 % of its pixels within 8 levels."""
        return self.high - self.low < 8


def look(pixels: np.ndarray, *, declared: bool = False, thumbnail_px: int = 200) -> ImageStatistics:
    """Measures a picture. pixels: uint8 [H, W] or [H, W, 3]; thumbnail_px: longest side of the report's thumbnail."""
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
    border = tuple(min(math.ceil(lines * back), side) for lines, side in
                   zip((left, top, right, bottom), (width, height) * 2, strict=True))
    markers = tuple(tuple(round(value * back) for value in box) for box in find_markers(grey))
    return ImageStatistics(
        width, height, colour, float(inside.mean()), float(low), float(high), float((inside >= 250).mean()),
        float(median), ring_of(grey), border, markers, perceptual_hash(grey), _square(grey), _square(inside),
        _jpeg(work, thumbnail_px), hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest(), declared,
    )


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Luminance (ITU-R 601), uint8 [H, W]; exact where the channels are equal."""
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))


def in_colour(pixels: np.ndarray) -> bool:
    """Whether uint8 [H, W, 3] is a picture in colour rather than a grey one stored as RGB."""
    step = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return bool((step > COLOUR_STEP).mean() > COLOUR_SHARE)


def find_border(grey: np.ndarray) -> tuple[int, int, int, int]:
    """Lines at the left, top, right and bottom whose pixels are all but a few black, or all but a few white.

    None of a picture that is so throughout. A radiograph that shows nothing but air at a side is taken for bordered:
    what is cut off then is as empty as a border.
    """
    rows = np.maximum((grey <= BLACK).mean(1), (grey >= WHITE).mean(1)) >= BORDER_SHARE
    top, bottom = _run(rows), _run(rows[::-1])
    if top == len(rows):
        return 0, 0, 0, 0
    within = grey[top : len(rows) - bottom]
    columns = np.maximum((within <= BLACK).mean(0), (within >= WHITE).mean(0)) >= BORDER_SHARE
    left, right = _run(columns), _run(columns[::-1])
    return (left, top, right, bottom) if left < len(columns) else (0, 0, 0, 0)


def _run(lines: np.ndarray) -> int:
    """How many lines at the start are true."""
    return int(np.argmin(lines)) if not lines.all() else len(lines)


def ring_of(grey: np.ndarray) -> float:
    """The median of the outer twentieth on every side."""
    height, width = grey.shape
    across, down = max(1, width // 20), max(1, height // 20)
    edges = (grey[:down], grey[-down:], grey[:, :across], grey[:, -across:])
    return float(np.median(np.concatenate([edge.ravel() for edge in edges])))


def find_markers(grey: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Boxes (x, y, width, height) of what looks like letters or signs burnt into uint8 [H, W].

    What is sought: connected strokes that are thin (a top-hat of 2.5 % of the shorter side keeps them whole), stand out
    from what is around them by MARKER_STEP levels, are of one tone (four fifths of their pixels within 10 % of it),
    are 1.5 to 12 % of the shorter side high, and lie within MARKER_BAND of an edge or stand in a row of three of one
    height, as letters of a word do; light on dark and dark on light.
    Not seen: faint or see-through letters, one or two in the middle, those that touch a white frame or each other.
    Taken for markers: ear-rings, pins and other metal near an edge.
    """
    short = min(grey.shape)
    if short < 64:
        return []
    size = max(5, round(0.025 * short)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    boxes: list[tuple[int, int, int, int]] = []
    for tone in (grey, 255 - grey):
        raised = cv2.morphologyEx(tone, cv2.MORPH_TOPHAT, kernel)
        strokes = ((raised > MARKER_STEP) & (tone > 180)).astype(np.uint8)
        letters = []
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


def _words(letters: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Boxes round rows of three letters or more: heights within a fifth, on one line, gaps of a height at most."""
    rows: list[list[tuple[int, int, int, int]]] = []
    for letter in sorted(letters):
        for row in rows:
            x, y, width, height = row[-1]
            gap, unit = letter[0] - x - width, max(height, letter[3])
            if abs(height - letter[3]) <= 0.2 * unit and abs(y - letter[1]) <= 0.2 * unit and -1 <= gap <= unit:
                row.append(letter)
                break
        else:
            rows.append([letter])
    words = []
    for row in rows:
        if len(row) >= 3:
            left, top = row[0][0], min(y for _, y, _, _ in row)
            right, bottom = row[-1][0] + row[-1][2], max(y + height for _, y, _, height in row)
            words.append((left, top, right - left, bottom - top))
    return words


def _inside(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether a box lies in another, as the hole of a letter in the letter."""
    (x, y, width, height), (left, top, across, down) = box, other
    return left <= x and top <= y and x + width <= left + across and y + height <= top + down


def _near_an_edge(x: float, y: float, shape: tuple[int, int]) -> bool:
    height, width = shape
    return min(x, width - x) < MARKER_BAND * width or min(y, height - y) < MARKER_BAND * height


def perceptual_hash(grey: np.ndarray) -> bytes:
    """256 bits: which of the 16x16 lowest frequencies of the picture, at 64x64, lie above their median.

    The constant term is left out of the median. Scaling, recompression, brightness and contrast change few bits.
    The usual DCT hash (Zauner, Implementation and benchmarking of perceptual image hash functions, 2010), larger.
    """
    low = fft.dctn(_square(grey).astype(np.float32))[:HASH_SIDE, :HASH_SIDE].ravel()
    return np.packbits(low > np.median(low[1:])).tobytes()


def _square(grey: np.ndarray) -> np.ndarray:
    return cv2.resize(grey, (THUMB_SIDE, THUMB_SIDE), interpolation=cv2.INTER_AREA)


def _jpeg(pixels: np.ndarray, side: int) -> bytes:
    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
