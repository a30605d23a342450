"""GRAF: Generative Radiance Fields for 3D-Aware Image Synthesis. Images of one class in, a generator of views out.

Schwarz, Liao, Niemeyer, Geiger, NeurIPS 2020 (arXiv 2007.02442), sections 3.1 to 3.3 and the released code:

    generator   softplus(-D(patch of G(z, camera)))                                on every batch
    critic      softplus(-D(patch of x)) + softplus(D(patch of G)) + 10 |grad D|^2  on every batch, at real patches (R1)

z: a shape code and an appearance code, 128 values each, standard normal. A field (`maquette.nets.field`) gives density
and colour at a position seen from a direction: position and shape code alone decide the density. A camera is drawn for
each image, none is known of the data. Rays are cast for a patch of 32x32 places at a random scale and offset, whose
smallest scale falls in training, so that the discriminator sees the whole first and details later.

RMSprop, 5e-4 and 1e-4, batches of 8, a moving average of 0.999: in the recipe. Differs from the code: rays are sampled
inside the cube of the package's frame and not between two fixed depths; scales fall smoothly, not in stairs; images lie
in [-1, 1] by a tanh instead of a sigmoid; a latent has three values more, which decide the camera.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from maquette.configs_fields import CAMERA_VALUES, GRAFConfig
from maquette.nets.field import DensityField
from maquette.nets.patches import PatchCritic
from maquette.rays import sampling as rays
from maquette.rays import schedules, surface
from maquette.rays.sampling import Views
from maquette.systems.base import Batch, Nets, Phase, System, Terms
from maquette.systems.capabilities import Makes
from maquette.systems.losses import nonsaturating_discriminator, nonsaturating_generator, r1_penalty

AT_ONCE = 2**24
"""Samples times a field's width that one pass takes in `generate`."""
ROUNDED = 128
"""Rays that are cast at a time in training, or a multiple of it."""


@dataclass(frozen=True)
class Rendered:
    """What rays show. colour: `[B, P, C]` in [-1, 1]. mask: `[B, P]`, the share of a ray that ends on the object.

    Of 3DGEN only: hit, `[B, P]`, whether a surface was found; roughness, the mean difference of normals beside it;
    emptiness, the mean of -log of the largest occupancy along a ray, which has a slope where a mask has none any more.
    """

    colour: Tensor
    mask: Tensor
    hit: Tensor | None = None
    roughness: Tensor | None = None
    free_space_loss: Tensor | None = None


