"""The meters of a run: mean terms, fetched from the device now and then, and the pace."""

import math
import time
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

Mean = Callable[[Tensor], Tensor]
"""Averages a tensor over the processes (`maquette.training.distributed.Engine.mean`)."""


class Meter:
    """Terms of the steps since the last report, kept on the device and fetched all at once.

    Args:
        batch: Samples a step.
    """

    def __init__(self, batch: int):
        self.batch = batch
        self._forget()

    def _forget(self) -> None:
        self.values: dict[tuple[str, str], list[tuple[int, Tensor]]] = {}
        self.fetched: dict[tuple[str, str], list[float]] | None = None
        self.restart_clock()

    def restart_clock(self) -> None:
        """Measure samples a second from now on, after something that was no training."""
        self.steps, self.started = 0, time.monotonic()

    def add(self, step: int, phase: str, terms: Mapping[str, Float[Tensor, ""]]) -> None:
        """Add one phase's terms, each a scalar on its device."""
        self.fetched = None
        for name, value in terms.items():
            self.values.setdefault((phase, name), []).append((step, value.detach()))

    def _fetch(self, mean: Mean) -> dict[tuple[str, str], list[float]]:
        if self.fetched is None:
            keys = list(self.values)
            flat = [value.reshape(()).float() for key in keys for _, value in self.values[key]]
            device = next((v.device for v in flat if v.device.type != "cpu"), torch.device("cpu"))
            numbers = iter(mean(torch.stack([v.to(device) for v in flat])).tolist() if flat else [])
            self.fetched = {key: [next(numbers) for _ in self.values[key]] for key in keys}
        return self.fetched

    def not_finite(self, mean: Mean) -> list[tuple[int, str, str, float]]:
        """(step, phase, term, value) of every value that is not finite, the earliest step first."""
        fetched = self._fetch(mean)
        return sorted(
            (self.values[key][i][0], *key, value)
            for key, values in fetched.items() for i, value in enumerate(values) if not math.isfinite(value)
        )

    def pop(self, mean: Mean) -> tuple[dict[str, float], float]:
        """(means by `phase/term`, samples a second) since the last call; the meter then starts anew."""
        means = {f"{phase}/{name}": sum(v) / len(v) for (phase, name), v in self._fetch(mean).items()}
        rate = self.steps * self.batch / max(time.monotonic() - self.started, 1e-9)
        self._forget()
        return means, rate


class Pace:
    """Seconds a step, and when to report them: after the second step, then at most once in `every_s` seconds.

    The first step is left out: it allocates memory, compiles and fills caches.

    Args:
        every_s: Seconds between two reports.
    """

    def __init__(self, every_s: float = 1.0):
        self.every_s, self.steps, self.seconds = every_s, 0, 0.0
        self.first = True
        self.reported_at = -math.inf
        self.restart_clock()

    def restart_clock(self) -> None:
        """Measure the next step from now on, after something that was no training."""
        self.since = time.monotonic()

    def stepped(self) -> None:
        """Take in that a step is done."""
        now = time.monotonic()
        if not self.first:
            self.steps, self.seconds = self.steps + 1, self.seconds + now - self.since
        self.first, self.since = False, now

    def due(self) -> bool:
        """Whether the pace is known and its report is due; a true answer counts as the report."""
        now = time.monotonic()
        if not self.steps or now - self.reported_at < self.every_s:
            return False
        self.reported_at = now
        return True

    @property
    def seconds_a_step(self) -> float:
        """The mean so far; 0 before the second step."""
        return self.seconds / max(self.steps, 1)
