"""A picture in whatever form somebody has it: a file, its bytes, pixels, or a PIL image."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from maquette.io.pictures import read_picture

Picture = str | Path | bytes | np.ndarray | Image.Image
"""A file's name (`-`: standard input), a file's bytes, pixels uint8 `[H, W]` or `[H, W, 3]`, or a PIL image."""
_AS_PNG = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")
_AS_TIFF = ("I", "F")


@dataclass(frozen=True, eq=False)
class GivenPicture:
    """Pixels, and what a message calls them.

    Attributes:
        pixels: Uint8 `[H, W, 3]`, upright; what was given as pixels stays as it was, to be checked by who uses it.
        name: The file, or "picture".
    """

    pixels: np.ndarray
    name: str


def as_picture(picture: Picture, *, keep_alpha: bool = False) -> GivenPicture:
    """The pixels of a picture, and its name.

    Args:
        picture: See `Picture`. A PIL image is read like a file that holds it: upright, alpha laid on white, 8 bits.
        keep_alpha: Give an alpha channel as a fourth channel in place of laying it on white.

    Raises:
        UserError: For a file that cannot be read and for a picture that is too large.
    """
    if isinstance(picture, np.ndarray):
        return GivenPicture(picture, "picture")
    if isinstance(picture, Image.Image):
        return GivenPicture(read_picture(_file_of(picture), keep_alpha=keep_alpha), "picture")
    name = "picture" if isinstance(picture, bytes) else str(picture)
    return GivenPicture(read_picture(picture, keep_alpha=keep_alpha), name)


def _file_of(image: Image.Image) -> bytes:
    """The bytes of a file without loss that holds a PIL image."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in _AS_PNG + _AS_TIFF:
        upright = upright.convert({"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(upright.mode, "RGB"))
    out = io.BytesIO()
    if upright.mode in _AS_TIFF:
        upright.save(out, format="TIFF")
    else:
        upright.save(out, format="PNG", compress_level=1)
    return out.getvalue()
