"""Seconds a step of every recipe: samples a second, peak memory, where the time goes, and how much of it is arithmetic.

    python benchmarks/train_step.py [RECIPE ...] [--steps 10] [--json FILE]

Each recipe runs in its own process, on shapes and views of noise of the recipe's sizes, through the same batches,
phases and moving average as in training. The arithmetic of a step is counted by PyTorch's formulas (matrix products and
convolutions, forward and backward, torch.utils.flop_counter); the machine's peak is the best of five large matrix
products in the recipe's precision, measured in the same process. Recipes whose critic enters late are measured with it,
the dearest part of the run.
"""

import argparse
import dataclasses
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np


class Noise:
    """Stands in for OpenedData: shapes, views and scans of the right sizes in memory."""

    def __init__(self, recipe, count: int = 256):
        rng = np.random.default_rng(0)
        model, self.views_per_shape = recipe.model, 2
        self.scans_per_shape = 2
        self.labels = np.arange(count) % 10
        self._voxels = rng.random((count, *[model.resolution] * 3)) < 0.2
        size, channels = getattr(model, "view_size", 0), getattr(model, "image_channels", 1)
        shape = (count, 2, size, size) + ((3,) if channels == 3 else ())
        self._views = rng.integers(0, 256, shape, np.uint8)

    def voxels(self, rows):
        return self._voxels[rows]

    def views(self, rows, which):
        return self._views[rows, which]

    def scans(self, rows, which):
        return self._voxels[rows] & self._voxels[which]

    def cameras(self, rows, which):
        turns = (np.asarray(rows) * 37 + np.asarray(which) * 11) % 360
        nothing = turns * 0
        values = [turns, turns % 50 - 5, nothing + 40, nothing, nothing + 1, nothing, nothing]
        return np.stack(values, axis=1).astype(np.float32)


class NoiseImages:
    """Stands in for OpenedImages: images of the right size in memory."""

    def __init__(self, recipe, count: int = 64):
        model = recipe.model
        self.info = SimpleNamespace(masks=False)
        shape = (count, model.height, model.width) + ((3,) if model.channels == 3 else ())
        self._pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    def pixels(self, rows):
        return self._pixels[rows]


def measure(name: str, steps: int) -> dict:
    """The numbers of one recipe, in this process; steps: at least so many, until its phases have come round."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    from maquette import recipe as recipes
    from maquette.systems import SYSTEMS
    from maquette.training.batches import Batches
    from maquette.training.distributed import Engine
    from maquette.training.image_batches import ImageBatches
    from maquette.training.loop import Trainer

    class Counter(TorchDispatchMode):
        """FlopCounterMode without its tracking of modules, which cannot follow a gradient penalty."""

        flops = 0

        def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
            found = operator(*args, **(kwargs or {}))
            count = flop_registry.get(operator._overloadpacket)
            self.flops += count(*args, **(kwargs or {}), out_val=found) if count else 0
            return found

    recipe = recipes.load(name)
    if getattr(recipe.model, "adversarial_start", 0):
        late = dataclasses.replace(recipe.model, critic_start=0, adversarial_start=0)
        data = dataclasses.replace(recipe.data, small_size=0)
        recipe = dataclasses.replace(recipe, model=late, data=data)
    system = SYSTEMS[recipe.system](recipe.model)
    trainer = Trainer(system, recipe, Path("unused"), Engine(recipe.train))
    system.nets.train()
    rows = np.arange(64 if system.makes.images else 256)
    if system.makes.images:
        batches = ImageBatches(NoiseImages(recipe), rows, rows[:8], recipe, system)
    else:
        batches = Batches(Noise(recipe), rows, recipe, system)
    cycle = math.lcm(*(phase.every for phase in system.phases()), getattr(recipe.model, "penalty_interval", 1))
    steps = math.ceil(steps / cycle) * cycle
    with Counter() as counter:  # these steps warm up as well
        for step in range(cycle):
            trainer.step(step, batches.at(step))
    flops = counter.flops / cycle
    drawing, started = 0.0, time.perf_counter()
    for step in range(steps):
        before = time.perf_counter()
        batch = batches.at(step)
        drawing += time.perf_counter() - before
        trainer.step(step, batch)
    trainer.meter.pop(trainer.engine.mean)  # waits for the device
    seconds = (time.perf_counter() - started) / steps
    peak = _peak(torch, recipe.train.precision, trainer.engine.device)
    return {
        "recipe": name, "batch": recipe.train.batch, "seconds": seconds,
        "samples_per_second": recipe.train.batch / seconds,
        "data_share": drawing / steps / seconds, "gflop": flops / 1e9, "peak_gflops": peak / 1e9,
        "arithmetic_share": flops / seconds / peak, "memory_gb": _memory(torch, trainer.engine.device),
        "device": str(trainer.engine.device), "threads": torch.get_num_threads(), "torch": torch.__version__,
    }


def _peak(torch, precision: str, device) -> float:
    """Floating point operations a second of the best of five products of 4096 x 4096 matrices."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(4096, 4096, device=device).to(kind) for _ in "ab")
    best = 0.0
    for _ in range(5):
        started = time.perf_counter()
        (a @ b)[0, 0].item()
        best = max(best, 2 * 4096**3 / (time.perf_counter() - started))
    return best


def _memory(torch, device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


def main() -> None:
    """Measure and print a table."""
    from maquette import recipe as recipes

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=[n for n in recipes.names() if not n.endswith("-tiny")])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--json")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # a process of its own
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.recipes[0], options.steps)))
        return
    found = []
    print("| recipe | batch | s a step | samples/s | data | GFLOP a step | peak GFLOP/s | arithmetic | memory GB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.recipes:
        command = [sys.executable, __file__, name, "--one", "--steps", str(options.steps)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        found.append(row)
        print(
            f"| {name} | {row['batch']} | {row['seconds']:.3f} | {row['samples_per_second']:.0f} "
            f"| {row['data_share']:.1%} | {row['gflop']:.1f} | {row['peak_gflops']:.0f} "
            f"| {row['arithmetic_share']:.0%} | {row['memory_gb']:.2f} |", flush=True,
        )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
