"""Prepares datasets of images: a folder of pictures becomes a dataset of pixels of one size, resumable."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maquette.datasets.images.crop import BACKGROUNDS, ImageOptions, fit, fit_masked, parse_crop, parse_size
from maquette.datasets.images.files import (
    ImageFile,
    Limits,
    find_images,
    open_image,
    open_masked,
)
from maquette.datasets.images.format import SIDECAR, ImageInfo, features, is_images
from maquette.datasets.private import write_private_names
from maquette.datasets.resumable import (
    PARTS,
    Finished,
    Rows,
    assemble,
    claimed,
    make_groups,
    unfinished_groups,
    version,
    write_group,
)
from maquette.datasets.workers import cores
from maquette.errors import UserError
from maquette.events import Note, Progress, Skipped
from maquette.io.atomic import write_bytes

FORMAT = 2
"""Changes when the same options give other rows."""
_GROUP = 64
"""Images that are written in one go; an interruption costs each worker so many at most."""


def split_by_name(files: Sequence[ImageFile], holdout: int) -> dict[str, list[ImageFile]]:
    """The images of `train` and of `test`: those whose files' names have the smallest hashes are for testing.

    The split depends on these names alone, not on their order; one more image changes it by one image at most.

    Args:
        files: All images.
        holdout: How many are for testing.
    """
    by_hash = sorted(files, key=lambda file: hashlib.sha256(file.key.encode(errors="surrogateescape")).digest())
    held = {file.id for file in by_hash[:holdout]}
    return {"train": [f for f in files if f.id not in held], "test": [f for f in files if f.id in held]}


def finished(out: Path, fingerprint: str) -> Finished | None:
    """The result of an earlier run with the same options and images; None if none was finished.

    Args:
        out: The folder of the dataset.
        fingerprint: A hash of the options and the images.

    Raises:
        UserError: If the folder holds another dataset.
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
    name: str = "",
    terms: str = "",
    bits: int = 0,
    max_megapixels: float = 100.0,
    masks: str = "",
    background: str = "white",
    margin: float = 0.1,
    workers: int | None = None,
) -> Iterator[Note | Progress | Skipped | Finished]:
    """Prepares a folder of images for training, step by step as the events are asked for.

    Yields Progress or Skipped for each image, Notes, and Finished at the end.

    Args:
        folder: Pictures and DICOM files; subfolders are included.
        out: The folder to make. Run again with the same options it goes on where it stopped; when it is finished there
            is nothing to do.
        size: Width x height of the rows in pixels: `512x256`.
        crop: The part of each picture that is kept, see `crop_box`; or `object`, the object in the middle.
        grey: One channel instead of three.
        holdout: How many images are for testing, see `split_by_name`. One that cannot be read is not replaced.
        keep_names: Calls the images by the names of their files, see `find_images`. Otherwise a table beside the
            dataset, not in it, says which is which.
        name: What the README and trained models call the images; never the name of their folder.
        terms: The terms of use of the images, for the README.
        bits: Bits of deep greys that are used, see `Limits`.
        max_megapixels: Larger pictures are refused before they are decoded.
        masks: The source of the objects' masks: `alpha`, or a folder (see `open_masked`). The objects are laid on the
            background and the rows keep their masks. Empty for none.
        background: What objects with masks are laid on: white, grey or black.
        margin: Around the object that `crop` object puts in the middle, as a share of its longer side, 0 to 10. The
            object is found by its mask, or on its plain background if there is none.
        workers: Processes; by default one for each core. 1 works in this process.

    Raises:
        UserError: If an option is out of range, if `out` holds something else or another command works on it, if no
            image at all can be prepared, and if the disk is full (free some space and run it again).
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
    limits = Limits.of(max_megapixels, bits)
    options = ImageOptions(width, height, grey, "centre" if crop == "center" else crop, limits.max_pixels, bits, masks,
                           background, margin)
    files = find_images(folder, keep_names=keep_names)
    if masks not in ("", "alpha"):  # masks in a folder of the folder are no images
        files = [file for file in files if not file.path.resolve().is_relative_to(Path(masks).resolve())]
    if len(files) <= holdout:
        raise UserError(f"holding out {holdout} images leaves none to learn from",
                        f"{len(files)} image{'s' if len(files) > 1 else ''}", "lower --holdout")
    split = split_by_name(files, holdout)
    decisive = _decisive(options) | {"holdout": holdout, "images": len(files), **({"name": name} if name else {})}
    content = json.dumps([FORMAT, decisive, [[f.id, f.path.stat().st_size] for f in files]])
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
    if whole := finished(out, fingerprint):
        yield whole
        return
    with claimed(out, fingerprint, decisive):
        if not keep_names:
            table = write_private_names(out, ((file.id, file.path) for file in files))
            yield Note(f"{table} says which image is which file; it is for you alone, pass it on to nobody")
        group = int(np.clip(2**28 // (width * height * (1 if grey else 3)), 1, _GROUP))
        groups = {f"{name}-{number:05d}": chosen[start : start + group] for name, chosen in split.items()
                  for number, start in enumerate(range(0, len(chosen), group))}
        unfinished, done = unfinished_groups(out / PARTS, groups)
        for file, reason, ready in make_groups(unfinished, partial(_make, options=options), workers or cores()):
            done += 1
            if ready is not None:
                write_group(out / PARTS, ready, features(bool(masks)).arrow_schema)
            yield (Progress("preparing", done, len(files)) if reason is None
                   else Skipped(file.id, reason, done, len(files)))
        counts, skipped = assemble(out, list(groups), features(bool(masks)), fingerprint, "no image")
        info = ImageInfo(
            width=width, height=height, channels=1 if grey else 3, crop=options.crop, holdout=holdout,
            name=name, terms=terms or "as their owner says", counts=counts, skipped=skipped,
            versions={package: version(package) for package in ("maquette", "datasets", "pillow", "pydicom", "numpy")},
            fingerprint=fingerprint, masks=bool(masks),
        )
        write_bytes(out / "README.md", _readme(info).encode())
        write_bytes(out / SIDECAR, (json.dumps(asdict(info), indent=2) + "\n").encode())
    shutil.rmtree(out / PARTS, ignore_errors=True)
    yield Finished(out, sum(counts.values()), skipped)


def _decisive(options: ImageOptions) -> dict[str, Any]:
    """The options that decide the rows. Newer ones are left out while unset, so that older datasets stay valid."""
    decisive = asdict(options) | {"masks": Path(options.masks).name}
    if not options.masks:
        del decisive["masks"], decisive["background"]
    if options.crop != "object":
        del decisive["margin"]
    return decisive


def _make(file: ImageFile, options: ImageOptions) -> Rows:
    """(one row, None), or (None, why there is none)."""
    limits = Limits(options.max_pixels, options.bits)
    mask: dict[str, bytes] = {}
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
    return f"""# {f"Images of {info.name}" if info.name else "Images"}
{info.width} wide and {info.height} high, {"grey" if info.channels == 1 else "RGB"}; {rows}; crop: {info.crop}.
The {info.holdout} images whose files' names have the smallest SHA-256 are held out for testing.

Terms of use: {info.terms}

The rows hold pixels and nothing else of the files: no EXIF, no DICOM fields, and no name of a file or folder unless the
names were kept on purpose. What is written in the pixels is still there: look at it before you pass this on.

```python
from datasets import load_from_disk
import numpy as np
row = load_from_disk("this folder")["train"][0]
image = np.frombuffer(row["pixels"], np.uint8).reshape({info.shape})  # {shape}
```

Skipped:
{skipped}
"""
