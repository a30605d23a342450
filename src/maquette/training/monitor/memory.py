"""The accelerator memory that training a recipe needs, bounded by counting: nothing is computed, no device is used."""

import weakref
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from maquette.errors import UserError
from maquette.recipe import Recipe
from maquette.systems import SYSTEMS, Batch
from maquette.training.distributed import Engine
from maquette.training.ema import Average
from maquette.training.phases import run_phase


@dataclass(frozen=True)
class Counted:
    """Bytes: kept between steps (weights, optimisers' moments, moving average, the batch), and most during each phase,
    what is kept included.
    """

    kept: int
    phases: dict[str, int]

    @property
    def most(self) -> int:
        """The bound."""
        return max(self.phases.values())


class Alive(TorchDispatchMode):
    """Counts the bytes of all tensors that operations within it make, as long as these live: `now`, and the `peak`."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        made = operator(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor):
                self._take(leaf.untyped_storage())
        return made

    def _take(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def count(recipe: Recipe) -> Counted:
    """What one device needs for the recipe's batch, for a system that makes images.

    Two whole steps are gone through operation by operation on tensors without values, and the tensors alive are summed;
    what autograd saves, temporary results and the optimisers are in it. Not in it: what libraries take for themselves
    (context, workspaces of convolutions) and what an allocator loses between blocks.
    """
    if not SYSTEMS[recipe.system].makes.images:
        raise UserError(f"memory is counted for systems that make images, not for {recipe.system}")
    engine = Engine(replace(recipe.train, device="cpu", devices=0, nodes=1))
    model, alive = recipe.model, Alive()
    phases: dict[str, int] = {}
    with FakeTensorMode(), alive:
        system = SYSTEMS[recipe.system](model)
        system.nets.train()
        optimisers = {name: torch.optim.Adam(net.parameters(), foreach=False) for name, net in system.nets.items()}
        average = Average(system, recipe.train.average)
        shape = (recipe.train.batch, model.channels, model.height, model.width)
        images, held_out = torch.zeros(shape), torch.zeros(shape) if system.wants_held_out(0) else None
        for _ in range(2):  # the first step makes the optimisers' moments
            parts = Batch(None, images, held_out=held_out).cut(recipe.train.accumulate)
            for phase in system.phases():
                alive.peak = alive.now
                run_phase(phase, system, parts, optimisers, recipe.optim, engine)
                phases[phase.name] = alive.peak
        kept = alive.now
        del average
    return Counted(kept, phases)
