"""The prepared form of a dataset, a folder that `datasets.load_from_disk` opens, and fast access to its rows.

`train/` and `test/` hold Arrow files, one row a shape: what it is called, its voxels as bits and its views as raw
pixels. `maquette.json` beside them says what all rows share. Nothing is decoded on the way: a batch is copied out of
the memory map of the files.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from maquette.errors import UserError
from maquette.extras import require

SIDECAR = "maquette.json"
CAMERA = 7
"""Values a camera: azimuth, elevation, field of view, roll (degrees), zoom, shift right and down."""
COLUMNS = ("id", "label", "source", "resolution", "voxels", "views", "view_kinds", "cameras")


def sidecar_values(kind: type, file: Path) -> dict:
    """The values of a dataclass's fields in a JSON file, those that it has; raises what reading and parsing raise."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if "label_names" in content:
        content["class_names"] = content["label_names"]
    known = {f.name: content[f.name] for f in fields(kind) if f.name in content}
    known["skipped"] = tuple((a, b) for a, b in known.get("skipped", ()))
    return known


@dataclass(frozen=True)
class Info:
    """What all rows of a prepared dataset share; the content of `maquette.json`."""

    resolution: int
    """Voxels a side."""
    views: int
    """Views of each shape; 0 for shapes alone."""
    view_size: int
    """Pixels a side."""
    channels: int
    """1 for grey views, 3 for RGB."""
    kinds: tuple[str, ...]
    """Kinds of views, each view is one of them."""
    class_names: tuple[str, ...]
    """The classes; `label` is an index into this."""
    scans: int = 0
    """Scans of each shape; 0: the rows have no column of that name."""
    orientations: int = 1
    """Rows of each shape, one after the other, each turned further; see `maquette.datasets.orientations`."""
    up: str = "z"
    """The axis that pointed up in the meshes; in the rows it is z."""
    seed: int = 0
    sources: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    """The terms of use of the sources."""
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each split."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(id, reason) of each shape that could not be prepared."""
    versions: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    """Of the options that the dataset was prepared with."""

    @property
    def view_shape(self) -> tuple[int, ...]:
        """Shape of one view: (size, size) or (size, size, 3)."""
        return (self.view_size, self.view_size) + ((3,) if self.channels == 3 else ())

    def to_json(self) -> str:
        values = {"label_names" if key == "class_names" else key: value for key, value in asdict(self).items()}
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def load(cls, folder: str | Path) -> "Info":
        """Reads `maquette.json`.

        Raises:
            UserError: Where the folder is no prepared dataset.
        """
        file = Path(folder) / SIDECAR
        if not file.is_file():
            raise UserError(f"{folder} is not a prepared dataset: it has no {SIDECAR}",
                            hint="make one with: maquette data prepare SOURCE --out DIR")
        try:
            known = sidecar_values(cls, file)
            for name in ("kinds", "class_names", "sources", "terms"):
                known[name] = tuple(known.get(name, ()))
            return cls(**known)
        except (ValueError, TypeError, OSError) as error:
            raise UserError(f"cannot read {file}", error) from error


def features(class_names: Sequence[str], scans: bool = False):
    """The columns of a prepared dataset as `datasets.Features`; scans: whether its rows hold scans."""
    require("datasets", "train")
    from datasets import ClassLabel, Features, Value

    columns = {
        "id": Value("string"),
        "label": ClassLabel(names=list(class_names)),
        "source": Value("string"),
        "resolution": Value("int32"),
        "voxels": Value("binary"),  # np.packbits of the bool grid, C order
        "views": Value("binary"),  # uint8 [V, S, S] or [V, S, S, 3]
        "view_kinds": [Value("string")],
        "cameras": [[Value("float32")]],  # [V, 7], see `CAMERA`
    }
    if scans:
        columns["scans"] = Value("binary")  # np.packbits of each bool grid, [S, R^3 / 8]
    return Features(columns)


def arrow_schema(class_names: Sequence[str], scans: bool = False):
    """The Arrow schema of the files, with the features in its metadata."""
    return features(class_names, scans).arrow_schema


def is_prepared(path: str | Path) -> bool:
    """Whether a path is a finished prepared dataset."""
    return (Path(path) / SIDECAR).is_file() and (Path(path) / "dataset_dict.json").is_file()


