"""The verbs on latents, written to files: meshes, latents, sheets and animations, as events.

Work that takes long yields `Progress` between the results. A latent is saved as `NAME.latent.npy`, which is an operand
again.
"""

import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Float

from maquette.api import latent_space
from maquette.api.objects import write_object
from maquette.errors import UserError
from maquette.events import Failed, Progress, Written
from maquette.geometry.printability import printability
from maquette.geometry.shape import Shape
from maquette.geometry.size import check_side
from maquette.io import formats
from maquette.io.atomic import write_bytes
from maquette.io.replacing import check_free, keep
from maquette.models.hub import Model
from maquette.outputs.naming import ENDINGS, MAX_COUNT, TURNING, Preview, Targets, size_facts, size_words
from maquette.outputs.turning import write_turning
from maquette.rendering import sheets as previews
from maquette.rendering.tiles import tile

if TYPE_CHECKING:
    from maquette.latents import Fit, Operand

ResultT = TypeVar("ResultT")
CELL_PX, PREVIEW_PX = 200, 320
"""Pixels a side of a picture in a sheet or an animation, and in a preview."""
FRAME_MS, ZOOM = 80, 1.1
"""Milliseconds of a frame of an animation, and how much nearer than usual shapes are seen in it."""
MAX_FRAMES = 240
"""Frames of an animation between two operands, at most."""


