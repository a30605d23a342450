"""The prepared form of a dataset of images, a folder that `datasets.load_from_disk` opens, and access to its rows.

`train/` and `test/` hold Arrow files, one row an image: its name and its raw pixels. `images.json` beside them says
what all rows share. Nothing is decoded on the way: a batch is copied out of the memory map of the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import SupportsIndex

import numpy as np
from jaxtyping import Int64, UInt8

from maquette.datasets.arrow import Features, RecordBatch, column_bytes, record_batches
from maquette.datasets.format import Rows, neutral_terms, sidecar_values, typed
from maquette.errors import UserError, one_line
from maquette.extras import require

SIDECAR = "images.json"
"""The file beside the rows that says what they share."""
MAX_SIDE = 65_536
"""The most pixels a side that a sidecar may claim."""
COLUMNS = ("id", "pixels", "height", "width", "channels")
"""The columns that the rows of every dataset have; those with masks have `mask` too."""


@dataclass(frozen=True)
class ImageInfo:
    """What all rows of a dataset of images share; the content of `images.json`."""

    width: int
    """Pixels of a row of an image."""
    height: int
    """Pixels of a column of an image."""
    channels: int
    """1 for grey, 3 for RGB."""
    crop: str
    """How the images were cropped, see `maquette.datasets.images.crop.ImageOptions`."""
    holdout: int
    """How many images were held out for testing."""
    terms: str
    """The terms of use of the images."""
    name: str = ""
    """What the user calls the images; never the name of a folder. Datasets of earlier releases have none: what they
    hold under `source` is such a name, and it is left where it is."""
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each split."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(id, reason) of each image that could not be prepared."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the packages that prepared it."""
    fingerprint: str = ""
    """A hash of the options and the images that the dataset was prepared with."""
    masks: bool = False
    """Whether the rows keep the masks of their objects."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image: (height, width) or (height, width, 3)."""
        return (self.height, self.width) + ((3,) if self.channels == 3 else ())

    @classmethod
    def load(cls, folder: str | Path) -> "ImageInfo":
        """Reads the `images.json` of a folder.

        Raises:
            UserError: If the folder is no prepared dataset of images, or the file is damaged.
        """
        file = Path(folder) / SIDECAR
        if not file.is_file():
            raise UserError(f"{folder} is not a prepared dataset of images: it has no {SIDECAR}",
                            hint="make one with: maquette data prepare images DIR --size 256x256 --out DIR")
        try:
            info = typed(cls, sidecar_values(cls, file))
            if info.channels not in (1, 3) or not all(0 < n <= MAX_SIDE for n in info.shape):
                raise ValueError(f"images of shape {info.shape}")
            return info
        except (ValueError, TypeError, OSError) as error:
            raise UserError(f"cannot read {file}", one_line(error), "prepare the images again") from error


def is_images(path: str | Path) -> bool:
    """Whether a path is a prepared dataset of images."""
    return (Path(path) / SIDECAR).is_file()


