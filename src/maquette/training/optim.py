"""An optimiser for each network, and the schedule of the learning rate as a function of the absolute step."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from maquette.nets.types import Pretrained
from maquette.recipe import OptimRecipe
from maquette.systems.base import ENCODER, System

Optimisers = Mapping[str, torch.optim.Optimizer]
"""An optimiser for each network, by the network's name."""
SHARE = "share"
"""The key of a group of weights in an optimiser under which its share of the learning rate stands; without it 1."""


def make_optimisers(system: System, optim: OptimRecipe, fused: bool = True) -> Optimisers:
    """An optimiser for each of a system's networks; adversaries have their own learning rate (`Phase.adversary`).

    Args:
        system: Its networks, on their devices.
        optim: The recipe's section.
        fused: Whether an optimiser updates all weights in one kernel; for networks that are not sharded.
    """
    adversaries = system.adversaries()
    return {name: _optimiser(_groups(name, net, optim), optim, name in adversaries, fused)
            for name, net in system.nets.items()}


def _groups(name: str, net: nn.Module, optim: OptimRecipe) -> list[dict[str, Any]]:
    """A network's weights: those of an encoder that start from other data learn at a share of the rate.

    An encoder that has none of these learns at that share as a whole.
    """
    weights = list(net.parameters())
    if name != ENCODER or optim.encoder_share == 1:
        return [{"params": weights}]
    gentle = list(net.pretrained()) if isinstance(net, Pretrained) else weights
    chosen = {id(weight) for weight in gentle}
    others = [weight for weight in weights if id(weight) not in chosen]
    whole: list[dict[str, Any]] = [{"params": others}] if others else []
    return [{"params": gentle, SHARE: optim.encoder_share}, *whole]


def _optimiser(
    parameters: Iterable[dict[str, Any]], optim: OptimRecipe, adversary: bool, fused: bool
) -> torch.optim.Optimizer:
    if optim.name == "rmsprop":
        return torch.optim.RMSprop(parameters, optim.critic_lr if adversary else optim.lr)
    if adversary:
        return torch.optim.Adam(parameters, optim.critic_lr, optim.critic_betas, fused=fused)
    return torch.optim.AdamW(parameters, optim.lr, optim.betas, weight_decay=optim.weight_decay, fused=fused)


def learning_rate_scale(step: int, optim: OptimRecipe) -> float:
    """The factor of the learning rate at this absolute step, in [0, 1]: linear warm-up, then a cosine to `floor`."""
    warm = min(1.0, (step + 1) / optim.warmup) if optim.warmup else 1.0
    if not optim.decay:
        return warm
    progress = min(1.0, step / optim.decay)
    return warm * (optim.floor + (1 - optim.floor) * 0.5 * (1 + math.cos(math.pi * progress)))
