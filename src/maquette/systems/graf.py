"""GRAF: Generative Radiance Fields for 3D-Aware Image Synthesis. Images of one class in, a generator of views out.

Schwarz, Liao, Niemeyer, Geiger, NeurIPS 2020 (arXiv 2007.02442), sections 3.1 to 3.3 and the released code:

    generator   softplus(-D(patch of G(z, camera)))                                on every batch
    critic      softplus(-D(patch of x)) + softplus(D(patch of G)) + 10 |grad D|^2  on every batch, at real patches (R1)

z: a shape code and an appearance code, 128 values each, standard normal. A field (`maquette.nets.radiance_field`) gives
density and colour at a position seen from a direction: position and shape code alone decide the density. A camera is
drawn for each image; the data's cameras are not known. Rays are cast for a patch of 32x32 points at a random scale and
position. The smallest scale falls in training, so that the discriminator sees whole images first and details later.

RMSprop, 5e-4 and 1e-4, batches of 8, a moving average of 0.999: in the recipe. Differs from the code: rays are sampled
inside the cube of the package's frame and not between two fixed depths; scales fall smoothly, not in stairs; images lie
in [-1, 1] by a tanh instead of a sigmoid; a latent has three values more, which decide the camera.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import torch
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from torch import Tensor, nn

from maquette.capabilities import Makes
from maquette.errors import UserError
from maquette.keys import (
    Finite,
    ImageSide,
    NonNegativeFloat,
    NonNegativeInt,
    Octaves,
    PositiveInt,
    PositiveShare,
    TwoOrMore,
    Widths,
)
from maquette.nets.patches import PatchCritic
from maquette.nets.radiance_field import RadianceField
from maquette.nets.types import Images, Latent
from maquette.rays import sampling as rays
from maquette.rays import schedules, surface
from maquette.rays.packing import PackedRays
from maquette.rays.sampling import Views
from maquette.systems.base import CRITIC, GENERATOR, Batch, Config, Nets, Phase, System, Terms, network
from maquette.systems.losses import nonsaturating_discriminator, nonsaturating_generator, r1_penalty

CAMERA_VALUES = 3
"""Values of a latent that decide the camera."""
Elevation = Annotated[float, Ge(-90), Le(90)]
Distance = Annotated[float, Gt(0.867), Le(1000)]
"""Outside of the cube."""
PASS_SIZE = 2**24
"""Samples times a field's width in one pass of `generate`, which bounds its memory."""
Rays = Float[Tensor, "images rays 3"]
"""Origins or unit directions of rays."""
SampleValues = Float[Tensor, "images rays samples"]
"""A value for each sample of each ray."""
Background = Float[Tensor, "images 1 channels"] | float
"""The background's colour in [-1, 1]: of each image, or one grey value."""


