"""What part of a picture becomes the row of a dataset, and how it is brought to the size of the rows."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from maquette.datasets.images.measure import to_grey
from maquette.errors import UserError
from maquette.intake.background import PLAIN, object_on, plain_ground

SIDES = (8, 4096)
"""Shortest and longest side of a prepared image."""
BACKGROUNDS = {"white": 255, "grey": 128, "black": 0}
"""What objects with masks can be laid on, and its level."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of a picture."""


@dataclass(frozen=True)
class ImageOptions:
    """What decides the pixels of a row, besides the image itself."""

    width: int
    height: int
    grey: bool
    crop: str
    """`centre`, `none`, `object`, or `x,y,w,h`; see `place`."""
    max_pixels: int
    bits: int
    masks: str = ""
    """Where the objects' masks are: `alpha`, a folder, or nowhere."""
    background: str = "white"
    """What objects with masks are laid on, one of `BACKGROUNDS`."""
    margin: float = 0.1
    """About an object that is cropped to, as a share of its longer side."""


def parse_size(text: str) -> tuple[int, int]:
    """`512x256` as (width, height): 512 wide and 256 high.

    Raises:
        UserError: For what is none, or outside SIDES.
    """
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise UserError("size must be WIDTHxHEIGHT in pixels, as 512x256", repr(text))
    width, height = (int(part) for part in parts)
    if not all(SIDES[0] <= side <= SIDES[1] for side in (width, height)):
        raise UserError(f"the sides of size must be from {SIDES[0]} to {SIDES[1]} pixels", text)
    return width, height


def parse_crop(text: str) -> str | tuple[float, float, float, float]:
    """`centre`, `none`, `object`, or the four numbers of `x,y,w,h`.

    Raises:
        UserError: For anything else.
    """
    if text in ("centre", "center"):
        return "centre"
    if text in ("none", "object"):
        return text
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError("crop must be centre, none, object, or x,y,w,h in pixels or as fractions", repr(text),
                        "0.1,0.2,0.8,0.5 keeps the middle 80 % of the width") from None
    if not (min(x, y) >= 0 and min(width, height) > 0 and np.isfinite([x, y, width, height]).all()):
        raise UserError("crop must have x and y from 0 on and a width and height above 0", repr(text))
    return x, y, width, height


def crop_box(crop: str, width: int, height: int, aspect: float) -> Box:
    """The part (left, top, right, bottom) of a picture that is kept, in pixels; `none` keeps all.

    `x,y,w,h` is taken as fractions of the picture where no number is above 1, else as pixels. What is kept is then cut
    about its centre to the aspect (width / height), so that nothing is squeezed.

    Raises:
        UserError: Where the box does not lie in the picture.
    """
    form = parse_crop(crop)
    if form == "none":
        return 0.0, 0.0, float(width), float(height)
    x, y, w, h = (0.0, 0.0, float(width), float(height)) if form == "centre" else form
    if form != "centre" and max(form) <= 1:
        x, y, w, h = x * width, y * height, w * width, h * height
    if x + w > width + 1e-6 or y + h > height + 1e-6:
        raise UserError(f"the crop {crop} does not lie in the picture", f"{width}x{height}")
    across, down = min(w, h * aspect), min(h, w / aspect)
    x, y = x + (w - across) / 2, y + (h - down) / 2
    return x, y, min(x + across, width), min(y + down, height)


def object_box(found: Box, aspect: float, margin: float) -> Box:
    """The box about an object's own box with a margin and of an aspect; it may reach beyond the picture.

    Args:
        margin: On each side, as a share of the object's longer side. The object is in the middle.
    """
    left, top, right, bottom = found
    about = 2 * margin * max(right - left, bottom - top)
    across, down = right - left + about, bottom - top + about
    across, down = max(across, down * aspect), max(down, across / aspect)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - across / 2, y - down / 2, x + across / 2, y + down / 2


