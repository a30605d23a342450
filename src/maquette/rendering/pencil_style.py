"""Pencil and ink drawings of a shape, as if a person had made them and scanned or photographed the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.rendering.camera import Camera
from maquette.rendering.effects import jpeg_round_trip, noise_window
from maquette.rendering.framing import hull_corners, page_frame
from maquette.rendering.raycaster import RayCaster
from maquette.rendering.sketch_lines import FeatureLines
from maquette.rendering.textures import noise

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Int32, UInt8

BOARDS = 0.06
"""Share of the drawings that are chalk on a board, or a bright pen on a dark screen."""
FINE = 3
"""Strokes are drawn this many times as large as the picture, and averaged down."""


@dataclass(frozen=True)
class PencilStyle:
    """How somebody draws. Lengths are shares of the picture's side."""

    width: float
    """Of the lines."""
    darkness: float
    """Of the lines, 0 to 1."""
    variety: float
    """How much width and darkness vary, 0 to 1."""
    wobble: float
    """Length by which lines waver."""
    overshoot: float
    """Length by which lines go past their ends."""
    doubled: float
    """Chance that a line is drawn twice, 0 to 1."""
    broken: float
    """Chance that a line has a gap, 0 to 1."""
    straighten: float
    """Chance that a nearly straight line is drawn straight, 0 to 1."""
    missing: float
    """Chance that a line is left out, 0 to 1."""
    grain: float
    """How much of the paper's grain shows through, 0 to 1."""
    hatching: float
    """Darkness of hatching, 0 to 1; 0 for none."""
    shading: float
    """Darkness of soft shading, 0 to 1; 0 for none. Used without hatching only."""
    misplaced: float = 0.0
    """Length by which each end of a line misses its place: corners stay open, proportions are a little wrong."""
    bent: float = 0.0
    """Length by which the whole drawing is bent, since people do not keep the perspective."""


def random_pen(rng: np.random.Generator) -> PencilStyle:
    """The random style of a thin, even pen."""
    loose = rng.uniform(0, 1) ** 2
    return PencilStyle(rng.uniform(0.003, 0.013), 1.0, 0.05, rng.uniform(0, 0.004), rng.choice([0, 0.008]), 0.0,
                rng.choice([0, 0.06]), rng.uniform(0.3, 1), rng.choice([0, 0.03]), 0.0, 0.0, 0.0,
                misplaced=0.012 * loose, bent=0.03 * loose * rng.random())


def random_marker(rng: np.random.Generator) -> PencilStyle:
    """The random style of a felt pen or a brush on a tablet: thick and dark."""
    loose = rng.uniform(0, 1) ** 1.5
    return PencilStyle(rng.uniform(0.013, 0.032 if rng.random() < 0.8 else 0.05), rng.uniform(0.85, 1), 0.1,
                rng.uniform(0.001, 0.008), rng.choice([0, 0.015]), rng.choice([0, 0.1]), 0.05, rng.uniform(0.3, 1),
                0.02, 0.0, 0.0, 0.0, misplaced=0.015 * loose, bent=0.035 * loose * rng.random())


def random_pencil(rng: np.random.Generator) -> PencilStyle:
    """The random style of a pencil: soft or hard, from careful to very sketchy."""
    loose = rng.uniform(0, 1) ** 1.5
    return PencilStyle(
        width=rng.uniform(0.006, 0.018), darkness=rng.uniform(0.45, 1.0), variety=rng.uniform(0.1, 0.5),
        wobble=0.001 + 0.009 * loose * rng.uniform(0.4, 1), overshoot=rng.uniform(0, 0.05) * (0.3 + loose),
        doubled=rng.uniform(0, 0.3) + 0.5 * loose * rng.random(), broken=rng.uniform(0, 0.25),
        straighten=rng.uniform(0.2, 1), missing=rng.uniform(0, 0.05), grain=rng.uniform(0, 0.55),
        hatching=rng.uniform(0.3, 0.9) if rng.random() < 0.18 else 0.0,
        shading=rng.uniform(0.1, 0.5) if rng.random() < 0.15 else 0.0,
        misplaced=0.02 * loose * rng.random(), bent=0.05 * loose * rng.random(),
    )


class PencilScene:
    """All that the drawings of one shape share."""

    def __init__(self, caster: RayCaster):
        self.caster = caster
        self.lines = FeatureLines(caster)
        self.corners = hull_corners(caster)