class OpenedImages:
    """A prepared dataset of images, memory-mapped. Made by `open_images`. The rows of `train` come before `test`.

    Attributes:
        what: What a row shows, for messages.
        class_names: Empty: images have no classes.
        info: What all rows share; width, height and channels are copied from it.
        splits: The split of each row, str `[n]`.

    Args:
        path: The folder.
        info: Its `ImageInfo`.
    """

    what = "images"
    class_names: tuple[str, ...] = ()

    def __init__(self, path: Path, info: ImageInfo):
        self.path, self.info = path, info
        self.width, self.height, self.channels = info.width, info.height, info.channels
        self._files: list[RecordBatch] = []  # kept so that their memory stays mapped
        self._pixels: list[tuple[np.ndarray, np.ndarray]] = []  # (offsets, bytes) of each block
        self._masks: list[tuple[np.ndarray, np.ndarray]] = []
        splits: list[str] = []
        columns = {"pixels": int(np.prod(info.shape))} | ({"mask": info.width * info.height} if info.masks else {})
        for split in ("train", "test"):
            for batch in record_batches(path / split, (*COLUMNS, *list(columns)[1:])):
                for (name, size), kept in zip(columns.items(), (self._pixels, self._masks), strict=False):
                    offsets, data = column_bytes(batch.column(name))
                    if (np.diff(offsets) != size).any():
                        raise UserError(f"{path / split} holds images that are not {info.width}x{info.height}",
                                        hint="prepare it again")
                    kept.append((offsets, data))
                self._files.append(batch)
                splits += [split] * len(batch)
        self._start = np.concatenate([[0], np.cumsum([len(batch) for batch in self._files])]).astype(np.int64)
        self.splits = np.array(splits, dtype="U5")

    def __len__(self) -> int:
        return int(self._start[-1])

    def _place(self, index: int) -> tuple[int, int]:
        """The block that holds a row, and the row's number in it."""
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        block = int(np.searchsorted(self._start, index, "right")) - 1
        return block, int(index - self._start[block])

    def split(self, name: str) -> Int64[np.ndarray, " m"]:
        """The numbers of the rows of a split, `train` or `test`."""
        return np.flatnonzero(self.splits == name)

    def pixels(self, rows: Rows) -> UInt8[np.ndarray, "n h w"] | UInt8[np.ndarray, "n h w 3"]:
        """The images of some rows, a copy."""
        return self._copied(self._pixels, rows, self.info.shape)

    def masks(self, rows: Rows) -> UInt8[np.ndarray, "n h w"]:
        """The masks of the objects of some rows, a copy: how much of each pixel the object covers, 255 for all of it.

        Raises:
            UserError: If the dataset keeps no masks.
        """
        if not self.info.masks:
            raise UserError(f"{self.path} keeps no masks of its objects", hint="prepare it again with --masks")
        return self._copied(self._masks, rows, self.info.shape[:2])

    def _copied(
        self, blocks: Sequence[tuple[np.ndarray, np.ndarray]], rows: Rows, shape: tuple[int, ...]
    ) -> UInt8[np.ndarray, "n h w *channels"]:
        """The values of a column in some rows, each of this shape."""
        size = int(np.prod(shape))
        result = np.empty((len(rows), size), np.uint8)
        for place, index in enumerate(rows):
            block, local = self._place(int(index))
            offsets, data = blocks[block]
            begin = int(offsets[local])
            result[place] = data[begin : begin + size]
        return result.reshape(len(rows), *shape)

    def id(self, index: SupportsIndex) -> str:
        """The name of a row."""
        block, local = self._place(int(index))
        return self._files[block].column("id")[local].as_py()

    @property
    def ids(self) -> list[str]:
        """The names of all rows."""
        return [name for batch in self._files for name in batch.column("id").to_pylist()]

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of use, with what the user calls the images that they are about."""
        return (f"{self.info.name or 'images'}: {neutral_terms(self.info.terms)}",)


def open_images(path: str | Path, info: ImageInfo | None = None) -> OpenedImages:
    """Opens a prepared dataset of images; nothing is read until it is asked for.

    Args:
        path: The folder.
        info: What all rows share; read from the folder by default.

    Raises:
        UserError: If the folder is no prepared dataset of images.
    """
    return OpenedImages(Path(path), info or ImageInfo.load(path))


def features(masks: bool = False) -> Features:
    """The columns as `datasets.Features`; `pixels` are the raw bytes of uint8 `[H, W]` or `[H, W, 3]`, C order.

    Args:
        masks: Adds a column `mask`, the raw bytes of uint8 `[H, W]`.
    """
    require("datasets", "train")
    from datasets import Features, Value

    number = Value("int32")
    columns = {"id": Value("string"), "pixels": Value("binary"), "height": number, "width": number, "channels": number}
    return Features(columns | ({"mask": Value("binary")} if masks else {}))
