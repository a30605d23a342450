"""Coloured meshes out of the fields that 3DGEN and GRAF learn.

3DGEN exports meshes too but, by its own account, without colours (arXiv 2312.08094); here each vertex has the colour
that its colour field gives there.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import trimesh
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.fields.lattice import Lattice, check_resolution, near_surface
from maquette.geometry import mesh as meshes
from maquette.geometry.mesh import Dropped
from maquette.io.formats import write_mesh
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels
from maquette.rays import sampling as rays
from maquette.systems.capabilities import Makes
from maquette.systems.gen3d import SurfaceGenerator
from maquette.systems.graf import RadianceGenerator, codes, outside_inference

AT_ONCE = 2**22
"""Positions times a field's width that one pass takes."""
_AWAY = 1e-3  # of a cell: how far beyond the cube's border a surface closes that reaches it
_NUDGE = 1e-3  # of a usual value beside the surface: corners nearer to the level would make faces without an area


@dataclass(frozen=True, eq=False)
class FieldSurface:
    """The surface of one sample. mesh: watertight, in the package's frame. evaluations: how often the field was asked
    for it. dropped: loose parts that were left out.
    """

    mesh: trimesh.Trimesh
    evaluations: int
    dropped: Dropped


@dataclass(frozen=True, eq=False)
class ColouredMesh(FieldSurface):
    """The surface with a colour at each vertex.

    Attributes:
        colours: Uint8 `[V, 3]`, sRGB as in the images that were learned from, grey ones as three equal values.
    """

    colours: np.ndarray

    def save(self, path: str | Path, size_mm: float = 100.0) -> Path:
        """Write the mesh for printing, its longest side `size_mm`; obj, ply and glb keep its colours.

        Raises:
            UserError: For a suffix that is no mesh's, and for a file that cannot be written.
        """
        write_mesh(path, meshes.to_print(self.mesh, size_mm), self.colours)
        return Path(path)


@dataclass(frozen=True)
class _Reading:
    """One sample's field as functions of positions `[N, 3]`. inside: values, above 0 inside. colours: `[N, C]` in
    [-1, 1], by the mesh's normals. word, reached: how to tell of a value in a message.
    """

    inside: Callable[[Tensor], Tensor]
    colours: Callable[[Tensor, Tensor], Tensor]
    word: str
    level: float
    reached: Callable[[float], float]


def field_mesh(
    generator: nn.Module, latent: Tensor, resolution: int = 128, level: float = 0.5, *, largest_part: bool = False
) -> ColouredMesh:
    """The surface that a latent `[latent]` stands for, with colours.

    The appearance code, the normal and a view direction decide a vertex's colour: as seen by the camera that faces it
    most squarely among those that the model was trained with.

    Args:
        generator: Of 3DGEN (either kind of field) or of GRAF.
        resolution: Cells a side of the cube, a multiple of 16 up to 512; the field is asked near its surface alone
            (`lattice.near_surface` says what that can miss).
        level: The occupancy at the surface, in (0, 1). GRAF's field has densities s: its surface lies where 1 - exp(-s
            / samples) reaches the level, the light that is lost in a part of the cube's side of which there are as many
            as samples on a ray (0.5: s = 0.69 samples).
        largest_part: Leave loose parts out. The mesh is closed where the object reaches the cube's border.

    Raises:
        UserError: For a latent without a surface in the cube, a resolution or level that cannot be, and values that are
            not finite.
    """
    found = field_surface(generator, latent, resolution, level, largest_part=largest_part)
    colours = field_colours(generator, latent, found.mesh)
    return ColouredMesh(found.mesh, found.evaluations, found.dropped, colours)


def field_surface(
    generator: nn.Module, latent: Tensor, resolution: int = 128, level: float = 0.5, *, largest_part: bool = False
) -> FieldSurface:
    """`field_mesh` without the colours: the shape code alone decides it."""
    check_resolution(resolution)
    check_level(level)
    with outside_inference(), torch.no_grad():
        reading = _reading(generator, latent.clone()[None], level)
        lattice = near_surface(_in_parts(generator, reading.inside), resolution)
    _check_surface(lattice, reading)
    mesh, dropped = meshes.repair(_closed(lattice)), Dropped()
    if largest_part:
        mesh, dropped = meshes.keep_largest(mesh)
    return FieldSurface(mesh, lattice.evaluations, dropped)


def field_colours(generator: nn.Module, latent: Tensor, mesh: trimesh.Trimesh) -> np.ndarray:
    """The colours uint8 `[V, 3]` that a latent `[latent]` gives to the vertices of a mesh in the frame."""
    normals = np.array(mesh.vertex_normals, np.float32)
    points = np.concatenate([np.asarray(mesh.vertices, np.float32), normals], 1)
    with outside_inference(), torch.no_grad():
        reading = _reading(generator, latent.clone()[None], 0.5)
        found = _in_parts(generator, lambda rows: reading.colours(rows[:, :3], rows[:, 3:]))(points)
    if not np.isfinite(found).all():
        raise UserError("the field has colours that are not finite", hint="the model's training diverged")
    pixels = as_pixels(torch.from_numpy(found.T[None, :, :, None]))[0, :, 0]  # [V] or [V, 3]
    return np.ascontiguousarray(np.broadcast_to(pixels.reshape(len(pixels), -1), (len(pixels), 3)))


def check_level(level: float) -> None:
    """Raise UserError for an occupancy at the surface that cannot be."""
    if not 0 < level < 1:
        raise UserError("level must lie between 0 and 1", level)