@dataclass(frozen=True)
class ViewsConfig(Config):
    """What GRAF and 3DGEN share: the images, the codes, the cameras and the patch discriminator."""

    section_defaults = {"data": {"flip": False}}  # a mirrored image has a mirrored camera

    height: ImageSide = 128
    """Rows of an image, equal to `width`."""
    width: ImageSide = 128
    """Columns of an image, from 8 to 4096."""
    channels: Literal[1, 3] = 3
    """1: grey; 3: colour."""
    shape_code: PositiveInt = 128
    """Values of the shape code, standard normal."""
    appearance_code: PositiveInt = 128
    """Values of the appearance code, standard normal."""
    view_octaves: Octaves = 4
    """Octaves of the positional encoding of view directions."""
    azimuth_deg: tuple[Finite, Finite] = (0.0, 360.0)
    """Least and greatest azimuth of a camera, drawn uniformly; 0 sees the object's front."""
    elevation_deg: tuple[Elevation, Elevation] = (0.0, 45.0)
    """Least and greatest elevation above the horizon; viewpoints are uniform on that part of the sphere."""
    distance: tuple[Distance, Distance] = (2.9, 2.9)
    """Least and greatest distance of a camera from the cube's middle, drawn uniformly, where the cube's side is 1."""
    fov_deg: Annotated[float, Ge(1), Le(120)] = 30.0
    """Field of view, from edge to edge of an image."""
    background: Literal["white", "random"] = "white"
    """white; or random: one colour drawn for each image, and for each image of the data by its mask. Then an object
    cannot hide parts of itself by giving them the background's colour."""
    critic_channels: Widths = (128, 256, 512)
    """Widths of the discriminator, each of which halves a patch, down to 4 pixels a side: three make patches of 32."""
    critic_norms: bool = True
    """Whether the discriminator has the paper's spectral and instance norms; without, it has more layers instead, and
    learns in hundreds of steps."""
    scale_least: PositiveShare = 0.25
    """The smallest side of a patch at the end, in sides of the image."""
    scale_rate: NonNegativeFloat = 7.5e-6
    """Rate a step at which the smallest side of a patch falls from 1."""
    r1: NonNegativeFloat = 10.0
    """Weight of the R1 penalty, the squared gradient of the discriminator at real patches."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.azimuth_deg[1] - self.azimuth_deg[0] <= 360:
            raise UserError("model.azimuth_deg must be two angles, the first not above the second, at most 360 degrees "
                            "apart", self.azimuth_deg)
        for name, ends in (("elevation_deg", self.elevation_deg), ("distance", self.distance)):
            if ends[0] > ends[1]:
                raise UserError(f"model.{name} must be two values, the first not above the second", ends)
        if self.height != self.width:
            raise UserError("model.width and model.height must be equal, the cameras' pictures are square",
                            f"{self.width}x{self.height}")

    def random_backgrounds(self) -> bool:
        """Whether `background` is `random`."""
        return self.background == "random"

    def critic_key(self) -> str:
        """`r1`, which makes it weaker."""
        return "r1"

    @property
    def latent(self) -> int:
        """Values of a latent: shape, appearance and the three that decide the camera."""
        return self.shape_code + self.appearance_code + CAMERA_VALUES

    @property
    def patch(self) -> int:
        """Pixels a side of the patches that the discriminator sees."""
        return 4 << len(self.critic_channels)


@dataclass(frozen=True)
class GRAFConfig(ViewsConfig):
    """The networks and losses of GRAF; the defaults are the paper's and its code's."""

    field_width: PositiveInt = 256
    """Width of the field's layers."""
    field_depth: PositiveInt = 8
    """Layers of the field; the position enters again after half of them."""
    position_octaves: Octaves = 10
    """Octaves of the positional encoding of positions."""
    samples: TwoOrMore = 64
    """Samples of a ray between where it enters and leaves the cube."""
    density_noise: NonNegativeFloat = 1.0
    """Deviation of the noise on densities at the first step."""
    density_noise_until: NonNegativeInt = 5000
    """Step at which that noise has fallen to 0, linearly; 0: no noise."""


ConfigT = TypeVar("ConfigT", bound=ViewsConfig, covariant=True)


@dataclass(frozen=True)
class Rendered:
    """What rays show.

    Attributes:
        colour: In [-1, 1].
        mask: The fraction of a ray's light that comes from the object.
    """

    colour: Float[Tensor, "images rays channels"]
    mask: Float[Tensor, "images rays"]


class FieldGenerator(nn.Module):
    """A field and how it is rendered: latents and rays to colours.

    Attributes:
        samples: Samples of a ray.
        field_width: Width of the field's layers.
    """

    samples: int
    field_width: int


class RadianceGenerator(FieldGenerator):
    """Latents and rays to the colours that the rays see, by volume rendering of a radiance field.

    Args:
        config: The keys of GRAF.
    """

    def __init__(self, config: GRAFConfig):
        super().__init__()
        self.config, self.samples, self.field_width = config, config.samples, config.field_width
        self.field = RadianceField(config.shape_code, config.appearance_code, config.field_width, config.field_depth,
                                  config.position_octaves, config.view_octaves, config.channels)

    def forward(
        self, latent: Float[Tensor, "images latent"], origins: Rays, directions: Rays, background: Background = 1.0,
        jitter: SampleValues | None = None, noise: SampleValues | None = None,
    ) -> Rendered:
        """What rays show of the object of each latent.

        Args:
            latent: One for each image.
            origins: In the frame.
            directions: Unit vectors.
            background: In [-1, 1].
            jitter: Uniform on [0, 1): the position of each sample in its part of the ray. None: the middle.
            noise: Added to the densities of the samples.
        """
        shape, appearance = split_codes(latent, self.config)
        near, far, hits_box = rays.intersect_box(origins, directions)
        packed = PackedRays.where(hits_box)
        origins, directions, near, far = (packed.pack(values) for values in (origins, directions, near, far))
        depths = surface.stratified(near, far, self.samples, None if jitter is None else packed.pack(jitter))
        positions = surface.points_on_rays(origins, directions, depths).flatten(1, 2)
        density, colours = self.field(positions, directions, shape, appearance, packed.image_index)
        density = density.view_as(depths) if noise is None else density.view_as(depths) + packed.pack(noise)
        weights = surface.density_weights(density.relu(), depths, far)
        colour, mask = surface.composite(weights, colours.view(*depths.shape, -1), 0.0)
        return Rendered(*packed.unpack_over(colour, mask, background))


