"""DICOM files as plain grey or RGB pixels. Nothing else in a file is passed on: no patient's name, date or number.

Error lines never repeat pydicom's own messages, since those may quote a file's fields.
"""

import hashlib
import io
import logging
import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, SupportsFloat

import numpy as np
from jaxtyping import Bool, Float, Float64, Num, UInt8

from maquette.errors import UserError
from maquette.extras import require
from maquette.io.paths import usable

if TYPE_CHECKING:
    import pydicom

SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
DEFLATED = "1.2.840.10008.1.2.1.99"
"""The transfer syntax that is refused: such files can unpack to any size before their header is known."""
UNPARSABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, EOFError, OSError, RuntimeError,
              struct.error)
"""What pydicom's parsers raise for damaged files, by their documentation and by trial."""


@dataclass(frozen=True)
class DicomImage:
    """The picture in a DICOM file."""

    pixels: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"]
    """As a viewer shows it first: windowed, bright where the body absorbs."""
    burnt_in: bool
    """Whether the file says (BurnedInAnnotation) that text is part of the pixels."""


def is_dicom(path: str | Path) -> bool:
    """Whether a file has a DICOM suffix, or the bytes `DICM` at offset 128."""
    if Path(path).suffix.lower() in SUFFIXES:
        return True
    try:
        with Path(path).open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def anonymous_name(path: str | Path) -> str | None:
    """A name that gives nothing away: `dicom-` and 16 hexadecimal digits of a hash of the file's SOP instance UID.

    The owner of the original can find it by its UID; the UID cannot be computed from the name.

    Returns:
        The name, or None when the file has no UID or cannot be read.
    """
    require("pydicom", "dicom")
    try:
        with _damage_named(Path(path).name), _Bounded(path) as file:
            uid = str(_header(file, Path(path).name).get("SOPInstanceUID") or "")  # anything, in a damaged file
    except UserError:  # the file is reported when it is read in full
        return None
    digest = hashlib.sha256(uid.encode(errors="replace")).hexdigest()
    return f"dicom-{digest[:16]}" if uid else None


def read_dicom(path: str | Path, name: str, *, max_pixels: int) -> DicomImage:
    """The pixels of a DICOM file in 8 bits, with rescale, window and MONOCHROME1 applied.

    Padding (PixelPaddingValue and its range) is black, and counts for nothing. The first window is applied as in DICOM
    PS3.3 C.11.2.1 (linear, linear exact or sigmoid), or the first VOI lookup table. Without either, the darkest pixel
    becomes 0 and the brightest 255.

    Args:
        path: The file.
        name: What error lines call the file.
        max_pixels: The most pixels that are read; the header is checked first.

    Raises:
        UserError: When the file is no DICOM file or damaged, holds no picture or several, is too large, or is
            compressed in a way that no installed decoder knows.
    """
    require("pydicom", "dicom")
    import pydicom
    from pydicom.pixels import pixel_array
    from pydicom.uid import UID_dictionary

    with _damage_named(name), _Bounded(path) as file:
        header = _header(file, name)
        width, height = int(header.get("Columns", 0) or 0), int(header.get("Rows", 0) or 0)
        frames = int(header.get("NumberOfFrames", 1) or 1)
        if width < 1 or height < 1:
            raise UserError(f"{name} is a DICOM file without a picture, or damaged", hint="leave it out")
        if frames != 1:
            raise UserError(f"{name} holds {frames} pictures, not one", hint="export the one that you want")
        if width * height > max_pixels:
            raise UserError(f"{name} is larger than {max_pixels / 1e6:g} megapixels",
                            f"{width}x{height} ({width * height / 1e6:.0f} megapixels)", "raise --max-megapixels")
        file.seek(0)
        dataset = pydicom.dcmread(file)
        syntax = dataset.file_meta.TransferSyntaxUID
        try:
            stored = pixel_array(dataset)
        except (NotImplementedError, RuntimeError):  # what pydicom raises where no decoder can read the pixels
            known = syntax.name if syntax in UID_dictionary else None  # another may hold what lay beside it
            raise UserError(f"{name} is damaged, or compressed in a way that cannot be read here", known,
                            "export it uncompressed, or install pylibjpeg with its decoders") from None
        pixels = _shown(dataset, stored)
        return DicomImage(pixels, str(dataset.get("BurnedInAnnotation", "")).upper() == "YES")


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    """Turns whatever parsing raises into one line that calls the file damaged and quotes nothing from it.

    A file named .dcm may hold anything, and pydicom's messages, warnings and log may hold a patient's fields.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    log = logging.getLogger("pydicom")
    heard = log.disabled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.disabled = True
        try:
            yield
        except UserError:
            raise
        except (*UNPARSABLE, MemoryError, InvalidDicomError, BytesLengthException):
            raise UserError(f"{name} is damaged or no DICOM file", hint="export it again") from None
        finally:
            log.disabled = heard


class _Bounded(io.BufferedReader):
    """An open file that never makes room for more bytes than are left: a length in a file may be anything."""

    def __init__(self, path: str | Path):
        super().__init__(io.FileIO(usable(path)))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes, all that are left with None or a negative number."""
        left = max(self._size - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


def _header(file: BinaryIO, name: str) -> "pydicom.Dataset":
    """The fields that describe the picture, and no others."""
    import pydicom
    from pydicom.filereader import read_file_meta_info

    if str(read_file_meta_info(file.name).get("TransferSyntaxUID", "")) == DEFLATED:
        raise UserError(f"{name} is deflated as a whole, which is not read here", hint="export it uncompressed")
    wanted = ["SOPInstanceUID", "Rows", "Columns", "NumberOfFrames"]
    file.seek(0)
    return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=wanted)