def fit(pixels: np.ndarray, options: ImageOptions) -> np.ndarray:
    """A picture, uint8 [H, W] or [H, W, 3], cropped or padded and resized: uint8 of the options' size and channels.

    Reduced and enlarged with a Lanczos filter. `crop` none: the whole picture, with black beside it where the aspects
    differ. `crop` object: the object on a plain background in the middle; beyond the picture the background goes on.

    Raises:
        UserError: For a crop that does not lie in it, where the background is not plain, and where nothing is on it.
    """
    found, fill = None, (0, 0, 0)
    if options.crop == "object":
        found, fill = _on_plain(pixels)
    picture = Image.fromarray(to_grey(pixels) if options.grey else pixels)
    if not options.grey:
        picture = picture.convert("RGB")
    box, inner, corner = place(picture.size, options, found)
    resized = picture.resize(inner, Image.Resampling.LANCZOS, box=box)
    if inner == (options.width, options.height):
        return np.asarray(resized)
    if options.grey:
        fill = int(to_grey(np.uint8([[fill]]))[0, 0])
    canvas = Image.new(picture.mode, (options.width, options.height), fill)
    canvas.paste(resized, corner)
    return np.asarray(canvas)


def fit_masked(pixels: np.ndarray, mask: np.ndarray, options: ImageOptions) -> tuple[np.ndarray, np.ndarray]:
    """A picture, uint8 [H, W, 3], and the mask of its object, uint8 [H, W] with 255 for the object, as `fit` has them:
    the object on the options' background, and its mask.

    Both are resized together with a Hamming filter, which has no negative lobes: where the mask is 0 the row is the
    background exactly.

    Raises:
        UserError: For a crop that does not lie in the picture and, with `crop` object, for an empty mask.
    """
    found = None
    if options.crop == "object":
        rows, columns = np.flatnonzero((mask > 127).any(1)), np.flatnonzero((mask > 127).any(0))
        if not len(rows):
            raise UserError("the mask is empty")
        found = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    picture = Image.fromarray(np.dstack([pixels, mask]))
    box, inner, corner = place(picture.size, options, found)
    level = BACKGROUNDS[options.background]
    canvas = Image.new("RGBA", (options.width, options.height))
    canvas.paste(picture.resize(inner, Image.Resampling.HAMMING, box=box), corner)
    ground = Image.new("RGBA", canvas.size, (level, level, level, 255))
    laid = np.asarray(Image.alpha_composite(ground, canvas).convert("RGB"))
    return to_grey(laid) if options.grey else laid, np.asarray(canvas)[..., 3]


def place(size: tuple[int, int], options: ImageOptions, found: Box | None) -> tuple[Box, tuple[int, int],
                                                                                  tuple[int, int]]:
    """What is kept of a picture, to what size it comes, and where its top left corner is in the row.

    Args:
        size: Width and height of the picture.
        found: The box of the object where `crop` is object.
    """
    whole = (options.width, options.height)
    aspect = options.width / options.height
    if options.crop == "object":
        left, top, right, bottom = object_box(found, aspect, options.margin)
        box = max(left, 0.0), max(top, 0.0), min(right, float(size[0])), min(bottom, float(size[1]))
        across, down = options.width / (right - left), options.height / (bottom - top)
        x0, y0 = round((box[0] - left) * across), round((box[1] - top) * down)
        x1, y1 = round((box[2] - left) * across), round((box[3] - top) * down)
        return box, (max(1, x1 - x0), max(1, y1 - y0)), (x0, y0)
    box = crop_box(options.crop, *size, aspect)
    if options.crop != "none":
        return box, whole, (0, 0)
    scale = min(options.width / size[0], options.height / size[1])
    inner = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    return box, inner, ((options.width - inner[0]) // 2, (options.height - inner[1]) // 2)


def _on_plain(pixels: np.ndarray) -> tuple[Box, tuple[int, int, int]]:
    """The box of the object on a plain background, and the background's colour."""
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    ground, share = plain_ground(colour)
    if share <= PLAIN:
        raise UserError("no plain background to find the object on", f"{100 * share:.0f} % of the rim of one colour",
                        "give masks with --masks, or another --crop")
    found = object_on(colour, ground, 0.0)
    if found is None:
        raise UserError("no object found on the plain background")
    return found, tuple(int(round(level)) for level in ground)
