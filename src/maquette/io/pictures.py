"""Picture files of any origin as one kind of array: RGB, upright, not too large.

No size is trusted: the header is read first, and a picture with too many pixels is refused before any is decoded. A
large picture within the limit is decoded at reduced size where its format allows that.
"""

from __future__ import annotations

import io
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from maquette.errors import UserError
from maquette.io.paths import usable
from maquette.io.quiet import quiet_decoding
from maquette.io.replacing import keep

if TYPE_CHECKING:
    from jaxtyping import Num, UInt8

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".avif",
            ".heic", ".heif", ".hif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm")
"""Suffixes of the picture files that are taken from a folder."""
RAW = (".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf",
       ".rw2", ".srw", ".x3f")
"""Suffixes of what the sensor of a camera gave; what decoders find in them is a thumbnail, so they are refused."""
UNREAD = (*RAW, ".dds", ".exr", ".hdr", ".icns", ".ico", ".j2c", ".j2k", ".jpf", ".jpx", ".jxl", ".jxr", ".pcx", ".pfm",
          ".psb", ".psd", ".ras", ".sgi", ".tga", ".xcf")
"""Suffixes of pictures that are not read; in a folder they are named, not passed over."""
FORMATS = ("JPEG", "MPO", "PNG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "PPM")
"""Pillow's decoders that are tried: none of them starts another program (as the one for EPS does)."""
MAX_PIXELS = 200_000_000
"""Largest picture that is opened at all, in pixels."""
MAX_SIDE_PX = 32_768
"""Longest side that is opened at all, in pixels."""
KEPT_SIDE_PX = 2048
"""Longest side that is kept, in pixels; larger pictures are averaged down by a whole factor while they are read."""

_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError, struct.error,
            zlib.error, RuntimeError)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"\0\0\0\x0cjP  \r\n\x87\n",
               b"8BPS", *_TIFF)
"""How the files of pictures begin."""
_USUAL = _SIGNATURES[:2]
"""PNG and JPEG, whose decoders Pillow loads first."""
_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
"""What stands after `ftyp` in a HEIC or AVIF file."""
_pillow_limits = threading.Lock()


def read_picture(
    source: str | Path | bytes, *, kept_side_px: int = KEPT_SIDE_PX, max_pixels: int = MAX_PIXELS, bits: int = 0,
    keep_alpha: bool = False,
) -> UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]:
    """Any picture as RGB pixels, upright.

    The first frame of an animation is taken, transparent pixels are blended with white, the EXIF orientation is
    applied, and greys of 10 to 32 bits are reduced to 8.

    Args:
        source: A path, the bytes of a file, or "-" for standard input.
        kept_side_px: Larger pictures are reduced by a whole factor; the longest side is below twice this number.
        max_pixels: The most pixels that a picture may have.
        bits: For greys deeper than 8 bits, how many bits are used, 9 to 16; 0 takes the smallest usual range that holds
            all values.
        keep_alpha: Keep an alpha channel as the fourth, instead of blending with white.

    Returns:
        RGB, or RGBA when alpha is kept and the picture has it.

    Raises:
        UserError: Naming the file, when it is missing, empty, cut short, no picture, 0x0 or larger than `max_pixels`.
    """
    name, data = _bytes_of(source)
    if Path(name).suffix.lower() in RAW:
        raise UserError(f"{name} is the raw picture of a camera, which is not read here", hint="save it as JPEG or PNG")
    if not data:
        raise UserError(f"{name} is empty", got="0 bytes", hint="give a picture file")
    if data[4:8] == b"ftyp":
        _learn_heic()
    with _our_limits(), quiet_decoding() if data[:4] in _TIFF else nullcontext():
        try:
            Image.preinit() if data.startswith(_USUAL) else Image.init()  # all plug-ins take 0.08 s
            picture = Image.open(io.BytesIO(data), formats=[f for f in FORMATS if f in Image.OPEN])
        except UnidentifiedImageError:
            raise _not_a_picture(name, data) from None
        except MemoryError:
            raise UserError(f"{name} needs more memory than there is", hint="make the picture smaller") from None
        except _DAMAGED as problem:
            raise _damaged(name, data, problem) from None
        _check_size(name, *picture.size, max_pixels)
        try:
            return _to_rgb(picture, name, kept_side_px, bits, keep_alpha)
        except MemoryError:
            raise UserError(f"{name} needs more memory than there is", hint="make the picture smaller") from None
        except _DAMAGED as problem:
            raise _damaged(name, data, problem) from None


