"""The machines that a run uses, through Lightning Fabric: one CPU, one GPU, many GPUs, many nodes, started by
`maquette train` alone or under `torchrun`.

The loop stays ours, and so does the averaging of gradients: after the backward pass of a phase, the gradients of the
networks that it trains are averaged over all processes in one message, the batch-norm statistics with them. Nothing is
wrapped, so a penalty that differentiates through a critic (twice) is the same on eight devices as on one: each process
computes the penalty of its own samples, and the mean of the means is the mean. With `strategy: shard` encoder and
generator are spread over the devices by PyTorch's `fully_shard` (FSDP) instead, which averages their gradients itself;
critics, through which penalties differentiate twice, stay whole on every device.
"""

import contextlib
import datetime
import os
from collections.abc import Callable, Container, Iterable

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from maquette.errors import UserError
from maquette.recipe import TrainRecipe

PREPARATION = datetime.timedelta(hours=3)
"""How long the other processes wait while the first one prepares data."""


class Engine:
    """Devices, precision and messages between the processes of one run.

    rank, world: which process this is, of how many. device: the device of this process.

    Raises:
        UserError: For devices that are not there, and for a batch that does not divide.
    """

    def __init__(self, recipe: TrainRecipe):
        accelerator = pick_device(recipe.device).type
        devices, nodes = _counts(recipe, accelerator)
        self.fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy=DDPStrategy(timeout=PREPARATION) if devices * nodes > 1 else "auto",
            precision="bf16-mixed" if recipe.precision == "bf16" else "32-true",
        )
        self.fabric.launch()
        self.rank, self.world, self.device = self.fabric.global_rank, self.fabric.world_size, self.fabric.device
        self.first = self.rank == 0
        self.recipe, self._sharded = recipe, set()
        parts = self.world * recipe.accumulate
        if recipe.batch % parts or recipe.batch // parts < 2:
            raise UserError(
                "train.batch must be a multiple of processes x train.accumulate, with 2 samples or more in each part",
                f"{recipe.batch} for {self.world} x {recipe.accumulate}",
            )

    def place(
        self, nets: nn.ModuleDict, sharded: Iterable[str] = (), twice: Container[str] = ()
    ) -> None:
        """Move the networks to the device, equal on all processes.

        Args:
            nets: The networks by name.
            sharded: Those that are spread over the devices where the recipe asks for it.
            twice: Those that losses differentiate through twice, as penalties do: compiled graphs cannot be.
        """
        nets.to(self.device)
        sharding = self.recipe.strategy == "shard"
        for net in nets.values():
            flat = all(weight.dim() < 5 for weight in net.parameters())  # no volumes
            if self.recipe.channels_last and flat and not sharding:  # fully_shard wants contiguous weights
                net.to(memory_format=torch.channels_last)
        if self.world > 1:
            for tensor in nets.state_dict().values():
                torch.distributed.broadcast(tensor, 0)
        if sharding:
            if self.world == 1:
                raise UserError("train.strategy shard needs two devices or more", "one process")
            from torch.distributed.device_mesh import init_device_mesh
            from torch.distributed.fsdp import fully_shard

            mesh = init_device_mesh(self.device.type, (self.world,))
            for name in set(sharded) & set(nets):
                fully_shard(nets[name], mesh=mesh)
                self._sharded.add(name)
        if self.recipe.compile:
            for name, net in nets.items():
                if name not in twice:
                    net.compile()

    def autocast(self) -> contextlib.AbstractContextManager:
        """The recipe's precision for what runs within."""
        return self.fabric.autocast()

    def average(self, nets: nn.ModuleDict, trained: Iterable[str]) -> None:
        """Average the gradients of the trained networks, and all batch-norm statistics, over the processes."""
        if self.world == 1:
            return
        tensors = [p.grad for name in trained if name not in self._sharded for p in nets[name].parameters()
                   if p.grad is not None]
        tensors += [buffer for buffer in nets.buffers() if buffer.is_floating_point()]
        flat = self.fabric.all_reduce(torch.cat([t.detach().float().flatten() for t in tensors]), reduce_op="mean")
        for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the processes; NaN and infinity stay."""
        return values if self.world == 1 else self.fabric.all_reduce(values, reduce_op="mean")

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """For each flag whether any process has it set; all processes get the same answer."""
        if self.world == 1:
            return flags
        found = self.fabric.all_reduce(torch.tensor(flags, dtype=torch.float32, device=self.device), reduce_op="sum")
        return tuple(bool(value > 0) for value in found.tolist())

    def share(self, value):
        """The first process's value, on all of them."""
        return value if self.world == 1 else self.fabric.broadcast(value)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            self.fabric.barrier()

    def close(self) -> None:
        """Leave the group of processes, all at the same point; a process that just ends can abort."""
        if self.world > 1:
            self.fabric.barrier()
            torch.distributed.destroy_process_group()

    def first_only(self) -> contextlib.AbstractContextManager:
        """What runs within runs on the first process of each machine, and then, finding its files, on the others."""
        return self.fabric.rank_zero_first(local=True)


def pick_device(name: str) -> torch.device:
    """The device of this name; auto is cuda where there is one.

    Raises:
        UserError: Where it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise UserError("train.device must be auto, cpu or cuda", repr(name))
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("train.device is cuda, but PyTorch sees no GPU", hint="use train.device cpu")
    return torch.device(name)


def whole(tree):
    """A copy of nested dicts and lists with every sharded tensor gathered; all processes must ask."""
    return _map(tree, lambda t: t.full_tensor() if isinstance(t, DTensor) else t)


def like(tensor: Tensor, live: Tensor) -> Tensor:
    """A whole tensor spread over the devices as `live` is."""
    if not isinstance(live, DTensor):
        return tensor
    return distribute_tensor(tensor.to(live.device), live.device_mesh, live.placements)


def own(tensor: Tensor) -> Tensor:
    """This process's part of a sharded tensor, sharing its storage; a plain tensor as it is."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _map(tree, function: Callable[[Tensor], Tensor]):
    if isinstance(tree, dict):
        return {key: _map(value, function) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_map(value, function) for value in tree)
    return function(tree) if isinstance(tree, Tensor) else tree


def _counts(recipe: TrainRecipe, accelerator: str) -> tuple[int, int]:
    """(devices of each machine, machines): as torchrun started them, else as the recipe says."""
    if torch.distributed.is_torchelastic_launched():
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        return local, int(os.environ["WORLD_SIZE"]) // local
    there = torch.cuda.device_count() if accelerator == "cuda" else 1
    if accelerator == "cuda" and recipe.devices > there:
        raise UserError("train.devices is more than there are GPUs", recipe.devices, f"there are {there}")
    return recipe.devices or there, recipe.nodes
