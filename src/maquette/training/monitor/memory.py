"""The memory and arithmetic of a training step, by counting on tensors without values: no device is used."""

import contextlib
import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from maquette.capabilities import Reads
from maquette.errors import UserError
from maquette.recipe import Recipe, TrainRecipe
from maquette.systems import SYSTEMS
from maquette.systems.base import Batch, System
from maquette.training.distributed import Engine
from maquette.training.ema import Average
from maquette.training.phases import run_phase


@dataclass(frozen=True)
class Counted:
    """What one training step needs of one device."""

    kept: int
    """Bytes kept between steps: weights, optimisers' moments, moving average, the batch."""
    phases: dict[str, int]
    """The most bytes alive at once during each phase, what is kept included."""
    operations: dict[str, float] = field(default_factory=dict)
    """Floating point operations of each phase, as a mean over the steps."""

    @property
    def most(self) -> int:
        """The most bytes that are alive at once."""
        return max(self.phases.values())


class Alive(TorchDispatchMode):
    """Counts the bytes of all tensors that operations within it make, as long as they live, and the arithmetic.

    Attributes:
        now: Bytes alive.
        peak: The most bytes that were alive at once.
        operations: Floating point operations of convolutions and matrix products so far. PyTorch's `FlopCounterMode`
            counts them by the same formulas, but its tracking of modules cannot follow a gradient penalty.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = self.operations = 0
        self._known: set[int] = set()
        self._at_most = WeakTensorKeyDictionary()  # for the number of true values of a mask: how many there are in all

    def __torch_dispatch__(
        self, operator: OpOverload, types: Sequence[type], args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        if operator is torch.ops.aten._local_scalar_dense.default and args[0] in self._at_most:
            return self._at_most[args[0]]  # a value that tensors without values have not
        if operator.overloadpacket in _INDEXING:
            args = (args[0], [part for index in args[1] for part in _without_masks(index)], *args[2:])
        made = operator(*args, **(kwargs or {}))
        if operator is torch.ops.aten.sum.default and args[0].dtype == torch.bool:
            self._at_most[made] = args[0].numel()
        formula = flop_registry.get(operator.overloadpacket)
        if formula is not None:
            self.operations += formula(*args, **(kwargs or {}), out_val=made)
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


_INDEXING = (torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_,
             torch.ops.aten._index_put_impl_)
"""Operations of which the second argument is a list of indices."""


def _without_masks(index: Tensor | None) -> list[Tensor | None]:
    """An index as it is; a mask as the indices that it stands for where all of it is true."""
    if index is None or index.dtype != torch.bool:
        return [index]
    return [torch.empty(index.numel(), dtype=torch.int64, device=index.device) for _ in index.shape]


class _OneProcess(Engine):
    """An engine that starts nothing: the recipe's precision on the CPU."""

    def __init__(self, recipe: TrainRecipe):
        self.recipe, self.world, self.rank, self.first = recipe, 1, 0, True
        self.device, self._sharded = torch.device("cpu"), set()

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.precision == "bf16")


def count(recipe: Recipe) -> Counted:
    """What one device needs for the recipe's batch, for a system that makes images; see `count_step`.

    Raises:
        UserError: For another system.
    """
    if not SYSTEMS[recipe.system].makes.images:
        raise UserError(f"memory is counted for systems that make images, not for {recipe.system}")
    return count_step(recipe)


def count_step(recipe: Recipe, late: bool = False) -> Counted:
    """What one device needs for a step with the recipe's batch.

    Two whole steps are run operation by operation on tensors without values, and the tensors alive are summed, with
    what autograd saves, temporary results and the optimisers. Left out are what libraries take for themselves (context,
    workspaces of convolutions) and what an allocator loses between blocks. Conditions of phases and elements of masks
    count as true. No random state changes.

    Args:
        recipe: The system, its config and the batch; all of the batch is counted for one device.
        late: Count the last steps of the run, on which every phase has started, instead of the first.
    """
    engine = _OneProcess(recipe.train)
    lazy = getattr(recipe.model, "penalty_interval", 1)  # steps from one gradient penalty to the next
    alive = Alive()
    memory: dict[str, int] = {}
    operations: dict[str, float] = {}
    with torch.random.fork_rng(devices=[]), FakeTensorMode(), alive:
        system = SYSTEMS[recipe.system](recipe.model)
        system.nets.train()
        optimisers = {name: torch.optim.Adam(net.parameters(), foreach=False) for name, net in system.nets.items()}
        average = Average(system, recipe.train.average)
        cycle = math.lcm(lazy, *(phase.every for phase in system.phases()))
        first = (recipe.train.steps - 1) // cycle * cycle if late else 0
        whole = _zeros(system, recipe, first)
        phases = [replace(phase, step_if=None) for phase in system.phases() if phase.start <= first]
        for turn in (0, 0, 1) if lazy > 1 else (0, 0):  # the first turn makes the optimisers' moments
            parts = replace(whole, carry={}).cut(recipe.train.accumulate)
            for phase in phases:
                alive.peak, before = alive.now, alive.operations
                run_phase(phase, system, parts, optimisers, recipe.optim, engine, first + turn)
                spent = (alive.operations - before) / phase.every
                if turn == 0:
                    memory[phase.name], operations[phase.name] = alive.peak, spent
                else:
                    operations[phase.name] = (operations[phase.name] + (lazy - 1) * spent) / lazy
        kept = alive.now
        del average
    return Counted(kept, memory, operations)


def _zeros(system: System, recipe: Recipe, step: int) -> Batch:
    """A batch of zeros as the system gets it on this step."""
    size, model = recipe.train.batch, recipe.model
    if system.makes.images:
        shape = (size, model.channels, model.height, model.width)
        return Batch(None, torch.zeros(shape), held_out=torch.zeros(shape) if system.wants_held_out(step) else None)
    voxels = torch.zeros(size, 1, model.resolution, model.resolution, model.resolution)
    images: Tensor | None = None
    scans: Tensor | None = None
    poses: Tensor | None = None
    if system.reads is Reads.VIEWS:
        images = torch.zeros(size, model.image_channels, model.view_size, model.view_size)
        poses = torch.zeros(size, 7) if system.needs_poses() else None
    elif system.reads is Reads.SCANS:
        scans = torch.zeros_like(voxels)
    return Batch(voxels, images, labels=torch.zeros(size, dtype=torch.int64), poses=poses, scans=scans)