def split_codes(
    latent: Latent, config: ViewsConfig
) -> tuple[Float[Tensor, "batch shape_code"], Float[Tensor, "batch appearance_code"]]:
    """The shape codes and the appearance codes of latents; the values that decide the camera come after them."""
    shape, appearance, _ = latent.split((config.shape_code, config.appearance_code, CAMERA_VALUES), 1)
    return shape, appearance


class FieldSystem(System[ConfigT]):
    """What GRAF and 3DGEN share: cameras, patches and losses. Each makes its generator and says how it renders."""

    makes = Makes.FIELD

    def make_networks(self) -> dict[str, nn.Module]:
        """Generator and patch discriminator."""
        config = self.config
        return {GENERATOR: self.make_generator(),
                CRITIC: PatchCritic(config.channels, config.critic_channels, config.critic_norms)}

    def make_generator(self) -> FieldGenerator:
        """The network from latents and rays to colours."""
        raise NotImplementedError

    @property
    def generator(self) -> FieldGenerator:
        """The network from latents and rays to colours."""
        return network(self.nets, GENERATOR, FieldGenerator)

    def phases(self) -> tuple[Phase, ...]:
        """Generator, then critic, both on every batch (the released code's order)."""
        return (
            Phase("generator", (GENERATOR,), self.generator_loss),
            Phase("critic", (CRITIC,), self.critic_loss, adversary=True),
        )

    @property
    def latent(self) -> int:
        """Values of a latent: shape, appearance and camera."""
        return self.config.latent

    def views(self, latent: Latent) -> Views:
        """The cameras of latents, by their last three values."""
        config, draws = self.config, torch.special.ndtr(latent[:, -CAMERA_VALUES:])
        return rays.sample_cameras(draws, config.azimuth_deg, config.elevation_deg, config.distance, config.fov_deg)

    def generate(self, latent: Latent, views: Views | None = None) -> Images:
        """The images of latents in [-1, 1], on white; differentiable where gradients are enabled.

        Rays that miss the cube are not rendered.

        Args:
            latent: One for each image.
            views: The cameras; None: those that the latents themselves decide.
        """
        with outside_inference():
            latent = latent.clone()
            views = self.views(latent) if views is None else views
            return torch.cat([self._image(latent[i : i + 1], views[i : i + 1]) for i in range(len(latent))])

    def _image(self, latent: Tensor, views: Views) -> Tensor:
        """The image `[1, C, H, W]` of one latent."""
        side = self.config.height
        colour, _ = self.render_rays(latent, views, rays.pixel_places(side, latent)[None])
        return colour.view(1, side, side, -1).permute(0, 3, 1, 2)

    def render_rays(
        self, latent: Float[Tensor, "1 latent"], views: Views, places: Float[Tensor, "1 points 2"]
    ) -> tuple[Float[Tensor, "points channels"], Float[Tensor, " points"]]:
        """The colours in [-1, 1], on white, and the mask of one latent's image at some places.

        Rays that miss the cube are not rendered.

        Args:
            latent: Of the image.
            views: Its camera.
            places: Image coordinates (right, down) in [0, 1].
        """
        generator, count = self.generator, places.shape[1]
        origins, directions = views.rays(places)
        hitting = rays.intersect_box(origins, directions)[2][0].nonzero().squeeze(1)
        rays_at_once = max(1, PASS_SIZE // (generator.field_width * generator.samples))
        seen = [generator(latent, origins[:, rows], directions[:, rows])
                for rows in hitting.split(rays_at_once) if len(rows)]
        colour, mask = (torch.full(shape, value, device=latent.device)
                        for shape, value in (((count, self.config.channels), 1.0), ((count,), 0.0)))
        if seen:
            colour = colour.index_copy(0, hitting, torch.cat([part.colour[0] for part in seen]))
            mask = mask.index_copy(0, hitting, torch.cat([part.mask[0] for part in seen]))
        return colour, mask

    def render_patches(self, nets: Nets, batch: Batch, step: int) -> Rendered:
        """Patches of new objects, seen by new cameras."""
        raise NotImplementedError

    def sample_rays(self, nets: Nets, batch: Batch, step: int) -> tuple[Latent, Rays, Rays, Background, SampleValues]:
        """Latents, the origins and directions of a patch of each, backgrounds, and the jitter of the rays' samples."""
        config, size = self.config, len(batch)
        latent = batch.normal(size, config.latent)
        origins, directions = self.views(latent).rays(self._places(batch, step))
        background = 2 * batch.uniform(size, 1, config.channels) - 1 if config.background == "random" else 1.0
        samples = network(nets, GENERATOR, FieldGenerator).samples
        return latent, origins, directions, background, batch.uniform(size, config.patch**2, samples)

    def _places(self, batch: Batch, step: int) -> Tensor:
        """Random patches, `[B, K * K, 2]`, as places of their images."""
        smallest = schedules.smallest_scale(step, self.config.scale_rate, self.config.scale_least)
        return rays.patch_places(batch.uniform(len(batch), 3), smallest, self.config.patch)

    def _as_patches(self, colours: Tensor) -> Tensor:
        """`[B, K * K, C]` to `[B, C, K, K]`."""
        return colours.transpose(1, 2).unflatten(2, (self.config.patch, self.config.patch))

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(G(z, camera)) of a patch (equation 8)."""
        seen = self.render_patches(nets, batch, step)
        logits = nets[CRITIC](self._as_patches(seen.colour))
        return Terms({"adversarial": nonsaturating_generator(logits)}, {"foreground": seen.mask.detach().mean()})

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(x) - log(1 - D(G)) + r1 |grad D(x)|^2 on patches, without a gradient for the generator."""
        with torch.no_grad():
            fake = self._as_patches(self.render_patches(nets, batch, step).colour)
        real = rays.sample_image(batch.real, self._places(batch, step)).requires_grad_()
        real_logits, fake_logits = nets[CRITIC](real), nets[CRITIC](fake)
        minimised = {"discriminator": nonsaturating_discriminator(real_logits, fake_logits)}
        if self.config.r1:
            minimised["r1"] = self.config.r1 * r1_penalty(real_logits, real)
        return Terms(minimised, {"score_real": real_logits.mean().detach(), "score_fake": fake_logits.mean().detach()})


class GRAF(FieldSystem[GRAFConfig]):
    """Images of one class in, a generator of views of objects out (arXiv 2007.02442)."""

    name = "graf"
    Config = GRAFConfig

    def make_generator(self) -> RadianceGenerator:
        """The network from latents and rays to colours, with a radiance field."""
        return RadianceGenerator(self.config)

    @property
    def generator(self) -> RadianceGenerator:
        """The network from latents and rays to colours, with a radiance field."""
        return network(self.nets, GENERATOR, RadianceGenerator)

    def render_patches(self, nets: Nets, batch: Batch, step: int) -> Rendered:
        """Patches of new objects, seen by new cameras, with noise on the densities."""
        latent, origins, directions, background, jitter = self.sample_rays(nets, batch, step)
        deviation = schedules.linear_decay(step, self.config.density_noise, self.config.density_noise_until)
        noise = deviation * batch.normal(*jitter.shape) if deviation else None
        return nets[GENERATOR](latent, origins, directions, background, jitter, noise)


@contextmanager
def outside_inference() -> Iterator[None]:
    """Leave PyTorch's inference mode, in which normals could not be computed by autograd; gradients are off then."""
    if not torch.is_inference_mode_enabled():
        yield
        return
    with torch.inference_mode(False), torch.no_grad():
        yield
