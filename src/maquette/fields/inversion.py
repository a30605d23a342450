"""The object of one picture in a generator of views: its camera and both codes, by optimisation from several starts.

Inversion of a generator by gradient descent on its latent (Creswell, Bharath, arXiv 1802.05701), here with the camera,
which no picture tells. Cameras all around are tried first, without a gradient, each with a few codes; the best are
followed by Adam on random rays, the worse half given up after each third of the steps. Minimised is, for each start,

    mean |c - c_picture|^2 + silhouette mean (m - m_picture)^2 + prior_weight |z|^2 / 2L

with colours c in [-1, 1] on white and masks m in [0, 1].

The frame is the object's: a start's silhouette is laid on the picture's by its box, and size and place are refined with
the rest, so that it does not matter how a picture was cropped.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maquette.errors import UserError
from maquette.events import Progress
from maquette.fields.subject import FILL, Subject, subject
from maquette.io.pictures import read_picture
from maquette.models import prior
from maquette.models.hub import Model
from maquette.models.pixels import as_pixels, from_pixels
from maquette.rays import sampling as rays
from maquette.rays.sampling import Views
from maquette.systems.capabilities import Makes
from maquette.systems.graf import CAMERA_VALUES

LOOKING = 0.4
"""Share of the time that the tries without a gradient may take."""
_GRID = 24  # places a side of the pictures by which starts are critic_fraction
_AT_ONCE = 2**23  # samples of rays times the field's width in one step: a third of a training patch of 3dgen
_RATES = {"codes": 0.05, "angles": 1.0, "frame": 0.01}  # first learning rates: deviations, degrees, sides of an image
_SMALLEST, _LARGEST = 0.05, 4.0  # frame's side, in sides of the camera's image


@dataclass(frozen=True)
class Search:
    """How the camera and the codes are looked for."""

    steps: int = 200
    """Updates (Adam); these decide the result."""
    seconds: float = 60.0
    """So that the search ends within this time the best that was found is taken, whatever the steps: at least one try
    and the pictures of the result. A search that it cut is not repeatable."""
    azimuths: int = 16
    """Azimuths that are tried first, evenly over the model's range."""
    elevations: int = 2
    """Elevations that are tried with each of them."""
    draws: int = 3
    """Codes that are tried from each camera: the middle of the prior, and draws."""
    starts: int = 4
    """Those that are followed, the best of all that were tried, from different azimuths."""
    rays: int = 1024
    """Rays of a step, over all starts; fewer where the model's size asks for it."""
    silhouette: float = 0.5
    """Weight of the outline, where the picture tells it."""
    prior_weight: float = 0.01
    """Weight of keeping the codes likely."""
    seed: int = 0
    """Of draws and rays."""

    def __post_init__(self):
        mosts = {"steps": 100_000, "azimuths": 360, "elevations": 90, "draws": 1000, "starts": 64, "rays": 2**20}
        for name, most in mosts.items():
            if not 1 <= getattr(self, name) <= most:
                raise UserError(f"{name} must be from 1 to {most}", getattr(self, name))
        for name in ("silhouette", "prior_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"{name} must be 0 or more", getattr(self, name))
        if not 0 < self.seconds < math.inf:
            raise UserError("seconds must be above 0", self.seconds)
        if self.seed < 0:
            raise UserError("seed must be 0 or more", self.seed)


@dataclass(frozen=True, eq=False)
class Inverted:
    """A picture's object as a model makes it.

    Attributes:
        seen: The picture as it was compared.
        latent: `[latent]`, codes and camera.
        azimuth_deg: The camera.
        elevation_deg: See `azimuth_deg`.
        centre: The frame in the camera's image, whose upper left corner is (0, 0) and whose side is 1.
        extent: See `centre`.
        pixels: What the model shows there, uint8, of the size of `seen.pixels`.
        iou: Of the outlines, None where the picture's is not known.
        difference: Root mean square of the pixels, in levels of 255.
        start: Where the search that found it began.
        steps: Updates that were done.
        cut: Whether the time ended before them.
    """

    seen: Subject
    latent: Tensor
    azimuth_deg: float
    elevation_deg: float
    centre: tuple[float, float]
    extent: float
    pixels: np.ndarray
    iou: float | None
    difference: float
    start: str
    steps: int
    cut: bool

    def line(self) -> str:
        """The result in a line."""
        outline = "" if self.iou is None else f"outline IoU {self.iou:.2f}, "
        return (f"seen from azimuth {self.azimuth_deg:.0f}, elevation {self.elevation_deg:.0f}, {outline}"
                f"pixels differ by {self.difference:.0f} of 255")


@dataclass
class _Poses:
    """Starts beside each other: codes `[K, L]`, angles `[K, 2]` (azimuth and elevation in degrees), frame `[K, 3]` (the
    logarithm of its side, and its middle, right and down); numbers `[K]`, by which they are known.
    """

    codes: Tensor
    angles: Tensor
    frame: Tensor
    numbers: Tensor

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, rows: Tensor) -> "_Poses":
        return _Poses(self.codes[rows], self.angles[rows], self.frame[rows], self.numbers[rows])

    def kept(self) -> "_Poses":
        """A copy that no update changes."""
        return _Poses(*(value.detach().clone() for value in (self.codes, self.angles, self.frame, self.numbers)))


