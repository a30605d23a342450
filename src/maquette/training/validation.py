"""Measuring on the validation part while a system trains: reconstructions, sheets of samples, the networks' health."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from maquette.capabilities import Reads
from maquette.datasets.images import OpenedImages
from maquette.datasets.opened import OpenedData
from maquette.geometry.overlap import iou
from maquette.models.networks import facts_of
from maquette.models.pixels import from_pixels
from maquette.models.predict import calm
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.base import System
from maquette.training.inputs import EncoderInput, at_training_size, encoder_input, inputs_per_shape
from maquette.training.monitor import probe, samples
from maquette.training.monitor.samples import Sheet
from maquette.training.rows import Rows

CHECKED_SHAPES = 384
"""Validation shapes that a check looks at: enough for a standard error of about 0.01 of the mean IoU."""
THRESHOLDS = tuple(np.round(np.arange(0.2, 0.65, 0.05), 2).tolist())


@runtime_checkable
class Validation(Protocol):
    """What a run asks about its system now and then; the networks are used as they are."""

    threshold: float
    """The occupancy threshold with the best mean IoU at the last check; 0.5 where none is measured."""

    def check(self, system: System, step: int) -> dict[str, float]:
        """Metrics on held-out data after `step` finished steps; empty where there are none for the system."""

    def sheet(self, system: System, step: int) -> Sheet | None:
        """A picture of what the system makes; None where there is nothing to show."""

    def probe(self, system: System, step: int) -> dict[str, float]:
        """Numbers about the networks' health (`maquette.training.monitor.probe.probe`)."""


class Validator:
    """Measures a system that makes shapes: on up to CHECKED_SHAPES of the held-out ones.

    Args:
        data: The dataset.
        rows: The rows held out.
        recipe: Its `train.seed` chooses the shapes that are looked at.
    """

    def __init__(self, data: OpenedData, rows: Rows, recipe: Recipe):
        rng = np.random.default_rng(recipe.train.seed)
        self.rows = np.sort(rng.permutation(rows)[:CHECKED_SHAPES])
        self.data, self.batch, self.recipe = data, recipe.train.batch, recipe
        count = inputs_per_shape(SYSTEMS[recipe.system], data)
        self.which = np.arange(len(self.rows)) % max(count, 1)
        self.threshold = 0.5

    def check(self, system: System, step: int) -> dict[str, float]:
        """Mean IoU of the reconstructions: `iou`, of views also `iou_<kind>`, and `threshold`, the best of THRESHOLDS.

        Views have the size that training saw last, at step - 1.
        """
        scores = []
        device, points = next(system.nets.parameters()).device, facts_of(system).points
        for start in range(0, len(self.rows), self.batch):
            part = slice(start, start + self.batch)
            seen = self._seen(system, part, step).to(device)
            truth = self.data.voxels(self.rows[part])
            with torch.no_grad():
                occupancy = system.reconstruct(seen).squeeze(1).float().cpu().numpy()
            if points:
                occupancy = np.stack([calm(grid) for grid in occupancy])  # as a model's answers are
            scores.append(np.stack([iou(occupancy, truth, t) for t in THRESHOLDS], axis=1))
        table = np.concatenate(scores)  # [shapes, thresholds]
        best = int(table.mean(0).argmax())
        self.threshold = THRESHOLDS[best]
        by_kind = {}
        if system.reads is Reads.VIEWS:
            kinds = np.asarray([self.data.view_kinds(row)[w] for row, w in zip(self.rows, self.which, strict=True)])
            by_kind = {f"iou_{kind}": float(table[kinds == kind, best].mean()) for kind in sorted(set(kinds))}
        return {"iou": float(table[:, best].mean()), **by_kind, "threshold": self.threshold}

    def sheet(self, system: System, step: int) -> Sheet | None:
        """Reconstructions of held-out shapes, or samples; see `maquette.training.monitor.samples.shape_sheet`."""
        return samples.shape_sheet(system, self.data, self.rows, self.recipe, step)

    def probe(self, system: System, step: int) -> dict[str, float]:
        """Numbers about the networks' health on a few held-out shapes; see `maquette.training.monitor.probe.probe`."""
        places = np.linspace(0, len(self.rows) - 1, min(probe.PROBED_SHAPES, len(self.rows))).astype(int)
        rows = self.rows[places]
        device = next(system.nets.parameters()).device
        voxels = torch.from_numpy(self.data.voxels(rows)).unsqueeze(1).float().to(device)
        seen = self._seen(system, places, step).to(device) if system.reads is not Reads.NOTHING else None
        return probe.probe(system, voxels, seen, step)

    def _seen(self, system: System, part: slice | Int[np.ndarray, " n"], step: int) -> EncoderInput:
        seen = encoder_input(system, self.data, self.rows[part], self.which[part])
        return at_training_size(seen, self.recipe.data, step - 1)


class ImageValidator:
    """Looks at a system that makes images: sheets, and numbers about its health on held-out images.

    Sheets show made images only. The data may be patients', and sheets travel with a model.

    Args:
        data: The dataset.
        training: The rows that are learned from.
        held_out: The rows that are not.
        recipe: Its `train.seed` chooses the images that are looked at.
    """

    def __init__(self, data: OpenedImages, training: Rows, held_out: Rows, recipe: Recipe):
        rng = np.random.default_rng(recipe.train.seed)
        self.data, self.seed, self.threshold = data, recipe.train.seed, 0.5
        chosen = [np.sort(rng.permutation(rows)[: probe.PROBED_IMAGES]) for rows in (held_out, training)]
        self.rows, self.known = chosen

    def check(self, system: System, step: int) -> dict[str, float]:
        """Nothing: made images are measured afterwards, by `maquette evaluate`."""
        return {}

    def sheet(self, system: System, step: int) -> Sheet | None:
        """16 samples of one seed, the same latents at every step; None where they are not finite."""
        return samples.image_sheet(system, self.seed)

    def probe(self, system: System, step: int) -> dict[str, float]:
        """Numbers about the networks' health on held-out images, and the critic's scores of learned ones.

        `critic/train` is the mean score of some images that it learned from; `critic/real` is that of the held-out
        ones. The further the two are apart, compared with `critic/fake`, the more the critic has memorised its images.
        """
        device = next(system.nets.parameters()).device
        held_out, known = (self._images(rows).to(device) for rows in (self.rows, self.known))
        values = probe.probe(system, held_out, None, step)
        critic = system.critic
        if critic is None:
            return values
        with probe.evaluating(system.nets), torch.no_grad():
            return values | {"critic/train": float(critic(known).mean())}

    def _images(self, rows: Rows) -> Tensor:
        return from_pixels(self.data.pixels(rows))
