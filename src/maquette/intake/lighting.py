"""A page's light and its lead: how bright the bare paper is under each pixel, and how dark what is drawn on it."""

from dataclasses import dataclass

import cv2
import numpy as np

from maquette.intake.line_art import disc, resize, rim_pixels, to_grey

LIGHT_SIDE_PX = 320
"""Longest side on which the light is estimated."""
WIDEST = 0.10
"""What is wider than this share of the page's longer side may be a shadow; what is not is drawn."""
DIMMEST = 0.35
"""Of the brightest paper: darker than this no shadow makes it, so that large black areas stay drawn."""
_EVEN = 6  # levels: a rim that varies less has one colour, and so has the paper


def paper_light(page: np.ndarray) -> np.ndarray:
    """Brightness of the bare paper under each pixel of a page, uint8 [H, W, 3]: float32 [H, W, 3], 1 to 255.

    A closing with a disc wider than anything drawn leaves the paper; straight edges of shadows come through it as they
    are, and a median keeps them. A page whose rim has one bright colour is taken to be of that colour all over.
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


def even_out(page: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """The page under even white light: uint8 [H, W, 3]."""
    return np.clip(page / paper * 255 + 0.5, 0, 255).astype(np.uint8)


def darkness(page: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """How much darker than the bare paper a page is, float32 [H, W], at most 1; below 0 where it is brighter."""
    return 1 - to_grey(page / paper)


@dataclass(frozen=True, eq=False)
class Ink:
    """What is drawn on a page.

    Attributes:
        ink: Float32 [H, W], 0 is paper and 1 is lead.
        box: (left, top, right, bottom) of it in pixels.
        grain: Deviation of the bare paper's darkness.
    """

    ink: np.ndarray
    box: tuple[int, int, int, int]
    grain: float


def grain_of(dark: np.ndarray) -> float:
    """Deviation of the bare paper's darkness [H, W], by its median so that what is drawn hardly counts."""
    return 1.4826 * float(np.median(np.abs(dark - np.median(dark)))) + 1e-4


def separate(dark: np.ndarray, rim: float = 0.0) -> Ink | None:
    """Pencil apart from paper, by darkness [H, W]: faint pixels count only where they hang on to clear ones.

    Args:
        rim: Share of the longer side along the page's edge that is taken for paper. None for a page with nothing on it.
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