def _shown(dataset: "pydicom.Dataset", stored: Num[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Stored values as a viewer shows them, 8 bits; the axes stay."""
    from pydicom.pixels import apply_color_lut, apply_modality_lut

    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind == "PALETTE COLOR":
        colours = apply_color_lut(stored, dataset)
        return (colours >> 8).astype(np.uint8) if colours.dtype == np.uint16 else colours.astype(np.uint8)
    if stored.ndim == 3:
        high = int(dataset.BitsStored) - 8
        return (stored >> high).astype(np.uint8) if high > 0 else stored.astype(np.uint8)
    values = apply_modality_lut(stored, dataset).astype(np.float64)
    padding = _padding(stored, dataset)
    if padding.any() and not padding.all():  # it has no place in the picture's own range
        values[padding] = values[~padding].min()
    pixels = np.rint(255 * windowed(values, dataset)).astype(np.uint8)
    pixels = 255 - pixels if kind == "MONOCHROME1" else pixels
    pixels[padding] = 0
    return pixels


def _padding(stored: Num[np.ndarray, "h w"], dataset: "pydicom.Dataset") -> Bool[np.ndarray, "h w"]:
    """The pixels that stand for nothing (DICOM PS3.3 C.7.5.1.1.2): of the padding value, or up to its range limit."""
    value, limit = _first(dataset.get("PixelPaddingValue")), _first(dataset.get("PixelPaddingRangeLimit"))
    if value is None:
        return np.zeros(stored.shape, bool)
    low, high = sorted((value, value if limit is None else limit))
    return (stored >= low) & (stored <= high)


def windowed(values: Float[np.ndarray, "h w"], dataset: "pydicom.Dataset") -> Float64[np.ndarray, "h w"]:
    """Values mapped to [0, 1] by a file's first window, else its first VOI lookup table, else their own range.

    The formulas are those of DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.

    Args:
        values: After rescaling (modality LUT), in the file's unit.
        dataset: The file.
    """
    from pydicom.pixels import apply_voi

    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is not None and width is not None and width > 0:
        function = str(dataset.get("VOILUTFunction", "") or "LINEAR")
        if function == "SIGMOID":
            return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
        if function == "LINEAR_EXACT":
            return np.clip((values - centre) / width + 0.5, 0, 1)
        if width <= 1:
            return (values > centre - 0.5).astype(np.float64)
        return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
    if dataset.get("VOILUTSequence"):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return np.clip(apply_voi(values.astype(np.int64), dataset) / (2.0**bits - 1), 0, 1)
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _first(value: str | bytes | SupportsFloat | Sequence[SupportsFloat] | None) -> float | None:
    """The first value in a field that may hold one, several or none."""
    if value is None or value == "":
        return None
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return float(value[0])
    return float(value)
