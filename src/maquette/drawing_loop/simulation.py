"""A drawing on paper and a phone's photograph of it, both simulated, so that a loop can be tried anywhere.

The pencil leaves its lead on the high grains of the paper. The page lies on a desk, the phone is held over it not quite
straight, light falls from one side and something throws a shadow. Unlike in `maquette.rendering.pencil_style`, which
draws as hands do and is what models learn from, the strokes are exactly where they were put, and the picture is a
photograph of a whole page in which the page must be found.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from maquette.errors import UserError
from maquette.events import Progress
from maquette.geometry.strokes import Strokes
from maquette.intake.sources import Frame

FOCAL = 0.85
"""Focal length of a phone's main camera, in units of the picture's longer side."""
_PAPER, _LEAD = (0.80, 0.78, 0.73), (0.85, 0.86, 0.84)  # reflectance of paper, and how much of it lead takes, RGB
_DESKS = ((0.17, 0.10, 0.06), (0.05, 0.05, 0.06), (0.10, 0.13, 0.11), (0.22, 0.17, 0.12), (0.06, 0.09, 0.14))
_GAMMA = np.rint(255 * np.linspace(0, 1, 4096) ** (1 / 2.2)).astype(np.uint8)


@dataclass(frozen=True)
class Conditions:
    """How far a photograph is from a scan.

    Raises:
        UserError: If a value is out of its range.
    """

    side_px: int = 1280
    """Longer side of the photograph; the other is three quarters of it."""
    tilt_deg: float = 12.0
    """Largest angle between the lens's axis and straight down."""
    turn_deg: float = 6.0
    """Largest turn of the page in the picture, either way."""
    shadow: float = 0.4
    """Largest share of the light that a shadow takes; 0: the light is even too."""
    blur_px: float = 0.9
    """Largest standard deviation of the blur."""
    noise: float = 0.010
    """Largest standard deviation of the noise, as a share of white."""
    jpeg: bool = True
    """Whether the photograph is saved as JPEG, as phones do."""

    def __post_init__(self) -> None:
        for name, low, high in (("side_px", 64, 4096), ("tilt_deg", 0, 40), ("turn_deg", 0, 40), ("shadow", 0, 0.9),
                                ("blur_px", 0, 10), ("noise", 0, 0.2)):
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} must be {low:g} to {high:g}", getattr(self, name))


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph of a page, and what is known about it.

    Attributes:
        pixels: RGB.
        corners: Of the page, (column, row) with pixel centres at whole numbers, clockwise from the page's top left.
        to_photo: The homography from the page's millimetres to these pixels.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    corners: Float64[np.ndarray, "4 2"]
    to_photo: Float64[np.ndarray, "3 3"]


class SimulatedPage:
    """Both plotter and camera of a loop: what it draws lies on a page, and it sees photographs of that page.

    The photograph of a round is a function of the seed, the round and the strokes.

    Args:
        seed: 0 or more.
        pencil_mm: Width of the pencil's line.
        drawn: What lies there already.
        conditions: How the photographs are taken.

    Raises:
        UserError: For a negative seed.
    """

    def __init__(
        self,
        seed: int = 0,
        pencil_mm: float = 0.5,
        drawn: Strokes | None = None,
        conditions: Conditions = Conditions(),
    ) -> None:
        if seed < 0:
            raise UserError("seed must be 0 or more", seed)
        self.seed, self.pencil_mm, self.drawn, self.conditions = seed, pencil_mm, drawn, conditions

    def wants(self, number: int) -> None:
        """Nothing: no person is needed."""

    def draw(self, number: int, strokes: Strokes) -> Iterator[Progress]:
        """Take an empty page and draw these strokes on it."""
        self.drawn = strokes
        return iter(())

    def look(self, number: int) -> Frame | None:
        """A photograph of the page; None before anything was drawn."""
        if self.drawn is None:
            return None
        rng = np.random.default_rng([self.seed, number])
        return Frame(photograph(self.drawn, rng, self.pencil_mm, self.conditions).pixels, "the simulated photograph")


