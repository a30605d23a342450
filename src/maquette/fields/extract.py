"""Coloured meshes out of the fields that 3DGEN and GRAF learn.

3DGEN exports meshes too but, by its own account, without colours (arXiv 2312.08094). Here each vertex has the colour
that the model's colour field gives at its place.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import trimesh
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from maquette.capabilities import Makes
from maquette.errors import UserError
from maquette.fields.lattice import Lattice, check_resolution, sample_near_surface
from maquette.geometry.mesh import to_print
from maquette.geometry.repair import Dropped, keep_largest, repair
from maquette.io.formats import write_mesh
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels
from maquette.rays import sampling as rays
from maquette.systems.gen3d import Gen3D, SurfaceGenerator
from maquette.systems.graf import GRAF, RadianceGenerator, ViewsConfig, outside_inference, split_codes

FieldGenerator = RadianceGenerator | SurfaceGenerator
"""The generators that have a field."""
AT_ONCE = 2**22
"""Positions times a field's width that one pass takes."""
_AWAY = 1e-3  # of a cell: how far beyond the cube's border a surface that reaches it is closed
_NUDGE = 1e-3  # share of a usual value beside the surface: corners nearer to the level would make faces without area


@dataclass(frozen=True, eq=False)
class FieldSurface:
    """The surface of one sample.

    Attributes:
        mesh: Watertight, in the package's frame.
        evaluations: How many positions the field was evaluated at.
        dropped: Loose parts that were left out.
    """

    mesh: trimesh.Trimesh
    evaluations: int
    dropped: Dropped


@dataclass(frozen=True, eq=False)
class ColouredMesh(FieldSurface):
    """The surface with a colour at each vertex.

    Attributes:
        colours: SRGB as in the images that the model learned from; grey ones as three equal values.
    """

    colours: UInt8[np.ndarray, "v 3"]

    def save(self, path: str | Path, size_mm: float = 100.0) -> Path:
        """Write the mesh for printing, its longest side `size_mm`; obj, ply and glb keep its colours.

        Raises:
            UserError: For a suffix that is no mesh's, and for a file that cannot be written.
        """
        write_mesh(path, to_print(self.mesh, size_mm), self.colours)
        return Path(path)


@dataclass(frozen=True)
class _SampleField:
    """One sample's field as functions of positions `[N, 3]`.

    Attributes:
        inside: Values `[N]`, above 0 inside.
        colours: Colours `[N, C]` in [-1, 1], for positions and the mesh's normals there.
        word: What the field's values are called in a message.
        level: The value at the surface, in the field's own unit.
        reached: From a value of `inside` to the field's own unit.
    """

    inside: Callable[[Tensor], Tensor]
    colours: Callable[[Tensor, Tensor], Tensor]
    word: str
    level: float
    reached: Callable[[float], float]


def field_mesh(
    generator: nn.Module,
    latent: Float[Tensor, " latent"],
    resolution: int = 128,
    level: float = 0.5,
    *,
    largest_part: bool = False,
) -> ColouredMesh:
    """The surface that a latent stands for, with colours.

    The appearance code, the normal and a view direction decide a vertex's colour. It is the one seen by the camera that
    faces the vertex most squarely, among those that the model was trained with. The mesh is closed where the object
    reaches the cube's border.

    Args:
        generator: Of 3DGEN (either kind of field) or of GRAF.
        latent: The sample.
        resolution: Cells a side of the cube, a multiple of 16 up to 512. The field is evaluated near its surface only
            (`maquette.fields.lattice.sample_near_surface` says what that can miss).
        level: The occupancy at the surface, in (0, 1). GRAF's field has densities s: its surface lies where
            1 - exp(-s / samples) reaches the level, with as many samples as on a ray. That is the share of light lost
            in one of so many equal parts of the cube's side (0.5: s = 0.69 samples).
        largest_part: Leave loose parts out.

    Raises:
        UserError: For a latent without a surface in the cube, a resolution or level out of range, and values that are
            not finite.
    """
    found = field_surface(generator, latent, resolution, level, largest_part=largest_part)
    colours = field_colours(generator, latent, found.mesh)
    return ColouredMesh(found.mesh, found.evaluations, found.dropped, colours)


