"""The search for the camera and the codes of a picture: from where it begins, what it compares, and one step of it."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from maquette.errors import UserError
from maquette.fields.extract import field_system, require_field_generator
from maquette.fields.subject import FILL, Subject
from maquette.models import prior
from maquette.models.hub import Model
from maquette.models.pixels import from_pixels
from maquette.rays import sampling as rays
from maquette.rays.sampling import Views
from maquette.systems.graf import CAMERA_VALUES

GRID = 24
"""Places a side of the pictures by which starts are compared."""
_AT_ONCE = 2**23  # samples of rays times the field's width in one step: a third of a training patch of 3dgen
_RATES = {"codes": 0.05, "angles": 1.0, "frame": 0.01}  # first learning rates: deviations, degrees, sides of an image
_SMALLEST, _LARGEST = 0.05, 4.0  # the frame's side, in sides of the camera's image



@dataclass(frozen=True)
class Search:
    """How the camera and the codes are searched for.

    Raises:
        UserError: If a value is out of its range.
    """

    steps: int = 200
    """Updates (Adam); these decide the result."""
    seconds: float = 60.0
    """The search ends within this time with the best that was found, whatever the steps; it always makes at least one
    try and the pictures of the result. A search that was cut is not repeatable."""
    azimuths: int = 16
    """Azimuths that are tried first, evenly over the model's range."""
    elevations: int = 2
    """Elevations that are tried with each of them."""
    draws: int = 3
    """Codes that are tried from each camera: the middle of the prior, and draws."""
    starts: int = 4
    """Tries that are followed: the best of all, from different azimuths."""
    rays: int = 1024
    """Rays of a step, over all starts; fewer for a large model."""
    silhouette: float = 0.5
    """Weight of the outline, if the picture tells it."""
    prior_weight: float = 0.01
    """Weight of keeping the codes likely."""
    seed: int = 0
    """Seed of draws and rays."""

    def __post_init__(self) -> None:
        most_of = {"steps": 100_000, "azimuths": 360, "elevations": 90, "draws": 1000, "starts": 64, "rays": 2**20}
        for name, most in most_of.items():
            if not 1 <= getattr(self, name) <= most:
                raise UserError(f"{name} must be from 1 to {most}", getattr(self, name))
        for name in ("silhouette", "prior_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"{name} must be 0 or more", getattr(self, name))
        if not 0 < self.seconds < math.inf:
            raise UserError("seconds must be above 0", self.seconds)
        if self.seed < 0:
            raise UserError("seed must be 0 or more", self.seed)


@dataclass
class Poses:
    """Several starts of a search, side by side.

    Attributes:
        codes: The latents without the values that decide a camera.
        angles: Azimuth and elevation of the camera, in degrees.
        frame: The square of the camera's image that is compared with the picture: the logarithm of its side, and its
            middle, right and down; the image's side is 1.
        numbers: Of the tries that they come from.
    """

    codes: Float[Tensor, "k codes"]
    angles: Float[Tensor, "k 2"]
    frame: Float[Tensor, "k 3"]
    numbers: Int[Tensor, " k"]

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, rows: Int[Tensor, " n"]) -> "Poses":
        """Some of the starts."""
        return Poses(self.codes[rows], self.angles[rows], self.frame[rows], self.numbers[rows])

    def copy(self) -> "Poses":
        """A copy that no update changes."""
        return Poses(*(value.detach().clone() for value in (self.codes, self.angles, self.frame, self.numbers)))


