"""The verbs on files: a mesh, picture or sheet for each input, as events that name what was written and what failed.

Built on the verbs of `maquette.api`; like there, nothing prints or parses arguments.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import trimesh

from maquette.api.objects import complete, generate, reconstruct, write_object
from maquette.datasets.sources import mesh_of
from maquette.errors import UserError
from maquette.events import Failed, Written
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import Dropped
from maquette.intake.pickup import find_inputs, read_picture
from maquette.io import formats
from maquette.models.hub import DEFAULT_MODEL, Model, ModelOrName, as_model
from maquette.models.predict import SCAN_MODEL, require_scans
from maquette.rendering import sheets as previews
from maquette.scans import find_scans, read_intrinsics

EXAMPLES = Path(__file__).parents[1] / "examples"


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


def reconstruct_files(
    inputs: Iterable[str],
    out: str | Path,
    model: ModelOrName = DEFAULT_MODEL,
    *,
    suffix: str = ".stl",
    preview: bool = False,
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Written | Failed]:
    """Reconstruct the pictures in files and folders. A bad input is named, the others still done.

    Args:
        inputs: Pictures, folders of pictures, or `-` for standard input.
        out: A folder, or one file with a known suffix where there is one input.
        model: One that reads pictures, or its name or folder.
        suffix: Of the files in a folder: a mesh's or a grid's.
        preview: Also a PNG of the picture beside the mesh from four sides.
        size_mm: The longest side.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Yields:
        How many there are, then one Written or Failed for each.

    Raises:
        UserError: For a model that is unknown, and for one file that several inputs would be written to.
    """
    model = as_model(model)
    out = Path(out)
    sources, failed, single = sources_of(inputs, find_inputs, out)
    yield len(sources) + len(failed)
    yield from failed
    taken: set[str] = set()
    for source in sources:
        started = time.perf_counter()
        try:
            made = reconstruct(
                source, model, size_mm=size_mm, threshold=threshold, largest_part=largest_part, min_wall_mm=min_wall_mm
            )
            stem = free_name("stdin" if str(source) == "-" else Path(source).stem, taken)
            target = out if single else out / f"{stem}{suffix}"
            paths = [made.save(target)]
            if preview:
                paths.append(target.with_name(f"{target.stem}.preview.png"))
                pixels = read_picture(source) if str(source) != "-" else _as_pixels(made.pickup.image)
                previews.preview(pixels, made.mesh, paths[1], title=made.report.line())
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        yield written_object(source, paths, made, {"kind": made.pickup.kind}, made.pickup.notes, started)


def complete_files(
    inputs: Iterable[str],
    out: str | Path,
    model: ModelOrName = SCAN_MODEL,
    *,
    suffix: str = ".stl",
    preview: bool = False,
    intrinsics: str = "",
    depth_scale: float = 1000.0,
    azimuth_deg: float | None = None,
    elevation_deg: float | None = None,
    up: str | None = None,
    size_mm: float | None = None,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Written | Failed]:
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
    model = require_scans(as_model(model))
    camera = read_intrinsics(intrinsics) if intrinsics else None
    out = Path(out)
    sources, failed, single = sources_of(inputs, find_scans, out)
    yield len(sources) + len(failed)
    yield from failed
    taken: set[str] = set()
    for source in sources:
        started = time.perf_counter()
        try:
            made = complete(
                source, model, intrinsics=camera, depth_scale=depth_scale, azimuth_deg=azimuth_deg,
                elevation_deg=elevation_deg, up=up, size_mm=size_mm, threshold=threshold, largest_part=largest_part,
                min_wall_mm=min_wall_mm,
            )
            target = out if single else out / f"{free_name(source.stem, taken)}{suffix}"
            paths = [made.save(target)]
            if preview:
                paths.append(target.with_name(f"{target.stem}.preview.png"))
                pixels = previews.blocks(made.scan.voxels, 320, *previews.SIDES["front"])
                previews.preview(pixels, made.mesh, paths[1], title=made.report.line())
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        placement = made.scan.placement
        facts = {"scan": asdict(placement) if placement else {}, "metric": made.scan.metric,
                 "size_mm": _number(made.mesh.extents.max())}
        yield written_object(source, paths, made, facts, (placement.line(),) if placement else (), started)


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
    first: list[np.ndarray] = []
    for made in batches_of_images(model, count, seed, spread=spread):
        first += list(made[: 64 - len(first)])
        for pixels in made:
            colour = "colour" if pixels.ndim == 3 else "grey"
            path = out / f"sample-{seed}-{index:03d}.png"
            yield write(path, pixels, f"{pixels.shape[1]}x{pixels.shape[0]}, {colour}")
            index += 1
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

    Yields:
        One Written or Failed a shape, and one Written for the sheet.

    Raises:
        UserError: As `maquette.api.generate` does.
    """
    model = as_model(model)
    out = Path(out)
    meshes = []
    for index, shape in enumerate(generate(model, count, seed, class_name=class_name, spread=spread)):
        name = f"{class_name or 'sample'}-{seed}-{index:03d}"
        try:
            mesh, dropped = shape.printable(size_mm, largest_part)
            write_object(out / f"{name}{suffix}", shape, mesh)
        except UserError as error:
            yield Failed(name, str(error))
            continue
        meshes.append(mesh)
        report = printability(mesh)
        line = "; ".join(part for part in (report.line(), dropped.line()) if part)
        summary = {"output": [str(out / f"{name}{suffix}")], "parts_dropped": dropped.parts, "printable": report.ok}
        yield Written(name, (out / f"{name}{suffix}",), line, summary)
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
        count: Views of each.
        kinds: Kinds of views, in turn: photo, pencil, depth, silhouette.
        size_px: Pixels a side.
        channels: 1 grey, 3 RGB.
        seed: Of cameras, light and style.
        backgrounds: A folder of pictures for the backgrounds of photo views; None: procedural ones.

    Yields:
        One Written or Failed an input.
    """
    from PIL import Image

    from maquette.io.atomic import atomic_path, write_bytes
    from maquette.rendering.views import render_views

    out, taken = Path(out), set[str]()
    for source in inputs:
        try:
            mesh = mesh_of(source)
            stem = free_name(Path(source).stem.replace(":", "-"), taken)
            views = render_views(
                mesh, count=count, size_px=size_px, seed=seed, kinds=kinds, channels=channels, backgrounds=backgrounds
            )
            paths = []
            for index, (pixels, kind) in enumerate(zip(views.images, views.kinds, strict=True)):
                paths.append(out / f"{stem}-{index:03d}-{kind}.png")
                with atomic_path(paths[-1]) as path:
                    Image.fromarray(pixels).save(path)
            cameras = [
                {"file": path.name, "kind": kind, **asdict(camera)}
                for path, kind, camera in zip(paths, views.kinds, views.cameras, strict=True)
            ]
            write_bytes(out / f"{stem}-cameras.json", json.dumps(cameras, indent=1).encode())
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        listing = out / f"{stem}-cameras.json"
        summary = {"input": source, "output": [str(path) for path in paths], "cameras": str(listing)}
        yield Written(source, (out,), f"{len(paths)} views and {listing.name}", summary)


def demo_files(out: str | Path, model: Model) -> Iterator[int | Written | Failed]:
    """Reconstruct the bundled examples, and lay them out on one sheet, sketch beside mesh.

    Args:
        out: The folder.
        model: One that reads pictures.

    Yields:
        How many files there will be, then one Written for each.
    """
    out = Path(out)
    sources = sorted(str(path) for path in EXAMPLES.glob("*.png"))
    yield len(sources) + 1
    cells: list[np.ndarray | trimesh.Trimesh] = []
    for source in sources:
        made = reconstruct(source, model)
        target = out / f"{Path(source).stem}.stl"
        formats.write_mesh(target, made.mesh)
        cells += [read_picture(source), made.mesh]
        yield Written(Path(source).name, (target,), made.report.line())
    picture = previews.contact_sheet(cells, out / "demo.png", columns=4, cell_px=240)
    yield Written("picture", (picture,), "each example beside its mesh")


def sources_of(inputs: Iterable[str], find: Callable, out: Path) -> tuple[list, list[Failed], bool]:
    """What is to be done.

    Args:
        inputs: As the user named them.
        find: The files in one of them; UserError for one that names none.
        out: A folder, or one file.

    Returns:
        The files, each once; a Failed for each input that names none; and whether `out` is one file.

    Raises:
        UserError: Where `out` is one file and there are several inputs.
    """
    sources, failed = [], []
    for path in inputs:
        try:
            sources += [source for source in find([path]) if source not in sources]
        except UserError as error:
            failed.append(Failed(str(path), str(error)))
    single = out.suffix.lower() in formats.MESHES + formats.GRIDS
    if single and len(sources) > 1:
        raise UserError(f"--out {out} is one file, but there are {len(sources)} inputs", hint="give a folder")
    return sources, failed, single


def written_object(
    source: str | Path, paths: list[Path], made: Reported, facts: dict, notes: Iterable[str],
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
    notes = [note for note in (made.dropped.line(), *notes) if note]
    line = "; ".join([made.report.line(), *notes])
    return written_solid(source, paths, line, {**facts, **report_facts(made.report)}, notes, started)


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
    source: str | Path, paths: list[Path], line: str, facts: dict, notes: Iterable[str], started: float
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


def free_name(stem: str, taken: set[str]) -> str:
    """The stem, or `STEM-2` and so on: the first name that is not taken, whatever its case; now it is taken."""
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.lower())
    return name


def _as_pixels(image: np.ndarray) -> np.ndarray:
    pixels = np.round(np.moveaxis(image, 0, -1) * 255).astype(np.uint8)
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
