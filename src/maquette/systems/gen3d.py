"""3DGEN: a generative model of novel 3D objects from images alone, whose surfaces can be exported as meshes.

arXiv 2312.08094: UNISURF (Oechsle, Peng, Geiger, ICCV 2021, arXiv 2104.10078), made conditional on two codes, in the
place of GRAF's radiance field; everything around it is GRAF's (`maquette.systems.graf`).

    generator   softplus(-D(patch of G(z, camera))) + lambda mean |n(x_s) - n(x_s + e)|    on every batch
    critic      as in GRAF

The shape code enters the occupancy field only, the appearance code the colour field only. A ray is marched to its first
crossing of occupancy 0.5, found to the eighth secant step; samples lie in an interval about it that narrows in
training, and some in the free space before; colour = sum_i o_i prod_{j<i} (1 - o_j) c_i. The object starts as a sphere.
x_s are the surface points that were found, e a small random way, n the normal, the field's normalised gradient.

`field: mlp` is the papers' network. `field: planes` (recipe `3dgen-fast`) keeps the method and changes the network:
see `maquette.nets.field.OccupancyPlanes`. The march goes by a coarse grid then, and the colours of a ray share one
normal, by differences. What the papers leave open is ours: the interval's numbers in this frame; the weight of the
normals' term is UNISURF's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Lt
from torch import Tensor, nn

from maquette.errors import UserError
from maquette.keys import NonNegativeFloat, NonNegativeInt, Octaves, PositiveFloat, PositiveInt, ShareBelow1, TwoOrMore
from maquette.nets.field import (
    ColourField,
    OccupancyCoded,
    OccupancyField,
    OccupancyMLP,
    OccupancyPlanes,
    Search,
    repeat_index,
)
from maquette.rays import sampling as rays
from maquette.rays import schedules, surface
from maquette.systems.base import CRITIC, GENERATOR, Batch, Nets, Terms
from maquette.systems.graf import FieldSystem, PackedRays, Rendered, ViewsConfig, codes
from maquette.systems.losses import nonsaturating_generator

FOREGROUND_WEIGHT = 10.0
"""Weight of the emptiness of rays, times the share of the foreground that is missing."""


@dataclass(frozen=True)
class Gen3DConfig(ViewsConfig):
    """The networks and losses of 3DGEN; the defaults are the paper's, UNISURF's and GRAF's."""

    field: Literal["mlp", "coded", "planes"] = "mlp"
    """mlp: one deep network for all positions (paper); coded: a small one as GRAF's, with a quick search; planes: three
    planes of features that a convolutional network makes of the shape code, read by a small network."""
    field_width: PositiveInt = 256
    """Width of the occupancy field's layers."""
    field_depth: PositiveInt = 8
    """Layers of the occupancy field; with mlp the position comes in again after half of them."""
    features: PositiveInt = 256
    """Values that the occupancy field tells the colour field of a position."""
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
    """Refinements of what the search finds."""
    interval_samples: TwoOrMore = 64
    """Samples of a ray in the interval about the surface."""
    free_samples: NonNegativeInt = 32
    """Samples of a ray in the free space before it."""
    interval_start: PositiveFloat = 0.5
    """Half the interval's length at the first step, where the cube's side is 1."""
    interval_end: PositiveFloat = 0.05
    """Half the interval's length at the end."""
    interval_rate: NonNegativeFloat = 1.5e-5
    """Rate a step at which half the interval's length falls."""
    smoothness: NonNegativeFloat = 0.005
    """Weight of the difference of normals at surface points and beside them."""
    smoothness_reach: PositiveFloat = 0.01
    """How far beside on each axis, where the cube's side is 1."""
    min_foreground: ShareBelow1 = 0.0
    """Share of patches that objects should cover at least, on the mean of a batch: below, a penalty pulls them back
    from vanishing, as nothing else can."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.interval_end > self.interval_start:
            raise UserError("model.interval_end must not be above model.interval_start",
                            f"{self.interval_end:g} and {self.interval_start:g}")


def occupancy_field(config: Gen3DConfig) -> OccupancyField:
    """The network that `config.field` names."""
    if config.field == "planes":
        return OccupancyPlanes(config.shape_code, config.plane_side, config.plane_features, config.plane_width,
                               config.field_width, config.field_depth, config.features, config.radius)
    if config.field == "coded":
        return OccupancyCoded(config.shape_code, config.field_width, config.field_depth, config.position_octaves,
                              config.features, config.radius)
    return OccupancyMLP(config.shape_code, config.field_width, config.field_depth, config.position_octaves,
                        config.features, config.radius)


class SurfaceGenerator(nn.Module):
    """Latents and rays to the colours that these see, by occupancy along rays about the surface.

    half_width: of the interval, a buffer that training sets, so that a model renders as it was trained last.
    """

    def __init__(self, config: Gen3DConfig):
        super().__init__()
        self.config, self.samples = config, config.free_samples + config.interval_samples
        self.field = occupancy_field(config)
        self.colour = ColourField(config.features, config.appearance_code, config.colour_width, config.colour_depth,
                                  config.view_octaves, config.channels, self.field.normal_a_ray)
        self.register_buffer("half_width", torch.tensor(config.interval_start))

    def forward(
        self, latent: Tensor, origins: Tensor, directions: Tensor, background: Tensor | float = 1.0,
        jitter: Tensor | None = None, beside: Tensor | None = None,
    ) -> Rendered:
        """Latents `[B, latent]`, rays `[B, P, 3]`; jitter: `[B, P, samples]`, of the samples' places.

        Args:
            beside: `[B, P, 3]`, from surface points to where their normals are compared; without it there is no
                roughness.
        """
        code, appearance = codes(latent, self.config)
        with self.products(latent.device.type):
            shape = self.field.prepared(code)
            near, far, hits_box = rays.intersect_box(origins, directions)
            cast = PackedRays.of(hits_box)
            origins, directions, near, far, hits_box = (cast.only(values)
                                                   for values in (origins, directions, near, far, hits_box))
            depth, hit = self.find(shape, origins, directions, near, far, cast.image_index)
            depths = surface.sample_interval(depth, hit, near, far, self.half_width, self.config.interval_samples,
                                           self.config.free_samples, None if jitter is None else cast.only(jitter))
            positions = surface.points_on_rays(origins, directions, depths).flatten(1, 2)
            image_index = repeat_index(cast.image_index, self.samples)
            if self.field.normal_a_ray:
                logits, features = self.field.occupancy(positions, shape, image_index)
            else:
                logits, features, normals = self.field.with_normals(positions, shape, image_index)
            weights = surface.occupancy_weights(logits.view_as(depths).sigmoid() * hits_box[..., None])
            points, at_points = origins + depth[..., None] * directions, None
            if self.field.normal_a_ray:
                ends = torch.where(hit, depth, (weights * depths).sum(-1) + (1 - weights.sum(-1)) * far)
                ended = origins + ends[..., None] * directions
                normals = at_points = self.field.with_normals(ended, shape, cast.image_index)[2]
            colours = self.colour(positions, normals, directions, features, appearance, cast.image_index)
            colour, mask = surface.composite(weights, colours.view(*depths.shape, -1), 0.0)
            rough = None
            if beside is not None:
                rough = self.roughness(shape, points, points + cast.only(beside), hit, cast.image_index, at_points)
            empty = nn.functional.softplus(-logits.view_as(depths).amax(-1))[hits_box].mean()
        return Rendered(*cast.placed(colour, mask, background), cast.back(hit), rough, empty)

    def products(self, device: str) -> torch.autocast:
        """The precision of the fields' products. Casts of weights are not kept: the search makes some without
        gradients, which must not serve the rest.
        """
        mixed = self.field.mixed and torch.is_autocast_enabled(device)
        return torch.autocast(device, enabled=mixed, cache_enabled=False)

    @torch.no_grad()
    def find(
        self,
        shape: Tensor,
        origins: Tensor,
        directions: Tensor,
        near: Tensor,
        far: Tensor,
        image_index: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The surface along rays `[B, P, 3]` of shapes as the field prepared them: depth and hit, `[B, P]` each."""
        steps, refinements = self.config.march_steps, self.config.secant_steps
        found = surface.march(_flat(self.field.search(shape), image_index), origins, directions, near, far, steps)
        exact = _flat(
            lambda positions, image_index: self.field.occupancy(positions, shape, image_index)[0], image_index
        )
        return surface.secant(exact, origins, directions, found, refinements)

    def roughness(
        self, shape: Tensor, points: Tensor, others: Tensor, hit: Tensor, image_index: Tensor | None = None,
        normals: Tensor | None = None,
    ) -> Tensor:
        """Mean |n(x_s) - n(x_s + e)|_2 over the points that are on a surface (UNISURF, equation 10); 0 without any.

        Args:
            normals: At the points that are on one, where they are known already.
        """
        normals = self.field.with_normals(points, shape, image_index)[2] if normals is None else normals
        beside = self.field.with_normals(others, shape, image_index)[2]
        differences = ((normals - beside).square().sum(-1) + 1e-12).sqrt()
        return torch.where(hit, differences, 0.0).sum() / hit.sum().clamp(min=1)