class PoseSearch:
    """The search for one picture in one model.

    Args:
        model: A model of 3DGEN or GRAF.
        seen: What the picture shows.
        search: How it is searched for.
    """

    def __init__(self, model: Model, seen: Subject, search: Search) -> None:
        self.model, self.system, self.seen, self.search = model, field_system(model), seen, search
        self.config = self.system.config
        self.device = next(self.system.nets.parameters()).device
        colours = from_pixels(np.array(seen.pixels[None]))
        mask = torch.ones_like(colours[:, :1]) if seen.mask is None else torch.from_numpy(seen.mask)[None, None]
        self.target = torch.cat([colours, mask], 1).to(self.device)  # [1, C + 1, S, S]
        self.grid = rays.pixel_places(GRID, self.target)
        self.generator = require_field_generator(self.system.generator)
        self.most = max(16, _AT_ONCE // (self.config.field_width * self.generator.samples))
        low, high = self.config.azimuth_deg
        self.around = high - low >= 360

    def cameras(self) -> list[tuple[float, float]]:
        """Azimuth and elevation of each try; those first that are far from each other."""
        search, (low, high) = self.search, self.config.azimuth_deg
        turns = [low + (high - low) * (k + (0.0 if self.around else 0.5)) / search.azimuths
                 for k in spread_order(search.azimuths)]
        sines = [math.sin(math.radians(end)) for end in self.config.elevation_deg]
        heights = [math.degrees(math.asin(sines[0] + (sines[1] - sines[0]) * (k + 0.5) / search.elevations))
                   for k in range(search.elevations)]
        return [(turn, height) for _ in range(search.draws) for height in heights for turn in turns]

    def _codes(self, draw: int) -> Float[Tensor, "1 codes"]:
        """The middle of the prior, or a draw."""
        latent = prior.draw(self.model, self.search.seed, draw - 1) if draw else prior.middle(self.model)
        return torch.from_numpy(latent)[None, :-CAMERA_VALUES].to(self.device)

    @torch.no_grad()
    def try_camera(self, angles: tuple[float, float], number: int) -> tuple[float, Poses] | None:
        """The cost of one try, framed by its own outline; None if it shows nothing.

        Args:
            angles: Azimuth and elevation of the camera, in degrees.
            number: Of the try, which decides its codes.

        Raises:
            UserError: If the model's values are not finite.
        """
        codes = self._codes(number // (self.search.azimuths * self.search.elevations))
        pose = Poses(codes, codes.new_tensor([angles]), codes.new_tensor([[0.0, 0.5, 0.5]]), torch.tensor([number]))
        colour, mask = self.system.render_rays(self.latents(pose), self._views(pose), self.grid[None])
        if not colour.isfinite().all():
            raise UserError(f"model '{self.model.name}' makes values that are not finite", hint="its training diverged")
        image = torch.cat([colour, mask[:, None]], 1).T.reshape(1, -1, GRID, GRID)
        if self.seen.mask is not None:
            solid = image[0, -1] >= 0.5
            if not solid.any():
                return None
            ends = [(where[0], where[-1] + 1) for axis in (0, 1)
                    if len(where := solid.any(axis).nonzero().squeeze(1).tolist())]
            (left, right), (top, bottom) = ends
            extent = max(right - left, bottom - top) / GRID / FILL
            pose.frame[0] = codes.new_tensor([math.log(extent), (left + right) / 2 / GRID, (top + bottom) / 2 / GRID])
        there = rays.sample_image(image, self._places(pose, self.grid))[0].flatten(1)  # [C + 1, P]
        return float(self._costs(pose, there[None, :-1].transpose(1, 2), there[-1:], self.grid)), pose

    def select(self, tried: list[tuple[float, Poses]]) -> Poses:
        """The best tries, one for each azimuth.

        Raises:
            UserError: If no try shows anything.
        """
        if not tried:
            raise UserError(f"model '{self.model.name}' shows no object from any camera",
                            hint="look at its samples: maquette generate")
        by_azimuth: dict[float, tuple[float, Poses]] = {}
        for cost, pose in sorted(tried, key=lambda one: one[0]):
            by_azimuth.setdefault(float(pose.angles[0, 0]), (cost, pose))
        best = [pose for _, pose in list(by_azimuth.values())[: self.search.starts]]
        names = ("codes", "angles", "frame", "numbers")
        return Poses(*(torch.cat([getattr(pose, name) for pose in best]) for name in names))

    def optimiser(self, poses: Poses) -> torch.optim.Optimizer:
        """Adam on all that is searched for; the frame stays if the picture does not tell the object's outline."""
        free = ("codes", "angles") if self.seen.mask is None else ("codes", "angles", "frame")
        return torch.optim.Adam([{"params": [getattr(poses, name)], "lr": _RATES[name], "first": _RATES[name]}
                                 for name in free])

    def step(self, poses: Poses, optimiser: torch.optim.Optimizer, draws: torch.Generator, left: float) -> None:
        """One update of all starts, on the same random places.

        Args:
            poses: The starts; they are changed.
            optimiser: Of these starts.
            draws: Decides the places.
            left: Share of the first learning rate.
        """
        side = max(2, math.isqrt(max(1, min(self.search.rays, self.most) // len(poses))))
        places = torch.rand(side * side, 2, generator=draws).to(self.device)
        with torch.enable_grad():
            looked_for = [group["params"][0].requires_grad_() for group in optimiser.param_groups]
            origins, directions = self._views(poses).rays(self._places(poses, places))
            shown = self.generator(self.latents(poses), origins, directions)
            cost = self._costs(poses, shown.colour, shown.mask, places).sum()
            slopes = torch.autograd.grad(cost, looked_for)
        for group, value, slope in zip(optimiser.param_groups, looked_for, slopes, strict=True):
            group["lr"] = left * group["first"]
            value.grad = slope
        optimiser.step()
        with torch.no_grad():
            low, high = self.config.azimuth_deg
            if not self.around:
                poses.angles[:, 0].clamp_(low, high)
            poses.angles[:, 1].clamp_(*self.config.elevation_deg)
            poses.frame[:, 0].clamp_(math.log(_SMALLEST), math.log(_LARGEST))
            poses.frame[:, 1:].clamp_(0.0, 1.0)

    @torch.no_grad()
    def render_frames(
        self, poses: Poses, side: int
    ) -> tuple[Float[Tensor, "k places channels"], Float[Tensor, "k places"]]:
        """What each start shows in its frame, colours and masks, at side x side places."""
        places = self._places(poses, rays.pixel_places(side, self.target))
        latents, views = self.latents(poses), self._views(poses)
        parts = [
            self.system.render_rays(latents[k : k + 1], views[k : k + 1], places[k : k + 1]) for k in range(len(poses))
        ]
        return torch.stack([colour for colour, _ in parts]), torch.stack([mask for _, mask in parts])

    def frame_costs(self, poses: Poses) -> Float[Tensor, " k"]:
        """The cost of each start over its whole frame; infinite if it is not finite."""
        with torch.no_grad():
            costs = self._costs(poses, *self.render_frames(poses, GRID), self.grid)
        return torch.where(costs.isfinite(), costs, math.inf)

    def better(self, best: tuple[Poses, float] | None, poses: Poses) -> tuple[Poses, float]:
        """The best start so far, and its cost."""
        return _better(best, poses, self.frame_costs(poses))

    def halve(self, best: tuple[Poses, float] | None, poses: Poses) -> tuple[tuple[Poses, float], Poses]:
        """The best start so far with its cost, and the better half of the starts."""
        costs = self.frame_costs(poses)
        rows = costs.argsort(stable=True)[: -(-len(poses) // 2)].cpu()
        return _better(best, poses, costs), poses.at(rows).copy()

    def _costs(
        self,
        poses: Poses,
        colour: Float[Tensor, "k places channels"],
        mask: Float[Tensor, "k places"],
        places: Float[Tensor, "places 2"],
    ) -> Float[Tensor, " k"]:
        """What is minimised, for each start.

        Args:
            poses: The starts.
            colour: What they show, in [-1, 1].
            mask: Where they show something, in [0, 1].
            places: Where in the frame; their number is a square.
        """
        target = rays.sample_image(self.target, places[None])[0].flatten(1)  # [C + 1, P]
        costs = (colour - target[:-1].T).square().mean((1, 2))
        if self.seen.mask is not None:
            costs = costs + self.search.silhouette * (mask - target[-1]).square().mean(1)
        return costs + self.search.prior_weight * poses.codes.square().mean(1) / 2

    def _places(self, poses: Poses, places: Float[Tensor, "places 2"]) -> Float[Tensor, "k places 2"]:
        """Places of the frame as places of the cameras' images."""
        return poses.frame[:, None, 1:] + poses.frame[:, None, :1].exp() * (places - 0.5)

    def _views(self, poses: Poses) -> Views:
        """The cameras."""
        away = sum(self.config.distance) / 2
        azimuth, elevation = poses.angles.unbind(1)
        return rays.views(azimuth, elevation, torch.full_like(azimuth, away), self.config.fov_deg)

    def latents(self, poses: Poses) -> Float[Tensor, "k latent"]:
        """Whole latents: the codes, and the values from which the system reads this camera."""
        azimuth, elevation = poses.angles.detach().double().unbind(1)
        sines = [math.sin(math.radians(end)) for end in self.config.elevation_deg]
        shares = [_share(azimuth, *self.config.azimuth_deg), _share(elevation.deg2rad().sin(), *sines)]
        shares.append(torch.full_like(azimuth, 0.5))
        camera = torch.special.ndtri(torch.stack(shares, 1).clamp(1e-6, 1 - 1e-6))
        return torch.cat([poses.codes, camera.to(poses.codes)], 1)


def _better(best: tuple[Poses, float] | None, poses: Poses, costs: Float[Tensor, " k"]) -> tuple[Poses, float]:
    """The best start so far, and its cost."""
    winner = int(costs.argmin())
    if best is not None and float(costs[winner]) >= best[1]:
        return best
    return poses.at(torch.tensor([winner])).copy(), float(costs[winner])


def _share(values: Float[Tensor, " k"], low: float, high: float) -> Float[Tensor, " k"]:
    """Where values lie between two bounds, 0 to 1; 0.5 if the bounds are equal."""
    return (values - low) / (high - low) if high > low else torch.full_like(values, 0.5)


def spread_order(count: int) -> list[int]:
    """0 to count - 1 by halves, each as far as possible from those before it."""
    bits = max(1, (count - 1).bit_length())
    turned = (int(f"{k:0{bits}b}"[::-1], 2) for k in range(2**bits))
    return [k for k in turned if k < count]
