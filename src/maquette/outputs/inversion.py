"""Pictures to coloured meshes by inverting a generator of views of objects, written to files as `outputs` does it."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from maquette.errors import UserError
from maquette.events import Failed, Progress, Written
from maquette.fields import field_mesh
from maquette.fields.inversion import Inverted, Search, invert
from maquette.fields.subject import WHOLE
from maquette.geometry.mesh import to_frame, to_print
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import Dropped
from maquette.geometry.shape import Shape
from maquette.geometry.voxelise import voxelise
from maquette.intake.pickup import find_inputs
from maquette.io import formats
from maquette.models.hub import Model
from maquette.outputs.shapes import free_name, sources_of, written_object
from maquette.rendering import sheets as previews

RESOLUTION = 128
"""Cells a side at which surfaces are taken out of the field."""
GRID = 64
"""Voxels a side of grid files."""
CELL_PX = 240
"""Pixels a side of the pictures in a preview."""
_CUT = "the time ended after {done} of {steps} steps; give more with --seconds"


@dataclass(frozen=True, eq=False)
class Inversion:
    """The object of one picture: mesh in millimetres, watertight, with `colours` uint8 `[V, 3]` of its vertices.

    Attributes:
        found: Camera and codes.
        dropped: Loose parts that were left out.
        report: Whether it can be printed.
    """

    mesh: trimesh.Trimesh
    colours: np.ndarray
    found: Inverted
    dropped: Dropped
    report: Printability


def object_of(
    found: Inverted, model: Model, *, size_mm: float = 100.0, threshold: float | None = None, largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Inversion:
    """The mesh of what was found. threshold: the occupancy at its surface, 0.5 unless said.

    Raises:
        UserError: For none.
    """
    level = 0.5 if threshold is None else threshold
    try:
        made = field_mesh(model.system.nets["generator"], found.latent, RESOLUTION, level, largest_part=largest_part)
    except UserError as error:
        if WHOLE in found.seen.notes:  # the likelier cause
            raise UserError(f"what was found for it has no surface; it has {WHOLE}") from error
        raise
    mesh = to_print(made.mesh, size_mm)
    return Inversion(mesh, made.colours, found, made.dropped, printability(mesh, min_wall_mm))


def invert_files(
    inputs: Iterable[str],
    out: str | Path,
    model: Model,
    *,
    suffix: str = ".stl",
    preview: bool = False,
    search: Search | None = None,
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[Progress | Written | Failed]:
    """Invert the pictures in files and folders; yields Progress as it goes and a Written or Failed for each.

    Args:
        out: A folder, or one file with a known suffix where there is one input. Colours are kept by the formats that
            have them; grids are the filled mesh at 64 voxels a side.
        preview: Also a PNG of the picture, of what the model shows from the camera that was found, and of the mesh from
            four sides.
        search: For each picture. A bad input is named, the others still done.
    """
    out, search = Path(out), search or Search()
    if threshold is not None and not 0 < threshold < 1:  # before anything is looked for
        raise UserError("threshold must lie between 0 and 1", threshold)
    if not 0 < size_mm < float("inf"):
        raise UserError("size_mm must be positive", size_mm)
    sources, failed, single = sources_of(inputs, find_inputs, out)
    yield from failed
    taken: set[str] = set()
    for source in sources:
        started = time.perf_counter()
        try:
            for event in invert(model, source, search):
                if isinstance(event, Progress):
                    yield event
                else:
                    found = event
            made = object_of(found, model, size_mm=size_mm, threshold=threshold, largest_part=largest_part,
                             min_wall_mm=min_wall_mm)
            stem = free_name("stdin" if str(source) == "-" else Path(source).stem, taken)
            target = out if single else out / f"{stem}{suffix}"
            if formats.kind(target) == "grid":
                formats.write_grid(target, Shape(voxelise(to_frame(made.mesh), GRID)).occupancy)
            else:
                formats.write_mesh(target, made.mesh, made.colours)
            paths = [target]
            if preview:
                paths.append(target.with_name(f"{target.stem}.preview.png"))
                pictures = [found.seen.pixels, found.pixels, *previews.four_sides(made.mesh, CELL_PX)]
                labels = ["picture", "found", *previews.SIDES]
                previews.sheet_of_images(pictures, paths[1], len(pictures), CELL_PX, labels,
                                         f"{found.line()}; {made.report.line()}")
        except UserError as error:
            yield Failed(str(source), str(error))
            continue
        notes = [found.line(), *found.seen.notes]
        notes += [_CUT.format(done=found.steps, steps=search.steps)] if found.cut else []
        facts = {"azimuth_deg": round(found.azimuth_deg, 2), "elevation_deg": round(found.elevation_deg, 2),
                 "outline_iou": None if found.iou is None else round(found.iou, 4),
                 "difference_levels": round(found.difference, 2), "began_at": found.start, "steps": found.steps,
                 "cut_by_time": found.cut}
        yield written_object(source, paths, made, facts, notes, started)