def render_pencil(
    scene: PencilScene, rng: np.random.Generator, size_px: int, channels: int
) -> tuple[UInt8[np.ndarray, "s s"] | UInt8[np.ndarray, "s s 3"], Camera]:
    """One random drawing, most of them dark on bright, and its camera.

    Args:
        scene: The shape.
        rng: Source of the randomness.
        size_px: Width and height.
        channels: 1 for grey, 3 for RGB.
    """
    camera = page_frame(scene.corners, rng, size_px).camera
    kind = rng.random()
    style = random_pencil(rng) if kind < 0.6 else random_pen(rng) if kind < 0.85 else random_marker(rng)
    strokes = scene.lines.strokes(camera)
    drawn: np.ndarray = draw_strokes(strokes, style, rng, size_px)
    if style.hatching or style.shading:
        drawn = np.maximum(drawn, _render_tones(scene.caster, camera, style, rng, size_px))
    if style.grain:
        drawn = drawn * (1 - style.grain * (0.5 + 0.35 * noise_window(rng, size_px, 1)[..., 0]).clip(0, 1))
    plain = kind >= 0.6 and rng.random() < 0.6
    image: np.ndarray
    image = np.full((size_px, size_px, channels), 1.0, np.float32) if plain else _blank_page(rng, size_px, channels)
    tint = np.ones(channels, np.float32)
    if channels == 3 and not plain:
        tint = rng.uniform(0.75, 1, 3).astype(np.float32)
    image = image * (1 - drawn[..., None] * tint)
    if not plain:
        image = _scan_effects(image, rng)
    if rng.random() < BOARDS:
        image = _on_board(image, rng)
    image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if not plain and rng.random() < 0.3:
        image = jpeg_round_trip(image, int(rng.uniform(30, 95)))
    return (image.reshape(size_px, size_px) if channels == 1 else image), camera


