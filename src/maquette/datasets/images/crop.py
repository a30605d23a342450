"""Which part of a picture becomes a row of a dataset, and how that part is brought to the size of the rows."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from maquette.datasets.images.measure import Grey, Pixels, to_grey
from maquette.errors import UserError
from maquette.intake.background import PLAIN, object_on, plain_ground

SIDES = (8, 4096)
"""The shortest and the longest side of a prepared image, in pixels."""
BACKGROUNDS = {"white": 255, "grey": 128, "black": 0}
"""The backgrounds that objects with masks can be laid on, and their grey levels."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of a picture."""


@dataclass(frozen=True)
class ImageOptions:
    """What decides the pixels of a row, besides the image itself."""

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    grey: bool
    """One channel instead of three."""
    crop: str
    """The part that is kept: `centre`, `none`, `x,y,w,h` (see `crop_box`), or `object` (see `object_box`)."""
    max_pixels: int
    """Larger pictures are refused (`maquette.datasets.images.files.Limits`)."""
    bits: int
    """Bits of deep greys that are used, 0 or 9 to 16 (`maquette.datasets.images.files.Limits`)."""
    masks: str = ""
    """The source of the objects' masks: `alpha` or a folder; empty for none."""
    background: str = "white"
    """What objects with masks are laid on, one of `BACKGROUNDS`."""
    margin: float = 0.1
    """Around an object that the picture is cropped to, as a share of the object's longer side."""


def parse_size(text: str) -> tuple[int, int]:
    """The width and height that a text like `512x256` gives, in pixels.

    Raises:
        UserError: If the text is no size, or a side is outside of SIDES.
    """
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise UserError("size must be WIDTHxHEIGHT in pixels, as 512x256", repr(text))
    width, height = (int(part) for part in parts)
    if not all(SIDES[0] <= side <= SIDES[1] for side in (width, height)):
        raise UserError(f"the sides of size must be from {SIDES[0]} to {SIDES[1]} pixels", text)
    return width, height


def parse_crop(text: str) -> Literal["centre", "none", "object"] | Box:
    """The crop that a text gives: `centre`, `none`, `object`, or the four numbers of `x,y,w,h`.

    Raises:
        UserError: For anything else.
    """
    if text in ("centre", "center"):
        return "centre"
    if text in ("none", "object"):
        return cast(Literal["none", "object"], text)
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError("crop must be centre, none, object, or x,y,w,h in pixels or as fractions", repr(text),
                        "0.1,0.2,0.8,0.5 keeps the middle 80 % of the width") from None
    if not (min(x, y) >= 0 and min(width, height) > 0 and np.isfinite([x, y, width, height]).all()):
        raise UserError("crop must have x and y from 0 on and a width and height above 0", repr(text))
    return x, y, width, height


def crop_box(crop: str, width: int, height: int, aspect: float) -> Box:
    """The part of a picture that is kept, in pixels.

    Args:
        crop: `none` keeps the whole picture. `x,y,w,h` keeps this part: fractions of the picture if no number is above
            1, pixels otherwise. It, or the whole picture with `centre`, is then cut about its centre to the aspect, so
            that nothing is squeezed.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        aspect: Width over height of the part.

    Raises:
        UserError: If the part does not lie in the picture.
    """
    form = parse_crop(crop)
    if form == "none":
        return 0.0, 0.0, float(width), float(height)
    x, y, w, h = 0.0, 0.0, float(width), float(height)
    if not isinstance(form, str):
        x, y, w, h = form
        if max(form) <= 1:
            x, y, w, h = x * width, y * height, w * width, h * height
    if x + w > width + 1e-6 or y + h > height + 1e-6:
        raise UserError(f"the crop {crop} does not lie in the picture", f"{width}x{height}")
    across, down = min(w, h * aspect), min(h, w / aspect)
    x, y = x + (w - across) / 2, y + (h - down) / 2
    return x, y, min(x + across, width), min(y + down, height)


def object_box(found: Box, aspect: float, margin: float) -> Box:
    """The box that shows an object in its middle, with a margin; it may reach beyond the picture.

    Args:
        found: The box of the object itself.
        aspect: Width over height of the result.
        margin: The least on each side, as a share of the object's longer side.
    """
    left, top, right, bottom = found
    about = 2 * margin * max(right - left, bottom - top)
    across, down = right - left + about, bottom - top + about
    across, down = max(across, down * aspect), max(down, across / aspect)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - across / 2, y - down / 2, x + across / 2, y + down / 2


def fit(pixels: Pixels, options: ImageOptions) -> Pixels:
    """A picture cropped or padded and resized to the size and the channels of the options.

    It is reduced or enlarged with a Lanczos filter. With `crop` none the whole picture is kept, with black beside it if
    the aspects differ. With `crop` object the object on its plain background is in the middle; the background goes on
    beyond the picture.

    Raises:
        UserError: If the crop does not lie in the picture, and with `crop` object if the background is not plain or
            nothing is on it.
    """
    found: Box | None = None
    fill: tuple[int, int, int] = (0, 0, 0)
    if options.crop == "object":
        found, fill = _on_plain(pixels)
    picture = Image.fromarray(to_grey(pixels) if options.grey else pixels)
    if not options.grey:
        picture = picture.convert("RGB")
    box, inner, corner = place(picture.size, options, found)
    resized = picture.resize(inner, Image.Resampling.LANCZOS, box=box)
    if inner == (options.width, options.height):
        return np.asarray(resized)
    level = int(to_grey(np.array([[fill]], np.uint8))[0, 0])
    canvas = Image.new(picture.mode, (options.width, options.height), level if options.grey else fill)
    canvas.paste(resized, corner)
    return np.asarray(canvas)


def fit_masked(
    pixels: UInt8[np.ndarray, "h w 3"], mask: UInt8[np.ndarray, "h w"], options: ImageOptions
) -> tuple[Pixels, Grey]:
    """An object on the background of the options, cropped and resized as by `fit`, and its mask.

    Both are resized together with a Hamming filter, which has no negative lobes: where the mask is 0 the picture is
    exactly the background.

    Args:
        pixels: The picture.
        mask: 255 on the object and 0 off it.
        options: The size, crop and background.

    Raises:
        UserError: If the crop does not lie in the picture and, with `crop` object, if the mask is empty.
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


def place(
    size: tuple[int, int], options: ImageOptions, found: Box | None
) -> tuple[Box, tuple[int, int], tuple[int, int]]:
    """Which part of a picture is kept, its size in the row, and where its top left corner is in the row.

    Args:
        size: Width and height of the picture in pixels.
        options: The size and the crop.
        found: The box of the object; it decides with `crop` object only.

    Returns:
        The part, (width, height), and (column, row), in pixels.
    """
    whole = (options.width, options.height)
    aspect = options.width / options.height
    if options.crop == "object":
        if found is None:
            raise ValueError("crop object needs the object's box")
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


def _on_plain(pixels: Pixels) -> tuple[Box, tuple[int, int, int]]:
    """The box of the object on a plain background, and the colour of the background."""
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    ground, share = plain_ground(colour)
    if share <= PLAIN:
        raise UserError("no plain background to find the object on", f"{100 * share:.0f} % of the rim of one colour",
                        "give masks with --masks, or another --crop")
    found = object_on(colour, ground, 0.0)
    if found is None:
        raise UserError("no object found on the plain background")
    red, green, blue = (int(round(level)) for level in ground)
    left, top, right, bottom = found
    return (left, top, right, bottom), (red, green, blue)
