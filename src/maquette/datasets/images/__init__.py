"""Images for training: a folder of pictures becomes a dataset of pixels of one size, and fast access to its rows.

`train/` and `test/` hold Arrow files, one row an image: what it is called and its raw pixels. `images.json` beside them
says what all rows share. Nothing is decoded on the way: a batch is copied out of the memory map of the files.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from maquette.datasets.format import batches, column_bytes, sidecar_values
from maquette.datasets.images.crop import BACKGROUNDS, ImageOptions, crop_box, fit, fit_masked, parse_crop, parse_size
from maquette.datasets.images.files import ImageFile, Limits, find_images, open_image, open_masked
from maquette.datasets.resumable import (
    PARTS,
    Finished,
    assemble,
    claim,
    to_do,
    version,
    work,
    write_group,
)
from maquette.datasets.workers import cores
from maquette.errors import UserError
from maquette.events import Progress, Skipped
from maquette.extras import require
from maquette.io.atomic import atomic_path, write_bytes

__all__ = ["ImageInfo", "ImageOptions", "OpenedImages", "crop_box", "fit", "is_images", "open_images", "parse_crop",
           "parse_size", "prepare_images", "show_images", "split_by_name"]

SIDECAR = "images.json"
COLUMNS = ("id", "pixels", "height", "width", "channels")
FORMAT = 1
"""Changes when the rows of the same options change."""
_GROUP = 64
"""Images that are written in one go: what an interruption can cost, per worker."""


@dataclass(frozen=True)
class ImageInfo:
    """What all rows of a dataset of images share; the content of `images.json`."""

    width: int
    height: int
    channels: int
    """1 for grey, 3 for RGB."""
    crop: str
    holdout: int
    source: str
    """The name of the folder that they were made from."""
    terms: str
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each split."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(id, reason) of each image that could not be prepared."""
    versions: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    """Of the options and images that the dataset was prepared with."""
    masks: bool = False
    """Whether the rows keep the masks of their objects."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image: (height, width) or (height, width, 3)."""
        return (self.height, self.width) + ((3,) if self.channels == 3 else ())

    @classmethod
    def load(cls, folder: str | Path) -> "ImageInfo":
        """Reads `images.json`.

        Raises:
            UserError: Where the folder is no prepared dataset of images.
        """
        file = Path(folder) / SIDECAR
        if not file.is_file():
            raise UserError(f"{folder} is not a prepared dataset of images: it has no {SIDECAR}",
                            hint="make one with: maquette data prepare images DIR --size 256x256 --out DIR")
        try:
            info = cls(**sidecar_values(cls, file))
            if info.channels not in (1, 3) or not all(isinstance(n, int) and n > 0 for n in info.shape):
                raise ValueError(f"images of shape {info.shape}")
            return info
        except (ValueError, TypeError, OSError) as error:
            raise UserError(f"cannot read {file}", error) from error


def is_images(path: str | Path) -> bool:
    """Whether a path is a prepared dataset of images."""
    return (Path(path) / SIDECAR).is_file()


