"""Measuring on the validation part while a system trains: reconstructions, sheets and the networks' health."""

import numpy as np
import torch

from maquette.datasets.format import OpenedData
from maquette.geometry.overlap import iou
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS
from maquette.systems.base import System
from maquette.systems.capabilities import Reads
from maquette.training import inputs
from maquette.training.monitor import health, samples

CHECKED_SHAPES = 384
"""Validation shapes that a check looks at: enough for a standard error of about 0.01 of the mean IoU."""
THRESHOLDS = tuple(np.round(np.arange(0.2, 0.65, 0.05), 2).tolist())


class Validator:
    """Measures reconstructions of held-out shapes: mean IoU, also by kind of view, at the best of a few thresholds."""

    def __init__(self, data: OpenedData, rows: np.ndarray, recipe: Recipe):
        rng = np.random.default_rng(recipe.train.seed)
        self.rows = np.sort(rng.permutation(rows)[:CHECKED_SHAPES])
        self.data, self.batch, self.recipe = data, recipe.train.batch, recipe
        count = inputs.per_shape(SYSTEMS[recipe.system], data)
        self.which = np.arange(len(self.rows)) % count if count else None
        self.threshold = 0.5

    def check(self, system: System, step: int) -> dict[str, float]:
        """`iou` over all and, of views, `iou_<kind>`, at `threshold`, the one with the best mean here.

        Views have the size that training saw last, at step - 1.
        """
        scores = []
        device = next(system.nets.parameters()).device
        for start in range(0, len(self.rows), self.batch):
            part = slice(start, start + self.batch)
            seen = self._seen(system, part, step).to(device)
            truth = self.data.voxels(self.rows[part])
            with torch.no_grad():
                occupancy = system.reconstruct(seen).squeeze(1).float().cpu().numpy()
            scores.append(np.stack([iou(occupancy, truth, t) for t in THRESHOLDS], axis=1))
        table = np.concatenate(scores)  # [shapes, thresholds]
        best = int(table.mean(0).argmax())
        self.threshold = THRESHOLDS[best]
        by_kind = {}
        if system.reads is Reads.VIEWS:
            kinds = np.asarray([self.data.view_kinds(row)[w] for row, w in zip(self.rows, self.which, strict=True)])
            by_kind = {f"iou_{kind}": float(table[kinds == kind, best].mean()) for kind in sorted(set(kinds))}
        return {"iou": float(table[:, best].mean()), **by_kind, "threshold": self.threshold}

    def _seen(self, system: System, part: slice | np.ndarray, step: int) -> torch.Tensor:
        seen = inputs.read(system, self.data, self.rows[part], self.which[part])
        return inputs.sized(seen, self.recipe.data, step - 1)

    def sheet(self, system: System, step: int) -> np.ndarray | None:
        """What the system makes; see `maquette.training.monitor.samples.sheet`."""
        return samples.sheet(system, self.data, self.rows, self.recipe, step)

    def probe(self, system: System, step: int) -> dict[str, float]:
        """Numbers about the networks' health on a few held-out shapes; see `maquette.training.monitor.health.probe`."""
        places = np.linspace(0, len(self.rows) - 1, min(health.PROBED_SHAPES, len(self.rows))).astype(int)
        rows = self.rows[places]
        device = next(system.nets.parameters()).device
        voxels = torch.from_numpy(self.data.voxels(rows)).unsqueeze(1).float().to(device)
        seen = self._seen(system, places, step).to(device) if system.reads is not Reads.NOTHING else None
        return health.probe(system, voxels, seen, step)
