"""Batches as a function of (seed, step): what is drawn, how it is varied, and the noise that goes with it.

Nothing here has a state, so resuming at a step needs no sampler: `Batches.at(step)` is the same batch in any process.
"""

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from maquette.datasets.format import OpenedData
from maquette.models.pixels import as_images
from maquette.nets import pixel_aligned as aligned
from maquette.recipe import Recipe
from maquette.systems.base import Batch, System
from maquette.systems.capabilities import Reads
from maquette.training.inputs import sized

DROPPED = 0.3
"""The largest share of a scan's voxels that jitter leaves out."""
STRAY = 8
"""The most voxels that jitter adds to a scan, anywhere."""


class Batches:
    """Training batches of an opened dataset.

    Args:
        data: Shapes and views.
        indices: The rows that belong to training. Each shape comes once an epoch, in an order that (seed, epoch)
            decides, seen from a view that (seed, step) decides.
        part: (which, of how many) processes this one is; it gets its equal part of every batch, and what is drawn for a
            sample does not depend on how many there are.
    """

    def __init__(
        self, data: OpenedData, indices: np.ndarray, recipe: Recipe, system: System, part: tuple[int, int] = (0, 1)
    ):
        self.data, self.indices, self.recipe = data, np.asarray(indices), recipe
        self.reads, self.needs_poses = system.reads, system.needs_poses()
        self.part = part
        self._order: tuple[int, np.ndarray] = (-1, self.indices)

    def rows(self, step: int) -> np.ndarray:
        """The rows of the dataset that this step trains on in all processes, `[batch]`."""
        size, count = self.recipe.train.batch, len(self.indices)
        places = np.arange(step * size, (step + 1) * size)
        return np.concatenate([self._epoch(epoch)[places[places // count == epoch] % count] for epoch in
                               range(places[0] // count, places[-1] // count + 1)])

    def _epoch(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            shuffled = np.random.default_rng([self.recipe.train.seed, 1, epoch]).permutation(self.indices)
            self._order = (epoch, shuffled)
        return self._order[1]

    def at(self, step: int) -> Batch:
        """This process's part of the batch of this absolute step, on the CPU."""
        seed = self.recipe.train.seed
        rng = np.random.default_rng([seed, 2, step])
        rows = self.rows(step)
        size = len(rows) // self.part[1]
        own = slice(self.part[0] * size, (self.part[0] + 1) * size)
        count, rows = len(rows), rows[own]
        voxels = torch.from_numpy(self.data.voxels(rows)).unsqueeze(1)
        noise_seed = int(rng.integers(2**62))
        images = scans = poses = None
        if self.reads is Reads.VIEWS:
            which = rng.integers(self.data.views_per_shape, size=count)[own]
            images = as_images(self.data.views(rows, which))
            if self.needs_poses:
                poses = aligned.poses(torch.from_numpy(self.data.cameras(rows, which)))
            if self.recipe.data.flip:
                chosen = torch.from_numpy(rng.random(count)[own] < 0.5)
                images, voxels = mirror(images, voxels, chosen)
                poses = poses if poses is None else torch.where(chosen[:, None], aligned.mirror_pose(poses), poses)
            if self.recipe.data.occluded:
                images = self._occluded(images, rows, which, rng.integers(2**62, size=count)[own])
            images = sized(images, self.recipe.data, step)
            if self.recipe.data.jitter:
                images, framing = jitter(images, torch.Generator().manual_seed(int(rng.integers(2**62))), count, own)
                poses = poses if poses is None else aligned.warp_pose(poses, *framing)
        elif self.reads is Reads.SCANS:
            seen = self.data.scans(rows, rng.integers(self.data.scans_per_shape, size=count)[own])
            seeds = rng.integers(2**62, size=count)[own]
            scans = torch.from_numpy(jitter_scans(seen, seeds) if self.recipe.data.jitter else seen).unsqueeze(1)
            if self.recipe.data.flip:
                chosen = torch.from_numpy(rng.random(count)[own] < 0.5).view(-1, 1, 1, 1, 1)
                scans, voxels = (torch.where(chosen, grids.flip(2), grids) for grids in (scans, voxels))
            scans = scans.float()
        elif self.recipe.data.turns:
            voxels = turn(voxels, rng.integers(4, size=count)[own])
        labels = torch.from_numpy(self.data.labels[rows])
        return Batch(voxels.float(), images, noise_seed, labels, self.part, poses, scans)

    def _occluded(self, images: Tensor, rows: np.ndarray, which: np.ndarray, seeds: np.ndarray) -> Tensor:
        """The views with a share of their photos partly hidden; each follows its own seed `[B]`."""
        images = images.clone()
        for image, row, view, seed in zip(images, rows, which, seeds, strict=True):
            rng = np.random.default_rng(int(seed))
            photos = self.data.photos(row)
            if rng.random() >= self.recipe.data.occluded or not photos[view % len(photos)]:
                continue
            other = rng.choice(self.indices)
            found = np.flatnonzero(self.data.photos(other))
            if len(found):
                occlude(image, as_images(self.data.views([other], [rng.choice(found)]))[0], rng)
        return images

    def stream(self, first: int, last: int, ahead: bool = False) -> Iterator[tuple[int, Batch]]:
        """(step, batch) for first <= step < last.

        Args:
            ahead: Prepare each while the one before it is trained on. That pays where training runs on a GPU; on the
                CPU the two would only take the cores from each other (5 % slower on two cores).
        """
        if not ahead:
            yield from ((step, self.at(step)) for step in range(first, last))
            return
        with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
            coming = pool.submit(self.at, first)
            for step in range(first, last):
                batch = coming.result()
                if step + 1 < last:
                    coming = pool.submit(self.at, step + 1)
                yield step, batch


@functools.cache
def _grain(channels: int, size: int) -> Tensor:
    """Pictures of standard normal noise, `[16, C, S, S]`, taken at any offset: cheaper than fresh noise."""
    return torch.randn(16, channels, size, size, generator=torch.Generator().manual_seed(0))


def mirror(images: Tensor, voxels: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror the chosen views left to right and their shapes along x: the same object in a mirror."""
    chosen_ = chosen.view(-1, 1, 1, 1)
    images = torch.where(chosen_, images.flip(3), images)
    voxels = torch.where(chosen_.unsqueeze(4), voxels.flip(2), voxels)
    return images, voxels


def occlude(image: Tensor, other: Tensor, rng: np.random.Generator) -> None:
    """Lay a piece of another photo over a photo, in place; both `[C, S, S]`.

    The piece is a rectangle or an ellipse, turned by up to 30 degrees, its sides 0.3 to 1 of the picture's, its middle
    a quarter to half a side from the picture's: it hides a flank, a corner or what stands on the floor.
    """
    size = image.shape[-1]
    place = (2 * torch.arange(size) + 1) / size - 1
    away, distance, angle = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0), rng.uniform(-np.pi / 6, np.pi / 6)
    across = place[None, :] - distance * np.cos(away)
    down = place[:, None] - distance * np.sin(away)
    cos, sin = np.cos(angle), np.sin(angle)
    along = (cos * across + sin * down).abs() / rng.uniform(0.3, 1.0)
    beside = (cos * down - sin * across).abs() / rng.uniform(0.3, 1.0)
    reach = torch.maximum(along, beside) if rng.random() < 0.5 else (along.square() + beside.square()).sqrt()
    image.lerp_(other, ((1 - reach) * size / 4).clamp_(0, 1))


def turn(voxels: Tensor, quarters: np.ndarray) -> Tensor:
    """Turn each `[1, R, R, R]` shape about z by its number of quarter turns, from x towards y."""
    return torch.stack([grid.rot90(int(k), (1, 2)) for grid, k in zip(voxels, quarters, strict=True)])


def jitter_scans(scans: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Vary scans as sensors and their placing do: bool `[B, R, R, R]` to the same; each follows its own seed `[B]`.

    Up to DROPPED of the voxels are left out, the rest are moved by one voxel or none along each axis (what leaves the
    grid is gone), and up to STRAY voxels are added anywhere.
    """
    side = scans.shape[-1]
    strides = np.array([side**2, side, 1])
    varied = np.zeros((len(scans), side**3), bool)
    for scan, new, seed in zip(scans.reshape(len(scans), -1), varied, seeds, strict=True):
        rng = np.random.default_rng(int(seed))
        cells = np.flatnonzero(scan)
        cells = cells[rng.random(len(cells)) >= rng.uniform(0, DROPPED)]
        inside = np.ones(len(cells), bool)
        warp_pose = np.rint(rng.uniform(-1, 1, 3)).astype(np.int64)
        for stride, by in zip(strides, warp_pose, strict=True):
            if by:
                place = cells // stride % side + by
                inside &= (place >= 0) & (place < side)
        new[(cells + warp_pose @ strides)[inside]] = True
        new[rng.integers(side, size=(rng.integers(STRAY + 1), 3)) @ strides] = True
    return varied.reshape(scans.shape)


def jitter(images: Tensor, generator: torch.Generator, whole: int = 0, own: slice = slice(None)):
    """Vary views as framing, light and clutter vary them; `[B, C, S, S]` in [0, 1] to the same, and their framing.

    Scale 0.84 to 1.06, shift up to 4 %, a turn of up to 5 degrees, gamma and contrast, noise; a tenth of the views has
    a patch of plain grey laid over it. The aspect stays: it is what tells a tall object from a low one. The framing is
    what `maquette.nets.pixel_aligned.warp_pose` takes: scale, angle, right and down, `[B]` each.

    Args:
        whole: The size of the batch that these images are a part of, and which part; a sample is varied in the same way
            however the batch is cut.
        own: See `whole`.
    """
    size = images.shape[-1]
    whole = whole or len(images)

    def uniform(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(whole, generator=generator))[own]

    scale = torch.exp(uniform(-0.18, 0.06))
    angle = uniform(-1, 1).pow(3) * (5 * np.pi / 180)
    cos, sin = angle.cos() / scale, angle.sin() / scale

    def column(values: Tensor) -> Tensor:
        return values.view(-1, 1, 1, 1)

    place = (torch.arange(size) + 0.5) / size
    across, down = (2 * place - 1).view(1, 1, -1, 1), (2 * place - 1).view(1, -1, 1, 1)
    aside, under = uniform(-0.09, 0.09), uniform(-0.09, 0.09)
    right = column(cos) * across - column(sin) * down + column(aside)
    below = column(sin) * across + column(cos) * down + column(under)
    grid = torch.cat([right, below], dim=3)  # what affine_grid gives, four times as fast
    images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    images = images.clamp_(0, 1).pow_(column(torch.exp(uniform(-0.35, 0.35))))
    contrast = column(uniform(0.7, 1.2))
    images.mul_(contrast).add_(0.5 - 0.5 * contrast + column(uniform(-0.08, 0.08)))
    level = column(uniform(0, 1).pow(3) * 0.06)
    grain = _grain(images.shape[1], size)
    drawn = torch.randint(2**31, (whole, 3), generator=generator)[own].tolist()
    noise = [grain[k % len(grain)].roll((down % size, right % size), (1, 2)) for k, down, right in drawn]
    images.addcmul_(level, torch.stack(noise))

    side, x, y, grey = uniform(0.08, 0.3), uniform(0, 1), uniform(0, 1), uniform(0, 1)
    for i in (uniform(0, 1) < 0.1).nonzero().flatten().tolist():
        hidden_rows, hidden_columns = (((place - centre[i]).abs() < side[i] / 2) for centre in (y, x))
        images[i][:, hidden_rows[:, None] & hidden_columns] = grey[i]
    return images.clamp_(0, 1), (scale, angle, aside, under)