class OpenedImages:
    """A prepared dataset of images, memory-mapped. Made by `open_images`. Rows: `train` before `test`.

    info: what all rows share. splits: str [n]. width, height, channels: as in `ImageInfo`.
    """

    what = "images"
    class_names: tuple[str, ...] = ()

    def __init__(self, path: Path, info: ImageInfo):
        self.path, self.info = path, info
        self.width, self.height, self.channels = info.width, info.height, info.channels
        self._files: list = []  # Arrow batches, kept so that their memory stays mapped
        self._pixels: list[tuple[np.ndarray, np.ndarray]] = []  # (offsets, bytes) of each block
        self._masks: list[tuple[np.ndarray, np.ndarray]] = []
        splits: list[str] = []
        columns = {"pixels": int(np.prod(info.shape))} | ({"mask": info.width * info.height} if info.masks else {})
        for split in ("train", "test"):
            for batch in batches(path / split, (*COLUMNS, *list(columns)[1:])):
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
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        block = int(np.searchsorted(self._start, index, "right")) - 1
        return block, int(index - self._start[block])

    def split(self, name: str) -> np.ndarray:
        """The rows of a split (`train` or `test`), int64 [m]."""
        return np.flatnonzero(self.splits == name)

    def pixels(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The images of some rows, uint8 [n, H, W] or [n, H, W, 3], a copy."""
        return self._copied(self._pixels, rows, self.info.shape)

    def masks(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The masks of the objects of some rows, uint8 [n, H, W]: the share of a pixel that the object covers, 255 for
        all of it.

        Raises:
            UserError: For a dataset that keeps none.
        """
        if not self.info.masks:
            raise UserError(f"{self.path} keeps no masks of its objects", hint="prepare it again with --masks")
        return self._copied(self._masks, rows, self.info.shape[:2])

    def _copied(self, blocks: list, rows: Sequence[int] | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """What a column holds for some rows, uint8 [n, *shape]."""
        size = int(np.prod(shape))
        result = np.empty((len(rows), size), np.uint8)
        for place, index in enumerate(rows):
            block, local = self._place(int(index))
            offsets, data = blocks[block]
            begin = int(offsets[local])
            result[place] = data[begin : begin + size]
        return result.reshape(len(rows), *shape)

    def id(self, index: int) -> str:
        """The name of a row."""
        block, local = self._place(int(index))
        return self._files[block].column("id")[local].as_py()

    @property
    def ids(self) -> list[str]:
        """The names of all rows."""
        return [name for batch in self._files for name in batch.column("id").to_pylist()]

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of use, with the name of the folder that they hold for."""
        return (f"{self.info.source}: {self.info.terms}",)


def open_images(path: str | Path, info: ImageInfo | None = None) -> OpenedImages:
    """Opens a prepared dataset of images; nothing is read until it is asked for.

    Args:
        info: What all rows share, where that is known already.

    Raises:
        UserError: Where it is none.
    """
    return OpenedImages(Path(path), info or ImageInfo.load(path))


def show_images(path: str | Path, sheet: str | Path, *, count: int = 64, seed: int = 0) -> dict[str, object]:
    """What a prepared dataset of images holds, by name; `count` random ones of it are drawn to `sheet`, a PNG."""
    data = open_images(path)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:count])
    across = int(np.ceil(np.sqrt(len(chosen) * data.height / data.width)))
    scale = min(1.0, 160 / max(data.width, data.height))
    cell = max(1, round(data.width * scale)), max(1, round(data.height * scale))
    canvas = Image.new("RGB", (across * cell[0], -(-len(chosen) // across) * cell[1]), "white")
    for place, pixels in enumerate(data.pixels(chosen)):
        canvas.paste(Image.fromarray(pixels).resize(cell, Image.Resampling.LANCZOS).convert("RGB"),
                     (place % across * cell[0], place // across * cell[1]))
    with atomic_path(sheet) as unfinished:
        canvas.save(unfinished, format="PNG")
    info = data.info
    return {
        "images": len(data), "splits": dict(info.counts), "size": f"{info.width}x{info.height}",
        "colour": "grey" if info.channels == 1 else "RGB", "crop": info.crop, "skipped": len(info.skipped),
        **({"masks": "kept"} if info.masks else {}), "terms": info.terms, "sheet": str(sheet),
    }


def split_by_name(files: Sequence[ImageFile], holdout: int) -> dict[str, list[ImageFile]]:
    """`train` and `test`: the `holdout` images whose names have the smallest hash are for testing.

    The split depends on the names alone, not on their order; an image that is added changes it by one image at most.
    """
    by_hash = sorted(files, key=lambda file: hashlib.sha256(file.id.encode()).digest())
    held = {file.id for file in by_hash[:holdout]}
    return {"train": [f for f in files if f.id not in held], "test": [f for f in files if f.id in held]}


def finished(out: Path, fingerprint: str) -> Finished | None:
    """What was made here before with the same options and images, None where nothing was finished.

    Raises:
        UserError: Where the dataset is another one.
    """
    if not is_images(out):
        return None
    info = ImageInfo.load(out)
    if info.fingerprint != fingerprint:
        raise UserError(f"{out} holds images that were made otherwise",
                        hint="choose another folder, or delete this one")
    shutil.rmtree(out / PARTS, ignore_errors=True)
    return Finished(out, sum(info.counts.values()), info.skipped)


def prepare_images(
    folder: str | Path,
    out: str | Path,
    *,
    size: str = "256x256",
    crop: str = "centre",
    grey: bool = False,
    holdout: int = 16,
    keep_names: bool = False,
    terms: str = "",
    bits: int = 0,
    max_megapixels: float = 100.0,
    masks: str = "",
    background: str = "white",
    margin: float = 0.1,
    workers: int | None = None,
) -> Iterator[Progress | Skipped | Finished]:
    """Prepares a folder of images for training, step by step as the events are asked for.

    The last event is Finished.

    Args:
        folder: Pictures and DICOM files, folders in it included.
        out: The folder to make; run again with the same options it goes on where it stopped, and when it is finished
            there is nothing to do.
        size: Width x height of the rows in pixels.
        crop: See `crop_box`, or `object`.
        grey: One channel.
        holdout: So many images are for testing, see `split_by_name`; those of them that cannot be read are not
            replaced.
        masks: `alpha`, or a folder of masks (`image_files.open_masked`): the objects are laid on the background (white,
            grey or black) and the rows keep their masks.
        margin: About the object that `crop` object puts in the middle, as a share of its longer side; it is found by
            its mask, or on its plain background where there is none.
        keep_names: See `find_images`.
        terms: Of the images' use, for the README.
        bits: See `Limits`.
        max_megapixels: See `bits`.
        workers: Processes; all cores unless said, 1 works in this process.

    Raises:
        UserError: For options that cannot be, for an `out` that holds something else, where no image at all can be
            prepared, and where the disk is full (free some space and run it again).
    """
    folder, out = Path(folder), Path(out)
    width, height = parse_size(size)
    parse_crop(crop)
    if holdout < 0:
        raise UserError("holdout must be 0 or more", holdout)
    if workers is not None and workers < 1:
        raise UserError("workers must be 1 or more", workers)
    if not 0 <= margin <= 10:
        raise UserError("margin must be from 0 to 10", margin)
    if background not in BACKGROUNDS:
        raise UserError(f"background must be {', '.join(BACKGROUNDS)}", repr(background))
    if background != "white" and not masks:
        raise UserError("a background is for objects with masks", repr(background), "say where the masks are: --masks")
    if masks not in ("", "alpha") and not Path(masks).is_dir():
        raise UserError(f"no folder {masks} with masks", hint="or --masks alpha, for the images' own alpha channel")
    limits = Limits(int(max_megapixels * 1e6), bits)
    options = ImageOptions(width, height, grey, "centre" if crop == "center" else crop, limits.max_pixels, bits, masks,
                           background, margin)
    files = find_images(folder, keep_names=keep_names)
    if masks not in ("", "alpha"):  # masks in a folder of the folder are no images
        files = [file for file in files if not file.path.resolve().is_relative_to(Path(masks).resolve())]
    if len(files) <= holdout:
        raise UserError(f"holding out {holdout} images leaves none to learn from",
                        f"{len(files)} image{'s' if len(files) > 1 else ''}", "lower --holdout")
    split = split_by_name(files, holdout)
    told = _deciding(options) | {"holdout": holdout, "images": len(files)}
    content = json.dumps([FORMAT, told, [[f.id, f.path.stat().st_size] for f in files]])
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
    if whole := finished(out, fingerprint):
        yield whole
        return
    claim(out, fingerprint, told)
    group = int(np.clip(2**28 // (width * height * (1 if grey else 3)), 1, _GROUP))
    groups = {f"{name}-{number:05d}": chosen[start : start + group] for name, chosen in split.items()
              for number, start in enumerate(range(0, len(chosen), group))}
    todo, done = to_do(out / PARTS, groups)
    for file, reason, ready in work(todo, partial(_make, options=options), workers or cores()):
        done += 1
        if ready is not None:
            write_group(out / PARTS, *ready, features(bool(masks)).arrow_schema)
        yield Progress("preparing", done, len(files)) if reason is None else Skipped(file.id, reason, done, len(files))
    counts, skipped = assemble(out, list(groups), features(bool(masks)), fingerprint, "no image")
    info = ImageInfo(
        width=width, height=height, channels=1 if grey else 3, crop=options.crop, holdout=holdout,
        source=folder.resolve().name, terms=terms or "as their owner says", counts=counts, skipped=skipped,
        versions={package: version(package) for package in ("maquette", "datasets", "pillow", "pydicom", "numpy")},
        fingerprint=fingerprint, masks=bool(masks),
    )
    write_bytes(out / "README.md", _readme(info).encode())
    write_bytes(out / SIDECAR, (json.dumps(asdict(info), indent=2) + "\n").encode())
    shutil.rmtree(out / PARTS, ignore_errors=True)
    yield Finished(out, sum(counts.values()), skipped)


def features(masks: bool = False):
    """The columns as `datasets.Features`; `pixels` are the raw bytes of uint8 [H, W] or [H, W, 3], C order.

    Args:
        masks: With a column `mask`, the raw bytes of uint8 [H, W].
    """
    require("datasets", "train")
    from datasets import Features, Value

    number = Value("int32")
    columns = {"id": Value("string"), "pixels": Value("binary"), "height": number, "width": number, "channels": number}
    return Features(columns | ({"mask": Value("binary")} if masks else {}))


def _deciding(options: ImageOptions) -> dict:
    """The options that decide the rows, without those that came later where they are unset: what it was before."""
    told = asdict(options) | {"masks": Path(options.masks).name}
    if not options.masks:
        del told["masks"], told["background"]
    if options.crop != "object":
        del told["margin"]
    return told


def _make(file: ImageFile, options: ImageOptions) -> tuple[list[dict] | None, str | None]:
    """(one row, None), or (None, why there is none)."""
    limits, mask = Limits(options.max_pixels, options.bits), {}
    try:
        if options.masks:
            fitted, alpha = fit_masked(*open_masked(file, limits, options.masks), options)
            mask = {"mask": alpha.tobytes()}
        else:
            pixels, _ = open_image(file, limits)
            fitted = fit(pixels, options)
    except UserError as error:
        return None, str(error) if file.id in str(error) else f"{file.id}: {error}"
    except Exception as error:  # one strange file among thousands must not end the others
        return None, f"{file.id}: {type(error).__name__}"
    return [{"id": file.id, "pixels": fitted.tobytes(), "height": options.height, "width": options.width,
             "channels": 1 if options.grey else 3, **mask}], None


def _readme(info: ImageInfo) -> str:
    shape = "[height, width]" if info.channels == 1 else "[height, width, 3]"
    rows = ", ".join(f"{count} in `{split}`" for split, count in info.counts.items())
    skipped = "\n".join(f"- {reason}" for _, reason in info.skipped) or "none"
    return f"""# Images of {info.source}
{info.width} wide and {info.height} high, {"grey" if info.channels == 1 else "RGB"}; {rows}; crop: {info.crop}.
The {info.holdout} images whose names have the smallest SHA-256 are held out for testing.

Terms of use: {info.terms}

The rows hold names and pixels and nothing else of the files: no EXIF, no DICOM fields. Names of pictures that are not
DICOM are the files' own, and what is written in the pixels is still there: look at both before you pass this on.

```python
from datasets import load_from_disk
import numpy as np
row = load_from_disk("this folder")["train"][0]
image = np.frombuffer(row["pixels"], np.uint8).reshape({info.shape})  # {shape}
```

Skipped:
{skipped}
"""
