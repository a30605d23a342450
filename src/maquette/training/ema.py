"""The moving average of weights."""

import torch

from maquette.systems.base import System
from maquette.training.distributed import local_part


class Average:
    """The moving average of the networks that are used after training: weights and batch-norm statistics alike.

    PyTorch's `AveragedModel` is not used: it deep-copies each network, where this keeps one copy of the tensors and
    moves all of them in one fused call, also those that are sharded.

    Args:
        system: Says which networks are averaged (`System.averaged`).
        decay: The share of the average that is kept each step, in [0, 1); 0: no averaging.
    """

    def __init__(self, system: System, decay: float):
        self.system, self.decay = system, decay
        names = system.averaged()
        # the values share the networks' storage, which loading a state keeps: they are live
        self._live = {n: v for n, v in system.nets.state_dict().items() if n.split(".")[0] in names}
        self.tensors = {name: value.detach().clone() for name, value in self._live.items()}
        moving = [name for name, value in self.tensors.items() if value.is_floating_point()]
        self._means = [local_part(self.tensors[name]) for name in moving]
        self._weights = [local_part(self._live[name]) for name in moving]
        self._counters = [name for name in self.tensors if name not in set(moving)]

    def update(self, step: int) -> None:
        """Move the average towards the weights by 1 - decay; faster over the first steps, so that the start fades."""
        torch._foreach_lerp_(self._means, self._weights, 1 - min(self.decay, (1 + step) / (10 + step)))
        for name in self._counters:
            self.tensors[name].copy_(self._live[name])

    def write(self) -> None:
        """Put the averaged values into the networks."""
        self.system.nets.load_state_dict(self.tensors, strict=False)

    def applied(self) -> "_Applied":
        """A context in which the networks hold the averaged values, in evaluation mode."""
        return _Applied(self)


class _Applied:
    def __init__(self, average: Average):
        self.average = average

    def __enter__(self) -> None:
        self.backup = {name: value.clone() for name, value in self.average._live.items()}
        self.average.write()
        self.average.system.nets.eval()

    def __exit__(self, *_: object) -> None:
        self.average.system.nets.load_state_dict(self.backup, strict=False)
        self.average.system.nets.train()
