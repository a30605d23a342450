"""What training on several devices sends over the wire, by the model of docs/scale.md and as it is here.

    torchrun --standalone --nproc-per-node 2 benchmarks/scale.py [RECIPE ...]
    python benchmarks/scale.py --model

The second form runs nothing: it prints the model's numbers of every recipe, with all phases at work, for two devices.
For each recipe: bytes a step that each process sends by the model (a ring sends 2 (N - 1) / N of what is averaged: the
gradients of the networks that a phase trains and all batch-norm statistics, 4 bytes each), bytes that the loopback
device counted over the same steps, divided by the processes, and seconds a step with and without the averaging.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from train_step import Noise

from maquette import recipe as recipes
from maquette.systems import SYSTEMS
from maquette.training.batches import Batches
from maquette.training.distributed import Engine
from maquette.training.loop import Trainer

STEPS = 10


def sent(system, world: int, first: int = 0) -> float:
    """Bytes a step that one process sends by the model, the mean over the STEPS steps from `first` on."""
    statistics = sum(b.numel() for b in system.nets.buffers() if b.is_floating_point())
    total = 0.0
    for phase in system.phases():
        gradients = sum(p.numel() for name in phase.trains for p in system.nets[name].parameters())
        total += 4 * (gradients + statistics) * sum(map(phase.runs_at, range(first, first + STEPS))) / STEPS
    return total * 2 * (world - 1) / world


def counted() -> int:
    """Bytes that the loopback device has sent since the machine started (Linux)."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith("lo:"):
            return int(line.split(":")[1].split()[8])
    return 0


def measure(name: str) -> dict:
    """The numbers of one recipe on the processes that torchrun started."""
    recipe = recipes.load(name)
    engine = Engine(recipe.train)
    torch.manual_seed(0)
    system = SYSTEMS[recipe.system](recipe.model)
    trainer = Trainer(system, recipe, Path("unused"), engine)
    system.nets.train()
    batches = Batches(Noise(recipe), np.arange(256), recipe, system, (engine.rank, engine.world))
    for step in range(2):
        trainer.step(step, batches.at(step))
    engine.wait()
    before, started = counted(), time.perf_counter()
    for step in range(STEPS):
        trainer.step(step, batches.at(step))
    engine.wait()
    seconds, wire = (time.perf_counter() - started) / STEPS, (counted() - before) / STEPS / engine.world
    average, engine.average = engine.average, lambda nets, trained: None
    started = time.perf_counter()
    for step in range(STEPS):
        trainer.step(step, batches.at(step))
    alone = (time.perf_counter() - started) / STEPS
    engine.average = average
    engine.wait()
    return {"recipe": name, "processes": engine.world, "model_mb": sent(system, engine.world) / 1e6,
            "counted_mb": wire / 1e6, "seconds": seconds, "seconds_without": alone, "first": engine.first}


def model(name: str) -> None:
    """Print the closed forms of one recipe: weights, bytes a step on two devices, memory without activations."""
    recipe = recipes.load(name)
    with torch.device("meta"):
        system = SYSTEMS[recipe.system](recipe.model)
    late = max(phase.start for phase in system.phases())
    weights = sum(p.numel() for p in system.nets.parameters())
    print(f"| {name} | {weights / 1e6:.1f} | {sent(system, 2, late) / 1e6:.1f} | {20 * weights / 1e9:.2f} |")


def main() -> None:
    """Measure and print, on the first process."""
    if sys.argv[1:] == ["--model"]:
        print("| recipe | M weights | MB a step, 2 devices | GB of weights and optimiser |\n| --- | --- | --- | --- |")
        for name in recipes.names():
            if not name.endswith("-tiny"):
                model(name)
        return
    for name in sys.argv[1:] or [n for n in recipes.names() if not n.endswith("-tiny")]:
        row = measure(name)
        if row.pop("first"):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
