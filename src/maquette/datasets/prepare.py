"""Prepares datasets: any source of shapes becomes a folder of voxels and rendered views, on all cores, and resumable.

The shapes are made in fixed groups, each written whole into `OUT/.parts/` under its final name or not at all. When all
groups are there they are moved into place and described, which copies nothing. The views of a shape depend only on the
seed and on its own id, so that neither the number of workers nor an interruption changes the result.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from maquette.datasets import orientations as turning
from maquette.datasets.arrow import Features
from maquette.datasets.format import SIDECAR, Info, arrow_schema, features, is_prepared
from maquette.datasets.item import Item
from maquette.datasets.opened import OpenedData, open_dataset
from maquette.datasets.private import write_private_names
from maquette.datasets.resumable import (
    MAX_COUNT,
    PARTS,
    Finished,
    Group,
    Rows,
    assemble,
    claimed,
    make_groups,
    unfinished_groups,
    version,
    write_group,
)
from maquette.datasets.rows import RowOptions, make_rows
from maquette.datasets.sources import is_generated, items_of, terms_of
from maquette.datasets.workers import cores as _cores
from maquette.errors import UserError
from maquette.events import Note, Progress, Skipped
from maquette.io.atomic import write_bytes

__all__ = ["Finished", "OpenedData", "open_dataset", "prepare"]

_GROUP = 64
"""Shapes that are written in one go; an interruption costs each worker so many at most."""
FORMAT = 3
"""Changes when the same options give other rows."""


def prepare(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    resolution: int = 32,
    views: int = 0,
    view_size: int = 128,
    channels: int = 1,
    count: int | None = None,
    seed: int = 0,
    kinds: Sequence[str] = ("photo", "pencil"),
    backgrounds: str | Path | None = None,
    workers: int | None = None,
    split: str | None = None,
    frontal: float = 0.4,
    scans: int = 0,
    orientations: int = 1,
    up: str = "z",
    keep_names: bool = False,
    name: str = "",
) -> Iterator[Note | Progress | Skipped | Finished]:
    """Prepares a dataset, step by step as the events are asked for; the caller stops by asking for no more.

    Yields Progress or Skipped for each shape, Notes, and Finished at the end. The dataset names no file of the user's:
    the shapes of a folder are called by their class and a hash of their content, and a table beside the dataset, not in
    it, says which is which.

    Args:
        source: `furniture`, a ModelNet `.npz` or tree, an IKEA folder, a furniture library (`.sh3f`) or a folder of
            them, a folder of meshes and grids, or several of these.
        out: The folder to make. Run again with the same options it goes on where it stopped; when it is finished there
            is nothing to do.
        resolution: Voxels a side, 4 to 512.
        views: Views of each shape; 0 for none.
        view_size: Pixels a side of a view, 16 to 1024.
        channels: Of a view, 1 for grey or 3 for RGB.
        count: The most shapes, spread evenly over the source; for furniture how many are made, 1,000 by default.
        seed: Of the furniture, the views and the scans.
        kinds: The kinds of views that are drawn from, see `maquette.rendering.views.KINDS`.
        backgrounds: A folder of pictures for the backgrounds of photo views.
        workers: Processes; by default one for each core. 1 works in this process.
        split: Prepares only `train` or only `test`; None for both.
        frontal: The share of photo views from near the front, 0 to 1; the others are from any side.
        scans: Partial grids of each shape, each with what one depth camera sees (`maquette.scans`).
        orientations: Orientations about z in which each shape is prepared, a row each: 1, 2, 3, 4, 6 or 12. More than 1
            only without views and scans. `count` and the events count shapes, not rows.
        up: The axis that points up in the meshes of a folder, `z` or `y` (`maquette.datasets.sources.meshes.read`).
        keep_names: Calls the shapes of a folder by the paths of their files, also in the dataset.
        name: What trained models call shapes of the user's own, and the class of those that lie in no folder of one.

    Raises:
        UserError: If an option is out of range, if `out` holds something else or another command works on it, if no
            shape at all can be prepared, and if the disk is full (free some space and run it again).
    """
    out = Path(out)
    pictures = str(backgrounds) if backgrounds else None
    options = RowOptions(resolution, views, view_size, channels, tuple(kinds), pictures, seed, frontal, scans,
                         orientations, up)
    _check(options, count, workers, split)
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    items = items_of(sources, count=count, seed=seed, split=split, up=up, keep_names=keep_names, name=name)
    if orientations > 1:
        _refuse_turned(items)
    class_names = tuple(sorted({item.label for item in items}))
    names = [[item.id, item.label, item.split] for item in items]
    unset = (("scans", 0), ("orientations", 1), ("up", "z"))
    deciding = {name: value for name, value in asdict(options).items() if (name, value) not in unset}
    if name:
        deciding["name"] = name
    content = json.dumps([FORMAT, deciding, names])  # without newer options at their defaults: older sets stay valid
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
    parts = out / PARTS
    if is_prepared(out):
        info = Info.load(out)
        if info.fingerprint != fingerprint:
            different = _difference(info, options, len(items))
            raise UserError(f"{out} holds a dataset that was prepared otherwise", different,
                            "choose another folder, or delete this one")
        shutil.rmtree(parts, ignore_errors=True)
        yield Finished(out, sum(info.counts.values()), info.skipped)
        return
    named = asdict(options) | {"kinds": list(options.kinds), "shapes": len(items), "name": name}
    with claimed(out, fingerprint, named):
        own = [(item.id, item.file) for item in items if item.file is not None]
        if own:
            table = write_private_names(out, own)
            yield Note(f"{table} says which shape is which file; it is for you alone. The classes go into models by "
                       f"their names: {', '.join(class_names)}")
        groups = _groups(items, options)
        unfinished, done = unfinished_groups(parts, groups)
        schema = arrow_schema(class_names, bool(scans))
        for item, reason, ready in make_groups(unfinished, partial(_make, options=options), workers or _cores()):
            done += 1
            if ready is not None:
                rows = [row | {"label": class_names.index(row["label"])} for row in ready.rows]
                write_group(parts, Group(ready.name, rows, ready.skipped), schema)
            yield (Progress("preparing", done, len(items)) if reason is None
                   else Skipped(item.id, _told(item, reason), done, len(items)))
        whole = _assemble(out, list(groups), class_names, options, sources, name, fingerprint)
    shutil.rmtree(parts, ignore_errors=True)
    yield whole


def _check(options: RowOptions, count: int | None, workers: int | None, split: str | None) -> None:
    if not 4 <= options.resolution <= 512:
        raise UserError("resolution must be from 4 to 512", options.resolution)
    if options.views < 0:
        raise UserError("views must be 0 or more", options.views)
    if options.scans < 0:
        raise UserError("scans must be 0 or more", options.scans)
    if not 16 <= options.view_size <= 1024 and (options.views or options.view_size):
        raise UserError("view_size must be from 16 to 1024", options.view_size)
    if options.channels not in (1, 3):
        raise UserError("channels must be 1 (grey) or 3 (RGB)", options.channels)
    if not 0 <= options.frontal <= 1:
        raise UserError("frontal must be from 0 to 1", options.frontal)
    if count is not None and count < 1:
        raise UserError("count must be 1 or more", count)
    if count is not None and count > MAX_COUNT:
        raise UserError(f"count must be at most {MAX_COUNT:,}", count)
    if options.seed < 0:
        raise UserError("seed must be 0 or more", options.seed)
    if options.views and not options.kinds:
        raise UserError("kinds must name one kind of view at least", hint="photo, pencil")
    if options.views:
        from maquette.rendering.views import KINDS

        unknown = sorted(set(options.kinds) - set(KINDS))
        if unknown:
            raise UserError(f"kinds must be among {', '.join(KINDS)}", ", ".join(unknown))
    if options.backgrounds and not Path(options.backgrounds).is_dir():
        raise UserError(f"no folder {options.backgrounds} with pictures for the backgrounds")
    if workers is not None and workers < 1:
        raise UserError("workers must be 1 or more", workers)
    if split not in (None, "train", "test"):
        raise UserError("split must be 'train' or 'test'", repr(split))
    turning.check("orientations", options.orientations)
    if options.orientations > 1 and (options.views or options.scans):
        raise UserError("shapes in several orientations have neither views nor scans, which turn with them",
                        f"{options.orientations} orientations, {options.views} views and {options.scans} scans",
                        "leave orientations at 1")


def _refuse_turned(items: list[Item]) -> None:
    """Refuses shapes whose names say that they are turned already."""
    for item in items:
        if turning.shape_id(item.id) != item.id:
            raise UserError("a shape of the source is named as one that was turned already", item.id,
                            "prepare what it was made from, or leave orientations at 1")


def _difference(info: Info, options: RowOptions, count: int) -> str:
    """In which options a finished dataset differs from what is asked for."""
    shapes = sum(info.counts.values()) // max(info.orientations, 1) + len(info.skipped)
    theirs = {"resolution": info.resolution, "views": info.views, "view_size": info.view_size, "scans": info.scans,
              "orientations": info.orientations, "up": info.up, "seed": info.seed, "channels": info.channels,
              "kinds": list(info.kinds), "shapes": shapes}
    ours = asdict(options) | {"kinds": list(options.kinds), "shapes": count}
    differ = [f"{name} {was} there and {ours[name]} here" for name, was in theirs.items() if was != ours[name]]
    return "; ".join(differ) or "other shapes or backgrounds"


def _groups(items: list[Item], options: RowOptions) -> dict[str, list[Item]]:
    """The items in groups of at most _GROUP of one split, by the name of the group: `train-00003`."""
    volumes = (options.orientations + options.scans) * options.resolution**3 // 8
    row = volumes + options.views * options.view_size**2 * options.channels
    size = int(np.clip(2**28 // max(row, 1), 1, _GROUP))
    groups = {}
    for split in ("train", "test"):
        chosen = [item for item in items if item.split == split]
        for number, start in enumerate(range(0, len(chosen), size)):
            groups[f"{split}-{number:05d}"] = chosen[start : start + size]
    return groups


def _make(item: Item, options: RowOptions) -> Rows:
    """(rows, None), or (None, why there are none)."""
    try:
        return make_rows(item, options), None
    except UserError as error:
        return None, item.unnamed(str(error))
    except Exception as error:  # one strange file among thousands must not end the others
        return None, item.unnamed(f"{type(error).__name__}: {error}")


def _told(item: Item, reason: str) -> str:
    """Why a shape was skipped, as its owner is told at once: with the name of its file, which is kept nowhere."""
    return reason if item.file is None else reason.replace(item.id, str(item.file))


def _assemble(
    out: Path,
    groups: Sequence[str],
    class_names: tuple[str, ...],
    options: RowOptions,
    sources: Sequence[str | Path],
    name: str,
    fingerprint: str,
) -> Finished:
    """Moves the written groups to where `datasets` expects them and describes them, the sidecar last."""
    columns: Features = features(class_names, bool(options.scans))
    counts, skipped = assemble(out, groups, columns, fingerprint, "no shape")
    packages = ("maquette", "datasets", "trimesh", "numpy")
    info = Info(
        resolution=options.resolution,
        views=options.views,
        view_size=options.view_size,
        channels=options.channels,
        kinds=options.kinds,
        class_names=class_names,
        scans=options.scans,
        orientations=options.orientations,
        up=options.up,
        seed=options.seed,
        sources=tuple(str(source) if is_generated(source) else "shapes" for source in sources),
        terms=terms_of(sources, name),
        counts=counts,
        skipped=skipped,
        versions={package: version(package) for package in packages},
        fingerprint=fingerprint,
    )
    write_bytes(out / SIDECAR, info.to_json().encode())
    return Finished(out, sum(counts.values()), skipped)
