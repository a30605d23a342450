"""The machines that a run uses, through Lightning Fabric: one CPU, one GPU, many GPUs, many nodes.

Processes are started by `maquette train` alone or by `torchrun`.

The loop stays ours, and so does the averaging of gradients: after the backward pass of a phase, the gradients of the
networks that it trains are averaged over all processes in one message, the batch-norm statistics with them. Nothing is
wrapped, so a penalty that differentiates through a critic (twice) is the same on eight devices as on one: each process
computes the penalty of its own samples, and the mean of the means is the mean. Batch norm is not synchronised: while it
trains it normalises by the samples of its own device, so a network that has it (most generators and encoders, and
the discriminator of 3D-GAN) learns a little otherwise on eight devices than on one. With `strategy: shard` encoder and
generator are spread over the devices by PyTorch's `fully_shard` (FSDP) instead, which averages their gradients itself;
critics, through which penalties differentiate twice, stay whole on every device.
"""

import contextlib
import datetime
import logging
import os
from collections.abc import Container, Iterable
from typing import TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map_only

from maquette.errors import UserError
from maquette.recipe import TrainRecipe

PREPARATION = datetime.timedelta(hours=3)
"""How long the other processes wait while the first one prepares data."""
T = TypeVar("T")


class Engine:
    """Devices, precision and messages between the processes of one run.

    Attributes:
        rank: Which process this is, from 0.
        world: Of how many.
        first: Whether it is the one that writes and reports.
        device: The device of this process.

    Args:
        recipe: Device, number of devices and nodes, strategy, precision and batch.

    Raises:
        UserError: For devices that are not there, and for a batch that cannot be divided over them.
    """

    def __init__(self, recipe: TrainRecipe):
        accelerator = pick_device(recipe.device).type
        devices, nodes = _counts(recipe, accelerator)
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells on the terminal what was asked for
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
        self.recipe = recipe
        self._sharded: set[str] = set()
        parts = self.world * recipe.accumulate
        if recipe.batch % parts or recipe.batch // parts < 2:
            raise UserError(
                "train.batch must be a multiple of processes x train.accumulate, with 2 samples or more in each part",
                f"{recipe.batch} for {self.world} x {recipe.accumulate}",
            )

    def place(self, nets: nn.ModuleDict, sharded: Iterable[str] = (), twice: Container[str] = ()) -> None:
        """Move the networks to the device, equal on all processes.

        Args:
            nets: The networks by name.
            sharded: Those that are spread over the devices where the recipe asks for it.
            twice: Those that losses differentiate through twice, as penalties do; they are not compiled, since compiled
                graphs cannot be differentiated twice.

        Raises:
            UserError: If the recipe asks for sharding and there is only one process.
        """
        nets.to(self.device)
        sharding = self.recipe.strategy == "shard"
        for net in nets.values():
            flat = all(weight.dim() < 5 for weight in net.parameters())  # no volumes
            if self.recipe.channels_last and flat and not sharding:  # fully_shard wants contiguous weights
                net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stub
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

    def autocast(self) -> contextlib.AbstractContextManager[None]:
        """A context that computes in the recipe's precision."""
        return self.fabric.autocast()

    def average(self, nets: nn.ModuleDict, trained: Iterable[str]) -> None:
        """Average the gradients of the trained networks, and all batch-norm statistics, over the processes."""
        if self.world == 1:
            return
        tensors = [p.grad for name in trained if name not in self._sharded for p in nets[name].parameters()
                   if p.grad is not None]
        tensors += [buffer for buffer in nets.buffers() if buffer.is_floating_point()]
        flat = self._reduced(torch.cat([t.detach().float().flatten() for t in tensors]), "mean")
        for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the processes; NaN and infinity stay."""
        return values if self.world == 1 else self._reduced(values, "mean")

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """For each flag whether it is set in any process; all processes get the same answer."""
        if self.world == 1:
            return flags
        found = self._reduced(torch.tensor(flags, dtype=torch.float32, device=self.device), "sum")
        return tuple(bool(value > 0) for value in found.tolist())

    def share(self, value: T) -> T:
        """The first process's value, in all of them."""
        return value if self.world == 1 else self.fabric.broadcast(value)

    def wait(self) -> None:
        """Wait until all processes have come to this point."""
        if self.world > 1:
            self.fabric.barrier()

    def close(self) -> None:
        """Leave the group of processes, all at the same point; a process that merely ends can abort the others."""
        if self.world > 1:
            self.fabric.barrier()
            torch.distributed.destroy_process_group()

    def first_only(self) -> contextlib.AbstractContextManager[None]:
        """A context that the first process of each machine runs alone; then the others run it and find its files."""
        return self.fabric.rank_zero_first(local=True)

    def _reduced(self, values: Tensor, operation: str) -> Tensor:
        """The sum or mean of a tensor over the processes."""
        result = self.fabric.all_reduce(values, reduce_op=operation)
        assert isinstance(result, Tensor)
        return result


def pick_device(name: str) -> torch.device:
    """The device of this name: `cpu`, `cuda`, or `auto`, which is cuda where there is a GPU.

    Raises:
        UserError: For another name, and for cuda where there is no GPU.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise UserError("train.device must be auto, cpu or cuda", repr(name))
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("train.device is cuda, but PyTorch sees no GPU", hint="use train.device cpu")
    return torch.device(name)


def gather_full(tree: T) -> T:
    """A copy of nested dicts and lists, or a tensor, with every sharded tensor gathered; all processes must ask."""
    full: T = tree_map_only(DTensor, DTensor.full_tensor, tree)
    return full


def shard_like(tensor: Tensor, live: Tensor) -> Tensor:
    """A full tensor spread over the devices as `live` is; as it is where `live` is not spread."""
    if not isinstance(live, DTensor):
        return tensor
    return distribute_tensor(tensor.to(live.device), live.device_mesh, live.placements)


def local_part(tensor: Tensor) -> Tensor:
    """This process's part of a sharded tensor, sharing its storage; a plain tensor itself."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no number in this process's parts of the tensors is NaN or infinite."""
    found = [local_part(tensor).isfinite().all() for tensor in tensors if tensor.is_floating_point()]
    by_device: dict[torch.device, list[Tensor]] = {}
    for flag in found:
        by_device.setdefault(flag.device, []).append(flag)
    return all(bool(torch.stack(flags).all()) for flags in by_device.values())  # a device is waited for once


def _counts(recipe: TrainRecipe, accelerator: str) -> tuple[int, int]:
    """(devices of each machine, machines): as torchrun started them, or else as the recipe says."""
    if torch.distributed.is_torchelastic_launched():
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        return local, int(os.environ["WORLD_SIZE"]) // local
    there = torch.cuda.device_count() if accelerator == "cuda" else 1
    if accelerator == "cuda" and recipe.devices > there:
        raise UserError("train.devices is more than there are GPUs", recipe.devices, f"there are {there}")
    return recipe.devices or there, recipe.nodes