class Gen3D(FieldSystem[Gen3DConfig]):
    """Images of one class in, a generator of views of objects with a surface out (arXiv 2312.08094)."""

    name = "3dgen"
    Config = Gen3DConfig

    def make_generator(self) -> nn.Module:
        """The conditional UNISURF."""
        return SurfaceGenerator(self.config)

    def rendered(self, nets: Nets, batch: Batch, step: int) -> Rendered:
        """Patches of fresh objects from fresh cameras; with normals compared where a gradient is wanted."""
        config, generator = self.config, nets[GENERATOR]
        generator.half_width.fill_(schedules.interval_half_width(
            step, config.interval_start, config.interval_rate, config.interval_end))
        latent, origins, directions, background, jitter = self.drawn(nets, batch, step)
        beside = None
        if config.smoothness and torch.is_grad_enabled():
            beside = config.smoothness_reach * (2 * batch.uniform(*origins.shape) - 1)
        return generator(latent, origins, directions, background, jitter, beside)

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """GRAF's, and the normals' smoothness."""
        seen = self.rendered(nets, batch, step)
        minimised = {"adversarial": nonsaturating_generator(nets[CRITIC](self._as_patches(seen.colour)))}
        if seen.roughness is not None:
            minimised["roughness"] = self.config.smoothness * seen.roughness
        if self.config.min_foreground:
            missing = (self.config.min_foreground - seen.mask.detach().mean()).relu()
            minimised["vanishing"] = FOREGROUND_WEIGHT * missing * seen.free_space_loss
        return Terms(minimised, {"foreground": seen.mask.detach().mean(), "hit": seen.hit.float().mean(),
                                 "half_width": nets[GENERATOR].half_width.clone()})


def _flat(logits: Search, image_index: Tensor | None) -> Callable[[Tensor], Tensor]:
    """A function of `[B, P, 3]`, and of rays' owners `[P]`, as one of `[B, P, N, 3]`."""

    def along_rays(positions: Tensor) -> Tensor:
        found = logits(positions.flatten(1, 2), repeat_index(image_index, positions.shape[2]))
        return found.view(positions.shape[:-1])

    return along_rays
