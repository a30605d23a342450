"""Preparing: any source of shapes becomes a folder of voxels and rendered views, on all cores, and resumable.

The shapes are done in fixed groups, each written whole into `OUT/.parts/` under its final name or not at all. When all
are there they are moved into place and described, which copies nothing. Each shape's views depend on the seed and its
own id only, so that neither the number of workers nor an interruption changes the result.
"""

import errno
import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from maquette.data import Item
from maquette.data import orientations as turning
from maquette.data.row import Options, make_rows
from maquette.data.sources import items_of, terms_of
from maquette.data.store import SIDECAR, Info, OpenedData, arrow_schema, features, is_prepared, open_dataset
from maquette.errors import UserError
from maquette.files import atomic_path, write_bytes

__all__ = ["Finished", "OpenedData", "Prepared", "Skipped", "open_dataset", "prepare"]

_PARTS = ".parts"
_GROUP = 64
"""Shapes that are written in one go: what an interruption can cost, per worker."""
FORMAT = 2
"""Changes when the rows of the same options change."""


@dataclass(frozen=True)
class Prepared:
    """A shape is done."""

    id: str
    done: int
    """Shapes behind us in this preparation, the skipped and those of an earlier run among them."""
    total: int


@dataclass(frozen=True)
class Skipped:
    """A shape cannot be prepared; the others go on."""

    id: str
    reason: str
    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """The dataset is whole."""

    path: Path
    count: int
    """Rows of the dataset."""
    skipped: tuple[tuple[str, str], ...]
    """(id, reason) of what is not in it, earlier runs of the same preparation included."""


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
) -> Iterator[Prepared | Skipped | Finished]:
    """Prepares a dataset, step by step as the events are asked for; not asking for more is stopping.

    source: `furniture`, a ModelNet `.npz` or tree, an IKEA folder, a folder of meshes and grids, or several of these.
    out: the folder to make. Run again with the same options it goes on where it stopped; when it is finished there is
        nothing to do.
    resolution: voxels a side. views, view_size, channels: how many views of each shape, of how many pixels a side, 1
        for grey or 3 for RGB. kinds: the kinds of views that are drawn from. backgrounds: a folder of pictures for
        photo views.
    count: shapes at most, spread over the source; for furniture how many are made (1,000 unless said).
    scans: how many partial grids of each shape, as one depth camera sees it (`maquette.scan`).
    orientations: in how many orientations about z each shape is prepared, 1, 2, 3, 4, 6 or 12 (`data.orientations`), a
        row each; only where there are neither views nor scans. `count` and the events count shapes, not rows.
    up: `z` or `y`, the axis that points up in the meshes of a folder (`maquette.data.meshes.read`).
    seed: of the furniture, of the views and of the scans. split: prepare this one alone (`train` or `test`).
    frontal: the share of photo views from near the front, the others being from any side.
    workers: processes; all cores unless said, 1 works in this process.

    The last event is Finished. Raises UserError for options that cannot be, for an `out` that holds something else,
    where no shape at all can be prepared, and where the disk is full (free some space and run it again).
    """
    out = Path(out)
    _check(resolution, views, view_size, channels, count, seed, kinds, backgrounds, workers, split, scans)
    turning.check("orientations", orientations)
    if orientations > 1 and (views or scans):
        raise UserError("shapes in several orientations have neither views nor scans, which turn with them",
                        f"{orientations} orientations, {views} views and {scans} scans", "leave orientations at 1")
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    backgrounds = str(backgrounds) if backgrounds else None
    options = Options(resolution, views, view_size, channels, tuple(kinds), backgrounds, seed, frontal, scans,
                      orientations, up)
    items = items_of(sources, count=count, seed=seed, split=split, up=up)
    if orientations > 1:
        _refuse_turned(items)
    label_names = tuple(sorted({item.label for item in items}))
    names = [[item.id, item.label, item.split] for item in items]
    unset = (("scans", 0), ("orientations", 1), ("up", "z"))
    deciding = {name: value for name, value in asdict(options).items() if (name, value) not in unset}
    content = json.dumps([FORMAT, deciding, names])  # without these what it was before there were any
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
    parts = out / _PARTS
    if is_prepared(out):
        info = Info.load(out)
        if info.fingerprint != fingerprint:
            different = _difference(info, options, len(items))
            raise UserError(f"{out} holds a dataset that was prepared otherwise", different,
                            "choose another folder, or delete this one")
        shutil.rmtree(parts, ignore_errors=True)
        yield Finished(out, sum(info.counts.values()), info.skipped)
        return
    _claim(out, parts, fingerprint, options, len(items))

    groups = _groups(items, options)
    done = 0
    todo = []
    for name, group in groups.items():
        if (parts / f"{name}.json").is_file() and (parts / f"{name}.arrow").is_file():
            done += len(group)
        else:
            todo.append((name, group))
    schema = arrow_schema(label_names, bool(scans))
    for event_item, skipped, ready in _work(todo, options, workers):
        done += 1
        if skipped is None:
            event = Prepared(event_item.id, done, len(items))
        else:
            event = Skipped(event_item.id, skipped, done, len(items))
        if ready is not None:
            _write_group(parts, *ready, label_names, schema)
        yield event
    yield _assemble(out, groups, label_names, options, sources, fingerprint)