class OpenedData:
    """One prepared dataset, or several in a row, memory-mapped.

    Made by `open_dataset`.

    Rows are numbered over all folders and splits: folder by folder, `train` before `test`.

    labels: int64 [n], indices into label_names. label_names: the classes of all folders. splits: str [n].
    views_per_shape, scans_per_shape: views and scans of the shapes that have most. resolution, view_size, channels: as
    in `Info`.

    Args:
        infos: The Info of each folder.
        paths: The folders.
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
        self._files: list = []  # Arrow tables, kept so that their memory stays mapped
        self._bits: list[tuple[np.ndarray, np.ndarray]] = []  # (offsets, bytes) of the voxels of each block
        self._pixels: list[tuple[np.ndarray, np.ndarray]] = []
        self._scans: list[tuple[np.ndarray, np.ndarray] | None] = []  # (offsets, bytes) of each block
        self._cameras: list[tuple[np.ndarray, np.ndarray] | None] = []  # (offsets in views, [V, 7]) of each block
        self._photos: list[tuple[np.ndarray, np.ndarray]] = []  # (offsets in views, bool [V]) of each block
        blocks, labels, splits = [], [], []
        for path, info in zip(paths, infos, strict=True):
            to_label = np.array([self.class_names.index(name) for name in info.class_names] or [0])
            for split in ("train", "test"):
                for batch in batches(Path(path) / split):
                    self._files.append(batch)
                    self._bits.append(column_bytes(batch.column("voxels")))
                    self._pixels.append(column_bytes(batch.column("views")))
                    self._cameras.append(_cameras(batch.column("cameras")))
                    self._photos.append(_photos(batch.column("view_kinds")))
                    scanned = "scans" in batch.schema.names
                    self._scans.append(column_bytes(batch.column("scans")) if scanned else None)
                    labels.append(to_label[batch.column("label").to_numpy(zero_copy_only=False)])
                    splits += [split] * len(batch)
                    blocks.append(len(batch))
        self._start = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
        self.labels = np.concatenate(labels or [np.zeros(0, np.int64)]).astype(np.int64)
        self.splits = np.array(splits, dtype="U5")
        self._view_bytes = int(np.prod(self._view_shape))

    def __len__(self) -> int:
        return int(self._start[-1])

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        block = int(np.searchsorted(self._start, index, "right")) - 1
        return block, int(index - self._start[block])

    def split(self, name: str) -> np.ndarray:
        """The rows of a split (`train` or `test`), int64 `[m]`."""
        return np.flatnonzero(self.splits == name)

    def keep_classes(self, names: Sequence[str]) -> None:
        """Leave out all shapes but those of these classes: their rows stay, in no split and with label -1.

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

    def voxels(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """The shapes of some rows, bool `[n, R, R, R]`."""
        size = self.resolution**3
        packed = np.empty((len(indices), (size + 7) // 8), np.uint8)
        for row, index in enumerate(indices):
            block, local = self._place(int(index))
            offsets, data = self._bits[block]
            packed[row] = data[offsets[local] : offsets[local + 1]]
        bits = np.unpackbits(packed, axis=1, count=size)
        return bits.view(bool).reshape(len(indices), *(self.resolution,) * 3)

    def view_count(self, index: int) -> int:
        """How many views a row has."""
        block, local = self._place(int(index))
        offsets = self._pixels[block][0]
        return int(offsets[local + 1] - offsets[local]) // self._view_bytes

    def views(self, indices: Sequence[int] | np.ndarray, which: Sequence[int] | np.ndarray) -> np.ndarray:
        """One view of each of some rows, uint8 `[n, S, S]` or `[n, S, S, 3]`.

        Args:
            which: The number of the view of each row, counted round where a row has fewer.

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

    def scans(self, indices: Sequence[int] | np.ndarray, which: Sequence[int] | np.ndarray) -> np.ndarray:
        """One scan of each of some rows, bool `[n, R, R, R]`.

        Args:
            which: The number of the scan of each row, counted round where a row has fewer.

        Raises:
            UserError: For a row that has no scans.
        """
        size = self.resolution**3
        length = (size + 7) // 8
        packed = np.empty((len(indices), length), np.uint8)
        for row, (index, scan) in enumerate(zip(indices, which, strict=True)):
            block, local = self._place(int(index))
            table = self._scans[block]
            begin, end = (0, 0) if table is None else (int(place) for place in table[0][local : local + 2])
            if begin == end:
                raise UserError("the dataset has no scans", hint="prepare it again with --scans 15")
            begin += int(scan) % ((end - begin) // length) * length
            packed[row] = table[1][begin : begin + length]
        bits = np.unpackbits(packed, axis=1, count=size)
        return bits.view(bool).reshape(len(indices), *(self.resolution,) * 3)

    def view_kinds(self, index: int) -> tuple[str, ...]:
        """The kind of each view of a row."""
        return tuple(self._value(index, "view_kinds"))

    def photos(self, index: int) -> np.ndarray:
        """Which views of a row are photos, bool `[V]`; the others are drawings."""
        block, local = self._place(int(index))
        offsets, photos = self._photos[block]
        return photos[offsets[local] : offsets[local + 1]]

    def cameras(self, indices: Sequence[int] | np.ndarray, which: Sequence[int] | np.ndarray) -> np.ndarray:
        """The camera of one view of each of some rows, float32 `[n, 7]`, as `maquette.rendering.Camera` has them.

        Azimuth, elevation, field of view and roll in degrees, zoom, shift right and down in widths of the picture.

        Args:
            which: The number of the view of each row, counted round where a row has fewer.

        Raises:
            UserError: For a dataset of an older form, which kept less of its cameras.
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

    def id(self, index: int) -> str:
        """The name of a row."""
        return self._value(index, "id")

    def source(self, index: int) -> str:
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

    def _value(self, index: int, column: str):
        block, local = self._place(int(index))
        return self._files[block].column(column)[local].as_py()


def open_dataset(path: str | Path | Sequence[str | Path]) -> OpenedData:
    """Opens a prepared dataset, or several as one; nothing is read until it is asked for.

    Raises:
        UserError: For a folder that is no prepared dataset, and for folders of different resolution or views.
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


def batches(folder: Path, columns: Sequence[str] = COLUMNS) -> list:
    """The record batches of a split, in the order of its files, memory-mapped.

    Raises:
        UserError: Where a column is missing.
    """
    import pyarrow as pa

    state = folder / "state.json"
    if not state.is_file():
        return []
    try:
        names = [entry["filename"] for entry in json.loads(state.read_text(encoding="utf-8"))["_data_files"]]
        result = []
        for name in names:
            with pa.memory_map(str(folder / Path(name).name)) as mapped, pa.ipc.open_stream(mapped) as stream:
                missing = set(columns) - set(stream.schema.names)
                if missing:
                    raise UserError(f"{folder / name} is not of this form", f"no column {', '.join(sorted(missing))}")
                result += [batch for batch in stream if len(batch)]
        return result
    except (OSError, ValueError, KeyError, TypeError) as error:  # pa.ArrowInvalid is a ValueError
        raise UserError(f"cannot read the dataset in {folder}", error, "prepare it again") from error


def column_bytes(column) -> tuple[np.ndarray, np.ndarray]:
    """(offsets int [n + 1], bytes uint8) of a binary Arrow column, without a copy."""
    _, offsets, data = column.buffers()
    offsets = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return offsets, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _photos(column) -> tuple[np.ndarray, np.ndarray]:
    """(offsets int [n + 1] in views, bool [V]) of a column of lists of kinds of views."""
    import pyarrow.compute as compute

    return column.offsets.to_numpy(), compute.equal(column.values, "photo").to_numpy(zero_copy_only=False).astype(bool)


def _cameras(column) -> tuple[np.ndarray, np.ndarray] | None:
    """(offsets int [n + 1] in views, float32 [V, 7]) of a column of lists of cameras; None where a camera has fewer."""
    offsets = column.offsets.to_numpy()
    each = column.values
    lengths = each.value_lengths().to_numpy(zero_copy_only=False) if len(each) else np.zeros(0, int)
    if (lengths != CAMERA).any():
        return None
    flat = each.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, CAMERA)
    return offsets, flat