def photograph(
    strokes: Strokes, rng: np.random.Generator, pencil_mm: float = 0.5, conditions: Conditions = Conditions()
) -> Photo:
    """A phone's photograph of strokes drawn with a pencil on a page that lies on a desk.

    Args:
        strokes: In millimetres.
        rng: Decides all that is random.
        pencil_mm: Width of the pencil's line.
        conditions: How far the photograph is from a scan.
    """
    long, short = conditions.side_px, round(0.75 * conditions.side_px)
    width, height = (long, short) if strokes.width > strokes.height else (short, long)
    to_photo = _seen_from(strokes.width, strokes.height, width, height, rng, conditions)
    edge = np.array([[0, 0], [strokes.width, 0], [strokes.width, strokes.height], [0, strokes.height]])
    corners = cv2.perspectiveTransform(edge[None], to_photo)[0]
    scale = float(np.sqrt(cv2.contourArea(corners.astype(np.float32)) / (strokes.width * strokes.height)))
    lead = lead_on_paper(strokes, rng, scale, pencil_mm)
    from_page = to_photo @ np.diag([strokes.width / lead.shape[1], strokes.height / lead.shape[0], 1.0])
    from_page = from_page @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # pixel centres at whole numbers
    lead = cv2.warpPerspective(lead, from_page, (width, height), flags=cv2.INTER_LINEAR)
    page = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(page, np.rint(corners * 256).astype(np.int32), 1.0, cv2.LINE_AA, 8)
    page = page[..., None]
    paper = np.array(_PAPER, np.float32) * (1 - lead[..., None] * np.array(_LEAD, np.float32))
    linear = page * paper + (1 - page) * _desk(width, height, page[..., 0], rng)
    linear *= _light(width, height, rng, conditions.shadow)[..., None] * rng.normal(1, 0.03, 3).astype(np.float32)
    blur = conditions.blur_px * rng.uniform(0.4, 1)
    if blur > 0.1:
        linear = cv2.GaussianBlur(linear, (0, 0), blur)
    linear *= np.float32(rng.uniform(0.55, 0.95) / np.percentile(linear[::8, ::8], 98))
    if conditions.noise:
        amount = np.float32(conditions.noise * rng.uniform(0.4, 1))
        linear += amount * rng.standard_normal(linear.shape, np.float32) * np.sqrt(np.clip(linear, 0.05, 1))
    pixels = _GAMMA[(np.clip(linear, 0, 1) * 4095).astype(np.uint16)]
    if conditions.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(82, 96))]
        data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), quality)[1]
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError("OpenCV cannot read its own JPEG")
        pixels = np.ascontiguousarray(decoded[..., ::-1])
    return Photo(pixels, corners, to_photo)


def lead_on_paper(
    strokes: Strokes, rng: np.random.Generator, px_per_mm: float, pencil_mm: float
) -> Float32[np.ndarray, "h w"]:
    """How dark the page is where a pencil drew: 0 is paper, 1 would be black.

    The pressure changes slowly over the page; where it is low only the high grains of the paper take lead.

    Args:
        strokes: In millimetres.
        rng: Decides the grain and the pressure.
        px_per_mm: Pixels of the result in a millimetre.
        pencil_mm: Width of the pencil's line.
    """
    covered: np.ndarray = 1 - strokes.to_picture(px_per_mm, pencil_mm).astype(np.float32) / 255
    covered = cv2.GaussianBlur(covered, (0, 0), max(0.35, 0.08 * px_per_mm))
    height, width = covered.shape
    grain = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), max(0.4, 0.16 * px_per_mm))
    tooth = 1 / (1 + np.exp(-1.7 * grain / grain.std()))  # 0 to 1, about evenly
    coarse = rng.standard_normal((max(4, round(strokes.height / 12)), max(4, round(strokes.width / 12))), np.float32)
    slow = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    pressure = rng.uniform(0.75, 1.0) + 0.1 * np.clip(slow, -1.5, 1.5)
    hard = rng.uniform(0.62, 0.85)
    return (hard * covered * np.clip((pressure - 0.8 * tooth) / 0.35, 0, 1)).astype(np.float32)