def field_surface(
    generator: nn.Module,
    latent: Float[Tensor, " latent"],
    resolution: int = 128,
    level: float = 0.5,
    *,
    largest_part: bool = False,
) -> FieldSurface:
    """`field_mesh` without the colours: the shape code alone decides it."""
    check_resolution(resolution)
    check_level(level)
    with outside_inference(), torch.no_grad():
        own = require_field_generator(generator)
        field = _sample_field(own, latent.clone()[None], level)
        lattice = sample_near_surface(_in_parts(own, field.inside), resolution)
    _check_surface(lattice, field)
    mesh, dropped = repair(_closed_surface(lattice)), Dropped()
    if largest_part:
        mesh, dropped = keep_largest(mesh)
    return FieldSurface(mesh, lattice.evaluations, dropped)


def field_colours(
    generator: nn.Module, latent: Float[Tensor, " latent"], mesh: trimesh.Trimesh
) -> UInt8[np.ndarray, "v 3"]:
    """The colours that a latent gives to the vertices of a mesh in the frame.

    Raises:
        UserError: For colours that are not finite.
    """
    normals = np.array(mesh.vertex_normals, np.float32)
    points = np.concatenate([np.asarray(mesh.vertices, np.float32), normals], 1)
    with outside_inference(), torch.no_grad():
        own = require_field_generator(generator)
        field = _sample_field(own, latent.clone()[None], 0.5)
        found = _in_parts(own, lambda rows: field.colours(rows[:, :3], rows[:, 3:]))(points)
    if not np.isfinite(found).all():
        raise UserError("the field has colours that are not finite", hint="the model's training diverged")
    pixels = as_pixels(torch.from_numpy(found.T[None, :, :, None]))[0, :, 0]  # [V] or [V, 3]
    return np.ascontiguousarray(np.broadcast_to(pixels.reshape(len(pixels), -1), (len(pixels), 3)))


def check_level(level: float) -> None:
    """Raise UserError for an occupancy at the surface outside (0, 1)."""
    if not 0 < level < 1:
        raise UserError("level must lie between 0 and 1", level)


def field_system(model: Model) -> GRAF | Gen3D:
    """The system of a model with a field.

    Raises:
        UserError: For a model without one.
    """
    if model.system.makes is not Makes.FIELD:
        made = (
            "it makes meshes without --mesh"
            if model.system.makes is Makes.SHAPES
            else "use one trained with 3dgen or graf"
        )
        raise UserError(f"model '{model.name}' has no field to take meshes of: it is a {model.system.name}", hint=made)
    if not isinstance(model.system, GRAF | Gen3D):
        raise TypeError(f"{type(model.system).__name__} makes fields that are not known here")
    return model.system


def require_field(model: Model) -> nn.Module:
    """The generator of a model with a field; raises UserError for a model without one."""
    return field_system(model).generator


def require_field_generator(generator: nn.Module) -> FieldGenerator:
    """The same network, once it is known to be a generator with a field; raises TypeError if it is not."""
    if not isinstance(generator, RadianceGenerator | SurfaceGenerator):
        raise TypeError(f"{type(generator).__name__} has no field to take a mesh of")
    return generator


