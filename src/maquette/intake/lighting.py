"""The light on a page and the lead: how bright the bare paper is at each pixel, and how dark the drawing on it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maquette.intake.line_art import disc, resize, rim_pixels, to_grey

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, UInt8

LIGHT_SIDE_PX = 320
"""The longest side of the small copy on which the light is estimated."""
WIDEST = 0.10
"""Dark areas wider than this share of the page's longer side may be shadows; narrower ones are drawn."""
DIMMEST = 0.35
"""No shadow makes paper darker than this share of the brightest paper; so large black areas stay drawn."""
_EVEN = 6  # grey levels: if the rim varies less it has one colour, and so has the paper


def paper_light(page: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The brightness of the bare paper at each pixel of a page, 1 to 255.

    A morphological closing with a disc wider than anything drawn leaves the paper. Straight edges of shadows are not
    changed by it, and a median filter keeps them. A page whose rim has one bright colour is taken to have that colour
    all over.
    """
    height, width = page.shape[:2]
    rim = rim_pixels(page, max(1, round(0.015 * max(height, width)))).astype(np.float32)
    low, high = np.percentile(rim, (2, 98), axis=0)
    if (high - low).max() <= _EVEN and np.median(rim) > 150:
        return np.broadcast_to(np.median(rim, axis=0).astype(np.float32), page.shape)
    scale = min(1.0, LIGHT_SIDE_PX / max(height, width))
    small = resize(page, max(2, round(width * scale)), max(2, round(height * scale)))
    side = max(small.shape[:2])
    small = cv2.medianBlur(np.ascontiguousarray(small), 3)
    pad = round(WIDEST * side) | 1
    small = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, disc(pad))
    paper = cv2.medianBlur(paper, max(3, round(0.02 * side) | 1)).astype(np.float32)
    paper = cv2.GaussianBlur(paper, (0, 0), max(0.5, 0.004 * side))[pad:-pad, pad:-pad]
    paper = np.maximum(paper, DIMMEST * np.percentile(paper, 98, axis=(0, 1)))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    share = page / np.maximum(paper, 1)  # the closing follows the brightest grain: bring the paper back to its middle
    bare = share[share.min(axis=2) > 0.8]
    middle = np.median(bare, axis=0) if len(bare) else 1.0
    return np.maximum(paper * middle, 1).astype(np.float32)


def even_out(page: UInt8[np.ndarray, "h w 3"], paper: Float32[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """The page as even white light would show it; `paper` is the brightness of the bare paper, see `paper_light`."""
    return np.clip(page / paper * 255 + 0.5, 0, 255).astype(np.uint8)


def darkness(page: UInt8[np.ndarray, "h w 3"], paper: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w"]:
    """How much darker than the bare paper each pixel is: 0 like the paper, 1 black, below 0 where it is brighter."""
    return 1 - to_grey(page / paper)


@dataclass(frozen=True, eq=False)
class Ink:
    """What is drawn on a page.

    Attributes:
        ink: 0 is paper and 1 is lead.
        box: (left, top, right, bottom) of the drawing, in pixels.
        grain: The standard deviation of the darkness of the bare paper.
    """

    ink: Float32[np.ndarray, "h w"]
    box: tuple[int, int, int, int]
    grain: float


def grain_of(dark: Float[np.ndarray, "h w"]) -> float:
    """The standard deviation of the darkness of the bare paper, by medians, so that the drawing hardly counts."""
    return 1.4826 * float(np.median(np.abs(dark - np.median(dark)))) + 1e-4


def separate(dark: Float[np.ndarray, "h w"], rim: float = 0.0) -> Ink | None:
    """Separates the drawing from the paper: faint pixels count only if they are connected to clearly dark ones.

    Args:
        dark: The darkness of the page, see `darkness`.
        rim: The width of the edge of the page that is taken for paper, as a share of its longer side.

    Returns:
        The drawing; None if nothing is drawn.
    """
    height, width = dark.shape
    side = max(height, width)
    grain = grain_of(dark)
    calm = cv2.GaussianBlur(dark, (0, 0), max(0.3, side / 900))
    faint, clear = float(np.clip(2.5 * grain, 0.05, 0.25)), float(np.clip(5 * grain, 0.11, 0.4))
    mask = (calm > faint).astype(np.uint8)
    edge = round(rim * side)
    if edge:
        mask[:edge], mask[-edge:], mask[:, :edge], mask[:, -edge:] = 0, 0, 0, 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    strong = np.zeros(count, bool)
    strong[np.unique(labels[calm > clear])] = True
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    strong &= extent >= max(2, 0.006 * side)  # smaller ones are dust
    strong[0] = False
    drawn = strong[labels]
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) < 0.03 * side or drawn.sum() < 12:
        return None
    strength = float(np.percentile(dark[drawn], 85))
    low = min(1.5 * grain, 0.4 * faint)
    near = cv2.dilate(drawn.astype(np.uint8), disc(max(3, round(side / 300))))
    ink = np.clip((dark - low) / max(strength - low, 0.05), 0, 1) * near * max(strength, 0.85)
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Ink(ink.astype(np.float32), box, grain)
