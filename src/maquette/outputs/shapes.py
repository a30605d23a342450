"""The verbs on files: a mesh, picture or sheet for each input, as events that name what was written and what failed.

Built on the verbs of `maquette.api`; like there, nothing prints or parses arguments.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from maquette.api.objects import complete, generate, write_object
from maquette.errors import UserError
from maquette.events import Event, Failed, Written
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import Dropped
from maquette.geometry.shape import Shape
from maquette.geometry.size import check_side, check_wall
from maquette.io.replacing import check_free, keep
from maquette.models.hub import DEFAULT_MODEL, ModelOrName, as_model
from maquette.models.predict import SCAN_MODEL, require_scans
from maquette.outputs.naming import (
    ENDINGS,
    TURNING,
    Preview,
    Targets,
    check_count,
    free_name,
    one_by_one,
    size_facts,
    size_words,
)
from maquette.outputs.turning import write_turning

if TYPE_CHECKING:
    from maquette.geometry.plain import PlainMesh


@runtime_checkable
class Reported(Protocol):
    """A finished object: what was left out of it, and whether it can be printed."""

    @property
    def dropped(self) -> Dropped:
        """Loose parts that were left out."""
        ...

    @property
    def report(self) -> Printability:
        """Whether it can be printed."""
        ...

    @property
    def solid(self) -> PlainMesh:
        """The mesh, in millimetres."""
        ...


@runtime_checkable
class Shaped(Protocol):
    """A finished object that was made of a grid."""

    @property
    def shape(self) -> Shape:
        """The grid."""
        ...


def complete_files(
    inputs: Iterable[str],
    out: str | Path,
    model: ModelOrName = SCAN_MODEL,
    *,
    suffix: str = ".stl",
    preview: Preview = "no",
    intrinsics: str = "",
    depth_scale: float = 1000.0,
    azimuth_deg: float | None = None,
    elevation_deg: float | None = None,
    up: str | None = None,
    size_mm: float | None = None,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Event]:
    """Complete the scans in files and folders. A bad input is named, the others still done.

    Args:
        inputs: Depth pictures, point clouds, grids, or folders of them.
        out: A folder, or one file with a known suffix where there is one input.
        model: One that reads scans, or its name or folder.
        suffix: Of the files in a folder: a mesh's or a grid's.
        preview: Also a PNG of the scan's voxels beside the mesh.
        intrinsics: As `maquette.scans.read_intrinsics` reads them, or empty.
        depth_scale: As of `maquette.api.complete`, like all that follows.
        azimuth_deg: From where the camera looked; None: the model guesses.
        elevation_deg: Of the camera above the horizon; None: found from the floor.
        up: `z` for point clouds that stand upright already.
        size_mm: The longest side; None: the scan's own where it is metric, else 100.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Yields:
        How many there are, then one Written or Failed for each.

    Raises:
        UserError: For a model that reads no scans, for bad intrinsics, and for one file that several inputs would be
            written to.
    """
    from maquette.scans import find_scans, read_intrinsics

    model = require_scans(as_model(model))
    camera = read_intrinsics(intrinsics) if intrinsics else None
    if size_mm is not None:
        check_side(size_mm)
    check_wall(min_wall_mm)

    def completed(source: Path, targets: Targets) -> Iterator[Written]:
        started = time.perf_counter()
        paths = targets.of(source, suffix, *ENDINGS[preview])
        made = complete(
            source, model, intrinsics=camera, depth_scale=depth_scale, azimuth_deg=azimuth_deg,
            elevation_deg=elevation_deg, up=up, size_mm=size_mm, threshold=threshold, largest_part=largest_part,
            min_wall_mm=min_wall_mm,
        )
        made.save(paths[0])
        if preview != "no":
            from maquette.rendering import sheets as previews

            pixels = previews.blocks(made.scan.voxels, 320, *previews.SIDES["front"])
            previews.preview(pixels, made.mesh, paths[1], title=made.report.line())
        if preview == "html":
            write_turning(paths[2], made.solid, source.name, made.report.line())
        placement = made.scan.placement
        facts = {"scan": asdict(placement) if placement else {}, "metric": made.scan.metric,
                 "size_mm": _number(made.solid.extents.max())}
        notes = [placement.line()] if placement else []
        if made.scan.assumed and size_mm is None:
            notes.append(made.scan.assumed + ("" if made.scan.metric else ": made 100 mm long, or give --size-mm"))
        yield written_object(source, paths, made, facts, notes, started)

    yield from one_by_one(inputs, find_scans, out, completed)


def generate_image_files(
    out: str | Path, model: ModelOrName, *, count: int = 16, seed: int = 0, spread: float = 1.0
) -> Iterator[Written]:
    """New images, written as PNG with a sheet of the first 64.

    Args:
        out: The folder.
        model: One that makes images, or its name or folder.
        count: How many, 1 or more.
        seed: Of the latents.
        spread: Scales the latents' deviation.

    Yields:
        One Written a file.

    Raises:
        UserError: As `maquette.api.sample_images` does.
    """
    from PIL import Image

    from maquette.io.atomic import atomic_path
    from maquette.models.sampling import batches_of_images

    def write(path: Path, pixels: np.ndarray, line: str) -> Written:

        with atomic_path(path) as unfinished:
            Image.fromarray(pixels).save(unfinished, format="PNG")
        return Written(path.stem, (path,), line, {"output": [str(path)]})

    out, index = Path(out), 0
    check_count(count)
    names = [out / f"sample-{seed}-{index:03d}.png" for index in range(count)]
    check_free(*names, out / "sheet.png")
    first: list[np.ndarray] = []
    for made in batches_of_images(model, count, seed, spread=spread):
        first += list(made[: 64 - len(first)])
        for pixels in made:
            colour = "colour" if pixels.ndim == 3 else "grey"
            yield write(names[index], pixels, f"{pixels.shape[1]}x{pixels.shape[0]}, {colour}")
            index += 1
    from maquette.rendering import sheets as previews

    sheet = previews.montage(np.stack(first), 4 if len(first) <= 16 else 8)
    yield write(out / "sheet.png", sheet, f"{len(first)} samples")


def generate_files(
    out: str | Path,
    model: ModelOrName = DEFAULT_MODEL,
    *,
    count: int = 16,
    seed: int = 0,
    class_name: str = "",
    spread: float = 1.0,
    suffix: str = ".stl",
    size_mm: float = 100.0,
    largest_part: bool = True,
    preview: Preview = "no",
) -> Iterator[Written | Failed]:
    """New shapes, written with a sheet of them all, `sheet.png`. An empty one is named, the others still done.

    Args:
        out: The folder.
        model: One that makes shapes, or its name or folder.
        count: How many, 1 or more.
        seed: Of the latents.
        class_name: A class that the model knows, or empty for its own prior.
        spread: Scales the latents' deviation.
        suffix: Of the files: a mesh's or a grid's.
        size_mm: The longest side.
        largest_part: Leave out loose parts.
        preview: `html` for a page beside each mesh to turn it in; the sheet is there in any case.

    Yields:
        One Written or Failed a shape, and one Written for the sheet.

    Raises:
        UserError: As `maquette.api.generate` does.
    """
    from maquette.rendering import sheets as previews

    model, out = as_model(model), Path(out)
    check_side(size_mm)
    check_count(count)
    names = [f"{class_name or 'sample'}-{seed}-{index:03d}" for index in range(count)]
    endings = (suffix, *[TURNING] * (preview == "html"))
    check_free(*(out / f"{name}{ending}" for name in names for ending in endings), out / "sheet.png")
    meshes = []
    for name, shape in zip(names, generate(model, count, seed, class_name=class_name, spread=spread), strict=True):
        try:
            mesh, dropped = shape.solid(size_mm, largest_part)
            write_object(out / f"{name}{suffix}", shape, mesh)
        except UserError as error:
            yield Failed(name, str(error))
            continue
        meshes.append(mesh.trimesh())
        report = printability(mesh, fills_cube=shape.fills_cube)
        parts = (report.line(), size_words(out / f"{name}{suffix}", mesh), dropped.line(), shape.remark)
        line = "; ".join(part for part in parts if part)
        paths = [out / f"{name}{ending}" for ending in endings]
        if preview == "html":
            write_turning(paths[1], mesh, name, line)
        summary = {"output": [str(path) for path in paths], **size_facts(paths[0], mesh),
                   "parts_dropped": dropped.parts, "printable": report.ok}
        yield Written(name, tuple(paths), line, summary)
    if meshes:
        previews.contact_sheet(meshes, out / "sheet.png")
        yield Written("sheet", (out / "sheet.png",), f"{len(meshes)} samples", {"output": [str(out / "sheet.png")]})


def render_files(
    inputs: Iterable[str],
    out: str | Path,
    *,
    count: int = 8,
    kinds: tuple[str, ...] = ("photo", "pencil", "depth"),
    size_px: int = 256,
    channels: int = 1,
    seed: int = 0,
    backgrounds: str | None = None,
) -> Iterator[Written | Failed]:
    """Render views as PNG files, and beside them their cameras as JSON. A bad input is named, the others still done.

    Args:
        inputs: Mesh or grid files, or `furniture:KIND:SEED`.
        out: The folder.
        count: Views of each, 1 or more.
        kinds: Kinds of views, which take turns: photo, pencil, depth, silhouette.
        size_px: Pixels a side.
        channels: 1 grey, 3 RGB.
        seed: Of cameras, light and style.
        backgrounds: A folder of pictures for the backgrounds of photo views; None: procedural ones.

    Yields:
        One Written or Failed an input.

    Raises:
        UserError: For a count below 1.
    """
    from PIL import Image

    from maquette.datasets.sources import mesh_of
    from maquette.io.atomic import atomic_path, write_bytes
    from maquette.rendering.views import render_views

    check_count(count)
    keep(*inputs)
    out, taken = Path(out), set[str]()
    turns = [kinds[index % len(kinds)] for index in range(count if kinds else 0)]
    unshown = [kind for kind in dict.fromkeys(kinds) if kind not in turns]
    for source in inputs:
        stem = free_name(Path(source).stem.replace(":", "-"), taken)
        paths = [out / f"{stem}-{index:03d}-{kind}.png" for index, kind in enumerate(turns)]
        listing = out / f"{stem}-cameras.json"
        try:
            check_free(*paths, listing)
            views = render_views(mesh_of(source), count=count, size_px=size_px, seed=seed, kinds=kinds,
                                 channels=channels, backgrounds=backgrounds, in_turn=True)
            for pixels, target in zip(views.images, paths, strict=True):
                with atomic_path(target) as path:
                    Image.fromarray(pixels).save(path)
            cameras = [
                {"file": path.name, "kind": kind, **asdict(camera)}
                for path, kind, camera in zip(paths, views.kinds, views.cameras, strict=True)
            ]
            write_bytes(listing, json.dumps(cameras, indent=1).encode())
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        summary = {"input": source, "output": [str(path) for path in paths], "cameras": str(listing)}
        line = f"{len(paths)} view{'s' if len(paths) > 1 else ''} and {listing.name}"
        line += f"; none of kind {' or '.join(unshown)}: raise --count" if unshown else ""
        yield Written(source, (out,), line, summary)


def written_object(
    source: str | Path, paths: Sequence[Path], made: Reported, facts: dict, notes: Iterable[str],
    started: float,
) -> Written:
    """The event of one finished object.

    Args:
        source: The input.
        paths: What was written, the main file first.
        made: The object.
        facts: What the summary says of the input.
        notes: What the user may want to know, a short sentence each.
        started: `time.perf_counter` when the work on it began.
    """
    remark = made.shape.remark if isinstance(made, Shaped) else ""
    notes = [note for note in (made.dropped.line(), remark, *notes) if note]
    size = size_words(paths[0], made.solid)
    line = "; ".join([made.report.line(), *[size] * bool(size), *notes])
    facts = {**facts, **size_facts(paths[0], made.solid), **report_facts(made.report)}
    return written_solid(source, paths, line, facts, notes, started)


def report_facts(report: Printability) -> dict:
    """Whether a mesh can be printed, for a summary."""
    return {
        "watertight": report.watertight,
        "parts": report.parts,
        "volume_cm3": _number(report.volume_cm3),
        "thinnest_wall_mm": _number(report.thinnest_wall_mm),
        "printable": report.ok,
    }


def written_solid(
    source: str | Path, paths: Sequence[Path], line: str, facts: dict, notes: Iterable[str], started: float
) -> Written:
    """The event of what one input became, with its summary.

    Args:
        source: The input.
        paths: What was written, the main file first.
        line: What is said of it.
        facts: What the summary says besides.
        notes: What the user may want to know, a short sentence each.
        started: `time.perf_counter` when the work on it began.
    """
    summary = {
        "input": str(source),
        "output": [str(path) for path in paths],
        **facts,
        "notes": list(notes),
        "seconds": round(time.perf_counter() - started, 4),
    }
    return Written(str(source), tuple(paths), line, summary)


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