def require_field(model: Model) -> nn.Module:
    """The generator of a model with a field; UserError for one without."""
    if model.system.makes is not Makes.FIELD:
        made = (
            "it makes meshes without --mesh"
            if model.system.makes is Makes.SHAPES
            else "use one trained with 3dgen or graf"
        )
        raise UserError(f"model '{model.name}' has no field to take meshes of: it is a {model.system.name}", hint=made)
    return model.system.nets["generator"]


def _reading(generator: nn.Module, latent: Tensor, level: float) -> _Reading:
    config = generator.config
    latent = latent.to(_device(generator))
    shape_code, appearance = codes(latent, config)
    if isinstance(generator, RadianceGenerator):
        density = -math.log1p(-level) * generator.samples

        def read(at: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
            found = generator.field(at[None], directions[None], shape_code, appearance)
            return found[0][0], found[1][0]

        return _Reading(lambda at: read(at, torch.zeros_like(at))[0] - density,
                        lambda at, normals: read(at, _squarely(at, normals, config))[1],
                        "density", density, lambda value: max(value + density, 0.0))
    if not isinstance(generator, SurfaceGenerator):
        raise TypeError(f"{type(generator).__name__} has no field to take a mesh of")
    shape, logit = generator.field.prepared(shape_code), math.log(level / (1 - level))

    def colours(at: Tensor, _: Tensor) -> Tensor:
        _, features, normals = generator.field.with_normals(at[None], shape)
        directions = _squarely(at, normals[0], config)
        return generator.colour(at[None], normals, directions[None], features, appearance)[0]

    return _Reading(lambda at: generator.field.occupancy(at[None], shape)[0][0] - logit, colours,
                    "occupancy", level, lambda value: 1 / (1 + math.exp(-min(max(value + logit, -700), 700))))


def _in_parts(generator: nn.Module, function: Callable[[Tensor], Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    """A function of rows as one of arrays of any length, float32 throughout."""
    device, rows = _device(generator), max(1, AT_ONCE // generator.config.field_width)

    def whole(values: np.ndarray) -> np.ndarray:
        with torch.autocast(device.type, enabled=False):
            parts = [function(part.to(device)).float().cpu() for part in torch.from_numpy(values).split(rows)]
        return torch.cat(parts).numpy()

    return whole


def _device(generator: nn.Module) -> torch.device:
    first = next(generator.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def _squarely(at: Tensor, normals: Tensor, config: Any) -> Tensor:
    """Unit directions `[N, 3]` to positions from the camera of the config's ranges nearest to where normals point."""
    azimuth = torch.atan2(-normals[:, 0], normals[:, 1]).rad2deg()
    elevation = normals[:, 2].clamp(-1, 1).asin().rad2deg().clamp(*config.elevation_deg)
    low, high = config.azimuth_deg
    past = (azimuth - low).remainder(360)
    beyond = past - (high - low)  # below 0 within the range
    end = torch.where(beyond < 360 - past, high, low)
    azimuth = torch.where(beyond > 0, end, azimuth)
    away = torch.full_like(azimuth, sum(config.distance) / 2)
    cameras = rays.views(azimuth, elevation, away, config.fov_deg).positions
    return nn.functional.normalize(at - cameras, dim=1)


def _check_surface(lattice: Lattice, reading: _Reading) -> None:
    inside = lattice.inside
    if inside.all():
        raise UserError(f"the sample has no surface: its {reading.word} is above {reading.level:.3g} in the whole cube",
                        hint="train it longer, or try another seed")
    if not inside.any():
        highest = reading.reached(float(lattice.values.max()))
        raise UserError(f"the sample has no surface: its {reading.word} reaches {reading.level:.3g} nowhere, the "
                        f"highest is {highest:.2g}", hint="train it longer, or try another seed or a lower level")


def _closed(lattice: Lattice) -> trimesh.Trimesh:
    """The surface by marching cubes (Lewiner et al. 2003) in the frame, wound outwards, closed at the cube's border."""
    from skimage.measure import marching_cubes

    inside, cells = lattice.inside, lattice.resolution
    low, high = np.zeros(3, int), np.zeros(3, int)
    for axis in range(3):
        full = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        low[axis], high[axis] = max(full[0] - 1, 0), min(full[-1] + 2, cells + 1)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    values = np.pad(lattice.values[box], 1, mode="edge")
    beside = np.abs(values[1:-1, 1:-1, 1:-1])[_beside(inside[box])]
    least = np.float32(_NUDGE * np.median(beside)) if len(beside) else np.float32(_NUDGE)
    values = np.where(np.abs(values) < least, np.where(values > 0, least, -least), values)
    for axis in range(3):
        border = np.moveaxis(values, axis, 0)
        border[[0, -1]] = -np.abs(border[[1, -2]]) * np.float32(1 / _AWAY - 1)
    vertices, faces, _, _ = marching_cubes(values, 0.0, gradient_direction="ascent")
    return trimesh.Trimesh((vertices.astype(np.float64) - 1 + low) / cells - 0.5, faces, process=False)


def _beside(inside: np.ndarray) -> np.ndarray:
    """Corners with a neighbour on the other side, bool of the same shape."""
    found = np.zeros(inside.shape, bool)
    for axis in range(3):
        differs = np.diff(inside, axis=axis)
        rows = np.moveaxis(found, axis, 0)
        rows[:-1] |= np.moveaxis(differs, axis, 0)
        rows[1:] |= np.moveaxis(differs, axis, 0)
    return found
