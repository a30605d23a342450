"""Photographs of pages with known geometry: a pinhole camera over a desk, with shadow, noise and grain."""

import cv2
import numpy as np

CHAIR = [((20, 75), (20, 95)), ((80, 60), (80, 95)), ((20, 75), (80, 60)), ((20, 75), (20, 10)), ((20, 10), (35, 5)),
         ((35, 5), (35, 70)), ((20, 25), (35, 20)), ((35, 70), (80, 60))]  # in hundredths

VIEWS = {"flat": {}, "tilted": {"tilt_deg": 35}, "leaning": {"lean_deg": 30, "turn_deg": 5},
         "all at once": {"tilt_deg": 30, "lean_deg": -20, "turn_deg": 12, "fill": 0.7},
         "turned": {"turn_deg": -40, "fill": 0.6}}
"""How a page lies before the camera, by the name of the case."""


def sketch(width=840, height=1188, thick=5):
    """Darkness [H, W] in [0, 1] of a page with the chair on its middle."""
    dark = np.zeros((height, width), np.float32)
    size, left, top = 0.6 * min(width, height), 0.2 * width, 0.5 * height - 0.3 * min(width, height)
    for a, b in CHAIR:
        ends = [(round(left + x * size / 100), round(top + y * size / 100)) for x, y in (a, b)]
        cv2.line(dark, *ends, 1.0, thick, cv2.LINE_AA)
    return dark


def ruled(height, width, gap, squared=True, thick=2, turn=0.0):
    """Where printed lines are, [H, W] in [0, 1]: `gap` pixels apart, rising by `turn` pixels a pixel."""
    lines = np.zeros((height, width), np.float32)
    for at in np.arange(gap / 2, height + gap, gap):
        cv2.line(lines, (0, round(at)), (width, round(at + turn * width)), 1.0, thick, cv2.LINE_AA)
    for at in np.arange(gap / 2, width + gap, gap) if squared else ():
        cv2.line(lines, (round(at), 0), (round(at - turn * height), height), 1.0, thick, cv2.LINE_AA)
    return lines


def corners_of(wide_mm, high_mm, tilt_deg=0.0, lean_deg=0.0, turn_deg=0.0, focal=0.8, size=(1200, 900), fill=0.8):
    """Where the corners of a page are seen, [4, 2], by a camera that looks at its middle.

    tilt and lean: of the page about the picture's horizontal and vertical; turn: in the picture. focal: in units of the
    picture's longer side. fill: the page's share of the picture's height or width, about.
    """
    around = np.radians([tilt_deg, lean_deg, turn_deg])
    turn = np.eye(3)
    for axis, angle in zip(np.eye(3), around, strict=True):
        turn = cv2.Rodrigues(axis * angle)[0] @ turn
    page = np.array([[-wide_mm, -high_mm, 0], [wide_mm, -high_mm, 0], [wide_mm, high_mm, 0], [-wide_mm, high_mm, 0]])
    points = page / 2 @ turn.T
    longest = max(size)
    distance = focal * longest * max(wide_mm / size[0], high_mm / size[1]) / fill
    points[:, 2] += distance
    seen = focal * longest * points[:, :2] / points[:, 2:]
    return seen + (np.array(size) - 1) / 2


def photographed(page, corners, size=(1200, 900), desk=(96, 70, 48), shadow=0.0, fall=0.3, noise=3.0, seed=0):
    """The photo uint8 [h, w, 3] of a page, [H, W, 3] in [0, 1], lying on a desk with its corners seen there.

    fall: how much darker the far side is. shadow: of something, with an edge across the page.
    """
    rng = np.random.default_rng(seed)
    high, wide = page.shape[:2]
    width, height = size
    fine = 2
    source = np.float32([[-0.5, -0.5], [wide - 0.5, -0.5], [wide - 0.5, high - 0.5], [-0.5, high - 0.5]])
    target = np.float32((corners + 0.5) * fine - 0.5)
    to_photo = cv2.getPerspectiveTransform(source, target)
    big = (width * fine, height * fine)
    flat = cv2.warpPerspective(page.astype(np.float32), to_photo, big, flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(big[::-1], np.float32)
    cv2.fillPoly(mask, [np.rint(target * 256).astype(np.int32)], 1.0, cv2.LINE_AA, 8)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), sigmaX=14, sigmaY=1.2)
    grain = cv2.resize(grain / grain.std(), big)[..., None] * 9
    photo = 240 * flat * mask[..., None] + (np.array(desk, np.float32) + grain) * (1 - mask[..., None])
    photo = cv2.resize(photo.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[0:height, 0:width]
    light = 1 - fall * (0.6 * x / width + 0.4 * y / height)
    edge = cv2.GaussianBlur((x + 0.5 * y > 0.8 * width).astype(np.float32), (0, 0), width / 90)
    photo = photo * (light * (1 - shadow * edge))[..., None]
    photo = cv2.GaussianBlur(photo, (0, 0), 0.7)
    return np.clip(photo + rng.normal(0, noise, photo.shape), 0, 255).astype(np.uint8)


def paper(dark, lead=0.6, tint=(1.0, 0.97, 0.92)):
    """A page [H, W, 3] in [0, 1] of darkness [H, W] drawn in pencil."""
    return ((1 - lead * dark)[..., None] * np.array(tint, np.float32)).astype(np.float32)
