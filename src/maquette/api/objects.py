"""Scans to objects, searches by images, and new objects; pictures to objects are in `reconstruction`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maquette.errors import UserError
from maquette.events import Progress
from maquette.extras import require
from maquette.geometry.printability import Printability, printability
from maquette.geometry.repair import Dropped
from maquette.geometry.shape import Shape
from maquette.intake.given import Picture, as_picture
from maquette.io import formats
from maquette.models.hub import DEFAULT_MODEL, Model, ModelOrName, as_model
from maquette.models.predict import SCAN_MODEL, occupancy, require_scans, require_shapes

if TYPE_CHECKING:
    from jaxtyping import Float

    from maquette.fields.extract import ColouredMesh
    from maquette.fields.inversion import Inverted, Search
    from maquette.geometry.plain import Mesh, PlainMesh
    from maquette.geometry.print_mesh import PrintMesh
    from maquette.scans import Intrinsics, Scan


@dataclass(frozen=True, eq=False)
class Printed:
    """An object that can be printed.

    Attributes:
        name: The file that it was made of, or what it was.
        shape: The occupancy, with the model's threshold.
        solid: The mesh in millimetres, z up, resting on z = 0, ready to print.
        dropped: Loose parts that were left out.
        report: Whether it can be printed.
    """

    name: str
    shape: Shape
    solid: PlainMesh
    dropped: Dropped
    report: Printability

    @cached_property
    def mesh(self) -> PrintMesh:
        """The mesh as a `trimesh.Trimesh`."""
        from maquette.geometry.print_mesh import PrintMesh

        return PrintMesh.of(self.solid)

    def save(self, path: str | Path) -> Path:
        """Write the mesh, or the grid, whichever the suffix says: the file that the command writes.

        Args:
            path: `.stl`, `.obj`, `.ply`, `.glb`, `.3mf` or `.off`; `.npz`, `.npy`, `.mat` or `.binvox`.

        Returns:
            The path.

        Raises:
            UserError: For an unknown suffix, and for a file that cannot be written.
        """
        return write_object(path, self.shape, self.solid)


@dataclass(frozen=True, eq=False)
class Completion(Printed):
    """The whole object of one scan.

    Attributes:
        scan: The partial grid that the model read, and how it was placed.
    """

    scan: Scan


def shape_of(model: Model, image: Float[np.ndarray, "channel size size"], threshold: float | None = None) -> Shape:
    """What a model makes of one framed picture.

    Args:
        model: One that reads pictures.
        image: As `maquette.intake.pickup.frame_object` frames it, in [0, 1].
        threshold: The occupancy at which a voxel is solid; None: the model's own.
    """
    return Shape(occupancy(model, image[None])[0], model.threshold if threshold is None else threshold)


def complete(
    scan: np.ndarray | str | Path,
    model: ModelOrName = SCAN_MODEL,
    *,
    intrinsics: Intrinsics | str | Path | None = None,
    depth_scale: float = 1000.0,
    azimuth_deg: float | None = None,
    elevation_deg: float | None = None,
    up: str | None = None,
    size_mm: float | None = None,
    threshold: float | None = None,
    largest_part: bool = True,
    min_wall_mm: float = 0.8,
) -> Completion:
    """The whole object of a depth scan as a printable mesh.

    Args:
        scan: A depth picture, a point cloud or a partial grid, as a file or an array: see `maquette.scans.read_scan`.
        model: One that reads scans, or its name or folder.
        intrinsics: Of the depth camera, also as `fx,fy,cx,cy` or a JSON file.
        depth_scale: Units a metre of a depth picture in whole numbers.
        azimuth_deg: From where the camera looked, about the up axis; None: the model guesses
            (`maquette.scans.facing`).
        elevation_deg: Of the camera above the horizon; None: found from the floor or table.
        up: `z` for point clouds that stand upright already; None: they are as the camera saw them.
        size_mm: The longest side; None: the scan's own where it is metric, else 100.
        threshold: The occupancy at which a voxel is solid; None: the model's own.
        largest_part: Leave out loose parts.
        min_wall_mm: The thinnest wall that the printer can print, for the report.

    Raises:
        UserError: For a scan that cannot be read or holds nothing, for a model that reads none, and for an empty
            result.
    """
    from maquette.scans import guess_facing, read_intrinsics, read_scan

    model = require_scans(as_model(model))
    if isinstance(intrinsics, str | Path):
        intrinsics = read_intrinsics(intrinsics)
    seen = read_scan(
        scan, model.facts.resolution, intrinsics=intrinsics, depth_scale=depth_scale,
        azimuth_deg=azimuth_deg or 0.0, elevation_deg=elevation_deg, up=up,
    )
    if azimuth_deg is None:
        seen, made = guess_facing(seen, partial(occupancy, model))
    else:
        made = occupancy(model, seen.voxels[None, None])[0]
    shape = Shape(made, model.threshold if threshold is None else threshold)
    own = seen.cube_mm if size_mm is None else None
    mesh, dropped = shape.solid(100.0 if size_mm is None else size_mm, largest_part, cube_mm=own)
    name = "scan" if isinstance(scan, np.ndarray) else str(scan)
    return Completion(name, shape, mesh, dropped, printability(mesh, min_wall_mm, fills_cube=shape.fills_cube), seen)


def invert(
    picture: Picture, model: ModelOrName, *, search: Search | None = None
) -> Iterator[Progress | Inverted]:
    """The camera and the codes with which a model of 3DGEN or GRAF shows what is in a picture, by optimisation.

    Args:
        picture: A file, a file's bytes, pixels uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`, or a PIL image.
        model: One trained with 3dgen or graf, or its name or folder.
        search: How, and how long; None: as `maquette.fields.inversion.Search` begins.

    Yields:
        Progress, then one Inverted; `maquette.fields.field_mesh` makes a mesh of its latent.

    Raises:
        UserError: For a model of another kind, and for a picture that cannot be read or shows nothing.
    """
    require("torch", "train")
    from maquette.fields import inversion

    if not isinstance(picture, str | Path | np.ndarray):
        picture = as_picture(picture, keep_alpha=True).pixels
    return inversion.invert(as_model(model), picture, search)


def generate(
    model: ModelOrName = DEFAULT_MODEL, count: int = 16, seed: int = 0, *, class_name: str = "", spread: float = 1.0
) -> list[Shape]:
    """New shapes from random latents.

    Model, seed and place in the count decide a shape, whatever the count.

    Args:
        model: One that makes shapes, or its name or folder.
        count: How many, 1 or more.
        seed: Of the latents, 0 or more.
        class_name: A class that the model knows ("chair"), or empty for the model's own prior: N(0, I), or any class
            at random.
        spread: Scales the latents' deviation; below 1 gives more typical shapes.

    Raises:
        UserError: For a model that makes no shapes, and for a class that it does not know.
    """
    model = as_model(model)
    if count < 1:
        raise UserError("count must be at least 1", count)
    require_shapes(model)
    from maquette.models import prior

    drawn = np.stack([prior.draw(model, seed, index, class_name, spread) for index in range(count)])
    return [Shape(grid, model.threshold) for grid in prior.decode(model, drawn)]


def generate_mesh(
    model: ModelOrName, seed: int = 0, index: int = 0, *, spread: float = 1.0, resolution: int = 128,
    level: float = 0.5, largest_part: bool = True,
) -> ColouredMesh:
    """One new object of a model with a field: its surface in the package's frame, in its colours.

    Args:
        model: One trained with 3dgen or graf, or its name or folder.
        seed: Of the latent, 0 or more.
        index: The place in the count: one seed gives many objects.
        spread: Scales the latent's deviation; below 1 gives more typical objects.
        resolution: Cells a side of the cube in which the surface is found, a multiple of 16.
        level: The occupancy at the surface, between 0 and 1.
        largest_part: Leave out loose parts.

    Raises:
        UserError: For a model without a field, and for a sample without a surface.
    """
    require("torch", "train")
    import torch

    from maquette.fields.extract import field_mesh, require_field
    from maquette.models import prior

    model = as_model(model)
    generator = require_field(model)
    latent = torch.from_numpy(prior.draw(model, seed, index, spread=spread))
    return field_mesh(generator, latent, resolution, level, largest_part=largest_part)


def sample_images(
    model: ModelOrName, count: int = 16, seed: int = 0, batch: int = 16, *, spread: float = 1.0
) -> np.ndarray:
    """New images from random latents, uint8 `[count, H, W]` or, in colour, `[count, H, W, 3]`.

    Args:
        model: One that makes images, or its name or folder.
        count: How many, 1 or more.
        seed: Of the latents, 0 or more.
        batch: Images that are made at once.
        spread: Scales the latents' deviation; below 1 gives more typical images.

    Raises:
        UserError: For a model that makes no images, and for one whose weights are not finite.
    """
    from maquette.models import sampling

    return sampling.sample_images(model, count, seed, batch, spread=spread)


def write_object(path: str | Path, shape: Shape, mesh: Mesh) -> Path:
    """Write the grid or the mesh of an object, whichever the suffix says.

    Args:
        path: The file; its suffix says the format.
        shape: What a grid file gets.
        mesh: What a mesh file gets, in millimetres.

    Returns:
        The path.

    Raises:
        UserError: For an unknown suffix, and for a file that cannot be written.
    """
    if formats.kind(path) == "grid":
        shape.save(path)
    else:
        formats.write_mesh(path, mesh)
    return Path(path)