def _check(resolution, views, view_size, channels, count, seed, kinds, backgrounds, workers, split, scans) -> None:
    if not 4 <= resolution <= 512:
        raise UserError("resolution must be from 4 to 512", resolution)
    if views < 0:
        raise UserError("views must be 0 or more", views)
    if scans < 0:
        raise UserError("scans must be 0 or more", scans)
    if views and not 16 <= view_size <= 1024:
        raise UserError("view_size must be from 16 to 1024", view_size)
    if channels not in (1, 3):
        raise UserError("channels must be 1 (grey) or 3 (RGB)", channels)
    if count is not None and count < 1:
        raise UserError("count must be 1 or more", count)
    if seed < 0:
        raise UserError("seed must be 0 or more", seed)
    if views and not kinds:
        raise UserError("kinds must name one kind of view at least", hint="photo, pencil")
    if views:
        from maquette.render.views import KINDS

        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            raise UserError(f"kinds must be among {', '.join(KINDS)}", ", ".join(unknown))
    if backgrounds and not Path(backgrounds).is_dir():
        raise UserError(f"no folder {backgrounds} with pictures for the backgrounds")
    if workers is not None and workers < 1:
        raise UserError("workers must be 1 or more", workers)
    if split not in (None, "train", "test"):
        raise UserError("split must be 'train' or 'test'", repr(split))


def _refuse_turned(items: list[Item]) -> None:
    for item in items:
        if turning.shape_id(item.id) != item.id:
            raise UserError("a shape of the source is named as one that was turned already", item.id,
                            "prepare what it was made from, or leave orientations at 1")


def _difference(info: Info, options: Options, count: int) -> str:
    shapes = sum(info.counts.values()) // max(info.orientations, 1) + len(info.skipped)
    theirs = {"resolution": info.resolution, "views": info.views, "view_size": info.view_size, "scans": info.scans,
              "orientations": info.orientations, "up": info.up, "seed": info.seed, "channels": info.channels,
              "kinds": list(info.kinds), "shapes": shapes}
    ours = asdict(options) | {"kinds": list(options.kinds), "shapes": count}
    differ = [f"{name} {was} there and {ours[name]} here" for name, was in theirs.items() if was != ours[name]]
    return "; ".join(differ) or "other shapes or backgrounds"


def _claim(out: Path, parts: Path, fingerprint: str, options: Options, count: int) -> None:
    """Makes the folder for parts, or finds that it belongs to this preparation."""
    note = parts / "options.json"
    if note.is_file():
        try:
            begun = json.loads(note.read_text(encoding="utf-8"))
            same = begun["fingerprint"] == fingerprint
        except (ValueError, KeyError, TypeError):
            begun, same = {}, False
        if not same:
            ours = asdict(options) | {"kinds": list(options.kinds), "shapes": count}
            differ = [f"{name} {begun[name]} there and {value} here" for name, value in ours.items()
                      if name in begun and begun[name] != value]
            raise UserError(f"{out} holds a preparation that was begun with other options",
                            "; ".join(differ) or "another source", "give the same options, or delete the folder")
        return
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file, not a folder", hint="choose another name for the dataset")
    if out.is_dir() and any(entry.name != _PARTS for entry in out.iterdir()):
        raise UserError(f"{out} is not empty", hint="choose a new folder for the dataset")
    write_bytes(note, json.dumps({"fingerprint": fingerprint, **asdict(options), "shapes": count}).encode())


def _groups(items: list[Item], options: Options) -> dict[str, list[Item]]:
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


def _work(todo, options: Options, workers: int | None):
    """Yields (item, reason to skip it or None, (group's name, rows, skips) when its group is complete or None)."""
    waiting = {name: len(group) for name, group in todo}
    rows: dict[str, dict[int, list[dict]]] = {name: {} for name in waiting}
    skips: dict[str, list[tuple[str, str]]] = {name: [] for name in waiting}
    for name, place, item, made, reason in _results(todo, options, workers):
        if reason is None:
            rows[name][place] = made
        else:
            skips[name].append((item.id, reason))
        waiting[name] -= 1
        ready = None
        if not waiting[name]:
            done = rows.pop(name)
            ready = (name, [row for k in sorted(done) for row in done[k]], skips.pop(name))
        yield item, reason, ready


