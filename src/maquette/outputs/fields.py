"""The verbs on models with a field, written to files: coloured meshes, sheets and animations, as events.

Work that takes long yields `Progress` between the results.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.api.objects import generate_mesh
from maquette.errors import UserError
from maquette.events import Failed, Progress, Written
from maquette.geometry.mesh import to_print
from maquette.geometry.printability import printability
from maquette.geometry.size import check_side
from maquette.io import formats
from maquette.io.replacing import check_free
from maquette.models.hub import Model
from maquette.outputs.latents import FRAME_MS, MAX_FRAMES, result, save_latent, step_name, way_paths, way_written
from maquette.outputs.naming import TURNING, Preview, check_count, size_facts, size_words
from maquette.outputs.turning import write_turning
from maquette.rendering import sheets as previews

if TYPE_CHECKING:
    from torch import Tensor

    from maquette.fields.extract import ColouredMesh, FieldSurface
    from maquette.rays.sampling import Views

TURN_FRAMES = 24
"""Frames of a turntable."""


def generate_mesh_files(
    out: str | Path,
    model: Model,
    *,
    count: int = 16,
    seed: int = 0,
    spread: float = 1.0,
    resolution: int = 128,
    level: float = 0.5,
    suffix: str = ".glb",
    size_mm: float = 100.0,
    largest_part: bool = True,
    turntable: bool = False,
    preview: Preview = "no",
) -> Iterator[Progress | Written | Failed]:
    """New coloured meshes, written with a sheet of them all. A sample without a surface is named, the others done.

    Args:
        out: The folder.
        model: One with a field.
        count: How many, 1 or more.
        seed: Of the latents.
        spread: Scales the latents' deviation.
        resolution: Cells a side of the cube in which a surface is found, a multiple of 16.
        level: The occupancy at the surface, between 0 and 1.
        suffix: Of the meshes' files.
        size_mm: The longest side.
        largest_part: Leave out loose parts.
        turntable: Also `NAME.gif` of each, as the model itself shows it from all round.
        preview: `html`: also a page a mesh to turn it in, with its colours.

    Yields:
        Progress, a Written or Failed a sample, and one Written for the sheet.

    Raises:
        UserError: For a model without a field and for options that cannot be.
    """
    import torch

    from maquette.fields.extract import require_field
    from maquette.fields.pictures import render_latents, views_round
    from maquette.models.prior import draw

    require_field(model)
    check_count(count)
    _check(suffix, resolution, level)
    check_side(size_mm)
    out, tiles = Path(out), []
    names = [f"sample-{seed}-{index:03d}" for index in range(count)]
    endings = (suffix, *[".gif"] * turntable, *[TURNING] * (preview == "html"))
    check_free(*(out / f"{name}{ending}" for name in names for ending in endings), out / "sheet.png")
    for index, name in enumerate(names):
        try:
            made = generate_mesh(model, seed, index, spread=spread, resolution=resolution, level=level,
                                 largest_part=largest_part)
            paths = [made.save(out / f"{name}{suffix}", size_mm)]
            if turntable:
                latent = torch.from_numpy(draw(model, seed, index, spread=spread))
                views, whole = views_round(model.system.config, TURN_FRAMES)
                frames = []
                for picture in render_latents(model, latent.expand(len(views), -1), views):
                    frames.append(picture)
                    yield Progress(f"turning {name}", len(frames), len(views))
                paths.append(previews.animation(frames, out / f"{name}.gif", FRAME_MS, back=not whole))
        except UserError as error:
            yield Failed(name, f"{name}: {error}")
        else:
            tiles.append(previews.painted(made.mesh, made.colours, 160))
            yield _written(name, paths, made, size_mm, preview)
        yield Progress("generating", index + 1, count)
    if tiles:
        sheet = previews.sheet_of_images(tiles, out / "sheet.png")
        yield Written("sheet", (sheet,), f"{len(tiles)} samples", {"output": [str(sheet)]})


def interpolate_field_files(
    operands: Sequence[str],
    out: str | Path,
    model: Model,
    *,
    steps: int = 7,
    path: str = "straight",
    what: str = "both",
    gif: bool = True,
    frames: int = 24,
    resolution: int = 128,
    suffix: str = ".glb",
    size_mm: float = 100.0,
    largest_part: bool = True,
    preview: Preview = "no",
) -> Iterator[Progress | Written | Failed]:
    """Go from latent to latent, and write a coloured mesh and a latent for each step, `sheet.png`, `interpolation.gif`.

    The pictures in both are the model's own. A step without a surface is named, and has its latent and its picture
    still.

    Args:
        operands: Seeds or saved latents.
        out: The folder.
        model: One with a field.
        steps: Latents a pair of operands, both ends among them.
        path: `straight` or `spherical`.
        what: What moves: `shape`, `appearance` or `both`.
        gif: Whether there is an animation; it goes there and back.
        frames: Of the animation between two operands, at least; rounded up to a multiple of the steps between them.
        resolution: Cells a side of the cube in which a surface is found, a multiple of 16.
        suffix: Of the meshes' files.
        size_mm: The longest side.
        largest_part: Leave out loose parts.
        preview: `html`: also a page a mesh to turn it in, with its colours.

    Yields:
        Progress, and a Written or Failed a result.

    Raises:
        UserError: For a model without a field and for options that cannot be.
    """
    from maquette.fields.between import between, field_path
    from maquette.fields.pictures import front_view, render_latents

    if not 1 <= frames <= MAX_FRAMES:
        raise UserError(f"frames must be from 1 to {MAX_FRAMES}", frames)
    _check(suffix, resolution)
    check_side(size_mm)
    out = Path(out)
    check_free(*way_paths(out, len(operands), steps, suffix, gif, preview))
    found = yield from result(between(model, operands, steps, path, what))
    surface = _Surfaces(model, resolution, largest_part)
    for index, latent in enumerate(found.latents):
        name = step_name(index, len(found.latents))
        saved = save_latent(out / f"{name}.latent.npy", latent.numpy())
        try:
            made = surface.coloured(latent)
            yield _written(name, [made.save(out / f"{name}{suffix}", size_mm), saved], made, size_mm, preview)
        except UserError as error:
            yield Failed(name, f"{name}: {error}")
        yield Progress("interpolating", index + 1, len(found.latents))
    ways = -(-frames // (steps - 1)) if gif else 1
    latents = field_path(model, [operand.latent for operand in found.operands], (steps - 1) * ways + 1, path, what)
    drawn = render_latents(model, latents, _repeated(front_view(model.system.config), len(latents)))
    yield from way_written(drawn, len(latents), ways, steps, found.operands, out, gif)


class _Surfaces:
    """The meshes of latents one after another; where the shape code stays, so does the surface."""

    def __init__(self, model: Model, resolution: int, largest_part: bool):
        from maquette.fields.extract import require_field

        self.generator, self.resolution, self.largest_part = require_field(model), resolution, largest_part
        self.shape_code = int(model.system.config.shape_code)
        self.known: tuple[Tensor, FieldSurface | UserError] | None = None

    def coloured(self, latent: "Tensor") -> "ColouredMesh":
        """The coloured surface of a latent; UserError where it has none."""
        from maquette.fields.extract import ColouredMesh, field_colours

        code = latent[: self.shape_code]
        if self.known is None or not self.known[0].equal(code):
            self.known = code, self._surface(latent)
        found = self.known[1]
        if isinstance(found, UserError):
            raise found
        colours = field_colours(self.generator, latent, found.mesh)
        return ColouredMesh(found.mesh, found.evaluations, found.dropped, colours)

    def _surface(self, latent: "Tensor") -> "FieldSurface | UserError":
        from maquette.fields.extract import field_surface

        try:
            return field_surface(self.generator, latent, self.resolution, largest_part=self.largest_part)
        except UserError as error:
            return error


def _check(suffix: str, resolution: int, level: float = 0.5) -> None:
    from maquette.fields.extract import check_level
    from maquette.fields.lattice import check_resolution

    if suffix not in formats.MESHES:
        raise UserError(f"meshes of a field are written as {', '.join(known[1:] for known in formats.MESHES)}",
                        suffix[1:])
    check_resolution(resolution)
    check_level(level)


def _written(name: str, paths: list[Path], made: "ColouredMesh", size_mm: float, preview: Preview) -> Written:
    mesh = to_print(made.mesh, size_mm)
    report = printability(mesh)
    mean = "#" + bytes(np.round(made.colours.mean(0)).astype(np.uint8)).hex()
    said = (report.line(), size_words(paths[0], mesh), made.dropped.line(), f"mean colour {mean}")
    line = "; ".join(part for part in said if part)
    if preview == "html":
        paths.append(write_turning(paths[0].with_name(f"{name}{TURNING}"), mesh, name, line, made.colours))
    summary = {"output": [str(path) for path in paths], **size_facts(paths[0], mesh),
               "parts_dropped": made.dropped.parts, "printable": report.ok, "mean_colour": mean,
               "evaluations": made.evaluations}
    return Written(name, tuple(paths), line, summary)


def _repeated(view: "Views", count: int) -> "Views":
    from maquette.rays.sampling import Views

    return Views(view.positions.repeat(count, 1), view.axes.repeat(count, 1, 1), view.focal.repeat(count))