def interpolate_files(
    operands: Sequence[str],
    out: str | Path,
    model: Model,
    *,
    steps: int = 7,
    path: str = "straight",
    gif: bool = True,
    frames: int = 24,
    suffix: str = ".stl",
    size_mm: float = 100.0,
    largest_part: bool = True,
    preview: Preview = "no",
) -> Iterator[Progress | Written | Failed]:
    """Interpolate, and write a mesh and a latent for each step, `sheet.png` and `interpolation.gif`.

    Args:
        operands: As of `maquette.api.interpolate`.
        out: The folder.
        model: One that makes shapes.
        steps: Shapes a pair of operands, both ends among them.
        path: `straight` or `spherical`.
        gif: Whether there is an animation; it goes there and back.
        frames: Of the animation between two operands, at least; rounded up to a multiple of the steps between them.
        suffix: Of the shapes' files: a mesh's or a grid's.
        size_mm: The longest side.
        largest_part: Leave out loose parts.
        preview: `html`: also a page a shape to turn it in.

    Yields:
        Progress, and a Written or Failed a result.

    Raises:
        UserError: For options out of range, and as `maquette.api.interpolate` does.
    """
    from maquette.latents.arithmetic import latent_path
    from maquette.models.prior import decode

    if not 1 <= frames <= MAX_FRAMES:
        raise UserError(f"frames must be from 1 to {MAX_FRAMES}", frames)
    check_side(size_mm)
    out = Path(out)
    check_free(*way_paths(out, len(operands), steps, suffix, gif, preview))
    found = yield from result(latent_space.interpolate(operands, model, steps=steps, path=path))
    for index, (latent, shape) in enumerate(zip(found.latents, found.shapes, strict=True)):
        yield _written(out, step_name(index, len(found.shapes)), latent, shape, suffix, size_mm, largest_part,
                       preview=preview)
    between = -(-frames // (steps - 1)) if gif else 1
    latents = latent_path(model, [operand.latent for operand in found.operands], (steps - 1) * between + 1, path)
    drawn = (tile(grid, model.threshold, CELL_PX, ZOOM) for grid in decode(model, latents))
    yield from way_written(drawn, len(latents), between, steps, found.operands, out, gif)


def step_name(index: int, count: int) -> str:
    """What the files of a step on a way through latents are called: `step-03`.

    Args:
        index: From 0.
        count: Steps on the whole way.
    """
    return f"step-{index:0{max(2, len(str(count - 1)))}d}"


def way_paths(
    out: Path, operands: int, steps: int, suffix: str, gif: bool, preview: Preview = "no"
) -> list[Path]:
    """The files of a way through latents.

    Args:
        out: The folder.
        operands: What the way goes through.
        steps: Steps a pair of operands.
        suffix: Of the shapes' files.
        gif: Whether there is an animation.
        preview: Of the shapes.

    Raises:
        UserError: For more than `MAX_COUNT` shapes.
    """
    if steps * operands > MAX_COUNT:
        raise UserError(f"steps must give at most {MAX_COUNT:,} shapes", steps)
    count = max(operands - 1, 0) * max(steps - 1, 0) + 1
    endings = (suffix, ".latent.npy", *[TURNING] * (preview == "html"))
    names = [f"{step_name(index, count)}{ending}" for index in range(count) for ending in endings]
    return [out / name for name in (*names, "sheet.png", *["interpolation.gif"] * gif)]


def way_written(
    drawn: Iterable[np.ndarray], count: int, every: int, steps: int, operands: "Sequence[Operand]", out: Path, gif: bool
) -> Iterator[Progress | Written]:
    """The pictures of a way through latents: `sheet.png` of its steps, and `interpolation.gif`, there and back.

    Args:
        drawn: The pictures along the way, uint8 `[H, W, 3]`.
        count: How many they are.
        every: Every so-many-th is a step.
        steps: Steps a pair of operands; every `steps - 1`-th is an operand.
        operands: What the way goes through, for the captions.
        out: The folder.
        gif: Whether there is an animation.

    Yields:
        Progress, and a Written a file.
    """
    pictures = []
    for picture in drawn:
        pictures.append(picture)
        yield Progress("drawing", len(pictures), count)
    captions = [""] * len(pictures[::every])
    captions[:: steps - 1] = [short(operand.word) for operand in operands]
    sheet = previews.sheet_of_images(pictures[::every], out / "sheet.png", len(captions), CELL_PX, captions)
    yield sheet_written(sheet, f"{len(captions)} steps", operands)
    if gif:
        made = previews.animation(pictures, out / "interpolation.gif", FRAME_MS)
        count = 2 * len(pictures) - 2
        line = f"{count} frames, {count * FRAME_MS / 1000:.1f} s, {made.stat().st_size / 1000:.0f} kB"
        yield Written("animation", (made,), line, {"output": [str(made)], "frames": count})


def combine_files(
    expression: Sequence[str],
    out: str | Path,
    model: Model,
    *,
    suffix: str = ".stl",
    size_mm: float = 100.0,
    largest_part: bool = True,
    preview: Preview = "no",
) -> Iterator[Progress | Written | Failed]:
    """Combine, and write the mesh and the latent of the sum, and `sheet.png` with operands, signs and result.

    Args:
        expression: As of `maquette.api.combine`.
        out: The folder.
        model: One that makes shapes.
        suffix: Of the shape's file: a mesh's or a grid's.
        size_mm: The longest side.
        largest_part: Leave out loose parts.
        preview: `html`: also a page to turn the shape in.

    Yields:
        Progress, and a Written or Failed a result.

    Raises:
        UserError: As `maquette.api.combine` does.
    """
    from maquette.models.prior import decode

    check_side(size_mm)
    out = Path(out)
    pages = [out / f"combined{TURNING}"] if preview == "html" else []
    check_free(out / f"combined{suffix}", out / "combined.latent.npy", out / "sheet.png", *pages)
    found = yield from result(latent_space.combine(expression, model))
    operands = [operand for _, operand in found.terms]
    yield _written(out, "combined", found.latent, found.shape, suffix, size_mm, largest_part,
                   {"expression": " ".join(expression)}, preview=preview)
    grids = [*decode(model, np.stack([operand.latent for operand in operands])), found.shape.occupancy]
    pictures = [tile(grid, model.threshold, CELL_PX, ZOOM) for grid in grids]
    signs = [_sign(factor, first=not place) for place, (factor, _) in enumerate(found.terms)]
    captions = [*(short(operand.word) for operand in operands), "combined"]
    sheet = previews.equation(pictures, [*signs, "="], captions, out / "sheet.png", CELL_PX)
    yield sheet_written(sheet, f"{len(operands)} operands and the result", operands)


def project_files(
    inputs: Iterable[str],
    out: str | Path,
    model: Model,
    *,
    fit: "Fit",
    preview: Preview = "no",
    suffix: str = ".stl",
    size_mm: float = 100.0,
    largest_part: bool = True,
) -> Iterator[Progress | Written | Failed]:
    """Project each file, and write `NAME-projected` and its latent. A bad input is named, the others still done.

    Args:
        inputs: Mesh or grid files.
        out: The folder.
        model: One that makes shapes.
        fit: How the latent is looked for.
        preview: Also a PNG of the given shape beside its projection.
        suffix: Of the shapes' files: a mesh's or a grid's.
        size_mm: The longest side.
        largest_part: Leave out loose parts.

    Yields:
        Progress, and a Written or Failed an input.
    """
    check_side(size_mm)
    keep(*inputs)
    targets = Targets(out)
    for source in inputs:
        try:
            paths = targets.of(source, suffix, ".latent.npy", *ENDINGS[preview], after="-projected")
            found = yield from result(latent_space.project(source, model, fit=fit))
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        facts: dict[str, object] = {"input": str(source), "start": found.start, "iou_start": round(found.iou_start, 4),
                 "iou_end": round(found.iou_end, 4)}
        pictures = paths[2:]
        if preview != "no":
            tiles = [tile(found.given.occupancy, 0.5, PREVIEW_PX, ZOOM),
                     tile(found.shape.occupancy, model.threshold, PREVIEW_PX, ZOOM)]
            previews.sheet_of_images(tiles, pictures[0], 2, PREVIEW_PX, ["given", f"IoU {found.iou_end:.2f}"])
        if preview == "html":
            write_turning(pictures[1], found.shape.surface(), paths[0].stem, found.line())
        yield _written(paths[0].parent, paths[0].stem, found.latent, found.shape, suffix, size_mm, largest_part, facts,
                       str(source), found.line(), pictures)


def result(events: Iterable[Progress | ResultT]) -> Generator[Progress, None, ResultT]:
    """Follow the events of a verb: yields on what is progress and returns its result."""
    for event in events:
        if not isinstance(event, Progress):
            return event
        yield event
    raise AssertionError("the work ended without a result")


def _written(
    out: Path,
    name: str,
    latent: "Float[np.ndarray, ' latent']",
    shape: Shape,
    suffix: str,
    size_mm: float,
    largest_part: bool,
    facts: Mapping[str, object] | None = None,
    source: str = "",
    about: str = "",
    more: tuple[Path, ...] = (),
    preview: Preview = "no",
) -> Written | Failed:
    """A shape, its latent and the page to turn it in, in the folder; the latent even where the shape is empty."""
    target, saved = out / f"{name}{suffix}", save_latent(out / f"{name}.latent.npy", latent)
    try:
        mesh, dropped = shape.printable(size_mm, largest_part)
        write_object(target, shape, mesh)
    except UserError as error:
        return Failed(source or name, f"{name}: {error}")
    report = printability(mesh, fills_cube=shape.fills_cube)
    said = (about, report.line(), size_words(target, mesh), dropped.line(), shape.remark)
    line = "; ".join(part for part in said if part)
    if preview == "html":
        page = out / f"{name}{TURNING}"
        write_turning(page, mesh, name, line)
        more = (*more, page)
    paths = (target, saved, *more)
    summary = {**(facts or {}), "output": [str(path) for path in paths], **size_facts(target, mesh),
               "parts_dropped": dropped.parts, "printable": report.ok}
    return Written(source or name, paths, line, summary)


def save_latent(path: Path, latent: "Float[np.ndarray, ' latent']") -> Path:
    """Write a latent as float32, which is an operand again; return the path."""
    data = io.BytesIO()
    np.save(data, latent.astype(np.float32), allow_pickle=False)
    write_bytes(path, data.getvalue())
    return path


def sheet_written(path: Path, line: str, operands: "Sequence[Operand]") -> Written:
    """The event of a sheet, with what was done to find the latents of its operands."""
    notes = [f"{operand.word}: {operand.note}" for operand in dict.fromkeys(operands) if operand.note]
    words = [operand.word for operand in operands]
    return Written("sheet", (path,), "; ".join([line, *notes]),
                   {"output": [str(path)], "operands": words, "notes": notes})


def _sign(factor: float, first: bool) -> str:
    """What stands before an operand: its sign, and its factor where that is not one."""
    sign = "-" if factor < 0 else "" if first else "+"
    number = "" if abs(factor) == 1 else f"{abs(factor):g} *"
    return f"{sign} {number}".strip()


def short(word: str) -> str:
    """An operand as a caption: a file's name without its folder."""
    known = formats.is_known(word) or "/" in word
    return Path(word).name if known else word