def _results(todo, options: Options, workers: int | None):
    jobs = ((name, place, item) for name, group in todo for place, item in enumerate(group))
    total = sum(len(group) for _, group in todo)
    workers = min(workers or _cores(), max(1, total))
    if workers == 1:
        for name, place, item in jobs:
            yield name, place, item, *_make(item, options)
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)
        try:
            running = {}
            while True:
                while len(running) < workers * 4 and (job := next(jobs, None)) is not None:
                    running[pool.submit(_make, job[2], options)] = job
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield *running.pop(future), *future.result()
        except BrokenProcessPool as error:
            raise UserError("a worker process died, most often for want of memory",
                            hint="run it again with fewer --workers, what is done is kept; a script of your own needs "
                            "its work under if __name__ == '__main__'") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started in this block use one thread each."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    import cv2

    cv2.setNumThreads(1)


def _make(item: Item, options: Options) -> tuple[list[dict] | None, str | None]:
    """(rows, None), or (None, why there are none)."""
    try:
        return make_rows(item, options), None
    except UserError as error:
        return None, str(error)
    except Exception as error:  # one strange file among thousands must not end the others
        return None, f"{type(error).__name__}: {error}"


def _write_group(parts: Path, name: str, rows: list[dict], skips: list, label_names: Sequence[str], schema) -> None:
    import pyarrow as pa

    rows = [row | {"label": label_names.index(row["label"])} for row in rows]
    try:
        with atomic_path(parts / f"{name}.arrow") as unfinished:
            with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
                stream.write_table(pa.Table.from_pylist(rows, schema=schema))
    except pa.ArrowException as error:
        raise UserError(f"cannot write {parts / name}", error) from error
    write_bytes(parts / f"{name}.json", json.dumps({"rows": len(rows), "skipped": skips}).encode())


def _assemble(out: Path, groups, label_names, options: Options, sources, fingerprint: str) -> Finished:
    """Moves the finished groups into the form of `datasets` and writes what describes them, the sidecar last."""
    from datasets import Dataset, DatasetDict

    parts = out / _PARTS
    notes = {name: json.loads((parts / f"{name}.json").read_text(encoding="utf-8")) for name in groups}
    skipped = tuple((id, reason) for note in notes.values() for id, reason in note["skipped"])
    counts = {"train": 0, "test": 0}
    files: dict[str, list[str]] = {"train": [], "test": []}
    for name, note in notes.items():
        if note["rows"]:
            counts[name.split("-")[0]] += note["rows"]
            files[name.split("-")[0]].append(name)
    counts = {split: n for split, n in counts.items() if n}
    if not counts:
        reason = f"{skipped[0][0]}: {skipped[0][1]}" if skipped else "the source is empty"
        shutil.rmtree(parts, ignore_errors=True)
        raise UserError("no shape could be prepared", reason)

    columns = features(label_names, bool(options.scans))
    empty = Dataset.from_dict({name: [] for name in columns}, features=columns)
    described = parts / "described"
    with _no_progress():
        DatasetDict(dict.fromkeys(counts, empty)).save_to_disk(described)
    try:
        for split in counts:
            folder = out / split
            folder.mkdir(exist_ok=True)
            names = []
            for number, name in enumerate(files[split]):
                names.append(f"data-{number:05d}-of-{len(files[split]):05d}.arrow")
                _place(parts / f"{name}.arrow", folder / names[-1])
            state = json.loads((described / split / "state.json").read_text(encoding="utf-8"))
            state |= {"_data_files": [{"filename": n} for n in names], "_fingerprint": fingerprint, "_split": split}
            write_bytes(folder / "dataset_info.json", (described / split / "dataset_info.json").read_bytes())
            write_bytes(folder / "state.json", json.dumps(state, indent=2).encode())
        write_bytes(out / "dataset_dict.json", (described / "dataset_dict.json").read_bytes())
    except OSError as error:
        hint = "free some space and run it again" if error.errno == errno.ENOSPC else ""
        raise UserError(f"cannot write {out}: {error.strerror}", hint=hint) from error
    packages = ("maquette", "datasets", "trimesh", "numpy")
    info = Info(
        resolution=options.resolution,
        views=options.views,
        view_size=options.view_size,
        channels=options.channels,
        kinds=options.kinds,
        label_names=tuple(label_names),
        scans=options.scans,
        orientations=options.orientations,
        up=options.up,
        seed=options.seed,
        sources=tuple(str(source) for source in sources),
        terms=terms_of(sources),
        counts=counts,
        skipped=skipped,
        versions={package: _version(package) for package in packages},
        fingerprint=fingerprint,
    )
    write_bytes(out / SIDECAR, info.to_json().encode())
    shutil.rmtree(parts, ignore_errors=True)
    return Finished(out, sum(counts.values()), skipped)


def _place(part: Path, final: Path) -> None:
    """The file under its final name too; the part stays until all is done, so an interruption here costs nothing."""
    if final.exists():
        return
    try:
        os.link(part, final)
    except OSError:  # a disk without hard links
        with atomic_path(final) as unfinished:
            shutil.copyfile(part, unfinished)


@contextmanager
def _no_progress() -> Iterator[None]:
    """Keeps `datasets` from drawing its own progress bars."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
