"""Drawings on paper before a phone: a page on a desk, in perspective, with shadow, uneven light, grain, blur, JPEG."""

import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "tests" / "helpers"))
from pages import corners_of, photographed  # noqa: E402

WIDE_PX, HIGH_PX = 1131, 1600
"""Of an upright A4 page before it is photographed."""
INKS = {"fine": (0.75, 0.65, 0.35), "pencil": (0.6, 0.58, 0.55), "marker": (0.9, 0.9, 0.88)}
"""How much of red, green and blue a pen takes from the paper."""
DESKS = ((120, 88, 60), (96, 70, 48), (62, 62, 66), (150, 120, 88), (80, 48, 36))


def page_on_desk(ink: np.ndarray, pen: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The photo, uint8 [h, w, 3], and the homography from the drawing's pixels to the photo's."""
    rng = np.random.default_rng(seed)
    if pen == "chalk":
        return _board(ink, rng)
    side = ink.shape[0]
    scale = 0.92 * WIDE_PX / side
    left, top = (WIDE_PX - scale * side) / 2, rng.uniform(0.1, 0.9) * (HIGH_PX - scale * side)
    to_page = np.array([[scale, 0, left], [0, scale, top], [0, 0, 1]])
    dark = cv2.warpAffine(ink, to_page[:2], (WIDE_PX, HIGH_PX), flags=cv2.INTER_LINEAR)
    fibre = cv2.GaussianBlur(rng.normal(0, 1, dark.shape).astype(np.float32), (0, 0), 1.5)
    white = np.array([1.0, rng.uniform(0.97, 1), rng.uniform(0.9, 0.98)]) + 0.02 * fibre[..., None]
    page = np.clip(white * (1 - dark[..., None] * np.array(INKS[pen])), 0, 1).astype(np.float32)
    size = (1600, 1200) if rng.random() < 0.5 else (1200, 1600)
    corners = corners_of(210, 297, tilt_deg=rng.uniform(-5, 30), lean_deg=rng.uniform(-18, 18),
                         turn_deg=rng.uniform(-12, 12), size=size, fill=rng.uniform(0.62, 0.8))
    photo = photographed(page, corners, size, desk=DESKS[int(rng.integers(len(DESKS)))], shadow=rng.uniform(0, 0.45),
                         fall=rng.uniform(0.1, 0.4), noise=rng.uniform(1.5, 5), seed=seed)
    ends = np.array([[-0.5, -0.5], [WIDE_PX - 0.5, -0.5], [WIDE_PX - 0.5, HIGH_PX - 0.5], [-0.5, HIGH_PX - 0.5]])
    to_photo = cv2.getPerspectiveTransform(ends.astype(np.float32), corners.astype(np.float32))
    return _saved(photo, rng), to_photo @ to_page


def _board(ink: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Chalk on a board that fills the picture."""
    side = ink.shape[0]
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    light = 1 + rng.uniform(-0.3, 0.3) * x + rng.uniform(-0.3, 0.3) * y
    dust = cv2.GaussianBlur(rng.normal(0, 1, ink.shape).astype(np.float32), (0, 0), 30)
    ground = np.array([38, 46, 42]) + 4 * (dust / dust.std())[..., None]
    photo = (ground + (215 - ground) * 0.9 * ink[..., None]) * light[..., None]
    corners = np.float32([[0, 0], [side, 0], [side, side], [0, side]])
    seen = corners + rng.uniform(-0.04, 0.04, (4, 2)).astype(np.float32) * side
    to_photo = cv2.getPerspectiveTransform(corners, seen)
    photo = cv2.warpPerspective(photo.astype(np.float32), to_photo, (side, side), borderMode=cv2.BORDER_REPLICATE)
    photo = cv2.GaussianBlur(photo, (0, 0), 0.8) + rng.normal(0, 3, photo.shape)
    return _saved(np.clip(photo, 0, 255).astype(np.uint8), rng), to_photo


def _saved(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(65, 92))])[1], 1)