def draw_strokes(
    strokes: list[Float[np.ndarray, "_ 2"]], style: PencilStyle, rng: np.random.Generator, size_px: int
) -> Float32[np.ndarray, "{size_px} {size_px}"]:
    """Polylines drawn by hand: 0 is paper and 1 is ink.

    Args:
        strokes: Points (column, row), in pixels.
        style: How they are drawn.
        rng: Source of the randomness.
        size_px: Width and height of the picture.
    """
    canvas = np.zeros((FINE * size_px, FINE * size_px), np.uint8)
    grow, phase = rng.uniform(0.8, 1.2), rng.uniform(0, 2 * np.pi, (len(strokes) * 3 + 8, 4))
    page = _page_tilt(rng, size_px, 0.02)
    strokes = _bent(strokes, style.bent * size_px, rng, size_px)
    number = 0
    for stroke in strokes:
        length = _length(stroke)
        if length < 0.012 * size_px or rng.random() < style.missing:
            continue
        passes = 1 + (rng.random() < style.doubled) + (rng.random() < 0.3 * style.doubled)
        for again in range(passes):
            line = _by_hand(stroke, length, style, rng, size_px, again, phase[number % len(phase)])
            if style.misplaced:
                ends = rng.normal(0, style.misplaced * size_px, (2, 2))
                line = line + np.linspace(ends[0], ends[1], len(line))
            number += 1
            pieces = [line]
            if rng.random() < style.broken and len(line) > 6:
                cut = int(rng.integers(2, len(line) - 3))
                pieces = [line[:cut], line[cut + 1 + (len(line) > 20) :]]
            dark = style.darkness * (1 - style.variety * rng.random()) * (0.75 if again else 1)
            for piece in pieces:
                if len(piece) < 2:
                    continue
                width = style.width * grow * (1 + style.variety * rng.normal(0, 0.4)) * FINE * size_px
                whole = ((piece @ page[:, :2].T + page[:, 2]) * (16 * FINE)).astype(np.int32)
                if style.variety > 0.2 and len(whole) > 8:  # pressed harder in one half
                    middle = len(whole) // 2
                    _line(canvas, whole[: middle + 1], dark * rng.uniform(0.7, 1), width * rng.uniform(0.7, 1))
                    _line(canvas, whole[middle:], dark, width)
                else:
                    _line(canvas, whole, dark, width)
    small = cv2.resize(canvas, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def _bent(
    strokes: list[Float[np.ndarray, "_ 2"]], reach: float, rng: np.random.Generator, size: int
) -> list[Float[np.ndarray, "_ 2"]]:
    """The strokes moved by two slow waves over the page, up to about `reach` pixels."""
    if not reach:
        return strokes
    along, phase = rng.normal(0, 2.5 / size, (2, 2, 2)), rng.uniform(0, 2 * np.pi, (2, 2))
    towards = rng.normal(0, reach / 1.5, (2, 2))

    def moved(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        shift = sum(np.sin(points @ along[wave] + phase[wave]) * towards[wave] for wave in range(2))
        return points + shift

    dense = [_denser(stroke, 0.05 * size) for stroke in strokes]
    return [moved(stroke) for stroke in dense]


def _denser(line: Float[np.ndarray, "n 2"], step: float) -> Float[np.ndarray, "m 2"]:
    """A line with a point at least every so many pixels, so that it can be bent."""
    gaps = np.hypot(*np.diff(line, axis=0).T)
    if len(line) < 2 or gaps.max() <= step:
        return line
    parts = [np.linspace(a, b, max(int(np.ceil(gap / step)), 1), endpoint=False)
             for a, b, gap in zip(line[:-1], line[1:], gaps, strict=True)]
    return np.concatenate([*parts, line[-1:]])


def _line(canvas: UInt8[np.ndarray, "s s"], points: Int32[np.ndarray, "n 2"], dark: float, width: float) -> None:
    """Draws a polyline, given in sixteenths of a pixel."""
    tone, thick = int(255 * min(max(dark, 0.15), 1)), max(int(round(width)), 1)
    cv2.polylines(canvas, [points], False, tone, thick, cv2.LINE_AA, 4)


def _length(line: Float[np.ndarray, "n 2"]) -> float:
    step = np.diff(line, axis=0)
    return float(np.sqrt((step * step).sum(1)).sum())


def _by_hand(
    stroke: Float[np.ndarray, "n 2"], length: float, style: PencilStyle, rng: np.random.Generator, size: int,
    again: int, phase: Float[np.ndarray, " 4"],
) -> Float[np.ndarray, "m 2"]:
    """One pass of the hand along a stroke: resampled, shifted, past its ends, and wavering.

    Args:
        stroke: The line that is meant, in pixels.
        length: Its length, in pixels.
        style: How somebody draws.
        rng: Source of the randomness.
        size: Side of the picture, in pixels.
        again: The number of passes before this one.
        phase: Of the waves that the line makes, in radians.
    """
    count = max(int(length / (0.025 * size)), 1) + 1
    chord = stroke[-1] - stroke[0]
    direct = float(np.hypot(*chord))
    share = np.linspace(0, 1, count)
    if direct > 0.985 * length and (len(stroke) == 2 or rng.random() < style.straighten):
        line = stroke[0] + share[:, None] * chord
    else:
        step = np.diff(stroke, axis=0)
        along = np.concatenate([[0], np.cumsum(np.sqrt((step * step).sum(1)))])
        at = share * along[-1]
        line = np.stack([np.interp(at, along, stroke[:, 0]), np.interp(at, along, stroke[:, 1])], axis=1)
    if style.overshoot and count > 1 and direct > 0.04 * size:
        reach = rng.normal(0.3, 0.6, 2) * style.overshoot * size
        first, last = line[0] - line[1], line[-1] - line[-2]
        line[0] += reach[0] * first / (np.hypot(*first) + 1e-6)
        line[-1] += reach[1] * last / (np.hypot(*last) + 1e-6)
    amount = style.wobble * size
    waver = 2 * np.pi * share[:, None] * length / size
    line = line + amount * 0.6 * (np.sin(waver * 2.2 + phase[:2]) + 0.5 * np.sin(waver * 5.1 + phase[2:]))
    if again or amount:
        line = line + rng.normal(0, (0.5 + 1.0 * bool(again)) * amount + 0.004 * size * bool(again), 2)
    return line


def _page_tilt(rng: np.random.Generator, size: int, most: float) -> Float[np.ndarray, "2 3"]:
    """An affine map near the identity, since a page is never quite square to the lens."""
    middle = size / 2
    turn = np.eye(2) + rng.normal(0, most / 2, (2, 2))
    return np.concatenate([turn, (middle - turn @ [middle, middle])[:, None]], axis=1)


def _render_tones(
    caster: RayCaster, camera: Camera, style: PencilStyle, rng: np.random.Generator, size: int
) -> Float[np.ndarray, "{size} {size}"]:
    """Hatching or soft shading of the sides that face away from a random light; 0 is paper and 1 is ink."""
    seen = caster.cast(replace(camera, size_px=max(size // 2, 8)))
    light = camera.axes.T @ np.array([rng.choice([-0.7, 0.7]), -0.7, -0.5])
    dark = np.where(seen.mask, 0.75 - 0.75 * (seen.normal @ light.astype(np.float32)), 0)
    dark = cv2.resize(dark.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    if not style.hatching:
        return style.shading * dark
    canvas = np.zeros((size * 2, size * 2), np.uint8)
    angle, gap = rng.uniform(0, np.pi), rng.uniform(0.02, 0.045) * size * 2
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    for shift in np.arange(-1.5 * size, 1.5 * size, gap):
        middle = size + (shift + rng.normal(0, 0.1 * gap)) * across
        ends = np.array([(middle - 1.5 * size * along) * 16, (middle + 1.5 * size * along) * 16]).astype(np.int32)
        cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), int(rng.uniform(150, 255)), 2, cv2.LINE_AA, 4)
    lines = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return style.hatching * lines * np.clip((dark - rng.uniform(0.35, 0.6)) * 6, 0, 1)


@lru_cache(maxsize=1)
def _shadows() -> list[Float32[np.ndarray, "_ _"]]:
    """Clouds that serve as shadows over pages, the same in every process."""
    return [noise(np.random.default_rng([9, number]), 1.6) for number in range(4)]


def _blank_page(
    rng: np.random.Generator, size: int, channels: int
) -> Float32[np.ndarray, "{size} {size} {channels}"]:
    """A random empty page, as scanned or photographed."""
    page = np.full((size, size, channels), rng.uniform(0.8, 1.0), np.float32)
    if channels == 3:
        page *= np.array([1, rng.uniform(0.95, 1), rng.uniform(0.85, 1)], np.float32)
    if rng.random() < 0.7:
        page += noise_window(rng, size, channels) * np.float32(rng.uniform(0.003, 0.03))
    if rng.random() < 0.08:  # ruled or squared
        gap, first = int(size * rng.uniform(0.05, 0.12)) + 2, int(rng.integers(0, 8))
        faint = np.float32(rng.uniform(0.75, 0.92))
        page[first::gap] *= faint
        if rng.random() < 0.6:
            page[:, first::gap] *= faint
    if rng.random() < 0.4:  # uneven light, and a shadow over the page
        ramp = np.linspace(-1, 1, size, dtype=np.float32)
        slope = rng.normal(0, 0.12, 2)
        page *= (1 + slope[0] * ramp[:, None] + slope[1] * ramp[None, :])[..., None]
        if rng.random() < 0.6:
            cloud = np.roll(_shadows()[int(rng.integers(4))], tuple(rng.integers(0, 128, 2)), (0, 1))
            cloud = cv2.resize(cloud, (size, size), interpolation=cv2.INTER_LINEAR)
            page *= (1 - rng.uniform(0.03, 0.25) * cloud)[..., None]
    return page


def _on_board(image: Float[np.ndarray, "s s c"], rng: np.random.Generator) -> Float[np.ndarray, "s s c"]:
    """The drawing as bright lines on a dark board of a random colour."""
    board = rng.uniform(0.0, 0.3) * np.array([1, 1, 1]) if rng.random() < 0.6 else rng.uniform(0.02, 0.32, 3)
    board = board.astype(np.float32) if image.shape[2] == 3 else board.mean(keepdims=True).astype(np.float32)
    return board + (1 - image.clip(0, 1)) * (1 - board)


def _scan_effects(image: Float[np.ndarray, "s s c"], rng: np.random.Generator) -> Float[np.ndarray, "s s c"]:
    """The picture with random blur, contrast and a little noise."""
    shape = image.shape
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.8) * shape[0] / 128).reshape(shape)
    if rng.random() < 0.5:
        image = (image - 0.5) * rng.uniform(0.8, 1.3) + 0.5 + rng.uniform(-0.05, 0.1)
    if rng.random() < 0.4:
        image = image + noise_window(rng, shape[0], shape[2]) * np.float32(rng.uniform(0.003, 0.025))
    return image
