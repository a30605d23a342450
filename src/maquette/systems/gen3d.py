"""3DGEN: a generative model of novel 3D objects from images alone, whose surfaces can be exported as meshes.

arXiv 2312.08094: UNISURF (Oechsle, Peng, Geiger, ICCV 2021, arXiv 2104.10078), made conditional on two codes, takes
the place of GRAF's radiance field; everything around it is GRAF's (`maquette.systems.graf`).

    generator   softplus(-D(patch of G(z, camera))) + lambda mean |n(x_s) - n(x_s + e)|    on every batch
    critic      as in GRAF

The shape code enters the occupancy field only, the appearance code the colour field only. A ray is marched to its first
crossing of occupancy 0.5, which eight secant steps refine. Samples lie in an interval about it, which narrows in
training, and some in the free space before it; colour = sum_i o_i prod_{j<i} (1 - o_j) c_i. The object starts as a
sphere. x_s are the surface points, e a small random offset, n the normal: the field's normalised gradient.

`field: mlp` is the papers' network. `field: planes` (recipe `3dgen-fast`) keeps the method and changes the network
(`maquette.nets.occupancy_fields.OccupancyPlanes`): rays are marched through a coarse grid, and the samples of a ray
share one normal, computed by differences. The papers do not give the interval's numbers: these are ours, in units of
the frame. The weight of the normals' term is UNISURF's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Lt
from jaxtyping import Bool, Float
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.keys import NonNegativeFloat, NonNegativeInt, Octaves, PositiveFloat, PositiveInt, ShareBelow1, TwoOrMore
from maquette.nets.layers import repeat_index
from maquette.nets.occupancy_fields import (
    ColourField,
    LogitsAt,
    OccupancyCoded,
    OccupancyField,
    OccupancyMLP,
    OccupancyPlanes,
)
from maquette.nets.types import RayIndex
from maquette.rays import sampling as rays
from maquette.rays import schedules, surface
from maquette.rays.packing import PackedRays
from maquette.systems.base import CRITIC, GENERATOR, Batch, Nets, Terms, network
from maquette.systems.graf import (
    Background,
    FieldGenerator,
    FieldSystem,
    Rays,
    Rendered,
    SampleValues,
    ViewsConfig,
    split_codes,
)
from maquette.systems.losses import nonsaturating_generator

FOREGROUND_WEIGHT = 10.0
"""Weight of the free-space loss, times the missing share of the foreground (`min_foreground`)."""
Vectors = Float[Tensor, "rows rays 3"]
"""Origins, directions or points of packed rays."""
Depths = Float[Tensor, "rows rays"]
"""One depth for each packed ray."""
Hits = Bool[Tensor, "rows rays"]
"""Whether each packed ray meets a surface."""


@dataclass(frozen=True)
class Gen3DConfig(ViewsConfig):
    """The networks and losses of 3DGEN; the defaults are the paper's, UNISURF's and GRAF's."""

    field: Literal["mlp", "coded", "planes"] = "mlp"
    """mlp: one deep network for all positions (paper); coded: a small one as GRAF's, whose surface is found faster;
    planes: three planes of features that a convolutional network makes from the shape code, read by a small network."""
    field_width: PositiveInt = 256
    """Width of the occupancy field's layers."""
    field_depth: PositiveInt = 8
    """Layers of the occupancy field; with mlp the position enters again after half of them."""
    features: PositiveInt = 256
    """Values that the occupancy field gives the colour field for a position."""
    position_octaves: Octaves = 6
    """Octaves of the positional encoding of positions (mlp, coded)."""
    plane_side: Literal[8, 16, 32, 64, 128, 256] = 64
    """Cells a side of a plane of features (planes)."""
    plane_features: PositiveInt = 16
    """Values of a cell of a plane (planes)."""
    plane_width: PositiveInt = 64
    """Width of the convolutional network that makes the planes (planes)."""
    colour_width: PositiveInt = 256
    """Width of the colour field's layers."""
    colour_depth: PositiveInt = 4
    """Layers of the colour field."""
    radius: Annotated[float, Gt(0), Lt(0.5)] = 0.3
    """Radius of the sphere that training starts from, where the cube's side is 1."""
    march_steps: TwoOrMore = 64
    """Steps of a ray in the search for the surface."""
    secant_steps: NonNegativeInt = 8
    """Secant steps that refine the surface that the search finds."""
    interval_samples: TwoOrMore = 64
    """Samples of a ray in the interval about the surface."""
    free_samples: NonNegativeInt = 32
    """Samples of a ray in the free space before it."""
    interval_start: PositiveFloat = 0.5
    """Half the interval's length at the first step, where the cube's side is 1."""
    interval_end: PositiveFloat = 0.05
    """Half the interval's length at the end."""
    interval_rate: NonNegativeFloat = 1.5e-5
    """Rate per step at which half the interval's length falls."""
    smoothness: NonNegativeFloat = 0.005
    """Weight of the difference between the normals at surface points and at points near them."""
    smoothness_reach: PositiveFloat = 0.01
    """The largest offset of those points on each axis, where the cube's side is 1."""
    min_foreground: ShareBelow1 = 0.0
    """The smallest share of patches that objects may cover, averaged over a batch: below it a penalty keeps them from
    vanishing, which no other term does."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.interval_end > self.interval_start:
            raise UserError("model.interval_end must not be above model.interval_start",
                            f"{self.interval_end:g} and {self.interval_start:g}")


def occupancy_field(config: Gen3DConfig) -> OccupancyField:
    """The occupancy field of the kind `config.field`."""
    if config.field == "planes":
        return OccupancyPlanes(config.shape_code, config.plane_side, config.plane_features, config.plane_width,
                               config.field_width, config.field_depth, config.features, config.radius)
    if config.field == "coded":
        return OccupancyCoded(config.shape_code, config.field_width, config.field_depth, config.position_octaves,
                              config.features, config.radius)
    return OccupancyMLP(config.shape_code, config.field_width, config.field_depth, config.position_octaves,
                        config.features, config.radius)


@dataclass(frozen=True)
class SurfaceRendered(Rendered):
    """What rays show of a surface.

    Attributes:
        hit: Whether a surface was found.
        free_space_loss: Mean of -log of the largest occupancy along a ray that meets the cube; 0 where none does. It
            has a gradient where the mask has none any more.
        roughness: Mean difference between the normals at surface points and near them, or None.
    """

    hit: Bool[Tensor, "images rays"]
    free_space_loss: Float[Tensor, ""]
    roughness: Float[Tensor, ""] | None = None


class SurfaceGenerator(FieldGenerator):
    """Latents and rays to the colours that the rays see, by the occupancy about the surface.

    Args:
        config: The keys of 3DGEN.

    Attributes:
        half_width: Half the interval's length, a buffer that training sets, so that a model renders as it did in the
            last step of training.
    """

    half_width: Tensor

    def __init__(self, config: Gen3DConfig):
        super().__init__()
        self.config, self.samples = config, config.free_samples + config.interval_samples
        self.field_width = config.field_width
        self.field = occupancy_field(config)
        self.colour = ColourField(config.features, config.appearance_code, config.colour_width, config.colour_depth,
                                  config.view_octaves, config.channels, self.field.normal_per_ray)
        self.register_buffer("half_width", torch.tensor(config.interval_start))

    def forward(
        self, latent: Float[Tensor, "images latent"], origins: Rays, directions: Rays, background: Background = 1.0,
        jitter: SampleValues | None = None, beside: Rays | None = None,
    ) -> SurfaceRendered:
        """What rays show of the object of each latent.

        Args:
            latent: One for each image.
            origins: In the frame.
            directions: Unit vectors.
            background: In [-1, 1].
            jitter: Uniform on [0, 1): the position of each sample in its part of the ray. None: the middle.
            beside: Offsets from surface points to the points with whose normals theirs are compared; None: no
                roughness.
        """
        code, appearance = split_codes(latent, self.config)
        with self.autocast(latent.device.type):
            shape = self.field.precompute(code)
            near, far, hits_box = rays.intersect_box(origins, directions)
            packed = PackedRays.where(hits_box)
            origins, directions, near, far, hits_box = (packed.pack(values)
                                                        for values in (origins, directions, near, far, hits_box))
            depth, hit = self.find_surface(shape, origins, directions, near, far, packed.image_index)
            depths = surface.sample_interval(depth, hit, near, far, self.half_width, self.config.interval_samples,
                                             self.config.free_samples, None if jitter is None else packed.pack(jitter))
            positions = surface.points_on_rays(origins, directions, depths).flatten(1, 2)
            image_index = repeat_index(packed.image_index, self.samples)
            if self.field.normal_per_ray:
                logits, features = self.field.occupancy(positions, shape, image_index)
            else:
                logits, features, normals = self.field.with_normals(positions, shape, image_index)
            weights = surface.occupancy_weights(logits.view_as(depths).sigmoid() * hits_box[..., None])
            points, at_points = origins + depth[..., None] * directions, None
            if self.field.normal_per_ray:
                ends = torch.where(hit, depth, (weights * depths).sum(-1) + (1 - weights.sum(-1)) * far)
                ended = origins + ends[..., None] * directions
                normals = at_points = self.field.with_normals(ended, shape, packed.image_index)[2]
            colours = self.colour(positions, normals, directions, features, appearance, packed.image_index)
            colour, mask = surface.composite(weights, colours.view(*depths.shape, -1), 0.0)
            rough = None
            if beside is not None:
                others = points + packed.pack(beside)
                rough = self.roughness(shape, points, others, hit, packed.image_index, at_points)
            free = nn.functional.softplus(-logits.view_as(depths).amax(-1))[hits_box]
            free_space_loss = free.mean() if len(free) else free.sum()
        unpacked = packed.unpack_over(colour, mask, background)
        return SurfaceRendered(*unpacked, packed.unpack(hit), free_space_loss, rough)

    def autocast(self, device: str) -> torch.autocast:
        """The precision of the field's products: lower where autocast is on and the field allows it.

        Weights that were cast are not cached: the search casts some without gradients, which must not be used again.

        Args:
            device: Its type: cpu or cuda.
        """
        low_precision = self.field.low_precision and torch.is_autocast_enabled(device)
        return torch.autocast(device, enabled=low_precision, cache_enabled=False)

    @torch.no_grad()
    def find_surface(
        self,
        shape: Tensor,
        origins: Vectors,
        directions: Vectors,
        near: Depths,
        far: Depths,
        image_index: RayIndex | None = None,
    ) -> tuple[Depths, Hits]:
        """The depth of the surface along rays (far where there is none), and whether there is one.

        Args:
            shape: What the field's `precompute` gave.
            origins: In the frame.
            directions: Unit vectors.
            near: Where the rays enter the cube.
            far: Where they leave it.
            image_index: The image of each ray, where all rays are in one row.
        """
        steps, refinements = self.config.march_steps, self.config.secant_steps
        coarse = _at_samples(self.field.search(shape), image_index)
        bracket = surface.march(coarse, origins, directions, near, far, steps)
        exact = _at_samples(
            lambda positions, image_index: self.field.occupancy(positions, shape, image_index)[0], image_index
        )
        return surface.secant(exact, origins, directions, bracket, refinements)

    def roughness(
        self, shape: Tensor, points: Vectors, others: Vectors, hit: Hits, image_index: RayIndex | None = None,
        normals: Vectors | None = None,
    ) -> Float[Tensor, ""]:
        """Mean |n(x_s) - n(x_s + e)|_2 over the points that are on a surface (UNISURF, equation 10); 0 without any.

        Args:
            shape: What the field's `precompute` gave.
            points: x_s.
            others: x_s + e.
            hit: Which points are on a surface.
            image_index: The image of each point, where all points are in one row.
            normals: n(x_s), where it is known already.
        """
        normals = self.field.with_normals(points, shape, image_index)[2] if normals is None else normals
        beside = self.field.with_normals(others, shape, image_index)[2]
        differences = ((normals - beside).square().sum(-1) + 1e-12).sqrt()
        return torch.where(hit, differences, 0.0).sum() / hit.sum().clamp(min=1)


class Gen3D(FieldSystem[Gen3DConfig]):
    """Images of one class in, a generator of views of objects with a surface out (arXiv 2312.08094)."""

    name = "3dgen"
    Config = Gen3DConfig

    def make_generator(self) -> SurfaceGenerator:
        """The conditional UNISURF."""
        return SurfaceGenerator(self.config)

    @property
    def generator(self) -> SurfaceGenerator:
        """The conditional UNISURF."""
        return network(self.nets, GENERATOR, SurfaceGenerator)

    def render_patches(self, nets: Nets, batch: Batch, step: int) -> SurfaceRendered:
        """Patches of new objects, seen by new cameras; with roughness where gradients are enabled."""
        config, generator = self.config, network(nets, GENERATOR, SurfaceGenerator)
        generator.half_width.fill_(schedules.interval_half_width(
            step, config.interval_start, config.interval_rate, config.interval_end))
        latent, origins, directions, background, jitter = self.sample_rays(nets, batch, step)
        beside = None
        if config.smoothness and torch.is_grad_enabled():
            beside = config.smoothness_reach * (2 * batch.uniform(*origins.shape) - 1)
        return generator(latent, origins, directions, background, jitter, beside)

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """GRAF's loss, the smoothness of the normals, and the penalty below `min_foreground`."""
        seen = self.render_patches(nets, batch, step)
        minimised = {"adversarial": nonsaturating_generator(nets[CRITIC](self._as_patches(seen.colour)))}
        if seen.roughness is not None:
            minimised["roughness"] = self.config.smoothness * seen.roughness
        if self.config.min_foreground:
            missing = (self.config.min_foreground - seen.mask.detach().mean()).relu()
            minimised["vanishing"] = FOREGROUND_WEIGHT * missing * seen.free_space_loss
        return Terms(minimised, {"foreground": seen.mask.detach().mean(), "hit": seen.hit.float().mean(),
                                 "half_width": network(nets, GENERATOR, SurfaceGenerator).half_width.clone()})


def _at_samples(logits: LogitsAt, image_index: Tensor | None) -> Callable[[Tensor], Tensor]:
    """A function of positions `[B, P, 3]` as a function of samples on rays, `[B, P, N, 3]`."""

    def along_rays(positions: Tensor) -> Tensor:
        found = logits(positions.flatten(1, 2), repeat_index(image_index, positions.shape[2]))
        return found.view(positions.shape[:-1])

    return along_rays
