"""One update of one phase of a system's table: forward, backward, and a step of its optimisers."""

import torch
from jaxtyping import Float
from torch import Tensor

from maquette.recipe import OptimRecipe
from maquette.systems.base import Batch, Phase, System, Terms
from maquette.training.distributed import Engine
from maquette.training.optim import SHARE, Optimisers

Scalar = Float[Tensor, ""]


def run_phase(
    phase: Phase, system: System, parts: list[Batch], optimisers: Optimisers, optim: OptimRecipe, engine: Engine,
    step: int = 0, scale: float = 1.0,
) -> dict[str, Scalar]:
    """Forward and backward over the parts of a batch, then a step of the optimisers of `phase.trains`.

    Args:
        phase: The loss, and which networks it trains.
        system: Its networks are updated.
        parts: The batch, cut into `train.accumulate` parts, over which gradients are summed.
        optimisers: One for each network.
        optim: The recipe's section.
        engine: Averages gradients over the processes.
        step: The absolute step.
        scale: The factor of the learning rate on this step; adversaries keep theirs unscaled.

    Returns:
        The mean terms over the parts, and `skipped` (0 or 1) where the phase has a condition, as tensors on the device.
        Only a condition makes the host wait for the device.
    """
    nets = system.nets
    for name, net in nets.items():
        net.requires_grad_(name in phase.trains)
    sums: dict[str, Scalar] = {}
    for part in parts:
        with engine.autocast():
            terms = phase.loss(nets, part, step)
        for name, value in {**terms.watched, **terms.minimised}.items():
            share = value.detach().float() / len(parts)
            sums[name] = sums[name] + share if name in sums else share
        if phase.step_if is None or len(parts) > 1 or _agrees(phase, sums, engine):
            (terms.total() / len(parts)).backward()
    if phase.step_if is not None and not _agrees(phase, sums, engine):
        for name in phase.trains:
            optimisers[name].zero_grad(set_to_none=True)
        return {**sums, "skipped": torch.ones(())}
    engine.average(nets, phase.trains)
    for name in phase.trains:
        optimiser = optimisers[name]
        if not phase.adversary:
            for group in optimiser.param_groups:
                group["lr"] = optim.lr * scale * group.get(SHARE, 1.0)
            if optim.clip:
                torch.nn.utils.clip_grad_norm_(nets[name].parameters(), optim.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return sums if phase.step_if is None else {**sums, "skipped": torch.zeros(())}


def _agrees(phase: Phase, sums: dict[str, Tensor], engine: Engine) -> bool:
    """The condition of a phase, on the terms of this pass over all parts and processes."""
    assert phase.step_if is not None
    return bool(phase.step_if(Terms({}, {name: engine.mean(value) for name, value in sums.items()})))