@dataclass(frozen=True)
class PackedRays:
    """The rays of several images that meet the cube, in one row: the others see the background, at no cost.

    Some that miss it fill the row up to a multiple of ROUNDED, as matrix products of ever new sizes are slow.

    Attributes:
        places: Int64 `[N]`, of these among all rays of all images. owner: int64 `[N]`, the image of each; None where
            there is only one.
        size: `[B, P]`.
    """

    places: Tensor
    image_index: Tensor | None
    size: torch.Size

    @classmethod
    def of(cls, hits_box: Tensor) -> "PackedRays":
        """Those where `hits_box`, bool `[B, P]`, holds."""
        count = max(1, math.ceil(hits_box.sum().item() / ROUNDED)) * ROUNDED
        places = hits_box.flatten().byte().argsort(descending=True, stable=True)[:count].sort().values
        return cls(places, None if len(hits_box) == 1 else places // hits_box.shape[1], hits_box.shape)

    def only(self, values: Tensor) -> Tensor:
        """`[B, P, ...]` to `[1, N, ...]`."""
        return values.flatten(0, 1).index_select(0, self.places)[None]

    def back(self, values: Tensor) -> Tensor:
        """`[1, N, ...]` to `[B, P, ...]`, with zeros elsewhere."""
        whole = values.new_zeros(self.size.numel(), *values.shape[2:])
        return whole.index_copy(0, self.places, values[0]).unflatten(0, self.size)

    def placed(self, colour: Tensor, mask: Tensor, background: Tensor | float) -> tuple[Tensor, Tensor]:
        """Colours `[1, N, C]` on black and masks `[1, N]` to `[B, P, C]` over the background and `[B, P]`."""
        whole = self.back(mask)
        return self.back(colour) + (1 - whole)[..., None] * background, whole


class RadianceGenerator(nn.Module):
    """Latents and rays to the colours that these see, by volume rendering."""

    def __init__(self, config: GRAFConfig):
        super().__init__()
        self.config, self.samples = config, config.samples
        self.field = DensityField(config.shape_code, config.appearance_code, config.field_width, config.field_depth,
                                  config.position_octaves, config.view_octaves, config.channels)

    def forward(
        self, latent: Tensor, origins: Tensor, directions: Tensor, background: Tensor | float = 1.0,
        jitter: Tensor | None = None, noise: Tensor | None = None,
    ) -> Rendered:
        """Latents `[B, latent]`, rays `[B, P, 3]`; jitter, noise: `[B, P, samples]`, of places and of densities."""
        shape, appearance = codes(latent, self.config)
        near, far, hits_box = rays.intersect_box(origins, directions)
        cast = PackedRays.of(hits_box)
        origins, directions, near, far = (cast.only(values) for values in (origins, directions, near, far))
        depths = surface.stratified(near, far, self.samples, None if jitter is None else cast.only(jitter))
        positions = surface.points_on_rays(origins, directions, depths).flatten(1, 2)
        density, colours = self.field(positions, directions, shape, appearance, cast.image_index)
        density = density.view_as(depths) if noise is None else density.view_as(depths) + cast.only(noise)
        weights = surface.density_weights(density.relu(), depths, far)
        colour, mask = surface.composite(weights, colours.view(*depths.shape, -1), 0.0)
        return Rendered(*cast.placed(colour, mask, background))


def codes(latent: Tensor, config: Any) -> tuple[Tensor, Tensor]:
    """The shape codes and the appearance codes of latents `[B, latent]`; the camera's values come after them."""
    return latent.split((config.shape_code, config.appearance_code, CAMERA_VALUES), 1)[:2]


class GRAF(System):
    """Images of one class in, a generator of views of objects out (arXiv 2007.02442)."""

    name = "graf"
    Config = GRAFConfig
    makes = Makes.FIELD

    def __init__(self, config: GRAFConfig):
        self.config = config
        self.nets = nn.ModuleDict({"generator": self.make_generator(),
                                   "critic": PatchCritic(config.channels, config.critic_channels, config.critic_norms)})

    def make_generator(self) -> nn.Module:
        """The network between latents and rays, and colours."""
        return RadianceGenerator(self.config)

    def phases(self) -> tuple[Phase, ...]:
        """Generator, then critic, both on every batch (the released code's order)."""
        return (
            Phase("generator", ("generator",), self.generator_loss),
            Phase("critic", ("critic",), self.critic_loss),
        )

    def views(self, latent: Tensor) -> Views:
        """The cameras that latents `[B, latent]` are seen from, by their last three values."""
        config, draws = self.config, torch.special.ndtr(latent[:, -CAMERA_VALUES:])
        return rays.sample_cameras(draws, config.azimuth_deg, config.elevation_deg, config.distance, config.fov_deg)

    def generate(self, latent: Tensor, views: Views | None = None) -> Tensor:
        """Latents `[B, latent]` to images `[B, C, H, W]` in [-1, 1], on white; views: instead of the latents' own.

        Rays that miss the cube are not cast. A gradient passes where gradients are enabled.
        """
        with outside_inference():
            latent = latent.clone()
            views = self.views(latent) if views is None else views
            return torch.cat([self._image(latent[i : i + 1], views[i : i + 1]) for i in range(len(latent))])

    def _image(self, latent: Tensor, views: Views) -> Tensor:
        side = self.config.height
        colour, _ = self.render_rays(latent, views, rays.pixel_places(side, latent)[None])
        return colour.view(1, side, side, -1).permute(0, 3, 1, 2)

    def render_rays(self, latent: Tensor, views: Views, places: Tensor) -> tuple[Tensor, Tensor]:
        """What one latent `[1, latent]` shows at places `[1, P, 2]` of its picture: colours `[P, C]` in [-1, 1], on
        white, and the mask `[P]`.

        Rays that miss the cube are not cast.
        """
        generator, count = self.nets["generator"], places.shape[1]
        origins, directions = views.rays(places)
        cast = rays.intersect_box(origins, directions)[2][0].nonzero().squeeze(1)
        seen = [generator(latent, origins[:, rows], directions[:, rows])
                for rows in cast.split(max(1, AT_ONCE // (self.config.field_width * generator.samples))) if len(rows)]
        colour, mask = (torch.full(shape, value, device=latent.device)
                        for shape, value in (((count, self.config.channels), 1.0), ((count,), 0.0)))
        if seen:
            colour = colour.index_copy(0, cast, torch.cat([part.colour[0] for part in seen]))
            mask = mask.index_copy(0, cast, torch.cat([part.mask[0] for part in seen]))
        return colour, mask

    def rendered(self, nets: Nets, batch: Batch, step: int) -> Rendered:
        """Patches of fresh objects from fresh cameras, `[B, K * K, ...]`."""
        latent, origins, directions, background, jitter = self.drawn(nets, batch, step)
        deviation = schedules.fading(step, self.config.density_noise, self.config.density_noise_until)
        noise = deviation * batch.normal(*jitter.shape) if deviation else None
        return nets["generator"](latent, origins, directions, background, jitter, noise)

    def drawn(self, nets: Nets, batch: Batch, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor | float, Tensor]:
        """Latents, the rays of a patch of each, backgrounds, and where along the rays samples are taken."""
        config, size = self.config, len(batch)
        latent = batch.normal(size, config.latent)
        origins, directions = self.views(latent).rays(self._places(batch, step))
        background = 2 * batch.uniform(size, 1, config.channels) - 1 if config.background == "random" else 1.0
        return latent, origins, directions, background, batch.uniform(size, config.patch**2, nets["generator"].samples)

    def _places(self, batch: Batch, step: int) -> Tensor:
        smallest = schedules.smallest_scale(step, self.config.scale_rate, self.config.scale_least)
        return rays.patch_places(batch.uniform(len(batch), 3), smallest, self.config.patch)

    def _as_patches(self, colours: Tensor) -> Tensor:
        """`[B, K * K, C]` to `[B, C, K, K]`."""
        return colours.transpose(1, 2).unflatten(2, (self.config.patch, self.config.patch))

    def generator_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(G(z, camera)) of a patch (equation 8)."""
        seen = self.rendered(nets, batch, step)
        logits = nets["critic"](self._as_patches(seen.colour))
        return Terms({"adversarial": nonsaturating_generator(logits)}, {"foreground": seen.mask.detach().mean()})

    def critic_loss(self, nets: Nets, batch: Batch, step: int) -> Terms:
        """-log D(x) - log(1 - D(G)) + r1 |grad D(x)|^2 on patches of real images and of made ones without a graph."""
        with torch.no_grad():
            fake = self._as_patches(self.rendered(nets, batch, step).colour)
        real = rays.sample_image(batch.images, self._places(batch, step)).requires_grad_()
        real_logits, fake_logits = nets["critic"](real), nets["critic"](fake)
        minimised = {"discriminator": nonsaturating_discriminator(real_logits, fake_logits)}
        if self.config.r1:
            minimised["r1"] = self.config.r1 * r1_penalty(real_logits, real)
        return Terms(minimised, {"score_real": real_logits.mean().detach(), "score_fake": fake_logits.mean().detach()})


@contextmanager
def outside_inference() -> Iterator[None]:
    """Normals are gradients, which inference mode has none of."""
    if not torch.is_inference_mode_enabled():
        yield
        return
    with torch.inference_mode(False), torch.no_grad():
        yield
