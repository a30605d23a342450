"""Pictures to coloured meshes by inverting a generator of views of objects, written to files, as events."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import trimesh
from jaxtyping import UInt8

from maquette.errors import UserError
from maquette.events import Event
from maquette.geometry.mesh import to_print
from maquette.geometry.plain import PlainMesh
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import Dropped
from maquette.geometry.shape import save_solid
from maquette.geometry.size import check_side, check_wall
from maquette.intake.pickup import find_inputs
from maquette.models.hub import Model
from maquette.outputs.latents import result
from maquette.outputs.naming import ENDINGS, Preview, Targets, one_by_one
from maquette.outputs.shapes import written_object
from maquette.outputs.turning import write_turning
from maquette.rendering import sheets as previews

if TYPE_CHECKING:
    from maquette.fields.inversion import Inverted, Search

RESOLUTION = 128
"""Cells a side at which surfaces are taken out of the field."""
CELL_PX = 240
"""Pixels a side of the pictures in a preview."""
_CUT = "the time ended after {done} of {steps} steps; give more with --seconds"


@dataclass(frozen=True, eq=False)
class Inversion:
    """The object of one picture.

    Attributes:
        mesh: In millimetres, watertight, ready to print.
        colours: Of its vertices, sRGB.
        found: Camera and codes.
        dropped: Loose parts that were left out.
        report: Whether it can be printed.
    """

    mesh: trimesh.Trimesh
    colours: UInt8[np.ndarray, "vertices 3"]
    found: "Inverted"
    dropped: Dropped
    report: Printability

    @property
    def solid(self) -> PlainMesh:
        """The mesh as two arrays."""
        return PlainMesh.of(self.mesh)

    def save(self, path: str | Path) -> Path:
        """Write the mesh, or the filled mesh as a grid of 64 voxels a side, whichever the suffix says.

        Args:
            path: A mesh's or a grid's file; obj, ply and glb keep the colours.

        Returns:
            The path.

        Raises:
            UserError: For an unknown suffix, and for a file that cannot be written.
        """
        return save_solid(path, self.mesh, self.colours)


def object_of(
    found: "Inverted", model: Model, *, size_mm: float = 100.0, threshold: float | None = None,
    largest_part: bool = True, min_wall_mm: float = 0.8,
) -> Inversion:
    """The mesh of what was found in a picture.

    Args:
        found: What `maquette.api.invert` found.
        model: The model that found it.
        size_mm: The longest side.
        threshold: The occupancy at the surface, between 0 and 1; None: 0.5.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Raises:
        UserError: Where it has no surface.
    """
    from maquette.fields import field_mesh
    from maquette.fields.subject import WHOLE

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
    preview: Preview = "no",
    search: "Search | None" = None,
    size_mm: float = 100.0,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Iterator[int | Event]:
    """Invert the pictures in files and folders. A bad input is named, the others still done.

    Args:
        inputs: Pictures, folders of pictures, or `-` for standard input.
        out: A folder, or one file with a known suffix where there is one input. Colours are kept by the formats that
            have them; grids are the filled mesh at 64 voxels a side.
        model: One trained with 3dgen or graf.
        suffix: Of the files in a folder: a mesh's or a grid's.
        preview: Also a PNG of the picture, of what the model shows from the camera that was found, and of the mesh from
            four sides.
        search: How each picture is searched, and how long.
        size_mm: The longest side.
        threshold: The occupancy at the surface, between 0 and 1; None: 0.5.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Yields:
        Progress, and a Written or Failed a picture.

    Raises:
        UserError: For options out of range, and for one file that several inputs would be written to.
    """
    from maquette.fields.inversion import Search, invert

    search = search or Search()
    if threshold is not None and not 0 < threshold < 1:  # before anything is looked for
        raise UserError("threshold must lie between 0 and 1", threshold)
    check_side(size_mm)
    check_wall(min_wall_mm)

    def inverted(source: str | Path, targets: Targets) -> Iterator[Event]:
        started = time.perf_counter()
        paths = targets.of(source, suffix, *ENDINGS[preview])
        found = yield from result(invert(model, source, search))
        made = object_of(found, model, size_mm=size_mm, threshold=threshold, largest_part=largest_part,
                         min_wall_mm=min_wall_mm)
        made.save(paths[0])
        if preview != "no":
            pictures = [found.seen.pixels, found.pixels, *previews.four_sides(made.mesh, CELL_PX)]
            labels = ["picture", "found", *previews.SIDES]
            previews.sheet_of_images(pictures, paths[1], len(pictures), CELL_PX, labels,
                                     f"{found.line()}; {made.report.line()}")
        if preview == "html":
            write_turning(paths[2], made.mesh, paths[0].stem, made.report.line(), made.colours)
        notes = [found.line(), *found.seen.notes]
        notes += [_CUT.format(done=found.steps, steps=search.steps)] if found.cut else []
        facts = {"azimuth_deg": round(found.azimuth_deg, 2), "elevation_deg": round(found.elevation_deg, 2),
                 "outline_iou": None if found.iou is None else round(found.iou, 4),
                 "difference_levels": round(found.difference, 2), "began_at": found.start, "steps": found.steps,
                 "cut_by_time": found.cut}
        yield written_object(source, paths, made, facts, notes, started)

    yield from one_by_one(inputs, find_inputs, out, inverted, counted=False)