def _sample_field(generator: FieldGenerator, latent: Float[Tensor, "1 latent"], level: float) -> _SampleField:
    """The field of one latent."""
    config = generator.config
    latent = latent.to(_device(generator))
    shape_code, appearance = split_codes(latent, config)
    if isinstance(generator, RadianceGenerator):
        density = -math.log1p(-level) * generator.samples

        def read(at: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
            """Densities and colours."""
            found = generator.field(at[None], directions[None], shape_code, appearance)
            return found[0][0], found[1][0]

        return _SampleField(lambda at: read(at, torch.zeros_like(at))[0] - density,
                            lambda at, normals: read(at, _facing_directions(at, normals, config))[1],
                            "density", density, lambda value: max(value + density, 0.0))
    shape, logit = generator.field.precompute(shape_code), math.log(level / (1 - level))

    def colours(at: Tensor, _: Tensor) -> Tensor:
        """Colours by the field's own normals."""
        _, features, normals = generator.field.with_normals(at[None], shape)
        directions = _facing_directions(at, normals[0], config)
        return generator.colour(at[None], normals, directions[None], features, appearance)[0]

    return _SampleField(lambda at: generator.field.occupancy(at[None], shape)[0][0] - logit, colours,
                        "occupancy", level, lambda value: 1 / (1 + math.exp(-min(max(value + logit, -700), 700))))


def _in_parts(
    generator: FieldGenerator, function: Callable[[Tensor], Tensor]
) -> Callable[[np.ndarray], np.ndarray]:
    """A function of rows as one of arrays of any length, evaluated part by part, in float32."""
    device, rows = _device(generator), max(1, AT_ONCE // generator.config.field_width)

    def whole(values: np.ndarray) -> np.ndarray:
        """All rows."""
        with torch.autocast(device.type, enabled=False):
            parts = [function(part.to(device)).float().cpu() for part in torch.from_numpy(values).split(rows)]
        return torch.cat(parts).numpy()

    return whole


def _device(generator: nn.Module) -> torch.device:
    """Where the generator's weights are."""
    first = next(generator.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def _facing_directions(
    at: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"], config: ViewsConfig
) -> Float[Tensor, "n 3"]:
    """Unit directions to positions from the camera that faces each most squarely, within the ranges of a config."""
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


def _check_surface(lattice: Lattice, field: _SampleField) -> None:
    """Raise UserError if the cube is all inside, or all outside."""
    inside = lattice.inside
    if inside.all():
        raise UserError(f"the sample has no surface: its {field.word} is above {field.level:.3g} in the whole cube",
                        hint="train it longer, or try another seed")
    if not inside.any():
        highest = field.reached(float(lattice.values.max()))
        raise UserError(f"the sample has no surface: its {field.word} reaches {field.level:.3g} nowhere, the "
                        f"highest is {highest:.2g}", hint="train it longer, or try another seed or a lower level")


def _closed_surface(lattice: Lattice) -> trimesh.Trimesh:
    """The surface by marching cubes (Lewiner et al. 2003) in the frame, wound outwards, closed at the cube's border."""
    from skimage.measure import marching_cubes

    inside, cells = lattice.inside, lattice.resolution
    low, high = np.zeros(3, int), np.zeros(3, int)
    for axis in range(3):
        full = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        low[axis], high[axis] = max(full[0] - 1, 0), min(full[-1] + 2, cells + 1)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    values = np.pad(lattice.values[box], 1, mode="edge")
    beside = np.abs(values[1:-1, 1:-1, 1:-1])[_beside_surface(inside[box])]
    least = np.float32(_NUDGE * np.median(beside)) if len(beside) else np.float32(_NUDGE)
    values = np.where(np.abs(values) < least, np.where(values > 0, least, -least), values)
    for axis in range(3):
        border = np.moveaxis(values, axis, 0)
        border[[0, -1]] = -np.abs(border[[1, -2]]) * np.float32(1 / _AWAY - 1)
    vertices, faces, _, _ = marching_cubes(values, 0.0, gradient_direction="ascent")
    return trimesh.Trimesh((vertices.astype(np.float64) - 1 + low) / cells - 0.5, faces, process=False)


def _beside_surface(inside: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """Corners with a neighbour on the other side."""
    found = np.zeros(inside.shape, bool)
    for axis in range(3):
        differs = np.diff(inside, axis=axis)
        rows = np.moveaxis(found, axis, 0)
        rows[:-1] |= np.moveaxis(differs, axis, 0)
        rows[1:] |= np.moveaxis(differs, axis, 0)
    return found