def invert(
    model: Model, picture: np.ndarray | str | Path, search: Search | None = None, *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress | Inverted]:
    """Find a picture's camera and codes; the last event is Inverted.

    Args:
        picture: A file, or pixels uint8 `[H, W]`, `[H, W, 3]` or `[H, W, 4]`; its object is told by its alpha channel
            or on a plain background.
        clock: Seconds. The same model, picture and search give the same result where the time does not cut it.

    Raises:
        UserError: For a model that is no field, for a picture that cannot be read or shows nothing, and for a model
            that shows nothing or values that are not finite.
    """
    search, began = search or Search(), clock()
    if model.system.makes is not Makes.FIELD:
        raise UserError(f"model '{model.name}' makes no views of objects: it is a {model.system.name}",
                        hint="use one trained with 3dgen or graf")
    config = model.system.config
    name = "the picture" if isinstance(picture, np.ndarray) else str(picture)
    pixels = picture if isinstance(picture, np.ndarray) else read_picture(picture, keep_alpha=True)
    seen = subject(pixels, config.height, config.channels, name)
    task = _Task(model, seen, search)
    cameras, tried = task.cameras(), []
    for number, angles in enumerate(cameras):
        if tried and clock() - began > LOOKING * search.seconds:
            break
        tried.append(task.tried(angles, number))
        yield Progress("looking for the camera", number + 1, len(cameras))
    cut = len(tried) < len(cameras)
    pictured = (clock() - began) / len(tried)  # seconds that one picture of _GRID x _GRID takes, at most
    poses = task.chosen([one for one in tried if one is not None])
    first, best = poses.at(torch.tensor([0])).kept(), None
    yield Progress("looking for the object", 0, search.steps)
    draws, optimiser = torch.Generator().manual_seed(search.seed), None
    stages = {search.steps * part // 3 for part in (1, 2)} if search.steps >= 3 else set()
    done, longest, before = 0, 0.0, math.inf
    while done < search.steps:
        now = clock() - began
        longest, before = max(longest, now - before), now
        if now + longest + pictured * (len(poses) + 1 + (config.height / _GRID) ** 2) > search.seconds:
            cut = True
            break
        if optimiser is None:
            optimiser = task.optimiser(poses)
        task.step(poses, optimiser, draws, 1 - done / search.steps)
        done += 1
        if done in stages:
            best, poses = task.halved(best, poses)
            optimiser = None
        yield Progress("looking for the object", done, search.steps)
    if done:
        first, _ = task.better(task.better(best, poses), first)
    yield task.result(first, done, cut)


class _Task:
    """One picture for one model: what is compared, and where cameras can be."""

    def __init__(self, model: Model, seen: Subject, search: Search):
        self.model, self.system, self.seen, self.search = model, model.system, seen, search
        self.config = self.system.config
        self.device = next(self.system.nets.parameters()).device
        colours = from_pixels(np.array(seen.pixels[None]))
        mask = torch.ones_like(colours[:, :1]) if seen.mask is None else torch.from_numpy(seen.mask)[None, None]
        self.target = torch.cat([colours, mask], 1).to(self.device)  # [1, C + 1, S, S]
        self.grid = rays.pixel_places(_GRID, self.target)
        generator = self.system.nets["generator"]
        self.most = max(16, _AT_ONCE // (self.config.field_width * generator.samples))
        low, high = self.config.azimuth_deg
        self.around = high - low >= 360

    def cameras(self) -> list[tuple[float, float]]:
        """Azimuth and elevation of each try, those first that are far from each other."""
        search, (low, high) = self.search, self.config.azimuth_deg
        turns = [low + (high - low) * (k + (0.0 if self.around else 0.5)) / search.azimuths
                 for k in _spread(search.azimuths)]
        sines = [math.sin(math.radians(end)) for end in self.config.elevation_deg]
        heights = [math.degrees(math.asin(sines[0] + (sines[1] - sines[0]) * (k + 0.5) / search.elevations))
                   for k in range(search.elevations)]
        return [(turn, height) for _ in range(search.draws) for height in heights for turn in turns]

    def _codes(self, draw: int) -> Tensor:
        """The middle of the prior, or a draw: `[1, L]`."""
        latent = prior.middle(self.system) if not draw else prior.draw(self.model, self.search.seed, draw - 1)
        return latent[None, :-CAMERA_VALUES].to(self.device)

    @torch.no_grad()
    def tried(self, angles: tuple[float, float], number: int) -> tuple[float, _Poses] | None:
        """The cost of one try, framed by its own outline; None where it shows nothing."""
        codes = self._codes(number // (self.search.azimuths * self.search.elevations))
        pose = _Poses(codes, codes.new_tensor([angles]), codes.new_tensor([[0.0, 0.5, 0.5]]), torch.tensor([number]))
        colour, mask = self.system.render_rays(self._latents(pose), self._views(pose), self.grid[None])
        if not colour.isfinite().all():
            raise UserError(f"model '{self.model.name}' makes values that are not finite", hint="its training diverged")
        image = torch.cat([colour, mask[:, None]], 1).T.reshape(1, -1, _GRID, _GRID)
        if self.seen.mask is not None:
            solid = image[0, -1] >= 0.5
            if not solid.any():
                return None
            ends = [(where[0], where[-1] + 1) for axis in (0, 1)
                    if len(where := solid.any(axis).nonzero().squeeze(1).tolist())]
            (left, right), (top, bottom) = ends
            extent = max(right - left, bottom - top) / _GRID / FILL
            pose.frame[0] = codes.new_tensor([math.log(extent), (left + right) / 2 / _GRID, (top + bottom) / 2 / _GRID])
        there = rays.sample_image(image, self._places(pose, self.grid))[0].flatten(1)  # [C + 1, P]
        return float(self._costs(pose, there[None, :-1].transpose(1, 2), there[-1:], self.grid)), pose

    def chosen(self, tried: list[tuple[float, _Poses]]) -> _Poses:
        """The best tries, one an azimuth.

        Raises:
            UserError: Where none shows anything.
        """
        if not tried:
            raise UserError(f"model '{self.model.name}' shows no object from any camera",
                            hint="look at its samples: maquette generate")
        by_azimuth: dict[float, tuple[float, _Poses]] = {}
        for cost, pose in sorted(tried, key=lambda one: one[0]):
            by_azimuth.setdefault(float(pose.angles[0, 0]), (cost, pose))
        best = [pose for _, pose in list(by_azimuth.values())[: self.search.starts]]
        names = ("codes", "angles", "frame", "numbers")
        return _Poses(*(torch.cat([getattr(pose, name) for pose in best]) for name in names))

    def optimiser(self, poses: _Poses) -> torch.optim.Optimizer:
        """Adam on all that is looked for; the frame stays where the picture does not tell the object's outline."""
        free = ("codes", "angles") if self.seen.mask is None else ("codes", "angles", "frame")
        return torch.optim.Adam([{"params": [getattr(poses, name)], "lr": _RATES[name], "first": _RATES[name]}
                                 for name in free])

    def step(self, poses: _Poses, optimiser: torch.optim.Optimizer, draws: torch.Generator, left: float) -> None:
        """One update of all starts on the same random places. left: share of the first learning rate."""
        side = max(2, math.isqrt(max(1, min(self.search.rays, self.most) // len(poses))))
        places = torch.rand(side * side, 2, generator=draws).to(self.device)
        with torch.enable_grad():
            looked_for = [group["params"][0].requires_grad_() for group in optimiser.param_groups]
            origins, directions = self._views(poses).rays(self._places(poses, places))
            shown = self.system.nets["generator"](self._latents(poses), origins, directions)
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
    def pictured(self, poses: _Poses, side: int) -> tuple[Tensor, Tensor]:
        """What each start shows in its frame: colours `[K, P, C]` and masks `[K, P]` at side x side places."""
        places = self._places(poses, rays.pixel_places(side, self.target))
        latents, views = self._latents(poses), self._views(poses)
        parts = [
            self.system.render_rays(latents[k : k + 1], views[k : k + 1], places[k : k + 1]) for k in range(len(poses))
        ]
        return torch.stack([colour for colour, _ in parts]), torch.stack([mask for _, mask in parts])

    def critic_fraction(self, poses: _Poses) -> Tensor:
        """The cost of each start over its whole frame, `[K]`; infinite where it is not finite."""
        with torch.no_grad():
            costs = self._costs(poses, *self.pictured(poses, _GRID), self.grid)
        return torch.where(costs.isfinite(), costs, math.inf)

    def better(self, best: tuple[_Poses, float] | None, poses: _Poses) -> tuple[_Poses, float]:
        """The best start so far, and its cost."""
        return _better(best, poses, self.critic_fraction(poses))

    def halved(self, best: tuple[_Poses, float] | None, poses: _Poses) -> tuple[tuple[_Poses, float], _Poses]:
        """The best start so far with its cost, and the better half of the starts."""
        costs = self.critic_fraction(poses)
        rows = costs.argsort(stable=True)[: -(-len(poses) // 2)].cpu()
        return _better(best, poses, costs), poses.at(rows).kept()

    def result(self, pose: _Poses, steps: int, cut: bool) -> Inverted:
        """What was found, as it is shown."""
        azimuth, elevation = self.cameras()[int(pose.numbers[0])]
        start = f"azimuth {azimuth:.0f}, elevation {elevation:.0f}"
        side = self.config.height
        colour, mask = self.pictured(pose, side)
        pixels = as_pixels(colour[0].T.reshape(1, -1, side, side))[0]
        iou = None
        if self.seen.mask is not None:
            ours, theirs = mask[0].view(side, side).cpu().numpy() >= 0.5, self.seen.mask >= 0.5
            iou = float((ours & theirs).sum() / max(1, (ours | theirs).sum()))
        apart = pixels.astype(np.float64) - self.seen.pixels
        low, high = self.config.azimuth_deg
        azimuth = float(pose.angles[0, 0])
        azimuth = low + (azimuth - low) % 360 if self.around else azimuth
        pose = replace(pose, angles=pose.angles.new_tensor([[azimuth, float(pose.angles[0, 1])]]))
        return Inverted(
            self.seen, self._latents(pose)[0].cpu(), azimuth, float(pose.angles[0, 1]),
            (float(pose.frame[0, 1]), float(pose.frame[0, 2])), float(pose.frame[0, 0].exp()), pixels, iou,
            float(np.sqrt(np.mean(apart**2))), start, steps, cut)

    def _costs(self, poses: _Poses, colour: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        """What is minimised, of each start `[K]`: colour `[K, P, C]` and mask `[K, P]` at places `[P, 2]` of the frame;
        P is a square.
        """
        target = rays.sample_image(self.target, places[None])[0].flatten(1)  # [C + 1, P]
        costs = (colour - target[:-1].T).square().mean((1, 2))
        if self.seen.mask is not None:
            costs = costs + self.search.silhouette * (mask - target[-1]).square().mean(1)
        return costs + self.search.prior_weight * poses.codes.square().mean(1) / 2

    def _places(self, poses: _Poses, places: Tensor) -> Tensor:
        """Places `[P, 2]` of the frame as places `[K, P, 2]` of the cameras' images."""
        return poses.frame[:, None, 1:] + poses.frame[:, None, :1].exp() * (places - 0.5)

    def _views(self, poses: _Poses) -> Views:
        away = sum(self.config.distance) / 2
        azimuth, elevation = poses.angles.unbind(1)
        return rays.views(azimuth, elevation, torch.full_like(azimuth, away), self.config.fov_deg)

    def _latents(self, poses: _Poses) -> Tensor:
        """Whole latents `[K, latent]`: the codes, and the values from which the system reads this camera."""
        azimuth, elevation = poses.angles.detach().double().unbind(1)
        sines = [math.sin(math.radians(end)) for end in self.config.elevation_deg]
        shares = [_share(azimuth, *self.config.azimuth_deg), _share(elevation.deg2rad().sin(), *sines)]
        shares.append(torch.full_like(azimuth, 0.5))
        camera = torch.special.ndtri(torch.stack(shares, 1).clamp(1e-6, 1 - 1e-6))
        return torch.cat([poses.codes, camera.to(poses.codes)], 1)


def _better(best: tuple[_Poses, float] | None, poses: _Poses, costs: Tensor) -> tuple[_Poses, float]:
    winner = int(costs.argmin())
    if best is not None and float(costs[winner]) >= best[1]:
        return best
    return poses.at(torch.tensor([winner])).kept(), float(costs[winner])


def _share(values: Tensor, low: float, high: float) -> Tensor:
    """Where values lie between two bounds, 0.5 where these are one."""
    return (values - low) / (high - low) if high > low else torch.full_like(values, 0.5)


def _spread(count: int) -> list[int]:
    """0 to count - 1, each as far as can be from those before it: by halves."""
    bits = max(1, (count - 1).bit_length())
    turned = (int(f"{k:0{bits}b}"[::-1], 2) for k in range(2**bits))
    return [k for k in turned if k < count]
