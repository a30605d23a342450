"""Training batches as a function of (seed, step): which rows, how they are varied, and the seed of their noise.

Nothing here has a state, so resuming at a step needs no sampler: `at(step)` is the same batch in any process.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Int

from maquette.capabilities import Reads
from maquette.datasets.opened import OpenedData
from maquette.models.pixels import as_images
from maquette.nets import pixel_aligned as aligned
from maquette.recipe import Recipe
from maquette.systems.base import Batch, System
from maquette.training.augment import Views, jitter, jitter_scans, mirror, occlude, turn
from maquette.training.inputs import at_training_size


class SeededBatches:
    """The order of the rows, for any kind of data; a subclass makes the batch of a step in `at`.

    Args:
        indices: The rows that belong to training. Each comes once an epoch, in an order that (seed, epoch) decides.
        recipe: Its `train.seed` and `train.batch` are used.
        part: (which, of how many) processes this one is. It gets its equal part of every batch, and what is drawn for a
            sample does not depend on how many processes there are.
    """

    def __init__(self, indices: Int[np.ndarray, " n"], recipe: Recipe, part: tuple[int, int] = (0, 1)):
        self.indices, self.recipe, self.part = np.asarray(indices), recipe, part
        self._order: tuple[int, np.ndarray] = (-1, self.indices)

    def at(self, step: int) -> Batch:
        """This process's part of the batch of this absolute step, on the CPU."""
        raise NotImplementedError

    def rows(self, step: int) -> Int[np.ndarray, " batch"]:
        """The rows of the dataset that this step trains on in all processes."""
        size, count = self.recipe.train.batch, len(self.indices)
        places = np.arange(step * size, (step + 1) * size)
        return np.concatenate([self._epoch(epoch)[places[places // count == epoch] % count] for epoch in
                               range(places[0] // count, places[-1] // count + 1)])

    def own(self, count: int) -> slice:
        """This process's part of a batch of so many."""
        size = count // self.part[1]
        return slice(self.part[0] * size, (self.part[0] + 1) * size)

    def stream(self, first: int, last: int, ahead: bool = False) -> Iterator[tuple[int, Batch]]:
        """(step, batch) for first <= step < last.

        Args:
            first: The first step.
            last: The step before which to end.
            ahead: Prepare each batch while the one before it is trained on. That pays where training runs on a GPU; on
                the CPU the two would only take the cores from each other (5 % slower on two cores).
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

    def _epoch(self, epoch: int) -> Int[np.ndarray, " n"]:
        if self._order[0] != epoch:
            shuffled = np.random.default_rng([self.recipe.train.seed, 1, epoch]).permutation(self.indices)
            self._order = (epoch, shuffled)
        return self._order[1]


class Batches(SeededBatches):
    """Training batches of shapes, with a view or scan of each where the system reads them.

    Args:
        data: Shapes, views and scans.
        indices: The rows that belong to training; (seed, step) decides the view or scan from which each is seen.
        recipe: The batch's size and how samples are varied.
        system: What it reads.
        part: (which, of how many) processes this one is; see `SeededBatches`.
    """

    def __init__(
        self, data: OpenedData, indices: Int[np.ndarray, " n"], recipe: Recipe, system: System,
        part: tuple[int, int] = (0, 1),
    ):
        super().__init__(indices, recipe, part)
        self.data, self.reads, self.needs_poses = data, system.reads, system.needs_poses()

    def at(self, step: int) -> Batch:
        """This process's part of the batch of this absolute step, on the CPU."""
        keys = self.recipe.data
        rng = np.random.default_rng([self.recipe.train.seed, 2, step])
        rows = self.rows(step)
        count, own = len(rows), self.own(len(rows))
        rows = rows[own]
        voxels = torch.from_numpy(self.data.voxels(rows)).unsqueeze(1)
        noise_seed = int(rng.integers(2**62))
        images = scans = poses = None
        if self.reads is Reads.VIEWS:
            which = rng.integers(self.data.views_per_shape, size=count)[own]
            images = as_images(self.data.views(rows, which))
            if self.needs_poses:
                poses = aligned.poses(torch.from_numpy(self.data.cameras(rows, which)))
            if keys.flip:
                chosen = torch.from_numpy(rng.random(count)[own] < 0.5)
                images, voxels = mirror(images, voxels, chosen)
                poses = poses if poses is None else torch.where(chosen[:, None], aligned.mirror_pose(poses), poses)
            if keys.occluded:
                images = self._occluded(images, rows, which, rng.integers(2**62, size=count)[own])
            images = at_training_size(images, keys, step)
            if keys.jitter:
                images, framing = jitter(images, torch.Generator().manual_seed(int(rng.integers(2**62))), count, own)
                poses = poses if poses is None else aligned.warp_pose(poses, *framing)
        elif self.reads is Reads.SCANS:
            seen = self.data.scans(rows, rng.integers(self.data.scans_per_shape, size=count)[own])
            seeds = rng.integers(2**62, size=count)[own]
            scans = torch.from_numpy(jitter_scans(seen, seeds) if keys.jitter else seen).unsqueeze(1)
            if keys.flip:
                chosen = torch.from_numpy(rng.random(count)[own] < 0.5).view(-1, 1, 1, 1, 1)
                scans, voxels = (torch.where(chosen, grids.flip(2), grids) for grids in (scans, voxels))
            scans = scans.float()
        elif keys.turns:
            voxels = turn(voxels, rng.integers(4, size=count)[own])
        labels = torch.from_numpy(self.data.labels[rows])
        return Batch(voxels.float(), images, noise_seed, labels, self.part, poses, scans, processes=self.part[1])

    def _occluded(
        self, images: Views, rows: Int[np.ndarray, " batch"], which: Int[np.ndarray, " batch"],
        seeds: Int[np.ndarray, " batch"],
    ) -> Views:
        """The views with a share of their photos partly hidden, each by its own seed."""
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