def _seen_from(
    wide: float, high: float, width: int, height: int, rng: np.random.Generator, conditions: Conditions
) -> Float[np.ndarray, "3 3"]:
    """The homography from a page's millimetres to the pixels of a phone's picture that shows all of it.

    Args:
        wide: Width of the page, in millimetres.
        high: Height of the page.
        width: Of the picture, in pixels.
        height: Of the picture.
    """
    focal = FOCAL * max(width, height)
    around = rng.uniform(0, 2 * np.pi)
    tilt = np.radians(conditions.tilt_deg * np.sqrt(rng.uniform(0, 1)))
    turn = np.radians(rng.uniform(-conditions.turn_deg, conditions.turn_deg))
    turned = cv2.Rodrigues(tilt * np.array([np.cos(around), np.sin(around), 0.0]))[0]
    turned = turned @ cv2.Rodrigues(np.array([0.0, 0.0, turn]))[0]
    fill, aside = rng.uniform(0.8, 0.92), rng.uniform(-0.02, 0.02, 2)
    edge = np.array([[-wide, -high, 0], [wide, -high, 0], [wide, high, 0], [-wide, high, 0]]) / 2
    distance, middle = focal * max(wide / width, high / height) / fill, np.zeros(2)
    size, centre = np.array([width, height]), (np.array([width, height]) - 1) / 2
    for _ in range(4):  # nearer or further until the page fills its share of the picture, in its middle
        points = edge @ turned.T + [*middle, distance]
        seen = focal * points[:, :2] / points[:, 2:]
        low, top = seen.min(axis=0), seen.max(axis=0)
        distance *= float(((top - low) / size).max()) / fill
        middle -= ((low + top) / 2 - aside * size) * distance / focal
    points = edge @ turned.T + [*middle, distance]
    seen = focal * points[:, :2] / points[:, 2:] + centre
    page = np.array([[0, 0], [wide, 0], [wide, high], [0, high]])
    return cv2.getPerspectiveTransform(page.astype(np.float32), seen.astype(np.float32))


def _desk(
    width: int, height: int, page: Float32[np.ndarray, "h w"], rng: np.random.Generator
) -> Float[np.ndarray, "h w 3"]:
    """A desk's reflectance: one dark colour, its grain, and the page's narrow shadow on it."""
    colour = np.array(_DESKS[int(rng.integers(len(_DESKS)))], np.float32)
    grain: np.ndarray = rng.standard_normal((max(4, height // 4), max(4, width // 40)), np.float32)
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
    small = cv2.resize(page, (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA)
    near = cv2.resize(cv2.GaussianBlur(small, (0, 0), 1.2), (width, height), interpolation=cv2.INTER_LINEAR)
    return colour * ((1 + 0.12 * grain) * (1 - 0.5 * near))[..., None].clip(0.05)


def _light(width: int, height: int, rng: np.random.Generator, shadow: float) -> Float32[np.ndarray, "h w"]:
    """How much light falls where in the picture: from one side, with a soft shadow across."""
    if not shadow:
        return np.ones((height, width), np.float32)
    wide, high = max(8, width // 8), max(8, height // 8)
    y, x = np.mgrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j].astype(np.float32)
    slope = rng.normal(0, 0.10, 2).clip(-0.25, 0.25)
    light = (1 + slope[0] * x + slope[1] * y) * (1 - 0.06 * (x * x + y * y))
    angle, reach, soft = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.8), rng.uniform(0.02, 0.10)
    across = x * np.cos(angle) + y * np.sin(angle) + 0.1 * np.sin(3 * (y * np.cos(angle) - x * np.sin(angle)))
    dark = rng.uniform(0.3, 1) * shadow / (1 + np.exp((reach - across) / soft))
    light = cv2.resize((light * (1 - dark)).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.maximum(light, 0.05)
