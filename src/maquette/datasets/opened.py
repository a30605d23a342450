"""Fast access to the rows of prepared datasets: nothing is decoded, a batch is copied out of the files' memory map."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from maquette.datasets.arrow import CAMERA, RecordBatch, column_bytes, column_cameras, column_photos, record_batches
from maquette.datasets.format import COLUMNS, Info, Rows
from maquette.errors import UserError


class OpenedData:
    """One prepared dataset, or several in a row, memory-mapped. Made by `open_dataset`.

    Rows are numbered over all folders and splits: folder by folder, and in each `train` before `test`.

    Attributes:
        what: What a row shows, for messages.
        labels: The class of each row, an index into `class_names`; -1 for rows that `keep_classes` left out.
        class_names: The classes of all folders.
        splits: The split of each row, str `[n]`; empty for rows that `keep_classes` left out.
        resolution: Voxels a side.
        view_size: Pixels a side of a view.
        channels: Of a view, 1 or 3.
        views_per_shape: Views of the shapes that have most.
        scans_per_shape: Scans of the shapes that have most.

    Args:
        paths: The folders.
        infos: The `Info` of each folder.
    """

    what = "shapes"

    def __init__(self, paths: Sequence[Path], infos: Sequence[Info]):
        self.paths, self.infos = tuple(paths), tuple(infos)
        first = infos[0]
        self.resolution = first.resolution
        viewed = [info for info in infos if info.views]
        self.view_size, self.channels = (viewed or infos)[0].view_size, (viewed or infos)[0].channels
        self.views_per_shape = max(info.views for info in infos)
        self.scans_per_shape = max(info.scans for info in infos)
        self._view_shape = (viewed or infos)[0].view_shape
        self.class_names = tuple(dict.fromkeys(name for info in infos for name in info.class_names))
        self._files: list[RecordBatch] = []  # kept so that their memory stays mapped
        self._bits: list[tuple[np.ndarray, np.ndarray]] = []  # (offsets, bytes) of the voxels of each block
        self._pixels: list[tuple[np.ndarray, np.ndarray]] = []
        self._scans: list[tuple[np.ndarray, np.ndarray] | None] = []  # (offsets, bytes) of each block
        self._cameras: list[tuple[np.ndarray, np.ndarray] | None] = []  # (offsets in views, [V, 7]) of each block
        self._photos: list[tuple[np.ndarray, np.ndarray]] = []  # (offsets in views, bool [V]) of each block
        blocks, labels, splits = [], [], []
        for path, info in zip(paths, infos, strict=True):
            to_label = np.array([self.class_names.index(name) for name in info.class_names] or [0])
            for split in ("train", "test"):
                for batch in record_batches(Path(path) / split, COLUMNS):
                    self._files.append(batch)
                    _check_batch(Path(path) / split, batch, info)
                    self._bits.append(column_bytes(batch.column("voxels")))
                    self._pixels.append(column_bytes(batch.column("views")))
                    self._cameras.append(column_cameras(batch.column("cameras")))
                    self._photos.append(column_photos(batch.column("view_kinds")))
                    scanned = "scans" in batch.schema.names
                    self._scans.append(column_bytes(batch.column("scans")) if scanned else None)
                    labels.append(to_label[batch.column("label").to_numpy(zero_copy_only=False)])
                    splits += [split] * len(batch)
                    blocks.append(len(batch))
        self._start = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
        self.labels: Int64[np.ndarray, " n"] = np.concatenate(labels or [np.zeros(0, np.int64)]).astype(np.int64)
        self.splits = np.array(splits, dtype="U5")
        self._view_bytes = int(np.prod(self._view_shape))

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

    def keep_classes(self, names: Sequence[str]) -> None:
        """Leaves out all shapes but those of these classes: their rows stay, in no split and with label -1.

        Raises:
            UserError: For a class that the data do not have.
        """
        unknown = [name for name in names if name not in self.class_names]
        if unknown:
            raise UserError("the data have no class of this name", repr(unknown[0]),
                            f"they have {', '.join(self.class_names)}")
        kept = tuple(name for name in self.class_names if name in names)
        number = np.array([kept.index(name) if name in kept else -1 for name in self.class_names])
        self.labels, self.class_names = number[self.labels], kept
        self.splits[self.labels < 0] = ""

    def voxels(self, indices: Rows) -> Bool[np.ndarray, "n r r r"]:
        """The shapes of some rows."""
        size = self.resolution**3
        packed = np.empty((len(indices), (size + 7) // 8), np.uint8)
        for row, index in enumerate(indices):
            block, local = self._place(int(index))
            offsets, data = self._bits[block]
            packed[row] = data[offsets[local] : offsets[local + 1]]
        return self._unpacked(packed)

    def _unpacked(self, packed: UInt8[np.ndarray, "n bytes"]) -> Bool[np.ndarray, "n r r r"]:
        bits = np.unpackbits(packed, axis=1, count=self.resolution**3)
        return bits.view(bool).reshape(len(packed), *(self.resolution,) * 3)

    def view_count(self, index: SupportsIndex) -> int:
        """How many views a row has."""
        block, local = self._place(int(index))
        offsets = self._pixels[block][0]
        return int(offsets[local + 1] - offsets[local]) // self._view_bytes

    def views(self, indices: Rows, which: Rows) -> UInt8[np.ndarray, "n s s"] | UInt8[np.ndarray, "n s s 3"]:
        """One view of each of some rows.

        Args:
            indices: The rows.
            which: The number of the view of each row, modulo the number that the row has.

        Raises:
            UserError: For a row that has no views.
        """
        result = np.empty((len(indices), self._view_bytes), np.uint8)
        for row, (index, view) in enumerate(zip(indices, which, strict=True)):
            block, local = self._place(int(index))
            offsets, data = self._pixels[block]
            count = int(offsets[local + 1] - offsets[local]) // self._view_bytes
            if not count:
                raise UserError("the dataset has no views", hint="prepare it again with --views 12")
            begin = int(offsets[local]) + int(view) % count * self._view_bytes
            result[row] = data[begin : begin + self._view_bytes]
        return result.reshape(len(indices), *self._view_shape)

    def scans(self, indices: Rows, which: Rows) -> Bool[np.ndarray, "n r r r"]:
        """One scan of each of some rows.

        Args:
            indices: The rows.
            which: The number of the scan of each row, modulo the number that the row has.

        Raises:
            UserError: For a row that has no scans.
        """
        length = (self.resolution**3 + 7) // 8
        packed = np.empty((len(indices), length), np.uint8)
        for row, (index, scan) in enumerate(zip(indices, which, strict=True)):
            block, local = self._place(int(index))
            table = self._scans[block]
            offsets, data = table or (np.zeros(local + 2, np.int32), np.zeros(0, np.uint8))
            begin, end = (int(place) for place in offsets[local : local + 2])
            if begin == end:
                raise UserError("the dataset has no scans", hint="prepare it again with --scans 15")
            begin += int(scan) % ((end - begin) // length) * length
            packed[row] = data[begin : begin + length]
        return self._unpacked(packed)

    def view_kinds(self, index: SupportsIndex) -> tuple[str, ...]:
        """The kind of each view of a row."""
        return tuple(self._value(index, "view_kinds"))

    def photos(self, index: SupportsIndex) -> Bool[np.ndarray, " views"]:
        """Which views of a row are photos; the others are drawings."""
        block, local = self._place(int(index))
        offsets, photos = self._photos[block]
        return photos[offsets[local] : offsets[local + 1]]

    def cameras(self, indices: Rows, which: Rows) -> Float32[np.ndarray, "n 7"]:
        """The camera of one view of each of some rows, its numbers as in `maquette.rendering.Camera`.

        They are azimuth, elevation, field of view and roll in degrees, zoom, and shift right and down in widths of the
        picture.

        Args:
            indices: The rows.
            which: The number of the view of each row, modulo the number that the row has.

        Raises:
            UserError: For a row that has no views, and for a dataset of an older form, which kept less of its cameras.
        """
        result = np.empty((len(indices), CAMERA), np.float32)
        for row, (index, view) in enumerate(zip(indices, which, strict=True)):
            block, local = self._place(int(index))
            table = self._cameras[block]
            if table is None:
                raise UserError("the dataset does not have its views' cameras in full", hint="prepare it again")
            offsets, values = table
            begin, end = int(offsets[local]), int(offsets[local + 1])
            if begin == end:
                raise UserError("the dataset has no views", hint="prepare it again with --views 12")
            result[row] = values[begin + int(view) % (end - begin)]
        return result

    def id(self, index: SupportsIndex) -> str:
        """The name of a row."""
        return self._value(index, "id")

    def source(self, index: SupportsIndex) -> str:
        """The source of a row."""
        return self._value(index, "source")

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of use of the sources."""
        return tuple(line for info in self.infos for line in info.terms)

    @property
    def ids(self) -> list[str]:
        """The names of all rows."""
        return [name for batch in self._files for name in batch.column("id").to_pylist()]

    def _value(self, index: SupportsIndex, column: str) -> Any:
        """The value of one column of a row, as Python has it."""
        block, local = self._place(int(index))
        return self._files[block].column(column)[local].as_py()


