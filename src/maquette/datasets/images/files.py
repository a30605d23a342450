"""The images of a folder: which files they are, what reports and datasets call them, and their pixels.

The names of folders and files may be those of patients. Whatever is written calls an image by a number; one file, which
is never passed on, says which number is which file.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from maquette.datasets.images.measure import Grey, Pixels
from maquette.errors import UserError
from maquette.io import dicom
from maquette.io.paths import usable
from maquette.io.pictures import MAX_SIDE_PX, SUFFIXES, is_picture, read_picture
from maquette.io.replacing import keep

MAX_FILE_BYTES = 2**30
"""The largest file that is read, in bytes."""
MAX_MEGAPIXELS = 10_000.0
"""The most that can be asked for as the largest picture."""


@dataclass(frozen=True)
class ImageFile:
    """One image of a folder, not yet read."""

    id: str
    """What everything that is written calls it: a name that says nothing, or its path in the folder if wanted."""
    path: Path
    """The file."""
    is_dicom: bool
    """Whether it is a DICOM file; otherwise it is a picture."""
    name: str = ""
    """Its path in the folder, which stays on this machine; empty where the id is that path."""

    @property
    def key(self) -> str:
        """What decides its split: the path of a picture, the id of a DICOM file. Only hashes of it are kept."""
        return self.id if self.is_dicom else self.name or self.id


@dataclass(frozen=True)
class Limits:
    """How pictures are read."""

    max_pixels: int = 100_000_000
    """Larger pictures are refused by their header, before anything is decoded."""
    bits: int = 0
    """How many bits of greys deeper than 8 bits are used, 9 to 16 (12 for most sensors). With 0 it is the smallest
    usual range (8, 10, 12, 14 or 16 bits) that holds the brightest pixel of each picture."""

    @classmethod
    def of(cls, max_megapixels: float, bits: int) -> "Limits":
        """The limits that were asked for.

        Args:
            max_megapixels: Above 0, and at most `MAX_MEGAPIXELS`.
            bits: 9 to 16, or 0.

        Raises:
            UserError: For other numbers.
        """
        if not 0 < max_megapixels <= MAX_MEGAPIXELS:  # nor is it nan
            raise UserError(f"max-megapixels must be above 0 and at most {MAX_MEGAPIXELS:g}", max_megapixels)
        return cls(max(1, int(max_megapixels * 1e6)), bits)

    def __post_init__(self) -> None:
        if self.bits and not 9 <= self.bits <= 16:
            raise UserError("bits must be from 9 to 16, or 0", self.bits)
        if self.max_pixels < 1:
            raise UserError("max-megapixels must be above 0", self.max_pixels / 1e6)


def find_images(folder: str | Path, *, keep_names: bool = False) -> list[ImageFile]:
    """The pictures and DICOM files of a folder and its subfolders, in the order of their names.

    DICOM files are recognised by their suffix or by their content. Hidden files and folders are left out. Pictures that
    are not read here are among the images, so that they are named when they are opened.

    Args:
        folder: The folder.
        keep_names: Calls the files by their paths in the folder. By default pictures are called by a running number,
            and DICOM files by a hash of their SOP instance UID, or by a running number if that cannot be read.

    Raises:
        UserError: If there is no such folder, or no image in it.
    """
    folder = usable(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder of images" if folder.exists() else f"no folder {folder}")
    found: list[ImageFile] = []
    taken: set[str] = set()
    numbered = {"image": 0, "dicom-file": 0}
    for path in _files(folder):
        own = path.relative_to(folder).as_posix()
        picture = path.suffix.lower() in SUFFIXES
        if not picture and not dicom.is_dicom(path):
            picture = is_picture(path)
            if not picture:
                continue
        kind = "image" if picture else "dicom-file"
        numbered[kind] += 1
        keep(path)
        name = own if keep_names else f"{kind}-{numbered[kind]:05d}"
        if not picture and not keep_names:
            name = dicom.anonymous_name(path) or name
        unique, copies = name, 1
        while unique in taken:
            copies += 1
            unique = f"{name}-{copies}"
        taken.add(unique)
        found.append(ImageFile(unique, path, not picture, own))
    if not found:
        raise UserError(f"no image in the folder {folder}",
                        hint=f"known endings: {' '.join(SUFFIXES + dicom.SUFFIXES)}")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(where) / name
            if not name.startswith(".") and path.is_file():
                yield path


def open_image(file: ImageFile, limits: Limits) -> tuple[Pixels, bool]:
    """The pixels of an image, the right way up, and whether its file declares burnt-in text.

    Raises:
        UserError: If the file cannot be read; the message calls it by its id and never by its path.
    """
    if not file.is_dicom:
        return _read(file, limits), False
    _check_size(file)
    try:
        image = dicom.read_dicom(file.path, file.id, max_pixels=limits.max_pixels)
        return image.pixels, image.burnt_in
    except UserError as error:
        raise UserError(str(error).replace(str(file.path), file.id)) from None
    except MemoryError:
        raise UserError(f"{file.id} needs more memory than there is", hint="lower --max-megapixels") from None


def open_masked(file: ImageFile, limits: Limits, masks: str) -> tuple[UInt8[np.ndarray, "h w 3"], Grey]:
    """The pixels of a picture and the mask of its object, 255 on the object, both the right way up.

    Args:
        file: The picture.
        limits: How it is read.
        masks: `alpha` for the picture's own alpha channel, or a folder. In the folder the mask has the picture's name
            with the ending of any picture format; it is white, in any channel, on the object.

    Raises:
        UserError: If there is no mask or its size is another, and as `open_image`.
    """
    if file.is_dicom:
        raise UserError(f"{file.id} is a DICOM file, and those have no masks", hint="leave out --masks")
    if masks == "alpha":
        pixels = _read(file, limits, keep_alpha=True)
        if pixels.shape[2] != 4:
            raise UserError(f"{file.id} has no alpha channel", hint="give a folder of masks with --masks DIR")
        return pixels[..., :3], pixels[..., 3]
    stem = (Path(masks) / (file.name or file.id)).with_suffix("")
    path = next((path for suffix in SUFFIXES if (path := stem.with_name(stem.name + suffix)).is_file()), None)
    if path is None:
        raise UserError(f"no mask for {file.id} in the folder of masks")
    pixels, _ = open_image(file, limits)
    mask = _read(ImageFile(f"the mask of {file.id}", path, False), limits).max(axis=2)
    if mask.shape != pixels.shape[:2]:
        raise UserError(f"the mask of {file.id} must have the picture's size, {pixels.shape[1]}x{pixels.shape[0]}",
                        f"{mask.shape[1]}x{mask.shape[0]}")
    return pixels, mask


def _check_size(file: ImageFile) -> None:
    """Refuses a file that is too large or cannot be reached."""
    try:
        size = file.path.stat().st_size
    except OSError as error:
        raise UserError(f"{file.id} cannot be read", error.strerror) from None
    if size > MAX_FILE_BYTES:
        raise UserError(f"{file.id} is a file of more than 1 GiB", f"{size / 2**30:.1f} GiB", "make it smaller")


def _read(file: ImageFile, limits: Limits, keep_alpha: bool = False) -> UInt8[np.ndarray, "h w channels"]:
    """A picture that is no DICOM file, with 3 channels, or 4 where it has an alpha channel that is kept."""
    _check_size(file)
    try:
        return read_picture(file.path, kept_side_px=MAX_SIDE_PX, max_pixels=limits.max_pixels, bits=limits.bits,
                            keep_alpha=keep_alpha)
    except UserError as error:
        raise UserError(str(error).replace(str(file.path), file.id)) from None
    except MemoryError:
        raise UserError(f"{file.id} needs more memory than there is", hint="lower --max-megapixels") from None
