"""What a run reports: the terms of its steps, fetched from the device now and then."""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor


class Meter:
    """Terms of the steps since it was last read, kept on the device and fetched all at once."""

    def __init__(self, batch: int):
        self.batch = batch
        self._forget()

    def _forget(self) -> None:
        self.values: dict[tuple[str, str], list[tuple[int, Tensor]]] = {}
        self.fetched: dict[tuple[str, str], list[float]] | None = None
        self.restart_clock()

    def restart_clock(self) -> None:
        """Count samples a second from now on: what was measured in between is no training."""
        self.steps, self.started = 0, time.monotonic()

    def add(self, step: int, phase: str, terms: dict[str, Tensor]) -> None:
        """Take in one phase's terms."""
        self.fetched = None
        for name, value in terms.items():
            self.values.setdefault((phase, name), []).append((step, value.detach()))

    def _fetch(self, mean: Callable[[Tensor], Tensor]) -> dict[tuple[str, str], list[float]]:
        if self.fetched is None:
            keys = list(self.values)
            flat = [value.reshape(()).float() for key in keys for _, value in self.values[key]]
            device = next((v.device for v in flat if v.device.type != "cpu"), torch.device("cpu"))
            numbers = iter(mean(torch.stack([v.to(device) for v in flat])).tolist() if flat else [])
            self.fetched = {key: [next(numbers) for _ in self.values[key]] for key in keys}
        return self.fetched

    def not_finite(self, mean: Callable[[Tensor], Tensor]) -> list[tuple[int, str, str, float]]:
        """(step, phase, term, value) of every value that is no number, the first step first.

        Args:
            mean: Averages a tensor over the processes.
        """
        fetched = self._fetch(mean)
        return sorted(
            (self.values[key][i][0], *key, value)
            for key, values in fetched.items() for i, value in enumerate(values) if not math.isfinite(value)
        )

    def read(self, mean: Callable[[Tensor], Tensor]) -> tuple[dict[str, float], float]:
        """(means by 'phase/term', samples a second), and start anew."""
        means = {f"{phase}/{name}": sum(v) / len(v) for (phase, name), v in self._fetch(mean).items()}
        rate = self.steps * self.batch / max(time.monotonic() - self.started, 1e-9)
        self._forget()
        return means, rate


class Pace:
    """Seconds a step, and when they are to be said: after the second step, then at most once a second.

    The first step is left out: it allocates, compiles and fills caches. Call `restart_clock` after anything that is no
    training.
    """

    def __init__(self, every_s: float = 1.0):
        self.every_s, self.steps, self.seconds = every_s, 0, 0.0
        self.first = True
        self.said_at = -math.inf
        self.restart_clock()

    def restart_clock(self) -> None:
        """Count the next step's seconds from now on."""
        self.since = time.monotonic()

    def stepped(self) -> None:
        """A step is done."""
        now = time.monotonic()
        if not self.first:
            self.steps, self.seconds = self.steps + 1, self.seconds + now - self.since
        self.first, self.since = False, now

    def due(self) -> bool:
        """Whether the pace is known and was not said in the last second; asking counts as saying."""
        now = time.monotonic()
        if not self.steps or now - self.said_at < self.every_s:
            return False
        self.said_at = now
        return True

    @property
    def seconds_a_step(self) -> float:
        """The mean so far."""
        return self.seconds / max(self.steps, 1)