def _check_batch(folder: Path, batch: RecordBatch, info: Info) -> None:
    """Refuses rows that are not as `maquette.json` says: they would be read beyond their ends, or as other shapes."""
    size = (info.resolution**3 + 7) // 8
    lengths = {name: np.diff(column_bytes(batch.column(name))[0]) for name in ("voxels", "views")}
    labels = batch.column("label").to_numpy(zero_copy_only=False)
    views = lengths["views"] // max(int(np.prod(info.view_shape)), 1)
    wrong = ""
    if (lengths["voxels"] != size).any():
        wrong = f"voxels that are not of {info.resolution} a side"
    elif (lengths["views"] != views * int(np.prod(info.view_shape))).any():
        wrong = f"views that are not of {info.view_size} px"
    elif (labels < 0).any() or (labels >= max(len(info.class_names), 1)).any():
        wrong = f"classes that are none of the {len(info.class_names)}"
    else:
        for name in ("view_kinds", "cameras"):
            if (np.diff(batch.column(name).offsets.to_numpy()) != views).any():
                wrong = f"{name.replace('_', ' ')} that are not as many as the views"
        if "scans" in batch.schema.names and (np.diff(column_bytes(batch.column("scans"))[0]) % size).any():
            wrong = f"scans that are not of {info.resolution} voxels a side"
    if wrong:
        raise UserError(f"{folder} is damaged: it holds {wrong}", hint="prepare it again")


def open_dataset(path: str | Path | Sequence[str | Path]) -> OpenedData:
    """Opens a prepared dataset, or several as one; nothing is read until it is asked for.

    Raises:
        UserError: For a folder that is no prepared dataset, and for folders that differ in resolution or views.
    """
    paths = [Path(p) for p in ([path] if isinstance(path, (str, Path)) else path)]
    if not paths:
        raise UserError("no dataset to open: the list of folders is empty")
    infos = [Info.load(p) for p in paths]
    for p, info in zip(paths, infos, strict=True):
        if info.resolution != infos[0].resolution:
            raise UserError(f"datasets must have the same resolution: {paths[0]} has {infos[0].resolution}, {p} has "
                            f"{info.resolution}", hint="prepare one of them again")
        if bool(info.views) != bool(infos[0].views):
            raise UserError(f"either all datasets have views or none: {paths[0]} has {infos[0].views} a shape, {p} has "
                            f"{info.views}", hint="prepare one of them again")
        if info.views and info.view_shape != infos[0].view_shape:
            raise UserError(f"datasets must have views of one size and colour: {paths[0]} has {infos[0].view_shape}, "
                            f"{p} has {info.view_shape}", hint="prepare one of them again")
    return OpenedData(paths, infos)