def find_inputs(paths: Iterable[str | Path] | str | Path) -> list[str | Path]:
    """The pictures that paths on a command line name; a folder is replaced by the pictures in it, sorted by name.

    Files stay as they are, whatever their suffix (a missing one is reported when it is read), and so does "-". Hidden
    files in folders are left out. A file named twice is kept once. What looks like a picture (`is_picture`) is taken
    too: whoever reads it finds that it can be read, or names it.

    Raises:
        UserError: For a folder that cannot be read or holds no picture.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    found: dict[str, str | Path] = {}
    for path in paths:
        if str(path) == "-":
            found["-"] = "-"
            continue
        path = Path(path)
        try:
            folder = usable(path).is_dir()
        except UserError:  # reported when it is read, so that the other inputs are still done
            folder = False
        if not folder:
            found[str(path)] = path
            continue
        try:
            inside = sorted(p for p in path.iterdir()
                            if not p.name.startswith(".") and p.is_file() and is_picture(p))
        except OSError as problem:
            raise UserError(f"the folder {path} cannot be read", got=problem.strerror) from None
        if not inside:
            raise UserError(f"no picture in the folder {path}", hint="known endings: " + " ".join(SUFFIXES))
        found.update((str(p), p) for p in inside)
    keep(*found.values())
    return list(found.values())


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its suffix, one that is read here or another; otherwise, by its first bytes."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in UNREAD:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    if head[:4] == b"RIFF":
        return head[8:] == b"WEBP"
    return head.startswith(_SIGNATURES) or (head[4:8] == b"ftyp" and head[8:] in _BRANDS)


def _learn_heic() -> None:
    """Lets Pillow open HEIC files; their library is loaded for the first of them only."""
    import pillow_heif

    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener()


def _bytes_of(source: str | Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes | bytearray | memoryview):
        return "the picture given as bytes", bytes(source)
    if str(source) == "-":
        return "standard input", sys.stdin.buffer.read()
    path = usable(source)
    try:
        return str(path), path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} does not exist", hint="check the name of the file") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a picture") from None
    except (OSError, ValueError) as problem:
        raise UserError(f"{path} cannot be read", got=getattr(problem, "strerror", None) or problem) from None


@contextmanager
def _our_limits() -> Iterator[None]:
    """Switches Pillow's own size limit and its warnings off; sizes are checked here."""
    with _pillow_limits, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise UserError(f"{name} has no pixels", got=f"{width}x{height}", hint="give another picture")
    if width * height > max_pixels:
        raise UserError(
            f"{name} is larger than {max_pixels / 1e6:g} megapixels",
            got=f"{width}x{height} ({width * height / 1e6:.0f} megapixels)", hint="make the picture smaller")
    if max(width, height) > MAX_SIDE_PX:
        raise UserError(f"{name} is longer than {MAX_SIDE_PX} pixels", got=f"{width}x{height}",
                        hint="crop the picture to the object")


def _header_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the header of a PNG, GIF or BMP that the decoders refuse; None for other files."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if data[:4] == b"GIF8" and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    if data[:2] == b"BM" and len(data) >= 26:
        width, height = struct.unpack("<ii", data[18:26])
        return abs(width), abs(height)
    return None


def _not_a_picture(name: str, data: bytes) -> UserError:
    size = _header_size(data)
    if size is not None:
        return _damaged(name, data, None)
    if data[4:8] == b"ftyp":
        return UserError(f"{name} is not a picture that can be read here", got="a HEIC picture or a film",
                         hint="save it as JPEG or PNG")
    if data[:4] == b"%PDF":
        return UserError(f"{name} is not a picture", got="a PDF document", hint="export the page as PNG or JPEG")
    if data[:3] == b"\xff\xd8\xff" or data[:4] in (b"RIFF", b"II*\0", b"MM\0*"):
        return _damaged(name, data, None)
    return UserError(f"{name} is not a picture", got=f"a file that begins with {data[:8]!r}",
                     hint="JPEG, PNG, BMP, GIF, TIFF and WebP are read")


def _damaged(name: str, data: bytes, problem: Exception | None) -> UserError:
    size = _header_size(data)
    if size is not None and 0 in size:
        return UserError(f"{name} has no pixels", got=f"{size[0]}x{size[1]}", hint="give another picture")
    detail = f" ({str(problem).strip().splitlines()[0]})" if problem is not None and str(problem).strip() else ""
    return UserError(f"{name} is damaged or cut short{detail}", hint="copy or save the picture again")


def _to_rgb(
    picture: Image.Image, name: str, kept_side_px: int = KEPT_SIDE_PX, bits: int = 0, keep_alpha: bool = False
) -> UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]:
    orientation = _orientation(picture)
    if picture.format in ("JPEG", "MPO"):
        picture.draft(None, (kept_side_px, kept_side_px))  # decodes at 1/2, 1/4 or 1/8, never below the size asked for
    picture.load()
    factor = max(picture.size) // kept_side_px
    if "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        picture = _shrink(picture.convert("RGBA"), factor)
        if not keep_alpha:
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture).convert("RGB")
    elif picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        picture = _shrink(_eight_bits(np.asarray(picture), name, bits), factor).convert("RGB")
    else:
        if picture.mode in ("1", "P", "LAB", "HSV"):
            picture = picture.convert("L" if picture.mode == "1" else "RGB")
        picture = _shrink(picture, factor).convert("RGB")
    for turn in _TURNS.get(orientation, ()):
        picture = picture.transpose(turn)
    return np.array(picture, dtype=np.uint8)  # [H, W, 3 or 4], writable and our own


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(0x0112, 1))
    except Exception:  # the tag block of a camera may be broken in any way while its pixels are fine
        return 1


def _shrink(picture: Image.Image, factor: int) -> Image.Image:
    return picture.reduce(factor) if factor > 1 else picture


def _eight_bits(values: Num[np.ndarray, "h w"], name: str, bits: int) -> Image.Image:
    """Greys of 10 to 32 bits, or real numbers, as 8 bits: 255 is the top of the smallest usual range that holds all."""
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise UserError(f"{name} holds pixels that are not finite numbers", hint="save the picture as PNG")
    low, high = float(values.min()), float(values.max())
    if low < 0:
        values, high, low = values - low, high - low, 0.0
    usual = next((t for t in (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0) if high <= t), high)
    top = 2.0**bits - 1 if bits else usual
    return Image.fromarray(np.rint(np.minimum(values * (255.0 / top), 255)).astype(np.uint8))
